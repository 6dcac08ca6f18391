from __future__ import annotations

import re
import time
from typing import Any

import numpy as np
import pytest

from rung.model import Parameter
from rung.space import Space, SpaceError, declare

DIGITS: dict[str, Any] = {
    "lr": {"type": "float", "min": 1e-5, "max": 0.1, "scale": "log"},
    "width": {"type": "int", "min": 8, "max": 128, "step": 8},
    "opt": {"type": "choice", "values": ["sgd", "adam"]},
    "momentum": {"type": "float", "min": 0, "max": 0.99, "when": "opt == 'sgd'"},
    "heads": {"type": "int", "min": 1, "max": 4},
    "hidden": {"type": "int", "min": 2, "max": 8, "step": 2, "times": "heads"},
    "epochs": 30,
}


def space_of(tree: dict[str, Any], *constraints: str) -> Space:
    return Space(declare(tree), constraints)


@pytest.fixture
def digits() -> Space:
    return space_of(DIGITS, "width * heads <= 256")


def sampled(space: Space, count: int, seed: int = 0) -> list[dict[str, Any]]:
    return space.decode(space.sample(np.random.default_rng(seed), count))


def test_names_constants_and_parameters(digits: Space) -> None:
    assert digits.names == ("lr", "width", "opt", "momentum", "heads", "hidden")
    assert digits.constants == {"epochs": 30}
    assert [parameter.name for parameter in digits.parameters] == list(DIGITS)
    assert digits.constraints == ("width * heads <= 256",)
    assert "lr" in repr(digits)


def test_samples_keep_conditions_products_and_constraints(digits: Space) -> None:
    configs = sampled(digits, 500)
    assert len(configs) == 500
    for config in configs:
        assert ("momentum" in config) is (config["opt"] == "sgd")
        assert config["width"] * config["heads"] <= 256
        assert config["hidden"] / config["heads"] in {2, 4, 6, 8}
        assert list(config) == [name for name in digits.names if name in config]
        assert digits.check(config) == config


def test_inactive_is_nan_in_units_and_rows(digits: Space) -> None:
    units = digits.sample(np.random.default_rng(0), 100)
    configs = digits.decode(units)
    expected = [[name not in config for name in digits.names] for config in configs]
    np.testing.assert_array_equal(np.isnan(units), expected)
    np.testing.assert_array_equal(np.isnan(digits.to_rows(configs)), expected)
    np.testing.assert_array_equal(np.isnan(digits.encode(configs)), expected)


def test_round_trips_are_exact(digits: Space) -> None:
    configs = sampled(digits, 2000)
    assert digits.decode(digits.encode(configs)) == configs
    assert digits.from_rows(digits.to_rows(configs)) == configs
    units = digits.encode(configs)
    np.testing.assert_array_equal(digits.encode(digits.decode(units)), units)


def test_one_row_decodes_as_many_do(digits: Space) -> None:
    units = digits.sample(np.random.default_rng(1), 300)
    assert [digits.decode(row[None])[0] for row in units] == digits.decode(units)


def test_decode_ignores_inactive_fills_nan_and_clips() -> None:
    space = space_of(DIGITS)
    full = np.full((1, 6), 0.25)
    assert "momentum" in space.decode(full)[0]
    full[0, 2] = 0.75
    assert "momentum" not in space.decode(full)[0]
    assert space.decode(np.full((1, 6), np.nan)) == space.decode(np.full((1, 6), 0.5))
    assert space.decode(np.array([[-3.0] * 6, [9.0] * 6])) == space.decode(np.array([[0.0] * 6, [1.0] * 6]))


def test_values_have_their_own_types(digits: Space) -> None:
    config = next(config for config in sampled(digits, 20) if "momentum" in config)
    assert {name: type(value) for name, value in config.items()} == {
        "lr": float, "width": int, "opt": str, "momentum": float, "heads": int, "hidden": int,
    }  # fmt: skip


def test_wrong_shape_is_an_error(digits: Space) -> None:
    with pytest.raises(ValueError, match=re.escape("expected an array of shape (n, 6)")):
        digits.decode(np.zeros((2, 3)))


def test_same_generator_same_sample(digits: Space) -> None:
    np.testing.assert_array_equal(
        digits.sample(np.random.default_rng(5), 50), digits.sample(np.random.default_rng(5), 50)
    )


def test_a_factor_that_is_inactive_takes_its_product_with_it() -> None:
    space = space_of(
        {
            "deep": {"type": "bool"},
            "heads": {"type": "int", "min": 1, "max": 3, "when": "deep"},
            "hidden": {"type": "int", "min": 2, "max": 4, "times": "heads"},
        }
    )
    for config in sampled(space, 50):
        assert ("hidden" in config) is ("heads" in config) is config["deep"]


