from __future__ import annotations

import numpy as np

from rung.study.seeds import generator, trial_seed


def test_a_generator_is_a_function_of_its_arguments() -> None:
    np.testing.assert_array_equal(generator(3, "search", 5).random(8), generator(3, "search", 5).random(8))


def test_each_argument_counts() -> None:
    streams = {
        tuple(generator(seed, purpose, number).random(4))
        for seed in (0, 1)
        for purpose in ("search", "schedule")
        for number in (0, 1, 2)
    }
    assert len(streams) == 12


def test_the_stream_is_pinned() -> None:
    """A change here changes every study that anybody reproduces."""
    assert generator(0, "search", 0).integers(1_000_000, size=3).tolist() == [680375, 288223, 158344]


def test_trial_seeds_fit_in_31_bits_and_differ() -> None:
    seeds = [trial_seed(1, number) for number in range(1000)]
    assert all(0 <= seed < 2**31 for seed in seeds)
    assert len(set(seeds)) == 1000
    assert trial_seed(1, 0) == seeds[0] != trial_seed(2, 0)
