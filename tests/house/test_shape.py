"""How big files are and how they are called."""

from __future__ import annotations

from pathlib import Path

import pytest

import rung

LONGEST = 500
LONGEST_FRONT_DOOR = 350
FRONT_DOORS = ("__init__.py", "plugins.py", "cli/main.py", "api/*.py")
PUBLIC = {"report", "params", "trial", "load", "tune", "should_stop", "checkpoint_dir", "best"}
SAYS_NOTHING = {"utils", "util", "helpers", "helper", "common", "misc", "manager", "core", "base_utils"}


@pytest.fixture(scope="module")
def modules(root: Path) -> list[Path]:
    """The package's modules, relative to its root; but for the shims, whose names are other people's."""
    home = root / "src" / "rung"
    return [p for path in sorted(home.rglob("*.py")) if "shim" not in (p := path.relative_to(home)).parts]


def test_no_file_is_longer_than_a_reader_can_hold(root: Path, modules: list[Path]) -> None:
    lengths = {path: len((root / "src" / "rung" / path).read_text().splitlines()) for path in modules}
    caps = {path: LONGEST_FRONT_DOOR if any(path.match(door) for door in FRONT_DOORS) else LONGEST for path in modules}
    too_long = {str(path): length for path, length in lengths.items() if length > caps[path]}
    assert not too_long, too_long


def test_no_module_bears_a_public_name(modules: list[Path]) -> None:
    public = PUBLIC | set(rung.__all__)
    assert public >= PUBLIC
    stems = {path.stem if path.stem != "__init__" else path.parent.name for path in modules}
    assert not stems & public


def test_shims_bear_the_names_of_what_they_stand_for(root: Path) -> None:
    shims = {path.parent.name for path in (root / "src" / "rung" / "dialects").glob("*/shim")}
    assert shims <= {"determined", "hyperopt", "studioml", "synetune", "valohai"}


def test_module_names_say_what_is_inside(modules: list[Path]) -> None:
    assert not {path.stem for path in modules} & SAYS_NOTHING


def test_public_names_exist_and_are_documented() -> None:
    for name in rung.__all__:
        assert getattr(rung, name).__doc__, name
