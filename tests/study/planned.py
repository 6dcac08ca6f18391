"""A schedule that a test writes down: what becomes of which trial at which step, and who goes on when a place is free."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from rung.model import Continue, Pause, Reason, ScheduleSpec, Stop
from rung.plugins import make_searcher
from rung.schedule import base as schedule
from rung.schedule.base import Contest
from rung.schedule.none import RunToTheEnd
from rung.study.policy import Combined, Policy
from rung.study.state import State

if TYPE_CHECKING:
    import numpy as np

WHY = Reason(by="plan", text="as planned")
SPEC = ScheduleSpec(method="plan", resource="epoch")
Commands = Mapping[tuple[int, float], Stop | Pause | Continue]


def pause(trial: int) -> Pause:
    return Pause(trial=trial, reason=WHY)


def stop(trial: int, *, complete: bool = False) -> Stop:
    return Stop(trial=trial, reason=WHY, complete=complete)


def go_on(trial: int, to: float | None) -> Continue:
    return Continue(trial=trial, to=to, reason=WHY)


class Planned(RunToTheEnd):
    """`at`: (trial, step) -> the command that follows from that report. `on`: paused trial -> how far `next` lets it go
    on, once. `new`: what `next` begins with when nobody is to go on. It keeps all that it was shown in `seen`."""

    def __init__(
        self, contest: Contest, at: Commands, on: Mapping[int, float | None], new: Callable[[Planned], schedule.Next]
    ) -> None:
        super().__init__(contest)
        self.at, self.on, self.new = at, dict(on), new
        self.held: set[int] = set()
        self.seen: list[schedule.Delta] = []

    def observe(self, deltas: Sequence[schedule.Delta]) -> list[Stop | Pause | Continue]:
        found = []
        for delta in deltas:
            self.seen.append(delta)
            if isinstance(delta, schedule.Progress) and (delta.number, delta.step) in self.at:
                found.append(self.at[delta.number, delta.step])
            elif isinstance(delta, schedule.Held):
                self.held.add(delta.number)
            elif isinstance(delta, schedule.Resumed):
                self.held.discard(delta.number)
                self.on.pop(delta.number, None)
            elif isinstance(delta, schedule.Ended):
                self.held.discard(delta.number)
        return found

    def next(self, number: int, rng: np.random.Generator) -> schedule.Next:
        for trial in sorted(self.held & self.on.keys()):
            return go_on(trial, self.on[trial])
        return self.new(self)


def planned(
    at: Commands | None = None, *, on: Mapping[int, float | None] | None = None, resource: float | None = None,
    new: Callable[[Planned], schedule.Next] | None = None,
) -> Callable[[State], Policy]:  # fmt: skip
    """The usual policy with such a schedule; new trials may run up to `resource`."""

    def policy(state: State) -> Policy:
        spec = state.created.spec
        contest = Contest(schedule=spec.schedule, objectives=spec.objectives, seed=state.seed)
        begin = new or (lambda _: schedule.Ask(resource=resource))
        made = Combined(state, make_searcher, Planned(contest, at or {}, on or {}, begin))
        made.catch_up(state)
        return made

    return policy
