"""A space compiled: its parameters in an order in which each one's condition and factor are known before it.

`one` resolves a single configuration with plain Python (a few microseconds a parameter: it is on the path of every
ask), `many` resolves columns. Both give the same values.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from rung.space.axes import SIZE_LIMIT, Axis
from rung.space.errors import SpaceError, did_you_mean, shown
from rung.space.expressions import ABSENT, Expression, condition, constraint
from rung.space.validation import check_declaration, compile_axis, plain_json

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rung.model import Parameter
    from rung.space.scales import Floats

Columns = dict[str, Sequence[Any]]


class Part(NamedTuple):
    """A searched parameter: `column` is its place in a unit row, `whole` says that its final values are ints."""

    name: str
    column: int
    axis: Axis
    parameter: Parameter
    when: Expression | None
    times: str | None
    whole: bool

    @property
    def needs(self) -> tuple[str, ...]:
        """The names it must know first."""
        names = self.when.names if self.when else ()
        return names if self.times is None else (*names, self.times)


class Layout:
    """What a `Space` is made of; see there. `order` is topological, `parts` in the order of declaration."""

    def __init__(self, parameters: Sequence[Parameter], constraints: Sequence[str]) -> None:
        known = _unique_names(parameters)
        self.constants: dict[str, Any] = {}
        self.parts: list[Part] = []
        for parameter in parameters:
            self._add(parameter, known)
        self.by_name = {part.name: part for part in self.parts}
        self.order = _sorted(self.parts, self.by_name)
        self._check_factors()
        if isinstance(constraints, str):
            raise SpaceError(f"expected a list of expressions, got {shown(constraints)}", field="constraints")
        self.constraints = tuple(_constraint(text, known, index) for index, text in enumerate(constraints))
        self.mentioned = frozenset(self._mentioned())
        self.plain = not self.mentioned and not self.constraints and all(part.when is None for part in self.parts)
        self._check_expressions()

    def _add(self, parameter: Parameter, known: Mapping[str, Parameter]) -> None:
        if parameter.type == "constant":
            check_declaration(parameter)
            self.constants[parameter.name] = plain_json(parameter.value)
            return
        axis = compile_axis(parameter)
        when = None if parameter.when is None else _when(parameter, known)
        whole = axis.whole and (parameter.times is None or _whole(parameter.times, known))
        part = Part(parameter.name, len(self.parts), axis, parameter, when, parameter.times, whole)
        if parameter.times is not None and parameter.times not in known:
            hint = did_you_mean(parameter.times, known)
            raise SpaceError(f"unknown parameter {parameter.times!r}{hint}", parameter=parameter.name, field="times")
        self.parts.append(part)

    def _check_factors(self) -> None:
        """Every `times` names a number, and no product of ints leaves what a float column can hold."""
        largest: dict[str, float] = {}
        for name, value in self.constants.items():
            largest[name] = abs(value) if isinstance(value, int | float) and not isinstance(value, bool) else math.nan
        for part in self.order:
            factor = 1.0 if part.times is None else largest[part.times]
            if math.isnan(factor):
                message = f"{part.times!r} is not a number; times needs a float or int parameter"
                raise SpaceError(message, parameter=part.name, field="times")
            largest[part.name] = max(abs(limit) for limit in part.axis.limits) * factor
            if part.whole and largest[part.name] > SIZE_LIMIT:
                raise SpaceError("the products reach beyond 2**53", parameter=part.name, field="times")

    def _mentioned(self) -> set[str]:
        """Names whose values somebody reads: an expression, or a factor of one of those."""
        names = {name for expression in self.constraints for name in expression.names}
        for part in self.parts:
            names.update(part.needs)
        return names

    def _check_expressions(self) -> None:
        """Each expression has a value on a few points: comparing a text with a number is found before the first ask."""
        if not self.mentioned and not self.constraints:
            return
        units = np.random.default_rng(0).random((32, len(self.parts)))
        for row in units.tolist():
            values = self.one(row)
            for index, expression in enumerate(self.constraints):
                _located(expression, values, field=f"constraints[{index}]")

    # ------------------------------------------------------------------------------------------------------ resolving

    def one(self, units: Sequence[float]) -> dict[str, Any]:
        """The values of all active parameters, constants included, of one row of units in 0..1."""
        values = dict(self.constants)
        for part in self.order:
            if part.when is not None and not _located(part.when, values, parameter=part.name, field="when"):
                continue
            value = part.axis.value(units[part.column])
            if part.times is not None:
                factor = values.get(part.times, ABSENT)
                if factor is ABSENT:
                    continue
                value = value * factor
            values[part.name] = value
        return values

    def many(self, units: Floats, wanted: frozenset[str] | None = None) -> tuple[Columns, NDArray[np.bool_]]:
        """Columns of values, ABSENT where inactive; and (n, d) which parameters are active in which rows.

        Columns are those of the constants and of the `wanted` parameters (None: all of them).
        """
        count = len(units)
        columns: Columns = {name: [value] * count for name, value in self.constants.items()}
        active = np.ones((count, len(self.parts)), dtype=bool)
        for part in self.order:
            on = self._active(part, columns, count)
            if on is not None:
                active[:, part.column] = on
            if wanted is None or part.name in wanted:
                columns[part.name] = self._column(part, units, columns, on)
        return columns, active

    def _active(self, part: Part, columns: Columns, count: int) -> list[bool] | None:
        """Which rows the part is active in; None: all."""
        on: list[bool] | None = None
        if part.when is not None:
            on = _located_each(part.when, columns, count, parameter=part.name, field="when")
        if part.times is not None and part.times not in self.constants:
            present = [factor is not ABSENT for factor in columns[part.times]]
            on = present if on is None else [a and b for a, b in zip(on, present, strict=True)]
        return on

    def _column(self, part: Part, units: Floats, columns: Columns, on: list[bool] | None) -> list[Any]:
        values = part.axis.objects(part.axis.numbers(units[:, part.column]))
        if on is None:
            on = [True] * len(values) if part.times is not None else None
        if part.times is not None and on is not None:
            rows = zip(values, columns[part.times], on, strict=True)
            return [value * factor if active else ABSENT for value, factor, active in rows]
        if on is None:
            return values
        return [value if active else ABSENT for value, active in zip(values, on, strict=True)]

    def broken(self, values: Mapping[str, Any]) -> str | None:
        """The text of the first constraint that `values` break, or None."""
        for index, expression in enumerate(self.constraints):
            if not _located(expression, values, field=f"constraints[{index}]"):
                return expression.text
        return None

    def kept(self, columns: Columns, count: int) -> NDArray[np.bool_]:
        """Which rows keep all constraints."""
        kept = np.ones(count, dtype=bool)
        for index, expression in enumerate(self.constraints):
            kept &= np.array(_located_each(expression, columns, count, field=f"constraints[{index}]"), dtype=bool)
        return kept


def _located(expression: Expression, values: Mapping[str, Any], *, parameter: str = "", field: str) -> bool:
    try:
        return expression.holds(values)
    except SpaceError as error:
        raise SpaceError(error.message, parameter=parameter, field=field) from None


def _located_each(
    expression: Expression, columns: Columns, count: int, *, parameter: str = "", field: str
) -> list[bool]:
    try:
        return expression.holds_each(columns, count)
    except SpaceError as error:
        raise SpaceError(error.message, parameter=parameter, field=field) from None


def _unique_names(parameters: Sequence[Parameter]) -> dict[str, Parameter]:
    known: dict[str, Parameter] = {}
    for parameter in parameters:
        if parameter.name in known:
            raise SpaceError("declared twice; rename one", parameter=parameter.name)
        known[parameter.name] = parameter
    return known


def _when(parameter: Parameter, known: Mapping[str, Parameter]) -> Expression:
    try:
        return condition(parameter.when or "", known)
    except SpaceError as error:
        raise SpaceError(error.message, parameter=parameter.name, field="when") from None


def _constraint(text: str, known: Mapping[str, Parameter], index: int) -> Expression:
    try:
        return constraint(text, known)
    except SpaceError as error:
        raise SpaceError(error.message, field=f"constraints[{index}]") from None


def _whole(name: str, known: Mapping[str, Parameter], depth: int = 0) -> bool:
    """Whether the final values of `name` are ints."""
    parameter = known.get(name)
    if parameter is None or depth > len(known):
        return False
    if parameter.type == "constant":
        return isinstance(parameter.value, int) and not isinstance(parameter.value, bool)
    return parameter.type == "int" and (parameter.times is None or _whole(parameter.times, known, depth + 1))


def _sorted(parts: Sequence[Part], by_name: Mapping[str, Part]) -> list[Part]:
    """`parts` so that each stands after all that it needs, else as declared. Raises SpaceError printing a cycle."""
    order: list[Part] = []
    done: set[str] = set()
    for root in parts:
        path: list[tuple[Part, list[str]]] = [(root, list(root.needs))] if root.name not in done else []
        while path:
            part, needs = path[-1]
            if needs:
                name = needs.pop(0)
                if name in done or name not in by_name:
                    continue
                if any(name == earlier.name for earlier, _ in path):
                    raise _cycle(name, [earlier.name for earlier, _ in path], by_name)
                path.append((by_name[name], list(by_name[name].needs)))
            else:
                path.pop()
                done.add(part.name)
                order.append(part)
    return order


def _cycle(name: str, path: list[str], by_name: Mapping[str, Part]) -> SpaceError:
    names = [*path[path.index(name) :], name]
    part = by_name[name]
    needed = names[1]
    field = "times" if part.times == needed and (part.when is None or needed not in part.when.names) else "when"
    return SpaceError(f"parameters depend on each other in a circle: {' -> '.join(names)}", parameter=name, field=field)
