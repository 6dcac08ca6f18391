"""Properties of search spaces, on spaces that hypothesis makes up."""

from __future__ import annotations

import contextlib
import itertools
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from rung.model import BadInput, Parameter
from rung.space import Space, SpaceError, declare, lint, parse_range
from rung.space.expressions import condition

few = settings(deadline=None, max_examples=15, derandomize=True)
some = settings(deadline=None, max_examples=40, derandomize=True)
many = settings(deadline=None, max_examples=100, derandomize=True)

finite = st.floats(-1e6, 1e6, allow_nan=False)
positive = st.floats(1e-9, 1e6, exclude_min=True)
passable = st.characters(codec="utf-8", exclude_characters="\0")  # what a program can be given
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-100, 100) | st.floats(-10, 10) | st.text(passable, max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(passable, max_size=3), inner, max_size=2),
    max_leaves=4,
)


@st.composite
def ranges(draw: st.DrawFn) -> dict[str, Any]:
    kind = draw(st.sampled_from(["float", "log", "reverselog", "int", "logint", "normal", "lognormal"]))
    if kind in {"float", "log"}:
        low, high = sorted(draw(st.tuples(*[finite if kind == "float" else positive] * 2)))
        return {"type": "float", "min": low, "max": high, "scale": "linear" if kind == "float" else "log"}
    if kind == "reverselog":
        low, high = sorted(draw(st.tuples(*[st.floats(0, 0.99999)] * 2)))
        return {"type": "float", "min": low, "max": high, "scale": "reverselog"}
    if kind in {"int", "logint"}:
        low, high = sorted(draw(st.tuples(*[st.integers(1 if kind == "logint" else -(10**6), 10**6)] * 2)))
        return {"type": "int", "min": low, "max": high, "scale": "log" if kind == "logint" else "linear"}
    return {"type": kind, "mean": draw(st.floats(-5, 5)), "sd": draw(st.floats(0.01, 3))}


@st.composite
def stepped(draw: st.DrawFn) -> dict[str, Any]:
    base = draw(ranges().filter(lambda entry: "min" in entry and entry["min"] < entry["max"]))
    width = base["max"] - base["min"]
    if draw(st.booleans()):
        return {**base, "count": draw(st.integers(1, 50))}
    if base["type"] == "int":
        return {**base, "step": draw(st.integers(1, width))}
    assume(width > 1e-9)
    return {**base, "step": width / draw(st.integers(1, 50))}


lists = st.builds(
    lambda kind, values: {"type": kind, "values": values},
    st.sampled_from(["choice", "ordinal"]),
    st.lists(json_values, min_size=1, max_size=5, unique_by=lambda value: repr(normal_form(value))),
)
domains = ranges() | stepped() | lists | st.just({"type": "bool"})


def normal_form(value: Any) -> Any:
    """What JSON values are equal by: 1 and 1.0, not 1 and true."""
    if isinstance(value, dict):
        return {"dict": sorted((key, repr(normal_form(item))) for key, item in value.items())}
    if isinstance(value, list):
        return [normal_form(item) for item in value]
    return value if isinstance(value, bool | str) or value is None else float(value) + 0.0


@st.composite
def spaces(draw: st.DrawFn) -> Space:
    entries = draw(st.lists(domains, min_size=1, max_size=5))
    tree: dict[str, Any] = {f"p{index}": entry for index, entry in enumerate(entries)}
    tree["flag"] = {"type": "bool"}
    for index, entry in enumerate(entries):
        if draw(st.booleans()):
            entry["when"] = draw(st.sampled_from(["flag", "not flag", "flag == true and k == 3"]))
        numeric = index > 0 and entries[index - 1].get("type") in {"int", "float"} and entry["type"] in {"int", "float"}
        small = all(abs(float(item.get(end, 0))) < 1000 for item in entries for end in ("min", "max"))
        if numeric and small and draw(st.booleans()):
            entry["times"] = f"p{index - 1}"
    tree["k"] = 3
    try:
        return Space(declare(tree))
    except SpaceError as refusal:
        if refusal.field not in {"step", "mean"}:  # all else that is made up here is legal
            raise
        assume(False)
        raise


def sampled(space: Space, count: int) -> list[dict[str, Any]]:
    return space.decode(space.sample(np.random.default_rng(0), count))


@given(spaces())
@some
def test_round_trips_are_exact(space: Space) -> None:
    configs = sampled(space, 40)
    assert space.decode(space.encode(configs)) == configs
    rows = space.to_rows(configs)
    assert space.from_rows(rows) == configs
    np.testing.assert_array_equal(space.to_rows(space.from_rows(rows)), rows)


@given(spaces())
@some
def test_one_and_many_agree(space: Space) -> None:
    units = np.random.default_rng(1).random((20, len(space.names)))
    units[0], units[1] = 0.0, 1.0
    assert [space.decode(row[None])[0] for row in units] == space.decode(units)


