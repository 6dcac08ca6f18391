"""The rungs and brackets that a study's scheduler plans, for those schedulers that have any."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rung.model import BadInput

if TYPE_CHECKING:
    from rung.schedule.base import Bracket, Contest, Scheduler
    from rung.study.state import State


def contest_of(state: State) -> Contest:
    """What the study's scheduler was told."""
    from rung.schedule.base import Contest  # the schedulers' room is loaded by views that show rungs only

    spec = state.created.spec
    return Contest(
        schedule=spec.schedule, objectives=spec.objectives, seed=state.seed, outcomes=spec.outcomes,
        space=state.spaces.versions[0], budget=spec.budget, workers=spec.run.workers,
    )  # fmt: skip


def planned(state: State) -> tuple[list[float], list[Bracket]]:
    """The resources of all rungs, ascending, and the brackets; both empty for a scheduler without rungs, and for one
    that a plug-in brings: of that only what it decided is known."""
    from rung.schedule.adaptive import Adaptive
    from rung.schedule.asha import Asha
    from rung.schedule.hyperband import Hyperband

    kinds: dict[str, type[Scheduler]] = {"asha": Asha, "hyperband": Hyperband, "adaptive": Adaptive}
    kind = kinds.get(state.created.spec.schedule.method)
    if kind is None:
        return [], []
    try:
        scheduler = kind(contest_of(state))
    except BadInput:  # a rule that has changed since the study began: what was decided is in the log
        return [], []
    return [float(level) for level in scheduler.levels()], scheduler.brackets(state.spec.budget.trials)


def top_of(state: State) -> float | None:
    """The most resource that a trial gets, where the study says so: the schedule's `max`, or a constant named like the
    resource (`schedule.rungs.limit`); else the highest rung of brackets that are planned to the end."""
    from rung.schedule.rungs import limit

    try:
        found = limit(contest_of(state))
    except BadInput:
        return None
    if found is None and state.created.spec.schedule.method == "adaptive":
        levels, _ = planned(state)
        return levels[-1] if levels else None
    return found
