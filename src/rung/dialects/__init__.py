"""Study files to specs and back: our own format, and a place for those of other tuners.

The names are loaded on first use, so that a caller who only checks a name or a duration does not pay for numpy.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rung.dialects.base import Dialect
    from rung.dialects.documents import read_text
    from rung.dialects.durations import format_duration, parse_duration
    from rung.dialects.names import check_study_name
    from rung.dialects.rung.reader import RungDialect, spec_from_tree
    from rung.dialects.rung.writer import edit_spec, spec_to_tree, to_yaml

__all__ = [
    "Dialect",
    "RungDialect",
    "check_study_name",
    "edit_spec",
    "format_duration",
    "parse_duration",
    "read_text",
    "spec_from_tree",
    "spec_to_tree",
    "to_yaml",
]

_HOMES = {
    "Dialect": "base",
    "RungDialect": "rung.reader",
    "check_study_name": "names",
    "edit_spec": "rung.writer",
    "format_duration": "durations",
    "parse_duration": "durations",
    "read_text": "documents",
    "spec_from_tree": "rung.reader",
    "spec_to_tree": "rung.writer",
    "to_yaml": "rung.writer",
}


def __getattr__(name: str) -> Any:
    """The exported name, imported now."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