@given(spaces())
@some
def test_decoded_configurations_are_canonical_and_in_bounds(space: Space) -> None:
    configs = sampled(space, 10)
    for config in configs:
        assert space.check(config) == config
        for name, axis in zip(space.names, space.axes, strict=True):
            parameter = next(parameter for parameter in space.parameters if parameter.name == name)
            if name in config and parameter.times is None and not math.isnan(axis.limits[0]):
                assert axis.limits[0] <= config[name] <= axis.limits[1]


@given(spaces())
@some
def test_units_are_in_the_cube_and_nan_exactly_where_absent(space: Space) -> None:
    configs = sampled(space, 20)
    units = space.encode(configs)
    absent = np.array([[name not in config for name in space.names] for config in configs])
    np.testing.assert_array_equal(np.isnan(units), absent)
    assert ((units >= 0) & (units <= 1))[~absent].all()


@given(spaces())
@some
def test_fingerprints_tell_configurations_apart(space: Space) -> None:
    configs = sampled(space, 30)
    for one, other in itertools.combinations(configs, 2):
        same = normal_form(one) == normal_form(other)
        assert (space.fingerprint(one) == space.fingerprint(other)) is same


@given(ranges())
@some
def test_short_decimals_within_the_bounds_come_back_as_written(entry: dict[str, Any]) -> None:
    assume(entry["type"] == "float" and entry["max"] - entry["min"] > 1e-6 * abs(entry["max"]))
    space = Space([Parameter(name="x", **entry)])
    low, high = entry["min"], entry["max"]
    if entry["scale"] == "log":
        points = np.exp(np.linspace(math.log(low), math.log(high), 40)).tolist()
        written = [float(f"{point:.8g}") for point in points]
    else:
        digits = 9 - math.ceil(math.log10(max(abs(low), abs(high), 1e-9)))
        written = [round(point, digits) for point in np.linspace(low, high, 40).tolist()]
    margin = (high - low) * 1e-12  # nearer to a bound than that, units cannot tell a value from the bound
    configs = [
        {"x": value} for value in [low, *written, high] if value in {low, high} or low + margin < value < high - margin
    ]
    assert space.decode(space.encode(configs)) == configs


@given(st.integers(1, 30), st.integers(0, 60))
@some
def test_integer_log_ends_get_their_share(low: int, width: int) -> None:
    assume(width > 0)
    high = low + width
    space = Space([Parameter(name="n", type="int", min=low, max=high, scale="log")])
    units = ((np.arange(40_000) + 0.5) / 40_000)[:, None]
    column = space.to_rows(space.decode(units))[:, 0]
    span = math.log(high + 0.5) - math.log(low - 0.5)
    for end in (low, high):
        share = (math.log(end + 0.5) - math.log(end - 0.5)) / span
        assert np.mean(column == end) == pytest.approx(share, abs=1e-4)


# ---------------------------------------------------------------------------------------------------------------- grid

CONDITIONS = [None, "a > 0", "b == 'x'", "not (b == 'y') and a != 1", "a in [0, 2] or b == 'y'"]
CONSTRAINTS = ["a + c < 3", "b != 'x' or c == 1", "c * 2 > a", "not c == a"]


@given(
    st.sampled_from(CONDITIONS),
    st.sampled_from(CONDITIONS[:2]),
    st.lists(st.sampled_from(CONSTRAINTS), unique=True, max_size=2),
    st.permutations(["a", "b", "c"]),
)
@some
def test_grid_is_the_brute_force_enumeration(
    when_c: str | None, when_b: str | None, constraints: list[str], order: list[str]
) -> None:
    entries: dict[str, dict[str, Any]] = {
        "a": {"type": "int", "min": 0, "max": 2},
        "b": {"type": "choice", "values": ["x", "y"], "when": when_b},
        "c": {"type": "ordinal", "values": [2, 1, 0], "when": when_c},
    }
    space = Space(declare({name: entries[name] for name in order}), constraints)
    points = list(space.grid())
    assert {tuple(sorted(point.items())) for point in points} == brute_force(when_b, when_c, constraints)
    assert space.size == len(points)
    assert [place(point, order) for point in points] == sorted(place(point, order) for point in points)


def place(point: dict[str, Any], order: list[str]) -> list[int]:
    positions: dict[str, list[Any]] = {"a": [0, 1, 2], "b": ["x", "y"], "c": [2, 1, 0]}
    return [positions[name].index(point[name]) if name in point else -1 for name in order]


def brute_force(when_b: str | None, when_c: str | None, constraints: list[str]) -> set[tuple[Any, ...]]:
    """Every combination through Python's own `eval`, with the absent handled by hand."""
    found = set()
    for a, b, c in itertools.product(range(3), ["x", "y"], [2, 1, 0]):
        point: dict[str, Any] = {"a": a}
        if when_b is None or eval(when_b, {"a": a}):
            point["b"] = b
        if when_c is None or three_valued(when_c, point) is True:
            point["c"] = c
        if all(three_valued(text, point) is not False for text in constraints):
            found.add(tuple(sorted(point.items())))
    return found


