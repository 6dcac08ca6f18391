from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

NOBODY = 65534


@pytest.fixture
def place() -> Iterator[Path]:
    """A directory that every user may reach."""
    folder = Path(tempfile.mkdtemp(prefix="rung-store-"))
    folder.chmod(0o755)
    yield folder
    for path in folder.rglob("*"):
        path.chmod(0o755)
    shutil.rmtree(folder)


@pytest.fixture
def become_nobody() -> Iterator[Callable[[], None]]:
    """For root, permissions bite only after this call; it is taken back at the end."""

    def become() -> None:
        if os.geteuid() == 0:
            os.seteuid(NOBODY)

    before = os.geteuid()
    yield become
    os.seteuid(before)
