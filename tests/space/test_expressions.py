from __future__ import annotations

from typing import Any

import pytest

from rung.space import SpaceError
from rung.space.expressions import ABSENT, Expression, condition, constraint

KNOWN = {"x", "y", "opt", "bn", "model.lr", "lambda", "batch-size", "a.b-c", "true", "sizes", "n"}
VALUES: dict[str, Any] = {
    "x": 3, "y": 0.5, "opt": "sgd", "bn": True, "model.lr": 0.1, "lambda": 2, "batch-size": 64,
    "a.b-c": 1, "true": 7, "sizes": [64, 32], "n": None,
}  # fmt: skip


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("opt == 'sgd'", True),
        ('opt != "sgd"', False),
        ("x > 2 and y < 1", True),
        ("x > 2 and not y < 1", False),
        ("not (x > 2 and y > 1)", True),
        ("1 < x <= 3", True),
        ("1 < x < 3", False),
        ("x in [1, 2, 3]", True),
        ("x not in (1, 2)", True),
        ("opt in ['adam', 'sgd']", True),
        ("bn", True),
        ("not bn", False),
        ("bn == true", True),
        ("bn == false or n == null", True),
        ("bn == True and n == None", True),
        ("model.lr * 10 == 1", True),
        ("`lambda` == 2", True),
        ("`batch-size` // 10 == 6", True),
        ("a.`b-c` == 1 and `a.b-c` == 1", True),
        ("`true` == 7", True),
        ("opt == '`x`'", False),
        ("sizes == [64, 32]", True),
        ("sizes == (64, 32)", True),
        ("-x + 2 ** 3 % 5 == 0", True),
        ("x / 2 == 1.5", True),
        ("(bn == (opt == 'sgd')) == true", True),
        ("(not bn) == false", True),
        ("x == 3 and\n y == 0.5", True),
        ("3 == 3", True),
    ],
)
def test_value(text: str, expected: bool) -> None:
    expression = condition(text, KNOWN)
    assert expression.holds(VALUES) is expected
    columns = {name: [value] * 3 for name, value in VALUES.items()}
    assert expression.holds_each(columns, 3) == [expected] * 3


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("opt = 'sgd'", "column 5: cannot be read here; to compare, write =="),
        ("x > 1 && y > 1", "write and, or, not"),
        ("!bn", "write and, or, not"),
        ("batch-size > 3", "unknown name 'batch'"),
        ("opt == sgd", "column 8: unknown name 'sgd'; if it is a value, write 'sgd' in quotes"),
        ("optt == 'sgd'", "did you mean 'opt'?"),
        ("len(opt) > 2", "column 1: calls are not allowed"),
        ("__import__('os')", "calls are not allowed"),
        ("opt.upper == 'X'", "unknown name 'opt.upper'"),
        ("model == 1", "unknown name 'model'"),
        ("model.lr.real > 0", "unknown name 'model.lr.real'"),
        ("'a'.upper == 'A'", "attributes are not allowed"),
        ("(x).real > 1", "unknown name 'x.real'"),
        ("x is 3", "write == or !="),
        ("sizes[0] == 1", "Subscript is not allowed"),
        ("x if bn else y", "IfExp is not allowed"),
        ("lambda: 1", "Lambda is not allowed"),
        ("[z for z in sizes]", "ListComp is not allowed"),
        ("f'{x}' == '3'", "JoinedStr is not allowed"),
        ("{'a': 1} == x", "Dict is not allowed"),
        ("(x := 3)", "NamedExpr is not allowed"),
        ("x == 3j", "complex values are not allowed"),
        ("x == b'a'", "bytes values are not allowed"),
        ("x == ...", "ellipsis values are not allowed"),
        ("x << 3", "operator LShift is not allowed"),
        ("~x == 1", "operator Invert is not allowed"),
        ("x ==", "cannot be read here"),
        ("学 == 1 and opt.zz", "column 1: unknown name '学'"),
        ("x == '学' and zz", "column 14: unknown name 'zz'"),
        ("x == 1\0", "cannot be read"),
        ("", "expected a boolean expression"),
        ("   ", "expected a boolean expression"),
        ("x > " + "1" * 1000, "at most 1000"),
        ("x" + " + 1" * 200, "nested more than 60 deep"),
        ("(" * 300 + "x" + ")" * 300, "cannot be read"),
    ],
)
def test_refused(text: str, message: str) -> None:
    with pytest.raises(SpaceError) as caught:
        condition(text, KNOWN)
    assert message in str(caught.value)
    assert "\n" not in message


def test_not_text_is_refused() -> None:
    with pytest.raises(SpaceError, match="got 3"):
        condition(3, KNOWN)  # type: ignore[arg-type]  # what a study file may hold


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x / (x - 3) > 1", "division by zero"),
        ("opt < 3", "'<' not supported"),
        ("opt * 1000000000 == 'x'", "'sgd' is not a number"),
        ("opt % 3 == 'x'", "'sgd' is not a number"),
        ("x ** 10000 > 1", "the power is too large"),
        ("(0 - x) ** 0.5 > 1", "is not real"),
        ("3 in x", "not iterable"),
        ("(2 ** 4000) * (2 ** 4000) * 1 > 0", "too large"),
        ("10.0 ** 400 > 1", "`10.0 ** 400 > 1` has no value"),
    ],
)
def test_no_value_says_where(text: str, message: str) -> None:
    expression = condition(text, KNOWN)
    for call in (
        lambda: expression.holds(VALUES),
        lambda: expression.holds_each({k: [v] for k, v in VALUES.items()}, 1),
    ):
        with pytest.raises(SpaceError) as caught:
            call()
        assert message in str(caught.value)


def test_guards_stop_early() -> None:
    guarded = condition("x != 3 and 1 / (x - 3) > 0", KNOWN)
    assert not guarded.holds({"x": 3})
    assert guarded.holds({"x": 4})
    assert condition("not (x == 3 or 1 / (x - 3) < 0)", KNOWN).holds({"x": 4})


@pytest.mark.parametrize(
    ("text", "as_condition", "as_constraint"),
    [
        ("y > 1", False, True),
        ("not y > 1", False, True),
        ("y != 1", False, True),
        ("not (not y > 1)", False, True),
        ("y", False, True),
        ("x == 3 or y > 1", True, True),
        ("x == 4 or y > 1", False, True),
        ("x == 3 and y > 1", False, True),
        ("x == 4 and y > 1", False, False),
        ("not (x == 4 and y > 1)", True, True),
        ("not (x == 3 or y > 1)", False, False),
        ("x + y > 1", False, True),
        ("(y > 1) == true", False, True),
    ],
)
def test_absent_values_leave_it_undecided(text: str, as_condition: bool, as_constraint: bool) -> None:
    for values in ({"x": 3}, {"x": 3, "y": ABSENT}):
        assert condition(text, KNOWN).holds(values) is as_condition
        assert constraint(text, KNOWN).holds(values) is as_constraint


def test_names_and_constants_in_order_of_appearance() -> None:
    expression = Expression("y > 1 and x in [2, 'b'] and y < 5", known=KNOWN, absent=False)
    assert expression.names == ("y", "x")
    assert expression.constants == (1, 2, "b", 5)
    assert repr(ABSENT) == "absent"
    assert "y > 1" in repr(expression)
