"""`auto`: a portfolio that is put together from what is known of the problem, and put together again as more is known.

No single method wins everywhere: a Gaussian process learns most from few results where the objective is smooth, kernel
densities do not mind conditions, noise and crowds of workers, an evolution strategy goes on improving where both have
become slow. `auto` gives each of them a share of the proposals; every one sees all results, whoever proposed them.
The proposal's memo names its author, so that the shares are a function of the log.
"""

from __future__ import annotations

from collections import deque
from itertools import islice
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from rung.search.base import Exhausted, Proposed, Result, Suggestion
from rung.search.beliefs import Beliefs
from rung.search.history import History
from rung.search.population import best_earlier
from rung.search.portfolio import CLASSES, Stage, credited, known, sentence, stages, thinned, without
from rung.search.quadratic import Quadratic
from rung.space import SpaceError

if TYPE_CHECKING:
    from collections.abc import Container, Mapping, Sequence

    from rung.search.base import Delta, Problem, Searcher

LOCAL = "quadratic"
REMEMBERED = 8  # so many of a method's last results say how well it does
WINDOW = 12  # so many of the last proposals are shared out
LOOKED_BACK = 200  # so many of them are looked through for a method's own
TIMED = 16  # so many of a method's last proposals say how long its next one will take


class Auto:
    """Several searchers, each with a share of the proposals; the grid where the budget covers a finite space."""

    options: ClassVar[Mapping[str, Any]] = {}

    def __init__(self, problem: Problem) -> None:
        self.space = problem.space
        self.known = known(problem)
        self.beliefs = Beliefs(problem.space)
        self.stages = stages(self.known)
        self.history = History(problem)
        names = dict.fromkeys(name for stage in self.stages for name in stage.shares)
        self.searchers: dict[str, Searcher] = {name: CLASSES[name]()(problem) for name in names}
        self.authors: dict[int, str] = {}
        self.credits: dict[str, deque[bool]] = {name: deque(maxlen=REMEMBERED) for name in names}

    def observe(self, deltas: Sequence[Delta]) -> None:
        """Every searcher has seen all of them; a memo is its author's alone."""
        for delta in deltas:
            best, results = self.history.best(), self.history.results
            self.history.observe([delta])
            first = self.history.results > results  # told again, a trial is no other proposal
            if first and isinstance(delta, Result) and delta.number in self.authors:
                self.credits[self.authors[delta.number]].append(self.history.best() != best)
            if isinstance(delta, Proposed) and delta.memo is not None and delta.memo.get("by") in self.searchers:
                self.authors[delta.number] = delta.memo["by"]
        for name, searcher in self.searchers.items():
            searcher.observe([self._as_seen_by(name, delta) for delta in deltas])

    def _as_seen_by(self, name: str, delta: Delta) -> Delta:
        if not isinstance(delta, Proposed) or delta.memo is None:
            return delta
        memo = delta.memo.get("memo") if delta.memo.get("by") == name else None
        return Proposed(delta.number, delta.params, memo, delta.seconds)

    def suggest(
        self, number: int, pending: Sequence[int], taken: Container[Mapping[str, Any]], rng: np.random.Generator
    ) -> Suggestion | Exhausted:
        """The suggestion of the searcher that is furthest behind its share."""
        first = self._first(taken)
        if first is not None:
            return first
        stage = self._stage()
        shared = self._credited(stage, pending)
        name = self._next(thinned(shared, self._cost(), self._pace(), workers=self.known.workers))
        found = self.searchers[name].suggest(number, pending, taken, rng)
        if isinstance(found, Exhausted):
            return found
        phase = name if found.phase is None else f"{name}: {found.phase}"
        return Suggestion(
            params=found.params, text=found.text, phase=phase, memo=_memo(name, found.memo), data=found.data
        )

    def _first(self, taken: Container[Mapping[str, Any]]) -> Suggestion | None:
        """Before anything else the best of each earlier study; else, where nobody said what they believe, each
        parameter's default or the middle of its range. None later on, and where that is taken or not allowed."""
        units, _, _, source = self.history.earlier()
        studies = len(set(source.tolist()))
        if self.known.covered or self.history.n > studies:
            return None
        for place in best_earlier(self.history, studies):
            params = self.space.decode(units[place][None])[0]
            if params not in taken:
                text = f"the best configuration of earlier study {source[place] + 1}"
                return Suggestion(params=params, text=text, phase="first")
        return None if self.history.n or studies or self.beliefs.any else self._usual(taken)

    def _usual(self, taken: Container[Mapping[str, Any]]) -> Suggestion | None:
        try:
            params = self.space.defaults()
        except SpaceError:
            return None
        text = "each parameter's default, or the middle of its range: ranges are mostly drawn around what is usual"
        return None if params in taken else Suggestion(params=params, text=text, phase="first")

    def _stage(self) -> Stage:
        results = self.history.results
        return next(stage for stage in self.stages if stage.until is None or results < stage.until)

    def _credited(self, stage: Stage, pending: Sequence[int]) -> Stage:
        """The local model gets as much as it earns; nothing while it has no model, or has found all there is."""
        if LOCAL not in stage.shares:
            return stage
        local = self.searchers[LOCAL]
        assert isinstance(local, Quadratic)
        if not local.trust or local.crowded(pending):
            return without(stage, LOCAL)
        won = self.credits[LOCAL]
        return credited(stage, LOCAL, won=sum(won), tried=len(won), trust=local.trust)

    def _next(self, stage: Stage) -> str:
        """By the largest deficit: of the last n proposals a searcher with share s has made s·n."""
        if len(stage.shares) == 1:
            return next(iter(stage.shares))
        recent = list(islice(reversed(self.authors.values()), WINDOW))
        counts = {name: recent.count(name) for name in stage.shares}
        total = sum(counts.values()) + 1
        return max(stage.shares, key=lambda name: stage.shares[name] * total - counts[name])

    def _cost(self) -> dict[str, float]:
        """Seconds that a proposal of each searcher takes: the median of its latest ones that were timed."""
        found: dict[str, list[float]] = {name: [] for name in self.searchers}
        seconds = self.history.proposal_seconds
        for number, author in islice(reversed(self.authors.items()), LOOKED_BACK):
            took = float(seconds[self.history.row[number]])
            if took == took and len(found[author]) < TIMED:
                found[author].append(took)
        return {name: float(np.median(times)) for name, times in found.items() if times}

    def _pace(self) -> float:
        """Seconds that a trial takes: the median of those that are known; 0 while none is."""
        seconds = self.history.seconds
        times = seconds[~np.isnan(seconds)]
        return float(np.median(times[-256:])) if len(times) else 0.0

    def describe(self) -> str:
        """One sentence for `rung plan`."""
        return sentence(self.known, self.stages)


def _memo(name: str, memo: Mapping[str, Any] | None) -> dict[str, Any]:
    return {"by": name} if memo is None else {"by": name, "memo": dict(memo)}
