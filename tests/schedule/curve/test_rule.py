from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from rung.model import BadInput, Stop
from rung.schedule.base import Ended, Progress
from rung.schedule.curve import Curve
from rung.schedule.curve.calibration import is_measured
from rung.schedule.curve.record import KEPT, MOST, Finished, Record
from rung.testing.racing import contest

EPOCHS = 27


def rule(goal: str = "minimize", objectives: int = 1, **options: Any) -> Curve:
    return Curve(contest(options, method="curve", goal=goal, objectives=objectives))


def plateaus(n: int, seed: int = 0) -> np.ndarray:
    """Exponentials to plateaus, with a little noise."""
    rng = np.random.default_rng(seed)
    t = np.arange(1, EPOCHS + 1)
    fall = np.exp(-rng.uniform(0.1, 0.6, n)[:, None] * t)
    return rng.gamma(2, 0.1, n)[:, None] + fall + rng.normal(0, 0.005, (n, EPOCHS))


def play(scheduler: Curve, curves: np.ndarray, first: int = 0) -> dict[int, Stop]:
    """Trials one after the other, each run until it is told to end; the stops."""
    stops: dict[int, Stop] = {}
    for number, curve in enumerate(curves.tolist(), first):
        loss = math.inf
        for epoch, loss in enumerate(curve, 1):
            found = scheduler.observe([Progress(number, float(epoch), (loss,))])
            if found:
                assert isinstance(found[0], Stop)
                stops[number] = found[0]
                break
        scheduler.observe([Ended(number, (loss,))])
    return stops


def test_hopeless_trials_end_early_and_the_best_do_not() -> None:
    curves = plateaus(80)
    stops = play(rule(), curves)
    used = sum(stops[n].reason.data["resource"] if n in stops else EPOCHS for n in range(80))
    assert used < 0.7 * curves.size
    final = curves[:, -1]
    wrong = [n for n in stops if final[n] < min(final[m] for m in range(n) if m not in stops)]
    assert len(wrong) == 0
    assert int(np.argmin(final)) not in stops


def test_nobody_is_stopped_before_enough_have_finished_and_some_never_are() -> None:
    stops = play(rule(population=20), plateaus(60))
    assert stops
    assert min(stops) >= 20
    for share in (0.1, 1.0):
        stops = play(rule(measure=share), plateaus(60))
        assert stops
        assert not any(is_measured(share, number, 7) for number in stops)


def test_a_stop_says_what_was_expected_and_who_was_better() -> None:
    curves = plateaus(40)
    stops = play(rule("maximize"), curves)
    number, stop = next(iter(stops.items()))
    data, text = stop.reason.data, stop.reason.text
    best = min(range(number), key=lambda n: math.inf if n in stops else curves[n, -1])
    assert data["lost_to"] == [best]
    assert data["threshold"] == -curves[best, -1]
    assert data["value"] == -curves[number, int(data["resource"]) - 1]
    assert 0 <= data["chance"] < data["level"] < data["alpha"] == 0.05
    assert "its chance of" in text
    assert text.endswith(f"which keeps wrong stops under 0.05; lost to trial {best}")


def test_a_larger_alpha_and_a_smaller_top_stop_more() -> None:
    curves = plateaus(60, 3)

    def used(**options: Any) -> float:
        stops = play(rule(**options), curves)
        return sum(stops[n].reason.data["resource"] if n in stops else EPOCHS for n in range(60))

    assert used(alpha=0.3) < used(alpha=0.02)
    assert used(top=1) < used(top=8)


def test_scale_and_place_of_the_loss_do_not_matter() -> None:
    curves = plateaus(40, 1)
    plain = play(rule(), curves)
    moved = play(rule(), 1024.0 * curves - 4096.0)
    assert plain.keys() == moved.keys()


@pytest.mark.parametrize("goal", ["minimize", "maximize"])
def test_constant_curves_end_at_the_first_look_once_there_is_a_better_one(goal: str) -> None:
    rng = np.random.default_rng(0)
    curves = np.repeat(rng.uniform(1, 2, 30)[:, None], EPOCHS, axis=1)
    stops = play(rule(goal), curves)
    assert len(stops) > 10
    assert all(stop.reason.data["resource"] <= 2 for stop in stops.values())


