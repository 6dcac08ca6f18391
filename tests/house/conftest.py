"""What the house tests look at: the repository, and the command line as a process."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import forked

ROOT = Path(__file__).resolve().parents[2]
Rung = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="session")
def root() -> Path:
    """The root of the repository."""
    return ROOT


@pytest.fixture(scope="session")
def environment() -> dict[str, str]:
    """This process's variables with `python` on PATH being this one, and nothing that changes what Rung does."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("RUNG_")}
    return kept | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"}


@pytest.fixture(scope="session")
def rung(environment: dict[str, str]) -> Rung:
    """Runs the command line with these arguments in `cwd`."""

    def run(*arguments: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
        return forked.rung(*arguments, folder=cwd, environment=environment)

    return run
