"""Processes that answer one JSON line with one: tuners and the objectives, each in its own environment."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from typing import IO, TYPE_CHECKING, Any

from bench.quality.methods import TUNERS, Method

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from bench.peers import Peers

THREADS = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
SAID = 600  # characters of a dead child's stderr that are kept


class ChildFailed(Exception):
    """The child has ended; the text is the end of what it said on stderr."""


class Child:
    """A process that is spoken to by lines."""

    def __init__(self, argv: Sequence[str], *, stderr: Path, env: Mapping[str, str]) -> None:
        self.stderr = stderr
        with stderr.open("wb") as errors:
            self.process = subprocess.Popen(
                list(argv), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, env={**os.environ, **env}
            )

    def ask(self, message: Mapping[str, Any]) -> dict[str, Any]:
        """The answer to a message. Raises `ChildFailed`."""
        stdin, stdout = _pipe(self.process.stdin), _pipe(self.process.stdout)
        with contextlib.suppress(BrokenPipeError):  # it is dead: the answer says so
            stdin.write(json.dumps(message).encode() + b"\n")
            stdin.flush()
        line = stdout.readline()
        if not line:
            self.process.wait()
            raise ChildFailed(self.stderr.read_text(errors="replace").strip()[-SAID:])
        answer: dict[str, Any] = json.loads(line)
        return answer

    def close(self) -> None:
        """It has ended."""
        for pipe in (self.process.stdin, self.process.stdout):
            with contextlib.suppress(BrokenPipeError):
                _pipe(pipe).close()
        self.process.wait()


def _pipe(pipe: IO[bytes] | None) -> IO[bytes]:
    assert pipe is not None
    return pipe


class Crew:
    """The children of one thread of the benchmark, started when first needed. `source` holds the package to measure."""

    def __init__(self, peers: Peers, scratch: Path, *, source: Path, number: int) -> None:
        self.peers, self.scratch, self.source, self.number = peers, scratch, source, number
        self.tuners: dict[str, Child] = {}
        self.objectives = self._start("evaluate.py", "problems", TUNERS.parent / "evaluate.py", ())

    def tuner(self, method: Method) -> Child:
        """The tuner's process."""
        if method.name not in self.tuners:
            self.tuners[method.name] = self._start(method.name, method.peer, TUNERS / method.script, method.words)
        return self.tuners[method.name]

    def drop(self, method: Method) -> None:
        """The tuner's process has ended; the next use starts another."""
        self.tuners.pop(method.name).close()

    def _start(self, name: str, peer: str | None, script: Path, words: Sequence[str]) -> Child:
        python = sys.executable if peer is None else str(self.peers.python(peer))
        stem = "".join(c if c.isalnum() else "-" for c in name)[:60]
        env = THREADS | {"PYTHONPATH": str(self.source) if peer is None else ""}
        return Child([python, str(script), *words], stderr=self.scratch / f"{stem}.{self.number}.stderr", env=env)

    def close(self) -> None:
        """All children have ended."""
        for child in [*self.tuners.values(), self.objectives]:
            child.close()
