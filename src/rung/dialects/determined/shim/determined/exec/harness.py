"""`python -m determined.exec.harness --train-entrypoint MODULE:CLASS`: a trial class is trained."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
import traceback
from typing import Any

from determined import _absent


def trial_class(entrypoint: str) -> Any:
    """The class that `module:Class` names, looked for in the working directory first.

    Raises `SystemExit` with one line when the module, or one that it imports, is not there, or it has no such class;
    `NotCovered` for a trial of a framework other than PyTorch.
    """
    name, _, path = entrypoint.partition(":")
    folder = os.getcwd()  # noqa: PTH109 - a text for sys.path
    if folder not in sys.path:
        sys.path.insert(0, folder)
    try:
        found: Any = importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is None:
            raise
        if not f"{name}.".startswith(f"{error.name}."):  # the module is there; something that it imports is not
            traceback.print_exc()
            raise SystemExit(
                f"{sys.executable} has no module {error.name!r}, which {name} needs: install it there, or put the "
                "Python of your project first on PATH"
            ) from None
        raise SystemExit(f"entrypoint {entrypoint}: there is no module {name} in {folder}") from None
    for part in path.split("."):
        found = getattr(found, part, None)
    if not isinstance(found, type):
        raise SystemExit(f"entrypoint {entrypoint}: {name} has no class {path}")
    from determined.pytorch import PyTorchTrial  # after the program's own imports: they say what is missing

    if not issubclass(found, PyTorchTrial):
        _absent.refuse(
            f"exec.harness for {path}, which is no PyTorchTrial", "write a PyTorchTrial or a Core API script"
        )
    return found


def main(argv: list[str]) -> int:
    """The trial class was trained up to where the study lets it run; returns the exit code."""
    parser = argparse.ArgumentParser(prog="determined.exec.harness")
    parser.add_argument("--train-entrypoint", required=True)
    entrypoint = parser.parse_args(argv).train_entrypoint
    from determined import _study

    if _study.current() is None:
        raise SystemExit(
            "a trial class runs within a study: `rung run experiment.yaml`; by itself, use det.pytorch.init()"
        )
    kind = trial_class(entrypoint)
    from determined.pytorch import Trainer, init

    with init() as context:
        Trainer(kind(context), context).fit()
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
