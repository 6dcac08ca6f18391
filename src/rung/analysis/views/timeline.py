"""Who worked when: attempts as bars in the lanes of their hosts, runners, gaps and promotions.

Lanes are given in the order in which attempts were assigned, each the lowest free one of its host: so a bar never
changes its lane as the study goes on. All times are seconds since the study was created.
"""

from __future__ import annotations

import heapq
import math
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

import msgspec
import numpy as np

from rung.analysis.records import iso
from rung.analysis.views import MOST_MARKS, Marks, Where
from rung.analysis.views.chronicle import ENDS, Attachment, Told, chronicle
from rung.analysis.views.marks import codes, matching, spread
from rung.study.transitions import FINAL, Phase

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from rung.analysis.views import Readable
    from rung.analysis.views.marks import Floats, Integers
    from rung.study.state import State

SAMPLES = 200  # of the course of how many work
Outcome = Literal["running", "complete", "pruned", "failed", "paused", "again"]
OUTCOMES: tuple[Outcome, ...] = ("running", "complete", "pruned", "failed", "paused", "again")


class Lane(msgspec.Struct, frozen=True, kw_only=True):
    """One lane: its host, and its place among that host's."""

    host: str
    place: int


class RunnerBar(msgspec.Struct, frozen=True, kw_only=True):
    """A runner from when to when it was attached; `end`: null while it is, `why`: what made it go."""

    runner: str
    host: str
    pid: int
    workers: int
    begin: float
    end: float | None
    why: str


class Span(msgspec.Struct, frozen=True, kw_only=True):
    """From when to when."""

    begin: float
    end: float | None


class Promotions(msgspec.Struct, frozen=True, kw_only=True):
    """When trials were let go on, and up to which resource (null: to their end); `shown` of `of`."""

    of: int
    shown: int
    number: list[int]
    at: list[float]
    to: list[float | None]


class Timeline(msgspec.Struct, frozen=True, kw_only=True):
    """`number`, `attempt`, `lane`, `start`, `end`, `outcome`, `how`: a bar each, `shown` of the `of` within `begin` and
    `end_at`; where there are too many, the longest. An attempt's `end` is null while it goes on; its `outcome` is its
    trial's state where it was the last one, else whether the trial was paused then or tried again.
    `now`: the study's last event. `gaps`: when no runner was attached. `paused`: when people had paused the study.
    `utilisation`: of the workers attached in that time, the share that ran something; null where nobody says how many
    there are. `busy_at`, `busy`: how many ran, as means over equal stretches."""

    MARKS: ClassVar = ("number", "attempt", "lane", "start", "end", "outcome", "how")

    created: str
    begin: float
    end_at: float
    now: float
    of: int
    shown: int
    number: list[int]
    attempt: list[int]
    lane: list[int]
    start: list[float]
    end: list[float | None]
    outcome: list[Outcome]
    how: list[str]
    lanes: list[Lane]
    runners: list[RunnerBar]
    gaps: list[Span]
    paused: list[Span]
    promotions: Promotions
    utilisation: float | None
    busy_at: list[float]
    busy: list[float]


def timeline(
    study: Readable,
    *,
    begin: Annotated[float, msgspec.Meta(description="Seconds since the study was created; from then on.")] = 0.0,
    end: Annotated[
        float | None, msgspec.Meta(description="Seconds since the study was created; until then (empty: now).")
    ] = None,
    where: Where = "",
    marks: Marks = MOST_MARKS,
) -> Timeline:
    """Every attempt within a window of time, and who was there to run it."""
    state, told = study.state, chronicle(study)
    created, now = state.created.at, told.last_at - state.created.at
    until = now if end is None else max(begin, end)
    rows = told.attempts[told.attempts["trial"] < len(state)]
    starts = np.where(np.isnan(rows["started"]), rows["assigned"], rows["started"]) - created
    ends = np.where(np.isnan(rows["ended"]), np.inf, rows["ended"] - created)
    hosts = {a.epoch: a.host for a in told.attachments}
    lane, lanes = laned(rows["assigned"] - created, ends, [hosts.get(epoch, "") for epoch in rows["epoch"].tolist()])
    matches = matching(state, where)[rows["trial"]]
    within = np.flatnonzero((starts <= until) & (ends >= begin) & matches)
    kept = _longest(within, np.minimum(ends, now) - starts, marks)
    outcome = _outcomes(state, told, rows)
    edges = np.linspace(begin, until, SAMPLES + 1) if until > begin and len(rows) else np.zeros(0)
    worked = _worked(starts, np.minimum(ends, max(now, until)), edges)
    return Timeline(
        created=iso(created) or "", begin=begin, end_at=until, now=now, of=len(within), shown=len(kept),
        number=rows["trial"][kept].tolist(), attempt=rows["attempt"][kept].tolist(), lane=lane[kept].tolist(),
        start=starts[kept].tolist(), end=[None if math.isinf(e) else e for e in ends[kept].tolist()],
        outcome=[OUTCOMES[o] for o in outcome[kept].tolist()], how=[ENDS[h] for h in rows["how"][kept].tolist()],
        lanes=lanes, runners=_runners(told.attachments, created), gaps=_gaps(told.attachments, created, now),
        paused=[Span(begin=a - created, end=None if b is None else b - created) for a, b in told.pauses],
        promotions=_promotions(state, told, begin, until, marks),
        utilisation=_utilisation(told.attachments, created, now, begin, until, float(worked.sum())),
        busy_at=((edges[1:] + edges[:-1]) / 2).tolist(), busy=(worked / np.diff(edges)).tolist(),
    )  # fmt: skip


