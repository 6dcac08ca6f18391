from __future__ import annotations

import math
from collections import Counter
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rung.model import Continue, Pause, Stop
from rung.schedule.asha import Asha
from rung.schedule.base import Ask, Begun, Bracket, Ended, Held, Level, Next, Progress, Resumed
from rung.schedule.plan import MOST_HALVINGS, Allocation, allocated
from rung.testing.racing import Command, Meeting, contest, reaches, spread

RNG = np.random.default_rng(0)
LEVELS = (1, 3, 9, 27)


def made(**options: Any) -> Asha:
    return Asha(contest(options))


def promoting(**options: Any) -> Asha:
    return made(type="promotion", **options)


def report(scheduler: Asha, number: int, step: float, loss: float | None, violation: float = 0.0) -> Command | None:
    found = scheduler.observe([Progress(number, step, (loss,), violation=violation)])
    assert len(found) <= 1
    return found[0] if found else None


def nexts(scheduler: Asha) -> Next:
    return scheduler.next(99, RNG)


# ------------------------------------------------------------------------------------------------------------ stopping


@settings(max_examples=40)
@given(st.lists(st.tuples(st.integers(0, 7), st.integers(1, 12), st.sampled_from([0.1, 0.2, 0.5, 0.9])), max_size=60))
def test_stopping_is_its_slow_twin(script: list[tuple[int, int, float]]) -> None:
    """Reports of eight trials in any order, with steps that jump: against every rung kept as a plain list."""
    scheduler, rungs, steps = made(), {level: dict[int, float]() for level in LEVELS[:-1]}, Counter[int]()
    stopped: set[int] = set()
    for number, stride, loss in script:
        steps[number] += stride
        if number in stopped or steps[number] > 27:
            continue
        expected = False
        for level, following in pairwise(LEVELS):
            if not expected and level <= steps[number] and number not in rungs[level]:
                rungs[level][number] = loss
                values = list(rungs[level].values())
                cut = steps[number] < 27 and len(values) > 1 and loss > np.quantile(values, level / following)
                expected = bool(cut)
        assert isinstance(report(scheduler, number, steps[number], loss), Stop) == expected
        stopped |= {number} if expected else set()


def test_at_max_a_trial_ends_by_itself_and_beyond_it_is_complete() -> None:
    scheduler = made()
    assert report(scheduler, 0, 1, 0.1) is None
    assert report(scheduler, 1, 27, 0.9) is None  # worse in all of three rungs, but there is nothing left to save
    found = report(scheduler, 1, 28, 0.9)
    assert isinstance(found, Stop)
    assert found.complete
    assert found.reason.text == "at epoch 28: has had all of the 27 that a trial gets"
    assert report(scheduler, 1, 29, 0.9) is None  # it was told
    assert nexts(scheduler) == Ask(resource=27, ticket={"bracket": 0})


def test_without_a_top_nothing_is_complete() -> None:
    scheduler = Asha(contest({}, epochs=None))
    assert report(scheduler, 0, 10_000, 0.5) is None
    assert nexts(scheduler) == Ask(resource=None, ticket={"bracket": 0})
    found = report(scheduler, 1, 10_000, 0.6)
    assert isinstance(found, Stop)
    assert not found.complete


