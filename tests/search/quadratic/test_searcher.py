from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from rung.model import Parameter
from rung.search.base import Proposed, Result, Suggestion
from rung.search.quadratic import Quadratic
from rung.search.quadratic.model import Model, fit
from rung.search.quadratic.searcher import FIRST_RADIUS
from rung.search.random import Random
from rung.testing.searchers import Drive, Make, SearcherConformance, problem

Floats = npt.NDArray[np.float64]
Function = Callable[[dict[str, Any]], float]


def box(d: int, **others: Parameter) -> tuple[tuple[Parameter, ...], tuple[str, ...]]:
    return (*(Parameter(name=f"x{i}", type="float", min=-5, max=5) for i in range(d)), *others.values()), ()


def ellipsoid(params: dict[str, Any]) -> float:
    """Turned, and a million times as steep one way as the other."""
    x = np.array([value for name, value in params.items() if name.startswith("x")]) - 1.7
    turned = np.linalg.qr(np.random.default_rng(3).standard_normal((len(x), len(x))))[0] @ x
    return float(10 ** (6 * np.arange(len(x)) / (len(x) - 1)) @ turned**2)


def best(make: Make, function: Function, declared: Any, trials: int) -> float:
    drive = Drive(make(problem(declared, trials=trials)), problem(declared, trials=trials))
    losses = []
    for number in range(trials):
        losses.append(function(drive.propose() or {}))
        drive.finish(number, losses[-1])
    return min(losses)


class TestQuadratic(SearcherConformance):
    @pytest.fixture
    def make(self) -> Make:
        return Quadratic


def test_a_smooth_bowl_is_solved_to_many_digits() -> None:
    assert best(Quadratic, ellipsoid, box(4), 50) < 1e-6 * best(Random, ellipsoid, box(4), 50)


def test_a_curved_valley_is_followed() -> None:
    def valley(p: dict[str, Any]) -> float:
        return float(100 * (p["x1"] - p["x0"] ** 2) ** 2 + (1 - p["x0"]) ** 2)

    assert best(Quadratic, valley, box(2), 80) < 1e-4 * best(Random, valley, box(2), 80)


def test_integers_move_too() -> None:
    parameters = tuple(Parameter(name=f"k{i}", type="int", min=0, max=99) for i in range(3))

    def bowl(p: dict[str, Any]) -> float:
        return float(sum((p[f"k{i}"] - 20 * i - 7) ** 2 for i in range(3)))

    assert best(Quadratic, bowl, (parameters, ()), 40) == 0.0


def test_words_stay_as_in_the_best_configuration() -> None:
    drive = _after(box(2, opt=Parameter(name="opt", type="choice", values=("a", "b", "c"))), trials=40)
    found = drive.suggest()
    assert isinstance(found, Suggestion)
    row = drive.searcher.history.best()  # type: ignore[attr-defined]
    proposed = [delta for delta in drive.deltas if isinstance(delta, Proposed)]
    assert found.params["opt"] == proposed[row].params["opt"]


def _after(declared: Any, *, trials: int) -> Drive:
    asked = problem(declared)
    drive = Drive(Quadratic(asked), asked)
    for number in range(trials):
        params = drive.propose() or {}
        drive.finish(number, ellipsoid(params) + len(str(params.get("opt", ""))))
    return drive


def _judged(*, gain: float, came: float, edge: bool = True) -> float:
    """The radius after one step from 1.0 that promised `gain` and came out at `came`."""
    searcher = Quadratic(problem(box(2)))
    memo = {"radius": FIRST_RADIUS, "length": FIRST_RADIUS, "edge": edge, "gain": gain, "from": 1.0}
    searcher.observe([Proposed(0, {"x0": 0.0, "x1": 0.0}, memo), Result(0, (came,))])
    return searcher.radius


def test_the_radius_follows_how_right_the_model_was() -> None:
    assert _judged(gain=0.5, came=0.5) == 2 * FIRST_RADIUS
    assert _judged(gain=0.5, came=0.5, edge=False) == FIRST_RADIUS
    assert _judged(gain=0.5, came=0.8) == FIRST_RADIUS
    assert _judged(gain=0.5, came=1.2) == FIRST_RADIUS / 2
    assert _judged(gain=0.5, came=float("inf")) == FIRST_RADIUS / 2


