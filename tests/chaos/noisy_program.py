"""A trial whose report file is hard to read.

python noisy_program.py torn GATE   half a line, a wait for the file GATE, the other half
python noisy_program.py long        a line of 10 MB between two good ones, on stdout and in reports.jsonl
python noisy_program.py many N      N reports as fast as they can be written
python noisy_program.py cut         the last line has no end
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

LONG = 10_000_000


def torn(out: Path, gate: str) -> None:
    """The second line comes in two halves, cut inside a character of two bytes."""
    line = '{"step": 2, "loss": 0.5, "wörd": 1}\n'.encode()
    with out.open("ab", buffering=0) as file:
        file.write(b'{"step": 1, "loss": 1.0}\n')
        file.write(line[:27])
        while not Path(gate).exists():
            time.sleep(0.01)
        file.write(line[27:] + b'{"step": 3, "loss": 0.25}\n')


def long(out: Path) -> None:
    """Between two reports stands a line that nobody should try to read."""
    for step in (1, 2):
        with out.open("ab") as file:
            file.write(b'{"step": %d, "loss": 0.5}\n' % step)
            file.write(b'{"loss": "' + b"x" * LONG + b'"}\n')
        print("y" * LONG, flush=True)


def many(out: Path, number: int) -> None:
    """One write a line, as `rung.report` does it."""
    fd = os.open(out, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    for step in range(1, number + 1):
        os.write(fd, b'{"step": %d, "loss": %f}\n' % (step, 1 / step))


def main(words: Sequence[str]) -> None:
    """The reports are written."""
    out = Path(os.environ["RUNG_TRIAL_DIR"], "reports.jsonl")
    if words[0] == "torn":
        torn(out, words[1])
    elif words[0] == "long":
        long(out)
    elif words[0] == "many":
        many(out, int(words[1]))
    else:
        out.write_bytes(b'{"step": 1, "loss": 1}\n{"step": 2, "loss": 2}')


if __name__ == "__main__":
    main(sys.argv[1:])
