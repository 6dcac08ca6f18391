"""A trial that keeps its own record of the truth, so that the log can be checked against it. Stdlib only, no Rung.

    python -S -E trial_program.py LEDGER REPORTS SECONDS --x=...

Beginning and end go to LEDGER (one line each, shared by all trials); each report goes to `truth` in the attempt's
directory and, by way of stdout or `reports.jsonl`, to Rung. Every fourth trial ends with status 3. No trial goes on
while there is a file LEDGER.hold.
"""

from __future__ import annotations

import os
import sys
import time


def append(path: str, line: str) -> None:
    """One write: lines of several processes do not mix."""
    fd = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(fd, line.encode())
    finally:
        os.close(fd)


def main(ledger: str, reports: int, seconds: float) -> int:
    """The exit status."""
    directory, trial, attempt = (os.environ[f"RUNG_{name}"] for name in ("TRIAL_DIR", "TRIAL", "ATTEMPT"))
    append(ledger, f"begin {trial} {attempt} {os.getpid()} {os.getppid()}\n")
    while os.path.exists(f"{ledger}.hold"):
        time.sleep(0.01)
    for step in range(1, reports + 1):
        line = f'{{"step": {step}, "loss": {1 / step}}}\n'
        append(f"{directory}/truth", line)
        append(f"{directory}/reports.jsonl" if int(trial) % 2 else f"{directory}/stdout", line)
        time.sleep(seconds / reports)
    code = 3 if int(trial) % 4 == 3 else 0
    append(ledger, f"end {trial} {attempt} {code}\n")
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], int(sys.argv[2]), float(sys.argv[3])))
