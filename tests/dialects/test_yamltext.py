from __future__ import annotations

import math
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rung.dialects.documents import parse
from rung.dialects.positions import MAX_NODES
from rung.model import BadInput


def yaml(text: str) -> Any:
    return parse(text, file="s.yaml")[0]


def refusal(text: str) -> str:
    with pytest.raises(BadInput) as caught:
        yaml(text)
    return str(caught.value)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("1e-5", 1e-5),
        ("1E3", 1000.0),
        ("1e3", 1000.0),
        (".5", 0.5),
        ("-.5", -0.5),
        ("5.", 5.0),
        ("+1.5e+2", 150.0),
        ("010", 10),
        ("0o17", 15),
        ("0x1F", 31),
        ("-3", -3),
        ("1_000", "1_000"),
        ("0b11", "0b11"),
        ("1:30", "1:30"),
        ("on", "on"),
        ("off", "off"),
        ("yes", "yes"),
        ("no", "no"),
        ("y", "y"),
        ("n", "n"),
        ("No", "No"),
        ("2024-01-02", "2024-01-02"),
        ("2001-12-14t21:59:43.10-05:00", "2001-12-14t21:59:43.10-05:00"),
        ("true", True),
        ("False", False),
        ("null", None),
        ("~", None),
        ("", None),
        ("None", "None"),
        ("nan", "nan"),
        ("inf", "inf"),
        (".inf", math.inf),
        ("-.INF", -math.inf),
        ("'1e-5'", "1e-5"),
        ('"true"', "true"),
        ("!!str 12", "12"),
        ("! 12", "12"),
        ("!!float 1", 1.0),
        ("!!int '7'", 7),
        ("=", "="),
        ("1e", "1e"),
        ("e5", "e5"),
        (".", "."),
        ("\u0661", "\u0661"),  # a digit, but not one of ASCII
    ],
)
def test_what_a_scalar_means(written: str, meant: object) -> None:
    value = yaml(f"key: {written}\n")["key"]
    assert (value, type(value)) == (meant, type(meant))


def test_not_a_number() -> None:
    assert math.isnan(yaml("key: .nan")["key"])


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a: 1\nb: c: d\n", "s.yaml:2: not valid YAML: mapping values are not allowed in this context"),
        ("a: 1\na: 2\n", "s.yaml:2: a: duplicate key, first given on line 1; keep one"),
        ("p:\n  x: 1\n\n  x: 2\n", "s.yaml:4: p.x: duplicate key, first given on line 2; keep one"),
        ("a: 1\n---\nb: 2\n", "s.yaml:2: a second document begins here; give one per file"),
        ("p:\n  1: x\n", 's.yaml:2: p: the key 1 is not text; write "1" in quotes'),
        ("p:\n  true: x\n", 's.yaml:2: p: the key true is not text; write "true" in quotes'),
        ("? [a]\n: x\n", "s.yaml:1: a key must be text, not a list"),
        ("a: *b\n", "s.yaml:1: the alias *b has no anchor &b before it"),
        ("a: &x\n  - *x\n", "s.yaml:2: the alias *x stands inside its own anchor"),
        ("<<: 3\n", "s.yaml:1: `<<` merges mappings only"),
        ("a: !!timestamp 2024-01-01\n", _TAG := "s.yaml:1: the tag !!timestamp is refused here; a study file holds plain values only"),
        ("a: !!int x\n", _TAG.replace("timestamp", "int")),
        ("a: !!set {b, c}\n", _TAG.replace("timestamp", "set")),
        ("!!python/object/apply:os.system ['id']\n", _TAG.replace("timestamp", "python/object/apply:os.system")),
        ("a: !ENV {x: 1}\n", _TAG.replace("!!timestamp", "!ENV")),
        ("a: " + "9" * 5000, "s.yaml:1: a number of 5000 digits is too long"),
        ("\n" + "[" * 60 + "]" * 60, "s.yaml:2: nested deeper than 50 levels"),
    ],
)  # fmt: skip
def test_refused_with_its_line(text: str, line: str) -> None:
    assert refusal(text) == line


def test_control_characters_are_refused() -> None:
    assert refusal("a: \x00").startswith("s.yaml: not valid YAML: ")


def test_an_unclosed_bracket_names_the_line() -> None:
    assert refusal("a: 1\nb: [1, 2\nc: 3\n").startswith("s.yaml:3: not valid YAML: ")


def test_an_alias_bomb_is_refused_at_once() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 30)]
    begun = time.monotonic()
    assert refusal("\n".join(lines)) == "s.yaml:6: its aliases expand to more than 100000 values"
    assert time.monotonic() - begun < 1


@pytest.mark.parametrize("opening", ["[", "{a: ", "- ", "? "])
def test_half_a_mebibyte_of_nesting_is_refused(opening: str) -> None:
    begun = time.monotonic()
    assert "nested deeper than 50 levels" in refusal(opening * (500_000 // len(opening)))
    assert time.monotonic() - begun < 2


def test_aliases_do_not_nest_deeper_than_text_may() -> None:
    lines = ["a0: &a0 [[[[[[[[[[1]]]]]]]]]]", *(f"a{n}: &a{n} [*a{n - 1}]" for n in range(1, 60))]
    assert "nested deeper than 50 levels" in refusal("\n".join(lines))


def test_too_many_values_and_too_much_text() -> None:
    assert refusal("[" + "1," * MAX_NODES + "1]") == f"s.yaml:1: more than {MAX_NODES} values in one file"
    assert refusal("#" * (1 << 20) + "\n") == "s.yaml: larger than 1 MiB; a study file is a page of text"


def test_aliases_are_copies_and_merges_yield_to_own_keys() -> None:
    tree = yaml("a: &a {x: [1], y: 2}\nb: {<<: *a, y: 3, z: 4}\nc: {<<: [*a, {w: 5, x: 6}]}\nd: *a\n")
    assert tree["b"] == {"x": [1], "y": 3, "z": 4}
    assert tree["c"] == {"x": [1], "y": 2, "w": 5}
    tree["d"]["x"].append(2)
    assert tree["a"]["x"] == [1]


def test_quoted_merge_sign_is_a_key() -> None:
    assert yaml("'<<': 1") == {"<<": 1}


def test_lines_are_those_of_the_keys() -> None:
    _, positions = parse("a: 1\nb:\n  - x\n  -\n    c: 2\n", file="s.yaml")
    assert positions.lines == {(): 1, ("a",): 1, ("b",): 2, ("b", 0): 3, ("b", 1): 5, ("b", 1, "c"): 5}


def complaint_about(text: str, file: str) -> str:
    """What is wrong with the text; nothing when it parses. Any other exception fails the test."""
    try:
        parse(text, file=file)
    except BadInput as error:
        return str(error)
    return ""


@settings(deadline=None)
@given(st.text())
def test_any_text_parses_or_is_refused(text: str) -> None:
    for file in ("s.yaml", "s.json", "s.toml"):
        complaint = complaint_about(text, file)
        assert "\n" not in complaint
        assert complaint == "" or complaint.startswith(file)


@settings(deadline=None)
@given(st.lists(st.sampled_from(["a", ": ", "- ", "\n", "  ", "[", "]", "{", "}", "&a ", "*a", "<<", '"', "'", "!!str ", "1e5", ",", "\t", "|", ">", "#", "=", "\\", "[[", "]]"])))  # fmt: skip
def test_any_heap_of_punctuation_parses_or_is_refused(pieces: list[str]) -> None:
    for file in ("s.yaml", "s.json", "s.toml"):
        assert "\n" not in complaint_about("".join(pieces), file)
