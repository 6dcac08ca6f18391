"""The routes of the REST API, one file a subject. Each file has a tuple `HANDLERS`."""

from __future__ import annotations

from typing import Any


def handlers() -> list[Any]:
    """All route handlers."""
    from rung.server.routes import actions, project, session, stream, studies, tables, trials, views

    return [
        *session.HANDLERS,
        *studies.HANDLERS,
        *actions.HANDLERS,
        *views.HANDLERS,
        *trials.HANDLERS,
        *tables.HANDLERS,
        *stream.HANDLERS,
        *project.HANDLERS,
    ]
