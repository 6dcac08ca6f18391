"""Hypervolumes, all objectives to be minimised."""

from __future__ import annotations

from typing import Any


def hypervolume(results: Any, reference_point: Any = None) -> float:
    """The volume between the points and the reference, which is the worst of each objective where none is given.

    `results`: (points, objectives).
    """
    return hypervolume_cumulative(results, reference_point)[-1]


def hypervolume_cumulative(results: Any, reference_point: Any = None) -> list[float]:
    """The same of the first point, of the first two, and so on: one number for each point, never falling."""
    points = [tuple(float(value) for value in row) for row in results]
    if not points:
        return []
    worst = tuple(max(column) for column in zip(*points, strict=True))
    reference = worst if reference_point is None else tuple(reference_point)
    front: list[tuple[float, ...]] = []
    found: list[float] = []
    for point in points:
        if all(value == value for value in point) and not any(_covers(other, point) for other in front):
            front = [other for other in front if not _covers(point, other)] + [point]
            found.append(_volume(front, reference))
        else:
            found.append(found[-1] if found else 0.0)
    return found


def _covers(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    return all(a <= b for a, b in zip(one, other, strict=True))


def _volume(points: list[tuple[float, ...]], reference: tuple[float, ...]) -> float:
    """By slices along the last objective: each is as thick as the step to the next point, and as large as the front of
    the points below it in the other objectives."""
    inside = [point for point in points if all(a < b for a, b in zip(point, reference, strict=True))]
    if not inside:
        return 0.0
    if len(reference) == 1:
        return reference[0] - min(point[0] for point in inside)
    inside.sort(key=lambda point: point[-1])
    total = 0.0
    for i, point in enumerate(inside):
        top = inside[i + 1][-1] if i + 1 < len(inside) else reference[-1]
        if top > point[-1]:
            total += (top - point[-1]) * _volume([other[:-1] for other in inside[: i + 1]], reference[:-1])
    return total
