"""From runs to scores: regret is normalised so that 0 is the best known value and 1 the median random configuration.

A run is scored by its incumbent: the configuration with the best value *seen* so far, by its noiseless value. Until a
trial has succeeded, the incumbent is as bad as the worst finite value that any run of the problem saw.
"""

from __future__ import annotations

import json
import math
from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from bench.quality.problems import PROBLEMS, SCALES
from bench.quality.runs import Run, statement

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

FLOOR = 1e-6
Block = tuple[str, int]  # problem, seed


class Scale(NamedTuple):
    """A problem's best known, median and worst seen value."""

    best: float
    median: float
    worst: float

    def regret(self, values: np.ndarray) -> np.ndarray:
        """Normalised regret; never below 0, since `best` is the least value of any run."""
        regrets = (values - self.best) / (self.median - self.best)
        assert (regrets >= 0).all()
        return regrets


def scales_of(runs: Iterable[Run]) -> dict[str, Scale]:
    """The problems' scales: the file's, lowered and widened by what these runs have seen."""
    seen: dict[str, list[float]] = defaultdict(list)
    for run in runs:
        finite = [value for value in run.truths if value is not None]
        seen[run.problem] += [min(finite), max(finite)] if finite else []
    known = json.loads(SCALES.read_text())
    return {
        name: Scale(min([line["best"], *seen[name]]), line["median"], max([line["median"], *seen[name]]))
        for name, line in known.items()
    }


def curve(run: Run, scale: Scale) -> np.ndarray:
    """The incumbent's regret after each result; a run that ended early keeps its last one. (trials,)"""
    regrets = np.empty(run.trials)
    best, incumbent = math.inf, scale.worst
    truths = run.truths
    for place in range(run.trials):
        if place < len(run.seen):
            seen, true = run.seen[place], truths[place]
            if seen is not None and seen < best:
                best, incumbent = seen, scale.worst if true is None else true
        regrets[place] = incumbent
    return scale.regret(regrets)


def log_regret(regrets: np.ndarray) -> np.ndarray:
    """Its decimal logarithm, floored."""
    found: np.ndarray = np.log10(np.maximum(regrets, FLOOR))
    return found


Curves = dict[str, dict[Block, np.ndarray]]


def curves_of(runs: Sequence[Run], *, trials: int, workers: int = 1) -> Curves:
    """The curves by method and block: of each method's latest code, of the problems as they are now."""
    statements = {name: statement(problem) for name, problem in PROBLEMS.items()}
    chosen = [
        run
        for run in runs
        if run.trials == trials and run.workers == workers and statements.get(run.problem) == run.statement
    ]
    codes = {run.method: run.code for run in chosen}  # the last line of a method says which code it has now
    scales = scales_of(chosen)
    found: Curves = defaultdict(dict)
    for run in chosen:
        if run.code == codes[run.method]:
            found[run.method][run.problem, run.seed] = curve(run, scales[run.problem])
    return dict(found)


def common_blocks(curves: Mapping[str, Mapping[Block, np.ndarray]], methods: Sequence[str]) -> list[Block]:
    """The problems and seeds that all of these methods have run."""
    blocks = set.intersection(*(set(curves[name]) for name in methods)) if methods else set()
    order = {name: place for place, name in enumerate(PROBLEMS)}
    return sorted(blocks, key=lambda block: (order[block[0]], block[1]))
