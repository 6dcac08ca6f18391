from __future__ import annotations

import math
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import rung
from rung.api.asktell import Study
from rung.model import BadInput, RungError
from rung.study import events as ev
from rung.study import replay
from rung.testing.functions import branin

SPACE = {"x": rung.uniform(-5, 10), "y": rung.uniform(0, 15)}
Sound = Callable[[str, str], None]


def test_ask_and_tell_in_memory() -> None:
    study = Study(SPACE, metric="loss", seed=0, budget={"trials": 20})
    for number in range(20):
        trial = study.ask()
        assert trial.number == number
        assert set(trial.params) == {"x", "y"}
        study.tell(trial, branin(trial.params))
    assert study.state == "complete"
    assert len(study.trials) == 20
    assert study.best.value == min(trial.value for trial in study.trials if trial.value is not None)
    assert study.best.params == study.trials[study.best.number].params
    with pytest.raises(RungError, match="the study is over: 20 trials evaluated"):
        study.ask()


def test_a_proposal_says_how_long_it_took() -> None:
    study = Study(SPACE, seed=0)
    study.tell(study.ask(), 1.0)
    (event,) = [event for _, event in study._handle.story() if isinstance(event, ev.TrialProposed)]
    assert event.seconds is not None
    assert 0 < event.seconds < 60


def test_the_same_seed_asks_the_same() -> None:
    first, second, other = (Study(SPACE, seed=seed) for seed in (3, 3, 4))
    asked = [[study.ask().params for _ in range(5)] for study in (first, second, other)]
    assert asked[0] == asked[1] != asked[2]


def test_trial_seeds_differ_and_repeat() -> None:
    one, two = Study(SPACE, seed=3), Study(SPACE, seed=3)
    seeds = [one.ask().seed for _ in range(3)]
    assert seeds == [two.ask().seed for _ in range(3)]
    assert len(set(seeds)) == 3


def test_constants_are_part_of_what_is_asked() -> None:
    study = Study(
        {"x": rung.uniform(0, 1), "net": {"depth": rung.randint(1, 3), "kind": "mlp"}, "sizes": {"value": [1, 2]}}
    )
    params = study.ask().params
    assert list(params) == ["x", "net.depth", "net.kind", "sizes"]
    assert (params["net.kind"], params["sizes"]) == ("mlp", [1, 2])


def test_many_may_be_out_and_told_in_any_order() -> None:
    study = Study({"a": rung.randint(1, 6)}, budget={"trials": 6})
    asked = [study.ask() for _ in range(6)]
    assert sorted(trial.params["a"] for trial in asked) == [1, 2, 3, 4, 5, 6]
    with pytest.raises(RungError, match="tell the results of the trials that run"):
        study.ask()
    for trial in reversed(asked):
        study.tell(trial.number, trial.params["a"])
    assert study.best.params == {"a": 1}
    assert study.state == "complete"


def test_an_exhausted_space_is_over() -> None:
    study = Study({"a": rung.choice("x", "y")})
    for _ in range(2):
        study.tell(study.ask(), 1.0)
    with pytest.raises(RungError, match="the study is over: every configuration of the space has been proposed"):
        study.ask()


def test_failed_trials() -> None:
    study = Study(SPACE, budget={"trials": 2}, seed=0)
    study.tell(study.ask(), state="failed")
    assert study.trials[0].state == "failed"
    assert study.trials[0].error == "exit status 1: told that it failed"
    with pytest.raises(RungError, match="no trial has succeeded yet"):
        _ = study.best
    for _ in range(2):
        study.tell(study.ask(), 1.0)
    assert study.state == "complete"
    assert [trial.state for trial in study.trials] == ["failed", "complete", "complete"]


def test_five_failures_at_the_start_end_the_study() -> None:
    study = Study(SPACE, budget={"trials": 100})
    for _ in range(5):
        study.tell(study.ask(), state="failed")
    assert study.state == "failed"
    with pytest.raises(RungError, match="the first 5 trials all failed"):
        study.ask()


