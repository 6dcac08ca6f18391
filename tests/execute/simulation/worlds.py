"""Small worlds for the tests of the simulator: curves that can be worked out by hand, and an executor asked by hand."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

import numpy as np

from rung.execute.base import Cursor, Exited, Job, JobEvent, Reported
from rung.execute.simulated import Charge, SimulatedExecutor
from rung.execute.simulation.conditions import Conditions, Fate
from rung.execute.simulation.curves import Curve
from rung.execute.simulation.world import EPOCH, World
from rung.model import Report


class Lines:
    """Step k is reported after k * `pace` seconds with loss 1/k; `steps` in all."""

    def curve(self, params: Mapping[str, Any], seed: int) -> Curve:
        steps = np.arange(1.0, float(params.get("steps", 3)) + 1)
        return Curve(steps, steps * float(params.get("pace", 10.0)), {"loss": 1 / steps})


def job(key: str = "a", *, attempt: int = 1, grace_s: float = 10.0, **fields: Any) -> Job:
    """A job whose parameters are what is no field of a job."""
    own = {name: fields.pop(name) for name in list(fields) if name in {"resource", "begin", "resumed", "timeout_s"}}
    return Job(key=key, directory=f"/none/{key}", attempt=attempt, grace_s=grace_s, params=fields, **own)


def world(*, fate: Callable[[Job], Fate] | None = None, now: float = EPOCH, seed: int = 0, **conditions: Any) -> World:
    """A world of `Lines`."""
    return World(Lines(), Conditions(**conditions), seed=seed, now=now, fate=fate)


class Hand:
    """An executor, and what it has told so far, with times from `EPOCH`."""

    def __init__(self, world: World, *, charge: Charge = "nothing") -> None:
        self.world, self.executor = world, SimulatedExecutor(world, charge=charge)
        self.told: list[JobEvent] = []
        self._events = self.executor.events().__aiter__()

    async def rest(self, until: float | None = None) -> list[JobEvent]:
        """The next batch."""
        assert self.executor.rest(None if until is None else EPOCH + until) is None
        batch = await asyncio.wait_for(self._events.__anext__(), 5)
        self.told += batch
        return batch

    async def rest_until_over(self) -> list[JobEvent]:
        """All that is left to tell."""
        while self.executor.jobs():
            await self.rest()
        return self.told

    @property
    def now(self) -> float:
        return self.executor.clock() - EPOCH

    def reports(self, key: str = "a") -> list[Report]:
        return [
            report
            for event in self.told
            if isinstance(event, Reported) and event.key == key
            for report in event.reports
        ]

    def cursor(self, key: str = "a") -> Cursor:
        found = [event.cursor for event in self.told if isinstance(event, Reported) and event.key == key]
        return found[-1] if found else Cursor()

    def end(self, key: str = "a") -> Exited:
        return next(event for event in self.told if isinstance(event, Exited) and event.key == key)


def story(of: Callable[[], Coroutine[object, object, None]]) -> None:
    """The coroutine has run."""
    asyncio.run(of())


def seen(reports: list[Report]) -> list[tuple[float, float]]:
    """Step and time of each report."""
    return [(report.step, report.time - EPOCH) for report in reports]
