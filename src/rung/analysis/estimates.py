"""The honest winner: the configuration whose estimated mean is best, not the luckiest draw.

Where configurations were evaluated more than once, the noise of an evaluation is known, and `rung.search.noise` gives
each configuration a posterior mean m and variance v (formulas and sources are there). Of them

* the best is the one with the smallest expected loss: m, -m, or for a target t E|theta - t| (folded normal);
* its interval is m -+ q sqrt(v + (ybar - m)^2 / 4), q the 97.5 % quantile of Student's t with the degrees of freedom of
  the noise; the second term, a share of the squared shrinkage, stands for what is not known of the population (after
  Morris 1983, "Parametric empirical Bayes inference: theory and applications");
* it beats the runner-up with the probability that two independent normals are in that order: T((m_2 - m_1) /
  sqrt(v_1 + v_2)), T Student's distribution function; for a target by integration over the second.

A configuration's own trial, where one is to be named, is that of its median value (of two in the middle the worse): the
best of its draws would be a lucky one again.
"""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from rung.analysis.ranking import evaluated, kept, pareto, ranked
from rung.search.noise import evaluations, posterior

if TYPE_CHECKING:
    import numpy.typing as npt

    from rung.study.state import State

    Floats = npt.NDArray[np.float64]
    Integers = npt.NDArray[np.int64]

LEVEL = 0.95


class RunnerUp(msgspec.Struct, frozen=True):
    """The second best configuration: its trial, and its estimated mean in the metric's unit."""

    trial: int
    mean: float


