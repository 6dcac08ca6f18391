"""Configurations with `hyper_opt` as studies."""

from __future__ import annotations

from rung.dialects.foreign import Foreign


class HyperOptDialect(Foreign):
    """Configurations with `hyper_opt`."""

    name = "hyperopt"
