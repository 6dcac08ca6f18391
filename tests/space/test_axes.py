from __future__ import annotations

import math
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

from rung.model import Parameter
from rung.space.axes import Axis, read_number
from rung.space.encoding import settle
from rung.space.scales import tidy, tidy_each
from rung.space.validation import compile_axis

KINDS: dict[str, dict[str, Any]] = {
    "unit": {"type": "float", "min": 0, "max": 1},
    "float": {"type": "float", "min": 1e-5, "max": 0.1},
    "signed": {"type": "float", "min": -3.3, "max": 7},
    "shifted": {"type": "float", "min": 1000, "max": 1001},
    "log": {"type": "float", "min": 1e-5, "max": 0.1, "scale": "log"},
    "wide log": {"type": "float", "min": 1e-300, "max": 1e300, "scale": "log"},
    "reverselog": {"type": "float", "min": 0, "max": 0.9999, "scale": "reverselog"},
    "reverselog above 0": {"type": "float", "min": 0.5, "max": 0.9, "scale": "reverselog"},
    "step": {"type": "float", "min": 0.1, "max": 0.7, "step": 0.1},
    "log step": {"type": "float", "min": 0.1, "max": 10, "step": 0.1, "scale": "log"},
    "reverselog step": {"type": "float", "min": 0, "max": 0.9, "step": 0.1, "scale": "reverselog"},
    "int": {"type": "int", "min": -3, "max": 12},
    "int step": {"type": "int", "min": 8, "max": 128, "step": 8},
    "log int": {"type": "int", "min": 3, "max": 1000, "scale": "log"},
    "log int step": {"type": "int", "min": 10, "max": 100, "step": 30, "scale": "log"},
    "huge int": {"type": "int", "min": -(2**52), "max": 2**52},
    "count": {"type": "float", "min": 0.1, "max": 1, "count": 10},
    "log count": {"type": "float", "min": 1e-5, "max": 0.1, "count": 5, "scale": "log"},
    "int count": {"type": "int", "min": 1, "max": 10, "count": 40, "scale": "log"},
    "bool": {"type": "bool"},
    "choice": {"type": "choice", "values": ("a", 1, 2.5, None, True, [1, 2], {"k": 1})},
    "ordinal": {"type": "ordinal", "values": (1, 2, 5, 10)},
    "normal": {"type": "normal", "mean": 5, "sd": 2},
    "cut normal": {"type": "normal", "mean": 0, "sd": 1, "min": 2, "max": 6},
    "low normal": {"type": "normal", "mean": 0, "sd": 1, "max": -3},
    "lognormal": {"type": "lognormal", "mean": -3, "sd": 1},
    "cut lognormal": {"type": "lognormal", "mean": 0, "sd": 1, "min": 0.5, "max": 2},
    "one": {"type": "float", "min": 2, "max": 2},
    "one log": {"type": "float", "min": 2, "max": 2, "scale": "log"},
}


def axis_of(**fields: Any) -> Axis:
    return compile_axis(Parameter(name="p", **fields))


@pytest.fixture(params=sorted(KINDS))
def axis(request: pytest.FixtureRequest) -> Axis:
    return axis_of(**KINDS[request.param])


def some_units(count: int = 3000) -> np.ndarray:
    rng = np.random.default_rng(0)
    near_ends = np.concatenate([2.0 ** -np.arange(1, 60, dtype=float), 1 - 2.0 ** -np.arange(1, 54, dtype=float)])
    return np.concatenate([rng.random(count), near_ends, [0.0, 1.0, 0.5]])


def test_one_and_many_agree_to_the_bit(axis: Axis) -> None:
    units = some_units()
    assert [axis.value(unit) for unit in units.tolist()] == axis.objects(axis.numbers(units))


def test_round_trip_of_every_decoded_number(axis: Axis) -> None:
    numbers = axis.numbers(some_units())
    again = axis.numbers(settle(axis.numbers, axis.units(numbers), numbers))
    np.testing.assert_array_equal(again, numbers)


def test_numbers_increase_and_keep_the_bounds(axis: Axis) -> None:
    numbers = axis.numbers(np.sort(some_units()))
    assert (np.diff(numbers) >= 0).all()
    low, high = axis.limits
    assert not (numbers < low).any()
    assert not (numbers > high).any()


