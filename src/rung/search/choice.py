"""How `auto` chooses: from what is known of a problem to shares of the proposals, with the reason in words.

The rules and their numbers come from `docs/benchmarks/quality.md`, by family of problems and never by single ones.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from rung.search.history import columns_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from rung.search.base import Problem, Searcher

PATIENCE_S = 0.5  # nobody minds so long a proposal, however short a trial is


class Known(NamedTuple):
    """What a problem says of itself before its first trial. `size`: configurations, None for infinitely many;
    `covered`: whether the budget covers all of them; `unordered` and `conditional` count parameters."""

    dimension: int
    continuous: int
    unordered: int
    conditional: int
    objectives: int
    outcomes: int
    trials: int | None
    workers: int
    size: int | None
    covered: bool


class Stage(NamedTuple):
    """What is done until so many results are in (None: to the end): each searcher's share of the proposals, and why."""

    until: int | None
    shares: Mapping[str, float]
    why: str


def known(problem: Problem) -> Known:
    """The facts of the problem."""
    space, trials = problem.space, problem.budget.trials
    columns = columns_of(space)
    conditional = sum(p.when is not None for p in space.parameters)
    evaluations = None if space.size is None else space.size * problem.search.repeats
    return Known(
        dimension=len(columns),
        continuous=sum(column.kind == "continuous" for column in columns),
        unordered=sum(column.kind == "categorical" for column in columns),
        conditional=conditional,
        objectives=max(1, len(problem.objectives)),
        outcomes=len(problem.outcomes),
        trials=trials,
        workers=problem.workers,
        size=space.size,
        covered=evaluations is not None and trials is not None and evaluations <= trials,
    )


def stages(facts: Known) -> tuple[Stage, ...]:
    """The plan, as far as it can be made before the first trial."""
    if facts.covered:
        return (Stage(None, {"grid": 1.0}, f"the budget covers all {facts.size} configurations"),)
    if not facts.dimension:
        return (Stage(None, {"random": 1.0}, "there is nothing to learn"),)
    return (Stage(None, {"gp": 0.6, "quadratic": 0.4}, "trials are few"),)


def thinned(stage: Stage, cost: Mapping[str, float], pace_s: float, *, workers: int) -> Stage:
    """The stage with less of what takes too long.

    A searcher whose proposals take longer than the trials can wait for (a trial's `pace_s` shared by its workers, and
    never less than half a second) keeps only such a share that the workers stay busy; the others get the rest.
    """
    allowed = max(PATIENCE_S, pace_s / max(1, workers))
    slow = {name for name in stage.shares if cost.get(name, 0.0) > allowed}
    if not slow or len(slow) == len(stage.shares):
        return stage
    kept = {name: stage.shares[name] * min(1.0, allowed / cost[name]) for name in slow}
    quick = sum(share for name, share in stage.shares.items() if name not in slow)
    scale = (1.0 - sum(kept.values())) / quick
    shares = {name: kept[name] if name in slow else share * scale for name, share in stage.shares.items()}
    return Stage(stage.until, shares, f"{stage.why}; {', '.join(sorted(slow))} takes longer than trials can wait for")


def sentence(facts: Known, plan: tuple[Stage, ...]) -> str:
    """What will be done and why, in one sentence."""
    parts = [_said(stage, first=index == 0) for index, stage in enumerate(plan)]
    return f"auto: {'; '.join(parts)}"


def _said(stage: Stage, *, first: bool) -> str:
    names = [
        name if share > 0.999 else f"{name} ({share:.0%})"
        for name, share in sorted(stage.shares.items(), key=lambda item: -item[1])
    ]
    listed = " and ".join(names)
    until = "" if stage.until is None else f" until {stage.until} results are in"
    return f"{'' if first else 'then '}{listed}{until}, since {stage.why}"


def _grid() -> type[Searcher]:
    from rung.search.grid import Grid

    return Grid


def _random() -> type[Searcher]:
    from rung.search.random import Random

    return Random


def _gp() -> type[Searcher]:
    from rung.search.gp import GP

    return GP


def _tpe() -> type[Searcher]:
    from rung.search.tpe import TPE

    return TPE


def _quadratic() -> type[Searcher]:
    from rung.search.quadratic import Quadratic

    return Quadratic


CLASSES: Mapping[str, Callable[[], type[Searcher]]] = {
    "grid": _grid, "random": _random, "gp": _gp, "tpe": _tpe, "quadratic": _quadratic,
}  # fmt: skip
