from __future__ import annotations

import math
from collections import Counter
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rung.model import BadInput, Continue, Pause, Stop
from rung.schedule.asha import Asha
from rung.schedule.base import Ask, Begun, Ended, Held, Next, Progress, Resumed
from rung.schedule.hyperband import Hyperband
from rung.testing.racing import Command, Meeting, contest, reaches, spread

RNG = np.random.default_rng(0)
LEVELS = (1, 3, 9, 27)


def synchronous(*, trials: int | None = None, **options: Any) -> Hyperband:
    return Hyperband(contest({"synchronous": True, **options}, trials=trials))


def nexts(scheduler: Hyperband) -> Next:
    return scheduler.next(99, RNG)


def begin(scheduler: Hyperband, *numbers: int) -> None:
    for number in numbers:
        place = nexts(scheduler)
        assert isinstance(place, Ask)
        scheduler.observe([Begun(number, {}, ticket=place.ticket)])


def report(scheduler: Hyperband, number: int, step: float, loss: float) -> list[Command]:
    """What follows; who is to be held is."""
    found = scheduler.observe([Progress(number, step, (loss,))])
    for command in found:
        if isinstance(command, Pause):
            assert command.trial == number
            scheduler.observe([Held(number)])
    return found


def kinds(commands: list[Command]) -> dict[int, type[Command]]:
    return {command.trial: type(command) for command in commands}


def continued(scheduler: Hyperband) -> list[int]:
    found = []
    while isinstance(place := nexts(scheduler), Continue):
        found.append(place.trial)
        scheduler.observe([Resumed(place.trial, place.to)])
    return found


# -------------------------------------------------------------------------------------------------------- asynchronous


def test_asynchronous_hyperband_is_asha_in_all_brackets() -> None:
    for kind in ("stopping", "promotion"):
        asked = contest({"type": kind}, trials=60)
        ours = Meeting(Hyperband(asked), asked, trials=60).go()
        asha = contest({"type": kind, "brackets": 4}, trials=60)
        theirs = Meeting(Asha(asha), asha, trials=60).go()
        assert [run.steps for run in ours.runs] == [run.steps for run in theirs.runs]
        assert ours.begun == [ours_reason(place) for place in theirs.begun]
        assert {command.reason.by for command in ours.commands()} == {"hyperband"}


def ours_reason(place: Any) -> Any:
    """The same with the name of the rule exchanged."""
    if not isinstance(place, Continue):
        return place
    data = {**place.reason.data, "rule": "hyperband"}
    reason = type(place.reason)(by="hyperband", text=place.reason.text, data=data)
    return Continue(trial=place.trial, to=place.to, reason=reason)


def test_the_last_bracket_runs_to_the_top_at_once() -> None:
    scheduler = Hyperband(contest({"type": "promotion"}))
    scheduler.observe([Begun(0, {}, ticket={"bracket": 3})])
    assert [scheduler.observe([Progress(0, step, (9.0,))]) for step in (1, 3, 9, 27)] == [[]] * 4


# --------------------------------------------------------------------------------------------------------- synchronous


def test_a_rung_is_promoted_when_all_its_results_are_known() -> None:
    scheduler = synchronous(max=9)
    begin(scheduler, *range(9))
    losses = [3.0, 5.0, 1.0, 4.0, 9.0, 6.0, 2.0, 7.0, 8.0]
    for number in range(8):
        assert kinds(report(scheduler, number, 1, losses[number])) == {number: Pause}
    found = kinds(report(scheduler, 8, 1, losses[8]))
    assert found == dict.fromkeys((1, 3, 4, 5, 7, 8), Stop)
    assert continued(scheduler) == [2, 6, 0]


def test_a_pause_says_what_is_waited_for() -> None:
    scheduler = synchronous(max=9)
    begin(scheduler, 0, 1)
    report(scheduler, 0, 1, 0.5)
    found = report(scheduler, 1, 2, 0.75)[0]
    assert found.reason.text == (
        "at epoch 2 of rung 0: loss0 0.75 is 2nd of 2 so far; held until all 9 of the rung are known"
    )
    assert found.reason.data["lost_to"] == [0]


def test_who_is_held_at_the_top_already_is_ended_when_it_lost() -> None:
    """Its program ran on while it was being held."""
    scheduler = synchronous(max=9, trials=3)
    begin(scheduler, 0, 1, 2)
    for number in range(3):
        found = scheduler.observe([Progress(number, 1, (float(number),))])
        found += scheduler.observe([Progress(number, 9, (float(number),)), Held(number)])
    assert kinds(found) == {1: Stop, 2: Stop}
    assert continued(scheduler) == [0]


