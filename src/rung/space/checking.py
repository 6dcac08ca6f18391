"""Configurations as people give them (texts, ints for floats) to the domain's own values, or a clear refusal."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from rung.space.axes import json_key, read_number
from rung.space.errors import SpaceError, did_you_mean, shown
from rung.space.layout import Layout, Part
from rung.space.validation import plain_json

Fill = Callable[[Part], Any]


def canonical(layout: Layout, params: Mapping[str, Any], fill: Fill, *, lenient: bool = False) -> dict[str, Any]:
    """The configuration that `params` means. Raises SpaceError.

    `fill` gives the draw of an active parameter that is not there, or raises. Constants that differ from their own
    value are part of it. `lenient`: what is inactive is left out instead of refused.
    """
    known = {**layout.constants, **layout.by_name}
    for name in params:
        if name not in known:
            raise SpaceError(f"unknown parameter{did_you_mean(str(name), known)}", parameter=str(name))
    changed = {
        name: _constant(name, layout.constants[name], params[name]) for name in layout.constants if name in params
    }
    values = {**layout.constants, **changed}
    for part in layout.order:
        _take(part, params, values, fill, lenient=lenient)
    _check_constraints(layout, values)
    kept = {name for name, value in changed.items() if json_key(value) != json_key(layout.constants[name])}
    return {
        name: values[name]
        for name in [*layout.by_name, *layout.constants]
        if name in values and _listed(name, layout, kept)
    }


def _listed(name: str, layout: Layout, changed: set[str]) -> bool:
    return name in layout.by_name or name in changed


def _take(part: Part, params: Mapping[str, Any], values: dict[str, Any], fill: Fill, *, lenient: bool) -> None:
    reason = _inactive(part, values)
    if reason:
        if part.name in params and not lenient:
            raise SpaceError(f"is inactive here ({reason}); leave it out", parameter=part.name)
        return
    factor = None if part.times is None else values[part.times]
    if part.name in params:
        values[part.name] = _find(part, params[part.name], factor)
    else:
        draw = fill(part)
        values[part.name] = draw if factor is None else draw * factor


def _inactive(part: Part, values: Mapping[str, Any]) -> str:
    try:
        if part.when is not None and not part.when.holds(values):
            return f"when: {part.when.text}"
    except SpaceError as error:
        raise SpaceError(error.message, parameter=part.name, field="when") from None
    return f"times: {part.times}, which is inactive" if part.times is not None and part.times not in values else ""


def _find(part: Part, value: Any, factor: Any) -> Any:
    try:
        value = plain_json(value)
        if factor is None:
            return part.axis.find(value)
        return _product(part, read_number(value), factor)
    except (ValueError, TypeError, OverflowError):
        product = "" if factor is None else f"{part.times} ({factor!r}) x "
        raise SpaceError(f"expected {product}{part.axis.expected}, got {shown(value)}", parameter=part.name) from None


def _product(part: Part, number: float, factor: float) -> Any:
    """`number` as draw x factor. A draw is found up to a rounding; of an interval the number stays as it is."""
    if factor == 0:
        if number != 0:
            raise ValueError(number)
        return 0 if part.whole else 0.0
    draw = part.axis.find(_quotient(part, number, factor))
    return draw * factor if part.axis.size is not None else float(number)


def _quotient(part: Part, number: float, factor: float) -> float:
    """`number` / `factor`; of an int parameter the int that is meant, where there is a rounding at most."""
    if part.whole and number % factor == 0:
        return number // factor
    quotient = number / factor
    near = not part.whole and part.axis.whole and abs(quotient - round(quotient)) <= 1e-9 * max(1.0, abs(quotient))
    return round(quotient) if near else quotient


def _constant(name: str, own: Any, given: Any) -> Any:
    try:
        value = plain_json(given)
    except ValueError as error:
        raise SpaceError(str(error), parameter=name) from None
    if isinstance(value, str) and not isinstance(own, str):
        try:
            return plain_json(json.loads(value))
        except ValueError:
            return value
    return value


def _check_constraints(layout: Layout, values: Mapping[str, Any]) -> None:
    if text := layout.broken(values):
        names = next(expression.names for expression in layout.constraints if expression.text == text)
        at = ", ".join(f"{name}={values[name]!r}" for name in names if name in values)
        raise SpaceError(f"`{text}` does not hold at {at}", field="constraints")


def refuse_missing(part: Part) -> Any:
    """Never a draw: a missing active parameter is an error."""
    raise SpaceError(f"missing: it is active here; expected {part.axis.expected}", parameter=part.name)


def default_draw(part: Part) -> Any:
    """The declared default, or the middle of the domain."""
    if part.parameter.default is msgspec.UNSET:
        return part.axis.middle
    return part.axis.find(plain_json(part.parameter.default))


def middle_draw(part: Part) -> Any:
    """The middle of the domain on its scale; the first of a choice."""
    return part.axis.middle