def test_ends_are_exact(axis: Axis) -> None:
    low, high = axis.limits
    if math.isfinite(low):
        assert axis.numbers(np.array([0.0]))[0] == low
    if math.isfinite(high):
        assert axis.numbers(np.array([1.0]))[0] == high


def test_find_is_the_identity_on_values(axis: Axis) -> None:
    for value in axis.objects(axis.numbers(some_units(50))):
        found = axis.find(value)
        assert found == value
        assert type(found) is type(value)


def test_discrete_values_round_trip_through_the_bin_centre(axis: Axis) -> None:
    if axis.size is None or axis.size > 10_000:
        return
    values = [axis.at(index) for index in range(axis.size)]
    numbers = np.array([axis.number(value) for value in values])
    units = axis.units(numbers)
    assert axis.objects(axis.numbers(units)) == values
    assert ((units >= 0) & (units <= 1)).all()


@pytest.mark.parametrize("value", [1e-5, 0.1, 0.003, 0.05, 0.000123, 1.5e-5, 0.09999, 0.01234567])
@pytest.mark.parametrize("kind", ["float", "log"])
def test_short_decimals_have_a_unit_of_their_own(kind: str, value: float) -> None:
    axis = axis_of(**KINDS[kind])
    numbers = np.array([value])
    assert axis.numbers(settle(axis.numbers, axis.units(numbers), numbers)).tolist() == [value]


def test_every_float_of_the_unit_interval_has_a_unit() -> None:
    axis = axis_of(**KINDS["unit"])
    values = np.concatenate([np.random.default_rng(1).random(1000), [5e-324, 1e-300, 0.1 + 0.2, 1 - 2.0**-53]])
    np.testing.assert_array_equal(axis.numbers(settle(axis.numbers, axis.units(values), values)), values)


def test_integer_log_bins_give_the_ends_their_share() -> None:
    axis = axis_of(type="int", min=3, max=15, scale="log")
    units = (np.arange(200_000) + 0.5) / 200_000
    values, counts = np.unique(axis.numbers(units), return_counts=True)
    width = math.log(15.5) - math.log(2.5)
    expected = [(math.log(value + 0.5) - math.log(value - 0.5)) / width for value in values]
    np.testing.assert_allclose(counts / len(units), expected, atol=2e-5)
    assert values.tolist() == list(range(3, 16))


def test_linear_bins_are_equal() -> None:
    for kind in ("int", "int step", "choice", "ordinal", "count"):
        axis = axis_of(**KINDS[kind])
        assert axis.size is not None
        _, counts = np.unique(axis.numbers((np.arange(axis.size * 100) + 0.5) / (axis.size * 100)), return_counts=True)
        assert counts.tolist() == [100] * axis.size


def test_normal_is_the_quantile_function() -> None:
    axis = axis_of(type="normal", mean=5, sd=2)
    np.testing.assert_allclose(axis.numbers(np.array([0.5, 0.8413447460685429, 0.022750131948179195])), [5, 7, 1])
    positive = axis_of(type="lognormal", mean=1, sd=0.5)
    np.testing.assert_allclose(positive.numbers(np.array([0.5])), [math.e])
    cut = axis_of(type="normal", mean=0, sd=1, min=2, max=6)
    assert cut.value(0.5) == pytest.approx(2.2780, abs=1e-3)  # half of the tail above 2


def test_reverselog_formula() -> None:
    axis = axis_of(type="float", min=0, max=0.999, scale="reverselog")
    units = np.linspace(0.01, 0.99, 50)
    np.testing.assert_allclose(axis.numbers(units), 1 - np.exp(-units * -math.log1p(-0.999)), rtol=1e-12)


