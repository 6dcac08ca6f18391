from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from analysis.views.storied import driven, golden, played, prune, stored, storied
from rung.analysis.views import plain, show
from rung.api.handle import Handle
from rung.model import Budget, Objective, Outcome, RunSettings, ScheduleSpec, WireNumber
from rung.study import events as ev
from rung.study.endings import spent
from rung.testing.studies import STUDY

ONE: dict[str, WireNumber] = {"loss": 1.0}


def seen(handle: Handle, **options: Any) -> Any:
    return plain(show(handle, "progress", **options))


@pytest.mark.parametrize("name", ["plain", "trouble", "requests", "promoted", "population", "edited", "tradeoff"])
def test_counts_and_time_of_every_kind_of_log(name: str) -> None:
    handle = stored(golden(name))
    found, trials = seen(handle), list(handle.state.trials())
    counts = Counter(trial.state for trial in trials)
    assert {state: n for state, n in found["counts"].items() if n} == dict(counts)
    assert found["trials"] == len(trials)
    assert found["evaluated"] == counts["complete"] + counts["pruned"]
    assert found["elapsed"] == handle.state.switches.elapsed
    over = handle.state.switches.completed
    assert found["over"] == (over.reason.text if over else None)
    assert (found["left"] is None) == (over is not None or found["left"] is None)
    kept = [t for t in trials if not any(o.violation(t.values.get(o.metric)) for o in handle.state.spec.outcomes)]
    usable = [t for t in kept if t.state == "complete"] or [t for t in kept if t.state == "pruned"]
    loss = handle.state.spec.objectives[0].loss
    best = min(usable, key=lambda t: (loss(t.value or 0.0), t.number))
    assert found["best"]["number"] == best.number
    assert found["best"]["value"] == best.value


@pytest.mark.parametrize("steps", [50, 10_000])
@pytest.mark.parametrize(
    ("method", "options"),
    [
        ("asha", {"max": 9}),
        ("asha", {"max": 9, "type": "promotion"}),
        ("hyperband", {"max": 9, "synchronous": True}),
        ("adaptive", {"max": 9}),
        ("median", {"max": 9}),
    ],
)
def test_work_done_and_saved(method: str, options: dict[str, Any], steps: int) -> None:
    handle = Handle(driven(method, steps=steps, **options).store, STUDY)
    work = seen(handle)["work"]
    done, saved, stopped = 0.0, 0.0, 0
    for trial in handle.state.trials():
        curve = handle.reports(trial.number)
        reached = max((report.step for report in curve), default=0.0)
        done += reached  # nothing was repeated: every trial that was held went on from a checkpoint
        if trial.state == "pruned":
            saved += 9 - reached
            stopped += reached < 9
    assert work["done"] == pytest.approx(done)
    assert work["saved"] == pytest.approx(saved)
    assert work["share"] == pytest.approx(saved / (done + saved) if saved else 0.0)
    assert (work["stopped"], work["top"], work["resource"]) == (stopped, 9, "epoch")


def test_what_ends_by_itself_and_what_people_end_saves_nothing() -> None:
    log = storied(schedule=ScheduleSpec(method="median", options={"max": 10}))
    prune(log, 1.0, by="user")
    prune(log, 1.0, by="budget")
    log.done(2.0)
    assert seen(log.handle)["work"] | {"done": 0} == {
        "resource": "step", "done": 0, "saved": 0.0, "share": 0.0, "stopped": 0, "top": 10,
    }  # fmt: skip
    prune(log, 1.0)
    assert seen(log.handle)["work"]["saved"] == 9.0


def test_without_a_maximum_the_longest_complete_trial_is_the_measure() -> None:
    log = storied(schedule=ScheduleSpec(method="median"))
    prune(log, 1.0)
    assert seen(log.handle)["work"]["top"] is None
    number = log.started()
    log.reported(number, *[ONE] * 7)
    log.exited(number)
    log.completed(number, 1.0)
    assert seen(log.handle)["work"] | {"share": 0} == {
        "resource": "step", "done": 8.0, "saved": 6.0, "share": 0, "stopped": 1, "top": 7.0,
    }  # fmt: skip


