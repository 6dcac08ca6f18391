"""The checkpoints that a study keeps: which there are, who needs them, and which may go.

Kept are the `study_best` best of the study, the `trial_best` best and the `trial_latest` latest of each trial, the
latest of every trial that is not final (it may be resumed, continued or cloned), and the one that a clone begins from,
until it has saved one itself. Best only counts checkpoints whose report had the first objective. The work for an event
grows with the checkpoints of one trial, never with the trials.
"""

from __future__ import annotations

import math
from bisect import bisect_left, insort
from typing import TYPE_CHECKING

import msgspec

from rung.model import Source, from_wire
from rung.study.events import Dropped
from rung.study.live import Saved
from rung.study.transitions import FINAL, Phase

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rung.model import CheckpointSpec
    from rung.study import events as ev
    from rung.study.state import State

ENOUGH_TO_DROP = 32  # fewer than this wait to be dropped together, unless they are large
LARGE_BYTES = 1 << 26
BUDGET_AFTER = (
    0.9  # a disk budget that was exceeded is brought down to this part of it, so as not to look at each report
)

Rank = tuple[float, int, int]  # loss, trial, place among all that the trial ever saved


class Shelf(msgspec.Struct):
    """The checkpoints that are kept, by trial, oldest first. `places` counts all that a trial ever saved; `bytes` are
    those of all, `needed_bytes` of those that must stay."""

    saved: dict[int, list[Saved]] = {}
    places: dict[int, int] = {}
    borrowed: dict[int, Source] = {}  # a clone -> what it begins from, until it has saved one of its own, or has ended
    due: dict[int, tuple[int, int]] = {}  # trials of which some may go -> how many, and their bytes
    dropped: tuple[Dropped, ...] = ()  # the last that were: their folders may not be gone yet
    bytes: int = 0
    needed: dict[int, int] = {}  # trials of which some must stay -> their bytes
    needed_bytes: int = 0
    ranked: list[Rank] = []

    def add(self, trial: int, saved: Saved, *, best: int) -> int | None:
        """One more. `best`: how many best ones of the study are kept; returns the trial of the one it pushes out."""
        place = self.places[trial] = self.places.get(trial, 0) + 1
        saved.place = place
        self.saved.setdefault(trial, []).append(saved)
        self.bytes += saved.checkpoint.bytes
        if math.isnan(saved.loss):
            return None
        insort(self.ranked, (saved.loss, trial, place))
        return self.ranked[best][1] if len(self.ranked) > best else None

    def remove(self, trial: int, attempt: int, name: str) -> None:
        """It is kept no longer; nothing happens when it was not."""
        for saved in self.saved.get(trial, ()):
            if (saved.checkpoint.attempt, saved.checkpoint.name) == (attempt, name):
                self.saved[trial].remove(saved)
                self.bytes -= saved.checkpoint.bytes
                rank = (saved.loss, trial, saved.place)
                at = bisect_left(self.ranked, rank) if not math.isnan(saved.loss) else len(self.ranked)
                if at < len(self.ranked) and self.ranked[at] == rank:
                    del self.ranked[at]
                break
        if trial in self.saved and not self.saved[trial]:
            del self.saved[trial]

    def latest(self, trial: int) -> Source | None:
        """The newest checkpoint of a trial."""
        saved = self.saved.get(trial)
        return Source(trial, saved[-1].checkpoint) if saved else None

    def holds(self, source: Source) -> bool:
        """Whether this very checkpoint is still kept."""
        return any(saved.checkpoint == source.checkpoint for saved in self.saved.get(source.trial, ()))


def begin_from(state: State, trial: int) -> Source | None:
    """Where the next attempt of a trial begins: at its own latest checkpoint, else where it was cloned from."""
    shelf, live, own = state.shelf, state.live[trial], state.shelf.latest(trial)
    if own is not None and own.checkpoint.attempt >= live.since:
        return own
    clone = live.source
    if clone is None or clone.trial == trial:
        return None
    return clone if shelf.holds(clone) else shelf.latest(clone.trial)


def refile(state: State, trial: int | None) -> None:
    """The trial is due if, and only if, some of its checkpoints may go; and what of it must stay is counted."""
    shelf = state.shelf
    if trial is None or not (trial in shelf.saved or trial in shelf.due or trial in shelf.needed):
        return
    sizes = [saved.checkpoint.bytes for _, saved in _unneeded(state, trial)]
    if sizes:
        shelf.due[trial] = len(sizes), sum(sizes)
    else:
        shelf.due.pop(trial, None)
    must = needed_bytes(state, trial)
    shelf.needed_bytes += must - shelf.needed.pop(trial, 0)
    if must:
        shelf.needed[trial] = must


def needed_bytes(state: State, trial: int) -> int:
    """The bytes of those checkpoints of a trial that must stay."""
    return sum({saved.place: saved.checkpoint.bytes for saved in _required(state, trial)}.values())


def saved_by(state: State, event: ev.TrialReported) -> Iterator[Saved]:
    """The checkpoints that the event commits, each with the metrics of the report that named it."""
    by_step = {report.step: report for report in event.reports}
    objective = state.spec.objectives[0] if state.spec.objectives else None
    for checkpoint in event.checkpoints:
        report = by_step.get(checkpoint.step)
        values = {name: from_wire(wire) for name, wire in report.values.items()} if report else {}
        value = values.get(objective.metric) if objective else None
        yield Saved(checkpoint, values, math.nan if value is None or objective is None else objective.loss(value))


