"""`attempt.py NAME [--problems FAMILY,...] [--seeds 5] [--trials 100]`: a searcher of Rung against the journalled runs.

For the time of development: nothing is journalled. NAME is a registered searcher or `module:Class`, either with
options (`tpe?{"gamma": 0.1}`); several by commas.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from typing import TYPE_CHECKING

import numpy as np

from bench.quality.methods import method
from bench.quality.problems import PROBLEMS, of_families
from bench.quality.run import JOURNAL, Asked, run_all
from bench.quality.runs import Run, read
from bench.quality.score import Curves, curves_of, log_regret

if TYPE_CHECKING:
    from collections.abc import Sequence


def table(curves: Curves, problems: Sequence[str], blocks: set[tuple[str, int]], at: Sequence[int]) -> str:
    """A line for each problem and method; of every method the seeds that it has among `blocks`."""
    lines = [f"{'':22}" + "".join(f"{f'median regret@{t}':>18}{f'log10 mean@{t}':>15}" for t in at) + "  seeds"]
    for name in problems:
        lines.append(name)
        for one, by_block in curves.items():
            found = [by_block[b] for b in sorted(blocks) if b[0] == name and b in by_block]
            if found:
                figures = [(np.median([c[t - 1] for c in found]), np.mean([log_regret(c)[t - 1] for c in found]))
                           for t in at]  # fmt: skip
                lines.append(f"  {one[-20:]:20}" + "".join(f"{m:18.4g}{g:15.2f}" for m, g in figures)
                             + f"  {len(found)}")  # fmt: skip
    return "\n".join(lines)


def summary(curves: Curves, blocks: set[tuple[str, int]], at: Sequence[int]) -> str:
    """Each method's mean log regret, a problem counting as much as another, and how many of the blocks it has."""
    lines = ["mean over problems of log10 regret:"]
    for one, by_block in curves.items():
        had = [b for b in blocks if b in by_block]
        if not had:
            continue
        per_problem = [
            np.mean([log_regret(by_block[b]) for b in had if b[0] == name], axis=0) for name in {b[0] for b in had}
        ]
        figures = np.mean(per_problem, axis=0)
        lines.append(f"  {one[-28:]:28}" + "".join(f"  @{t} {figures[t - 1]:6.2f}" for t in at)
                     + f"  ({len(per_problem)} problems, {len(had)} of {len(blocks)} runs)")  # fmt: skip
    return "\n".join(lines)


def main(words: Sequence[str] | None = None) -> int:
    """The table is on stdout."""
    parser = argparse.ArgumentParser(prog="bench/quality/attempt.py", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("names", help="searchers of Rung, by commas")
    parser.add_argument("--problems", default="", help="problems or families, by commas (all)")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--trials", type=int, default=100)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=1)
    options = parser.parse_args(words)
    problems = of_families([name for name in options.problems.split(",") if name])
    methods = [method(f"rung:{name}") for name in options.names.split(",")]
    runs: list[Run] = []
    asked = Asked(methods, problems, options.seeds, options.trials, options.workers)
    run_all(asked, options.jobs, done=set(), sink=runs.append)
    tried = {one.name for one in methods}
    known = [run for run in read(JOURNAL) if run.method not in tried]
    curves = curves_of([*known, *runs], trials=options.trials, workers=options.workers)
    blocks = {(name, seed) for name in problems for seed in range(options.seeds)}
    at = [t for t in (50, 100) if t <= options.trials] or [options.trials]
    print(table(curves, [name for name in PROBLEMS if name in problems], blocks, at))
    print(summary(curves, blocks, at))
    return 0


if __name__ == "__main__":
    sys.exit(main())
