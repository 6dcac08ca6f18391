"""Names that are not covered: asking for one is an error that says so, and the way around."""

from __future__ import annotations

import importlib
import importlib.util

TYPE_CHECKING = False  # importing typing costs every trial 3 ms
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

_PAGE = "docs/migrate/synetune.md lists what is covered"


def _is_module(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:  # what it would be in is no package
        return False


def missing(module: str, ways: Mapping[str, str] | None = None) -> Callable[[str], Any]:
    """A `__getattr__` for `module`: a name of `ways` raises `ImportError` with its way around, any other public name
    one with the page that lists what there is."""

    def no_such(name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(f"module {module!r} has no attribute {name!r}")
        if _is_module(f"{module}.{name}"):  # `from package import module` asks for the attribute first
            return importlib.import_module(f"{module}.{name}")
        way = (ways or {}).get(name, _PAGE)
        known_as = module[max(module.find("syne_tune"), 0) :]
        raise ImportError(f"{known_as}.{name} is not covered by Rung's stand-in for syne_tune: {way}")

    return no_such


def refusal(name: str, way: str) -> type:
    """A class that cannot be made: the error says that `name` is not covered, and the way around."""

    def refuse(self: object, *_: object, **__: object) -> None:
        raise NotImplementedError(f"{name} is not covered by Rung's stand-in for syne_tune: {way}")

    return type(name, (), {"__init__": refuse, "__doc__": f"Not covered: {way}."})
