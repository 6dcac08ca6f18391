from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest

from rung.execute import attempt, processes, watcher
from rung.execute.attempt import Beginning
from rung.execute.base import Cursor, Exited, Held, Job, Reported, Started
from rung.execute.local import LocalExecutor
from rung.testing.executors import run, told_by
from rung.testing.programs import marked, runs, shell, wait_for

OTHER = Path(__file__).with_name("other_runner.py")
KINDS = {kind.__name__: kind for kind in (Started, Reported, Exited, Held)}


class OtherRunner:
    """A runner in another process."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process

    def tells(self, kind: type[Started | Reported | Exited | Held]) -> Started | Reported | Exited | Held:
        """The next event of this kind."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            name, body = line.split(" ", 1)
            if KINDS[name] is kind:
                return msgspec.json.decode(body, type=kind)
        raise AssertionError("the other runner ended")

    def die(self) -> None:
        """kill -9, and its zombie is gone."""
        self.process.kill()
        self.process.wait(10)


@contextmanager
def other_runner(*jobs: Job) -> Iterator[OtherRunner]:
    words = [msgspec.json.encode(job).decode() for job in jobs]
    with subprocess.Popen([sys.executable, OTHER, *words], stdout=subprocess.PIPE, text=True) as process:
        try:
            yield OtherRunner(process)
        finally:
            process.kill()


def pipe(tmp_path: Path) -> Path:
    """A named pipe: a program that reads it goes on when the test writes a line."""
    os.mkfifo(tmp_path / "go")
    return tmp_path / "go"


def test_a_live_job_of_a_killed_runner_is_adopted_with_its_exit_code(tmp_path: Path) -> None:
    go = pipe(tmp_path)

    async def story() -> None:
        one = shell(tmp_path / "1", f"echo loss: 1; read x < {go}; echo loss: 2; exit 6")
        with other_runner(one) as other:
            started, reported = other.tells(Started), other.tells(Reported)
            assert isinstance(started, Started) and isinstance(reported, Reported)
            other.die()
        assert runs(started.pid)
        async with told_by(LocalExecutor()) as told:
            told.executor.adopt(one, reported.cursor)
            again = await told.started(one.key)
            assert (again.pid, again.ticks, again.boot) == (started.pid, started.ticks, started.boot)
            go.write_text("x\n")
            ended = await told.end(one.key)
            assert (ended.how, ended.code) == ("exited", 6)
            assert [(report.step, report.values) for report in told.reports(one.key)] == [(2.0, {"loss": 2.0})]

    run(story())


def test_what_ended_while_nobody_watched_is_told(tmp_path: Path) -> None:
    go = pipe(tmp_path)

    async def story() -> None:
        one = shell(tmp_path / "1", f"read x < {go}; echo loss: 2; exit 6")
        with other_runner(one) as other:
            started = other.tells(Started)
            assert isinstance(started, Started)
            other.die()
        go.write_text("x\n")
        wait_for(lambda: not runs(started.pid))
        async with told_by(LocalExecutor()) as told:
            told.executor.adopt(one, Cursor())
            ended = await told.end(one.key)
            assert (ended.how, ended.code) == ("exited", 6)
            assert len(told.reports(one.key)) == 1

    run(story())


def test_an_adopted_job_can_be_stopped(tmp_path: Path) -> None:
    async def story() -> None:
        one = shell(tmp_path / "1", "setsid sleep 600 & echo loss: 1; sleep 600")
        with other_runner(one) as other:
            other.tells(Reported)
            other.die()
        async with told_by(LocalExecutor()) as told:
            told.executor.adopt(one, Cursor())
            await told.started(one.key)
            told.executor.stop(one.key)
            ended = await told.end(one.key)
            assert (ended.how, ended.code) == ("exited", 143)
            assert marked(one.key) == []

    run(story())


