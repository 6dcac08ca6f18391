"""Who was stopped, held and let go on, where and against what, as the decisions in the log say.

For a scheduler with rungs, of each bracket and rung: how many *came* (reported at its resource or beyond, unless they
were decided on below), and of these how many were *stopped* there (also: held, and never let go on), *wait* there,
*ended* there by themselves, and *went on*; came = stopped + waiting + ended + went_on. For population based training,
by generation. For every scheduler the decisions themselves, with value, threshold, and who was in front.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import numpy as np

from rung.analysis.views import MOST_MARKS, Marks, Where
from rung.analysis.views.chronicle import BY_OTHERS, Act, Told, Verdict, chronicle
from rung.analysis.views.ladders import planned
from rung.analysis.views.marks import final, loss_of, matching, number_or_none, objective_values, spread
from rung.model import WireNumber
from rung.study.transitions import Phase

if TYPE_CHECKING:
    from rung.analysis.views import Readable
    from rung.analysis.views.marks import Bools, Floats
    from rung.study.state import State

Value = WireNumber | list[WireNumber] | None
LOST_TO = 5
NOT_FINITE = ("NaN", "Infinity", "-Infinity")


class RungCount(msgspec.Struct, frozen=True, kw_only=True):
    """One rung. `planned`: how many trials the schedule plans to bring there; null where it does not say."""

    resource: float
    planned: int | None
    came: int
    went_on: int
    stopped: int
    waiting: int
    ended: int


class BracketCount(msgspec.Struct, frozen=True, kw_only=True):
    """One bracket: how many trials began in it, and its rungs, lowest first, the top included."""

    bracket: int
    trials: int
    rungs: list[RungCount]


class Generation(msgspec.Struct, frozen=True, kw_only=True):
    """One generation of a population: its trials, how many were replaced, how many live, and the best value."""

    generation: int
    trials: int
    replaced: int
    live: int
    best: WireNumber | None
    best_number: int | None


class Rungs(msgspec.Struct, frozen=True, kw_only=True):
    """`number`, `at`, `act`, `by`, `bracket`, `rung`, `resource`, `value`, `threshold`, `lost_to`: a decision each,
    `shown` of `of`, in the order of the log. `at`: seconds since the study was created. `value` and `threshold` are as
    the rule compared them (a list with several objectives), `lost_to` the first of those in front."""

    method: str
    resource: str
    brackets: list[BracketCount]
    generations: list[Generation]
    of: int
    shown: int
    number: list[int]
    at: list[float]
    act: list[Act]
    by: list[str]
    bracket: list[int | None]
    rung: list[int | None]
    resource_at: list[float | None]
    value: list[Value]
    threshold: list[Value]
    lost_to: list[list[int]]
    to: list[float | None]


def rungs(
    study: Readable,
    *,
    acts: Annotated[list[Act], msgspec.Meta(description="Decisions that do this.")] = [  # noqa: B006 - read only
        "stopped",
        "completed",
        "paused",
        "continued",
    ],
    bracket: Annotated[int | None, msgspec.Meta(description="Decisions of this bracket only.")] = None,
    where: Where = "",
    marks: Marks = MOST_MARKS,
) -> Rungs:
    """The brackets and rungs with their trials, and every decision of the scheduler on one."""
    state, told = study.state, chronicle(study)
    matches = matching(state, where)
    verdicts = [v for v in told.verdicts if v.trial < len(state) and matches[v.trial] and v.by not in BY_OTHERS]
    chosen = [v for v in verdicts if v.act in acts and (bracket is None or v.data.get("bracket") == bracket)]
    kept = [chosen[i] for i in spread(len(chosen), marks).tolist()]
    data = [v.data for v in kept]
    return Rungs(
        method=state.created.spec.schedule.method, resource=state.created.spec.schedule.resource or "step",
        brackets=_brackets(state, told, verdicts, matches), generations=_generations(state, told, matches),
        of=len(chosen), shown=len(kept), number=[v.trial for v in kept], at=[v.at - state.created.at for v in kept],
        act=[v.act for v in kept],
        by=[v.by for v in kept], bracket=[_whole(d.get("bracket")) for d in data],
        rung=[_whole(d.get("rung")) for d in data], resource_at=[_number(d.get("resource")) for d in data],
        value=[_value(d.get("value")) for d in data], threshold=[_value(d.get("threshold")) for d in data],
        lost_to=[[n for n in d.get("lost_to") or [] if isinstance(n, int)][:LOST_TO] for d in data],
        to=[v.to for v in kept],
    )  # fmt: skip


# --------------------------------------------------------------------------------------------- brackets and their rungs


class _Ladder:
    """The resources of each bracket's rungs, as planned, else as decisions name them."""

    def __init__(self, state: State, verdicts: list[Verdict]) -> None:
        self.method = state.created.spec.schedule.method
        self.resources, self.brackets = planned(state)
        self.synchronous = bool(state.created.spec.schedule.options.get("synchronous"))
        if not self.resources:
            named = {_number(v.data.get("resource")) for v in verdicts if _whole(v.data.get("rung")) is not None}
            self.resources = sorted(resource for resource in named if resource is not None)

    def of(self, bracket: int, first: int) -> list[float]:
        """The bracket's rungs, ascending; `first`: which of all rungs its first is, where its trials know."""
        if self.method == "adaptive" and 0 <= bracket < len(self.brackets):
            return sorted(level.resource for level in self.brackets[bracket].levels)
        if self.synchronous:
            return self.resources[max(0, first) :]
        return self.resources[bracket:] if self.method in {"asha", "hyperband"} else self.resources

    def planned_at(self, bracket: int, resource: float) -> int | None:
        """How many trials are planned to come to that rung."""
        if self.synchronous or not 0 <= bracket < len(self.brackets):
            return None
        levels = self.brackets[bracket].levels
        return next((level.trials for level in levels if level.resource == resource), None)


