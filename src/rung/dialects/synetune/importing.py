"""What only importing the user's file can tell: done in a process of its own, with the Python that runs the trials.

The file is one that the user named on the command line (ARCHITECTURE rule 13); nothing of it runs in this process.
"""

from __future__ import annotations

import functools
import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rung.dialects.shims import shim_environment
from rung.model import BadInput

if TYPE_CHECKING:
    from collections.abc import Mapping

LIMIT_S = 120.0
_PROBE = str(Path(__file__).with_name("probe.py"))


def python() -> str:
    """The Python that runs the user's scripts: the one on PATH."""
    return "python" if shutil.which("python") else "python3"


def space_of(path: Path, *, shown: str) -> dict[str, Any]:
    """`space` (the JSON of `_config_space`, None without one) and `names` (texts at the top), of the file imported.

    Raises `BadInput` with the last line of what went wrong.
    """
    return _asked(path, None, {}, shown)


def definitions_of(path: Path, function: str, options: Mapping[str, Any], *, shown: str) -> dict[str, Any]:
    """The benchmark definitions that `function` of the file returns, called with those of `options` that it takes, by
    name; empty where it needs arguments or returns something else.

    Raises `BadInput` with the last line of what went wrong.
    """
    found: dict[str, Any] = _asked(path, function, options, shown)["definitions"]
    return found


def _asked(path: Path, function: str | None, options: Mapping[str, Any], shown: str) -> dict[str, Any]:
    question = json.dumps({"file": str(path.absolute()), "function": function, "options": dict(options)})
    answer: dict[str, Any] = json.loads(_answer(question, str(Path.cwd()), path.stat().st_mtime_ns, shown))
    return answer


@functools.lru_cache(maxsize=32)
def _answer(question: str, cwd: str, changed: int, shown: str) -> str:  # noqa: ARG001 - part of the key
    """What `probe.py` says, asked once for each time that the file was written (`changed`)."""
    argv = [python(), _PROBE]
    environment = {**os.environ, **shim_environment("synetune", "syne_tune", argv, cwd)}
    try:
        done = subprocess.run(
            argv, input=question, cwd=cwd, env=environment, capture_output=True, text=True, timeout=LIMIT_S,
            check=False, errors="replace",
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise BadInput(f"importing it took more than {LIMIT_S:g} s", place=shown) from None
    except OSError as error:
        raise BadInput(f"it could not be imported: {argv[0]}: {error.strerror}", place=shown) from None
    lines = done.stdout.strip().splitlines()
    if done.returncode or not lines:
        said = done.stderr.strip().splitlines() or [f"{argv[0]} ended with {done.returncode}"]
        raise BadInput(f"importing it failed: {said[-1]:.300}", place=shown)
    return lines[-1]
