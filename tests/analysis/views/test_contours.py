from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from analysis.views.planted import FLOATS, filled, readable, told
from rung.analysis.views import show
from rung.model import BadInput, Objective, Parameter
from rung.testing.studies import Folding

SPACE = (
    Parameter(name="idle", type="float", min=0, max=1),
    Parameter(name="lr", type="float", min=1e-4, max=1, scale="log"),
    Parameter(name="width", type="float", min=0, max=10),
    Parameter(name="opt", type="choice", values=("sgd", "adam", "lion")),
    Parameter(name="momentum", type="float", min=0, max=1, when="opt == 'sgd'"),
)


def bowl(lr: Any, width: Any) -> Any:
    return (np.log10(lr) + 1.6) ** 2 + 0.2 * (np.asarray(width) - 6.0) ** 2


@pytest.fixture(scope="module")
def study() -> Folding:
    rng = np.random.default_rng(0)
    params: list[dict[str, Any]] = []
    for _ in range(600):
        idle, u, width, momentum = rng.random(4).tolist()
        own = {"idle": idle, "lr": 10 ** (-4 * u), "width": 10 * width, "opt": ("sgd", "adam", "lion")[rng.integers(3)]}
        params.append(own | ({"momentum": momentum} if own["opt"] == "sgd" else {}))
    values = [float(bowl(own["lr"], own["width"])) + float(rng.normal(0, 0.02)) for own in params]
    return filled(told(SPACE), params, values)


def test_the_two_that_matter_are_shown_with_their_function(study: Folding) -> None:
    found = show(readable(study), "contour")
    assert found.x is not None
    assert found.y is not None
    assert {found.x.axis.name, found.y.axis.name} == {"lr", "width"}
    found = show(readable(study), "contour", x="lr", y="width", cells=16)
    expected = bowl(np.array(found.x.centres)[None], np.array(found.y.centres)[:, None])
    grid = np.array(found.grid, dtype=float)
    known = np.isfinite(grid)
    assert known.mean() > 0.98
    error = np.abs(grid - expected)[known]
    assert error.max() < 1.2
    assert np.median(error) < 0.15  # of a range from 0 to 13
    best = found.best
    assert best is not None
    assert best.x == pytest.approx(10**-1.6, rel=1.0)
    assert best.y == pytest.approx(6.0, abs=1.0)
    assert found.grid[best.row][best.column] == best.value == min(v for row in found.grid for v in row if v is not None)


def test_cells_count_their_trials(study: Folding) -> None:
    found = show(readable(study), "contour", x="lr", y="opt", cells=8)
    table = study.state.table["params"]
    column = np.clip(((np.log10(table[:, 1]) + 4) / 4 * 8).astype(int), 0, 7)
    expected = np.zeros((3, 8), int)
    np.add.at(expected, (table[:, 3].astype(int), column), 1)
    assert np.array(found.count).tolist() == expected.tolist()
    assert found.y.axis.categories == ["sgd", "adam", "lion"]
    assert found.y.centres == [0.0, 1.0, 2.0]
    assert found.y.edges == [-0.5, 0.5, 1.5, 2.5]
    assert found.x.edges == pytest.approx([10 ** (-4 + k / 2) for k in range(9)])


def test_trials_without_one_of_the_two_are_counted_apart(study: Folding) -> None:
    found = show(readable(study), "contour", x="lr", y="momentum")
    assert found.inactive == int(np.isnan(study.state.table["params"][:, 4]).sum())
    assert found.of + found.inactive == 600


def test_one_named_gets_the_most_important_other(study: Folding) -> None:
    found = show(readable(study), "contour", y="lr")
    assert (found.x.axis.name, found.y.axis.name) == ("width", "lr")
    with pytest.raises(BadInput, match="twice"):
        show(readable(study), "contour", x="lr", y="lr")


def test_marks_are_thinned_and_the_grid_is_not(study: Folding) -> None:
    whole, few = (show(readable(study), "contour", x="lr", y="width", marks=marks) for marks in (1000, 50))
    assert (few.shown, few.of, whole.shown) == (50, 600, 600)
    assert few.grid == whole.grid
    assert min(few.value) == min(whole.value)
    assert len(few.mark_x) == len(few.mark_y) == len(few.state) == 50


def test_maximising_puts_the_best_cell_on_top() -> None:
    log = told(FLOATS[:2], objectives=(Objective(metric="acc", goal="maximize"),))
    grid = [{"a": a / 4, "b": b / 4} for a in range(5) for b in range(5)]
    filled(log, grid, [own["a"] + own["b"] for own in grid])
    found = show(readable(log), "contour", x="a", y="b", cells=5)
    assert (found.best.row, found.best.column) == (4, 4)


def test_where_nothing_can_be_drawn_that_is_said() -> None:
    one = filled(told(FLOATS[:1]), [{"a": 0.1}, {"a": 0.4}], [1.0, 2.0])
    assert show(readable(one), "contour").note == "two parameters that vary are needed"
    assert show(readable(told()), "contour").note == "no trial has a value yet"
    lone = show(readable(filled(told(), [dict.fromkeys("abcd", 0.5)], [1.0])), "contour", x="a", y="b")
    assert (lone.note, lone.of, lone.best.value) == ("", 1, 1.0)
    nothing = show(readable(filled(told(), [dict.fromkeys("abcd", 0.5)], [None])), "contour", x="a", y="b")
    assert nothing.best is None
    assert nothing.note == "no trial has both parameters and a value"
