"""The runs of a comparison as processes, some at a time."""

from __future__ import annotations

import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec

from rung.api.compare import Run

POLL_S = 0.05
LOG = "runner.log"
SIGNALS = {int(signal.SIGINT): 130, int(signal.SIGTERM): 143, int(signal.SIGHUP): 129}
Command = Callable[[Run], Sequence[str]]


class Outcome(msgspec.Struct, frozen=True):
    """How a run's process ended, and what it said last; code 0: all went well."""

    run: Run
    code: int
    seconds: float
    said: str


class _Child(msgspec.Struct):
    run: Run
    process: Any
    log: Path
    begun: float


class Crew:
    """Runs as processes, some at a time. One that fails does not end the rest; a signal ends all, resumably: it is
    passed on to those that run, and no other is begun."""

    def __init__(self, command: Command, folder: Path, *, parallel: int) -> None:
        """`command` works on a run; what it says goes to `folder`/STUDY/runner.log."""
        self.command, self.folder, self.parallel = command, folder, parallel
        self.children: list[_Child] = []
        self.ended_by: int | None = None

    def work(self, runs: Iterator[Run]) -> Iterator[Outcome]:
        """Each run's outcome, as they come. `runs` is asked for the next one when there is room for it."""
        with _Passing(self._pass_on):
            try:
                while self._fill(runs) or self.children:
                    yield from self._over()
                    if self.children:
                        time.sleep(POLL_S)
            finally:  # nobody listens any more: what is left ends as on Ctrl-C
                self._signal(signal.SIGINT)

    def _fill(self, runs: Iterator[Run]) -> bool:
        """Every place has a run; whether there may be more."""
        while not self._ending() and len(self.children) < self.parallel:
            run = next(runs, None)
            if run is None or self._ending():  # a signal may come while the next study is being made
                return False
            self.children.append(self._begun(run))
            if self._ending():  # or just before it was known who is to be told
                self.children[-1].process.send_signal(self.ended_by)
        return not self._ending()

    def _ending(self) -> bool:
        return self.ended_by is not None

    def _begun(self, run: Run) -> _Child:
        log = self.folder / run.study / LOG
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as file:
            process = subprocess.Popen(
                self.command(run), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=file,
                start_new_session=True,  # a terminal's Ctrl-C comes by us, once
            )  # fmt: skip
        return _Child(run, process, log, time.monotonic())

    def _over(self) -> Iterator[Outcome]:
        for child in list(self.children):
            code = child.process.poll()
            if code is not None:
                self.children.remove(child)
                yield Outcome(child.run, code, time.monotonic() - child.begun, last_line(child.log))

    def _pass_on(self, number: int) -> None:
        self.ended_by = number
        self._signal(number)

    def _signal(self, number: int) -> None:
        for child in self.children:
            if child.process.poll() is None:
                child.process.send_signal(number)


class _Passing:
    """While it lasts, the signals that end a runner go to `pass_on`."""

    def __init__(self, pass_on: Callable[[int], None]) -> None:
        self.pass_on = pass_on
        self.before: dict[int, Any] = {}

    def __enter__(self) -> None:
        if threading.current_thread() is threading.main_thread():  # elsewhere Python gives no signals
            for number in SIGNALS:
                self.before[number] = signal.signal(number, lambda number, _: self.pass_on(number))

    def __exit__(self, *_: object) -> None:
        for number, handler in self.before.items():
            signal.signal(number, handler)


def last_line(log: Path) -> str:
    """What a runner said last, without our name before it."""
    lines = log.read_text(errors="replace").strip().splitlines()
    return lines[-1].removeprefix("rung: ") if lines else ""
