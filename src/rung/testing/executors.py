"""The conformance suite of `rung.execute.base.Executor`: what every executor must do, as tests to inherit.

    class TestMine(ExecutorConformance):
        @pytest.fixture
        def make(self):
            return MyExecutor                   # called inside a running event loop

An executor of in-process objectives runs `rung.testing.objective.behave`; one of programs gets it as argv. Set
`preemptive = False` when a running job cannot be ended against its will.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, TypeVar
from uuid import uuid4

import pytest

from rung.execute.base import Cursor, Executor, Exited, Held, Job, JobEvent, Reported, Started

if TYPE_CHECKING:
    from pathlib import Path

    from rung.model import Report

Make = Callable[[], Executor]
Event = TypeVar("Event", Started, Reported, Exited, Held)

WITHIN_S = 20.0
PROGRAM = (sys.executable, "-m", "rung.inside.call", "rung.testing.objective:behave", "loss")


class Told:
    """What an executor has told, and a way to wait until it has told enough."""

    def __init__(self, executor: Executor) -> None:
        self.executor = executor
        self.events: list[JobEvent] = []
        self.batches = 0
        self._changed = asyncio.Condition()

    async def listen(self) -> None:
        """Consumes the events until the executor is closed."""
        async for batch in self.executor.events():
            async with self._changed:
                self.events += batch
                self.batches += 1
                self._changed.notify_all()

    async def until(self, condition: Callable[[], object]) -> None:
        """Returns as soon as an event makes `condition` true; fails the test when none comes within `WITHIN_S`.

        It rests as a runner does, so that a virtual clock goes on."""
        async with self._changed:
            try:
                while not condition():
                    self.executor.rest(None)
                    await asyncio.wait_for(self._changed.wait(), WITHIN_S)
            except asyncio.TimeoutError:
                pytest.fail(f"not told within {WITHIN_S} s; told so far: {self.events[-20:]}")

    def all(self, kind: type[Event], key: str) -> list[Event]:
        """The events of this kind about the job, in order."""
        return [event for event in self.events if isinstance(event, kind) and event.key == key]

    def reports(self, key: str) -> list[Report]:
        """The job's reports, in order."""
        return [report for event in self.all(Reported, key) for report in event.reports]

    async def end(self, *keys: str) -> Exited:
        """All these jobs have ended; returns how the first did."""
        await self.until(lambda: all(self.all(Exited, key) for key in keys))
        return self.all(Exited, keys[0])[0]

    async def started(self, key: str) -> Started:
        """The job runs."""
        await self.until(lambda: self.all(Started, key))
        return self.all(Started, key)[0]

    async def reported(self, key: str, count: int = 1) -> list[Report]:
        """The job has reported so often at least."""
        await self.until(lambda: len(self.reports(key)) >= count)
        return self.reports(key)


@asynccontextmanager
async def told_by(executor: Executor) -> AsyncIterator[Told]:
    """The story that `executor` tells, which is closed in the end; jobs that still run then are killed."""
    told = Told(executor)
    listener = asyncio.ensure_future(told.listen())
    try:
        yield told
        for key in list(executor.jobs()):
            executor.kill(key)
        await told.until(lambda: not executor.jobs())
    finally:
        await executor.close()
        await asyncio.wait_for(listener, WITHIN_S)


def run(story: Coroutine[object, object, None]) -> None:
    """The coroutine has run in an event loop of its own."""
    asyncio.run(story)


def job(directory: Path, *, grace_s: float = 10.0, timeout_s: float | None = None, **params: object) -> Job:
    """A job for `rung.testing.objective.behave` with these parameters, and a key of its own."""
    return Job(
        key=f"test-{uuid4().hex}",
        directory=str(directory),
        argv=PROGRAM,
        params=params,
        metrics=("loss",),
        grace_s=grace_s,
        timeout_s=timeout_s,
    )


