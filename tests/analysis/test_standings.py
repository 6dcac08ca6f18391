"""The table, curves and records of a comparison, from made-up runs."""

from __future__ import annotations

import json
import math
from typing import Any

import msgspec
import numpy as np
import pytest

from rung.analysis.standings import Asked, RunFound, Standings
from rung.analysis.trajectories import AXES, Points
from rung.model import Objective, ScheduleSpec, StudySpec

LOSS = StudySpec(objectives=(Objective(metric="loss"),), schedule=ScheduleSpec(resource="epoch"))
SCORE = StudySpec(objectives=(Objective(metric="score", goal="maximize"),))
TWO = StudySpec(objectives=(Objective(metric="a"), Objective(metric="b", goal="maximize")))


def run(method: int, seed: int, *losses: Any, problem: int = 0, step: float = 60.0, failed: int = 0) -> RunFound:
    """A run that found the losses `step` apart."""
    rows = np.array([loss if isinstance(loss, tuple) else (loss,) for loss in losses], float).reshape(len(losses), -1)
    at = step * np.arange(1.0, len(losses) + 1)
    end = step * (len(losses) + 1)
    points = Points(rows, dict.fromkeys(AXES, at), dict.fromkeys(AXES, end), True)
    return RunFound(
        problem=problem, method=method, seed=seed, study=f"s-{problem}-{method}-s{seed}", state="complete",
        trials=len(losses), failed=failed, points=points,
    )  # fmt: skip


def standings(*runs: RunFound, specs: tuple[StudySpec, ...] = (LOSS,), **asked: Any) -> Standings:
    names = tuple(f"p{i}" for i in range(len(specs)))
    return Standings(Asked(problems=names, specs=specs, methods=("tpe", "random"), **asked), runs)


def test_the_table_of_one_problem() -> None:
    found = standings(
        run(0, 0, 3, 1.0), run(1, 0, 4, 2), run(0, 1, 2, 1.005, failed=2), run(1, 1, 5, 3), band="quartiles"
    )
    tpe, random = found.rows()
    assert (tpe.method, tpe.runs, tpe.trials, tpe.failed) == ("tpe", 2, 4, 2)
    assert [tpe.mean, tpe.median] == pytest.approx([1.0025, 1.0025])
    assert (tpe.rank, tpe.wins, random.rank, random.wins) == (1, 1, 2, 0)
    assert (tpe.to_best, tpe.reached) == (120, 1)  # within 1 % of 1.0 with the second loss of both
    assert (random.to_best, random.reached) == (None, 0)
    assert tpe.low is not None
    assert tpe.low < 1.0025


def test_a_maximised_metric_is_shown_as_it_was_reported() -> None:
    found = standings(run(0, 0, -0.5, -0.9), run(1, 0, -0.5, -0.6), specs=(SCORE,))
    tpe, random = found.rows()
    assert (tpe.mean, random.mean) == (0.9, 0.6)
    curve = found.record()["curves"][0]
    assert curve["centre"] == [0.5, 0.9, 0.9]
    assert found.panels()[0].y_label == "best score so far"


def test_a_run_that_found_nothing_is_worst_and_its_method_has_no_mean() -> None:
    found = standings(run(0, 0, math.inf), run(1, 0, 2.0), run(0, 1, 1.0), run(1, 1, 2.0))
    rows = {row.method: row for row in found.rows()}
    assert rows["tpe"].mean is None
    assert rows["tpe"].median is None
    assert rows["tpe"].rank == 1.5
    assert rows["tpe"].reached == 0.5
    assert found.record()["runs"][0]["final"] is None


def test_only_seeds_that_every_method_has_are_ranked() -> None:
    found = standings(run(0, 0, 1.0), run(1, 0, 2.0), run(0, 1, 9.0))
    assert found.blocks()[0] == [(0, 0)]
    assert [row.runs for row in found.rows()] == [2, 1]
    assert found.sentence().startswith("nothing is settled")
    alone = standings(run(0, 0, 1.0))
    assert [row.rank for row in alone.rows()] == [None]
    assert len(alone.panels()) == 1


