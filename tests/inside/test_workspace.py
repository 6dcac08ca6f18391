from __future__ import annotations

import contextlib
import json
import os
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from rung import store
from rung.inside import workspace
from rung.inside.workspace import Plan, Rule, copied


def tree(folder: Path) -> set[str]:
    """The files and links below a folder."""
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if not path.is_dir() or path.is_symlink()}


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A working directory with some of everything."""
    made = tmp_path / "work dir"
    for name in ("train.py", "lib/net.py", "lib/deep/x.txt", ".hidden", "data/big.bin", "__pycache__/a.pyc", ".git/HEAD",
                 "logs/events.out.tfevents.1", "notes.tmp", "venv/pyvenv.cfg", "venv/bin/python"):  # fmt: skip
        path = made / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    (made / "train.py").chmod(0o755)
    (made / "empty").mkdir()
    return made


def test_the_copy_has_the_files_their_modes_and_times(source: Path, tmp_path: Path) -> None:
    os.utime(source / "lib/net.py", ns=(10**18, 10**18))
    assert copied(source, tmp_path / "copy") == []
    copy = tmp_path / "copy"
    assert tree(copy) == {"train.py", "lib/net.py", "lib/deep/x.txt", ".hidden", "data/big.bin", "notes.tmp", "venv"}
    assert (copy / "empty").is_dir()
    assert (copy / "train.py").stat().st_mode & 0o777 == 0o755
    assert (copy / "lib/net.py").stat().st_mtime_ns == 10**18
    assert (copy / "lib/net.py").read_text() == "lib/net.py"
    assert (copy / "venv").is_symlink()
    (copy / "lib/net.py").write_text("changed")
    assert (source / "lib/net.py").read_text() == "lib/net.py"


def test_what_is_ignored_is_left_out(source: Path, tmp_path: Path) -> None:
    (source / ".studioml_ignore").write_text("# comment\n; another\n\n/data/\n*.tmp\ndeep/x.txt\n- .hidden\n")
    copied(source, tmp_path / "copy")
    assert tree(tmp_path / "copy") == {"train.py", "lib/net.py", "venv", ".studioml_ignore"}


@pytest.mark.parametrize(
    ("rule", "path", "folder", "matches"),
    [
        ("data", "a/data", True, True),
        ("data", "a/data", False, True),
        ("data/", "a/data", False, False),
        ("/data", "a/data", True, False),
        ("/a/data", "a/data", True, True),
        ("a/*", "x/a/data", False, True),
        ("a/*", "x/a/b/data", False, False),
        ("a/**/c", "a/b/d/c", False, True),
        ("*.pyc", "a/b.pyc", False, True),
        ("[", "[", False, True),
        ("/", "a", True, False),
    ],
)
def test_rules_of_the_ignore_file(rule: str, path: str, folder: bool, matches: bool) -> None:
    assert Rule(rule).matches(path, folder=folder) is matches


def test_links_lead_where_they_led(source: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside.txt"
    outside.write_text("out")
    (source / "lib" / "up").symlink_to("../train.py")
    (source / "absolute").symlink_to(source / "train.py")
    (source / "out").symlink_to("../outside.txt")
    (source / "dangling").symlink_to("nowhere")
    copy = tmp_path / "far" / "away" / "copy"
    copied(source, copy)
    assert (copy / "lib" / "up").resolve() == copy / "train.py"
    assert (copy / "absolute").resolve() == copy / "train.py"
    assert (copy / "out").read_text() == "out"
    assert os.readlink(copy / "dangling") == "nowhere"


def test_stores_and_what_is_no_file_are_left_out(source: Path, tmp_path: Path) -> None:
    schema = Path(store.__file__).parent / "sql" / "schema.sql"
    with contextlib.closing(sqlite3.connect(source / "mine.db")) as mine:
        mine.executescript(schema.read_text())
    with contextlib.closing(sqlite3.connect(source / "theirs.db")) as theirs:
        theirs.executescript("create table t (x)")
    (source / "mine.db-wal").write_text("x")
    os.mkfifo(source / "pipe")
    copied(source, tmp_path / "copy")
    found = tree(tmp_path / "copy")
    assert "theirs.db" in found
    assert not found & {"mine.db", "mine.db-wal", "pipe"}


def test_what_cannot_be_read_is_said(source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = os.open

    def refuse(path: Any, *args: Any, **kwargs: Any) -> int:
        if str(path).endswith("net.py") and str(source) in str(path):
            raise PermissionError(13, "Permission denied", str(path))
        return opened(path, *args, **kwargs)

    monkeypatch.setattr(os, "open", refuse)
    [text] = copied(source, tmp_path / "copy")
    assert text == f"{source}/lib/net.py is not in the trial's copy: Permission denied"


# -------------------------------------------------------------------------------------------------------- the program


def attempt(source: Path, **plan: Any) -> Path:
    """The directory of an attempt among studies in the working directory, with its plan."""
    made = source / "runs" / "s" / "00000" / "1"
    made.mkdir(parents=True)
    record = {
        "cwd": str(source), "script": "train.py", "values": {}, "words": {}, "at": 1, "tail": "",
        "argv": [sys.executable, "train.py"], **plan,
    }  # fmt: skip
    (made / workspace.PLAN).write_text(json.dumps(record))
    return made


def run(directory: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-I", str(workspace.__file__)], env={**os.environ, "RUNG_TRIAL_DIR": str(directory)},
        cwd=directory.parents[3], capture_output=True, text=True, timeout=30,
    )  # fmt: skip


def test_the_program_runs_in_the_copy(source: Path) -> None:
    script = "import os, sys\nlr = 1\nprint(lr, sys.argv[1:], os.getcwd(), os.environ['PWD'])\n"
    (source / "train.py").write_text(script)
    (source / "json.py").write_text("raise SystemExit('a module of the user stood in')\n")
    directory = attempt(source, values={"lr": 0.5}, argv=[sys.executable, "train.py", "a b", "lr"])
    done = run(directory)
    copy = directory / "workspace"
    assert done.stdout == f"0.5 ['a b', 'lr'] {copy} {copy}\n", done.stderr
    assert (source / "train.py").read_text() == script
    assert "-print(lr, sys" in (directory / "source.diff").read_text()
    assert not (copy / "runs").exists()


def test_nothing_substituted_is_an_empty_diff(source: Path) -> None:
    (source / "train.py").write_text("raise SystemExit(7)\n")
    directory = attempt(source, values={"lr": 0.5})
    assert run(directory).returncode == 7
    assert (directory / "source.diff").read_text() == ""


def test_a_script_that_is_ignored_is_said(source: Path) -> None:
    (source / ".studioml_ignore").write_text("train.py\n")
    done = run(attempt(source))
    assert done.returncode == 127
    assert done.stderr.strip().endswith("workspace/train.py: No such file or directory")


def test_a_program_that_is_not_there_is_said(source: Path) -> None:
    done = run(attempt(source, argv=["no-such-program", "train.py"]))
    assert (done.returncode, done.stderr) == (127, "rung: no-such-program: No such file or directory\n")


def test_studies_beside_the_code_do_not_copy_themselves(source: Path) -> None:
    directory = source / "s" / "00000" / "1"  # rung run --dir .
    directory.mkdir(parents=True)
    record: dict[str, Any] = {
        "cwd": str(source),
        "script": "train.py",
        "values": {},
        "argv": ["true"],
        "at": None,
        "tail": "",
    }
    workspace.prepare(Plan(record, str(directory)))
    assert (directory / "workspace" / "train.py").is_file()
    assert not (directory / "workspace" / "s").exists()
