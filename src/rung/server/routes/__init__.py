"""The routes of the REST API, one file a subject. Each file has a tuple `HANDLERS`."""

from __future__ import annotations

from typing import Any


def handlers() -> list[Any]:
    """All route handlers."""
    from rung.server.routes import studies

    return [*studies.HANDLERS]
