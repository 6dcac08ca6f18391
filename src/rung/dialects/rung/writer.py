"""A `StudySpec` back to the tree and the YAML of a study file: what is written reads back as the same spec."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import yaml

from rung.dialects.durations import format_duration
from rung.dialects.rung.reader import spec_from_tree
from rung.dialects.yamltext import MERGE, resolve
from rung.model import Budget, CheckpointSpec, Objective, RunSettings, ScheduleSpec, SearchSpec

if TYPE_CHECKING:
    from collections.abc import Container, Sequence

    import msgspec

    from rung.model import Outcome, Parameter, StudySpec

_UNIT_ENDING = "_s"
_DOMAIN_FIELDS = (
    "type", "min", "max", "mean", "sd", "values", "scale", "step", "count", "default", "when", "times", "prior",
)  # fmt: skip
_FLOW_WIDTH = 120


def to_yaml(spec: StudySpec) -> str:
    """The study file of `spec`: our reader makes the same spec of it."""
    tree = _inline(spec_to_tree(spec))
    text = yaml.dump(tree, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=_FLOW_WIDTH)
    return str(text)


def spec_to_tree(spec: StudySpec) -> dict[str, Any]:
    """The study as a plain tree in the shape of a study file, without what is at its default."""
    tree: dict[str, Any] = {
        "name": spec.name,
        "command": None if spec.command is None else list(spec.command),
        "function": spec.function,
        "program": None if spec.program is None else {"dialect": spec.program.dialect, **spec.program.settings},
        "parameters": _parameters(spec.parameters),
        "constraints": list(spec.constraints),
        "objective": _objectives(spec.objectives),
        "outcomes": [_outcome(outcome) for outcome in spec.outcomes],
        "start": _start(spec),
        "search": {**_fields(spec.search, SearchSpec()), **spec.search.options},
        "schedule": {**_fields(spec.schedule, ScheduleSpec()), **spec.schedule.options},
        "checkpoint": _fields(spec.checkpoint, CheckpointSpec()),
        "budget": _fields(spec.budget, Budget()),
        "run": _fields(spec.run, RunSettings()),
    }
    kept = {key: value for key, value in tree.items() if value not in (None, {}, [])}
    return {**kept, "start": []} if spec.start == () else kept


def edit_spec(spec: StudySpec, changes: Sequence[tuple[str, str]]) -> StudySpec:
    """The spec with each (dotted path, text of a value) set, as `--set` does.

    Raises:
        BadInput: naming `--set path`, when the path or the spec that results is not valid.
    """
    return spec_from_tree(spec_to_tree(spec), place="the study", overrides=changes)


def _fields(
    section: SearchSpec | ScheduleSpec | CheckpointSpec | Budget | RunSettings, default: msgspec.Struct
) -> dict[str, Any]:
    """What a section sets beside its options; seconds as durations, under the name that a study file gives them."""
    fields: dict[str, Any] = {}
    for name in section.__struct_fields__:
        value = getattr(section, name)
        if name == "options" or value == getattr(default, name):
            continue
        if name.endswith(_UNIT_ENDING):
            fields[name.removesuffix(_UNIT_ENDING)] = format_duration(value)
        else:
            fields[name.removesuffix("_bytes")] = list(value) if isinstance(value, tuple) else value
    return fields


def _objectives(objectives: Sequence[Objective]) -> Any:
    trees = [_objective(objective) for objective in objectives]
    return trees[0] if len(trees) == 1 else trees


def _objective(objective: Objective) -> dict[str, Any]:
    goal = objective.goal if isinstance(objective.goal, str) else {"approach": objective.goal}
    return {"metric": objective.metric, "goal": goal} | (
        {} if objective.value == "last" else {"value": objective.value}
    )


def _outcome(outcome: Outcome) -> dict[str, Any]:
    bounds = {"at_most": outcome.at_most, "at_least": outcome.at_least}
    return {"metric": outcome.metric} | {key: bound for key, bound in bounds.items() if bound is not None}


def _start(spec: StudySpec) -> Any:
    if spec.start == "random":
        return None
    return spec.start if isinstance(spec.start, str) else [dict(point) for point in spec.start]


# ------------------------------------------------------------------------------------------------------ parameters


def _parameters(parameters: Sequence[Parameter]) -> dict[str, Any]:
    """The parameters by name, those of one group nested where that keeps the order."""
    tree: dict[str, Any] = {}
    names = {parameter.name for parameter in parameters}
    for parameter in parameters:
        holder, key = _place(tree, parameter.name, names)
        holder[key] = _domain(parameter)
    return tree


def _place(tree: dict[str, Any], name: str, names: Container[str]) -> tuple[dict[str, Any], str]:
    """The group that a parameter goes into, and its key there, which holds dots where no group will do."""
    holder, path, key = tree, "", name
    while "." in key:
        group, _, below = key.partition(".")
        path += group
        is_open = group not in holder or (isinstance(holder[group], _Group) and list(holder)[-1] == group)
        if path in names or not is_open or not _may_be_group(group, below):
            break
        holder, key, path = holder.setdefault(group, _Group()), below, f"{path}."
    return holder, key


class _Group(dict[str, Any]):
    """A mapping that holds parameters, not one that describes a domain. Only the last of its parent still grows."""


def _may_be_group(group: str, below: str) -> bool:
    """Whether a group of that name with that member reads back as a group, not as a domain or constant."""
    return bool(group and below) and below != "type" and below.partition(".")[0] != "value"


def _domain(parameter: Parameter) -> Any:
    if parameter.type == "constant":
        is_bare = parameter.values is None and not isinstance(parameter.value, dict)
        return parameter.value if is_bare else {"value": parameter.value}
    tree: dict[str, Any] = {}
    default = type(parameter)(name=parameter.name, type=parameter.type)
    for field in _DOMAIN_FIELDS:
        value = getattr(parameter, field)
        if field == "type" or value is not getattr(default, field):
            tree[field] = list(value) if field == "values" else value
    return {field: value for field, value in tree.items() if not (field == "scale" and value == "linear")}


# ------------------------------------------------------------------------------------------------------------ YAML


class _Inline(dict[str, Any]):
    """A mapping written on one line."""


_INLINE_SECTIONS = frozenset({"objective", "search", "schedule", "checkpoint", "budget", "run"})


def _inline(tree: dict[str, Any]) -> dict[str, Any]:
    """The tree with sections, domains and list items on one line each."""
    written: dict[str, Any] = {}
    for key, value in tree.items():
        if key == "parameters":
            written[key] = _inline_group(value)
        elif isinstance(value, list) and key != "command":
            written[key] = [_Inline(item) if isinstance(item, dict) else item for item in value]
        else:
            written[key] = _Inline(value) if key in _INLINE_SECTIONS and isinstance(value, dict) else value
    return written


def _inline_group(group: dict[str, Any]) -> dict[str, Any]:
    return {
        key: _inline_group(value) if isinstance(value, _Group) else _Inline(value) if isinstance(value, dict) else value
        for key, value in group.items()
    }


class _Dumper(yaml.SafeDumper):
    """Writes scalars so that `yamltext.resolve` gives them back, and no anchors."""

    def ignore_aliases(self, data: Any) -> bool:
        """Always: a study file repeats what is equal."""
        return True

    def resolve(self, kind: type[yaml.Node], value: Any, implicit: Any) -> str:
        """The tag that our reader gives a node which names none."""
        if kind is yaml.ScalarNode:
            is_merge = value == MERGE and implicit[0]
            return f"{_CORE}merge" if is_merge else _TAGS[type(resolve(value)) if implicit[0] else str]
        return f"{_CORE}seq" if kind is yaml.SequenceNode else f"{_CORE}map"


_CORE = "tag:yaml.org,2002:"
_TAGS = {
    type(None): f"{_CORE}null", bool: f"{_CORE}bool", int: f"{_CORE}int", float: f"{_CORE}float", str: f"{_CORE}str",
}  # fmt: skip


def _represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.Node:
    # Line breaks other than \n do not survive single quotes in PyYAML; escapes in double quotes do.
    style = None if text.isprintable() else '"'
    return dumper.represent_scalar(f"{_CORE}str", text, style=style)


def _represent_number(dumper: yaml.SafeDumper, number: float) -> yaml.Node:
    text = {"inf": ".inf", "-inf": "-.inf", "nan": ".nan"}.get(repr(number), repr(number))
    return dumper.represent_scalar(f"{_CORE}float", text)


def _represent_inline(dumper: yaml.SafeDumper, tree: _Inline) -> yaml.Node:
    return dumper.represent_mapping(f"{_CORE}map", tree, flow_style=True)


def _represent_list(dumper: yaml.SafeDumper, items: Any) -> yaml.Node:
    return dumper.represent_sequence(f"{_CORE}seq", items, flow_style=all(not isinstance(i, dict) for i in items))


_Dumper.add_representer(str, _represent_text)
_Dumper.add_representer(float, _represent_number)
_Dumper.add_representer(_Inline, _represent_inline)
_Dumper.add_representer(list, _represent_list)
_Dumper.add_representer(tuple, _represent_list)
