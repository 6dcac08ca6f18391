"""Which Python files are launchers: scripts that run a whole tuning themselves. Read, never run."""

from __future__ import annotations

import ast
import warnings

_PACKAGE = "syne_tune"
_WHOLE_RUNS = "syne_tune.experiments.launchers"  # its `main` makes the tuner


def is_launcher(text: str) -> bool:
    """Whether the script takes a `Tuner` from `syne_tune`, or a `main` that makes one. Never raises."""
    if _PACKAGE not in text:
        return False
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what a script's own text is worth a warning for is Python's to say
            tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return any(_launches(node) for node in ast.walk(tree))


def _launches(node: ast.AST) -> bool:
    if isinstance(node, ast.ImportFrom) and node.level == 0:
        module = node.module or ""
        tuner = module in {_PACKAGE, f"{_PACKAGE}.tuner"} and any(name.name == "Tuner" for name in node.names)
        return tuner or _within(module, _WHOLE_RUNS) or _imports_main(module, node)
    if isinstance(node, ast.Import):
        return any(_within(name.name, _WHOLE_RUNS) for name in node.names)
    return isinstance(node, ast.Attribute) and ast.unparse(node) in {f"{_PACKAGE}.Tuner", f"{_PACKAGE}.tuner.Tuner"}


def _imports_main(module: str, node: ast.ImportFrom) -> bool:
    return module == "syne_tune.experiments" and any(name.name == "launchers" for name in node.names)


def _within(module: str, package: str) -> bool:
    return module == package or module.startswith(f"{package}.")
