from __future__ import annotations

import asyncio
import json
import os
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

import rung.inside as inside
from rung.execute import attempt, processes
from rung.execute.base import Cursor, Held, Reported
from rung.execute.inline import InlineExecutor
from rung.testing.executors import Told, job, run, told_by


@asynccontextmanager
async def inline(objective: Callable[[dict[str, object]], object]) -> AsyncIterator[Told]:
    executor = InlineExecutor(objective)
    thread = threading.Thread(target=executor.run_here)
    thread.start()
    try:
        async with told_by(executor) as told:
            yield told
    finally:
        await asyncio.get_running_loop().run_in_executor(None, thread.join, 10)
        assert not thread.is_alive()


def test_the_objective_runs_in_the_thread_that_asked_for_it(tmp_path: Path) -> None:
    seen: dict[str, object] = {}

    def objective(params: dict[str, object]) -> float:
        seen.update(thread=threading.current_thread(), pid=os.getpid(), params=params, number=inside.trial.number)
        inside.report(loss=2.0, epoch=1)
        seen["files"] = sorted(file.name for file in Path(str(seen["folder"])).iterdir())
        return 1.0

    async def story() -> None:
        one = job(tmp_path / "1", lr=0.5, inf=float("inf"))
        one = type(one)(**{**{name: getattr(one, name) for name in one.__struct_fields__}, "env": {"RUNG_TRIAL": "7"}})
        seen["folder"] = one.directory
        async with inline(objective) as told:
            told.executor.start(one)
            started = await told.started(one.key)
            assert (await told.end(one.key)).code == 0
            assert [report.values for report in told.reports(one.key)] == [{"loss": 2.0}, {"loss": 1.0}]
            assert started.pid == seen["pid"] == os.getpid()
        assert seen["params"] == {"lr": 0.5, "inf": float("inf")}
        assert seen["number"] == 7
        assert seen["thread"] is not threading.current_thread()
        assert seen["files"] == ["exit", "params.json", "reports.jsonl", "started", "stderr", "stdout"]
        assert json.loads((tmp_path / "1" / "params.json").read_text()) == {"lr": 0.5, "inf": "Infinity"}
        begun = attempt.beginning(one.directory)
        assert begun is not None and (begun.kind, begun.boot) == ("inline", processes.boot_id())
        assert not inside.trial

    run(story())


def test_an_error_is_one_line_and_its_traceback_is_kept(tmp_path: Path) -> None:
    def objective(_: dict[str, object]) -> float:
        raise ValueError("first\nsecond")

    async def story() -> None:
        one = job(tmp_path / "1")
        async with inline(objective) as told:
            told.executor.start(one)
            ended = await told.end(one.key)
            assert (ended.how, ended.code, ended.tail) == ("exited", 1, "ValueError: first")
        text = (tmp_path / "1" / "stderr").read_text()
        assert "Traceback" in text and "in objective" in text and "second" in text

    run(story())


@pytest.mark.parametrize(
    ("result", "says"),
    [
        ("low", "TargetError: the objective returned str: expected a number or a dict of numbers"),
        ({"loss": "low"}, "metric 'loss' must be one number, got str 'low'"),
        ((1.0, 2.0), "2 values for 1 metrics: loss"),
        (None, "the objective returned NoneType"),
    ],
)
def test_what_is_no_number_is_refused(tmp_path: Path, result: object, says: str) -> None:
    async def story() -> None:
        one = job(tmp_path / "1")
        async with inline(lambda _: result) as told:
            told.executor.start(one)
            ended = await told.end(one.key)
            assert ended.code == 1
            assert says in ended.tail
            assert told.reports(one.key) == []

    run(story())


def test_a_job_that_waits_for_its_turn_can_be_stopped(tmp_path: Path) -> None:
    go = threading.Event()

    def objective(_: dict[str, object]) -> float:
        assert go.wait(10)
        return 1.0

    async def story() -> None:
        first, second = job(tmp_path / "1"), job(tmp_path / "2")
        async with inline(objective) as told:
            told.executor.start(first)
            told.executor.start(second)
            await told.started(first.key)
            told.executor.stop(second.key)
            assert (await told.end(second.key)).how == "never"
            go.set()
            assert (await told.end(first.key)).code == 0

    run(story())


def test_a_time_limit_only_asks_and_says_so_once(tmp_path: Path) -> None:
    def objective(_: dict[str, object]) -> float:
        waiting = threading.Event()
        while not inside.should_stop():
            waiting.wait(0.01)
        return 1.0

    async def story() -> None:
        jobs = [job(tmp_path / str(number), timeout_s=0.1) for number in range(2)]
        async with inline(objective) as told:
            for one in jobs:
                told.executor.start(one)
            for one in jobs:
                assert (await told.end(one.key)).how == "timeout"
            notes = [note for event in told.events if isinstance(event, Reported) for note in event.notes]
        assert notes == ["a time limit cannot be enforced inside this process: the objective is only asked to stop"]

    run(story())


def test_ctrl_c_is_recorded_and_goes_on_to_the_caller(tmp_path: Path) -> None:
    def objective(_: dict[str, object]) -> float:
        raise KeyboardInterrupt

    async def story() -> None:
        executor = InlineExecutor(objective)
        raised = asyncio.get_running_loop().run_in_executor(None, interrupted, executor)
        one = job(tmp_path / "1")
        async with told_by(executor) as told:
            executor.start(one)
            ended = await told.end(one.key)
            assert (ended.how, ended.code, ended.tail) == ("exited", 130, "interrupted")
        assert await raised

    def interrupted(executor: InlineExecutor) -> bool:
        with pytest.raises(KeyboardInterrupt):
            executor.run_here()
        return True

    run(story())


def test_a_directory_that_cannot_be_made_holds(tmp_path: Path) -> None:
    async def story() -> None:
        (tmp_path / "file").touch()
        one = job(tmp_path / "file" / "1")
        async with inline(lambda _: 1.0) as told:
            told.executor.start(one)
            await told.until(lambda: told.all(Held, one.key))
            told.executor.adopt(job(tmp_path / "2"), Cursor())

    run(story())
