"""Quadratic regression of least Frobenius norm, chosen by leave-one-out errors.

Notation (n points, k parameters; points are relative to a centre and scaled to a radius):

    Z       (n, k)      the points
    y       (n,)        their values
    A       (n, n)      A_ij = (z_i . z_j)^2 / 2, the kernel of a quadratic without linear part
    P       (n, k + 1)  [1, Z], the linear tail, which is not penalised
    N       (n, n-k-1)  an orthonormal basis of the null space of P^T
    alpha   (n,)        weights; the Hessian is H = Z^T diag(alpha) Z
    lam                 the ridge: 0 interpolates with the H of least Frobenius norm

Sources: Powell 2004, "Least Frobenius norm updating of quadratic models that satisfy interpolation conditions"
(eq. 1.6 to 1.10); Conn, Scheinberg & Vicente 2009, "Introduction to derivative-free optimization", ch. 5; the
leave-one-out formula is Wahba 1990, "Spline models for observational data", eq. 4.2.9.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from rung.search.history import Floats

RIDGES = (1e-12, 1e-9, 1e-6, 1e-4, 1e-2, 1.0)  # from interpolation to nearly linear
FEWER = 0.7  # a model of fewer points must be so much better: a few errors are a poor measure
NARROWEST = 1e-60  # spread of the near values, in units of all values' range: of less the squares would not be finite
LARGEST = 200  # more points than that are not looked at: a local model does not need them


class Model(NamedTuple):
    """q(z) = constant + gradient . z + z . hessian . z / 2, in the values' own unit; `error`: the root mean square of
    its leave-one-out errors at the points nearest to the centre, `spread`: the standard deviation of the values there;
    `points`: how many it was fitted to; `scale`: the radius that z = 1 stands for."""

    constant: float
    gradient: Floats
    hessian: Floats
    error: float
    spread: float
    points: int
    scale: float

    @property
    def trust(self) -> float:
        """0..1: the share of the variance near the centre that it predicts of points that are left out."""
        missed = self.error / self.spread if self.spread > 0 else math.inf
        return max(0.0, 1.0 - missed * missed)

    def at(self, step: Floats) -> float:
        """The value at centre + `step`."""
        z = step / self.scale
        return float(self.constant + self.gradient @ z + 0.5 * z @ self.hessian @ z)

    def slope(self, step: Floats) -> Floats:
        """The gradient at centre + `step`, by the step."""
        return np.asarray((self.gradient + self.hessian @ (step / self.scale)) / self.scale)


def regressions(Z: Floats, y: Floats, ridges: tuple[float, ...] = RIDGES) -> list[tuple[Floats, Floats, Floats]]:  # noqa: N803
    """For each ridge: alpha (n,), the tail (k + 1,), and the leave-one-out errors (n,). Needs n > k + 1.

    One eigendecomposition of N^T A N serves all ridges: with B = N (N^T A N + lam I)^-1 N^T, alpha = B y and the error
    of leaving out point i is alpha_i / B_ii.
    """
    n = len(Z)
    A = 0.5 * (Z @ Z.T) ** 2  # noqa: N806
    P = np.column_stack((np.ones(n), Z))  # noqa: N806
    Q, _ = np.linalg.qr(P, mode="complete")  # noqa: N806
    N = Q[:, P.shape[1] :]  # noqa: N806
    eigenvalues, V = np.linalg.eigh(N.T @ A @ N)  # noqa: N806
    eigenvalues = np.maximum(eigenvalues, 0.0)
    basis = N @ V
    seen, squares = basis.T @ y, basis**2
    found = []
    for ridge in ridges:
        lam = ridge * max(float(eigenvalues[-1]), 1e-12)
        alpha = basis @ (seen / (eigenvalues + lam))
        tail = np.linalg.lstsq(P, y - A @ alpha - lam * alpha, rcond=None)[0]
        found.append((alpha, tail, alpha / np.maximum(squares @ (1.0 / (eigenvalues + lam)), 1e-300)))
    return found


def fit(steps: Floats, values: Floats) -> Model | None:
    """The model that predicts the points nearest to the centre best when they are left out, of many points rather than
    of few.

    `steps` (n, k): the points relative to the centre, nearest first; `values` (n,). Tries several numbers of points,
    up to all of them, and each ridge. None when there are too few points, or all are one point.
    """
    n, k = steps.shape
    reach = np.abs(steps).max(axis=1, initial=0.0)
    near = min(n, 2 * k + 1)
    spread = float(np.std(values[:near]))
    unit = max(spread or 1.0, NARROWEST * float(np.ptp(values)))
    best: Model | None = None
    for count in _counts(n, k):
        scale = float(reach[count - 1])
        if scale <= 0.0:
            continue
        limit = math.inf if best is None else FEWER * best.error
        Z, y = steps[:count] / scale, (values[:count] - values[0]) / unit  # noqa: N806
        for alpha, tail, errors in regressions(Z, y):
            error = float(np.sqrt(np.mean(errors[:near] ** 2)))
            if error < limit:
                limit = error
                constant = float(tail[0] * unit + values[0])
                hessian = (Z.T * alpha) @ Z
                best = Model(constant, tail[1:] * unit, hessian * unit, error, 1.0, count, scale)
    return None if best is None else best._replace(error=best.error * unit, spread=spread)


def _counts(n: int, k: int) -> list[int]:
    """How many of the nearest points are tried, most first: all, and about what a full quadratic model, a diagonal and
    a linear one need."""
    full = (k + 1) * (k + 2) // 2
    wanted = {k + 3, 2 * k + 1, 3 * k + 1, full, full + full // 2, n}
    return sorted((count for count in wanted if k + 2 < count <= min(n, LARGEST)), reverse=True)
