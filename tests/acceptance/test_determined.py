"""Determined's programs as they are: a PyTorchTrial and a Core API script, through the stand-in."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import forked
from acceptance.conftest import Bench, until
from rung.plugins import open_store, policy_for
from rung.runner.log import read
from rung.study.replay import check

LIMIT_S = 200  # each process that trains imports torch

MODEL_DEF = r'''
"""A classifier of digits, as one writes it for Determined."""

import json
from typing import Any, Dict

import numpy as np
import torch
from torch import nn

from determined.pytorch import DataLoader, LRScheduler, PyTorchCallback, PyTorchTrial, PyTorchTrialContext, TorchData

torch.set_num_threads(1)


class Digits(torch.utils.data.Dataset):
    def __init__(self, path: str, train: bool) -> None:
        with np.load(path) as data:
            part = slice(0, 1280) if train else slice(1280, None)
            self.images = torch.tensor(data["images"][part], dtype=torch.float32).unsqueeze(1) / 16
            self.labels = torch.tensor(data["labels"][part], dtype=torch.int64)

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int):
        return self.images[index], self.labels[index], index


class DigitsTrial(PyTorchTrial):
    def __init__(self, context: PyTorchTrialContext) -> None:
        self.context = context
        hparams = context.get_hparams()
        self.model = self.context.wrap_model(
            nn.Sequential(
                nn.Conv2d(1, hparams["model"]["filters"], 3),
                nn.ReLU(),
                nn.Flatten(),
                nn.Dropout(hparams["model"]["dropout"]),
                nn.Linear(36 * hparams["model"]["filters"], 10),
            )
        )
        self.optimizer = self.context.wrap_optimizer(
            torch.optim.SGD(self.model.parameters(), lr=context.get_hparam("learning_rate"), momentum=0.9)
        )
        self.lr_scheduler = self.context.wrap_lr_scheduler(
            torch.optim.lr_scheduler.StepLR(self.optimizer, 1, gamma=0.9), LRScheduler.StepMode.STEP_EVERY_EPOCH
        )
        self.log = open(f"batches-{context.get_trial_id()}.jsonl", "a")

    def build_training_data_loader(self) -> DataLoader:
        data = Digits(self.context.get_data_config()["path"], train=True)
        return DataLoader(data, batch_size=self.context.get_per_slot_batch_size(), shuffle=True)

    def build_validation_data_loader(self) -> DataLoader:
        data = Digits(self.context.get_data_config()["path"], train=False)
        return DataLoader(data, batch_size=self.context.get_per_slot_batch_size())

    def train_batch(self, batch: TorchData, epoch_idx: int, batch_idx: int) -> Dict[str, torch.Tensor]:
        images, labels, rows = batch
        loss = nn.functional.cross_entropy(self.model(images), labels)
        self.context.backward(loss)
        self.context.step_optimizer(
            self.optimizer, clip_grads=lambda params: nn.utils.clip_grad_norm_(params, max_norm=5.0)
        )
        self.log.write(json.dumps({"epoch": epoch_idx, "batch": batch_idx, "rows": rows.tolist()}) + "\n")
        self.log.flush()
        return {"loss": loss}

    def evaluate_batch(self, batch: TorchData) -> Dict[str, Any]:
        images, labels, _ = batch
        output = self.model(images)
        accuracy = (output.argmax(dim=1) == labels).float().mean().item()
        return {"validation_loss": nn.functional.cross_entropy(output, labels).item(), "accuracy": accuracy}
'''

EXPERIMENT = """
name: digits_adaptive
data: {path: digits.npz}
entrypoint: model_def:DigitsTrial
hyperparameters:
  global_batch_size: 64
  learning_rate: {type: log, base: 10.0, minval: -4.0, maxval: -0.5}
  model:
    filters: {type: int, minval: 2, maxval: 8}
    dropout: {type: double, minval: 0.0, maxval: 0.5}
searcher:
  name: adaptive_asha
  metric: validation_loss
  smaller_is_better: true
  max_length: {batches: 48}
  max_trials: 4
  mode: aggressive
  divisor: 4
  max_rungs: 2
  max_concurrent_trials: 2
