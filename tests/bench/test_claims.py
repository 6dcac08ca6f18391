"""Claims that are met or not by what the rounds say."""

from __future__ import annotations

import pytest
from bench.claims import Claim, judge
from bench.report import advance

COLUMNS = {
    ("rung", "ms"): [1.0, 2.0, 4.0],
    ("peer", "ms"): [10.0, 20.0, 40.0],
    ("rung", "per_second"): [900.0, 1000.0, 1100.0],
    ("peer", "per_second"): [90.0, 100.0, 110.0],
    ("floor", "flush_ms"): [0.5, 1.0, 2.0],
}


def column(side: str, metric: str) -> list[float]:
    return COLUMNS[side, metric]


def claim(**changes: object) -> Claim:
    return Claim(**({"what": "it", "metric": "ms", "unit": "ms"} | changes))  # type: ignore[arg-type]


def test_times_faster() -> None:
    verdict = judge(claim(peer="peer", goal=5.0, least=True), column)
    assert verdict.figure == (10.0, 10.0, 10.0)
    assert verdict.rung == (2.0, 1.0, 4.0)
    assert (verdict.met, verdict.certain, verdict.rounds) == (True, True, 3)


def test_a_rate_is_better_when_it_is_greater() -> None:
    verdict = judge(claim(metric="per_second", peer="peer", rate=True, goal=20.0, least=True), column)
    assert verdict.figure.median == pytest.approx(10.0)
    assert verdict.met is False


def test_times_as_much_against_another_metric() -> None:
    verdict = judge(claim(peer="floor", peer_metric="flush_ms", kind="times as much", goal=1.3), column)
    assert verdict.figure.median == pytest.approx(2.0)
    assert verdict.met is False


def test_more_is_a_difference_in_each_round() -> None:
    verdict = judge(claim(peer="peer", side="rung", kind="more", goal=-8.0), column)
    assert verdict.figure.median == -18.0
    assert verdict.met is True


def test_a_reading_within_noise_of_its_goal_is_not_certain() -> None:
    verdict = judge(claim(kind="reading", goal=2.5), column)
    assert verdict.peer is None
    assert (verdict.met, verdict.certain) == (True, False)


def test_without_a_goal_nothing_is_met() -> None:
    verdict = judge(claim(peer="peer"), column)
    assert (verdict.met, verdict.certain, advance(verdict)) == (None, True, None)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"peer": "peer", "goal": 5.0, "least": True}, 2.0),
        ({"peer": "peer", "goal": 20.0, "least": True}, 0.5),
        ({"kind": "reading", "goal": 8.0}, 4.0),
        ({"kind": "reading", "goal": 1.0}, 0.5),
    ],
)
def test_how_far_a_goal_is(changes: dict[str, object], expected: float) -> None:
    verdict = judge(claim(**changes), column)
    found = advance(verdict)
    assert found == pytest.approx(expected)
    assert verdict.met is (expected >= 1)
