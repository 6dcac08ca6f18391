from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from rung.analysis.surfaces import Side, bandwidth, surface


def side(units: Any, cells: int, width: float | None = None) -> Side:
    units = np.asarray(units, dtype=float)
    cell = np.clip((units * cells).astype(np.int64), 0, cells - 1)
    return Side(cell, units, (np.arange(cells) + 0.5) / cells, bandwidth(units, cells) if width is None else width)


def test_a_plane_is_itself_at_the_edges_too() -> None:
    u, v = np.random.default_rng(0).random((2, 500))
    found = surface(side(u, 12), side(v, 10), 3 + 2 * u - 5 * v)
    centres = 3 + 2 * (np.arange(12) + 0.5)[:, None] / 12 - 5 * (np.arange(10) + 0.5)[None] / 10
    inner = np.abs(found.value - centres)[1:-1, 1:-1]
    assert inner.max() < 0.02
    assert np.abs(found.value - centres).max() < 0.25  # a corner without a trial of its own is not extrapolated


def test_a_bowl_has_its_bottom_where_it_is() -> None:
    rng = np.random.default_rng(1)
    u, v = rng.random((2, 1000))
    found = surface(side(u, 20), side(v, 20), (u - 0.7) ** 2 + (v - 0.3) ** 2 + rng.normal(0, 0.02, 1000))
    row, column = np.unravel_index(np.nanargmin(found.value), found.value.shape)
    assert abs(row - 13.5) <= 2
    assert abs(column - 5.5) <= 2
    assert found.trials.sum() == 1000


def test_where_no_trial_is_near_nothing_is_known() -> None:
    u = np.array([0.05, 0.1, 0.12, 0.08])
    found = surface(side(u, 20, 0.05), side(u, 20, 0.05), u)
    assert np.isfinite(found.value[1:3, 1:3]).all()
    assert np.isnan(found.value[10:, 10:]).all()


def test_the_fit_never_leaves_what_was_seen() -> None:
    rng = np.random.default_rng(2)
    u, v, z = rng.random((3, 40))
    found = surface(side(u, 15), side(v, 15), 10.0 ** (3 * z))
    known = found.value[np.isfinite(found.value)]
    assert known.min() >= 1
    assert known.max() <= 1000


def test_categories_say_nothing_about_each_other() -> None:
    kind = np.array([0, 0, 1, 1]) / 2 + 0.25
    u = np.array([0.2, 0.8, 0.2, 0.8])
    found = surface(side(kind, 2, 0.0), side(u, 1, 0.0), np.array([1.0, 3.0, 10.0, 20.0]))
    assert found.value[:, 0] == pytest.approx([2.0, 15.0])
    lonely = surface(side([0.25, 0.25], 2, 0.0), side([0.2, 0.8], 4), np.array([1.0, 2.0]))
    assert np.isnan(lonely.value[1]).all()


@pytest.mark.parametrize("count", [0, 1, 2])
def test_few_trials_make_no_trouble(count: int) -> None:
    u = np.full(count, 0.5)
    found = surface(side(u, 3), side(u, 3), np.arange(count, dtype=float))
    assert found.trials.sum() == count
    assert np.isfinite(found.value).any() == bool(count)
