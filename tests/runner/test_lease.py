"""When a lease has expired: by its process where that can be seen, else by its heartbeat. Time is given, never read."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass

import msgspec
import pytest

from rung.runner.identity import alive, myself, start_ticks
from rung.runner.lease import LeaseWatch
from rung.store.base import Lease, LeaseOwner

TTL = 10.0


@dataclass
class Watching:
    """An observer at monotonic time `now`."""

    watch: LeaseWatch
    now: float = 1000.0

    def after(self, seconds: float, *leases: Lease) -> list[int]:
        """The epochs of those that have expired, so many seconds later."""
        self.now += seconds
        return [lease.epoch for lease in self.watch.expired(leases, now=self.now)]


@pytest.fixture
def watching() -> Watching:
    return Watching(LeaseWatch(myself(), time_to_live_s=TTL))


@pytest.fixture
def child() -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen([sys.executable, "-S", "-E", "-c", "input()"], stdin=subprocess.PIPE)
    yield process
    process.kill()
    process.communicate()


def owner_of(pid: int, **changes: object) -> LeaseOwner:
    owner = msgspec.structs.replace(myself(), runner=f"r{pid}", pid=pid, ticks=start_ticks(pid))
    return msgspec.structs.replace(owner, **changes)


def lease(owner: LeaseOwner, *, epoch: int = 1, counter: int = 0) -> Lease:
    return Lease("study", epoch, counter, owner)


ELSEWHERE = LeaseOwner("far", "another-host", "boot", 1, 1)


def test_a_heart_that_beats_keeps_the_lease(watching: Watching) -> None:
    for beat in range(5):
        assert watching.after(TTL - 1, lease(ELSEWHERE, counter=beat)) == []


def test_a_counter_that_stood_still_for_the_time_to_live_ends_it(watching: Watching) -> None:
    assert watching.after(0, lease(ELSEWHERE, counter=7)) == []
    assert watching.after(TTL, lease(ELSEWHERE, counter=7)) == []
    assert watching.after(0.1, lease(ELSEWHERE, counter=7)) == [1]


def test_a_beat_begins_the_waiting_anew(watching: Watching) -> None:
    watching.after(0, lease(ELSEWHERE, counter=7))
    assert watching.after(TTL + 1, lease(ELSEWHERE, counter=8)) == []
    assert watching.after(TTL, lease(ELSEWHERE, counter=8)) == []
    assert watching.after(1, lease(ELSEWHERE, counter=8)) == [1]


def test_a_new_observer_waits_the_whole_time(watching: Watching) -> None:
    assert watching.after(1e9, lease(ELSEWHERE)) == []


def test_each_lease_is_watched_by_itself(watching: Watching) -> None:
    quiet, loud = lease(ELSEWHERE, epoch=1), lease(ELSEWHERE, epoch=2)
    watching.after(0, quiet, loud)
    assert watching.after(TTL + 1, quiet, lease(ELSEWHERE, epoch=2, counter=1)) == [1]


def test_a_process_of_this_host_that_is_gone_ends_it_at_once(
    watching: Watching, child: subprocess.Popen[bytes]
) -> None:
    held = lease(owner_of(child.pid))
    assert watching.after(0, held) == []
    child.kill()
    child.wait()
    assert watching.after(0, held) == [1]


def test_a_zombie_is_gone(watching: Watching, child: subprocess.Popen[bytes]) -> None:
    held = lease(owner_of(child.pid))
    child.kill()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)  # it has ended and was not reaped
    assert watching.after(0, held) == [1]


def test_a_stopped_process_is_not_gone_but_its_counter_stands_still(
    watching: Watching, child: subprocess.Popen[bytes]
) -> None:
    held = lease(owner_of(child.pid))
    child.send_signal(signal.SIGSTOP)
    os.waitid(os.P_PID, child.pid, os.WSTOPPED)
    assert watching.after(0, held) == []
    assert watching.after(TTL + 1, held) == [1]


def test_a_process_id_that_was_given_to_another_is_not_the_owner(watching: Watching) -> None:
    assert watching.after(0, lease(owner_of(os.getppid(), ticks=1))) == [1]


def test_an_earlier_boot_of_this_host_is_gone_at_once(watching: Watching) -> None:
    assert watching.after(0, lease(owner_of(os.getpid(), boot="yesterday"))) == [1]


def test_ones_own_lease_never_expires(watching: Watching) -> None:
    mine = lease(watching.watch.here)
    assert watching.after(0, mine) == []
    assert watching.after(100 * TTL, mine) == []


def test_who_lives_elsewhere_cannot_be_seen() -> None:
    here = myself()
    assert alive(ELSEWHERE, here=here) is None
    assert alive(here, here=here) is True
