"""The conformance suite of `rung.schedule.base.Scheduler`: what every scheduler must do, as tests to inherit.

    class TestMine(SchedulerConformance):
        given = {"eta": 2}                      # options of the study file, if it needs any

        @pytest.fixture
        def make(self):
            return MyScheduler                  # called with a `Contest`

`BAD` has values that its options must refuse, beside a mapping, which all but those in `MAPPINGS` must. `MANY` is for
how many trials the work for one delta must not grow; `TRIALS` is how long the other tests take a study to be; `SWAPS`
is how many pairs of neighbours change places, about.

What is promised about order: nothing depends on the order in which reports of *other* trials were stored, as far as
those are independent. Two neighbouring reports of different trials are independent if changing places changes nothing
of what is answered to the two; then nothing changes after them either, in no command, in no reason, in no `next`.
"""

from __future__ import annotations

import json
import math
import sys
from collections import Counter
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING, Any, ClassVar

import pytest

from rung.model import BadInput, Continue, Pause, Stop
from rung.schedule.base import Begun, Contest, Delta, Ended, Held, Next, Progress, Resumed, Scheduler
from rung.study.seeds import generator
from rung.testing.racing import Command, MakeScheduler, Meeting, contest, falling, spread

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

REASON = ("rule", "resource", "value", "threshold", "lost_to")


