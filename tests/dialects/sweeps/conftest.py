"""What the tests of the small formats share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rung.api.studyfiles import dialect_of
from rung.api.targets import Options, Target, resolve
from rung.execute.base import Launch, Place
from rung.model import Parameter, StudySpec
from rung.plugins import launcher_for
from rung.space import Space

PLACE = Place(study="s", trial=0, attempt=1, seed=0, directory="/d")
Resolved = Callable[..., Target]


@pytest.fixture
def resolved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Resolved:
    """Writes a file and gives what `rung run FILE` makes of it, having been told apart from all other formats."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "train.py").write_text("")

    def made(name: str, text: str, dialect: str, **options: Any) -> Target:
        path = tmp_path / name
        path.write_text(text)
        assert dialect_of(path, text, name).name == dialect
        options = {"metrics": ("loss",), "command": ("python", "train.py")} | options
        return resolve(name, [], Options(**options), cwd=tmp_path)

    return made


def shapes(spec: StudySpec) -> dict[str, tuple[Any, ...]]:
    """Type, bounds, step and scale of each parameter, or its values."""
    return {p.name: shape(p) for p in spec.parameters}


def shape(p: Parameter) -> tuple[Any, ...]:
    if p.type == "constant":
        return ("constant", p.value)
    if p.values is not None:
        return (p.type, *p.values)
    if p.type in {"normal", "lognormal"}:
        return (p.type, p.mean, p.sd)
    return (p.type, p.min, p.max, p.step, p.scale)


def typed(found: dict[str, tuple[Any, ...]]) -> str:
    """The shapes as text, in which 1 is not 1.0."""
    return "\n".join(f"{name}: {found[name]!r}" for name in found)


def launched(spec: StudySpec, **params: Any) -> Launch:
    """How a trial with these parameters is started."""
    return launcher_for(spec)(spec, Space(spec.parameters).full(params), PLACE)
