"""What the original's linter says about a `valohai.yaml`, in its words and its order.

First the shape; where that is right, what would keep the file from being read; then what is most likely not meant.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Any, NamedTuple

from rung.dialects.base import Finding
from rung.dialects.valohai import stopping
from rung.dialects.valohai.checking import problems
from rung.dialects.valohai.parameters import listed, read_parameter
from rung.dialects.valohai.pipelines import PRESET, Unlinted, pipeline_errors, pipeline_findings
from rung.dialects.valohai.schema import FILE
from rung.dialects.valohai.yamlpages import BrokenYaml, parse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from rung.dialects.positions import Path, Positions

KINDS = ("step", "task", "endpoint", "pipeline", "blueprint", "deployment")
TYPES = ("bayesian_tpe", "grid_search", "distributed", "random_search", "manual_search")
ON_CHILD_ERROR = ("continue-and-complete", "continue-and-error", "stop-all-and-error")
_BAYESIAN_ONLY = ("engine", "optimization-target-metric", "optimization-target-value")
_DURATION = re.compile(r"([.\d]+)\s*([a-z]*)")
SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}


class Said(NamedTuple):
    """One finding: error, warning or hint; where in the tree; the words."""

    level: str
    path: Path
    message: str


class Unreadable(Exception):
    """The file has the right shape and yet cannot be read. `plain`: the words stand for themselves."""

    def __init__(self, message: str, path: Path, *, plain: bool = False) -> None:
        super().__init__(message)
        self.said = Said("error", path, message if plain else f"could not parse YAML: {message}")


def lint(text: str, *, file: str) -> list[Finding]:
    """All findings, as the linter's own messages. Raises `BadInput` for a text beyond all limits."""
    try:
        tree, positions = parse(text, file=file)
    except BrokenYaml as error:
        message = f"Indentation Error at line {error.line}, column {error.column}" if error.line else str(error)
        return [Finding("error", f"{file}:{error.line}" if error.line else file, "", message)]
    return [finding(said, positions) for said in findings(tree)]


def finding(said: Said, positions: Positions) -> Finding:
    """What was said, with its line and its key."""
    error = positions.error(said.path, said.message)
    return Finding(said.level, error.place, error.key, said.message)


def findings(tree: Any) -> list[Said]:
    """What is to be said about a tree."""
    found = list(shape(tree))
    if found:
        return found
    try:
        warnings = readable(tree)
        return [*warnings, *_meant(tree)]
    except Unreadable as error:
        return [error.said]
    except Unlinted as error:  # the original's linter stops here
        return [Said("error", error.path, f"could not parse YAML: {error}")]


def shape(tree: Any) -> Iterator[Said]:
    """What is wrong with the shape of a tree."""
    for problem in problems(tree, FILE):
        path = ".".join(str(part) for part in problem.path)
        rule = f"{problem.keyword.title()} validation on {'.'.join(problem.schema)}"
        yield Said("error", problem.path, f"  {rule}: {problem.message} ({path})")
        if len(problem.path) == 2 and not problem.instance:
            hint = "File contains valid YAML but there might be an indentation error in following configuration: "
            yield Said("hint", problem.path, hint + path)


# ------------------------------------------------------------------------------------------------------------ reading


def readable(tree: list[Any]) -> list[Said]:
    """What is odd about a file that can be read. Raises `Unreadable`."""
    said: list[Said] = []
    seen: set[tuple[str, str]] = set()
    for index, item in enumerate(tree):
        kind = kind_of(item)
        if kind is None:
            said.append(Said("warning", (index,), f"No parser for {item}"))
            continue
        path, body = (index, kind), item[kind]
        if kind in _READ:
            _READ[kind](body, path)
        name = body.get("name") if isinstance(body, dict) else None
        if isinstance(name, str) and (kind, name) in seen:
            said.append(Said("warning", path, f"Duplicate {kind} name: {name}."))
        seen.add((kind, str(name)))
    return said


def kind_of(item: Mapping[str, Any]) -> str | None:
    """What an item of the top describes."""
    return next((kind for kind in KINDS if kind in item), None)


def _read_step(body: dict[str, Any], path: Path) -> None:
    for index, parameter in enumerate(body.get("parameters", ())):
        try:
            read_parameter(parameter)
        except ValueError as error:
            raise Unreadable(str(error), (*path, "parameters", index)) from None
    for key in ("time-limit", "no-output-timeout"):
        try:
            seconds(body.get(key))
        except ValueError as error:
            raise Unreadable(str(error), (*path, key)) from None


def seconds(value: Any) -> float | None:
    """The seconds that a step's duration says; None for none. Raises `ValueError`."""
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    if isinstance(value, (int, float)):
        return float(value)
    total = 0.0
    for match in _DURATION.finditer(value):
        if not match[2] or match[2][0] not in SECONDS:
            raise ValueError(f"Unknown duration suffix in {match[0]!r}")
        total += float(match[1]) * SECONDS[match[2][0]]
    if total <= 0:
        raise ValueError(f"Could not parse positive duration from {value!r}")
    return total


def _read_task(body: dict[str, Any], path: Path) -> None:
    try:
        task_type(body.get("type"))
    except ValueError as error:
        raise Unreadable(str(error), (*path, "type")) from None
    try:
        on_child_error(body.get("on-child-error"))
    except ValueError as error:
        raise Unreadable(str(error), (*path, "on-child-error")) from None


def task_type(word: str | None) -> str:
    """The type of a task. Raises `ValueError`."""
    name = (word or "grid_search").lower().replace("-", "_")
    if name not in TYPES:
        raise ValueError(f"{name!r} is not a valid TaskType")
    return name


