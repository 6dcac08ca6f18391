"""How far a study is: trials by state, time left, what early stopping has saved, the best, who works on it.

* *Time left* is the least of what is left of each budget, at the pace so far. A trial takes, once twice as many are
  over as there are workers, the time with a runner attached by the trials evaluated; before, the mean time that an
  evaluated trial ran by the workers.
* *Work* is resource trained in all attempts, repeated parts too. *Saved* is, in sum over the trials that the scheduler
  ended, what each was short of the top: the most that a trial gets, or where the study does not say, the most that a
  complete one has come to. The share saved is saved / (done + saved). Population based training saves nothing: a clone
  goes on in the place of each member that it ends.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Annotated, Literal

import msgspec
import numpy as np

from rung.analysis import ranking
from rung.analysis.records import iso
from rung.analysis.views.marks import number_or_none
from rung.model import ScheduleSpec, WireNumber, to_wire
from rung.study.endings import COST, spent
from rung.study.transitions import Phase

if TYPE_CHECKING:
    from rung.analysis.views import Readable
    from rung.study.state import State

Limit = Literal["trials", "time", "cost"]


class Attached(msgspec.Struct, frozen=True, kw_only=True):
    """A runner that is attached: since when (ISO 8601), how many trials it may run at once, and how many it does."""

    runner: str
    host: str
    pid: int
    workers: int
    busy: int
    since: str


class Best(msgspec.Struct, frozen=True, kw_only=True):
    """The best single value of the first objective, and its trial."""

    number: int
    metric: str
    value: WireNumber


class Left(msgspec.Struct, frozen=True, kw_only=True):
    """When the study will be over by the budget that ends it first, in seconds of work from now."""

    seconds: WireNumber
    by: Limit


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """The budget in force; null: no such limit. `time` is in seconds."""

    trials: int | None
    time: float | None
    cost: float | None
    target: WireNumber | None
    max_failures: int | None
    patience: int | None


class Saving(msgspec.Struct, frozen=True, kw_only=True):
    """Work in units of `resource`: `done`, and `saved` by ending trials early; `share` = saved / (done + saved).
    `top`: what one trial gets if nobody ends it; null: not known yet, and then nothing is saved."""

    resource: str
    done: float
    saved: float
    share: float
    stopped: int
    top: float | None


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """Times are seconds. `evaluated`: trials with a result, complete or pruned, which the budget of trials counts.
    `elapsed`: with a runner attached. `cost`: null where neither trials nor the study say what they cost."""

    trials: int
    counts: dict[str, int]
    evaluated: int
    budget: Limits
    created: str
    elapsed: float
    cost: float | None
    seconds_per_trial: float | None
    left: Left | None
    best: Best | None
    work: Saving | None
    runners: list[Attached]
    workers: int
    busy: int
    over: str | None
    paused: bool


def progress(
    study: Readable,
    *,
    work: Annotated[
        bool, msgspec.Meta(description="With the work that was saved, for which the log is read once.")
    ] = True,
) -> Progress:
    """How far the study is. Without `work`, and in studies without a scheduler, the log is not read."""
    state = study.state
    counts, budget = state.counts, state.spec.budget
    runners = [
        Attached(
            runner=r.runner, host=r.host, pid=r.pid, workers=r.workers, busy=max(0, state.busy[r.epoch]),
            since=iso(r.since) or "",
        )
        for r in state.runners.values()
    ]  # fmt: skip
    workers, busy = sum(r.workers for r in runners), sum(r.busy for r in runners)
    takes = _seconds_per_trial(state, max(1, workers, busy))
    over = state.switches.completed
    return Progress(
        trials=len(state), counts=counts, evaluated=evaluated(state),
        budget=Limits(
            trials=budget.trials, time=budget.time_s, cost=budget.cost, target=number_or_none(budget.target),
            max_failures=budget.max_failures, patience=budget.patience,
        ),
        created=iso(state.created.at) or "", elapsed=state.switches.elapsed, cost=_cost(state),
        seconds_per_trial=takes, left=None if over is not None else time_left(state, takes), best=_best(state),
        work=_saving(study) if work and state.spec.schedule.method != ScheduleSpec().method else None,
        runners=runners, workers=workers, busy=busy, over=None if over is None else over.reason.text,
        paused=state.switches.paused,
    )  # fmt: skip


def evaluated(state: State) -> int:
    """How many trials count towards the budget of trials: failed ones do only where the study says so."""
    found = int(state.phases[Phase.COMPLETE]) + int(state.phases[Phase.PRUNED])
    if state.spec.budget.on_failure is not None:
        found += int(state.phases[Phase.FAILED]) - len(state.switches.refused)
    return found


def _seconds_per_trial(state: State, workers: int) -> float | None:
    """At how many seconds' distance results come, as long as somebody works."""
    phases = state.table["phase"]
    over = np.isin(phases, (Phase.COMPLETE, Phase.PRUNED))
    count = int(over.sum())
    if not count:
        return None
    if count > 2 * workers and state.switches.elapsed > 0:
        return state.switches.elapsed / count
    return float(state.table["ran"][over].mean()) / workers


