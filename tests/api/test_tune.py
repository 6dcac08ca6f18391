from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import rung
from rung.model import BadInput
from rung.testing.functions import branin, sphere

SPACE = {"x": rung.uniform(-5, 10), "y": rung.uniform(0, 15)}
STORE = "sqlite:///s.db"
Sound = Callable[[str, str], None]

linux = pytest.mark.skipif(sys.platform != "linux", reason="forks of this process are made on Linux only")


def test_a_lambda_in_this_process() -> None:
    here: list[int] = []
    study = rung.tune(lambda p: here.append(os.getpid()) or branin(p), SPACE, metric="loss", trials=12, seed=0)  # type: ignore[func-returns-value]
    assert study.state == "complete"
    assert len(study.trials) == 12
    assert study.best.value == min(branin(trial.params) for trial in study.trials)
    assert here == [os.getpid()] * 12
    assert len(study.dataframe()) == 12


def test_nothing_is_left_where_nothing_was_named(here: Path) -> None:
    rung.tune(sphere, {"x": rung.uniform(0, 1)}, trials=2)
    assert list(here.iterdir()) == []


@linux
def test_a_lambda_in_two_processes() -> None:
    study = rung.tune(
        lambda p: {"loss": branin(p), "pid": os.getpid()}, SPACE, metric="loss", trials=8, workers=2, seed=0
    )
    assert study.state == "complete"
    assert study.best.value == min(branin(trial.params) for trial in study.trials)
    assert os.getpid() not in {int(trial.values["pid"]) for trial in study.trials}


def test_the_seed_decides_what_is_tried() -> None:
    one, two = (rung.tune(branin, SPACE, trials=5, seed=3) for _ in range(2))
    assert [trial.params for trial in one.trials] == [trial.params for trial in two.trials]


def test_a_finite_space_is_tried_whole_without_a_number_of_trials() -> None:
    study = rung.tune(lambda p: p["a"], {"a": rung.randint(1, 4), "b": rung.choice("x", "y")}, goal="maximize")
    assert [tuple(trial.params.values()) for trial in study.trials] == [(a, b) for a in range(1, 5) for b in "xy"]
    assert study.best.params == {"a": 4, "b": "x"}


def test_reports_on_the_way_and_a_dict_at_the_end() -> None:
    def objective(params: dict[str, Any]) -> dict[str, float]:
        for epoch in range(1, 4):
            rung.report(loss=1.0 / epoch, epoch=epoch)
        return {"loss": 0.125, "acc": 0.5}

    study = rung.tune(objective, {"x": rung.uniform(0, 1)}, metric="loss", trials=2)
    assert [(trial.value, trial.steps, trial.values["acc"]) for trial in study.trials] == [(0.125, 4, 0.5)] * 2


def test_several_objectives_and_a_constraint() -> None:
    study = rung.tune(
        lambda p: {"a": p["x"], "b": p["y"]}, {"x": rung.uniform(0, 1), "y": rung.uniform(0, 1)},
        metric=["a", "b"], goal=["min", "max"], constraints=["x + y <= 1"], trials=10, seed=0,
    )  # fmt: skip
    assert all(trial.params["x"] + trial.params["y"] <= 1 for trial in study.trials)
    front = {trial.number for trial in study.best_trials}
    assert min(study.trials, key=lambda trial: (trial.params["x"], -trial.params["y"])).number in front


def test_a_target_ends_it() -> None:
    study = rung.tune(lambda p: p["a"], {"a": rung.randint(1, 100)}, search="grid", target=7, goal="maximize")
    assert len(study.trials) == 7


def test_an_error_in_the_objective_is_a_failed_trial() -> None:
    def objective(params: dict[str, Any]) -> float:
        if params["a"] % 2:
            raise ValueError(f"odd: {params['a']}")
        return float(params["a"])

    study = rung.tune(objective, {"a": rung.randint(1, 6)})
    assert [trial.state for trial in study.trials] == ["failed", "complete"] * 3
    assert "ValueError: odd: 1" in (study.trials[0].error or "")
    assert study.best.params == {"a": 2}


