from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from rung.model import BadInput, Parameter, SearchSpec
from rung.search.base import Earlier, Problem, Proposed, Result, Suggestion
from rung.search.random import Random
from rung.search.tpe import TPE
from rung.search.tpe.estimator import NARROWEST, STEPS, Estimate
from rung.search.tpe.kernels import Geometry
from rung.search.tpe.searcher import START, latin
from rung.search.tpe.split import Group
from rung.study.seeds import generator
from rung.testing.searchers import Declared, Drive, Make, problem

if TYPE_CHECKING:
    from collections.abc import Mapping

SQUARE: Declared = (tuple(Parameter(name=name, type="float", min=0, max=1) for name in "xy"), ())
BRANCHES: Declared = (
    (
        Parameter(name="model", type="choice", values=("tree", "net", "line")),
        Parameter(name="depth", type="int", min=1, max=30, when="model == 'tree'"),
        Parameter(name="lr", type="float", min=1e-5, max=1, scale="log", when="model == 'net'"),
        Parameter(name="act", type="choice", values=("a", "b", "c", "d"), when="model == 'net'"),
    ),
    (),
)


def bowl(params: Mapping[str, Any]) -> float:
    return float((params["x"] - 0.3) ** 2 + (params["y"] - 0.6) ** 2)


def branches(params: Mapping[str, Any]) -> float:
    if params["model"] == "net":
        return float(abs(math.log10(params["lr"]) + 3) / 4 + 0.2 * (params["act"] != "c"))
    return 0.3 + float(abs(params["depth"] - 7) / 30 if params["model"] == "tree" else 0.2)


def seeded(declared: Declared, seed: int, **options: Any) -> Problem:
    asked = problem(declared, trials=40)
    return Problem(
        space=asked.space,
        seed=seed,
        search=SearchSpec(options=options),
        objectives=asked.objectives,
        budget=asked.budget,
    )


def run(make: Make, asked: Problem, loss: Any, trials: int) -> Drive:
    """One trial after the other."""
    drive = Drive(make(asked), asked)
    for number in range(trials):
        drive.finish(number, loss(drive.propose()))
    return drive


def best(drive: Drive) -> float:
    return min(delta.losses[0] for delta in drive.deltas if isinstance(delta, Result) and delta.losses)


@pytest.mark.parametrize(("declared", "loss"), [(SQUARE, bowl), (BRANCHES, branches)], ids=["square", "branches"])
def test_it_finds_better_ones_than_random(declared: Declared, loss: Any) -> None:
    ours, theirs = ([best(run(make, seeded(declared, seed), loss, 40)) for seed in range(5)] for make in (TPE, Random))
    assert np.median(ours) < 0.5 * np.median(theirs)


def test_the_start_may_be_drawn_at_random() -> None:
    asked = seeded(SQUARE, 1, start=3, design="random")
    searcher = TPE(asked)
    found = searcher.suggest(0, (), [], generator(1, "search", 0))
    assert isinstance(found, Suggestion)
    drawn = Random(asked).suggest(0, (), [], generator(1, "search", 0))
    assert isinstance(drawn, Suggestion)
    assert (found.params, found.phase) == (drawn.params, "random")
    assert found.text == "start 1 of 3: a random draw from the space"
    assert searcher.describe().startswith("tpe: 3 random trials, then ")
    with pytest.raises(BadInput, match=r"search\.design: expected latin or random, got 'sobol'"):
        TPE(seeded(SQUARE, 1, design="sobol"))


def test_the_start_has_one_trial_in_each_part_of_each_parameter() -> None:
    drive = run(TPE, problem(SQUARE), bowl, START)
    found = np.array([[d.params["x"], d.params["y"]] for d in drive.deltas if isinstance(d, Proposed)])
    for column in found.T:
        assert sorted(np.floor(column * START).tolist()) == list(range(START))
    assert latin(np.random.default_rng(0), 0, 3).shape == (0, 3)


