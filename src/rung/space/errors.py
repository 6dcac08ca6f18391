"""The error of this room, and the "did you mean" that goes with unknown names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rung.model import BadInput

if TYPE_CHECKING:
    from collections.abc import Iterable


class SpaceError(BadInput):
    """A parameter, condition, constraint or configuration cannot be used.

    `parameter` and `field` name the offender, so that a file reader can add `file:line`; both are empty where the
    error is about no single parameter (a constraint has only a `field`, e.g. `constraints[0]`).
    """

    def __init__(self, message: str, *, parameter: str = "", field: str = "", place: str = "") -> None:
        self.parameter, self.field = parameter, field
        path = ("parameters", parameter, field) if parameter else (field,)
        super().__init__(message, place=place, key=".".join(part for part in path if part))


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """A remark ` (did you mean ...?)` when one of `known` is near `name`, else the empty string."""
    import difflib  # only who mistypes waits for it

    near = difflib.get_close_matches(name, list(known), n=1, cutoff=0.55)
    return f" (did you mean {near[0]!r}?)" if near else ""


def shown(value: object) -> str:
    """`value` as text for a message, cut to 80 characters."""
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."
