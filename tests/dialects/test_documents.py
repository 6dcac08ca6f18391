from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from rung.dialects.documents import parse, read_text
from rung.model import BadInput

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("file", "text", "line"),
    [
        ("s.json", '{"a": 1,\n "a": 2}', "s.json:2: a: duplicate key, first given on line 1; keep one"),
        ("s.json", '{"a": 1,\n}', "s.json:2: not valid JSON: Expecting property name enclosed in double quotes (column 1)"),
        ("s.json", "[" * 49 + "[[1]]" + "]" * 49, "s.json:1: nested deeper than 50 levels"),
        ("s.json", '{"a":\n "\\ud800"}', "s.json:2: a: holds half of a surrogate pair, which is no text"),
        ("s.json", "1" * 5000, "s.json: a number in it has too many digits"),
        ("s.toml", "a = 1\nb = on\n", "s.toml:2: b: not valid TOML: Invalid value"),
        ("s.toml", "[p]\nx = 1\nx = 2\n", "s.toml:3: x: not valid TOML: Cannot overwrite a value"),
        ("s.toml", "a = [1,", "s.toml:1: not valid TOML: Invalid value (at end of document)"),
        ("s.toml", "a = " + "[" * 60 + "]" * 60, "s.toml: nested deeper than 50 levels"),
        ("s.toml", "a = " + "1" * 5000, "s.toml: a number in it has too many digits"),
        ("s.toml", "a = [" + "1," * 50_001 + "]", "s.toml: more than 50000 values in one file"),
    ],
)  # fmt: skip
def test_refused_with_its_line(file: str, text: str, line: str) -> None:
    with pytest.raises(BadInput) as caught:
        parse(text, file=file)
    assert str(caught.value) == line


@pytest.mark.parametrize("file", ["s.json", "s.toml"])
def test_deep_nesting_is_refused(file: str) -> None:
    with pytest.raises(BadInput, match=r"nested|not valid"):
        parse("a = " * (file == "s.toml") + "[" * 200_000, file=file)


def test_json_keeps_what_yaml_cannot() -> None:
    tree, positions = parse('{"smile": "\\ud83d\\ude00",\t"tab": [1, {"x": "a\\"b{"}],\n"y": 1E3}', file="s.json")
    assert tree == {"smile": "\U0001f600", "tab": [1, {"x": 'a"b{'}], "y": 1000.0}
    assert positions.lines[("tab", 1, "x")] == 1
    assert positions.lines[("y",)] == 2


def test_toml_lines_and_dates() -> None:
    text = 'day = 2024-01-02\nlong = """\nday = 3\n"""\n[a.b]\n"c d".e = 1\n[[o]]\nm = 1\n[[o]]\nm = { k = 2 }\n'
    tree, positions = parse(text, file="s.toml")
    assert tree["day"] == "2024-01-02"
    assert positions.lines[("day",)] == 3  # the last line that looks like the key
    assert positions.lines[("a", "b", "c d", "e")] == 6
    assert positions.lines[("o", 1, "m")] == 10
    assert str(positions.error(("o", 1, "m", "k"), "wrong")) == "s.toml:10: o[1].m.k: wrong"


def test_a_byte_order_mark_is_no_part_of_the_text(tmp_path: Path) -> None:
    file = tmp_path / "s.yaml"
    file.write_bytes(b"\xef\xbb\xbfa: 1\n")
    assert read_text(file) == "a: 1\n"
    assert parse("\ufeffa: 1", file="s.yaml")[0] == {"a": 1}


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "latin.yaml").write_bytes(b"a: 1\nb: \xe9\n")
    (tmp_path / "big.yaml").write_bytes(b"#" * ((1 << 20) + 1))
    expected = {
        "none.yaml": f"{tmp_path / 'none.yaml'}: cannot be read: No such file or directory",
        "": f"{tmp_path}: cannot be read: Is a directory",
        "latin.yaml": f"{tmp_path / 'latin.yaml'}:2: not UTF-8 text; save the file as UTF-8",
        "big.yaml": f"{tmp_path / 'big.yaml'}: larger than 1 MiB; a study file is a page of text",
    }
    for name, line in expected.items():
        with pytest.raises(BadInput) as caught:
            read_text(tmp_path / name)
        assert str(caught.value) == line
