"""All trials of a study by column: what tables, plots, filters and files read. No work per trial but for the live ones.

Columns are named the same everywhere: `number state value steps duration started ended attempt tags reason error`,
`params.NAME`, `metrics.NAME`. Where only one thing can be meant a bare NAME does: a parameter, else a metric.
"""

from __future__ import annotations

import threading
import weakref
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import msgspec
import numpy as np

from rung.analysis.records import cell, record, wired
from rung.model import BadInput
from rung.space.axes import Categories, json_key
from rung.space.errors import did_you_mean
from rung.study.reading import records
from rung.study.transitions import FINAL, PUBLIC, Phase

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from numpy.typing import NDArray

    from rung.model import Parameter
    from rung.study.state import State

STATES = ("waiting", "running", "paused", "complete", "pruned", "failed")
BUILT_IN = ("number", "state", "value", "steps", "duration", "started", "ended", "attempt", "tags", "reason", "error")
MOST_NAMED = 30  # columns that an error names
MOST_CATEGORIES = 200  # a choice of more values is listed without them
KEPT = 16  # columns, masks and orders that are remembered, of each kind, until the study changes


class Column(NamedTuple):
    """One value of every trial. Numbers are float64 with NaN where there is none, or int32; anything else is an int32
    code into `categories`, -1 where there is none. `present`: where a NaN is a value, which rows have one."""

    name: str
    values: NDArray[Any]
    categories: tuple[Any, ...] | None = None
    present: NDArray[np.bool_] | None = None

    @property
    def missing(self) -> NDArray[np.bool_]:
        """(n,) which trials have no such value."""
        if self.categories is not None:
            return np.asarray(self.values < 0)
        return np.isnan(self.values) if self.present is None else ~self.present


class ColumnInfo(msgspec.Struct, frozen=True, kw_only=True):
    """A column that there is. `label` is its name for people; `log`: its parameter is searched on a log scale;
    `goal`: what is wanted of a metric that is an objective; `categories`: the values of a choice (null: too many)."""

    name: str
    label: str
    group: Literal["trial", "params", "metrics"]
    type: Literal["number", "integer", "category", "time", "seconds", "tags", "text"]
    log: bool = False
    low: float | None = None
    high: float | None = None
    categories: list[Any] | None = None
    goal: str | float | None = None


class _Remembered:
    """What was computed of a state as of `seq`."""

    def __init__(self, seq: int) -> None:
        self.seq = seq
        self.kinds: dict[str, dict[Any, Any]] = {}


_MEMORY: weakref.WeakKeyDictionary[State, _Remembered] = weakref.WeakKeyDictionary()
_LOCK = threading.Lock()


def remembered(state: State, kind: str, key: Any, make: Callable[[], Any]) -> Any:
    """What `make` returns: made once for each key, until the study changes. Only the `KEPT` newest are remembered,
    columns all."""
    with _LOCK:
        memory = _MEMORY.get(state)
        if memory is None or memory.seq != state.seq:
            memory = _MEMORY[state] = _Remembered(state.seq)
        found = memory.kinds.setdefault(kind, {})
    if key not in found:
        value = make()
        with _LOCK:
            while kind != "column" and len(found) >= KEPT:
                found.pop(next(iter(found)), None)
            found[key] = value
        return value
    return found[key]


# ---------------------------------------------------------------------------------------------------------- columns


def column(state: State, name: str) -> Column:
    """One column of all trials; its arrays are not to be written to. Raises `BadInput` for an unknown name."""
    known = resolved(state, name)
    made: Column = remembered(state, "column", known, lambda: _frozen(_make(state, known)))
    return made


def resolved(state: State, name: str) -> str:
    """The full name of a column: `lr` is `params.lr`. Raises `BadInput` saying which one may be meant."""
    spec, names = state.spec, parameter_names(state)
    if name in BUILT_IN:
        if name == "value" and len(spec.objectives) != 1:
            raise BadInput(f"no column 'value': {_no_value(state)}")
        return name
    for group, members in (("params.", names), ("metrics.", metric_names(state))):
        if name.removeprefix(group) in members and name.startswith(group):
            return name
    for group, members in (("params.", names), ("metrics.", metric_names(state))):
        if name in members:
            return group + name
    raise BadInput(f"no column {name!r}{_instead(state, name)}")


