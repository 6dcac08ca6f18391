"""W&B sweeps: `sweep.yaml` with `method`, `metric`, `parameters`, `early_terminate`, `command`, `run_cap`.

Source of the rules: the page "Sweep configuration options" of W&B's documentation.
"""

from __future__ import annotations

import json
import os
import re
from typing import TYPE_CHECKING, Any

from rung.dialects.base import NOTHING_ASKED, Asked
from rung.dialects.foreign import Foreign
from rung.dialects.sweeps import spaces
from rung.dialects.sweeps.spaces import Domains
from rung.execute.base import Launch
from rung.model import BadInput, Budget, Objective, Parameter, Program, ScheduleSpec, SearchSpec, StudySpec

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from rung.dialects.values import Value
    from rung.execute.base import Place

_METHODS = {"grid": "grid", "random": "random", "bayes": "gp"}
_SAID_ELSEWHERE = ("name", "description", "project", "entity", "$schema")
"""Keys that say nothing of how the search goes."""
_KEYS = ("program", "method", "metric", "parameters", "early_terminate", "command", "run_cap", *_SAID_ELSEWHERE)
_DEFAULT_COMMAND = ("${env}", "${interpreter}", "${program}", "${args}")
_MACRO = re.compile(r"\$\{([^}]*)\}")
_WHOLE = ("args", "args_no_hyphens", "args_no_boolean_flags", "args_json")
_PARTS = ("env", "interpreter", "program", "args_json_file")
_ARGS_FILE = "args.json"


class WandbDialect(Foreign):
    """The dialect of W&B's sweep configurations."""

    name = "wandb"
    takes_command = True

    def detect(self, path: Path, text: str, tree: Any) -> bool:
        """Whether it has a method of W&B's and parameters."""
        return spaces.is_mapping_of(tree, "method", "parameters") and tree["method"] in (*_METHODS, "custom")

    def read(self, text: str, *, file: str, asked: Asked = NOTHING_ASKED) -> StudySpec:
        """The study that a sweep configuration describes. Raises `BadInput` with `file:line` and the key."""
        root = spaces.root_of(text, file)
        fields = root.fields(_KEYS, "a mapping with `method` and `parameters`")
        spaces.only(fields, "method", "parameters", within=root)
        domains = Domains()
        _parameters(fields["parameters"], domains, "")
        metric = _metric(fields["metric"]) if "metric" in fields else (None, None)
        command = spaces.asked_command(asked, domains.parameters)
        return StudySpec(
            command=command,
            program=None if command else _program(root, fields, domains, asked.folder),
            parameters=domains.checked(),
            objectives=() if metric[0] is None else (metric[0],),
            search=SearchSpec(method=_METHODS[fields["method"].word(_METHODS, "method")]),
            schedule=_early_terminate(fields["early_terminate"]) if "early_terminate" in fields else ScheduleSpec(),
            budget=Budget(trials=fields["run_cap"].whole(1) if "run_cap" in fields else None, target=metric[1]),
            run=spaces.where(asked),
        )

    def launch(self, spec: StudySpec, params: Mapping[str, Any], place: Place) -> Launch:
        """The command with W&B's macros filled in: `--name=value` for each top-level parameter, values as Python prints
        them, nested parameters as one mapping."""
        words = (spec.program.settings if spec.program else {}).get("command")
        if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
            raise BadInput("expected the command as a list of texts", key="program.command")
        path = f"{place.directory}/{_ARGS_FILE}"
        config = _nested(params, (spec.program.settings if spec.program else {}).get("paths") or {})
        argv = [part for word in words for part in _filled(word, config, path)]
        return Launch(argv=tuple(argv), files={_ARGS_FILE: json.dumps(config, ensure_ascii=False) + "\n"})


# ---------------------------------------------------------------------------------------------------------- parameters


def _parameters(value: Value, domains: Domains, prefix: str) -> None:
    for key in value.tree("a mapping from parameters to domains"):
        item = value.child(key)
        if "parameters" in item.tree("a mapping with value, values, min and max, or distribution"):
            item.fields(("parameters",))
            _parameters(item.child("parameters"), domains, f"{prefix}{key}.")
        else:
            domains.add(_parameter(f"{prefix}{key}", item), item)


