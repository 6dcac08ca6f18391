"""What a trial's program wrote, in windows: a log may be as long as a disk, and hold anything.

Places are byte offsets. A window never begins or ends inside of a character; what is no UTF-8 stands in it as U+FFFD.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import msgspec

from rung.api.places import runs_directory
from rung.api.trialfiles import contents, file_below, words_of
from rung.inside.wire import STDERR, STDOUT
from rung.model import BadInput
from rung.study.transitions import LIVE

if TYPE_CHECKING:
    from collections.abc import Generator

    from rung.api.handle import Handle

Stream = Literal["stdout", "stderr"]
USUAL_BYTES = 1 << 16
MOST_BYTES = 1 << 20
SCANNED = 1 << 26  # bytes that one search looks through; it says how far it came
CHUNK = 1 << 20
MOST_MATCHES = 500
EXCERPT = 160  # bytes of the line around a match
LONGEST_SEARCH = 200  # characters
_WIDEST = 4  # bytes of one character


class LogMatch(msgspec.Struct, frozen=True, kw_only=True):
    """A place where the searched text stands: its byte `offset`, and the line there, as much of it as fits a list."""

    offset: int
    text: str


class LogWindow(msgspec.Struct, frozen=True, kw_only=True):
    """A part of what an attempt wrote.

    `text` stands at the bytes from `offset` to `next` of the `size` that there are now; what follows is asked for with
    `next`. Of a search `text` is empty: the bytes from `offset` to `next` were looked through, and `matches` are the
    places found. `ended`: nothing more will be written. `other`: bytes in the other stream. `missing`: why there is
    nothing to read.
    """

    trial: int
    attempt: int
    attempts: int
    stream: Stream
    offset: int
    next: int
    size: int
    other: int
    ended: bool
    text: str = ""
    matches: list[LogMatch] | None = None
    missing: str | None = None


class TrialLog(msgspec.Struct, frozen=True, kw_only=True):
    """Where an attempt's output lies; reading it needs the study no more."""

    study: str
    runs: Path
    trial: int
    attempt: int
    attempts: int
    stream: Stream
    ended: bool

    def window(self, offset: int = 0, limit: int = USUAL_BYTES) -> LogWindow:
        """At most `limit` bytes from `offset` on. A negative one counts from the end, and begins with a whole line."""
        try:
            with file_below(self.runs, self._words(self.stream)) as file:
                return self._read(file, offset, max(_WIDEST, min(limit, MOST_BYTES)))
        except OSError:
            return self._nothing()

    def _read(self, file: int, offset: int, limit: int) -> LogWindow:
        size = os.fstat(file).st_size
        begin = max(0, size + offset) if offset < 0 else min(offset, size)
        data = os.pread(file, min(limit, size - begin), begin)
        if begin:
            skip = _torn_begin(data)
            if offset < 0:
                newline = data.find(b"\n")
                skip = newline + 1 if newline >= 0 else skip
            data, begin = data[skip:], begin + skip
        keep = len(data) if self.ended and begin + len(data) == size else len(data) - _torn_end(data)
        return self._window(begin, begin + keep, size, text=data[:keep].decode(errors="replace"))

    def whole(self) -> tuple[int, Generator[bytes]] | None:
        """All that is written by now, byte for byte: how much, and the bytes; None where there is nothing to read. The
        bytes raise `OSError` where there are no longer so many."""
        try:
            with file_below(self.runs, self._words(self.stream)) as file:
                size = os.fstat(file).st_size
        except OSError:
            return None
        return size, contents(self.runs, self._words(self.stream), size)

    def search(self, wanted: str, offset: int = 0) -> LogWindow:
        """Where `wanted` stands from `offset` on, the letters a to z of either case being the same; in so many bytes,
        and so many times, as one question is worth: `next` is where to go on. Raises `BadInput` for nothing, or too
        much."""
        if not wanted or len(wanted) > LONGEST_SEARCH:
            raise BadInput(f"expected 1 to {LONGEST_SEARCH} characters to look for", key="search")
        try:
            with file_below(self.runs, self._words(self.stream)) as file:
                size = os.fstat(file).st_size
                begin = max(0, size + offset) if offset < 0 else min(offset, size)
                matches, reached = _scan(file, wanted.encode(errors="replace").lower(), begin, size)
        except OSError:
            return self._nothing()
        return self._window(begin, reached, size, matches=matches)

    def _window(
        self, offset: int, following: int, size: int, *, text: str = "", matches: list[LogMatch] | None = None,
        missing: str | None = None,
    ) -> LogWindow:  # fmt: skip
        return LogWindow(
            trial=self.trial, attempt=self.attempt, attempts=self.attempts, stream=self.stream, offset=offset,
            next=following, size=size, other=self._other(), ended=self.ended, text=text, matches=matches,
            missing=missing,
        )  # fmt: skip

    def _nothing(self) -> LogWindow:
        return self._window(0, 0, 0, missing=self.absent())

    def absent(self) -> str:
        """Why there is nothing to read, where there is not."""
        if not self.attempts:
            return f"trial {self.trial} has not started yet"
        if not self.ended:
            return f"trial {self.trial} has written nothing to {self.stream} yet"
        return (
            f"there is no {self.stream} of this attempt here: it ran inside of a Python program or on another "
            "machine, or its folder was removed"
        )

    def _other(self) -> int:
        try:
            with file_below(self.runs, self._words("stderr" if self.stream == "stdout" else "stdout")) as file:
                return os.fstat(file).st_size
        except OSError:
            return 0

    def _words(self, stream: Stream) -> tuple[str, ...]:
        name = STDOUT if stream == "stdout" else STDERR
        return (*words_of(self.study, self.trial, self.attempt), name)


