"""Optuna's samplers as searchers: `--search optuna:TPESampler`, with the sampler's own options (extra `optuna`).

The space is told to Optuna as it is defined there, parameter by parameter, active ones only. A sampler that computes
from the trials alone (`STATELESS`) is made anew for each proposal, seeded from its number. Any other one is run through
the ask/tell adapter, which asks and tells it again after a restart.
"""

from __future__ import annotations

import inspect
import warnings
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import numpy as np

from rung.model import BadInput
from rung.search.asktell import AskTell
from rung.search.base import Exhausted, Proposed, Result, Suggestion
from rung.search.novelty import draw
from rung.space.axes import Categories

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Mapping, Sequence

    from rung.model import Parameter
    from rung.search.base import Delta, Problem
    from rung.space.axes import Axis

STATELESS = ("TPESampler", "GPSampler", "RandomSampler")
GIVEN = ("seed", "constraints_func")  # what a constructor gets from us, not from the options
ASKS = 8  # so often a sampler is asked for one proposal, at some milliseconds each: then a configuration is drawn
EDGE = 2.0**-30  # how near to 0 and 1 the quantile of a domain without bounds may come


def library() -> Any:
    """Optuna, silent. Raises `BadInput` with the way to install it."""
    try:
        import optuna  # about a second: only studies that use it pay
    except ImportError:
        raise BadInput("optuna is not installed: pip install 'rung[optuna]'") from None
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    warnings.filterwarnings("ignore", category=optuna.exceptions.ExperimentalWarning)
    warnings.filterwarnings("ignore", category=FutureWarning, message=r"`constraints_func` has been deprecated")
    warnings.filterwarnings("ignore", category=UserWarning, module=r"optuna\.|rung\.search\.optuna")
    return optuna


class Optuna:
    """The family of Optuna's samplers."""

    @staticmethod
    def named(name: str) -> type[Any]:
        """The searcher that runs the sampler of that name. Raises `BadInput` for one that there is not."""
        samplers = library().samplers
        kind: Any = getattr(samplers, name, None)
        if not _is_sampler(kind, samplers):
            known = ", ".join(other for other in samplers.__all__ if _is_sampler(getattr(samplers, other), samplers))
            raise BadInput(f"optuna has no sampler {name!r}; it has {known}")
        own = {key: p.default for key, p in inspect.signature(kind).parameters.items() if key not in GIVEN}
        required = tuple(key for key, default in own.items() if default is inspect.Parameter.empty)
        options = {key: None if key in required else default for key, default in own.items()}
        said = f"Optuna's {name}, by the log of this study"
        made_of = type(name, (Sampling,), {"sampler": kind, "__doc__": said})
        fields = {"made_of": made_of, "options": options, "required": required, "__doc__": said}
        return type(name, (FromTrials if name in STATELESS else AskTell,), fields)


def _is_sampler(kind: Any, samplers: Any) -> bool:
    return inspect.isclass(kind) and issubclass(kind, samplers.BaseSampler) and not inspect.isabstract(kind)


# ------------------------------------------------------------------------------------------------------------- space


class Dimension(NamedTuple):
    """A parameter as Optuna knows it: its distribution, how a trial is asked for it, the unit of what Optuna says, and
    what Optuna calls a draw of ours."""

    distribution: Any
    ask: Callable[[Any], Any]
    unit: Callable[[Any], float]
    value: Callable[[Any], Any]


def dimension(parameter: Parameter, axis: Axis) -> Dimension:
    """The parameter for Optuna: logarithms stay logarithms; of finite domains the index is searched, ordered or not; a
    scale that Optuna lacks is searched by its quantile."""
    name, size, log = parameter.name, axis.size, parameter.scale == "log"

    def unit(draw: Any) -> float:
        return float(axis.units(np.array([axis.number(draw)]))[0])

    if size is not None and (isinstance(axis, Categories) or not (log or parameter.scale == "reverselog")):
        return _indexed(name, size, lambda draw: min(int(unit(draw) * size), size - 1), ordered=axis.ordered)
    low, high = axis.limits
    plain = parameter.type in {"float", "int"} and parameter.scale != "reverselog"
    if plain and size is None:
        return _real(name, low, high, unit, lambda draw: min(max(float(draw), low), high), log=log)
    if plain and axis.whole and parameter.step in {None, 1} and parameter.count is None:
        return _whole(name, int(low), int(high), unit)
    return _real(name, EDGE, 1 - EDGE, float, lambda draw: min(max(unit(draw), EDGE), 1 - EDGE), log=False)


