"""Statistics that say what the rounds say, and processes measured whole."""

from __future__ import annotations

import math
import sys
from pathlib import Path

import pytest
from bench.measure import (
    code_version,
    interval,
    machine,
    pairwise_difference,
    pairwise_ratio,
    percentile,
    run_process,
    spread,
)
from hypothesis import given
from hypothesis import strategies as st

figures = st.lists(st.floats(1e-3, 1e6), min_size=1, max_size=30)


def test_a_spread_is_median_least_and_greatest() -> None:
    assert spread([3.0, 1.0, 2.0, 10.0]) == (2.5, 1.0, 10.0)


def test_no_rounds_are_no_figure() -> None:
    with pytest.raises(ValueError, match="no round"):
        spread([])


def test_ratios_are_taken_round_by_round() -> None:
    # The machine became ten times slower after the first round; each round says the same.
    assert pairwise_ratio([2.0, 20.0, 20.0], [1.0, 10.0, 10.0]) == (2.0, 2.0, 2.0)
    assert pairwise_difference([5.0, 50.0], [4.0, 49.0]) == (1.0, 1.0, 1.0)


def test_sides_with_different_numbers_of_rounds_are_not_compared() -> None:
    with pytest.raises(ValueError, match=r"shorter|longer"):
        pairwise_ratio([1.0, 2.0], [1.0])


@given(figures)
def test_an_interval_holds_its_median_within_the_range(values: list[float]) -> None:
    found = interval(values)
    assert min(values) <= found.low <= found.median <= found.high <= max(values)
    assert found == interval(values)


def test_more_rounds_make_an_interval_narrower() -> None:
    few, many = interval([1.0, 2.0, 3.0, 4.0]), interval([1.0, 2.0, 3.0, 4.0] * 20)
    assert many.high - many.low < few.high - few.low


@given(figures, st.floats(1, 100))
def test_a_percentile_is_the_least_value_that_enough_do_not_exceed(values: list[float], percent: float) -> None:
    found = percentile(values, percent)
    enough = percent * len(values) / 100
    assert sum(value <= found for value in values) >= enough - 1e-9
    assert sum(value < found for value in values) < enough + 1e-9


def test_percentiles_of_a_hundred_numbers() -> None:
    numbers = [float(n) for n in range(100, 0, -1)]
    assert (percentile(numbers, 99), percentile(numbers, 50), percentile(numbers, 100)) == (99.0, 50.0, 100.0)


def test_a_process_is_measured_whole(tmp_path: Path) -> None:
    burn = "import time\nend = time.process_time() + 0.2\nwhile time.process_time() < end: pass\nprint('said')"
    found = run_process([sys.executable, "-c", burn], cwd=tmp_path)
    assert found.stdout == "said\n"
    assert found.wall_s >= 0.2
    assert 0.2 <= found.cpu_s < 30


def test_what_a_process_is_given(tmp_path: Path) -> None:
    (tmp_path / "in").write_text("abc")
    code = "import os, sys; print(sys.stdin.read() + os.environ['EXTRA'])"
    run_process(
        [sys.executable, "-c", code], cwd=tmp_path, env={"EXTRA": "!"}, stdin=tmp_path / "in", stdout=tmp_path / "out"
    )
    assert (tmp_path / "out").read_text() == "abc!\n"


def test_a_process_that_fails_is_no_measurement(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match=r"ended with 3: .*worn out"):
        run_process([sys.executable, "-c", "import sys; sys.stderr.write('worn out'); sys.exit(3)"], cwd=tmp_path)


def test_other_code_has_another_version(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("x = 1\n")
    before = code_version(tmp_path)
    (tmp_path / "notes.txt").write_text("no code")
    assert code_version(tmp_path) == before
    (tmp_path / "b.sql").write_text("SELECT 1;")
    assert code_version(tmp_path) != before


def test_a_machine_is_described(tmp_path: Path) -> None:
    found = machine(tmp_path)
    assert found["cores"] >= 1  # type: ignore[operator]
    assert all(isinstance(value, str) or math.isfinite(value) for value in found.values())
    assert found["processor"]
