"""Trials in PyTorch: training, validating, and going on from a checkpoint as if nothing had been."""

from __future__ import annotations

import importlib
import random
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from dialects.determined.shim_trial import Trial, standing_in

HPARAMS = {"global_batch_size": 4, "lr": 0.1}
ROWS = 22  # 6 batches of 4, the last one of 2


@pytest.fixture
def trial(tmp_path: Path) -> Trial:
    return Trial(tmp_path)


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    states = torch.get_num_threads(), torch.random.get_rng_state(), random.getstate(), np.random.get_state()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(states[0])
    torch.random.set_rng_state(states[1])
    random.setstate(states[2])
    np.random.set_state(states[3])


class Rows(torch.utils.data.Dataset[Any]):  # type: ignore[misc]  # torch is not looked into
    """y = x, 2x; with its index."""

    def __len__(self) -> int:
        return ROWS

    def __getitem__(self, index: int) -> Any:
        x = torch.tensor([index / ROWS])
        return {"x": x, "y": torch.cat([x, 2 * x]), "index": index}


def trial_class(det: Any, **overrides: Any) -> Any:
    """A trial class in Determined's style, with a learning rate schedule, dropout and a stateful callback."""
    pytorch = importlib.import_module("determined.pytorch")

    class Counter(pytorch.PyTorchCallback):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            self.seen: list[Any] = []
            self.epochs = 0

        def on_training_epoch_start(self, epoch_idx: int) -> None:
            self.seen.append(("start", epoch_idx))

        def on_training_epoch_end(self, epoch_idx: int) -> None:
            self.seen.append(("end", epoch_idx))
            self.epochs += 1

        def on_validation_end(self, metrics: dict[str, Any]) -> None:
            self.seen.append(("validated", sorted(metrics)))

        def on_checkpoint_write_end(self, checkpoint_dir: str) -> None:
            (Path(checkpoint_dir) / "mine").write_text("x")

        def on_trial_startup(self, first_batch_idx: int, checkpoint_uuid: str | None) -> None:
            self.seen.append(("up", first_batch_idx, checkpoint_uuid is not None))

        def on_trial_shutdown(self) -> None:
            self.seen.append("down")

        def state_dict(self) -> dict[str, Any]:
            return {"epochs": self.epochs}

        def load_state_dict(self, state_dict: dict[str, Any]) -> None:
            self.epochs = state_dict["epochs"]

    class RowsTrial(pytorch.PyTorchTrial):  # type: ignore[misc, name-defined]
        every = 2  # batches to a step of the schedule

        def __init__(self, context: Any) -> None:
            self.context = context
            self.model = context.wrap_model(nn.Sequential(nn.Linear(1, 8), nn.Dropout(0.5), nn.Linear(8, 2)))
            optimizer = torch.optim.SGD(self.model.parameters(), lr=context.get_hparam("lr"), momentum=0.9)
            self.optimizer = context.wrap_optimizer(optimizer)
            schedule = torch.optim.lr_scheduler.ExponentialLR(self.optimizer, 0.9)
            self.schedule = context.wrap_lr_scheduler(
                schedule, pytorch.LRScheduler.StepMode.STEP_EVERY_BATCH, self.every
            )
            self.trained: list[tuple[int, int, list[int]]] = []
            self.noise: list[float] = []
            self.counter = Counter()

        def build_callbacks(self) -> dict[str, Any]:
            return {"counter": self.counter}

        def build_training_data_loader(self) -> Any:
            return pytorch.DataLoader(Rows(), batch_size=self.context.get_per_slot_batch_size(), shuffle=True)

        def build_validation_data_loader(self) -> Any:
            return pytorch.DataLoader(Rows(), batch_size=11)

        def train_batch(self, batch: Any, epoch_idx: int, batch_idx: int) -> Any:
            self.trained.append((epoch_idx, batch_idx, batch["index"].tolist()))
            self.noise += [random.random(), float(np.random.random())]
            loss = nn.functional.mse_loss(self.model(batch["x"]), batch["y"])
            self.context.backward(loss)
            self.context.step_optimizer(self.optimizer)
            return {"loss": loss, "batch": batch_idx}

        def evaluate_batch(self, batch: Any) -> dict[str, Any]:
            return {"loss": nn.functional.mse_loss(self.model(batch["x"]), batch["y"]), "rows": len(batch["x"])}

    for name, value in overrides.items():
        setattr(RowsTrial, name, value)
    return RowsTrial


