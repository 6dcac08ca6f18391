"""The program that the executors' conformance suite runs: an objective that does what its parameters say."""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path

from rung.inside import report, should_stop, trial


def behave(params: dict[str, object]) -> object:
    """Reports `loss` at the epochs 1 … `epochs`, then does what `then` says.

    `return`: the word of `value` as a number · `raise`: an error that says `boom` · `exit`: status 7 · `wait`: until
    it is asked to stop, then status 5 · `ignore`: goes on whatever it is told · `seed`: returns `rung.trial.seed`.
    Each run adds a line to the file `ran`, if that is given.
    """
    if "ran" in params:
        with Path(str(params["ran"])).open("a") as file:
            file.write(f"{os.getpid()}\n")
    for epoch in range(1, int(str(params.get("epochs", 0))) + 1):
        report(epoch=epoch, loss=1.0 / epoch)
    return _END[str(params.get("then", "return"))](params)


def _return(params: dict[str, object]) -> object:
    return float(str(params["value"])) if "value" in params else None


def _raise(_: dict[str, object]) -> object:
    raise ValueError("boom")


def _exit(_: dict[str, object]) -> object:
    sys.exit(7)


def _wait(_: dict[str, object]) -> object:
    while not should_stop():
        time.sleep(0.01)  # the program under test, not a test
    sys.exit(5)


def _ignore(_: dict[str, object]) -> object:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    report(epoch=0, loss=0.0)
    while True:
        time.sleep(0.01)


def _seed(_: dict[str, object]) -> object:
    return trial.seed


_END = {"return": _return, "raise": _raise, "exit": _exit, "wait": _wait, "ignore": _ignore, "seed": _seed}
