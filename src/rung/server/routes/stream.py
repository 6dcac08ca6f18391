"""The stream of what happens, as server-sent events."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from litestar import Request, Response, get
from litestar.datastructures import State as Shared
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import Parameter

from rung.api.triallogs import LogWindow
from rung.server.chunks import Held
from rung.server.deltas import Delta, Gone, Reset, StudiesChanged, delta
from rung.server.listeners import Busy, Listener
from rung.server.site import Site

StreamEvent = Delta | StudiesChanged | LogWindow | Gone | Reset
Asked = Request[Any, Any, Any]


@get(
    "/api/stream",
    responses={
        200: ResponseSpec(
            data_container=StreamEvent,
            media_type="text/event-stream",
            description="Events `delta` (its id is where to go on from), `studies`, `log`, `gone`, `reset`; the data "
            "of each is one of these as JSON. `ping` where nothing happened for 15 seconds.",
            generate_examples=False,
        )
    },
)
async def stream(
    request: Asked,
    state: Shared,
    study: Annotated[str | None, Parameter(query="study", description="Deltas of this study.")] = None,
    log: Annotated[
        int | None, Parameter(query="log", ge=0, le=2**31 - 1, description="What this trial of it writes from now on.")
    ] = None,
    output: Annotated[Literal["stdout", "stderr"], Parameter(query="output", description="Which of its logs.")] = (
        "stdout"
    ),
    last: Annotated[
        str | None, Parameter(query="last", description="As the header `Last-Event-ID`: what came after is told.")
    ] = None,
) -> Response[Any]:
    """What happens from now on, until the reader goes; first how things stand."""
    site: Site = state.site
    known = request.headers.get("last-event-id") or last
    listener = Listener(study=study, log=log if study is not None else None, stream=output, last=known)
    try:
        site.feed.check()
    except Busy as error:
        detail = {"status_code": 503, "detail": str(error)}
        return Response(detail, status_code=503, headers={"retry-after": "10"})
    return Held(
        listener.frames(site.feed),
        media_type="text/event-stream",
        headers={"cache-control": "no-store", "x-accel-buffering": "no"},
    )


@get("/api/studies/{study:str}/now", sync_to_thread=True)
def now(
    state: Shared,
    study: str,
    since: Annotated[
        int | None, Parameter(query="since", ge=0, le=2**53, description="With the trials changed after this event.")
    ] = None,
) -> Delta:
    """How the study stands, as the stream would say it."""
    site: Site = state.site
    watched = site.study(study)
    with watched.read() as handle:
        return delta(watched, handle, since=since)


HANDLERS: tuple[Any, ...] = (stream, now)
