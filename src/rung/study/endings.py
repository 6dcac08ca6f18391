"""When a study has had enough: its budget, and what its trials have reported. Pure rules over the state.

What each rule needs is counted as events are folded (`Tally`), so that asking costs the same whatever the number of
trials.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import msgspec

from rung.model import Reason, from_wire
from rung.space.errors import SpaceError
from rung.space.expressions import metric_expression
from rung.study.transitions import Phase

if TYPE_CHECKING:
    from rung.model import Report
    from rung.study import events as ev
    from rung.study.live import Live
    from rung.study.state import State

COST = "cost"  # the metric in which trials report what they have cost so far


class Tally(msgspec.Struct):
    """What is counted for the endings. `cost`: of all attempts that are over, by price, or as reported; `costs`: what
    each live trial has reported; `least`: the best loss of the first objective that a trial had when it was held or
    over, and `leader` which one; `stale`: trials since then that were held or over and no better, `judged` those of
    them that are not over; `met`: the first trial that made the stop expression true."""

    cost: float = 0.0
    costs: dict[int, float] = {}
    priced: dict[int, float] = {}  # running attempts that cost by their time, by trial -> when they started
    priced_since: float = 0.0  # the sum of these, each in seconds after the study was created
    least: float = math.inf
    leader: int = -1
    stale: int = 0
    judged: set[int] = set()
    met: int = -1


def reported(state: State, live: Live, report: Report) -> None:
    """The report, which the trial's tracks include, is counted: what the trial has cost, and whether it meets the stop
    expression. Each report is looked at by itself: how many came together is a matter of chance."""
    stop, tally = state.spec.budget.stop, state.tally
    cost = from_wire(report.values.get(COST, math.nan))
    if math.isfinite(cost):
        _not_priced(state, live.number)
        before = tally.costs.get(live.number, 0.0)
        tally.costs[live.number] = max(cost, before)
        tally.cost += max(0.0, cost - before)
    if stop is not None and tally.met < 0 and _meets(live, stop):
        tally.met = live.number


def _meets(live: Live, text: str) -> bool:
    values = {name: track.last for name, track in live.tracks.items()}
    try:
        return metric_expression(text).holds(values)
    except SpaceError:
        return False  # such as a division by a metric that is 0


def started(state: State, trial: int, at: float) -> None:
    """An attempt runs from now on, and costs by its time unless the trial has said what it costs."""
    _not_priced(state, trial)
    if trial not in state.tally.costs:
        state.tally.priced[trial] = at
        state.tally.priced_since += at - state.created.at


def _not_priced(state: State, trial: int) -> None:
    tally = state.tally
    begun = tally.priced.pop(trial, None)
    if begun is not None:
        tally.priced_since = tally.priced_since - (begun - state.created.at) if tally.priced else 0.0


def exited(state: State, trial: int, seconds: float) -> None:
    """What an attempt has cost by its time is counted, where trials do not say it themselves."""
    _not_priced(state, trial)
    price = state.spec.run.price
    if price is not None and trial not in state.tally.costs:
        state.tally.cost += price * seconds / 3600


def completed(state: State, event: ev.TrialCompleted) -> None:
    """One more trial is over."""
    state.tally.costs.pop(event.trial, None)
    if event.invalid:
        state.switches.refused.add(event.trial)
    if event.values:
        judged(state, event.trial, from_wire(event.values[0]))
    state.tally.judged.discard(event.trial)


def judged(state: State, trial: int, value: float) -> None:
    """A trial was held, or is over: with this value of the first objective it is the best yet, or one more that is not.
    It counts once, however often it is held."""
    tally, loss = state.tally, state.spec.objectives[0].loss(value)
    if loss < tally.least or tally.leader < 0:
        tally.least, tally.leader, tally.stale = loss, trial, 0
    elif trial not in tally.judged and trial != tally.leader:
        tally.stale += 1
    tally.judged.add(trial)


def spent(state: State) -> float:
    """What the study has cost so far, that of running attempts until the last event included."""
    price, tally = state.spec.run.price, state.tally
    if price is None:
        return tally.cost
    seconds = len(tally.priced) * (state.switches.last_at - state.created.at) - tally.priced_since
    return tally.cost + price * max(0.0, seconds) / 3600


def enough(state: State) -> Reason | None:
    """Why the budget ends the study now, or None. Phase `now` ends the running trials too, `drain` lets them finish."""
    budget, tally = state.spec.budget, state.tally
    if state.switches.time_spent:
        return Reason(by="budget", text=f"the time budget of {budget.time_s:g} s is used up", phase="now")
    if budget.cost is not None and spent(state) >= budget.cost:
        return Reason(by="budget", text=f"the cost budget of {budget.cost:g} is used up", phase="now")
    if target_reached(state):
        return _reached(state, f"the target {budget.target:g} is reached")
    if budget.stop is not None and tally.met >= 0:
        return _reached(state, f"{budget.stop} holds for trial {tally.met}", {"trial": tally.met})
    if budget.patience is not None and tally.stale >= budget.patience:
        text = f"the last {tally.stale} trials were no better than trial {tally.leader}"
        return Reason(by="budget", text=text, phase="drain")
    return None


def _reached(state: State, text: str, data: dict[str, int] | None = None) -> Reason:
    return Reason(by="budget", text=text, phase="drain" if state.created.deterministic else "now", data=data or {})


def target_reached(state: State) -> bool:
    """Whether a complete trial's first objective is at least as good as the target."""
    target = state.spec.budget.target
    if target is None or not state.spec.objectives:
        return False
    return state.switches.best_loss <= state.spec.objectives[0].loss(target)


def completes(state: State, trial: int) -> bool:
    """Whether the end of the study leaves the running trial complete: it is the one that made it end."""
    return trial == state.tally.met and state.phase(trial) in {Phase.STARTING, Phase.RUNNING, Phase.PAUSING}
