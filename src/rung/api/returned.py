"""Functions that return a study (another tuner's benchmark definition) instead of evaluating one configuration."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rung.api.functions import module_file
from rung.dialects.base import NOTHING_ASKED, Asked
from rung.model import BadInput
from rung.plugins import find, names

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from rung.dialects.base import Dialect
    from rung.model import StudySpec


def names_of_function(target: str, *, cwd: Path) -> Sequence[str] | None:
    """The options that the study brings which `module:function` or `file.py:function` returns; None for any other
    function, and for a target that is none. Raises `BadInput`."""
    path, function = _located(target, cwd)
    if path is None:
        return None
    found = (dialect.function_names(path, function, file=target) for dialect in _dialects())
    return next((one for one in found if one is not None), None)


def read_function(target: str, *, cwd: Path, asked: Asked = NOTHING_ASKED) -> StudySpec | None:
    """The study that the function returns; None for any other function. Raises `BadInput`."""
    path, function = _located(target, cwd)
    if path is None:
        return None
    found = (dialect.read_function(path, function, file=target, asked=asked) for dialect in _dialects())
    return next((one for one in found if one is not None), None)


def _located(target: str, cwd: Path) -> tuple[Path | None, str]:
    """The file that holds the function; None where there is none to look at."""
    place, _, function = target.rpartition(":")
    if not place or not function.isidentifier():
        return None, function
    try:
        path = cwd / place if place.endswith(".py") else module_file(place, cwd)
    except BadInput:  # that there is no such module is said by who runs it
        return None, function
    return (path, function) if path is not None and path.is_file() else (None, function)


def _dialects() -> Iterator[Dialect]:
    for name in names("dialects"):
        yield find("dialects", name)()
