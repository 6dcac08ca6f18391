"""Ends a trial that is significantly worse than the best one on the folds, seeds or instances that both have seen."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, ClassVar

import msgspec
import numpy as np

from rung.model import MethodOption, defaults
from rung.schedule.options import MAX, Options
from rung.schedule.watch import Watch, losses_of

if TYPE_CHECKING:
    from rung.model import Stop
    from rung.schedule.base import Contest, Ended, Progress

EXACT = 50  # pairs up to which the distribution is counted out; above, it is normal to four digits
RIVALS = 16  # members of the front that a trial is compared with, where there are several objectives

Scores = dict[float, tuple[float, ...]]


def signed_rank(differences: np.ndarray) -> float:
    """P(W+ at least as large as observed) if differences were symmetric about 0: the one-sided p-value of Wilcoxon's
    signed-rank test (1945) for `differences` (n,) > 0. Zeros are ranked and their ranks split between both sides
    ("zsplit"), equal sizes share their mean rank. Exact given the ranks up to 50 pairs, by counting; then by the normal
    law with continuity correction. 1.0 when all are zero or there is none.
    """
    sizes = np.abs(differences)
    _, place, count = np.unique(sizes, return_inverse=True, return_counts=True)
    ranks = (2 * np.cumsum(count) - count + 1)[place]  # twice the mean ranks: whole numbers
    signed = ranks[differences != 0]
    observed = int(ranks[differences > 0].sum())  # what zeros add to both sides cancels out
    if not len(signed):
        return 1.0
    if len(signed) > EXACT:
        mean, sd = signed.sum() / 2, math.sqrt(float((signed.astype(float) ** 2).sum())) / 2
        return 0.5 * math.erfc((observed - mean - 1) / (sd * math.sqrt(2)))
    ways = np.zeros(int(signed.sum()) + 1)  # P(W+ = w), each rank being in W+ with probability 1/2
    ways[0] = 1.0
    for rank in signed:
        ways[rank:], ways[:rank] = (ways[rank:] + ways[:-rank]) / 2, ways[:rank] / 2
    return min(1.0, float(ways[observed:].sum()))


class Rival(msgspec.Struct, frozen=True):
    """A finished trial that others are compared with: its result and what it had at each step."""

    number: int
    losses: tuple[float, ...]
    scores: Scores


class Wilcoxon(Watch):
    """Ends a trial when Wilcoxon's signed-rank test, over the steps (folds, seeds, instances) that it shares with the
    best finished trial, says at level `p` that it is worse, and its mean over them is no better; as Optuna's
    `WilcoxonPruner` does. `min`: so many steps must be shared (with fewer than four no p-value is below 0.1). Each look
    is a test of its own: `p` is the level of one, not of all of a trial's.

    The best finished trial is the best of those that ended by themselves with at least `min` steps and break no bound;
    a better one takes its place when it ends. Several objectives: the trial ends when one of the finished trials that
    nobody dominates is significantly better in every objective.
    """

    rule: ClassVar[str] = "wilcoxon"
    declared: ClassVar[dict[str, MethodOption]] = {
        "p": MethodOption(0.1, "The level of each test: the smaller, the surer before a trial is ended"),
        "min": MethodOption(2, "So many steps must both trials have"),
        "max": MAX,
    }
    options: ClassVar[dict[str, Any]] = defaults(declared)

    def __init__(self, contest: Contest) -> None:
        super().__init__(contest)
        options = Options(contest)
        self.p = options.number("p", 0.1, above=0, most=0.5)
        self.least = options.whole("min", 2)
        self._running: dict[int, Scores] = {}
        self._broken: set[int] = set()  # running trials that break a bound
        self._rivals: list[Rival] = []  # the front of finished trials, the best in the first objective in front

    def judge(self, progress: Progress) -> Stop | None:
        """The first of the rivals that is significantly better."""
        losses = losses_of(progress)
        if losses is None:
            return None
        scores = self._running.setdefault(progress.number, {})
        scores[progress.step] = losses
        (self._broken.add if progress.violation > 0 else self._broken.discard)(progress.number)
        for rival in self._rivals:
            found = self._against(progress, scores, rival)
            if found is not None:
                return found
        return None

    def forget(self, ended: Ended) -> None:
        """The trial's scores stay if it is one of the best."""
        scores = self._running.pop(ended.number, {})
        broken = ended.number in self._broken
        self._broken.discard(ended.number)
        if ended.losses is None or broken or len(scores) < self.least or self.cut_short(ended.number):
            return
        if all(map(math.isfinite, ended.losses)):
            self._join(Rival(ended.number, ended.losses, scores))

    def _join(self, new: Rival) -> None:
        others = [r for r in self._rivals if r.number != new.number]
        if not any(_ahead(other, new) for other in others):
            kept = [other for other in others if not _ahead(new, other)]
            self._rivals = sorted([*kept, new], key=lambda r: (r.losses, r.number))[:RIVALS]

    def _against(self, progress: Progress, scores: Scores, rival: Rival) -> Stop | None:
        shared = [step for step in scores if step in rival.scores]
        if len(shared) < self.least:
            return None
        mine, theirs = (np.array([of[step] for step in shared]) for of in (scores, rival.scores))
        means, best = _means(mine), _means(theirs)
        if any(m < b for m, b in zip(means, best, strict=True)):
            return None
        p = max(signed_rank(column) for column in _differences(mine, theirs).T)
        if p >= self.p:
            return None
        text = (
            f"over {len(shared)} shared steps mean {self.named(means)} is worse than {self.named(best)} of the "
            f"best trial, p = {p:.2g} below {self.p:g} (Wilcoxon signed-rank)"
        )
        return self.stop(
            progress, text, value=self.shown(means), threshold=self.shown(best), lost_to=[rival.number], p=p
        )

    def describe(self) -> str:
        """One sentence for `rung plan`."""
        return (
            f"wilcoxon: ends a trial that a signed-rank test at p = {self.p:g} finds worse than the best finished one, "
            f"over at least {self.least} steps that both have"
        )


def _means(scores: np.ndarray) -> list[float]:
    """Mean of each objective over the steps (n, m); +inf where one is."""
    return [float(mean) for mean in (scores / len(scores)).sum(axis=0)]


def _differences(mine: np.ndarray, theirs: np.ndarray) -> np.ndarray:
    """Mine - theirs; two infinities differ by nothing."""
    with np.errstate(over="ignore"):  # of numbers at the end of the floats: an infinite difference ranks as it should
        found: np.ndarray = np.subtract(mine, theirs, out=np.zeros_like(mine), where=mine != theirs)
    return found


def _ahead(one: Rival, other: Rival) -> bool:
    """Whether it dominates the other; of equal ones the older is ahead."""
    if one.losses == other.losses:
        return one.number < other.number
    return all(a <= b for a, b in zip(one.losses, other.losses, strict=True))
