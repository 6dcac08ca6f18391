from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import rung.inside as inside
from rung.execute import processes
from rung.execute.base import Cursor, Held
from rung.execute.forked import ForkedExecutor, ForkServer
from rung.execute.local import LocalExecutor
from rung.testing.executors import job, run, told_by
from rung.testing.programs import runs, wait_for

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="forks are for Linux")


@contextmanager
def serving(objective: Callable[[dict[str, object]], object]) -> Iterator[ForkServer]:
    server = ForkServer(objective)
    try:
        yield server
    finally:
        server.close()
        server.close()


def test_a_closure_runs_apart_with_its_output_in_files(tmp_path: Path) -> None:
    seen: list[object] = []
    offset = 3

    def objective(params: dict[str, object]) -> float:
        seen.append(params)
        print("out", params, os.getcwd(), inside.trial.number, flush=True)
        print("err", file=sys.stderr)
        os.system("echo from a program; cat")
        return float(str(params["x"])) + offset

    async def story(server: ForkServer) -> None:
        one = job(tmp_path / "1", x=1)
        one = type(one)(
            **{**{name: getattr(one, name) for name in one.__struct_fields__}, "env": {"RUNG_TRIAL": "7"}, "cwd": "/"}
        )
        async with told_by(ForkedExecutor(server)) as told:
            told.executor.start(one)
            started = await told.started(one.key)
            assert (await told.end(one.key)).code == 0
            assert [report.values for report in told.reports(one.key)] == [{"loss": 4.0}]
            assert started.pid not in (os.getpid(), server.pid)
        assert (tmp_path / "1" / "stdout").read_text() == "out {'x': 1} / 7\nfrom a program\n"
        assert (tmp_path / "1" / "stderr").read_text() == "err\n"
        assert seen == []

    with serving(objective) as server:
        run(story(server))


def test_errors_end_as_python_ends(tmp_path: Path) -> None:
    def objective(params: dict[str, object]) -> object:
        if params["how"] == "raise":
            raise ValueError("boom")
        if params["how"] == "exit":
            sys.exit("no more")
        if params["how"] == "abort":
            os.kill(os.getpid(), signal.SIGKILL)
        return "text"

    async def story(server: ForkServer) -> None:
        async with told_by(ForkedExecutor(server)) as told:
            expected = {
                "raise": (1, "ValueError: boom"),
                "exit": (1, "no more"),
                "abort": (137, ""),
                "text": (1, "returned str"),
            }
            for how, (code, says) in expected.items():
                one = job(tmp_path / how, how=how)
                told.executor.start(one)
                ended = await told.end(one.key)
                assert (ended.how, ended.code) == ("exited", code)
                assert says in ended.tail

    with serving(objective) as server:
        run(story(server))


def test_stop_ends_the_fork_and_what_it_started(tmp_path: Path) -> None:
    def objective(_: dict[str, object]) -> None:
        os.spawnlp(os.P_NOWAIT, "setsid", "setsid", "sleep", "600")
        inside.report(loss=1)
        time.sleep(600)

    async def story(server: ForkServer) -> None:
        one = job(tmp_path / "1")
        async with told_by(ForkedExecutor(server)) as told:
            told.executor.start(one)
            await told.reported(one.key)
            told.executor.stop(one.key)
            ended = await told.end(one.key)
            assert (ended.how, ended.code) == ("exited", 143)
            wait_for(lambda: not [p for p in processes.everyone() if not p.gone and processes.token(p.pid) == one.key])

    with serving(objective) as server:
        run(story(server))


def test_jobs_outlive_the_server_and_are_adopted_by_anyone(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "go")

    def objective(_: dict[str, object]) -> float:
        inside.report(loss=1)
        return float((tmp_path / "go").read_text())

    async def story() -> None:
        one = job(tmp_path / "1")
        with serving(objective) as server:
            async with told_by(ForkedExecutor(server)) as told:
                told.executor.start(one)
                await told.reported(one.key)
                pid = (await told.started(one.key)).pid
                told.executor.forget(one.key)
        assert runs(pid)
        async with told_by(LocalExecutor()) as told:
            told.executor.adopt(one, Cursor())
            assert (await told.started(one.key)).pid == pid
            (tmp_path / "go").write_text("2.5")
            assert (await told.end(one.key)).code == 0
            assert [report.values["loss"] for report in told.reports(one.key)] == [1.0, 2.5]

    run(story())


def test_a_dead_server_holds_what_it_can_no_longer_start(tmp_path: Path) -> None:
    async def story(server: ForkServer) -> None:
        async with told_by(ForkedExecutor(server)) as told:
            os.kill(server.pid, signal.SIGKILL)
            wait_for(lambda: not runs(server.pid))
            one = job(tmp_path / "1")
            told.executor.start(one)
            await told.until(lambda: told.all(Held, one.key))
            assert "run the study again" in told.all(Held, one.key)[0].why
            assert not (tmp_path / "1" / "started").exists()

    with serving(lambda _: 1.0) as server:
        run(story(server))


def test_no_zombies_are_left_and_forks_do_not_draw_the_same_numbers(tmp_path: Path) -> None:
    import random

    import numpy as np

    def objective(_: dict[str, object]) -> dict[str, float]:
        return {"loss": random.random(), "other": float(np.random.rand())}

    async def story(server: ForkServer) -> None:
        async with told_by(ForkedExecutor(server)) as told:
            jobs = [job(tmp_path / str(number)) for number in range(4)]
            for one in jobs:
                told.executor.start(one)
            await told.end(*(one.key for one in jobs))
            for name in ("loss", "other"):
                assert len({told.reports(one.key)[0].values[name] for one in jobs}) == 4
            wait_for(lambda: not [one for one in processes.everyone() if one.ppid == server.pid])

    with serving(objective) as server:
        run(story(server))
