from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rung.model import BadInput, Stop
from rung.schedule.base import Ended, Progress
from rung.schedule.patience import Patience
from rung.testing.racing import contest


def rule(**options: Any) -> Patience:
    return Patience(contest(options, method="patience", epochs=None))


def ends_at(scheduler: Patience, losses: list[float]) -> int | None:
    for step, loss in enumerate(losses, 1):
        if scheduler.observe([Progress(0, float(step), (loss,))]):
            return step
    return None


def slow_end(losses: list[float], reports: int, min_delta: float) -> int | None:
    """The end by the definition: so many reports in a row, none better by more than min_delta than the best before."""
    best, since = None, 0
    for step, loss in enumerate(losses, 1):
        if best is None or loss < best - min_delta:
            best, since = loss, 0
        else:
            since += 1
            if since == reports:
                return step
    return None


@given(st.lists(st.integers(0, 8).map(float), max_size=25), st.integers(1, 5), st.sampled_from([0, 1, 2.5]))
def test_it_ends_after_so_many_reports_without_improvement(losses: list[float], reports: int, delta: float) -> None:
    assert ends_at(rule(reports=reports, min_delta=delta), losses) == slow_end(losses, reports, delta)


def test_the_trial_is_complete_and_told_why() -> None:
    scheduler = rule(reports=2, min_delta=0.1)
    scheduler.observe([Progress(4, 1.0, (0.5,)), Progress(4, 2.0, (0.45,))])
    (stop,) = scheduler.observe([Progress(4, 3.0, (0.6,))])
    assert isinstance(stop, Stop)
    assert stop.complete
    assert stop.reason.text == (
        "at epoch 3: loss0 0.5 of epoch 1 was not bettered by more than 0.1 in 2 reports: the trial has finished"
    )
    assert stop.reason.data == {
        "rule": "patience", "rung": None, "resource": 3.0, "value": 0.6, "threshold": 0.4, "lost_to": []
    }  # fmt: skip


def test_patience_may_be_a_span_of_the_resource() -> None:
    scheduler = rule(span=10)
    for step, loss in ((3.5, 0.5), (9.0, 0.6), (13.4, 0.7)):
        assert scheduler.observe([Progress(0, step, (loss,))]) == []
    assert len(scheduler.observe([Progress(0, 13.5, (0.7,))])) == 1


def test_the_count_begins_at_grace() -> None:
    assert ends_at(rule(reports=2, grace=5), [1.0] * 9) == 6
    assert ends_at(rule(span=3, grace=5), [1.0] * 9) == 8


def test_who_is_tried_again_has_new_patience() -> None:
    scheduler = rule(reports=1)
    scheduler.observe([Progress(0, 1.0, (0.5,)), Ended(0, (0.5,))])
    assert scheduler.observe([Progress(0, 2.0, (0.9,))]) == []


def test_two_measures_of_patience_are_one_too_many() -> None:
    with pytest.raises(BadInput, match=r"schedule\.span: has no meaning beside `reports`"):
        rule(reports=3, span=5)


@pytest.mark.parametrize(("options", "waited"), [({}, "10 reports"), ({"span": 4}, "4 of epoch")])
def test_it_says_how_long_it_waits(options: dict[str, Any], waited: str) -> None:
    assert rule(**options).describe() == f"patience: a trial has finished when loss0 was not better in {waited}"
