from __future__ import annotations

import json
from typing import Any

import msgspec
import numpy as np
import pytest

from analysis.views.planted import FLOATS, LOSS, filled, pruned, readable, told
from rung.analysis.views import show
from rung.analysis.views.importance import importance, ranks
from rung.model import BadInput, Objective, Parameter
from rung.study import events as ev
from rung.testing.studies import Folding


def configurations(n: int, seed: int = 0) -> tuple[list[dict[str, float]], Any]:
    units = np.random.default_rng(seed).random((n, 4))
    return [dict(zip("abcd", row, strict=True)) for row in units.tolist()], units


@pytest.fixture(scope="module")
def linear() -> Folding:
    """loss = 3 a - 2 b + c: shares of 9, 4 and 1 in 14."""
    params, units = configurations(400)
    return filled(told(), params, (units @ [3.0, -2.0, 1.0, 0.0]).tolist())


def test_parameters_come_in_the_order_of_their_shares_with_directions(linear: Folding) -> None:
    found = importance(readable(linear))
    assert [one.name for one in found.parameters] == ["a", "b", "c", "d"]
    assert [one.importance for one in found.parameters] == pytest.approx([9 / 14, 4 / 14, 1 / 14, 0], abs=0.07)
    signs = [one.correlation or 0.0 for one in found.parameters]
    assert signs[0] > 0.7
    assert signs[1] < -0.4
    assert signs[2] > 0.15
    assert all(one.low <= one.importance <= one.high for one in found.parameters)
    assert all(one.low <= one.importance <= one.high for one in found.pairs)
    assert (found.explained or 0.0) > 0.8
    assert (found.shown, found.of, found.unusable, found.note, found.constant) == (400, 400, 0, "", [])


def test_the_same_study_says_the_same(linear: Folding) -> None:
    first = msgspec.json.encode(importance(readable(linear)))
    params, units = configurations(400)
    again = filled(told(), params, (units @ [3.0, -2.0, 1.0, 0.0]).tolist())
    assert msgspec.json.encode(importance(readable(again))) == first


def test_a_planted_pair_is_found() -> None:
    params, units = configurations(500)
    a, b = units[:, 0] - 0.5, units[:, 1] - 0.5
    found = importance(readable(filled(told(), params, (a + 4 * a * b).tolist())))
    # V(a) = 1/12, V(ab) = 16 / 144.
    assert (found.pairs[0].x, found.pairs[0].y) == ("a", "b")
    assert found.parameters[0].importance == pytest.approx(3 / 7, abs=0.12)
    assert found.pairs[0].importance == pytest.approx(4 / 7, abs=0.15)


def test_the_best_alone_may_depend_on_something_else(linear: Folding) -> None:
    params, units = configurations(600, seed=1)
    values = np.where(units[:, 0] < 0.3, units[:, 1], 5 + 50 * units[:, 2])
    log = readable(filled(told(), params, values.tolist()))
    assert importance(log).parameters[0].name in {"a", "c"}
    for method in ("local", "fanova"):
        best = {one.name: one.importance for one in show(log, "importance", method=method, top=0.15).parameters}
        assert best["c"] < min(best["a"], best["b"])


def test_maximising_and_approaching_turn_the_loss_and_not_the_correlation() -> None:
    params, units = configurations(300)
    values = (2 * units[:, 0] + units[:, 1]).tolist()
    most = importance(readable(filled(told(objectives=(Objective(metric="acc", goal="maximize"),)), params, values)))
    assert most.goal == "maximize"
    assert (most.parameters[0].correlation or 0.0) > 0.7
    near = importance(readable(filled(told(objectives=(Objective(metric="x", goal=1.5),)), params, values)))
    assert near.goal == 1.5
    assert near.parameters[0].name == "a"
    assert (near.parameters[0].correlation or 0.0) > 0.7


def test_of_several_objectives_each_has_its_own(linear: Folding) -> None:
    params, units = configurations(150)
    log = told(objectives=(Objective(metric="loss"), Objective(metric="seconds")))
    both = readable(filled(log, params, zip(units[:, 0].tolist(), units[:, 3].tolist(), strict=True)))
    assert importance(both).parameters[0].name == "a"
    assert importance(both, objective="seconds").parameters[0].name == "d"
    with pytest.raises(BadInput, match="no objective 'secnds'"):
        importance(both, objective="secnds")


def test_too_few_trials_give_no_numbers_but_how_many_are_needed() -> None:
    for count, words in ((0, "no trials have a value"), (1, "1 trial has a value"), (19, "19 trials have a value")):
        params, units = configurations(count)
        found = importance(readable(filled(told(), params, units[:, 0].tolist())))
        assert found.parameters == []
        assert found.needed == 20
        assert found.note == f"{words}: at least 20 are needed to tell parameters apart"


def test_failed_trials_and_values_that_are_no_numbers_do_not_count() -> None:
    params, units = configurations(60)
    values: list[Any] = units[:, 0].tolist()
    values[3], values[4], values[5], values[6] = None, "NaN", "Infinity", "-Infinity"
    found = importance(readable(filled(told(), params, values)))
    assert (found.shown, found.of, found.unusable) == (56, 56, 3)
    only_failed = importance(readable(filled(told(), params, [None] * 60)))
    assert (only_failed.of, only_failed.parameters) == (0, [])


