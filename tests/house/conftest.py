"""What the house tests look at: the sources as text and as syntax trees, and the command line as a process."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
Rung = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="session")
def root() -> Path:
    """The root of the repository."""
    return ROOT


@pytest.fixture(scope="session")
def sources() -> Mapping[str, ast.Module]:
    """The syntax tree of every module of the package, by its path below `src/rung`."""
    home = ROOT / "src" / "rung"
    found = {path.relative_to(home).as_posix(): ast.parse(path.read_text()) for path in sorted(home.rglob("*.py"))}
    assert "model.py" in found
    return found


@pytest.fixture(scope="session")
def environment() -> dict[str, str]:
    """This process's variables with `python` on PATH being this one, and nothing that changes what Rung does."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("RUNG_")}
    return kept | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"}


@pytest.fixture(scope="session")
def rung(environment: dict[str, str]) -> Rung:
    """Runs the command line with these arguments in `cwd`."""

    def run(*arguments: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
        command = [str(Path(sys.executable).with_name("rung")), *arguments]
        return subprocess.run(
            command, cwd=cwd, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=50
        )

    return run