@pytest.mark.parametrize("victims", ["wrapper", "both"])
def test_an_adopted_job_whose_wrapper_was_killed(tmp_path: Path, victims: str) -> None:
    go = pipe(tmp_path)

    async def story() -> None:
        one = shell(tmp_path / "1", f"echo loss: 1; read x < {go}; echo loss: 2")
        with other_runner(one) as other:
            started = other.tells(Started)
            assert isinstance(started, Started)
            other.tells(Reported)
            other.die()
        (os.kill if victims == "wrapper" else os.killpg)(started.pid, signal.SIGKILL)
        wait_for(lambda: not runs(started.pid))
        async with told_by(LocalExecutor()) as told:
            told.executor.adopt(one, Cursor())
            if victims == "wrapper":
                await told.reported(one.key)
                go.write_text("x\n")
            assert (await told.end(one.key)).how == "lost"
            assert len(told.reports(one.key)) == (2 if victims == "wrapper" else 1)

    run(story())


def test_the_time_an_adopted_job_ran_counts(tmp_path: Path) -> None:
    async def story() -> None:
        one = shell(tmp_path / "1", "echo loss: 1; sleep 600", timeout_s=100.0)
        with other_runner(one) as other:
            other.tells(Reported)
            other.die()
        async with told_by(LocalExecutor()) as told:
            begun = told.executor.monotonic()
            told.executor.adopt(one, Cursor(), ran_s=99.9)
            assert (await told.end(one.key)).how == "timeout"
            assert told.executor.monotonic() - begun < 10

    run(story())


def test_the_system_is_asked_how_long_an_adopted_job_ran(tmp_path: Path) -> None:
    async def story() -> None:
        one = shell(tmp_path / "1", "echo loss: 1; sleep 600", timeout_s=0.3)
        async with told_by(LocalExecutor()) as first:
            first.executor.start(one)
            started = await first.started(one.key)
            first.executor.forget(one.key)
        wait_for(lambda: (processes.seconds_since(started.ticks) or 0) > 0.3)
        async with told_by(LocalExecutor()) as told:
            begun = told.executor.monotonic()
            told.executor.adopt(one, Cursor())
            assert (await told.end(one.key)).how == "timeout"
            assert told.executor.monotonic() - begun < 0.25

    run(story())


def make_attempt(directory: Path, *, started: str | None, exit_text: str | None = " " * 16) -> None:
    directory.mkdir()
    if started is not None:
        (directory / "started").write_text(started.replace("PID", str(os.getpid())).replace("BOOT", BOOT))
    if exit_text is not None:
        (directory / "exit").write_text(exit_text)
    (directory / "reports.jsonl").write_text('{"loss": 1}\n')


BOOT = processes.boot_id()
ME = "PID 1 BOOT\n"  # our own process id, of a process that started at another time
OTHER_BOOT = "1 1 00000000-0000-0000-0000-000000000000\n"


@pytest.mark.parametrize(
    ("started", "exit_text", "how", "code", "reports"),
    [
        (None, None, "never", None, 0),
        ("0 0 claimed\n", " " * 16, "never", None, 0),
        (ME, " " * 16, "lost", None, 1),
        (ME, "4".ljust(16), "exited", 4, 1),
        (ME, None, "lost", None, 1),
        (OTHER_BOOT, " " * 16, "lost", None, 1),
        (OTHER_BOOT, "0".ljust(16), "exited", 0, 1),
        ("", " " * 16, "never", None, 0),
        ("123 45", " " * 16, "never", None, 0),
        ("who knows\n", " " * 16, "never", None, 0),
    ],
)
def test_what_a_directory_says(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    started: str | None,
    exit_text: str | None,
    how: str,
    code: int | None,
    reports: int,
) -> None:
    monkeypatch.setattr(watcher, "_INCOMPLETE_S", 0.05)

    async def story() -> None:
        one = shell(tmp_path / "1", "echo never run")
        make_attempt(tmp_path / "1", started=started, exit_text=exit_text)
        async with told_by(LocalExecutor()) as told:
            told.executor.adopt(one, Cursor())
            ended = await told.end(one.key)
            assert (ended.how, ended.code) == (how, code)
            assert len(told.reports(one.key)) == reports
        assert (tmp_path / "1" / "started").exists()

    run(story())


