"""Where the recorded vectors and example files are, and how a configuration is written and read in the tests."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from rung.dialects.base import Asked
from rung.dialects.determined.reader import DeterminedDialect
from rung.model import BadInput, StudySpec

SHARED = Path(__file__).parents[4] / "shared"
VECTORS = sorted((SHARED / "vectors").glob("determined_searcher*.json"))
EXAMPLES = SHARED / "examples" / "determined"
NO_VECTORS = "the vectors determined_searcher*.json are not beside this project"
NO_EXAMPLES = "the examples of Determined are not beside this project"


class Skip(Exception):
    """Not this dialect's matter; the text says why."""


def vectors() -> Iterator[dict[str, Any]]:
    for path in VECTORS:
        yield json.loads(path.read_text())


def read(config: dict[str, Any] | str, *overrides: str, file: str = "config.yaml") -> StudySpec:
    """The spec of a configuration, with `--config` for each of the overrides."""
    text = config if isinstance(config, str) else json.dumps(config)
    return DeterminedDialect().read(text, file=file, asked=Asked(options={"config": tuple(overrides)}))


def complaint(config: dict[str, Any] | str, *overrides: str) -> str:
    """What reading says is wrong; "" for a configuration that is right."""
    try:
        read(config, *overrides)
    except BadInput as error:
        return str(error)
    return ""


def searcher(**fields: Any) -> dict[str, Any]:
    """A small configuration with this searcher."""
    space = {"lr": {"type": "double", "minval": 0.0, "maxval": 1.0}}
    return {"searcher": {"metric": "loss", **fields}, "hyperparameters": space, "entrypoint": "python3 train.py"}


def remarks(spec: StudySpec) -> Sequence[str]:
    return DeterminedDialect().remarks(spec)
