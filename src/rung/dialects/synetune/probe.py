"""`python probe.py`: imports the file that the user named, and says what space or definition it holds.

Runs with the user's own Python, so it needs the standard library and `syne_tune` (the real one or the stand-in) alone.
It reads one JSON object from standard input: `file`, `function` (None: the file's `_config_space`), `options` (keyword
arguments for the function). The answer is the last line of standard output, one JSON object; what the user's code
prints goes to standard error.
"""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import json
import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType
    from typing import Any

_FIELDS = (
    "script", "config_space", "max_wallclock_time", "n_workers", "metric", "mode", "max_resource_attr", "resource_attr",
    "max_num_evaluations", "points_to_evaluate",
)  # fmt: skip


def main() -> None:
    """The answer is written."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what is printed on import is not the answer
    sys.path[:] = [place for place in sys.path if place != os.path.dirname(os.path.abspath(__file__))]  # noqa: PTH100, PTH120
    asked = json.load(sys.stdin)
    module = _imported(asked["file"])
    found = _space(module) if asked["function"] is None else _called(module, asked["function"], asked["options"])
    sys.stdout.flush()
    answers.write(f"\n{json.dumps(found, default=_plain)}\n")
    answers.flush()


def _imported(path: str) -> ModuleType:
    """The file as a module; one that lies in a package as a part of it, so that it finds its neighbours."""
    folder, file = os.path.split(path)
    name = os.path.splitext(file)[0]  # noqa: PTH122 - the user's Python may be any
    parts = [name]
    root = folder
    while os.path.isfile(os.path.join(root, "__init__.py")):  # noqa: PTH113, PTH118
        root, package = os.path.split(root)
        parts.insert(0, package)
    for place in (os.getcwd(), folder, root):  # noqa: PTH109
        if place not in sys.path:
            sys.path.insert(0, place)
    if len(parts) > 1:
        return importlib.import_module(".".join(parts))
    spec = importlib.util.spec_from_file_location(f"_named_{name}", path)
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _plain(value: Any) -> Any:
    """What JSON does not know: NumPy numbers are numbers, paths and all else are texts."""
    return value.item() if hasattr(value, "item") else str(value)


def _json(space: Any) -> Any:
    from syne_tune.config_space import config_space_to_json_dict  # type: ignore[import-not-found]

    return config_space_to_json_dict(space)


def _space(module: ModuleType) -> dict[str, Any]:
    texts = {name: value for name, value in vars(module).items() if name.isupper() and isinstance(value, str)}
    space = getattr(module, "_config_space", None)
    return {"space": _json(space) if isinstance(space, dict) else None, "names": texts}


def _called(module: ModuleType, name: str, options: dict[str, Any]) -> dict[str, Any]:
    """The definitions that the function returns, by name ("" where it returns one); none where it needs arguments,
    or returns something else."""
    function = getattr(module, name, None)
    if not callable(function) or _needs(function):
        return {"definitions": {}}
    found = function(**_accepted(function, options))
    several = found if isinstance(found, dict) else {"": found}
    kinds = {key: _definition(value, options) for key, value in several.items()}
    return {"definitions": {key: value for key, value in kinds.items() if value is not None}}


def _needs(function: Callable[..., Any]) -> bool:
    """Whether it cannot be called without arguments."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return True
    free = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    return any(item.default is item.empty and item.kind not in free for item in parameters)


def _accepted(function: Callable[..., Any], options: dict[str, Any]) -> dict[str, Any]:
    """Those of the options that the function takes as keywords; the rest replaces what it returns."""
    parameters = inspect.signature(function).parameters
    if any(item.kind is item.VAR_KEYWORD for item in parameters.values()):
        return options
    return {name: value for name, value in options.items() if name in parameters}


def _definition(value: Any, options: dict[str, Any]) -> dict[str, Any] | None:
    kind = type(value).__name__
    if kind == "SurrogateBenchmarkDefinition":
        return {"surrogate": getattr(value, "blackbox_name", None)}
    if kind != "RealBenchmarkDefinition":
        return None
    found = {name: getattr(value, name, None) for name in _FIELDS}
    found.update({name: given for name, given in options.items() if name in _FIELDS})
    return {**found, "script": str(found["script"]), "config_space": _json(found["config_space"])}


if __name__ == "__main__":
    main()