def fitted(det: Any, **overrides: Any) -> Any:
    """A trial that was trained as the study and its configuration say."""
    pytorch = importlib.import_module("determined.pytorch")
    with pytorch.init() as context:
        made = trial_class(det, **overrides)(context)
        pytorch.Trainer(made, context).fit()
    return made


def weights(trial: Any) -> list[float]:
    return [value for parameter in trial.model.parameters() for value in parameter.detach().flatten().tolist()]


def test_a_trial_that_is_held_goes_on_as_if_it_had_not_been(trial: Trial, tmp_path: Path) -> None:
    (tmp_path / "whole").mkdir()
    whole = Trial(tmp_path / "whole")
    with whole.attempt(told=15, hparams=HPARAMS) as det:
        at_once = fitted(det)
    parts: list[Any] = []
    for told in (4, 9, 15):  # within the first epoch, within the second, within the third
        with trial.attempt(told=told, hparams=HPARAMS) as det:
            parts.append(fitted(det))
    assert [batch for part in parts for batch in part.trained] == at_once.trained
    assert [index for _, index, _ in at_once.trained] == list(range(15))
    assert [noise for part in parts for noise in part.noise] == at_once.noise
    assert weights(parts[-1]) == weights(at_once)
    assert parts[-1].schedule.get_last_lr() == at_once.schedule.get_last_lr() == pytest.approx([0.1 * 0.9**7])
    assert parts[-1].counter.epochs == at_once.counter.epochs == 2
    last = trial.reports()[-1]
    assert last["batches"] == 15
    assert last["loss"] == whole.reports()[-1]["loss"]
    for epoch in (0, 1):
        rows = [row for number, _, batch in at_once.trained if number == epoch for row in batch]
        assert sorted(rows) == list(range(ROWS)), "every row once an epoch"
    orders = [[batch for number, _, batch in at_once.trained if number == epoch] for epoch in (0, 1)]
    assert orders[0] != orders[1]


def test_each_report_says_where_it_was_made_and_commits_what_was_saved(trial: Trial) -> None:
    config = {
        "min_validation_period": {"batches": 3},
        "min_checkpoint_period": {"batches": 4},
        "checkpoint_policy": "none",
    }
    with trial.attempt(told=8, hparams=HPARAMS, config=config, scheduling_unit=2) as det:
        fitted(det)
    found = [(report["batches"], sorted(set(report) - {"batches"})) for report in trial.reports()]
    both = ["loss", "rows", "training.batch", "training.loss"]
    assert found == [
        (2, ["training.batch", "training.loss"]),
        (3, both),
        (4, ["saved"]),
        (4, ["training.batch", "training.loss"]),
        (6, both),
        (8, [*both[:2], "saved", *both[2:]]),
    ]
    by_place = {report["batches"]: report for report in trial.reports() if "training.batch" in report}
    assert {place: report["training.batch"] for place, report in by_place.items()} == {
        2: 0.5,
        3: 2,
        4: 3,
        6: 4.5,
        8: 6.5,
    }
    assert all(report["rows"] == 11 for report in by_place.values() if "rows" in report)


def test_the_hooks_are_called_in_their_order(trial: Trial) -> None:
    for told in (4, 8):
        with trial.attempt(told=told, hparams=HPARAMS) as det:
            made = fitted(det)
    assert made.counter.seen == [
        ("up", 4, True), ("start", 0), ("end", 0), ("start", 1), ("validated", ["loss", "rows"]), "down",
    ]  # fmt: skip
    assert next((trial.folder / "2" / "checkpoint").glob("*/mine")).read_text() == "x"


@pytest.mark.parametrize(
    ("said", "told", "batches"),
    [
        ({"units": "records", "resource": "records"}, 30, 7),
        ({"units": "records", "resource": "records"}, 2, 1),
        ({"units": "epochs", "resource": "epochs"}, 2, 12),
        ({"units": "epochs", "resource": "epochs", "era": "0.13", "records_per_epoch": 20}, 2, 10),
        ({"units": "steps", "resource": "steps", "era": "0.12", "batches_per_step": 5}, 2, 10),
        ({"units": None, "resource": "length"}, 9, 9),
        ({"units": None, "resource": "epochs", "era": "0.38", "time_metric": "epochs"}, 1, 6),
    ],
)
def test_lengths_of_every_unit(trial: Trial, said: dict[str, Any], told: int, batches: int) -> None:
    with trial.attempt(told=told, hparams=HPARAMS, **said) as det:
        made = fitted(det)
    assert len(made.trained) == batches
    assert trial.reports()[-1][said["resource"]] == told, "it is where it was told to come"