@pytest.mark.parametrize(
    ("fields", "values"),
    [
        ({"type": "float", "min": 0.1, "max": 0.3, "step": 0.05}, [0.1, 0.15, 0.2, 0.25, 0.3]),
        ({"type": "float", "min": 0, "max": 1, "step": 0.3}, [0.0, 0.3, 0.6, 0.9]),
        ({"type": "float", "min": 1e-7, "max": 5e-7, "step": 1e-7}, [1e-7, 2e-7, 3e-7, 4e-7, 5e-7]),
        ({"type": "int", "min": 1, "max": 10, "step": 4}, [1, 5, 9]),
        ({"type": "int", "min": 5, "max": 5, "step": 4}, [5]),
        ({"type": "float", "min": 0.1, "max": 1, "count": 4}, [0.1, 0.4, 0.7, 1.0]),
        ({"type": "float", "min": 1e-5, "max": 0.1, "count": 5, "scale": "log"}, [1e-5, 1e-4, 1e-3, 0.01, 0.1]),
        ({"type": "float", "min": 0, "max": 0.99, "count": 3, "scale": "reverselog"}, [0.0, 0.9, 0.99]),
        ({"type": "int", "min": 1, "max": 4, "count": 9}, [1, 2, 3, 4]),
        ({"type": "float", "min": 1, "max": 4, "count": 1}, [1.0]),
        ({"type": "int", "min": 1.0, "max": 3.0}, [1, 2, 3]),
    ],
)
def test_finite_values_are_exact(fields: dict[str, Any], values: list[Any]) -> None:
    axis = axis_of(**fields)
    assert [axis.at(index) for index in range(axis.size or 0)] == values
    assert [type(axis.at(index)) for index in range(axis.size or 0)] == [type(value) for value in values]


@pytest.mark.parametrize(
    ("fields", "middle"),
    [
        ({"type": "float", "min": 0, "max": 3}, 1.5),
        ({"type": "float", "min": 1e-4, "max": 1e-2, "scale": "log"}, 1e-3),
        ({"type": "int", "min": 0, "max": 3}, 2),
        ({"type": "int", "min": 1, "max": 6}, 4),
        ({"type": "int", "min": 4, "max": 1024, "scale": "log"}, 64),
        ({"type": "int", "min": 3, "max": 15, "scale": "log"}, 7),
        ({"type": "float", "min": 0.1, "max": 1.0, "count": 10}, 0.5),
        ({"type": "choice", "values": ("b", "a")}, "b"),
        ({"type": "ordinal", "values": (1, 2, 3)}, 2),
        ({"type": "bool"}, False),
        ({"type": "normal", "mean": 3, "sd": 9}, 3.0),
    ],
)
def test_middle(fields: dict[str, Any], middle: Any) -> None:
    assert axis_of(**fields).middle == middle


def test_choice_finds_by_value_and_by_text() -> None:
    axis = axis_of(**KINDS["choice"])
    assert axis.find("1") == 1
    assert axis.find(1.0) == 1
    assert axis.find("null") is None
    assert axis.find("true") is True
    assert axis.find("[1, 2]") == [1, 2]
    assert axis.find((1, 2)) == [1, 2]
    for stranger in ("b", 3, False, [2], {"k": 2}):
        with pytest.raises(ValueError):
            axis.find(stranger)


def test_mutable_choices_are_copies() -> None:
    axis = axis_of(type="choice", values=([1], [2]))
    axis.value(0.0).append(9)
    axis.objects(np.array([0.0]))[0].append(9)
    assert axis.value(0.0) == [1]


@pytest.mark.parametrize("given", ["abc", "", None, True, [1], math.nan, math.inf, "1e999", "nan"])
def test_not_a_number(given: object) -> None:
    with pytest.raises(ValueError):
        read_number(given)


def test_read_number() -> None:
    assert [read_number(text) for text in ("3", " 1e-3", "-2.5", 4)] == [3, 1e-3, -2.5, 4]
    assert type(read_number("3")) is int


def test_tidy_takes_the_short_decimal_within_reach_only() -> None:
    assert tidy(0.30000000000000004, 1e-16) == 0.3
    assert tidy(0.123456789012345678, 1e-17) == 0.123456789012345678
    assert tidy(1234567.5, 4.0) == 1234570.0
    assert tidy(1234567.5, 2.0) == 1234567.5
    assert tidy(0.3, 0.0) == 0.3
    points = np.random.default_rng(0).lognormal(0, 20, 2000) * 1.0
    tolerances = points * 10.0 ** -np.random.default_rng(1).uniform(0, 18, 2000)
    expected = [tidy(point, tolerance) for point, tolerance in zip(points.tolist(), tolerances.tolist(), strict=True)]
    assert tidy_each(points, tolerances).tolist() == expected


def test_scipy_is_loaded_for_normals_only() -> None:
    code = "import sys, rung.space; assert 'scipy' not in sys.modules, 'scipy'"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=50)
