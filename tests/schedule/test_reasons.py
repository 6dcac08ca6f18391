from __future__ import annotations

import math
from typing import Any

import pytest

from rung.model import Objective
from rung.schedule.reasons import Verdicts, figure, named, shown, trials
from rung.schedule.rungs import Cut, Ladder, Rung
from rung.testing.racing import contest


@pytest.mark.parametrize(
    ("goal", "loss", "value", "said"),
    [
        ("minimize", 0.25, 0.25, "f1 0.25"),
        ("maximize", -0.93, 0.93, "f1 0.93"),
        (0.5, 0.02, 0.02, "|f1 - 0.5| 0.02"),
        ("minimize", 1234567.0, 1234567.0, "f1 1.23457e+06"),
    ],
)
def test_losses_are_shown_as_the_user_knows_them(goal: Any, loss: float, value: float, said: str) -> None:
    objective = Objective(metric="f1", goal=goal)
    assert shown(objective, loss) == value
    assert named(objective, loss) == said


def test_zero_has_no_sign_and_worst_is_no_number() -> None:
    best = Objective(metric="f1", goal="maximize")
    assert math.copysign(1.0, shown(best, 0.0)) == 1.0
    assert math.isnan(shown(best, math.inf))
    assert figure(math.nan) == "no number"
    assert (trials([3]), trials([3, 7])) == ("trial 3", "trials 3, 7")


def filled(losses: list[tuple[float, ...]], cut: Cut = "quantile") -> Rung:
    made = Rung.of(Ladder(levels=(1, 3), top=9, eta=3), 0, len(losses[0]), cut)
    for number, row in enumerate(losses):
        made.ranking.add(number, row)
    return made


@pytest.mark.parametrize(
    ("place", "said"), [(1, "1st"), (2, "2nd"), (3, "3rd"), (4, "4th"), (11, "11th"), (22, "22nd")]
)
def test_places_are_ordinals(place: int, said: str) -> None:
    verdicts = Verdicts(contest(), "asha")
    rung = filled([(float(n),) for n in range(23)])
    assert verdicts.kept(rung, place - 1, (0.0,), 3).text == f"epoch 1 of rung 0: {said} of 23, goes on to epoch 3"
    assert verdicts.kept(rung, place - 1, (0.0,), None).text.endswith("goes on to its end")


def test_several_objectives_are_told_by_place() -> None:
    verdicts = Verdicts(contest(objectives=2), "asha")
    rung = filled([(0.1, 0.2), (0.2, 0.3), (0.4, 0.4), (0.5, 0.5)])
    found = verdicts.cut(rung, 3, 2.0, (0.5, 0.5))
    assert found.text == (
        "at epoch 2 of rung 0: loss0 0.5, loss1 0.5 is 4th, not among the best 33% of 4; lost to trials 0, 1, 2"
    )
    assert (found.data["value"], found.data["threshold"]) == ([0.5, 0.5], None)


def test_no_number_is_a_word_on_the_wire() -> None:
    verdicts = Verdicts(contest(), "asha")
    found = verdicts.cut(filled([(0.1,), (math.inf,)], "count"), 1, 1.0, (math.inf,))
    assert found.data["value"] == "NaN"
    assert found.data["threshold"] == 0.1
