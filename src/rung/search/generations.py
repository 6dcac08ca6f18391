"""StudioML's optimizer plug-ins as ask/tell classes: a class `Optimizer(hyperparameters, config, logger)` with `stop`,
`ask` and `tell`, which works in generations.

`ask()` gives a population: a list of individuals, each a list of `Hyperparameter` objects with their `.values`.
`tell(population, fitnesses)` is called when all of them have a fitness (higher is better). `stop()` ends the search,
`disp()` may print. What such a class draws from the global generators of Python and NumPy is drawn from the study's
seed, so that an object made anew after a crash comes to the same populations; one that is seeded by the clock proposes
others, and then the results that the log holds stand in for them, one by one.
"""

from __future__ import annotations

import contextlib
import inspect
import logging
import math
import sys
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

import numpy as np

from rung.model import BadInput
from rung.search import asktell

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from rung.model import Parameter
    from rung.search.base import Problem
    from rung.space import Space

ARGUMENTS = ("hyperparameters", "config", "logger")
MOST_KNOWN = 1000
"""So many generations in a row may hold nothing new."""
_FAILED = 0.0  # the fitness of what has none, as StudioML counts it


class Hyperparameter:
    """A parameter as the optimizer knows it. On a log scale `min_range` and `max_range` are natural logarithms;
    `values` is a number, or an array of `array_length`, in the parameter's own unit; `index` is where it begins in a
    flat vector of all."""

    def __init__(
        self,
        name: str,
        index: int | None = None,
        values: Any = None,
        min_range: float | None = None,
        max_range: float | None = None,
        array_length: int | None = None,
        unbounded: bool | None = None,
        is_log: bool | None = None,
        rand_init: bool | None = None,
    ) -> None:
        self.name, self.index, self.values = name, index, values
        self.min_range, self.max_range = min_range, max_range
        self.array_length, self.unbounded = array_length, unbounded
        self.is_log, self.rand_init = is_log, rand_init

    def __repr__(self) -> str:
        return f"<Hyperparameter {self.name}: {self.values}>"


def is_optimizer(kind: type[Any]) -> bool:
    """Whether a class is one of StudioML's kind: its constructor takes hyperparameters, config and logger."""
    names = list(inspect.signature(kind).parameters)
    return tuple(names[: len(ARGUMENTS)]) == ARGUMENTS and all(
        callable(getattr(kind, method, None)) for method in ("stop", "ask", "tell")
    )


class Draws(Protocol):
    """The global generators of random numbers, as they are while the optimizer runs."""

    def ours(self) -> contextlib.AbstractContextManager[None]:
        """Inside the block they go on from where the last block left them; afterwards they are as before."""
        ...


def adapted(kind: type[Any], draws: Callable[[int], Draws]) -> type[asktell.AskTell]:
    """The searcher that such a class makes. `draws` makes what an optimizer draws from out of a seed."""
    said = inspect.getdoc(kind) or _SAID
    made = type(kind.__name__, (Generations,), {"optimizer": kind, "draws": staticmethod(draws), "__doc__": said})
    return asktell.adapted(made)


_SAID = "asked for one generation after the other, told the fitness of each"


def population_size(kind: type[asktell.AskTell], problem: Problem) -> int:
    """How many individuals its first generation has. Raises what the class raises."""
    made: Generations = kind.made_of(problem=problem, **problem.search.options)
    return len(made.population())


class Individual(dict[str, Any]):
    """The parameters of one individual, and its place in its generation."""

    place: int = -1


