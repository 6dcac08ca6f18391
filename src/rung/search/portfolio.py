"""How `auto` chooses: from what is known of a problem to shares of the proposals, with the reason in words.

The rules come from `docs/benchmarks/quality.md`, by family of problems and never by single ones.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from rung.search.history import columns_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from rung.search.base import Problem, Searcher

PATIENCE_S = 0.5  # nobody minds so long a proposal, however short a trial is
MANY = 400  # results from which on a Gaussian process is no longer the best use of a proposal's time
WIDE = 60  # parameters from which on it is not from the beginning


class Known(NamedTuple):
    """What a problem says of itself before its first trial. `size`: configurations, None for infinitely many;
    `covered`: whether the budget covers all of them; the others count parameters."""

    dimension: int
    ordered: int
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
    kinds = [column.kind for column in columns_of(space) if column.size != 1]
    evaluations = None if space.size is None else space.size * problem.search.repeats
    return Known(
        dimension=len(kinds),
        ordered=len(kinds) - kinds.count("categorical"),
        unordered=kinds.count("categorical"),
        conditional=sum(parameter.when is not None for parameter in space.parameters),
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
        return (Stage(None, {"random": 1.0}, "there is nothing to choose"),)
    return (*_few(facts), _many(facts))


def _few(facts: Known) -> list[Stage]:
    """While results are few enough for models that learn most from each of them."""
    if facts.dimension > WIDE:
        return []
    if facts.objectives > 1:
        return [Stage(MANY, {"gp": 0.85, "tpe": 0.15}, "several objectives are traded off best by their models")]
    if facts.outcomes:
        return [Stage(MANY, {"gp": 0.9, "tpe": 0.1}, "bounds on outcomes have to be learned too")]
    if not facts.ordered:
        return [Stage(MANY, {"gp": 0.85, "tpe": 0.15}, "unordered choices have no slope to follow")]
    shares = {"gp": 0.6, "quadratic": 0.35, "tpe": 0.05}
    return [
        Stage(MANY, shares, "each result counts: a model of the whole space finds the basin, a local one its floor")
    ]


def _many(facts: Known) -> Stage:
    """When results are many, or parameters are."""
    why = f"{facts.dimension} parameters are too many for one model" if facts.dimension > WIDE else "results are many"
    if facts.objectives > 1:
        return Stage(None, {"nsga2": 0.6, "tpe": 0.4}, why)
    if facts.outcomes or not facts.ordered:
        return Stage(None, {"tpe": 0.7, "evolution": 0.3}, why)
    if facts.unordered or facts.conditional:
        return Stage(None, {"tpe": 0.5, "evolution": 0.2, "quadratic": 0.3}, why)
    return Stage(None, {"cmaes": 0.4, "tpe": 0.3, "quadratic": 0.3}, why)


def thinned(stage: Stage, cost: Mapping[str, float], pace_s: float, *, workers: int) -> Stage:
    """The stage with less of what takes too long.

    A searcher whose proposals take longer than the trials can wait for (a trial's `pace_s` shared by its workers, and
    never less than half a second) keeps only such a share that the workers stay busy; the others get the rest.
    """
    allowed = max(PATIENCE_S, pace_s / max(1, workers))
    slow = {name for name in stage.shares if cost.get(name, 0.0) > allowed}
    if not slow or len(slow) == len(stage.shares):
        return stage
    kept = {name: stage.shares[name] * allowed / cost[name] for name in slow}
    quick = sum(share for name, share in stage.shares.items() if name not in slow)
    scale = (1.0 - sum(kept.values())) / quick
    shares = {name: kept[name] if name in slow else share * scale for name, share in stage.shares.items()}
    return stage._replace(shares=shares, why=f"{stage.why}; less of {', '.join(sorted(slow))}, which trials wait for")


def credited(stage: Stage, name: str, *, won: int, tried: int, trust: float) -> Stage:
    """The stage with a share for `name` that follows from how many of its last `tried` results were the best so far,
    and from how well its model predicts: between 10 and 75 per cent, by the mean of a Beta(1 + won, 1 + lost)
    distribution times `trust`, 0..1."""
    return _with_share(stage, name, 0.1 + 0.65 * trust * (won + 1) / (tried + 2))


def without(stage: Stage, name: str) -> Stage:
    """The stage with nothing left to `name`."""
    return _with_share(stage, name, 0.0)


def _with_share(stage: Stage, name: str, share: float) -> Stage:
    scale = (1.0 - share) / (1.0 - stage.shares[name])
    return stage._replace(shares={one: share if one == name else had * scale for one, had in stage.shares.items()})


def sentence(facts: Known, plan: tuple[Stage, ...]) -> str:
    """What will be done and why, in one sentence, as far as the budget reaches."""
    begins = (0, *(stage.until or 0 for stage in plan[:-1]))
    reached = [stage for stage, begin in zip(plan, begins, strict=True) if (facts.trials or begin + 1) > begin]
    parts = [_said(stage, last=stage is reached[-1]) for stage in reached]
    return f"auto: {'; then '.join(parts)}"


def _said(stage: Stage, *, last: bool) -> str:
    shares = sorted(stage.shares.items(), key=lambda item: -item[1])
    names = [name if share > 0.999 else f"{name} (about {share:.0%})" for name, share in shares]
    until = "" if last else f" until {stage.until} results are in"
    return f"{_listed(names)}{until}, since {stage.why}"


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


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


def _cmaes() -> type[Searcher]:
    from rung.search.cmaes import CmaEs

    return CmaEs


def _evolution() -> type[Searcher]:
    from rung.search.evolution import Evolution

    return Evolution


def _nsga2() -> type[Searcher]:
    from rung.search.nsga2 import Nsga2

    return Nsga2


CLASSES: Mapping[str, Callable[[], type[Searcher]]] = {
    "grid": _grid, "random": _random, "gp": _gp, "tpe": _tpe, "quadratic": _quadratic, "cmaes": _cmaes,
    "evolution": _evolution, "nsga2": _nsga2,
}  # fmt: skip
"""How each searcher's class is had; each is imported only where a plan names it."""
