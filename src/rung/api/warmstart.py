"""A warm start: what earlier studies of the same store have found, as facts for the log of a new one.

Trials are matched by the names and types of their parameters. They are copied, not referred to: the earlier study may
be deleted. They are no trials of the new study and use none of its budget; its searcher is shown them first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from rung.analysis.ranking import Numbers, losses
from rung.api.handle import Handle
from rung.model import BadInput, UnknownStudy, WireNumber, to_wire
from rung.space import Space, SpaceError
from rung.study import events as ev
from rung.study.transitions import Phase

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy.typing as npt

    from rung.model import Objective, StudySpec
    from rung.store.base import Store
    from rung.study.state import State

    Floats = npt.NDArray[np.float64]

BEST = 200  # trials of an earlier study that are read at most: so many of the best,
SPREAD = 300  # and so many of the others, evenly over how good they were
CHUNK = 100  # trials in one event
NAMED = 6  # parameters that a line names
_NUMBERS, _CHOICES = frozenset({"float", "int", "normal", "lognormal"}), frozenset({"bool", "choice", "ordinal"})


class WarmStart(msgspec.Struct, frozen=True):
    """Facts for the beginning of a log, and a line for each earlier study that says what was found in it."""

    facts: tuple[ev.EarlierStudyRead, ...] = ()
    lines: tuple[str, ...] = ()


class _Matched(msgspec.Struct):
    """The trials of one earlier study that are configurations of the new space, by their number there."""

    numbers: list[int]
    params: list[dict[str, Any]]  # what the earlier study knows of them
    adopted: list[dict[str, Any]]  # the same, with what it does not know filled in


def studies_named(given: str | Sequence[str]) -> tuple[str, ...]:
    """The names of one study or of several."""
    return (given,) if isinstance(given, str) else tuple(given)


def read_earlier(store: Store, names: Sequence[str], event: ev.StudyCreated, *, place: str) -> WarmStart:
    """What the studies `names` tell one that begins with `event`. `place` is named in errors.

    Raises `BadInput` for a study that is not there, that measured something else, or of which nothing fits.
    """
    facts: list[ev.EarlierStudyRead] = []
    lines: list[str] = []
    for source, name in enumerate(names):
        if name in names[:source]:
            raise BadInput(f"study {name} is given twice; give it once", place=place)
        try:
            earlier = Handle(store, name).state
            found = _read(earlier, event.spec, source, name, at=event.at)
        except UnknownStudy as error:
            raise UnknownStudy(error.message, place=place) from None
        except BadInput as error:
            raise BadInput(error.message, place=place) from None
        facts += found.facts
        lines += found.lines
    return WarmStart(tuple(facts), tuple(lines))


def _read(earlier: State, spec: StudySpec, source: int, name: str, *, at: float) -> WarmStart:
    columns = _objective_columns(earlier.spec, spec, name)
    known, unknown = _match(earlier.spec, spec, name)
    complete = np.flatnonzero(earlier.table["phase"] == Phase.COMPLETE)
    if not len(complete):
        raise BadInput(f"study {name} has no complete trial to begin with")
    space = Space(spec.parameters, spec.constraints)
    matched = _fitting(earlier, complete.tolist(), space, known)
    if not matched.numbers:
        raise BadInput(f"none of the {len(complete)} trials of study {name} is in the space of this one")
    numbers = np.array(matched.numbers)
    found, violations = losses(earlier, numbers)[:, columns], _violations(earlier, numbers, spec)
    places = _chosen(found, violations.sum(axis=1))
    facts = []
    for begin in range(0, len(places), CHUNK):
        some = places[begin : begin + CHUNK]
        facts.append(
            ev.EarlierStudyRead(
                at=at, source=source, study=name, uid=earlier.created.uid, total=len(complete),
                params=tuple(matched.params[i] for i in some), losses=_wired(found[some]),
                violations=_wired(violations[some]) if spec.outcomes else (),
            )
        )  # fmt: skip
    line = _line(name, matched, len(complete), known, unknown)
    line += f"; {len(places)} of them are read, the best and a spread" if len(places) < len(numbers) else ""
    unmeasured = [o.metric for o in spec.outcomes if "metric:" + o.metric not in earlier.table]
    line += f"; {', '.join(unmeasured)} was not measured there: taken as kept" if unmeasured else ""
    return WarmStart(tuple(facts), (line,))


def _objective_columns(old: StudySpec, new: StudySpec, name: str) -> list[int]:
    """Where each objective of the new study stands among those of the old one. Raises `BadInput`."""
    known = {(objective.metric, objective.goal): index for index, objective in enumerate(old.objectives)}
    missing = [o for o in new.objectives if (o.metric, o.goal) not in known]
    if missing:
        theirs = ", ".join(map(_described, old.objectives)) or "nothing"
        ours = ", ".join(map(_described, new.objectives))
        raise BadInput(f"study {name} was to {theirs}, this one is to {ours}: it cannot learn from that")
    return [known[o.metric, o.goal] for o in new.objectives]


def _described(objective: Objective) -> str:
    goal = objective.goal
    return f"{goal} {objective.metric}" if isinstance(goal, str) else f"bring {objective.metric} to {goal:g}"


def _match(old: StudySpec, new: StudySpec, name: str) -> tuple[list[str], list[str]]:
    """The parameters that both know, and those searched here that the earlier study did not know. Raises `BadInput`."""
    theirs = {parameter.name: parameter.type for parameter in old.parameters}
    searched = [parameter for parameter in new.parameters if parameter.type != "constant"]
    known = [p.name for p in searched if p.name in theirs and _compatible(theirs[p.name], p.type)]
    unknown = [p.name for p in searched if p.name not in known]
    if 2 * len(known) < len(searched) or not known:
        which = f" ({_listed(known)})" if known else ""
        raise BadInput(
            f"study {name} knows {len(known)} of the {len(searched)} parameters that are searched here{which}, by name "
            "and type: at least half are needed"
        )
    return known, unknown


def _compatible(old: str, new: str) -> bool:
    """Whether values of one type can be values of the other; a constant's value shows by itself."""
    return old == "constant" or {old, new} <= _NUMBERS or {old, new} <= _CHOICES