def test_rungs_that_are_passed_are_validated(trial: Trial) -> None:
    with trial.attempt(told=8, hparams=HPARAMS, levels=[2.0, 4.0, 8.0]) as det:
        fitted(det)
    assert [report["batches"] for report in trial.reports() if "loss" in report] == [2, 4, 8]


def test_a_time_metric_of_its_own_places_and_ends_a_trial(trial: Trial) -> None:
    said = {"era": "0.38", "units": None, "resource": "seconds", "time_metric": "seconds", "length": 50}
    config = {"min_validation_period": {"batches": 2}}
    pytorch: Any

    def evaluate(self: Any, batch: Any) -> dict[str, Any]:
        return {"loss": 1.0, "seconds": 10.0 * len(self.trained)}

    with trial.attempt(told=50, hparams=HPARAMS, config=config, **said) as det:
        pytorch = importlib.import_module("determined.pytorch")
        with pytorch.init() as context:
            made = trial_class(det, evaluate_batch=evaluate)(context)
            pytorch.Trainer(made, context).fit(max_length=pytorch.Epoch(4))
    assert [(report["seconds"], report["batches"]) for report in trial.reports()] == [(20, 2), (40, 4), (60, 6)]


def test_the_first_validation_is_before_the_first_batch_where_so_configured(trial: Trial) -> None:
    with trial.attempt(told=2, hparams=HPARAMS, config={"perform_initial_validation": True}) as det:
        fitted(det)
    assert [report["batches"] for report in trial.reports()] == [0, 2]


def test_being_asked_to_end_saves_the_very_batch(trial: Trial) -> None:
    def train(self: Any, batch: Any, epoch_idx: int, batch_idx: int) -> Any:
        self.trained.append(batch_idx)
        if batch_idx == 2:
            trial.ask_to_stop()
            sys.modules["rung.inside.session"].current()._stop_checked = -1.0
        return {"loss": 1.0}

    with trial.attempt(told=20, hparams=HPARAMS) as det:
        assert fitted(det, train_batch=train, every=100).trained == [0, 1, 2]
    assert trial.reports()[0] == {"batches": 3, "saved": True}
    with trial.attempt(told=20, hparams=HPARAMS) as det:
        made = fitted(det)
    assert [index for _, index, _ in made.trained] == list(range(3, 20))


def test_a_program_may_ask_for_its_own_end(trial: Trial) -> None:
    def train(self: Any, batch: Any, epoch_idx: int, batch_idx: int) -> Any:
        self.trained.append(batch_idx)
        assert self.context.current_train_batch() == batch_idx
        assert self.context.is_epoch_start() == (batch_idx % 6 == 0)
        assert self.context.is_epoch_end() == (batch_idx % 6 == 5)
        self.context.set_stop_requested(batch_idx == 6)
        return torch.tensor(2.0)

    with trial.attempt(told=20, hparams=HPARAMS) as det:
        made = fitted(det, train_batch=train, every=100)
    assert made.trained == list(range(7))
    assert (trial.reports()[-1]["batches"], trial.reports()[-1]["training.loss"]) == (7, 2)


def test_a_trial_that_is_at_its_target_is_judged_there(trial: Trial) -> None:
    """Two lengths in records that are the same batch: the second has nothing to train, and must be reached all the
    same."""
    for told in (4, 6):
        with trial.attempt(told=told, hparams=HPARAMS, units="records", resource="records") as det:
            made = fitted(det)
    assert made.trained == []
    assert [report["records"] for report in trial.reports()] == [6]


def test_reducers(trial: Trial) -> None:
    def build(self: Any, context: Any) -> None:
        original(self, context)
        self.count = context.wrap_reducer(sum, "count", for_training=False)

    def evaluate(self: Any, batch: Any) -> dict[str, Any]:
        self.count.update(len(batch["x"]))
        top = batch["index"].max()
        return {"loss": top, "sum": top, "max": top, "min": np.float32(top)}

    def how(self: Any) -> Any:
        reducer = sys.modules["determined.pytorch"].Reducer
        return {"sum": reducer.SUM, "max": reducer.MAX, "min": reducer.MIN}

    with trial.attempt(told=1, hparams=HPARAMS) as det:
        original = trial_class(det).__init__
        fitted(det, __init__=build, evaluate_batch=evaluate, evaluation_reducer=how)
    report = trial.reports()[-1]
    assert {name: report[name] for name in ("loss", "sum", "max", "min", "count")} == {
        "loss": 15.5, "sum": 31, "max": 21, "min": 10, "count": ROWS,
    }  # fmt: skip


