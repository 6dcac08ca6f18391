from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rung.schedule.curve.extrapolate import heading
from rung.schedule.curve.track import FEATURES, KEPT, Track, looks


def tracked(steps: list[float], values: list[float], maximum: float) -> Track:
    track = Track(maximum, looks(maximum))
    for step, value in zip(steps, values, strict=True):
        track.add(step, value)
    return track


def test_looks_are_evenly_spaced_in_log_resource_and_end_before_the_maximum() -> None:
    at = looks(640.0)
    assert at[0] == 10.0
    assert at[-1] < 640.0
    assert len(at) == 18
    np.testing.assert_allclose(at[3:] / at[:-3], 2.0)


def test_a_look_shows_the_level_on_the_line_between_reports() -> None:
    track = Track(64.0, looks(64.0))
    assert track.add(1.0, 1.0)
    assert not track.add(1.1, 0.9)
    assert track.add(3.1, 0.5)  # passes 1.26, 1.59, 2.0 and 2.52
    assert track.seen.shape == (5, FEATURES)
    assert track.seen[3, 0] == pytest.approx(0.9 - 0.4 * 0.9 / 2.0)


@given(st.lists(st.tuples(st.floats(0.01, 5), st.floats(-1e200, 1e200)), min_size=1, max_size=40))
def test_any_curve_shows_finite_features(points: list[tuple[float, float]]) -> None:
    track = tracked(list(np.cumsum([gap for gap, _ in points])), [value for _, value in points], 50.0)
    assert np.isfinite(track.to_the_end()).all()


def test_many_reports_are_thinned_and_change_little() -> None:
    steps = np.arange(1, 20_001) / 20
    dense = tracked(list(steps), list(1 / steps), 1000.0)
    assert len(dense.steps) <= KEPT
    sparse = tracked(list(steps[19::20]), list(1 / steps[19::20]), 1000.0)
    np.testing.assert_allclose(dense.to_the_end()[6:, 0], sparse.to_the_end()[6:, 0], rtol=0.1)


def test_an_infinite_report_shows_divergence_and_is_no_point_of_the_curve() -> None:
    track = tracked([1.0, 2.0, 4.0], [0.9, math.inf, 0.5], 64.0)
    levels = track.seen[:, 0]
    assert levels[0] == 0.9
    assert np.isinf(levels[1:4]).all()
    assert np.isfinite(levels[4:]).all()
    assert np.isinf(Track(64.0, looks(64.0)).to_the_end()[:, 0]).all(), "nothing finite was ever reported"


@pytest.mark.parametrize(
    ("curve", "close"),
    [
        (lambda u: 0.2 + 0.5 * (u + 0.01) ** -0.5, 0.05),
        (lambda u: 0.2 + 0.8 * np.exp(-4 * u), 0.05),
        (lambda u: 3.0 - np.log(u + 0.01), 0.05),
        (lambda u: 0.7 + 0.0 * u, 0.0),
    ],
    ids=["power law", "exponential", "logarithm", "constant"],
)
def test_a_curve_of_one_family_is_continued(curve: object, close: float) -> None:
    assert callable(curve)
    u = np.linspace(0.02, 0.5, 16)
    y = curve(u)
    gain, spread = heading(u, y)
    assert y[-1] + gain == pytest.approx(float(curve(np.array(1.0))), abs=close)
    assert 0 <= spread <= 2 * (y.max() - y.min())


def test_two_points_say_nothing_about_the_future() -> None:
    assert heading(np.array([0.1, 0.2]), np.array([1.0, 0.5])) == (0.0, 0.0)
