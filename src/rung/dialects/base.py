"""What a dialect promises: to say whether a text is its own, and to read it into a `StudySpec`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from pathlib import Path

    from rung.model import StudySpec


class Dialect(Protocol):
    """A study-file format, ours or another tuner's."""

    @property
    def name(self) -> str:
        """How the format is called on the command line and in messages."""
        ...

    def detect(self, path: Path, text: str) -> bool:
        """Whether `text`, found at `path`, is written in this dialect. Never raises."""
        ...

    def read(self, text: str, *, file: str) -> StudySpec:
        """The study that `text` describes.

        Raises:
            BadInput: with `file:line`, the key, what was expected and what to do.
        """
        ...
