"""A schedule that a test writes down: what becomes of which trial at which step, and who goes on when a place is free."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rung.model import Continue, Pause, Reason, ScheduleSpec, Stop
from rung.plugins import make_searcher
from rung.schedule import base as schedule
from rung.schedule.base import Contest
from rung.schedule.none import RunToTheEnd
from rung.study.engine import Question
from rung.study.policy import Combined, Policy
from rung.study.state import State
from rung.study.transitions import Phase
from rung.testing.studies import World

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


Make = Callable[..., World]


def last(world: World, kind: type[Any]) -> Any:
    return [event for event in world.events if isinstance(event, kind)][-1]


def plan(world: World) -> Planned:
    policy = world.engine.policy
    assert isinstance(policy, Combined)
    assert isinstance(policy.scheduler, Planned)
    return policy.scheduler


def ask(world: World, free: int = 1) -> Question:
    question = world.engine.question(free=free)
    assert question is not None
    return question


def trains(world: World, number: int, *, to: float, saves: bool = True) -> None:
    """The trial's program reports every step up to this one; the schedule is asked at each."""
    if world.state.phase(number) is Phase.STARTING:
        world.start(number)
    while world.state.live[number].step < to:
        world.saves(number, {"loss": 1 / (world.state.live[number].step + 1)}, size=10 if saves else None)
        world.turn()


def held(make: Make, *, saves: bool = True, **options: Any) -> World:
    """A world whose only trial is held at step 2."""
    world = make({(0, 2): pause(0)}, resource=2, **options)
    trains(world, 0, to=2, saves=saves)
    world.exit(0, code=143)
    return world
