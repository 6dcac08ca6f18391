from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from rung.execute import processes, tree
from rung.execute.processes import Process
from rung.testing.programs import wait_for


def test_we_see_ourselves() -> None:
    found = processes.inspect(os.getpid())
    assert found is not None
    assert (found.ppid, found.session, found.gone) == (os.getppid(), os.getsid(0), False)
    assert 0 <= (processes.seconds_since(found.ticks) or -1) < 3600
    assert processes.is_alive(os.getpid(), found.ticks, "")
    assert not processes.is_alive(os.getpid(), found.ticks + 1, "")


def test_a_zombie_is_gone_and_a_missing_process_is_none() -> None:
    with subprocess.Popen(["true"]) as process:
        wait_for(lambda: (found := processes.inspect(process.pid)) and found.gone)
        found = processes.inspect(process.pid)
        assert found is not None
        assert not processes.is_alive(process.pid, found.ticks, "")
        process.wait()
        assert processes.inspect(process.pid) is None


def test_a_name_with_blanks_and_parentheses_is_no_trouble(tmp_path: Path) -> None:
    program = tmp_path / "a) S (b 1 2"
    program.symlink_to("/bin/sleep")
    with subprocess.Popen([program, "600"], start_new_session=True) as process:
        wait_for(lambda: b"a) S" in Path(f"/proc/{process.pid}/comm").read_bytes())
        found = processes.inspect(process.pid)
        assert found is not None
        assert (found.ppid, found.session) == (os.getpid(), process.pid)
        process.kill()


@pytest.mark.parametrize("linux", [True, False])
def test_a_token_is_found_wherever_it_stands(monkeypatch: pytest.MonkeyPatch, linux: bool) -> None:
    monkeypatch.setattr(processes, "LINUX", linux)
    for env, expected in (
        ({"RUNG_JOB": "a key"}, "a key"),
        ({"A": "RUNG_JOB=x", "RUNG_JOB": "b"}, "b"),
        ({"A": "1", "NOT_RUNG_JOB": "c"}, ""),
    ):
        with subprocess.Popen(["/bin/sleep", "600"], env=env) as process:
            wait_for(lambda: b"sleep" in Path(f"/proc/{process.pid}/cmdline").read_bytes())
            assert processes.token(process.pid) == expected
            process.kill()
    assert processes.token(2**22 + 1) == ""


def test_without_proc_psutil_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "LINUX", False)
    with subprocess.Popen(["/bin/sleep", "600"], env={"RUNG_JOB": "k"}, start_new_session=True) as process:
        assert processes.inspect(process.pid) == Process(process.pid, os.getpid(), process.pid, 0, False)
        wait_for(lambda: processes.is_alive(process.pid, 0, "k"))
        assert not processes.is_alive(process.pid, 0, "another")
        assert [one.pid for one in tree.Census().tree("k", pid=process.pid)] == [process.pid]
        assert processes.seconds_since(0) is None
        process.kill()
        process.wait()
        assert processes.inspect(process.pid) is None


def test_a_signal_goes_to_the_process_that_was_meant_or_to_nobody() -> None:
    with subprocess.Popen(["sleep", "600"]) as process:
        found = processes.inspect(process.pid)
        assert found is not None
        processes.send(found._replace(ticks=found.ticks + 1), signal.SIGKILL)
        assert process.poll() is None
        processes.send(found, signal.SIGTERM)
        assert process.wait(10) == -15
    processes.send(found, signal.SIGKILL)


def test_without_pidfds_ticks_are_checked_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "pidfd_open")
    test_a_signal_goes_to_the_process_that_was_meant_or_to_nobody()


GROWING = """
import os, subprocess, sys, time
plain = {name: value for name, value in os.environ.items() if name != "RUNG_JOB"}
subprocess.Popen(["setsid", "sleep", "600"], env=plain)
print("ready", flush=True)
time.sleep(600)
"""


def test_the_tree_is_token_session_and_descendants() -> None:
    """The token, a member of the session without it, and a child in its own session without it."""
    env = {**os.environ, "RUNG_JOB": "the-tree"}
    with (
        subprocess.Popen(
            ["sh", "-c", 'env -u RUNG_JOB sleep 600 & exec python3 -c "$1"', "sh", GROWING],
            env=env,
            start_new_session=True,
            stdout=subprocess.PIPE,
        ) as leader,
        subprocess.Popen(["sleep", "600"], env=env, start_new_session=True) as apart,
        subprocess.Popen(["sleep", "600"], start_new_session=True) as stranger,
    ):
        assert leader.stdout is not None and leader.stdout.readline() == b"ready\n"
        found = processes.inspect(leader.pid)
        assert found is not None
        wait_for(lambda: len(tree.Census().tree("the-tree", pid=leader.pid, ticks=found.ticks)) == 4)
        members = tree.Census().tree("the-tree", pid=leader.pid, ticks=found.ticks)
        pids = {one.pid for one in members}
        assert {leader.pid, apart.pid} < pids
        assert stranger.pid not in pids and os.getpid() not in pids
        assert leader.pid not in {one.pid for one in tree.Census().tree("other", pid=leader.pid, ticks=1)}
        tree.kill(members, spare=apart.pid)
        assert leader.wait(10) == -9
        assert apart.poll() is None
        tree.terminate([one for one in members if one.pid == apart.pid])
        assert apart.wait(10) == -15
        stranger.kill()


def test_a_group_is_empty_when_its_last_member_is_reaped() -> None:
    with subprocess.Popen([sys.executable, "-c", ""], start_new_session=True) as process:
        assert tree.group_has_members(process.pid)
        process.wait()
        assert not tree.group_has_members(process.pid)
