from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from rung.execute.local import LocalExecutor
from rung.execute.tree import Strangers
from rung.testing.executors import run, told_by
from rung.testing.programs import marked, python, runs, shell, wait_for

SETSID = "import os, time\nif os.fork() == 0:\n    os.setsid()\n    print('loss: 1', flush=True)\n    time.sleep(600)\nos.wait()"
DAEMON = """
import os, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        print('loss: 1', flush=True)
        time.sleep(600)
    os._exit(0)
os.wait()
time.sleep(600)
"""
LEFT_BEHIND = """
import os, time
there, here = os.pipe()
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        print(os.getpid(), flush=True)
        os.write(here, b'.')
        time.sleep(600)
        os._exit(0)
    os._exit(0)
os.read(there, 1)
os.wait()
"""
STUBBORN = """
import os, signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
if os.fork() == 0:
    os.setsid()
    os.fork()
    time.sleep(600)
print('loss: 1', flush=True)
time.sleep(600)
"""


@pytest.mark.parametrize("program", [SETSID, DAEMON], ids=["own session", "daemon"])
def test_stop_ends_grandchildren_in_sessions_of_their_own(tmp_path: Path, program: str) -> None:
    async def story() -> None:
        one = python(tmp_path / "1", program)
        async with told_by(LocalExecutor()) as told:
            told.executor.start(one)
            await told.reported(one.key)
            assert len(marked(one.key)) >= 3
            told.executor.stop(one.key)
            ended = await told.end(one.key)
            assert (ended.how, ended.code) == ("exited", 143)
            assert marked(one.key) == []

    run(story())


def test_what_outlives_its_program_in_a_session_of_its_own_is_ended_too(tmp_path: Path) -> None:
    async def story() -> None:
        one = python(tmp_path / "1", LEFT_BEHIND)
        async with told_by(LocalExecutor()) as told:
            told.executor.start(one)
            ended = await told.end(one.key)
            assert (ended.how, ended.code) == ("exited", 0)
            assert marked(one.key) == []
        outlived = (tmp_path / "1" / "stdout").read_text().split()
        assert len(outlived) == 1
        assert not runs(int(outlived[0]))

    run(story())


def test_processes_of_no_job_are_no_leftovers() -> None:
    strangers = Strangers()
    assert not any(strangers.outlived(2**30, "no such job") for _ in range(3))


def test_a_tree_that_ignores_term_is_killed_after_the_grace(tmp_path: Path) -> None:
    async def story() -> None:
        one = python(tmp_path / "1", STUBBORN, grace_s=0.2)
        async with told_by(LocalExecutor()) as told:
            told.executor.start(one)
            await told.reported(one.key)
            asked = told.executor.monotonic()
            told.executor.stop(one.key)
            ended = await told.end(one.key)
            assert (ended.how, ended.code) == ("exited", 137)
            assert told.executor.monotonic() - asked >= 0.2
            assert marked(one.key) == []
            assert (tmp_path / "1" / "stop").exists()

    run(story())


def test_kill_does_not_wait(tmp_path: Path) -> None:
    async def story() -> None:
        one = python(tmp_path / "1", STUBBORN, grace_s=600.0)
        async with told_by(LocalExecutor()) as told:
            told.executor.start(one)
            await told.reported(one.key)
            told.executor.stop(one.key)
            told.executor.kill(one.key)
            assert (await told.end(one.key)).code == 137
            assert marked(one.key) == []

    run(story())


def test_a_suspended_tree_is_ended_too(tmp_path: Path) -> None:
    async def story() -> None:
        one = shell(tmp_path / "1", "echo loss: 1; kill -STOP $$; exit 0")
        async with told_by(LocalExecutor()) as told:
            told.executor.start(one)
            pid = (await told.started(one.key)).pid
            await told.reported(one.key)
            os.kill(pid, signal.SIGSTOP)
            told.executor.stop(one.key)
            assert (await told.end(one.key)).code == 143

    run(story())


