"""The form "New study" of a target: its parameters, one row each, as they are before anybody changes anything."""

from __future__ import annotations

import importlib
import re
from functools import cache
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from rung.analysis.records import wired
from rung.api.formoptions import FormOption, Part, form_options
from rung.api.formrows import Kind, Known, Mode, Row
from rung.api.formtargets import Found, Target, found
from rung.api.planning import described, domain_text
from rung.api.studyfiles import remarks_on
from rung.dialects import format_duration
from rung.model import RungError
from rung.plugins import names
from rung.space import Space

if TYPE_CHECKING:
    from pathlib import Path

    from rung.model import ScheduleSpec, SearchSpec, StudySpec

LISTS: tuple[Mode, ...] = ("single", "multiple", "linear", "logspace", "random")


class FormRow(msgspec.Struct, frozen=True, kw_only=True):
    """A parameter: what it takes, and how its row begins. `declared`: its domain in the file, in words. Of the type
    `switch` it is a word that a script is given or not, one of the `choices`, the same for all trials."""

    name: str
    type: str
    start: Row
    modes: list[Mode]
    help: str | None = None
    default: Any = None
    required: bool = False
    several: bool = False
    choices: list[Any] | None = None
    min: float | None = None
    max: float | None = None
    declared: str | None = None
    when: str | None = None


class Method(msgspec.Struct, frozen=True, kw_only=True):
    """A searcher or a schedule, what it says of itself, and its options."""

    name: str
    text: str
    options: list[FormOption] = []


class Goal(msgspec.Struct, frozen=True, kw_only=True):
    """What is optimised: towards `value` where the goal is to approach it."""

    metric: str = ""
    goal: Literal["minimize", "maximize", "approach"] = "minimize"
    value: float | None = None


class Form(msgspec.Struct, frozen=True, kw_only=True):
    """The form as it is before anybody changes anything. `kinds`: the sorts of study that there can be; `metrics`: what
    the program seems to report; `objectives`: of a file with several, which only the file can change."""

    target: Target
    dialect: str
    name: str
    rows: list[FormRow]
    kind: Kind
    kinds: list[Kind]
    objective: Goal
    objectives: list[str]
    metrics: list[str]
    search: str
    schedule: str
    searchers: list[Method]
    schedules: list[Method]
    trials: int | None
    batch: int | None
    workers: int
    time: str | None
    remarks: list[str]


def form(folder: Path, target: Target) -> Form:
    """The form of a target in the project folder. Raises `BadInput`."""
    known = found(folder, target)
    base, budget = known.base, known.base.budget
    return Form(
        target=target,
        dialect=known.dialect,
        name=stem_of(known),
        rows=[_row(parameter) for parameter in known.parameters.values()],
        kind=known.kind,
        kinds=list(known.kinds),
        objective=goal_of(base) if base.objectives else Goal(metric=next(iter(known.metrics), "")),
        objectives=[objective.metric for objective in base.objectives] if len(base.objectives) > 1 else [],
        metrics=list(known.metrics),
        search=searcher_of(known),
        schedule=base.schedule.method,
        searchers=_offered("search", base.search, searcher_of(known)),
        schedules=_offered("schedule", base.schedule, base.schedule.method),
        trials=budget.trials,
        batch=base.search.batch,
        workers=base.run.workers,
        time=None if budget.time_s is None else format_duration(budget.time_s),
        remarks=[*known.remarks, *(remarks_on(base) if known.dialect not in {"valohai", "script"} else ())],
    )


def stem_of(known: Found) -> str:
    """What a study of the target is called when it gets no other name, before the number."""
    path = known.path
    stem = path.stem if path.stem != "study" else path.parent.name or "study"
    return re.sub(r"[^A-Za-z0-9_-]+", "-", stem).strip("-_") or "study"


def searcher_of(known: Found) -> str:
    """Who proposes where results decide."""
    if known.dialect == "valohai":
        return known.base.search.method if known.task is not None and known.kind == "bayesian" else "tpe"
    return known.base.search.method if known.kind == "bayesian" else "auto"


def goal_of(spec: StudySpec) -> Goal:
    """The first objective."""
    if not spec.objectives:
        return Goal()
    objective = spec.objectives[0]
    if isinstance(objective.goal, str):
        return Goal(metric=objective.metric, goal=objective.goal)
    return Goal(metric=objective.metric, goal="approach", value=float(objective.goal))


def _offered(part: Part, spec: SearchSpec | ScheduleSpec, begun: str) -> list[Method]:
    """The methods with their options, as the file has them; the file's own too where it is none that all can have."""
    known = methods(part)
    if all(method.name != begun for method in known):
        known = [Method(name=begun, text=""), *known]
    return [msgspec.structs.replace(method, options=form_options(part, method.name, spec)) for method in known]


def _row(known: Known) -> FormRow:
    item, base = known.item, known.base
    modes: list[Mode] = [*LISTS, "range"]
    if item.is_flag or item.multiple is not None:
        modes = ["single", "multiple", "range"]
    if item.multiple is not None or known.flags:
        modes = ["single"]
    start = msgspec.to_builtins(known.start)["mode"]
    if start == "declared" or (base is not None and base.type != "constant" and not known.valohai):
        modes = ["declared", *modes]
    domain = None
    if base is not None:
        domain = domain_text(described(base, Space((msgspec.structs.replace(base, when=None, times=None),), ())))
    default = item.default
    if base is not None and base.default is not msgspec.UNSET:
        default = base.default
    return FormRow(
        name=known.name,
        type="switch" if known.flags else item.type,
        start=known.start,
        modes=modes,
        help=known.help,
        default=wired(default),
        required=known.required,
        several=item.multiple is not None,
        choices=list(known.flags) if known.flags else [True, False] if item.is_flag else item.choices,
        min=item.min,
        max=item.max,
        declared=domain,
        when=None if base is None else base.when,
    )


@cache
def methods(group: str) -> list[Method]:
    """The built-in and installed searchers or schedulers, with the first sentence of what each says of itself; not the
    families, of which one is named by hand."""
    known = []
    for name, point in names(group).items():
        try:
            kind = point.load()
            text = importlib.import_module(point.module).__doc__ or ""
        except (ImportError, AttributeError, RungError):  # somebody else's, which does not fit what is installed
            continue
        if hasattr(kind, {"search": "suggest", "schedule": "next"}[group]):
            known.append(Method(name=name, text=_sentence(text)))
    return sorted(known, key=lambda method: (method.name != "none", method.name != "auto", method.name))


def _sentence(text: str) -> str:
    """The first sentence, on one line, without marks of code and references."""
    line = re.sub(r"\s*\([^()]*\)", "", " ".join(text.split("\n\n", maxsplit=1)[0].split())).replace("`", "")
    return re.split(r"[.;] ", line)[0].rstrip(".") + "."
