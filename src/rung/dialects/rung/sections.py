"""The sections of a study file, one reader each."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any

from rung.dialects.names import check_study_name, shown
from rung.dialects.rung import placeholders
from rung.dialects.rung.domains import read_space, read_start
from rung.model import (
    BadInput,
    Budget,
    CheckpointSpec,
    Objective,
    Outcome,
    Program,
    RunSettings,
    ScheduleSpec,
    SearchSpec,
    StudySpec,
)
from rung.space.errors import SpaceError
from rung.space.expressions import metric_expression

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rung.dialects.values import Value

KEYS = (
    "name", "command", "function", "program", "parameters", "constraints", "objective", "outcomes", "start", "search",
    "schedule", "checkpoint", "budget", "run",
)  # fmt: skip
_GOALS = ("minimize", "maximize")
_PICKS = ("last", "best", "min", "max")
_INJECT = ("args", "env", "file", "source")


def read_study(root: Value) -> StudySpec:
    """The spec that the whole tree describes."""
    sections = root.fields(KEYS, "a mapping with `command`, `parameters`, `objective` and so on")
    space = read_space(sections.get("parameters"), sections.get("constraints"))
    given: dict[str, Any] = {"parameters": space.parameters, "constraints": space.constraints}
    names = [parameter.name for parameter in space.parameters]
    if "command" in sections:
        given["command"] = _command(sections["command"], names)
    if "start" in sections:
        given["start"] = read_start(sections["start"], space)
    for key, (field, read) in _SECTIONS.items():
        if key in sections:
            given[field] = read(sections[key])
    for key in ("schedule", "run"):  # it says what the program can do, so people write it in either
        if key in sections and "checkpoint" in (inner := _members(sections[key])):
            given.setdefault("checkpoint", _checkpoint(inner["checkpoint"]))
    if given.get("command") and given.get("function"):
        raise root.error("give either `command` or `function`, not both", "function")
    return StudySpec(**given)


def _members(value: Value) -> dict[str, Value]:
    return value.items() if isinstance(value.value, dict) else {}


def _name(value: Value) -> str:
    name = value.text("a study's name")
    try:
        return check_study_name(name)
    except BadInput as error:
        raise value.error(error.message) from None


def _command(value: Value, names: Iterable[str]) -> tuple[str, ...]:
    arguments = _split(value) if isinstance(value.value, str) else _words(value)
    if not arguments or not arguments[0]:
        value.expected("a command: text, or a list of arguments")
    for index, argument in enumerate(arguments):
        if "\0" in argument:
            raise value.error("holds a NUL character, which no argument can")
        try:
            placeholders.check((argument,), names)
        except BadInput as error:
            raise value.error(error.message, *([] if isinstance(value.value, str) else [index])) from None
    return tuple(arguments)


def _split(value: Value) -> list[str]:
    try:
        return shlex.split(value.value)
    except ValueError as error:
        raise value.error(f"cannot be split into arguments: {error}; close the quotes, or give a list") from None


def _words(value: Value) -> list[str]:
    """The arguments of a list; a number or boolean is the text it was written as."""
    words = []
    for element in value.elements("a command: text, or a list of arguments"):
        spelt = element.positions.texts.get(element.path)
        if spelt is None and isinstance(element.value, int) and not isinstance(element.value, bool):
            spelt = str(element.value)
        if spelt is None and not isinstance(element.value, str):
            element.text()
        words.append(element.value if isinstance(element.value, str) else str(spelt))
    return words


def _function(value: Value) -> str:
    function = value.text("module:function or file.py:function")
    where, colon, name = function.rpartition(":")
    if not (where and colon and name.isidentifier()):
        value.expected("module:function or file.py:function")
    return function


def _program(value: Value) -> Program:
    """Another tuner's way to start a trial, as `rung convert` writes it."""
    value.tree("a mapping with `dialect`, as `rung convert` writes it")
    fields, settings = _with_options(value, ("dialect",))
    if "dialect" not in fields:
        raise value.error("missing; give the name of the format whose program this is", "dialect")
    return Program(dialect=fields["dialect"].text("the name of a dialect"), settings=settings)


