"""Whole learning curves of many trials, read from the log by trial and kept as columns: a curve is read once, and then
only what came since."""

from __future__ import annotations

import math
import threading
import weakref
from array import array
from collections import OrderedDict
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from rung.model import Report, from_wire

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rung.analysis.views import Readable
    from rung.analysis.views.marks import Floats
    from rung.study.state import State

MOST_KEPT = 2_000_000  # numbers kept for a study: 16 MB
_REPORTED, _ASSIGNED = b'{"event":"TrialReported"', b'{"event":"AttemptAssigned"'


class _Reported(msgspec.Struct):
    reports: list[Report]


class _Saved(msgspec.Struct, array_like=True):
    attempt: int
    name: str
    step: float


class _From(msgspec.Struct, array_like=True):
    trial: int
    checkpoint: _Saved


class _Assigned(msgspec.Struct):
    source: _From | None = None


_reported = msgspec.json.Decoder(_Reported)
_assigned = msgspec.json.Decoder(_Assigned)


class Reading:
    """One trial's curve: that of its last attempt, and what led to the checkpoint it began from (as `Handle.reports`).
    `seq`: how far of the log it was read."""

    def __init__(self) -> None:
        self.seq = 0
        self.steps, self.times = array("d"), array("d")
        self.metrics: dict[str, tuple[array[int], array[float]]] = {}  # which reports have it, and its values there

    def __len__(self) -> int:
        return len(self.steps)

    @property
    def size(self) -> int:
        """How many numbers it holds."""
        return 2 * len(self.steps) + sum(2 * len(values) for _, values in self.metrics.values())

    def read(self, entries: Iterable[tuple[int, bytes]]) -> None:
        """What these entries say more is part of the curve."""
        for seq, body in entries:
            self.seq = seq
            if body.startswith(_REPORTED):
                for report in _reported.decode(body).reports:
                    self._add(report)
            elif body.startswith(_ASSIGNED):
                source = _assigned.decode(body).source
                self._back_to(-math.inf if source is None else source.checkpoint.step)

    def _add(self, report: Report) -> None:
        place = len(self.steps)
        self.steps.append(report.step)
        self.times.append(report.time)
        for name, wire in report.values.items():
            held = self.metrics.get(name)
            if held is None:
                held = self.metrics[name] = (array("q"), array("d"))
            held[0].append(place)
            held[1].append(wire if type(wire) is float else from_wire(wire))

    def _back_to(self, step: float) -> None:
        """The attempt begins at that step: what was reported beyond is void."""
        if not len(self.steps):
            return
        kept = np.flatnonzero(np.frombuffer(self.steps) <= step)
        if len(kept) == len(self.steps):
            return
        whole = {name: (list(places), list(values)) for name, (places, values) in self.metrics.items()}
        steps, times = list(self.steps), list(self.times)
        renumbered = {int(old): new for new, old in enumerate(kept.tolist())}
        self.steps = array("d", (steps[i] for i in renumbered))
        self.times = array("d", (times[i] for i in renumbered))
        self.metrics = {}
        for name, (places, values) in whole.items():
            pairs = [(renumbered[p], v) for p, v in zip(places, values, strict=True) if p in renumbered]
            if pairs:
                self.metrics[name] = (array("q", (p for p, _ in pairs)), array("d", (v for _, v in pairs)))

    def curve(self, metric: str) -> tuple[Floats, Floats, Floats]:
        """Steps, times (Unix seconds) and values of the reports that have the metric."""
        if metric not in self.metrics:
            return np.zeros(0), np.zeros(0), np.zeros(0)
        places, values = self.metrics[metric]
        some = np.array(places, dtype=np.int64)
        return np.array(self.steps)[some], np.array(self.times)[some], np.array(values)


class Readings:
    """The curves of a study that were looked at lately."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self._kept: OrderedDict[int, tuple[Any, Reading]] = OrderedDict()
        self._numbers = 0

    def of(self, study: Readable, numbers: Iterable[int]) -> dict[int, Reading]:
        """The curves of these trials."""
        found = {number: self._one(study, number) for number in numbers}
        while self._numbers > MOST_KEPT and len(self._kept) > len(found):
            _, (_, gone) = self._kept.popitem(last=False)
            self._numbers -= gone.size
        return found

    def _one(self, study: Readable, number: int) -> Reading:
        stamp = _stamp(study.state, number)
        held, reading = self._kept.pop(number, (None, Reading()))
        if held is None or held != stamp or number in study.state.live:
            self._numbers -= reading.size
            reading.read(study.entries(after=reading.seq, trial=number))
            self._numbers += reading.size
        self._kept[number] = stamp, reading
        return reading


def _stamp(state: State, number: int) -> tuple[int, int, int]:
    """What of the state changes with a trial's curve."""
    table = state.table
    return int(table["attempt"][number]), int(table["steps"][number]), int(table["phase"][number])


_readings: weakref.WeakKeyDictionary[Any, Readings] = weakref.WeakKeyDictionary()
_lock = threading.Lock()


def curves_of(study: Readable, numbers: Iterable[int], metric: str) -> dict[int, tuple[Floats, Floats, Floats]]:
    """Steps, times and values of each of these trials' reports of the metric."""
    owner = getattr(study, "study", study)  # of a still copy: the study that goes on
    with _lock:
        kept = _readings.setdefault(owner, Readings())
    with kept.lock:
        return {number: reading.curve(metric) for number, reading in kept.of(study, numbers).items()}
