from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from rung.execute import attempt, local, watcher
from rung.execute.base import Cursor, Held
from rung.execute.local import LocalExecutor
from rung.testing.executors import run, told_by
from rung.testing.programs import shell

pytestmark = pytest.mark.chaos


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 256 kB of its own."""
    folder = tmp_path / "disk"
    folder.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=256k,nr_inodes=64", "rung-test", folder], capture_output=True
    )
    if made.returncode:
        pytest.skip(f"a small tmpfs cannot be mounted here: {made.stderr.decode().strip()}")
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


@contextmanager
def filled(disk: Path) -> Iterator[None]:
    """Inside the block there is no room for a single byte."""
    with (disk / "ballast").open("wb", buffering=0) as file:
        try:
            while file.write(b"x" * 4096):
                pass
        except OSError:
            pass
    yield
    (disk / "ballast").unlink()


def test_a_start_on_a_full_disk_is_held_and_works_when_there_is_room(disk: Path) -> None:
    async def story() -> None:
        one = shell(disk / "1", "echo loss: 1; exit 3")
        async with told_by(LocalExecutor()) as told:
            with filled(disk):
                told.executor.start(one)
                await told.until(lambda: told.all(Held, one.key))
                assert "No space left" in told.all(Held, one.key)[0].why
                assert dict(told.executor.jobs()) == {}
            told.executor.start(one)
            ended = await told.end(one.key)
            assert (ended.how, ended.code) == ("exited", 3)
            assert len(told.reports(one.key)) == 1

    run(story())


def test_a_start_that_could_not_be_recorded_is_held_and_can_be_repeated(
    disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spawn = local._spawn

    def fill_and_spawn(*args: Any, **named: Any) -> int:
        """The real spawn, after the disk filled at the worst moment; waits until the wrapper has given up."""
        with filled(disk):
            pid = spawn(*args, **named)
            os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
        return pid

    async def story() -> None:
        one = shell(disk / "1", "exit 3", params={"padding": "x" * 5000})
        async with told_by(LocalExecutor()) as told:
            with monkeypatch.context() as patch:
                patch.setattr(local, "_spawn", fill_and_spawn)
                told.executor.start(one)
            await told.until(lambda: told.all(Held, one.key))
            assert "is the disk full?" in told.all(Held, one.key)[0].why
            assert not (disk / "1" / "started").exists()
            told.executor.start(one)
            assert (await told.end(one.key)).code == 3

    run(story())


def test_what_a_full_disk_kept_from_beginning_never_ran(disk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watcher, "_INCOMPLETE_S", 0.05)

    async def story() -> None:
        one = shell(disk / "1", f"touch {disk}/ran; exit 3")
        async with told_by(LocalExecutor()) as told:
            for fd in attempt.prepare(one.directory, {}):
                os.close(fd)
            (disk / "1" / "params.json").write_text("{}" + " " * 4000)
            with filled(disk):
                assert run_wrapper(disk / "1").returncode == 122
                assert attempt.status(one.directory) is None
            assert not (disk / "ran").exists()
            told.executor.adopt(one, Cursor())
            assert (await told.end(one.key)).how == "never"

    run(story())


def run_wrapper(directory: Path) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(["sh", attempt.WRAPPER, directory, "touch", directory.parent / "ran"], capture_output=True)


def test_a_disk_that_fills_while_the_program_runs_loses_no_status(disk: Path) -> None:
    async def story() -> None:
        script = f"echo loss: 1; head -c 1000000 /dev/zero > {disk}/more; echo loss: 2; exit 3"
        one = shell(disk / "1", script)
        async with told_by(LocalExecutor()) as told:
            told.executor.start(one)
            ended = await told.end(one.key)
            assert (disk / "more").stat().st_size < 1_000_000
            assert (ended.how, ended.code) == ("exited", 3)
            assert told.reports(one.key)[0].values == {"loss": 1.0}
        assert attempt.status(one.directory) == 3

    run(story())
