"""What a study ran on: code, machine and packages, recorded when it is created."""

from __future__ import annotations

import hashlib
import platform
import re
import shutil
import subprocess
from typing import TYPE_CHECKING, Any

from rung.plugins import plugin_files
from rung.runner.identity import host, who

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from rung.model import StudySpec
    from rung.study.events import StudyCreated

_FIELD = re.compile(r"^(Name|Version):[ \t]*(.*\S)", re.MULTILINE | re.IGNORECASE)
DIFF_KEPT = 256 * 1024  # bytes of a dirty tree's diff; a longer one keeps its hash and its beginning


def collect(spec: StudySpec, *, cwd: Path, runs: Path, command_line: list[str], surface: str) -> dict[str, Any]:
    """Commit and dirty diff, the command line, Python and packages, the hash of the script, and where it ran."""
    return {
        "who": who(surface),
        "host": host(),
        "cwd": str(cwd),
        "runs": str(runs),
        "command_line": command_line,
        "python": platform.python_version(),
        "platform": platform.platform(),
        "packages": packages(),
        "git": git_state(cwd),
        "script": script_hash(spec, cwd),
        "plugins": {str(path): _sha256(path) for path in plugin_files(spec)},
    }


def packages() -> dict[str, str]:
    """The installed distributions and their versions."""
    from importlib.metadata import distributions  # who only looks at a study does not pay

    # Two lines of each file's head: `Distribution.metadata` parses it whole, each time, which takes 20 times as long.
    texts = (d.read_text("METADATA") or d.read_text("PKG-INFO") or d.read_text("") or "" for d in distributions())
    heads = (dict(_fields(text.partition("\n\n")[0])) for text in texts)
    found = {head["name"]: head.get("version", "") for head in heads if "name" in head}
    return dict(sorted(found.items(), key=lambda item: item[0].lower()))


def _fields(head: str) -> Iterator[tuple[str, str]]:
    """The name and the version in the head of a distribution's metadata, the first of each last."""
    return ((name.lower(), value) for name, value in reversed(_FIELD.findall(head)))


def git_state(cwd: Path) -> dict[str, Any] | None:
    """The commit that `cwd` is at and what differs from it; None outside a repository or without git."""
    commit = _git(cwd, "rev-parse", "HEAD")
    if commit is None:
        return None
    diff = _git(cwd, "diff", "HEAD", "--no-color", "--no-ext-diff") or b""
    untracked = _git(cwd, "ls-files", "--others", "--exclude-standard", "--directory") or b""
    return {
        "commit": commit.decode().strip(),
        "dirty": bool(diff),
        "diff": diff[:DIFF_KEPT].decode(errors="replace"),
        "diff_sha256": hashlib.sha256(diff).hexdigest() if diff else None,
        "untracked": untracked.decode(errors="replace").splitlines()[:100],
    }


def _git(cwd: Path, *arguments: str) -> bytes | None:
    program = shutil.which("git")
    if program is None:
        return None
    try:
        done = subprocess.run([program, "-C", str(cwd), *arguments], capture_output=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None


def script_hash(spec: StudySpec, cwd: Path) -> dict[str, str] | None:
    """The file that the trials run, and its SHA-256; None when the command names no file."""
    words = list(spec.command or ())
    if spec.function is not None:
        words = [spec.function.rpartition(":")[0]]
    for word in words:
        path = cwd / word
        if path.is_file() and not _is_program(path):
            return {"path": str(path), "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
    return None


def changed_plugins(created: StudyCreated) -> list[str]:
    """A line for each plug-in file that is not as it was when the study was created."""
    known: dict[str, str] = created.provenance.get("plugins", {})
    return [
        f"the plug-in {path} has changed since the study was created: what it proposes may differ"
        for path in plugin_files(created.spec)
        if path.is_file() and known.get(str(path)) not in {None, _sha256(path)}
    ]


def _sha256(path: Path) -> str | None:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else None


def _is_program(path: Path) -> bool:
    return path.name.startswith("python") or path.parent.name in {"bin", "sbin"}
