"""A comparison of methods as numbers: a table, curves, ranks, and what can be concluded from them.

Losses are what is compared, in all of it; only what is shown is in the metric's own direction. With several objectives
the loss is minus the hypervolume that a run has covered, up to a point that is worse than all that any run of the
problem met. Of a metric that approaches a target, the distance is shown.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from rung.analysis import aggregate, comparisons
from rung.analysis.aggregate import Trajectory, best_so_far, covered
from rung.analysis.figures import Curve, Panel
from rung.analysis.trajectories import Axis, Points, resource_name, time_unit
from rung.model import StudySpec

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from rung.analysis.aggregate import Band

    Floats = npt.NDArray[np.float64]

MOST_PLACES = 400  # of a curve: more than there are pixels for


class RunFound(msgspec.Struct, frozen=True, kw_only=True):
    """One run as its log has it: the places of its problem and method in their lists, its seed, its study's name and
    public state, how many trials it had and how many of them failed, its points."""

    problem: int
    method: int
    seed: int
    study: str
    state: str
    trials: int
    failed: int
    points: Points


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What is compared and how: `over` which axis, with which `band`; `within`: which share of the best loss a run may
    be off to have reached it."""

    problems: tuple[str, ...]
    specs: tuple[StudySpec, ...]
    methods: tuple[str, ...]
    over: Axis = "time"
    band: aggregate.Kind = "ci"
    within: float = 0.01


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One method on one problem (None: on all of several), what is not known being None.

    `mean`, `low`, `high`, `median`: of the final values. `to_best`: the median place at which its runs came within the
    wanted share of the best of all runs (None: not half of them did), `reached`: the share of them that did. `trials`,
    `failed`: of all its runs together.
    """

    problem: str | None
    method: str
    runs: int
    mean: float | None = None
    low: float | None = None
    high: float | None = None
    median: float | None = None
    rank: float | None = None
    rank_low: float | None = None
    rank_high: float | None = None
    wins: float | None = None
    to_best: float | None = None
    reached: float | None = None
    trials: int = 0
    failed: int = 0


class Standings:
    """The runs of a comparison, by problem and method."""

    def __init__(self, asked: Asked, runs: Sequence[RunFound]) -> None:
        self.asked, self.runs = asked, list(runs)
        self.trajectories = self._trajectories()
        self.horizons = [
            max((r.points.spent[asked.over] for r in self.runs if r.problem == p), default=0.0)
            for p in range(len(asked.problems))
        ]

    def _trajectories(self) -> dict[tuple[int, int, int], Trajectory]:
        """Of each run, by problem, method and seed."""
        found = {}
        for p in range(len(self.asked.problems)):
            own = [run for run in self.runs if run.problem == p]
            reference = aggregate.reference_point([run.points.losses for run in own])
            for run in own:
                found[p, run.method, run.seed] = _trajectory(run.points, self.asked.over, reference)
        return found

    def of(self, problem: int, method: int) -> list[Trajectory]:
        """The runs of one method on one problem, by seed."""
        keys = sorted(key for key in self.trajectories if key[:2] == (problem, method))
        return [self.trajectories[key] for key in keys]

    def blocks(self, problem: int | None = None) -> tuple[list[tuple[int, int]], Floats]:
        """The problems and seeds that every method has a run of, and their final losses (b, methods)."""
        every = sorted({(p, seed) for p, _, seed in self.trajectories if problem in {None, p}})
        methods = range(len(self.asked.methods))
        whole = [key for key in every if all((key[0], m, key[1]) in self.trajectories for m in methods)]
        losses = [[final(self.trajectories[p, m, seed]) for m in methods] for p, seed in whole]
        return whole, np.array(losses).reshape(len(whole), len(methods))

    # ------------------------------------------------------------------------------------------------------- tables

    def rows(self) -> list[Row]:
        """Each method on each problem, best mean rank first, and then on all where there are several."""
        several = len(self.asked.problems) > 1
        problems: list[int | None] = [*range(len(self.asked.problems)), *([None] if several else [])]
        return [row for problem in problems for row in self._rows(problem)]

    def _rows(self, problem: int | None) -> list[Row]:
        keys, losses = self.blocks(problem)
        alone = len(self.asked.methods) < 2
        ranks = [] if alone else comparisons.ranked(losses, np.array([p for p, _ in keys], dtype=np.int64))
        found = [
            self._row(problem, m, ranks[m] if ranks else None)
            for m in range(len(self.asked.methods))
            if any(run.method == m and problem in {None, run.problem} for run in self.runs)
        ]
        return sorted(found, key=lambda row: math.inf if row.rank is None else row.rank)

    def _row(self, problem: int | None, method: int, rank: comparisons.Rank | None) -> Row:
        runs = [run for run in self.runs if run.method == method and problem in {None, run.problem}]
        fields: dict[str, Any] = {} if problem is None else self._finals(problem, method)
        if rank is not None:
            fields |= {"rank": rank.mean, "rank_low": rank.low, "rank_high": rank.high, "wins": rank.wins}
        return Row(
            problem=None if problem is None else self.asked.problems[problem], method=self.asked.methods[method],
            runs=len(runs), trials=sum(r.trials for r in runs), failed=sum(r.failed for r in runs), **fields,
        )  # fmt: skip

    def _finals(self, problem: int, method: int) -> dict[str, Any]:
        own = self.of(problem, method)
        losses = np.array([[final(t) for t in own]])
        mean, middle = aggregate.mean_and_interval(losses), aggregate.median_and_quartiles(losses)
        sign = self.sign(problem)
        low, high = sorted((float(sign * mean.low[0]), float(sign * mean.high[0])))
        target = self.target(problem)
        places = [math.inf if target is None else aggregate.reached(t, target) for t in own]
        return {
            "mean": number(sign * mean.centre[0]), "low": number(low), "high": number(high),
            "median": number(sign * middle.centre[0]), "to_best": number(np.median(places)),
            "reached": float(np.isfinite(places).mean()),
        }  # fmt: skip

    def target(self, problem: int) -> float | None:
        """A loss that is within the wanted share of the best one of all runs; None where there is none."""
        finals = [final(t) for key, t in self.trajectories.items() if key[0] == problem]
        best = min(finals, default=math.inf)
        return best + self.asked.within * abs(best) if math.isfinite(best) else None

    def verdict(self) -> comparisons.Verdict | None:
        """What the tests say over all blocks."""
        keys, losses = self.blocks()
        return comparisons.verdict_on(losses, np.array([p for p, _ in keys], dtype=np.int64))

    def sentence(self) -> str:
        """The verdict for people."""
        return comparisons.sentence(self.verdict(), self.asked.methods, what=self._paired_by())

    def _paired_by(self) -> str:
        return "seeds" if len(self.asked.problems) == 1 else "pairs of file and seed"

    # ------------------------------------------------------------------------------------------------------- curves

    def _shown(self, problem: int, method: int) -> tuple[Floats, Floats, Floats, Floats]:
        """The places (t,) and a method's best so far there, as it is shown: curve, low and high end of its band."""
        places = self._places(problem)
        band = aggregate.band(aggregate.sampled(self.of(problem, method), places), self.asked.band)
        centre, one, other = (self.sign(problem) * values for values in band)
        return places, centre, np.fmin(one, other), np.fmax(one, other)

    def _places(self, problem: int) -> Floats:
        """Where curves are drawn: where any run changes, and the end of the longest run."""
        at = [t.at for key, t in self.trajectories.items() if key[0] == problem]
        every = np.unique(np.concatenate([*at, [self.horizons[problem]]]))
        return aggregate.thinned(every, MOST_PLACES)

    def rank_curves(self) -> tuple[Floats, list[Band]]:
        """Places (t,), in shares of the longest run of each problem, and each method's mean rank there, with its
        interval over the blocks."""
        keys, _ = self.blocks()
        shares = np.linspace(0, 1, MOST_PLACES // 2)
        tables = [
            aggregate.sampled([self.trajectories[p, m, seed] for m in range(len(self.asked.methods))], at)
            for p, seed in keys
            for at in [shares * self.horizons[p]]
        ]
        ranks = np.array([comparisons.ranks(table) for table in tables]).reshape(-1, *tables[0].shape)
        return shares, [aggregate.mean_and_interval(ranks[:, :, m].T) for m in range(len(self.asked.methods))]

    def panels(self) -> list[Panel]:
        """Best so far on each problem, then the ranks over all."""
        found = [self._panel(p) for p in range(len(self.asked.problems)) if self.horizons[p] > 0]
        return [*found, self._ranks_panel()] if found and len(self.asked.methods) > 1 and self.blocks()[0] else found

    def _panel(self, problem: int) -> Panel:
        unit, size = self.unit(problem)
        curves = []
        for m, label in enumerate(self.asked.methods):
            if self.of(problem, m):
                places, *shown = self._shown(problem, m)
                curves.append(Curve(label, places / size, *shown))
        words = {"ci": "mean and 95 % interval", "quartiles": "median and quartiles", "iqm": "IQM and 95 % interval"}
        seeds = len({seed for p, _, seed in self.trajectories if p == problem})
        title = f"{self.asked.problems[problem]}: {words[self.asked.band]} of {seeds} seed{'s' * (seeds != 1)}"
        return Panel(title, unit, f"best {self.metric(problem)} so far", tuple(curves))

    def _ranks_panel(self) -> Panel:
        shares, bands = self.rank_curves()
        alone = len(self.asked.problems) == 1
        unit, size = self.unit(0) if alone else (f"{self.asked.over}, % of the longest run", 1.0)
        places = shares * self.horizons[0] / size if alone else 100 * shares
        worst = len(self.asked.methods)
        curves = [
            Curve(label, places, mean, np.clip(low, 1, worst), np.clip(high, 1, worst))
            for label, (mean, low, high) in zip(self.asked.methods, bands, strict=True)
        ]
        title = f"mean rank and 95 % interval: {len(self.blocks()[0])} {self._paired_by()}"
        return Panel(title, unit, "rank (1: best)", tuple(curves), True)

    # ------------------------------------------------------------------------------------------------------- records

    def record(self) -> dict[str, Any]:
        """All numbers as JSON can carry them; what does not exist is null. Curves are in the metric's own unit."""
        verdict, asked = self.verdict(), self.asked
        return {
            "files": list(asked.problems), "methods": list(asked.methods), "over": asked.over, "band": asked.band,
            "within": asked.within, "metrics": [self.metric(p) for p in range(len(asked.problems))],
            "runs": [self._run_record(run) for run in self.runs], "table": msgspec.to_builtins(self.rows()),
            "tests": None if verdict is None else {
                "best": asked.methods[verdict.best], "p": {asked.methods[i]: p for i, p in verdict.p.items()},
                "friedman": verdict.friedman, "least": verdict.least, "blocks": verdict.blocks,
            },
            "text": self.sentence(),
            "curves": [record for p in range(len(asked.problems)) for record in self._curve_records(p)],
        }  # fmt: skip

    def _run_record(self, run: RunFound) -> dict[str, Any]:
        sign, asked = self.sign(run.problem), self.asked
        best = final(self.trajectories[run.problem, run.method, run.seed])
        return {
            "file": asked.problems[run.problem], "method": asked.methods[run.method], "seed": run.seed,
            "study": run.study, "state": run.state, "trials": run.trials, "failed": run.failed,
            "final": number(sign * best), "spent": dict(run.points.spent),
        }  # fmt: skip

    def _curve_records(self, problem: int) -> list[dict[str, Any]]:
        found = []
        for m, method in enumerate(self.asked.methods):
            if self.of(problem, m):
                curve = self._shown(problem, m)
                lists = {
                    name: [number(value) for value in values.tolist()]
                    for name, values in zip(("at", "centre", "low", "high"), curve, strict=True)
                }
                found.append({"file": self.asked.problems[problem], "method": method, **lists})
        return found

    # -------------------------------------------------------------------------------------------------------- words

    def sign(self, problem: int) -> float:
        """What a loss is multiplied with to be shown."""
        objectives = self.asked.specs[problem].objectives
        return -1.0 if len(objectives) > 1 or objectives[0].goal == "maximize" else 1.0

    def metric(self, problem: int) -> str:
        """What is shown."""
        objectives = self.asked.specs[problem].objectives
        if len(objectives) > 1:
            return "hypervolume"
        goal = objectives[0].goal
        return objectives[0].metric if isinstance(goal, str) else f"distance of {objectives[0].metric} to {goal:g}"

    def unit(self, problem: int) -> tuple[str, float]:
        """The words for the axis, and how much of what is measured one unit of it is."""
        if self.asked.over == "time":
            name, size = time_unit(self.horizons[problem])
            return f"time ({name})", size
        words = {
            "cost": "cost (as reported, or by run.price)",
            "trials": "trials evaluated",
            "resource": f"{resource_name(self.asked.specs[problem])}, all trials together",
        }
        return words[self.asked.over], 1.0


def final(trajectory: Trajectory) -> float:
    """The best loss at the end; +inf where there is none."""
    return float(trajectory.best[-1]) if len(trajectory.best) else math.inf


def number(value: float) -> float | None:
    """The number, or None where it is not finite: it does not exist."""
    return float(value) + 0.0 if math.isfinite(value) else None  # not -0


def _trajectory(points: Points, over: Axis, reference: Floats | None) -> Trajectory:
    at = points.places[over]
    if points.losses.shape[1] == 1:
        return best_so_far(at, points.losses[:, 0])
    if reference is None:
        return best_so_far([], [])
    order = np.argsort(at, kind="stable")
    order = order[np.isfinite(at[order])]
    return covered(at[order].tolist(), points.losses[order], reference)