def listed(state: State, names: str) -> list[str] | None:
    """The columns that a text names, with commas between them; None for none. Raises `BadInput` for an unknown one.
    A name with a comma in it is found too."""
    found: list[str] = []
    words = [word.strip() for word in names.split(",")] if names.strip() else []
    while words:
        for count in range(len(words), 0, -1):  # the longest name that there is
            name = ",".join(words[:count])
            if count == 1 or _is_column(state, name):
                found.append(resolved(state, name))
                words = words[count:]
                break
    return found or None


def _is_column(state: State, name: str) -> bool:
    bare = name.partition(".")[2]
    known = {*parameter_names(state), *metric_names(state)}
    return name in known or (bare in known and name.startswith(("params.", "metrics.")))


def _instead(state: State, name: str) -> str:
    known = [info.name for info in available(state)]
    hint = did_you_mean(name, [*known, *(full.partition(".")[2] for full in known if "." in full)])
    return hint or f"; there are {', '.join(known[:MOST_NAMED])}{', ...' * (len(known) > MOST_NAMED)}"


def _no_value(state: State) -> str:
    metrics = " or ".join(f"metrics.{objective.metric}" for objective in state.spec.objectives)
    return f"the study has several objectives; name {metrics}" if metrics else "the study has no objective"


def parameter_names(state: State) -> list[str]:
    """All parameters, constants included, as declared."""
    return [parameter.name for parameter in state.spec.parameters]


def metric_names(state: State) -> list[str]:
    """Metrics that are declared or were reported: objectives, outcomes, then the others as they came."""
    made: list[str] = remembered(state, "names", "metrics", lambda: _metric_names(state))
    return made


def _metric_names(state: State) -> list[str]:
    spec = state.spec
    declared = [*(o.metric for o in spec.objectives), *(o.metric for o in spec.outcomes)]
    ended = [name[4:] for name in state.table.names() if name.startswith("has:")]
    said = [name for live in state.live.values() for name in live.tracks]
    return list(dict.fromkeys([*declared, *ended, *said]))


def _frozen(made: Column) -> Column:
    made.values.flags.writeable = False
    return made


def _make(state: State, name: str) -> Column:
    group, _, inner = name.partition(".")
    if group == "params" and inner:
        return _parameter(state, name, inner)
    if group == "metrics" and inner:
        return _metric(state, name, inner)
    table = state.table
    if name == "number":
        return Column(name, np.arange(len(state), dtype=np.int32))
    if name == "state":
        return Column(name, _STATE_OF_PHASE[table["phase"]], STATES)
    if name == "value":
        return _value(state)
    if name in {"steps", "attempt"}:
        return Column(name, table[name].astype(np.int32))
    if name == "duration":
        return Column(name, np.maximum(table["ended"] - table["started"], 0.0))
    if name in {"started", "ended"}:
        return Column(name, table[name].copy())
    if name == "tags":
        return _tags(state)
    return _texts(state, name, state.reasons if name == "reason" else state.errors)


_STATE_OF_PHASE = np.array([STATES.index(PUBLIC[phase]) if phase in PUBLIC else -1 for phase in Phase], np.int32)
_FINAL = np.array([phase in FINAL for phase in Phase])


def _value(state: State) -> Column:
    """The objective's value of each final trial; one that failed and was not told any has none."""
    table, has = state.table, "has:" + state.spec.objectives[0].metric
    values = table["values"][:, 0]
    present = _FINAL[table["phase"]] & ~((table["phase"] == Phase.FAILED) & np.isnan(values))
    present &= table[has].astype(bool) if has in table else False
    return Column("value", np.where(present, values, np.nan), present=present)


