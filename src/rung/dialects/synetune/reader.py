"""Syne Tune's scripts and definitions as studies."""

from __future__ import annotations

from rung.dialects.foreign import Foreign


class SyneTuneDialect(Foreign):
    """Syne Tune's scripts and definitions."""

    name = "synetune"
