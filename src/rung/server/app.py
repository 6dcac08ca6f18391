"""The application: its routes, without the guard that stands before them (`security.Guard`)."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from litestar import Litestar, get
from litestar.datastructures import State as Shared
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin

from rung import __version__
from rung.server.errors import HANDLERS
from rung.server.routes import handlers
from rung.server.security import BODY_BYTES, Guard
from rung.server.sessions import Access, fresh_tokens

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rung.server.pages import Pages
    from rung.server.security import Application
    from rung.server.site import Site


def make_app(site: Site, *, access: Access | None = None, cookie: str = "rung") -> Litestar:
    """The routes that answer for `site`. Alone they let nobody in who is not in this process: see `guarded`."""
    return Litestar(
        route_handlers=[health, *handlers()],
        state=Shared({"site": site, "access": access or Access(fresh_tokens()), "cookie": cookie}),
        openapi_config=OpenAPIConfig(
            title="Rung",
            version=__version__,
            path="/api/schema",
            use_handler_docstrings=True,
            render_plugins=[JsonRenderPlugin(path="/openapi.json")],
        ),
        exception_handlers=HANDLERS,
        request_max_body_size=BODY_BYTES,
        debug=False,
        logging_config=None,
    )


def guarded(site: Site, *, access: Access, hosts: Mapping[str, str], pages: Pages, port: int) -> Guard:
    """The application as strangers may reach it. The cookie's name holds the port: two servers on one host, whose
    cookies a browser does not tell apart, do not log each other out."""
    cookie = f"rung-{port}"
    app = cast("Application", make_app(site, access=access, cookie=cookie))
    return Guard(app, access=access, hosts=hosts, cookie=cookie, pages=pages)


@get("/api/health", sync_to_thread=False)
def health() -> dict[str, str]:
    """The server is there."""
    return {"rung": __version__}