def _metric(state: State, name: str, metric: str) -> Column:
    """A final trial's value, a live one's last."""
    table, has = state.table, "has:" + metric
    present = table[has].astype(bool) if has in table else np.zeros(len(state), dtype=bool)
    values = np.where(present, table["metric:" + metric], np.nan) if has in table else np.full(len(state), np.nan)
    for number, live in state.live.items():
        track = live.tracks.get(metric)
        present[number] = track is not None
        values[number] = np.nan if track is None else track.last
    return Column(name, values, present=present)


def _parameter(state: State, name: str, parameter: str) -> Column:
    if parameter in state.space.constants:
        return _constant(state, name, parameter)
    place = state.space.names.index(parameter)
    raw = state.table["params"][:, place]
    axes = [space.axes[place] for space in state.spaces.versions]
    if not isinstance(axes[-1], Categories):
        return Column(name, raw.copy())
    codes = np.where(np.isnan(raw), -1, raw).astype(np.int32)
    if len(axes) == 1:
        return Column(name, codes, tuple(axes[-1].table))
    known: dict[Any, int] = {}
    values: list[Any] = []
    for version in range(len(axes), 0, -1):  # the newest version's values stand in its order
        table = [axes[version - 1].at(index) for index in range(axes[version - 1].size or 0)]
        for value in table:
            if known.setdefault(json_key(value), len(values)) == len(values):
                values.append(value)
        places = np.array([known[json_key(value)] for value in table], np.int32)
        rows = (state.table["space"] == version) & ~np.isnan(raw)
        codes[rows] = places[raw[rows].astype(np.int64)]
    return Column(name, codes, tuple(values))


def _constant(state: State, name: str, parameter: str) -> Column:
    """The same for all trials but for those that somebody enqueued with another value."""
    own = state.space.constants[parameter]
    others = {number: tweaks[parameter] for number, tweaks in state.tweaked.items() if parameter in tweaks}
    if all(_is_number(value) for value in (own, *others.values())):
        values = np.full(len(state), float(own))
        for number, value in others.items():
            values[number] = float(value)
        return Column(name, values)
    keys = {json_key(own): 0}
    categories, codes = [own], np.zeros(len(state), np.int32)
    for number, value in others.items():
        if keys.setdefault(json_key(value), len(categories)) == len(categories):
            categories.append(value)
        codes[number] = keys[json_key(value)]
    return Column(name, codes, tuple(categories))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e300


def _tags(state: State) -> Column:
    """The list of tags of each trial, the empty one where there are none."""
    known: dict[tuple[str, ...], int] = {(): 0}
    codes = np.zeros(len(state), np.int32)
    for number, note in state.notes.items():
        if number is not None and 0 <= number < len(state):
            codes[number] = known.setdefault(note.tags, len(known))
    return Column("tags", codes, tuple(list(tags) for tags in known))


def _texts(state: State, name: str, by_trial: dict[int, str]) -> Column:
    """What was said of some trials."""
    codes = np.full(len(state), -1, np.int32)
    if by_trial:
        known = {text: code for code, text in enumerate(dict.fromkeys(by_trial.values()))}
        codes[list(by_trial)] = [known[text] for text in by_trial.values()]
        return Column(name, codes, tuple(known))
    return Column(name, codes, ())


# ------------------------------------------------------------------------------------------------------ what there is


def available(state: State) -> list[ColumnInfo]:
    """All columns, in the order in which a table shows them."""
    spec = state.spec
    goals = {objective.metric: objective.goal for objective in spec.objectives}
    trial: list[ColumnInfo] = [_built_in("number", "integer"), _built_in("state", "category", list(STATES))]
    if len(spec.objectives) == 1:
        objective = spec.objectives[0]
        label = f"value ({objective.metric})"
        trial.append(ColumnInfo(name="value", label=label, group="trial", type="number", goal=objective.goal))
    params = [_of_parameter(state, parameter) for parameter in spec.parameters]
    metrics = [
        ColumnInfo(name=f"metrics.{name}", label=name, group="metrics", type="number", goal=goals.get(name))
        for name in metric_names(state)
    ]
    rest: list[tuple[str, Any]] = [
        ("steps", "integer"), ("duration", "seconds"), ("started", "time"), ("ended", "time"),
        ("attempt", "integer"), ("tags", "tags"), ("reason", "text"), ("error", "text"),
    ]  # fmt: skip
    return [*trial, *params, *metrics, *(_built_in(name, kind) for name, kind in rest)]


