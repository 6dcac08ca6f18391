from __future__ import annotations

import math
from typing import Any, Literal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rung.analysis.estimates import winners
from rung.analysis.ranking import candidates, hypervolume, losses, nearest_to_feasible, pareto, ranked
from rung.model import Objective, Outcome, Reason, StudySpec
from rung.study import events as ev
from rung.study.state import State
from rung.testing.studies import Folding, study_spec

WHY = Reason(by="test", text="because")
LOSS, ACC = Objective(metric="loss"), Objective(metric="acc", goal="maximize")


def another(log: Folding) -> dict[str, Any]:
    """A configuration that no other trial of the study has."""
    return {**log.state.space.middle(), "lr": 1e-5 * (1 + len(log.state))}


def study(values: list[Any], *, spec: StudySpec | None = None) -> State:
    """Each value is a complete trial; a tuple is one of several objectives; None is a failed trial."""
    log = Folding(spec or study_spec())
    for value in values:
        if value is None:
            log.failed()
        else:
            log.done(*(value if isinstance(value, tuple) else (value,)), params=another(log))
    return log.state


def best(state: State, *, top: int | None = None) -> list[int]:
    return [number for number, _ in winners(state, top=top)]


def pruned(log: Folding, value: float) -> int:
    number = log.started(log.proposed(another(log)))
    log.reported(number, {"loss": value})
    log.add(ev.TrialStopped, trial=number, attempt=1, reason=WHY)
    log.exited(number, code=143)
    log.completed(number, value, state="pruned", reason=WHY)
    return number


@pytest.mark.parametrize(
    ("goal", "values", "expected"),
    [
        ("minimize", [3.0, 1.0, 2.0], [1, 2, 0]),
        ("maximize", [3.0, 1.0, 2.0], [0, 2, 1]),
        (2.5, [3.0, 1.0, 2.4], [2, 0, 1]),
        ("minimize", [2.0, 1.0, 2.0, 1.0], [1, 3, 0, 2]),
        ("minimize", ["NaN", 1.0, "Infinity", "-Infinity"], [1, 0, 2, 3]),
        ("maximize", ["NaN", 1.0, "Infinity", "-Infinity"], [1, 0, 2, 3]),
        (0.0, ["-Infinity", "NaN", 5.0], [2, 0, 1]),
        ("minimize", [None, 1.0, None], [1]),
        ("minimize", [None], []),
        ("minimize", [], []),
    ],
)
def test_the_order(goal: Literal["minimize"] | float, values: list[Any], expected: list[int]) -> None:
    """Ties by number; NaN and both infinities are worst."""
    state = study(values, spec=study_spec(objectives=(Objective(metric="loss", goal=goal),)))
    assert ranked(state) == expected
    assert best(state) == expected[:1]
    assert best(state, top=2) == expected[:2]
    assert best(state, top=100) == expected


def test_pruned_trials_count_only_where_none_is_complete() -> None:
    log = Folding(study_spec())
    first, second = pruned(log, 0.5), pruned(log, 0.25)
    log.failed()
    assert ranked(log.state) == [second, first]
    complete = log.done(9.0)
    assert ranked(log.state) == [complete]


def test_running_trials_are_no_candidates() -> None:
    log = Folding(study_spec())
    log.reported(log.started(), {"loss": 0.0})
    assert candidates(log.state).tolist() == []


def feasibility(reports: list[dict[str, Any]], *outcomes: Outcome) -> State:
    log = Folding(study_spec(outcomes=outcomes))
    for values in reports:
        number = log.started(log.proposed(another(log)))
        log.reported(number, values)
        log.exited(number)
        log.completed(number, values["loss"])
    return log.state


def test_feasible_trials_come_alone_where_there_are_any() -> None:
    reports: list[dict[str, Any]] = [
        {"loss": 0.1, "ms": 30},
        {"loss": 0.3, "ms": 20},
        {"loss": 0.2, "ms": 19.5},
        {"loss": 0.0},
        {"loss": 0.01, "ms": "NaN"},
    ]
    assert ranked(feasibility(reports, Outcome(metric="ms", at_most=20.0))) == [2, 1]
    assert ranked(feasibility(reports, Outcome(metric="ms", at_least=20.0))) == [0, 1]
    assert ranked(feasibility(reports, Outcome(metric="ms", at_least=19.0, at_most=19.9))) == [2]


