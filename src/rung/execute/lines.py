"""Bytes in, whole lines out, each with the offset it begins at. Pure: how the bytes are cut into chunks never shows.

A carriage return overwrites what stood before it on the line, as on a terminal: of a progress bar only the last state
counts. A line whose text is longer than `LONGEST` is skipped; memory stays bounded while it is passed over.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

LONGEST = 1 << 20


class Line(NamedTuple):
    """One line. `text` is None when it was too long to be read."""

    start: int
    end: int
    text: bytes | None


class Lines:
    """The lines of one file from `offset` (the beginning of a line) on."""

    def __init__(self, offset: int = 0) -> None:
        self.start = offset
        """Where the line that is not yet complete begins."""
        self.position = offset
        """Up to where bytes were fed."""
        self._shown: bytes | None = b""  # what the last carriage return left on the line; None: too long
        self._segment: list[bytes] | None = []  # pieces since then; None: too long
        self._length = 0

    def feed(self, chunk: bytes) -> Iterator[Line]:
        """The lines that `chunk` completes."""
        first, *others = chunk.split(b"\n")
        if not others:
            self._extend(first)
            return
        self._extend(first)
        yield self._ended(self.position + 1)
        for text in others[:-1]:
            yield self._whole(text)
        self._extend(others[-1])

    def rest(self) -> Line | None:
        """The unterminated last line, if there is any: what to call once no more bytes can come."""
        if self.position == self.start:
            return None
        return self._ended(self.position)

    def _whole(self, text: bytes) -> Line:
        start = self.start
        self.start = self.position = start + len(text) + 1
        if b"\r" in text:
            return Line(start, self.start, _visible(text))
        return Line(start, self.start, text if len(text) <= LONGEST else None)

    def _extend(self, piece: bytes) -> None:
        self.position += len(piece)
        head, *others = piece.split(b"\r")
        self._grow(head)
        for segment in others:
            if self._length:
                self._shown = None if self._segment is None else b"".join(self._segment)
            self._segment, self._length = [], 0
            self._grow(segment)

    def _grow(self, piece: bytes) -> None:
        self._length += len(piece)
        if self._length > LONGEST:
            self._segment = None
        elif self._segment is not None and piece:
            self._segment.append(piece)

    def _ended(self, end: int) -> Line:
        text = self._shown
        if self._length:
            text = None if self._segment is None else b"".join(self._segment)
        line = Line(self.start, end, text)
        self.start = self.position = end
        self._shown, self._segment, self._length = b"", [], 0
        return line


def _visible(text: bytes) -> bytes | None:
    """The last segment between carriage returns that shows anything."""
    last = next((segment for segment in reversed(text.split(b"\r")) if segment), b"")
    return last if len(last) <= LONGEST else None
