"""Benchmark definitions: a function without arguments that says what is tuned, and the options that overrule it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from rung.dialects.names import did_you_mean
from rung.dialects.names import shown as quoted
from rung.dialects.synetune import importing, scripts
from rung.dialects.synetune.domains import first_points, to_parameters
from rung.dialects.synetune.values import GOALS, value_of, with_values
from rung.model import BadInput, Budget, Objective, Program, RunSettings, ScheduleSpec, StudySpec

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rung.dialects.base import Asked

_MENTIONS = ("syne_tune", "benchmarking", "BenchmarkDefinition")
"""A file that says none of these returns no definition, and nothing in it is called to find out."""
_NUMBERS = ("max_wallclock_time", "n_workers", "max_num_evaluations")
_TEXTS = ("metric", "mode", "max_resource_attr", "resource_attr", "script", "instance_type", "framework")
_OTHERS = ("points_to_evaluate",)
FIELDS = (*_NUMBERS, *_TEXTS, *_OTHERS)
"""Options that stand for keyword arguments of the function, and so for fields of what it returns."""
_CHOOSES = "benchmark"
MANY = 10_000
"""As many trials as a search may have that only its time ends."""


def names(path: Path, function: str, *, shown: str) -> tuple[str, ...] | None:
    """The options that a definition takes which `function` of the file returns; None where it returns none.

    They are its fields, the entries of its space, and `benchmark`, which chooses one of several.
    """
    found = _found(path, function, {}, shown)
    if not found:
        return None
    entries = [name for one in found.values() for name in one.get("config_space", ())]
    return tuple(dict.fromkeys([*FIELDS, *([] if "" in found else [_CHOOSES]), *entries]))


def read(path: Path, function: str, *, shown: str, asked: Asked) -> StudySpec | None:
    """The study of the definition that `function` of the file returns; None where it needs arguments or returns
    something else. `asked.values`: texts for the options that `names` lists.

    Raises `BadInput`: the file cannot be imported, or what it returns makes no study.
    """
    options = {name: _field(name, texts) for name, texts in asked.values.items() if name in FIELDS}
    found = _found(path, function, options, shown)
    if not found:
        return None
    chosen = _chosen(found, asked, shown)
    if "surrogate" in chosen:
        raise BadInput(
            f"is a definition on the table {chosen['surrogate']!r}; `rung simulate FILE --table T` searches a table",
            place=shown,
        )
    return _study(chosen, asked, shown)


def _found(path: Path, function: str, options: Mapping[str, Any], shown: str) -> dict[str, Any]:
    text = path.read_text("utf-8", "replace")
    if not any(word in text for word in _MENTIONS):
        return {}
    return importing.definitions_of(path, function, options, shown=shown)


def _field(name: str, texts: Sequence[str]) -> Any:
    if len(texts) > 1:
        raise BadInput("is given twice; give it once", place=f"--{name}")
    if name in _TEXTS:
        return texts[0]
    value = value_of(texts[0])
    if name in _NUMBERS and (isinstance(value, bool) or not isinstance(value, (int, float)) or value <= 0):
        raise BadInput(f"expected a number above 0, got {texts[0]!r}", place=f"--{name}")
    return value


def _chosen(found: Mapping[str, Any], asked: Asked, shown: str) -> Mapping[str, Any]:
    """The definition that is meant."""
    given = asked.values.get(_CHOOSES, ())
    if len(given) > 1:
        raise BadInput("is given twice; give it once", place=f"--{_CHOOSES}")
    if not given and len(found) > 1:
        raise BadInput(f"gives {len(found)} definitions: choose with --{_CHOOSES} {' | '.join(found)}", place=shown)
    name = given[0] if given else next(iter(found))
    if name not in found:
        raise BadInput(f"unknown benchmark {name!r}{did_you_mean(name, found)}", place=f"--{_CHOOSES}")
    return dict(found[name])


def _study(found: Mapping[str, Any], asked: Asked, shown: str) -> StudySpec:
    space = found["config_space"]
    if not isinstance(space, dict):
        raise BadInput(
            f"expected a dictionary of domains and constants, got {quoted(space)}", place=shown, key="config_space"
        )
    script = Path(found["script"])
    script = script if script.is_absolute() else (asked.folder or Path.cwd()) / script
    if not script.is_file():
        raise BadInput(f"no such file: {script}", place=shown, key="script")
    text = script.read_text("utf-8", "replace")
    try:
        parameters, start = to_parameters(space), first_points(found["points_to_evaluate"], space)
    except BadInput as error:
        raise BadInput(error.message, place=shown, key=error.key) from None
    given = {name: texts for name, texts in asked.values.items() if name not in (*FIELDS, _CHOOSES)}
    return StudySpec(
        program=Program(
            dialect="synetune",
            settings={
                "script": str(script.absolute()),
                "json": scripts.takes_json(text),
                "checkpoints": scripts.takes_checkpoints(text),
                "max_resource": found["max_resource_attr"],
                "remarks": _remarks(found),
            },
        ),
        parameters=with_values(parameters, given),
        objectives=_objectives(found, shown),
        start=start or "random",
        schedule=ScheduleSpec(resource=found["resource_attr"]),
        budget=_budget(found, shown),
        run=RunSettings(workers=_whole(found, "n_workers", shown) or 1, cwd=str(Path.cwd())),
    )


def _objectives(found: Mapping[str, Any], shown: str) -> tuple[Objective, ...]:
    """One for each metric; one mode is for all of them."""
    metrics, modes = found["metric"], found["mode"] or "min"
    names = metrics if isinstance(metrics, list) else [metrics]
    each = modes if isinstance(modes, list) else [modes] * len(names)
    if len(each) != len(names):
        raise BadInput(
            f"expected one mode, or one for each of {len(names)} metrics, got {len(each)}", place=shown, key="mode"
        )
    for name, mode in zip(names, each, strict=True):
        if not isinstance(name, str) or not name:
            raise BadInput(f"expected the name of a metric, got {quoted(name)}", place=shown, key="metric")
        if mode not in GOALS:
            raise BadInput(f"expected min or max, got {quoted(mode)}", place=shown, key="mode")
    return tuple(Objective(metric=n, goal=GOALS[mode], value="best") for n, mode in zip(names, each, strict=True))  # type: ignore[arg-type]


def _budget(found: Mapping[str, Any], shown: str) -> Budget:
    """The time, with room for as many trials as fit in it."""
    time_s = _number(found, "max_wallclock_time", shown)
    if time_s is None:
        return Budget()
    return Budget(time_s=time_s, trials=MANY, max_failures=max(10, 2 * (_whole(found, "n_workers", shown) or 1)))


def _number(found: Mapping[str, Any], name: str, shown: str) -> float | None:
    value = found[name]
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value < float("inf"):
        raise BadInput(f"expected a number above 0, got {quoted(value)}", place=shown, key=name)
    return float(value)


def _whole(found: Mapping[str, Any], name: str, shown: str) -> int | None:
    value = _number(found, name, shown)
    if value is not None and not value.is_integer():
        raise BadInput(f"expected a whole number, got {quoted(found[name])}", place=shown, key=name)
    return None if value is None else int(value)


def _remarks(found: Mapping[str, Any]) -> list[str]:
    if found["max_num_evaluations"] is None:
        return []
    return [f"max_num_evaluations={found['max_num_evaluations']} counts reports and is not used: say -n TRIALS"]
