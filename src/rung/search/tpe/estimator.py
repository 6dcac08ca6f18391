"""From the good and the bad trials to the gain of a candidate: the bandwidths, the weight of the prior, and the mean of
what whole configurations say and what single parameters say.

Bandwidths follow Scott's rule, sigma = s n^(-1 / (a + 4)), with n the trials that have the parameter, a how many
parameters are looked at together, and s the spread of the group's trials, among which the prior counts as one more (so
that one or two trials do not collapse it). Watanabe 2023, "Tree-structured Parzen estimator: understanding its
algorithm components", section 3.3, compares such rules; the floor is what is there called magic clipping.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rung.search.tpe.densities import Joint, Marginals
from rung.search.tpe.kernels import Kernels
from rung.search.tpe.split import Group, joined

if TYPE_CHECKING:
    from rung.search.history import Bools, Floats
    from rung.search.tpe.kernels import Geometry

NARROWEST = 0.01  # bandwidth of a numeric column, in units
STEPS = 0.5  # bandwidth of an ordered column at least, in distances of neighbouring values
WIDEST = 2.0  # beyond it a kernel is uniform
LEAVE = 0.5  # chance that a kernel of one trial leaves its category, in units of the uniform draw's
LEAST_LEAVE = 0.05  # the same at least
PRIOR = 1.0  # weight of the uniform kernel, in units of the mean kernel's


class Estimate:
    """The density of one group of trials; of no trial the uniform one.

    Trials without a result are shown to the joint density of the bad group only (the constant liar of Ginsbourger et
    al. 2010): their marginals are those of the good ones, and would drive other workers away from every good value.
    """

    def __init__(self, geometry: Geometry, group: Group, pending: Floats | None = None) -> None:
        active = ~np.isnan(group.units)
        together = float(active.sum(axis=1).mean()) if len(active) else 1.0
        spread = _spread(group, active)
        counts = np.maximum(active.sum(axis=0), 1.0)
        prior = PRIOR * float(group.weights.mean()) if len(active) else 1.0
        shapes = [_kernels(geometry, spread, counts ** (-1.0 / (a + 4))) for a in (together, 1.0)]
        whole = group if pending is None else joined(group, Group(pending, np.full(len(pending), prior)))
        self.joint = Joint(shapes[0], whole.units, whole.weights, prior)
        self.marginals = Marginals(shapes[1], group.units, group.weights, prior)

    def sample(self, rng: np.random.Generator, count: int) -> Floats:
        """(count, d) unit rows, half of them from each form."""
        half = count // 2
        return np.concatenate([self.joint.sample(rng, half), self.marginals.sample(rng, count - half)])

    def log_density(self, units: Floats) -> Floats:
        """(m,) the mean of the two log densities."""
        return (self.joint.log_density(units) + self.marginals.log_density(units)) / 2


def _kernels(geometry: Geometry, spread: Floats, shrinking: Floats) -> Kernels:
    narrowest = np.maximum(NARROWEST, STEPS * geometry.step)
    sigma = np.minimum(np.maximum(spread * shrinking, narrowest), WIDEST)
    uniform = 1.0 - 1.0 / np.maximum(geometry.sizes, 2.0)  # chance that a uniform draw leaves the category
    return Kernels(geometry, sigma, uniform * np.maximum(LEAVE * shrinking, LEAST_LEAVE))


def _spread(group: Group, active: Bools) -> Floats:
    """(d,) standard deviation of the trials that have the parameter and of one more, the prior: mean 1/2, variance
    1/12."""
    weights = group.weights / group.weights.mean() if len(group.weights) else group.weights
    total = weights @ active + 1.0
    mean = (weights @ np.where(active, group.units, 0.0) + 0.5) / total
    apart = np.where(active, group.units - mean, 0.0) ** 2
    spread: Floats = np.sqrt((weights @ apart + 1 / 12 + (0.5 - mean) ** 2) / total)
    return spread