def _fitting(earlier: State, numbers: list[int], space: Space, known: Sequence[str]) -> _Matched:
    """The trials that are configurations of the space. What is a constant here must have had the same value there,
    where it was searched."""
    matched = _Matched([], [], [])
    fixed = {name: value for name, value in space.constants.items() if name not in earlier.space.constants}
    for number, params in zip(numbers, earlier.params_of(numbers), strict=True):
        full = {**earlier.space.constants, **params}
        if any(name in full and full[name] != value for name, value in fixed.items()):
            continue
        own = {name: full[name] for name in known if name in full}
        try:
            adopted = space.adopt(own)
        except SpaceError:
            continue
        matched.numbers.append(number)
        matched.params.append(own)
        matched.adopted.append(adopted)
    return matched


def _violations(earlier: State, numbers: Numbers, spec: StudySpec) -> Floats:
    """(n, k) by how much each outcome bound of the new study was broken; 0 where the metric was never measured."""
    found = np.zeros((len(numbers), len(spec.outcomes)))
    for column, outcome in enumerate(spec.outcomes):
        if "metric:" + outcome.metric not in earlier.table:
            continue
        values = earlier.table["metric:" + outcome.metric][numbers].tolist()
        measured = earlier.table["has:" + outcome.metric][numbers].tolist()
        found[:, column] = [outcome.violation(v if has else None) for v, has in zip(values, measured, strict=True)]
    return found


def _chosen(found: Floats, broken: Floats) -> list[int]:
    """Which trials are read, ascending: the best ones, and of the others some from good to bad.

    With several objectives the best of each, and the best by the sum of their ranks, take turns.
    """
    ranks = np.argsort(np.argsort(found, axis=0, kind="stable"), axis=0)
    keys = [ranks[:, column] for column in range(found.shape[1])]
    keys = [ranks.sum(axis=1), *keys] if len(keys) > 1 else keys
    orders = [np.lexsort((key, broken)) for key in keys]
    ordered = list(dict.fromkeys(np.stack(orders, axis=1).ravel().tolist()))
    best, others = ordered[:BEST], ordered[BEST:]
    spread = np.linspace(0, len(others) - 1, min(SPREAD, len(others))).round().astype(int).tolist()
    return sorted([*best, *(others[place] for place in spread)])


def _wired(rows: Floats) -> tuple[tuple[WireNumber, ...], ...]:
    return tuple(tuple(map(to_wire, row)) for row in rows.tolist())


def _line(name: str, matched: _Matched, total: int, known: Sequence[str], unknown: Sequence[str]) -> str:
    said = "; ".join([_listed(known), *(_taken_as(matched.adopted, each) for each in unknown[:NAMED])])
    more = f"; {len(unknown) - NAMED} more are new" if len(unknown) > NAMED else ""
    trials = f"{total} trial{'s' * (total != 1)}"
    return f"warm start from {name}: {len(matched.numbers)} of {trials} match ({said}{more})"


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more


def _taken_as(adopted: Sequence[dict[str, Any]], name: str) -> str:
    values: Iterator[Any] = (params[name] for params in adopted if name in params)
    for value in values:
        text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
        return f"`{name}` is new: taken as {text}"
    return f"`{name}` is new, and not active there"