class SchedulerConformance:
    """Inherit, and provide the fixture `make`."""

    given: ClassVar[Mapping[str, Any]] = {}
    BAD: ClassVar[Mapping[str, Sequence[Any]]] = {}
    MAPPINGS: ClassVar[frozenset[str]] = frozenset()
    TRIALS: ClassVar[int] = 40
    MANY: ClassVar[int] = 10_000
    SWAPS: ClassVar[int] = 60
    FILLS: ClassVar[bool] = True
    """Whether it goes on to begin trials as long as the budget allows."""

    @pytest.fixture
    def make(self) -> MakeScheduler:
        raise NotImplementedError("provide a fixture `make` that gives the scheduler's class")

    def asked(self, **changes: Any) -> Contest:
        """The contest of the tests."""
        return contest({**self.given, **changes.pop("options", {})}, **{"trials": self.TRIALS, **changes})

    def meeting(self, make: MakeScheduler, *, asked: Contest | None = None, **changes: Any) -> Meeting:
        """A whole study in virtual time."""
        asked = asked or self.asked()
        return Meeting(make(asked), asked, **{"trials": self.TRIALS, **changes}).go().check()

    def meetings(self, make: MakeScheduler) -> Iterator[Meeting]:
        """Studies with what makes them differ: slow obedience, programs that end where they are told, jumping steps."""
        yield self.meeting(make)
        yield self.meeting(make, obedient=True, workers=1)
        yield self.meeting(make, lag=2, stride=lambda n: 1.0 + n % 5, workers=7)
        yield self.meeting(make, curve=_failing, tickets=False)

    # ---------------------------------------------------------------------------------------------- determinism

    def test_equal_deltas_give_equal_answers(self, make: MakeScheduler) -> None:
        for first in self.meetings(make):
            again = _Replay(make(first.contest), first.contest).show(first.history)
            assert again.answers == first.answers
            assert again.next() == _next(first.scheduler, first.contest, len(first.runs))

    def test_all_at_once_is_one_by_one(self, make: MakeScheduler) -> None:
        """Whatever it has cached is no part of its state, and how its deltas are bundled is none of its business."""
        for meeting in self.meetings(make):
            bundled, history = make(meeting.contest), meeting.history
            for start in range(0, len(history), 7):
                chunk, answers = history[start : start + 7], meeting.answers[start : start + 7]
                found = list(bundled.observe(chunk))
                assert len({command.trial for command in found}) == len(found)
                # One that was carried out within the bundle may be left out.
                settled = {d.number for d in chunk if not isinstance(d, Progress)}
                expected = {c.trial: c for answer in answers for c in answer if c.trial not in settled}
                assert {c.trial: c for c in found if c.trial not in settled} == expected
            asked = meeting.contest
            assert _next(bundled, asked, len(meeting.runs)) == _next(meeting.scheduler, asked, len(meeting.runs))

    def test_asking_changes_nothing(self, make: MakeScheduler) -> None:
        meeting = self.meeting(make)
        asked, quiet = make(meeting.contest), make(meeting.contest)
        for i, delta in enumerate(meeting.history):
            found = _next(asked, meeting.contest, i)
            _next(asked, meeting.contest, i + 5)
            asked.brackets(i), asked.levels(), asked.describe()
            assert _next(asked, meeting.contest, i) == found
            assert list(asked.observe([delta])) == list(quiet.observe([delta]))

    def test_independent_neighbours_may_change_places(self, make: MakeScheduler) -> None:
        """See the promise above."""
        meeting = self.meeting(make, trials=24, workers=8, lag=2)
        swapped = 0
        for i in _neighbours(meeting.history, self.SWAPS):
            prefix, pair, rest = meeting.history[:i], meeting.history[i : i + 2], meeting.history[i + 2 : i + 60]
            straight = _Replay(make(meeting.contest), meeting.contest).show(prefix)
            crossed = _Replay(make(meeting.contest), meeting.contest).show(prefix)
            straight.show(pair)
            crossed.show(pair[::-1])
            if _kinds(straight.answers[-2:]) != _kinds(crossed.answers[-2:]):
                continue  # they depend on each other
            swapped += 1
            assert straight.show(rest).answers[i + 2 :] == crossed.show(rest).answers[i + 2 :]
            assert straight.next() == crossed.next()
        assert swapped > 10, "hardly any two reports were independent"

    # ---------------------------------------------------------------------------------------------- commands

    def test_commands_are_for_trials_that_have_not_ended(self, make: MakeScheduler) -> None:
        """`Meeting` asserts it, and that `next` continues paused trials only; at most one command a trial and call."""
        for meeting in self.meetings(make):
            assert {run.state for run in meeting.runs} <= {"ended", "held"}
            assert len(meeting.runs) >= 1

    def test_every_command_says_why_in_one_line(self, make: MakeScheduler) -> None:
        for meeting in self.meetings(make):
            for command in meeting.commands():
                reason = command.reason
                assert reason.by
                assert reason.text.strip() == reason.text != ""
                assert "\n" not in reason.text
                assert json.loads(json.dumps(reason.data, allow_nan=False)) == reason.data
                if isinstance(command, Pause) or (isinstance(command, Stop) and not command.complete):
                    self.check_reason(command)

    def check_reason(self, command: Stop | Pause) -> None:
        """What a program can read from it."""
        data = command.reason.data
        assert set(REASON) <= set(data), f"{command.reason.text}: {data}"
        assert data["rule"] == command.reason.by
        assert len(data["lost_to"]) <= 5
        assert len(set(data["lost_to"])) == len(data["lost_to"])
        assert command.trial not in data["lost_to"]

    def test_maximised_metrics_are_shown_as_they_were_reported(self, make: MakeScheduler) -> None:
        asked = self.asked(goal="maximize")
        meeting = self.meeting(make, asked=asked, curve=lambda n, step: (-1000.0 - spread(n) - step,))
        for command in meeting.commands():
            if isinstance(command, Stop | Pause) and isinstance(command.reason.data.get("value"), float):
                assert command.reason.data["value"] > 0

    # ---------------------------------------------------------------------------------------------- odd reports

    def test_reports_without_an_objective_neither_count_nor_decide(self, make: MakeScheduler) -> None:
        meeting = self.meeting(make)
        plain, mixed = make(meeting.contest), make(meeting.contest)
        for delta in meeting.history:
            if isinstance(delta, Progress):
                assert list(mixed.observe([Progress(delta.number, delta.step - 0.5, (None,), (None,))])) == []
            assert list(mixed.observe([delta])) == list(plain.observe([delta]))

    @pytest.mark.parametrize(
        "curve",
        [
            lambda *_: (math.inf,),
            lambda *_: (0.5,),
            lambda number, _: (math.inf if number % 2 else spread(number),),
            lambda number, _: (1e308 if number % 3 else -1e308,),
            lambda _, step: (math.inf if step > 2 else 1.0 / step,),
            lambda *_: None,
            lambda *_: (None,),
        ],
        ids=["worst", "equal", "every second is worst", "huge", "diverging", "failing", "never reported"],
    )
    def test_losses_that_say_little(self, make: MakeScheduler, curve: Callable[..., Any]) -> None:
        for trials in (1, self.TRIALS):
            meeting = self.meeting(make, curve=curve, trials=trials)
            assert len(meeting.runs) == trials or not self.FILLS

    def test_worse_is_never_preferred(self, make: MakeScheduler) -> None:
        """Who has no usable number gets no further than anyone who has one, among equally old programs."""
        meeting = self.meeting(make, curve=lambda n, step: (math.inf if n % 2 else 0.1 + spread(n) / step,))
        good = [run.step for run in meeting.runs if run.number % 2 == 0]
        bad = [run.step for run in meeting.runs if run.number % 2]
        assert sum(bad) / len(bad) <= sum(good) / len(good)

    def test_several_objectives_and_broken_bounds(self, make: MakeScheduler) -> None:
        def curve(number: int, step: float) -> tuple[float, ...]:
            return (spread(number) + 1 / step, 1 - spread(number) + 1 / step)

        asked = self.asked(objectives=2)
        meeting = self.meeting(make, asked=asked, curve=curve, violation=lambda n: float(n % 3 == 0) * n)
        assert len(meeting.runs) == self.TRIALS or not self.FILLS
        again = _Replay(make(asked), asked).show(meeting.history)
        assert again.answers == meeting.answers

    def test_steps_that_jump_past_everything(self, make: MakeScheduler) -> None:
        meeting = self.meeting(make, stride=lambda _: 1000.0, last=5000.0)
        assert len(meeting.runs) == self.TRIALS or not self.FILLS

    # ---------------------------------------------------------------------------------------------- lives of trials

    def test_trials_that_it_did_not_ask_for(self, make: MakeScheduler) -> None:
        """They have no ticket, or one of another scheduler."""
        asked = self.asked()
        scheduler = make(asked)
        for number in range(12):
            ticket = {"bracket": 10**6, "what": "else"} if number % 2 else None
            scheduler.observe([Begun(number, {"lr": 0.1, "width": 8}, ticket=ticket)])
            assert isinstance(scheduler.observe([Progress(number, 1.0, falling(number, 1.0))]), list)
            _next(scheduler, asked, number + 1)

    def test_a_trial_that_is_held_and_continued_without_being_asked_for(self, make: MakeScheduler) -> None:
        """A runner may do so at any time: no trial is lost by it."""
        asked = self.asked(trials=1)
        scheduler = make(asked)
        scheduler.observe([Begun(0, {"lr": 0.1, "width": 8})])
        scheduler.observe([Held(0)])
        _next(scheduler, asked, 1)
        scheduler.observe([Resumed(0, None)])
        found = _next(scheduler, asked, 1)
        assert not isinstance(found, Continue), "it runs already"
        assert isinstance(scheduler.observe([Progress(0, 1.0, (0.5,))]), list)
        scheduler.observe([Ended(0, (0.5,))])
        assert not isinstance(_next(scheduler, asked, 1), Continue), "it has ended"

    def test_a_user_tries_a_trial_again(self, make: MakeScheduler) -> None:
        """It begins from the start, or from its checkpoint, and ends a second time."""
        meeting = self.meeting(make)
        asked, scheduler = meeting.contest, meeting.scheduler
        for number in (0, 1, 2, len(meeting.runs) - 1):
            for from_step in (1, int(meeting.runs[number].step) + 1):
                told: list[Command] = []
                for step in range(from_step, from_step + 4):
                    told += scheduler.observe([Progress(number, float(step), falling(number, float(step)))])
                assert {command.trial for command in told if not isinstance(command, Stop)} <= {number}
                scheduler.observe([Ended(number, None)])
                found = _next(scheduler, asked, len(meeting.runs))
                assert not (isinstance(found, Continue) and found.trial == number)

    # ---------------------------------------------------------------------------------------------- size

    @pytest.mark.slow
    def test_many_trials_cost_no_more_each(self, make: MakeScheduler) -> None:
        """Lines executed and losses compared, for a delta of a study that is young, and of one that has many trials."""
        asked = self.asked(trials=2 * self.MANY)
        crowd = _Crowd(make(asked), asked)
        crowd.grow(self.MANY // 10)
        young = crowd.cost(40)
        crowd.grow(self.MANY - crowd.size)
        old = crowd.cost(40)
        assert old <= 2 * young + 50, f"{young:.0f} operations a call became {old:.0f}"

    # ---------------------------------------------------------------------------------------------- plan and options

    @pytest.mark.parametrize("trials", [None, 1, 7, 100, 12_345])
    def test_brackets_fit_the_levels(self, make: MakeScheduler, trials: int | None) -> None:
        scheduler = make(self.asked(trials=trials))
        levels, brackets = list(scheduler.levels()), scheduler.brackets(trials)
        assert levels == sorted(set(levels))
        for bracket in brackets:
            resources = [level.resource for level in bracket.levels]
            counts = [level.trials for level in bracket.levels]
            assert resources == sorted(set(resources))
            assert set(resources) <= set(levels)
            assert counts == sorted(counts, reverse=True)
            assert all(0 <= count <= bracket.trials for count in counts)
        if trials is not None and brackets:
            assert sum(bracket.trials for bracket in brackets) == trials

    def test_it_is_described_in_one_line(self, make: MakeScheduler) -> None:
        text = make(self.asked()).describe()
        assert text.strip() == text != ""
        assert "\n" not in text

    def test_bad_options_are_named(self, make: MakeScheduler) -> None:
        options: Mapping[str, Any] = make.options  # type: ignore[attr-defined]
        json.dumps(dict(options))
        bad = {name: [*self.BAD.get(name, ()), *([{"no": "sense"}] * (name not in self.MAPPINGS))] for name in options}
        for name, values in bad.items():
            for value in values:
                with pytest.raises(BadInput) as caught:
                    make(self.asked(options={name: value}))
                assert caught.value.key == f"schedule.{name}", caught.value
                assert "\n" not in str(caught.value)

    def test_absent_options_are_its_defaults(self, make: MakeScheduler) -> None:
        make(self.asked(options={name: None for name in make.options if name not in self.given}))  # type: ignore[attr-defined]


# -------------------------------------------------------------------------------------------------------------- helpers


class _Replay:
    """A scheduler that is shown a history, delta by delta, and nothing else."""

    def __init__(self, scheduler: Scheduler, asked: Contest) -> None:
        self.scheduler, self.asked = scheduler, asked
        self.answers: list[list[Command]] = []

    def show(self, deltas: Sequence[Delta]) -> _Replay:
        self.answers += [list(self.scheduler.observe([delta])) for delta in deltas]
        return self

    def next(self) -> Next:
        return _next(self.scheduler, self.asked, self.asked.budget.trials or 0)


def _next(scheduler: Scheduler, asked: Contest, number: int) -> Next:
    return scheduler.next(number, generator(asked.seed, "schedule", number))


def _failing(number: int, step: float) -> tuple[float | None, ...] | None:
    return None if number % 5 == 3 and step >= 1 + number % 7 else falling(number, step)


def _neighbours(history: Sequence[Delta], most: int) -> Iterator[int]:
    """Where two reports of different trials follow each other; about `most` places, spread over the history."""
    found = [
        i
        for i, (one, two) in enumerate(pairwise(history))
        if isinstance(one, Progress) and isinstance(two, Progress) and one.number != two.number
    ]
    return iter(found[:: max(1, len(found) // most)])


def _kinds(answers: Sequence[Sequence[Command]]) -> Counter[tuple[str, int, float | None]]:
    """What was commanded, without the reasons."""
    return Counter((type(c).__name__, c.trial, getattr(c, "to", None)) for answer in answers for c in answer)


class _Counted(float):
    """A loss that counts how often it is compared."""

    compared = 0

    def __lt__(self, other: float) -> bool:
        _Counted.compared += 1
        return float.__lt__(self, other)

    def __gt__(self, other: float) -> bool:
        _Counted.compared += 1
        return float.__gt__(self, other)

    def __le__(self, other: float) -> bool:
        _Counted.compared += 1
        return float.__le__(self, other)

    def __ge__(self, other: float) -> bool:
        _Counted.compared += 1
        return float.__ge__(self, other)


class _Crowd:
    """Trials that each report once and then wait or end, until there are many of them; and what a call costs then."""

    def __init__(self, scheduler: Scheduler, asked: Contest) -> None:
        self.scheduler, self.asked, self.size = scheduler, asked, 0

    def grow(self, trials: int) -> None:
        """So many more trials."""
        for _ in range(trials):
            self._add(self._observe)

    def cost(self, trials: int) -> float:
        """Lines executed and losses compared in a call, while so many more trials are added and places given away."""
        spent = calls = 0

        def metered(call: Callable[[], Any]) -> Any:
            nonlocal spent, calls
            found, operations = _operations(call)
            spent, calls = spent + operations, calls + 1
            return found

        for _ in range(trials):
            self._add(lambda *deltas: metered(partial(self._observe, *deltas)))
            found = metered(partial(_next, self.scheduler, self.asked, self.size))
            if isinstance(found, Continue):
                step = 3.0 if found.to is None else found.to
                for delta in (
                    Resumed(found.trial, found.to),
                    _reported(found.trial, step),
                    Ended(found.trial, (spread(found.trial),)),
                ):
                    metered(partial(self._observe, delta))
        return spent / calls

    def _observe(self, *deltas: Delta) -> list[Command]:
        return list(self.scheduler.observe(deltas))

    def _add(self, observe: Callable[..., list[Command]]) -> None:
        number, self.size = self.size, self.size + 1
        found = observe(Begun(number, {"lr": 0.1, "width": 8}))
        found += observe(_reported(number, 1.0))
        others = {command.trial for command in found if isinstance(command, Stop)} - {number}
        held = any(isinstance(command, Pause) and command.trial == number for command in found)
        found = observe(Held(number) if held else Ended(number, (spread(number),)))
        for other in sorted(others | {command.trial for command in found if isinstance(command, Stop)}):
            observe(Ended(other, (spread(other),)))


def _reported(number: int, step: float) -> Progress:
    losses = (_Counted(spread(number) + (0.5 + spread(number, 1)) / step),)
    return Progress(number, step, losses, losses)


def _operations(call: Callable[[], Any]) -> tuple[Any, int]:
    """What `call` gives, and how many lines it executed and losses it compared."""
    lines, before, compared = 0, sys.gettrace(), _Counted.compared

    def trace(_frame: Any, event: str, _argument: Any) -> Any:
        nonlocal lines
        lines += event == "line"
        return trace

    sys.settrace(trace)
    try:
        found = call()
    finally:
        sys.settrace(before)
    return found, lines + _Counted.compared - compared


__all__ = ["Meeting", "SchedulerConformance", "contest"]
