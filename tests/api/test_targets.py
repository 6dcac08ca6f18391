from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from rung.api.targets import Options, budgeted, resolve
from rung.model import BadInput, Objective, Parameter
from rung.testing.studies import study_spec

YAML = """\
name: digits
command: python train.py --lr {lr} {rest}
parameters:
  lr: {type: float, min: 1e-5, max: 0.1, scale: log}
  opt: {type: choice, values: [sgd, adam]}
  momentum: {type: float, min: 0, max: 0.9, when: opt == 'sgd'}
objective: {metric: loss}
budget: {trials: 7}
"""
LR = ("lr=loguniform(1e-5,0.1)",)
ASK = Options(params=LR, metrics=("loss",))


@pytest.fixture
def files(here: Path) -> Path:
    """A script, a program without a run bit, one with it, a module and two study files."""
    (here / "train.py").write_text("print('loss: 1')\n")
    (here / "plain.sh").write_text("#!/bin/sh\necho loss: 1\n")
    (here / "run.sh").write_text("#!/bin/sh\necho loss: 1\n")
    (here / "run.sh").chmod(0o755)
    (here / "mine.py").write_text("def objective(p):\n    return p['lr']\n")
    (here / "study.yaml").write_text(YAML)
    (here / "digits").mkdir()
    (here / "digits" / "study.yaml").write_text(YAML.replace("python train.py", "python ../train.py"))
    return here


def test_a_study_file(files: Path) -> None:
    found = resolve("study.yaml", [], Options(), cwd=files)
    assert found.spec.name == "digits"
    assert found.spec.command == ("python", "train.py", "--lr", "{lr}", "{rest}")
    assert (found.spec.budget.trials, found.spec.run.cwd) == (7, str(files))
    assert found.stem == files.name.replace(".", "-")


def test_trials_of_a_study_file_run_in_its_directory(files: Path) -> None:
    found = resolve("digits/study.yaml", [], Options(), cwd=files)
    assert (found.spec.run.cwd, found.stem) == (str(files / "digits"), "digits")


def test_plug_in_files_are_found_from_anywhere_later(files: Path) -> None:
    """One that a study file names lies beside it, one that an option names is seen from where the user stands."""
    named = YAML + "search: {method: mine.py}\nschedule: {method: rule.py}\n"
    (files / "digits" / "study.yaml").write_text(named.replace("python train.py", "python ../train.py"))
    spec = resolve("digits/study.yaml", [], Options(), cwd=files).spec
    folder = files / "digits"
    assert (spec.search.method, spec.schedule.method) == (str(folder / "mine.py"), str(folder / "rule.py"))
    spec = resolve("digits/study.yaml", [], Options(schedule="rule.py"), cwd=files).spec
    assert (spec.search.method, spec.schedule.method) == (str(folder / "mine.py"), str(files / "rule.py"))


def test_a_python_script(files: Path) -> None:
    found = resolve("train.py", ["--data", "a b", "{x}"], ASK, cwd=files)
    assert found.spec.command == ("python", str(files / "train.py"), "--data", "a b", "{{x}}", "{rest}")
    assert (found.stem, found.spec.run.cwd, found.spec.objectives) == ("train", str(files), (Objective(metric="loss"),))


def test_a_program(files: Path) -> None:
    assert resolve("run.sh", [], ASK, cwd=files).spec.command == (str(files / "run.sh"), "{rest}")


def test_a_command(files: Path) -> None:
    found = resolve(None, ["awk", "-f", "x", "{lr}"], ASK, cwd=files)
    assert (found.spec.command, found.stem) == (("awk", "-f", "x", "{lr}"), "awk")
    assert resolve(None, ["./run.sh"], ASK, cwd=files).spec.command == ("./run.sh", "{rest}")