def test_a_reducer_of_both_counts_each_for_itself(trial: Trial) -> None:
    def build(self: Any, context: Any) -> None:
        original(self, context)
        pytorch = sys.modules["determined.pytorch"]

        class Count(pytorch.MetricReducer):  # type: ignore[misc, name-defined]
            def reset(self) -> None:
                self.rows: list[int] = []

            def per_slot_reduce(self) -> int:
                return sum(self.rows)

            def cross_slot_reduce(self, per_slot_metrics: list[int]) -> dict[str, int]:
                return {"rows": sum(per_slot_metrics)}

        self.count = context.wrap_reducer(Count())

    def train(self: Any, batch: Any, epoch_idx: int, batch_idx: int) -> Any:
        self.count.rows.append(len(batch["x"]))
        return {"loss": 1.0}

    def evaluate(self: Any, batch: Any) -> dict[str, Any]:
        self.count.rows.append(len(batch["x"]))
        return {"loss": 1.0}

    config = {"min_validation_period": {"batches": 2}}
    with trial.attempt(told=4, hparams=HPARAMS, config=config) as det:
        original = trial_class(det).__init__
        fitted(det, __init__=build, train_batch=train, evaluate_batch=evaluate, every=100)
    assert [(report["training.rows"], report["rows"]) for report in trial.reports()] == [(8, ROWS), (8, ROWS)]


def test_all_of_a_validation_at_once(trial: Trial) -> None:
    def evaluate(self: Any, data_loader: Any) -> dict[str, Any]:
        assert not self.model.training
        assert not torch.is_grad_enabled()
        return {"loss": sum(len(batch["x"]) for batch in data_loader)}

    with trial.attempt(told=1, hparams=HPARAMS) as det:
        made = fitted(det, evaluate_full_dataset=evaluate)
    assert trial.reports()[-1]["loss"] == ROWS
    assert made.model.training


def test_gradients_of_several_batches_are_one_step(trial: Trial) -> None:
    steps: list[int] = []

    def train(self: Any, batch: Any, epoch_idx: int, batch_idx: int) -> Any:
        loss = self.model(batch["x"]).mean()
        self.context.backward(loss)
        before = weights(self)
        self.context.step_optimizer(self.optimizer, clip_grads=lambda ps: nn.utils.clip_grad_norm_(list(ps), 0.5))
        steps.append(weights(self) != before)
        return {"loss": loss}

    config = {"optimizations": {"aggregation_frequency": 3}}
    with trial.attempt(told=7, hparams=HPARAMS, config=config) as det:
        fitted(det, train_batch=train, every=100)
    assert steps == [False, False, True, False, False, True, False]


def test_a_trial_of_the_first_era(trial: Trial) -> None:
    """It builds its model and optimizer in methods of their own, and never steps itself."""
    clipped: list[int] = []

    def attempt(told: int) -> Any:
        with trial.attempt(told=told, hparams=HPARAMS, era="0.12", units="steps", resource="steps", batches_per_step=3):
            pytorch = importlib.import_module("determined.pytorch")

            class Clip(pytorch.PyTorchCallback):  # type: ignore[misc, name-defined]
                def on_before_optimizer_step(self, parameters: Any) -> None:
                    clipped.append(len(list(parameters)))

            class Old(pytorch.PyTorchTrial):  # type: ignore[misc, name-defined]
                def __init__(self, context: Any) -> None:
                    self.context = context
                    self.batches: list[int] = []

                def build_model(self) -> Any:
                    model = nn.Linear(1, 2)
                    pytorch.reset_parameters(nn.Sequential(model))
                    return model

                def optimizer(self, model: Any) -> Any:
                    return torch.optim.SGD(model.parameters(), self.context.get_hparam("lr"))

                def create_lr_scheduler(self, optimizer: Any) -> Any:
                    schedule = torch.optim.lr_scheduler.StepLR(optimizer, 1, 0.5)
                    return pytorch.LRScheduler(schedule, pytorch.LRScheduler.StepMode.STEP_EVERY_EPOCH)

                def build_callbacks(self) -> Any:
                    return {"clip": Clip()}

                def build_training_data_loader(self) -> Any:
                    return pytorch.DataLoader(Rows(), batch_size=self.context.get_per_slot_batch_size(), shuffle=True)

                def build_validation_data_loader(self) -> Any:
                    return pytorch.DataLoader(Rows(), batch_size=11)

                def train_batch(self, batch: Any, model: Any, epoch_idx: int, batch_idx: int) -> Any:
                    self.batches.append(batch_idx)
                    return {"loss": nn.functional.mse_loss(model(batch["x"]), batch["y"])}

                def evaluate_batch(self, batch: Any, model: Any) -> Any:
                    return {"loss": nn.functional.mse_loss(model(batch["x"]), batch["y"])}

            with pytorch.init() as context:
                made = Old(context)
                pytorch.Trainer(made, context).fit()
            return made

    assert attempt(1).batches == [0, 1, 2]
    again = attempt(3)
    assert again.batches == list(range(3, 9))
    assert clipped == [2] * 9
    losses = [report["loss"] for number in (1, 2) for report in trial.reports(number) if "loss" in report]
    assert losses[-1] < losses[0]
    assert again.context.lr_schedulers[0].get_last_lr() == [0.05]


