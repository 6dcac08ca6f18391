from __future__ import annotations

import math
from typing import Any

import pytest

from analysis.views.storied import Storied, golden, prune, stored, storied
from rung.analysis.views import plain, show
from rung.api.handle import Handle
from rung.model import Budget, Objective, Outcome, Reason, RunSettings
from rung.study import events as ev
from rung.study.endings import spent
from rung.study.state import State

VALUES: list[Any] = [5.0, "NaN", 3.0, None, 4.0, "-Infinity", 3.0, 1.0, "Infinity", 2.0]


def planted(values: list[Any] = VALUES, **fields: Any) -> Storied:
    log = storied(**fields)
    for place, value in enumerate(values):
        if value is None:
            log.failed()
        else:
            log.done(*(value if isinstance(value, tuple) else (value,)), params={"x": place / 100})
    return log


def seen(handle: Handle, **options: Any) -> Any:
    return plain(show(handle, "history", **options))


def best_so_far(values: list[Any], loss: Any) -> list[int]:
    """By the definition: a trial is best so far when its loss is below all before."""
    losses = [math.inf if v is None or not math.isfinite(float(v)) else loss(v) for v in values]
    return [i for i, mine in enumerate(losses) if mine < math.inf and all(mine < other for other in losses[:i])]


@pytest.mark.parametrize(
    ("goal", "loss"), [("minimize", lambda v: v), ("maximize", lambda v: -v), (3.6, lambda v: abs(v - 3.6))]
)
def test_marks_and_the_best_so_far(goal: Any, loss: Any) -> None:
    found = seen(planted(objectives=[Objective(metric="loss", goal=goal)]).handle)
    numbers = [i for i, value in enumerate(VALUES) if value is not None]
    assert found["number"] == found["x"] == numbers
    assert found["value"] == [VALUES[i] for i in numbers]
    assert found["best_number"] == found["best_x"] == best_so_far(VALUES, loss)
    assert found["best_value"] == [VALUES[i] for i in found["best_number"]]
    assert (found["of"], found["shown"], found["end"]) == (9, 9, 10)
    assert (found["metric"], found["goal"], found["objectives"]) == ("loss", goal, ["loss"])


def test_trials_that_break_a_bound_are_marks_and_not_best() -> None:
    log = storied(objectives=[Objective(metric="loss")], outcomes=(Outcome(metric="size", at_most=10),))
    for value, size in [(5.0, 1), (1.0, 99), (4.0, 2), (2.0, 50), (3.0, 10)]:
        number = log.started(log.proposed({"x": value / 10}))
        log.reported(number, {"loss": value, "size": float(size)})
        log.exited(number)
        log.completed(number, value)
    found = seen(log.handle)
    assert found["best_number"] == [0, 2, 4]
    assert found["of"] == 5


def test_only_where_none_is_complete_can_a_pruned_one_be_best() -> None:
    log = storied()
    for value in (3.0, 1.0, 2.0):
        prune(log, value)
    assert seen(log.handle)["best_number"] == [0, 1]
    log.done(9.0)
    assert seen(log.handle)["best_number"] == [3]
    assert seen(log.handle, states=["pruned"])["best_number"] == [0, 1]
    assert seen(log.handle, states="complete")["number"] == [3]


def test_a_live_trial_shows_what_it_has_come_to() -> None:
    log = planted([5.0])
    number = log.started()
    log.reported(number, {"loss": 4.0}, {"loss": 2.5})
    assert seen(log.handle)["number"] == [0]
    found = seen(log.handle, states=["complete", "running"])
    assert (found["number"], found["value"], found["state"]) == ([0, 1], [5.0, 2.5], ["complete", "running"])
    assert found["best_number"] == [0], "it may yet be worse"


def test_told_and_retried_trials_count_with_what_they_have_now() -> None:
    log = planted([5.0, None, 3.0])
    log.add(ev.TrialTold, trial=1, values={"loss": 0.5})
    log.add(ev.TrialTold, trial=2, values={"loss": 7.0})
    found = seen(log.handle, states=["complete", "failed"])
    assert found["value"] == [5.0, 0.5, 7.0]
    assert found["state"] == ["complete", "complete", "complete"] or found["state"][1] == "failed"
    log.add(ev.RetryRequested, trial=0)
    log.add(ev.TrialRetried, trial=0, attempt=1, reason=Reason(by="user", text="again"))
    assert 0 not in seen(log.handle)["number"]