def test_functions(files: Path) -> None:
    by_file = resolve("mine.py:objective", [], ASK, cwd=files)
    assert (by_file.spec.function, by_file.stem) == (f"{files / 'mine.py'}:objective", "objective")
    assert resolve("mine:objective", [], ASK, cwd=files).spec.function == "mine:objective"
    assert resolve("rung.testing.functions:sphere", [], ASK, cwd=files).spec.function == "rung.testing.functions:sphere"


def test_every_option(files: Path) -> None:
    options = Options(
        params=("lr=0.1", "width=8:8:64"), metrics=("loss", "acc:max"), search="sobol", schedule="none", trials=9,
        time="2h30m", target=0.5, workers=3, gpus=0.5, cpus=2.0, timeout="90s", max_failures=0, retries=2,
        executor="inline", seed=4, name="mine", inject="env", settings=("run.grace=5", "budget.trials=11"),
    )  # fmt: skip
    spec = resolve("train.py", [], options, cwd=files).spec
    assert [(p.name, p.type) for p in spec.parameters] == [("lr", "constant"), ("width", "int")]
    assert spec.objectives == (Objective(metric="loss"), Objective(metric="acc", goal="maximize"))
    assert (spec.search.method, spec.search.seed, spec.schedule.method, spec.name) == ("sobol", 4, "none", "mine")
    assert (spec.budget.trials, spec.budget.time_s, spec.budget.target, spec.budget.max_failures) == (
        11,
        9000.0,
        0.5,
        0,
    )
    run = spec.run
    assert (run.workers, run.gpus, run.cpus, run.timeout_s, run.retries) == (3, 0.5, 2.0, 90.0, 2)
    assert (run.executor, run.inject, run.grace_s) == ("inline", "env", 5.0)


def test_flags_win_over_the_file(files: Path) -> None:
    options = Options(
        params=("momentum=uniform(0.5,0.9)", "extra=1,2"), trials=3, name="other", settings=("budget.trials=5",)
    )
    spec = resolve("study.yaml", [], options, cwd=files).spec
    assert (spec.budget.trials, spec.name) == (3, "other")
    assert [p.name for p in spec.parameters] == ["lr", "opt", "momentum", "extra"]
    assert spec.parameters[2].when == "opt == 'sgd'"  # the condition stays


def test_a_searcher_in_a_file_is_found_from_anywhere(files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert resolve(
        "train.py", [], Options(params=LR, metrics=("m",), search="mine.py"), cwd=files
    ).spec.search.method == str(files / "mine.py")


@pytest.mark.parametrize(
    ("target", "arguments", "options", "message"),
    [
        (None, [], {}, "expected a command after `--`"),
        ("trane.py", [], {}, "trane.py: no such file; did you mean `train.py`?"),
        ("digits", [], {}, "digits: is a directory; name a study file or a script in it"),
        ("plain.sh", [], {}, "plain.sh: cannot be executed: run `chmod +x plain.sh`"),
        ("mine.py:objektive", [], {}, "has no function 'objektive'; did you mean `objective`?"),
        ("nine.py:objective", [], {}, "nine.py: no such file; did you mean `mine.py`?"),
        ("no_such_module:f", [], {}, "no module 'no_such_module'"),
        ("train.py", [], {"metrics": ()}, "-m: which metric?"),
        ("train.py", [], {"metrics": ("loss:up",)}, "-m: expected NAME, NAME:min or NAME:max, got 'loss:up'"),
        ("train.py", [], {"params": ("lr",)}, "-p: expected NAME=RANGE"),
        ("train.py", [], {"params": ("=1",)}, "-p: expected NAME=RANGE"),
        ("train.py", [], {"params": ("lr=loguniform(0,1)",)}, "lr"),
        ("train.py", [], {"trials": 0}, "--trials: must be 1 or more, got 0"),
        ("train.py", [], {"workers": -1}, "--workers: must be 1 or more, got -1"),
        ("train.py", [], {"retries": -1}, "--retries: must be 0 or more, got -1"),
        ("train.py", [], {"seed": -1}, "--seed: must be 0 or more, got -1"),
        ("train.py", [], {"time": "soon"}, "--time: "),
        ("train.py", [], {"timeout": "-3s"}, "--trial-timeout: "),
        ("train.py", [], {"name": "../up"}, "--name: "),
        ("train.py", [], {"executor": "moon"}, "unknown executor 'moon'"),
        ("train.py", [], {"settings": ("budget.trials",)}, "--set: expected key.path=value, got 'budget.trials'"),
        ("train.py", [], {"settings": ("budget.trails=3",)}, "trails"),
        (None, ["./x", "{lrr}"], {}, "command: `{lrr}` in the command is no parameter; did you mean `lr`?"),
    ],
)
def test_what_a_target_cannot_be(
    files: Path, target: str | None, arguments: list[str], options: dict[str, Any], message: str
) -> None:
    with pytest.raises(BadInput) as raised:
        resolve(target, arguments, Options(**{"params": LR, "metrics": ("loss",), **options}), cwd=files)
    assert message in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("train.py", "trian.py", "study.yaml: command: the script trian.py does not exist"),
        ("python train.py", "./plain.sh", "./plain.sh cannot be executed: run `chmod +x"),
        ("objective: {metric: loss}\n", "", "which metric?"),
        ("{lr}", "{lrr}", "study.yaml:2: command: unknown placeholder `{lrr}`; did you mean `lr`?"),
    ],
)
def test_what_a_study_file_cannot_say(files: Path, old: str, new: str, message: str) -> None:
    (files / "study.yaml").write_text(YAML.replace(old, new))
    with pytest.raises(BadInput) as raised:
        resolve("study.yaml", [], Options(), cwd=files)
    assert message in str(raised.value)