class Generations:
    """An optimizer and the generation that it waits for. `hyperparameters`: the fields of each `Hyperparameter`, by
    default one for each parameter of the space; `config`: what the optimizer's constructor is given."""

    optimizer: ClassVar[type[Any]]
    draws: ClassVar[Any]
    accepts_unasked = True

    def __init__(
        self,
        problem: Problem,
        hyperparameters: Sequence[Mapping[str, Any]] | None = None,
        config: Mapping[str, Any] | None = None,
    ) -> None:
        self.space, self.clipped = problem.space, problem.objectives[0].goal == "maximize"
        described = [dict(one) for one in hyperparameters] if hyperparameters else _of_space(problem.space)
        self.limits = {name: limits for one in described for name, limits in _limits(one, problem.space)}
        section = dict(config or {})
        self._draws = self.draws(problem.seed)
        made = [Hyperparameter(**one) for one in described]
        self.inner = self._call(
            lambda: self.optimizer(made, {**section, "optimizer": section}, logging.getLogger("rung.studioml"))
        )
        self.generation: list[list[Any]] = []
        self.fitnesses: list[float | None] = []
        self.waiting: list[Individual] = []
        self.twins: dict[int, list[int]] = {}  # place -> the places of the same configuration in this generation
        self.known: dict[tuple[tuple[str, Any], ...], float] = {}

    def _call(self, action: Callable[[], Any]) -> Any:
        """What the optimizer says; what it prints goes to stderr, what it draws comes from the seed."""
        with self._draws.ours(), contextlib.redirect_stdout(sys.stderr):
            return action()

    def population(self) -> list[list[Any]]:
        """What the optimizer proposes next. Raises `BadInput` where that is no population."""
        found = self._call(self.inner.ask)
        if not isinstance(found, (list, tuple)) or not all(isinstance(one, (list, tuple)) and one for one in found):
            raise BadInput("ask() must give a list of lists of Hyperparameter objects", key="search.method")
        if not found:
            raise BadInput("ask() gave an empty population", key="search.method")
        return [list(one) for one in found]

    def ask(self) -> Individual | None:
        """The next individual that nobody has evaluated; None when the optimizer stops."""
        for _ in range(MOST_KNOWN):
            if self.waiting:
                return self.waiting.pop(0)
            if None in self.fitnesses:
                raise BadInput(
                    f"it waits for all of its generation of {len(self.generation)}: run it with one worker, or set "
                    "search.batch to the size that its generations have",
                    key="search.method",
                )
            if self._call(self.inner.stop):
                return None
            self._begin(self.population())
        return None

    def _begin(self, population: list[list[Any]]) -> None:
        self.generation, self.fitnesses, self.twins = population, [None] * len(population), {}
        first: dict[tuple[tuple[str, Any], ...], int] = {}
        for place, individual in enumerate(population):
            params = Individual(self._params(individual))
            params.place = place
            key = _key(params)
            if key in self.known:
                self.fitnesses[place] = self.known[key]
            elif key in first:
                self.twins.setdefault(first[key], []).append(place)
            else:
                first[key] = place
                self.waiting.append(params)
        self._conclude()

    def _params(self, individual: Sequence[Any]) -> dict[str, float]:
        """The parameters of one individual, within the bounds that a rounding may have left."""
        found: dict[str, float] = {}
        for one in individual:
            if one.array_length is None:
                found[one.name] = float(np.ravel(one.values)[0])
            else:
                numbers = np.ravel(np.asarray(one.values, dtype=np.float64))
                if len(numbers) != one.array_length:
                    raise BadInput(f"{one.name} has {len(numbers)} numbers, expected {one.array_length}")
                found.update({f"{one.name}.{i}": float(number) for i, number in enumerate(numbers)})
        return {name: self._within(name, value) for name, value in found.items() if name in self.limits}

    def _within(self, name: str, value: float) -> float:
        low, high = self.limits[name]
        return min(max(value, low), high)

    def refuse(self, individual: Individual) -> None:
        """It cannot be evaluated: it breaks a constraint."""
        self._answer(individual.place, _FAILED)

    def tell(self, number: int | None, params: Any, losses: Sequence[float]) -> None:
        """An evaluation is over. One that was proposed by an object before this one takes the next free place."""
        del number
        fitness = self._fitness(losses[0])
        self.known[_key(params)] = fitness
        if isinstance(params, Individual):
            self._answer(params.place, fitness)
        elif None in self.fitnesses:
            place = self.fitnesses.index(None)
            self.waiting = [one for one in self.waiting if one.place != place]
            _overwrite(self.generation[place], params)
            self._answer(place, fitness)

    def _fitness(self, loss: float) -> float:
        """Higher is better; a maximised metric is never below 0, as in StudioML."""
        if not math.isfinite(loss):
            return _FAILED if self.clipped else -sys.float_info.max
        return max(0.0, -loss) if self.clipped else -loss

    def _answer(self, place: int, fitness: float) -> None:
        if place >= len(self.fitnesses) or self.fitnesses[place] is not None:
            return
        for one in [place, *self.twins.get(place, [])]:
            self.fitnesses[one] = fitness
        self._conclude()

    def _conclude(self) -> None:
        """The optimizer has been told of the generation, if every individual has a fitness."""
        if None in self.fitnesses:
            return
        fitnesses = [fitness for fitness in self.fitnesses if fitness is not None]
        self._call(lambda: self.inner.tell(self.generation, fitnesses))
        if hasattr(self.inner, "disp"):
            self._call(self.inner.disp)


def _key(params: Mapping[str, Any]) -> tuple[tuple[str, Any], ...]:
    return tuple(sorted(params.items()))


def _overwrite(individual: Sequence[Any], params: Mapping[str, Any]) -> None:
    """The individual has these values."""
    for one in individual:
        if one.array_length is None:
            one.values = params.get(one.name, one.values)
        else:
            numbers = [params.get(f"{one.name}.{i}") for i in range(one.array_length)]
            if None not in numbers:
                one.values = np.array(numbers, dtype=np.float64)


def _of_space(space: Space) -> list[dict[str, Any]]:
    """The numeric parameters of a study that says nothing more of them."""
    found: list[dict[str, Any]] = []
    for parameter in space.parameters:
        if parameter.name in space.names:
            low, high, log = _range(parameter)
            found.append({
                "name": parameter.name, "index": len(found), "min_range": low, "max_range": high,
                "unbounded": parameter.type in {"normal", "lognormal"}, "is_log": log, "rand_init": False,
            })  # fmt: skip
    return found


def _range(parameter: Parameter) -> tuple[float, float, bool]:
    """The bounds on the parameter's scale, and whether that is a log scale. Raises `BadInput` for what has none."""
    log = parameter.scale == "log" or parameter.type == "lognormal"
    if parameter.mean is not None and parameter.sd is not None:
        return parameter.mean - parameter.sd, parameter.mean + parameter.sd, log
    if parameter.min is None or parameter.max is None or parameter.type != "float":
        raise BadInput(
            "this optimizer knows numbers with bounds only; give type: float with min and max",
            key=f"parameters.{parameter.name}",
        )
    low, high = float(parameter.min), float(parameter.max)
    return (math.log(low), math.log(high), True) if log else (low, high, False)


def _limits(one: Mapping[str, Any], space: Space) -> Iterator[tuple[str, tuple[float, float]]]:
    """Each number of a hyperparameter and its bounds in the study's space."""
    length = one.get("array_length")
    bounds = {p.name: (p.min, p.max) for p in space.parameters}
    for name in [one["name"]] if length is None else [f"{one['name']}.{i}" for i in range(length)]:
        low, high = bounds.get(name, (None, None))
        if name in space.names:
            yield name, (-math.inf if low is None else float(low), math.inf if high is None else float(high))
