"""`--inject source`: a trial runs in a private copy of its working directory, with its values in the script's text."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from rung.execute.base import Launch
from rung.inside import wire, workspace
from rung.inside.substitution import counted
from rung.model import BadInput

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rung.execute.base import Place
    from rung.model import StudySpec

PROGRAM = str(Path(workspace.__file__))


class Script(NamedTuple):
    """The one file that is substituted. `path`: relative to the working directory; `at`: which word of the command
    begins with it, None where none does (a module); `tail`: what follows it in that word (`:function`)."""

    path: str
    at: int | None = None
    tail: str = ""


def script_in(argv: Sequence[str], cwd: str) -> Script:
    """The script that a command line runs, in the directory `cwd`.

    Raises:
        BadInput: it runs none that lies in there.
    """
    top = Path(cwd)
    for index in [*range(1, len(argv)), 0] if argv else ():
        word = argv[index]
        file, colon, function = word.rpartition(":") if ":" in word else (word, "", "")
        path = Path(top, file)
        if path.is_file() and path.is_relative_to(top) and ".." not in path.parts:
            return Script(str(path.relative_to(top)), index, colon + function)
        if (colon or (index and argv[index - 1] == "-m")) and (found := _module(file, top)):
            return Script(found)
    raise BadInput(
        f"`source` puts values into the script of a study, and the command names none in {cwd}; run it from the "
        "script's folder, or take args, env or file",
        place="--inject",
    )


def _module(name: str, top: Path) -> str | None:
    """The file of a module in the directory, relative; None where it is not there."""
    if not all(part.isidentifier() for part in name.split(".")):
        return None
    base = Path(*name.split("."))
    for path in (base.with_suffix(".py"), base / "__main__.py"):
        if (top / path).is_file():
            return str(path)
    return None


def plan_of(
    spec: StudySpec, argv: Sequence[str], script: Script, values: Mapping[str, Any], *, cwd: str
) -> dict[str, Any]:
    """What `source.json` says to the program that makes the copy (see `rung.inside.workspace.Plan`)."""
    words = {p.name: list(p.values or (p.value,)) for p in spec.parameters if _has_words(p.values or (p.value,))}
    return {
        "cwd": cwd, "script": script.path, "values": wire.to_wire(dict(values)), "words": words, "argv": list(argv),
        "at": script.at, "tail": script.tail,
    }  # fmt: skip


def _has_words(values: Sequence[Any]) -> bool:
    return any(isinstance(value, str) for value in values)


def launched(spec: StudySpec, argv: Sequence[str], params: Mapping[str, Any], place: Place) -> Launch:
    """How `argv` is started in a copy, its script substituted. Raises `BadInput` where it runs no script."""
    cwd = place.cwd or str(Path.cwd())
    plan = plan_of(spec, argv, script_in(argv, cwd), params, cwd=cwd)
    return Launch(
        argv=(sys.executable, "-I", PROGRAM), files={workspace.PLAN: f"{json.dumps(plan, allow_nan=False)}\n"},
        shown=tuple(argv),
    )  # fmt: skip


def unused(text: str, names: Sequence[str]) -> list[str]:
    """The parameters that no place in the script's text would take."""
    return [name for name, count in counted(text, names).items() if not count]


def no_place(name: str, script: str) -> str:
    """What is to be said of a parameter that the script has no place for."""
    return (
        f"no place in {script} takes it: `{name}` is replaced where no `=` follows on its line, as in `print({name})`"
    )
