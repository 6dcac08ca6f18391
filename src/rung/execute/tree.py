"""The process tree of a job, and how it is ended.

The tree = processes whose environment holds the job's token, and the members of the wrapper's session, and all their
descendants. So a grandchild in a session of its own, or a daemon that forked twice, still belongs to it.
"""

from __future__ import annotations

import os
import signal
from collections import defaultdict
from typing import TYPE_CHECKING

from rung.execute import processes

if TYPE_CHECKING:
    from rung.execute.processes import Process


class Census:
    """All processes at one moment: taken once for all jobs that are being ended."""

    def __init__(self) -> None:
        self._all = {process.pid: process for process in processes.everyone()}
        self._children: defaultdict[int, list[Process]] = defaultdict(list)
        self._sessions: defaultdict[int, list[Process]] = defaultdict(list)
        for process in self._all.values():
            self._children[process.ppid].append(process)
            self._sessions[process.session].append(process)
        self._tokens: dict[str, list[Process]] | None = None

    def _by_token(self) -> dict[str, list[Process]]:
        if self._tokens is None:
            self._tokens = {}
            for process in self._all.values():
                key = "" if process.gone else processes.token(process.pid)
                if key:
                    self._tokens.setdefault(key, []).append(process)
        return self._tokens

    def tree(self, key: str, *, pid: int = 0, ticks: int = 0) -> list[Process]:
        """The living processes of the job `key` whose wrapper was (`pid`, `ticks`), that one included; never ours.

        Oldest first: a program hears that it is to end before it sees its children die.
        """
        todo = list(self._by_token().get(key, ()))
        if pid:
            todo += self._session(pid, ticks)
        found: dict[int, Process] = {}
        while todo:
            process = todo.pop()
            if process.pid not in found and process.pid != os.getpid():
                found[process.pid] = process
                todo += self._children.get(process.pid, ())
        living = [process for process in found.values() if not process.gone]
        return sorted(living, key=lambda process: (process.ticks, process.pid))

    def _session(self, pid: int, ticks: int) -> list[Process]:
        """The members of the session that the wrapper led; none when its id has since been given to another."""
        leader = self._all.get(pid)
        if leader is not None and leader.ticks != ticks:
            return []
        return [member for member in self._sessions.get(pid, ()) if member.ticks >= ticks]


class Strangers:
    """The processes known to belong to no job. A look reads only those that appeared since, so that it costs a listing
    of the ids: it can be afforded at the end of every job, which a census cannot."""

    def __init__(self) -> None:
        self._known: set[int] = set()
        self._once: set[int] = set()

    def outlived(self, pid: int, key: str) -> bool:
        """Whether anything is left of the job `key` whose wrapper `pid` has ended: beside it, or in another session."""
        if group_has_members(pid):
            return True
        present = set(processes.ids())
        tokens = {pid: processes.token(pid) for pid in present - self._known}
        bare = {pid for pid, found in tokens.items() if not found}
        # A process that is just becoming another program shows no environment, so once without a token is not enough.
        self._known = (self._known & present) | (bare & self._once)
        self._once = bare
        return key in tokens.values()


def terminate(members: list[Process]) -> None:
    """Each was asked to end; a suspended one is woken so that it can."""
    for process in members:
        processes.send(process, signal.SIGTERM)
    for process in members:
        processes.send(process, signal.SIGCONT)


def kill(members: list[Process], *, spare: int = 0) -> None:
    """Each was killed, except the process `spare`."""
    for process in members:
        if process.pid != spare:
            processes.send(process, signal.SIGKILL)


def group_has_members(pid: int) -> bool:
    """Whether anything (a zombie counts) is left in the process group that `pid` led. One system call."""
    try:
        os.killpg(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
