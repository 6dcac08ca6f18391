"""How things are measured: whole processes by the system's own accounting, sides in turn, and what their numbers say.

Sides of a row run in turn in one run (A B C, A B C, ...), so that a machine whose speed drifts favours nobody; their
figures are compared round by round. A median stands for a side, and an interval from resampled rounds for a ratio.
"""

from __future__ import annotations

import hashlib
import os
import platform
import random
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import psutil

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

RESAMPLES = 2_000
CONFIDENCE = 0.95


class Finished(NamedTuple):
    """A process that has ended: seconds from its start to its end, processor seconds with its children's, stdout."""

    wall_s: float
    cpu_s: float
    stdout: str


def run_process(
    argv: Sequence[str], *, cwd: Path, env: Mapping[str, str] | None = None, stdin: Path | None = None,
    stdout: Path | None = None, timeout_s: float = 3600.0,
) -> Finished:  # fmt: skip
    """The command has ended with 0. Raises `RuntimeError` with the end of its stderr when it ended otherwise."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    with Path(stdin or os.devnull).open("rb") as source, Path(stdout or cwd / "stdout").open("wb+") as sink:
        started = time.perf_counter()
        process = subprocess.Popen(
            list(argv), cwd=cwd, env=dict(os.environ) | dict(env or {}), stdin=source, stdout=sink,
            stderr=subprocess.PIPE,
        )  # fmt: skip
        _, stderr = process.communicate(timeout=timeout_s)
        wall = time.perf_counter() - started
        sink.seek(0)
        said = sink.read().decode("utf-8", "replace") if stdout is None else ""
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if process.returncode:
        raise RuntimeError(f"{' '.join(argv)} ended with {process.returncode}: {stderr.decode()[-2000:]}")
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Finished(wall, cpu, said)


# ----------------------------------------------------------------------------------------------------- the machine


def machine(place: Path) -> dict[str, str | int | float]:
    """What the numbers depend on: processor, cores, memory, kernel, Python, and the file system that holds `place`."""
    return {
        "processor": _processor(),
        "cores": os.cpu_count() or 1,
        "memory_gb": round(psutil.virtual_memory().total / 2**30),
        "kernel": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "file_system": _file_system(place),
    }


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def _file_system(place: Path) -> str:
    mounts = [m for m in psutil.disk_partitions(all=True) if place.resolve().is_relative_to(m.mountpoint)]
    return max(mounts, key=lambda m: len(m.mountpoint)).fstype if mounts else "unknown"


def load() -> float:
    """The load average of the last minute."""
    return os.getloadavg()[0]


def code_version(package: Path) -> str:
    """A short hash of every source file below `package`: numbers of other code are not these numbers."""
    digest = hashlib.sha256(sys.version.encode())
    for path in sorted(p for p in package.rglob("*") if p.suffix in {".py", ".sh", ".sql"}):
        digest.update(path.relative_to(package).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:12]


# ------------------------------------------------------------------------------------------------------ statistics


class Spread(NamedTuple):
    """A figure over the rounds."""

    median: float
    low: float
    high: float


def spread(values: Sequence[float]) -> Spread:
    """Median, least and greatest. Raises `ValueError` without any value."""
    if not values:
        raise ValueError("no round was measured")
    return Spread(statistics.median(values), min(values), max(values))


def interval(values: Sequence[float], *, seed: int = 0) -> Spread:
    """The median and its percentile-bootstrap interval (Efron 1979) at `CONFIDENCE`, from rounds drawn with
    replacement; the same values give the same interval."""
    middle = spread(values).median
    rng = random.Random(seed)
    medians = sorted(statistics.median(rng.choices(values, k=len(values))) for _ in range(RESAMPLES))
    cut = round((1 - CONFIDENCE) / 2 * RESAMPLES)
    return Spread(middle, medians[cut], medians[-1 - cut])


def pairwise_ratio(numerators: Sequence[float], denominators: Sequence[float]) -> Spread:
    """How many times the one is the other, round by round, with its interval."""
    return interval([a / b for a, b in zip(numerators, denominators, strict=True)])


def pairwise_difference(values: Sequence[float], bases: Sequence[float]) -> Spread:
    """By how much the one exceeds the other, round by round, with its interval."""
    return interval([a - b for a, b in zip(values, bases, strict=True)])


def percentile(values: Sequence[float], percent: float) -> float:
    """The least of `values` that at least `percent` per cent of them do not exceed (nearest rank)."""
    ordered = sorted(values)
    rank = max(1, -(-len(ordered) * percent // 100))
    return ordered[int(rank) - 1]
