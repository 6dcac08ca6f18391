"""The density of a group of trials, in two forms: over whole configurations, and parameter by parameter.

`Joint` is a mixture of products, sum_k w_k prod_j kappa_j(x_j | centre_kj) (Falkner et al. 2018, BOHB): values that are
good together are proposed together. `Marginals` is a product of mixtures, prod_j sum_k w_kj kappa_j(x_j | centre_kj)
(Bergstra et al. 2011): it needs far fewer trials where parameters act on their own; a parameter's mixture is made of
the trials where it was active. Each has the prior as one more kernel, which is uniform.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from rung.search.history import Floats
    from rung.search.tpe.kernels import Kernels

BLOCK = 2**20  # kernel values computed at a time


class Joint:
    """`weights` (n,) of kernels at `centres` (n, d), and `prior`, the weight of the uniform one."""

    def __init__(self, kernels: Kernels, centres: Floats, weights: Floats, prior: float) -> None:
        self.kernels = kernels
        self.centres = np.concatenate([centres, np.full((1, centres.shape[1]), np.nan)])
        weights = np.append(weights, prior)
        self.weights = weights / weights.sum()
        self._log_weights = np.log(self.weights)
        self._features = self._kernel_features()

    def _kernel_features(self) -> Floats:
        """(n + 1, f) whose products with the features of a point are log kappa, as if no category agreed:
        -(x - c)^2 / 2 = x c - x^2 / 2 - c^2 / 2 in bandwidths, all terms 0 where either is inactive."""
        numeric, categorical = self.kernels.geometry.numeric, self.kernels.geometry.categorical
        active = ~np.isnan(self.centres)
        scaled = np.where(active, self.centres, 0.0)[:, numeric] / self.kernels.width
        constant = -0.5 * scaled**2 - np.log(self.kernels.mass(self.centres))
        apart = active[:, categorical] * np.log(self.kernels.apart)
        return np.concatenate([scaled, -0.5 * active[:, numeric], constant, apart], axis=1)

    def log_kernels(self, units: Floats) -> Floats:
        """(m, n + 1) log kappa at (m, d) unit rows, which stand at the centres of their bins where discrete."""
        numeric, categorical = self.kernels.geometry.numeric, self.kernels.geometry.categorical
        active = ~np.isnan(units)
        scaled = np.where(active, units, 0.0)[:, numeric] / self.kernels.width
        found: Floats = np.concatenate([scaled, scaled**2, active[:, numeric], active[:, categorical]], axis=1)
        found = found @ self._features.T
        gain = np.log(self.kernels.agree / self.kernels.apart)
        for column, more in zip(categorical.tolist(), gain.tolist(), strict=True):
            found += more * (units[:, column, None] == self.centres[:, column])  # NaN agrees with nothing
        return found

    def log_density(self, units: Floats) -> Floats:
        """(m,) log of the density of (m, d) unit rows relative to the uniform draw."""
        terms = self.log_kernels(units) + self._log_weights
        top = terms.max(axis=1, keepdims=True)
        return np.asarray(top[:, 0] + np.log(np.exp(terms - top).sum(axis=1)))

    def sample(self, rng: np.random.Generator, count: int) -> Floats:
        """(count, d) unit rows; every column has a value (conditions are the space's)."""
        picked = rng.choice(len(self.weights), size=count, p=self.weights)
        return self.kernels.scatter(rng, self.centres[picked])


class Marginals:
    """As `Joint`, with the weights of each column (n + 1, d) shared among the trials where it was active."""

    def __init__(self, kernels: Kernels, centres: Floats, weights: Floats, prior: float) -> None:
        self.kernels = kernels
        self.centres = np.concatenate([centres, np.full((1, centres.shape[1]), np.nan)])
        active = ~np.isnan(self.centres)
        weights = np.append(weights, prior)[:, None] * active
        weights[-1] = prior
        self.weights: Floats = weights / weights.sum(axis=0)
        numeric = kernels.geometry.numeric
        shares = (self.weights[:, numeric] / kernels.mass(self.centres)).T
        places = (np.where(active, self.centres, 0.0)[:-1, numeric] / kernels.width).T  # where inactive the share is 0
        self._shares = shares[:, :-1, None].astype(np.float32)  # (numeric, n, 1)
        self._places = places[:, None, :].astype(np.float32)  # (numeric, 1, n)
        self._prior = shares[:, -1]  # (numeric,)

    def log_density(self, units: Floats) -> Floats:
        """(m,) log of the density of (m, d) unit rows relative to the uniform draw."""
        size = max(1, BLOCK // max(1, self.centres.size))
        parts = [self._numeric(units[begin : begin + size]) for begin in range(0, len(units), size)]
        total = np.concatenate([np.zeros(0), *parts])
        for place, column in enumerate(self.kernels.geometry.categorical.tolist()):
            total += self._categorical(place, units[:, column], column)
        return total

    def _numeric(self, units: Floats) -> Floats:
        points = units[:, self.kernels.geometry.numeric] / self.kernels.width
        distance = points.T.astype(np.float32)[:, :, None] - self._places  # single precision: exp is 8 times as fast
        np.multiply(distance, distance, out=distance)
        np.multiply(distance, np.float32(-0.5), out=distance)
        density = (np.exp(distance, out=distance) @ self._shares)[:, :, 0].T + self._prior
        return np.asarray(np.where(np.isnan(points), 0.0, np.log(density)).sum(axis=1))

    def _categorical(self, place: int, units: Floats, column: int) -> Floats:
        weights, prior = self.weights[:-1, column], self.weights[-1, column]
        same = (units[:, None] == self.centres[:-1, column]) @ weights
        density = prior + self.kernels.agree[place] * same + self.kernels.apart[place] * (weights.sum() - same)
        return np.where(np.isnan(units), 0.0, np.log(density))

    def sample(self, rng: np.random.Generator, count: int) -> Floats:
        """(count, d) unit rows, each column from a trial of its own."""
        picks = rng.random((count, self.weights.shape[1]))
        limits = np.cumsum(self.weights, axis=0)[:-1]
        picked = (picks[:, None, :] >= limits).sum(axis=1)
        return self.kernels.scatter(rng, np.take_along_axis(self.centres, picked, axis=0))