@pytest.mark.parametrize(("limit", "failed"), [(None, 5), (2, 2), (1, 1)])
def test_the_failure_limit(limit: int | None, failed: int) -> None:
    def objective(params: dict[str, Any]) -> float:
        raise RuntimeError("boom")

    study = rung.tune(objective, SPACE, trials=50, max_failures=limit)
    assert study.state == "failed"
    assert [trial.state for trial in study.trials] == ["failed"] * failed


def test_an_objective_that_returns_nothing() -> None:
    study = rung.tune(lambda p: None, SPACE, metric="loss", trials=5)
    assert "the objective returned NoneType: expected a number or a dict of numbers" in (study.trials[0].error or "")


def test_retries(here: Path) -> None:
    seen: list[tuple[int | None, int | None]] = []

    def objective(params: dict[str, Any]) -> float:
        seen.append((rung.trial.number, rung.trial.attempt))
        if rung.trial.attempt == 1:
            raise RuntimeError("boom")
        return 1.0

    study = rung.tune(objective, SPACE, trials=2, retries=1)
    assert seen == [(0, 1), (0, 2), (1, 1), (1, 2)]
    assert [trial.state for trial in study.trials] == ["complete"] * 2


# ------------------------------------------------------------------------------------------------ in a store


def test_a_finished_study_of_that_name_is_given_back() -> None:
    calls: list[int] = []

    def objective(params: dict[str, Any]) -> float:
        calls.append(1)
        return branin(params)

    first = rung.tune(objective, SPACE, trials=3, name="mine", store=STORE)
    again = rung.tune(objective, SPACE, trials=3, name="mine", store=STORE)
    assert len(calls) == 3
    assert again.best == first.best
    assert rung.load("mine", store=STORE).state == "complete"


def test_the_places_that_it_uses(here: Path) -> None:
    rung.tune(branin, SPACE, trials=1, name="mine", dir="out")
    assert (here / "out" / "rung.db").is_file()
    assert (here / "out" / "mine").is_dir()
    assert rung.load("mine", store="sqlite:///out/rung.db").best.value is not None


def test_without_a_name_each_is_another_study() -> None:
    names = [rung.tune(sphere, {"x": rung.uniform(0, 1)}, trials=1, store=STORE).name for _ in range(2)]
    assert names == ["sphere-1", "sphere-2"]


def test_ctrl_c_and_going_on_by_name(sound: Sound) -> None:
    calls: list[int] = []

    def objective(params: dict[str, Any]) -> float:
        calls.append(1)
        if len(calls) == 3:
            signal.raise_signal(signal.SIGINT)
        return branin(params)

    with pytest.raises(KeyboardInterrupt):
        rung.tune(objective, SPACE, trials=6, name="mine", store=STORE, seed=0)
    stopped = rung.load("mine", store=STORE)
    assert stopped.state == "interrupted"
    assert [trial.state for trial in stopped.trials][:2] == ["complete"] * 2
    study = rung.tune(objective, SPACE, trials=6, name="mine", store=STORE, seed=0)
    assert study.state == "complete"
    assert [trial.state for trial in study.trials] == ["complete"] * 6
    assert [trial.value for trial in study.trials] == [branin(trial.params) for trial in study.trials]
    sound(STORE, "mine")


INTERRUPTED = """
import os, sys, time, rung
from pathlib import Path

def objective(params):
    Path(f"{rung.trial.number}.started").touch()
    if not Path("go").exists():
        while not rung.should_stop():
            time.sleep(0.01)
        sys.exit(9)
    return params["x"]

print("begin", flush=True)
try:
    study = rung.tune(objective, {"x": rung.uniform(0, 1)}, trials=4, workers=2, name="mine", store="sqlite:///s.db", seed=0)
except KeyboardInterrupt:
    sys.exit(130)
print(study.state, len(study.trials))
"""


