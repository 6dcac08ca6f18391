"""`rung note`, and what `ls` and `show` make of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from cli.conftest import Call

pytestmark = pytest.mark.usefixtures("study")


def test_a_note_and_tags_are_kept_and_printed(call: Call, study: Path) -> None:
    call("note", "--text", "first try\nsecond line", "--tag", "paper", "--tag", "old")
    found = call("note", "score-1", "--untag", "old")
    assert found.out.splitlines() == ["first try", "second line", "tags: paper"]
    assert call("note", "score-1", "--json").json == {
        "text": "first try\nsecond line", "tags": ["paper"], "archived": False,
    }  # fmt: skip
    shown = call("show", "--json").json
    assert (shown["note"], shown["tags"], shown["archived"]) == ("first try\nsecond line", ["paper"], False)
    assert "note     second line" in call("show").out
    assert "NotesChanged" not in call("why").out
    assert "tagged paper, old" in call("why").out


def test_a_trial_has_a_note_of_its_own(call: Call) -> None:
    call("note", "3", "--text", "odd")
    assert call("note", "3").out == "odd\n"
    assert call("note").out == ""
    assert "nothing is kept beside study score-1" in call("note").err
    assert "no trial 99" in call("note", "99", "--tag", "x", code=2).err


def test_an_archived_study_is_left_out_of_the_list(call: Call) -> None:
    call("note", "score-1", "--archive")
    hidden = call("ls", "--json")
    assert hidden.json == []
    assert "1 archived study is not listed: rung ls --all" in hidden.err
    [row] = call("ls", "--all", "--json").json
    assert (row["name"], row["archived"]) == ("score-1", True)
    call("note", "score-1", "--unarchive")
    assert call("ls").err == ""


@pytest.mark.parametrize("tag", ["", " x", "a,b", "line\nbreak", "x" * 61])
def test_words_that_are_no_tag(call: Call, tag: str) -> None:
    assert "expected a word" in call("note", "--tag", tag, code=2).err


def test_hostile_text_steers_no_terminal(call: Call) -> None:
    found = call("note", "--text", "\x1b[31mred\x07")
    assert "\x1b" not in found.out
    assert "\x1b" not in call("show").out
