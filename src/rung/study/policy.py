"""One policy decides what a study does next (ARCHITECTURE rule 5). `Combined` is the default: a searcher proposes, a
scheduler stops.

A policy is a fold like the state beside it: `observe` sees every event after the state has applied it, in the order
of the log. `question` takes what an answer may depend on and gives a function that may run in another thread, because
a proposal can be slow; until its answer is in, the engine holds back what the policy would observe.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from rung.model import Budget, Command, Continue, Done, Pause, Reason, Start, Stop, Wait
from rung.schedule import base as schedule
from rung.search.base import Delta, Earlier, Exhausted, Proposed, Result, Searcher, Suggestion
from rung.space import SpaceError
from rung.study import deltas
from rung.study import events as ev
from rung.study.fidelity import Concluded, Fidelity, Reached
from rung.study.following import Following
from rung.study.guard import ENOUGH, Failure, Guard, fallback
from rung.study.live import by_user
from rung.study.order import Arrival, InOrder, order_of
from rung.study.seeds import generator
from rung.study.settle import remaining
from rung.study.state import CHUNK
from rung.study.transitions import Phase

if TYPE_CHECKING:
    from rung.space import Space
    from rung.study.deltas import Refitted
    from rung.study.state import State


class Answer:
    """What to start next, when it is called. Given a `Failure`, it answers without asking the searcher, which has
    failed in that way. `limit_s`: how many seconds the searcher may take; None: there is no limit. `known`: the answer,
    where nobody has to be asked for it."""

    def __init__(
        self,
        compute: Callable[[Failure | None], list[Command]],
        limit_s: float | None = None,
        *,
        known: Command | None = None,
    ) -> None:
        self._compute, self.limit_s, self.known = compute, limit_s, known

    def __call__(self, failure: Failure | None = None) -> list[Command]:
        return self._compute(failure)


class Policy(Protocol):
    """What the engine needs of a policy."""

    def digest(self, state: State, event: ev.AnyEvent) -> list[Any]:
        """What the event means to the policy; called when `state` has applied it."""
        ...

    def observe(self, digested: list[Any]) -> None:
        """It is part of the policy's state."""
        ...

    def due(self, state: State) -> Mapping[int, Stop | Pause | Continue]:
        """Commands on live trials, by trial, that follow from what was observed and are not in the log yet."""
        ...

    def question(self, state: State, free: int) -> Answer:
        """What to start next, at most one trial; the answer may be computed in another thread."""
        ...


class Taken(Container[Mapping[str, Any]]):
    """The configurations that may not be proposed again."""

    def __init__(self, space: Space, repeats: int) -> None:
        self.space, self.repeats = space, repeats
        self.counts: Counter[Any] = Counter()

    def add(self, params: Mapping[str, Any]) -> None:
        """One more evaluation of this configuration."""
        self.counts[self.space.fingerprint(params)] += 1

    def add_all(self, state: State, refit: Refitted) -> None:
        """Every trial of the state that fits its newest space is counted: the same as adding them one by one."""
        rows = state.table["params"][:, : len(self.space.names)]
        for number, fingerprint in enumerate(self.space.fingerprints(rows)):
            if number in refit:
                params = refit[number]
                if params is not None:
                    self.add(params)
            else:
                tweaked = number in state.tweaked
                self.counts[self.space.fingerprint(state.params(number)) if tweaked else fingerprint] += 1

    def __contains__(self, params: object) -> bool:
        assert isinstance(params, Mapping)
        return self.counts[self.space.fingerprint(params)] >= self.repeats

    def __len__(self) -> int:
        """How many configurations are taken."""
        return sum(count >= self.repeats for count in self.counts.values()) if self.repeats > 1 else len(self.counts)


