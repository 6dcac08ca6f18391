"""The Core API of the stand-in, as a script sees it."""

from __future__ import annotations

import contextlib
import importlib
import os
import signal
import sys
from pathlib import Path
from typing import Any

import pytest

from dialects.determined.shim_trial import Trial, standing_in


@pytest.fixture
def trial(tmp_path: Path) -> Trial:
    return Trial(tmp_path)


def steps_of(trial: Trial, *names: str) -> list[tuple[Any, ...]]:
    return [tuple(report.get(name) for name in names) for report in trial.reports()]


def test_an_operation_ends_where_the_trial_is_looked_at_next(trial: Trial) -> None:
    with trial.attempt(told=4) as det, det.core.init() as core:
        lengths = []
        for op in core.searcher.operations():
            lengths.append(op.length)
            core.train.report_validation_metrics(steps_completed=op.length, metrics={"loss": 0.5, "accuracy": 0.9})
            op.report_completed(0.5)
    assert lengths == [4]
    assert trial.reports() == [{"batches": 4, "loss": 0.5, "accuracy": 0.9}]


def test_without_a_schedule_it_ends_at_the_configured_length(trial: Trial) -> None:
    with trial.attempt(resource=None) as det, det.core.init() as core:
        assert core.searcher.get_configured_units() is det.core.Unit.BATCHES
        for op in core.searcher.operations():
            assert op.length == 8
            op.report_completed(1)
    assert trial.reports() == [{"step": 8, "loss": 1}]


def test_rungs_that_are_passed_are_operations_of_their_own(trial: Trial) -> None:
    with trial.attempt(told=8, levels=[2.0, 4.0, 8.0]) as det, det.core.init() as core:
        lengths = []
        for op in core.searcher.operations():
            lengths.append(op.length)
            op.report_completed(1 / op.length)
    assert lengths == [2, 4, 8]
    assert trial.reports() == [{"batches": n, "loss": 1 / n} for n in lengths]


def test_an_operation_that_is_not_completed_is_an_error(trial: Trial) -> None:
    with trial.attempt(told=4) as det, det.core.init() as core:
        operations = core.searcher.operations()
        op = next(operations)
        with pytest.raises(RuntimeError, match="report_completed"):
            next(operations)
        op.report_completed(1)
        with pytest.raises(RuntimeError, match="completed already"):
            op.report_completed(1)
        with pytest.raises(RuntimeError, match="before report_completed"):
            op.report_progress(2)


def test_no_length_is_an_error_that_says_what_to_write(trial: Trial) -> None:
    said: dict[str, Any] = {"length": None, "units": None, "resource": None}
    with trial.attempt(**said) as det, det.core.init() as core:
        operations = core.searcher.operations()
        with pytest.raises(RuntimeError, match=r"searcher\.max_length"):
            next(operations)


def test_training_and_validation_of_a_step_are_one_report(trial: Trial) -> None:
    with trial.attempt(told=8) as det, det.core.init() as core:
        core.train.report_training_metrics(2, {"loss": 3.0})
        core.train.report_training_metrics(4, {"loss": 2.0, "lr": 0.1})
        core.train.report_validation_metrics(4, {"loss": 2.5})
        core.train.report_metrics("test", 6, {"loss": 2.75})
    assert trial.reports() == [
        {"batches": 2, "training.loss": 3.0},
        {"batches": 4, "training.loss": 2.0, "training.lr": 0.1, "loss": 2.5},
        {"batches": 6, "test.loss": 2.75},
    ]


def test_a_validation_is_written_at_once(trial: Trial) -> None:
    with trial.attempt(told=8) as det, det.core.init() as core:
        core.train.report_validation_metrics(4, {"loss": 2.5})
        assert trial.reports() == [{"batches": 4, "loss": 2.5}]
        core.train.report_validation_metrics(6, {"loss": 3.5})
        assert core.train.get_experiment_best_validation() == 2.5


def test_what_is_no_number_is_named_once_and_left_out(trial: Trial, capsys: pytest.CaptureFixture[str]) -> None:
    with trial.attempt(told=8) as det, det.core.init() as core:
        for step in (1, 2):
            core.train.report_validation_metrics(step, {"loss": 1.0, "matrix": [[1, 2]], "group": {"a": True, "b": 2}})
        with pytest.raises(RuntimeError, match=r"loss.*is None"):
            core.train.report_validation_metrics(3, {"loss": None})
    assert trial.reports()[1] == {"batches": 2, "loss": 1.0, "group.a": 1, "group.b": 2}
    assert capsys.readouterr().err.count("matrix") == 1


