"""`workspace.py`, run in a trial: a private copy of the working directory, and the program started in it.

`source.json` in the attempt's directory says what to do (`Plan`). The copy is `workspace/`; values are substituted in
one script of it; `source.diff` says what that changed. Then this process becomes the program, in the copy. What lies in
the user's own directory is only read. Stdlib only; started by its path, so that nothing beside the user's script can
take the place of a module.

Left out of the copy: what the runner writes (its directory of studies, its stores), `.git`, caches of Python, event
files of earlier runs, what `.studioml_ignore` names, and what is neither file nor folder. A virtual environment is
linked, not copied.
"""

from __future__ import annotations

import fnmatch
import json
import os
import sys
from pathlib import Path

if __name__ == "__main__":  # started by path, with nothing but the standard library in sight
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from rung.inside import snapshot, wire
from rung.inside.substitution import are_names, difference, known_names, substituted

TYPE_CHECKING = False  # not `typing.TYPE_CHECKING`: importing typing costs 3 ms
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any

PLAN = "source.json"
COPY = "workspace"
DIFF = "source.diff"
IGNORE = ".studioml_ignore"
SKIPPED_NAMES = frozenset({".git", ".hg", ".svn", "__pycache__"})
_EVENTS = "tfevents"
_ENVIRONMENT = "pyvenv.cfg"  # marks the folder of a virtual environment
_SQLITE = b"SQLite format 3\0"
_STORE_ID = (1381322311).to_bytes(4, "big")  # application_id of a store of ours, at byte 68 of its file
_BESIDE_STORE = ("-wal", "-shm", "-journal")


class Plan:
    """What `source.json` says. `cwd`: the directory to copy; `script`: the file in it to substitute, relative;
    `values`: by name; `words`: all values that a parameter may take, for those that are texts; `argv`: the program;
    `at`: which of its words begins with the script's path, None where it goes by another name; `tail`: what follows
    it in that word."""

    def __init__(self, record: dict[str, Any], directory: str) -> None:
        self.directory = Path(directory)
        self.cwd = Path(record["cwd"])
        self.script: str = record["script"]
        self.values: dict[str, object] = wire.from_wire(record["values"])  # type: ignore[assignment]
        self.words: dict[str, list[object]] = record.get("words", {})
        self.argv: list[str] = record["argv"]
        self._at: int | None = record["at"]
        self._tail: str = record["tail"]

    @property
    def copy(self) -> Path:
        """Where the copy of the working directory is."""
        return self.directory / COPY

    @property
    def runs(self) -> Path:
        """The directory of all studies: an attempt's is RUNS/STUDY/TRIAL/ATTEMPT."""
        return self.directory.parents[2]

    def command(self) -> list[str]:
        """The program's words, with the script of the copy."""
        own = f"{self.copy / self.script}{self._tail}"
        return [own if index == self._at else word for index, word in enumerate(self.argv)]


def read_plan(name: str = PLAN) -> tuple[Plan, dict[str, Any]]:
    """The plan of the trial that this process runs in, and all that its file says."""
    directory = os.environ[wire.TRIAL_DIR]
    record = json.loads(Path(directory, name).read_text("utf-8"))
    return Plan(record, directory), record


def prepare(plan: Plan) -> None:
    """The copy stands, with its script substituted, and `source.diff` beside it. Raises `OSError`."""
    for text in copied(plan.cwd, plan.copy, left_out=_runners_own(plan)):
        sys.stderr.write(f"rung: {text}\n")
    script = plan.copy / plan.script
    before = script.read_bytes().decode("utf-8", "surrogateescape")
    python = script.suffix in {".py", ".pyw"}
    known = known_names(before) if python and plan.words else frozenset()
    bare = [name for name, words in plan.words.items() if are_names(words, known)]
    after = substituted(before, plan.values, python=python, bare=bare)
    if after != before:
        replace(script, after.encode("utf-8", "surrogateescape"))
    (plan.directory / DIFF).write_bytes(difference(plan.script, before, after).encode("utf-8", "surrogateescape"))


def replace(path: Path, content: bytes) -> None:
    """The file at `path` holds `content`, under the same mode; it is another file than the one it may be linked to."""
    mode = path.stat().st_mode & 0o777
    path.unlink()
    path.write_bytes(content)
    path.chmod(mode)


def _runners_own(plan: Plan) -> list[Path]:
    """What the runner writes inside the working directory: all studies, or this one where they lie beside the code."""
    runs = plan.runs
    own = plan.directory.parents[1]
    return [own] if plan.cwd == runs or plan.cwd.is_relative_to(runs) else [runs, own]


# ---------------------------------------------------------------------------------------------------------- copying


def copied(source: Path, target: Path, *, left_out: Iterable[Path] = ()) -> list[str]:
    """`target`, which did not exist, holds what is in `source` but for what is left out; returns what could not be
    copied and why, a line each.

    Blocks are shared where the file system can. Links that lead out of `source` are made absolute. Raises `OSError`
    when the copy itself cannot be written.
    """
    rules = [Rule(line) for line in _ignored(source / IGNORE)]
    hidden = {os.path.realpath(path) for path in left_out}
    target.mkdir(parents=True)
    complaints: list[str] = []
    _copy_folder(source, target, "", rules, hidden, complaints)
    return complaints


