"""What becomes of errors: one JSON object with a status and a line, for every one of them."""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import Any

import msgspec
from litestar import MediaType, Request, Response
from litestar.exceptions import HTTPException

from rung.model import BadInput, RungError, StoreUnusable, UnknownStudy
from rung.server.security import FAILED, METHODS, Refuse
from rung.store.errors import StoreBusy, StoreFull, StoreMissing

STATUSES: tuple[tuple[type[RungError], int], ...] = (
    (UnknownStudy, 404),
    (StoreMissing, 404),
    (StoreBusy, 503),
    (StoreFull, 507),
    (StoreUnusable, 503),
    (BadInput, 400),
    (RungError, 409),
)

LONGEST = 2_000  # characters of a line: it may quote what was sent, which has no end of its own

log = logging.getLogger("rung.server")


class Refusal(msgspec.Struct, frozen=True, kw_only=True):
    """Why there is no answer, in one line."""

    status_code: int
    detail: str


def explain(_: Request[Any, Any, Any], error: RungError) -> Response[Refusal]:
    """An error that a user can meet."""
    code = next(status for kind, status in STATUSES if isinstance(error, kind))
    return refusal(code, str(error))


def refuse(_: Request[Any, Any, Any], error: Refuse) -> Response[Refusal]:
    """What a route refuses, as the guard would."""
    return refusal(error.status, error.detail, dict(error.headers))


def reject(request: Request[Any, Any, Any], error: HTTPException) -> Response[Refusal]:
    """A request that no route takes, with the names of the fields that are wrong."""
    if error.status_code >= 500:
        return fail(request, error)
    headers = {name.lower(): value for name, value in (error.headers or {}).items()}
    if "allow" in headers:  # Litestar counts in OPTIONS, which nobody gets past the guard with
        known = [method.strip() for method in headers["allow"].split(",")]
        headers["allow"] = ", ".join(method for method in METHODS if method in known)
    return refusal(error.status_code, _text(error, headers.get("allow", "another")), headers)


def too_deep(request: Request[Any, Any, Any], error: RecursionError) -> Response[Refusal]:
    """A body that is nested without end; the same error of our own is one of ours."""
    if "deserializing" in str(error):
        return refusal(400, "the JSON is nested too deeply")
    return fail(request, error)


def fail(request: Request[Any, Any, Any], error: Exception) -> Response[Refusal]:
    """An error of ours: what it was is on the terminal of the server alone."""
    log.error("%s %s", request.method, request.url.path, exc_info=error)
    return refusal(500, FAILED)


def refusal(code: int, detail: str, headers: dict[str, str] | None = None) -> Response[Refusal]:
    """The answer."""
    line = shortened(" ".join(detail.split()))
    return Response(
        Refusal(status_code=code, detail=line), status_code=code, headers=headers, media_type=MediaType.JSON
    )


def shortened(line: str) -> str:
    """The line with its middle left out where it is too long: what is quoted comes first, and why at the end."""
    return line if len(line) <= LONGEST else f"{line[: LONGEST // 2]} … {line[-LONGEST // 2 :]}"


def _text(error: HTTPException, takes: str) -> str:
    faults = error.extra if isinstance(error.extra, list) else []
    said = "; ".join(_fault(fault) for fault in faults if isinstance(fault, dict))
    if said:
        return said
    if error.status_code == 404:
        return "there is nothing at this address"
    if error.status_code == 405:
        return f"this address does not take the method; it takes {takes}"
    return error.detail or HTTPStatus(error.status_code).phrase


def _fault(fault: dict[str, Any]) -> str:
    key, message = str(fault.get("key", "")), str(fault.get("message", ""))
    if (key, message) == ("data", "'data'"):  # so Litestar says that there is none
        return "a JSON body is missing"
    return f"{key}: {message}" if key else message


HANDLERS: dict[Any, Any] = {
    RungError: explain,
    Refuse: refuse,
    HTTPException: reject,
    RecursionError: too_deep,
    Exception: fail,
}
