"""What becomes of trials that ended, of requests, and of the study: pure rules from state to decisions.

Nothing here searches or schedules; `policy.py` does. Every rule gives at most one decision a trial.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from rung.model import Continue, Pause, Reason, Stop, WireNumber, to_wire
from rung.study import events as ev
from rung.study.endings import completes, enough
from rung.study.state import FIRST_OUTCOMES, Live, State
from rung.study.transitions import LIVE, Phase

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

UNCOUNTED_ATTEMPTS = 10  # a trial lost more often than this takes its machine down: it fails

Outcome = tuple[type[ev.Decision], dict[str, object]]


def settled(state: State, wanted: Mapping[int, Stop | Pause | Continue] | None) -> Iterator[Outcome]:
    """What is due now, as decision types with their own fields. `wanted`: what the policy wants of which trial; None
    while it cannot say, because a proposal is being computed."""
    closing = closing_reason(state)
    # A trial tried again when its budget is used up would be ended at once: its result would be lost for nothing.
    for number in sorted(state.retries_wanted) if used_up(state) is None else ():
        yield ev.TrialRetried, {"trial": number, "attempt": _attempt(state, number), "reason": _by_user("retried")}
    attention = state.due[Phase.ENDED] | state.trial_stops | state.held | state.released | set(wanted or ())
    for number in state.running() if closing is not None else sorted(attention):
        if number in state.live:
            yield from _due(state, state.live[number], closing, wanted)
    yield from _completed(state)


def _due(
    state: State, live: Live, closing: Reason | None, wanted: Mapping[int, Stop | Pause | Continue] | None
) -> Iterator[Outcome]:
    """What is due for one trial: at most one decision."""
    number, phase = live.number, state.phase(live.number)
    command = wanted.get(number) if wanted is not None else None
    if phase is Phase.ENDED:
        if wanted is not None or not _in_question(live):  # else it may be one that is to be held, or to go on
            yield _at_its_bound(state, live, command, closing) or _outcome(state, live)
    elif phase is not Phase.STOPPING:
        by_user = number in state.trial_stops
        stop = _by_user("stopped by the user") if by_user else closing
        if stop is not None and (by_user or closing is None or _ends(closing, phase)):
            yield _stop(state, live, stop)
        elif number in state.released and phase is Phase.PAUSED:
            yield _commanded(live, Continue(trial=number, to=live.resource, reason=_by_user("let go on by the user")))
        elif number in state.held and phase in _MAY[Pause]:
            yield _commanded(live, Pause(trial=number, reason=_by_user("held by the user")))
        elif command is not None and phase in _MAY[type(command)]:
            if isinstance(command, Stop) and phase not in LIVE:
                yield given_up(state, live, command.reason)
            elif not (isinstance(command, Continue) and number in state.held):
                yield _commanded(live, command)


_MAY = {  # what a command can still be carried out on; an ended program is seen to above
    Stop: {Phase.WAITING, Phase.STARTING, Phase.RUNNING, Phase.PAUSING, Phase.PAUSED},
    Pause: {Phase.STARTING, Phase.RUNNING},
    Continue: {Phase.STARTING, Phase.RUNNING, Phase.PAUSED},
}


def _ends(closing: Reason, phase: Phase) -> bool:
    """Whether the study's end ends a trial too: always one that has no program, and all of them at once."""
    return closing.phase != "drain" or phase in {Phase.WAITING, Phase.PAUSED}


def _in_question(live: Live) -> bool:
    """Whether the program ended well, by itself, where it was told to: not because it had come to its end."""
    exited = live.exit
    assert exited is not None
    good = exited.how in {"exited", "told"} and exited.code == 0 and exited.invalid is None
    return good and live.stop is None and live.told is not None and live.step >= live.told