def test_reports_on_the_way() -> None:
    study = Study(SPACE, metric="loss", goal="minimize")
    trial = study.ask()
    trial.report(loss=3.0)
    trial.report({"loss": 2.0, "acc": math.nan}, step=10)
    assert not trial.should_stop()
    assert study.trials[0].values["loss"] == 2.0
    study.tell(trial)
    assert (study.best.value, study.best.steps) == (2.0, 2)
    assert math.isnan(study.best.values["acc"])
    assert trial.should_stop()  # it is over


def test_several_objectives() -> None:
    study = Study(SPACE, metric=["loss", "acc"], goal=["min", "max"], seed=0)
    for values in ([1.0, 0.5], (2.0, 0.9), {"loss": 3.0, "acc": 0.9, "extra": 1.0}):
        study.tell(study.ask(), values)
    assert [trial.number for trial in study.best_trials] == [0, 1]
    assert study.trials[2].values == {"loss": 3.0, "acc": 0.9, "extra": 1.0}
    with pytest.raises(RungError, match="several objectives: see best_trials"):
        _ = study.best


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_values_that_are_no_numbers_are_kept(value: float) -> None:
    study = Study(SPACE, goal="maximize")
    study.tell(study.ask(), value)
    assert study.trials[0].value == pytest.approx(value, nan_ok=True)
    study.tell(study.ask(), 0.5)
    assert study.best.value == 0.5  # they count as worst, in either direction


def test_numpy_numbers_are_numbers() -> None:
    import numpy as np

    study = Study(SPACE)
    study.tell(study.ask(), np.float32(0.5))
    study.tell(study.ask(), np.array(0.25))  # type: ignore[arg-type]
    assert [trial.value for trial in study.trials] == [0.5, 0.25]


@pytest.mark.parametrize(
    ("values", "options", "message"),
    [
        ([1.0, 2.0], {}, "expected 1 value(s) for loss, got 2"),
        ([], {}, "expected 1 value(s) for loss, got 0"),
        ("0.x", {}, "loss: expected a number, got '0.x'"),
        ({"loss": None}, {}, "loss: expected a number, got None"),
        ({"los": 1.0}, {}, "trial 0 has no value for loss"),
        (None, {}, "trial 0 has no value for loss"),
        (1.0, {"state": "pruned"}, "state: expected complete or failed, got 'pruned'"),
    ],
)
def test_wrong_tells_change_nothing(values: Any, options: dict[str, Any], message: str) -> None:
    study = Study(SPACE, metric="loss")
    trial = study.ask()
    with pytest.raises(BadInput) as raised:
        study.tell(trial, values, **options)
    assert message in str(raised.value)
    assert study.trials[0].state == "running"
    study.tell(trial, 1.0)
    assert study.best.value == 1.0


def test_telling_twice_and_telling_what_was_never_asked() -> None:
    study = Study(SPACE)
    trial = study.ask()
    study.tell(trial, 1.0)
    for wrong in (trial, 0, 1, 99, -1):
        with pytest.raises(BadInput, match=r"trial -?\d+ is not running: it was told already, or never asked for"):
            study.tell(wrong, 2.0)
    with pytest.raises(BadInput, match="trial 0 is not running"):
        trial.report(value=3.0)
    assert study.best.value == 1.0


@pytest.mark.parametrize(
    ("space", "options", "message"),
    [
        ({"x": {"type": "float", "min": 2, "max": 1}}, {}, "x"),
        (SPACE, {"goal": "best"}, "expected minimize, maximize or a number to come near to, got 'best'"),
        (SPACE, {"goal": ["min", "max"]}, "expected a goal for each of 1 metrics, got 2"),
        (SPACE, {"search": "grind"}, "unknown searcher 'grind'"),
        (SPACE, {"search": "grid"}, "infinitely many values"),
        (SPACE, {"store": "sqlite:///x.db"}, "give the study a name"),
        (SPACE, {"budget": {"trails": 3}}, "did you mean `trials`?"),
        (SPACE, {"constraints": ["x + z < 1"]}, "z"),
        (SPACE, {"start": [{"z": 1}]}, "z"),
        (
            {"x": rung.randint(1, 9), "y": rung.randint(1, 9)},
            {"constraints": ["x > 100"], "start": "default"},
            "x > 100",
        ),
    ],
)
def test_what_cannot_be_searched_is_said_at_once(space: Any, options: dict[str, Any], message: str, here: Path) -> None:
    with pytest.raises(BadInput) as raised:
        Study(space, **options)
    assert message in str(raised.value)
    assert "\n" not in str(raised.value)
    assert list(here.iterdir()) == []


