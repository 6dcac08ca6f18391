"""An executor whose jobs are curves and whose clock is virtual: the runner and the store above it are the real ones.

While the runner works the clock goes on as real time does: what a decision takes is charged to it. When the runner
rests, the clock jumps to the next news, which is handed over with all other news due by then, by time and job. The
work for one piece of news does not depend on how many jobs there are.
"""

from __future__ import annotations

import asyncio
import heapq
import math
import time
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

from rung.execute.base import Cursor, Exited, Held, Job, JobEvent, Reported
from rung.execute.simulation.course import Course

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping

    from rung.execute.simulation.world import World


Charge = Literal["real", "cpu", "nothing"]
_METERS: dict[Charge, Callable[[], float]] = {
    "real": lambda: time.perf_counter(),
    "cpu": lambda: time.process_time(),
    "nothing": lambda: 0.0,
}


class SimulatedExecutor:
    """Runs jobs in `world`. `charge`: what the clock is charged with while the runner works. CPU time of this process
    depends less on what else the machine does; with nothing, the same seeds give the same study. Created inside a
    running event loop."""

    capacity: int | None = None
    keeps_files = False
    asks_beside = False

    def __init__(self, world: World, *, charge: Charge = "real") -> None:
        self.world = world
        self._meter = _METERS[charge]
        self._jobs: dict[str, Job] = {}
        self._courses: dict[str, Course] = {}
        self._heap: list[tuple[float, str]] = []  # when which job has news; older entries of a job hold no more
        self._told_at_once: list[JobEvent] = []
        self._batch: list[JobEvent] | None = None
        self._wake = asyncio.Event()
        self._closed = False
        self._working_since: float | None = self._meter()  # None while the runner rests

    # ------------------------------------------------------------------------------------------------- the contract

    def start(self, job: Job) -> None:
        """The job begins now, or is held; one that has begun before is adopted. Raises `BadInput` for parameters that
        have no curve."""
        if job.key in self._jobs:
            return
        if job.key in self.world.begun:
            self.adopt(job, Cursor())
        elif self.world.holds(job.key):
            self._told_at_once.append(Held(key=job.key, why="no machine is free (simulated)"))
        else:
            self._begin(job, Cursor(), self.clock())

    def adopt(self, job: Job, cursor: Cursor, *, ran_s: float | None = None) -> None:
        """The job goes on from where it was: `ran_s` of this world's seconds after its beginning. One of which nothing
        is known begins now: nothing can have happened to it while the clock stood still."""
        if job.key not in self._jobs:
            now = self.clock()
            self._begin(job, cursor, self.world.begun.get(job.key, now - (ran_s or 0.0)))

    def stop(self, key: str) -> None:
        """The job ends after the world's stop delay; what it did since its last report is lost."""
        self._end(key, kill=False)

    def kill(self, key: str) -> None:
        """The job ends now."""
        self._end(key, kill=True)

    def forget(self, key: str) -> None:
        """The job runs on in the world; nothing more is told of it."""
        self._drop(key)
        self._told_at_once = [event for event in self._told_at_once if event.key != key]
        self._batch = self._batch and [event for event in self._batch if event.key != key]

    def jobs(self) -> Mapping[str, Job]:
        """The jobs under way, by key."""
        return MappingProxyType(self._jobs)

    async def events(self) -> AsyncIterator[list[JobEvent]]:
        """A batch for each time that the runner rested; ends when the executor is closed."""
        while not self._closed:
            await self._wake.wait()
            self._wake.clear()
            batch, self._batch = self._batch, None
            if batch is not None:
                self._working_since = self._meter()
                yield batch

    def clock(self) -> float:
        """Unix seconds in the world."""
        return self.world.now + self._worked_s()

    def monotonic(self) -> float:
        """The world's clock never goes back."""
        return self.clock()

    def rest(self, until: float | None) -> float | None:
        """The clock is at the next news, or at `until`, and what is due by then is about to be handed over. The runner
        sleeps until it is: None."""
        if self._batch is not None or self._closed:
            return None
        world = self.world
        spent = self._worked_s()
        world.now += spent
        world.tally.charged_s += spent
        self._working_since = None
        due = world.now if self._told_at_once else self._next_due()
        if due == math.inf and until is None:
            return None  # only somebody outside of the world can wake the runner
        self._go_on_to(due, math.inf if until is None else until)
        self._batch = self._told_at_once
        self._told_at_once = []
        self._collect(self._batch)
        self._wake.set()
        return None

    async def close(self) -> None:
        """Nothing more is told; the jobs stay where they are in the world."""
        self._closed = True
        self._wake.set()

    # ------------------------------------------------------------------------------------------------------ the clock

    def _worked_s(self) -> float:
        """The charge since the last batch was handed over."""
        return 0.0 if self._working_since is None else self._meter() - self._working_since

    def _next_due(self) -> float:
        heap = self._heap
        while heap and not self._holds(*heap[0]):
            heapq.heappop(heap)
        return heap[0][0] if heap else math.inf

    def _holds(self, due: float, key: str) -> bool:
        """Whether the job has news at that time: it may have been stopped since this was noted."""
        course = self._courses.get(key)
        return course is not None and course.due == due

    def _go_on_to(self, due: float, until: float) -> None:
        now = self.world.now
        if due <= until:
            self.world.now = max(now, min(due + self.world.conditions.gulp_s, until))
        else:  # a time that rounding has put before now must still come
            self.world.now = until if until > now else math.nextafter(now, math.inf)

    def _collect(self, batch: list[JobEvent]) -> None:
        """All that is due by now is in the batch, by time and job; what one job reports, together."""
        now, heap = self.world.now, self._heap
        while heap and heap[0][0] <= now:
            due, key = heapq.heappop(heap)
            if not self._holds(due, key):
                continue
            course = self._courses[key]
            step = course.step
            event = course.news(now)
            if isinstance(event, Reported):
                self.world.tally.reports += len(event.reports)
                self.world.tally.work += course.step - step
            batch.append(event)
            if isinstance(event, Exited):
                self._conclude(course)
            else:
                heapq.heappush(heap, (course.due, key))

    # ------------------------------------------------------------------------------------------------------- the jobs

    def _begin(self, job: Job, cursor: Cursor, began: float) -> None:
        world, busy_since = self.world, self._meter()
        course = Course(job, began=began, curves=world.curves, conditions=world.conditions, fate=world.fate(job))
        course.told_up_to(cursor)
        self._jobs[job.key] = job
        self._courses[job.key] = course
        if job.key not in world.begun:
            world.begun[job.key] = began
            world.tally.began(max(began, world.tally.origin), first=job.attempt == 1)
        heapq.heappush(self._heap, (course.due, job.key))
        if self._working_since is not None:  # looking the curve up is the simulator's work, not the runner's
            self._working_since += self._meter() - busy_since

    def _end(self, key: str, *, kill: bool) -> None:
        course = self._courses.get(key)
        if course is not None:
            course.end_at(self.clock(), kill=kill)
            heapq.heappush(self._heap, (course.due, key))

    def _conclude(self, course: Course) -> None:
        self._drop(course.job.key)
        self.world.begun.pop(course.job.key, None)
        self.world.tally.ended(course.ends)

    def _drop(self, key: str) -> None:
        self._jobs.pop(key, None)
        self._courses.pop(key, None)