def droppable(state: State) -> tuple[Dropped, ...]:
    """The checkpoints that nobody needs any more, when it is worth saying so now."""
    due, over = state.shelf.due, _may_shrink(state)
    count, freed = sum(number for number, _ in due.values()), sum(size for _, size in due.values())
    if not over and (not count or (count < ENOUGH_TO_DROP and freed < LARGE_BYTES and _busy(state))):
        return ()
    found = [item for trial in sorted(due) for item in _unneeded(state, trial)]
    if over:
        found += _beyond_budget(state, freed, {(trial, saved.place) for trial, saved in found})
    return tuple(Dropped(t, s.checkpoint.attempt, s.checkpoint.name) for t, s in found)


def needed(state: State, dropped: Dropped) -> bool:
    """Whether the checkpoint has come to be needed since it was found that it may go."""
    must = {saved.place for saved in _required(state, dropped.trial)}
    return any(
        saved.place in must
        for saved in state.shelf.saved.get(dropped.trial, ())
        if (saved.checkpoint.attempt, saved.checkpoint.name) == (dropped.attempt, dropped.name)
    )


def left_over(state: State) -> Iterator[Dropped]:
    """Those that were dropped last, whose folders may still be there. A program may have used a name again since."""
    for dropped in state.shelf.dropped:
        saved = state.shelf.saved.get(dropped.trial, ())
        if all((one.checkpoint.attempt, one.checkpoint.name) != (dropped.attempt, dropped.name) for one in saved):
            yield dropped


def _busy(state: State) -> bool:
    return len(state.live) > int(state.phases[Phase.PAUSED])


def _over_budget(state: State) -> bool:
    limit = state.spec.checkpoint.disk_bytes
    return limit is not None and state.shelf.bytes > limit


def _may_shrink(state: State) -> bool:
    """Whether there is too much, and anything of it may go: to look for it costs as much as there are checkpoints, and
    there may be too much for the whole of a study."""
    if not _over_budget(state):
        return False
    shelf, stay = state.shelf, state.shelf.needed_bytes
    for trial, place in _best_of_all(state):
        must = {one.place for one in _required(state, trial)}
        stay += sum(one.checkpoint.bytes for one in shelf.saved[trial] if one.place == place and place not in must)
    return shelf.bytes > stay


def _required(state: State, trial: int) -> Iterator[Saved]:
    """What must stay whatever the policy says."""
    saved = state.shelf.saved.get(trial, [])
    if saved and state.phase(trial) not in FINAL:
        yield saved[-1]
    for source in state.shelf.borrowed.values():
        if source.trial == trial:
            yield from (one for one in saved if one.checkpoint == source.checkpoint)


def _wanted(state: State, spec: CheckpointSpec, trial: int) -> Iterator[Saved]:
    """What the policy keeps of a trial."""
    saved = state.shelf.saved.get(trial, [])
    if spec.trial_latest:
        yield from saved[-spec.trial_latest :]
    valued = sorted((one for one in saved if not math.isnan(one.loss)), key=lambda one: (one.loss, one.place))
    yield from valued[: spec.trial_best]
    for _, owner, place in state.shelf.ranked[: spec.study_best]:
        if owner == trial:
            yield from (one for one in saved if one.place == place)


def _unneeded(state: State, trial: int) -> Iterator[tuple[int, Saved]]:
    keep = {one.place for one in _required(state, trial)}
    keep |= {one.place for one in _wanted(state, state.spec.checkpoint, trial)}
    yield from ((trial, one) for one in state.shelf.saved.get(trial, ()) if one.place not in keep)


def _beyond_budget(state: State, freed: int, gone: set[tuple[int, int]]) -> list[tuple[int, Saved]]:
    """Those that go so that the rest fits the disk: of the worst trials first, and of a trial its best one last."""
    limit = state.spec.checkpoint.disk_bytes
    assert limit is not None
    excess = state.shelf.bytes - freed - int(limit * BUDGET_AFTER)
    found: list[tuple[int, Saved]] = []
    staying = gone | _best_of_all(state)
    for trial, saved in _worst_first(state):
        if excess <= 0:
            break
        if (trial, saved.place) not in staying:
            found.append((trial, saved))
            excess -= saved.checkpoint.bytes
    return found


def _best_of_all(state: State) -> set[tuple[int, int]]:
    """Trial and place of the best checkpoint of the study, or of as many as it wants: they stay, whatever room there
    is."""
    best = state.shelf.ranked[: max(1, state.spec.checkpoint.study_best)]
    return {(trial, place) for _, trial, place in best}


def over_budget(state: State) -> str | None:
    """What to tell the user when checkpoints that must stay take more room than there is for them."""
    if not _over_budget(state) or droppable(state):
        return None
    limit, size = state.spec.checkpoint.disk_bytes, state.shelf.bytes
    return f"checkpoints take {size} bytes, more than checkpoint.disk ({limit}), and each of them is needed"


def _worst_first(state: State) -> list[tuple[int, Saved]]:
    ranked: list[tuple[float, int, float, int, Saved]] = []
    for trial, several in state.shelf.saved.items():
        required = {one.place for one in _required(state, trial)}
        best = min((one.loss for one in several if not math.isnan(one.loss)), default=math.inf)
        ranked += [
            (-best, trial, -math.inf if math.isnan(one.loss) else -one.loss, one.place, one)
            for one in several
            if one.place not in required
        ]
    return [(trial, one) for _, trial, _, _, one in sorted(ranked, key=lambda item: item[:4])]
