"""What becomes of trials that ended, of requests, and of the study: pure rules from state to decisions.

Nothing here searches or schedules; `policy.py` does. Every rule gives at most one decision a trial.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from rung.model import Reason, WireNumber, to_wire
from rung.study import events as ev
from rung.study.state import FIRST_OUTCOMES, Live, State
from rung.study.transitions import Phase

if TYPE_CHECKING:
    from collections.abc import Iterator

UNCOUNTED_ATTEMPTS = 10  # a trial lost more often than this takes its machine down: it fails

Outcome = tuple[type[ev.Decision], dict[str, object]]


def settled(state: State) -> Iterator[Outcome]:
    """What is due now, as decision types with their own fields."""
    closing = closing_reason(state)
    # A trial tried again when its budget is used up would be ended at once: its result would be lost for nothing.
    for number in sorted(state.retries_wanted) if used_up(state) is None else ():
        yield ev.TrialRetried, {"trial": number, "attempt": _attempt(state, number), "reason": _by_user("retried")}
    attention = state.running() if closing is not None else sorted(state.due[Phase.ENDED] | state.trial_stops)
    for number in attention:
        live, phase = state.live[number], state.phase(number)
        if phase is Phase.ENDED:
            yield _outcome(state, live)
        elif phase is not Phase.STOPPING:
            stop = _by_user("stopped by the user") if number in state.trial_stops else closing
            drained = (
                stop is closing and closing is not None and closing.phase == "drain" and phase is not Phase.WAITING
            )
            if stop is not None and not drained:
                yield _stop(state, live, stop)
    yield from _completed(state)


def closing_reason(state: State) -> Reason | None:
    """Why no new trial may start for good; None while the study goes on. Phase `drain` lets the running ones finish,
    `now` ends them."""
    switches, budget = state.switches, state.spec.budget
    if switches.stop is not None:
        return Reason(by="user", text="the study was stopped", phase="now" if switches.stop == "now" else "drain")
    if switches.time_spent:
        return Reason(by="budget", text=f"the time budget of {budget.time_s:g} s is used up", phase="now")
    if failing(state):
        return failing(state)
    if target_reached(state):
        phase = "drain" if state.created.deterministic else "now"
        return Reason(by="budget", text=f"the target {budget.target:g} is reached", phase=phase)
    return None


def used_up(state: State) -> Reason | None:
    """Why no trial at all may run under this budget, not even one that is asked for: its time, or its target."""
    closing = closing_reason(state)
    return closing if closing is not None and closing.by == "budget" else None


def failing(state: State) -> Reason | None:
    """Why the study is given up, if it is."""
    outcomes = state.switches.first_outcomes
    if len(outcomes) == FIRST_OUTCOMES and set(outcomes) == {"failed"} and not int(state.phases[Phase.COMPLETE]):
        return Reason(by="failures", text=f"the first {FIRST_OUTCOMES} trials all failed", phase="drain")
    limit = failure_limit(state)
    if state.switches.failures >= limit:
        return Reason(by="failures", text=f"{state.switches.failures} trials failed (limit {limit})", phase="drain")
    return None


def failure_limit(state: State) -> int:
    """How many failed trials end the study."""
    budget = state.spec.budget
    return max(1, budget.max_failures) if budget.max_failures is not None else max(10, budget.trials or 0)


def target_reached(state: State) -> bool:
    """Whether a complete trial's first objective is at least as good as the target."""
    target = state.spec.budget.target
    if target is None or not state.spec.objectives:
        return False
    return state.switches.best_loss <= state.spec.objectives[0].loss(target)


def remaining(state: State) -> float:
    """How many more trials the budget allows to begin; infinite without a limit."""
    trials = state.spec.budget.trials
    if trials is None:
        return math.inf
    begun = len(state.live) + int(state.phases[Phase.COMPLETE]) + int(state.phases[Phase.PRUNED])
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
    """The study is complete, or failed when it was given up or nothing in it succeeded."""
    good = int(state.phases[Phase.COMPLETE]) + int(state.phases[Phase.PRUNED])
    return ev.StudyCompleted, {"state": "complete" if good and not failing(state) else "failed", "reason": reason}


def _by_user(text: str) -> Reason:
    return Reason(by="user", text=text)


def _attempt(state: State, number: int) -> int:
    return int(state.table["attempt"][number])


def _stop(state: State, live: Live, reason: Reason) -> Outcome:
    fields = {"trial": live.number, "attempt": _attempt(state, live.number), "reason": reason}
    if state.phase(live.number) is Phase.WAITING:  # it has no program to end and no value
        return ev.TrialCompleted, {**fields, "state": "failed"}
    return ev.TrialStopped, fields


def _outcome(state: State, live: Live) -> Outcome:
    exited = live.exit
    assert exited is not None
    base: dict[str, object] = {"trial": live.number, "attempt": live.attempt}
    values = state.objective_values(live)
    wire: tuple[WireNumber, ...] | None = None if values is None else tuple(to_wire(value) for value in values)
    if live.stop is not None:
        return ev.TrialCompleted, {
            **base, "state": "failed" if wire is None else "pruned", "values": wire, "reason": live.stop
        }  # fmt: skip
    if exited.how in {"lost", "never", "interrupted"}:
        return _again(state, live, exited)
    if exited.how in {"exited", "told"} and exited.code == 0 and wire is not None:
        return ev.TrialCompleted, {**base, "state": "complete", "values": wire}
    error = _error(state, live, exited)
    if exited.how in {"exited", "killed"} and int(state.table["retries"][live.number]) < state.spec.run.retries:
        return ev.TrialRetried, {**base, "reason": Reason(by="retries", text=error), "counted": True}
    return ev.TrialCompleted, {**base, "state": "failed", "error": error}


def _again(state: State, live: Live, exited: ev.TrialExited) -> Outcome:
    texts = {
        "lost": "its machine is gone",
        "never": "it had not started when its runner was gone",
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