def test_the_last_to_report_goes_on_at_once_if_it_may() -> None:
    scheduler = synchronous(max=9)
    begin(scheduler, *range(9))
    for number in range(8):
        report(scheduler, number, 1, float(number))
    found = {command.trial: command for command in report(scheduler, 8, 1, -1.0)}
    onward = found[8]
    assert isinstance(onward, Continue)
    assert (onward.to, onward.reason.text) == (3, "epoch 1 of rung 0: 1st of 9, goes on to epoch 3")
    lost = found[2]
    assert isinstance(lost, Stop)
    assert lost.reason.text == "at epoch 1 of rung 0: loss0 2 is above 1, the best 33% of 9; lost to trials 8, 0, 1"
    assert continued(scheduler) == [0, 1]


def test_idle_workers_open_the_next_bracket() -> None:
    scheduler = synchronous(max=9)
    begun = Counter[Any]()
    for number in range(9 + 5 + 3 + 9):
        place = nexts(scheduler)
        assert isinstance(place, Ask)
        assert place.ticket is not None
        begun[place.ticket["bracket"], place.ticket["first"], place.resource] += 1
        scheduler.observe([Begun(number, {}, ticket=place.ticket)])
    assert begun == {(0, 0, 1): 9, (1, 1, 3): 5, (2, 2, 9): 3, (3, 0, 1): 9}


def test_the_oldest_bracket_is_promoted_first() -> None:
    scheduler = synchronous(max=9)
    begin(scheduler, *range(14))
    for number in range(9, 14):  # all of the second bracket, then all of the first
        report(scheduler, number, 3, float(number))
    for number in range(9):
        report(scheduler, number, 1, float(number))
    assert continued(scheduler) == [0, 1, 2, 9, 10]


def test_who_failed_counts_as_worst_and_who_ended_cannot_go_on() -> None:
    scheduler = synchronous(max=9)
    begin(scheduler, *range(9))
    for number in range(6):
        report(scheduler, number, 1, float(number))
    scheduler.observe([Ended(0, (0.0,))])  # a user stopped the best one
    scheduler.observe([Ended(6, None), Ended(7, None)])
    assert isinstance(nexts(scheduler), Ask)
    assert kinds(scheduler.observe([Ended(8, None)])) == {4: Stop, 5: Stop}
    assert continued(scheduler) == [1, 2, 3]


def test_a_bracket_of_failures_is_over() -> None:
    scheduler = synchronous(max=9)
    begin(scheduler, *range(9))
    assert scheduler.observe([Ended(number, None) for number in range(9)]) == []
    place = nexts(scheduler)
    assert place == Ask(resource=3, ticket={"bracket": 1, "first": 1})


def test_a_bracket_that_the_budget_does_not_fill_goes_on_with_what_it_has() -> None:
    scheduler = synchronous(max=9, trials=4)
    begin(scheduler, 0, 1, 2, 3)
    found = [report(scheduler, number, 1, float(number)) for number in range(4)]
    assert kinds(found[-1]) == {2: Stop, 3: Stop}  # 9 to 3 to 1 became 4 to 2 to 1
    assert continued(scheduler) == [0, 1]
    assert kinds(report(scheduler, 0, 3, 0.5)) == {0: Pause}
    assert kinds(report(scheduler, 1, 3, 0.4)) == {0: Stop, 1: Continue}


def test_failed_trials_leave_room_in_the_budget() -> None:
    scheduler = synchronous(max=9, trials=2)
    begin(scheduler, 0, 1)
    report(scheduler, 0, 1, 0.5)
    assert scheduler.observe([Ended(1, None)]) == []  # another trial begins instead of it
    begin(scheduler, 2)
    assert kinds(report(scheduler, 2, 1, 0.6)) == {2: Stop}
    assert continued(scheduler) == [0]


def test_a_report_that_jumps_counts_in_the_next_rung_too() -> None:
    scheduler = synchronous(max=9)
    begin(scheduler, *range(9))
    for number in range(8):
        report(scheduler, number, 4, float(number))  # past rung 1 as well
    found = kinds(report(scheduler, 8, 4, 8.0))
    assert {trial for trial, kind in found.items() if kind is Stop} == {1, 2, 3, 4, 5, 6, 7, 8}
    assert continued(scheduler) == [0]


def test_a_trial_at_max_ends_by_itself_and_beyond_it_is_complete() -> None:
    scheduler = synchronous(max=9)
    begin(scheduler, 0, 1)
    assert report(scheduler, 0, 9, 0.5) == []
    found = report(scheduler, 1, 10, 0.5)
    assert [isinstance(command, Stop) and command.complete for command in found] == [True]
    scheduler.observe([Ended(0, (0.5,)), Ended(1, (0.5,))])


