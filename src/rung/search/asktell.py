"""The field's ask/tell class as a searcher: an object that is rebuilt from the log whenever it has to be.

Such a class keeps its state where nobody can see it, and `ask` changes it. What it did is in the log all the same: a
proposal's memo says how many deltas the object had been told when it was asked, and how often it was asked there. So a
fresh object that is asked and told in the same order comes to the same state, in another process and after a crash
(for a class that draws its random numbers from the `seed` it is given). The object that lives is a cache: when it was
asked in vain, or another runner was first, it is dropped.

What a class may look like stands in docs/plugins.md.
"""

from __future__ import annotations

import inspect
import math
from typing import TYPE_CHECKING, Any, ClassVar

import msgspec
import numpy as np

from rung.model import BadInput
from rung.search.base import Earlier, Exhausted, Proposed, Result, Suggestion
from rung.search.novelty import draw
from rung.space.errors import SpaceError

if TYPE_CHECKING:
    from collections.abc import Container, Mapping, Sequence

    from rung.search.base import Delta, Problem
    from rung.space import Space

ASKS = 50  # so often it is asked for one proposal: then a configuration is drawn that is new and allowed
GIVEN = ("problem", "space", "seed", "trials", "objectives")
BATCH_NAMES = ("batch_size", "popsize", "population_size")


def described(space: Space) -> dict[str, dict[str, Any]]:
    """The searched parameters as a study file declares them: `{"lr": {"type": "float", "min": 1e-5, ...}}`."""
    searched = [parameter for parameter in space.parameters if parameter.name in space.names]
    return {p.name: {k: v for k, v in msgspec.to_builtins(p).items() if k != "name"} for p in searched}


def adapted(kind: type[Any]) -> type[AskTell]:
    """The searcher that a class with `ask` and `tell` makes. Raises `BadInput` for one that cannot be told."""
    own = {
        name: parameter.default
        for name, parameter in inspect.signature(kind).parameters.items()
        if name not in GIVEN and parameter.kind in {parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY}
    }
    _told_with(kind)
    required = tuple(name for name, default in own.items() if default is inspect.Parameter.empty)
    options = {name: None if name in required else default for name, default in own.items()}
    fields = {"made_of": kind, "options": options, "required": required, "__doc__": kind.__doc__}
    return type(kind.__name__, (AskTell,), fields)


def _told_with(kind: type[Any]) -> int:
    """How many arguments `tell` takes: 1 a list of pairs, 2 parameters and loss, 3 number, parameters and losses, 4
    number, parameters, losses or None, and violations."""
    required = [
        parameter
        for parameter in list(inspect.signature(kind.tell).parameters.values())[1:]
        if parameter.default is parameter.empty
        and parameter.kind in {parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD}
    ]
    if not 1 <= len(required) <= 4:
        raise BadInput(f"{kind.__name__}.tell takes {len(required)} arguments; expected tell(params, loss)")
    return len(required)


class Life:
    """One object of the class, and what it has gone through: the first `told` deltas, and the asks before each."""

    def __init__(self, kind: type[Any], problem: Problem) -> None:
        self.object = kind(**_arguments(kind, problem))
        self.arity = _told_with(kind)
        self.worst = [math.inf] * max(1, len(problem.objectives))
        self.told = 0
        self.asked: dict[int, list[Any]] = {}  # deltas told -> what it was asked there
        self.given: dict[int, tuple[Any, bool]] = {}  # trial -> what it was proposed as, and whether by this class
        self.batch: list[tuple[Any, float]] = []

    def ask(self, times: int) -> Any:
        """What it says when it is asked so often at this point; what it has said is not asked again."""
        said = self.asked.setdefault(self.told, [])
        while len(said) < times:
            if said and hasattr(self.object, "refuse"):
                self.object.refuse(said[-1])
            said.append(self.object.ask())
        return said[times - 1]

    def tell(self, delta: Delta) -> None:
        """It knows one delta more."""
        if isinstance(delta, Proposed):
            self._remember(delta)
        elif isinstance(delta, Earlier):
            self._pass_on(None, delta.params, delta, own=False)
        elif delta.number in self.given:
            params, own = self.given[delta.number]
            self._pass_on(delta.number, params, delta, own=own)
        self.told += 1

    def _remember(self, delta: Proposed) -> None:
        """Under the parameters that the object itself gave, unless it gives others now than it did."""
        place = placed(delta, self.told)
        said = None if place is None else self.asked[place[0]][place[1] - 1]
        same = isinstance(said, dict) and all(_plain(said.get(k)) == v for k, v in delta.params.items())
        self.given[delta.number] = (said if same else dict(delta.params)), same

    def _losses(self, delta: Result | Earlier) -> list[float]:
        """What failed or broke a bound is worst."""
        losses = self.worst if delta.losses is None or any(delta.violations) else delta.losses
        return [math.inf if loss != loss else float(loss) for loss in losses]

    def _pass_on(self, number: int | None, params: Any, found: Result | Earlier, *, own: bool) -> None:
        if not own and not getattr(self.object, "accepts_unasked", self.arity != 1):
            return
        losses = self._losses(found)
        loss: Any = losses[0] if len(losses) == 1 else losses
        if self.arity == 4:
            self.object.tell(number, params, found.losses, found.violations)
        elif self.arity == 3:
            self.object.tell(number, params, losses)
        elif self.arity == 2:
            self.object.tell(params, loss)
        else:
            self.batch.append((params, loss))
            if len(self.batch) >= self._batch_size():
                batch, self.batch = self.batch, []
                self.object.tell(batch)

    def _batch_size(self) -> int:
        sizes = (getattr(self.object, name, None) for name in BATCH_NAMES)
        return max(1, next((int(size) for size in sizes if isinstance(size, int | np.integer)), 1))


