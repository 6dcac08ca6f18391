"""`reuse-children`: an execution that ran before, with the same code, commands, values and inputs, is not run again.

What ran before is looked for among the directories of all studies beside this one, once a process. A reused execution
is a program that says again what the earlier one said, and copies its outputs.
"""

from __future__ import annotations

import functools
import hashlib
import json
import subprocess
from pathlib import Path
from typing import Any

KEY = "rung.same-as"
_AGAIN = 'printf "reused: %s\\n" "$1" && cat "$1/stdout" && cp -R "$1/outputs/." "$2/outputs/"'
_LIMIT_S = 20.0


def key_of(what: Any, cwd: str) -> str | None:
    """What two executions that would do the same have in common: `what` (JSON) and the commit. None where the code is
    not that of a commit: nobody can tell that it is the same."""
    commit = commit_of(cwd)
    if commit is None:
        return None
    text = json.dumps([commit, what], sort_keys=True)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


@functools.lru_cache(maxsize=64)
def commit_of(cwd: str) -> str | None:
    """The commit that is checked out in a folder; None outside a repository, and where a file of it was changed."""
    head = _git(cwd, "rev-parse", "--verify", "HEAD")
    changed = _git(cwd, "status", "--porcelain", "--untracked-files=no")
    return head.strip() if head and changed == "" else None


def _git(cwd: str, *words: str) -> str | None:
    try:
        done = subprocess.run(
            ["git", *words], cwd=cwd or None, capture_output=True, text=True, timeout=_LIMIT_S, check=False,
            stdin=subprocess.DEVNULL,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None


def again(earlier: str, directory: str) -> tuple[str, ...]:
    """The program of an attempt in `directory` that repeats what the one in `earlier` said."""
    return ("sh", "-c", _AGAIN, "valohai", earlier, directory)


def earlier_attempt(key: str, directory: str) -> str | None:
    """The directory of an attempt that did the same and succeeded, of another trial than that of `directory`."""
    trial = Path(directory).parent
    found = _attempts(str(trial.parent.parent)).get(key)
    return None if found is None or Path(found).parent == trial else found


@functools.lru_cache(maxsize=4)
def _attempts(runs: str) -> dict[str, str]:
    """The attempts below `runs` that succeeded, by key; of several the first."""
    found: dict[str, str] = {}
    for path in sorted(Path(runs).glob("*/*/*/config/execution.json")):
        attempt = path.parent.parent
        try:
            key = json.loads(path.read_text(encoding="utf-8")).get(KEY)
            good = (attempt / "exit").read_text(encoding="utf-8").split()[:1] == ["0"]
        except (OSError, ValueError, AttributeError):  # of something else, or torn: it is not one to reuse
            continue
        if key is not None and good:
            found.setdefault(key, str(attempt))
    return found
