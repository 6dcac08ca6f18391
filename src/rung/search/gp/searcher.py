"""Bayesian optimisation with Gaussian processes.

Notation, in all files of this folder:

    n, m, d         rows that a model knows, rows it is asked about, columns of unit rows
    f, c, w         features that have an order, choices, features that are warped
    h               logarithms of the hyperparameters, see `fit`
    K               (n, n) correlations of the latent function at the known rows (Matern-5/2)
    k               (m, n) correlations of asked rows with known ones
    L               lower Cholesky factor of K + noise; `inverse` is L^-1
    alpha           (K + noise)^-1 (y - mean)
    mean, sd        of the latent function at asked rows, in transformed units
    y               transformed losses; small is good throughout
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import numpy as np

from rung.model import BadInput, MethodOption, defaults
from rung.search import pareto
from rung.search.base import Delta, Exhausted, Problem, Proposed, Suggestion
from rung.search.beliefs import Beliefs
from rung.search.gp import trust
from rung.search.gp.acquisition import Aim
from rung.search.gp.design import design
from rung.search.gp.inputs import shape_of
from rung.search.gp.model import believe, predict
from rung.search.gp.optimise import Found, Region, Search, maximise
from rung.search.gp.surrogate import Data, Fitted, Last, gather, learn, learn_bound
from rung.search.gp.transform import backward, clipped
from rung.search.gp.words import Predicted, reason
from rung.search.history import History
from rung.search.novelty import draw
from rung.search.options import whole_option

if TYPE_CHECKING:
    from collections.abc import Container, Mapping, Sequence

    from rung.search.gp.inputs import Shape
    from rung.search.gp.model import Model
    from rung.search.gp.surrogate import Work
    from rung.space.scales import Floats

MEMO = "gp"  # the key of our part of a proposal's memo
SHARE = 0.2  # of the budget, for the initial design at most
INITIAL_LOW, INITIAL_HIGH = 4, 10
FITTED_AGAIN = 1.05  # growth of the number of results after which hyperparameters are fitted again
ALWAYS_FITTED = 50  # results up to which every new one is reason enough
CHOSEN_AGAIN = 1.25  # growth of the number of results after which the scale of the losses is chosen again
PENDING = 300  # pending rows that a model is told of, the latest
CANDIDATES = 1024
MOST_INITIAL = 1_000  # whose distances are all computed, of several designs
GLOBAL = 2  # of so many proposals one is looked for in the whole space
CENTRES = 5  # good rows that candidates are drawn around
BELIEVED = 0xBE11EF  # tells the draws from the user's beliefs from other uses of the study's seed


class Surrogates(NamedTuple):
    """A model for each objective (or one for their scalarisation), and one for each outcome that was ever broken."""

    objectives: tuple[Fitted, ...]
    bounds: tuple[Fitted, ...]
    times: dict[str, int]


class GP:
    """An initial design, then the row of the greatest expected improvement."""

    declared: ClassVar[Mapping[str, MethodOption]] = {
        "initial": MethodOption(None, "Points of the initial design; empty: by parameters and budget", "number"),
        "candidates": MethodOption(CANDIDATES, "Configurations that each search for a proposal begins with"),
        "warp": MethodOption(True, "Whether inputs are warped, where there are few parameters"),
        "global": MethodOption(
            GLOBAL, "One in so many proposals is looked for in the whole space, others near the best"
        ),
    }
    options: ClassVar[Mapping[str, Any]] = defaults(declared)

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.history = History(problem)
        self.initial = whole_option(problem, "initial", _initial(problem), least=1, most=MOST_INITIAL)
        self.candidates = whole_option(problem, "candidates", CANDIDATES, least=2)
        self.everywhere = whole_option(problem, "global", GLOBAL, least=1)
        warp = problem.search.options.get("warp")
        if warp is not None and not isinstance(warp, bool):
            raise BadInput(f"expected true or false, got {warp!r}", key="search.warp")
        self.beliefs = Beliefs(problem.space)
        self._memo: dict[str, Any] = {}
        self._seen = 0  # deltas
        self._learned: tuple[int, Data, Surrogates] | None = None  # what was learned of so many deltas
        self._shape = shape_of(problem.space, warp=warp is not False)
        self._design: Floats | None = None

    def observe(self, deltas: Sequence[Delta]) -> None:
        """The deltas are in the history."""
        self.history.observe(deltas)
        self._seen += len(deltas)
        for delta in deltas:
            if isinstance(delta, Proposed) and delta.memo and MEMO in delta.memo:
                self._memo = delta.memo[MEMO]

    def suggest(
        self, number: int, pending: Sequence[int], taken: Container[Mapping[str, Any]], rng: np.random.Generator
    ) -> Suggestion | Exhausted:
        """A row of the initial design, or the best one by the models."""
        found = self._start(taken) if self._beginning() else self._model(pending, taken, rng)
        if found is not None:
            return found
        params = draw(self.problem.space, taken, rng)
        if params is None:
            return Exhausted(text="every configuration of the space has been proposed")
        return Suggestion(params=params, text="a random draw: no better one is new", phase="random")

    def describe(self) -> str:
        """One sentence for `rung plan`."""
        gain = "hypervolume improvement" if len(self.problem.objectives) == 2 else "improvement"
        return f"gp: {self.initial} points of a Latin hypercube, then Gaussian processes and expected {gain}"

    # ------------------------------------------------------------------------------------------------------ beginning

    def _beginning(self) -> bool:
        """Whether there is too little to learn from."""
        known = self.history.results + len(self.history.earlier()[0])
        return known < 2 or (self.history.n < self.initial and known < self.initial)

    def _start(self, taken: Container[Mapping[str, Any]]) -> Suggestion | None:
        if self._design is None:
            self._design = design(self.problem.space, self.problem.seed, 2 * self.initial)[: self.initial]
            if self.beliefs.any:  # every other row comes from what the user believes
                rng = np.random.default_rng((self.problem.seed, BELIEVED))
                self._design[::2] = self.beliefs.sample(rng, len(self._design[::2]))
        rows = self._design[self.history.n :]
        for params in self.problem.space.decode(rows):
            if params not in taken:
                where = "spread over the space" + (" and after the prior" if self.beliefs.any else "")
                text = f"point {self.history.n + 1} of an initial design of {self.initial}, {where}"
                return Suggestion(params=params, text=text, phase="initial")
        return None

    # ---------------------------------------------------------------------------------------------------------- model

    def _model(
        self, pending: Sequence[int], taken: Container[Mapping[str, Any]], rng: np.random.Generator
    ) -> Suggestion | None:
        data, surrogates = self._learn(rng)
        waiting = self.history.units[self.history.rows_of(pending)[-PENDING:]]
        search = self._search(data, surrogates, waiting, rng)
        found = maximise(search)
        place = self._first_free(found, taken, pending)
        return None if place is None else self._said(found, place, surrogates, search, data.losses)

    def _learn(self, rng: np.random.Generator) -> tuple[Data, Surrogates]:
        """The data and what is learned of them: a function of the deltas, and beyond two objectives of `rng`."""
        if self._learned is not None and self._learned[0] == self._seen:
            return self._learned[1:]
        data = gather(self.history)
        surrogates = self._surrogates(data, rng)
        if self.history.objectives <= 2:
            self._learned = self._seen, data, surrogates
        return data, surrogates

    def _shape_for(self, data: Data) -> Shape:
        return self._shape._replace(tasks=int(data.task.max(initial=0)))

    def _surrogates(self, data: Data, rng: np.random.Generator) -> Surrogates:
        shape, results = self._shape_for(data), self.history.results
        columns = _columns(data, rng)
        broken = [j for j in range(data.violations.shape[1]) if (data.violations[:, j] > 0).any()]
        lasts = _lasts(self._memo, len(columns) + len(broken), shape)
        work, times = _work(self._memo if lasts[0] else {}, results)
        plain = len(columns) > 1
        objectives = [learn(shape, data, y, last, work, plain=plain) for y, last in zip(columns, lasts, strict=False)]
        rest = zip(broken, lasts[len(columns) :], strict=True)
        bounds = [learn_bound(shape, data, data.violations[:, j], last, work) for j, last in rest]
        return Surrogates(tuple(objectives), tuple(bounds), times)

    def _search(self, data: Data, surrogates: Surrogates, waiting: Floats, rng: np.random.Generator) -> Search:
        own = np.concatenate([data.units[: data.own], waiting])
        means = np.column_stack([predict(fitted.model, own).mean for fitted in surrogates.objectives])
        feasible = np.ones(len(own), dtype=bool)
        feasible[: data.own] = (data.violations[: data.own] <= 0).all(axis=1)
        feasible[data.own :] = not surrogates.bounds
        best, corner = _targets(means[feasible])
        aim = Aim(
            models=tuple(believe(fitted.model, waiting) for fitted in surrogates.objectives),
            best=best,
            corner=corner,
            bounds=tuple(believe(fitted.model, waiting) for fitted in surrogates.bounds),
            belief=self.beliefs.log_density if self.beliefs.any else None,
            weight=self.beliefs.weight(self.history.results, self.problem.budget.trials),
        )
        region = self._region(own, means, feasible, surrogates.objectives[0].model, rng)
        known = (
            frozenset(row.tobytes() for row in self.history.units) if self.problem.search.repeats == 1 else frozenset()
        )
        return Search(self.problem.space, aim, region, known, self.candidates, rng)

    def _region(
        self, own: Floats, means: Floats, feasible: np.ndarray, model: Model, rng: np.random.Generator
    ) -> Region:
        """The whole space, and a trust region around the best row, by turns."""
        order = np.lexsort([means.sum(axis=1), ~feasible])[:CENTRES]
        centres = np.where(np.isnan(own[order]), rng.random(own[order].shape), own[order])
        d = own.shape[1]
        if means.shape[1] > 1 or not self.history.n % self.everywhere:
            return Region(np.zeros(d), np.ones(d), centres)
        lengths = np.full(d, np.inf)
        lengths[model.shape.smooth] = model.hyper.lengths[: len(model.shape.smooth)]
        losses = self.history.losses[self.history.done, 0]
        low, high = trust.box(centres[0], trust.side(clipped(losses), d), lengths)
        return Region(low, high, np.clip(centres, low, high))

    def _first_free(self, found: Found, taken: Container[Mapping[str, Any]], pending: Sequence[int]) -> int | None:
        for place, row in enumerate(found.rows):
            if not self.history.near(row, pending) and self.problem.space.decode(row[None, :])[0] not in taken:
                return place
        return None

    def _said(self, found: Found, place: int, surrogates: Surrogates, search: Search, losses: Floats) -> Suggestion:
        row, worth = found.rows[place : place + 1], float(found.values[place])
        at = [_prediction(fitted, row) for fitted in surrogates.objectives]
        every = (*surrogates.objectives, *surrogates.bounds)
        models = [{"h": np.round(one.h, 5).tolist(), "scale": one.place} for one in every]
        data = {"acquisition": worth, "loss": at[0].middle, "low": at[0].low, "high": at[0].high}
        if len(at) == 1 and not search.region.low.any() and search.region.high.all():  # of the whole space the most
            data["expected_improvement"] = expected_improvement(at[0], losses[:, 0])
        return Suggestion(
            params=self.problem.space.decode(row)[0],
            text=reason(search.aim, worth, losses, self.problem.objectives, at),
            phase="model",
            memo={MEMO: {**surrogates.times, "models": models}},
            data={name: x for name, x in data.items() if math.isfinite(x)},
        )


def expected_improvement(at: Predicted, losses: Floats) -> float:
    """By how much a trial is expected to improve on the least finite loss, in the unit of the loss (Jones et al. 1998,
    eq. 15); infinite while none is finite."""
    finite = losses[np.isfinite(losses)]
    if not len(finite):
        return math.inf
    sd, gap = max((at.high - at.low) / 2, 0.0), float(finite.min()) - at.middle
    if not sd:
        return max(gap, 0.0)
    z = gap / sd
    density = math.exp(-z * z / 2) / math.sqrt(2 * math.pi)
    return max(gap * (1 + math.erf(z / math.sqrt(2))) / 2 + sd * density, 0.0)


def _prediction(fitted: Fitted, row: Floats) -> Predicted:
    at = predict(fitted.model, row)
    return Predicted(*backward(fitted.output, at.mean[0] + at.sd[0] * np.array([0.0, -1.0, 1.0])).tolist())


def _initial(problem: Problem) -> int:
    d, trials = len(problem.space.names), problem.budget.trials
    wanted = min(max(d + 1, INITIAL_LOW), INITIAL_HIGH)
    return wanted if trials is None else max(2, min(wanted, math.ceil(SHARE * trials)))


def _columns(data: Data, rng: np.random.Generator) -> list[Floats]:
    """What is modelled: each of one or two objectives; of more their augmented Chebyshev scalarisation with random
    weights, new ones each time (Knowles 2006, "ParEGO", eqs. 1 and 2)."""
    m = data.losses.shape[1]
    if m <= 2:
        return list(data.losses.T)
    scaled = np.column_stack([clipped(column) for column in data.losses.T])
    low, high = scaled.min(axis=0), scaled.max(axis=0)
    scaled = (scaled - low) / np.where(high > low, high - low, 1.0)
    weighted = scaled * rng.dirichlet(np.ones(m))
    return [weighted.max(axis=1) + 0.05 * weighted.sum(axis=1)]


def _lasts(memo: Mapping[str, Any], count: int, shape: Shape) -> list[Last | None]:
    """The hyperparameters of the last fit, where they belong to the same models."""
    size = shape.lengths + 1 + 2 * len(shape.warped) + shape.tasks
    found = memo.get("models", [])
    if len(found) == count and all(len(one["h"]) == size for one in found):
        return [Last(one["h"], one["scale"]) for one in found]
    return [None] * count


def _work(memo: Mapping[str, Any], results: int) -> tuple[Work, dict[str, int]]:
    """What to do about the hyperparameters, and what the memo says from now on of when it was done."""
    fitted, chosen = memo.get("fitted", 0), memo.get("chosen", 0)
    if results > fitted and results >= CHOSEN_AGAIN * chosen:
        return "choose", {"fitted": results, "chosen": results}
    if results > fitted and (results <= ALWAYS_FITTED or results >= FITTED_AGAIN * fitted):
        return "fit", {"fitted": results, "chosen": chosen}
    return "keep", {"fitted": fitted, "chosen": chosen}


def _targets(means: Floats) -> tuple[Floats | None, Floats | None]:
    """What to improve on, from the (k, m) means of feasible rows: the least one, or the front and its corner."""
    if not len(means):
        return None, None
    if means.shape[1] == 1:
        return means.min(axis=0), None
    front = means[pareto.ranks(means) == 0]
    high = front.max(axis=0)
    return front, high + 0.1 * np.maximum(high - front.min(axis=0), 0.1)
