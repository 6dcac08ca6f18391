"""Trajectories of several runs as one curve, against Syne Tune's numbers, slow twins, and what must always hold."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rung.analysis.aggregate import (
    Trajectory,
    band,
    best_so_far,
    covered,
    filled,
    iqm,
    iqm_and_interval,
    mean_and_interval,
    median_and_quartiles,
    reached,
    reference_point,
    sampled,
    thinned,
)
from rung.search.pareto import hypervolume

VECTORS = Path(__file__).parents[3] / "shared" / "vectors"
SYNETUNE_FACTOR, SYNETUNE_DDOF = 1.95, 0  # it writes 1.95 for 1.96, and divides by n
BOOTSTRAP_TOLERANCE = 0.12  # of the half width: both sides draw 1000 resamples, theirs without a seed


# -------------------------------------------------------------------------------------------------------- vectors


def synetune() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Each check of each vector file: its name, its kind, the file's content."""
    for path in sorted(VECTORS.glob("synetune_aggregate*.json")):
        found = json.loads(path.read_text())
        yield from ((f"{path.stem}:{kind}", kind, found) for kind in found if kind not in INPUTS)


def check_mean(found: dict[str, Any]) -> None:
    table, wanted = np.array(found["metrics_runs"]), found["mean_and_ci"]
    got = mean_and_interval(table, quantile=SYNETUNE_FACTOR, ddof=SYNETUNE_DDOF)
    np.testing.assert_allclose(got, [wanted["aggregate"], wanted["lower"], wanted["upper"]], rtol=1e-12)


def check_median(found: dict[str, Any]) -> None:
    wanted = found["median_percentiles"]
    got = median_and_quartiles(np.array(found["metrics_runs"]))
    np.testing.assert_allclose(got, [wanted["aggregate"], wanted["lower"], wanted["upper"]], rtol=1e-12)


def check_iqm(found: dict[str, Any]) -> None:
    wanted, got = found["iqm_bootstrap"], iqm_and_interval(np.array(found["metrics_runs"]))
    np.testing.assert_allclose(got.centre, wanted["aggregate"], rtol=1e-12)
    half = (np.array(wanted["upper"]) - wanted["lower"]) / 2
    np.testing.assert_allclose(got.centre - got.low, half, rtol=BOOTSTRAP_TOLERANCE, atol=1e-9)
    np.testing.assert_allclose(got.high - got.centre, half, rtol=BOOTSTRAP_TOLERANCE, atol=1e-9)


def check_fill(found: dict[str, Any]) -> None:
    wanted = found["fill_trajectory"]
    runs = [Trajectory(np.array(at, float), np.array(best, float)) for best, at in wanted["in"]]
    places, table = filled(runs)
    assert places.tolist() == wanted["time"]
    performance = np.array(wanted["performance"], float)
    # it leaves out (NaN) what a run has not begun; with us that is the worst
    np.testing.assert_array_equal(table, np.where(np.isnan(performance), math.inf, performance))


INPUTS = {"metrics_runs", "time", "note"}
CHECKS = {
    "mean_and_ci": check_mean,
    "median_percentiles": check_median,
    "iqm_bootstrap": check_iqm,
    "fill_trajectory": check_fill,
}


def test_the_numbers_of_syne_tune(capsys: pytest.CaptureFixture[str]) -> None:
    cases = list(synetune())
    if not cases:
        pytest.skip("the vectors synetune_aggregate*.json are not beside this project")
    deviating: list[str] = []
    skipped = [name for name, kind, _ in cases if kind not in CHECKS]
    for name, kind, found in (case for case in cases if case[1] in CHECKS):
        try:
            CHECKS[kind](found)
        except AssertionError as error:
            deviating.append(f"{name}: {error}")
    with capsys.disabled():
        passed = len(cases) - len(deviating) - len(skipped)
        print(
            f"\nsynetune_aggregate: {passed} passed, {len(deviating)} deviating, {len(skipped)} skipped {skipped or ''}"
        )
    assert not deviating, "\n".join(deviating)


# ----------------------------------------------------------------------------------------------------- trajectories

numbers = st.floats(-1e6, 1e6)
points = st.lists(st.tuples(st.floats(0, 100), st.one_of(numbers, st.just(math.nan), st.just(math.inf))), max_size=30)


@given(points)
def test_the_best_so_far_is_what_a_loop_finds(found: list[tuple[float, float]]) -> None:
    at, best = best_so_far([a for a, _ in found], [b for _, b in found])
    assert (np.diff(at) > 0).all()
    assert (np.diff(best) < 0).all()
    for place in [0.0, *at.tolist(), 100.0]:
        slow = min((b for a, b in found if a <= place and math.isfinite(b)), default=math.inf)
        assert sampled([Trajectory(at, best)], np.array([place]))[0, 0] == slow


@given(st.lists(points, min_size=1, max_size=4))
def test_filled_runs_are_carried_forward_and_never_get_worse(runs: list[list[tuple[float, float]]]) -> None:
    places, table = filled([best_so_far([a for a, _ in run], [b for _, b in run]) for run in runs])
    assert table.shape == (len(places), len(runs))
    assert not len(places) or (table[1:] <= table[:-1]).all()


