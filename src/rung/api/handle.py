"""A study in a store, as somebody sees it who reads it or asks something of it. Never writes but requests."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING, Any

from rung.analysis.estimates import Estimate, winners
from rung.api.edits import differences, edited, holds, sections
from rung.dialects.names import did_you_mean
from rung.model import FINAL_STATES, BadInput, Report, StudySpec, StudyState, Trial, UnknownStudy, to_wire
from rung.runner.identity import alive, myself, who
from rung.runner.log import entry, open_state, raw, read
from rung.study import events as ev
from rung.study.live import Note
from rung.study.settle import used_up
from rung.study.transitions import Phase

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rung.store.base import Store
    from rung.study.state import State

Request = dict[str, Any]
LONGEST_NOTE = 20_000  # characters
LONGEST_TAG = 60


class Handle:
    """One study. `state` is what the log says; call `refresh` to follow it."""

    def __init__(self, store: Store, name: str) -> None:
        """Raises `UnknownStudy` with the nearest known name."""
        self.store, self.name = store, name
        try:
            self.state: State = open_state(store, name)
        except UnknownStudy:
            known = [row.name for row in store.studies()]
            hint = did_you_mean(name, known) if known else "; there are none yet"
            raise UnknownStudy(f"no study named {name} in {store.url}{hint}") from None

    def refresh(self) -> list[ev.AnyEvent]:
        """The state follows the log; returns what was new."""
        new = list(read(self.store, self.name, after=self.state.seq))
        for seq, event in new:
            self.state.apply(seq, event)
        return [event for _, event in new]

    # -------------------------------------------------------------------------------------------------- reading

    def status(self) -> StudyState:
        """The study's public state. A study whose runners are all gone is `interrupted`."""
        return status(self.store, self.name, self.state)

    def trial(self, number: int) -> Trial:
        """One trial. Raises `BadInput` naming those that there are."""
        if not 0 <= number < len(self.state):
            have = f"0 to {len(self.state) - 1}" if len(self.state) else "none yet"
            raise BadInput(f"study {self.name} has no trial {number} (it has {have})")
        return self.state.trial(number)

    def best(self, *, top: int | None = None) -> list[Trial]:
        """The best trial, the `top` best, or the Pareto set; empty when none succeeded."""
        return [trial for trial, _ in self.winners(top=top)]

    def winners(self, *, top: int | None = None) -> list[tuple[Trial, Estimate | None]]:
        """`best`, each with what is known of the true mean of its configuration (None: the noise is not known)."""
        return [(self.state.trial(number), estimate) for number, estimate in winners(self.state, top=top)]

    def reports(self, number: int) -> list[Report]:
        """A trial's whole curve, read from the log: that of its last attempt, and what led to the checkpoint it began
        from."""
        self.trial(number)
        curve: list[Report] = []
        for _, event in read(self.store, self.name, trial=number):
            if isinstance(event, ev.AttemptAssigned):
                begun = -math.inf if event.source is None else event.source.checkpoint.step
                curve = [report for report in curve if report.step <= begun]
            elif isinstance(event, ev.TrialReported):
                curve += event.reports
        return curve

    def story(self, number: int | None = None) -> Iterator[tuple[int, ev.AnyEvent]]:
        """The events of one trial, or of all, with their sequence numbers."""
        if number is not None:
            self.trial(number)
        return read(self.store, self.name, trial=number)

    def entries(self, *, after: int = 0, trial: int | None = None) -> Iterator[tuple[int, bytes]]:
        """The events after a sequence number as the log has them, not decoded; of one trial, or of all."""
        return raw(self.store, self.name, after=after, trial=trial)

    # ------------------------------------------------------------------------------------------------- requests

    def request(self, kind: type[ev.Request], *, surface: str, **fields: Any) -> None:
        """The request is in the log; the runner that tails it obeys."""
        event = kind(at=time.time(), who=who(surface), **fields)
        self.store.append(self.name, [entry(event)])

    def pause(self, *, surface: str = "cli") -> None:
        """No new trials start until `unpause`."""
        self.request(ev.PauseRequested, surface=surface)

    def unpause(self, *, surface: str = "cli") -> None:
        """New trials start again."""
        self.request(ev.UnpauseRequested, surface=surface)

    def stop(self, *, now: bool = False, surface: str = "cli") -> None:
        """The study ends after its running trials, or `now`."""
        self.request(ev.StopRequested, surface=surface, now=now)

    def stop_trial(self, number: int, *, surface: str = "cli") -> None:
        """The trial ends. Raises `BadInput` when it is over already."""
        self._open(number)
        self.request(ev.TrialStopRequested, surface=surface, trial=number)

    def pause_trial(self, number: int, *, surface: str = "cli") -> None:
        """The trial is held until `unpause_trial`. Raises `BadInput` when it is over."""
        self._open(number)
        self.request(ev.TrialPauseRequested, surface=surface, trial=number)

    def unpause_trial(self, number: int, *, surface: str = "cli") -> None:
        """The trial goes on. Raises `BadInput` when it is over, or nobody held it."""
        self._open(number)
        if number not in self.state.held:
            paused = self.trial(number).state == "paused"
            why = "the schedule holds it, and says when it goes on" if paused else self.trial(number).state
            raise BadInput(f"nobody has paused trial {number} ({why})")
        self.request(ev.TrialUnpauseRequested, surface=surface, trial=number)

    def _open(self, number: int) -> None:
        if self.trial(number).state in FINAL_STATES:
            raise BadInput(f"trial {number} is over already ({self.trial(number).state})")

    def retry_trial(self, number: int, *, surface: str = "cli") -> None:
        """The trial runs again. Raises `BadInput` when it is not over."""
        if self.trial(number).state not in FINAL_STATES:
            raise BadInput(
                f"trial {number} is not over ({self.trial(number).state}): only a trial that ended can be retried"
            )
        closing = used_up(self.state)
        if closing is not None:
            raise BadInput(f"{closing.text}, so trial {number} cannot run: change the budget first, with `rung edit`")
        self.request(ev.RetryRequested, surface=surface, trial=number)

    def enqueue(self, params: dict[str, Any], *, surface: str = "cli") -> dict[str, Any]:
        """The configuration runs next; returns it with what was left open filled in. Raises `SpaceError`."""
        checked = self.state.space.complete(params)
        self.request(ev.TrialEnqueued, surface=surface, params=checked)
        return checked

    def tell(self, number: int, values: dict[str, float], *, surface: str = "cli") -> None:
        """The trial has these values. Raises `BadInput` for a metric that the study does not know."""
        self.trial(number)
        known = {o.metric for o in self.state.spec.objectives} | {o.metric for o in self.state.spec.outcomes}
        for name in values:
            if name not in known:
                raise BadInput(f"study {self.name} has no metric {name!r}{did_you_mean(name, known)}")
        wire = {name: to_wire(value) for name, value in values.items()}
        self.request(ev.TrialTold, surface=surface, trial=number, values=wire)

    def annotate(
        self,
        number: int | None = None,
        *,
        text: str | None = None,
        tag: Sequence[str] = (),
        untag: Sequence[str] = (),
        archived: bool | None = None,
        surface: str = "cli",
    ) -> Note:
        """What is kept beside the trial, or the study (None), is changed as far as it is given; returns it as it is
        then. Raises `BadInput` for an unknown trial, and for a text or a tag that is none."""
        if number is not None:
            self.trial(number)
        check_note(text, tag)
        fields = {"text": text, "tagged": tuple(tag), "untagged": tuple(untag), "archived": archived}
        given = {name: value for name, value in fields.items() if value not in (None, ())}
        if given:
            self.request(ev.NotesChanged, surface=surface, trial=number, **given)
        self.refresh()
        return self.state.notes.get(number, Note())

    def edit(self, settings: list[tuple[str, str]], *, surface: str = "cli") -> list[ev.Change]:
        """Budget, run settings and space are changed; returns what differs. Raises `BadInput` for anything else."""
        self.refresh()
        spec = edited(self.state, settings)
        wanted = sections(self.state.spec, spec)
        changes = self.change(spec, surface=surface)
        self.refresh()
        if not holds(self.state.spec, wanted):
            raise BadInput(f"study {self.name} was edited by somebody else at the same time; look at it, and try again")
        return changes

    def change(self, spec: StudySpec, *, surface: str) -> list[ev.Change]:
        """Budget, run settings and space are those of `spec`; returns what differs."""
        changes = differences(self.state.spec, spec)
        if changes:
            self.request(ev.SpecChanged, surface=surface, changes=tuple(changes), **sections(self.state.spec, spec))
        return changes


def check_note(text: str | None, tags: Sequence[str]) -> None:
    """Raises `BadInput` for a text that is too long, or a word that is no tag."""
    if text is not None and len(text) > LONGEST_NOTE:
        raise BadInput(f"expected at most {LONGEST_NOTE} characters, got {len(text)}", key="note")
    for tag in tags:
        if not tag.strip() or tag != tag.strip() or not tag.isprintable() or "," in tag or len(tag) > LONGEST_TAG:
            raise BadInput(f"expected a word or a few, of at most {LONGEST_TAG} characters, got {tag!r}", key="tag")


def status(store: Store, name: str, state: State) -> StudyState:
    """The public state of a study."""
    done = state.switches.completed
    if done is not None:
        return done.state
    here = myself()
    attached = [lease for lease in store.leases(name) if alive(lease.owner, here=here) is not False]
    if not attached:
        return "interrupted"
    return "paused" if state.switches.paused else "running"


def newest(store: Store) -> str:
    """The name of the study created last. Raises `UnknownStudy`."""
    rows = store.studies()
    if not rows:
        raise UnknownStudy(f"there is no study in {store.url} yet: `rung run` makes one")
    return rows[-1].name


__all__ = ["Handle", "Phase", "differences", "newest", "status"]