def log_of(handle: Handle, number: int, attempt: int | None = None, stream: Stream = "stdout") -> TrialLog:
    """The output of an attempt (None: the last). Raises `BadInput` for a trial or an attempt that there is not."""
    latest = handle.trial(number).attempt
    if attempt is not None and not 1 <= attempt <= latest:
        raise BadInput(
            f"trial {number} of study {handle.name} has {latest} attempt{'s' * (latest != 1)}, not {attempt}",
            key="attempt",
        )
    chosen = attempt or latest
    return TrialLog(
        study=handle.name, runs=runs_directory(handle), trial=number, attempt=chosen, attempts=latest, stream=stream,
        ended=latest > 0 and (chosen < latest or handle.state.phase(number) not in LIVE),
    )  # fmt: skip


def window(
    handle: Handle, number: int, attempt: int | None = None, offset: int = 0, limit: int = USUAL_BYTES,
    *, stream: Stream = "stdout",
) -> LogWindow:  # fmt: skip
    """`TrialLog.window` in one call. Raises `BadInput` as `log_of` does."""
    return log_of(handle, number, attempt, stream).window(offset, limit)


def _torn_begin(data: bytes) -> int:
    """How many bytes at the beginning are the rest of a character."""
    count = 0
    while count < min(len(data), _WIDEST - 1) and data[count] & 0xC0 == 0x80:
        count += 1
    return count


def _torn_end(data: bytes) -> int:
    """How many bytes at the end are the beginning of a character whose rest may follow."""
    for back in range(1, min(_WIDEST, len(data) + 1)):
        byte = data[-back]
        if byte & 0xC0 == 0x80:
            continue
        length = 2 if byte & 0xE0 == 0xC0 else 3 if byte & 0xF0 == 0xE0 else 4 if byte & 0xF8 == 0xF0 else 1
        return back if length > back else 0
    return 0


def _scan(file: int, wanted: bytes, begin: int, size: int) -> tuple[list[LogMatch], int]:
    """The matches, and up to where they are all of them."""
    end = min(size, begin + SCANNED)
    found: list[LogMatch] = []
    at = begin
    while at < end:
        # A match may lie across the border of two chunks: each is read with so much more that it lies in one of them.
        chunk = os.pread(file, min(CHUNK + len(wanted) - 1, size - at), at)
        if not chunk:
            return found, at
        lowered = chunk.lower()
        place = lowered.find(wanted)
        while 0 <= place < CHUNK:
            found.append(LogMatch(offset=at + place, text=_excerpt(chunk, place)))
            if len(found) == MOST_MATCHES:
                return found, at + place + len(wanted)
            place = lowered.find(wanted, place + len(wanted))
        at += min(CHUNK, len(chunk))
    return found, min(at, size)


def _excerpt(chunk: bytes, place: int) -> str:
    """The line around a match."""
    begin = max(chunk.rfind(b"\n", max(0, place - EXCERPT // 2), place) + 1, place - EXCERPT // 2, 0)
    end = chunk.find(b"\n", place, begin + EXCERPT)
    return chunk[begin : end if end >= 0 else begin + EXCERPT].decode(errors="replace").strip()