class Combined:
    """`combine(searcher, scheduler)`."""

    def __init__(
        self,
        state: State,
        make: Callable[[State], Searcher],
        scheduler: schedule.Scheduler,
        *,
        limit_s: float | None = None,
    ) -> None:
        """`make` gives a fresh searcher for the newest space of a state. `limit_s`: how many seconds a proposal may
        take, None: no limit."""
        self.make, self.scheduler, self.limit_s = make, scheduler, limit_s
        self.guard = Guard(make(state), state.space, lazy=limit_s is not None)
        self.taken = Taken(state.space, state.spec.search.repeats)
        self.left_out: set[int] = set()  # trials that do not fit the space as it is now: searchers do not know them
        self.wanted: dict[int, Stop | Pause | Continue] = {}
        self.order: Arrival | InOrder = order_of(state)
        levels = scheduler.levels()
        self.following = Following(state.spec, levels)
        # Where results count in the order of the trials, what a trial had at a rung would come before its turn.
        compared = bool(levels) and isinstance(self.order, Arrival)
        self.fidelity = Fidelity(len(levels), len(state.space.names)) if compared else None

    def catch_up(self, state: State) -> None:
        """All that `state` already holds has been observed: the state came from a snapshot or from elsewhere."""
        refit = deltas.refitted(state)
        self.left_out = {number for number, params in refit.items() if params is None}
        self.taken.add_all(state, refit)
        self._show(list(deltas.earlier(state.space, state.earlier)))
        history = deltas.history(state, refit)
        while chunk := list(islice(history, CHUNK)):
            self._show([shown for delta in chunk for shown in self.order.add(delta)])
            self.scheduler.observe([schedule.Ended(d.number, d.losses) for d in chunk if isinstance(d, Result)])

    def digest(self, state: State, event: ev.AnyEvent) -> list[Any]:
        """The deltas that searcher and scheduler will see."""
        # A command that the event answers is settled before anything new follows from the event.
        found: list[Any] = [event] if _answers(event) else []
        found += self.following.digest(state, event)
        if isinstance(event, ev.TrialProposed):
            proposed, fits = deltas.proposal(state, event)
            found += [proposed] if fits else [deltas.Stray(event.trial), proposed]
        elif isinstance(event, ev.TrialCompleted) or (isinstance(event, ev.TrialTold) and state.is_final(event.trial)):
            complete = state.phase(event.trial) is Phase.COMPLETE  # TrialTold on a final trial is another result of it
            found.append(Concluded(deltas.result(state, event.trial), complete))
        elif isinstance(event, ev.EarlierStudyRead):
            found += deltas.earlier(state.space, [event])
        elif isinstance(event, ev.SpecChanged) and state.changes and state.changes[-1] is event:
            found += [self._retold(state)] if state.spaces.since[-1] == state.seq else []
            found += [] if event.budget is None else [event.budget]
        return found

    def _retold(self, state: State) -> deltas.Retold:
        """All of the history for a searcher of the newest space: what follows is added to it."""
        refit = deltas.refitted(state)
        taken = Taken(state.space, state.spec.search.repeats)
        taken.add_all(state, refit)
        return deltas.Retold(
            searcher=self.make(state),
            taken=taken,
            left_out={number for number, params in refit.items() if params is None},
            earlier=list(deltas.earlier(state.space, state.earlier)),
            history=list(deltas.history(state, refit)),
        )

    def observe(self, digested: list[Any]) -> None:
        """Searcher and scheduler have seen it; their answers are kept until the log holds them."""
        for item in digested:
            if isinstance(item, _ANSWERED):
                self.wanted.pop(item.trial, None)
            if isinstance(item, _SCHEDULED):
                self.wanted.update({command.trial: command for command in self.scheduler.observe([item])})
            if isinstance(item, schedule.Ended):
                self.wanted.pop(item.number, None)
            if isinstance(item, schedule.Held):
                self._show(self.order.hold(item.number))
            if isinstance(item, deltas.Stray):
                self.left_out.add(item.number)
            if isinstance(item, Proposed) and item.number not in self.left_out:
                self.taken.add(item.params)
            if isinstance(item, Proposed):
                self._show(self.order.add(item))
            if isinstance(item, Concluded):
                found = [item.result] if self.fidelity is None else self.fidelity.concluded(item)
                self._show([shown for result in found for shown in self.order.add(result)])
            if isinstance(item, Reached) and self.fidelity is not None:
                self._show(self.fidelity.reached(item))
            if isinstance(item, Earlier):
                self._show([item])
            if isinstance(item, Budget):
                self._show(self.order.rebudget(item.trials))
            if isinstance(item, deltas.Retold):
                self._begin_again(item)

    def _begin_again(self, told: deltas.Retold) -> None:
        """Another searcher takes over, for an edited space; it knows what the one before it knew, as far as it fits."""
        self.taken, self.left_out = told.taken, told.left_out
        self.guard = Guard(told.searcher, told.taken.space, lazy=self.limit_s is not None)
        self._show([*told.earlier, *self.order.let_in(told.history)])
        if self.fidelity is not None:
            self._show(self.fidelity.everything())

    def _show(self, found: Sequence[Delta]) -> None:
        if self.left_out:
            found = [d for d in found if isinstance(d, Earlier) or d.number not in self.left_out]
        if found:
            self.guard.observe(found)

    def due(self, state: State) -> Mapping[int, Stop | Pause | Continue]:
        """The scheduler's commands that the log does not hold yet."""
        return self.wanted

    def question(self, state: State, free: int) -> Answer:
        """A paused trial that has earned more first; then enqueued configurations, the start, and the searcher's."""
        number = len(state)
        if not free:
            return _known(Wait())
        place = self.scheduler.next(number, generator(state.seed, "schedule", number))
        if isinstance(place, Continue):
            return _known(place)
        version = len(state.spaces)
        given = _given(state, self.taken, version)
        if given is not None:
            return _known(_placed(given, place))
        if not self.order.may_propose(number) or not self.order.remaining(state):
            return _known(self._nothing_more(state) if state.all_paused() else Wait())
        if isinstance(place, schedule.Hold):
            return _known(_nothing_under_way(state) if state.all_paused() else Wait())
        if isinstance(place, schedule.Over):
            return _known(Done(reason=Reason(by=state.spec.schedule.method, text=place.text)))
        if isinstance(place, schedule.Propose):
            reason = msgspec.structs.replace(place.reason, space_version=version, parent=place.parent)
            start = Start(params=place.params, reason=reason, parent=place.parent)
            return _known(_placed(start, place))
        return self._asked(state, place, version)

    def _nothing_more(self, state: State) -> Done | Wait:
        """The paused trials are given up once the budget lets nothing begin: none of them has earned more."""
        if self.order.remaining(state):
            return Wait()
        text = f"{state.spec.budget.trials} trials begun, and none that is paused has earned more"
        return Done(reason=Reason(by=state.spec.schedule.method, text=text))

    def _asked(self, state: State, place: schedule.Ask, version: int) -> Answer:
        """The searcher's proposal, for the place that the scheduler has."""
        number = len(state)
        shown = self.fidelity.highest if self.fidelity is not None else ()  # they have a result already
        pending = [n for n in self.order.pending(state) if n not in self.left_out and n not in shown]
        by, failures, known = state.spec.search.method, state.switches.fallbacks, self.guard.known
        guard, taken, bound = self.guard, self.taken, state.spec.budget.improvement

        def answer(failure: Failure | None) -> list[Command]:
            found: Suggestion | Exhausted | Failure | None = failure
            if failure is None and failures < ENOUGH:
                found = guard.suggest(known, number, pending, taken, generator(state.seed, "search", number))
            if found is None or isinstance(found, Failure):
                rng = generator(state.seed, "fallback", number)
                found = fallback(found, guard.space, taken, rng, by=by, before=failures)
            if isinstance(found, Exhausted):
                return [Done(reason=Reason(by=by, text=found.text))]
            if _not_worth_it(found, bound):
                text = f"the expected improvement is {found.data['expected_improvement']:.3g}, below {bound:g}"
                return [Done(reason=Reason(by="budget", text=text, data=found.data))]
            reason = Reason(by=by, text=found.text, space_version=version, phase=found.phase, data=found.data)
            return [_placed(Start(params=found.params, reason=reason, memo=found.memo), place)]

        if self.limit_s is None or failures >= ENOUGH:
            return Answer(answer)
        return Answer(answer, self.limit_s * max(1, self.guard.backlog))


