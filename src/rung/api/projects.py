"""The project folder: which study files and scripts lie in it, found by reading alone. Nothing of them is run.

A file is named by its path from the folder, and looked at anew whenever it is used: what was a file when it was listed
may be a link by then.
"""

from __future__ import annotations

import os
import stat
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Literal

import msgspec

from rung.api.scripts import read_script
from rung.api.studyfiles import STUDY_FILES, dialect_of, script_dialect
from rung.dialects import read_text
from rung.dialects.base import Asked
from rung.dialects.positions import MAX_BYTES
from rung.dialects.synetune.driver_scripts import is_launcher
from rung.dialects.synetune.scripts import read_script as read_declaration
from rung.dialects.valohai.blueprints import read_blueprints
from rung.model import BadInput, RungError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

DEEPEST = 8  # folders within folders
MOST_LOOKED_AT = 20_000  # entries of folders
MOST_FILES = 2_000  # that may be study files or scripts, and so are read
SKIPPED = frozenset({"runs", "node_modules", "__pycache__", "venv", "env", "site-packages", "build", "dist"})
_JSONNET = frozenset({".jsonnet", ".libsonnet"})
_NO_LINK = "is no file that lies in the project folder itself; links are not followed"


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    """Something that can be started. `file` is its path from the project folder; `dialect`: its format, "script" for a
    Python script; `step` and `task` choose within a Valohai file. `problem`: why it cannot be used, in one line."""

    file: str
    dialect: str
    kind: Literal["study", "script", "step", "task"]
    step: str | None = None
    task: str | None = None
    parameters: int = 0
    problem: str | None = None


class Project(msgspec.Struct, frozen=True, kw_only=True):
    """What there is to choose from. `left_out`: there is more than was looked at."""

    folder: str
    choices: list[Choice]
    left_out: bool


def project(folder: Path, *, besides: Sequence[Path] = ()) -> Project:
    """The study files and scripts in the folder, by path; not those in `besides`, in hidden folders and in what tools
    install there."""
    found: list[Choice] = []
    candidates, left_out = _candidates(folder.resolve(), {path.resolve() for path in besides})
    for path in candidates:
        name = path.relative_to(folder.resolve()).as_posix()
        try:
            looked = path.lstat()
            found += _classified(path, name, looked.st_mtime_ns, looked.st_size)
        except OSError:  # gone, or not ours to read
            continue
    return Project(folder=str(folder), choices=found, left_out=left_out)


def _candidates(folder: Path, besides: set[Path]) -> tuple[list[Path], bool]:
    """The regular files that may be study files or scripts, and whether there were too many."""
    found: list[Path] = []
    looked_at = 0
    for here, folders, files in os.walk(folder, followlinks=False):
        place = Path(here)
        deep = len(place.relative_to(folder).parts) >= DEEPEST
        folders[:] = [] if deep else sorted(name for name in folders if _is_shown(name) and place / name not in besides)
        looked_at += len(files) + len(folders)
        for name in sorted(files):
            if Path(name).suffix.lower() in STUDY_FILES | {".py"} and not name.startswith("."):
                looked = (place / name).lstat()
                if stat.S_ISREG(looked.st_mode) and looked.st_size <= MAX_BYTES:
                    found.append(place / name)
        if looked_at > MOST_LOOKED_AT or len(found) > MOST_FILES:
            return found[:MOST_FILES], True
    return found, False


def _is_shown(name: str) -> bool:
    return not name.startswith(".") and name not in SKIPPED


@lru_cache(maxsize=4096)
def _classified(path: Path, name: str, changed: int, size: int) -> tuple[Choice, ...]:  # noqa: ARG001 - part of the key
    """What the file offers, looked at once for each time that it was written; nothing for a file of another kind."""
    try:
        return tuple(_script(path, name) if path.suffix == ".py" else _study_file(path, name))
    except RecursionError:
        return ()


