from __future__ import annotations

import ast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rung.inside.substitution import are_names, counted, difference, known_names, substituted


@pytest.mark.parametrize(
    ("script", "values", "result"),
    [
        ("lr = 1\nprint(lr)\n", {"lr": 0.5}, "lr = 1\nprint(0.5)\n"),
        ("f(lr=lr)\n", {"lr": 0.5}, "f(lr=0.5)\n"),
        ("f(lr=lr, m=1)\n", {"lr": 0.5}, "f(lr=lr, m=1)\n"),
        ("f(lr=lr,\n  m=1)\n", {"lr": 0.5}, "f(lr=0.5,\n  m=1)\n"),
        ("if lr == 3: pass\n", {"lr": 0.5}, "if lr == 3: pass\n"),
        ("print(lr)", {"lr": 0.5}, "print(lr)"),  # no line break at its end
        ("print(lrs, _lr, lr)\n", {"lr": 0.5}, "print(lrs, _lr, 0.5)\n"),
        ("print(cfg.lr)  # lr\n", {"lr": 0.5}, "print(cfg.0.5)  # 0.5\n"),
        ("print(lr)\r\nx\r\n", {"lr": 0.5}, "print(0.5)\r\nx\r\n"),
        ("print(a, b)\n", {"a": 1, "b": 2}, "print(1, 2)\n"),
        ("print(a, b)\n", {"a": "b", "b": 2}, "print('b', 2)\n"),  # what was put in is not replaced again
        ("print(n)\n", {"n": 2}, "print(2)\n"),
        ("print(n)\n", {"n": 2.0}, "print(2.0)\n"),
        ("print(x)\n", {"x": True}, "print(True)\n"),
        ("print(x)\n", {"x": None}, "print(None)\n"),
        ("print(x)\n", {"x": [1, "a"]}, "print([1, 'a'])\n"),
        ("print(x)\n", {"x": float("inf")}, "print(float('inf'))\n"),
        ("print(m.lr)\n", {"m.lr": 0.5}, "print(0.5)\n"),
        ("print(mxlr)\n", {"m.lr": 0.5}, "print(mxlr)\n"),  # a dot is a dot
        ("print(x)\n", {"x": r"\1\g<0>"}, "print('\\\\1\\\\g<0>')\n"),
    ],
)
def test_a_name_is_replaced_where_no_equals_sign_follows(script: str, values: dict[str, object], result: str) -> None:
    assert substituted(script, values) == result


@pytest.mark.parametrize(
    ("script", "result"),
    [
        ("print(act)\n", "print('relu')\n"),
        ("print('using act')  # act\n", "print('using relu')  # relu\n"),
        ("print(f'{act} act')\n", "print(f'{\"relu\"} relu')\n"),
        ('print(f"{act}")\n', "print(f\"{'relu'}\")\n"),
        ('print(f"{{act}}")\n', 'print(f"{{relu}}")\n'),
        ("x = (\n", "x = (\n"),
        ("print(act))\n'''\n", "print('relu'))\n'''\n"),  # what cannot be tokenized is code
    ],
)
def test_words_are_literals_in_code_and_words_in_text(script: str, result: str) -> None:
    assert substituted(script, {"act": "relu"}) == result


def test_words_that_are_names_of_the_script_stay_names() -> None:
    script = "from optim import Adam as A, SGD\nimport a.b\nclass C: pass\ndef f(): pass\nx: int = 1\ny, z = 1, 2\n"
    known = known_names(script)
    assert known == {"A", "SGD", "a", "C", "f", "x", "y", "z"}
    assert are_names(["A", "SGD", "a.b.c"], known)
    assert not are_names(["A", "Adam"], known)
    assert not are_names(["A", 1], known)
    assert not are_names([], known)
    assert known_names("(") == frozenset()
    assert substituted("make(opt)\n", {"opt": "SGD"}, bare=["opt"]) == "make(SGD)\n"


def test_other_languages_get_the_text() -> None:
    assert substituted("echo act x\n", {"act": "relu", "x": True}, python=False) == "echo relu true\n"


def test_the_difference_is_a_unified_diff() -> None:
    assert difference("t.py", "a\nb\n", "a\nc\n") == "--- a/t.py\n+++ b/t.py\n@@ -1,2 +1,2 @@\n a\n-b\n+c\n"
    assert difference("t.py", "a\nb", "a\nb") == ""
    assert difference("t.py", "a", "b").endswith("-a\n\\ No newline at end of file\n+b\n\\ No newline at end of file\n")


def test_places_are_counted() -> None:
    assert counted("x = 1\nprint(x, x)\n", ["x", "y"]) == {"x": 2, "y": 0}
    assert counted("x\n", []) == {}


@given(
    st.text(max_size=80), st.text(min_size=1, max_size=6), st.one_of(st.text(max_size=6), st.floats(), st.integers())
)
def test_no_text_raises(script: str, name: str, value: object) -> None:
    substituted(script, {name: value})
    substituted(script, {name: value}, python=False)
    counted(script, [name])


@given(st.text(st.characters(codec="ascii", exclude_characters="\n\r"), max_size=12))
def test_any_word_is_valid_code(word: str) -> None:
    tree = ast.parse(substituted("print(act)\n", {"act": word}))
    assert ast.literal_eval(tree.body[0].value.args[0]) == word  # type: ignore[attr-defined]