def test_a_better_place_found_by_others_opens_the_region_again() -> None:
    searcher = Quadratic(problem(box(2)))
    searcher.observe([Proposed(0, {"x0": 0.0, "x1": 0.0}), Result(0, (1.0,))])
    searcher.radius = 1e-6
    searcher.observe([Proposed(1, {"x0": 1.0, "x1": 0.0}), Result(1, (0.5,))])
    assert searcher.radius == pytest.approx(0.1)


def test_a_trial_that_is_told_again_is_no_second_step() -> None:
    searcher = Quadratic(problem(box(2)))
    memo = {"radius": FIRST_RADIUS, "length": FIRST_RADIUS, "edge": True, "gain": 0.5, "from": 1.0}
    searcher.observe([Proposed(0, {"x0": 0.0, "x1": 0.0}, memo), Result(0, (0.5,)), Result(0, (1.2,))])
    assert searcher.radius == 2 * FIRST_RADIUS


def test_a_step_out_of_what_is_feasible_is_a_bad_one() -> None:
    searcher = Quadratic(problem(box(2), outcomes=1))
    memo = {"radius": FIRST_RADIUS, "length": FIRST_RADIUS, "edge": True, "gain": 0.5, "from": 1.0}
    searcher.observe([Proposed(0, {"x0": 0.0, "x1": 0.0}, memo), Result(0, (0.5,), (0.1,))])
    assert searcher.radius == FIRST_RADIUS / 2


def test_trials_that_have_no_moving_parameter_are_nowhere_near() -> None:
    """Each kind has a parameter of its own, so that those of the other kind have none to compare."""
    parameters = (
        Parameter(name="kind", type="choice", values=("a", "b", "c")),
        *(Parameter(name=f"x{kind}", type="float", min=0, max=1, when=f"kind == '{kind}'") for kind in "ab"),
    )
    drive = Drive(Quadratic(problem((parameters, ()))), problem((parameters, ())))
    for number in range(16):
        kind = "ab"[number % 2]
        params = {"kind": kind, f"x{kind}": number / 16}
        drive.observe(Proposed(number, params))
        drive.finish(number, (params[f"x{kind}"] - 0.4) ** 2 + (kind == "b"))  # type: ignore[operator]
    found = drive.suggest()
    assert isinstance(found, Suggestion)
    assert found.phase == "step"
    assert found.params["xa"] == pytest.approx(0.4, abs=1e-3)


def test_proposals_without_a_result_teach_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """So the model is made once, however many are asked for before another result comes."""
    fits: list[Model | None] = []

    def counted(steps: Floats, values: Floats) -> Model | None:
        fits.append(fit(steps, values))
        return fits[-1]

    monkeypatch.setattr("rung.search.quadratic.searcher.fit", counted)
    drive = _after(box(2), trials=12)
    before = len(fits)
    for _ in range(4):
        drive.propose()
    drive.finish(drive.pending[0], 0.5)
    drive.propose()
    assert len(fits) == before + 2


def test_it_says_why_it_draws_at_random() -> None:
    begun, settled = Quadratic(problem(box(2))), _after(box(2), trials=12)
    settled.searcher.radius = 0.0  # type: ignore[attr-defined]
    drive = Drive(begun, problem(box(2)))
    texts = [found.text for found in (drive.suggest(), settled.suggest())]
    assert texts == [
        "a random draw: there is no local model yet", "a random draw: the local region holds nothing new",
    ]  # fmt: skip


def test_a_region_that_is_too_small_for_two_is_left_to_one() -> None:
    drive = _after(box(2), trials=30)
    searcher = drive.searcher
    assert isinstance(searcher, Quadratic)
    searcher.radius = 1e-5
    drive.propose()
    assert searcher.crowded(drive.pending)
    found = drive.suggest()
    assert isinstance(found, Suggestion)
    assert found.phase == "random"