def _ignored(path: Path) -> list[str]:
    """The patterns of a file in the style of rsync's `--exclude-from`."""
    try:
        lines = path.read_text("utf-8", "replace").splitlines()
    except OSError:
        return []
    return [line.strip() for line in lines if line.strip() and line.lstrip()[0] not in "#;"]


class Rule:
    """One pattern of `.studioml_ignore`: `/x` is anchored at the top, `x/` a folder only, `a/b` the end of a path."""

    def __init__(self, text: str) -> None:
        text = text.removeprefix("- ")
        self.folders = text.endswith("/")
        self.anchored = text.startswith("/")
        self.pattern = text.strip("/")

    def matches(self, path: str, *, folder: bool) -> bool:
        """Whether `path`, relative to the top, is meant."""
        if not self.pattern or (self.folders and not folder):
            return False
        if self.anchored:
            return _fits(path.split("/"), self.pattern.split("/"))
        parts, wanted = path.split("/"), self.pattern.split("/")
        if "**" in wanted:
            return fnmatch.fnmatchcase(path, self.pattern)
        return _fits(parts[-len(wanted) :], wanted)


def _fits(parts: Sequence[str], patterns: Sequence[str]) -> bool:
    return len(parts) == len(patterns) and all(map(fnmatch.fnmatchcase, parts, patterns))


def _copy_folder(
    source: Path, target: Path, path: str, rules: Sequence[Rule], hidden: set[str], complaints: list[str]
) -> None:
    try:
        with os.scandir(source / path) as listing:
            entries = sorted(listing, key=lambda entry: entry.name)
    except OSError as error:
        complaints.append(f"{source / path} is not in the trial's copy: {error.strerror}")
        return
    stores = {name for entry in entries if _is_store(entry) for name in _with_companions(entry.name)}
    for entry in entries:
        name = f"{path}/{entry.name}" if path else entry.name
        folder = entry.is_dir(follow_symlinks=False)
        if entry.name in SKIPPED_NAMES or entry.name in stores or entry.path in hidden:
            continue
        if any(rule.matches(name, folder=folder) for rule in rules) or (_EVENTS in entry.name and not folder):
            continue
        if entry.is_symlink():
            _copy_link(source, target, name)
        elif folder and Path(entry.path, _ENVIRONMENT).is_file():
            (target / name).symlink_to(entry.path)
        elif folder:
            (target / name).mkdir()
            _copy_folder(source, target, name, rules, hidden, complaints)
        elif entry.is_file(follow_symlinks=False):
            _copy_file(Path(entry.path), target / name, complaints)


def _is_store(entry: os.DirEntry[str]) -> bool:
    """Whether the file is a store of ours: a trial needs no copy of all studies."""
    if not entry.is_file(follow_symlinks=False):
        return False
    try:
        if entry.stat().st_size < 100:  # bytes of SQLite's header
            return False
        with open(entry.path, "rb") as file:  # noqa: PTH123 - an entry is no Path
            header = file.read(72)
    except OSError:
        return False
    return header.startswith(_SQLITE) and header[68:72] == _STORE_ID


def _with_companions(name: str) -> list[str]:
    return [name, *(name + ending for ending in _BESIDE_STORE)]


def _copy_link(source: Path, target: Path, name: str) -> None:
    """A link leads where it led, or to the same place in the copy where it led into the working directory."""
    to = os.readlink(source / name)  # noqa: PTH115 - the text as it is
    led = os.path.normpath(source / Path(name).parent / to)
    inside = led == str(source) or led.startswith(f"{source}/")
    if not inside:
        (target / name).symlink_to(led)
    elif os.path.isabs(to):  # noqa: PTH117
        (target / name).symlink_to(target / os.path.relpath(led, source))
    else:
        (target / name).symlink_to(to)


def _copy_file(source: Path, target: Path, complaints: list[str]) -> None:
    try:
        reader = os.open(source, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        complaints.append(f"{source} is not in the trial's copy: {error.strerror}")
        return
    try:
        status = os.fstat(reader)
        writer = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            if not snapshot.cloned(reader, writer):
                snapshot.pour(reader, writer)
            os.fchmod(writer, status.st_mode & 0o777)
            os.utime(writer, ns=(status.st_atime_ns, status.st_mtime_ns))
        finally:
            os.close(writer)
    finally:
        os.close(reader)


def enter(plan: Plan) -> None:
    """This process, and what it starts, is in the copy."""
    os.chdir(plan.copy)
    os.environ["PWD"] = str(plan.copy)


def main() -> int:
    """The program runs in the copy, in this process's place; returns only an exit code for what cannot be started."""
    plan, _ = read_plan()
    try:
        prepare(plan)
        enter(plan)
        argv = plan.command()
        os.execvp(argv[0], argv)  # noqa: S606 - an argv, no shell
    except OSError as error:
        sys.stderr.write(f"rung: {error.filename or plan.argv[0]}: {error.strerror or error}\n")
        return 126 if isinstance(error, PermissionError) else 127


if __name__ == "__main__":
    raise SystemExit(main())
