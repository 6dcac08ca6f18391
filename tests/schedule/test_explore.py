from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rung.model import Parameter
from rung.schedule.explore import Explorer, described
from rung.space import Space

RNG = np.random.default_rng


def explorer(*parameters: Parameter, resample: float = 0.0, constraints: tuple[str, ...] = ()) -> Explorer:
    return Explorer(Space(parameters, constraints), resample=resample, factors=(0.8, 1.2))


def outcomes(explores: Explorer, params: dict[str, Any], draws: int = 40) -> set[tuple[Any, ...]]:
    """All that became of these parameters."""
    return {tuple(explores.explored(params, RNG(seed)).values()) for seed in range(draws)}


@pytest.mark.parametrize(
    ("parameter", "value", "expected"),
    [
        (Parameter(name="x", type="float", min=0.0, max=1.0), 0.5, {0.4, 0.6}),
        (Parameter(name="x", type="float", min=0.0, max=1.0), 0.9, {0.72, 1.0}),
        (Parameter(name="x", type="float", min=-1.0, max=1.0), -0.5, {-0.4, -0.6}),
        (Parameter(name="x", type="float", min=-1.0, max=1.0), 0.0, {0.0}),
        (Parameter(name="x", type="float", min=1e-5, max=0.1, scale="log"), 1e-3, {8e-4, 1.2e-3}),
        (Parameter(name="x", type="float", min=1e-5, max=0.1, scale="log"), 1e-5, {1e-5, 1.2e-5}),
        (Parameter(name="x", type="float", min=0.9, max=0.999, scale="reverselog"), 0.95, {0.96, 0.94}),
        (Parameter(name="x", type="float", min=0.0, max=1.0, step=0.25), 0.25, {0.0, 0.5}),
        (Parameter(name="x", type="int", min=1, max=100), 50, {40, 60}),
        (Parameter(name="x", type="int", min=1, max=100), 2, {1, 3}),
        (Parameter(name="x", type="int", min=1, max=100), 1, {1, 2}),
        (Parameter(name="x", type="int", min=1, max=1024, scale="log"), 2, {1, 3}),
        (Parameter(name="x", type="int", min=0, max=100), 0, {0}),
        (Parameter(name="x", type="int", min=-5, max=5), -3, {-2, -4}),
        (Parameter(name="x", type="ordinal", values=(8, 16, 32, 64)), 16, {8, 32}),
        (Parameter(name="x", type="ordinal", values=("s", "m", "l")), "s", {"m"}),
        (Parameter(name="x", type="ordinal", values=("s", "m", "l")), "l", {"m"}),
        (Parameter(name="x", type="choice", values=("a", "b", "c")), "b", {"b"}),
        (Parameter(name="x", type="bool"), True, {True}),
        (Parameter(name="x", type="float", min=2.0, max=2.0), 2.0, {2.0}),
        (Parameter(name="x", type="normal", mean=0.0, sd=1.0), 2.0, {1.6, 2.4}),
        (Parameter(name="x", type="lognormal", mean=0.0, sd=1.0), 2.0, {1.6, 2.4}),
    ],
)
def test_each_kind_is_perturbed_in_its_own_way(parameter: Parameter, value: Any, expected: set[Any]) -> None:
    found = [x for (x,) in outcomes(explorer(parameter), {"x": value})]
    assert len(found) == len(expected)
    for x in found:
        assert x in expected or any(isinstance(y, float) and math.isclose(x, y, rel_tol=1e-12) for y in expected)


def test_resampling_draws_from_the_whole_range() -> None:
    choice = Parameter(name="x", type="choice", values=("a", "b", "c"))
    assert outcomes(explorer(choice, resample=1.0), {"x": "a"}) == {("a",), ("b",), ("c",)}
    number = Parameter(name="x", type="float", min=0.0, max=1.0)
    drawn = [explorer(number, resample=1.0).explored({"x": 0.01}, RNG(seed))["x"] for seed in range(200)]
    assert 0.4 < np.mean(drawn) < 0.6


def test_the_share_of_what_is_resampled() -> None:
    explores = explorer(*(Parameter(name=f"x{i}", type="float", min=0.0, max=1.0) for i in range(100)), resample=0.25)
    params = {f"x{i}": 0.5 for i in range(100)}
    again = [
        sum(not (math.isclose(v, 0.4) or math.isclose(v, 0.6)) for v in explores.explored(params, RNG(seed)).values())
        for seed in range(20)
    ]
    assert 20 < np.mean(again) < 30


