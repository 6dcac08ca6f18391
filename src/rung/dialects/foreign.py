"""What the dialects of other tuners have in common: most have no options, no linter and nothing to remark."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from rung.dialects.base import NOTHING_ASKED, Asked, Finding
from rung.model import BadInput

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from rung.execute.base import Launch, Place
    from rung.model import Program, StudySpec


class Foreign:
    """A dialect without anything of its own; see `Dialect` for what each part promises."""

    name = ""
    options: frozenset[str] = frozenset()
    scripts = False
    takes_values = False
    takes_command = False
    picks: Literal["last", "best"] = "last"
    lints_all = False

    def detect(self, path: Path, text: str, tree: Any) -> bool:
        """Nothing is of this dialect."""
        return False

    def names(self, text: str, *, file: str, asked: Asked = NOTHING_ASKED) -> Sequence[str]:
        """The parameters of the spec, less those that no option could be called."""
        return [p.name for p in self.read(text, file=file, asked=asked).parameters]

    def read(self, text: str, *, file: str, asked: Asked = NOTHING_ASKED) -> StudySpec:
        """The study that `text` describes."""
        raise NotImplementedError

    def program_of(self, path: Path, text: str) -> Program | None:
        """Scripts are started as any program."""
        return None

    def function_names(self, path: Path, function: str, *, file: str) -> Sequence[str] | None:
        """No function returns a study."""
        return None

    def read_function(self, path: Path, function: str, *, file: str, asked: Asked = NOTHING_ASKED) -> StudySpec | None:
        """No function returns a study."""
        return None

    def lint(self, text: str, *, file: str) -> Sequence[Finding]:
        """Nothing."""
        return ()

    def remarks(self, spec: StudySpec) -> Sequence[str]:
        """Nothing."""
        return ()

    def launch(self, spec: StudySpec, params: Mapping[str, Any], place: Place) -> Launch:
        """Raises: this dialect's studies are started our own way."""
        raise BadInput(f"a study in the format {self.name} has no program of its own", key="program.dialect")