def _built_in(name: str, kind: Any, categories: list[Any] | None = None) -> ColumnInfo:
    return ColumnInfo(name=name, label=name, group="trial", type=kind, categories=categories)


def _of_parameter(state: State, parameter: Parameter) -> ColumnInfo:
    name, space = parameter.name, state.space
    kind: Literal["number", "integer", "category"] = "category"
    low = high = None
    categories: list[Any] | None = None
    if name in space.constants:
        kind = "number" if _is_number(space.constants[name]) else "category"
        categories = [space.constants[name]] if kind == "category" else None
    else:
        axis = space.axes[space.names.index(name)]
        if isinstance(axis, Categories):
            found = column(state, f"params.{name}").categories or ()
            categories = wired(list(found)) if len(found) <= MOST_CATEGORIES else None
        else:
            kind = "integer" if space.whole(name) else "number"
            if parameter.times is None:
                low, high = (float(limit) if np.isfinite(limit) else None for limit in axis.limits)
    return ColumnInfo(
        name=f"params.{name}", label=name, group="params", type=kind, low=low, high=high, categories=categories,
        log=parameter.scale == "log" or parameter.type == "lognormal",
    )  # fmt: skip


# ------------------------------------------------------------------------------------------------------------ sorting


def order(state: State, sort: str | None, rows: NDArray[np.bool_] | None = None) -> NDArray[np.int64]:
    """The numbers of the trials (of those where `rows` holds), sorted by a column; `-NAME`: the other way round.

    `value` begins with the best. Trials without the value come last, equal ones by number. Raises `BadInput`.
    """
    name, down = _direction(state, sort)

    def make() -> NDArray[np.int64]:
        key = _sort_key(state, name)
        return np.argsort(-key if down else key, kind="stable")

    if name == "number":
        found = np.arange(len(state))[:: -1 if down else 1]
    else:
        found = remembered(state, "order", (name, down), make)
    return found if rows is None else found[rows[found]]


def _direction(state: State, sort: str | None) -> tuple[str, bool]:
    name = sort or "number"
    if name.startswith("-") and name not in {*parameter_names(state), *metric_names(state)}:
        return resolved(state, name[1:]), True
    return resolved(state, name), False


def _sort_key(state: State, name: str) -> NDArray[np.float64]:
    """(n,) numbers that sort as the column does, NaN where there is no value."""
    found = column(state, name)
    if found.categories is not None:
        ranks = np.append(_ranks(found.categories), np.nan)  # code -1 is the last one
        return np.asarray(ranks[found.values])
    values = found.values.astype(np.float64)
    if name != "value":
        return values
    goal = state.spec.objectives[0].goal
    losses = values if goal == "minimize" else -values if goal == "maximize" else np.abs(values - float(goal))
    return np.where(found.missing, np.nan, np.where(np.isfinite(losses), losses, np.inf))


def _ranks(categories: Sequence[Any]) -> NDArray[np.float64]:
    """Where each category stands among them: numbers by size, anything else by its text."""
    numeric = all(isinstance(value, int | float) for value in categories)
    keys = [value if numeric else cell(value) for value in categories]
    ranks = np.empty(len(keys))
    ranks[sorted(range(len(keys)), key=lambda i: keys[i])] = np.arange(len(keys), dtype=np.float64)
    return ranks


# --------------------------------------------------------------------------------------------------------------- rows


def rows(state: State, numbers: Iterable[int]) -> list[dict[str, Any]]:
    """These trials as records (`rung trials --json` shows the same), in this order."""
    return [record(state, trial) for trial in records(state, [int(number) for number in numbers])]


__all__ = ["Column", "ColumnInfo", "available", "column", "metric_names", "order", "resolved", "rows"]