OPTIMISERS = (
    Parameter(name="kind", type="choice", values=("sgd", "adam")),
    Parameter(name="momentum", type="float", min=0.0, max=0.99, when='kind == "sgd"'),
    Parameter(name="beta", type="float", min=0.5, max=0.999, when='kind == "adam"'),
)


def test_conditions_hold_and_what_becomes_active_is_drawn() -> None:
    explores = explorer(*OPTIMISERS, resample=0.5)
    kinds = set()
    for seed in range(60):
        found = explores.explored({"kind": "sgd", "momentum": 0.5}, RNG(seed))
        kinds.add(found["kind"])
        assert found.keys() == ({"kind", "momentum"} if found["kind"] == "sgd" else {"kind", "beta"})
    assert kinds == {"sgd", "adam"}


def test_constraints_are_kept() -> None:
    a, b = (Parameter(name=name, type="int", min=1, max=9) for name in "ab")
    assert outcomes(explorer(a, b, constraints=("a + b <= 10",)), {"a": 5, "b": 5}) == {(4, 4), (4, 6), (6, 4)}
    assert outcomes(explorer(a, b, constraints=("a + b == 10",)), {"a": 5, "b": 5}) == {(4, 6), (6, 4)}
    assert outcomes(explorer(a, b, constraints=("a == b and a == 5",)), {"a": 5, "b": 5}) == {(5, 5)}


def test_overridden_constants_stay() -> None:
    explores = explorer(Parameter(name="x", type="int", min=1, max=9), Parameter(name="c", type="constant", value=1))
    assert all(explores.explored({"x": 5, "c": 7}, RNG(seed))["c"] == 7 for seed in range(5))


def test_factors_of_other_parameters_are_applied_to_what_was_drawn() -> None:
    explores = explorer(
        Parameter(name="width", type="int", min=10, max=100),
        Parameter(name="inner", type="float", min=0.1, max=1.0, times="width"),
    )
    for seed in range(20):
        found = explores.explored({"width": 50, "inner": 25.0}, RNG(seed))
        assert found["width"] in {40, 60}
        assert min(abs(found["inner"] / found["width"] - share) for share in (0.4, 0.6)) < 1e-9


PARAMETERS = st.sampled_from(
    [
        Parameter(name="x", type="float", min=-3.0, max=7.5),
        Parameter(name="x", type="float", min=1e-6, max=10.0, scale="log"),
        Parameter(name="x", type="float", min=0.0, max=0.999, scale="reverselog"),
        Parameter(name="x", type="float", min=0.1, max=2.3, step=0.1),
        Parameter(name="x", type="int", min=-7, max=300),
        Parameter(name="x", type="int", min=1, max=4096, scale="log"),
        Parameter(name="x", type="float", min=1.0, max=100.0, count=7, scale="log"),
        Parameter(name="x", type="ordinal", values=(1, 2, 4)),
        Parameter(name="x", type="normal", mean=3.0, sd=2.0, min=0.0),
        Parameter(name="x", type="bool"),
    ]
)


@settings(max_examples=75, deadline=None)
@given(parameter=PARAMETERS, unit=st.floats(0, 1), seed=st.integers(0, 1000), resample=st.sampled_from([0.0, 0.25]))
def test_whatever_comes_out_is_in_the_space_and_the_same_again(
    parameter: Parameter, unit: float, seed: int, resample: float
) -> None:
    explores = explorer(parameter, resample=resample)
    (params,) = explores.space.decode(np.array([[unit]]))
    found = explores.explored(params, RNG(seed))
    assert explores.space.check(found) == found
    assert explores.explored(params, RNG(seed)) == found
    if parameter.scale == "linear" and isinstance(params["x"], float) and resample == 0:
        x, (low, high) = params["x"], explores.space.axes[0].limits
        expected = [min(max(x * factor, low), high) for factor in (0.8, 1.2)]
        room = parameter.step or 0.0
        assert min(abs(found["x"] - y) for y in expected) <= room + 1e-9 * max(1.0, abs(x))


def test_changes_in_words() -> None:
    assert described({"lr": 0.1, "n": 3, "same": "x"}, {"lr": 0.08, "n": 4, "same": "x"}) == "lr 0.1 -> 0.08, n 3 -> 4"
    assert described({"a": 1}, {"b": 2.5}) == "a 1 -> none, b none -> 2.5"
