"""What the state does not keep of a log and views need: every attempt, every verdict on a trial, and where the study
stood when each trial was over. Read from the log once, and then as it grows.

Only what is needed of an event is decoded (a log of 600,000 events is read in about two seconds), and of reports only
their steps, and their cost where they say one.

* *Elapsed* is the time in which a runner was attached, as `State` counts it.
* *Cost* is that of `study.endings`: what trials have reported as the metric `cost`, each the most it said; else the
  price of an hour for the time that attempts ran, of running ones up to now.
* *Work* is resource (steps) trained in all attempts, those that had to be repeated too; a clone's begins where its
  parent's checkpoint was made.
"""

from __future__ import annotations

import math
import threading
import weakref
from array import array
from collections.abc import Sequence  # noqa: TC003 - msgspec resolves annotations at run time
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Union, get_args

import msgspec
import numpy as np

from rung.model import WireNumber, from_wire
from rung.study import events as ev
from rung.study.endings import COST

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt

    from rung.analysis.views import Readable
    from rung.study.state import State

PAGE = 10_000
ENDS = ("", "exited", "timeout", "killed", "lost", "never", "interrupted", "told")  # of an attempt; "": it goes on
Act = Literal["stopped", "completed", "paused", "continued"]  # what a verdict does with its trial
BY_OTHERS = frozenset({"user", "budget", "failures", "program", "retries", "runner"})  # who decides beside a scheduler
REPLACING = BY_OTHERS | {"pbt"}  # whose decisions save no work: a clone goes on in the place of whom it ends


class _Step(msgspec.Struct, array_like=True):
    """Of a report nothing but its step: the rest of the array is passed over."""

    step: float


class _Costly(msgspec.Struct, array_like=True):
    """Of a report its metrics, where one of them is a cost."""

    step: float
    time: float
    values: dict[str, WireNumber]


class _Why(msgspec.Struct, gc=False):
    by: str = ""
    parent: int | None = None
    data: dict[str, Any] = {}


class _Saved(msgspec.Struct, array_like=True):
    attempt: int
    name: str
    step: float


class _From(msgspec.Struct, array_like=True):
    trial: int
    checkpoint: _Saved


class _Run(msgspec.Struct):
    price: float | None = None


class _Lean(msgspec.Struct, tag_field="event", kw_only=True, gc=False):
    """What is needed of an event. Its tag is the event's name, and so is its own but for the underscore."""

    at: float


def _tag(name: str) -> str:
    return name.removeprefix("_")


class _RunnerAttached(_Lean, tag=_tag):
    runner: str
    epoch: int
    host: str
    pid: int
    workers: int


class _RunnerDetached(_Lean, tag=_tag):
    epoch: int
    why: str


class _TrialProposed(_Lean, tag=_tag):
    trial: int
    reason: _Why
    ticket: dict[str, Any] | None = None
    source: _From | None = None


class _AttemptAssigned(_Lean, tag=_tag):
    trial: int
    attempt: int
    epoch: int
    source: _From | None = None


class _TrialStarted(_Lean, tag=_tag):
    trial: int


class _TrialReported(_Lean, tag=_tag):
    trial: int
    reports: list[_Step]


class _TrialExited(_Lean, tag=_tag):
    trial: int
    how: str


class _TrialCompleted(_Lean, tag=_tag):
    trial: int


class _TrialRetried(_Lean, tag=_tag):
    trial: int


class _Verdict(_Lean):
    trial: int
    attempt: int
    reason: _Why
    complete: bool = False
    to: float | None = None


class _TrialStopped(_Verdict, tag=_tag):
    pass


class _TrialPaused(_Verdict, tag=_tag):
    pass


class _TrialContinued(_Verdict, tag=_tag):
    pass


class _SpecChanged(_Lean, tag=_tag):
    run: _Run | None = None


def _all_lean() -> dict[str, type[_Lean]]:
    """A lean record for every event: of those that nothing more is needed of, with their time alone."""
    told = (
        _RunnerAttached, _RunnerDetached, _TrialProposed, _AttemptAssigned, _TrialStarted, _TrialReported,
        _TrialExited, _TrialCompleted, _TrialRetried, _TrialStopped, _TrialPaused, _TrialContinued, _SpecChanged,
    )  # fmt: skip
    found: dict[str, type[_Lean]] = {_tag(kind.__name__): kind for kind in told}
    for kind in get_args(ev.AnyEvent):
        name = kind.__name__
        if name not in found:
            found[name] = msgspec.defstruct(  # type: ignore[assignment]  # it has this base
                name, [], bases=(_Lean,), tag=name, tag_field="event", gc=False
            )
    return found