def _at_its_bound(
    state: State, live: Live, command: Stop | Pause | Continue | None, closing: Reason | None
) -> Outcome | None:
    """What becomes of a trial whose program ended where it was told to; None when it has come to its end there."""
    if not _in_question(live):
        return None
    going_on = live.resource != live.told and live.step < _limit(live)
    if isinstance(command, Stop) and not command.complete:
        return given_up(state, live, command.reason)
    if closing is not None:
        unfinished = going_on if command is None else not isinstance(command, Stop)
        return given_up(state, live, closing) if unfinished else None
    if command is not None and not isinstance(command, Stop):
        return _commanded(live, command)
    if not going_on:
        return None
    why = Reason(by="runner", text=f"its program ended at {live.told:g}, where it was told to; it may go on")
    return ev.TrialContinued, {"trial": live.number, "attempt": live.attempt, "to": live.resource, "reason": why}


def _commanded(live: Live, command: Stop | Pause | Continue) -> Outcome:
    fields: dict[str, object] = {"trial": live.number, "attempt": live.attempt, "reason": command.reason}
    if isinstance(command, Stop):
        return ev.TrialStopped, {**fields, "complete": command.complete}
    if isinstance(command, Pause):
        return ev.TrialPaused, fields
    return ev.TrialContinued, {**fields, "to": None if command.to is None else float(command.to)}


def closing_reason(state: State) -> Reason | None:
    """Why no new trial may start for good; None while the study goes on. Phase `drain` lets the running ones finish,
    `now` ends them."""
    switches = state.switches
    if switches.stop is not None:
        return Reason(by="user", text="the study was stopped", phase="now" if switches.stop == "now" else "drain")
    return enough(state) or failing(state)


def used_up(state: State) -> Reason | None:
    """Why no trial at all may run under this budget, not even one that is asked for: its time, its target and so on."""
    closing = closing_reason(state)
    return closing if closing is not None and closing.by == "budget" else None


def failing(state: State) -> Reason | None:
    """Why the study is given up, if it is."""
    failures, budget = state.switches.failures, state.spec.budget
    if budget.on_failure == "stop" and failures:
        return Reason(by="failures", text="a trial failed, which ends this study at once", phase="now")
    if budget.on_failure is not None and budget.max_failures is None:
        return None
    outcomes = state.switches.first_outcomes
    hopeless = budget.on_failure is None and len(outcomes) == FIRST_OUTCOMES and set(outcomes) == {"failed"}
    if hopeless and not int(state.phases[Phase.COMPLETE]):
        return Reason(by="failures", text=f"the first {FIRST_OUTCOMES} trials all failed", phase="drain")
    limit = failure_limit(state)
    if state.switches.failures >= limit:
        return Reason(by="failures", text=f"{state.switches.failures} trials failed (limit {limit})", phase="drain")
    return None


def failure_limit(state: State) -> int:
    """How many failed trials end the study."""
    budget = state.spec.budget
    return max(1, budget.max_failures) if budget.max_failures is not None else max(10, budget.trials or 0)


def remaining(state: State) -> float:
    """How many more trials the budget allows to begin; infinite without a limit."""
    trials = state.spec.budget.trials
    if trials is None:
        return math.inf
    begun = len(state.live) + int(state.phases[Phase.COMPLETE]) + int(state.phases[Phase.PRUNED])
    if state.spec.budget.on_failure is not None:
        begun += int(state.phases[Phase.FAILED]) - len(state.switches.refused)
    return max(0, trials - begun)


def _completed(state: State) -> Iterator[Outcome]:
    if state.live or state.switches.completed is not None:
        return
    reason = closing_reason(state)
    if state.retries_wanted and used_up(state) is None:
        return
    if reason is None and (state.queue or remaining(state) or state.spec.budget.trials is None):
        return
    reason = reason or Reason(by="budget", text=f"{state.spec.budget.trials} trials evaluated")
    yield over(state, reason)


def over(state: State, reason: Reason) -> Outcome:
    """The study is complete; or failed when it was given up, nothing in it succeeded, or nothing was to fail."""
    good = int(state.phases[Phase.COMPLETE]) + int(state.phases[Phase.PRUNED])
    marred = state.spec.budget.on_failure == "fail" and state.switches.failures
    ended = "complete" if good and not marred and not failing(state) else "failed"
    return ev.StudyCompleted, {"state": ended, "reason": reason}


