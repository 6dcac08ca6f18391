"""What is given as text after a script or a definition: ranges for what is searched, values for all else."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from rung.model import BadInput, Parameter
from rung.space import parse_range

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

GOALS = {"min": "minimize", "max": "maximize"}
_PYTHON = {"True": True, "False": False, "None": None}


def with_values(parameters: Sequence[Parameter], values: Mapping[str, tuple[str, ...]]) -> tuple[Parameter, ...]:
    """The parameters with what was given for them: a range for a domain or a number, else a constant; a new name is a
    constant too. Raises `BadInput`."""
    found = {parameter.name: parameter for parameter in parameters}
    for name, texts in values.items():
        if len(texts) > 1:
            raise BadInput("is given twice; give it once", place=f"--{name}")
        found[name] = _given(name, texts[0], found.get(name))
    return tuple(found.values())


def _given(name: str, text: str, old: Parameter | None) -> Parameter:
    """A text that stands for a text may hold the commas and colons of a range; one for numbers is no word."""
    number = old is not None and isinstance(old.value, (int, float)) and not isinstance(old.value, bool)
    if old is None or (old.type == "constant" and not number):
        return Parameter(name=name, type="constant", value=value_of(text))
    found = parse_range(name, text)
    values = (found.value,) if found.type == "constant" else found.values or ()
    if old.type in {"int", "float"} and any(isinstance(value, str) for value in values):
        raise BadInput(f"expected a number, or a range such as 1:8 or 0.1,0.2, got {text!r}", place=f"--{name}")
    return found


def value_of(text: str) -> Any:
    """The JSON value that the text says, else the text itself."""
    if text in _PYTHON:
        return _PYTHON[text]
    try:
        return json.loads(text, parse_constant=_refused)
    except (ValueError, RecursionError):
        return text


def _refused(word: str) -> Any:
    raise ValueError(word)
