from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest

from analysis.views.storied import Storied, golden, prune, stored, storied
from rung.analysis.ranking import hypervolume as hypervolume_of_study
from rung.analysis.views import plain, show
from rung.model import Objective, Outcome

TWO = [Objective(metric="loss"), Objective(metric="acc", goal="maximize")]


def study(rows: list[Any], objectives: list[Objective], **fields: Any) -> Storied:
    log = storied(objectives=objectives, **fields)
    for row in rows:
        if row is None:
            log.failed()
        else:
            log.done(*row)
    return log


def seen(log: Storied, **options: Any) -> Any:
    return plain(show(log.handle, "pareto", **options))


def losses_of(rows: list[Any], objectives: list[Objective]) -> list[tuple[float, ...]]:
    return [tuple(o.loss(float(v)) for o, v in zip(objectives, row, strict=True)) for row in rows]


def undominated(losses: list[tuple[float, ...]]) -> list[bool]:
    """By the definition, each against each."""

    def beats(a: tuple[float, ...], b: tuple[float, ...]) -> bool:
        return a != b and all(x <= y for x, y in zip(a, b, strict=True))

    return [not any(beats(other, mine) for other in losses) for mine in losses]


def volume(points: list[tuple[float, ...]], reference: tuple[float, ...]) -> float:
    """The volume that the points dominate, by inclusion and exclusion: another algorithm than any in the package."""
    boxes = [p for p in dict.fromkeys(points) if all(x < r for x, r in zip(p, reference, strict=True))]
    total = 0.0
    for size in range(1, len(boxes) + 1):
        for some in itertools.combinations(boxes, size):
            corner = [max(column) for column in zip(*some, strict=True)]
            total += (-1) ** (size + 1) * math.prod(r - c for r, c in zip(reference, corner, strict=True))
    return total


def reference_of(front: list[tuple[float, ...]]) -> tuple[float, ...]:
    found = []
    for column in zip(*front, strict=True):
        worst, spread = max(column), max(column) - min(column)
        found.append(worst + (spread or abs(worst) or 1.0) / 10)
    return tuple(found)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("objectives", [TWO, [*TWO, Objective(metric="near", goal=0.5)]])
def test_front_and_hypervolume_against_their_definitions(seed: int, objectives: list[Objective]) -> None:
    rng = np.random.default_rng(seed)
    rows = [tuple(row) for row in rng.integers(0, 7, size=(14, len(objectives))).astype(float).tolist()]
    found = seen(study(rows, objectives))
    losses = losses_of(rows, objectives)
    front = undominated(losses)
    assert found["front"] == front
    assert (found["on_front"], found["of"], found["feasible_trials"]) == (sum(front), 14, 14)
    for i, axis in enumerate(found["axes"]):
        assert axis["values"] == [row[i] for row in rows]
    reference = reference_of([loss for loss, on in zip(losses, front, strict=True) if on])
    shown = [-r if o.goal == "maximize" else r for o, r in zip(objectives, reference, strict=True)]
    course = found["hypervolume"]
    assert course["reference"] == pytest.approx(shown)
    steps = [volume(_front(losses[: n + 1]), reference) for n in range(len(rows))]
    grown = [n for n, now in enumerate(steps) if now > (steps[n - 1] if n else 0.0) + 1e-12]
    assert course["x"] == grown
    assert course["y"] == pytest.approx([steps[n] for n in grown])
    assert course["value"] == pytest.approx(steps[-1])


def _front(losses: list[tuple[float, ...]]) -> list[tuple[float, ...]]:
    return [loss for loss, on in zip(losses, undominated(losses), strict=True) if on]


def test_many_trials_of_two_objectives_have_the_volume_of_the_package() -> None:
    rows = [tuple(row) for row in np.random.default_rng(5).normal(size=(150, 2)).tolist()]
    log = study(rows, TWO)
    found, known = seen(log), hypervolume_of_study(log.state)
    assert known is not None
    assert found["hypervolume"]["value"] == pytest.approx(known.value)
    assert found["hypervolume"]["reference"] == pytest.approx(list(known.reference))