def laned(assigned: Floats, ends: Floats, hosts: list[str]) -> tuple[Integers, list[Lane]]:
    """(a,) the lane of each attempt, and all lanes: host by host in the order in which these came, the attempts in the
    order given."""
    free: dict[str, list[int]] = {}
    busy: dict[str, list[tuple[float, int]]] = {}
    count: dict[str, int] = {}
    places = np.zeros(len(assigned), dtype=np.int64)
    for i, (start, end, host) in enumerate(zip(assigned.tolist(), ends.tolist(), hosts, strict=True)):
        idle, at_work = free.setdefault(host, []), busy.setdefault(host, [])
        while at_work and at_work[0][0] <= start:
            heapq.heappush(idle, heapq.heappop(at_work)[1])
        if idle:
            place = heapq.heappop(idle)
        else:
            place = count.get(host, 0)
            count[host] = place + 1
        heapq.heappush(at_work, (end, place))
        places[i] = place
    lanes = [Lane(host=host, place=place) for host in count for place in range(count[host])]
    first = dict(zip(count, np.cumsum([0, *count.values()]).tolist(), strict=False))
    offsets = np.array([first[host] for host in hosts], dtype=np.int64)
    return places + offsets, lanes


def _longest(within: Integers, lengths: Floats, most: int) -> Integers:
    """At most so many of the bars, the longest ones; of equal ones the first."""
    if len(within) <= most:
        return within
    return np.sort(within[np.argsort(-lengths[within], kind="stable")[:most]])


def _outcomes(state: State, told: Told, rows: npt.NDArray[np.void]) -> Integers:
    """(a,) what became of each attempt, as a place in `OUTCOMES`."""
    last = np.zeros(len(state), dtype=np.int64)
    np.maximum.at(last, rows["trial"], rows["attempt"])
    is_last = rows["attempt"] == last[rows["trial"]]
    phases, code = state.table["phase"][rows["trial"]], codes(state)[rows["trial"]]
    paused = {(v.trial, v.attempt) for v in told.verdicts if v.act == "paused"}
    pairs = zip(rows["trial"].tolist(), rows["attempt"].tolist(), strict=True)
    held = np.array([pair in paused for pair in pairs], bool)
    over = ~np.isnan(rows["ended"])
    found = np.where(held, OUTCOMES.index("paused"), OUTCOMES.index("again"))
    final = np.isin(phases, [int(phase) for phase in FINAL])
    # Places in STATES and in OUTCOMES: complete, pruned, failed are at 3 to 5 there and at 1 to 3 here.
    found = np.where(is_last & final, code - 2, found)
    found = np.where(is_last & (phases == Phase.ENDED), OUTCOMES.index("running"), found)
    return np.where(over | final, found, OUTCOMES.index("running"))


def _worked(starts: Floats, ends: Floats, edges: Floats) -> Floats:
    """(samples,) the seconds that attempts ran within each stretch between the edges."""
    if len(edges) < 2:
        return np.zeros(0)
    first, last = np.sort(starts), np.sort(ends)

    def until(moments: Floats, sides: Floats) -> Floats:
        """The sum over all sides before each moment of how long ago they were."""
        count = np.searchsorted(sides, moments)
        return count * moments - np.concatenate(([0.0], np.cumsum(sides)))[count]

    return np.maximum(0.0, np.diff(until(edges, first) - until(edges, last)))


def _runners(attachments: Sequence[Attachment], created: float) -> list[RunnerBar]:
    return [
        RunnerBar(
            runner=a.runner, host=a.host, pid=a.pid, workers=a.workers, begin=a.since - created,
            end=None if a.until is None else a.until - created, why=a.why,
        )
        for a in attachments
    ]  # fmt: skip


def _gaps(attachments: Sequence[Attachment], created: float, now: float) -> list[Span]:
    """When nobody was attached, from the first runner on."""
    found, reached = list[Span](), None
    for a in sorted(attachments, key=lambda a: a.since):
        since, until = a.since - created, now if a.until is None else a.until - created
        if reached is not None and since > reached:
            found.append(Span(begin=reached, end=since))
        reached = until if reached is None else max(reached, until)
    return found


def _utilisation(
    attachments: Sequence[Attachment], created: float, now: float, begin: float, end: float, worked: float
) -> float | None:
    there = 0.0
    for a in attachments:
        since, until = a.since - created, now if a.until is None else a.until - created
        there += a.workers * max(0.0, min(until, end) - max(since, begin))
    return min(1.0, worked / there) if there > 0 else None


def _promotions(state: State, told: Told, begin: float, end: float, most: int) -> Promotions:
    since = state.created.at
    found = [
        v for v in told.verdicts
        if v.act == "continued" and v.trial < len(state) and begin <= v.at - since <= end
    ]  # fmt: skip
    kept = [found[i] for i in spread(len(found), most).tolist()]
    return Promotions(
        of=len(found), shown=len(kept), number=[v.trial for v in kept], at=[v.at - since for v in kept],
        to=[v.to for v in kept],
    )  # fmt: skip
