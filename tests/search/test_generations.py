from __future__ import annotations

import copy
import math
import random
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

from rung.model import BadInput, Budget, Objective, Parameter, SearchSpec
from rung.plugins import searcher_class
from rung.runner.draws import Draws
from rung.search import generations
from rung.search.asktell import AskTell
from rung.search.base import Delta, Exhausted, Problem, Proposed, Result, Suggestion
from rung.search.generations import Hyperparameter, adapted, is_optimizer, population_size
from rung.space import Space

SPACE = (
    Parameter(name="x", type="float", min=0, max=6),
    Parameter(name="y", type="float", min=1e-4, max=1, scale="log"),
)
RNG = np.random.default_rng(0)


class Random:
    """Draws four individuals at a time, three times over."""

    SIZE: ClassVar[int] = 4
    LAST: ClassVar[Any] = None

    def __init__(self, hyperparameters: list[Any], config: dict[str, Any], logger: Any) -> None:
        self.hyperparameters, self.config = hyperparameters, config
        self.told: list[Any] = []
        type(self).LAST = self

    def stop(self) -> bool:
        return len(self.told) >= 3

    def ask(self) -> list[list[Any]]:
        return [self._individual() for _ in range(self.SIZE)]

    def _individual(self) -> list[Any]:
        made = []
        for one in self.hyperparameters:
            new = copy.copy(one)
            new.values = np.random.uniform(one.min_range, one.max_range, one.array_length) + 0 * random.random()
            new.values = np.exp(new.values) if one.is_log else new.values
            made.append(new)
        return made

    def tell(self, population: list[list[Any]], fitnesses: list[float]) -> None:
        self.told.append((population, list(fitnesses)))


def problem(*parameters: Parameter, goal: Any = "maximize", **options: Any) -> Problem:
    return Problem(
        space=Space(parameters or SPACE), seed=3, search=SearchSpec(method="opt.py", options=options),
        objectives=(Objective(metric="fitness", goal=goal),), budget=Budget(trials=30),
    )  # fmt: skip


def searcher(kind: type[Any] = Random, **more: Any) -> AskTell:
    return adapted(kind, Draws)(problem(**more))


def proposed(made: AskTell, number: int) -> Suggestion:
    found = made.suggest(number, [], [], RNG)
    assert isinstance(found, Suggestion), found
    made.observe([Proposed(number, found.params, found.memo)])
    return found


def ended(number: int, fitness: float | None) -> Result:
    return Result(number, None if fitness is None else (-fitness,))


def test_a_generation_is_told_when_all_of_it_is_in() -> None:
    made = searcher()
    for number in range(4):
        proposed(made, number)
    made.observe([ended(1, 5.0), ended(0, 4.0), ended(3, -7.0)])
    with pytest.raises(BadInput, match="with one worker"):
        made.suggest(4, [], [], RNG)
    made = searcher()
    for number in range(4):
        proposed(made, number)
    made.observe([ended(1, 5.0), ended(0, 4.0), ended(3, -7.0), ended(2, None)])
    proposed(made, 4)
    [(population, fitnesses)] = Random.LAST.told
    assert fitnesses == [4.0, 5.0, 0.0, 0.0]  # a failure counts 0, and so does what is below
    assert len(population) == 4


def test_it_stops_when_the_optimizer_does() -> None:
    made = searcher()
    for number in range(12):
        proposed(made, number)
        made.observe([ended(number, 1.0)])
    assert isinstance(made.suggest(12, [], [], RNG), Exhausted)


def test_a_minimised_metric_is_told_as_its_negative() -> None:
    made = searcher(goal="minimize")
    for number in range(4):
        proposed(made, number)
        made.observe([Result(number, (2.0 + number,))])
    proposed(made, 4)
    assert Random.LAST.told[0][1] == [-2.0, -3.0, -4.0, -5.0]


def test_a_fresh_object_comes_to_the_same_populations() -> None:
    one, other = searcher(), searcher()
    history: list[Delta] = []
    for number in range(6):
        found = proposed(one, number)
        deltas: list[Delta] = [Proposed(number, found.params, found.memo), ended(number, float(number))]
        one.observe(deltas[1:])
        history += deltas
    other.observe(history)
    assert other.suggest(6, [], [], RNG) == one.suggest(6, [], [], RNG)


