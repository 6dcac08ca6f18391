"""What the styles mean, in the file and on the command line."""

from __future__ import annotations

from typing import Any

import pytest

from rung.dialects.valohai.parameters import ParameterItem
from rung.dialects.valohai.styles import StyleError, Variant, range_of, read_style, values_of

FLOAT = ParameterItem(name="x", type="float")
WHOLE = ParameterItem(name="n", type="integer")
WORD = ParameterItem(name="w")


def values(style: str, item: ParameterItem = FLOAT, **rules: Any) -> list[Any]:
    return values_of(Variant(item.name, style, rules), item)


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (values("linear", start=0.8, end=0.9, step=0.01), [0.8, 0.81, 0.82, 0.83, 0.84, 0.85, 0.86, 0.87, 0.88, 0.89, 0.9]),
        (values("linear", start=0.001, end=0.002, step=0.0002), [0.001, 0.0012, 0.0014, 0.0016, 0.0018, 0.002]),
        (values("linear", start=3, end=0, step=-2), [3, 1]),
        (values("linear", start=25, end=25, step=0), [25]),
        (values("linear", min=0, max=1, step=0.5), [0, 0.5, 1]),
        (values("linear", start=0.5, end=3, step=0.5, integerify=True), [0, 1, 2, 3]),
        (values("logspace", start=2, end=8, count=4, base=2), [4, 16, 64, 256]),
        (values("logspace", min=-5, max=-1, count=5), [1e-05, 0.0001, 0.001, 0.01, 0.1]),
        (values("logspace", start=0, end=1, count=5, integerify=True), [1, 3, 5, 10]),
        (values("logspace", start=2, end=5, count=1), [100]),
        (values("logspace", WHOLE, start=25, end=25, count=4), [10**25]),
        (values("logspace", start=25, end=25, count=4), [1e25]),
        (values("multiple", items=[0.86, 0.81, 0.86]), [0.86, 0.81]),
        (values("multiple", WORD, items=["a", "1", True]), ["a", "1", True]),
        (values("multiple", WORD, items=["2", "0.5"], numberify=True), [2, 0.5]),
        (values("single", WHOLE, value=4), [4]),
    ],
)  # fmt: skip
def test_values(found: list[Any], expected: list[Any]) -> None:
    assert found == expected
    assert [type(value) for value in found] == [type(value) for value in expected]


def test_random_draws_follow_from_their_seed() -> None:
    def draws(item: ParameterItem = FLOAT, **rules: Any) -> list[Any]:
        return values("random", item, **{"min": 0.001, "max": 0.002, "count": 10, **rules})

    assert draws(seed=3) == draws(seed=3) != draws(seed=4)
    assert draws() == draws() != draws(ParameterItem(name="y", type="float"))
    assert all(0.001 <= value <= 0.002 for value in draws())
    whole = draws(WHOLE, min=1, max=3, count=200)
    assert sorted(whole) == [1, 2, 3]
    assert sorted(draws(min=1, max=3, count=200, integerify=True)) == [1, 2]
    logarithmic = draws(min=1e-6, max=1, count=300, distribution="LogUniform")
    assert 100 < sum(value < 1e-3 for value in logarithmic) < 200


@pytest.mark.parametrize(
    ("style", "item", "rules", "words"),
    [
        ("linear", FLOAT, {}, "start: missing; linear takes start, end, step"),
        ("linear", FLOAT, {"start": 0, "end": 1}, "step: missing"),
        ("linear", FLOAT, {"start": 0, "end": 1, "step": 0}, "step: does not lead from 0 to 1"),
        ("linear", FLOAT, {"start": 0, "end": 1, "step": -1}, "step: does not lead"),
        ("linear", FLOAT, {"start": 0, "end": 1, "step": 1e-9}, "step: 1000000001 values are more than"),
        ("linear", WHOLE, {"start": 0, "end": 1, "step": 0.5}, ": 0.5 is not an integer"),
        ("logspace", FLOAT, {"start": 0, "end": 1}, "count: missing"),
        ("logspace", FLOAT, {"start": 0, "end": 1, "count": 2.5}, "count: expected a whole number"),
        ("logspace", FLOAT, {"start": 0, "end": 1, "count": 2, "base": -1}, "base: must be above 0"),
        ("logspace", FLOAT, {"start": 0, "end": 1e9, "count": 2}, "end: 10 to the power of 1000000000.0 is beyond"),
        ("logspace", FLOAT, {"start": 0, "end": 399, "count": 2}, "end: 1.00e+399 is beyond all numbers"),
        ("multiple", FLOAT, {"items": []}, ": no values"),
        ("multiple", FLOAT, {"items": ["a", ""]}, ": a is not a floating-point number"),
        ("single", FLOAT, {}, "value: missing"),
        ("random", FLOAT, {"min": 1, "max": 0, "count": 3}, "max: must not be below min (1), got 0"),
        ("random", FLOAT, {"min": 0, "max": 1, "count": 3, "distribution": "gauss"}, "distribution: unknown distribution"),
        ("random", FLOAT, {"min": 0, "max": 1, "count": 3, "distribution": "loguniform"}, "min: must be above 0"),
        ("random", FLOAT, {"min": 0, "max": 1}, "count: missing"),
        ("uniform", FLOAT, {"min": 0, "max": 1}, ": uniform is a range"),
    ],
)  # fmt: skip
def test_rules_that_mean_nothing(style: str, item: ParameterItem, rules: dict[str, Any], words: str) -> None:
    with pytest.raises(StyleError) as error:
        values(style, item, **rules)
    assert f"{error.value.key}: {error.value}".startswith(words)