def _objectives(value: Value) -> tuple[Objective, ...]:
    what = "a metric's name, a mapping with `metric` and `goal`, or a list of these"
    several = value.elements(what) if isinstance(value.value, (list, tuple)) else [value]
    objectives: list[Objective] = []
    for item in several:
        objective = _objective(item, what)
        if any(objective.metric == other.metric for other in objectives):
            raise item.error(f"the metric {shown(objective.metric)} is an objective already; give it once")
        objectives.append(objective)
    return tuple(objectives)


def _objective(value: Value, what: str) -> Objective:
    if isinstance(value.value, str):
        return Objective(metric=value.text(what))
    fields = value.fields(("metric", "goal", "value"), what)
    given: dict[str, Any] = {"metric": _metric(value, fields)}
    if "goal" in fields:
        given["goal"] = _goal(fields["goal"])
    if "value" in fields:
        given["value"] = fields["value"].word(_PICKS, "value")
    return Objective(**given)


def _metric(value: Value, fields: dict[str, Value]) -> str:
    if "metric" not in fields:
        raise value.error("missing; give the name of the metric", "metric")
    return fields["metric"].text("the name of a metric")


def _goal(value: Value) -> str | float:
    if isinstance(value.value, dict):
        fields = value.fields(("approach",))
        if "approach" not in fields:
            raise value.error("missing; give the number to come near to", "approach")
        return fields["approach"].number()
    if not isinstance(value.value, str):
        value.expected("`minimize`, `maximize`, or {approach: NUMBER}")
    return value.word(_GOALS, "goal")


def _outcomes(value: Value) -> tuple[Outcome, ...]:
    return tuple(_outcome(item) for item in value.elements("a list of mappings with `metric` and `at_most`"))


def _outcome(value: Value) -> Outcome:
    fields = value.fields(("metric", "at_most", "at_least"))
    metric = _metric(value, fields)
    bounds = {key: fields[key].number() for key in ("at_most", "at_least") if key in fields}
    if not bounds:
        raise value.error("expected `at_most`, `at_least` or both")
    outcome = Outcome(metric=metric, **bounds)
    if outcome.at_most is not None and outcome.at_least is not None and outcome.at_least > outcome.at_most:
        raise value.error(f"must not be above at_most ({outcome.at_most!r}), got {outcome.at_least!r}", "at_least")
    return outcome


def _search(value: Value) -> SearchSpec:
    what = "the name of a searcher, or a mapping with `method`"
    if isinstance(value.value, str):
        return SearchSpec(method=value.text(what))
    value.tree(what)
    fields, options = _with_options(value, ("method", "seed", "repeats", "lag", "batch", "timeout"))
    given: dict[str, Any] = {"options": options}
    if "method" in fields:
        given["method"] = fields["method"].text("the name of a searcher")
    for key, at_least in (("seed", 0), ("repeats", 1), ("lag", 0), ("batch", 1)):
        if key in fields:
            given[key] = fields[key].whole(at_least)
    if "timeout" in fields:
        given["timeout_s"] = fields["timeout"].seconds(above=0)
    if "lag" in fields and "batch" in fields:
        raise fields["lag"].error(
            "has no meaning beside `batch`, whose trials all wait for the batch before; leave it out"
        )
    return SearchSpec(**given)


def _schedule(value: Value) -> ScheduleSpec:
    what = "the name of a scheduler, or a mapping with `method`"
    if isinstance(value.value, str):
        return ScheduleSpec(method=value.text(what))
    value.tree(what)
    fields, options = _with_options(value, ("method", "resource", "checkpoint"))
    names = {"method": "the name of a method", "resource": "the name of a resource"}
    given: dict[str, Any] = {key: fields[key].text(what) for key, what in names.items() if key in fields}
    return ScheduleSpec(options=options, **given)


