"""Programs that train step by step, with checkpoints, in a `World`: what schedules hold, continue and clone.

A program is a function of its parameters and of the step where it begins, so a study can be played again, and what it
ought to have reported is known: `steps_of` says what it did report, attempt by attempt.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from rung.model import WireNumber
from rung.study import events as ev
from rung.study.transitions import Phase
from rung.testing.functions import rough

if TYPE_CHECKING:
    from rung.testing.studies import World

Metrics = Callable[[dict[str, Any], float], dict[str, WireNumber]]


def falling(params: dict[str, Any], step: float) -> dict[str, WireNumber]:
    """A loss that falls to what the parameters are worth."""
    return {"loss": rough(params) + 1 / step}


class Program(msgspec.Struct, frozen=True, kw_only=True):
    """How a trial trains, `stride` steps a report, until it has done `steps`. `saves`: every so many-th report names a
    checkpoint of `size` bytes; 0: none does, and a program that is started again begins anew. `heeds`: it ends where it
    was told to (`RUNG_RESOURCE`)."""

    steps: float = 9
    stride: float = 1
    saves: int = 1
    size: int = 100
    heeds: bool = False
    metrics: Metrics = falling

    def advance(self, world: World, number: int) -> None:
        """The next thing that happens to the trial's attempt: it starts, reports once, or is over."""
        live, phase = world.state.live[number], world.state.phase(number)
        if phase in {Phase.STOPPING, Phase.PAUSING}:
            world.exit(number, code=143)
        elif phase is Phase.STARTING:
            world.start(number)
        elif live.step >= self.steps or (self.heeds and live.told is not None and live.step >= live.told):
            world.exit(number)
        else:
            self.report(world, number)

    def report(self, world: World, number: int) -> None:
        """One report more, and the checkpoint that is due with it."""
        live = world.state.live[number]
        step = min(live.step + self.stride, self.steps)
        due = self.saves and (live.reports + 1) % self.saves == 0
        values = self.metrics(world.state.space.full(world.state.params(number)), step)
        world.saves(number, values, step=step, size=self.size if due else None)

    def run(self, world: World, choose: Callable[[Sequence[int]], int] = min, *, limit: int = 10_000) -> World:
        """Everything happens that can; `choose` says to which of the running trials next."""
        for _ in range(limit):
            world.turn()
            running = world.running()
            if not running:
                return world
            self.advance(world, choose(running))
        raise AssertionError(f"still running after {limit} things have happened: {world.state.counts}")


def steps_of(events: Iterable[ev.AnyEvent]) -> dict[int, list[list[float]]]:
    """The steps that each trial reported, a list for each of its attempts that reported any."""
    found: defaultdict[int, list[list[float]]] = defaultdict(list)
    attempts: dict[int, int] = {}
    for event in events:
        if isinstance(event, ev.TrialReported):
            if attempts.get(event.trial) != event.attempt:
                found[event.trial].append([])
                attempts[event.trial] = event.attempt
            found[event.trial][-1] += [report.step for report in event.reports]
    return dict(found)
