"""The check that a command names only parameters that there are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rung.dialects.names import did_you_mean
from rung.model import BadInput
from rung.space.template import RESERVED, placeholder_names

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


def check(template: Sequence[str], names: Iterable[str]) -> None:
    """Every placeholder of `template` is one of `names`, `{rest}` or `{params}`.

    Raises:
        BadInput: one is not, or a brace has no partner. The message names no place.
    """
    known = [*names, *sorted(RESERVED)]
    for name in placeholder_names(template):
        if name not in known:
            raise BadInput(
                f"unknown placeholder `{{{name}}}`{did_you_mean(name, known)}"
                f" (`{{{{{name}}}}}` stands for the text itself)"
            )
