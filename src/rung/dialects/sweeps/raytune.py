"""Ray Tune search spaces as JSON or YAML: `{"lr": {"loguniform": [1e-4, 0.1]}, "layers": {"grid_search": [1, 2]}}`.

Ray has no file format of its own for sampled domains. What is read is its documented `{"grid_search": [...]}`, and each
function of `ray.tune` the same way: its name as the one key of a mapping, its arguments as a list, or by name. Such a
mapping may stand under `param_space` (or `config`), with `metric`, `mode` and `num_samples` of `TuneConfig` beside it,
there or under `tune_config`. Source of the rules: "Tune Search Space API" of Ray's documentation.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rung.dialects.base import NOTHING_ASKED, Asked
from rung.dialects.foreign import Foreign
from rung.dialects.sweeps import spaces
from rung.dialects.sweeps.spaces import Domains
from rung.model import Budget, Objective, SearchSpec, StudySpec

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from rung.dialects.values import Value
    from rung.model import Parameter

_ARGUMENTS: dict[str, tuple[str, ...]] = {
    "uniform": ("lower", "upper"),
    "quniform": ("lower", "upper", "q"),
    "loguniform": ("lower", "upper", "base"),
    "qloguniform": ("lower", "upper", "q", "base"),
    "randn": ("mean", "sd"),
    "randint": ("lower", "upper"),
    "qrandint": ("lower", "upper", "q"),
    "lograndint": ("lower", "upper", "base"),
    "qlograndint": ("lower", "upper", "q", "base"),
}
_LISTS = ("choice", "grid_search")
_REFUSED = {
    "qrandn": "a rounded normal distribution cannot be mapped; take randn or quniform",
    "sample_from": "runs Python code, which a file cannot hold; take a choice of its values",
    "eval": "runs Python code, which is not done for a file; take a choice of its values",
}
_FUNCTIONS = (*_ARGUMENTS, *_LISTS, *_REFUSED)
_TUNER = ("param_space", "config", "tune_config")
_CONFIG = ("metric", "mode", "num_samples", "max_concurrent_trials")


class RayTuneDialect(Foreign):
    """The dialect of Ray Tune's search spaces."""

    name = "raytune"
    takes_command = True

    def detect(self, path: Path, text: str, tree: Any) -> bool:
        """Whether a mapping in it has a function of `ray.tune` as its one key."""
        return isinstance(tree, dict) and not {"parameters", "program", "command"} & set(tree) and _is_space(tree)

    def read(self, text: str, *, file: str, asked: Asked = NOTHING_ASKED) -> StudySpec:
        """The study that a search space describes. Raises `BadInput` with `file:line` and the key."""
        root = spaces.root_of(text, file)
        space, config = _parts(root)
        domains = Domains()
        grids = _read(space, domains, ())
        parameters = domains.checked()
        samples = config["num_samples"].whole(1) if "num_samples" in config else None
        drawn = [p.name for p in parameters if p.type != "constant" and p.name not in grids]
        if grids and drawn:
            raise domains.places[grids[0]].error(
                f"grid_search beside {drawn[0]}, which is drawn, cannot be mapped; make both choices, or both grids"
            )
        search = SearchSpec(method="grid", repeats=samples or 1) if grids else SearchSpec()
        return StudySpec(
            command=spaces.asked_command(asked, domains.parameters),
            parameters=parameters,
            objectives=_objectives(config),
            search=search,
            budget=Budget(trials=None if grids else samples),
            run=spaces.where(asked),
        )


def _is_space(tree: Any) -> bool:
    if not isinstance(tree, dict):
        return False
    if len(tree) == 1 and (key := next(iter(tree))) in _FUNCTIONS:
        return isinstance(tree[key], list) or (isinstance(tree[key], dict) and not _is_space(tree[key]))
    return any(_is_space(item) for item in tree.values())


def _parts(root: Value) -> tuple[Value, Mapping[str, Value]]:
    """The search space, and what is said beside it."""
    tree = root.tree("a mapping from names to domains")
    key = next((key for key in ("param_space", "config") if isinstance(tree.get(key), dict)), None)
    if key is None:
        return root, {}
    fields = root.fields((key, "tune_config", *_CONFIG))
    inner = fields["tune_config"].fields(_CONFIG) if "tune_config" in fields else {}
    return root.child(key), {**fields, **inner}


def _objectives(config: Mapping[str, Value]) -> tuple[Objective, ...]:
    if "metric" not in config:
        return ()
    goals: dict[str, Any] = {"min": "minimize", "max": "maximize"}
    goal: Any = goals[config["mode"].word(goals, "mode")] if "mode" in config else "minimize"
    return (Objective(metric=config["metric"].text("the name of a metric"), goal=goal),)


def _read(value: Value, domains: Domains, path: tuple[str, ...]) -> list[str]:
    """Adds what `value` holds; returns the names that are a grid."""
    if not isinstance(value.value, dict):
        domains.add(spaces.constant(".".join(path), value), value)
        return []
    if len(value.value) == 1 and path and (key := next(iter(value.tree()))) in _FUNCTIONS:
        domains.add(_domain(".".join(path), key, value.child(key)), value)
        return [".".join(path)] if key == "grid_search" else []
    return [name for key in value.tree() for name in _read(value.child(key), domains, (*path, key))]


def _domain(name: str, function: str, given: Value) -> Parameter:
    if function in _REFUSED:
        raise given.error(_REFUSED[function])
    if function in _LISTS:
        named = isinstance(given.value, dict) and next(iter(given.value), None)
        return spaces.choice(name, given.child(named) if named in {"categories", "values"} else given)
    arguments = _arguments(given, function)
    if function == "randn":
        mean, sd = (spaces.number(arguments[key]) if key in arguments else at for key, at in (("mean", 0), ("sd", 1)))
        return spaces.gaussian(name, mean, sd)
    low, high = arguments["lower"], arguments["upper"]
    log = "log" in function
    if function.startswith("q"):
        bounds = spaces.ordered(low, high)
        if "int" in function:
            bounds = spaces.whole(low), spaces.whole(high)
        return spaces.quantised(name, *_typed(function, bounds), arguments["q"], rounding="inwards", log=log)
    if "int" in function:
        return spaces.integers(name, low, high, log=log, open_end=True)
    return spaces.interval(name, low, high, log=log)


def _typed(function: str, bounds: tuple[float | int, float | int]) -> tuple[float | int, float | int]:
    return bounds if "int" in function else (float(bounds[0]), float(bounds[1]))


def _arguments(given: Value, function: str) -> dict[str, Value]:
    """The arguments by name, whether given as a list or by name. The base of a logarithm makes no difference."""
    names = _ARGUMENTS[function]
    if isinstance(given.value, dict):
        found = given.fields(names)
    else:
        elements = given.elements(f"the arguments {', '.join(names)} as a list, or by name")
        if len(elements) > len(names):
            raise given.error(f"{function} takes {', '.join(names)}, got {len(elements)} arguments")
        found = dict(zip(names, elements, strict=False))
    for name in names:
        if name not in found and name not in {"base", "mean", "sd"}:
            raise given.error(f"missing {name}: {function} takes {', '.join(names)}")
    return found
