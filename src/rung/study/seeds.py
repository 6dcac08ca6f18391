"""Randomness of a study: a generator is a function of (study seed, purpose, number), never of what ran before."""

from __future__ import annotations

import zlib

import numpy as np


def generator(seed: int, purpose: str, number: int) -> np.random.Generator:
    """A generator for one purpose and number; two calls with the same arguments give equal streams."""
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence((seed, zlib.crc32(purpose.encode()), number))))


def trial_seed(seed: int, number: int) -> int:
    """The seed a trial is told (`RUNG_SEED`): 31 bits, the same for every attempt."""
    return int(np.random.SeedSequence((seed, zlib.crc32(b"trial"), number)).generate_state(1)[0] >> 1)