def _brackets(state: State, told: Told, verdicts: list[Verdict], matches: Bools) -> list[BracketCount]:
    method = state.created.spec.schedule.method
    if method == "pbt":
        return []
    ladder = _Ladder(state, verdicts)
    if not ladder.resources:
        return []
    reached, last = _reached(state, told), _last_verdicts(verdicts)
    members: dict[int, list[int]] = defaultdict(list)
    first: dict[int, int] = {}
    for number in np.flatnonzero(matches).tolist():
        birth = told.births[number]
        said = _whole(last[number].data.get("bracket")) if number in last else None
        place = birth.bracket if birth.bracket >= 0 else said or 0
        members[place].append(number)
        first[place] = max(first.get(place, -1), birth.first)
    for place in range(len(ladder.brackets) if not ladder.synchronous else 0):
        members.setdefault(place, [])
    return [
        BracketCount(
            bracket=place, trials=len(members[place]),
            rungs=_counted(state, ladder, place, ladder.of(place, first.get(place, -1)), members[place], reached, last),
        )
        for place in sorted(members)
    ]  # fmt: skip


def _reached(state: State, told: Told) -> Floats:
    """(n,) the highest resource that each trial has reported at."""
    found = np.zeros(len(state))
    rows = told.attempts[told.attempts["trial"] < len(state)]
    np.maximum.at(found, rows["trial"], rows["top"])
    return found


def _last_verdicts(verdicts: list[Verdict]) -> dict[int, Verdict]:
    """The last decision on each trial that was decided on at a rung."""
    return {v.trial: v for v in verdicts if _number(v.data.get("resource")) is not None}


def _counted(
    state: State, ladder: _Ladder, bracket: int, levels: list[float], members: list[int], reached: Floats,
    last: dict[int, Verdict],
) -> list[RungCount]:  # fmt: skip
    fates = np.zeros((len(levels), 5), dtype=np.int64)  # came, went on, stopped, waiting, ended
    over, phases = final(state), state.table["phase"]
    for number in members:
        place = int(np.searchsorted(levels, reached[number], side="right")) - 1
        fate = 4 if over[number] else 1
        verdict = last.get(number)
        if verdict is not None and verdict.act in {"stopped", "paused"}:
            at = int(np.searchsorted(levels, float(verdict.data["resource"]), side="right")) - 1
            held = verdict.act == "paused" and not over[number]
            if verdict.act == "stopped" or held or phases[number] == Phase.PRUNED:
                place, fate = min(place, at), 3 if held else 2
        if place < 0:
            continue
        fates[: place + 1, 0] += 1
        fates[:place, 1] += 1
        fates[place, fate] += 1
    return [
        RungCount(
            resource=resource, planned=ladder.planned_at(bracket, resource), came=int(came), went_on=int(went_on),
            stopped=int(stopped), waiting=int(waiting), ended=int(ended),
        )
        for resource, (came, went_on, stopped, waiting, ended) in zip(levels, fates.tolist(), strict=True)
    ]  # fmt: skip


# ----------------------------------------------------------------------------------------------------------- population


def _generations(state: State, told: Told, matches: Bools) -> list[Generation]:
    """Who began in which generation of a population; clones say theirs, all others are the first."""
    if state.created.spec.schedule.method != "pbt" or not state.spec.objectives:
        return []
    numbers = np.flatnonzero(matches)
    said = [_whole(told.births[n].data.get("generation")) or 0 for n in numbers.tolist()]
    generation = np.array(said, dtype=np.int64)
    replaced = {v.trial for v in told.verdicts if v.act == "stopped" and v.by == "pbt"}
    values, known = objective_values(state, 0, live=True)
    losses = np.where(known, loss_of(state.spec.objectives[0], values), np.inf)
    found = []
    for each in np.unique(generation).tolist():
        own = numbers[generation == each]
        best = int(own[int(losses[own].argmin())])
        there = bool(np.isfinite(losses[best]))
        found.append(
            Generation(
                generation=each, trials=len(own), replaced=sum(n in replaced for n in own.tolist()),
                live=int((~final(state)[own]).sum()), best=number_or_none(float(values[best])) if there else None,
                best_number=best if there else None,
            )
        )  # fmt: skip
    return found


# ---------------------------------------------------------------------------------------------------- what reasons hold


def _whole(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _value(value: Any) -> Value:
    """A number on its wire form, or a list of such; whatever else a plug-in says is no value."""
    if isinstance(value, list):
        return [found for item in value if isinstance(found := _value(item), int | float | str)]
    return value if _number(value) is not None or (isinstance(value, str) and value in NOT_FINITE) else None
