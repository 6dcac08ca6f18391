"""Stands for StudioML's package `studio` in a trial that Rung runs: `fs_tracker`, and a clear word for all else."""

from __future__ import annotations

import importlib.abc
import sys

COVERED = ("fs_tracker",)


def _missing(name: str) -> ImportError:
    """The error for what is not covered."""
    return ImportError(
        f"{name} is not covered by Rung's stand-in for StudioML, which has studio.fs_tracker only; install the real "
        "package studioml for the Python that runs the script, and that one is used"
    )


class _NotCovered(importlib.abc.MetaPathFinder):
    """Raises for the modules of StudioML that are not here."""

    def find_spec(self, fullname: str, path: object = None, target: object = None) -> None:
        """None for what is covered or is none of ours. Raises `ImportError`."""
        package, _, module = fullname.partition(".")
        if package == __name__ and module and module not in COVERED:
            raise _missing(fullname)


sys.meta_path.insert(0, _NotCovered())


def __getattr__(name: str) -> object:
    """Raises: nothing else is here (a module that is covered is imported after this)."""
    if name.startswith("__") or name in COVERED:
        raise AttributeError(name)
    raise _missing(f"studio.{name}")