def test_factors_of_many_kinds_round_trip() -> None:
    space = space_of(
        {
            "base": 4,
            "scale": {"type": "float", "min": -2, "max": 2},
            "zero": {"type": "int", "min": 0, "max": 1},
            "a": {"type": "int", "min": 1, "max": 5, "times": "base"},
            "b": {"type": "float", "min": 0.1, "max": 3, "times": "scale"},
            "c": {"type": "int", "min": 1, "max": 5, "times": "zero"},
            "d": {"type": "int", "min": 1, "max": 3, "times": "a"},
            "e": {"type": "int", "min": 1, "max": 3, "times": "scale"},
            "f": {"type": "float", "min": 1e-4, "max": 1, "scale": "log", "times": "b"},
        }
    )
    configs = sampled(space, 2000)
    assert space.decode(space.encode(configs)) == configs
    assert space.from_rows(space.to_rows(configs)) == configs
    assert {type(config[name]) for config in configs for name in "acd"} == {int}
    assert {type(config[name]) for config in configs for name in "bef"} == {float}
    assert all(space.check(config) == config for config in configs[:100])


def test_conditions_may_chain_and_read_later_parameters() -> None:
    space = space_of(
        {
            "c": {"type": "bool", "when": "b"},
            "b": {"type": "bool", "when": "a and k > 1"},
            "a": {"type": "bool"},
            "k": 2,
        }
    )
    assert sorted(map(str, space.grid())) == sorted(
        map(str, [{"a": False}, {"b": False, "a": True}, {"c": False, "b": True, "a": True}, {"c": True, "b": True, "a": True}])
    )  # fmt: skip
    assert space.size == 4
    assert list(sampled(space, 1)[0])[-1] == "a"


def test_never_kept_constraint_is_an_error_not_a_loop() -> None:
    space = space_of({"x": {"type": "float", "min": 0, "max": 1}}, "x > 2", "x < 5")
    for count in (1, 10):
        with pytest.raises(SpaceError, match=r"no draw out of 1\d{5} keeps `x > 2` and `x < 5`; loosen it"):
            space.sample(np.random.default_rng(0), count)


def test_allows_says_whether_constraints_hold(digits: Space) -> None:
    config = {**digits.middle(), "width": 128, "heads": 2}
    assert digits.allows(config)
    assert not digits.allows({**config, "heads": 3})
    assert space_of(DIGITS).allows({**config, "heads": 3})


def test_rare_constraint_is_met() -> None:
    space = space_of({"x": {"type": "float", "min": 0, "max": 1}}, "x > 0.999")
    assert all(config["x"] > 0.999 for config in sampled(space, 20) + sampled(space, 1))


@pytest.mark.parametrize(
    ("tree", "constraints", "parameter", "field", "message"),
    [
        ({"a": {"type": "bool", "when": "a"}}, [], "a", "when", "in a circle: a -> a"),
        (
            {
                "a": {"type": "bool", "when": "b"},
                "b": {"type": "bool", "when": "c"},
                "c": {"type": "bool", "when": "a"},
            },
            [],
            "a",
            "when",
            "a -> b -> c -> a",
        ),
        ({"a": {"type": "int", "min": 1, "max": 2, "times": "a"}}, [], "a", "times", "a -> a"),
        ({"a": {"type": "bool", "when": "bb"}, "b": 1}, [], "a", "when", "unknown name 'bb'"),
        (
            {"a": {"type": "int", "min": 1, "max": 2, "times": "hed"}, "head": 1},
            [],
            "a",
            "times",
            "did you mean 'head'",
        ),
        ({"a": {"type": "int", "min": 1, "max": 2, "times": "o"}, "o": "x"}, [], "a", "times", "'o' is not a number"),
        (
            {"a": {"type": "int", "min": 1, "max": 2, "times": "o"}, "o": {"type": "bool"}},
            [],
            "a",
            "times",
            "not a number",
        ),
        ({"a": {"type": "int", "min": 1, "max": 2**30, "times": "b"}, "b": 2**30}, [], "a", "times", "beyond 2**53"),
        ({"a": {"type": "bool"}}, ["a and b"], "", "constraints[0]", "unknown name 'b'"),
        ({"a": {"type": "bool"}}, ["a", "a.x > 1"], "", "constraints[1]", "unknown name 'a.x'"),
        ({"a": {"type": "choice", "values": ["x"]}}, ["a < 3"], "", "constraints[0]", "'<' not supported"),
        (
            {"a": {"type": "choice", "values": ["x"]}, "b": {"type": "bool", "when": "a > 1"}},
            [],
            "b",
            "when",
            "'>' not",
        ),
    ],
)
def test_errors_name_parameter_and_field(
    tree: dict[str, Any], constraints: list[str], parameter: str, field: str, message: str
) -> None:
    with pytest.raises(SpaceError) as caught:
        Space(declare(tree), constraints)
    assert (caught.value.parameter, caught.value.field) == (parameter, field)
    assert message in str(caught.value)
    assert str(caught.value).startswith(f"parameters.{parameter}.{field}: " if parameter else f"{field}: ")


