from __future__ import annotations

import errno
import json
import os
import time
from pathlib import Path

import pytest

from rung.execute import attempt, processes
from rung.execute.base import Cursor, Held, Reported
from rung.execute.local import LocalExecutor
from rung.inside import wire
from rung.model import BadInput
from rung.testing.executors import run, told_by
from rung.testing.programs import command, python, runs, shell


def test_the_program_finds_its_surroundings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RUNG_TRIAL", "of a trial that this runner itself runs in")
    script = 'printf "%s\n" "$RUNG_TRIAL_DIR" "$RUNG_PARAMS_FILE" "$RUNG_JOB" "$PYTHONUNBUFFERED" "${RUNG_TRIAL-unset}" "$MINE" "$PWD" "$(cat)"'

    async def story() -> None:
        one = shell(
            tmp_path / "a b" / "1", script, env={"MINE": "it's"}, cwd=str(tmp_path), params={"lr": 0.1, "n": [1, None]}
        )
        async with told_by(LocalExecutor()) as told:
            told.executor.start(one)
            assert (await told.end(one.key)).code == 0
        directory = Path(one.directory)
        found = (directory / "stdout").read_text().splitlines()
        params = f"{directory}/params.json"
        assert found == [str(directory), params, one.key, "1", "unset", "it's", str(tmp_path), ""]
        assert json.loads(Path(params).read_text()) == {"lr": 0.1, "n": [1, None]}
        assert directory.stat().st_mode & 0o777 == 0o700

    run(story())


HOSTILE = ["a b", "'", '"', "\n", ";", "$(touch hacked)", "`touch hacked`", "*", "\\", "ünï 🧪", "", "-n", "--", "$1"]


def test_every_argument_arrives_unharmed(tmp_path: Path) -> None:
    async def story() -> None:
        one = command(tmp_path / "1", "python3", "-c", "import json, sys; print(json.dumps(sys.argv[1:]))", *HOSTILE)
        async with told_by(LocalExecutor()) as told:
            told.executor.start(one)
            await told.end(one.key)
        assert json.loads((tmp_path / "1" / "stdout").read_text()) == HOSTILE

    run(story())


@pytest.mark.parametrize(
    ("argv", "cwd", "code", "says"),
    [
        (("no-such-program",), "", 127, "./no-such-program: not found"),
        (("eval", "touch hacked"), "", 127, "./eval: not found"),
        (("/etc/passwd",), "", 126, "Permission denied"),
        (("true",), "no-such-folder", 127, "no-such-folder"),
        (("sh", "-c", "echo first >&2; echo last >&2; exit 3"), "", 3, "first\nlast"),
        (("sh", "-c", "kill -9 $$"), "", 137, "Killed"),
        (("sh", "-c", "kill -TERM $$"), "", 143, ""),
        (("true", "x" * 200_000), "", 126, "too long"),
    ],
)
def test_what_cannot_run_or_fails_is_told_with_its_code(
    tmp_path: Path, argv: tuple[str, ...], cwd: str, code: int, says: str
) -> None:
    async def story() -> None:
        one = command(tmp_path / "1", *argv, cwd=cwd)
        async with told_by(LocalExecutor()) as told:
            told.executor.start(one)
            ended = await told.end(one.key)
            assert (ended.how, ended.code) == ("exited", code)
            assert says in ended.tail
            assert "wrapper.sh" not in ended.tail
        async with told_by(LocalExecutor()) as told:
            told.executor.adopt(one, Cursor())
            assert (await told.end(one.key)).code == code

    run(story())


def test_a_job_that_could_never_run_is_refused(tmp_path: Path) -> None:
    async def story() -> None:
        async with told_by(LocalExecutor()) as told:
            with pytest.raises(BadInput, match="no program"):
                told.executor.start(command(tmp_path / "1"))
            with pytest.raises(BadInput, match="NUL"):
                told.executor.start(command(tmp_path / "1", "echo", "a\0b"))
            with pytest.raises(BadInput, match="JSON"):
                told.executor.start(command(tmp_path / "1", "echo", params={"a": object()}))
            assert dict(told.executor.jobs()) == {}
        assert not (tmp_path / "1" / "started").exists()

    run(story())


def test_reports_are_told_while_the_job_runs_and_soon(tmp_path: Path) -> None:
    script = """
import os, sys, time
for step in range(20):
    print('{"loss": %d, "_time": %r}' % (step, time.time()), flush=True)
    sys.stdin.read()
    time.sleep(0.02)
"""

    async def story() -> None:
        one = python(tmp_path / "1", script)
        delays = []
        async with told_by(LocalExecutor()) as told:
            told.executor.start(one)
            for count in range(1, 21):
                await told.reported(one.key, count)
                delays.append(time.time() - told.reports(one.key)[count - 1].time)
            await told.end(one.key)
        assert [report.values["loss"] for report in told.reports(one.key)] == list(range(20))
        assert sorted(delays)[10] < 0.1  # 10 ms on an idle machine; this one runs other tests too

    run(story())


