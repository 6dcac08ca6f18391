"""The log in words: what was decided on a trial, by whom, and why. Nothing here decides or guesses; each decision
carries its reason."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from rung.analysis.records import whole as whole_number
from rung.analysis.records import wired
from rung.analysis.wording import assigned, last_line, last_words, one_line, shown
from rung.model import Source
from rung.study import events as ev

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator


class Deed(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that happened: the event of sequence number `seq`, `at` seconds after the study began.

    `kind` is fact, request or decision, `event` its name in words, `by` who is behind it, `why` the reason in words
    and `data` the same as data. Reports in a row are one deed: the sequence number and the moment of the last.
    """

    seq: int
    at: float
    trial: int | None
    kind: ev.Kind
    event: str
    by: str
    why: str
    data: dict[str, Any] = {}


class _Reports:
    """Reports in a row, as they are told together."""

    def __init__(self, begun: float) -> None:
        self.begun, self.count = begun, 0
        self.notes: list[str] = []

    def add(self, seq: int, event: ev.TrialReported) -> None:
        self.seq, self.at, self.trial = seq, event.at, event.trial
        if event.reports and not self.count:
            self.first = event.reports[0].step
        if event.reports:
            self.last = event.reports[-1]
        self.count += len(event.reports)
        self.notes += event.notes

    def told(self) -> Iterator[Deed]:
        """The deed, if there is one; then there is none."""
        if self.count or self.notes:
            why = "; ".join([f"{self.count} report{'s' * (self.count != 1)}", *self.notes])
            data: dict[str, Any] = {"reports": self.count}
            if self.count:
                data |= {"from": whole_number(self.first), "to": whole_number(self.last.step)}
                data["values"] = self.last.values
            yield Deed(
                seq=self.seq, at=round(self.at - self.begun, 3), trial=self.trial, kind="fact", event="reported", by="",
                why=why, data=data,
            )  # fmt: skip
        self.count, self.notes = 0, []


def story(events: Iterable[tuple[int, ev.AnyEvent]], *, begun: float, whole: bool) -> Iterator[Deed]:
    """What happened, in order; `begun` is when the study did, in Unix seconds.

    Of a `whole` study only decisions and requests; reports are one deed for each run of them.
    """
    reports = _Reports(begun)
    for seq, event in events:
        if whole and isinstance(event, ev.Fact):
            continue
        if isinstance(event, ev.TrialReported):
            reports.add(seq, event)
            if event.notes:
                yield from reports.told()
            continue
        yield from reports.told()
        yield deed(seq, event, begun=begun)
    yield from reports.told()


def deed(seq: int, event: ev.AnyEvent, *, begun: float) -> Deed:
    """One event as it is told."""
    by, why = _reason(event)
    return Deed(
        seq=seq, at=round(event.at - begun, 3), trial=getattr(event, "trial", None), kind=event.kind,
        event=_name(event), by=by, why=why, data=_data(event),
    )  # fmt: skip


def _data(event: ev.AnyEvent) -> dict[str, Any]:
    """What stands behind the words: the reason's data, and the event's own fields that a reader can use."""
    found: dict[str, Any] = {}
    reason = getattr(event, "reason", None)
    if reason is not None:
        found = {name: getattr(reason, name) for name in ("phase", "parent", "space_version")}
        found |= reason.data
    found |= {name: getattr(event, name) for name in _TOLD if getattr(event, name, None) is not None}
    source = getattr(event, "source", None)
    if isinstance(source, Source):
        found |= {"from_trial": source.trial, "from_checkpoint": source.checkpoint.name}
    if isinstance(event, ev.SpecChanged):
        found["changes"] = msgspec.to_builtins(event.changes)
    return {name: wired(value) for name, value in found.items() if value not in (None, (), {}, "")}


_TOLD = (
    "attempt", "params", "resource", "to", "how", "code", "invalid", "pid", "host", "devices", "runner", "state",
    "values", "seconds", "enqueued", "error", "counted", "now", "note", "tags",
)  # fmt: skip


def _name(event: ev.AnyEvent) -> str:
    """`TrialProposed` as `proposed`, `StudyCompleted` as `study completed`."""
    words = "".join(f" {char.lower()}" if char.isupper() else char for char in type(event).__name__).split()
    return " ".join(words[1:] if words[0] == "trial" or words[0] == "attempt" else words)


def _reason(event: ev.AnyEvent) -> tuple[str, str]:
    reason = getattr(event, "reason", None)
    said = _SAID.get(type(event))
    detail = said(event) if said is not None else ""
    if reason is None:
        return getattr(event, "who", ""), detail
    text = reason.text + (f" (phase {reason.phase})" if reason.phase else "")
    if isinstance(event, ev.TrialProposed):
        version = reason.space_version or 1
        return reason.by, f"{text}{f' (space {version})' if version > 1 else ''}: {detail}"
    return reason.by, "; ".join(part for part in (detail, text) if part)


def _proposed(event: Any) -> str:
    return assigned(event.params)


def _assigned(event: Any) -> str:
    to = f" up to {event.resource:g}" if event.resource is not None else ""
    if event.source is None:
        return f"attempt {event.attempt} to runner {event.runner}{to}"
    owner = "its" if event.source.trial == event.trial else f"trial {event.source.trial}'s"
    from_ = f", from {owner} checkpoint {event.source.checkpoint.name}"
    return f"attempt {event.attempt} to runner {event.runner}{from_}{to}"


def _continued(event: Any) -> str:
    return "to its end" if event.to is None else f"up to {event.to:g}"


def _dropped(event: Any) -> str:
    return ", ".join(f"checkpoint {one.name} of trial {one.trial}" for one in event.dropped)


def _exited(event: Any) -> str:
    code = f" with status {event.code}" if event.code is not None else ""
    tail = last_words(event.tail)
    return f"{event.how}{code}" + (f": {tail}" if tail else "")


def _completed(event: Any) -> str:
    values = ", ".join(shown(value) for value in event.values or ())
    error = last_line(event.error or "")
    return " ".join(part for part in (event.state, values, f"({error})" if error else "") if part)


def _changed(event: Any) -> str:
    return "; ".join(f"{c.path}: {shown(c.old)} -> {shown(c.new)}" for c in event.changes)


def _noted(event: Any) -> str:
    said = [] if event.text is None else [f"note: {one_line(event.text)}" if event.text else "no note"]
    said += [f"tagged {', '.join(map(one_line, event.tagged))}"] if event.tagged else []
    said += [f"no longer tagged {', '.join(map(one_line, event.untagged))}"] if event.untagged else []
    said += [] if event.archived is None else ["archived" if event.archived else "not archived any more"]
    return "; ".join(said)


_SAID: dict[type[ev.Event], Callable[[Any], str]] = {
    ev.TrialProposed: _proposed,
    ev.AttemptAssigned: _assigned,
    ev.AttemptAdopted: lambda event: f"by runner {event.runner}",
    ev.TrialStarted: lambda event: f"process {event.pid} on {event.host}",
    ev.TrialExited: _exited,
    ev.TrialCompleted: _completed,
    ev.StudyCompleted: lambda event: str(event.state),
    ev.StopRequested: lambda event: "now" if event.now else "after the running trials",
    ev.TrialEnqueued: _proposed,
    ev.TrialContinued: _continued,
    ev.CheckpointsDropped: _dropped,
    ev.TrialTold: lambda event: ", ".join(f"{name} {value}" for name, value in event.values.items()),
    ev.SpecChanged: _changed,
    ev.NotesChanged: _noted,
}
