"""What Syne Tune 0.13 was observed to do: rung levels, decisions of stopping ASHA, synchronous Hyperband.

Each module run prints how many cases passed, how many deviate and why, and how many were skipped (`pytest -s`).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rung.model import BadInput, Continue, Pause, Stop
from rung.schedule.asha import Asha
from rung.schedule.base import Ask, Begun, Held, Level, Progress, Resumed
from rung.schedule.hyperband import Hyperband
from rung.schedule.plan import geometry
from rung.schedule.rungs import ladder
from rung.schedule.synchronous import OpenBracket, Synchronous
from rung.testing.racing import contest

VECTORS = Path(__file__).parents[3] / "shared" / "vectors"
OPTIONS = {
    "max_t": "max", "max_resource": "max", "grace_period": "min", "min_resource": "min", "reduction_factor": "eta",
    "rung_increment": "increment", "rung_levels": "levels", "brackets": "brackets", "num_brackets": "brackets",
}  # fmt: skip
RNG = np.random.default_rng(0)

Tally = Callable[[str], None]


def cases(kind: str, *keys: str) -> list[Any]:
    """The cases of all files of the kind, each as a parameter of a test; a skipped one where there is no file."""
    found = []
    for path in sorted(VECTORS.glob(f"{kind}*.json")):
        content = json.loads(path.read_text())
        for key in keys:
            content = content.get(key, [])
        listed = content if isinstance(content, list) else [content]
        found += [pytest.param(case, id=f"{path.stem}-{i}") for i, case in enumerate(listed)]
    if found:
        return found
    absent = pytest.mark.skip(reason=f"the vectors {kind}*.json are not beside this project")
    return [pytest.param(None, marks=absent, id="absent")]


def options(args: dict[str, Any]) -> dict[str, Any]:
    return {OPTIONS[name]: value for name, value in args.items()}


@pytest.mark.parametrize("case", cases("synetune_asha", "rung_levels"))
def test_asha_rung_levels(case: dict[str, Any], tally: Tally) -> None:
    asked = contest(options(case["args"]), epochs=None)
    expected = case["rung_levels_before_max"]
    if isinstance(expected, str):
        with pytest.raises(BadInput):
            ladder(asked)
    else:
        assert list(ladder(asked).levels) == expected
    tally("passed")


@pytest.mark.parametrize("case", cases("synetune_asha", "decisions"))
def test_asha_decisions(case: dict[str, Any], tally: Tally) -> None:
    args = {name: case[name] for name in OPTIONS if name in case}
    maximize = case["mode"] == "max"
    given = {**options(args), "type": case["type"], "cut": "quantile"}
    asked = contest(given, goal="maximize" if maximize else "minimize", epochs=None)
    scheduler, top, found = Asha(asked), args["max_t"], []
    for trial, epoch, value in case["reports_trial_epoch_value"]:
        answer = scheduler.observe([Progress(trial, epoch, (-value if maximize else value,))])
        found.append({Stop: "STOP", Pause: "PAUSE", Continue: "CONTINUE"}[type(answer[0])] if answer else "CONTINUE")
    expected = list(case["decisions"])
    differing = [i for i, (ours, theirs) in enumerate(zip(found, expected, strict=True)) if ours != theirs]
    # They stop a trial that is at max; ours ends there by itself, and is stopped only if it goes beyond.
    assert all(case["reports_trial_epoch_value"][i][1] == top and expected[i] == "STOP" for i in differing), found
    tally("a trial at max is left to end by itself" if differing else "passed")


@pytest.mark.parametrize("case", cases("synetune_sync_rungs", "cases"))
def test_synchronous_rungs(case: dict[str, Any], tally: Tally) -> None:
    expected = case["brackets_list_of_size_level"]
    given = {OPTIONS[name]: case[name] for name in OPTIONS if name in case}
    scheduler = Hyperband(contest({**given, "synchronous": True}, epochs=None))
    found = [[[level.trials, level.resource] for level in bracket.levels] for bracket in scheduler.brackets(None)]
    assert found == expected
    drawn = geometry(scheduler.ladder, len(expected))
    assert [[[level.trials, level.resource] for level in levels] for levels in drawn] == expected
    tally("passed")


def bracket_of(rungs: list[list[int]]) -> Synchronous:
    """A synchronous scheduler whose only bracket has these sizes and levels."""
    levels = [level for _, level in rungs]
    made = Hyperband(
        contest({"synchronous": True, "brackets": 1, "levels": levels[:-1], "max": levels[-1]}, epochs=None)
    )
    fold = made.fold
    assert isinstance(fold, Synchronous)
    fold._newest = OpenBracket(0, 0, [Level(size, level) for size, level in rungs], 1)
    return fold


@pytest.mark.parametrize("case", cases("synetune_sync_bracket"))
def test_synchronous_bracket(case: dict[str, Any], tally: Tally) -> None:
    sign = -1 if case["mode"] == "max" else 1
    fold = bracket_of(case["rungs_size_level"])
    size, level = case["rungs_size_level"][0]
    for number in range(size):
        place = fold.next(number, RNG)
        assert isinstance(place, Ask)
        assert (place.resource, place.ticket) == (level, {"bracket": 0, "first": 0})
        fold.observe([Begun(number, {}, ticket=place.ticket)])
    stages = zip(case["rungs_size_level"], case["results_per_rung"], case["trials_not_promoted"], strict=True)
    for (_, level), results, lost in stages:
        commands = []
        for trial, value in results:
            commands += (found := fold.observe([Progress(trial, level, (sign * value,))]))
            if any(isinstance(command, Pause) and command.trial == trial for command in found):
                fold.observe([Held(trial)])
        stopped = [command.trial for command in commands if isinstance(command, Stop)]
        assert sorted(stopped) == (lost or [])
        going = {command.trial for command in commands if isinstance(command, Continue)} | set(resumed(fold, size))
        assert going == (set() if lost is None else {trial for trial, _ in results} - set(lost))
    tally("passed")


def resumed(fold: Synchronous, number: int) -> Iterator[int]:
    """The paused trials that `next` continues, each of which is."""
    while isinstance(place := fold.next(number, RNG), Continue):
        yield place.trial
        fold.observe([Resumed(place.trial, place.to)])
