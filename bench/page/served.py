"""Servers that are measured: `rung ui`, and optuna-dashboard, each with what its processes use."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import re
import signal
import socket
import subprocess
import time
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

import psutil

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

READY_S = 60.0


class Usage(NamedTuple):
    """Processor seconds so far, and resident memory, of a process and its children."""

    cpu_s: float
    memory_mb: float


class Server(NamedTuple):
    """A server that answers. `address`: scheme, host and port; `login`: where a browser goes first ("": no need)."""

    process: subprocess.Popen[str]
    address: str
    login: str = ""

    def usage(self) -> Usage:
        """What its processes have used until now."""
        family = [psutil.Process(self.process.pid)]
        family += family[0].children(recursive=True)
        times = [one.cpu_times() for one in family]
        cpu = sum(t.user + t.system for t in times)
        return Usage(cpu, sum(one.memory_info().rss for one in family) / 2**20)

    def cookie(self) -> str:
        """The cookie that its token is exchanged for."""
        place = urlsplit(self.address)
        token = self.login.partition("#token=")[2]
        connection = http.client.HTTPConnection(place.hostname or "", place.port)
        body = json.dumps({"token": token})
        connection.request("POST", "/api/session", body, {"Content-Type": "application/json", "Origin": self.address})
        answer = connection.getresponse()
        answer.read()
        if answer.status >= 300:
            raise RuntimeError(f"no session: {answer.status}")
        return (answer.getheader("Set-Cookie") or "").partition(";")[0]


@contextlib.contextmanager
def rung_ui(rung: Path, store: str, folder: Path) -> Iterator[Server]:
    """`rung ui` on that store, on a port of its own."""
    argv = [str(rung), "ui", "--port", "0", "--no-browser", "--store", store, "--dir", str(folder / "runs")]
    with _running(argv, folder) as process:
        assert process.stdout is not None
        line = process.stdout.readline().strip()
        found = re.match(r"(https?://[^/]+)/", line)
        if found is None:
            raise RuntimeError(f"`rung ui` did not say where it is: {line!r}")
        yield Server(process, found[1], line)


@contextlib.contextmanager
def dashboard(program: Path, store: str, folder: Path) -> Iterator[Server]:
    """optuna-dashboard on that store."""
    port = _free_port()
    with _running([str(program), store, "--port", str(port), "--host", "127.0.0.1"], folder) as process:
        _answers(port)
        yield Server(process, f"http://127.0.0.1:{port}")


@contextlib.contextmanager
def _running(argv: Sequence[str], folder: Path) -> Iterator[subprocess.Popen[str]]:
    with (folder / "server.stderr").open("ab") as errors:
        process = subprocess.Popen(
            argv, cwd=folder, stdout=subprocess.PIPE, stderr=errors, text=True, start_new_session=True
        )
        try:
            yield process
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as held:
        return int(held.getsockname()[1])


def _answers(port: int) -> None:
    until = time.monotonic() + READY_S
    while time.monotonic() < until:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.05)
    raise RuntimeError(f"nothing answers on port {port}")