class ExecutorConformance:
    """Inherit, and give a fixture `make`."""

    preemptive = True

    def test_a_job_tells_its_story_in_order(self, make: Make, tmp_path: Path) -> None:
        async def story() -> None:
            one = job(tmp_path / "1", epochs=3, value=0.5)
            async with told_by(make()) as told:
                told.executor.start(one)
                assert dict(told.executor.jobs()) == {one.key: one}
                ended = await told.end(one.key)
                assert dict(told.executor.jobs()) == {}
                assert (ended.how, ended.code) == ("exited", 0)
                assert isinstance(told.events[0], Started)
                assert isinstance(told.events[-1], Exited)
                assert len(told.all(Started, one.key)) == len(told.all(Exited, one.key)) == 1
                values = [(report.step, report.values["loss"]) for report in told.reports(one.key)]
                assert values == [(1, 1.0), (2, 0.5), (3, 1 / 3), (4, 0.5)]
                assert told.all(Reported, one.key)[-1].cursor.reports == 4

        run(story())

    def test_many_jobs_all_end_once(self, make: Make, tmp_path: Path) -> None:
        async def story() -> None:
            jobs = [job(tmp_path / str(number), epochs=1, value=number) for number in range(5)]
            async with told_by(make()) as told:
                for one in jobs:
                    told.executor.start(one)
                await told.end(*(one.key for one in jobs))
                for number, one in enumerate(jobs):
                    assert [report.values["loss"] for report in told.reports(one.key)] == [1.0, number]
                assert len([event for event in told.events if isinstance(event, Exited)]) == 5

        run(story())

    @pytest.mark.parametrize(("then", "code", "says"), [("raise", 1, "boom"), ("exit", 7, "")])
    def test_a_failing_job_gives_its_code_and_its_error(
        self, make: Make, tmp_path: Path, then: str, code: int, says: str
    ) -> None:
        async def story() -> None:
            one = job(tmp_path / "1", epochs=1, then=then)
            async with told_by(make()) as told:
                told.executor.start(one)
                ended = await told.end(one.key)
                assert (ended.how, ended.code) == ("exited", code)
                assert says in ended.tail
                assert len(told.reports(one.key)) == 1

        run(story())

    def test_a_job_that_is_asked_to_stop_ends(self, make: Make, tmp_path: Path) -> None:
        async def story() -> None:
            one = job(tmp_path / "1", epochs=1, then="wait")
            async with told_by(make()) as told:
                told.executor.start(one)
                await told.reported(one.key)
                told.executor.stop(one.key)
                told.executor.stop(one.key)
                told.executor.stop("nobody")
                told.executor.kill("nobody")
                told.executor.forget("nobody")
                ended = await told.end(one.key)
                assert ended.how == "exited"
                assert ended.code in (5, 143)  # by `should_stop`, or by TERM

        run(story())

    def test_a_job_that_ignores_being_asked_is_killed_after_its_grace(self, make: Make, tmp_path: Path) -> None:
        if not self.preemptive:
            pytest.skip("this executor cannot end a job against its will")

        async def story() -> None:
            one = job(tmp_path / "1", then="ignore", grace_s=0.1)
            async with told_by(make()) as told:
                told.executor.start(one)
                await told.reported(one.key)
                told.executor.stop(one.key)
                ended = await told.end(one.key)
                assert (ended.how, ended.code) == ("exited", 137)

        run(story())

    def test_a_job_ends_at_its_time_limit(self, make: Make, tmp_path: Path) -> None:
        async def story() -> None:
            one = job(tmp_path / "1", epochs=1, then="wait", timeout_s=0.5)
            async with told_by(make()) as told:
                told.executor.start(one)
                assert (await told.end(one.key)).how == "timeout"

        run(story())

    def test_a_directory_that_has_started_is_never_started_again(self, make: Make, tmp_path: Path) -> None:
        async def story() -> None:
            ran = tmp_path / "ran"
            one = job(tmp_path / "1", epochs=2, ran=str(ran), then="exit")
            async with told_by(make()) as first:
                first.executor.start(one)
                await first.end(one.key)
            async with told_by(make()) as second:
                second.executor.start(one)
                ended = await second.end(one.key)
                assert (ended.how, ended.code) == ("exited", 7)
                assert second.reports(one.key) == first.reports(one.key)
            assert len(ran.read_text().splitlines()) == 1

        run(story())

    def test_an_adopter_reads_on_from_the_logged_cursor(self, make: Make, tmp_path: Path) -> None:
        async def story() -> None:
            one = job(tmp_path / "1", epochs=2, value=0.25)
            async with told_by(make()) as first:
                first.executor.start(one)
                await first.end(one.key)
                whole = first.reports(one.key)
            for event in first.all(Reported, one.key):
                async with told_by(make()) as second:
                    second.executor.adopt(one, event.cursor)
                    assert (await second.end(one.key)).code == 0
                    assert second.reports(one.key) == whole[event.cursor.reports :]

        run(story())

    def test_what_never_started_is_claimed_and_never_will(self, make: Make, tmp_path: Path) -> None:
        async def story() -> None:
            ran = tmp_path / "ran"
            one = job(tmp_path / "1", ran=str(ran), value=1)
            async with told_by(make()) as told:
                told.executor.adopt(one, Cursor())
                assert (await told.end(one.key)).how == "never"
            async with told_by(make()) as told:
                told.executor.start(one)
                assert (await told.end(one.key)).how == "never"
            assert not ran.exists()

        run(story())

    def test_a_directory_that_cannot_be_made_holds_the_job(self, make: Make, tmp_path: Path) -> None:
        async def story() -> None:
            (tmp_path / "file").touch()
            one = job(tmp_path / "file" / "1", value=1)
            async with told_by(make()) as told:
                told.executor.start(one)
                await told.until(lambda: told.all(Held, one.key))
                assert dict(told.executor.jobs()) == {}
                (tmp_path / "file").unlink()
                told.executor.start(one)
                assert (await told.end(one.key)).code == 0

        run(story())

    def test_a_forgotten_job_is_told_of_no_more(self, make: Make, tmp_path: Path) -> None:
        async def story() -> None:
            one = job(tmp_path / "1", epochs=1, then="wait", grace_s=0.1)
            async with told_by(make()) as told:
                told.executor.start(one)
                await told.reported(one.key)
                cursor = told.all(Reported, one.key)[-1].cursor
                told.executor.forget(one.key)
                assert dict(told.executor.jobs()) == {}
                told.executor.adopt(one, cursor)
                told.executor.stop(one.key)
                assert (await told.end(one.key)).how == "exited"
                assert len(told.reports(one.key)) == 1

        run(story())

    def test_clocks_and_capacity(self, make: Make) -> None:
        async def story() -> None:
            async with told_by(make()) as told:
                executor = told.executor
                assert executor.capacity is None or executor.capacity >= 1
                assert executor.monotonic() <= executor.monotonic()
                assert executor.clock() > 0
            await told.executor.close()

        run(story())