def time_left(state: State, takes: float | None) -> Left | None:
    """By the budget that ends the study first; None where none is set, or nothing is known of the pace."""
    budget, elapsed, found = state.spec.budget, state.switches.elapsed, list[tuple[float, Limit]]()
    if budget.trials is not None and takes is not None:
        found.append((max(0, budget.trials - evaluated(state)) * takes, "trials"))
    if budget.time_s is not None:
        found.append((max(0.0, budget.time_s - elapsed), "time"))
    cost = spent(state)
    if budget.cost is not None and cost > 0 and elapsed > 0:
        found.append((max(0.0, budget.cost - cost) * elapsed / cost, "cost"))
    if not found:
        return None
    seconds, by = min(found)
    return Left(seconds=to_wire(seconds), by=by)


def _cost(state: State) -> float | None:
    known = state.spec.run.price is not None or state.tally.cost > 0 or f"has:{COST}" in state.table
    return spent(state) if known else None


def _best(state: State) -> Best | None:
    """The first of the trials that can be best (complete and feasible, where any are) with the least loss."""
    if not state.spec.objectives:
        return None
    numbers = ranking.candidates(state)
    losses = ranking.losses(state, numbers)[:, 0]
    if not np.isfinite(losses).any():
        return None
    number = int(numbers[int(losses.argmin())])
    value = float(state.table["values"][number, 0])
    return Best(number=number, metric=state.spec.objectives[0].metric, value=to_wire(value))


def _saving(study: Readable) -> Saving:
    from rung.analysis.views.chronicle import REPLACING, chronicle  # whoever wants no work reads no log
    from rung.analysis.views.ladders import top_of

    state, told = study.state, chronicle(study)
    reached = np.zeros(len(state))
    rows = told.attempts[told.attempts["trial"] < len(state)]
    np.maximum.at(reached, rows["trial"], rows["top"])
    phases = state.table["phase"]
    top = top_of(state)
    if top is None:
        complete = reached[phases == Phase.COMPLETE]
        top = float(complete.max()) if len(complete) and complete.max() > 0 else None
    fates = {"stopped": Phase.PRUNED, "paused": Phase.PRUNED, "completed": Phase.COMPLETE}
    decided = {(v.trial, fates[v.act]) for v in told.verdicts if v.act in fates and v.by not in REPLACING}
    stopped = [n for n, fate in sorted(decided) if n < len(state) and phases[n] == fate]
    short = [max(0.0, top - float(reached[number])) for number in stopped] if top is not None else []
    saved = math.fsum(short)
    return Saving(
        resource=state.spec.schedule.resource or "step", done=told.work, saved=saved,
        share=saved / (told.work + saved) if saved else 0.0, stopped=sum(1 for less in short if less), top=top,
    )  # fmt: skip
