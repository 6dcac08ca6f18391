"""Stand-ins for other tuners' client modules: on a trial's path only where the real package is absent."""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_HERE = Path(__file__).parent
BRIDGE = str(_HERE / "bridge")
"""Makes `rung` importable for a trial whose Python does not have it."""
_PROBE = "import importlib.util, sys; sys.exit(0 if importlib.util.find_spec(sys.argv[1]) is None else 1)"
_PROBE_LIMIT_S = 20.0


def shim_path(dialect: str) -> str:
    """The folder that holds the stand-ins of a dialect."""
    return str(_HERE / dialect / "shim")


def shim_environment(dialect: str, package: str, argv: Sequence[str], cwd: str) -> dict[str, str]:
    """The variables with which `argv`, run in `cwd`, finds the stand-in for `package`; none where it has the real one.

    The Python that counts is the program itself, else the `python` on PATH (what a shell text runs).
    """
    python = _python(argv[0] if argv else "", cwd)
    if python is None or not _absent(python, package, cwd):
        return {}
    return {"PYTHONPATH": os.pathsep.join([shim_path(dialect), BRIDGE, *_inherited()])}


def _inherited() -> list[str]:
    path = os.environ.get("PYTHONPATH", "")
    return [path] if path else []


def _python(program: str, cwd: str) -> str | None:
    if Path(program).name.startswith("python"):
        found = program if "/" in program else shutil.which(program)
        return str(Path(cwd, found)) if found is not None and "/" in found else found
    return shutil.which("python") or shutil.which("python3")


@functools.lru_cache(maxsize=64)
def _absent(python: str, package: str, cwd: str) -> bool:
    """Whether that Python, run in that folder, has no such package. One that cannot be asked has none."""
    try:
        done = subprocess.run(
            [python, "-c", _PROBE, package], cwd=cwd or None, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, timeout=_PROBE_LIMIT_S, check=False,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return True
    return done.returncode == 0