def test_epochs_are_placed_by_what_the_program_says_of_its_progress(trial: Trial) -> None:
    """An operation in epochs, metrics with their batches: before the progress is reported, and after it."""
    for first in ("metrics", "progress"):
        with trial.attempt(told=3, units="epochs", resource="epochs") as det, det.core.init() as core:
            for op in core.searcher.operations():
                for epoch in (1, 2, 3):
                    if first == "progress":
                        op.report_progress(epoch)
                    core.train.report_training_metrics(epoch * 100, {"loss": epoch})
                    core.train.report_validation_metrics(epoch * 100, {"loss": 1 / epoch})
                    if first == "metrics":
                        op.report_progress(epoch)
                op.report_completed(1 / 3)
        assert steps_of(trial, "epochs", "loss", "training.loss") == [(1, 1, 1), (2, 0.5, 2), (3, 1 / 3, 3)], first


def test_metrics_that_nobody_can_place_belong_to_the_end_of_the_operation(trial: Trial) -> None:
    with trial.attempt(told=3, units="epochs", resource="epochs") as det, det.core.init() as core:
        for op in core.searcher.operations():
            core.train.report_validation_metrics(938, {"loss": 0.5, "accuracy": 0.75})
            op.report_completed(0.5)
    assert trial.reports() == [{"epochs": 3, "loss": 0.5, "accuracy": 0.75}]


def test_the_time_metric_places_reports_and_must_be_there(trial: Trial) -> None:
    said = {"era": "0.38", "units": None, "resource": "seconds", "time_metric": "seconds", "length": 60}
    with trial.attempt(told=60, **said) as det, det.core.init() as core:
        core.train.report_validation_metrics(100, {"loss": 0.5, "seconds": 12.5})
        with pytest.raises(RuntimeError, match=r"error parsing searcher time metric \(seconds\) in validation metrics"):
            core.train.report_validation_metrics(200, {"loss": 0.5})
        with pytest.raises(RuntimeError, match=r"error parsing searcher metric \(loss\) from validation metrics"):
            core.train.report_validation_metrics(200, {"seconds": 20})
    assert trial.reports() == [{"seconds": 12.5, "loss": 0.5}]


# ---------------------------------------------------------------------------------------------------------- checkpoints


def test_a_checkpoint_is_stored_and_found_by_the_next_attempt(trial: Trial) -> None:
    with trial.attempt(told=4) as det, det.core.init() as core:
        assert det.get_cluster_info().latest_checkpoint is None
        core.train.report_training_metrics(4, {"loss": 1.0})
        with core.checkpoint.store_path({"steps_completed": 4, "note": "a"}) as (path, name):
            (path / "state").write_text("four")
        core.train.report_validation_metrics(4, {"loss": 0.5})
    assert trial.reports() == [
        {"batches": 4, "saved": True},  # no report to the runner: it holds no metric
        {"batches": 4, "training.loss": 1.0, "loss": 0.5, "saved": True},
    ]
    with trial.attempt(told=8) as det, det.core.init() as core:
        info = det.get_cluster_info()
        assert info.latest_checkpoint == name
        assert info.trial._steps_completed == 4
        with core.checkpoint.restore_path(name) as path:
            assert (path / "state").read_text() == "four"
        assert core.checkpoint.get_metadata(name) == {"steps_completed": 4, "note": "a"}
        core.train.report_validation_metrics(4, {"loss": 0.5})
        core.train.report_validation_metrics(8, {"loss": 0.25})
        with pytest.raises(FileNotFoundError, match="its latest one"):
            core.checkpoint.get_metadata("another")


def test_a_checkpoint_of_an_epoch_is_as_good_as_its_validation(trial: Trial) -> None:
    """A loop over epochs that says its progress, from 0, before it trains, and stores before it completes."""
    with trial.attempt(told=2, units="epochs", resource="epochs") as det, det.core.init() as core:
        for op in core.searcher.operations():
            for epoch in range(op.length):
                op.report_progress(epoch)
                core.train.report_training_metrics(epoch * 100 + 50, {"loss": 3.0 - epoch})
                core.train.report_validation_metrics(epoch * 100 + 100, {"loss": 2.0 - epoch})
                with core.checkpoint.store_path({"steps_completed": epoch * 100 + 100}) as (path, _):
                    (path / "state").write_text(str(epoch + 1))
            op.report_completed(1.0)
    judged = [report for report in trial.reports() if "loss" in report]
    assert [(report["epochs"], report["loss"], report.get("saved")) for report in judged] == [
        (1, 2.0, True),
        (2, 1.0, True),
    ]


