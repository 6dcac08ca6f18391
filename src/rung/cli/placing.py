"""Where in a study file, or with which option, the thing was written that a searcher or a scheduler cannot use."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rung.model import BadInput


@contextlib.contextmanager
def placed(file: str | None, settings: Sequence[str] = ()) -> Iterator[None]:
    """An error about a key of the study says `study.yaml:8: schedule.eta: ...`, or `--set schedule.eta: ...`.

    Who reads the options of a method knows their keys and not where they stand. `file` is the study file, None where
    the study comes from a command line alone: then the error says how to give the key. `settings` are those of `--set`.
    """
    from rung.model import BadInput

    try:
        yield
    except BadInput as error:
        if error.place or not error.key:
            raise
        raise _at_place(error, file, settings) from error


def _at_place(error: BadInput, file: str | None, settings: Sequence[str]) -> BadInput:
    from rung.dialects import read_text
    from rung.dialects.documents import parse
    from rung.dialects.positions import dotted, undotted
    from rung.model import BadInput

    path = undotted(error.key)
    given = [undotted(text.partition("=")[0]) for text in settings]
    for one in given:
        if path[: len(one)] == one:
            return BadInput(error.message, place=f"--set {dotted(one)}", key="" if one == path else error.key)
    if file is None:
        hint = f" (--set {error.key}=VALUE)" if error.key.startswith("schedule.") else ""
        return BadInput(error.message + hint, key=error.key)
    try:
        _, positions = parse(read_text(Path(file)), file=file)
    except BadInput:  # a format of its own, which knows its places itself
        return BadInput(error.message, place=file, key=error.key)
    return positions.error(tuple(path), error.message)
