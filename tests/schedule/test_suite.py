"""The conformance suite itself: each way of breaking the contract is caught by the test that is there for it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
import pytest

from rung.model import Continue, Pause, Reason, Stop
from rung.schedule.asha import Asha
from rung.schedule.base import Ask, Bracket, Contest, Delta, Ended, Level, Next, Progress
from rung.testing.racing import Command
from rung.testing.schedulers import SchedulerConformance

SUITE = SchedulerConformance()


class Forgetful(Asha):
    """Counts how often it was asked."""

    def __init__(self, contest: Contest) -> None:
        super().__init__(contest)
        self.asked = 0

    def next(self, number: int, rng: np.random.Generator) -> Next:
        self.asked += 1
        return Ask(resource=float(self.asked))


class Shared(Asha):
    """Two instances know of each other."""

    seen: ClassVar[list[Delta]] = []

    def observe(self, deltas: Sequence[Delta]) -> list[Command]:
        self.seen.extend(deltas)
        found = super().observe(deltas)
        return found if len(self.seen) < 200 else []


class Stubborn(Asha):
    """Stops who has ended."""

    def observe(self, deltas: Sequence[Delta]) -> list[Command]:
        ended = [Stop(trial=d.number, reason=Reason(by="x", text="x")) for d in deltas if isinstance(d, Ended)]
        return [*super().observe(deltas), *ended]


class Bundling(Asha):
    """Looks at the last delta of a bundle only."""

    def observe(self, deltas: Sequence[Delta]) -> list[Command]:
        return super().observe(deltas[-1:])


class Ordered(Asha):
    """Numbers the reports in the order they come in, and says so in its reasons."""

    def __init__(self, contest: Contest) -> None:
        super().__init__(contest)
        self.last = -1

    def observe(self, deltas: Sequence[Delta]) -> list[Command]:
        found = [self._numbered(command) for command in super().observe(deltas)]
        self.last = max([self.last, *(d.number for d in deltas[-1:] if isinstance(d, Progress))][-1:])
        return found

    def _numbered(self, command: Command) -> Command:
        data = {**command.reason.data, "after": self.last}
        reason = Reason(by=command.reason.by, text=command.reason.text, data=data)
        return Stop(trial=command.trial, reason=reason) if isinstance(command, Stop) else command


class Silent(Asha):
    """Gives no reasons."""

    def observe(self, deltas: Sequence[Delta]) -> list[Command]:
        return [Stop(trial=c.trial, reason=Reason(by="x", text="x")) for c in super().observe(deltas)]


class Slow(Asha):
    """Looks at all that it has seen, at every delta."""

    def __init__(self, contest: Contest) -> None:
        super().__init__(contest)
        self.losses: list[float] = []

    def observe(self, deltas: Sequence[Delta]) -> list[Command]:
        self.losses += [float(d.losses[0] or 0) for d in deltas if isinstance(d, Progress)]
        for loss in self.losses:
            assert loss == loss
        return super().observe(deltas)


class Sorting(Slow):
    """Does so in one line."""

    def observe(self, deltas: Sequence[Delta]) -> list[Command]:
        self.losses += [d.losses[0] for d in deltas if isinstance(d, Progress) and d.losses[0] is not None]
        assert min(self.losses, default=0.0) <= max(self.losses, default=0.0)
        return Asha.observe(self, deltas)


class Overcounting(Asha):
    """Plans more than there is, at rungs that there are not."""

    def brackets(self, trials: int | None) -> list[Bracket]:
        return [Bracket(trials or 1, (Level(1, 2.5), Level(2, 3.5)))]


class Lenient(Asha):
    """Takes anything."""

    def __init__(self, contest: Contest) -> None:
        plain = type(contest.schedule)(method="asha", resource="epoch")
        super().__init__(Contest(schedule=plain, objectives=contest.objectives, seed=0, space=contest.space))


class Deaf(Asha):
    """Takes a report without its objective for a bad one."""

    def observe(self, deltas: Sequence[Delta]) -> list[Command]:
        return [
            Pause(trial=d.number, reason=Reason(by="x", text="x"))
            for d in deltas
            if isinstance(d, Progress) and None in d.losses
        ]


class Reviving(Asha):
    """Continues a trial that has ended."""

    def next(self, number: int, rng: np.random.Generator) -> Next:
        return Continue(trial=0, to=None, reason=Reason(by="x", text="x"))


BROKEN: list[tuple[Any, str]] = [
    (Shared, "test_equal_deltas_give_equal_answers"),
    (Bundling, "test_all_at_once_is_one_by_one"),
    (Forgetful, "test_asking_changes_nothing"),
    (Ordered, "test_independent_neighbours_may_change_places"),
    (Stubborn, "test_commands_are_for_trials_that_have_not_ended"),
    (Silent, "test_every_command_says_why_in_one_line"),
    (Deaf, "test_reports_without_an_objective_neither_count_nor_decide"),
    (Reviving, "test_a_trial_that_is_held_and_continued_without_being_asked_for"),
    (Reviving, "test_a_user_tries_a_trial_again"),
    (Slow, "test_many_trials_cost_no_more_each"),
    (Sorting, "test_many_trials_cost_no_more_each"),
    (Lenient, "test_bad_options_are_named"),
]


@pytest.mark.parametrize(("broken", "test"), BROKEN, ids=[f"{kind.__name__}-{test}" for kind, test in BROKEN])
def test_what_is_broken_is_found(broken: Any, test: str) -> None:
    suite = SchedulerConformance()
    suite.MANY = 500  # type: ignore[misc]
    with pytest.raises((AssertionError, pytest.fail.Exception)):
        getattr(suite, test)(broken)


def test_a_plan_that_does_not_add_up_is_found() -> None:
    with pytest.raises(AssertionError):
        SUITE.test_brackets_fit_the_levels(Overcounting, 7)