_FIELDS: dict[str, tuple[str, ...]] = {
    "constant": ("value",),
    "categorical": ("values",),
    "int_uniform": ("min", "max"),
    "uniform": ("min", "max"),
    "q_uniform": ("min", "max", "q"),
    "log_uniform": ("min", "max"),
    "log_uniform_values": ("min", "max"),
    "q_log_uniform": ("min", "max", "q"),
    "q_log_uniform_values": ("min", "max", "q"),
    "inv_log_uniform": ("min", "max"),
    "inv_log_uniform_values": ("min", "max"),
    "normal": ("mu", "sigma"),
    "log_normal": ("mu", "sigma"),
}
_REFUSED = ("beta", "q_beta", "q_normal", "q_log_normal", "categorical_w_probabilities")
_DEFAULTS = {"mu": 0, "sigma": 1, "q": 1}


def _parameter(name: str, item: Value) -> Parameter:
    kind = _distribution(item)
    known = _FIELDS[kind]
    item.fields((*known, "distribution"))
    for key in known:
        if key not in item.value and key not in _DEFAULTS:
            raise item.error(f"missing; {kind} needs {' and '.join(k for k in known if k not in _DEFAULTS)}", key)
    if kind == "constant":
        return spaces.constant(name, item.child("value"))
    if kind == "categorical":
        return spaces.choice(name, item.child("values"))
    if kind in {"normal", "log_normal"}:
        mu, sigma = (_given(item, key) for key in ("mu", "sigma"))
        return spaces.gaussian(name, mu, sigma, log=kind == "log_normal")
    return _range(name, kind, item)


def _distribution(item: Value) -> str:
    if "probabilities" in item.value:
        raise item.error("weights of values cannot be mapped; leave them out, or give `prior:` in a study file of ours",
                         "probabilities")  # fmt: skip
    if item.value.get("distribution") is not None:
        found = item.child("distribution")
        if found.value in _REFUSED:
            raise found.error(f"{found.value} cannot be mapped; take uniform, q_uniform, normal or values instead")
        return found.word(_FIELDS, "distribution")
    if "value" in item.value:
        return "constant"
    if "values" in item.value:
        return "categorical"
    if "min" in item.value and "max" in item.value:
        is_whole = all(type(item.value[key]) is int for key in ("min", "max"))
        return "int_uniform" if is_whole else "uniform"
    raise item.error("expected value, values, min and max, distribution, or nested parameters")


def _given(item: Value, key: str) -> float | int:
    return spaces.number(item.child(key)) if key in item.value else _DEFAULTS[key]


def _range(name: str, kind: str, item: Value) -> Parameter:
    low, high = item.child("min"), item.child("max")
    if kind == "int_uniform":
        return spaces.integers(name, low, high)
    if kind in {"uniform", "log_uniform_values", "inv_log_uniform_values"}:  # the inverse of a log-uniform is one
        return spaces.interval(name, low, high, log=kind != "uniform")
    bounds = spaces.ordered(low, high)
    if kind == "inv_log_uniform":
        bounds = (-bounds[1], -bounds[0])
    is_exponent = kind in {"log_uniform", "q_log_uniform", "inv_log_uniform"}
    least, most = (spaces.exponential(low, each) for each in bounds) if is_exponent else bounds
    if not kind.startswith("q_"):
        return Parameter(name=name, type="float", min=least, max=most, scale="log")
    if kind == "q_log_uniform_values" and least <= 0:
        raise low.error(f"must be above 0 on a log scale, got {low.spelt()}")
    quantum = item.child("q") if "q" in item.value else type(item)(1, item.path, item.positions)
    return spaces.quantised(name, least, most, quantum, rounding="nearest", log=kind != "q_uniform")


# ------------------------------------------------------------------------------------------------------------ the rest


def _metric(value: Value) -> tuple[Objective | None, float | None]:
    """The objective, and the value at which the sweep is over."""
    fields = value.fields(("name", "goal", "target"))
    spaces.only(fields, "name", within=value)
    goal: Any = fields["goal"].word(("minimize", "maximize"), "goal") if "goal" in fields else "minimize"
    target = fields["target"].number() if "target" in fields else None
    return Objective(metric=fields["name"].text("the name of a metric"), goal=goal), target


