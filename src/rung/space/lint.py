"""What is legal in a space and yet most likely not meant.

The checks that need numbers draw them with a fixed seed: the same space has the same findings.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import msgspec
import numpy as np

from rung.space.axes import Axis, Categories, Progression
from rung.space.errors import SpaceError, shown
from rung.space.layout import Columns, Layout, Part

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rung.model import Parameter
    from rung.space.scales import Floats
    from rung.space.space import Space

DRAWS = 10_000
RARE = 0.01
DECADES = 2


class Finding(NamedTuple):
    """One remark: about which parameter (empty: the whole space) and field, and what to do."""

    parameter: str
    field: str
    message: str


def lint(space: Space) -> list[Finding]:
    """The findings on `space`, parameters in the order of declaration first."""
    layout = Layout(space.parameters, space.constraints)
    findings = [finding for parameter in space.parameters for finding in _of_parameter(parameter, layout)]
    findings += _groups(space.parameters)
    findings += _conditions(layout)
    findings += _constraints(layout)
    findings += _first_points(space)
    return findings


def _of_parameter(parameter: Parameter, layout: Layout) -> Iterator[Finding]:
    if parameter.type == "constant":
        if isinstance(parameter.value, list) and parameter.values is None:
            message = f"{shown(parameter.value)} is one constant; for a choice write {{type: choice, values: [...]}}"
            yield Finding(parameter.name, "", f"{message}, to keep it {{value: [...]}}")
        return
    axis = layout.by_name[parameter.name].axis
    for remark in (_one_value(axis), _log_missing(parameter, axis), _no_order(parameter), _step_short(parameter, axis)):
        if remark is not None:
            yield Finding(parameter.name, *remark)


def _one_value(axis: Axis) -> tuple[str, str] | None:
    if axis.size != 1:
        return None
    field = "values" if isinstance(axis, Categories) else "min"
    return field, f"has the one value {shown(axis.at(0))}; write it as a constant"


def _log_missing(parameter: Parameter, axis: Axis) -> tuple[str, str] | None:
    low, high = axis.limits
    plain = parameter.type in {"float", "int"} and parameter.scale == "linear"
    if not plain or parameter.step is not None or parameter.count is not None or not 0 < low < high:
        return None
    decades = math.log10(high) - math.log10(low)
    if decades < DECADES - 1e-9:
        return None
    return "scale", f"{low:g} .. {high:g} spans {decades:.1f} decades; most draws are near max: write scale: log"


def _no_order(parameter: Parameter) -> tuple[str, str] | None:
    values = parameter.values or ()
    numbers = [value for value in values if isinstance(value, int | float) and not isinstance(value, bool)]
    if parameter.type != "choice" or len(values) < 3 or len(numbers) != len(values):
        return None
    return "type", "numbers as categories lose their order; write type: ordinal, or int or float with min and max"


def _step_short(parameter: Parameter, axis: Axis) -> tuple[str, str] | None:
    if not isinstance(axis, Progression) or parameter.step is None or parameter.max is None:
        return None
    if abs(axis.last - parameter.max) <= 1e-9 * axis.step:
        return None
    return "step", f"max {parameter.max!r} is never reached: the last value is {axis.last!r}"


def _groups(parameters: tuple[Parameter, ...]) -> Iterator[Finding]:
    """A mapping with min and max and no type was read as a group of constants."""
    names = {parameter.name for parameter in parameters if parameter.type == "constant"}
    for name in sorted(names):
        head, _, last = name.rpartition(".")
        if head and ((last == "min" and f"{head}.max" in names) or last == "values"):
            yield Finding(
                head, "type", f"is a group of constants ({name}, ...); for a domain add type: float, int, choice"
            )


def _conditions(layout: Layout) -> Iterator[Finding]:
    conditional = [part for part in layout.parts if part.when is not None]
    if not conditional:
        return
    units = _probes(layout, conditional)
    _, active = layout.many(units, layout.mentioned)
    for part in conditional:
        if not active[:, part.column].any():
            assert part.when is not None
            message = f"`{part.when.text}` never holds ({len(units)} points tried): the parameter is never active"
            yield Finding(part.name, "when", message)


def _probes(layout: Layout, conditional: list[Part]) -> Floats:
    """Random unit rows, and rows at the very values that the conditions compare with."""
    rng = np.random.default_rng(0)
    blocks = [rng.random((DRAWS, len(layout.parts)))]
    for part in conditional:
        assert part.when is not None
        for name in part.when.names:
            if name in layout.by_name:
                blocks += [
                    _pinned(layout.by_name[name], value, rng, len(layout.parts)) for value in part.when.constants
                ]
    return np.concatenate([block for block in blocks if len(block)])


def _pinned(part: Part, value: object, rng: np.random.Generator, width: int) -> Floats:
    """64 random rows in which `part` has `value`; none when that is not in its domain."""
    try:
        number = np.array([part.axis.number(part.axis.find(value))])
    except (ValueError, TypeError):
        return np.empty((0, width))
    rows = rng.random((64, width))
    rows[:, part.column] = part.axis.units(number)[0]
    return rows


def _constraints(layout: Layout) -> Iterator[Finding]:
    if not layout.constraints:
        return
    units = np.random.default_rng(0).random((DRAWS, len(layout.parts)))
    columns, _ = layout.many(units, layout.mentioned)
    for index, expression in enumerate(layout.constraints):
        share = np.mean(expression.holds_each(columns, DRAWS))
        if share < RARE:
            message = f"`{expression.text}` holds for {share:.2%} of the space; narrow the ranges instead"
            yield Finding("", f"constraints[{index}]", message)
    yield from _together(layout, columns)


def _together(layout: Layout, columns: Columns) -> Iterator[Finding]:
    share = np.mean(layout.kept(columns, DRAWS))
    if len(layout.constraints) > 1 and share < RARE:
        yield Finding("", "constraints", f"together they hold for {share:.2%} of the space; narrow the ranges instead")


def _first_points(space: Space) -> Iterator[Finding]:
    if all(parameter.default is msgspec.UNSET for parameter in space.parameters):
        return
    try:
        space.defaults()
    except SpaceError as error:
        yield Finding(error.parameter, error.field or "default", f"the default point is outside: {error.message}")
