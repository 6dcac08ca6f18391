"""Which method is better, over paired runs: ranks, wins, time to the best, and whether it could be chance.

A *block* is what methods are paired by: the runs of all of them with one seed of one problem. `losses` (b, m) are the
runs' final losses, +inf for a run that found nothing.

Differences are tested with Wilcoxon's signed-rank test (two methods), or after Friedman's test over all (three and
more) of each method against the one with the best mean rank, corrected by Holm (Demsar 2006, "Statistical Comparisons
of Classifiers over Multiple Data Sets"; Holm 1979, "A Simple Sequentially Rejective Multiple Test Procedure").
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import msgspec
import numpy as np
import numpy.typing as npt

from rung.analysis.aggregate import LEVEL, RESAMPLES

if TYPE_CHECKING:
    from collections.abc import Sequence

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
ALPHA = 1 - LEVEL


class Rank(msgspec.Struct, frozen=True):
    """A method's mean rank over the blocks (1: best), its 95 % bootstrap interval (None with one block), and the share
    of blocks that it won, a tie being shared."""

    mean: float
    low: float | None
    high: float | None
    wins: float


class Verdict(msgspec.Struct, frozen=True):
    """What the tests say. `best`: the method with the best mean rank; `p`: of each other one against it, after Holm's
    correction; `least`: the smallest p that so many blocks could give at all; `friedman`: None for two methods."""

    best: int
    p: dict[int, float]
    least: float
    friedman: float | None
    blocks: int


def ranks(losses: Floats) -> Floats:
    """(b, m) the rank of each method in its block, from 1; equal ones share the mean of their ranks."""
    below = (losses[:, None, :] < losses[:, :, None]).sum(axis=2)
    equal = (losses[:, None, :] == losses[:, :, None]).sum(axis=2)
    found: Floats = below + (equal + 1) / 2
    return found


def ranked(losses: Floats, problems: Integers, *, seed: int = 0) -> list[Rank]:
    """Each method's standing over the blocks (b, m). `problems` (b,): which problem each block is of; resampling draws
    the blocks of each problem with replacement, the problems being what they are."""
    found = ranks(losses)
    if not len(found):
        return []
    means = found.mean(axis=0)
    best = losses == losses.min(axis=1, keepdims=True)
    wins = (best / best.sum(axis=1, keepdims=True)).mean(axis=0)
    if len(found) == 1:
        return [Rank(float(mean), None, None, float(share)) for mean, share in zip(means, wins, strict=True)]
    low, high = np.quantile(_resampled(found, problems, seed), [ALPHA / 2, 1 - ALPHA / 2], axis=0)
    rows = zip(means.tolist(), low.tolist(), high.tolist(), wins.tolist(), strict=True)
    return [Rank(*row) for row in rows]


def _resampled(found: Floats, problems: Integers, seed: int) -> Floats:
    """(RESAMPLES, m) mean ranks."""
    rng = np.random.default_rng(seed)
    sums = np.zeros((RESAMPLES, found.shape[1]))
    for problem in np.unique(problems):
        rows = found[problems == problem]
        sums += rng.multinomial(len(rows), np.full(len(rows), 1 / len(rows)), size=RESAMPLES) @ rows
    return sums / len(found)


def verdict_on(losses: Floats, problems: Integers) -> Verdict | None:
    """Whether the methods differ beyond chance; None for fewer than two methods or two blocks."""
    blocks, methods = losses.shape
    if methods < 2 or blocks < 2:
        return None
    best = int(ranks(losses).mean(axis=0).argmin())
    others = [i for i in range(methods) if i != best]
    scaled = _scaled(losses, problems)
    p = holm([signed_rank(scaled[:, i] - scaled[:, best]) for i in others])
    least = min(1.0, len(others) * 2.0 ** (1 - blocks))
    overall = friedman(losses) if methods > 2 else None
    return Verdict(best, dict(zip(others, p, strict=True)), least, overall, blocks)


def _scaled(losses: Floats, problems: Integers) -> Floats:
    """Differences of several problems in one unit: the median distance of a run from its problem's median. What is not
    finite is further away than all that is: twice as bad as the worst."""
    found = losses.astype(np.float64)
    for problem in np.unique(problems):
        rows = found[problems == problem]
        finite = rows[np.isfinite(rows)]
        middle = float(np.median(finite)) if len(finite) else 0.0
        unit = float(np.median(np.abs(finite - middle))) if len(finite) else 0.0
        rows = (rows - middle) / (unit or 1.0)
        worst = np.abs(rows[np.isfinite(rows)]).max(initial=1.0)
        found[problems == problem] = np.where(np.isfinite(rows), rows, 2 * worst)
    return found


def signed_rank(differences: Floats) -> float:
    """The two-sided p of Wilcoxon's signed-rank test; 1 where nothing differs. Exact for up to 50 differences without
    ties; else by the normal approximation, zeros ranked and their ranks left out (Pratt 1959)."""
    if not differences.any():
        return 1.0
    from scipy.stats import wilcoxon  # half a second to load

    sizes = np.abs(differences)
    exact = len(sizes) <= 50 and len(np.unique(sizes)) == len(sizes) and sizes.min() > 0
    p = wilcoxon(differences, zero_method="pratt", method="exact" if exact else "approx").pvalue
    return float(p)


def friedman(losses: Floats) -> float:
    """The p of Friedman's test that all of three or more methods (b, m) are alike; 1 where every block ties."""
    if (losses == losses[:, :1]).all():
        return 1.0
    from scipy.stats import friedmanchisquare

    return float(friedmanchisquare(*ranks(losses).T).pvalue)


def holm(p: Sequence[float]) -> list[float]:
    """The p of several tests, each so adjusted that it may be held against the level of them all."""
    order = np.argsort(p, kind="stable")
    adjusted = np.asarray(p)[order] * (len(p) - np.arange(len(p)))
    found = np.empty(len(p))
    found[order] = np.minimum(1.0, np.maximum.accumulate(adjusted))
    return [float(value) for value in found]


def seeds_needed(methods: int) -> int:
    """The fewest blocks in which a method that wins every one could be told from chance."""
    return 1 + math.ceil(math.log2((methods - 1) * 1 / ALPHA))


def sentence(verdict: Verdict | None, names: Sequence[str], *, what: str = "seeds") -> str:
    """What the tests say, for people. `what`: the name of blocks."""
    if verdict is None:
        return f"nothing is settled: it takes two methods or more, and all of them with the same {what}"
    counted = f"{verdict.blocks} {what}"
    if verdict.least > ALPHA:
        needed = seeds_needed(len(names))
        return (
            f"{counted} settle nothing: even a method that wins all of them could do so by chance "
            f"(p = {verdict.least:.2g} at best, {ALPHA:.2g} is wanted); take {needed} or more"
        )
    best, how = names[verdict.best], f"Wilcoxon's signed-rank test over {counted}, Holm's correction"
    if len(verdict.p) == 1:
        how = f"Wilcoxon's signed-rank test over {counted}"
    sure = [f"{names[i]} (p = {p:.2g})" for i, p in verdict.p.items() if p <= ALPHA]
    unsure = [f"{names[i]} (p = {p:.2g})" for i, p in verdict.p.items() if p > ALPHA]
    if not sure:
        return f"{best} has the best mean rank, but is not told apart from {_listed(unsure)}: {how}"
    rest = f"; not told apart from {_listed(unsure)}" if unsure else ""
    return f"{best} is better than {_listed(sure)}{rest}: {how}"


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