def _indexed(name: str, size: int, value: Callable[[Any], int], *, ordered: bool) -> Dimension:
    distributions, choices = library().distributions, list(range(size))
    if ordered:
        distribution = distributions.IntDistribution(0, size - 1)
    else:
        distribution = distributions.CategoricalDistribution(choices)

    def ask(trial: Any) -> Any:
        return trial.suggest_int(name, 0, size - 1) if ordered else trial.suggest_categorical(name, choices)

    return Dimension(distribution, ask, lambda index: (index + 0.5) / size, value)


def _real(
    name: str, low: float, high: float, unit: Callable[[Any], float], value: Callable[[Any], float], *, log: bool
) -> Dimension:
    distribution = library().distributions.FloatDistribution(low, high, log=log)
    return Dimension(distribution, lambda trial: trial.suggest_float(name, low, high, log=log), unit, value)


def _whole(name: str, low: int, high: int, unit: Callable[[Any], float]) -> Dimension:
    distribution = library().distributions.IntDistribution(low, high, log=True)
    return Dimension(distribution, lambda trial: trial.suggest_int(name, low, high, log=True), unit, int)


# ---------------------------------------------------------------------------------------------------------- sampling


class Asked(dict[str, Any]):
    """A configuration that an Optuna trial was asked for."""

    trial: int = -1


class Sampling:
    """A sampler and its study in memory, as a class with `ask` and `tell`."""

    sampler: ClassVar[type[Any]]
    patience: ClassVar[int] = ASKS

    def __init__(self, problem: Problem, **options: Any) -> None:
        self.optuna, self.space, self.given = library(), problem.space, options
        searched = {p.name: p for p in self.space.parameters if p.name in self.space.names}
        self.factor = {name: p.times for name, p in searched.items() if p.times is not None}
        self.conditional = {name for name, p in searched.items() if p.when is not None} | set(self.factor)
        self.column = {name: i for i, name in enumerate(self.space.names)}
        self.dimensions = {name: dimension(searched[name], self.space.axes[i]) for name, i in self.column.items()}
        self.violations: dict[int, tuple[float, ...]] = {}  # Optuna's trial -> by how much it breaks the outcomes
        self.constrained, self.outcomes = bool(problem.outcomes), len(problem.outcomes)
        self.trials = 0  # in Optuna's study
        directions = ["minimize"] * max(1, len(problem.objectives))
        self.study = self.optuna.create_study(sampler=self._made(problem.seed), directions=directions)

    def _made(self, seed: int) -> Any:
        known = inspect.signature(self.sampler).parameters
        given = dict(self.given)
        if "seed" in known:
            given["seed"] = seed % 2**32
        if "constraints_func" in known and self.constrained:
            given["constraints_func"] = lambda trial: self.violations.get(trial.number, (0.0,) * self.outcomes)
        return self.sampler(**given)

    def reseed(self, seed: int) -> None:
        """From now on a fresh sampler with this seed is asked."""
        self.study.sampler = self._made(seed)

    def ask(self) -> Asked:
        """What the sampler says: every parameter that is active, each once what it depends on is known."""
        with np.errstate(all="ignore"):
            trial = self.study.ask()
            units = np.full((1, len(self.column)), np.nan)
            for name in self.space.resolved:
                if name not in self.conditional or name in self.space.decode(units)[0]:
                    one = self.dimensions[name]
                    units[0, self.column[name]] = one.unit(one.ask(trial))
        asked = Asked(self.space.decode(units)[0])
        asked.trial, self.trials = trial.number, trial.number + 1
        return asked

    def refuse(self, asked: Asked) -> None:
        """It will not be evaluated."""
        self.end(asked.trial, None)

    def tell(
        self, number: int | None, params: Any, losses: Sequence[float] | None, violations: Sequence[float]
    ) -> None:
        """A trial is over, asked for here or not."""
        del number
        self.end(params.trial if isinstance(params, Asked) else self.begin(params), losses, violations)

    def begin(self, params: Mapping[str, Any]) -> int:
        """A trial that somebody else proposed runs; returns Optuna's number of it."""
        active = {name: self.dimensions[name] for name in self.column if name in params}
        trial = self.optuna.trial.create_trial(
            state=self.optuna.trial.TrialState.RUNNING,
            params={name: one.value(self._draw(name, params)) for name, one in active.items()},
            distributions={name: one.distribution for name, one in active.items()},
        )
        self.study.add_trial(trial)
        self.trials += 1
        return self.trials - 1

    def _draw(self, name: str, params: Mapping[str, Any]) -> Any:
        """What was drawn before it was multiplied; of a product with 0 that is not known: the middle."""
        times = self.factor.get(name)
        if times is None:
            return params[name]
        factor = params.get(times, self.space.constants.get(times))
        axis = self.space.axes[self.column[name]]
        draw = params[name] / factor if factor else float(axis.middle)
        return round(draw) if axis.whole else draw

    def end(self, trial: int, losses: Sequence[float] | None, violations: Sequence[float] = ()) -> None:
        """Optuna's trial has these losses, or has failed; only its first end counts."""
        self.violations.setdefault(trial, tuple(violations) or (0.0,) * self.outcomes)
        states = self.optuna.trial.TrialState
        with np.errstate(all="ignore"):
            if losses is None:
                self.study.tell(trial, state=states.FAIL, skip_if_finished=True)
            else:
                self.study.tell(trial, values=[float(loss) for loss in losses], skip_if_finished=True)