def test_only_the_latest_checkpoint_is_in_the_working_copy(trial: Trial, tmp_path: Path) -> None:
    (tmp_path / "mine" / "deep").mkdir(parents=True)
    (tmp_path / "mine" / "a").write_text("a")
    (tmp_path / "mine" / "deep" / "b").write_text("b")
    with trial.attempt(told=8) as det, det.core.init() as core:
        first = core.checkpoint.upload(tmp_path / "mine", {"steps_completed": 1})
        second = core.checkpoint.upload(tmp_path / "mine", {"steps_completed": 2}, selector=lambda p: p != "deep/b")
        core.checkpoint.delete(first)
        core.checkpoint.download(second, tmp_path / "got")
        with pytest.raises(FileNotFoundError):
            core.checkpoint.download(first, tmp_path / "got")
        with pytest.raises(RuntimeError, match="None"):
            core.checkpoint.upload(None)
    assert sorted(p.name for p in (tmp_path / "got").rglob("*")) == ["a", "deep", "metadata.json"]
    working = tmp_path / "1" / "checkpoint"
    assert sorted(path.name for path in working.iterdir()) == sorted([second, "latest", "place"])


def test_a_block_that_raises_stores_nothing(trial: Trial, tmp_path: Path) -> None:
    with trial.attempt(told=8) as det, det.core.init() as core:
        with contextlib.suppress(KeyError), core.checkpoint.store_path() as (path, _):
            (path / "half").touch()
            raise KeyError("x")
        assert det.get_cluster_info().latest_checkpoint is None
    assert not list((tmp_path / "1" / "checkpoint").iterdir())
    assert not list((tmp_path / "1").glob(".determined-*"))


@pytest.mark.parametrize("metadata", [{"steps_completed": 4}, None])
def test_a_checkpoint_after_the_operation_is_committed_with_its_result(trial: Trial, metadata: Any) -> None:
    with trial.attempt(told=4) as det, det.core.init() as core:
        for op in core.searcher.operations():
            op.report_completed(0.5)
        with core.checkpoint.store_path(metadata) as (path, _):
            (path / "state").touch()
    assert trial.reports() == [{"batches": 4, "loss": 0.5, "saved": True}]


# ------------------------------------------------------------------------------------------------------ ends and errors


def test_being_asked_to_end_is_seen_and_ends_the_operations(trial: Trial) -> None:
    with trial.attempt(told=8, levels=[2.0, 4.0]) as det, det.core.init() as core:
        assert not core.preempt.should_preempt()
        seen = []
        for op in core.searcher.operations():
            seen.append(op.length)
            op.report_completed(1)
            trial.ask_to_stop()
            sys.modules["rung.inside.session"].current()._stop_checked = -1.0
        assert core.preempt.should_preempt()
    assert seen == [2]


def test_a_program_that_asks_is_not_killed_by_the_request_to_end(trial: Trial) -> None:
    with trial.attempt(told=8) as det, det.core.init() as core:
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL, "one that never asks is ended at once"
        assert not core.preempt.should_preempt()
        os.kill(os.getpid(), signal.SIGTERM)
        assert core.preempt.should_preempt()


def test_a_handler_of_the_programs_own_stays(trial: Trial) -> None:
    with trial.attempt(told=8) as det, det.core.init() as core:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        assert not core.preempt.should_preempt()
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_IGN


def test_invalid_hyperparameters_end_the_program_quietly(trial: Trial) -> None:
    with trial.attempt(told=8) as det, pytest.raises(SystemExit) as ended, det.core.init():
        raise det.InvalidHP("too wide for its depth")
    assert ended.value.code == 0
    assert "too wide for its depth" in (trial.invalid() or "")
    with trial.attempt(told=8) as det, det.core.init() as core:
        core.train.report_early_exit(det.core.EarlyExitReason.INVALID_HP)
    assert trial.invalid()


def test_other_errors_are_not_swallowed(trial: Trial) -> None:
    with trial.attempt(told=8) as det:
        core = det.core.init()
        core.train.report_training_metrics(1, {"loss": 1.0})
        with pytest.raises(ZeroDivisionError), core:
            raise ZeroDivisionError
    assert trial.invalid() is None
    assert trial.reports() == [{"batches": 1, "training.loss": 1.0}]