def test_twice_declared_and_text_for_constraints() -> None:
    with pytest.raises(SpaceError, match="declared twice"):
        Space([Parameter(name="a", type="bool"), Parameter(name="a", type="bool")])
    with pytest.raises(SpaceError, match="expected a list of expressions"):
        Space([Parameter(name="a", type="bool")], "a")


def test_space_without_searched_parameters() -> None:
    space = space_of({"k": 3})
    assert space.size == 1
    assert list(space.grid()) == [{}]
    assert sampled(space, 3) == [{}, {}, {}]
    assert space.encode([{}]).shape == (1, 0)
    assert space.from_rows(np.empty((2, 0))) == [{}, {}]
    assert space.full({}) == {"k": 3}


def test_first_points() -> None:
    tree = {**DIGITS, "lr": {**DIGITS["lr"], "default": 0.003}, "opt": {**DIGITS["opt"], "default": "adam"}}
    space = space_of(tree)
    assert space.middle() == {"lr": 1e-3, "width": 72, "opt": "sgd", "momentum": 0.495, "heads": 3, "hidden": 18}
    assert space.defaults() == {"lr": 0.003, "width": 72, "opt": "adam", "heads": 3, "hidden": 18}
    with pytest.raises(SpaceError, match="`width < 10` does not hold at width=72"):
        space_of(DIGITS, "width < 10").middle()


def test_full_is_in_order_of_declaration() -> None:
    space = space_of({"b": {"type": "bool"}, "k": [1, 2], "a": {"type": "bool"}})
    assert list(space.full({"a": True, "b": False}).items()) == [("b", False), ("k", [1, 2]), ("a", True)]
    assert space.full({"a": True, "b": False, "k": 5})["k"] == 5


def test_fingerprints_are_equal_for_equal_configurations_only(digits: Space) -> None:
    configs = sampled(digits, 300)
    prints = [digits.fingerprint(config) for config in configs]
    assert len(set(prints)) == len({str(config) for config in configs})
    reordered = [dict(reversed(list(config.items()))) for config in configs]
    assert [digits.fingerprint(config) for config in reordered] == prints
    changed = {**configs[0], "epochs": 31}
    assert digits.fingerprint({**configs[0], "epochs": 30}) == prints[0] != digits.fingerprint(changed)
    assert digits.fingerprint({**configs[0], "lr": configs[0]["lr"] * (1 + 1e-15)}) != prints[0]


def test_fingerprint_of_numbers_that_json_turned_into_others() -> None:
    space = space_of({"x": {"type": "float", "min": 0, "max": 1}, "c": {"type": "choice", "values": [1.0, "1", True]}})
    assert space.fingerprint({"x": 0.0, "c": 1.0}) == space.fingerprint({"x": -0.0, "c": 1})
    assert len({space.fingerprint({"x": 0, "c": value}) for value in (1, "1", True)}) == 3


def test_unknown_choice_in_rows_is_an_error(digits: Space) -> None:
    config = {**digits.middle(), "opt": "rmsprop"}
    for call in (digits.to_rows, digits.encode):
        with pytest.raises(SpaceError, match=r"parameters.opt: expected one of \['sgd', 'adam'\], got 'rmsprop'"):
            call([digits.middle(), config])
    with pytest.raises(SpaceError, match=r"parameters.lr: expected a number"):
        digits.to_rows([{**digits.middle(), "lr": "fast"}])


def test_encode_takes_values_beyond_the_bounds_as_the_bound() -> None:
    space = space_of({"x": {"type": "float", "min": 0, "max": 1}, "n": {"type": "int", "min": 1, "max": 4}})
    assert space.decode(space.encode([{"x": -5.0, "n": 9}])) == [{"x": 0.0, "n": 4}]


def test_values_of_finite_parameters(digits: Space) -> None:
    assert digits.values("heads") == [1, 2, 3, 4]
    assert digits.values("hidden") == [2, 4, 6, 8]
    assert digits.values("epochs") == [30]
    assert digits.values("lr") is None


def best_of(count: int, call: Any) -> float:
    times = []
    for _ in range(count):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return min(times)


def test_speed() -> None:
    """Ten parameters: one ask in far under a millisecond, 10,000 configurations in a fraction of a second."""
    tree = {**DIGITS, **{f"x{i}": {"type": "float", "min": 1e-6, "max": 1, "scale": "log"} for i in range(4)}}
    space = space_of(tree, "width * heads <= 256")
    rng = np.random.default_rng(0)
    configs = sampled(space, 10_000)
    units = space.encode(configs)
    assert best_of(20, lambda: space.decode(space.sample(rng, 1))) < 500e-6
    assert best_of(3, lambda: space.sample(rng, 10_000)) < 0.4
    assert best_of(3, lambda: space.decode(units)) < 0.4
    assert best_of(3, lambda: space.encode(configs)) < 0.4