@pytest.mark.parametrize("name", ["plain", "edited", "requests", "trouble", "promoted", "population"])
def test_over_time_and_cost_a_trial_stands_where_the_study_stood_at_its_end(name: str) -> None:
    events = golden(name)
    state = State.begin(events[0], seq=1)
    at: dict[int, dict[str, float]] = {}
    for seq, event in enumerate(events[1:], start=2):
        state.apply(seq, event)
        if isinstance(event, ev.TrialCompleted):
            at[event.trial] = {
                "time": state.switches.elapsed, "wall": event.at - events[0].at, "cost": spent(state),
            }  # fmt: skip
    handle = stored(events)
    for over, end in (
        ("time", state.switches.elapsed), ("wall", state.switches.last_at - events[0].at), ("cost", spent(state)),
    ):  # fmt: skip
        found = seen(handle, over=over)
        assert found["end"] == pytest.approx(end)
        assert found["x"] == pytest.approx([at[number][over] for number in found["number"]])
        assert found["x"] == sorted(found["x"])
        assert sorted(found["number"]) == seen(handle)["number"]
        best = best_so_far(_that_count(found), lambda v: v)
        assert found["best_number"] == [found["number"][i] for i in best]


def _that_count(found: Any) -> list[Any]:
    """The values of the complete trials; of all where none is."""
    some = "complete" in found["state"]
    pairs = zip(found["value"], found["state"], strict=True)
    return [v if s == "complete" or not some else None for v, s in pairs]


def test_cost_is_the_price_of_the_time_that_trials_ran() -> None:
    log = storied(run=RunSettings(price=3600.0))
    log.attached()
    for _ in range(3):
        log.done(1.0)
    assert seen(log.handle, over="cost")["x"] == pytest.approx([2.0, 4.0, 6.0]), "each ran for two seconds"


def test_where_there_are_too_many_the_bests_stay() -> None:
    values = [float((7919 * i) % 1000) + (1000 - i) / 100 for i in range(150)]
    found = seen(planted(values).handle, marks=40)
    assert (found["of"], found["shown"], len(found["number"])) == (150, 40, 40)
    expected = best_so_far(values, lambda v: v)
    assert found["best_number"] == expected
    assert set(expected) <= set(found["number"])
    assert values.index(max(values)) in found["number"]
    assert found == seen(planted(values).handle, marks="40")


def test_several_objectives_each_have_a_history() -> None:
    objectives = [Objective(metric="loss"), Objective(metric="acc", goal="maximize")]
    log = planted([(3.0, 0.1), (2.0, 0.5), (4.0, 0.4)], objectives=objectives)
    assert seen(log.handle)["best_number"] == [0, 1]
    found = seen(log.handle, objective="acc")
    assert (found["metric"], found["goal"], found["value"]) == ("acc", "maximize", [0.1, 0.5, 0.4])
    assert found["best_number"] == [0, 1]
    assert found["target"] is None
    with pytest.raises(Exception, match=r"no objective 'ac' \(did you mean 'acc'"):
        seen(log.handle, objective="ac")


def test_the_target_and_the_honest_mean() -> None:
    log = storied(budget=Budget(target=0.25))
    for value in (1.0, 1.2, 0.9):
        log.done(value, params={"x": 0.5})
    log.done(3.0, params={"x": 0.25})
    found = seen(log.handle)
    assert found["target"] == 0.25
    estimate = found["estimate"]
    winner, known = log.handle.winners()[0]
    assert known is not None
    assert (estimate["trial"], estimate["evaluations"]) == (winner.number, 3)
    assert estimate["low"] < estimate["mean"] == known.mean < estimate["high"]
    assert seen(planted().handle)["estimate"] is None


def test_a_filter_leaves_out_and_the_best_is_of_what_is_left() -> None:
    found = seen(planted().handle, where="number > 2 and number != 7")
    assert found["number"] == [4, 5, 6, 8, 9]
    assert found["best_number"] == [4, 6, 9]
    with pytest.raises(Exception, match="nosuch"):
        seen(planted().handle, where="nosuch > 2")


@pytest.mark.parametrize("values", [[], [None, None], ["NaN", "Infinity"]])
def test_nothing_to_be_best(values: list[Any]) -> None:
    for over in ("trial", "time", "wall", "cost"):
        found = seen(planted(values).handle, over=over)
        assert found["best_number"] == []
        assert found["value"] == [value for value in values if value is not None]


def test_a_study_without_an_objective_has_no_history() -> None:
    log = storied(objectives=[])
    number = log.started()
    log.reported(number, {"anything": 1.0})
    found = seen(log.handle)
    assert (found["metric"], found["number"], found["objectives"]) == (None, [], [])
