"""What was run, as JSON lines beside the other measurements: a benchmark that was stopped goes on where it was."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, NamedTuple

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from bench.quality.problems import Problem


class Key(NamedTuple):
    """What names a run. `code` is the version of the method, `statement` that of the problem."""

    method: str
    code: str
    problem: str
    statement: str
    seed: int
    workers: int
    trials: int


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """One tuner on one problem with one seed. `seen` and `true` go by the order in which results came (None: the trial
    failed; `true` is empty when it is `seen`); `seconds` are the tuner's own for each proposal and its result.
    `error` says why a run ended early."""

    method: str
    code: str
    problem: str
    statement: str
    seed: int
    workers: int
    trials: int
    seen: list[float | None]
    true: list[float | None] = []
    seconds: list[float]
    at: float
    error: str = ""

    @property
    def key(self) -> Key:
        """What names it."""
        return Key(self.method, self.code, self.problem, self.statement, self.seed, self.workers, self.trials)

    @property
    def truths(self) -> list[float | None]:
        """The noiseless values."""
        return self.true or self.seen


def statement(problem: Problem) -> str:
    """A short name for all that a problem's values depend on."""
    return hashlib.sha256(problem.key().encode()).hexdigest()[:8]


def append(path: Path, run: Run) -> None:
    """The run is on disk, on a line of its own even behind a torn one."""
    with path.open("ab+") as file:
        file.seek(max(0, file.tell() - 1))
        torn = file.read(1) not in {b"", b"\n"}
        file.write(b"\n" * torn + msgspec.json.encode(run) + b"\n")


def read(path: Path) -> Iterator[Run]:
    """All runs in the order they were made; a torn line is left out."""
    for line in path.read_bytes().splitlines() if path.exists() else []:
        try:
            yield msgspec.json.decode(line, type=Run)
        except msgspec.DecodeError:
            continue
