"""Running the server until a signal ends it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import uvicorn

from rung.server.app import make_app

if TYPE_CHECKING:
    from rung.server.site import Site


def serve(site: Site, *, host: str, port: int) -> None:
    """The page is served until a signal comes."""
    uvicorn.run(make_app(site), host=host, port=port, log_level="warning", access_log=False)
