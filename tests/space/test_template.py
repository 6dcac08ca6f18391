from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rung.model import BadInput
from rung.space.template import Literal, Placeholder, parse, placeholder_names, render, with_rest

PARAMS = {"lr": 1e-05, "width": 32, "opt": "sgd"}


@pytest.mark.parametrize(
    ("arg", "pieces"),
    [
        ("train.py", [Literal("train.py")]),
        ("{lr}", [Placeholder("lr")]),
        ("--lr={lr}", [Literal("--lr="), Placeholder("lr")]),
        ("{a}{b}", [Placeholder("a"), Placeholder("b")]),
        ("{{lr}}", [Literal("{lr}")]),
        ("{{{lr}}}", [Literal("{"), Placeholder("lr"), Literal("}")]),
        ("{opt.lr}-{batch-size}", [Placeholder("opt.lr"), Literal("-"), Placeholder("batch-size")]),
        ("", []),
    ],
)
def test_the_pieces_of_an_argument(arg: str, pieces: list[Literal | Placeholder]) -> None:
    assert list(parse(arg)) == pieces


@pytest.mark.parametrize(
    ("arg", "message"),
    [
        ("a{", "a single `{` in 'a{'; write `{{` for a brace"),
        ("a}b", "a single `}` in 'a}b'; write `}}` for a brace"),
        ("{}", "an empty `{}` in '{}'; name a parameter, or write `{{}}` for braces"),
        ("{a{b}", "a single `{` in '{a{b}'; write `{{` for a brace"),
        ("x={rest}", "`{rest}` must be an argument of its own, not part of 'x={rest}'"),
        ("{params} ", "`{params}` must be an argument of its own, not part of '{params} '"),
    ],
)
def test_malformed_arguments(arg: str, message: str) -> None:
    with pytest.raises(BadInput) as caught:
        parse(arg)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("template", "argv"),
    [
        (["t", "--lr", "{lr}", "{rest}"], ["t", "--lr", "1e-05", "--width=32", "--opt=sgd"]),
        (["t", "{params}"], ["t", "--lr=1e-05", "--width=32", "--opt=sgd"]),
        (["t", "{lr}", "{params}", "{rest}"], ["t", "1e-05", "--lr=1e-05", "--width=32", "--opt=sgd", "--width=32", "--opt=sgd"]),
        (["t", "{opt}-{width}.log"], ["t", "sgd-32.log"]),
        (["t", "--m", "{momentum}", "x"], ["t", "x"]),
        (["t", "-m", "{momentum}", "x"], ["t", "x"]),
        (["t", "--m=1", "{momentum}"], ["t", "--m=1"]),
        (["t", "--", "{momentum}"], ["t", "--"]),
        (["t", "--m={momentum}", "{momentum}"], ["t"]),
        (["t", "--a", "{momentum}", "{momentum}"], ["t"]),
        (["t", "{width}", "{momentum}"], ["t", "32"]),
        (["t", "--n-{width}", "{momentum}"], ["t", "--n-32"]),
        (["t", "{{}}"], ["t", "{}"]),
        (["t", "", "{lr}"], ["t", "", "1e-05"]),
    ],
)  # fmt: skip
def test_rendered_commands(template: list[str], argv: list[str]) -> None:
    assert render(template, PARAMS) == argv


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (True, "true"),
        (False, "false"),
        (3, "3"),
        (-2.5e-300, "-2.5e-300"),
        (0.1 + 0.2, "0.30000000000000004"),
        (float("inf"), "inf"),
        (None, "null"),
        ([1, "a b", None, float("nan")], '[1, "a b", null, "NaN"]'),
        ({"k": [True, "é"], "f": float("-inf")}, '{"k": [true, "é"], "f": "-Infinity"}'),
        ("", ""),
        ("null", "null"),
        ("{width}", "{width}"),
    ],
)
def test_how_values_are_passed(value: Any, text: str) -> None:
    assert render(["{x}"], {"x": value}) == [text]
    assert render(["t", "{rest}"], {"x": value}) == ["t", f"--x={text}"]


def test_numpy_numbers_are_plain_numbers() -> None:
    numpy = pytest.importorskip("numpy")
    assert render(["{a}", "{b}"], {"a": numpy.float64(0.1), "b": numpy.int64(3)}) == ["0.1", "3"]


@pytest.mark.parametrize(
    "value", ["a b", "it's", '"q"', "a\nb", "; rm -rf /", "$(id)", "`id`", "*", "é漢😀", "-x", "\\"]
)
def test_awkward_values_reach_the_program_unharmed(value: str) -> None:
    argv = render(
        [sys.executable, "-c", "import sys; sys.stdout.buffer.write(sys.argv[1].encode())", "{x}"], {"x": value}
    )
    assert subprocess.run(argv, check=True, capture_output=True).stdout.decode() == value


def test_a_nul_character_is_refused() -> None:
    with pytest.raises(BadInput, match="x: a value with a NUL character cannot be passed"):
        render(["{x}"], {"x": "a\0b"})


def test_rest_is_appended_to_a_command_without_placeholders() -> None:
    assert with_rest(["python", "t.py"]) == ["python", "t.py", "{rest}"]
    assert with_rest(["t", "{{x}}"]) == ["t", "{{x}}", "{rest}"]
    assert with_rest(["t", "{lr}"]) == ["t", "{lr}"]
    assert placeholder_names(["t", "{lr}", "{rest}"]) == ["lr", "rest"]


@settings(deadline=None)
@given(st.text(), st.text(st.characters(exclude_characters="\0")))
def test_escaped_text_is_literal_and_values_stay_whole(literal: str, value: str) -> None:
    escaped = literal.replace("{", "{{").replace("}", "}}")
    assert render([escaped + "{x}"], {"x": value}) == [literal + value]


@settings(deadline=None)
@given(st.text(st.sampled_from("{}ab")))
def test_any_argument_parses_or_is_refused(arg: str) -> None:
    try:
        pieces = parse(arg)
    except BadInput:
        return
    assert all(piece != Literal("") for piece in pieces)


@settings(deadline=None)
@given(st.floats(allow_nan=False))
def test_floats_lose_nothing(number: float) -> None:
    assert float(render(["{x}"], {"x": number})[0]) == number
