"""`calibrate.py [PROBLEM ...]`: the best known value and the median of random configurations, into `scales.json`.

Tables and test functions have an exact optimum. For trained models the best of a random sample is improved by a climb
that changes one or two parameters at a time; the report lowers it further to the best that any run has seen. `solved`
is the chance that a hundred random draws come within a thousandth of the best: near 1 a problem ranks nothing.
"""

from __future__ import annotations

import json
import math
import random
import statistics
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from bench.quality.objectives import Objective, best_of_table, build
from bench.quality.parameters import active_part, draw
from bench.quality.problems import PROBLEMS, SCALES, Problem

if TYPE_CHECKING:
    from collections.abc import Callable

DRAWS, CLIMBS, TRIALS, NEAR = 1000, 500, 100, 1e-3
EXACT_ZERO = {"bbob", "crossing", "mixint", "branches", "layers"}


def scale(problem: Problem) -> dict[str, float]:
    """The problem's line of the file."""
    objective, rng = build(problem._replace(noise="" if problem.noise == "gauss" else problem.noise)), random.Random(1)
    sample = [draw(problem.space, rng) for _ in range(DRAWS)]
    values = [objective(params, None)[1] for params in sample]
    finite = [value for value in values if math.isfinite(value)]
    median = statistics.median(finite + [max(finite)] * (len(values) - len(finite)))
    best = best_value(problem, objective, sample, values, rng)
    near = sum(value - best <= NEAR * (median - best) for value in finite) / len(values)
    return {"best": best, "median": median, "solved": round(1 - (1 - near) ** TRIALS, 3)}


def best_value(
    problem: Problem, objective: Objective, sample: list[dict[str, Any]], values: list[float], rng: random.Random
) -> float:
    """The exact optimum where there is one, else the best that a search finds."""
    if problem.maker in EXACT_ZERO:
        return 0.0
    if problem.maker == "table":
        return best_of_table(problem)
    place = min(range(len(values)), key=lambda i: values[i] if math.isfinite(values[i]) else math.inf)
    return climb(problem, lambda params: objective(params, None)[1], sample[place], values[place], rng)


def climb(
    problem: Problem, value: Callable[[dict[str, Any]], float], params: dict[str, Any], best: float, rng: random.Random
) -> float:
    """The least value that a climb from `params` meets."""
    for _ in range(CLIMBS):
        tried = neighbour(problem, params, rng)
        found = value(tried)
        if found <= best:
            params, best = tried, found
    return best


def neighbour(problem: Problem, params: dict[str, Any], rng: random.Random) -> dict[str, Any]:
    """One or two parameters moved: a number by a tenth of its range or less, another drawn again."""
    full = draw(problem.space, rng) | params
    fresh = draw(problem.space, rng)
    for param in rng.sample([p for p in problem.space if p.name in params], k=min(len(params), rng.choice((1, 2)))):
        if param.values:
            full[param.name] = fresh[param.name] if param.name in fresh else rng.choice(param.values)
            continue
        width = rng.choice((0.1, 0.03, 0.01)) * rng.gauss(0.0, 1.0)
        old = full[param.name]
        moved = old * (param.high / param.low) ** width if param.log else old + width * (param.high - param.low)
        moved = min(max(moved, param.low), param.high)
        full[param.name] = round(moved) if param.kind == "int" else moved
    everything = {p.name: full.get(p.name, _middle(p)) for p in problem.space}
    return active_part(problem.space, everything)


def _middle(param: Any) -> Any:
    """For what a changed parent has just switched on."""
    if param.values:
        return param.values[0]
    middle = math.sqrt(param.low * param.high) if param.log else (param.low + param.high) / 2
    return round(middle) if param.kind == "int" else middle


def main(names: list[str]) -> None:
    """The file has these problems' lines (all without any)."""
    found = json.loads(SCALES.read_text()) if SCALES.exists() else {}
    for name in names or PROBLEMS:
        found[name] = scale(PROBLEMS[name])
        print(name, found[name], flush=True)
        ordered = {one: found[one] for one in PROBLEMS if one in found}
        SCALES.write_text(json.dumps(ordered, indent=1) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