@linux
def test_ctrl_c_with_two_workers(here: Path, sound: Sound) -> None:
    """Both running trials end, and are run again when the program is started again."""
    first = subprocess.Popen([sys.executable, "-c", INTERRUPTED], stdout=subprocess.PIPE, text=True)
    wait_for(lambda: (here / "0.started").exists() and (here / "1.started").exists())
    first.send_signal(signal.SIGINT)
    first.communicate(timeout=40)
    assert first.returncode == 130
    assert rung.load("mine", store=STORE).state == "interrupted"
    (here / "go").touch()
    second = subprocess.run(
        [sys.executable, "-c", INTERRUPTED], stdout=subprocess.PIPE, text=True, timeout=40, check=True
    )
    assert second.stdout.splitlines() == ["begin", "complete 4"]
    study = rung.load("mine", store=STORE)
    assert [trial.attempt for trial in study.trials] == [2, 2, 1, 1]
    sound(STORE, "mine")


def wait_for(condition: Callable[[], bool]) -> None:
    """Returns when the condition holds; fails after 30 s."""
    pause = threading.Event()
    for _ in range(3000):
        if condition():
            return
        pause.wait(0.01)
    pytest.fail("waited 30 s in vain")


def test_it_works_inside_a_running_loop() -> None:
    """A notebook runs its cells in one."""

    async def cell() -> Any:
        return rung.tune(branin, SPACE, trials=3, seed=0).best.value

    assert asyncio.run(cell()) == rung.tune(branin, SPACE, trials=3, seed=0).best.value


@linux
def test_two_workers_inside_a_running_loop() -> None:
    async def cell() -> int:
        return len(rung.tune(lambda p: branin(p), SPACE, trials=3, workers=2).trials)

    assert asyncio.run(cell()) == 3


def test_an_objective_by_its_name() -> None:
    study = rung.tune("rung.testing.functions:sphere", {"x": rung.uniform(0, 1)}, metric="value", trials=3, workers=2)
    assert study.best.value == min(trial.params["x"] ** 2 for trial in study.trials)


@pytest.mark.parametrize("trials", [0, -3, "many"])
def test_a_number_of_trials_that_is_none(trials: Any) -> None:
    with pytest.raises(BadInput, match=r"tune: budget\.trials: expected a whole number of at least 1"):
        rung.tune(branin, SPACE, trials=trials)


def test_an_objective_that_cannot_be_called() -> None:
    with pytest.raises(BadInput, match="tune: objective: expected a function"):
        rung.tune(3, SPACE, trials=1)  # type: ignore[arg-type]
    with pytest.raises(
        BadInput, match="tune: schedule: expected the name of a method, or a mapping with `method`, got 3"
    ):
        rung.tune(lambda p: p["x"], {"x": rung.uniform(0, 1)}, schedule=3)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"workers": 0}, "tune: run.workers: expected a whole number of at least 1, got 0"),
        ({"workers": "2"}, "tune: run.workers: "),
        ({"retries": -1}, "tune: run.retries: "),
        ({"timeout": 0}, "tune: run.timeout: "),
        ({"time": 0}, "tune: budget.time: "),
        ({"target": "low"}, "tune: budget.target: "),
        ({"max_failures": -1}, "tune: budget.max_failures: "),
        ({"repeats": 0}, "tune: search.repeats: "),
        ({"seed": -1}, "tune: search.seed: "),
        ({"constraints": "x >"}, "`x >`"),
        ({"time": "soon"}, "soon"),
        ({"name": "../x"}, "name"),
        ({"name": "123"}, "name"),
        ({"search": "grid"}, "infinitely many values"),
        ({"schedule": "nine"}, "unknown scheduler 'nine'"),
        ({"start": [{"x": 99, "y": 1}]}, "x"),
        ({"store": "ftp://x"}, "ftp"),
        ({"goal": "up"}, "got 'up'"),
    ],
)
def test_what_cannot_be_searched_is_said_at_once(options: dict[str, Any], message: str, here: Path) -> None:
    with pytest.raises(BadInput) as raised:
        rung.tune(branin, SPACE, trials=1, **options)
    assert message in str(raised.value)
    assert "\n" not in str(raised.value)
    assert list(here.iterdir()) == []
