"""`experiment.py`, run in a trial: one experiment of StudioML's kind. Stdlib only; started by its path.

The working directory is copied and the script substituted (`rung.inside.workspace`), artifacts are brought, array
parameters are saved as `.npy`; then the script runs as a child, its output passed on as it comes. The first line
`fitness: X` of it is reported (never below 0), and what was captured is brought home at the end.
"""

from __future__ import annotations

import math
import os
import re
import selectors
import shutil
import signal
import struct
import subprocess
import sys
from pathlib import Path

if __name__ == "__main__":  # started by path, with nothing but the standard library in sight
    sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from rung.inside import session, workspace

TYPE_CHECKING = False  # not `typing.TYPE_CHECKING`: importing typing costs 3 ms
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

ARTIFACTS = "artifacts"
FITNESS = "fitness"
EXIT_STATUS = "exit_status"
_LINE = re.compile(rb"[Ff]itness[^:]*:([^:]*)")
_LONGEST = 1 << 16  # bytes of a line that may be one with a fitness
_AFTER_S = 0.2  # how long output is waited for that children of an ended script still hold open
_NPY = b"\x93NUMPY\x01\x00"
_NPY_ALIGNED = 64


def main() -> int:
    """The script ran; returns its exit code."""
    plan, record = workspace.read_plan()
    try:
        workspace.prepare(plan)
        bring(record, plan)
        workspace.enter(plan)
        code = run(plan.command())
        take_home(record, plan)
    except OSError as error:
        sys.stderr.write(f"rung: {error.filename or plan.argv[0]}: {error.strerror or error}\n")
        return 126 if isinstance(error, PermissionError) else 127
    if record["reports_exit"] and not code:
        session.report({EXIT_STATUS: code})
    return code


# --------------------------------------------------------------------------------------------------------- artifacts


def bring(record: dict[str, Any], plan: workspace.Plan) -> None:
    """The experiment's artifacts are below `artifacts/`. Raises `OSError`."""
    folder = plan.directory / ARTIFACTS
    folder.mkdir(exist_ok=True)
    for name, numbers in record["arrays"].items():
        (folder / f"{name}.npy").write_bytes(npy(numbers))
    for one in [*record["capture"], *record["reuse"]]:
        target, source = folder / one["tag"], Path(one["path"])
        if source.is_dir():
            workspace.copied(source, target, left_out=[plan.runs])
        elif source.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target)
        else:
            target.mkdir(parents=True, exist_ok=True)  # the script is to fill it


def take_home(record: dict[str, Any], plan: workspace.Plan) -> None:
    """What the script wrote where an artifact was captured from is among the artifacts. Raises `OSError`.

    A path in the working directory means the one in the copy; elsewhere it is the user's own, and only read."""
    for one in record["capture"]:
        path, target = Path(one["path"]), plan.directory / ARTIFACTS / one["tag"]
        if not one["mutable"] or not path.is_relative_to(plan.cwd):
            continue
        made = plan.copy / path.relative_to(plan.cwd)
        files = [made] if made.is_file() else sorted(each for each in made.rglob("*") if each.is_file())
        for each in files:
            there = target if each == made else target / each.relative_to(made)
            if each == made and target.is_dir() and not any(target.iterdir()):
                target.rmdir()
            if not there.exists() or there.stat().st_mtime_ns < each.stat().st_mtime_ns:
                there.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(each, there)


def npy(numbers: Sequence[float]) -> bytes:
    """A one-dimensional array of float64 as NumPy's format 1.0 has it (numpy/lib/format.py)."""
    header = f"{{'descr': '<f8', 'fortran_order': False, 'shape': ({len(numbers)},), }}"
    header += " " * (-(len(_NPY) + 2 + len(header) + 1) % _NPY_ALIGNED) + "\n"
    return _NPY + struct.pack("<H", len(header)) + header.encode("latin-1") + struct.pack(f"<{len(numbers)}d", *numbers)


# ----------------------------------------------------------------------------------------------------------- running


def run(argv: Sequence[str]) -> int:
    """The program has ended, its output passed on and its fitness reported; returns its exit code. Raises `OSError`."""
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, _left_to_the_program)
    process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
    assert process.stdout is not None
    output, reader = process.stdout.fileno(), Fitness()
    with selectors.DefaultSelector() as selector:
        selector.register(output, selectors.EVENT_READ)
        while True:
            ended = process.poll() is not None
            if not selector.select(_AFTER_S):
                if ended:
                    break  # something that it started still holds its output open
                continue
            piece = os.read(output, 1 << 16)
            if not piece:
                break
            reader.feed(piece)
            _write(piece)
    reader.feed(b"\n")
    code = process.wait()
    return code if code >= 0 else 128 - code


def _left_to_the_program(number: int, frame: object) -> None:
    """The program got the signal too; it is waited for."""


def _write(piece: bytes) -> None:
    while piece:
        piece = piece[os.write(1, piece) :]


class Fitness:
    """Finds the first line that says a fitness, and reports it."""

    def __init__(self) -> None:
        self._line = b""
        self._said = False

    def feed(self, piece: bytes) -> None:
        """Whole lines in the output so far have been looked at."""
        if self._said:
            return
        *lines, self._line = (self._line + piece).split(b"\n")
        self._line = self._line[:_LONGEST]
        for line in lines:
            value = fitness(line)
            if value is not None:
                self._said = True
                session.report({FITNESS: value})
                return


def fitness(line: bytes) -> float | None:
    """What a line says of the fitness, at least 0; None where it says nothing, or no number."""
    match = _LINE.match(line)
    if match is None:
        return None
    try:
        value = float(match[1])
    except ValueError:
        sys.stderr.write(f"rung: no number in the line {line[:80].decode('utf-8', 'replace')!r}\n")
        return None
    return value if math.isnan(value) else max(0.0, value)


if __name__ == "__main__":
    raise SystemExit(main())
