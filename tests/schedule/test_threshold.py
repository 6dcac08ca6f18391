from __future__ import annotations

import math
from typing import Any

import pytest

from rung.model import BadInput, Stop
from rung.schedule.base import Ended, Progress
from rung.schedule.threshold import Threshold
from rung.testing.racing import contest


def rule(goal: str = "minimize", objectives: int = 1, **options: Any) -> Threshold:
    return Threshold(contest(options, method="threshold", goal=goal, objectives=objectives))


def ends_at(scheduler: Threshold, losses: list[float], number: int = 0) -> int | None:
    for step, loss in enumerate(losses, 1):
        if scheduler.observe([Progress(number, float(step), (loss,))]):
            return step
    return None


def test_no_number_ends_a_trial_at_once() -> None:
    (stop,) = rule(grace=9).observe([Progress(3, 1.0, (math.inf,))])
    assert isinstance(stop, Stop)
    assert not stop.complete
    assert stop.reason.text == "at epoch 1: loss0 is not a finite number"
    assert stop.reason.data["value"] == "NaN"
    assert stop.reason.data["threshold"] is None
    assert ends_at(rule(nan=False, above=5), [math.inf, 1.0, 6.0]) == 3


def test_bounds_are_in_the_direction_of_the_metric() -> None:
    assert ends_at(rule(above=5), [5.0, 4.0, 5.1]) == 3
    assert ends_at(rule(below=1), [1.0, 0.9]) == 2
    accuracy = rule("maximize", below=0.3)
    assert accuracy.observe([Progress(0, 1.0, (-0.3,))]) == []
    (stop,) = accuracy.observe([Progress(0, 2.0, (-0.29,))])
    assert stop.reason.text == "at epoch 2: loss0 0.29 is below 0.3"
    assert stop.reason.data == {
        "rule": "threshold", "rung": None, "resource": 2.0, "value": 0.29, "threshold": 0.3, "lost_to": [],
        "which": "below",
    }  # fmt: skip


def test_a_factor_is_held_against_the_best_or_the_first() -> None:
    assert ends_at(rule(factor=2), [4.0, 1.0, 2.0, 2.1]) == 4
    assert ends_at(rule(factor=2, against="first"), [1.0, 0.1, 2.0, 2.1]) == 4
    assert ends_at(rule("maximize", factor=2), [-0.2, -0.8, -0.4, -0.39]) == 4
    assert ends_at(rule(factor=2), [0.0, 1e9, 1e10]) is None, "a factor of zero says nothing"
    assert ends_at(rule(factor=2), [-1.0, 1e9]) is None, "nor of a negative one"
    text = rule(factor=3).observe([Progress(0, 1.0, (1.0,)), Progress(0, 2.0, (4.0,))])[0].reason.text
    assert text == "at epoch 2: loss0 4 is above 3, 3 times worse than its best, 1"


def test_nothing_holds_before_grace_and_values_there_count() -> None:
    assert ends_at(rule(factor=2, above=50, grace=3), [1.0, 100.0, 1.5]) is None
    assert ends_at(rule(factor=2, grace=3), [1.0, 100.0, 2.5]) == 3


def test_a_trial_that_is_tried_again_begins_anew() -> None:
    scheduler = rule(factor=2)
    scheduler.observe([Progress(0, 1.0, (1.0,)), Ended(0, (1.0,))])
    assert scheduler.observe([Progress(0, 2.0, (9.0,))]) == []


def test_one_of_several_objectives_is_named() -> None:
    scheduler = rule(objectives=2, metric="loss1", above=1)
    assert scheduler.observe([Progress(0, 1.0, (9.0, 0.5))]) == []
    assert scheduler.observe([Progress(0, 2.0, (9.0, None))]) == []
    assert len(scheduler.observe([Progress(0, 3.0, (None, 1.5))])) == 1


@pytest.mark.parametrize(
    ("options", "key"),
    [
        ({"above": 1, "below": 1}, "above"),
        ({"nan": False}, "nan"),
        ({"metric": "speed"}, "metric"),
        ({"factor": 1}, "factor"),
    ],
)
def test_options_that_make_no_sense(options: dict[str, Any], key: str) -> None:
    with pytest.raises(BadInput) as caught:
        rule(**options)
    assert caught.value.key == f"schedule.{key}"


def test_it_describes_its_bounds() -> None:
    assert rule(above=3, below=1, factor=2).describe() == (
        "threshold: ends a trial whose loss0 is above 3 or below 1 or 2 times worse than its best or no finite number"
    )
