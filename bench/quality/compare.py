"""What the scores say: mean ranks with intervals, and which differences are more than noise."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from bench.quality.problems import PROBLEMS, RANKED
from bench.quality.score import Block, Curves, common_blocks, log_regret

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

RESAMPLES = 1000
LEVEL = 0.05
FEWEST = 6  # pairs: a signed-rank test of fewer cannot be below the level


class Rank(NamedTuple):
    """A mean rank (1 is best) and its bootstrap interval over problems and seeds."""

    mean: float
    low: float
    high: float


class Difference(NamedTuple):
    """A paired comparison of the log regret of two methods: the mean difference (below 0: the first is better), the
    p value of Wilcoxon's signed-rank test after Holm's correction, and the pairs."""

    mean: float
    p: float
    pairs: int

    @property
    def worse(self) -> bool:
        """Whether the first is worse beyond noise."""
        return self.p < LEVEL and self.mean > 0


def table_of(curves: Curves, methods: Sequence[str], blocks: Sequence[Block], at: int) -> np.ndarray:
    """The log regret after `at` results. (blocks, methods)"""
    return np.array([[log_regret(curves[name][block])[at - 1] for name in methods] for block in blocks])


def areas_of(curves: Curves, methods: Sequence[str], blocks: Sequence[Block], at: int) -> np.ndarray:
    """The mean log regret over the first `at` results: the area under the curve. (blocks, methods)"""
    return np.array([[log_regret(curves[name][block])[:at].mean() for name in methods] for block in blocks])


def ranks_within(table: np.ndarray) -> np.ndarray:
    """Each row's ranks from 1, ties averaged. (blocks, methods)"""
    below = (table[:, None, :] < table[:, :, None]).sum(2)
    ties = (table[:, None, :] == table[:, :, None]).sum(2)
    ranks: np.ndarray = below + (ties + 1) / 2
    return ranks


def mean_ranks(table: np.ndarray, blocks: Sequence[Block], *, seed: int = 0) -> list[Rank]:
    """Ranks within (problem, seed), averaged over seeds, then over problems; the interval resamples both."""
    ranks, by_problem = ranks_within(table), defaultdict(list)
    for place, (problem, _) in enumerate(blocks):
        by_problem[problem].append(place)
    groups = [np.array(places) for places in by_problem.values()]
    mean = np.mean([ranks[g].mean(0) for g in groups], axis=0)
    rng = np.random.default_rng(seed)
    drawn = []
    for _ in range(RESAMPLES):
        chosen = [groups[i] for i in rng.integers(len(groups), size=len(groups))]
        drawn.append(np.mean([ranks[rng.choice(g, size=len(g))].mean(0) for g in chosen], axis=0))
    low, high = np.quantile(drawn, [0.025, 0.975], axis=0)
    return [Rank(*map(float, three)) for three in zip(mean, low, high, strict=True)]


def holm(values: Sequence[float]) -> list[float]:
    """P values corrected for their number (Holm 1979): the least times n, the next times n - 1, ..., never falling."""
    corrected, highest = [0.0] * len(values), 0.0
    for place, index in enumerate(sorted(range(len(values)), key=lambda i: values[i])):
        highest = max(highest, min(1.0, values[index] * (len(values) - place)))
        corrected[index] = highest
    return corrected


def _signed_rank(differences: np.ndarray) -> float:
    """Two-sided p value; 1 when too few pairs differ."""
    from scipy.stats import wilcoxon  # only here: it is slow to load

    found = differences[differences != 0]
    return 1.0 if len(found) < FEWEST else float(wilcoxon(found).pvalue)


def against_each(
    curves: Curves, ours: str, at: int, groups: Mapping[str, Sequence[str]], others: Sequence[str]
) -> dict[tuple[str, str], Difference]:
    """Our method against each of the others on each group of problems, over the blocks that both have; corrected
    for the number of all these tests."""
    found: dict[tuple[str, str], tuple[float, float, int]] = {}
    for group, problems in groups.items():
        for other in others:
            blocks = [b for b in common_blocks(curves, [ours, other]) if b[0] in problems]
            if blocks:
                pair = table_of(curves, [ours, other], blocks, at)
                difference = pair[:, 0] - pair[:, 1]
                found[group, other] = float(difference.mean()), _signed_rank(difference), len(blocks)
    corrected = holm([p for _, p, _ in found.values()])
    return {
        key: Difference(mean, p, pairs) for (key, (mean, _, pairs)), p in zip(found.items(), corrected, strict=True)
    }


def families() -> dict[str, list[str]]:
    """The ranked problems of each family."""
    found: dict[str, list[str]] = defaultdict(list)
    for name in RANKED:
        found[PROBLEMS[name].family].append(name)
    return dict(found)