def test_a_trial_that_diverges_ends() -> None:
    curves = plateaus(31)
    curves[30, 5:] = math.inf
    curves[30, :5] = curves[:30].min(axis=0)[:5] / 2
    assert not is_measured(0.1, 30, 7)
    stops = play(rule(), curves)
    assert stops[30].reason.data["resource"] <= 8
    assert stops[30].reason.data["value"] == "NaN"


def test_seconds_that_never_coincide() -> None:
    rng = np.random.default_rng(2)
    scheduler, stopped = rule(max=3600), 0
    for number in range(60):
        plateau, speed = rng.gamma(2, 0.1), rng.uniform(20, 200)
        step, loss, over = 0.0, 1.0, False
        while step < 3600 and not over:
            step = min(3600.0, step + speed * rng.uniform(0.5, 1.5))
            loss = plateau + math.exp(-step / 500)
            over = bool(scheduler.observe([Progress(number, step, (loss,))]))
        stopped += over
        scheduler.observe([Ended(number, (loss,))])
    assert stopped > 20


def two(number: int, epoch: int) -> tuple[float, float]:
    """Trials on a front, and every third far behind it."""
    x = (number * 0.618) % 1
    behind = 1.0 if number % 3 == 2 else 0.0
    return x + behind + 1 / epoch, 1 - x + behind + 1 / epoch


def test_with_two_objectives_only_those_end_that_will_be_dominated() -> None:
    scheduler, stopped = rule(objectives=2, alpha=0.2), []
    for number in range(60):
        for epoch in range(1, EPOCHS + 1):
            found = scheduler.observe([Progress(number, float(epoch), two(number, epoch))])
            if found:
                stopped.append(number)
                assert len(found[0].reason.data["value"]) == len(found[0].reason.data["threshold"]) == 2
                break
        scheduler.observe([Ended(number, two(number, epoch))])
    assert stopped
    assert all(number % 3 == 2 for number in stopped)


def test_trials_that_break_a_bound_stand_in_nobodys_way() -> None:
    scheduler = rule()
    for number, curve in enumerate(plateaus(30).tolist()):
        for epoch, loss in enumerate(curve, 1):
            assert scheduler.observe([Progress(number, float(epoch), (loss,), violation=1.0)]) == []
        scheduler.observe([Ended(number, (curve[-1],))])


def test_a_trial_that_ran_past_the_maximum_has_finished() -> None:
    scheduler = rule()
    for epoch in range(1, EPOCHS + 2):
        found = scheduler.observe([Progress(0, float(epoch), (1 / epoch,))])
    assert [stop.complete for stop in found if isinstance(stop, Stop)] == [True]
    scheduler.observe([Ended(0, (0.03,))])
    assert scheduler.record.count == 1


def test_the_record_is_bounded_and_keeps_the_best_and_the_newest() -> None:
    record, seen = Record(0.05, 1, 1), np.zeros((1, 18, 4))
    for number in range(4 * KEPT):
        record.add(Finished(number, (abs(number - 50.0),), seen, 1.0, 0.0, usable=True))
    kept = set(record._known)
    assert record.count == 4 * KEPT
    assert len(kept) <= MOST
    assert set(range(50 - KEPT // 3, 50 + KEPT // 3)) <= kept
    assert set(range(3 * KEPT, 4 * KEPT)) <= kept


def test_a_trial_that_ends_a_second_time_has_its_last_result() -> None:
    record, seen = Record(0.05, 1, 1), np.zeros((1, 18, 4))
    for number, loss in ((0, 0.5), (1, 0.1), (1, 0.9), (2, 0.7)):
        record.add(Finished(number, (loss,), seen, 1.0, 0.0, usable=True))
    assert record.count == 3
    assert [trial.number for trial in record._line] == [0, 2, 1]
    assert record._targets.tolist() == [[0.5], [0.7], [0.9]]


def test_the_maximum_must_be_known() -> None:
    with pytest.raises(BadInput, match=r"schedule\.max: how far a trial can go must be known"):
        Curve(contest({}, method="curve", epochs=None))


def test_it_is_described() -> None:
    assert rule(top=3).describe() == (
        "curve: ends a trial whose learning curve has next to no chance of ending among the best 3 by epoch 27; of those "
        "that would, at most 5% are lost; the first 10 run to the end"
    )