class FromTrials:
    """A sampler that needs nothing but the trials: a fresh one for each proposal."""

    options: ClassVar[Mapping[str, Any]] = {}
    required: ClassVar[Sequence[str]] = ()
    made_of: ClassVar[type[Sampling]]
    foreign: ClassVar[bool] = True

    def __init__(self, problem: Problem) -> None:
        self.space = problem.space
        self.sampling = self.made_of(problem, **problem.search.options)
        self.trials: dict[int, int] = {}  # ours -> Optuna's

    def observe(self, deltas: Sequence[Delta]) -> None:
        """Optuna's study has the trials too."""
        for delta in deltas:
            if isinstance(delta, Proposed):
                self.trials[delta.number] = self.sampling.begin(delta.params)
            elif not isinstance(delta, Result):
                self.sampling.tell(None, delta.params, delta.losses, delta.violations)
            elif delta.number in self.trials:
                self.sampling.end(self.trials[delta.number], delta.losses, delta.violations)

    def suggest(
        self, number: int, pending: Sequence[int], taken: Container[Mapping[str, Any]], rng: np.random.Generator
    ) -> Suggestion | Exhausted:
        """The sampler's first answer that is new and allowed; a random draw when `ASKS` are not. What it was asked for
        is a failed trial to Optuna, from which no sampler of this kind learns."""
        del number, pending
        name = self.made_of.__name__
        self.sampling.reseed(int(rng.integers(2**31)))
        for _ in range(ASKS):
            asked = self.sampling.ask()
            self.sampling.refuse(asked)
            if self.space.allows(asked) and asked not in taken:
                return Suggestion(params=dict(asked), text=f"asked {name}")
        params = draw(self.space, taken, rng)
        if params is None:
            return Exhausted(text="every configuration of the space has been proposed")
        text = f"a random draw: asked {ASKS} times, {name} gave nothing that is new and allowed"
        return Suggestion(params=params, text=text, phase="random")

    def describe(self) -> str:
        """One sentence for `rung plan`."""
        return f"{self.made_of.__name__}: {self.made_of.__doc__}"


__all__ = ["Optuna"]
