"""StudioML's users run what they have: its command lines on scripts in its own style, end to end."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import signal
from pathlib import Path

import pytest

from .conftest import Bench, until

TRAIN = """
import csv, sys
import numpy as np
sys.modules['torch'] = None  # tensorboardX imports it where it is installed, which takes seconds
from tensorboardX import SummaryWriter
from studio import fs_tracker

lr = 0.01
print('learning rate = {}'.format(lr))

rows = list(csv.reader(open('iris.csv')))[1:]
data = np.array(rows, dtype=float)
order = np.random.RandomState(0).permutation(len(data))
data = data[order]
x = (data[:, :4] - data[:, :4].mean(0)) / data[:, :4].std(0)
y = np.eye(3)[data[:, 4].astype(int)]
x_train, y_train, x_test, y_test = x[:100], y[:100], x[100:], y[100:]


class SGD(object):
    def __init__(self, lr):
        self.rate = lr + 0.0

    def step(self, w, gradient):
        return w - self.rate * gradient


def predict(x, w):
    e = np.exp(x.dot(w) - x.dot(w).max(1, keepdims=True))
    return e / e.sum(1, keepdims=True)


w = np.zeros((4, 3))
optimizer = SGD(lr=lr)
writer = SummaryWriter(fs_tracker.get_tensorboard_dir())
for epoch in range(int(sys.argv[1])):
    w = optimizer.step(w, x_train.T.dot(predict(x_train, w) - y_train) / len(x_train))
    writer.add_scalar('loss', -np.mean(np.sum(y_train * np.log(predict(x_train, w)), 1)), epoch)
    writer.add_scalar('val_loss', -np.mean(np.sum(y_test * np.log(predict(x_test, w)), 1)), epoch)
    writer.add_scalar('val_acc', np.mean(predict(x_test, w).argmax(1) == y_test.argmax(1)), epoch)
writer.close()
np.save(fs_tracker.get_model_directory() + '/w.npy', w)
"""

# `def __init__(self, lr):` is one of the places that the rule of StudioML would replace, and so break: the script in its
# own documentation has none. This one keeps it off with an `=` after it on the line.
TRAIN = TRAIN.replace("def __init__(self, lr):", "def __init__(self, lr=None):").replace("lr + 0.0", "1.0 * lr  # =")


def hashes(folder: Path) -> dict[str, str]:
    """The user's own files."""
    return {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in folder.iterdir() if p.is_file()}


@pytest.mark.slow
def test_a_training_script_is_searched_over_its_learning_rate(bench: Bench) -> None:
    pytest.importorskip("tensorboardX")
    sklearn = importlib.util.find_spec("sklearn")
    if sklearn is None or sklearn.origin is None:
        pytest.skip("scikit-learn, whose data this reads, is not installed")
    shutil.copy(Path(sklearn.origin).parent / "datasets" / "data" / "iris.csv", bench.folder)
    bench.write("train.py", TRAIN)
    before = hashes(bench.folder)
    done = bench.rung(
        "studio", "run", "--hyperparam=lr=0.01:l3:4", "--metric=val_loss:min", "--num-workers=2", "train.py", "12"
    )
    assert "3 complete" in done.stderr, done.stderr
    assert hashes(bench.folder) == before
    trials = bench.json("trials", "train-1", "--reports")
    assert [trial["params"]["lr"] for trial in trials] == [0.01, 0.2, 4]
    losses = []
    for trial in trials:
        reports = trial["reports"]
        assert [report["step"] for report in reports] == list(range(12))
        assert {"loss", "val_loss", "val_acc"} <= set(reports[0]["values"])
        losses.append(min(report["values"]["val_loss"] for report in reports))
        assert trial["value"] == losses[-1]
    best = bench.json("best", "train-1")
    assert best["value"] == min(losses) < losses[0]
    shown = bench.json("show", "train-1", str(best["number"]))
    lr = best["params"]["lr"]
    assert f"+optimizer = SGD(lr={lr})\n" in shown["diff"]
    assert f"+print('learning rate = {{}}'.format({lr}))\n" in shown["diff"]
    assert (Path(shown["directory"]) / "modeldir" / "w.npy").is_file()
    assert f"+optimizer = SGD(lr={lr})" in bench.rung("show", "train-1").stdout