# --------------------------------------------------------------------------------------------------------- data loaders


def test_samplers_of_ones_own_go_on_in_the_middle(trial: Trial) -> None:
    with trial.attempt(told=1):
        pytorch = importlib.import_module("determined.pytorch")
        weighted = torch.utils.data.WeightedRandomSampler([1.0] * ROWS, ROWS, generator=torch.Generator())
        loader = pytorch.DataLoader(Rows(), batch_size=4, sampler=weighted, drop_last=True)
        assert len(loader) == 5
        batches = loader.endless(7, 0)
        all_of_them = [next(batches)["index"].tolist() for _ in range(12)]
        torch.manual_seed(123)  # what else happens has no part in it
        later = loader.endless(7, 8)
        assert [next(later)["index"].tolist() for _ in range(4)] == all_of_them[8:]
        other = loader.endless(8, 0)
        assert [next(other)["index"].tolist() for _ in range(12)] != all_of_them


def test_torchs_loader_is_refused_unless_its_order_may_change(trial: Trial) -> None:
    def torchs(self: Any) -> Any:
        return torch.utils.data.DataLoader(Rows(), batch_size=4)

    refused = pytest.raises(TypeError, match=r"det\.pytorch\.DataLoader.*disable_dataset_reproducibility_checks")
    with trial.attempt(told=8, hparams=HPARAMS) as det, refused:
        fitted(det, build_training_data_loader=torchs)
    original: list[Any] = []

    def build(self: Any, context: Any) -> None:
        original[0](self, context)
        context.experimental.disable_dataset_reproducibility_checks()

    made = []
    for told in (4, 8):
        with trial.attempt(told=told, hparams=HPARAMS) as det:
            original[:] = [trial_class(det).__init__]
            made.append(fitted(det, build_training_data_loader=torchs, __init__=build))
    assert made[1].trained[:2] == [(0, 4, [16, 17, 18, 19]), (0, 5, [20, 21])]


def test_loaders_that_cannot_be_are_refused(trial: Trial) -> None:
    class Stream(torch.utils.data.IterableDataset[Any]):  # type: ignore[misc]
        def __iter__(self) -> Iterator[int]:
            return iter(range(3))

    with trial.attempt(told=1, hparams=HPARAMS) as det:
        pytorch = importlib.import_module("determined.pytorch")
        with pytest.raises(NotImplementedError, match="IterableDataset"):
            pytorch.DataLoader(Stream())
        with pytest.raises(ValueError, match="excludes shuffle"):
            pytorch.DataLoader(Rows(), sampler=torch.utils.data.SequentialSampler(range(3)), shuffle=True)
        with pytest.raises(ValueError, match="no batches"):
            fitted(det, build_training_data_loader=lambda self: pytorch.DataLoader(Rows(), 100, drop_last=True))


# --------------------------------------------------------------------------------------------------- errors and outside