GRID = (Parameter(name="a", type="int", min=1, max=10), Parameter(name="b", type="int", min=1, max=100))
LARGE = (*GRID, Parameter(name="c", type="bool"))


@pytest.mark.parametrize(
    ("parameters", "given", "trials", "text"),
    [
        (GRID, None, 1000, "1000 trials (the whole space of 1000 configurations; change it with -n)"),
        (GRID, 5, 5, None),
        (LARGE, None, 100, "100 trials (the default; change it with -n)"),
        ((Parameter(name="x", type="float", min=0, max=1),), None, 100, "100 trials (the default; change it with -n)"),
        ((), None, 1, "1 trials (the whole space of 1 configuration; change it with -n)"),
    ],
)  # fmt: skip
def test_the_number_of_trials_that_nobody_gave(
    parameters: tuple[Parameter, ...], given: int | None, trials: int, text: str | None
) -> None:
    spec, said = budgeted(study_spec(trials=given, parameters=parameters))
    assert (spec.budget.trials, said) == (trials, text)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (Options(params=LR, metrics=("loss", "loss:max")), "-m: loss is given twice"),
        (Options(params=LR, metrics=("",)), "-m: expected NAME"),
        (Options(params=LR, metrics=("loss",), time="0"), "--time: must be above 0"),
        (Options(params=LR, metrics=("loss",), timeout="0s"), "--trial-timeout: must be above 0"),
        (Options(params=LR, metrics=("loss",), schedule="ashha"), "unknown scheduler 'ashha'"),
    ],
)
def test_options_that_cannot_be_meant(files: Path, options: Options, said: str) -> None:
    with pytest.raises(BadInput) as error:
        resolve("train.py", [], options, cwd=files)
    assert str(error.value).startswith(said)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("search: bayes", "study.yaml: search.method: unknown searcher 'bayes'"),
        ("schedule: ashha", "study.yaml: schedule.method: unknown scheduler 'ashha'"),
        ("run: {executor: ray}", "study.yaml: run.executor: unknown executor 'ray'"),
    ],
)
def test_an_unknown_name_in_a_study_file_is_placed(files: Path, line: str, said: str) -> None:
    (files / "study.yaml").write_text(f"{YAML}{line}\n")
    with pytest.raises(BadInput) as error:
        resolve("study.yaml", [], Options(), cwd=files)
    assert str(error.value).startswith(said)
