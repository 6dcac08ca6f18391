"""Trust-region search: the minimum of a quadratic model around the best configuration, within a radius that grows
where the model was right and shrinks where it was wrong.

Sources: Powell 2006, "The NEWUOA software for unconstrained optimization without derivatives"; Conn, Scheinberg &
Vicente 2009, ch. 10 (algorithm 10.1, acceptance of steps and radius). Unlike those, the model is fitted anew to all
that is known near the centre, whoever proposed it, so that results may come late, in any order, and from elsewhere.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import numpy as np

from rung.search.base import Exhausted, Result, Suggestion
from rung.search.history import NEAR, History
from rung.search.novelty import draw
from rung.search.quadratic.model import LARGEST, Model, fit

if TYPE_CHECKING:
    from collections.abc import Container, Mapping, Sequence

    from rung.search.base import Delta, Problem
    from rung.search.history import Bools, Floats

FIRST_RADIUS = 0.2  # of each parameter's range
LARGEST_RADIUS = 0.5
SETTLED = 1e-8  # a region smaller than this has nothing left to find
TRUSTED, DISTRUSTED = 0.7, 0.1  # of the gain that the model promised (algorithm 10.1)
WORST_KEPT = 1e12  # values further above the best, in units of the near ones' spread, are cut off


class Local(NamedTuple):
    """What is known around the centre: the columns that can move, the centre's unit row, and the rows that agree with
    it elsewhere, nearest first: their steps (n, k) and values (n,)."""

    row: int
    moving: Bools
    centre: Floats
    steps: Floats
    values: Floats


class Quadratic:
    """Continuous and ordered parameters move; unordered ones stay as in the best configuration. The first objective
    counts. Starts with random draws; draws at random again while its region is settled."""

    options: ClassVar[Mapping[str, Any]] = {}

    def __init__(self, problem: Problem) -> None:
        self.space = problem.space
        self.history = History(problem)
        self.movable = np.array([c.kind != "categorical" and c.size != 1 for c in self.history.columns], dtype=bool)
        self.least = np.array([0.0 if c.size is None else 0.75 / c.size for c in self.history.columns])
        self.radius = FIRST_RADIUS
        self._view: tuple[Local | None, Model | None] | None = None  # of all deltas so far

    # ------------------------------------------------------------------------------------------------------ fold

    def observe(self, deltas: Sequence[Delta]) -> None:
        """The radius follows from how well each own step went, in the order in which the results came. A step is judged
        once, by its trial's first result: one that is told again is no other step."""
        for delta in deltas:
            before, results = self.history.best(), self.history.results
            self.history.observe([delta])
            if isinstance(delta, Result):
                self._view = None
                if self.history.results > results:
                    self._judge(delta.number, before)

    def _judge(self, number: int, before: int | None) -> None:
        memo = self.history.memos.get(number)
        row = self.history.row[number]
        if memo is not None and "radius" in memo:
            feasible = self.history.violations[row].sum() == 0
            self._resize(memo, float(self.history.losses[row, 0]) if feasible else math.inf)
        elif before is not None and self.history.best() == row:  # somebody else found a better place: look around it
            away = np.abs(self.history.units[row] - self.history.units[before])[self.movable]
            self.radius = max(self.radius, min(FIRST_RADIUS, float(np.nanmax(away, initial=0.0))))

    def _resize(self, memo: Mapping[str, Any], loss: float) -> None:
        """The radius after a step with this memo came out at `loss`."""
        promised = float(memo["gain"])
        kept = (float(memo["from"]) - loss) / promised if promised > 0 and math.isfinite(loss) else -1.0
        if kept >= TRUSTED:
            self.radius = max(
                self.radius, min(LARGEST_RADIUS, 2.0 * memo["radius"] if memo["edge"] else memo["radius"])
            )
        elif kept < DISTRUSTED:
            self.radius = min(self.radius, 0.5 * min(memo["radius"], max(memo["length"], 0.1 * memo["radius"])))

    def view(self) -> tuple[Local | None, Model | None]:
        """The surroundings of the best configuration and the model of them, as far as there are any."""
        if self._view is None:
            local = self.local()
            self._view = local, None if local is None else fit(local.steps, local.values)
        return self._view

    @property
    def trust(self) -> float:
        """0..1: how well the model predicts what it was not shown; 0 without one, and once the region is settled."""
        model = None if self.settled else self.view()[1]
        return 0.0 if model is None else model.trust

    @property
    def settled(self) -> bool:
        """Whether the region has become too small to find anything."""
        return self.radius < SETTLED

    def crowded(self, pending: Sequence[int]) -> bool:
        """Whether another worker is in a region that is too small for two."""
        return self.radius < NEAR and self._own(pending) > 0

    # -------------------------------------------------------------------------------------------------- suggest

    def suggest(
        self, number: int, pending: Sequence[int], taken: Container[Mapping[str, Any]], rng: np.random.Generator
    ) -> Suggestion | Exhausted:
        """The best step within the region that is not near what is known or pending, else a step to learn from."""
        local, model = self.view()
        if local is not None and model is not None and not self.settled and not self.crowded(pending):
            found = self._step(local, model, self._own(pending), taken, rng)
            if found is not None and not self.history.near(self.space.encode([found.params])[0], pending):
                return found
        params = draw(self.space, taken, rng)
        if params is None:
            return Exhausted(text="every configuration of the space has been proposed")
        why = "there is no local model yet" if model is None else "the local region holds nothing new"
        return Suggestion(params=params, text=f"a random draw: {why}", phase="random")

    def _own(self, pending: Sequence[int]) -> int:
        return sum("radius" in self.history.memos.get(number, {}) for number in pending)

    def local(self) -> Local | None:
        """The surroundings of the best configuration; None while too little is known."""
        best = self.history.best()
        if best is None:
            return None
        units, losses = self.history.units, self.history.losses[:, 0]
        centre = units[best]
        moving = self.movable & ~np.isnan(centre)
        fixed = np.nan_to_num(units[:, ~moving], nan=-1.0) == np.nan_to_num(centre[~moving], nan=-1.0)
        alike = fixed.all(axis=1) & ~np.isnan(units[:, moving]).any(axis=1)
        kept = alike & self.history.done & np.isfinite(losses) & (self.history.violations.sum(axis=1) == 0)
        rows = np.flatnonzero(kept)
        if not moving.any() or len(rows) < int(moving.sum()) + 3 or not kept[best]:
            return None
        steps = units[np.ix_(rows, np.flatnonzero(moving))] - centre[moving]
        order = np.lexsort((rows != best, np.abs(steps).max(axis=1)))[:LARGEST]
        return Local(best, moving, centre, steps[order], _tamed(losses[rows[order]]))

    def _step(
        self, local: Local, model: Model, own: int, taken: Container[Mapping[str, Any]], rng: np.random.Generator
    ) -> Suggestion | None:
        for factor in (1.0, 0.5, 2.0, 0.25, 4.0)[own % 5 :]:
            radius = min(LARGEST_RADIUS, self.radius * factor)
            step = self._minimum(local, model, radius, rng)
            params, length, fresh = self._landed(local, step, radius)
            if fresh and params is not None and params not in taken:
                gain = model.at(np.zeros(len(step))) - model.at(step)
                return self._said(local, model, params, radius=radius, length=length, gain=gain)
        for _ in range(20):
            step = self.bounds(local, self.radius)[1] * rng.uniform(-1.0, 1.0, int(local.moving.sum()))
            params, length, _ = self._landed(local, step, self.radius)
            if params is not None and params not in taken:
                return self._said(local, model, params, radius=self.radius, length=length, gain=0.0)
        return None

    def _said(
        self, local: Local, model: Model, params: dict[str, Any], *, radius: float, length: float, gain: float
    ) -> Suggestion:
        memo = {
            "radius": radius, "length": length, "edge": length > 0.9 * radius, "gain": gain,
            "from": model.at(np.zeros(int(local.moving.sum()))),
        }  # fmt: skip
        best = int(self.history.numbers[local.row])
        aim = f"promises {gain:.3g} less" if gain > 0 else "a step to learn from"
        text = f"local quadratic model of {model.points} trials around trial {best}, radius {radius:.2g}: {aim}"
        data = {"radius": radius, "gain": gain, "error": model.error, "around": best}
        return Suggestion(params=params, text=text, phase="step" if gain > 0 else "geometry", memo=memo, data=data)

    def bounds(self, local: Local, radius: float) -> tuple[Floats, Floats]:
        """How far a step may go down and up: the radius, at least one value of an ordered parameter, within 0..1."""
        reach = np.maximum(radius, self.least[local.moving])
        centre = local.centre[local.moving]
        return np.maximum(-reach, -centre), np.minimum(reach, 1.0 - centre)

    def _minimum(self, local: Local, model: Model, radius: float, rng: np.random.Generator) -> Floats:
        """The model's minimum within the bounds, from the centre and from three random points."""
        from scipy.optimize import minimize  # takes a quarter of a second to import: only studies that use it pay

        low, high = self.bounds(local, radius)
        starts = [np.zeros(len(low)), *(low + (high - low) * rng.random((3, len(low))))]
        unit = max(model.error, float(np.abs(model.gradient).sum()), 1e-300)
        found = [
            minimize(
                lambda s: (model.at(s) / unit, model.slope(s) / unit),
                start, jac=True, method="L-BFGS-B", bounds=list(zip(low, high, strict=True)),
                options={"ftol": 1e-15, "gtol": 1e-12, "maxiter": 100},
            )
            for start in starts
        ]  # fmt: skip
        best = min(found, key=lambda result: float(result.fun))
        return np.asarray(np.clip(best.x, low, high), dtype=np.float64)

    def _landed(self, local: Local, step: Floats, radius: float) -> tuple[dict[str, Any] | None, float, bool]:
        """The configuration at the end of the step (halved until the constraints hold), the step's length, and whether
        it is away from all that is known or pending."""
        units = self.history.units[:, local.moving]
        for _ in range(6):
            row = np.where(np.isnan(local.centre), 0.5, local.centre)
            row[local.moving] = row[local.moving] + step
            rows, kept = self.space.snap(row[None])
            if kept[0]:
                length = float(np.nanmax(np.abs(rows[0] - local.centre)[local.moving], initial=0.0))
                apart = np.fmax.reduce(np.abs(units - rows[0][local.moving]), axis=1)  # NaN: no column in common
                nearest = float(np.fmin.reduce(apart, initial=np.inf))
                fresh = nearest > 0.05 * min(radius, max(length, SETTLED))
                return self.space.decode(rows)[0], length, fresh
            step = step / 2
        return None, 0.0, False

    def describe(self) -> str:
        """One sentence for `rung plan`."""
        return (
            "quadratic: random draws until enough is known, then steps to the minimum of a local quadratic model "
            "around the best configuration, where unordered choices stay as they are"
        )


def _tamed(values: Floats) -> Floats:
    """The values with what is absurdly high cut off, so that their squares stay finite; the first one is the best."""
    spread = float(np.median(np.abs(values / 2 - values[0] / 2))) * 2
    known = math.isfinite(spread) and spread > 0.0
    high = float(values[0]) + min(WORST_KEPT * spread, 1e150) if known else math.inf
    return np.asarray(np.clip(np.minimum(values, high), -1e150, 1e150), dtype=np.float64)
