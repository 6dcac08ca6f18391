"""Racing (`search.repeats` > 1): the leaders are evaluated again on fresh seeds, instead of leaving it to luck.

`Raced` stands before any searcher. A bounded share of the proposals, more of them late than early, are repetitions:

    repetitions after n of N proposals <= 0.25 N (n / N)^1.5          (N unknown: 0.25 n)

Which configuration is repeated says the knowledge gradient for ranking and selection (Frazier, Powell & Dayanik 2008,
"A knowledge-gradient policy for sequential information collection", eq. 14 to 17): the one whose next evaluation is
expected to better the choice of the winner most,

    KG_i = d_i f(-|m_i - min_{j != i} m_j| / d_i),   f(z) = phi(z) + z Phi(z),   d_i^2 = v_i^2 / (v_i + s^2)

with posterior means m, variances v and noise s^2 of `noise.posterior`; a pending repetition counts as evaluated, with a
result as expected. Until the noise is known (three repetitions), the leaders are repeated in turn.

The inner searcher proposes new configurations only; it sees repetitions as ordinary trials. When it has none left, the
rest is repeated. With several objectives there is no winner to race for: the inner searcher is asked for everything.
"""

from __future__ import annotations

import math
from collections.abc import Container, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from rung.search.base import Exhausted, Proposed, Suggestion
from rung.search.history import History
from rung.search.noise import SMALLEST, Evaluations, evaluations, posterior

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy.typing as npt

    from rung.search.base import Delta, Problem, Searcher

    Floats = npt.NDArray[np.float64]
    Integers = npt.NDArray[np.int64]
    Bools = npt.NDArray[np.bool_]

SHARE = 0.25
LATENESS = 1.5
FIRST = 4  # results, before anything is repeated
KNOWN = 3  # repetitions with a result, after which the noise counts as known
WORTH = 1e-4  # a knowledge gradient below so many standard deviations of the noise is none: the winner is clear
CANDIDATES = 64  # of which the knowledge gradient is computed


