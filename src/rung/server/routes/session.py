"""Logging in and out, and who one is."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import msgspec
from litestar import Request, Response, delete, get, post
from litestar.datastructures import Cookie
from litestar.datastructures import State as Shared
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import Body

from rung import __version__
from rung.server.errors import Refusal
from rung.server.security import Caller, caller_of, role_of
from rung.server.sessions import RENEW_S, SESSION_S, Access, Role
from rung.server.site import Site


class Login(msgspec.Struct, frozen=True, kw_only=True):
    """The token that `rung ui` prints."""

    token: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]


class Me(msgspec.Struct, frozen=True, kw_only=True):
    """Who asks, and whom they ask. `project` is the name of the folder that the server was started in; `token_file`
    the file with the token of this role, as seen from that folder (null: there is none)."""

    role: Role
    version: str
    project: str
    token_file: str | None


REFUSED = {
    code: ResponseSpec(Refusal, generate_examples=False, description=text)
    for code, text in {401: "The token is not valid.", 429: "Too many wrong tokens."}.items()
}

GONE = {204: ResponseSpec(None, generate_examples=False, description="Logged out.")}


@post("/api/session", sync_to_thread=False, responses=REFUSED)
def log_in(request: Request[Any, Any, Any], state: Shared, data: Annotated[Login, Body()]) -> Response[Me]:
    """A session in exchange for a token, as a cookie that scripts of the page cannot read."""
    caller = caller_of(request.scope)
    role = role_of(state.access, data.token, caller.address)
    return Response(_me(state, role), cookies=[_session(state, caller, role)])


@delete("/api/session", sync_to_thread=False, responses=GONE)
def log_out(state: Shared) -> Response[None]:
    """The browser has forgotten its session."""
    gone = Cookie(key=state.cookie, value="", max_age=0, path="/", httponly=True, samesite="strict")
    return Response(None, status_code=204, cookies=[gone])


@get("/api/me", sync_to_thread=False)
def me(request: Request[Any, Any, Any], state: Shared) -> Response[Me]:
    """Who asks. A session in use is renewed."""
    caller = caller_of(request.scope)
    old = caller.left_s is not None and caller.left_s < SESSION_S - RENEW_S
    return Response(_me(state, caller.role), cookies=[_session(state, caller, caller.role)] if old else [])


def _session(state: Shared, caller: Caller, role: Role) -> Cookie:
    access: Access = state.access
    return Cookie(
        key=state.cookie,
        value=access.session(role),
        max_age=int(SESSION_S),
        path="/",
        httponly=True,
        samesite="strict",
        secure=caller.origin.startswith("https:"),
    )


def _me(state: Shared, role: Role) -> Me:
    site: Site = state.site
    folder: Path | None = state.access.tokens.folder
    token_file = None
    if folder is not None:
        path = folder / role
        token_file = str(path.relative_to(site.project) if path.is_relative_to(site.project) else path)
    return Me(role=role, version=__version__, project=site.project.name, token_file=token_file)


HANDLERS: tuple[Any, ...] = (log_in, log_out, me)