def test_a_script_knows_its_trial(trial: Trial) -> None:
    hparams = {"lr": 0.1, "optimizer": {"name": "sgd", "momentum": 0.9}}
    with trial.attempt(told=8, hparams=hparams, config={"data": {"url": "x"}, "name": "e"}, experiment_id=12) as det:
        info = det.get_cluster_info()
        assert (info.task_type, info.user_data, info.container_rank) == ("TRIAL", {"url": "x"}, 0)
        assert (info.trial.trial_id, info.trial.experiment_id, info.trial.trial_seed) == (3, 12, 17)
        assert info.trial.hparams == hparams


def test_one_process_trains(trial: Trial, monkeypatch: pytest.MonkeyPatch) -> None:
    with trial.attempt(told=8) as det:
        with det.core.init(distributed=det.core.DistributedContext.from_torch_distributed()) as core:
            assert (core.distributed.rank, core.distributed.get_size(), core.distributed.broadcast("x")) == (0, 1, "x")
            assert core.distributed.allgather(4) == [4]
        monkeypatch.setenv("WORLD_SIZE", "4")
        with pytest.raises(NotImplementedError, match="one process"):
            det.core.DistributedContext.from_torch_distributed()


@pytest.mark.parametrize(
    "module", ["experimental", "experimental.client", "keras", "transformers", "pytorch.deepspeed"]
)
def test_what_is_not_covered_says_so_and_what_to_do(trial: Trial, module: str) -> None:
    with trial.attempt(told=8), pytest.raises(ImportError, match=r"not covered by Rung's stand-in.*: \w+"):
        importlib.import_module(f"determined.{module}")


def test_names_that_are_not_covered_say_so_too(trial: Trial) -> None:
    with trial.attempt(told=8) as det:
        with pytest.raises(ImportError, match=r"determined\.experimental is not covered.*rung best"):
            exec("from determined.experimental import client", {})
        with pytest.raises(ImportError, match=r"determined\.ExperimentalThing is not covered"):
            exec("from determined import ExperimentalThing", {})
        with pytest.raises(AttributeError, match=r"determined\.core\.Nonsense is not covered"):
            _ = det.core.Nonsense
        assert not hasattr(det, "__path_of_nothing__")
        with det.core.init() as core, pytest.raises(NotImplementedError, match="not covered"):
            core.train.get_metadata()


def test_outside_a_study_everything_works_and_does_no_harm(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with standing_in({"RUNG_CHECKPOINT_DIR": str(tmp_path / "working")}) as det:
        assert det.get_cluster_info() is None
        with det.core.init() as core:
            for op in core.searcher.operations():
                assert op.length == 1
                op.report_progress(0.5)
                core.train.report_training_metrics(1, {"loss": 1.0})
                core.train.report_validation_metrics(1, {"loss": 1.0})
                op.report_completed(1.0)
            with core.checkpoint.store_path({"steps_completed": 1}) as (path, name):
                (path / "x").touch()
            with core.checkpoint.restore_path(name) as path:
                assert (path / "x").exists()
            assert not core.preempt.should_preempt()
            assert core.searcher.get_configured_units() is None
    assert "loss" in capsys.readouterr().err


# ------------------------------------------------------------------------------------------------------------ launchers


@pytest.mark.parametrize(
    ("words", "command"),
    [
        (["python3", "train.py", "--epochs", "1"], ["python3", "train.py", "--epochs", "1"]),
        (["--nnodes=1", "--", "python3", "train.py"], ["python3", "train.py"]),
        (["python3", "train.py", "--", "x"], ["python3", "train.py", "--", "x"]),
        (["--autohorovod", "--trial", "model_def:T"], None),
        (["--trial", "model_def:T"], None),
    ],
)
def test_a_launcher_finds_the_program_it_is_to_start(trial: Trial, words: list[str], command: list[str] | None) -> None:
    with trial.attempt(told=8):
        one = importlib.import_module("determined.launch._one")
        harness = [sys.executable, "-m", "determined.exec.harness", "--train-entrypoint", "model_def:T"]
        assert one.program(words, "torch_distributed") == (command or harness)


@pytest.mark.parametrize("words", [[], ["--trial"], ["--nnodes", "1"]])
def test_a_launcher_without_a_program_says_how_it_is_called(trial: Trial, words: list[str]) -> None:
    with trial.attempt(told=8):
        one = importlib.import_module("determined.launch._one")
        with pytest.raises(SystemExit, match="usage"):
            one.program(words, "torch_distributed")