def test_a_program_may_save_and_end_in_its_grace(tmp_path: Path) -> None:
    async def story() -> None:
        one = shell(
            tmp_path / "1", "trap 'sleep 0.1; echo loss: 9; exit 0' TERM; echo loss: 1; while :; do sleep 0.01; done"
        )
        async with told_by(LocalExecutor()) as told:
            told.executor.start(one)
            await told.reported(one.key)
            told.executor.stop(one.key)
            ended = await told.end(one.key)
            assert (ended.how, ended.code) == ("exited", 0)
            assert [report.values["loss"] for report in told.reports(one.key)] == [1.0, 9.0]

    run(story())


def test_a_stop_before_the_wrapper_began_leaves_nothing_running(tmp_path: Path) -> None:
    async def story() -> None:
        async with told_by(LocalExecutor()) as told:
            jobs = [shell(tmp_path / str(number), "sleep 600") for number in range(20)]
            for one in jobs:
                told.executor.start(one)
                told.executor.stop(one.key)
            begun = told.executor.monotonic()
            await told.end(*(one.key for one in jobs))
            assert told.executor.monotonic() - begun < 4.0  # nobody had to be killed
            for one in jobs:
                ended = await told.end(one.key)
                assert (ended.how, ended.code) in {("exited", 143), ("never", None)}
                assert marked(one.key) == []

    run(story())


def test_a_time_limit_ends_the_whole_tree(tmp_path: Path) -> None:
    async def story() -> None:
        one = python(tmp_path / "1", SETSID, timeout_s=0.5)
        async with told_by(LocalExecutor()) as told:
            begun = told.executor.monotonic()
            told.executor.start(one)
            ended = await told.end(one.key)
            assert (ended.how, ended.code) == ("timeout", 143)
            assert told.executor.monotonic() - begun >= 0.5
            assert marked(one.key) == []

    run(story())


def test_what_a_program_left_behind_is_ended_before_its_end_is_told(tmp_path: Path) -> None:
    async def story() -> None:
        one = shell(tmp_path / "1", "sleep 600 & echo loss: 1; exit 3")
        async with told_by(LocalExecutor()) as told:
            told.executor.start(one)
            ended = await told.end(one.key)
            assert (ended.how, ended.code) == ("exited", 3)
            assert marked(one.key) == []

    run(story())


def test_killing_the_wrapper_alone_leaves_the_program_watched_to_its_end(tmp_path: Path) -> None:
    async def story() -> None:
        os.mkfifo(tmp_path / "go")
        one = shell(tmp_path / "1", f"echo loss: 1; read x < {tmp_path}/go; echo loss: 2")
        async with told_by(LocalExecutor()) as told:
            told.executor.start(one)
            pid = (await told.started(one.key)).pid
            await told.reported(one.key)
            os.kill(pid, signal.SIGKILL)
            wait_for(lambda: not runs(pid))
            (tmp_path / "go").write_text("x\n")
            ended = await told.end(one.key)
            assert (ended.how, ended.code) == ("lost", None)
            assert [report.values["loss"] for report in told.reports(one.key)] == [1.0, 2.0]

    run(story())


def test_killing_the_program_alone_is_an_exit(tmp_path: Path) -> None:
    async def story() -> None:
        one = shell(tmp_path / "1", "echo loss: 1; kill -KILL $$")
        async with told_by(LocalExecutor()) as told:
            told.executor.start(one)
            ended = await told.end(one.key)
            assert (ended.how, ended.code) == ("exited", 137)
            assert len(told.reports(one.key)) == 1

    run(story())


def test_killing_wrapper_and_program_loses_the_job(tmp_path: Path) -> None:
    async def story() -> None:
        one = shell(tmp_path / "1", "echo loss: 1; sleep 600")
        async with told_by(LocalExecutor()) as told:
            told.executor.start(one)
            await told.reported(one.key)
            pid = (await told.started(one.key)).pid
            os.killpg(pid, signal.SIGKILL)
            assert (await told.end(one.key)).how == "lost"
            assert len(told.reports(one.key)) == 1

    run(story())


def test_an_orphaned_program_can_still_be_stopped(tmp_path: Path) -> None:
    async def story() -> None:
        one = shell(tmp_path / "1", "echo loss: 1; sleep 600")
        async with told_by(LocalExecutor()) as told:
            told.executor.start(one)
            await told.reported(one.key)
            os.kill((await told.started(one.key)).pid, signal.SIGKILL)
            told.executor.stop(one.key)
            assert (await told.end(one.key)).how == "lost"
            assert marked(one.key) == []

    run(story())