def _by_user(text: str) -> Reason:
    return Reason(by="user", text=text)


def _attempt(state: State, number: int) -> int:
    return int(state.table["attempt"][number])


def given_up(state: State, live: Live, reason: Reason) -> Outcome:
    """The end of a trial that has no program now: with what it has reported so far, if that is enough."""
    values = _values(state, live)
    fields = {"trial": live.number, "attempt": _attempt(state, live.number), "reason": reason}
    return ev.TrialCompleted, {**fields, "state": "failed" if values is None else "pruned", "values": values}


def _stop(state: State, live: Live, reason: Reason) -> Outcome:
    if state.phase(live.number) in {Phase.WAITING, Phase.PAUSED}:
        return given_up(state, live, reason)
    fields: dict[str, object] = {"trial": live.number, "attempt": live.attempt, "reason": reason}
    return ev.TrialStopped, {**fields, "complete": True} if completes(state, live.number) else fields


def _values(state: State, live: Live) -> tuple[WireNumber, ...] | None:
    values = live.values(state.spec.objectives)
    return None if values is None else tuple(to_wire(value) for value in values)


def _outcome(state: State, live: Live) -> Outcome:
    exited = live.exit
    assert exited is not None
    base: dict[str, object] = {"trial": live.number, "attempt": live.attempt}
    wire = _values(state, live)
    if live.stop is not None:
        ended = "failed" if wire is None else "complete" if live.completes else "pruned"
        return ev.TrialCompleted, {**base, "state": ended, "values": wire, "reason": live.stop}
    if exited.invalid is not None:
        # With a reason it is no failure of the study: nothing went wrong that another configuration would not cure.
        why = Reason(by="program", text="its program says that its parameters are not valid")
        return ev.TrialCompleted, {**base, "state": "failed", "reason": why, "error": exited.invalid, "invalid": True}
    if exited.how in {"lost", "never", "interrupted"}:
        return _again(state, live, exited)
    if exited.how in {"exited", "told"} and exited.code == 0 and wire is not None:
        return ev.TrialCompleted, {**base, "state": "complete", "values": wire}
    error = _error(state, live, exited)
    if exited.how in {"exited", "killed"} and int(state.table["retries"][live.number]) < state.spec.run.retries:
        return ev.TrialRetried, {**base, "reason": Reason(by="retries", text=error), "counted": True}
    return ev.TrialCompleted, {**base, "state": "failed", "error": error}


def _limit(live: Live) -> float:
    return math.inf if live.resource is None else live.resource


def _again(state: State, live: Live, exited: ev.TrialExited) -> Outcome:
    texts = {
        "lost": "its machine is gone",
        "never": exited.tail or "it had not started when its runner was gone",
        "interrupted": "the runner was asked to stop",
    }
    base: dict[str, object] = {"trial": live.number, "attempt": live.attempt}
    if exited.how == "lost" and live.attempt - int(state.table["retries"][live.number]) > UNCOUNTED_ATTEMPTS:
        return ev.TrialCompleted, {**base, "state": "failed", "error": f"lost {live.attempt} times: {texts['lost']}"}
    return ev.TrialRetried, {**base, "reason": Reason(by="runner", text=texts[exited.how])}


def _error(state: State, live: Live, exited: ev.TrialExited) -> str:
    if exited.how == "timeout":
        return f"ended at its time limit of {state.spec.run.timeout_s or 0:g} s"
    if exited.how == "killed":
        return exited.tail or "killed: its processes are gone and left no exit status"
    if exited.code:
        signal = f" (signal {exited.code - 128})" if 128 < exited.code < 160 else ""
        return f"exit status {exited.code}{signal}" + (f": {exited.tail}" if exited.tail else "")
    wanted = ", ".join(o.metric for o in state.spec.objectives if o.metric not in live.tracks)
    said = ", ".join(sorted(live.tracks)) or "; ".join(part for part in ("nothing", exited.tail) if part)
    return f"ended without reporting {wanted}; it reported {said}"