def test_a_stop_says_who_it_lost_to_and_by_how_much() -> None:
    scheduler = Asha(contest({}, goal="maximize"))
    for number, accuracy in enumerate([0.5, 0.9, 0.9, 0.7, 0.8]):
        report(scheduler, number, 1, -accuracy)
    found = report(scheduler, 5, 2, -0.6)
    assert isinstance(found, Stop)
    assert found.reason.by == "asha"
    assert found.reason.text == (
        "at epoch 2 of rung 0: loss0 0.6 is below 0.833333, the best 33% of 6; lost to trials 1, 2, 4, 3"
    )
    assert found.reason.data == {
        "rule": "asha", "bracket": 0, "rung": 0, "resource": 1, "value": 0.6,
        "threshold": pytest.approx(0.8 + 0.1 / 3), "lost_to": [1, 2, 4, 3],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("goal", "loss", "violation", "said"),
    [
        ("minimize", math.inf, 0.0, "loss0 no number is not among the best 33% of 3; lost to trials 0, 1"),
        ("minimize", 0.1, 2.5, "breaks its bounds by 2.5, not among the best 33% of 3; lost to trials 0, 1"),
        (0.5, 0.6, 0.0, "|loss0 - 0.5| 0.6 is above 0.266667, the best 33% of 3; lost to trials 0, 1"),
    ],
)
def test_what_a_stop_says_of_odd_results(goal: Any, loss: float, violation: float, said: str) -> None:
    scheduler = Asha(contest({}, goal=goal))
    for number, earlier in enumerate([0.2, 0.3]):
        report(scheduler, number, 1, earlier)
    found = report(scheduler, 2, 1, loss, violation)
    assert isinstance(found, Stop)
    assert found.reason.text == f"at epoch 1 of rung 0: {said}"


def test_a_trial_that_was_stopped_and_is_tried_again_is_not_stopped_at_that_rung_again() -> None:
    scheduler = made()
    report(scheduler, 0, 1, 0.1)
    assert isinstance(report(scheduler, 1, 1, 0.9), Stop)
    scheduler.observe([Ended(1, (0.9,))])
    assert report(scheduler, 1, 1, 0.8) is None
    assert report(scheduler, 1, 2, 0.8) is None
    report(scheduler, 0, 3, 0.1)
    assert isinstance(report(scheduler, 1, 3, 0.8), Stop)


def test_a_clone_is_not_compared_where_its_parent_was() -> None:
    scheduler = made()
    for number in range(3):
        report(scheduler, number, 1, 0.1)
    scheduler.observe([Begun(3, {}, parent=0, step=2.0)])
    assert report(scheduler, 3, 2.5, 9.0) is None


# ----------------------------------------------------------------------------------------------------------- promotion