class Raced:
    """`inner`, with its leaders evaluated up to `search.repeats` times."""

    options: ClassVar[Mapping[str, Any]] = {}

    def __init__(self, problem: Problem, inner: Callable[[Problem], Searcher]) -> None:
        self.problem, self.inner = problem, inner(problem)
        self.repeats = problem.search.repeats
        self.races = self.repeats > 1 and len(problem.objectives) <= 1
        self.history = History(problem)
        self.params: list[dict[str, Any]] = []  # of each configuration, in the order they were met
        self.trials: list[int] = []  # its first trial
        self._ours: list[bool] = []  # whether it is one of the space: a user may have given it a constant of its own
        self._found: dict[bytes, int] = {}
        self._configuration: list[int] = []  # of each row of the history

    def observe(self, deltas: Sequence[Delta]) -> None:
        """Both have seen them."""
        self.inner.observe(deltas)
        if not self.races:
            return
        for delta in deltas:
            if isinstance(delta, Proposed):
                self._configuration.append(self._number(delta))
        self.history.observe(deltas)

    def _number(self, delta: Proposed) -> int:
        key = self.problem.space.fingerprint(delta.params)
        number = self._found.setdefault(key, len(self.params))
        if number == len(self.params):
            self.params.append(delta.params)
            self.trials.append(delta.number)
            self._ours.append(not delta.params.keys() & self.problem.space.constants.keys())
        return number

    def suggest(
        self, number: int, pending: Sequence[int], taken: Container[Mapping[str, Any]], rng: np.random.Generator
    ) -> Suggestion | Exhausted:
        """A repetition where one is due, else the inner searcher's suggestion; what is left when it has none."""
        if not self.races:
            return self.inner.suggest(number, pending, taken, rng)
        again = self._due(taken)
        if again is not None:
            return again
        found = self.inner.suggest(number, pending, _Met(self, taken), rng)
        if isinstance(found, Exhausted):
            return self._left(taken) or found
        return found

    def describe(self) -> str:
        """One sentence for `rung plan`."""
        if not self.races:
            return self.inner.describe()
        return (
            f"{self.inner.describe()}; up to {SHARE:.0%} of the trials evaluate leaders again, each configuration at "
            f"most {self.repeats} times, most of them late"
        )

    # --------------------------------------------------------------------------------------------- what to repeat

    def _due(self, taken: Container[Mapping[str, Any]]) -> Suggestion | None:
        """The repetition that is due; None while the share is used up, or where none would help."""
        proposals = len(self._configuration)
        repetitions = proposals - len(self.params)
        if self.history.results < FIRST or repetitions + 1 > allowance(proposals + 1, self.problem.budget.trials):
            return None
        found, counts = self._evaluations(), self._counts()
        feasible = self._feasible()
        may = (found.counts > 0) & (counts < self.repeats) & feasible & np.array(self._ours)
        if not may.any():
            return None
        in_turn = found.freedom < KNOWN
        again = self._in_turn(found, counts, may) if in_turn else self._by_gradient(found, feasible, may)
        return None if again is None or again.params in taken else again

    def _in_turn(self, found: Evaluations, counts: Integers, may: Bools) -> Suggestion:
        """The best of those that were evaluated least often."""
        order = np.lexsort((found.means, counts, ~may))
        return self._again(int(order[0]), found, "to learn how noisy evaluations are", phase="noise")

    def _by_gradient(self, found: Evaluations, feasible: Bools, may: Bools) -> Suggestion | None:
        """The configuration whose next evaluation helps most to pick the winner."""
        if found.variance < SMALLEST:
            return None  # every repetition gave the same: there is no noise to average out
        mean, variance = posterior(found)
        usable = np.flatnonzero((found.counts > 0) & feasible)
        top = usable[np.argsort(mean[usable], kind="stable")[:CANDIDATES]]
        # What is pending will have reduced the variance: 1 / v = 1 / v_now + pending / s^2.
        variance = 1 / (1 / variance[top] + self._waiting()[top] / found.variance)
        gain = np.where(may[top], knowledge_gradient(mean[top], variance, found.variance), 0.0)
        pick = int(gain.argmax())
        if gain[pick] < WORTH * math.sqrt(found.variance):
            return None
        lucky, rival = "it leads, and may have been lucky", f"it may be better than that of trial {self.trials[top[0]]}"
        why = rival if pick else lucky
        return self._again(int(top[pick]), found, why, gain=float(gain[pick]))

    def _again(
        self, i: int, found: Evaluations, why: str, *, phase: str = "repeat", gain: float | None = None
    ) -> Suggestion:
        times = int(found.counts[i])
        head = f"trial {self.trials[i]}'s configuration again"
        text = f"{head} ({times} of at most {self.repeats} evaluations are in): {why}"
        data = {"repeats": self.trials[i], "evaluations": times} | ({} if gain is None else {"gain": gain})
        return Suggestion(params=dict(self.params[i]), text=text, phase=phase, data=data)

    def _left(self, taken: Container[Mapping[str, Any]]) -> Suggestion | None:
        """The next repetition when nothing new is left: the least evaluated first, of those the best."""
        found, counts = self._evaluations(), self._counts()
        for i in np.lexsort((np.nan_to_num(found.means, nan=np.inf), counts)).tolist():
            if counts[i] < self.repeats and self._ours[i] and self.params[i] not in taken:
                return self._again(i, found, "nothing new is left")
        return None

    # --------------------------------------------------------------------------------------------- what is known

    def _counts(self) -> Integers:
        """(k,) how often each configuration was proposed."""
        return np.bincount(self._rows(), minlength=len(self.params))

    def _waiting(self) -> Integers:
        """(k,) how many of those have no result yet."""
        return np.bincount(self._rows()[~self.history.done], minlength=len(self.params))

    def _rows(self) -> Integers:
        """(n,) the configuration of each row of the history."""
        return np.array(self._configuration, dtype=np.int64)

    def _evaluations(self) -> Evaluations:
        """What is known of the configurations; losses that are not finite are no evaluations."""
        losses = self.history.losses[:, 0]
        finite = np.isfinite(losses)
        return evaluations(self._rows()[finite], losses[finite], len(self.params))

    def _feasible(self) -> Bools:
        """(k,) whether at least half of a configuration's results keep every outcome, and none of them is worst."""
        done = self.history.done
        configuration = self._rows()[done]
        kept = (self.history.violations[done].sum(axis=1) <= 0) & np.isfinite(self.history.losses[done, 0])
        size = len(self.params)
        good = np.bincount(configuration, weights=kept, minlength=size)
        return 2 * good >= np.maximum(np.bincount(configuration, minlength=size), 1)


class _Met(Container[Mapping[str, Any]]):
    """What the inner searcher may not propose: all that was proposed, and what may not be proposed at all."""

    def __init__(self, raced: Raced, taken: Container[Mapping[str, Any]]) -> None:
        self.raced, self.taken = raced, taken

    def __contains__(self, params: object) -> bool:
        assert isinstance(params, Mapping)
        return self.raced.problem.space.fingerprint(params) in self.raced._found or params in self.taken


def allowance(proposals: int, budget: int | None) -> float:
    """How many of the first `proposals` may be repetitions."""
    if not budget or proposals > budget:
        return SHARE * proposals
    return float(SHARE * budget * (proposals / budget) ** LATENESS)


def knowledge_gradient(means: Floats, variances: Floats, noise: float) -> Floats:
    """(k,) by how much one more evaluation of each is expected to lower the smallest posterior mean."""
    from scipy.special import ndtr  # only a study that races pays for it

    if len(means) < 2:
        return np.zeros(len(means))
    low, second = np.partition(means, 1)[:2]
    rival = np.full(len(means), low)
    rival[int(means.argmin())] = second
    change = variances / np.sqrt(variances + noise)
    z = np.maximum(-np.abs(means - rival) / change, -100.0)  # beyond, the gain is 0 in any case
    gain: Floats = change * (np.exp(-z * z / 2) / math.sqrt(2 * math.pi) + z * ndtr(z))
    return gain
