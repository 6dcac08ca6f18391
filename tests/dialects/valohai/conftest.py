"""Where the original's recorded messages and files are, and how a text is read."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rung.dialects.base import Asked
from rung.dialects.valohai.reader import ValohaiDialect
from rung.model import StudySpec

SHARED = Path(__file__).parents[4] / "shared"

Read = Callable[..., StudySpec]


@pytest.fixture
def read() -> Read:
    """Called with a text and options (`task="t"`, `style=("a=...",)`), and `values`."""

    def call(text: str, *, values: dict[str, Any] | None = None, **options: Any) -> StudySpec:
        asked = Asked(
            options={name: (given,) if isinstance(given, str) else tuple(given) for name, given in options.items()},
            values={
                name: (given,) if isinstance(given, str) else tuple(given) for name, given in (values or {}).items()
            },
        )
        return ValohaiDialect().read(text, file="valohai.yaml", asked=asked)

    return call
