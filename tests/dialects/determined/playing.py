"""Whole searches: the spec of a configuration, run by the real engine with made-up trials."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from rung.model import StudySpec
from rung.plugins import make_scheduler
from rung.schedule.adaptive.scheduler import Adaptive
from rung.study import events as ev
from rung.study.transitions import Phase
from rung.testing.studies import World


@dataclass
class Play:
    """Trials that train from one stop to the next, in the order in which they were given something to do.

    `value` of a trial; `exits` after how many stretches it fails in the middle of the last of them, None: never. `ends`:
    where the stretches of each trial ended, or would have. `most`: how many ran at once. `stretch`: how long each is;
    None: to the next rung, or to the end.
    """

    spec: StudySpec
    value: Callable[[int], float]
    exits: Callable[[int], int | None] = lambda number: None
    workers: int = 600
    stretch: float | None = None
    ends: dict[int, list[float]] = field(default_factory=dict)
    most: int = 0

    def run(self) -> World:
        self.world = World(self.spec, workers=self.workers, seed=1)
        scheduler = make_scheduler(self.world.state)
        self.shapes = scheduler.shapes if isinstance(scheduler, Adaptive) else []
        self.world.turn()
        queue: list[int] = []
        while running := self.world.running():
            self.most = max(self.most, len(running))
            queue = [n for n in queue if n in running] + [n for n in running if n not in queue]
            number = queue.pop(0)
            self._train(number)
            self.world.turn()
        assert self.world.state.switches.completed is not None
        return self.world

    def _train(self, number: int) -> None:
        world, state = self.world, self.world.state
        if state.phase(number) is Phase.STARTING:
            world.start(number)
        if state.phase(number) in {Phase.PAUSING, Phase.STOPPING}:
            return world.exit(number, code=143)
        end = self._end(number)
        self.ends.setdefault(number, []).append(end)
        if len(self.ends[number]) == self.exits(number):
            return world.exit(number, code=1, tail="boom")
        world.saves(number, {self.spec.objectives[0].metric: self.value(number)}, step=end, size=10)
        world.turn()
        if number in state.live and state.phase(number) in {Phase.PAUSING, Phase.STOPPING}:
            return world.exit(number, code=143)
        over = number in state.live and not self.shapes and end >= (self._length() or end)
        return world.exit(number) if over else None

    def _length(self) -> float | None:
        assert self.spec.program is not None
        length: float | None = self.spec.program.settings["length"]
        return length

    def _end(self, number: int) -> float:
        """Where the next stretch ends."""
        live = self.world.state.live[number]
        if self.stretch is not None:
            return live.step + self.stretch
        if not self.shapes:
            return self._length() or 1
        units = self.shapes[self.bracket(number)].units
        return next(unit for unit in units if unit > live.step)

    def bracket(self, number: int) -> int:
        """The bracket that a trial was begun for."""
        ticket = next(
            event.ticket for event in self.world.events if isinstance(event, ev.TrialProposed) and event.trial == number
        )
        assert ticket is not None
        found: int = ticket["bracket"]
        return found