_LEAN = _all_lean()
_REQUESTS = frozenset(_LEAN[kind.__name__] for kind in get_args(ev.AnyRequest))
_entries: msgspec.json.Decoder[list[_Lean]] = msgspec.json.Decoder(list[Union[tuple(_LEAN.values())]])  # type: ignore[misc]  # noqa: UP007 - made of a table


class _Reports(msgspec.Struct):
    reports: list[_Costly]


_costs = msgspec.json.Decoder(_Reports)


DONE = ("at", "elapsed", "cost")
ATTEMPT = {"trial": "i", "attempt": "i", "epoch": "i", "assigned": "d", "started": "d", "ended": "d", "how": "B",
           "begin": "d", "top": "d"}  # fmt: skip


class Attachment(NamedTuple):
    """A runner's time at the study; `until` is None while it is there. Unix seconds."""

    runner: str
    epoch: int
    host: str
    pid: int
    workers: int
    since: float
    until: float | None = None
    why: str = ""


class Verdict(NamedTuple):
    """What was decided on a trial, by whom, and on what grounds: the `data` of the reason, as far as it is numbers."""

    seq: int
    at: float
    trial: int
    attempt: int
    act: Act
    by: str
    data: dict[str, Any]
    to: float | None


class Birth(NamedTuple):
    """How a trial began: the bracket of its ticket and that one's first rung, its parent (-1: none of these), and the
    reason's data of a clone."""

    bracket: int
    first: int
    parent: int
    begin: float
    data: dict[str, Any]


class Told(NamedTuple):
    """The chronicle as of `seq`. `done` (n,): fields `at` (Unix seconds), `elapsed`, `cost` of the study when each
    trial was over, NaN while it is not. `attempts` (a,): fields trial, attempt, epoch (of the runner that began it),
    assigned, started, ended (NaN: not yet), how (a place in `ENDS`), begin and top (the resource it began at and came
    to). The other sequences are copies too."""

    seq: int
    done: npt.NDArray[Any]
    attempts: npt.NDArray[Any]
    verdicts: Sequence[Verdict]
    births: Sequence[Birth]
    attachments: Sequence[Attachment]
    elapsed: float
    spent: float
    last_at: float
    work: float
    pauses: Sequence[tuple[float, float | None]]


