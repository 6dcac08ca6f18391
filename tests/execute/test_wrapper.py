from __future__ import annotations

import fcntl
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from rung.execute import attempt, processes
from rung.testing.programs import wait_for

SHELLS = [
    pytest.param(words, marks=pytest.mark.skipif(shutil.which(words[0]) is None, reason=f"no {words[0]} here"))
    for words in (["dash"], ["bash", "--posix"], ["bash"], ["busybox", "sh"])
]


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    for fd in attempt.prepare(str(tmp_path / "a (b) c"), {}):
        os.close(fd)
    return tmp_path / "a (b) c"


@pytest.mark.parametrize("words", SHELLS)
@pytest.mark.parametrize(
    ("script", "code"), [("exit 0", 0), ("exit 200", 200), ("kill -9 $$", 137), ("kill -TERM $$", 143)]
)
def test_the_wrapper_tells_the_story(words: list[str], script: str, code: int, directory: Path) -> None:
    command = [*words, attempt.WRAPPER, str(directory), "sh", "-c", script]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL, start_new_session=True) as process:
        assert process.wait(10) == code
        begun = attempt.beginning(str(directory))
        assert begun is not None
        assert (begun.pid, begun.boot) == (process.pid, processes.boot_id())
    assert attempt.status(str(directory)) == code
    assert (directory / "exit").stat().st_size == 16


@pytest.mark.parametrize("words", SHELLS)
def test_the_start_ticks_are_those_of_the_kernel(words: list[str], directory: Path) -> None:
    command = [*words, attempt.WRAPPER, str(directory), "sleep", "600"]
    with subprocess.Popen(command, start_new_session=True) as process:
        wait_for(lambda: attempt.beginning(str(directory)))
        begun, found = attempt.beginning(str(directory)), processes.inspect(process.pid)
        assert begun is not None and found is not None
        assert begun.ticks == found.ticks > 0
        os.killpg(process.pid, signal.SIGKILL)


@pytest.mark.parametrize("words", SHELLS)
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_signals_reach_the_program_unharmed_and_leave_the_wrapper_to_record(
    words: list[str], number: signal.Signals, directory: Path
) -> None:
    command = [*words, attempt.WRAPPER, str(directory), "sleep", "600"]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL, start_new_session=True) as process:
        wait_for(lambda: [one for one in processes.everyone() if one.ppid == process.pid])
        wait_for(lambda: Path(f"/proc/{child_of(process.pid)}/cmdline").read_bytes().startswith(b"sleep\0"))
        os.kill(process.pid, number)
        os.kill(child_of(process.pid), number)
        assert process.wait(10) == 128 + number
    assert attempt.status(str(directory)) == 128 + number


def child_of(pid: int) -> int:
    return next(one.pid for one in processes.everyone() if one.ppid == pid)


@pytest.mark.parametrize("words", SHELLS)
def test_a_started_directory_is_left_alone(words: list[str], directory: Path) -> None:
    assert attempt.claim(str(directory))
    code = subprocess.run([*words, attempt.WRAPPER, str(directory), "touch", str(directory / "ran")]).returncode
    assert code == 121
    assert attempt.status(str(directory)) is None
    assert not (directory / "ran").exists()


@pytest.mark.parametrize("words", SHELLS)
def test_arguments_and_descriptors_pass_unharmed(words: list[str], directory: Path) -> None:
    read, write = os.pipe()
    high = fcntl.fcntl(write, fcntl.F_DUPFD, 25)  # one that no shell can name with a digit
    hostile = ["a b", "*", "$HOME", "'", "\n", "", "-x"]
    program = f"import os, sys, json; os.write({high}, json.dumps(sys.argv[1:]).encode())"
    subprocess.run(
        [*words, attempt.WRAPPER, str(directory), sys.executable, "-c", program, *hostile], pass_fds=[high], check=True
    )
    for fd in (write, high):
        os.close(fd)
    with os.fdopen(read) as file:
        assert file.read() == '["a b", "*", "$HOME", "\'", "\\n", "", "-x"]'
