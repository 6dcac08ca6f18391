"""Driving a searcher as a study does: what the conformance suite and the searchers' own tests are written with."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

from rung.model import Budget, Objective, Outcome, Parameter, SearchSpec
from rung.search.base import Delta, Exhausted, Problem, Proposed, Result, Searcher, Suggestion
from rung.space import Space
from rung.study.policy import Taken
from rung.study.seeds import generator
from rung.testing.functions import rough

Make = Callable[[Problem], Searcher]

SMALL = (
    Parameter(name="opt", type="choice", values=("sgd", "adam")),
    Parameter(name="layers", type="int", min=1, max=6),
    Parameter(name="momentum", type="ordinal", values=(0.0, 0.5, 0.9), when="opt == 'sgd'"),
)
WIDE = tuple(Parameter(name=name, type="int", min=0, max=29) for name in ("a", "b", "c"))
MIXED = (
    Parameter(name="lr", type="float", min=1e-5, max=0.1, scale="log"),
    Parameter(name="keep", type="float", min=0.5, max=0.999, scale="reverselog"),
    Parameter(name="noise", type="normal", mean=0.0, sd=1.0),
    Parameter(name="rate", type="lognormal", mean=0.0, sd=0.5),
    Parameter(name="width", type="int", min=8, max=64, step=8),
    Parameter(name="opt", type="choice", values=("sgd", "adam", None, {"name": "custom"})),
    Parameter(name="size", type="ordinal", values=("s", "m", "l")),
    Parameter(name="fine", type="float", min=0, max=1, count=11),
    Parameter(name="on", type="bool"),
    Parameter(name="epochs", type="constant", value=3),
)
NESTED = (
    Parameter(name="opt", type="choice", values=("sgd", "adam")),
    Parameter(name="momentum", type="float", min=0, max=0.99, when="opt == 'sgd'"),
    Parameter(name="nesterov", type="bool", when="momentum > 0.5"),
    Parameter(name="heads", type="int", min=1, max=4),
    Parameter(name="hidden", type="int", min=2, max=8, step=2, times="heads"),
)
TRIANGLE = (Parameter(name="x", type="float", min=0, max=1), Parameter(name="y", type="float", min=0, max=1))

Declared = tuple[tuple[Parameter, ...], tuple[str, ...]]


class Drive:
    """What a study does with a searcher: each delta once and as the log gives it back, and nothing that is taken."""

    def __init__(self, searcher: Searcher, problem: Problem) -> None:
        self.searcher, self.problem = searcher, problem
        self.taken = Taken(problem.space, problem.search.repeats)
        self.deltas: list[Delta] = []
        self.pending: list[int] = []
        self.number = 0

    def observe(self, *deltas: Delta) -> None:
        """The searcher and what is taken know these deltas."""
        for delta in deltas:
            if isinstance(delta, Proposed):
                self.taken.add(delta.params)
                self.pending.append(delta.number)
                self.number = delta.number + 1
            elif isinstance(delta, Result) and delta.number in self.pending:
                self.pending.remove(delta.number)
        self.deltas += deltas
        self.searcher.observe(deltas)

    def suggest(self, number: int | None = None) -> Suggestion | Exhausted:
        """The suggestion for trial `number` (the next one), which changes nothing."""
        asked = self.number if number is None else number
        return self.searcher.suggest(
            asked, tuple(self.pending), self.taken, generator(self.problem.seed, "search", asked)
        )

    def propose(self) -> dict[str, Any] | None:
        """The parameters of the next trial, which is pending now; None when the space is exhausted."""
        found = self.suggest()
        if isinstance(found, Exhausted):
            return None
        params, memo = json.loads(json.dumps([found.params, found.memo]))
        self.observe(Proposed(self.number, params, memo))
        return found.params

    def finish(self, number: int, *losses: float, failed: str = "") -> None:
        """The trial has these losses, or none."""
        violations = (0.0,) * len(self.problem.outcomes)
        self.observe(Result(number, None if failed else losses, violations, steps=3))


def problem(
    declared: Declared, *, trials: int | None = 50, objectives: int = 1, outcomes: int = 0, repeats: int = 1
) -> Problem:
    """A problem on this space with seed 7."""
    names = [f"loss{i}" for i in range(objectives)]
    return Problem(
        space=Space(*declared),
        seed=7,
        search=SearchSpec(repeats=repeats),
        objectives=tuple(Objective(metric=name) for name in names),
        outcomes=tuple(Outcome(metric=f"bound{i}", at_most=1.0) for i in range(outcomes)),
        budget=Budget(trials=trials),
        workers=4,
    )


def finish_all(drive: Drive) -> None:
    """All pending trials have a result, the youngest first."""
    params = {delta.number: delta.params for delta in drive.deltas if isinstance(delta, Proposed)}
    for number in reversed(drive.pending[:]):
        losses = [rough(params[number]) + i for i in range(len(drive.problem.objectives))]
        drive.finish(number, *losses)


def proposals(drive: Drive, most: int) -> list[dict[str, Any]]:
    """Up to `most` proposals, each with its result before the next one."""
    found: list[dict[str, Any]] = []
    while len(found) < most and (params := drive.propose()) is not None:
        found.append(params)
        finish_all(drive)
    return found


def replayed(make: Make, drive: Drive, *, one_by_one: Sequence[Delta]) -> Drive:
    """A fresh searcher that was given the same deltas."""
    fresh = Drive(make(drive.problem), drive.problem)
    if not one_by_one:
        fresh.observe(*drive.deltas)
    for delta in one_by_one:
        fresh.observe(delta)
    return fresh
