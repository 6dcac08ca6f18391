"""`python -m rung.inside.call TARGET [METRIC…]`: a Python objective as a program.

TARGET is `module:function` or `file.py:function`. The function gets the trial's parameters as a dict; the number it
returns is the last report of the first METRIC (`RUNG_METRIC` when none is given, else `value`), a dict is the last
report as it is, a tuple has one number for each METRIC. An error leaves its traceback on stderr and exit code 1.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
from collections.abc import Callable, Mapping, Sequence

from rung.inside import session, wire

Objective = Callable[[dict[str, object]], object]


class TargetError(Exception):
    """The target or what it returned cannot be used; the text is one line for the user."""


def load(target: str) -> Objective:
    """The function that `module:function` or `file.py:function` names. Raises `TargetError`."""
    place, _, name = target.rpartition(":")
    if not place or not name:
        raise TargetError(f"{target}: expected module:function or file.py:function")
    module = _from_file(place) if place.endswith(".py") else _from_module(place)
    found: object = module
    for part in name.split("."):
        found = getattr(found, part, None)
    if not callable(found):
        raise TargetError(f"{target}: {place} has no function {name!r}")
    return found


def _from_module(name: str) -> object:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{name}.".startswith(f"{error.name}."):
            raise  # the module is there; something that it imports is not
        raise TargetError(f"{name}: no module of that name; run from its folder or install it") from None


def _from_file(path: str) -> object:
    full = os.path.abspath(path)  # noqa: PTH100 - pathlib costs 4 ms at the start of every trial
    if not os.path.isfile(full):  # noqa: PTH113
        raise TargetError(f"{path}: no such file")
    folder, file = os.path.split(full)
    name = file.removesuffix(".py")
    if name in sys.modules:  # a script called json.py must not stand in for the real one
        name = f"_rung_{name}"
    if folder not in sys.path:
        sys.path.insert(0, folder)  # so that it imports its neighbours, as it would when run as a script
    spec = importlib.util.spec_from_file_location(name, full)
    if spec is None or spec.loader is None:
        raise TargetError(f"{path}: cannot be imported")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def run(objective: Objective, metrics: Sequence[str]) -> None:
    """The objective has run on the trial's parameters and what it returned is its last report."""
    at = session.current()
    before = at.reports
    result = objective(at.values())
    if result is None and at.reports > before:
        return  # it reported on the way and has nothing to add
    session.report(as_report(result, metrics))


def as_report(result: object, metrics: Sequence[str]) -> Mapping[str, object]:
    """The metrics that an objective's return value stands for. Raises `TargetError` for anything but numbers."""
    names = list(metrics) or [os.environ.get(wire.METRIC) or "value"]
    if isinstance(result, Mapping):
        if not result:
            raise TargetError("the objective returned an empty dict: expected at least one metric")
        return result
    if isinstance(result, (tuple, list)):
        if len(result) != len(names):
            raise TargetError(
                f"the objective returned {len(result)} values for {len(names)} metrics: {', '.join(names)}"
            )
        return dict(zip(names, result))  # noqa: B905 - lengths are equal
    try:
        wire.number(names[0], result)
    except TypeError:
        kind = type(result).__name__
        raise TargetError(f"the objective returned {kind}: expected a number or a dict of numbers") from None
    return {names[0]: result}


def exit_status(end: SystemExit) -> int:
    """The status with which Python would exit; a message goes to stderr, as Python does it."""
    if end.code is None or isinstance(end.code, int):
        return (end.code or 0) & 0xFF
    sys.stderr.write(f"{end.code}\n")
    return 1


def main(argv: Sequence[str]) -> int:
    """The objective named by `argv` ran; returns the exit code. The objective's own errors propagate."""
    if not argv:
        sys.stderr.write("usage: python -m rung.inside.call TARGET [METRIC...]\n")
        return 2
    try:
        run(load(argv[0]), argv[1:])
    except TargetError as error:
        sys.stderr.write(f"rung: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
