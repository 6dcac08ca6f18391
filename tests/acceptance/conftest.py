"""The command line as a process, on real programs, in a directory of its own."""

from __future__ import annotations

import contextlib
import io
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import forked
from rung.cli.main import main

POLL_S = 0.03  # most looks are a call of the command line
_NEVER = threading.Event()


def until(condition: Callable[[], Any], *, what: str, timeout: float = 20.0) -> Any:
    """What `condition()` gave once it was true; the test fails when it is not in time."""
    deadline = time.monotonic() + timeout
    while not (found := condition()):
        if time.monotonic() > deadline:
            pytest.fail(f"not within {timeout:g} s: {what}")
        _NEVER.wait(POLL_S)
    return found


@contextlib.contextmanager
def _seen_from(folder: Path, env: dict[str, str]) -> Iterator[None]:
    """This process is in `folder` and has the variables of `env`."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for name in [name for name in os.environ if name not in env]:
            patch.delenv(name)
        for name, value in env.items():
            patch.setenv(name, value)
        yield


class Bench:
    """A directory to call `rung` in. Every process started here is gone at the end."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        kept = {name: value for name, value in os.environ.items() if not name.startswith("RUNG_")}
        path = f"{Path(sys.executable).parent}{os.pathsep}{kept.get('PATH', os.defpath)}"
        self.env = {**kept, "PATH": path, "XDG_CONFIG_HOME": str(folder / "no-config")}
        self.started: list[forked.Rung | subprocess.Popen[str]] = []

    def write(self, name: str, text: str, *, mode: int = 0o644) -> Path:
        """The file `name` holds `text`."""
        path = self.folder / name
        path.write_text(text)
        path.chmod(mode)
        return path

    def rung(self, *words: str, code: int | None = 0) -> subprocess.CompletedProcess[str]:
        """What `rung WORDS…` said; it ended with `code` (None: any)."""
        done = forked.rung(*words, folder=self.folder, environment=self.env)
        if code is not None:
            assert done.returncode == code, f"{done.returncode}\n{done.stdout}\n{done.stderr}"
        assert "Traceback" not in done.stderr, done.stderr
        return done

    def json(self, *words: str) -> Any:
        """The JSON that `rung WORDS… --json` prints; asked in this process, which is fast."""
        out = io.StringIO()
        with _seen_from(self.folder, self.env), contextlib.redirect_stdout(out):
            assert main([*words, "--json"]) == 0
        return json.loads(out.getvalue())

    def start(self, *words: str) -> forked.Rung:
        """`rung WORDS…`, running, in a process group of its own."""
        process = forked.Rung(*words, folder=self.folder, environment=self.env)
        self.started.append(process)
        return process

    def piped(self, *words: str) -> subprocess.Popen[str]:
        """The same as a shell starts it: a fresh interpreter, whose words can be read while it runs."""
        process = subprocess.Popen(
            [sys.executable, "-m", "rung", *words], cwd=self.folder, env=self.env, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
        )  # fmt: skip
        self.started.append(process)
        return process

    def close(self) -> None:
        """Nothing that was started here runs any more."""
        for process in self.started:
            if process.poll() is None:
                process.kill()
            process.communicate()
        for path in self.folder.glob("*.pid"):
            with_pid = path.read_text().split()
            for pid in map(int, with_pid):
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    continue


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    """An empty directory to call `rung` in."""
    made = Bench(tmp_path)
    yield made
    made.close()
