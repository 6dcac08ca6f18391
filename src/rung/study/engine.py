"""State, policy and rules together: events in, decisions out. The runner drives it, `replay` drives it again.

`decide` gives what is due without a searcher (outcomes, stops, retries, assignments, the end). `question` gives the
slow part, the next proposal, as a function that may run elsewhere; while its answer is out, what the policy would
observe is held back, so that the answer is a function of the log up to `based_on` and of nothing else.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from rung.model import Command, Continue, Done, LogError, Reason, Source, Start, Wait
from rung.study import events as ev
from rung.study.checkpoints import begin_from, droppable, needed
from rung.study.policy import Answer, Policy
from rung.study.settle import Outcome, closing_reason, given_up, over, settled
from rung.study.spaces import fitting
from rung.study.state import State
from rung.study.transitions import Phase, after

if TYPE_CHECKING:
    from rung.study.live import Live

PolicyFactory = Callable[[State], Policy]


class Question(msgspec.Struct, frozen=True):
    """A proposal to compute: `answer()` is slow and may run in another thread."""

    based_on: int
    free: int
    number: int  # of the trial to propose
    alone: bool  # no trial was live, but for paused ones: when nothing is left to start, the study ends
    answer: Answer
    attempt: int = 1  # of the trial to start or to continue
    source: Source | None = None  # where that begins


class Me(msgspec.Struct, frozen=True):
    """The runner that decides."""

    runner: str
    epoch: int


class Engine:
    """One study as one runner (or a replay) sees it."""

    def __init__(self, state: State, policy: Policy, me: Me) -> None:
        self.state, self.policy, self.me = state, policy, me
        self._held: list[Any] | None = None

    def fold(self, logged: Iterable[tuple[int, ev.AnyEvent]]) -> None:
        """State and policy have seen these events."""
        for seq, event in logged:
            self.state.apply(seq, event)
            digested = self.policy.digest(self.state, event)
            if self._held is not None:
                self._held += digested
            elif digested:
                self.policy.observe(digested)

    # ------------------------------------------------------------------------------------------------ decisions

    def decide(self, *, at: float, free: int) -> list[ev.Decision]:
        """What is due at once, in the order it should be appended. `free`: how many attempts may be assigned."""
        wanted = self.policy.due(self.state) if self._held is None else None
        outcomes: list[Outcome] = list(settled(self.state, wanted))
        if not outcomes and self.startable():
            outcomes += self._assignments(free)
        if not outcomes and (dropped := droppable(self.state)):
            outcomes.append((ev.CheckpointsDropped, {"dropped": dropped}))
        return [self._decision(kind, fields, at=at, free=free, based_on=self.state.seq) for kind, fields in outcomes]

    def startable(self) -> bool:
        """Whether trials may be started at all."""
        switches = self.state.switches
        return not switches.paused and switches.completed is None and closing_reason(self.state) is None

    def question(self, *, free: int) -> Question | None:
        """The next proposal to compute; None when none is wanted. Until `conclude`, the policy is held still."""
        waiting = int(self.state.phases[Phase.WAITING])
        if self._held is not None or free <= waiting or not self.startable() or self.state.retries_wanted:
            return None
        answer = self.policy.question(self.state, free - waiting)
        attempt, source = self._beginning(answer.known)
        question = Question(
            based_on=self.state.seq,
            free=free,
            number=len(self.state),
            alone=self.state.all_paused(),
            answer=answer,
            attempt=attempt,
            source=source,
        )
        self._held = []
        return question

    def _beginning(self, command: Command | None) -> tuple[int, Source | None]:
        """The attempt that the command begins, and where, as of now: what is saved later is not known to the answer."""
        if isinstance(command, Start) and command.parent is not None:
            return 1, self.state.shelf.latest(command.parent)
        if isinstance(command, Continue) and command.trial in self.state.live:
            return int(self.state.table["attempt"][command.trial]) + 1, begin_from(self.state, command.trial)
        return 1, None

    def conclude(
        self, question: Question, commands: Sequence[Command], *, at: float, seconds: float | None = None
    ) -> list[ev.Decision]:
        """The decisions that the answer means; the policy catches up with what was held back. `seconds`: what the
        answer took."""
        decisions = [d for c in commands for d in self._meaning(c, question, at=at, seconds=seconds)]
        held, self._held = self._held or [], None
        self.policy.observe(held)
        return decisions

    def propose(
        self,
        *,
        at: float,
        free: int,
        ask: Callable[[Answer], list[Command]] = lambda answer: answer(),
        watch: Callable[[], float] | None = None,
    ) -> list[ev.Decision]:
        """The next proposal, computed here and now; nothing when none is wanted or the answer is to wait. `ask` gets
        the commands out of an answer; `watch` gives seconds, to say how long that took."""
        question = self.question(free=free)
        if question is None:
            return []
        commands: list[Command] = []
        begun = watch() if watch is not None else None
        try:
            commands = ask(question.answer)
        finally:  # an answer that was interrupted must not hold the policy still for good
            seconds = watch() - begun if watch is not None and begun is not None else None
            decisions = self.conclude(question, commands, at=at, seconds=seconds)
        return decisions

    def legal(self, decisions: Sequence[ev.Decision]) -> list[ev.Decision]:
        """Those that still fit the state, in their order; the rest is to be dropped and recomputed."""
        kept: list[ev.Decision] = []
        phases: dict[int, Phase] = {}
        dropped: set[int] = set()
        for decision in decisions:
            if isinstance(decision, ev.CheckpointsDropped):
                if not any(needed(self.state, checkpoint) for checkpoint in decision.dropped):
                    kept.append(decision)
                continue
            trial = getattr(decision, "trial", None)
            if trial is None:
                if not self.state.live and self.state.switches.completed is None:
                    kept.append(decision)
                continue
            known = self.state.phase(trial) if trial < len(self.state) else Phase.NEW
            try:
                if trial in dropped or self._outrun(decision, trial):
                    raise LogError("another runner was first")
                phases[trial] = after(phases.get(trial, known), decision, trial=trial)
                kept.append(decision)
            except LogError:
                dropped.add(trial)  # what follows for this trial was computed for another story
        return kept

    def _outrun(self, decision: ev.Decision, trial: int) -> bool:
        """Whether the trial's number is taken, it is in another attempt by now, or what was proposed is not in the
        space any more."""
        if isinstance(decision, ev.TrialProposed):
            version = self.state.spaces.version(decision.reason.space_version)
            edited = version != len(self.state.spaces)
            if decision.source is not None and not self.state.shelf.holds(decision.source):
                return True
            return trial != len(self.state) or (edited and fitting(self.state.space, decision.params) is None)
        live = self.state.live.get(trial)
        if isinstance(decision, ev.AttemptAdopted) and live is not None and live.epoch != decision.previous:
            return True  # a third runner has adopted it
        known = int(self.state.table["attempt"][trial]) if trial < len(self.state) else 0
        expected = known + isinstance(decision, ev.AttemptAssigned)
        return bool(getattr(decision, "attempt", expected) != expected)

    def _assignments(self, free: int) -> list[Outcome]:
        return [(ev.AttemptAssigned, self._assignment(n)) for n in heapq.nsmallest(free, self.state.due[Phase.WAITING])]

    def _assignment(self, trial: int) -> dict[str, object]:
        source, attempt = begin_from(self.state, trial), int(self.state.table["attempt"][trial]) + 1
        return {"trial": trial, "attempt": attempt, "resource": self.state.live[trial].resource, "source": source}

    def _meaning(self, command: Command, question: Question, *, at: float, seconds: float | None) -> list[ev.Decision]:
        if isinstance(command, Wait):
            return []
        if isinstance(command, Start):
            outcomes = _begun(command, question, seconds)
        elif isinstance(command, Continue):
            outcomes = _continued(command, question)
        elif isinstance(command, Done):
            outcomes = self._done(command, question)
        else:
            raise LogError(f"a policy's question was answered with {type(command).__name__}")
        return [self._decision(k, f, at=at, free=question.free, based_on=question.based_on) for k, f in outcomes]

    def _done(self, command: Done, question: Question) -> list[Outcome]:
        # A trial that fails yet makes room for another: it asks again when all have ended, and nothing has changed.
        if not question.alone or question.based_on != self.state.seq:
            return []
        paused = [self.state.live[number] for number in self.state.running()]
        outcomes = [given_up(self.state, live, _never_continued(live, command.reason)) for live in paused]
        return outcomes or [over(self.state, command.reason)]

    def _decision(
        self, kind: type[ev.Decision], fields: dict[str, object], *, at: float, free: int, based_on: int
    ) -> ev.Decision:
        return kind(at=at, based_on=based_on, runner=self.me.runner, epoch=self.me.epoch, free=free, **fields)  # type: ignore[arg-type]


def _begun(command: Start, question: Question, seconds: float | None) -> list[Outcome]:
    """A new trial, and its first attempt."""
    reason, trial, source = command.reason, question.number, question.source
    proposed: dict[str, object] = {
        "trial": trial,
        "params": command.params,
        "reason": reason,
        "memo": command.memo,
        "enqueued": reason.data.get("index") if reason.by == "enqueue" else None,
        "seconds": _kept(seconds) if reason.by not in {"enqueue", "start"} else None,
        "ticket": command.ticket,
        "source": source,
    }
    resource = _number(command.resource)
    assigned: dict[str, object] = {"trial": trial, "attempt": 1, "resource": resource, "source": source}
    return [(ev.TrialProposed, proposed), (ev.AttemptAssigned, assigned)]


def _continued(command: Continue, question: Question) -> list[Outcome]:
    """A trial that was held, and its next attempt."""
    trial, to, attempt = command.trial, _number(command.to), question.attempt
    going_on: dict[str, object] = {"trial": trial, "attempt": attempt - 1, "to": to, "reason": command.reason}
    assigned: dict[str, object] = {"trial": trial, "attempt": attempt, "resource": to, "source": question.source}
    return [(ev.TrialContinued, going_on), (ev.AttemptAssigned, assigned)]


def _kept(seconds: float | None) -> float | None:
    """To the microsecond; nothing where the clock showed nothing."""
    return round(seconds, 6) or None if seconds is not None else None


def _number(resource: float | None) -> float | None:
    """As it is read from the log: a scheduler may count in whole numbers."""
    return None if resource is None else float(resource)


def _never_continued(live: Live, why: Reason) -> Reason:
    """Why a trial was held is why it was given up in the end."""
    held = live.pause
    assert held is not None
    return msgspec.structs.replace(held, text=f"{held.text}; then the study ended ({why.text})")