def test_who_is_tried_again_runs_alone() -> None:
    scheduler = synchronous(max=9)
    begin(scheduler, *range(9))
    scheduler.observe([Ended(0, None)])
    assert [report(scheduler, 0, step, -1.0) for step in (1, 3, 9)] == [[], [], []]
    scheduler.observe([Ended(0, (-1.0,))])
    for number in range(1, 9):
        report(scheduler, number, 1, float(number))
    assert continued(scheduler) == [1, 2, 3]


def test_more_rungs_than_brackets_can_have_are_refused_at_once() -> None:
    """The numbers of trials in its brackets have hundreds of digits."""
    for options in ({}, {"synchronous": True}):
        with pytest.raises(BadInput, match="makes 999 rungs, too many for 1000 brackets") as caught:
            Hyperband(contest({"max": 9990, "increment": 10, **options}))
        assert caught.value.key == "schedule.increment"


def test_without_a_maximum_there_are_no_brackets() -> None:
    with pytest.raises(BadInput) as caught:
        Hyperband(contest({}, epochs=None))
    assert caught.value.key == "schedule.max"
    for name, value in (("type", "promotion"), ("cut", "count")):
        with pytest.raises(BadInput) as caught:
            Hyperband(contest({"synchronous": True, name: value}))
        assert caught.value.key == f"schedule.{name}"


def test_the_plan_adds_up_the_turns_of_each_bracket() -> None:
    scheduler = synchronous(max=9)  # 9, 5 and 3 trials
    planned = scheduler.brackets(17 * 2 + 9 + 2)
    assert [bracket.trials for bracket in planned] == [27, 12, 6]
    assert [[level.trials for level in bracket.levels] for bracket in planned] == [[27, 9, 3], [12, 5], [6]]


# ---------------------------------------------------------------------------------------------------------- properties


class Twin:
    """Algorithm 1 of the paper, one bracket after the other: who is stopped at which rung."""

    def __init__(self, loss: Any, sizes: list[list[int]], levels: tuple[int, ...]) -> None:
        self.loss, self.sizes, self.levels = loss, sizes, levels

    def ends(self) -> dict[int, int]:
        """For each trial of one round the resource at which it ends."""
        found: dict[int, int] = {}
        first = 0
        for bracket, sizes in enumerate(self.sizes):
            alive = list(range(first, first + sizes[0]))
            first += sizes[0]
            for level, following in zip(self.levels[bracket:], [*sizes[1:], 0], strict=True):
                found |= dict.fromkeys(alive, level)
                alive = sorted(alive, key=lambda n: (self.loss(n, level), n))[:following]
        return found


@settings(max_examples=10)
@given(st.integers(0, 99), st.integers(1, 40), st.booleans())
def test_every_trial_ends_where_the_paper_ends_it_however_many_workers(salt: int, workers: int, obedient: bool) -> None:
    """The brackets are synchronous: the order of reports has no say in them."""

    def curve(number: int, step: float) -> tuple[float, ...]:
        return (spread(number, salt) + (0.5 + spread(number, salt + 1)) / step,)

    asked = contest({"synchronous": True})
    meeting = Meeting(Hyperband(asked), asked, curve=curve, trials=49, workers=workers, obedient=obedient).go().check()
    sizes = [[27, 9, 3, 1], [12, 4, 2], [6, 2], [4]]
    assert {run.number: int(run.step) for run in meeting.runs} == Twin(curve, sizes, LEVELS).ends()
    assert all(run.steps == [float(step) for step in range(1, int(run.step) + 1)] for run in meeting.runs)


@pytest.mark.parametrize("kind", [{"synchronous": True}, {"type": "promotion"}, {"type": "stopping"}])
@settings(max_examples=8)
@given(st.integers(1, 12), st.integers(1, 60), st.integers(0, 2))
def test_the_budget_is_never_exceeded_by_more_than_the_work_in_flight(
    kind: dict[str, Any], workers: int, trials: int, lag: int
) -> None:
    asked = contest(kind, trials=trials)
    meeting = Meeting(Hyperband(asked), asked, trials=trials, workers=workers, lag=lag).go().check()
    assert len(meeting.runs) == trials
    told = sum(isinstance(command, Pause | Stop) for command in meeting.commands())
    assert meeting.beyond() <= lag * told
    assert reaches(meeting, [28]) == [0]
    if "synchronous" in kind:
        assert {run.state for run in meeting.runs} == {"ended"}  # nobody is left waiting for a rung to fill


def test_failures_do_not_hold_a_bracket_up() -> None:
    asked = contest({"synchronous": True}, trials=49)

    def curve(number: int, step: float) -> tuple[float, ...] | None:
        return None if number % 3 == 0 and step >= 1 + number % 5 else (spread(number) + 1 / step,)

    meeting = Meeting(Hyperband(asked), asked, trials=49, workers=5, curve=curve).go().check()
    assert {run.state for run in meeting.runs} == {"ended"}
    assert max(run.step for run in meeting.runs) == 27
    assert not math.isinf(meeting.work())