def three_valued(text: str, point: dict[str, Any]) -> bool | None:
    """Kleene's value: what all completions of the absent values agree on (exact for these: each name once a side)."""

    results = {
        bool(eval(text, {}, {name: point.get(name, Unknown(answer)) for name in "abc"})) for answer in (False, True)
    }
    return results.pop() if len(results) == 1 else None


class Unknown:
    """A value each comparison with which has the same `answer`."""

    def __init__(self, answer: bool) -> None:
        self.answer = answer

    def __eq__(self, other: object) -> bool:
        return self.answer

    __ne__ = __lt__ = __gt__ = __eq__
    __hash__ = None  # type: ignore[assignment]  # never in a set

    def __add__(self, other: object) -> Unknown:
        return self

    __radd__ = __mul__ = __add__


# --------------------------------------------------------------------------------------------------------- expressions

atoms = st.sampled_from(["x", "y", "n", "3", "0.5", "-2", "7"])
arithmetic = st.recursive(
    atoms,
    lambda inner: st.tuples(inner, st.sampled_from(["+", "-", "*", "/", "//", "%"]), inner).map(
        lambda parts: f"({' '.join(parts)})"
    ),
    max_leaves=5,
)
comparisons = st.one_of(
    st.tuples(arithmetic, st.sampled_from(["<", "<=", ">", ">=", "==", "!="]), arithmetic).map(" ".join),
    st.tuples(arithmetic, st.sampled_from(["<", ">="]), arithmetic, st.sampled_from(["<", "!="]), arithmetic).map(
        " ".join
    ),
    arithmetic.map(lambda text: f"{text} in [1, 2, 3]"),
    st.sampled_from(["s == 'a'", "s in ['a', 'b']", "s != 'b'", "f", "not f", "f == True", "'a' < s"]),
)
booleans = st.recursive(
    comparisons,
    lambda inner: (
        st.tuples(inner, st.sampled_from(["and", "or"]), inner).map(lambda parts: f"({' '.join(parts)})")
        | inner.map(lambda text: f"not ({text})")
    ),
    max_leaves=6,
)


@given(booleans, st.integers(-5, 5), st.floats(-3, 3), st.integers(0, 9), st.sampled_from("ab"), st.booleans())
@many
def test_expressions_are_what_python_says(text: str, x: int, y: float, n: int, s: str, f: bool) -> None:
    values = {"x": x, "y": y, "n": n, "s": s, "f": f}
    expression = condition(text, values)
    try:
        expected = bool(eval(text, {}, values))
    except ArithmeticError:
        with pytest.raises(SpaceError):
            expression.holds(values)
        return
    assert expression.holds(values) is expected
    assert expression.holds_each({name: [value] for name, value in values.items()}, 1) == [expected]


@given(st.text(alphabet="xyabs'\"`.()[]{}<>=!+-*/%&|,:; \n0123456789notandrif", max_size=60))
@many
def test_no_text_breaks_the_expression_reader(text: str) -> None:
    with contextlib.suppress(SpaceError):
        expression = condition(text, {"x", "y", "a", "b", "s"})
        assert expression.holds({"x": 1, "y": 2.5, "a": "t", "b": True}) in {True, False}


# ----------------------------------------------------------------------------------------------- what people may write

pieces = st.sampled_from(
    ["uniform(", "randint(", "choice(", "sample(", "ordinal(", "normal(", "finrange(", ")", ",", ":", "1", "0.5", "-3",
     "1e-3", "1e400", "u5", "l3", "a", "'", '"', "[", "]", "{", "}", "\\", " ", "=", "true", "null", "nan", "9" * 30]
)  # fmt: skip


@given(st.lists(pieces, max_size=12).map("".join) | st.text(max_size=30))
@many
def test_parse_range_raises_nothing_but_bad_input(text: str) -> None:
    with contextlib.suppress(BadInput):
        space = Space([parse_range("lr", text)])
        assert len(sampled(space, 2)) == 2
        assert list(space.full(space.middle())) == ["lr"]


@given(st.dictionaries(st.text(max_size=5), json_values | domains | st.dictionaries(
    st.sampled_from(["type", "min", "max", "step", "count", "values", "scale", "default", "when", "times", "sd"]),
    st.sampled_from(["float", "int", "choice", "log", "normal"]) | json_values, max_size=5), max_size=4))  # fmt: skip
@many
def test_declare_raises_nothing_but_bad_input(tree: dict[str, Any]) -> None:
    with contextlib.suppress(BadInput):
        space = Space(declare(tree))
        configs = sampled(space, 3)
        assert space.from_rows(space.to_rows(configs)) == configs


@given(spaces())
@few
def test_lint_never_fails(space: Space) -> None:
    assert all(finding.message for finding in lint(space))
