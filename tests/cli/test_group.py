"""The verbs as a whole: their help, their errors, and that each says the same in both places."""

from __future__ import annotations

import click
import pytest

from cli.conftest import Call
from rung.cli.group import HOMES, VERBS, front_door


def commands() -> dict[str, click.Command]:
    """Every verb."""
    context = click.Context(front_door)
    found = {name: front_door.get_command(context, name) for name in front_door.list_commands(context)}
    return {name: command for name, command in found.items() if command is not None}


def test_the_list_of_verbs_says_what_each_says_of_itself() -> None:
    assert set(commands()) == set(HOMES)
    for section in VERBS.values():
        for name, (_, text) in section.items():
            said = commands()[name].help or ""
            assert said.split()[:2] == text.split()[:2], name


@pytest.mark.parametrize("verb", [*HOMES, ""])
def test_help(call: Call, verb: str) -> None:
    said = call(*([verb] if verb else []), "--help")
    assert said.out.startswith(f"Usage: rung {verb}".rstrip())
    assert "\\b" not in said.out
    assert max(map(len, said.out.splitlines())) <= 110


def test_without_a_verb_the_help_is_shown(call: Call) -> None:
    said = call(code=2)
    assert said.out == ""
    assert "Inside a trial:" in said.err


def test_version(call: Call) -> None:
    assert call("--version").out == "rung 0.1.0\n"


def test_listings_take_every_format() -> None:
    for name in ("ls", "show", "trials", "best", "why", "replay", "doctor", "plan", "lint"):
        spelt = {spelling for option in commands()[name].params for spelling in option.opts}
        assert {"--format", "--json"} <= spelt, name


def test_an_error_of_the_system_is_one_line(call: Call, tmp_path: object) -> None:
    said = call("convert", "/proc/self/mem", code=None)
    assert said.code in {1, 2}
    assert said.err.count("\n") == 1


@pytest.mark.parametrize(
    ("word", "ending"), [("zzz", ", ... (see rung --help)"), ("rn", "did you mean `run`? (see rung --help)")]
)
def test_an_unknown_verb_is_one_line(call: Call, word: str, ending: str) -> None:
    said = call(word, code=2)
    assert said.err.startswith(f"rung: no verb `{word}`")
    assert said.err.endswith(f"{ending}\n")
    assert said.err.count("\n") == 1