def test_what_it_draws_leaves_the_generators_alone() -> None:
    random.seed(1)
    np.random.seed(1)
    expected = random.Random(1).random(), np.random.RandomState(1).random_sample()
    proposed(searcher(), 0)
    assert (random.random(), np.random.random_sample()) == expected


class Clocked(Random):
    """Seeded by something else each time."""

    COUNT: ClassVar[int] = 0

    def ask(self) -> list[list[Any]]:
        type(self).COUNT += 1
        np.random.seed(self.COUNT)
        return super().ask()


def test_results_of_another_object_stand_in_for_its_own() -> None:
    one, other = searcher(Clocked), searcher(Clocked)
    history: list[Delta] = []
    for number in range(4):
        found = proposed(one, number)
        deltas: list[Delta] = [Proposed(number, found.params, found.memo), ended(number, float(number))]
        one.observe(deltas[1:])
        history += deltas
    other.observe(history)
    proposed(other, 4)
    [(population, fitnesses)] = Clocked.LAST.told
    assert fitnesses == [0.0, 1.0, 2.0, 3.0]
    asked = [delta.params for delta in history if isinstance(delta, Proposed)]
    assert [{one.name: one.values for one in each} for each in population] == asked


def test_hyperparameters_are_told_from_the_space() -> None:
    proposed(searcher(), 0)
    x, y = Random.LAST.hyperparameters
    assert (x.name, x.index, x.min_range, x.max_range, x.is_log, x.unbounded) == ("x", 0, 0.0, 6.0, False, False)
    assert (y.index, y.min_range, y.max_range, y.is_log) == (1, math.log(1e-4), 0.0, True)
    assert "x" in repr(x)


def test_arrays_are_parameters_with_a_number_each() -> None:
    parameters = [Parameter(name=f"w.{i}", type="float", min=0, max=1) for i in range(3)]
    described = {"name": "w", "index": 0, "min_range": 0.0, "max_range": 1.0, "array_length": 3}
    made = adapted(Random, Draws)(problem(*parameters, hyperparameters=[described], config={"sigma0": 2}))
    assert set(proposed(made, 0).params) == {"w.0", "w.1", "w.2"}
    assert Random.LAST.config["sigma0"] == Random.LAST.config["optimizer"]["sigma0"] == 2


class Twins(Random):
    """All of a generation are the same, beyond the bounds."""

    def _individual(self) -> list[Any]:
        made = super()._individual()
        for one in made:
            one.values = 7.0 + len(self.told)
        return made


def test_twins_are_evaluated_once_and_bounds_are_kept() -> None:
    made = searcher(Twins)
    assert proposed(made, 0).params == {"x": 6.0, "y": 1.0}
    made.observe([ended(0, 2.0)])
    assert isinstance(made.suggest(1, [], [], RNG), Exhausted)
    assert [fitnesses for _, fitnesses in Twins.LAST.told] == [[2.0] * 4] * 3


class Odd(Random):
    """Gives what is no population."""

    def ask(self) -> Any:
        return self.config["gives"]


@pytest.mark.parametrize("gives", [[], [[]], 3, None, [3]])
def test_what_is_no_population_is_an_error(gives: Any) -> None:
    made = adapted(Odd, Draws)(problem(config={"gives": gives}))
    with pytest.raises(BadInput, match=r"ask\(\) (gave|must give)"):
        made.suggest(0, [], [], RNG)


def test_integers_and_choices_are_refused() -> None:
    with pytest.raises(BadInput, match="knows numbers with bounds only"):
        adapted(Random, Draws)(problem(Parameter(name="n", type="int", min=1, max=3)))


def test_the_size_of_a_population_can_be_asked() -> None:
    assert population_size(adapted(Random, Draws), problem()) == 4


def test_a_file_with_an_optimizer_is_found_by_its_constructor(tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_text(
        "class Optimizer(object):\n"
        "    '''Mine.'''\n"
        "    def __init__(self, hyperparameters, config, logger): self.h = hyperparameters\n"
        "    def stop(self): return False\n"
        "    def ask(self): print('noise'); return [self.h]\n"
        "    def tell(self, population, fitnesses): pass\n"
    )
    kind = searcher_class(str(file))
    assert issubclass(kind.made_of, generations.Generations)
    assert "Mine." in kind(problem()).describe()
    assert not is_optimizer(Hyperparameter)
