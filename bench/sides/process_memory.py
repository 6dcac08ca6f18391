"""The most memory that this process has held."""

from __future__ import annotations

import resource
import sys
from pathlib import Path


def peak_mb() -> float:
    """Megabytes (10^6 bytes) resident at most, of this program alone where the system tells it."""
    status = Path("/proc/self/status")
    if status.exists():  # ru_maxrss also counts what ran in this process before the program was loaded
        kb = next(line.split()[1] for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(kb) * 1024 / 1e6
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most * (1 if sys.platform == "darwin" else 1024) / 1e6
