"""A job's report files, read from the logged cursor on; each line counts exactly once.

The offset that a drain returns is where the first line begins that has not been turned into a report yet, so whoever
reads on from a logged cursor, this process or another, gets the same reports.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from rung.execute.base import Cursor, Job
from rung.execute.channels import Channels
from rung.execute.lines import LONGEST, Line, Lines
from rung.inside import wire

if TYPE_CHECKING:
    from rung.model import Report

CHUNK = 1 << 20
"""Bytes of one file that one drain reads at most: other jobs get their turn in between."""
_FILES = (wire.REPORTS, wire.STDOUT)
_NOTES = 5


class Drained(NamedTuple):
    """What one drain gave. `more`: there is more to read at once."""

    reports: list[Report]
    cursor: Cursor
    notes: list[str]
    more: bool


class Reader:
    """The report files of one job."""

    def __init__(self, job: Job, cursor: Cursor) -> None:
        self._directory = job.directory
        self._channels = Channels(job.metrics, job.steps, cursor)
        self._lines = {name: Lines(cursor.offsets.get(name, 0)) for name in _FILES}
        self._notes: list[str] = []
        self._unsaid = 0

    def grown(self) -> bool:
        """Whether a file is longer than what was read of it. Looks at sizes only."""
        return any(_size(self._path(name)) > lines.position for name, lines in self._lines.items())

    def drain(self, now: float) -> Drained:
        """The reports in what was written since the last drain, at most `CHUNK` bytes of each file."""
        reports: list[Report] = []
        more = False
        for name, lines in self._lines.items():
            chunk = self._read(name, lines.position)
            more = more or len(chunk) == CHUNK
            for line in lines.feed(chunk):
                self._line(name, line, now, into=reports)
        return self._drained(reports, more=more)

    def finish(self, now: float) -> Drained:
        """The reports in unterminated last lines and open text groups: nothing more will be written."""
        reports: list[Report] = []
        for name, lines in self._lines.items():
            rest = lines.rest()
            if rest is not None:
                self._line(name, rest, now, into=reports)
        reports += self._channels.flush(now)
        return self._drained(reports, more=False)

    def cursor(self) -> Cursor:
        """Up to where every line has been turned into a report."""
        channels = self._channels
        channels.silence_text()
        offsets = {name: lines.start for name, lines in self._lines.items() if lines.start}
        if channels.pending is not None:
            offsets[wire.STDOUT] = channels.pending
        return Cursor(offsets, channels.reports, channels.step, channels.channel)

    def _drained(self, reports: list[Report], *, more: bool) -> Drained:
        notes, self._notes = self._notes, []
        if self._unsaid:
            notes.append(f"and {self._unsaid} more lines that could not be read")
            self._unsaid = 0
        return Drained(reports, self.cursor(), notes, more)

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