OPTIMIZER = """
import copy
import numpy as np

class Optimizer(object):
    '''Halves its step around the best.'''
    def __init__(self, hyperparameters, config, logger):
        self.hyperparameters, self.generation, self.best, self.fitness = hyperparameters, 0, None, -1.0

    def stop(self):
        return self.generation >= 3

    def ask(self):
        population = []
        for _ in range(3):
            individual = []
            for h in self.hyperparameters:
                middle = (h.min_range + h.max_range) / 2.0
                center = middle if self.best is None else self.best[h.name]
                new = copy.copy(h)
                new.values = center + np.random.uniform(-3, 3, h.array_length) / 2 ** self.generation
                individual.append(new)
            population.append(individual)
        return population

    def tell(self, population, fitnesses):
        self.generation += 1
        for individual, fitness in zip(population, fitnesses):
            if fitness > self.fitness:
                self.fitness, self.best = fitness, {h.name: h.values for h in individual}
"""
ARRAY = """
import sys, time
import numpy as np
from studio import fs_tracker
w = np.load(fs_tracker.get_artifact('w'))
bias = 1.0
print('starting', w.shape)
time.sleep(float(sys.argv[1]))
print('fitness: %s' % (100 - np.sum((w - 2) ** 2) - abs(bias)))
print('fitness: 1000')
"""


@pytest.mark.slow
def test_an_optimizer_file_survives_a_kill(bench: Bench) -> None:
    bench.write("opt.py", OPTIMIZER)
    bench.write("fit.py", ARRAY)
    before = hashes(bench.folder)
    words = ("studio", "run", "-hp", "w=0:6:3:a", "-hp", "bias=-5:5", "--optimizer", "opt.py", "--num-workers", "2",
             "--project", "mine", "--seed", "1", "fit.py", "0.1")  # fmt: skip
    process = bench.start(*words)
    until(lambda: (bench.folder / "runs" / "mine" / "00003" / "1" / "started").exists(), what="the second generation")
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    done = bench.rung("resume", "mine")
    assert "9 complete" in done.stderr, done.stderr
    trials = bench.json("trials", "mine")
    assert [trial["state"] for trial in trials] == ["complete"] * 9
    assert all(set(trial["params"]) == {"w.0", "w.1", "w.2", "bias"} for trial in trials)
    for trial in trials:
        w, bias = [trial["params"][f"w.{i}"] for i in range(3)], trial["params"]["bias"]
        assert trial["value"] == pytest.approx(max(0.0, 100 - sum((x - 2) ** 2 for x in w) - abs(bias)))
    generations = [max(trial["value"] for trial in trials[i : i + 3]) for i in range(0, 9, 3)]
    assert generations[2] > generations[0]
    assert hashes(bench.folder) == before


def test_a_script_keeps_its_own_arguments_and_its_artifacts(bench: Bench) -> None:
    bench.write("conflicting.py", "import sys\nlearning_rate = 0.3\nprint(sys.argv[1:])\nprint(learning_rate)\n")
    bench.write("given.txt", "as it was")
    bench.write("art.py", "from studio import fs_tracker\nimport sys\nf = fs_tracker.get_artifact('f')\n"
                "print(open(f).read())\nif sys.argv[1:]: open(f, 'w').write(sys.argv[1])\n")  # fmt: skip
    bench.rung("studio", "run", "-e", "hello", "--hyperparam=learning_rate=0.4", "conflicting.py", "--experiment", "aaa",
               "a b", "$(x)")  # fmt: skip
    assert output(bench, "hello") == "['--experiment', 'aaa', 'a b', '$(x)']\n0.4\n"
    bench.rung("studio", "run", "-e", "first", "-c", "given.txt:f", "art.py", "changed")
    bench.rung("studio", "run", "-e", "second", "--reuse", "first/f:f", "art.py")
    assert (output(bench, "first"), output(bench, "second")) == ("as it was\n", "changed\n")
    assert (bench.folder / "given.txt").read_text() == "as it was"


def output(bench: Bench, study: str) -> str:
    """What the study's first trial printed."""
    return (bench.folder / "runs" / study / "00000" / "1" / "stdout").read_text()


def test_the_command_line_with_a_cloud_runs_here(bench: Bench) -> None:
    script = bench.write("train_mnist_keras.py", "lr = 0.01\nprint('val_loss:', (lr - 0.05) ** 2)\n")
    before = script.read_text()
    done = bench.rung(
        "studio", "run", "--hyperparam=lr=0.01:0.01:0.1", "--metric=val_loss:min", "--cloud=gcloud", "--num-workers=4",
        "train_mnist_keras.py",
    )  # fmt: skip
    assert "Rung starts no machines in a cloud" in done.stderr
    assert bench.json("best")["params"] == {"lr": 0.05}
    assert script.read_text() == before


def test_a_study_of_ours_substitutes_too(bench: Bench) -> None:
    bench.write("train.py", "rate = 1.0\nkind = 'a'\nprint('loss:', abs(rate - 0.5) + len(kind))\n")
    bench.rung("run", "--inject", "source", "-p", "rate=0.5,1", "-p", "kind=bb,c", "-m", "loss", "train.py")
    best = bench.json("best")
    assert (best["value"], best["params"]) == (1.0, {"rate": 0.5, "kind": "c"})
    assert "abs(0.5 - 0.5) + len('c')" in bench.json("show", "train-1", str(best["number"]))["diff"]
