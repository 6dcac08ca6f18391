from __future__ import annotations

import hashlib
import itertools
import os
import platform
import subprocess
from importlib.metadata import distributions
from pathlib import Path

import pytest

from rung.api import provenance
from rung.model import SearchSpec, StudySpec
from rung.study.events import StudyCreated
from rung.testing.studies import study_spec


@pytest.fixture
def repository(here: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A git repository with one commit, alone in the world."""
    for name, value in (
        ("GIT_CONFIG_GLOBAL", os.devnull),
        ("GIT_CONFIG_NOSYSTEM", "1"),
        ("GIT_CEILING_DIRECTORIES", str(here.parent)),
    ):
        monkeypatch.setenv(name, value)
    git(here, "init", "-q")
    (here / "train.py").write_text("lr = 1\n")
    git(here, "add", "train.py")
    git(here, "-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "first")
    return here


def git(where: Path, *arguments: str) -> str:
    return subprocess.run(
        ["git", "-C", str(where), *arguments], check=True, capture_output=True, text=True
    ).stdout.strip()


def test_a_clean_repository(repository: Path) -> None:
    found = provenance.git_state(repository)
    assert found == {
        "commit": git(repository, "rev-parse", "HEAD"), "dirty": False, "diff": "", "diff_sha256": None, "untracked": [],
    }  # fmt: skip


def test_a_dirty_repository(repository: Path) -> None:
    (repository / "train.py").write_text("lr = 2\n")
    (repository / "new.py").write_text("x\n")
    found = provenance.git_state(repository)
    assert found is not None
    assert found["dirty"]
    assert "-lr = 1\n+lr = 2\n" in found["diff"]
    assert found["untracked"] == ["new.py"]
    assert len(found["diff_sha256"]) == 64


def test_what_is_staged_is_part_of_the_diff(repository: Path) -> None:
    (repository / "train.py").write_text("lr = 3\n")
    git(repository, "add", "train.py")
    found = provenance.git_state(repository)
    assert found is not None
    assert "+lr = 3" in found["diff"]


def test_a_long_diff_keeps_its_beginning_and_its_hash(repository: Path) -> None:
    (repository / "train.py").write_text("x = 1\n" * 100_000)
    found = provenance.git_state(repository)
    assert found is not None
    assert len(found["diff"]) == provenance.DIFF_KEPT
    full = subprocess.run(["git", "diff", "HEAD", "--no-color"], cwd=repository, check=True, capture_output=True).stdout
    assert found["diff_sha256"] == hashlib.sha256(full).hexdigest()


def test_outside_of_a_repository(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(here.parent))
    assert provenance.git_state(here) is None


def test_without_git(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(repository / "nothing"))
    assert provenance.git_state(repository) is None


def test_a_repository_without_a_commit(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(here.parent))
    git(here, "init", "-q")
    assert provenance.git_state(here) is None


@pytest.mark.parametrize(
    "spec",
    [
        StudySpec(command=("python", "train.py", "--lr", "{lr}")),
        StudySpec(command=("./train.py",)),
        StudySpec(function="train.py:objective"),
    ],
)
def test_the_script_is_hashed(here: Path, spec: StudySpec) -> None:
    (here / "train.py").write_bytes(b"lr = 1\n")
    (here / "python").write_bytes(b"no script")
    found = provenance.script_hash(spec, here)
    assert found == {"path": str(here / "train.py"), "sha256": hashlib.sha256(b"lr = 1\n").hexdigest()}


@pytest.mark.parametrize("spec", [StudySpec(command=("echo", "{lr}")), StudySpec(), StudySpec(function="os:getcwd")])
def test_what_is_no_script_is_not(here: Path, spec: StudySpec) -> None:
    assert provenance.script_hash(spec, here) is None


def test_a_plug_in_that_is_not_as_it_was(here: Path) -> None:
    path = here / "mine.py"
    path.write_text("one")
    spec = study_spec(search=SearchSpec(method=str(path)))
    found = provenance.collect(spec, cwd=here, runs=here / "runs", command_line=[], surface="cli")
    assert found["plugins"] == {str(path): hashlib.sha256(b"one").hexdigest()}
    created = StudyCreated(at=0.0, uid="0", spec=spec, seed=0, provenance=found)
    assert provenance.changed_plugins(created) == []
    path.write_text("two")
    assert [line.partition(" has changed")[0] for line in provenance.changed_plugins(created)] == [
        f"the plug-in {path}"
    ]
    path.unlink()
    assert provenance.changed_plugins(created) == []  # its absence is an error of its own


def test_everything_that_is_recorded(here: Path) -> None:
    found = provenance.collect(
        study_spec(), cwd=here, runs=here / "runs", command_line=["rung", "run", "x"], surface="cli"
    )
    assert set(found) == {
        "who", "host", "cwd", "runs", "command_line", "python", "platform", "packages", "git", "script",
        "plugins",
    }  # fmt: skip
    assert found["who"].startswith("cli:")
    assert found["python"] == platform.python_version()
    some = itertools.islice(distributions(), 12)
    assert {one.metadata["Name"]: one.version for one in some}.items() <= found["packages"].items()
    assert list(found["packages"]) == sorted(found["packages"], key=str.lower)
    assert (found["cwd"], found["runs"], found["command_line"]) == (str(here), str(here / "runs"), ["rung", "run", "x"])
