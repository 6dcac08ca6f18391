"""The study that this trial belongs to, as its launcher describes it, and the one way to report to it.

`RUNG_DETERMINED` names a JSON file: `hparams` (nested), `config` (the merged experiment configuration), `entrypoint`,
`era`, `metric`, `smaller_is_better`, `resource`, `units`, `length`, `time_metric`, `batches_per_step`,
`records_per_epoch`, `scheduling_unit`, `levels` (rungs that the trial passes without being held), `experiment_id`.

What a program says in two calls about one place (training metrics, then validation metrics, then a checkpoint) is one
report of Rung's, because the steps of reports must increase: training metrics wait for what else is said of their step.
"""

from __future__ import annotations

import atexit
import json
import os
import signal
import sys
import threading
from typing import Any

from determined import _storage
from rung.inside import session, wire

VARIABLE = "RUNG_DETERMINED"
_ANYWHERE = -1.0


class Study:
    """What the launcher wrote down."""

    def __init__(self, said: dict[str, Any]) -> None:
        self.hparams: dict[str, Any] = said["hparams"]
        self.config: dict[str, Any] = said["config"]
        self.era: str = said["era"]
        self.metric: str = said["metric"]
        self.smaller_is_better: bool = said["smaller_is_better"]
        self.resource: str | None = said["resource"]
        self.units: str | None = said["units"]
        self.length: int | None = said["length"]
        self.time_metric: str | None = said["time_metric"]
        self.batches_per_step: int = said["batches_per_step"]
        self.records_per_epoch: int = said["records_per_epoch"]
        self.scheduling_unit: int = said["scheduling_unit"]
        self.levels: list[float] = said["levels"]
        self.experiment_id: int = said["experiment_id"]
        self.slots: int = said["slots_per_trial"]

    @property
    def told(self) -> float | None:
        """How far the trial may run before it is looked at again, in the resource; None: until its program returns."""
        found = session.trial.resource
        return found if found is not None else self.length

    @property
    def step_name(self) -> str:
        """Under what name a report says how far the trial is."""
        return self.resource or "step"


_loaded: dict[str, Study] = {}


def current() -> Study | None:
    """The study of this trial; None outside one."""
    path = os.environ.get(VARIABLE, "")
    if not path or not session.trial:
        return None
    if path not in _loaded:
        with open(path, encoding="utf-8") as file:  # noqa: PTH123 - as everywhere inside a trial
            _loaded[path] = Study(json.load(file))
    return _loaded[path]


# ------------------------------------------------------------------------------------------------------ being stopped

_asked = threading.Event()


def watch_for_the_end() -> None:
    """From now on a request to end does not kill this program, but makes `asked_to_end` true."""
    if threading.current_thread() is not threading.main_thread():
        return
    if signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:  # a program that has a handler knows what to do
        signal.signal(signal.SIGTERM, lambda *_: _asked.set())


def asked_to_end() -> bool:
    """Whether this trial was asked to end: to save what it needs, and return."""
    return _asked.is_set() or session.should_stop()


# ----------------------------------------------------------------------------------------------------------- reporting


class Reports:
    """What this trial says. `best` is the best value of the searcher's metric that this process has reported.

    What is said of a place waits until something is said of another one, or until it is final, so that a place has one
    report. A checkpoint is committed meanwhile by a line that has no metrics: it is no report to the runner.
    """

    def __init__(self) -> None:
        self.best: float | None = None
        self._place: float | None = None
        self._written: dict[str, float] = {}  # what was said of that place
        self._waiting: dict[str, float] = {}
        self._at: float | None = None
        self._final = False
        self._unjudged: float | None = None  # where a checkpoint was committed without the searcher's metric
        self._told_of: set[str] = set()
        self._registered = False

    @property
    def place(self) -> float:
        """How far the trial was at the last report that was written, or the checkpoint it goes on from; -1: nowhere."""
        if self._place is None:
            self._place = _storage.place()
        return self._place

    @property
    def here(self) -> float:
        """How far the trial is, as far as is known: what waits to be written was said of there."""
        return self.place if self._at is None else self._at

    def add(self, place: float, metrics: dict[str, Any], *, prefix: str = "", final: bool = False) -> None:
        """The metrics are part of the report at `place`, which is written with what else is said of that place; the
        last word counts. `final`: nothing more is expected, a checkpoint that is stored now belongs to it."""
        if self._at is not None and place != self._at:
            self.flush()
        self._at = place
        self._final = self._final or final
        self._waiting.update(self._numbers(metrics, prefix))
        if not self._registered:
            atexit.register(self.flush)
            self._registered = True

    def flush(self) -> None:
        """What waited is written; the checkpoint that lies in the working copy is committed with it."""
        if self._at is None:
            return
        place, waiting = self._at, self._waiting
        self._at, self._waiting, self._final = None, {}, False
        if place == self.place:
            waiting = {name: value for name, value in waiting.items() if self._written.get(name) != value}
        if waiting:
            self._write(place, waiting)

    def leave(self, place: float | None) -> None:
        """What waits is written, for the trial has come to `place`, or to where nobody can say yet; but what is final
        waits there for its checkpoint."""
        if place is not None:
            self.add(place, {})
        elif not self._final:
            self.flush()

    def commit(self, *, placed: bool = True) -> None:
        """The checkpoint that was stored just now is committed, by what waits if it is final. `placed`: it is known to
        be of here, else of wherever the next validation turns out to be."""
        if self._final:
            self.flush()
        else:
            here = max(self.here, 0.0)
            self._unjudged = here if placed else _ANYWHERE
            session.report({_step_name(): _whole(here)})

    def _write(self, place: float, metrics: dict[str, float]) -> None:
        if place != self.place:
            self._written = {}
        self._place = max(self.place, place)
        self._written.update(metrics)
        study = current()
        if study is not None and study.metric in metrics:
            if self._unjudged in {place, _ANYWHERE}:  # committed once more, so that it is known as good as it is
                _storage.touch()
            self._unjudged = None
            self._judge(metrics[study.metric], smaller=study.smaller_is_better)
        session.report({_step_name(): _whole(place), **metrics})

    def _judge(self, value: float, *, smaller: bool) -> None:
        if self.best is None or (value < self.best if smaller else value > self.best):
            self.best = value

    def _numbers(self, metrics: dict[str, Any], prefix: str) -> dict[str, float]:
        """The metrics that are single numbers, groups joined by dots; what is none is named once on stderr."""
        found: dict[str, float] = {}
        for name, value in metrics.items():
            if isinstance(value, dict):
                found.update(self._numbers(value, f"{prefix}{name}."))
                continue
            number = plain(value)
            if number is not None:
                found[f"{prefix}{name}"] = number
            elif f"{prefix}{name}" not in self._told_of:
                self._told_of.add(f"{prefix}{name}")
                say(f"metric {prefix}{name} is no single number and is not reported: {value!r:.60}")
        return found


def _step_name() -> str:
    study = current()
    return study.step_name if study is not None else "step"


def _whole(place: float) -> float | int:
    return int(place) if float(place).is_integer() else place


def plain(value: Any) -> float | int | None:
    """The number that a metric is, or its tensor or array holds; None when it is none."""
    if isinstance(value, bool):
        return int(value)
    try:
        number = wire.number("metric", value)
    except TypeError:
        return None
    return wire.NON_FINITE[number] if isinstance(number, str) else number


def say(line: str) -> None:
    """The line is on stderr, where `rung logs` shows it."""
    sys.stderr.write(f"determined (stand-in): {line}\n")


reports = Reports()
"""The reports of this process."""
