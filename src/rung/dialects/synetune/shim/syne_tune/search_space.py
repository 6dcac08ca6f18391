"""The names of `syne_tune.config_space`, as the first editions called it."""

from __future__ import annotations

from .config_space import *  # noqa: F403
