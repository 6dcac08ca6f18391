"""Made-up learning curves, each family a hardship of its own: n losses by T epochs, +inf for a diverged trial.

They share no code with the model behind the `curve` rule: exponentials with and without steps, power laws with noise,
sigmoids, explosions; so what is measured on them is not what was put in.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

EPOCHS = 60
T = np.arange(1, EPOCHS + 1)
Family = Callable[[np.random.Generator, int], np.ndarray]


def crossing(rng: np.random.Generator, n: int) -> np.ndarray:
    """Who ends lower falls more slowly: curves cross late."""
    floor = rng.uniform(0, 1, n)
    rate = np.exp(rng.normal(-3.2 + 1.5 * floor, 0.3))
    fall = rng.uniform(2, 3, n)[:, None] * np.exp(-rate[:, None] * T)
    return floor[:, None] + fall + rng.normal(0, 0.01, (n, EPOCHS))


def noisy(rng: np.random.Generator, n: int) -> np.ndarray:
    """Power laws to plateaus, with noise as large as the differences among the good ones."""
    fall = rng.uniform(0.3, 1, n)[:, None] * T ** -rng.uniform(0.3, 1.2, n)[:, None]
    return rng.gamma(2, 0.1, n)[:, None] + fall + rng.normal(0, 0.05, (n, EPOCHS))


def steps(rng: np.random.Generator, n: int) -> np.ndarray:
    """Noisy ones that drop suddenly by chance at epochs 30 and 45, as when the learning rate is cut."""
    drops = sum((at <= T) * rng.gamma(1, 0.08, n)[:, None] for at in (30, 45))
    return noisy(rng, n) / 2 + 1 - drops


def overfitting(rng: np.random.Generator, n: int) -> np.ndarray:
    """U-shaped; the objective is the best so far."""
    rise = rng.gamma(1, 0.3, n)[:, None] * (T / EPOCHS) ** 2
    fall = T ** -rng.uniform(0.3, 1.2, n)[:, None]
    losses = rng.gamma(2, 0.1, n)[:, None] + fall + rise + rng.normal(0, 0.02, (n, EPOCHS))
    return np.minimum.accumulate(losses, axis=1)


def diverging(rng: np.random.Generator, n: int) -> np.ndarray:
    """Noisy ones, of which three in ten explode at some epoch, half of them to no number."""
    when = np.where(rng.random(n) < 0.3, rng.integers(1, EPOCHS, n), EPOCHS + 1)[:, None]
    explosion = np.where(rng.random(n)[:, None] < 0.5, np.inf, 1e6 * 2.0 ** np.maximum(T - when, 0))
    return np.where(when <= T, explosion, noisy(rng, n))


def late_bloomers(rng: np.random.Generator, n: int) -> np.ndarray:
    """Flat until a sudden fall at an epoch of their own, if it comes in time: nothing announces it."""
    when, fall = rng.integers(5, 80, n)[:, None], rng.uniform(0, 0.8, n)[:, None]
    return rng.uniform(0.8, 1, n)[:, None] - fall / (1 + np.exp((when - T) / 2)) + rng.normal(0, 0.005, (n, EPOCHS))


def constant(rng: np.random.Generator, n: int) -> np.ndarray:
    """Nothing ever changes."""
    return np.repeat(rng.random(n)[:, None], EPOCHS, axis=1)


def decades(rng: np.random.Generator, n: int) -> np.ndarray:
    """Exponential falls to floors that differ by factors of up to e^12."""
    floor, rate = np.exp(rng.uniform(-12, 0, n)), np.exp(rng.uniform(-4, -0.5, n))
    return floor[:, None] + np.exp(rng.normal(0, 0.3, n))[:, None] * np.exp(-rate[:, None] * T)


FAMILIES: dict[str, Family] = {
    "crossing late": crossing,
    "noisy plateaus": noisy,
    "steps": steps,
    "overfitting, value: best": overfitting,
    "diverging": diverging,
    "late bloomers": late_bloomers,
    "constant": constant,
    "decades": decades,
}