class Chronicle:
    """The fold. `follow` brings it up to a study's state, `told` gives what it holds then."""

    def __init__(self, state: State) -> None:
        self.lock = threading.Lock()
        self.seq = 0
        self.created_at = state.created.at
        self.price = state.created.spec.run.price
        self.done: dict[str, array[Any]] = {name: array("d") for name in DONE}
        self.attempts: dict[str, array[Any]] = {name: array(kind) for name, kind in ATTEMPT.items()}
        self.verdicts: list[Verdict] = []
        self.births: list[Birth] = []
        self.attachments: list[Attachment] = []
        self.pauses: list[tuple[float, float | None]] = []
        self.elapsed, self.cost, self.work = 0.0, 0.0, 0.0
        self.last_at = state.created.at
        self._attached: dict[int, int] = {}  # epoch -> its place in `attachments`
        self._current: dict[int, int] = {}  # live trial -> the row of its attempt
        self._said: dict[int, float] = {}  # live trial -> the cost it has reported
        self._ticking: dict[int, float] = {}  # running attempts that cost by their time
        self._ticking_since = 0.0

    def follow(self, study: Readable) -> None:
        """What the log holds more, up to the study's state, is told."""
        page: list[bytes] = []
        for seq, body in study.entries(after=self.seq):
            if seq > study.state.seq:
                break
            page.append(body)
            if len(page) == PAGE:
                self._fold(page)
                page = []
        self._fold(page)

    def _fold(self, page: list[bytes]) -> None:
        """These entries follow the last one."""
        seq = self.seq
        for body, entry in zip(page, _entries.decode(b"[" + b",".join(page) + b"]"), strict=True):
            seq += 1
            kind = type(entry)
            # As `State` counts it: the gap before a runner attaches, and what others ask for, take no time.
            if kind not in _REQUESTS:
                if self._attached and kind is not _RunnerAttached and entry.at > self.last_at:
                    self.elapsed += entry.at - self.last_at
                self.last_at = entry.at
            handler = _HANDLERS.get(kind)
            if handler is not None:
                handler(self, seq, entry, body)
        self.seq = seq

    # ------------------------------------------------------------------------------------------------- the handlers

    def _on_attached(self, seq: int, entry: _RunnerAttached, body: bytes) -> None:
        self._attached[entry.epoch] = len(self.attachments)
        self.attachments.append(
            Attachment(entry.runner, entry.epoch, entry.host, entry.pid, entry.workers, since=entry.at)
        )

    def _on_detached(self, seq: int, entry: _RunnerDetached, body: bytes) -> None:
        place = self._attached.pop(entry.epoch, None)
        if place is not None:
            self.attachments[place] = self.attachments[place]._replace(until=entry.at, why=entry.why)

    def _on_proposed(self, seq: int, entry: _TrialProposed, body: bytes) -> None:
        why = entry.reason
        ticket = entry.ticket or _NOTHING
        bracket, first = (_place(ticket.get(name)) for name in ("bracket", "first")) if ticket else (-1, -1)
        parent = -1 if why.parent is None else why.parent
        for column in self.done.values():
            column.append(math.nan)
        self.births.append(Birth(bracket, first, parent, _begin(entry.source), why.data if parent >= 0 else _NOTHING))

    def _on_assigned(self, seq: int, entry: _AttemptAssigned, body: bytes) -> None:
        begin = _begin(entry.source)
        row = (entry.trial, entry.attempt, entry.epoch, entry.at, math.nan, math.nan, 0, begin, begin)
        self._current[entry.trial] = len(self.attempts["trial"])
        for column, value in zip(self.attempts.values(), row, strict=True):
            column.append(value)

    def _on_started(self, seq: int, entry: _TrialStarted, body: bytes) -> None:
        self.attempts["started"][self._current[entry.trial]] = entry.at
        self._stop_ticking(entry.trial)
        if entry.trial not in self._said:
            self._ticking[entry.trial] = entry.at
            self._ticking_since += entry.at - self.created_at

    def _on_reported(self, seq: int, entry: _TrialReported, body: bytes) -> None:
        row = self._current[entry.trial]
        top = self.attempts["top"]
        reports = entry.reports
        reached = reports[0].step if len(reports) == 1 else max((report.step for report in reports), default=0.0)
        before = top[row]
        if reached > before:
            self.work += reached - before
            top[row] = reached
        if b'"cost":' in body:
            for report in _costs.decode(body).reports:
                self._say(entry.trial, from_wire(report.values.get(COST, math.nan)))

    def _say(self, trial: int, cost: float) -> None:
        if not math.isfinite(cost):
            return
        self._stop_ticking(trial)
        before = self._said.get(trial, 0.0)
        self._said[trial] = max(cost, before)
        self.cost += max(0.0, cost - before)

    def _stop_ticking(self, trial: int) -> None:
        begun = self._ticking.pop(trial, None)
        if begun is not None:
            self._ticking_since = self._ticking_since - (begun - self.created_at) if self._ticking else 0.0

    def _on_exited(self, seq: int, entry: _TrialExited, body: bytes) -> None:
        row = self._current[entry.trial]
        self.attempts["ended"][row] = entry.at
        self.attempts["how"][row] = ENDS.index(entry.how) if entry.how in ENDS else 0
        self._stop_ticking(entry.trial)
        if self.price is not None and entry.trial not in self._said:
            started, assigned = self.attempts["started"][row], self.attempts["assigned"][row]
            seconds = max(0.0, entry.at - (assigned if math.isnan(started) else started))
            self.cost += self.price * seconds / 3600

    def _on_completed(self, seq: int, entry: _TrialCompleted, body: bytes) -> None:
        self._said.pop(entry.trial, None)
        self._current.pop(entry.trial, None)
        for name, value in (("at", entry.at), ("elapsed", self.elapsed), ("cost", self.spent)):
            self.done[name][entry.trial] = value

    def _on_retried(self, seq: int, entry: _TrialRetried, body: bytes) -> None:
        for column in self.done.values():
            column[entry.trial] = math.nan

    def _on_verdict(self, seq: int, entry: _Verdict, body: bytes) -> None:
        act = _ACTS.get(type(entry)) or ("completed" if entry.complete else "stopped")
        why = entry.reason
        data = {name: why.data[name] for name in _GROUNDS if name in why.data}
        self.verdicts.append(Verdict(seq, entry.at, entry.trial, entry.attempt, act, why.by, data, entry.to))

    def _on_pause(self, seq: int, entry: _Lean, body: bytes) -> None:
        if not self.pauses or self.pauses[-1][1] is not None:
            self.pauses.append((entry.at, None))

    def _on_unpause(self, seq: int, entry: _Lean, body: bytes) -> None:
        if self.pauses and self.pauses[-1][1] is None:
            self.pauses[-1] = (self.pauses[-1][0], entry.at)

    def _on_changed(self, seq: int, entry: _SpecChanged, body: bytes) -> None:
        if entry.run is not None:
            self.price = entry.run.price

    # ---------------------------------------------------------------------------------------------------- reading

    @property
    def spent(self) -> float:
        """What the study has cost, running attempts included up to the last event."""
        if self.price is None:
            return self.cost
        seconds = len(self._ticking) * (self.last_at - self.created_at) - self._ticking_since
        return self.cost + self.price * max(0.0, seconds) / 3600

    def told(self) -> Told:
        """What it holds now. The columns are copies."""
        return Told(
            self.seq, _together(self.done), _together(self.attempts), list(self.verdicts), list(self.births),
            list(self.attachments), self.elapsed, self.spent, self.last_at, self.work, list(self.pauses),
        )  # fmt: skip