# ------------------------------------------------------------------------------------------------ in a store


def test_a_study_in_a_store_goes_on_by_name(sound: Sound) -> None:
    options: dict[str, Any] = {
        "store": "sqlite:///s.db",
        "name": "mine",
        "metric": "loss",
        "seed": 0,
        "budget": {"trials": 4},
    }
    first = Study(SPACE, **options)
    asked = [first.ask() for _ in range(2)]
    first.tell(asked[0], 1.0)
    second = Study(SPACE, **options)
    assert [trial.state for trial in second.trials] == ["complete", "running"]
    first.tell(asked[1], 0.5)
    for value in (3.0, 4.0):
        second.tell(second.ask(), value)
    assert second.state == first.state == "complete"
    assert first.best.value == 0.5
    loaded = rung.load("mine", store="sqlite:///s.db")
    assert [trial.value for trial in loaded.trials] == [1.0, 0.5, 3.0, 4.0]
    sound("sqlite:///s.db", "mine")


def test_another_search_under_the_same_name_is_refused() -> None:
    Study(SPACE, store="sqlite:///s.db", name="mine")
    with pytest.raises(BadInput, match="study mine exists and is another search"):
        Study({"x": rung.uniform(0, 1)}, store="sqlite:///s.db", name="mine")


def test_a_trial_that_waits_for_another_attempt_is_asked_first(sound: Sound) -> None:
    options: dict[str, Any] = {"store": "sqlite:///s.db", "name": "mine", "seed": 0, "budget": {"trials": 3}}
    study = Study(SPACE, **options)
    trial = study.ask()
    study.tell(trial, state="failed")
    rung.load("mine", store="sqlite:///s.db")._handle.retry_trial(0)
    with pytest.raises(BadInput, match="trial 0 is not running"):
        study.tell(trial, 1.0)  # it waits: nobody evaluates it now
    again = study.ask()
    assert (again.number, again.params, again.seed) == (trial.number, trial.params, trial.seed)
    study.tell(again, 2.0)
    assert study.trials[0].attempt == 2
    sound("sqlite:///s.db", "mine")


def test_a_user_stops_a_trial() -> None:
    study = Study(SPACE, store="sqlite:///s.db", name="mine")
    kept, stopped = study.ask(), study.ask()
    stopped.report(value=1.0)
    rung.load("mine", store="sqlite:///s.db")._handle.stop_trial(1)
    assert (kept.should_stop(), stopped.should_stop()) == (False, True)
    study.tell(stopped)
    assert (study.trials[1].state, study.trials[1].reason) == ("pruned", "stopped by the user")


def test_the_log_can_be_computed_again() -> None:
    from rung.plugins import policy_for
    from rung.runner.log import read

    study = Study({"a": rung.randint(1, 20)}, budget={"trials": 6}, seed=1)
    asked = [study.ask() for _ in range(4)]
    for trial in reversed(asked):
        study.tell(trial, float(trial.params["a"]))
    study.tell(study.ask(), state="failed")
    events = [event for _, event in read(study._handle.store, study.name)]
    assert [str(deviation) for deviation in replay.check(events, policy_for)] == []


ASKER = """
import sys, time
import rung
study = rung.Study({"a": rung.uniform(0, 1)}, store="sqlite:///s.db", name="shared", seed=0, budget={"trials": 30})
print("ready", flush=True)
sys.stdin.readline()
while True:
    try:
        trial = study.ask()
    except rung.RungError as error:
        if "over" in str(error):
            break
        time.sleep(0.002)  # the other program holds the last trials
        continue
    print(trial.number, repr(trial.params["a"]), flush=True)
    study.tell(trial, trial.params["a"])
"""