def test_several_problems_have_a_table_each_and_one_for_all() -> None:
    runs = [
        run(m, s, 5.0, 1.0 + m + 0.01 * s, problem=p, step=10.0 ** (1 + p))
        for p in (0, 1)
        for m in (0, 1)
        for s in (0, 1)
    ]
    found = standings(*runs, specs=(LOSS, LOSS))
    assert [(row.problem, row.method) for row in found.rows()] == [
        ("p0", "tpe"), ("p0", "random"), ("p1", "tpe"), ("p1", "random"), (None, "tpe"), (None, "random"),
    ]  # fmt: skip
    whole = found.rows()[-2]
    assert (whole.runs, whole.rank, whole.mean) == (4, 1, None)
    assert found.sentence().startswith("4 pairs of file and seed settle nothing")
    panels = found.panels()
    assert [panel.x_label for panel in panels] == ["time (seconds)", "time (minutes)", "time, % of the longest run"]
    ranks = panels[-1]
    assert ranks.best_on_top
    assert [curve.y[-1] for curve in ranks.curves] == [1, 2]
    assert [curve.y[0] for curve in ranks.curves] == [1.5, 1.5]  # nobody has found anything


def test_several_objectives_are_compared_by_hypervolume() -> None:
    found = standings(run(0, 0, (0.0, -1.0)), run(1, 0, (1.0, 0.0), (0.5, -0.5)), specs=(TWO,))
    tpe, random = found.rows()
    assert (tpe.method, random.method) == ("tpe", "random")
    assert tpe.mean == pytest.approx(1.1 * 1.1)
    assert random.mean == pytest.approx(0.6 * 0.6)
    assert found.panels()[0].y_label == "best hypervolume so far"


def test_the_axis_has_its_unit() -> None:
    for over, words in {"cost": "cost (", "trials": "trials evaluated", "resource": "epochs, all trials"}.items():
        found = standings(run(0, 0, 1.0), run(1, 0, 1.0), over=over)
        assert found.panels()[0].x_label.startswith(words)
    near = StudySpec(objectives=(Objective(metric="x", goal=0.5),))
    assert standings(run(0, 0, 1.0), specs=(near,)).panels()[0].y_label == "best distance of x to 0.5 so far"


@pytest.mark.parametrize("band", ["ci", "quartiles", "iqm"])
def test_all_numbers_are_strict_json(band: str) -> None:
    runs = [run(m, s, math.inf, 2.0 - m, 1.0 + s) for m in (0, 1) for s in range(3)]
    record = standings(*runs, band=band).record()
    text = msgspec.json.encode(record).decode()
    assert json.loads(text, parse_constant=lambda word: pytest.fail(word)) == record
    for curve in record["curves"]:
        assert len({len(curve[key]) for key in ("at", "centre", "low", "high")}) == 1
        inside = [
            (a, b, c) for a, b, c in zip(curve["low"], curve["centre"], curve["high"], strict=True) if a is not None
        ]
        assert inside
        assert all(a <= b <= c for a, b, c in inside)
    assert record["tests"]["blocks"] == 3
    assert record["text"].startswith("3 seeds settle nothing")


def test_one_method_alone_has_no_rank() -> None:
    asked = Asked(problems=("p",), specs=(LOSS,), methods=("tpe",))
    found = Standings(asked, [run(0, 0, 2.0, 1.0), run(0, 1, 3.0)])
    (row,) = found.rows()
    assert (row.mean, row.rank, row.wins) == (2, None, None)
    assert len(found.panels()) == 1


def test_nothing_at_all_is_a_table_without_rows() -> None:
    found = standings()
    assert found.rows() == []
    assert found.panels() == []
    assert found.record()["curves"] == []
