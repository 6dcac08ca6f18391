"""A job's report files, read from the logged cursor on; each line counts exactly once.

The offset that a drain returns is where the first line begins that has not been turned into a report yet, so whoever
reads on from a logged cursor, this process or another, gets the same reports.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from rung.execute.base import Cursor, Job, Reported
from rung.execute.channels import Channels
from rung.execute.eventfiles import EventFiles
from rung.execute.lines import LONGEST, Line, Lines
from rung.inside import wire
from rung.model import Checkpoint

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rung.execute.channels import Named
    from rung.model import Report

CHUNK = 1 << 20
"""Bytes of one file that one drain reads at most: other jobs get their turn in between."""
_FILES = (wire.REPORTS, wire.STDOUT)
_NOTES = 5
_LONGEST_NAME = 100


class Drained(NamedTuple):
    """What one drain gave. `more`: there is more to read at once."""

    reports: list[Report]
    cursor: Cursor
    notes: list[str]
    more: bool
    checkpoints: list[Checkpoint]

    def told(self, key: str) -> Reported | None:
        """The event of the job `key` that says all this; None when there is nothing to say."""
        if not (self.reports or self.notes or self.checkpoints):
            return None
        return Reported(
            key=key, reports=self.reports, cursor=self.cursor, notes=self.notes, checkpoints=self.checkpoints
        )


class Reader:
    """The report files of one job."""

    def __init__(self, job: Job, cursor: Cursor) -> None:
        self._directory, self._attempt = job.directory, job.attempt
        resource = job.env.get(wire.RESOURCE_NAME)
        self._channels = Channels(job.metrics, job.steps, cursor, before=job.begin.reports, resource=resource)
        self._lines = {name: Lines(cursor.offsets.get(name, 0)) for name in _FILES}
        self._events = EventFiles(job.directory, job.metrics, cursor.offsets)
        self._checkpoints: list[Checkpoint] = []
        self._names: set[str] = set()
        self._notes: list[str] = []
        self._unsaid = 0

    def grown(self) -> bool:
        """Whether a file is longer than what was read of it. Looks at sizes only."""
        if any(_size(self._path(name)) > lines.position for name, lines in self._lines.items()):
            return True
        return self._events.grown()

    def drain(self, now: float) -> Drained:
        """The reports in what was written since the last drain, at most `CHUNK` bytes of each file."""
        reports: list[Report] = []
        more = False
        for name, lines in self._lines.items():
            chunk = self._read(name, lines.position)
            more = more or len(chunk) == CHUNK
            for line in lines.feed(chunk):
                self._line(name, line, now, into=reports)
        groups, behind = self._events.read()
        for group in groups:
            reports += self._channels.event_group(group, now)
        return self._drained(reports, more=more or behind)

    def finish(self, now: float) -> Drained:
        """The reports in unterminated last lines and open text groups: nothing more will be written."""
        reports: list[Report] = []
        for name, lines in self._lines.items():
            rest = lines.rest()
            if rest is not None:
                self._line(name, rest, now, into=reports)
        for group in self._events.finish():
            reports += self._channels.event_group(group, now)
        reports += self._channels.flush(now)
        return self._drained(reports, more=False)

    def cursor(self) -> Cursor:
        """Up to where every line has been turned into a report."""
        channels = self._channels
        channels.silence_text()
        offsets = {name: lines.start for name, lines in self._lines.items() if lines.start}
        if channels.pending is not None:
            offsets[wire.STDOUT] = channels.pending
        offsets.update(self._events.offsets())
        return Cursor(offsets, channels.reports, channels.step, channels.channel)

    def _drained(self, reports: list[Report], *, more: bool) -> Drained:
        notes, self._notes = self._notes + self._channels.take_notes() + self._events.take_notes(), []
        checkpoints, self._checkpoints = self._checkpoints, []
        if self._unsaid:
            notes.append(f"and {self._unsaid} more lines that could not be read")
            self._unsaid = 0
        return Drained(reports, self.cursor(), notes, more, checkpoints)

    def _line(self, name: str, line: Line, now: float, *, into: list[Report]) -> None:
        if line.text is None:
            self._note(f"{name}: the line at byte {line.start} is longer than {LONGEST} bytes and was skipped")
        elif name == wire.STDOUT:
            into += self._channels.stdout_line(line.text, line.start, now)
        else:
            reports, understood = self._channels.file_line(line.text, now)
            into += reports
            if not understood:
                self._note(f"{name}: the line at byte {line.start} is no JSON object and was skipped")
        for named in self._channels.take_named():
            self._take(named)

    def _take(self, named: Named) -> None:
        """The checkpoint that a line named is told of, if there is one."""
        name = str(named.name) if type(named.name) is int else named.name
        if not isinstance(name, str) or not _is_plain(name):
            self._note(f"{named.name!r:.60} is no name of a checkpoint: expected a folder's in {wire.SNAPSHOTS}/")
            return
        folder = f"{self._path(wire.SNAPSHOTS)}/{name}"
        if name in self._names:
            self._note(f"checkpoint {name} was named before: each needs a folder of its own")
        elif os.path.islink(self._path(wire.SNAPSHOTS)):  # noqa: PTH114
            self._note(f"checkpoint {name} is not taken: {self._path(wire.SNAPSHOTS)} is a link, expected a folder")
        elif not _is_filled(folder):
            self._note(f"checkpoint {name} is not there or empty: {folder}")
        else:
            self._names.add(name)
            size = _bytes_below(folder) if named.bytes is None else named.bytes
            self._checkpoints.append(Checkpoint(self._attempt, name, named.step, named.reports, size))

    def _note(self, text: str) -> None:
        if len(self._notes) < _NOTES:
            self._notes.append(text)
        else:
            self._unsaid += 1

    def _read(self, name: str, position: int) -> bytes:
        try:
            fd = os.open(self._path(name), os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        except OSError:
            return b""  # not there yet
        try:
            return os.pread(fd, CHUNK, position)
        except OSError:
            return b""  # a directory or a pipe under that name; the poll tries again
        finally:
            os.close(fd)

    def _path(self, name: str) -> str:
        return f"{self._directory}/{name}"


def _size(path: str) -> int:
    try:
        return os.stat(path).st_size  # noqa: PTH116 - asked for every running job on every poll
    except OSError:
        return 0


def _is_plain(name: str) -> bool:
    """Whether it names a folder that lies in another one, and is not one of those that Rung keeps for itself there."""
    return 0 < len(name) <= _LONGEST_NAME and name[0] != "." and name.isprintable() and "/" not in name


def _is_filled(folder: str) -> bool:
    """Whether it is a folder, itself and not by a link, with anything in it."""
    return not os.path.islink(folder) and next(_below(folder), None) is not None  # noqa: PTH114


def _below(folder: str) -> Iterator[os.DirEntry[str]]:
    """Everything in a folder, at any depth."""
    try:
        with os.scandir(folder) as entries:
            found = list(entries)
    except OSError:
        return
    for entry in found:
        yield entry
        if entry.is_dir(follow_symlinks=False):
            yield from _below(entry.path)


def _bytes_below(folder: str) -> int:
    """How long the files and links in a folder are together."""
    return sum(_length(entry) for entry in _below(folder))


def _length(entry: os.DirEntry[str]) -> int:
    try:
        return 0 if entry.is_dir(follow_symlinks=False) else entry.stat(follow_symlinks=False).st_size
    except OSError:
        return 0