_ACTS: dict[type[_Lean], Act] = {_TrialPaused: "paused", _TrialContinued: "continued"}
_NOTHING: dict[str, Any] = {}
_GROUNDS = ("bracket", "rung", "resource", "value", "threshold", "lost_to", "chance", "level", "predicted", "p", "max",
            "generation", "which")  # fmt: skip
_HANDLERS: dict[type[_Lean], Callable[[Chronicle, int, Any, bytes], None]] = {
    _RunnerAttached: Chronicle._on_attached,
    _RunnerDetached: Chronicle._on_detached,
    _TrialProposed: Chronicle._on_proposed,
    _AttemptAssigned: Chronicle._on_assigned,
    _TrialStarted: Chronicle._on_started,
    _TrialReported: Chronicle._on_reported,
    _TrialExited: Chronicle._on_exited,
    _TrialCompleted: Chronicle._on_completed,
    _TrialRetried: Chronicle._on_retried,
    _TrialStopped: Chronicle._on_verdict,
    _TrialPaused: Chronicle._on_verdict,
    _TrialContinued: Chronicle._on_verdict,
    _LEAN["PauseRequested"]: Chronicle._on_pause,
    _LEAN["UnpauseRequested"]: Chronicle._on_unpause,
    _SpecChanged: Chronicle._on_changed,
}


def _begin(source: _From | None) -> float:
    """The resource of the checkpoint that an attempt begins from."""
    return 0.0 if source is None else source.checkpoint.step


def _place(found: Any) -> int:
    return found if isinstance(found, int) else -1


def _together(columns: dict[str, array[Any]]) -> npt.NDArray[Any]:
    """The columns as one structured array of their own."""
    found = np.empty(len(next(iter(columns.values()))), dtype=[(n, column.typecode) for n, column in columns.items()])
    for name, column in columns.items():
        found[name] = column
    return found


_chronicles: weakref.WeakKeyDictionary[Any, Chronicle] = weakref.WeakKeyDictionary()
_lock = threading.Lock()


def chronicle(study: Readable) -> Told:
    """What the log tells up to the study's state. It is kept as long as the study is, and read once."""
    owner = getattr(study, "study", study)  # of a still copy: the study that goes on
    with _lock:
        found = _chronicles.setdefault(owner, Chronicle(study.state))
    with found.lock:
        found.follow(study)
        return found.told()