def test_two_programs_share_a_study(sound: Sound) -> None:
    """Together they evaluate the budget: no number twice, no configuration twice, none too many."""
    programs = [
        subprocess.Popen(
            [sys.executable, "-W", "error", "-c", ASKER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for _ in range(2)
    ]
    for program in programs:
        assert program.stdout is not None
        assert program.stdout.readline() == "ready\n"
    ended = []

    def talk(program: subprocess.Popen[str]) -> None:
        ended.append(program.communicate("go\n", timeout=50)[0].splitlines())

    threads = [threading.Thread(target=talk, args=(program,)) for program in programs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [program.returncode for program in programs] == [0, 0]
    asked = sorted((int(line.split()[0]), float(line.split()[1])) for lines in ended for line in lines)
    study = rung.load("shared", store="sqlite:///s.db")
    assert asked == [(trial.number, trial.params["a"]) for trial in study.trials]
    assert len(asked) == len({value for _, value in asked}) == 30
    assert study.state == "complete"
    sound("sqlite:///s.db", "shared")


DIES = """
import os, rung
study = rung.Study({"x": rung.uniform(0, 1)}, metric="loss", seed=0, budget={"trials": 3}, store=%r, name="shared")
study.tell(study.ask(), 0.5)
study.ask()
os._exit(9)
"""


def test_what_a_dead_program_asked_for_is_given_up(here: Path, sound: Sound) -> None:
    url = f"sqlite:///{here / 'rung.db'}"
    assert subprocess.run([sys.executable, "-c", DIES % url]).returncode == 9
    study = Study({"x": rung.uniform(0, 1)}, metric="loss", seed=0, budget={"trials": 3}, store=url, name="shared")
    for _ in range(2):
        study.tell(study.ask(), 0.1)
    assert [trial.state for trial in study.trials] == ["complete", "failed", "complete", "complete"]
    assert study.trials[1].error == "the process that asked for it is gone"
    assert study.state == "complete"
    sound(url, "shared")


def test_a_trial_of_another_program_cannot_be_told(here: Path) -> None:
    url = f"sqlite:///{here / 'rung.db'}"
    one = Study({"x": rung.uniform(0, 1)}, metric="loss", budget={"trials": 3}, store=url, name="shared")
    two = Study({"x": rung.uniform(0, 1)}, metric="loss", budget={"trials": 3}, store=url, name="shared")
    asked = one.ask()
    two.ask()
    with pytest.raises(BadInput, match="trial 0 belongs to another process"):
        two.tell(asked.number, 0.3)
    one.tell(asked, 0.3)


def test_threads_may_share_a_study() -> None:
    study = Study(SPACE, budget={"trials": 40}, seed=0)
    told: list[int] = []

    def work() -> None:
        for _ in range(10):
            trial = study.ask()
            study.tell(trial, branin(trial.params))
            told.append(trial.number)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(told) == list(range(40))
    assert study.state == "complete"


# ------------------------------------------------------------------------------------------------ data frames


def finished() -> Study:
    study = Study({"a": rung.randint(1, 3)}, metric="loss", budget={"trials": 3}, seed=0)
    for _ in range(3):
        trial = study.ask()
        study.tell(trial, trial.params["a"] / 2)
    return study


def test_a_data_frame_of_the_library_that_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    import narwhals as nw
    import pandas as pd
    import polars as pl

    study = finished()
    for library in (pd, pl):
        frame = study.dataframe()
        assert isinstance(frame, library.DataFrame)
        wide = nw.from_native(frame, eager_only=True)
        assert wide["params_a"].to_list() == [trial.params["a"] for trial in study.trials]
        assert wide["value"].to_list() == [trial.value for trial in study.trials]
        monkeypatch.setitem(sys.modules, library.__name__, None)
    table = study.dataframe()
    assert isinstance(table, dict)
    assert table["number"] == [0, 1, 2]