def test_pruned_trials_count_when_asked_and_where_there_are_no_others() -> None:
    params, units = configurations(40)
    log = told()
    for own, unit in zip(params, units, strict=True):
        pruned(log, own, float(unit[0]))
    assert importance(readable(log)).of == 40
    log.done(0.5, params=params[0])
    assert importance(readable(log)).of == 1
    assert importance(readable(log), pruned=True).of == 41


def test_where_everything_is_alike_that_is_said() -> None:
    params, units = configurations(30)
    same = importance(readable(filled(told(), params, [0.5] * 30)))
    assert same.note == "all trials have the same value: there is nothing to explain"
    alike = importance(readable(filled(told(), [params[0]] * 30, units[:, 0].tolist())))
    assert alike.note == "all trials have the same parameters"
    assert alike.constant == ["a", "b", "c", "d"]
    constants = told([Parameter(name="k", type="constant", value=3)])
    nothing = importance(readable(filled(constants, [{}] * 30, units[:, 0].tolist())))
    assert nothing.note == "the study searches no parameter: all are constants"


def test_categories_and_conditions() -> None:
    parameters = (
        Parameter(name="opt", type="choice", values=("sgd", "adam", "lion")),
        Parameter(name="momentum", type="float", min=0, max=1, when="opt == 'sgd'"),
        Parameter(name="idle", type="bool"),
    )
    rng = np.random.default_rng(0)
    params: list[dict[str, Any]] = []
    values = []
    for _ in range(400):
        opt = ("sgd", "adam", "lion")[rng.integers(3)]
        own: dict[str, Any] = {"opt": opt, "idle": bool(rng.integers(2))}
        if opt == "sgd":
            own["momentum"] = float(rng.random())
        params.append(own)
        values.append({"sgd": 0.0, "adam": 1.0, "lion": 3.0}[opt] + own.get("momentum", 0.0))
    found = {one.name: one for one in importance(readable(filled(told(parameters), params, values))).parameters}
    assert found["opt"].importance > 0.7
    assert found["opt"].correlation is None
    assert found["momentum"].active == pytest.approx(sum("momentum" in own for own in params) / 400)
    assert found["momentum"].correlation == pytest.approx(1.0)
    assert found["idle"].importance < 0.02
    assert found["idle"].correlation is None or abs(found["idle"].correlation) < 0.15


def test_a_few_that_diverged_are_not_all_of_the_variance() -> None:
    params, units = configurations(300)
    values = units[:, 0].tolist()
    values[7], values[70] = 1e30, 1e9
    found = importance(readable(filled(told(), params, values)))
    assert found.capped == 2
    assert found.parameters[0].importance > 0.8


def test_an_edited_space_keeps_the_trials_of_all_its_versions() -> None:
    log = told((Parameter(name="lr", type="float", min=1e-3, max=1, scale="log"), *FLOATS[:1]))
    rng = np.random.default_rng(0)
    for version in (1, 2):
        for _ in range(50):
            u, a = rng.random(2).tolist()
            lr = 10 ** (-3 * u) if version == 1 else 10 ** (-3 - 2 * u)
            log.done(float(np.log10(lr)), params={"lr": lr, "a": a})
        if version == 1:
            wider = Parameter(name="lr", type="float", min=1e-5, max=1e-3, scale="log")
            log.add(ev.SpecChanged, changes=(), parameters=(wider,))
    found = importance(readable(log))
    assert found.parameters[0].name == "lr"
    assert found.parameters[0].importance > 0.95
    (lr,) = show(readable(log), "slice", parameters="lr").parameters
    assert (lr.axis.low, lr.axis.high, lr.axis.scale) == (1e-5, 1.0, "log")


def test_many_trials_are_sampled_with_the_best_among_them(monkeypatch: pytest.MonkeyPatch, linear: Folding) -> None:
    monkeypatch.setattr("rung.analysis.views.importance.MOST_IN_FOREST", 100)
    found = importance(readable(linear), where="number < 399")
    assert (found.shown, found.of) == (100, 399)
    assert found.parameters[0].name == "a"


def test_while_a_study_runs_a_few_new_trials_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    params, units = configurations(131)
    values = units[:, 0].tolist()
    log = filled(told().attached(), params[:128], values[:128])
    first = importance(readable(log))
    assert (first.of, first.later) == (128, 0)
    filled(log, params[128:], values[128:])
    monkeypatch.setattr("rung.analysis.views.importance.functional", None)  # it is not computed again
    found = importance(readable(log))
    assert (found.of, found.later, found.parameters) == (128, 3, first.parameters)
    monkeypatch.undo()
    log.add(ev.RunnerDetached, runner="r", epoch=1, why="done")
    assert importance(readable(log)).of == 131


def test_a_filter_leaves_the_others_out(linear: Folding) -> None:
    assert importance(readable(linear), where="a < 0.5").of == sum(own["a"] < 0.5 for own in configurations(400)[0])


def test_the_record_is_plain_json(linear: Folding) -> None:
    text = msgspec.json.encode(importance(readable(linear)))
    assert json.loads(text)["metric"] == LOSS[0].metric


def test_equal_values_have_the_mean_of_their_ranks() -> None:
    assert ranks(np.array([3.0, 1.0, 3.0, 2.0])).tolist() == [2.5, 0.0, 2.5, 1.0]
