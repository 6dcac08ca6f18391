"""Opening what trials wrote, by number and name, never by a path that somebody gave: nothing outside of the folder of
trials, and nothing that a symbolic link leads to."""

from __future__ import annotations

import contextlib
import os
import stat
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Sequence
    from pathlib import Path

CHUNK = 1 << 18
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
# Not blocking: to open a pipe that a trial put in a file's place must not wait for its writer.
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


def words_of(study: str, trial: int, attempt: int) -> tuple[str, str, str]:
    """The folder of an attempt, below the folder of all trials."""
    return study, f"{trial:05d}", str(attempt)


@contextlib.contextmanager
def directory_below(root: Path, words: Sequence[str]) -> Iterator[int]:
    """A descriptor of the folder that these names lead to, one after the other from `root`.

    Raises `OSError` where one of them is missing, no folder, or a symbolic link.
    """
    here = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for word in words:
            here = _swapped(here, os.open(_single(word), _DIRECTORY, dir_fd=here))
        yield here
    finally:
        os.close(here)


def _swapped(old: int, new: int) -> int:
    os.close(old)
    return new


def _single(word: str) -> str:
    if word in {"", ".", ".."} or "/" in word or "\0" in word:
        raise FileNotFoundError(f"{word!r} is no name of a file")
    return word


def open_regular(directory: int, name: str) -> int:
    """A descriptor of a plain file in that folder, to be closed. Raises `OSError` where it is missing or not plain."""
    found = os.open(_single(name), _FILE, dir_fd=directory)
    if not stat.S_ISREG(os.fstat(found).st_mode):
        os.close(found)
        raise FileNotFoundError(f"{name!r} is no plain file")
    return found


@contextlib.contextmanager
def file_below(root: Path, words: Sequence[str]) -> Iterator[int]:
    """A descriptor of the plain file that these names lead to from `root`. Raises `OSError` as the above."""
    with directory_below(root, words[:-1]) as folder:
        found = open_regular(folder, words[-1])
    try:
        yield found
    finally:
        os.close(found)


def contents(root: Path, words: Sequence[str], size: int) -> Generator[bytes]:
    """Exactly `size` bytes of the plain file that these names lead to. Raises `OSError` where there are no longer so
    many: what was promised cannot be sent."""
    with file_below(root, words) as file:
        left = size
        while left:
            chunk = os.read(file, min(CHUNK, left))
            if not chunk:
                raise OSError(f"{words[-1]} has become shorter")
            left -= len(chunk)
            yield chunk