def _known(command: Command) -> Answer:
    return Answer(lambda _: [command], known=command)


def _given(state: State, taken: Taken, version: int) -> Start | None:
    """The next configuration that a user gave, if any: enqueued ones, then the study's own first points."""
    if state.queue:
        index = min(state.queue)
        params = state.space.complete(state.queue[index])
        why = "enqueued by the user"
        return Start(params=params, reason=Reason(by="enqueue", text=why, space_version=version, data={"index": index}))
    if not remaining(state):
        return None
    for params, text in first_points(state, after=state.switches.starts_served):
        # A configuration that the user listed twice runs once; later ones are found by their place in the list.
        if params not in taken:
            return Start(params=params, reason=Reason(by="start", text=text, space_version=version))
    return None


def first_points(state: State, *, after: int = 0) -> Iterator[tuple[dict[str, Any], str]]:
    """What the study starts with, and why, but for the first `after` of them. Raises `SpaceError` for a point that is
    not in the space; once the space was edited, such points are passed over."""
    for point, text in _first_points(state.spec.start, state.space, after):
        try:
            params = point()
        except SpaceError:
            if len(state.spaces) == 1:
                raise
        else:
            yield params, text


def _first_points(start: Any, space: Space, after: int) -> Iterator[tuple[Callable[[], dict[str, Any]], str]]:
    if isinstance(start, tuple):
        for i in range(after, len(start)):
            yield partial(space.complete, start[i]), f"first point {i + 1} of {len(start)}"
    elif start == "default" and not after:
        yield space.defaults, "the default configuration"
    elif start == "middle" and not after:
        yield space.middle, "the middle of the space"


def _not_worth_it(found: Suggestion, bound: float | None) -> bool:
    """Whether a searcher that can tell expects less improvement of the first objective than is worth a trial."""
    expected = found.data.get("expected_improvement")
    return bound is not None and expected is not None and expected < bound


def _placed(start: Start, place: schedule.Next) -> Start:
    """The trial begins where the scheduler has a place for it; without one it runs to its end."""
    if not isinstance(place, schedule.Ask | schedule.Propose):
        return start
    return msgspec.structs.replace(start, resource=place.resource, ticket=place.ticket)


def _nothing_under_way(state: State) -> Done:
    """A schedule waits, and nothing can come any more: the study ends rather than hang."""
    method = state.spec.schedule.method
    return Done(reason=Reason(by=method, text=f"{method} waits for trials, and none is under way"))


def _answers(event: ev.AnyEvent) -> bool:
    """Whether a command on the trial is not to be carried out any more. Where a person holds it, it is later."""
    if isinstance(event, ev.TrialPaused | ev.TrialContinued):
        return not by_user(event.reason)
    return isinstance(event, ev.TrialStopped | ev.TrialRetried)


_SCHEDULED = (schedule.Begun, schedule.Progress, schedule.Held, schedule.Resumed, schedule.Ended)
_ANSWERED = (ev.TrialStopped, ev.TrialPaused, ev.TrialContinued, ev.TrialRetried)

__all__ = ["Combined", "Phase", "Policy", "Taken", "first_points"]
