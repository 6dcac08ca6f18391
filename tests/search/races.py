"""Functions on the unit cube with a known minimum of 0 somewhere in it, and how near a searcher comes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from rung.model import Budget, Objective, Parameter, SearchSpec
from rung.search.base import Problem, Searcher
from rung.space import Space
from rung.testing.driving import Drive, Make

Floats = npt.NDArray[np.float64]
Function = Callable[[Floats], float]


def cube(d: int) -> Space:
    return Space([Parameter(name=f"x{i}", type="float", min=0, max=1) for i in range(d)])


def optimum(d: int, seed: int) -> Floats:
    return np.random.default_rng(seed).uniform(0.15, 0.85, d)


def ellipsoid(d: int, seed: int) -> Function:
    """Rotated, its longest axis is 30 times the shortest."""
    rotation, _ = np.linalg.qr(np.random.default_rng((seed, 1)).normal(size=(d, d)))
    scales, centre = 10.0 ** (3 * np.arange(d) / (d - 1)), optimum(d, seed)
    return lambda x: float((scales * (rotation @ (x - centre)) ** 2).sum())


def sphere(d: int, seed: int) -> Function:
    return lambda x: float(((x - optimum(d, seed)) ** 2).sum())


def asked(space: Space, trials: int, seed: int, *, objectives: int = 1, workers: int = 1, **options: Any) -> Problem:
    return Problem(
        space=space, seed=seed, search=SearchSpec(options=options), budget=Budget(trials=trials), workers=workers,
        objectives=tuple(Objective(metric=f"loss{i}") for i in range(objectives)),
    )  # fmt: skip


def race(make: Make, problem: Problem, losses: Callable[[dict[str, Any]], list[float]]) -> list[list[float]]:
    """The losses of the budget's trials. With several workers, trials end in a random order."""
    drive, order, found = Drive(make(problem), problem), np.random.default_rng(problem.seed), dict[int, list[float]]()
    trials = problem.budget.trials or 0
    while drive.number < trials or drive.pending:
        while drive.number < trials and len(drive.pending) < problem.workers:
            number = drive.number
            found[number] = losses(drive.propose() or {})
        number = drive.pending[int(order.integers(len(drive.pending)))]
        drive.finish(number, *found[number])
    return list(found.values())


def best(make: Callable[[Problem], Searcher], problem: Problem, function: Function) -> float:
    """The lowest loss of one objective on a cube."""
    return min(loss[0] for loss in race(make, problem, lambda params: [function(np.array(list(params.values())))]))