class Twin:
    """Algorithm 2 of the paper on plain lists: `rungs[k]` maps trial to loss, `promoted[k]` is who went on from k."""

    def __init__(self, eta: int) -> None:
        self.eta = eta
        self.rungs: list[dict[int, float]] = [{} for _ in LEVELS[:-1]]
        self.promoted: list[set[int]] = [set() for _ in LEVELS[:-1]]

    def promotable(self, k: int) -> list[int]:
        """Line 14 and 15: of the top |rung| / eta those that were not promoted, best first."""
        best = sorted(self.rungs[k], key=lambda n: (self.rungs[k][n], n))[: len(self.rungs[k]) // self.eta]
        return [n for n in best if n not in self.promoted[k]]

    def job(self) -> tuple[int, int] | None:
        """Lines 12 to 19: the trial to promote, and from which rung; None: a new one."""
        for k in reversed(range(len(self.rungs))):
            found = self.promotable(k)
            if found:
                return found[0], k
        return None


@settings(max_examples=40)
@given(
    st.sampled_from([2, 3]),
    st.lists(st.tuples(st.integers(0, 3), st.sampled_from([0.1, 0.2, 0.3, 0.5, 0.9])), max_size=80),
)
def test_promotion_is_its_slow_twin(eta: int, script: list[tuple[int, float]]) -> None:
    """Four workers whose jobs end in any order; a job is to run a trial to its next rung."""
    scheduler, twin = promoting(levels=list(LEVELS[:-1]), eta=eta), Twin(eta)
    jobs: dict[int, tuple[int, int]] = {}  # worker: trial, rung
    begun = 0
    for worker, loss in script:
        if worker not in jobs:
            expected, place = twin.job(), nexts(scheduler)
            if expected is None:
                assert place == Ask(resource=1, ticket={"bracket": 0})
                scheduler.observe([Begun(begun, {}, ticket={"bracket": 0})])
                jobs[worker], begun = (begun, 0), begun + 1
            else:
                trial, k = expected
                assert isinstance(place, Continue)
                assert (place.trial, place.to) == (trial, LEVELS[k + 1])
                twin.promoted[k].add(trial)
                scheduler.observe([Resumed(trial, place.to)])
                jobs[worker] = (trial, k + 1)
            continue
        trial, k = jobs.pop(worker)
        if k == len(twin.rungs):
            assert report(scheduler, trial, LEVELS[k], loss) is None
            scheduler.observe([Ended(trial, (loss,))])
            continue
        twin.rungs[k][trial] = loss
        found = report(scheduler, trial, LEVELS[k], loss)
        if trial in twin.promotable(k):  # it goes on at once, without losing its worker
            assert isinstance(found, Continue)
            assert found.to == LEVELS[k + 1]
            twin.promoted[k].add(trial)
            jobs[worker] = (trial, k + 1)
        else:
            assert isinstance(found, Pause)
            scheduler.observe([Held(trial)])


def filled_rung(scheduler: Asha, losses: list[float]) -> None:
    for number, loss in enumerate(losses):
        scheduler.observe([Begun(number, {}, ticket={"bracket": 0})])
        if isinstance(report(scheduler, number, 1, loss), Pause):
            scheduler.observe([Held(number)])


def test_a_paused_trial_waits_until_its_program_is_gone() -> None:
    scheduler = promoting()
    filled_rung(scheduler, [0.5, 0.6])
    assert isinstance(report(scheduler, 2, 1, 0.7), Pause)  # three: trial 0 is promotable, and held
    assert nexts(scheduler).trial == 0  # type: ignore[union-attr]
    scheduler = promoting()
    filled_rung(scheduler, [0.6, 0.7])
    found = report(scheduler, 2, 1, 0.65)
    assert isinstance(found, Pause)
    assert found.reason.text == (
        "at epoch 1 of rung 0: loss0 0.65 is above 0.6, the best 33% of 3; behind trial 0; held until it is"
    )
    scheduler.observe([Resumed(0, 3)])
    report(scheduler, 3, 1, 0.9)
    report(scheduler, 4, 1, 0.9)
    report(scheduler, 5, 1, 0.9)  # six: the best two, but trial 2 is not held yet
    assert isinstance(nexts(scheduler), Ask)
    scheduler.observe([Held(2)])
    assert nexts(scheduler).trial == 2  # type: ignore[union-attr]


def test_the_highest_rung_comes_first() -> None:
    scheduler = promoting(levels=[1, 3], eta=2)
    filled_rung(scheduler, [0.1, 0.2, 0.3, 0.4])
    for number in (0, 1):
        scheduler.observe([Resumed(number, 3)])
        if isinstance(report(scheduler, number, 3, 0.5 + number), Pause):
            scheduler.observe([Held(number)])
    filled = [Begun(n, {}) for n in (4, 5)]
    scheduler.observe(filled)
    for number in (4, 5):
        report(scheduler, number, 1, 0.9)
        scheduler.observe([Held(number)])
    found = nexts(scheduler)
    assert isinstance(found, Continue)
    assert (found.trial, found.to) == (0, 27)
    assert found.reason.text == "epoch 3 of rung 1: 1st of 2, goes on to epoch 27"


def test_a_paused_trial_that_ended_is_never_continued_but_counts() -> None:
    scheduler = promoting()
    filled_rung(scheduler, [0.5, 0.6, 0.7])
    scheduler.observe([Ended(0, (0.5,))])
    assert isinstance(nexts(scheduler), Ask)
    for number in (3, 4, 5):
        filled = report(scheduler, number, 1, 0.8)
        assert isinstance(filled, Pause)
        scheduler.observe([Held(number)])
    assert nexts(scheduler).trial == 1  # type: ignore[union-attr]  # the best two of six: 0, which has ended, and 1


def test_one_report_may_clear_several_rungs() -> None:
    scheduler = promoting()
    filled_rung(scheduler, [0.5, 0.6])
    scheduler.observe([Begun(2, {})])
    assert isinstance(report(scheduler, 2, 10, 0.4), Pause)  # it stands at rung 2, alone, and is in all below
    scheduler.observe([Held(2)])
    assert isinstance(nexts(scheduler), Ask)  # the first of rung 0 went on from there long ago
    for number, loss in ((3, 0.7), (4, 0.8)):
        report(scheduler, number, 12, loss)
        scheduler.observe([Held(number)])
    found = nexts(scheduler)
    assert isinstance(found, Continue)
    assert (found.trial, found.to) == (2, 27)


def test_a_trial_that_is_held_short_of_its_rung_goes_on_first() -> None:
    scheduler = promoting()
    filled_rung(scheduler, [0.5, 0.6, 0.7])
    scheduler.observe([Begun(3, {}, ticket={"bracket": 0}), Held(3)])
    found = nexts(scheduler)
    assert isinstance(found, Continue)
    assert (found.trial, found.to, found.reason.text) == (3, 1, "was held on its way; goes on to epoch 1")
    scheduler.observe([Resumed(3, 1)])
    assert nexts(scheduler).trial == 0  # type: ignore[union-attr]


def test_a_late_continue_does_not_reach_beyond_what_it_says() -> None:
    """It was decided before the report that brought the trial to the next rung was known."""
    scheduler = promoting()
    filled_rung(scheduler, [0.6, 0.7])
    assert isinstance(report(scheduler, 2, 1, 0.5), Continue)
    assert isinstance(report(scheduler, 2, 3, 0.5), Pause)
    scheduler.observe([Resumed(2, 3)])
    assert isinstance(report(scheduler, 2, 4, 0.5), Pause)


def test_who_is_being_paused_and_reports_on_is_not_told_again() -> None:
    scheduler = promoting()
    filled_rung(scheduler, [0.5])
    assert isinstance(report(scheduler, 1, 1, 0.6), Pause)
    assert report(scheduler, 1, 2, 0.6) is None
    assert report(scheduler, 1, 3, 0.6) is None
    found = report(scheduler, 1, 28, 0.6)
    assert isinstance(found, Stop)
    assert found.complete


# ------------------------------------------------------------------------------------------------------------ brackets


def test_brackets_get_their_part_at_any_time() -> None:
    scheduler = made(brackets=3)
    begun = Counter[int]()
    for number in range(100):
        place = nexts(scheduler)
        assert isinstance(place, Ask)
        assert place.ticket is not None
        begun[place.ticket["bracket"]] += 1
        scheduler.observe([Begun(number, {}, ticket=place.ticket)])
    assert [begun[b] for b in range(3)] == [bracket.trials for bracket in scheduler.brackets(100)]
    assert [bracket.trials for bracket in scheduler.brackets(100)] == [60, 27, 13]  # as 27, 12 and 6


@given(st.lists(st.integers(1, 100), min_size=1, max_size=5), st.integers(0, 60))
def test_the_allocation_of_many_is_that_of_one_by_one(weights: list[int], trials: int) -> None:
    slow = Allocation(weights)
    for _ in range(trials):
        slow.add(slow.next())
    assert allocated(weights, trials) == slow.counts


def test_a_bracket_has_no_rungs_below_its_first() -> None:
    scheduler = made(brackets=2)
    for number in range(6):
        scheduler.observe([Begun(number, {}, ticket={"bracket": 1})])
        assert report(scheduler, number, 1, float(number)) is None
    assert [isinstance(report(scheduler, n, 3, float(n)), Stop) for n in (1, 0, 5)] == [False, False, True]


def test_the_plan_of_one_bracket() -> None:
    levels = (Level(24, 64), Level(6, 256), Level(1, 1024))
    assert made(min=64, max=1024, eta=4).brackets(24) == [Bracket(24, levels)]
    assert made().brackets(None) == [Bracket(27, tuple(map(Level, (27, 9, 3, 1), LEVELS)))]
    [many] = made(max=9990, increment=10).brackets(None)
    assert many.trials == 3**MOST_HALVINGS, "not a number of hundreds of digits"
    assert [level.trials for level in many.levels[-988:]] == [1] * 988
    endless = Asha(contest({}, epochs=None))
    assert endless.brackets(10) == [Bracket(10, (Level(10, 1), Level(3, 3), Level(1, 9)))]


@pytest.mark.parametrize(
    ("options", "epochs", "said"),
    [
        ({}, 27, "ends all but about the best 1/3 of the trials at epoch 1, 3, 9, up to 27"),
        (
            {"eta": 2.5, "type": "promotion"},
            9,
            "holds all but about the best 1/2.5 of the trials at epoch 1, 2, 6, up to 9",
        ),
        ({}, None, "ends all but about the best 1/3 of the trials at epoch 1, 3, 9, 27, 81, 243 and so on"),
        ({"eta": 2}, 1024, "ends all but about the best 1/2 of the trials at epoch 1, 2, 4, 8, ..., 512, up to 1024"),
    ],
)
def test_it_is_described(options: dict[str, Any], epochs: int | None, said: str) -> None:
    assert Asha(contest(options, epochs=epochs)).describe() == f"ASHA ({options.get('type', 'stopping')}): {said}"


# ---------------------------------------------------------------------------------------------------------- properties


@pytest.mark.parametrize("kind", ["stopping", "promotion"])
@pytest.mark.parametrize("lag", [0, 2])
@settings(max_examples=8)
@given(st.integers(1, 9), st.integers(1, 40), st.integers(0, 99))
def test_the_budget_is_never_exceeded_by_more_than_the_work_in_flight(
    kind: str, lag: int, workers: int, trials: int, salt: int
) -> None:
    """Beyond what trials were let there is at most what each did before it obeyed, and no more trials than asked."""
    asked = contest({"type": kind}, trials=trials)

    def curve(number: int, step: float) -> tuple[float, ...]:
        return (spread(number, salt) + 1 / step,)

    meeting = Meeting(Asha(asked), asked, curve=curve, workers=workers, trials=trials, lag=lag).go().check()
    assert len(meeting.runs) == trials
    told = sum(isinstance(command, Pause | Stop) for command in meeting.commands())
    assert meeting.beyond() <= lag * told
    assert all(run.step <= 27 for run in meeting.runs)
    for run in meeting.runs:  # neither repeated nor skipped, however often it was paused
        assert run.steps == [float(step) for step in range(1, int(run.step) + 1)]
    counts = reaches(meeting, LEVELS)
    assert counts == sorted(counts, reverse=True)


def test_a_paused_trial_stands_at_a_rung() -> None:
    asked = contest({"type": "promotion"}, trials=60)
    meeting = Meeting(Asha(asked), asked, trials=60, obedient=True).go().check()
    assert {run.step for run in meeting.runs} <= set(map(float, LEVELS))
    assert max(run.attempts for run in meeting.runs) > 1


@pytest.mark.parametrize("kind", ["stopping", "promotion"])
def test_it_finds_the_best_with_a_fraction_of_the_work(kind: str) -> None:
    """On curves that do not cross, the best configuration is among those that get all."""
    asked = contest({"type": kind}, trials=81)
    meeting = Meeting(Asha(asked), asked, trials=81, workers=9, curve=lambda n, step: (spread(n) + 1 / step,)).go()
    best = min(range(81), key=spread)
    assert meeting.runs[best].step == 27
    assert meeting.work() < 81 * 27 / 4


def test_several_objectives_keep_the_front() -> None:
    asked = contest({}, objectives=2, trials=40)
    meeting = Meeting(Asha(asked), asked, trials=40, curve=lambda n, _: (float(n % 10), float(n % 10) + (n >= 10))).go()
    ends = {run.number: run.step for run in meeting.runs}
    assert ends[0] == 27
    assert ends[39] < 27
    stops = [command for command in meeting.commands() if isinstance(command, Stop)]
    assert stops[0].reason.data["threshold"] is None
    assert len(stops[0].reason.data["value"]) == 2