def on_child_error(word: str | None) -> str | None:
    """What a failed execution means to its task; None where the file does not say. Raises `ValueError`."""
    name = word.lower().replace("_", "-") if word else None
    if name is not None and name not in ON_CHILD_ERROR:
        raise ValueError(f"{name!r} is not a valid TaskOnChildError")
    return name


def _read_pipeline(body: dict[str, Any], path: Path) -> None:
    for message, below, stands_alone in pipeline_errors(body):
        raise Unreadable(message, (*path, *below), plain=stands_alone)


_READ: dict[str, Callable[[Any, Path], None]] = {
    "step": _read_step,
    "task": _read_task,
    "pipeline": _read_pipeline,
}


# ------------------------------------------------------------------------------------------------------------ meaning


class Named(NamedTuple):
    """A step, task or other item of a kind, and where it stands."""

    path: Path
    body: dict[str, Any]


def by_name(tree: list[Any], kind: str) -> dict[str, Named]:
    """The items of a kind. Of two with one name the later one counts."""
    return {
        item[kind]["name"]: Named((index, kind), item[kind]) for index, item in enumerate(tree) if kind_of(item) == kind
    }


def _meant(tree: list[Any]) -> Iterator[Said]:
    steps, tasks = by_name(tree, "step"), by_name(tree, "task")
    for endpoint in by_name(tree, "endpoint").values():
        yield from _endpoint(endpoint)
    bodies = [{name: named.body for name, named in found.items()} for found in (steps, tasks)]
    for pipeline in by_name(tree, "pipeline").values():
        for level, below, message in pipeline_findings(pipeline.body, *bodies):
            yield Said(level, (*pipeline.path, *below), message)
    for step in steps.values():
        yield from step_findings(step)
    for task in tasks.values():
        yield from task_findings(task)


def _endpoint(endpoint: Named) -> Iterator[Said]:
    name, volumes = endpoint.body["name"], endpoint.body.get("shared-volumes", [])
    where = (*endpoint.path, "shared-volumes")
    for index, volume in enumerate(volumes):
        mounted, below = volume["mount-path"], volume.get("sub-path", "")
        if not mounted.startswith("/"):
            text = f'Endpoint "{name}" shared volume mount path "{mounted}" must start with "/"'
            yield Said("error", (*where, index), text)
        if below.startswith("/"):
            text = f'Endpoint "{name}" shared volume sub-path "{below}" must not start with "/"'
            yield Said("error", (*where, index), text)
    counts = Counter(volume["mount-path"] for volume in volumes)
    for mounted, times in counts.items():
        if times > 1:
            yield Said("error", where, f'Endpoint "{name}" has {times} shared volumes mounted at "{mounted}"')
    workspace = endpoint.body.get("workspace-volume")
    if workspace:
        own = f'Endpoint "{name}" workspace volume mount path "{workspace["mount-path"]}"'
        if not workspace["mount-path"].startswith("/"):
            yield Said("error", (*endpoint.path, "workspace-volume"), f'{own} must start with "/"')
        if workspace["mount-path"] in counts:
            yield Said("error", (*endpoint.path, "workspace-volume"), f"{own} is already used by a shared volume")


def step_findings(step: Named) -> Iterator[Said]:
    """What is to be said about one step that can be read."""
    name = step.body["name"]
    items = {item["name"]: (index, item) for index, item in enumerate(step.body.get("parameters", ()))}
    for index, item in items.values():
        for message in _parameter(item):
            yield Said(
                "warning", (*step.path, "parameters", index), f"Step {name}, parameter {item['name']}: {message}"
            )
    yield from _stop_condition("Step", step)
    if step.body.get("runtime-config-preset") and not step.body.get("environment"):
        yield Said("error", step.path, f'Step "{name}", {PRESET}')


def _parameter(item: dict[str, Any]) -> Iterator[str]:
    if item.get("type") == "flag":
        if item.get("optional"):
            yield "`optional` has no effect on flag-type parameters"
        if (item.get("pass-true-as") or item.get("pass-false-as")) and item.get("pass-as"):
            yield "`pass-as` has no effect with `pass-true-as`/`pass-false-as`"
    else:
        for key in ("pass-true-as", "pass-false-as"):
            if item.get(key):
                yield f"`{key}` has no effect on non-flag parameters"
    for message in _default(item):
        yield f"default {message}"


def _default(item: dict[str, Any]) -> list[str]:
    """What is wrong with the default: one that is 0, false or empty is not looked at."""
    errors: list[str] = []
    parameter = read_parameter({**item, "default": None})
    for value in listed(item.get("default")) if item.get("default") else []:
        if parameter.type == "string" and not isinstance(value, str):
            errors.append(f"`default` value {value!r} is not a string (got a {type(value)})")
        else:
            parameter.typed(value, errors)
            parameter.within(value, errors)
    return errors


def _stop_condition(kind: str, named: Named) -> Iterator[Said]:
    text = named.body.get("stop-condition")
    wrong = stopping.complaint(text) if text is not None else None
    if wrong is not None:
        message = f"{kind} {named.body['name']}, `stop-condition` is not a valid expression: {wrong}"
        yield Said("error", (*named.path, "stop-condition"), message)


def task_findings(task: Named) -> Iterator[Said]:
    """What is to be said about one task that can be read."""
    body, kind = task.body, task_type(task.body.get("type"))
    yield from _stop_condition("Task", task)
    if any(body.get("parameter-sets", ())) and kind != "manual_search":
        yield Said("warning", (*task.path, "parameter-sets"), "Parameter sets only make sense with manual search")
    if kind != "bayesian_tpe":
        for key in _BAYESIAN_ONLY:
            if body.get(key) is not None:
                text = f"{key.replace('-', '_')} only makes sense for Bayesian TPE tasks"
                yield Said("warning", (*task.path, key), text)
