from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rung.execute import lines
from rung.execute.lines import Line, Lines


def read(chunks: list[bytes], offset: int = 0) -> list[Line]:
    found = Lines(offset)
    told = [line for chunk in chunks for line in found.feed(chunk)]
    rest = found.rest()
    return told + ([rest] if rest else [])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b"", []),
        (b"a\n", [b"a"]),
        (b"a\nb", [b"a", b"b"]),
        (b"\n\n", [b"", b""]),
        (b"a\r\n", [b"a"]),
        (b"1%\r2%\r100%\nnext\n", [b"100%", b"next"]),
        (b"1%\r2%\r", [b"2%"]),
        (b"done\r\r\n", [b"done"]),
        (b"\r\n", [b""]),
    ],
)
def test_lines_are_what_a_terminal_would_show(text: bytes, expected: list[bytes]) -> None:
    assert [line.text for line in read([text])] == expected


def test_offsets_are_those_of_the_file() -> None:
    assert [(line.start, line.end) for line in read([b"ab\nc", b"d\n", b"e"], offset=10)] == [
        (10, 13),
        (13, 16),
        (16, 17),
    ]


def test_a_line_is_torn_until_its_end_comes() -> None:
    found = Lines()
    assert list(found.feed(b'{"loss": 0.')) == []
    assert found.start == 0
    assert [line.text for line in found.feed(b"25}\n")] == [b'{"loss": 0.25}']
    assert found.rest() is None


@given(
    st.lists(st.sampled_from([b"a", b"bb", b"\r", b"\n", b"\r\n", b"ccccccccc", b"d" * 12]), max_size=30).map(b"".join),
    st.lists(st.integers(0, 80), max_size=6),
)
def test_how_the_bytes_are_cut_never_shows(text: bytes, cuts: list[int]) -> None:
    edges = [0, *sorted(cut for cut in cuts if cut < len(text)), len(text)]
    chunks = [text[start:end] for start, end in itertools.pairwise(edges)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lines, "LONGEST", 8)
        assert read(chunks) == read([text])


def test_a_line_that_is_too_long_is_passed_over_in_bounded_memory() -> None:
    found = Lines()
    for _ in range(11):
        assert list(found.feed(b"x" * (1 << 20))) == []
    assert found._segment is None
    end = list(found.feed(b"\nnext\n"))
    assert end == [Line(0, (11 << 20) + 1, None), Line((11 << 20) + 1, (11 << 20) + 6, b"next")]
