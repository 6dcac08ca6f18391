"""Experiment configurations of Determined as studies."""

from __future__ import annotations

from rung.dialects.foreign import Foreign


class DeterminedDialect(Foreign):
    """Experiment configurations of Determined."""

    name = "determined"