def _with_options(value: Value, known: tuple[str, ...]) -> tuple[dict[str, Value], dict[str, Any]]:
    """The known fields, and everything else as options, whose meaning the plug-in checks."""
    fields = {key: item for key, item in value.items().items() if key in known}
    return fields, {key: item for key, item in value.tree().items() if key not in known}


def _checkpoint(value: Value) -> CheckpointSpec:
    """`true`, `false`, or which checkpoints are kept."""
    if isinstance(value.value, bool):
        return CheckpointSpec(enabled=value.value)
    fields = value.fields(("enabled", "study_best", "trial_best", "trial_latest", "disk"), "true, false or a mapping")
    given: dict[str, Any] = {key: field.whole(0) for key, field in fields.items() if key not in {"enabled", "disk"}}
    if "enabled" in fields:
        if not isinstance(fields["enabled"].value, bool):
            fields["enabled"].expected("true or false")
        given["enabled"] = fields["enabled"].value
    if "disk" in fields:
        given["disk_bytes"] = fields["disk"].size()
    return CheckpointSpec(**given)


def _budget(value: Value) -> Budget:
    fields = value.fields(
        ("trials", "time", "target", "max_failures", "cost", "patience", "stop", "improvement", "on_failure")
    )
    readers: dict[str, tuple[str, Any]] = {
        "trials": ("trials", lambda field: field.whole(1)),
        "time": ("time_s", lambda field: field.seconds(above=0)),
        "target": ("target", lambda field: field.number()),
        "max_failures": ("max_failures", lambda field: field.whole(0)),
        "cost": ("cost", lambda field: field.amount()),
        "patience": ("patience", lambda field: field.whole(1)),
        "stop": ("stop", _stop),
        "improvement": ("improvement", lambda field: field.amount()),
        "on_failure": ("on_failure", lambda field: field.word(("continue", "fail", "stop"), "answer to a failure")),
    }
    return Budget(**{readers[key][0]: readers[key][1](field) for key, field in fields.items()})


def _stop(value: Value) -> str:
    """An expression over metrics, such as `accuracy >= 0.99`."""
    text = value.text("an expression over metrics, such as accuracy >= 0.99")
    try:
        names = metric_expression(text).names
    except SpaceError as error:
        raise value.error(str(error)) from None
    if not names:
        raise value.error("names no metric; write something like accuracy >= 0.99")
    return text


def _run(value: Value) -> RunSettings:
    keys = ("workers", "gpus", "cpus", "timeout", "grace", "retries", "executor", "inject", "cwd", "price", "mirrors")
    fields = value.fields((*keys, "checkpoint"))
    readers: dict[str, tuple[str, Any]] = {
        "workers": ("workers", lambda field: field.whole(1)),
        "gpus": ("gpus", lambda field: field.amount()),
        "cpus": ("cpus", lambda field: field.amount()),
        "timeout": ("timeout_s", lambda field: field.seconds(above=0)),
        "grace": ("grace_s", lambda field: field.seconds(above=-1)),
        "retries": ("retries", lambda field: field.whole(0)),
        "executor": ("executor", lambda field: field.text("the name of an executor")),
        "inject": ("inject", lambda field: field.word(_INJECT, "way to inject")),
        "cwd": ("cwd", lambda field: field.text("a directory")),
        "price": ("price", lambda field: field.amount()),
        "mirrors": ("mirrors", lambda field: tuple(each.text("an address") for each in field.elements("a list"))),
    }
    return RunSettings(**{readers[key][0]: readers[key][1](field) for key, field in fields.items() if key in readers})


_SECTIONS: dict[str, tuple[str, Any]] = {
    "name": ("name", _name),
    "function": ("function", _function),
    "program": ("program", _program),
    "objective": ("objectives", _objectives),
    "outcomes": ("outcomes", _outcomes),
    "search": ("search", _search),
    "schedule": ("schedule", _schedule),
    "checkpoint": ("checkpoint", _checkpoint),
    "budget": ("budget", _budget),
    "run": ("run", _run),
}
