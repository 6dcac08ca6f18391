"""What can be started from the project folder, read for the form "New study": its parameters, each with the row that it
begins with, and the study that it is as it stands. Read only: nothing of it runs."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from rung.api.formrows import Declared, Kind, Known, Linear, Logspace, Multiple, Random, Range, Row, Single
from rung.api.projects import inside, unreadable
from rung.api.scripts import Option, Script, read_script
from rung.api.studyfiles import dialect_of, is_study_file, read_study_file
from rung.dialects import read_text
from rung.dialects.base import Asked
from rung.dialects.names import did_you_mean
from rung.dialects.synetune.driver_scripts import is_launcher
from rung.dialects.valohai.blueprints import Step, Task, read_blueprints
from rung.dialects.valohai.parameters import ParameterItem
from rung.dialects.valohai.tasks import BAYESIAN
from rung.model import BadInput, Parameter, StudySpec
from rung.plugins import plugin_files

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rung.dialects.valohai.styles import Variant

_KINDS: Mapping[str, Kind] = {"grid_search": "grid", "random_search": "random", "bayesian_tpe": "bayesian"}
_TYPES = {"int": "integer", "float": "float", "str": "string"}
_RANGES: Mapping[tuple[str, str], Any] = {
    ("float", "linear"): "uniform", ("float", "log"): "loguniform", ("int", "linear"): "int", ("int", "log"): "logint",
    ("normal", "linear"): "normal", ("lognormal", "linear"): "lognormal",
}  # fmt: skip


class Target(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is to be started: a file of the project folder, and which step or task of it."""

    file: str
    step: str | None = None
    task: str | None = None


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a target. `base`: the study that it is when nothing is said; `kind`: what sort of study that is;
    `kinds`: what sorts there can be."""

    target: Target
    path: Path
    dialect: str
    parameters: dict[str, Known]
    base: StudySpec
    kind: Kind
    kinds: tuple[Kind, ...] = ("single", "grid", "random", "bayesian")
    metrics: tuple[str, ...] = ()
    step: Step | None = None
    task: Task | None = None
    remarks: tuple[str, ...] = ()

    @property
    def word(self) -> str:
        """The target as a command line names it."""
        return f"./{self.target.file}" if self.target.file.startswith("-") else self.target.file


def found(folder: Path, target: Target) -> Found:
    """What the target is. Raises `BadInput`: it is none, it is not in the folder, or only running it would tell."""
    path = inside(folder, target.file)
    if path.suffix == ".py" and is_launcher(path.read_text("utf-8", "replace")):
        raise BadInput(f"makes its studies itself when it runs: rung run {target.file}", place=target.file)
    if path.suffix == ".py" and not is_study_file(target.file, cwd=folder.resolve()):
        _check_no_part(target, "a script")
        return _script(path, target)
    text = read_text(path)
    dialect = dialect_of(path, text, target.file)
    if path.suffix == ".py":
        problem = unreadable(text, target.file)
        if problem is not None:
            raise BadInput(problem, place=target.file)
    if dialect.name == "valohai":
        return _valohai(path, text, target)
    _check_no_part(target, f"a file of the format {dialect.name}")
    spec = read_study_file(path, target.file, Asked())
    for plugin in plugin_files(spec):
        raise BadInput(
            f"names the plug-in {plugin}, which is code that only a command line may load: rung run {target.file}",
            place=target.file,
        )
    return _study_file(path, target, dialect.name, spec)


def _check_no_part(target: Target, what: str) -> None:
    if target.step is not None or target.task is not None:
        raise BadInput(f"{what} has no steps and tasks", place=target.file)


# ----------------------------------------------------------------------------------------------------------- scripts


def _script(path: Path, target: Target) -> Found:
    script = read_script(path)
    options = {option.name: option for option in (*script.options, *script.declared) if not option.switch}
    switches = [option for option in script.options if option.switch and option.name not in options]
    if not options:
        raise BadInput("no options seen in its text that take a value; describe it in a study file", place=target.file)
    declared = {option.name for option in script.declared}
    return Found(
        target=target,
        path=path,
        dialect="script",
        parameters={
            **{name: _of_option(option, name in declared) for name, option in options.items()},
            **{option.name: _of_switch(option) for option in switches},
        },
        base=StudySpec(),
        kind="grid",
        metrics=_guessed(script),
    )


def _guessed(script: Script) -> tuple[str, ...]:
    """The metrics in its text, the one that is most likely meant first: what was reported or printed last."""
    return tuple(metric.name for metric in reversed(script.metrics))


def _of_option(option: Option, declared: bool) -> Known:
    """`declared`: one of the defaults given to `rung.params`, whose type is a guess."""
    default = option.initial
    scalar = default if isinstance(default, str | int | float | bool) else None
    kind = _TYPES.get(option.type or "", "any")
    if kind == "any" and isinstance(scalar, bool):
        kind = "flag"
    item = ParameterItem(name=option.name, type=kind, default=scalar, choices=option.choices)
    return Known(
        item=item,
        start=Single(name=option.name, value=scalar),
        help=option.help,
        whole=kind == "integer" or (declared and type(scalar) is int),
        required=option.required,
    )


def _of_switch(option: Option) -> Known:
    flags = tuple(f"--{name}" for name in (option.name, option.opposite) if name is not None)
    item = ParameterItem(name=option.name, type="any", choices=list(flags))
    return Known(item=item, start=Single(name=option.name), help=option.help, flags=flags)


# ------------------------------------------------------------------------------------------------------- study files


def _study_file(path: Path, target: Target, dialect: str, spec: StudySpec) -> Found:
    method = spec.search.method
    kind: Kind = "grid" if method == "grid" else "random" if method == "random" else "bayesian"
    if all(parameter.type == "constant" for parameter in spec.parameters):
        kind = "single"
    return Found(
        target=target,
        path=path,
        dialect=dialect,
        parameters={p.name: _of_parameter(p, kind) for p in spec.parameters},
        base=spec,
        kind=kind,
        metrics=tuple(dict.fromkeys(objective.metric for objective in spec.objectives)) or _metrics_beside(path, spec),
    )


def _metrics_beside(path: Path, spec: StudySpec) -> tuple[str, ...]:
    """What the script that a command names seems to report."""
    for word in (spec.command or ())[:3]:
        if word.endswith(".py") and "{" not in word and (path.parent / word).is_file():
            try:
                return _guessed(read_script(path.parent / word))
            except BadInput:
                return ()
    return ()


def _of_parameter(parameter: Parameter, kind: Kind) -> Known:
    types = {"int": "integer", "float": "float", "normal": "float", "lognormal": "float", "bool": "flag"}
    return Known(
        item=ParameterItem(name=parameter.name, type=types.get(parameter.type, "any")),
        start=_row_of(parameter, kind),
        base=parameter,
        whole=parameter.type == "int",
    )


def _row_of(p: Parameter, kind: Kind) -> Row:
    """The domain of the file as a row, where a row says it exactly; else the row that leaves it as it is."""
    name = p.name
    if p.type == "constant":
        plain = isinstance(p.value, str | int | float | bool)
        return Single(name=name, value=p.value) if plain else Declared(name=name)
    values = (False, True) if p.type == "bool" else p.values
    if values is not None:
        ascending = list(values) == sorted(values) if all(type(v) in {int, float} for v in values) else False
        exact = all(isinstance(v, str | int | float | bool) for v in values) and ascending == (p.type == "ordinal")
        if not exact or p.type == "bool":
            return Declared(name=name)
        if kind == "grid":
            return Multiple(name=name, values=list(values))
        return Range(name=name, kind="choice", values=list(values))
    range_kind = _RANGES.get((p.type, p.scale))
    if range_kind is None or p.count is not None or p.times is not None or (p.step is not None and p.scale == "log"):
        return Declared(name=name)
    given = {key: getattr(p, key) for key in ("min", "max", "mean", "sd", "step")}
    return Range(name=name, kind=range_kind, **{key: value for key, value in given.items() if value is not None})


# ----------------------------------------------------------------------------------------------------------- Valohai


def _valohai(path: Path, text: str, target: Target) -> Found:
    blueprints = read_blueprints(text, file=target.file)
    task = None
    if target.task is not None:
        task = blueprints.tasks.get(target.task)
        if task is None:
            raise BadInput(f"no task `{target.task}`{did_you_mean(target.task, blueprints.tasks)}", place=target.file)
        if target.step is not None and target.step != task.step:
            raise BadInput(f"task `{task.name}` is of step `{task.step}`", place=target.file)
    name = task.step if task is not None else target.step
    if name is None and len(blueprints.steps) == 1:
        name = next(iter(blueprints.steps))
    if name is None or name not in blueprints.steps:
        hint = did_you_mean(name, blueprints.steps) if name else f": one of {', '.join(blueprints.steps)}"
        raise BadInput(f"no step `{name}`{hint}" if name else f"which step{hint}", place=target.file)
    step = blueprints.steps[name]
    return _of_step(path, target, step, task)


def _of_step(path: Path, target: Target, step: Step, task: Task | None) -> Found:
    variants = {} if task is None else {variant.name: variant for variant in task.variants}
    listed = {name for one in task.sets for name in one} if task is not None else set()
    kind: Kind = "grid" if task is None else _KINDS.get(task.type, "grid")
    parameters = {}
    base = StudySpec(search=BAYESIAN)  # whose options count where it is chosen
    remarks: tuple[str, ...] = ()
    if task is not None:
        base = read_study_file(path, target.file, Asked(options={"task": (task.name,)}))
        if task.type == "manual_search":
            remarks = ("the task lists its parameter sets in the file: only what they leave out can be changed here",)
    own = {parameter.name: parameter for parameter in base.parameters}
    for item in step.parameters:
        start: Row = Single(name=item.name, value=item.default)
        if item.name in listed:
            start = Declared(name=item.name)
        elif item.name in variants:
            start = _row_of_variant(variants[item.name], kind)
        parameters[item.name] = Known(
            item=item, start=start, help=step.help.get(item.name), base=own.get(item.name), valohai=True,
            whole=item.type == "integer", required=item.is_required and task is None,
        )  # fmt: skip
    kinds: tuple[Kind, ...] = ("single", "grid", "random", "bayesian") if task is None else (kind,)
    script = _script_of(path, step)
    return Found(
        target=target, path=path, dialect="valohai", parameters=parameters, base=base, kind=kind, kinds=kinds,
        metrics=script, step=step, task=task, remarks=remarks,
    )  # fmt: skip


def _script_of(path: Path, step: Step) -> tuple[str, ...]:
    """What the scripts that the commands name seem to print."""
    for word in re.findall(r"[\w./-]+\.py", " ".join(step.command)):
        if (path.parent / word).is_file():
            try:
                return _guessed(read_script(path.parent / word))
            except BadInput:
                return ()
    return ()


def _row_of_variant(variant: Variant, kind: Kind) -> Row:
    """The row that says what the task's rules say."""
    name, rules = variant.name, dict(variant.rules)
    plain: dict[str, Any] = {
        key: value for key, value in rules.items() if key in _FIELDS.get(variant.style, ()) and value is not None
    }
    plain |= {
        new: rules[old] for old, new in _ALIASES.get(variant.style, {}).items() if old in rules and new not in plain
    }
    try:
        if variant.style == "single":
            return Single(name=name, value=rules.get("value"))
        if variant.style == "multiple":
            return msgspec.convert({"mode": "multiple", "name": name, "values": rules.get("items")}, Multiple)
        if variant.style == "random" and kind in {"random", "bayesian"} and rules.get("integerify") is not True:
            word = str(rules.get("distribution") or "uniform").lower()
            plain = {key: value for key, value in plain.items() if key in {"min", "max"}}
            return Range(name=name, kind="loguniform" if "log" in word else "uniform", **plain)
        if variant.style == "random":
            plain["distribution"] = "loguniform" if "log" in str(rules.get("distribution") or "").lower() else "uniform"
        tree = {"mode": variant.style, "name": name, **plain}
        row: Row = msgspec.convert(tree, {"linear": Linear, "logspace": Logspace, "random": Random}[variant.style])
        return row
    except (msgspec.ValidationError, KeyError):
        return Declared(name=name)


_FIELDS = {
    "linear": ("start", "end", "step"),
    "logspace": ("start", "end", "count", "base", "integerify"),
    "random": ("min", "max", "count", "seed", "integerify"),
}
_ALIASES = {"logspace": {"min": "start", "max": "end"}, "linear": {"min": "start", "max": "end"}}