def test_a_process_that_only_has_the_number_is_never_signalled(tmp_path: Path) -> None:
    async def story() -> None:
        with subprocess.Popen(["sleep", "600"], start_new_session=True) as stranger:
            one = shell(tmp_path / "1", "echo never run")
            make_attempt(tmp_path / "1", started=f"{stranger.pid} 1 {BOOT}\n")
            async with told_by(LocalExecutor()) as told:
                told.executor.adopt(one, Cursor())
                told.executor.kill(one.key)
                assert (await told.end(one.key)).how == "lost"
            assert stranger.poll() is None
            stranger.kill()

    run(story())


def test_an_inline_job_of_another_process_is_watched_but_never_signalled(tmp_path: Path) -> None:
    async def story() -> None:
        with subprocess.Popen(["sleep", "600"], start_new_session=True) as notebook:
            ticks = processes.inspect(notebook.pid)
            assert ticks is not None
            one = shell(tmp_path / "1", "echo never run", grace_s=0.05)
            make_attempt(tmp_path / "1", started=f"{notebook.pid} {ticks.ticks} {BOOT} inline\n")
            async with told_by(LocalExecutor()) as told:
                told.executor.adopt(one, Cursor())
                await told.reported(one.key)
                told.executor.stop(one.key)
                wait_for(lambda: (tmp_path / "1" / "stop").exists())
                attempt.record_status(one.directory, 0)
                assert (await told.end(one.key)).code == 0
            assert notebook.poll() is None
            notebook.kill()

    run(story())


def test_of_many_that_start_and_claim_one_attempt_exactly_one_wins(tmp_path: Path) -> None:
    for number in range(8):
        race(tmp_path / str(number))


def race(directory: Path) -> None:
    """Wrappers and claimants at once: the program runs at most once, and exactly when no claim was won."""
    directory.mkdir()
    for fd in attempt.prepare(str(directory), {}):
        os.close(fd)
    ready, won = threading.Barrier(8), []

    def claim() -> None:
        ready.wait()
        if attempt.claim(str(directory)):
            won.append("claim")

    def start() -> None:
        ready.wait()
        code = subprocess.run(
            ["sh", attempt.WRAPPER, directory, "sh", "-c", f"echo ran >> {directory}/ran; exit 5"]
        ).returncode
        if code != 121:
            won.append(f"start {code}")

    threads = [threading.Thread(target=start if number % 2 else claim) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert len(won) == 1, won
    ran = (directory / "ran").read_text() if (directory / "ran").exists() else ""
    assert (won, ran) in ((["claim"], ""), (["start 5"], "ran\n"))


def test_two_runners_that_start_one_attempt_run_it_once_and_both_know_how_it_ended(tmp_path: Path) -> None:
    async def story() -> None:
        ran = tmp_path / "ran"
        for number in range(5):
            one = shell(tmp_path / str(number), f"echo loss: 1; echo ran >> {ran}; exit 5")
            with other_runner(one) as other:
                async with told_by(LocalExecutor()) as told:
                    told.executor.start(one)
                    ended = await told.end(one.key)
                    theirs = other.tells(Exited)
                    assert isinstance(theirs, Exited)
                    assert (ended.how, ended.code) == (theirs.how, theirs.code) == ("exited", 5)
                    assert len(told.reports(one.key)) == 1
            assert len(ran.read_text().splitlines()) == number + 1

    run(story())


def test_two_executors_in_one_process_racing_run_it_once(tmp_path: Path) -> None:
    async def story() -> None:
        ran = tmp_path / "ran"
        async with told_by(LocalExecutor()) as first, told_by(LocalExecutor()) as second:
            for number in range(20):
                one = shell(tmp_path / str(number), f"echo ran >> {ran}; exit 5")
                first.executor.start(one)
                second.executor.start(one)
                codes = {(await first.end(one.key)).code, (await second.end(one.key)).code}
                assert codes == {5}
                assert len(ran.read_text().splitlines()) == number + 1
                assert not [event for event in first.events + second.events if isinstance(event, Held)]

    run(story())


def test_a_beginning_reads_back(tmp_path: Path) -> None:
    assert attempt.begin(str(tmp_path), Beginning(12, 34, "boot", "inline"))
    assert not attempt.begin(str(tmp_path), Beginning(1, 1, "x"))
    assert attempt.beginning(str(tmp_path)) == Beginning(12, 34, "boot", "inline")
    assert not attempt.claim(str(tmp_path))
