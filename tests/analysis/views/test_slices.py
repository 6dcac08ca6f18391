from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from analysis.views.planted import FLOATS, filled, pruned, readable, told
from rung.analysis.views import show
from rung.model import BadInput, Objective, Parameter
from rung.testing.studies import Folding

SPACE = (
    Parameter(name="lr", type="float", min=1e-4, max=1, scale="log"),
    Parameter(name="depth", type="int", min=1, max=5),
    Parameter(name="opt", type="choice", values=("sgd", "adam")),
    Parameter(name="momentum", type="float", min=0, max=1, when="opt == 'sgd'"),
    Parameter(name="seeds", type="constant", value=3),
)


@pytest.fixture(scope="module")
def trials() -> list[tuple[dict[str, Any], float]]:
    rng = np.random.default_rng(0)
    found = []
    for _ in range(300):
        own: dict[str, Any] = {
            "lr": float(10 ** (-4 * rng.random())), "depth": int(rng.integers(1, 6)), "opt": ("sgd", "adam")[rng.integers(2)]
        }  # fmt: skip
        if own["opt"] == "sgd":
            own["momentum"] = float(rng.random())
        found.append((own, abs(np.log10(own["lr"]) + 2) + 0.1 * own["depth"] + float(rng.normal(0, 0.05))))
    return found


@pytest.fixture(scope="module")
def study(trials: list[tuple[dict[str, Any], float]]) -> Folding:
    return filled(told(SPACE), [own for own, _ in trials], [value for _, value in trials])


def test_a_log_axis_has_bins_of_equal_factors_with_the_quartiles_of_their_trials(
    study: Folding, trials: list[tuple[dict[str, Any], float]]
) -> None:
    (lr,) = show(readable(study), "slice", parameters=["lr"], bins=8).parameters
    assert (lr.axis.scale, lr.axis.low, lr.axis.high) == ("log", 1e-4, 1.0)
    edges = [1e-4 * 10 ** (0.5 * k) for k in range(9)]
    for k, one in enumerate(lr.bins):
        assert (one.low, one.high) == pytest.approx((edges[k], edges[k + 1]))
        own = [value for params, value in trials if edges[k] <= params["lr"] < edges[k + 1]]
        assert one.count == len(own)
        assert one.best == min(own)
        assert [one.lower, one.median, one.upper] == pytest.approx(np.quantile(own, [0.25, 0.5, 0.75]).tolist())


def test_integers_and_categories_have_a_bin_for_each_value(
    study: Folding, trials: list[tuple[dict[str, Any], float]]
) -> None:
    depth, opt = show(readable(study), "slice", parameters="depth,opt").parameters
    assert [one.count for one in depth.bins] == [sum(own["depth"] == k for own, _ in trials) for k in range(1, 6)]
    assert (depth.bins[0].low, depth.bins[0].high) == (0.5, 1.5)
    assert depth.axis.kind == "integer"
    assert opt.axis.categories == ["sgd", "adam"]
    assert opt.bins[1].best == min(value for own, value in trials if own["opt"] == "adam")
    assert {0.0, 1.0} == set(opt.x)


def test_a_parameter_that_is_not_always_there_says_so(
    study: Folding, trials: list[tuple[dict[str, Any], float]]
) -> None:
    (momentum,) = show(readable(study), "slice", parameters="momentum").parameters
    without = [value for own, value in trials if "momentum" not in own]
    assert momentum.inactive == len(without) == sum(x is None for x in momentum.x)
    assert momentum.inactive_best == min(without)
    assert sum(one.count for one in momentum.bins) == 300 - len(without)


def test_the_marks_are_the_trials_and_the_best_stay_when_there_are_too_many(
    study: Folding, trials: list[tuple[dict[str, Any], float]]
) -> None:
    whole = show(readable(study), "slice", parameters="lr")
    assert (whole.shown, whole.of) == (300, 300)
    assert whole.parameters[0].x == [own["lr"] for own, _ in trials]
    assert whole.value == [value for _, value in trials]
    few = show(readable(study), "slice", parameters="lr", marks=40)
    assert (few.shown, few.of) == (40, 300)
    best = np.argsort([value for _, value in trials])[:10]
    assert set(best.tolist()) <= set(few.number)
    assert few.parameters[0].bins == whole.parameters[0].bins
    assert few == show(readable(study), "slice", parameters="lr", marks=40)


def test_without_names_the_most_important_come_first(study: Folding) -> None:
    found = show(readable(study), "slice")
    assert found.parameters[0].axis.name == "lr"
    assert {one.axis.name for one in found.parameters} == {"lr", "depth", "opt", "momentum"}


def test_states_and_what_cannot_be_drawn() -> None:
    log = filled(told(FLOATS[:1]), [{"a": 0.1}, {"a": 0.2}, {"a": 0.3}], [1.0, "NaN", None])
    pruned(log, {"a": 0.4}, 2.0)
    found = show(readable(log), "slice")
    assert (found.number, found.state, found.unusable) == ([0, 3], ["complete", "pruned"], 1)
    assert show(readable(log), "slice", pruned=False).number == [0]
    assert show(readable(log), "slice", where="a > 0.35").number == [3]


def test_maximising_turns_what_is_best() -> None:
    log = told(FLOATS[:1], objectives=(Objective(metric="acc", goal="maximize"),))
    filled(log, [{"a": 0.1}, {"a": 0.11}], [0.4, 0.9])
    (one,) = show(readable(log), "slice", bins=1).parameters
    assert one.bins[0].best == 0.9


@pytest.mark.parametrize("count", [0, 1])
def test_hardly_any_trial(count: int) -> None:
    log = filled(told(FLOATS[:2]), [{"a": 0.5, "b": 0.5}] * count, [1.0] * count)
    assert show(readable(log), "slice", parameters="a").of == count
    assert show(readable(log), "slice").of == count


def test_what_is_no_parameter_is_refused(study: Folding) -> None:
    with pytest.raises(BadInput, match=r"'lrr' is no parameter of the study \(did you mean 'lr'"):
        show(readable(study), "slice", parameters="lrr")
    with pytest.raises(BadInput, match="'seeds' is a constant"):
        show(readable(study), "slice", parameters="seeds")
    with pytest.raises(BadInput, match="no objective"):
        show(readable(told(FLOATS, objectives=())), "slice")


def test_a_factor_stretches_the_axis_to_what_was_tried() -> None:
    parameters = (
        Parameter(name="heads", type="int", min=1, max=4),
        Parameter(name="hidden", type="int", min=2, max=8, step=2, times="heads"),
    )
    log = filled(told(parameters), [{"heads": 2, "hidden": 4}, {"heads": 4, "hidden": 32}], [1.0, 2.0])
    (hidden,) = show(readable(log), "slice", parameters="hidden").parameters
    assert (hidden.axis.low, hidden.axis.high) == (4.0, 32.0)
    assert hidden.x == [4.0, 32.0]