def test_without_hints_the_poll_finds_everything(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_more(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("rung.execute.wakeups.Inotify.add", no_more)
    monkeypatch.setattr(os, "pidfd_open", no_more)

    async def story() -> None:
        async with told_by(LocalExecutor()) as told:
            for number in range(2):
                pipe = tmp_path / f"go-{number}"
                os.mkfifo(pipe)
                one = shell(tmp_path / str(number), f"echo loss: 1; read x < {pipe}; exit 4")
                told.executor.start(one)
                await told.reported(one.key)
                pipe.write_text("x\n")
                assert (await told.end(one.key)).code == 4
            notes = [note for event in told.events if isinstance(event, Reported) for note in event.notes]
        assert notes == ["changes of files are found by polling only: No space left on device"]

    run(story())


def test_a_hundred_thousand_reports_do_not_starve_another_job(tmp_path: Path) -> None:
    many = "import sys\nfor n in range(100_000): sys.stdout.write('{\"loss\": %d}\\n' % n)"

    async def story() -> None:
        loud, quiet = python(tmp_path / "1", many), shell(tmp_path / "2", "echo loss: 1")
        async with told_by(LocalExecutor()) as told:
            told.executor.start(loud)
            told.executor.start(quiet)
            await told.end(loud.key, quiet.key)
            assert len(told.reports(loud.key)) == 100_000
            assert len(told.reports(quiet.key)) == 1
            sizes = [len(event.reports) for event in told.all(Reported, loud.key)]
            assert max(sizes) <= (1 << 20) // len('{"loss": 0}\n')

    run(story())


def test_no_zombie_and_no_descriptor_is_left(tmp_path: Path) -> None:
    async def story() -> None:
        async with told_by(LocalExecutor()) as told:
            before = len(os.listdir("/proc/self/fd"))
            jobs = [shell(tmp_path / str(number), "exit 0") for number in range(10)]
            for one in jobs:
                told.executor.start(one)
            pids = [(await told.started(one.key)).pid for one in jobs]
            await told.end(*(one.key for one in jobs))
            assert len(os.listdir("/proc/self/fd")) == before
            assert [processes.inspect(pid) for pid in pids] == [None] * 10

    run(story())


def test_a_forgotten_child_is_reaped_all_the_same(tmp_path: Path) -> None:
    async def story() -> None:
        os.mkfifo(tmp_path / "go")
        one = shell(tmp_path / "1", f"read x < {tmp_path}/go")
        async with told_by(LocalExecutor()) as told:
            told.executor.start(one)
            pid = (await told.started(one.key)).pid
            told.executor.forget(one.key)
            assert runs(pid)
            (tmp_path / "go").write_text("x\n")
            number = 0
            while processes.inspect(pid) is not None:  # another job's events turn the loop meanwhile
                number += 1
                assert number < 200
                two = shell(tmp_path / f"2-{number}", "exit 0")
                told.executor.start(two)
                await told.end(two.key)
            assert told.all(Held, one.key) == []

    run(story())
    assert attempt.status(str(tmp_path / "1")) == 0


def test_the_wrapper_left_no_doubt(tmp_path: Path) -> None:
    """What is on disk after a job is what the contract's table says."""

    async def story() -> None:
        one = shell(tmp_path / "1", "exit 9")
        async with told_by(LocalExecutor()) as told:
            told.executor.start(one)
            started = await told.started(one.key)
            await told.end(one.key)
        directory = tmp_path / "1"
        assert (directory / "exit").read_bytes() == b"9".ljust(wire.EXIT_ROOM)
        assert (directory / "started").read_text() == f"{started.pid} {started.ticks} {processes.boot_id()}\n"
        assert sorted(file.name for file in directory.iterdir()) == [
            "exit",
            "params.json",
            "started",
            "stderr",
            "stdout",
        ]

    run(story())


@pytest.mark.parametrize(
    ("script", "why"),
    [
        ("from rung.inside import session; session.invalid('a\\nb ü'); raise SystemExit(3)", "a\nb ü"),
        ("from rung.inside import session; session.invalid(' ')", "its program says that its parameters are not valid"),
        ("raise SystemExit(3)", None),
    ],
)
def test_a_program_may_refuse_its_configuration(tmp_path: Path, script: str, why: str | None) -> None:
    async def story() -> None:
        one = python(tmp_path / "1", script)
        async with told_by(LocalExecutor()) as told:
            told.executor.start(one)
            assert (await told.end(one.key)).invalid == why

    run(story())
