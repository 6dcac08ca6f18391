"""The documents say what the program does: every verb, key, variable and file is in them, and their examples are read."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import click
import msgspec
import pytest

from rung.cli.group import front_door
from rung.dialects import RungDialect
from rung.dialects.rung.sections import KEYS
from rung.inside import wire
from rung.model import Budget, Objective, Outcome, RunSettings, ScheduleSpec, SearchSpec
from rung.space.validation import FIELDS
from rung.study.transitions import mermaid

SECTIONS: dict[str, type[msgspec.Struct]] = {
    "objective": Objective,
    "outcomes": Outcome,
    "search": SearchSpec,
    "schedule": ScheduleSpec,
    "budget": Budget,
    "run": RunSettings,
}
_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")


def documents(root: Path) -> dict[Path, str]:
    """The text of every document for users and contributors."""
    paths = [*root.glob("*.md"), *(root / "docs").rglob("*.md"), *(root / "examples").rglob("*.md")]
    return {path: path.read_text() for path in sorted(paths)}


def blocks(text: str, language: str) -> Iterator[str]:
    """The fenced blocks of that language."""
    return (match[2] for match in _FENCE.finditer(text) if match[1] == language)


def commands() -> Iterator[tuple[str, click.Command]]:
    """The verbs of the command line."""
    context = click.Context(front_door)
    for verb in front_door.list_commands(context):
        command = front_door.get_command(context, verb)
        assert command is not None, verb
        yield verb, command


def test_every_verb_is_documented_and_has_help(root: Path) -> None:
    text = (root / "README.md").read_text()
    verbs = dict(commands())
    assert {"run", "plan", "resume", "best", "doctor"} <= set(verbs)
    assert not [verb for verb in verbs if not re.search(rf"`rung {verb}\b", text)]
    assert not [verb for verb, command in verbs.items() if not (command.help or "").strip()]


def test_every_option_has_help() -> None:
    silent = [
        f"{verb} {option.opts[0]}"
        for verb, command in commands()
        for option in command.params
        if isinstance(option, click.Option) and not option.hidden and not option.help
    ]
    assert not silent


def test_the_verbs_that_documents_name_exist(root: Path) -> None:
    verbs = {verb for verb, _ in commands()}
    for path, text in documents(root).items():
        named = set(re.findall(r"(?:`|^\s*\$? ?)rung ([a-z]+)\b", text, re.MULTILINE))
        assert named <= verbs, (path, named - verbs)


def test_every_link_leads_somewhere(root: Path) -> None:
    for path, text in documents(root).items():
        for target in _LINK.findall(text):
            if "://" not in target:
                assert (path.parent / target).exists(), f"{path.relative_to(root)}: {target}"


def test_the_diagram_of_trial_states_is_current(root: Path) -> None:
    text = (root / "docs" / "trial-states.md").read_text()
    assert [block.strip() for block in blocks(text, "mermaid")] == [mermaid().strip()]


def test_every_decision_record_is_listed(root: Path) -> None:
    folder = root / "docs" / "adr"
    listed = (folder / "README.md").read_text()
    records = sorted(folder.glob("[0-9]*.md"))
    assert [int(path.name[:4]) for path in records] == list(range(1, len(records) + 1))
    for path in records:
        title = path.read_text().splitlines()[0].removeprefix("# ")
        assert f"]({path.name})" in listed, path.name
        assert title in listed, f"{path.name} is listed under another title than {title!r}"
        assert len(path.read_text().splitlines()) <= 50, path.name


def test_every_key_of_a_study_file_is_documented(root: Path) -> None:
    text = (root / "docs" / "study-file.md").read_text()
    fields = {
        f"{section}.{field.removesuffix('_s')}"
        for section, struct in SECTIONS.items()
        for field in struct.__struct_fields__
        if field != "options"
    }
    domain = {field for of_kind in FIELDS.values() for field in of_kind} | (set(FIELDS) - {"constant"})
    missing = [key for key in (*KEYS, *sorted(fields), *sorted(domain)) if f"`{key}`" not in text]
    assert not missing


@pytest.mark.parametrize("name", ["README.md", "docs/study-file.md"])
def test_the_study_files_in_documents_are_read(root: Path, name: str) -> None:
    found = list(blocks((root / name).read_text(), "yaml"))
    assert found
    for text in found:
        spec = RungDialect().read(text, file=name)
        assert spec.parameters


def test_every_variable_of_a_trial_is_documented(root: Path) -> None:
    text = (root / "docs" / "inside-a-trial.md").read_text()
    assert not [name for name in wire.TRIAL_VARIABLES if f"`{name}`" not in text]


def test_every_file_of_an_attempt_is_documented(root: Path) -> None:
    text = (root / "docs" / "how-it-survives.md").read_text()
    files = (
        wire.STARTED,
        wire.EXIT,
        wire.STDOUT,
        wire.STDERR,
        wire.REPORTS,
        wire.PARAMS,
        wire.STOP,
        f"{wire.WORKING_COPY}/",
        f"{wire.SNAPSHOTS}/",
    )
    assert not [name for name in files if f"`{name}`" not in text]


def test_every_change_is_one_sentence_of_a_known_kind(root: Path) -> None:
    entries = [path for path in (root / "changelog.d").glob("*.md") if path.name != "README.md"]
    assert entries
    for path in entries:
        assert re.fullmatch(r"[a-z0-9-]+\.(added|changed|fixed|removed|security)\.md", path.name), path.name
        text = path.read_text().strip()
        assert text.endswith("."), path.name
        assert "\n\n" not in text, path.name
