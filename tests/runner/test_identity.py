from __future__ import annotations

import os
import subprocess
import sys

import psutil
import pytest

from rung.runner.identity import boot_id, host, myself, start_ticks, who


def test_each_identity_is_another_runner_of_the_same_process() -> None:
    first, second = myself(), myself("asker")
    assert first.runner != second.runner
    assert (first.host, first.boot, first.pid, first.ticks) == (second.host, second.boot, second.pid, second.ticks)
    assert (first.role, second.role) == ("runner", "asker")
    assert first.pid == os.getpid()
    assert first.ticks > 0


def test_the_boot_is_the_same_in_every_process() -> None:
    told = subprocess.run(
        [sys.executable, "-c", "from rung.runner.identity import boot_id; print(boot_id())"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert told.stdout.strip() == boot_id() != ""


@pytest.mark.skipif(sys.platform != "linux", reason="start times in ticks come from /proc")
def test_start_ticks_are_the_start_of_the_process() -> None:
    since = psutil.boot_time() + start_ticks(os.getpid()) / os.sysconf("SC_CLK_TCK")
    assert since == pytest.approx(psutil.Process().create_time(), abs=2)


def test_a_process_that_never_was_has_none() -> None:
    gone = subprocess.Popen([sys.executable, "-S", "-c", ""])
    gone.wait()
    assert start_ticks(gone.pid) == 0


def test_who_names_surface_user_and_host() -> None:
    surface, _, rest = who("cli").partition(":")
    assert surface == "cli"
    assert rest.endswith(f"@{host()}")
    assert not rest.startswith("@")
