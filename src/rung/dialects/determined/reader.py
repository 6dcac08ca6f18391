"""Experiment configurations of Determined as studies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rung.dialects.base import NOTHING_ASKED, Asked, Finding, NoProgram
from rung.dialects.determined.configuration import KEYS
from rung.dialects.determined.merging import configured
from rung.dialects.determined.preview import NO_ENTRYPOINT, remarks
from rung.dialects.determined.searchers import FIELDS
from rung.dialects.determined.settings import DIALECT, from_json
from rung.dialects.determined.study import read_study, warnings_of
from rung.dialects.documents import parse
from rung.dialects.foreign import Foreign
from rung.dialects.values import Value
from rung.model import BadInput

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from rung.execute.base import Launch, Place
    from rung.model import StudySpec

_SEARCHERS = frozenset({*FIELDS, "custom"})


class DeterminedDialect(Foreign):
    """Experiment configurations of Determined, of all four of its eras (0.12, 0.13, 0.15 and 0.38)."""

    name = DIALECT
    options = frozenset({"config"})

    def detect(self, path: Path, text: str, tree: Any) -> bool:
        """A mapping with a `searcher`, or with `hyperparameters` and an `entrypoint`, or a searcher by itself."""
        if not isinstance(tree, dict):
            return False
        searcher, name = tree.get("searcher"), tree.get("name")
        if isinstance(searcher, dict) and ({"name", "metric"} & searcher.keys() or tree.keys() <= set(KEYS)):
            return True
        if {"hyperparameters", "entrypoint"} <= tree.keys():
            return True
        alone = isinstance(name, str) and name in _SEARCHERS and isinstance(tree.get("metric"), str)
        return alone and not {"parameters", "objective", "method"} & tree.keys()

    def read(self, text: str, *, file: str, asked: Asked = NOTHING_ASKED) -> StudySpec:
        """The study of the configuration, with each `--config key.path=value` put into it."""
        tree, positions = parse(text, file=file)
        tree = configured(tree, asked.options.get("config", ()), positions)
        return read_study(Value(tree, (), positions))

    def lint(self, text: str, *, file: str) -> Sequence[Finding]:
        """What reading complains of, and the fields that the last versions warn about."""
        try:
            tree, positions = parse(text, file=file)
        except BadInput as error:
            return [_finding("error", error, error.message)]
        root = Value(tree, (), positions)
        found = [_finding("warning", place, message) for place, message in warnings_of(root)]
        try:
            read_study(root)
        except BadInput as error:
            found.insert(0, _finding("error", error, error.message))
        return found

    def remarks(self, spec: StudySpec) -> Sequence[str]:
        """How many trials are expected to end where, as `det preview-search` says it, and what has no effect."""
        return tuple(remarks(spec))

    def launch(self, spec: StudySpec, params: Mapping[str, Any], place: Place) -> Launch:
        """The entrypoint, with the stand-ins for Determined's modules where the real ones are absent."""
        if from_json(spec.program.settings if spec.program else {}).entrypoint is None:
            raise NoProgram(NO_ENTRYPOINT, key="entrypoint")
        from rung.dialects.determined.launching import launch  # looks for Pythons: only where something starts

        return launch(spec, params, place)


def _finding(level: str, error: BadInput, message: str) -> Finding:
    return Finding(level, error.place, error.key, message)
