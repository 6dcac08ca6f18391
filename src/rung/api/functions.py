"""Whether `module:function` or `file.py:function` names something, found in the text alone: nothing is imported, since
importing runs the user's code."""

from __future__ import annotations

import ast
import sys
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path

from rung.dialects.names import nearest
from rung.model import BadInput


def check_function(target: str, *, cwd: Path) -> None:
    """The function is there, as far as that can be seen. Raises `BadInput` where it cannot be."""
    place, _, name = target.rpartition(":")
    path = cwd / place if place.endswith(".py") else module_file(place, cwd)
    if path is None:
        return
    if not path.is_file():
        raise BadInput(f"no such file: {path}", place=target)
    known = _names(path)
    if known is not None and name not in known:
        guess = nearest(name, known)
        hint = f"; did you mean `{guess}`?" if guess else ""
        raise BadInput(f"{path} has no function {name!r}{hint}", place=target)


def module_file(module: str, cwd: Path) -> Path | None:
    """The source of a module as a trial in `cwd` would import it; None where it has no text to look at."""
    folders: list[str] | None = [str(cwd), *sys.path]
    spec: ModuleSpec | None = None
    for part in _prefixes(module):
        if part in sys.builtin_module_names or folders is None:  # what a plain module holds is seen only by running it
            return None
        spec = PathFinder.find_spec(part, folders)
        if spec is None:
            raise BadInput(f"no module {part!r}; run from its folder, or install it", place=module)
        folders = None if spec.submodule_search_locations is None else list(spec.submodule_search_locations)
    origin = spec.origin if spec is not None else None
    return Path(origin) if origin is not None and origin.endswith(".py") else None


def _prefixes(module: str) -> list[str]:
    """`a.b.c` as `a`, `a.b`, `a.b.c`."""
    parts = module.split(".")
    return [".".join(parts[: end + 1]) for end in range(len(parts))]


def _names(path: Path) -> set[str] | None:
    """What the module binds at its top; None where that cannot be told from its text."""
    try:
        tree = ast.parse(path.read_bytes(), filename=str(path))
    except SyntaxError as error:
        raise BadInput(f"not Python: {error.msg}", place=f"{path}:{error.lineno}") from None
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom | ast.Import):
            found |= {(alias.asname or alias.name).partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.add(node.id)
    return None if found & {"*", "__getattr__"} else found