def placed(delta: Proposed, before: int) -> tuple[int, int] | None:
    """(deltas told, asks) of a proposal that the class made, from its memo; None for any other one. `before`: how many
    deltas came before this one."""
    memo = delta.memo or {}
    seen, asks = memo.get("seen"), memo.get("asks")
    if isinstance(seen, int) and isinstance(asks, int) and 0 <= seen <= before and 1 <= asks <= ASKS:
        return seen, asks
    return None


def _arguments(kind: type[Any], problem: Problem) -> dict[str, Any]:
    """What the constructor takes of all that it can be given, and the options of the study file."""
    given = {
        "problem": problem, "space": described(problem.space), "seed": problem.seed, "trials": problem.budget.trials,
        "objectives": max(1, len(problem.objectives)),
    }  # fmt: skip
    parameters = inspect.signature(kind).parameters
    return {name: value for name, value in given.items() if name in parameters} | problem.search.options


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value


class AskTell:
    """A searcher made of a class with `ask` and `tell`; `adapted` gives it the class."""

    options: ClassVar[Mapping[str, Any]] = {}
    required: ClassVar[Sequence[str]] = ()
    made_of: ClassVar[type[Any]]
    foreign: ClassVar[bool] = True

    def __init__(self, problem: Problem) -> None:
        for name in self.required:
            if name not in problem.search.options:
                raise BadInput(
                    f"{self.made_of.__name__} needs a value for `{name}`: give it as an option of search, or let the "
                    f"constructor take some of {', '.join(GIVEN)}"
                )
        self.problem, self.space = problem, problem.space
        self.deltas: list[Delta] = []
        self._wanted: dict[int, int] = {}  # deltas told -> how often it is asked there, by the log
        self._life: Life | None = Life(self.made_of, problem)

    def observe(self, deltas: Sequence[Delta]) -> None:
        """The object is told of them when it is asked next."""
        for delta in deltas:
            place = placed(delta, len(self.deltas)) if isinstance(delta, Proposed) else None
            if place is not None:
                self._wanted[place[0]] = max(place[1], self._wanted.get(place[0], 0))
            self.deltas.append(delta)

    def suggest(
        self, number: int, pending: Sequence[int], taken: Container[Mapping[str, Any]], rng: np.random.Generator
    ) -> Suggestion | Exhausted:
        """The first of its answers that is new and keeps the constraints; a random draw when `ASKS` of them are not."""
        del number, pending
        life, self._life = self._current(), None  # an object that raises is torn
        found: Suggestion | Exhausted | None = None
        patience = min(ASKS, getattr(self.made_of, "patience", ASKS))
        for asks in range(1, patience + 1):
            found = self._fit(life.ask(asks), taken, {"seen": life.told, "asks": asks})
            if found is not None:
                break
        self._life = life
        return found if found is not None else self._drawn(taken, rng, {"seen": life.told, "asks": patience})

    def _fit(
        self, said: Any, taken: Container[Mapping[str, Any]], memo: dict[str, Any]
    ) -> Suggestion | Exhausted | None:
        """What it said as a suggestion; None when another ask may give a better one."""
        if said is None:
            return Exhausted(text=f"{self.made_of.__name__} has nothing more to propose")
        if not isinstance(said, dict):
            raise TypeError(f"ask gave a {type(said).__name__}, not a dict of parameters")
        params = {name: _plain(value) for name, value in said.items()}
        try:
            active = self.space.adopt(params)
        except SpaceError as error:
            if error.field.startswith("constraints"):
                return None
        else:
            if set(active) <= set(params):
                params = active  # what is inactive here is left out
                if params in taken:
                    return None
        return Suggestion(params=params, text=f"asked {self.made_of.__name__}", memo=memo)

    def _drawn(
        self, taken: Container[Mapping[str, Any]], rng: np.random.Generator, memo: dict[str, Any]
    ) -> Suggestion | Exhausted:
        params = draw(self.space, taken, rng)
        if params is None:
            return Exhausted(text="every configuration of the space has been proposed")
        name = self.made_of.__name__
        text = f"a random draw: asked {memo['asks']} times, {name} gave nothing that is new and allowed"
        return Suggestion(params=params, text=text, phase="random", memo=memo)

    def _current(self) -> Life:
        """An object that has gone through all deltas and every ask that the log knows, and no other ask before now."""
        life = self._life
        if life is None or (life.told < len(self.deltas) and not self._as_logged(life)):
            life = Life(self.made_of, self.problem)
        while life.told < len(self.deltas):
            if life.told in self._wanted:
                life.ask(self._wanted[life.told])
            life.tell(self.deltas[life.told])
        return life

    def _as_logged(self, life: Life) -> bool:
        asked = {told: len(said) for told, said in life.asked.items()}
        return asked == {told: asks for told, asks in self._wanted.items() if told <= life.told}

    def describe(self) -> str:
        """One sentence for `rung plan`."""
        said = inspect.getdoc(self.made_of) or "asked for one configuration after the other, told every result"
        return f"{self.made_of.__name__}: {said.splitlines()[0].strip()}"


__all__ = ["AskTell", "adapted", "described"]
