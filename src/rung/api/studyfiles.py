"""Study files of any dialect: which dialect a file is written in, and what it says together with the command line."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from rung.dialects import RungDialect, edit_spec, read_text
from rung.dialects.base import NOTHING_ASKED, Asked
from rung.dialects.documents import parse
from rung.model import BadInput
from rung.plugins import find, names
from rung.space import parse_range

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rung.dialects.base import Dialect
    from rung.model import Parameter, Program, StudySpec

STUDY_FILES = frozenset({".yaml", ".yml", ".json", ".toml", ".jsonnet", ".libsonnet"})
OF_DIALECTS = ("step", "task", "style", "config")
"""Options that only files of other tuners have a meaning for."""


def remarks_on(spec: StudySpec) -> tuple[str, ...]:
    """What the dialect of the study's program has to say before it starts."""
    return () if spec.program is None else tuple(find("dialects", spec.program.dialect)().remarks(spec))


def is_study_file(target: str | None, *, cwd: Path) -> bool:
    """Whether TARGET is a study file, ours or another tuner's, or a script that a dialect reads as one."""
    if target is None or not (cwd / target).is_file():
        return False
    if Path(target).suffix.lower() in STUDY_FILES:
        return True
    return target.endswith(".py") and script_dialect(cwd / target) is not None


def script_dialect(path: Path) -> Dialect | None:
    """The dialect of a Python file that declares a study; None for a plain script."""
    text: str | None = None
    for name in names("dialects"):
        dialect: Dialect = find("dialects", name)()
        if dialect.scripts:
            text = path.read_text("utf-8", "replace") if text is None else text
            if dialect.detect(path, text, None):
                return dialect
    return None


def script_program(path: Path) -> Program | None:
    """How a Python script that declares no study is started, where a dialect knows; None for a plain script."""
    text = path.read_text("utf-8", "replace")
    dialects: list[Dialect] = [find("dialects", name)() for name in names("dialects")]
    found = (dialect.program_of(path, text) for dialect in dialects if dialect.scripts)
    return next((program for program in found if program is not None), None)


def dialect_of(path: Path, text: str, shown: str) -> Dialect:
    """The dialect that a study file is written in. Raises `BadInput` where it is none that is known."""
    tree: Any = None
    if path.suffix.lower() not in {".py", ".jsonnet", ".libsonnet"}:
        with contextlib.suppress(BadInput):
            tree, _ = parse(text, file=shown)
    ours = RungDialect()
    if ours.is_plain(path, text, tree):  # the readers of twelve other formats are not loaded for it
        return ours
    for name in sorted(names("dialects"), key=lambda name: name == "rung"):  # ours takes what nobody knows
        dialect: Dialect = find("dialects", name)()
        if (dialect.scripts or path.suffix != ".py") and dialect.detect(path, text, tree):
            return dialect
    known = ", ".join(names("dialects"))
    raise BadInput(
        f"no study file of a known kind ({known}); expected a mapping with `command`, `parameters` and `objective`",
        place=shown,
    )


def read_study_file(path: Path, shown: str, asked: Asked = NOTHING_ASKED) -> StudySpec:
    """The spec that a study file of any dialect holds, with what was asked for; `shown` is its name in errors.

    Raises `BadInput`.
    """
    text = read_text(path)
    dialect = dialect_of(path, text, shown)
    for name in asked.options:
        if asked.options[name] and name not in dialect.options:
            raise BadInput(f"means nothing for a file of the format {dialect.name}", place=f"--{name}")
    spec = dialect.read(text, file=shown, asked=msgspec.structs.replace(asked, folder=path.parent.absolute()))
    if dialect.name != "rung" and asked.settings:
        spec = edit_spec(spec, asked.settings)
    if dialect.takes_values:
        return spec
    for name, texts in asked.values.items():
        if len(texts) > 1:
            raise BadInput("is given twice; give it once", place=f"--{name}")
    return with_parameters(spec, [f"{name}={text}" for name, (text,) in asked.values.items()])


def setting(text: str) -> tuple[str, str]:
    """The path and the value of `--set`. Raises `BadInput`."""
    path, equals, value = text.partition("=")
    if not equals or not path:
        raise BadInput(f"expected key.path=value, got {text!r}", place="--set")
    return path, value


def with_parameters(spec: StudySpec, texts: Sequence[str]) -> StudySpec:
    """The spec with `-p NAME=RANGE`: a new parameter, or another domain for one that the file has."""
    parameters = {parameter.name: parameter for parameter in spec.parameters}
    for text in texts:
        name, equals, range_text = text.partition("=")
        if not equals or not name:
            raise BadInput(f"expected NAME=RANGE, such as lr=loguniform(1e-5,0.1), got {text!r}", place="-p")
        found = parse_range(name, range_text)
        old = parameters.get(name)
        parameters[name] = found if old is None else _redefined(found, old)
    return msgspec.structs.replace(spec, parameters=tuple(parameters.values()))


def _redefined(found: Parameter, old: Parameter) -> Parameter:
    """The new domain of a parameter keeps the condition under which it is active."""
    return found if found.type == "constant" else msgspec.structs.replace(found, when=old.when, times=old.times)
