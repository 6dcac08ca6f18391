"""A small finished study, and the command line called in this process."""

from __future__ import annotations

import contextlib
import io
import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from rung.cli.main import main

MODEL = """
import rung

def score(params):
    if params["x"] == 4:
        raise ValueError("four is right out")
    for epoch in range(3):
        rung.report(loss=params["x"] + 1 / (epoch + 1), size=params["x"] * 10)
    print("x is", params["x"])
    return (params["x"] - 2) ** 2
"""


class Said(NamedTuple):
    """What a call of the command line gave."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Standard output as JSON."""
        return json.loads(self.out)


Call = Callable[..., Said]


@contextlib.contextmanager
def _kept_place() -> Iterator[None]:
    """Directory and import path are as before: a study that runs inline moves the process to its own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(Path.cwd())
        patch.syspath_prepend(str(Path.cwd()))
        yield


def _call(*words: str, code: int | None = 0) -> Said:
    out, err = io.StringIO(), io.StringIO()
    with _kept_place(), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        found = main(words)
    assert code is None or found == code, (found, out.getvalue(), err.getvalue())
    return Said(found, out.getvalue(), err.getvalue())


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Call:
    """Calls `rung WORDS…` in an empty directory; the call ends with `code` (None: any)."""
    for name in [name for name in os.environ if name.startswith("RUNG_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "no-config"))
    monkeypatch.chdir(tmp_path)
    return _call


@pytest.fixture(scope="session")
def searched(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory in which `score-1` was searched: x = 0..4, of which 4 fails and 2 is best."""
    folder = tmp_path_factory.mktemp("searched")
    (folder / "model.py").write_text(MODEL)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("XDG_CONFIG_HOME", str(folder / "no-config"))
        _call("run", "-p", "x=0:4", "-m", "loss", "--seed", "1", "model.py:score", "--executor", "inline")
    return folder


@pytest.fixture
def study(searched: Path, call: Call, tmp_path: Path) -> Path:
    """A copy of the searched directory, which is the current one."""
    shutil.copytree(searched, tmp_path, dirs_exist_ok=True)
    return tmp_path