max_restarts: 0
reproducibility: {experiment_seed: 7}
"""
ROWS, BATCHES_AN_EPOCH, RUNGS = 1280, 20, (12, 48)


def replayed(bench: Bench, study: str) -> None:
    """Every decision of the log is the one that is computed from it again."""
    with contextlib.closing(open_store(f"sqlite:///{next(bench.folder.rglob('*.db'))}")) as store:
        assert [str(one) for one in check([event for _, event in read(store, study)], policy_for)] == []


def lines(path: Path) -> list[Any]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def ended(process: forked.Rung) -> tuple[str, str]:
    """What the process said; it ended well."""
    out, err = process.communicate(timeout=LIMIT_S)
    assert process.returncode == 0, err
    assert "Traceback" not in err, err
    return out, err


@pytest.mark.slow
@pytest.mark.timeout(2 * LIMIT_S)
def test_a_pytorch_trial_is_tuned_with_early_stopping_through_a_crash_of_the_runner(bench: Bench) -> None:
    from sklearn.datasets import load_digits  # slow, and only here

    digits = load_digits()
    np.savez(bench.folder / "digits.npz", images=digits.images, labels=digits.target)
    bench.write("model_def.py", MODEL_DEF)
    bench.write("experiment.yaml", EXPERIMENT)
    assert "4 trials to 12 batches, 1 to 48" in bench.rung("plan", "experiment.yaml").stdout

    runner = bench.start("run", "-w", "2", "--name", "digits", "experiment.yaml")
    until(lambda: list(bench.folder.glob("runs/digits/*/1/reports.jsonl")), what="a first report", timeout=LIMIT_S)
    runner.kill()
    runner.wait()
    ended(bench.start("resume", "digits", "-w", "2"))

    study, trials = bench.json("show"), bench.json("trials")
    replayed(bench, "digits")
    assert (study["state"], len(trials)) == ("complete", 4)
    assert {trial["state"] for trial in trials} <= {"complete", "pruned"}
    held = 0
    for trial in trials:
        trained = lines(bench.folder / f"batches-{trial['number']}.jsonl")
        assert [one["batch"] for one in trained] == list(range(len(trained))), "no batch was repeated or skipped"
        assert len(trained) == RUNGS[trial["state"] == "complete"], "who was stopped trained to the first rung only"
        assert [one["epoch"] for one in trained] == [index // BATCHES_AN_EPOCH for index in range(len(trained))]
        for epoch in range(3):
            rows = [row for one in trained if one["epoch"] == epoch for row in one["rows"]]
            assert len(rows) == len(set(rows)), "no row came twice in an epoch, whatever happened within it"
            assert epoch == 2 or len(trained) < RUNGS[1] or len(rows) == ROWS
        saved = sorted(bench.folder.glob(f"runs/digits/{trial['number']:05d}/*/reports.jsonl"))
        reports = [report for path in saved for report in lines(path) if "validation_loss" in report]
        assert [report["batches"] for report in reports] == list(RUNGS[: len(reports)])
        assert trial["value"] == reports[-1]["validation_loss"]
        held += len(saved) > 1
    assert held >= 1, "one was held at a rung, and went on from its checkpoint"

    best = bench.json("best")
    finished = [trial for trial in trials if trial["state"] == "complete"]
    assert 1 <= len(finished) <= 3
    assert best["value"] == min(trial["value"] for trial in finished) < 1
    assert best["values"]["accuracy"] > 0.7
    assert set(best["params"]) == {"global_batch_size", "learning_rate", "model.filters", "model.dropout"}
    stopped = next(trial for trial in trials if trial["state"] == "pruned")
    assert "rung 0" in stopped["reason"]
    bench.rung("checkpoint", "export", "--top", "1", "--to", "best")
    assert list(bench.folder.glob("best/**/state_dict.pth"))


CORE_API = r'''
"""As Determined's Core API is used: a number that grows, checkpoints, a searcher's operations."""

import logging

import determined as det


def main(core_context, info):
    increment = info.trial.hparams["step"]["increment"]
    if increment == 4:
        raise det.InvalidHP("an increment of 4 is not supported")
    x, batches = 0, 0
    if info.latest_checkpoint is not None:
        with core_context.checkpoint.restore_path(info.latest_checkpoint) as path:
            x, batches = map(int, (path / "state").read_text().split())
    trained = open(f"steps-{info.trial.trial_id}", "a")
    for op in core_context.searcher.operations():
        while batches < op.length:
            x += increment
            batches += 1
            trained.write(f"{batches}\n")
            trained.flush()
            if batches % 2 == 0:
                core_context.train.report_training_metrics(steps_completed=batches, metrics={"x": x})
                op.report_progress(batches)
                with core_context.checkpoint.store_path({"steps_completed": batches}) as (path, storage_id):
                    (path / "state").write_text(f"{x} {batches}")
                if core_context.preempt.should_preempt():
                    return
        core_context.train.report_validation_metrics(steps_completed=batches, metrics={"x": x, "half": x / 2})
        op.report_completed(x)


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format=det.LOG_FORMAT)
    with det.core.init() as core_context:
        main(core_context, det.get_cluster_info())
'''

CORE_EXPERIMENT = """
name: core_api
entrypoint: python3 train.py
hyperparameters:
  step:
    increment: {type: int, minval: 1, maxval: 6}
