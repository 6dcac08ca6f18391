"""What an executor's events mean to the log."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from rung.execute import attempt
from rung.execute.base import Exited, Reported, Started
from rung.study import events as ev

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rung.store.base import LeaseOwner
    from rung.study.state import Live


class Watched(msgspec.Struct):
    """A job whose end was not told yet. What was told of it may not be in the log yet, so it is kept here too.

    `interrupted`: it was still running when the runner was told to end.
    """

    trial: int
    attempt: int
    directory: str
    started: bool = False
    boot: str = ""
    interrupted: bool = False


def facts_of(
    event: Started | Reported | Exited, watched: Watched, live: Live, *, here: LeaseOwner, at: float
) -> Iterator[ev.Fact]:
    """The facts to append for an event of a job that the log gave to this runner."""
    if isinstance(event, Started):
        watched.boot = event.boot
        if not watched.started and live.started is None:
            yield _started(event, live, here=here, at=at)
        watched.started = True
    elif isinstance(event, Reported):
        yield ev.TrialReported(
            at=at, trial=live.number, attempt=live.attempt, reports=tuple(event.reports),
            offsets=event.cursor.offsets, channel=event.cursor.channel, notes=tuple(event.notes),
            checkpoints=tuple(event.checkpoints),
        )  # fmt: skip
    else:
        how = _named(event, watched, live, here=here)
        yield ev.TrialExited(
            at=at, trial=live.number, attempt=live.attempt, how=how, code=event.code, tail=event.tail,
            invalid=event.invalid,
        )  # fmt: skip


def _started(event: Started, live: Live, *, here: LeaseOwner, at: float) -> ev.TrialStarted:
    return ev.TrialStarted(
        at=at, trial=live.number, attempt=live.attempt, pid=event.pid, ticks=event.ticks, boot=event.boot,
        host=here.host, devices=event.devices,
    )  # fmt: skip


def _named(event: Exited, watched: Watched, live: Live, *, here: LeaseOwner) -> ev.How:
    """How the attempt ended, as the log names it: without a status it was killed, or its machine went down."""
    how: ev.How = event.how
    if how == "lost" and live.host == here.host and (watched.boot or live.boot) in {"", here.boot}:
        how = "killed"
    if live.stop is None and live.pause is None and how in {"exited", "killed"} and _interrupted(watched):
        how = "interrupted"
    return how


def _interrupted(watched: Watched) -> bool:
    """Whether a runner that was told to end has ended it: this one, or one that was killed before it could say so."""
    return watched.interrupted or attempt.asked_to_stop(watched.directory)


def gone(live: Live, *, at: float) -> ev.TrialExited:
    """The end of an attempt that this runner took over and cannot reach: of another machine, or of an asker."""
    how: ev.How = "killed" if live.asked else "lost"
    tail = "the process that asked for it is gone" if live.asked else ""
    return ev.TrialExited(at=at, trial=live.number, attempt=live.attempt, how=how, tail=tail)