def test_bounds_and_choices_hold_for_a_tasks_values() -> None:
    item = ParameterItem(name="x", type="integer", min=1, max=5, choices=[1, 2, 9])
    words = (
        r"^0 is less than the minimum allowed \(1\), 0 is not among the choices allowed \(\[1, 2, 9\]\), 9 is greater"
    )
    with pytest.raises(StyleError, match=words[: words.index(", 9 is")]):
        values("multiple", item, items=[0])
    with pytest.raises(StyleError, match=r"^9 is greater than the maximum allowed \(5\)$"):
        values("multiple", item, items=[1, 9])


@pytest.mark.parametrize(
    ("text", "item", "rules"),
    [
        ("x=linear:0:1:0.5", FLOAT, {"start": 0, "end": 1, "step": 0.5}),
        ("x=logspace:-5:-1:5", FLOAT, {"start": -5, "end": -1, "count": 5}),
        ("x=logspace:0:3:4:2:integerify", FLOAT, {"start": 0, "end": 3, "count": 4, "base": 2, "integerify": True}),
        ("x=random:0:1:5:seed=3", FLOAT, {"min": 0, "max": 1, "count": 5, "seed": 3}),
        ("x=random:0:1:5:loguniform:3", FLOAT, {"min": 0, "max": 1, "count": 5, "distribution": "loguniform", "seed": 3}),
        ("x=multiple:1,2.5", FLOAT, {"items": [1.0, 2.5]}),
        ("w=multiple:a:b,c d", WORD, {"items": ["a:b", "c d"]}),
        ("w=single:a,b:c", WORD, {"value": "a,b:c"}),
        ("f=multiple:yes,no", ParameterItem(name="f", type="flag"), {"items": [True, False]}),
    ],
)  # fmt: skip
def test_styles_on_the_command_line(text: str, item: ParameterItem, rules: dict[str, Any]) -> None:
    assert read_style(text, item).rules == rules


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("x=", "unknown style ''"),
        ("x=lin:1:2", "unknown style 'lin'; did you mean `linear`?"),
        ("x=linear", "linear needs its values: x=linear:START:END:STEP"),
        ("x=linear:a:1:2", "expected a number, got 'a'"),
        ("x=linear:0:1:2:3", "'3' is one too many or unknown; write linear:START:END:STEP"),
        ("x=linear:0:nan:1", "expected a finite number"),
        ("x=multiple:a", "a is not a floating-point number"),
    ],
)
def test_bad_styles_on_the_command_line(text: str, words: str) -> None:
    with pytest.raises(StyleError, match=r".") as error:
        read_style(text, FLOAT)
    assert str(error.value).startswith(words)


def test_ranges_to_sample_from() -> None:
    def ranged(text: str, item: ParameterItem = FLOAT) -> Any:
        return range_of(read_style(text, item), item)

    found = ranged("x=uniform:0:1:0.1")
    assert (found.type, found.min, found.max, found.step) == ("float", 0, 1, 0.1)
    found = ranged("x=loguniform:0.001:0.5")
    assert (found.type, found.min, found.max, found.scale) == ("float", 0.001, 0.5, "log")
    found = ranged("n=random:1.5:9.5", WHOLE)
    assert (found.type, found.min, found.max) == ("int", 2, 9)
    found = ranged("x=normal:3:2")
    assert (found.type, found.mean, found.sd) == ("normal", 3, 2)
    assert ranged("x=lognormal:0:1").type == "lognormal"
    assert ranged("x=multiple:3,1").type == "choice"
    assert ranged("x=multiple:1,3").type == "ordinal"
    assert ranged("x=random:2:2").value == 2
    for bad in ("x=normal:0:0", "x=normal:0:1:0.5", "x=loguniform:0.1:1:0.1", "x=uniform:0"):
        with pytest.raises(StyleError):
            ranged(bad)