def _early_terminate(value: Value) -> ScheduleSpec:
    """Hyperband as W&B has it: stopping at brackets, which are ASHA's rungs. From `min_iter` upwards by `eta`, or the
    `s` brackets below `max_iter`."""
    fields = value.fields(("type", "min_iter", "max_iter", "s", "eta", "strict"))
    spaces.only(fields, "type", within=value)
    fields["type"].word(("hyperband",), "type")
    if "strict" in fields and fields["strict"].value is not False:
        raise fields["strict"].error("cannot be mapped; take it out")
    eta = fields["eta"].number() if "eta" in fields else 3.0
    if eta <= 1:
        raise fields["eta"].error(f"must be above 1, got {fields['eta'].spelt()}")
    exact: Any = int(eta) if eta == int(eta) else eta
    if "min_iter" in fields:
        for key in ("max_iter", "s"):
            if key in fields:
                raise fields[key].error("stands beside `min_iter`; give either of the two forms")
        return ScheduleSpec(method="asha", options={"min": fields["min_iter"].whole(1), "eta": exact})
    spaces.only(fields, "max_iter", "s", within=value)
    top, count = fields["max_iter"].whole(1), fields["s"].whole(1)
    levels = sorted({int(top / eta**power) for power in range(1, min(count, 64) + 1)} - {0})
    if not levels:
        raise fields["max_iter"].error("leaves no bracket at a whole iteration")
    return ScheduleSpec(method="asha", options={"levels": levels, "eta": exact})


def _program(root: Value, fields: Mapping[str, Value], domains: Domains, folder: Path | None) -> Program | None:
    """The command with its macros, and the path of each nested parameter; None where the file names no program."""
    if "command" not in fields and "program" not in fields:
        return None
    words = list(_DEFAULT_COMMAND)
    if "command" in fields:
        words = [
            item.without_nul() if isinstance(item.value, str) else item.spelt()
            for item in fields["command"].elements("a list of words")
        ]
        if not words:
            fields["command"].expected("a list of words")
    program = fields["program"].text("the path of a script") if "program" in fields else None
    if program is not None and folder is not None and program.endswith(".py") and not (folder / program).is_file():
        raise fields["program"].error(f"the script {program} does not exist in {folder}")
    filled = []
    for index, word in enumerate(words):
        place = fields["command"].child(index) if "command" in fields else root
        filled += _settled(word, place, program)
    return Program(dialect=WandbDialect.name, settings={"command": filled, "paths": _paths(domains)})


def _paths(domains: Domains) -> dict[str, list[str]]:
    """Of each nested parameter, the keys that lead to it: `parameters.a.parameters.b` is a and b."""
    found = {name: [str(key) for key in place.path[1::2]] for name, place in domains.places.items()}
    return {name: keys for name, keys in found.items() if len(keys) > 1}


def _settled(word: str, place: Value, program: str | None) -> list[str]:
    """A word with the macros that are the same for every trial filled in."""
    for name in _MACRO.findall(word):
        if name in _WHOLE and word != f"${{{name}}}":
            raise place.error(f"${{{name}}} must be a word of its own")
        if name not in (*_WHOLE, *_PARTS) and not name.startswith("envvar:"):
            raise place.error(f"unknown macro ${{{name}}}; known: {', '.join((*_PARTS, *_WHOLE))}, envvar:NAME")
        if name == "program" and program is None:
            raise place.error("${program} needs the key `program`")
    fixed = {"${env}": "/usr/bin/env", "${interpreter}": "python", "${program}": program or ""}
    for macro, text in fixed.items():
        word = word.replace(macro, text)
    return [word]


def _filled(word: str, config: Mapping[str, Any], path: str) -> list[str]:
    """The words that one of the command becomes in a trial."""
    if word == "${args_no_hyphens}":
        return [f"{name}={value}" for name, value in config.items()]
    if word == "${args}":
        return [f"--{name}={value}" for name, value in config.items()]
    if word == "${args_json}":
        return [json.dumps(config)]
    if word == "${args_no_boolean_flags}":
        flags = {name: value for name, value in config.items() if value is not False}
        return [f"--{name}" if value is True else f"--{name}={value}" for name, value in flags.items()]
    word = word.replace("${args_json_file}", path)
    return [re.sub(r"\$\{envvar:([^}]*)\}", lambda found: os.environ.get(found[1], ""), word)]


def _nested(params: Mapping[str, Any], paths: Mapping[str, list[str]]) -> dict[str, Any]:
    """The parameters, nested ones in mappings."""
    tree: dict[str, Any] = {}
    for name, value in params.items():
        *groups, key = paths.get(name) or [name]
        holder = tree
        for group in groups:
            holder = holder.setdefault(group, {})
        holder[key] = value
    return tree