def test_where_nothing_is_feasible_the_nearest_is_known() -> None:
    reports: list[dict[str, Any]] = [
        {"loss": 0.1, "ms": 30, "acc": 0.5},
        {"loss": 0.3, "ms": 24, "acc": 0.7},
        {"loss": 0.2, "ms": 22, "acc": 0.1},
        {"loss": 0.0, "ms": 1},
        {"loss": 0.0, "ms": "NaN", "acc": 0.9},
    ]
    both = (Outcome(metric="ms", at_most=20.0), Outcome(metric="acc", at_least=0.8))
    assert nearest_to_feasible(feasibility(reports, *both)) == 1  # 4/20 + 0.1/0.8
    assert nearest_to_feasible(feasibility(reports, both[0])) is None
    assert nearest_to_feasible(feasibility(reports, Outcome(metric="never", at_most=1.0))) is None
    assert nearest_to_feasible(feasibility(reports, Outcome(metric="ms", at_least=0.0, at_most=0.0))) == 3
    assert nearest_to_feasible(feasibility([], *both)) is None


def test_the_hypervolume_of_the_pareto_set() -> None:
    """By hand: the reference is a tenth of the range beyond the worst of the set, not of all trials."""
    objectives = (LOSS, ACC)
    found = hypervolume(study([(1.0, 0.5), (2.0, 0.9), (90.0, 0.1)], spec=study_spec(objectives=objectives)))
    assert found is not None
    assert found.reference == pytest.approx((2.1, 0.46))
    assert found.value == pytest.approx(1.1 * 0.04 + 0.1 * 0.4)
    alone = hypervolume(study([(3.0, 0.0)], spec=study_spec(objectives=objectives)))
    assert alone is not None
    assert alone.reference == pytest.approx((3.3, -0.1))
    assert alone.value == pytest.approx(0.03)
    assert hypervolume(study([("NaN", 0.5)], spec=study_spec(objectives=objectives))) is None
    assert hypervolume(study([], spec=study_spec(objectives=objectives))) is None


@pytest.mark.parametrize("outcome", [Outcome(metric="ms", at_most=1.0), Outcome(metric="never", at_most=1.0)])
def test_where_nothing_is_feasible_all_count(outcome: Outcome) -> None:
    assert ranked(feasibility([{"loss": 0.2, "ms": 30}, {"loss": 0.1, "ms": 20}], outcome)) == [1, 0]


# ------------------------------------------------------------------------------------------------ several objectives


def test_the_pareto_set_is_what_is_best_with_several_objectives() -> None:
    spec = study_spec(objectives=(LOSS, ACC))
    state = study([(1.0, 0.5), (2.0, 0.9), (3.0, 0.9), (1.0, 0.5), (0.5, 0.1), ("NaN", 0.95), ("NaN", 0.2)], spec=spec)
    assert best(state) == pareto(state) == [0, 1, 3, 4, 5]
    assert best(state, top=2) == [4, 0]


@given(
    st.integers(1, 3).flatmap(
        lambda d: st.lists(
            st.tuples(*[st.sampled_from([0.0, 1.0, 2.0, 3.0, "NaN", "Infinity", "-Infinity"])] * d), max_size=12
        )
    )
)
@settings(max_examples=60, deadline=None, derandomize=True)
def test_the_pareto_set_is_that_of_the_definition(values: list[tuple[Any, ...]]) -> None:
    count = len(values[0]) if values else 1
    names = tuple(Objective(metric=f"m{i}", goal=("minimize", "maximize", 1.0)[i]) for i in range(count))
    state = study(values, spec=study_spec(objectives=names))
    points = [[o.loss(float(v)) for o, v in zip(names, row, strict=True)] for row in values]

    def dominates(a: list[float], b: list[float]) -> bool:
        return all(x <= y for x, y in zip(a, b, strict=True)) and a != b

    assert pareto(state) == [i for i, p in enumerate(points) if not any(dominates(q, p) for q in points)]


def test_losses_are_those_of_the_objectives() -> None:
    objectives = (LOSS, ACC, Objective(metric="size", goal=5.0))
    state = study(
        [(1.0, 2.0, 3.0), ("NaN", "NaN", "NaN"), ("Infinity", "-Infinity", "-Infinity")],
        spec=study_spec(objectives=objectives),
    )
    found = losses(state, np.array([0, 1, 2]))
    assert found.tolist() == [[1.0, -2.0, 2.0], [math.inf] * 3, [math.inf] * 3]


def test_a_study_without_objectives_has_no_best() -> None:
    log = Folding(study_spec(objectives=()))
    number = log.started()
    log.exited(number)
    log.completed(number)
    assert best(log.state) == []
