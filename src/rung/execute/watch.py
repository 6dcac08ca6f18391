"""One job that is being watched: what is known of it, and where in its story it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from rung.execute import attempt
from rung.execute.channels import printed_names
from rung.execute.drain import Reader
from rung.inside import wire

if TYPE_CHECKING:
    from rung.execute import processes, tree
    from rung.execute.attempt import Beginning
    from rung.execute.base import Cursor, Job


class Watch:
    """One job, as far as its story is known here."""

    def __init__(self, job: Job, cursor: Cursor) -> None:
        self.job, self.cursor = job, cursor
        self.reader = Reader(job, cursor)
        self.phase: Literal["starting", "recovering", "running", "orphaned", "over"] = "starting"
        self.pid = 0
        """The wrapper's, known when we started it ourselves or `started` was read; else 0."""
        self.error = ""
        """What `Exited.tail` will say, where that is not the end of stderr."""
        self.beginning: Beginning | None = None
        self.pidfd: int | None = None
        self.hint: int | None = None
        self.devices: tuple[str, ...] = ()
        self.ran_s: float | None = None
        self.deadline: float | None = None
        self.ending: Literal["", "stop", "timeout", "leftovers"] = ""
        self.asked: set[tuple[int, int]] = set()
        """The processes (id, ticks) that got TERM."""
        self.asked_at: float | None = None
        """When TERM was sent; None once it was looked again for a program that began at that very moment."""
        self.kill_at: float | None = None
        self.killed = False
        self.seen_at = 0.0
        self.drained_at = 0.0

    @property
    def apart(self) -> bool:
        """Whether the job is no process tree of its own: it runs inside another process, or could not be started."""
        return self.beginning is not None and bool(self.beginning.kind)

    def last_words(self, code: int | None) -> str:
        """What `Exited.tail` says: of a failure the end of stderr; of success without a metric, what was printed."""
        if code != 0:
            return self.error or attempt.tail(self.job.directory)
        if self.cursor.channel != "none" or not self.job.metrics:
            return ""
        names = printed_names(attempt.tail(self.job.directory, wire.STDOUT))
        return f"it printed numbers named {', '.join(names)}" if names else ""

    def tree(self, census: tree.Census) -> list[processes.Process]:
        """The living processes of the job."""
        if self.apart:
            return []
        begun = self.beginning
        return census.tree(self.job.key, pid=begun.pid if begun else 0, ticks=begun.ticks if begun else 0)