def _script(path: Path, name: str) -> Iterator[Choice]:
    text = path.read_text("utf-8", "replace")
    if is_launcher(text):
        return
    dialect = script_dialect(path)
    if dialect is not None:
        problem = unreadable(text, name)
        yield Choice(file=name, dialect=dialect.name, kind="study", problem=problem)
        return
    try:
        found = read_script(path)
    except BadInput:
        return
    count = len([option for option in found.options if not option.switch]) + len(found.declared)
    if count or found.uses_rung:
        yield Choice(file=name, dialect="script", kind="script", parameters=count)


def unreadable(text: str, name: str) -> str | None:
    """Why reading alone does not tell what a Python file declares; None where it does."""
    try:
        if read_declaration(text, file=name).space is not None:
            return None
    except BadInput as error:
        return str(error)
    return f"only running the file would tell its space, which the page never does: rung run {name}"


def _study_file(path: Path, name: str) -> Iterator[Choice]:
    try:
        text = read_text(path)
        dialect = dialect_of(path, text, name)
    except BadInput:
        return
    if dialect.name == "valohai":
        yield from _of_valohai(text, name)
        return
    if path.suffix.lower() in _JSONNET:  # to evaluate it is to run it: not before somebody chooses it
        yield Choice(file=name, dialect=dialect.name, kind="study")
        return
    try:
        spec = dialect.read(text, file=name, asked=Asked(folder=path.parent))
    except RungError as error:
        yield Choice(file=name, dialect=dialect.name, kind="study", problem=str(error))
        return
    problem = None if spec.runs_something else f"names no program: rung run {name} -- COMMAND"
    count = len([p for p in spec.parameters if p.type != "constant"])
    yield Choice(file=name, dialect=dialect.name, kind="study", parameters=count, problem=problem)


def _of_valohai(text: str, name: str) -> Iterator[Choice]:
    try:
        blueprints = read_blueprints(text, file=name)
    except BadInput as error:
        yield Choice(file=name, dialect="valohai", kind="study", problem=str(error))
        return
    for step in blueprints.steps.values():
        count = len(step.parameters)
        yield Choice(file=name, dialect="valohai", kind="step", step=step.name, parameters=count)
    for task in blueprints.tasks.values():
        of = blueprints.steps.get(task.step)
        problem = None if of else f"task {task.name} is of step {task.step}, which is not in the file"
        problem = "distributed tasks are not run here" if task.type == "distributed" else problem
        yield Choice(
            file=name, dialect="valohai", kind="task", step=task.step, task=task.name,
            parameters=len(of.parameters) if of else 0, problem=problem,
        )  # fmt: skip


def inside(folder: Path, file: str) -> Path:
    """The regular file of that path in the folder, each part of the path opened without following a link.

    Raises `BadInput` for anything else: an absolute path, `..`, a hidden file, a link, a device, a file that is no
    study file and no script.
    """
    parts = PurePosixPath(file).parts
    if not parts or "\0" in file or file.startswith("/") or any(p == ".." or p.startswith(".") for p in parts):
        raise BadInput(_NO_LINK, place=repr(file))
    if Path(parts[-1]).suffix.lower() not in STUDY_FILES | {".py"}:
        raise BadInput("is neither a study file nor a Python script: describe it in a study file", place=repr(file))
    root = folder.resolve()
    opened = [os.open(root, os.O_RDONLY | os.O_DIRECTORY)]
    try:
        for part in parts[:-1]:
            opened.append(os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=opened[-1]))
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK  # a pipe must not hold us
        opened.append(os.open(parts[-1], flags, dir_fd=opened[-1]))
        if not stat.S_ISREG(os.fstat(opened[-1]).st_mode):
            raise BadInput(_NO_LINK, place=repr(file))
    except (OSError, ValueError):
        there = os.path.lexists(root.joinpath(*parts)) if len(file) < 4096 else False
        raise BadInput(_NO_LINK if there else "no such file in the project folder", place=repr(file)) from None
    finally:
        for descriptor in opened:
            os.close(descriptor)
    return root.joinpath(*parts)
