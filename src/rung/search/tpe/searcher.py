"""The searcher: a start that fills the space, then the candidate that is most typical of good trials and least of bad.

Bergstra et al. 2011, "Algorithms for hyper-parameter optimization": with l the density of the good trials and g that of
the others, expected improvement grows with l / g; candidates are drawn from l.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from rung.model import BadInput, MethodOption, defaults
from rung.search.base import Exhausted, Suggestion
from rung.search.beliefs import Beliefs
from rung.search.history import History
from rung.search.novelty import draw
from rung.search.options import whole_option
from rung.search.tpe.estimator import Estimate
from rung.search.tpe.kernels import Geometry
from rung.search.tpe.split import Ranking, split

if TYPE_CHECKING:
    from collections.abc import Container, Mapping, Sequence

    from rung.search.base import Delta, Problem
    from rung.search.history import Floats
    from rung.search.tpe.split import Group

START = 10  # trials that fill the space before results decide
CANDIDATES = 32
DESIGNS = ("latin", "random")
PENALTY = 0.95  # of the gain at the very place of a pending trial
ROUNDS = 3  # of candidates, each four times as many, until one is new
DESIGN = 0x7BE  # the purpose of the generator that draws the start


class TPE:
    """A multivariate tree-structured Parzen estimator over mixed and conditional spaces.

    Raises `BadInput`.
    """

    declared: ClassVar[Mapping[str, MethodOption]] = {
        "start": MethodOption(START, "How many trials come before results decide"),
        "candidates": MethodOption(CANDIDATES, "How many configurations are compared for each proposal"),
        "design": MethodOption("latin", "The first trials fill the space, or are drawn from it", words=DESIGNS),
    }
    options: ClassVar[Mapping[str, Any]] = defaults(declared)

    def __init__(self, problem: Problem) -> None:
        self.space, self.budget = problem.space, problem.budget
        self.start = whole_option(problem, "start", START, least=0)
        self.candidates = whole_option(problem, "candidates", CANDIDATES, least=1)
        design = problem.search.options.get("design") or "latin"
        if design not in DESIGNS:
            raise BadInput(f"expected latin or random, got {design!r}", key="search.design")
        self.drawn = design == "random"
        self.history = History(problem)
        self.ranking = Ranking(self.history)
        self.geometry = Geometry(problem.space)
        self.beliefs = Beliefs(problem.space)
        self.design = latin(np.random.default_rng((problem.seed, DESIGN)), self.start, len(self.space.names))

    def observe(self, deltas: Sequence[Delta]) -> None:
        """They are in the history and its ranking."""
        self.history.observe(deltas)
        self.ranking.observe(deltas)

    def suggest(
        self, number: int, pending: Sequence[int], taken: Container[Mapping[str, Any]], rng: np.random.Generator
    ) -> Suggestion | Exhausted:
        """The start's next point while it lasts; then the best candidate, given the results and what is pending."""
        del number
        known = self.history.results + len(self.history.earlier()[0])
        if known < self.start and self.history.n < self.start:
            found = self._drawn_point(taken, rng) if self.drawn else self._design_point(taken, rng)
        elif known < math.ceil(self.start / 2):  # many workers: there is nothing to learn from yet
            found = None
        else:
            found = self._candidate(pending, taken, rng)
        if found is not None:
            return found
        params = draw(self.space, taken, rng)
        if params is None:
            return Exhausted(text="every configuration of the space has been proposed")
        return Suggestion(params=params, text="a random draw from the space", phase="random")

    def describe(self) -> str:
        """One sentence for `rung plan`."""
        start = "random trials" if self.drawn else "trials that fill the space"
        return (
            f"tpe: {self.start} {start}, then the configurations that are most typical of the best trials and least of "
            "the others"
        )

    def _design_point(self, taken: Container[Mapping[str, Any]], rng: np.random.Generator) -> Suggestion | None:
        """The next point of the start, or of the beliefs where the user has some, if it is allowed and new."""
        index = self.history.n
        believed = self.beliefs.any and index % 2 == 0
        rows = self.beliefs.sample(rng, 1) if believed else self.design[index : index + 1]
        rows, kept = self.space.snap(rows)
        params = self.space.decode(rows)[0]
        if not kept[0] or params in taken:
            return None
        text = f"start {index + 1} of {self.start}: a point " + ("of the prior" if believed else "that fills the space")
        return Suggestion(params=params, text=text, phase="start")

    def _drawn_point(self, taken: Container[Mapping[str, Any]], rng: np.random.Generator) -> Suggestion | None:
        """The next random draw of the start; None where nothing new is left."""
        params = draw(self.space, taken, rng)
        text = f"start {self.history.n + 1} of {self.start}: a random draw from the space"
        return None if params is None else Suggestion(params=params, text=text, phase="random")

    def _candidate(
        self, pending: Sequence[int], taken: Container[Mapping[str, Any]], rng: np.random.Generator
    ) -> Suggestion | None:
        """The best new candidate; None when round after round brought none."""
        good, bad = split(self.ranking)
        waiting = self.history.units[self.history.rows_of(pending)]
        likely, unlikely = Estimate(self.geometry, good), Estimate(self.geometry, bad, waiting)
        count = self.candidates
        for _ in range(ROUNDS):
            rows = likely.sample(rng, count)
            if self.beliefs.any:
                rows = np.concatenate([rows, self.beliefs.sample(rng, count // 4)])
            rows, kept = self.space.snap(rows)
            rows = rows[kept]
            gain = likely.log_density(rows) - unlikely.log_density(rows) + self._believed(rows)
            if len(waiting):
                gain += distance(likely, rows, waiting)
            for index in np.argsort(-gain, kind="stable").tolist():
                params = self.space.decode(rows[index : index + 1])[0]
                if params not in taken:
                    return self._explained(params, len(rows), good, bad, float(gain[index]))
            count *= 4
        return None

    def _explained(self, params: dict[str, Any], candidates: int, good: Group, bad: Group, gain: float) -> Suggestion:
        text = f"the best of {candidates} candidates by {len(good.units)} good and {len(bad.units)} other trials"
        return Suggestion(params=params, text=text, phase="model", data={"log_gain": gain})

    def _believed(self, rows: Floats) -> Floats | float:
        """What the user's beliefs add to the log of the gain; data overrules them (Hvarfner et al. 2022)."""
        if not self.beliefs.any:
            return 0.0
        return self.beliefs.weight(self.history.results, self.budget.trials) * self.beliefs.log_density(rows)


def distance(likely: Estimate, rows: Floats, pending: Floats) -> Floats:
    """(m,) what is taken from the gain for being near trials without a result, in bandwidths of the good ones: pending
    trials count as bad, but a single bad one is too little to keep a second worker away (Gonzalez et al. 2016, "Batch
    Bayesian optimization via local penalization")."""
    near = likely.joint.kernels.closeness(rows, pending)
    return np.asarray(np.log1p(-PENALTY * near).sum(axis=1))


def latin(rng: np.random.Generator, count: int, dimensions: int) -> Floats:
    """(count, dimensions) units of a Latin hypercube: each column has one in each of `count` equal parts."""
    places = np.argsort(rng.random((count, dimensions)), axis=0)
    return np.asarray((places + rng.random((count, dimensions))) / max(1, count))