searcher:
  name: adaptive_asha
  metric: x
  smaller_is_better: false
  max_length: 16
  max_trials: 9
  divisor: 4
  mode: aggressive
  max_rungs: 2
  max_concurrent_trials: 2
max_restarts: 0
reproducibility: {experiment_seed: 4}
"""


@pytest.mark.slow
def test_a_core_api_script_follows_the_searcher_and_replaces_invalid_hyperparameters(bench: Bench) -> None:
    bench.write("train.py", CORE_API)
    bench.write("experiment.yaml", CORE_EXPERIMENT)
    bench.rung("run", "-w", "2", "experiment.yaml")
    study, trials = bench.json("show"), bench.json("trials", "--reports")
    replayed(bench, study["name"])
    assert study["state"] == "complete"
    invalid = [trial for trial in trials if trial["params"]["step.increment"] == 4]
    valid = [trial for trial in trials if trial not in invalid]
    assert invalid, "the seed draws one"
    assert {trial["state"] for trial in invalid} == {"failed"}
    assert all("an increment of 4 is not supported" in trial["error"] for trial in invalid)
    assert len(valid) == 9, "each of them was replaced"
    for trial in valid:
        increment, length = trial["params"]["step.increment"], 16 if trial["state"] == "complete" else 4
        steps = [int(line) for line in (bench.folder / f"steps-{trial['number']}").read_text().split()]
        assert steps == list(range(1, length + 1)), "no step was repeated or skipped"
        judged = {report["step"]: report["values"] for report in trial["reports"] if "x" in report["values"]}
        assert set(judged) == set([4, 16][: len(judged)])
        assert judged[length] == {
            "x": length * increment,
            "half": length * increment / 2,
            "training.x": length * increment,
        }
    assert any(trial["attempt"] > 1 for trial in valid), "one was held, and went on from its checkpoint"
    assert bench.json("best")["value"] == 16 * max(trial["params"]["step.increment"] for trial in valid)


TRAINER = r"""
import determined as det
from determined import keras
"""


@pytest.mark.slow
def test_what_is_not_covered_is_the_error_of_the_trial(bench: Bench) -> None:
    bench.write("train.py", TRAINER)
    bench.write(
        "experiment.yaml",
        "entrypoint: python3 -m determined.launch.torch_distributed python3 train.py\n"
        "hyperparameters: {a: 1}\nmax_restarts: 0\n"
        "searcher: {name: single, metric: loss, max_length: {batches: 1}}\n",
    )
    bench.rung("run", "experiment.yaml", code=3)
    (trial,) = bench.json("trials")
    assert (
        "determined.keras is not covered by Rung's stand-in for Determined: write a Core API script" in trial["error"]
    )
