"""Names that users give: the rule for studies, and the nearest known name when one is mistyped."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from rung.model import BadInput

if TYPE_CHECKING:
    from collections.abc import Iterable

_STUDY = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*", re.ASCII)
_LONGEST_NAME = 100
_LONGEST_SHOWN = 60
_LONGEST_LIST = 16


def check_study_name(name: str, *, place: str = "", key: str = "") -> str:
    """`name`, which may name a study: and so a directory, and a word on the command line beside trial numbers.

    Raises:
        BadInput: it is empty, longer than 100 characters, all digits, holds `..`, or other characters than those.
    """
    if len(name) > _LONGEST_NAME:
        raise BadInput(
            f"a study's name has at most {_LONGEST_NAME} characters, this one has {len(name)}", place=place, key=key
        )
    if not _STUDY.fullmatch(name) or ".." in name:
        raise BadInput(
            f"{shown(name)} cannot name a study; use letters, digits, `-`, `_` and single dots, "
            "beginning with a letter or digit",
            place=place,
            key=key,
        )
    if name.isdigit():
        raise BadInput(
            f"{shown(name)} cannot name a study: a bare number is a trial; add a letter", place=place, key=key
        )
    return name


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known name that `word` most likely means, or None when none is close."""
    import difflib  # only who mistypes waits for it

    candidates = sorted(known)
    close = difflib.get_close_matches(word.lower(), [name.lower() for name in candidates], n=1, cutoff=0.6)
    if close:
        return next(name for name in candidates if name.lower() == close[0])
    longer = [name for name in candidates if len(word) > 1 and name.startswith(word)]
    return longer[0] if len(longer) == 1 else None


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """The end of a message about an unknown name: its nearest known one, or all that there are."""
    names = list(known)
    guess = nearest(word, names)
    if guess is not None:
        return f"; did you mean `{guess}`?"
    if not names:
        return ""
    listed = ", ".join(f"`{name}`" for name in names[:_LONGEST_LIST])
    return f"; known: {listed}" + (", ..." if len(names) > _LONGEST_LIST else "")


def shown(value: Any) -> str:
    """`value` as a message quotes it: one line of JSON, abbreviated."""
    if value is None:
        return "nothing"
    text = json.dumps(value, ensure_ascii=False, default=str)
    # JSON leaves a few line breaks of Unicode as they are; a message is one line.
    text = "".join(char if char.isprintable() else repr(char)[1:-1] for char in text)
    return text if len(text) <= _LONGEST_SHOWN else f"{text[: _LONGEST_SHOWN - 4]} ..."
