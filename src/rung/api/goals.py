"""What `metric=` and `goal=` of the Python front door mean."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rung.model import BadInput, Objective

if TYPE_CHECKING:
    from collections.abc import Sequence


def objectives(metric: str | Sequence[str], goal: str | float | Sequence[str | float]) -> tuple[Objective, ...]:
    """The objectives that `metric` and `goal` name. Raises `BadInput` for a goal that is none."""
    metrics = [metric] if isinstance(metric, str) else list(metric)
    goals = [goal] * len(metrics) if isinstance(goal, str | float | int) else list(goal)
    if len(goals) != len(metrics):
        raise BadInput(f"expected a goal for each of {len(metrics)} metrics, got {len(goals)}", key="goal")
    words = {"min": "minimize", "max": "maximize"}
    found = []
    for name, aim in zip(metrics, goals, strict=True):
        direction = words.get(aim, aim) if isinstance(aim, str) else float(aim)
        if isinstance(direction, str) and direction not in {"minimize", "maximize"}:
            raise BadInput(f"expected minimize, maximize or a number to come near to, got {aim!r}", key="goal")
        found.append(Objective(metric=name, goal=direction))  # type: ignore[arg-type]
    return tuple(found)
