"""What a scheduler promises: to say who has earned more resource (ARCHITECTURE rule 5).

Like a searcher it is a deterministic fold: `observe` is given every delta once, in the order of the log, and what it
answers may depend on nothing else. A *resource* is any number that grows while a trial trains (epoch, samples, seconds,
money): it is the step of a report. Of one trial the steps that a scheduler sees only increase, across its attempts too:
what a restarted program reports a second time is kept from it.

Two questions are put to it. `observe` returns what follows for trials that run (end it, hold it, let it go on) and
`next` what to start when a place is free: a paused trial, a configuration of the searcher, one of its own, or nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Protocol

import msgspec

from rung.model import Budget, Continue, Objective, Outcome, Pause, Reason, ScheduleSpec, Stop
from rung.space import Space

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np

# ------------------------------------------------------------------------------------------------------ what it sees


class Begun(msgspec.Struct, frozen=True):
    """A delta: trial `number` was proposed. `step`: where it begins, 0 or the resource of the checkpoint of `parent`.
    `ticket`: what the scheduler put on the `Ask` or `Propose` that led to it, None for one it did not ask for."""

    number: int
    params: dict[str, Any]
    parent: int | None = None
    step: float = 0.0
    ticket: dict[str, Any] | None = None


class Progress(msgspec.Struct, frozen=True):
    """A delta: trial `number` reported at `step`, which is above all of its steps before.

    `losses`: its objectives to minimise in this report (worst: +inf), None where not reported. `so_far`: what each
    objective's `value:` picks from its reports up to this one, as a loss. `violation`: by how much outcomes are broken
    in sum, as last reported (0: none is; what was not reported yet counts as kept). `seconds`: how long the trial has
    run in all its attempts, by the times of its reports.
    """

    number: int
    step: float
    losses: tuple[float | None, ...]
    so_far: tuple[float | None, ...] = ()
    violation: float = 0.0
    seconds: float = 0.0


class Held(msgspec.Struct, frozen=True):
    """A delta: trial `number` is paused, and its program gone. From now on `next` may continue it."""

    number: int


class Resumed(msgspec.Struct, frozen=True):
    """A delta: trial `number` was continued, up to `to`."""

    number: int
    to: float | None


class Ended(msgspec.Struct, frozen=True):
    """A delta: trial `number` is final. `losses` is None when it has no value (it failed). A trial that a user tries
    again ends a second time. `invalid`: its program refused the configuration, so what it reported is void."""

    number: int
    losses: tuple[float, ...] | None
    invalid: bool = False


Delta = Begun | Progress | Held | Resumed | Ended

# ----------------------------------------------------------------------------------------------------- what it answers


class Ask(msgspec.Struct, frozen=True, kw_only=True):
    """Begin a new trial with a configuration of the searcher. `resource`: how far it may run before it is looked at
    again, in a way that a program may end there by itself (`RUNG_RESOURCE`); None: to its end."""

    resource: float | None = None
    ticket: dict[str, Any] | None = None


class Propose(msgspec.Struct, frozen=True, kw_only=True):
    """Begin a new trial with this configuration of the scheduler's own, from the newest checkpoint of `parent` if one
    is named."""

    params: dict[str, Any]
    reason: Reason
    parent: int | None = None
    resource: float | None = None
    ticket: dict[str, Any] | None = None


class Hold(msgspec.Struct, frozen=True):
    """Begin nothing now; something that is under way must be known first."""


class Over(msgspec.Struct, frozen=True):
    """Nothing is left to begin, whatever trials that run still report: `text` says why. Paused trials are ended once
    no trial runs and the answer is still this."""

    text: str


Next = Ask | Propose | Continue | Hold | Over


class Level(msgspec.Struct, frozen=True):
    """One rung as planned: `trials` of them reach `resource`."""

    trials: int
    resource: float


class Bracket(msgspec.Struct, frozen=True):
    """One bracket as planned: of `trials` begun, so many reach each of its rungs, lowest first. Where the rule decides
    by what is reported (no rungs), `levels` is empty."""

    trials: int
    levels: tuple[Level, ...]


class Contest(msgspec.Struct, frozen=True, kw_only=True):
    """What a scheduler is told once. `schedule.options` are as the user wrote them: a scheduler checks its own and
    raises `BadInput(message, key="schedule.NAME")`."""

    schedule: ScheduleSpec
    objectives: tuple[Objective, ...]
    seed: int
    outcomes: tuple[Outcome, ...] = ()
    space: Space | None = None
    budget: Budget = Budget()
    workers: int = 1


class Scheduler(Protocol):
    """Decides who goes on; `rung.testing.schedulers.SchedulerConformance` proves the contract for an implementation.

    Everything is in order of the log and bounded: no call may take time that grows with the number of trials known.
    """

    options: ClassVar[dict[str, Any]]
    """The options a study file may give it, with their defaults. Ours are made from `declared`, a mapping of their
    names to `model.MethodOption`, which says of each what it is."""

    def __init__(self, contest: Contest) -> None: ...

    def observe(self, deltas: Sequence[Delta]) -> list[Stop | Pause | Continue]:
        """What follows for trials that run: at most one command a trial, the last one counts. `Stop(complete=True)`
        ends one that has all it needs. `Continue` of a running trial moves its limit without touching its program."""
        ...

    def next(self, number: int, rng: np.random.Generator) -> Next:
        """What to begin when a place is free; `number` would be a new trial's. Changes no state, and is asked again
        after every event. The same state gives the same answer; `rng` is derived from the study's seed and number."""
        ...

    def levels(self) -> Sequence[float]:
        """The rungs, ascending: at these resources results can be compared. Empty where there are none."""
        ...

    def brackets(self, trials: int | None) -> list[Bracket]:
        """What is planned for so many trials (None: no limit), for `rung plan`."""
        ...

    def describe(self) -> str:
        """One sentence for `rung plan`."""
        ...
