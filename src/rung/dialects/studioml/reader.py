"""StudioML's command lines as studies."""

from __future__ import annotations

from rung.dialects.foreign import Foreign


class StudioDialect(Foreign):
    """StudioML's command lines."""

    name = "studioml"