def test_phases() -> None:
    """The start, random draws while nothing came back, then the model; each says so."""
    drive = Drive(TPE(problem(SQUARE)), problem(SQUARE))
    phases = []
    for _ in range(START + 2):
        found = drive.suggest()
        assert isinstance(found, Suggestion)
        phases.append(found.phase)
        drive.propose()
    for number in range(START // 2):
        drive.finish(number, float(number))
    found = drive.suggest()
    assert isinstance(found, Suggestion)
    assert phases == ["start"] * START + ["random"] * 2
    assert found.phase == "model"
    assert found.text == "the best of 32 candidates by 1 good and 4 other trials"


def test_options() -> None:
    asked = seeded(SQUARE, 0, start=3, candidates=6)
    drive = run(TPE, asked, bowl, 3)
    found = drive.suggest()
    assert isinstance(found, Suggestion)
    assert found.text.startswith("the best of 6 candidates")


def test_workers_keep_away_from_each_other() -> None:
    """Pending ones count as bad: eight proposals at once lie further apart than eight that do not know of each other."""
    drive = run(TPE, problem(SQUARE), bowl, 30)
    alone = [drive.searcher.suggest(30, (), drive.taken, generator(1, "alone", i)) for i in range(8)]
    together = [drive.propose() for _ in range(8)]
    apart = [nearest([s.params for s in alone if isinstance(s, Suggestion)]), nearest(together)]
    assert apart[1] > 1.5 * apart[0]


def nearest(found: list[Any]) -> float:
    """The mean distance to the nearest other one."""
    points = np.array([[params["x"], params["y"]] for params in found])
    distance = np.linalg.norm(points[:, None] - points, axis=2) + 9 * np.eye(len(points))
    return float(distance.min(axis=1).mean())


def test_what_the_user_believes_comes_first_and_data_overrules_it() -> None:
    x = Parameter(name="x", type="float", min=0, max=1, prior={"value": 0.9, "confidence": 0.9})
    drives = [run(TPE, seeded(((p, SQUARE[0][1]), ()), 3), bowl, 60) for p in (x, SQUARE[0][0])]
    early, late = ([_xs(drive)[part].mean() for drive in drives] for part in (slice(0, 10), slice(40, 60)))
    assert early[0] > early[1] + 0.1
    assert abs(late[0] - late[1]) < 0.15


def _xs(drive: Drive) -> Any:
    return np.array([delta.params["x"] for delta in drive.deltas if isinstance(delta, Proposed)])


def test_an_earlier_study_takes_the_place_of_the_start() -> None:
    asked = problem(SQUARE)
    drive = Drive(TPE(asked), asked)
    points = asked.space.decode(asked.space.sample(generator(0, "earlier", 0), 40))
    drive.observe(*(Earlier(0, params, (bowl(params),)) for params in points))
    found = [drive.propose() or {} for _ in range(8)]
    assert np.median([bowl(params) for params in found]) < 0.5 * np.median([bowl(params) for params in points])


class TestExtremes:
    """Bad input: each gets a sensible proposal."""

    @pytest.mark.parametrize("losses", [[1e300, -1e300], [0.5], [math.inf], [math.nan, 1.0], [-math.inf, 1.0]])
    def test_losses(self, losses: list[float]) -> None:
        asked = problem(BRANCHES, outcomes=1)
        drive = Drive(TPE(asked), asked)
        for number in range(20):
            drive.propose()
            drive.observe(Result(number, (losses[number % len(losses)],), (math.inf,)))  # a constraint never met
        assert isinstance(drive.suggest(), Suggestion)

    @pytest.mark.parametrize(
        "parameters",
        [
            tuple(Parameter(name=f"x{i}", type="float", min=0, max=1) for i in range(200)),
            (Parameter(name="c", type="choice", values=tuple(range(10_000))),),
            (Parameter(name="n", type="int", min=-(2**52), max=2**52), Parameter(name="f", type="float", min=2, max=2)),
            (Parameter(name="z", type="normal", mean=0, sd=1), Parameter(name="b", type="bool")),
        ],
        ids=["200 dimensions", "a choice of 10,000", "huge and without width", "a tail"],
    )
    def test_spaces(self, parameters: tuple[Parameter, ...]) -> None:
        asked = problem((parameters, ()))
        drive = run(TPE, asked, lambda params: float(next(iter(params.values()))), 14)
        found = drive.suggest()
        assert isinstance(found, Suggestion)
        assert found.phase == "model"

    def test_a_constraint_that_leaves_little(self) -> None:
        narrow = (SQUARE[0], ("x + y <= 0.02",))
        drive = run(TPE, problem(narrow), bowl, 14)
        assert isinstance(drive.suggest(), Suggestion)

    def test_a_thousand_pending_trials(self) -> None:
        asked = problem(SQUARE)
        drive = run(TPE, asked, bowl, 20)
        waiting = asked.space.decode(asked.space.sample(generator(0, "waiting", 0), 1000))
        drive.observe(*(Proposed(20 + number, params) for number, params in enumerate(waiting)))
        found = drive.suggest()
        assert isinstance(found, Suggestion)
        assert found.phase == "model"


class TestEstimate:
    GEOMETRY = Geometry(problem(SQUARE).space)

    def test_no_trial_is_the_uniform_density(self) -> None:
        none = Estimate(self.GEOMETRY, Group(np.empty((0, 2)), np.empty(0)))
        np.testing.assert_allclose(none.log_density(np.random.default_rng(0).random((5, 2))), 0.0, atol=1e-12)

    def test_one_trial_does_not_collapse_it(self) -> None:
        one = Estimate(self.GEOMETRY, Group(np.array([[0.5, 0.1]]), np.ones(1)))
        assert (one.joint.kernels.sigma > 0.1).all()

    def test_equal_trials_narrow_it_to_the_floor(self) -> None:
        many = Estimate(self.GEOMETRY, Group(np.full((5000, 2), 0.25), np.ones(5000)))
        assert many.marginals.kernels.sigma.tolist() == [NARROWEST, NARROWEST]

    def test_an_ordered_parameter_reaches_its_neighbours(self) -> None:
        space = problem(((Parameter(name="n", type="int", min=1, max=5),), ())).space
        many = Estimate(Geometry(space), Group(np.full((5000, 1), 0.5), np.ones(5000)))
        assert many.joint.kernels.sigma[0] == STEPS / 5
        probability = np.exp(many.log_density(np.array([[0.3], [0.5]])))
        assert probability[0] > 0.1 * probability[1]

    def test_the_scale_of_the_weights_does_not_matter(self) -> None:
        units = np.random.default_rng(1).random((9, 2))
        one, two = (Estimate(self.GEOMETRY, Group(units, np.full(9, w))) for w in (1.0, 7.0))
        np.testing.assert_allclose(one.log_density(units), two.log_density(units))

    def test_pending_trials_are_in_the_joint_density_only(self) -> None:
        """Where one stands is bad, but not each of its values by itself."""
        group = Group(np.random.default_rng(1).random((20, 2)), np.ones(20))
        waiting = np.array([[0.9, 0.1]])
        without, with_it = (Estimate(self.GEOMETRY, group, some) for some in (None, waiting))
        assert with_it.joint.log_density(waiting)[0] > without.joint.log_density(waiting)[0]
        assert with_it.marginals.log_density(waiting)[0] == without.marginals.log_density(waiting)[0]
