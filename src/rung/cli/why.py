"""`rung why`: the log's own words. Nothing here decides or guesses; each decision carries its reason."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from rung.cli.options import format_options, one_trial, open_study, place_options
from rung.study import events as ev

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator


@click.command("why")
@click.argument("words", nargs=-1, metavar="[STUDY] [TRIAL]")
@place_options
@format_options
def explain(words: tuple[str, ...], *, store: str | None, directory: str | None, form: str) -> None:
    """Say why each decision on a trial was taken, and what happened in between; without TRIAL on the whole study."""
    from rung.cli.tables import print_rows

    handle, left = open_study(words, store=store, directory=directory)
    number = one_trial(left)
    found = list(story(handle.story(number), begun=handle.state.created.at, whole=number is None))
    records = [dict(zip(NAMES, row, strict=True)) for row in found]
    if form == "table":
        print_rows(SHOWN, [[_offset(row[1]), row[2], row[4], row[5], row[6]] for row in found], form=form)
    else:
        print_rows(NAMES, [list(row) for row in found], form=form, records=records)


def _offset(amount: float) -> str:
    """When, counted from the study's creation: `0.083s`, `2:05`, `1:02:05`."""
    if amount < 60:
        return f"{amount:.3f}s"
    whole = int(amount)
    hours = f"{whole // 3600}:" if whole >= 3600 else ""
    return f"{hours}{whole % 3600 // 60:0{2 if hours else 1}d}:{whole % 60:02d}"


NAMES = ("seq", "at", "trial", "kind", "event", "by", "why")
SHOWN = ("after", "trial", "event", "by", "why")

Row = tuple[int, Any, int | None, str, str, str, str]


def story(events: Iterable[tuple[int, ev.AnyEvent]], *, begun: float, whole: bool) -> Iterator[Row]:
    """A row for each event: sequence number, seconds since the study began, trial, kind, what, who, why.

    Of a `whole` study only decisions and requests; reports are one row for each run of them.
    """
    reports = 0
    for seq, event in events:
        if isinstance(event, ev.TrialReported) and (whole or not event.notes):
            reports += len(event.reports)
            continue
        if whole and isinstance(event, ev.Fact):
            continue
        at = round(event.at - begun, 3)
        trial = getattr(event, "trial", None)
        if isinstance(event, ev.TrialReported):
            reports += len(event.reports)
            yield seq, at, trial, "fact", "reported", "", "; ".join([_reports(reports), *event.notes])
            reports = 0
            continue
        if reports and not whole:
            yield seq, at, trial, "fact", "reported", "", _reports(reports)
            reports = 0
        by, why = _reason(event)
        yield seq, at, trial, event.kind, _name(event), by, why


def _reports(count: int) -> str:
    return f"{count} report{'s' * (count != 1)}"


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
    from rung.cli.tables import assigned

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
    from rung.cli.panel import last_line

    code = f" with status {event.code}" if event.code is not None else ""
    tail = last_line(event.tail)
    return f"{event.how}{code}" + (f": {tail}" if tail else "")


def _completed(event: Any) -> str:
    from rung.cli.panel import last_line
    from rung.cli.tables import shown

    values = ", ".join(shown(value) for value in event.values or ())
    error = last_line(event.error or "")
    return " ".join(part for part in (event.state, values, f"({error})" if error else "") if part)


def _changed(event: Any) -> str:
    from rung.cli.tables import shown

    return "; ".join(f"{c.path}: {shown(c.old)} -> {shown(c.new)}" for c in event.changes)


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
}

COMMANDS = {"why": explain}
