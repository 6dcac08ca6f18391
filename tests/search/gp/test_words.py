"""A reason speaks of the user's metrics, and says nothing that the model does not know."""

from __future__ import annotations

import numpy as np
import pytest

from rung.model import Objective
from rung.search.gp.acquisition import Aim
from rung.search.gp.searcher import expected_improvement
from rung.search.gp.words import Predicted, reason

BEST = np.array([1.0])
AT = Predicted(-2.0, -2.5, -1.0)


@pytest.mark.parametrize(
    ("goal", "said"),
    [
        ("minimize", "acc -2 (one sd: -2.5 to -1)"),
        ("maximize", "acc 2 (one sd: 1 to 2.5)"),
        (0.95, "|acc - 0.95| 0 (one sd: 0 to 0)"),
    ],
)
def test_a_prediction_is_of_the_metric(goal: str | float, said: str) -> None:
    objective = Objective(metric="acc", goal=goal)  # type: ignore[arg-type]
    text = reason(Aim((), BEST), -1.5, np.array([[1.0], [np.inf]]), [objective], [AT])
    assert text == f"log expected improvement -1.5: predicted {said}"


def test_two_objectives_are_predicted_each() -> None:
    both = [Objective(metric="a"), Objective(metric="b", goal="maximize")]
    text = reason(Aim((), np.ones((1, 2)), np.ones(2)), 0.5, np.ones((3, 2)), both, [AT, AT])
    assert text.startswith("log expected hypervolume improvement 0.5: predicted a -2 (")
    assert "), b 2 (" in text


def test_a_weighting_of_three_predicts_none_of_them() -> None:
    three = [Objective(metric=name) for name in "abc"]
    text = reason(Aim((), BEST), 0.5, np.ones((3, 3)), three, [AT])
    assert text == "log expected improvement of a random weighting of the objectives 0.5"


def test_without_a_feasible_trial_the_bounds_are_what_counts() -> None:
    text = reason(Aim((), None), -28.6, np.ones((3, 1)), [Objective(metric="a")], [AT])
    assert text.startswith("no trial kept the bounds on outcomes yet: log probability to keep them -28.6")


@pytest.mark.parametrize("losses", [np.full((3, 1), np.inf), np.array([[1.0], [1e300]])])
def test_nothing_is_predicted_from_losses_that_are_not_finite_or_cut(losses: np.ndarray) -> None:
    assert "predicted" not in reason(Aim((), BEST), 0.5, losses, [Objective(metric="a")], [AT])


def test_the_expected_improvement_is_that_of_draws() -> None:
    at, losses = Predicted(1.0, 0.5, 1.5), np.array([np.inf, 0.8, 2.0])
    draws = np.random.default_rng(0).normal(1.0, 0.5, 400_000)
    assert expected_improvement(at, losses) == pytest.approx(np.maximum(0.8 - draws, 0).mean(), rel=0.01)
    assert expected_improvement(Predicted(1.0, 1.0, 1.0), losses) == 0.0
    assert expected_improvement(Predicted(0.5, 0.5, 0.5), losses) == pytest.approx(0.3)
    assert expected_improvement(at, np.array([np.inf])) == np.inf