def test_values_that_are_no_numbers_count_as_worst() -> None:
    rows = [(1.0, "NaN"), (2.0, 0.5), ("Infinity", 0.9), (3.0, 0.4), None]
    found = seen(study(rows, TWO))
    assert found["number"] == [0, 1, 2, 3]
    assert found["front"] == [True, True, True, False]
    assert found["axes"][1]["values"] == ["NaN", 0.5, 0.9, 0.4]
    assert found["hypervolume"]["x"] == [1], "the others are in no volume"


def test_who_breaks_a_bound_is_shown_and_not_on_the_front() -> None:
    log = storied(objectives=TWO, outcomes=(Outcome(metric="size", at_most=10),))
    for loss, acc, size in [(1.0, 0.9, 99.0), (2.0, 0.5, 5.0), (3.0, 0.4, 5.0), (2.5, 0.6, 10.0)]:
        number = log.started()
        log.reported(number, {"loss": loss, "acc": acc, "size": size})
        log.exited(number)
        log.completed(number, loss, acc)
    found = seen(log)
    assert found["front"] == [False, True, False, True]
    assert found["feasible"] == [False, True, True, True]
    assert found["hypervolume"]["x"] == [1, 3]
    none = seen(log, where="number == 0")
    assert none["front"] == [True], "where none keeps its bounds all count"


def test_some_of_the_objectives() -> None:
    rows = [(1.0, 0.1, 7.0), (2.0, 0.9, 1.0), (3.0, 0.5, 0.0)]
    log = study(rows, [*TWO, Objective(metric="size")])
    found = seen(log, objectives="size,loss")
    assert [axis["metric"] for axis in found["axes"]] == ["size", "loss"]
    assert found["front"] == [True, True, True]
    assert found["objectives"] == ["loss", "acc", "size"]
    assert seen(log, objectives="loss,acc")["front"] == [True, True, False]
    with pytest.raises(Exception, match=r"no objective 'los' \(did you mean 'loss'"):
        seen(log, objectives=["los"])


def test_one_objective_has_a_front_of_the_best() -> None:
    found = seen(study([(3.0,), (1.0,), (2.0,), (1.0,)], [Objective(metric="loss")]))
    assert found["front"] == [False, True, False, True]
    assert found["hypervolume"]["x"] == [1]
    assert found["hypervolume"]["value"] == pytest.approx(0.1)


def test_the_front_stays_where_there_are_too_many() -> None:
    rng = np.random.default_rng(2)
    rows = [tuple(row) for row in rng.normal(size=(100, 2)).tolist()]
    every, some = seen(study(rows, TWO)), seen(study(rows, TWO), marks=50)
    assert (some["of"], some["shown"], some["on_front"]) == (100, 50, every["on_front"])
    assert sum(some["front"]) == every["on_front"]


def test_a_front_too_long_for_exact_volumes_has_none() -> None:
    rng = np.random.default_rng(2)
    directions = rng.normal(size=(320, 3))
    sphere = np.abs(directions) / np.linalg.norm(directions, axis=1, keepdims=True)
    rows = [tuple(row) for row in sphere.tolist()]
    found = seen(study(rows, [Objective(metric=name) for name in "abc"]))
    assert found["on_front"] > 300
    assert found["hypervolume"] is None


def test_a_log_of_real_decisions() -> None:
    found = plain(show(stored(golden("tradeoff")), "pareto"))
    assert found["on_front"] == sum(found["front"]) > 0


def test_pruned_trials_count_only_where_none_is_complete() -> None:
    log = storied(objectives=[Objective(metric="loss")])
    prune(log, 2.0)
    prune(log, 1.0)
    assert seen(log)["front"] == [False, True]
    log.done(5.0)
    assert seen(log)["number"] == [2]


def test_nothing() -> None:
    for log in (storied(objectives=[]), storied(objectives=TWO), study([None], TWO)):
        found = seen(log)
        assert (found["of"], found["hypervolume"], found["number"]) == (0, None, [])