def test_training_that_had_finished_early_saves_too() -> None:
    handle = played("patience", reports=2, max=9, trials=6, min_delta=0.2)
    work = seen(handle)["work"]
    reached = [max(r.step for r in handle.reports(t.number)) for t in handle.state.trials()]
    assert work["saved"] == sum(9 - step for step in reached) > 0


def test_populations_and_studies_without_a_scheduler_save_nothing() -> None:
    assert seen(played("pbt", interval=3, max=9, population=4, trials=12))["work"]["saved"] == 0
    assert seen(stored(golden("plain")))["work"] is None
    assert seen(played("asha", trials=4, max=9), work="false")["work"] is None


def finished(count: int, **fields: Any) -> Any:
    log = storied(**fields)
    log.attached()
    for value in range(count):
        log.done(float(value))
    return log


def test_time_left_of_each_budget() -> None:
    log = finished(4, budget=Budget(trials=10))
    elapsed = log.state.switches.elapsed
    found = seen(log.handle)
    assert found["seconds_per_trial"] == pytest.approx(elapsed / 4)
    assert found["left"] == {"seconds": pytest.approx(6 * elapsed / 4), "by": "trials"}
    log = finished(4, budget=Budget(time_s=100.0, trials=1000))
    assert seen(log.handle)["left"] == {"seconds": pytest.approx(100 - log.state.switches.elapsed), "by": "time"}
    log = finished(4, budget=Budget(cost=16.0), run=RunSettings(price=3600.0))
    cost = spent(log.state)
    assert seen(log.handle)["cost"] == pytest.approx(cost) == pytest.approx(8.0), "each of four ran two seconds"
    assert seen(log.handle)["left"] == {"seconds": pytest.approx(log.state.switches.elapsed), "by": "cost"}
    assert seen(finished(4).handle)["left"] is None
    assert seen(finished(0, budget=Budget(trials=10)).handle)["left"] is None


def test_at_first_the_pace_is_that_of_a_trial_by_the_workers() -> None:
    log = storied(budget=Budget(trials=9))
    log.add(ev.RunnerAttached, runner="r", epoch=1, host="h", pid=7, workers=4)
    log.done(1.0)
    found = seen(log.handle)
    assert found["seconds_per_trial"] == pytest.approx(2 / 4), "it ran for two seconds, beside three others"
    assert found["left"]["seconds"] == pytest.approx(8 * 2 / 4)


def test_who_works_on_it() -> None:
    log = storied()
    log.attached()
    log.started()
    found = seen(log.handle)
    assert found["runners"] == [
        {"runner": "r", "host": "host", "pid": 1, "workers": 1, "busy": 1, "since": "2023-11-14T22:13:21.000Z"}
    ]
    assert (found["workers"], found["busy"], found["paused"]) == (1, 1, False)
    log.add(ev.PauseRequested)
    assert seen(log.handle)["paused"] is True


def test_the_best_is_one_that_counts() -> None:
    log = storied(objectives=[Objective(metric="loss", goal=1.0)], outcomes=(Outcome(metric="size", at_most=1),))
    values: list[tuple[WireNumber, int]] = [("NaN", 0), (1.0, 5), (3.0, 1), (0.0, 0), (2.0, 1)]
    for loss, size in values:
        number = log.started()
        log.reported(number, {"loss": loss, "size": float(size)})
        log.exited(number)
        log.completed(number, loss)
    assert seen(log.handle)["best"] == {"number": 3, "metric": "loss", "value": 0.0}


def test_nothing_is_best() -> None:
    log = storied()
    log.failed()
    log.done("NaN")
    assert seen(log.handle)["best"] is None
    assert seen(storied(objectives=[]).handle)["best"] is None


def test_failed_trials_count_where_the_study_says_so() -> None:
    log = storied(budget=Budget(trials=5, on_failure="continue"))
    log.failed()
    log.done(1.0)
    assert seen(log.handle)["evaluated"] == 2
