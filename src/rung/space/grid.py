"""Walking through every configuration of a finite space, and counting them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from rung.space.errors import SpaceError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rung.space.expressions import Expression
    from rung.space.layout import Layout, Part

COUNT_LIMIT = 200_000
_SPENT = object()


def infinite(layout: Layout) -> list[str]:
    """Names of the parameters that have infinitely many values."""
    return [part.name for part in layout.parts if part.axis.size is None]


def grid(layout: Layout, *, backwards: bool = False) -> Iterator[dict[str, Any]]:
    """Every valid configuration once, the last declared parameter fastest; `backwards`: the last one first.

    An inactive parameter, or one multiplied with zero, is one point. Where a condition reads a parameter declared
    after it, all points are gathered and sorted before the first is given.
    """
    if endless := infinite(layout):
        names = ", ".join(endless)
        raise SpaceError("no grid: infinitely many values; give step or count", parameter=names)
    if [part.name for part in layout.order] == [part.name for part in layout.parts]:
        return (_searched(layout, values) for values, _ in _walk(layout, layout.order, backwards=backwards))
    points = [(sorted(indices.items()), _searched(layout, values)) for values, indices in _walk(layout, layout.order)]
    points.sort(key=lambda point: point[0], reverse=backwards)
    return (config for _, config in points)


def _searched(layout: Layout, values: dict[str, Any]) -> dict[str, Any]:
    return {name: values[name] for name in layout.by_name if name in values}


def count(layout: Layout) -> tuple[int, bool]:
    """How many configurations a finite space has, and whether that is exact.

    Parameters that take no part in any condition, product or constraint multiply; the others are walked through, up
    to COUNT_LIMIT steps; beyond that the plain product stands as an upper bound.
    """
    tangled = [part for part in layout.order if part.needs or part.name in layout.mentioned]
    free = math.prod(part.axis.size or 1 for part in layout.parts if part not in tangled)
    if not tangled and not layout.constraints:
        return free, True
    walked = 0
    for steps, step in enumerate(_steps(layout, tangled), start=1):
        walked += step is not None
        if steps > COUNT_LIMIT:
            return free * math.prod(part.axis.size or 1 for part in tangled), False
    return free * walked, True


def _walk(
    layout: Layout, order: Sequence[Part], *, backwards: bool = False
) -> Iterator[tuple[dict[str, Any], dict[int, int]]]:
    return (step for step in _steps(layout, order, backwards=backwards) if step is not None)


def _steps(
    layout: Layout, order: Sequence[Part], *, backwards: bool = False
) -> Iterator[tuple[dict[str, Any], dict[int, int]] | None]:
    """A depth-first walk: each leaf's values and indices, None for each branch cut off by a constraint.

    A constraint is tried as soon as the last parameter that it reads has been passed.
    """
    ready = _ready(layout, order)
    values: dict[str, Any] = dict(layout.constants)
    indices: dict[int, int] = {}
    if not all(expression.holds(values) for expression in ready[0]):
        yield None
        return
    if not order:
        yield values, indices
        return
    stack = [_points(order[0], values, backwards=backwards)]
    while stack:
        depth = len(stack) - 1
        part = order[depth]
        point = next(stack[-1], _SPENT)
        if point is _SPENT:
            stack.pop()
            values.pop(part.name, None)
            continue
        _place(part, point, values, indices)
        if not all(expression.holds(values) for expression in ready[depth + 1]):
            yield None
        elif depth + 1 < len(order):
            stack.append(_points(order[depth + 1], values, backwards=backwards))
        else:
            yield values, dict(indices)


def _place(part: Part, point: Any, values: dict[str, Any], indices: dict[int, int]) -> None:
    index, value = point
    indices[part.column] = index
    if index < 0:
        values.pop(part.name, None)
    else:
        values[part.name] = value


def _points(part: Part, values: dict[str, Any], *, backwards: bool = False) -> Iterator[tuple[int, Any]]:
    """(index, value) of each point that `part` takes beside `values`; index -1: inactive."""
    off = (part.when is not None and not part.when.holds(values)) or (
        part.times is not None and part.times not in values
    )
    if off:
        yield -1, None
        return
    factor = 1 if part.times is None else values[part.times]
    size = part.axis.size or 0
    indices = range(1 if factor == 0 else size)
    for index in reversed(indices) if backwards else indices:
        value = part.axis.at(index)
        yield index, value if part.times is None else value * factor


def _ready(layout: Layout, order: Sequence[Part]) -> list[list[Expression]]:
    """The constraints to try after 0, 1, 2, ... parts of `order`."""
    position = {part.name: index + 1 for index, part in enumerate(order)}
    ready: list[list[Expression]] = [[] for _ in range(len(order) + 1)]
    for expression in layout.constraints:
        ready[max((position.get(name, 0) for name in expression.names), default=0)].append(expression)
    return ready