class Estimate(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of one configuration's true mean, in the metric's unit. `low` and `high`: 95 %; `noise_sd`: the
    standard deviation of one evaluation; `beats_runner_up`: a probability, None where it is not the best."""

    mean: float
    low: float
    high: float
    evaluations: int
    trials: tuple[int, ...]
    noise_sd: float
    runner_up: RunnerUp | None = None
    beats_runner_up: float | None = None


class Standing:
    """The configurations of a study with repeated evaluations, best first. See `standing`."""

    def __init__(self, numbers: Integers, member: Integers, losses: Floats, *, sign: float, target: float) -> None:
        """`numbers` (n,) trials, `member` (n,) the configuration of each in 0..k-1, `losses` (n,) finite ones in which
        a metric's value is target + sign * loss; around 0 is best where `sign` is 0 (then it counts as 1)."""
        self.numbers, self.member, self.losses = numbers, member, losses
        self._towards = sign == 0
        self._sign, self._target = sign or 1.0, target
        self.found = evaluations(member, losses, int(member.max()) + 1)
        self.means, self.variances = posterior(self.found, target=0.0 if self._towards else None)
        expected = folded(self.means, self.variances) if self._towards else self.means
        self.order = np.argsort(expected, kind="stable")

    def trials_of(self, configuration: int) -> Integers:
        """The trials that evaluated a configuration, ascending."""
        trials: Integers = self.numbers[self.member == configuration]
        return trials

    def trial(self, configuration: int) -> int:
        """The configuration's own trial: that of the median value."""
        rows = np.flatnonzero(self.member == configuration)
        badness = np.abs(self.losses[rows]) if self._towards else self.losses[rows]
        return int(self.numbers[rows[np.argsort(badness, kind="stable")[len(rows) // 2]]])

    def estimate(self, place: int = 0) -> Estimate:
        """What is known of the configuration at this place of the order."""
        i = int(self.order[place])
        reach = _quantile(self.found.freedom) * self._spread(i)
        ends = sorted(self._metric(self.means[i] + side * reach) for side in (-1, 1))
        runner_up, chance = None, None
        if place == 0 and len(self.order) > 1:
            second = int(self.order[1])
            runner_up = RunnerUp(self.trial(second), self._metric(self.means[second]))
            chance = self._beats(i, second)
        return Estimate(
            mean=self._metric(self.means[i]), low=ends[0], high=ends[1], evaluations=int(self.found.counts[i]),
            trials=tuple(self.trials_of(i).tolist()), noise_sd=math.sqrt(self.found.variance),
            runner_up=runner_up, beats_runner_up=chance,
        )  # fmt: skip

    def _spread(self, i: int) -> float:
        shrunk = float(self.found.means[i] - self.means[i])
        return math.sqrt(float(self.variances[i]) + shrunk * shrunk / 4)

    def _metric(self, loss: float) -> float:
        return float(self._target + self._sign * loss)

    def _beats(self, first: int, second: int) -> float:
        means, spreads = self.means[[first, second]], np.sqrt(self.variances[[first, second]])
        if self._towards:
            return nearer(means[0], spreads[0], means[1], spreads[1])
        return _below(float(means[1] - means[0]), math.hypot(*spreads.tolist()), self.found.freedom)


def winners(state: State, *, top: int | None = None) -> list[tuple[int, Estimate | None]]:
    """The best trial, the `top` best ones, or the Pareto set when there are several objectives and no `top`.

    With each what is known of the true mean of its configuration, where the noise is known: then each configuration
    stands there once.
    """
    if not state.spec.objectives:
        return []
    if top is None and len(state.spec.objectives) > 1:
        return [(number, None) for number in pareto(state)]
    found, count = standing(state), 1 if top is None else top
    if found is None:
        return [(number, None) for number in ranked(state)[:count]]
    places = range(min(count, len(found.order)))
    return [(found.trial(int(found.order[place])), found.estimate(place)) for place in places]


def standing(state: State) -> Standing | None:
    """The configurations by what is known of their true means; None where none was evaluated twice, so that the noise
    is not known, and with several objectives.

    Complete trials count (pruned ones where none is complete), and configurations of which at least half of the
    evaluations kept every outcome and all values are finite; where there are none, those that did not keep them.
    """
    if len(state.spec.objectives) != 1:
        return None
    numbers = evaluated(state)
    member = configurations(state, numbers)
    if member is None:
        return None
    values = state.table["values"][numbers, 0]
    finite = np.isfinite(values)
    usable = np.bincount(member, weights=~finite) == 0
    feasible = usable & (2 * np.bincount(member, weights=kept(state, numbers)) >= np.bincount(member))
    rows = (feasible if feasible.any() else usable)[member]
    if not rows.any() or len(np.unique(member[rows])) == rows.sum():
        return None
    goal = state.spec.objectives[0].goal
    sign = {"minimize": 1.0, "maximize": -1.0}.get(str(goal), 0.0)
    target = float(goal) if not isinstance(goal, str) else 0.0
    renumbered = np.unique(member[rows], return_inverse=True)[1].reshape(-1)
    return Standing(numbers[rows], renumbered, (values[rows] - target) * (sign or 1.0), sign=sign, target=target)


def configurations(state: State, numbers: Integers) -> Integers | None:
    """(n,) which configuration each of the trials evaluated, counted in the order they were met; None where all of them
    differ."""
    keys: list[Any]
    if len(state.spaces) == 1:
        keys = state.space.fingerprints(state.table["params"][numbers, : len(state.space.names)])
        for place in np.flatnonzero(np.isin(numbers, list(state.tweaked))).tolist() if state.tweaked else ():
            keys[place] = state.space.fingerprint(state.params(int(numbers[place])))
    else:  # a row means something else in each version of the space
        keys = [json.dumps(params, sort_keys=True) for params in state.params_of(numbers.tolist())]
    if len(set(keys)) == len(keys):
        return None
    seen: dict[Any, int] = {}
    return np.array([seen.setdefault(key, len(seen)) for key in keys], dtype=np.int64)


def folded(means: Floats, variances: Floats) -> Floats:
    """E|theta| of normals (Leone, Nelson & Nottingham 1961)."""
    from scipy.special import ndtr  # only a study with repeated evaluations pays for it

    sd = np.sqrt(variances)
    z = np.divide(means, sd, out=np.full_like(means, np.inf), where=sd > 0)
    known = sd == 0
    spread = sd * math.sqrt(2 / math.pi) * np.exp(-np.where(known, 0.0, np.minimum(z * z, 1400.0)) / 2)
    expected: Floats = np.where(known, np.abs(means), spread + means * (1 - 2 * ndtr(-z)))
    return expected


def nearer(mean: float, sd: float, other_mean: float, other_sd: float) -> float:
    """The probability that the first of two independent normals is nearer to 0: over 401 points of the second."""
    from scipy.special import ndtr

    z = np.linspace(-6, 6, 401)
    weight = np.exp(-z * z / 2)
    reach = np.abs(other_mean + other_sd * z)
    if sd == 0:
        inside = (reach > abs(mean)) + 0.5 * (reach == abs(mean))
    else:
        inside = ndtr((reach - mean) / sd) - ndtr((-reach - mean) / sd)
    return float((inside * weight).sum() / weight.sum())


def _below(difference: float, sd: float, freedom: int) -> float:
    if sd == 0:
        return 0.5 + 0.5 * float(np.sign(difference))
    from scipy.special import stdtr

    return float(stdtr(freedom, difference / sd))


def _quantile(freedom: int) -> float:
    from scipy.special import stdtrit

    return float(stdtrit(freedom, (1 + LEVEL) / 2))
