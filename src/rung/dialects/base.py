"""What a dialect promises: to know its own texts, to read them into a `StudySpec`, and to start trials its own way."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol

import msgspec

from rung.model import BadInput

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rung.execute.base import Launch, Place
    from rung.model import Program, StudySpec


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What the command line says beside the file.

    `settings`: of `--set`, pairs of a dotted path and a text. `options`: what was given for each of the dialect's own
    `options`, by name. `values`: the texts given after the file for names that it defines (`--learning_rate 0.01`), in
    order. `command`: the words after `--`, for a dialect whose files name no program. `folder`: where the file is.
    """

    settings: tuple[tuple[str, str], ...] = ()
    options: dict[str, tuple[str, ...]] = {}
    values: dict[str, tuple[str, ...]] = {}
    command: tuple[str, ...] = ()
    folder: Path | None = None

    def option(self, name: str) -> str | None:
        """The last text given for an option; None without any."""
        given = self.options.get(name, ())
        return given[-1] if given else None


NOTHING_ASKED = Asked()


class NoProgram(BadInput):
    """A file of another tuner names no program: it can be planned, and not run."""


class Switch(str):
    """The name of a parameter that may stand on the command line without a value, which is then `true`."""

    __slots__ = ()


class Finding(NamedTuple):
    """What a linter says: `level` is error or warning, `place` is `file:line`, `key` a dotted path or ""."""

    level: str
    place: str
    key: str
    message: str


class Dialect(Protocol):
    """A study-file format, ours or another tuner's."""

    name: str
    """How the format is called on the command line and in messages."""

    options: frozenset[str]
    """Which of the options step, task, style, config mean something for its files."""

    scripts: bool
    """Whether Python files may be its too (a script that declares its space)."""

    takes_values: bool
    """Whether `read` applies `asked.values` itself, by its own rules; else they are ranges, as those of `-p`."""

    takes_command: bool
    """Whether words after `--` are the command of a file that names none."""

    picks: Literal["last", "best"]
    """Which of a trial's reports counts for a metric that `-m` names."""

    lints_all: bool
    """Whether `lint` says all that is to be said of a file: what has errors in a run may be sound by itself."""

    def detect(self, path: Path, text: str, tree: Any) -> bool:
        """Whether `text`, found at `path`, is written in this dialect. `tree`: what it holds as YAML, JSON or TOML,
        None where it is no such (or a script). Never raises."""
        ...

    def names(self, text: str, *, file: str, asked: Asked = NOTHING_ASKED) -> Sequence[str]:
        """The parameters that the file defines, each of which is an option after it. Raises `BadInput`."""
        ...

    def read(self, text: str, *, file: str, asked: Asked = NOTHING_ASKED) -> StudySpec:
        """The study that `text` describes.

        Raises:
            BadInput: with `file:line`, the key, what was expected and what to do.
        """
        ...

    def program_of(self, path: Path, text: str) -> Program | None:
        """How the Python script `text` at `path`, which declares no study, is started where that tuner's scripts are
        started another way than any program; None for a plain script. Never raises."""
        ...

    def function_names(self, path: Path, function: str, *, file: str) -> Sequence[str] | None:
        """The options that a study brings which `function` of the Python file at `path` returns when it is called
        without arguments; None where it is a function like any other. `file`: how errors call it.

        Raises `BadInput`.
        """
        ...

    def read_function(self, path: Path, function: str, *, file: str, asked: Asked = NOTHING_ASKED) -> StudySpec | None:
        """The study that `function` returns; None where it is a function like any other. Raises `BadInput`."""
        ...

    def lint(self, text: str, *, file: str) -> Sequence[Finding]:
        """What the dialect's own linter would say, in its words; what Rung adds is not among it."""
        ...

    def remarks(self, spec: StudySpec) -> Sequence[str]:
        """Lines that `run` and `plan` say before anything starts ("Will create a total of 36 executions.")."""
        ...

    def launch(self, spec: StudySpec, params: Mapping[str, Any], place: Place) -> Launch:
        """How a trial of a spec with this dialect's `program` is started. Pure, but for a look at which Python runs."""
        ...
