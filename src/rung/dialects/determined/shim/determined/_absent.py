"""What this stand-in does not have: each is an error that names it and says what to do instead."""

from __future__ import annotations

import importlib.abc
import sys
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from collections.abc import Sequence
    from importlib.machinery import ModuleSpec
    from types import ModuleType

WAYS = {
    "experimental": "there is no master to talk to: use `rung trials`, `rung best`, `rung checkpoint export`",
    "keras": "write a Core API script around model.fit: det.core.init(), train.report_validation_metrics()",
    "estimator": "write a Core API script around the estimator: det.core.init(), train.report_validation_metrics()",
    "transformers": "report from a TrainerCallback of your own: det.core.init(), train.report_validation_metrics()",
    "pytorch.deepspeed": "write a Core API script that calls deepspeed itself",
    "pytorch.lightning": "write a Core API script around the Lightning trainer, or a PyTorchTrial",
    "pytorch.experimental": "write the loop over the batches as a Core API script",
    "pytorch.dsat": "search the DeepSpeed settings as hyperparameters",
    "launch.deepspeed": "give the script itself as the entrypoint; it may start deepspeed",
    "searcher": "a search method of your own is a plug-in of Rung (docs/plugins.md)",
    "common": "there is no master to talk to: use `rung` on the command line, or `import rung`",
    "cli": "use `rung` on the command line",
}
OTHERWISE = "use what det.pytorch and det.core have, or report by rung.report()"


class NotCovered(NotImplementedError):
    """Rung's stand-in for `determined` does not have this; the text names it and the way around."""


class ModuleNotCovered(ModuleNotFoundError):
    """As `NotCovered`, for a module: also an `ImportError`, for programs that try and go without."""


class AttributeNotCovered(AttributeError):
    """As `NotCovered`, for a name in a module: also an `AttributeError`, for programs that look whether it is there."""


def way_around(name: str) -> str:
    """What to do instead of `determined.NAME`."""
    parts = name.split(".")
    known = (".".join(parts[:count]) for count in range(len(parts), 0, -1))
    return next((WAYS[part] for part in known if part in WAYS), OTHERWISE)


def text(name: str, instead: str | None = None) -> str:
    """The message for `determined.NAME`."""
    return f"determined.{name} is not covered by Rung's stand-in for Determined: {instead or way_around(name)}"


def refuse(name: str, instead: str | None = None) -> NoReturn:
    """Raises `NotCovered` for `determined.NAME`."""
    raise NotCovered(text(name, instead))


def attribute(module: str, name: str) -> NoReturn:
    """Raises what `module.NAME` of this package deserves: what Python itself asks for is simply not there."""
    if name.startswith("__"):
        raise AttributeError(f"module {module!r} has no attribute {name!r}")
    raise AttributeNotCovered(text(f"{module}.{name}".partition(".")[2]))


class _Finder(importlib.abc.MetaPathFinder):
    """Asked last: what is below `determined` and was found nowhere is not covered."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Nothing for other packages. Raises `ModuleNotCovered` for a module of this one."""
        package, _, name = fullname.partition(".")
        if package == "determined" and name and not name.rpartition(".")[2].startswith("__"):
            raise ModuleNotCovered(text(name))  # without `name=`: `from determined import X` would say less
        return None


def install() -> None:
    """A module that is not covered says so when it is imported."""
    if not any(isinstance(finder, _Finder) for finder in sys.meta_path):
        sys.meta_path.append(_Finder())
