"""The application: its routes, and what becomes of errors."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from litestar import Litestar, Request, Response, get
from litestar.datastructures import State as Shared
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin

from rung import __version__
from rung.model import BadInput, RungError, UnknownStudy
from rung.server.routes import handlers

if TYPE_CHECKING:
    from rung.server.site import Site

STATIC = Path(__file__).parent / "static"


def make_app(site: Site) -> Litestar:
    """The application that answers for `site`."""
    return Litestar(
        route_handlers=[health, *handlers()],
        state=Shared({"site": site}),
        openapi_config=OpenAPIConfig(
            title="Rung",
            version=__version__,
            path="/api/schema",
            render_plugins=[JsonRenderPlugin(path="/openapi.json")],
        ),
        exception_handlers={RungError: explain},
        request_max_body_size=1_000_000,
        debug=False,
        logging_config=None,
    )


@get("/api/health", sync_to_thread=False)
def health() -> dict[str, str]:
    """The server is there."""
    return {"rung": __version__}


def explain(_: Request[Any, Any, Any], error: Exception) -> Response[dict[str, Any]]:
    """An error that a user can meet, as one line."""
    code = 404 if isinstance(error, UnknownStudy) else 400 if isinstance(error, BadInput) else 409
    return Response({"status_code": code, "detail": str(error)}, status_code=code)