def test_what_a_trial_forgets_is_named(trial: Trial) -> None:
    with trial.attempt(told=2, hparams=HPARAMS) as det:
        with pytest.raises(RuntimeError, match=r"'loss' is not among the validation metrics \(accuracy\)"):
            fitted(det, evaluate_batch=lambda self, batch: {"accuracy": 1.0})
        with pytest.raises(TypeError, match=r"train_batch.*NoneType"):
            fitted(det, train_batch=lambda self, batch, epoch_idx, batch_idx: None, every=100)
        with pytest.raises(ValueError, match=r"'width'.*global_batch_size, lr"):
            fitted(det, build_callbacks=lambda self: self.context.get_hparam("width"))
    refused = pytest.raises(ValueError, match=r"searcher\.max_length")
    with trial.attempt(length=None, units=None, resource=None, hparams=HPARAMS) as det, refused:
        fitted(det)


def test_a_checkpoint_of_another_program_is_refused(trial: Trial) -> None:
    with trial.attempt(told=2, hparams=HPARAMS) as det:
        fitted(det)

    def build(self: Any, context: Any) -> None:
        original(self, context)
        context.wrap_model(nn.Linear(1, 1))

    with trial.attempt(told=4, hparams=HPARAMS) as det:
        original = trial_class(det).__init__
        with pytest.raises(det.InvalidCheckpointException, match="1 models, the trial wraps 2"):
            fitted(det, __init__=build)


def test_a_script_trains_outside_a_study_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with standing_in({"RUNG_CHECKPOINT_DIR": str(tmp_path / "working")}) as det:
        pytorch = importlib.import_module("determined.pytorch")
        with pytorch.init(hparams=HPARAMS, exp_conf={"data": {"a": 1}}) as context:
            made = trial_class(det)(context)
            assert context.get_data_config() == {"a": 1}
            trainer = pytorch.Trainer(made, context)
            with pytest.raises(ValueError, match="how long"):
                trainer.fit()
            trainer.fit(
                max_length=pytorch.Epoch(1), validation_period=pytorch.Batch(3), reporting_period=pytorch.Record(8)
            )
            with pytest.raises(TypeError, match="Batch"):
                trainer.fit(max_length=3)
        latest = next(path for path in (tmp_path / "working").iterdir() if path.is_dir())
        loaded = pytorch.load_trial_from_checkpoint_path(
            latest, trial_class(det), {"context": pytorch.CheckpointLoadContext(hparams=HPARAMS)}
        )
        assert weights(loaded) == weights(made)
    assert len(made.trained) == 6
    assert "validation loss=" in capsys.readouterr().err


@pytest.mark.parametrize("value", [0, -1, 1.5, True, "3"])
def test_a_length_is_a_whole_number(trial: Trial, value: Any) -> None:
    with trial.attempt(told=1):
        pytorch = importlib.import_module("determined.pytorch")
        with pytest.raises(ValueError, match=r"Batch\(\) takes a whole number"):
            pytorch.Batch(value)


# ------------------------------------------------------------------------------------------------------------ the harness


def test_the_harness_trains_the_class_that_is_named(
    trial: Trial, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "model_def.py").write_text(
        "import torch\n"
        "from determined.pytorch import DataLoader, PyTorchTrial\n"
        "class T(PyTorchTrial):\n"
        "    def build_training_data_loader(self): return DataLoader(range(10), batch_size=2)\n"
        "    def build_validation_data_loader(self): return DataLoader(range(4), batch_size=2)\n"
        "    def train_batch(self, batch, epoch_idx, batch_idx): return {'loss': batch.float().mean()}\n"
        "    def evaluate_batch(self, batch, batch_idx): return {'loss': batch_idx}\n"
        "class NotATrial: pass\n"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    with trial.attempt(told=3, config={"checkpoint_policy": "none"}):
        harness = importlib.import_module("determined.exec.harness")
        assert harness.main(["--train-entrypoint", "model_def:T"]) == 0
        with pytest.raises(SystemExit, match="no class Nobody"):
            harness.main(["--train-entrypoint", "model_def:Nobody"])
        with pytest.raises(SystemExit, match="no module nowhere"):
            harness.main(["--train-entrypoint", "nowhere:T"])
        (tmp_path / "lacking.py").write_text("import no_such_thing\n")
        with pytest.raises(SystemExit, match=r"python.* has no module 'no_such_thing', which lacking needs"):
            harness.main(["--train-entrypoint", "lacking:T"])
        with pytest.raises(NotImplementedError, match="NotATrial, which is no PyTorchTrial"):
            harness.main(["--train-entrypoint", "model_def:NotATrial"])
    del sys.modules["model_def"]
    assert trial.reports() == [{"batches": 3, "training.loss": 2.5, "loss": 0.5, "saved": True}]