def test_a_run_that_has_not_begun_is_worst() -> None:
    early, late = best_so_far([0, 2], [5, 1]), best_so_far([1], [3])
    places, table = filled([early, late])
    assert places.tolist() == [0, 1, 2]
    assert table.tolist() == [[5, math.inf], [5, 3], [1, 3]]
    assert filled([early, late], before=7.0)[1][0].tolist() == [5, 7]
    for kind in ("ci", "quartiles", "iqm"):
        got = band(table, kind)
        assert np.isnan(got.high[0])
        assert np.isfinite(got.centre[1:]).all()
    assert filled([])[1].shape == (0, 0)
    nothing = best_so_far([], [])
    assert filled([nothing])[1].shape == (0, 1)


def test_a_median_exists_once_half_of_the_runs_have_begun() -> None:
    table = np.array([[1.0, 2.0, math.inf], [1.0, math.inf, math.inf]])
    got = median_and_quartiles(table)
    assert got.centre[0] == 2
    assert got.low.tolist()[0] == 1.5
    assert np.isnan(got.centre[1])
    assert np.isnan(got.high).all()


def test_where_a_loss_is_reached() -> None:
    found = best_so_far([1, 2, 4], [9, 5, 3])
    assert [reached(found, loss) for loss in (10, 9, 6, 5, 3, 2)] == [1, 1, 2, 2, 4, math.inf]


def test_thinning_keeps_both_ends() -> None:
    places = np.arange(1000.0)
    assert thinned(places, 5).tolist() == [0, 250, 500, 749, 999]
    assert thinned(places[:4], 5).tolist() == [0, 1, 2, 3]


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), max_size=12))
def test_several_objectives_are_a_hypervolume_that_only_grows(found: list[tuple[float, float]]) -> None:
    cloud, reference = np.array(found).reshape(-1, 2), np.array([1.1, 1.1])
    at, best = covered([float(i) for i in range(len(cloud))], cloud, reference)
    assert (np.diff(best) < 0).all()
    for place in range(len(cloud)):
        slow = hypervolume(cloud[: place + 1], reference)
        assert -sampled([Trajectory(at, best)], np.array([float(place)]), before=0)[0, 0] == pytest.approx(slow)


def test_the_reference_point_is_behind_all_finite_points() -> None:
    clouds = [np.array([[0.0, 3.0], [np.nan, 9.0]]), np.array([[2.0, 3.0], [np.inf, 0.0]])]
    got = reference_point(clouds)
    assert got is not None
    np.testing.assert_allclose(got, [2.2, 3.3])
    assert reference_point([]) is None
    assert reference_point([np.empty((0, 2))]) is None
    # a point with a value that is not finite covers nothing, wherever it comes
    assert covered([0, 1], np.array([[np.nan, 0.0], [1.0, 1.0]]), got).at.tolist() == [1]


# ------------------------------------------------------------------------------------------------------- aggregates

tables = st.integers(1, 9).flatmap(
    lambda n: st.lists(st.lists(numbers, min_size=n, max_size=n), min_size=1, max_size=4).map(np.array)
)


def slow_iqm(row: list[float]) -> float:
    """Each run four times over: of 4n values the middle 2n."""
    four = sorted(4 * row)
    return float(np.mean(four[len(row) : 3 * len(row)]))


@given(tables)
def test_the_iqm_is_the_mean_of_the_middle_half(table: np.ndarray) -> None:
    np.testing.assert_allclose(iqm(table), [slow_iqm(row) for row in table.tolist()], rtol=1e-9, atol=1e-9)


def test_the_iqm_needs_only_the_middle_half() -> None:
    assert iqm(np.array([[1.0, 2.0, 3.0, math.inf]])).tolist() == [2.5]
    assert np.isnan(iqm(np.array([[1.0, 2.0, math.inf, math.inf]]))).all()


def test_the_bootstrap_is_that_of_a_loop() -> None:
    row = np.random.default_rng(3).normal(size=11)
    got = iqm_and_interval(row[None, :], resamples=4000, seed=1)
    rng = np.random.default_rng(2)
    slow = np.std([slow_iqm(rng.choice(row, 11).tolist()) for _ in range(4000)])
    assert (got.high - got.low)[0] / 2 == pytest.approx(1.96 * slow, rel=0.06)
    again = iqm_and_interval(np.vstack([row] * 130), resamples=50, seed=1)
    assert np.ptp(again.low) == pytest.approx(0)  # every place is judged by the same resamples
    assert iqm_and_interval(row[None, :], seed=1).low == iqm_and_interval(row[None, :], seed=1).low
    assert iqm_and_interval(row[None, :], seed=1).low != iqm_and_interval(row[None, :], seed=2).low


def test_the_interval_of_a_mean_holds_it_as_often_as_it_says() -> None:
    draws = np.random.default_rng(0).normal(size=(4000, 5))
    got = mean_and_interval(draws)
    assert ((got.low < 0) & (got.high > 0)).mean() == pytest.approx(0.95, abs=0.012)


def test_one_run_has_no_interval() -> None:
    table = np.array([[2.0], [1.0]])
    for kind in ("ci", "iqm"):
        got = band(table, kind)
        assert got.centre.tolist() == [2, 1]
        assert np.isnan(got.low).all()
    assert band(table, "quartiles").low.tolist() == [2, 1]


@given(tables, st.sampled_from(["ci", "quartiles", "iqm"]))
def test_the_curve_is_within_its_band(table: np.ndarray, kind: Any) -> None:
    got = band(table, kind)
    inside = np.isfinite(got.low)
    assert (got.low <= got.centre)[inside].all()
    assert (got.centre <= got.high)[inside].all()
