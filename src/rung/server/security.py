"""What stands between a socket and the routes: everything is refused that is not known to be wanted.

Pure ASGI, so that no route can be reached past it, and no route has to think of it. In this order: the address as it
was sent, `Host` (a name that a stranger made lead here is none of ours), the method, where the page that asks comes
from (`Origin`, `Sec-Fetch-Site`), who asks, what they may do, and how much they send.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any, Literal, NoReturn

import msgspec

from rung.server.pages import Answer, Pages
from rung.server.sessions import Access, Role

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]

METHODS = ("GET", "HEAD", "POST", "DELETE")
READING = frozenset({"GET", "HEAD"})
OPEN = frozenset({"/api/session", "/api/health"})  # what can be asked without being known
ASKING = frozenset({"/api/project/preview"})  # a POST that changes nothing: who may look may ask it
BODY_BYTES = 1_000_000
BODY_S = 10.0
MOST_COOKIES = 8  # of one name that are looked at
FAILED = "the server has failed at this; what happened is on the terminal of `rung ui`"

PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'nonce-{nonce}'; img-src 'self' data:; "
    "connect-src 'self'; font-src 'self'; manifest-src 'self'; frame-ancestors 'none'; base-uri 'none'; "
    "form-action 'self'"
)
DATA_POLICY = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'; sandbox"
ALWAYS: Headers = [
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
]
_OURS = frozenset({name for name, _ in ALWAYS} | {b"content-security-policy", b"server"})

log = logging.getLogger("rung.server")


class Caller(msgspec.Struct, frozen=True, kw_only=True):
    """Who asks: what they may do, how they showed it, the address they come from, which origin of ours they asked, and
    the seconds left of their session."""

    role: Role = "read"
    by: Literal["session", "token", "nothing"] = "nothing"
    address: str = ""
    origin: str = ""
    left_s: float | None = None


def caller_of(scope: Mapping[str, Any]) -> Caller:
    """Who asks, as the guard has found; somebody who may only look where no guard has."""
    found = scope.get("state", {}).get("caller")
    return found if isinstance(found, Caller) else Caller()


class Refuse(Exception):
    """The request is answered with this status and line, and goes no further."""

    def __init__(self, status: int, detail: str, headers: Mapping[str, str] | None = None) -> None:
        self.status, self.detail, self.headers = status, detail, headers or {}
        super().__init__(detail)


class BrokenOff(Exception):
    """What was promised cannot be sent: the connection ends, so that nobody takes a part for the whole."""


class Guard:
    """An application that may be reached by strangers. `hosts` are the origins that may be asked for, by the `Host`
    that a browser sends for each; `cookie` is the name of the session's cookie."""

    def __init__(
        self,
        app: Application,
        *,
        access: Access,
        hosts: Mapping[str, str],
        cookie: str,
        pages: Pages,
        body_s: float = BODY_S,
    ) -> None:
        self._app, self._access, self._hosts, self._cookie = app, access, dict(hosts), cookie
        self._pages, self._body_s = pages, body_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The request is answered; refused unless all is well with it."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        else:
            await self._answer(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        sent, headers = _Sent(send), _Received(scope["headers"])
        try:
            path = _path(scope)
            origin = self._origin(headers)
            if headers.has("transfer-encoding") and headers.has("content-length"):
                # A proxy may take the one for the end of the body where we take the other.
                raise Refuse(400, "a body has a Content-Length or a Transfer-Encoding, not both")
            if scope["method"] not in METHODS:
                raise Refuse(405, f"{scope['method'][:20]} is not understood", {"allow": ", ".join(METHODS)})
            if path != "/api" and not path.startswith("/api/"):
                await sent.page(self._page(scope["method"], path, headers), body=scope["method"] == "GET")
                return
            _check_source(scope["method"], headers, origin)
            scope.setdefault("state", {})["caller"] = self._caller(scope, path, headers, origin)
            if scope["method"] not in READING:
                _check_kind(headers)
            if headers.has_body:
                receive = await self._body(receive, headers)
            await self._app(scope, receive, sent.data)
        except Refuse as refusal:
            await sent.refusal(refusal, close=scope["method"] not in READING or headers.announces_body)
        except Exception as error:
            broken = _broken_off(error)
            if sent.started and broken is not None:
                log.warning("%s %s broke off: %s", scope["method"], scope["path"], broken)
                raise
            log.exception("%s %s", scope["method"], scope["path"])
            if sent.started:
                raise
            await sent.refusal(Refuse(500, FAILED))

    # ------------------------------------------------------------------------------------------------- what is checked

    def _origin(self, headers: _Received) -> str:
        """The origin of ours that is asked for."""
        host = headers.one("host").lower()
        origin = self._hosts.get(host)
        if origin is None:
            known = ", ".join(sorted(self._hosts))
            raise Refuse(
                403,
                f"this server does not answer as {host[:100]!r}, but as {known}; if you lead another address here, "
                "start it with `rung ui --allow-host NAME:PORT`",
            )
        return origin

    def _page(self, method: str, path: str, headers: _Received) -> Answer:
        if method not in READING:
            raise Refuse(405, f"{method} is for addresses under /api", {"allow": "GET, HEAD"})
        reader = "text/html" in headers.joined("accept")
        answer = self._pages.answer(path, accepts=headers.joined("accept-encoding"), reader=reader)
        if answer is None:
            raise Refuse(404, "there is nothing at this address")
        return answer

    def _caller(self, scope: Scope, path: str, headers: _Received, origin: str) -> Caller:
        """Who asks, given that they may."""
        reading = scope["method"] in READING
        caller = self._known(str((scope.get("client") or ("",))[0]), headers, origin)
        if not reading and caller.by != "token" and not headers.has("origin"):
            raise Refuse(403, "no Origin: a script sends its token as `Authorization: Bearer TOKEN`")
        if path in OPEN:
            return caller
        if caller.by == "nothing":
            raise _unknown("not logged in: open the address that `rung ui` prints, or send the token as a Bearer")
        if caller.role == "read" and not reading and path not in ASKING:
            raise Refuse(403, "this is read-only: log in with the control token, in the address that `rung ui` prints")
        return caller

    def _known(self, address: str, headers: _Received, origin: str) -> Caller:
        if headers.has("authorization"):
            kind, _, token = headers.one("authorization").partition(" ")
            if kind.lower() != "bearer":
                raise _unknown("expected `Authorization: Bearer TOKEN`")
            role = role_of(self._access, token.strip(), address)
            return Caller(role=role, by="token", address=address, origin=origin)
        for value in _cookies(headers, self._cookie):
            session = self._access.of_session(value)
            if session is not None:
                return Caller(role=session[0], by="session", address=address, origin=origin, left_s=session[1])
        return Caller(address=address, origin=origin)

    async def _body(self, receive: Receive, headers: _Received) -> Receive:
        """The whole body was received, in time, and is small: a route never waits for a client."""
        if headers.length > BODY_BYTES:
            _too_large()
        loop = asyncio.get_running_loop()
        end = loop.time() + self._body_s
        body, more = bytearray(), True
        while more:
            try:
                message = await asyncio.wait_for(receive(), max(0.0, end - loop.time()))
            except asyncio.TimeoutError:
                raise Refuse(408, f"the body did not arrive within {self._body_s:g} s") from None
            if message["type"] != "http.request":
                raise Refuse(400, "the body ended early")
            body += message.get("body", b"")
            more = message.get("more_body", False)
            if len(body) > BODY_BYTES:
                _too_large()
        try:
            body.decode()
        except UnicodeDecodeError:
            raise Refuse(400, "the body is no UTF-8, as JSON has to be") from None
        whole: list[Message] = [{"type": "http.request", "body": bytes(body), "more_body": False}]

        async def replayed() -> Message:
            return whole.pop() if whole else await receive()

        return replayed


def role_of(access: Access, token: str, address: str) -> Role:
    """What that token allows. Raises `Refuse` where it is wrong, more harshly where too many from this address were.

    The right one is always taken: an address is many, behind a proxy or on a machine that people share, and one script
    with an old token must not lock out the others. That nobody guesses 256 bits does not hang on the waiting.
    """
    role = access.of_token(token)
    if role is not None:
        return role
    wait = access.attempts.wait_s(address)
    if wait:
        raise Refuse(429, f"too many wrong tokens: wait {wait + 0.5:.0f} s", {"retry-after": f"{wait + 0.5:.0f}"})
    access.attempts.wrong(address)
    raise _unknown("this token is not valid here: take the one that `rung ui` prints")


def _broken_off(error: BaseException | None) -> BrokenOff | None:
    """Whether that is what lies behind an error, however it was wrapped on its way."""
    while error is not None and not isinstance(error, BrokenOff):
        together = getattr(error, "exceptions", ())
        error = together[0] if together else error.__cause__
    return error


def _unknown(detail: str) -> Refuse:
    return Refuse(401, detail, {"www-authenticate": "Bearer"})


def _too_large() -> NoReturn:
    raise Refuse(413, f"a body has at most {BODY_BYTES} bytes")


def _check_source(method: str, headers: _Received, origin: str) -> None:
    """The request comes from a page of ours, or from no page at all."""
    site = headers.joined("sec-fetch-site").lower()
    if site not in {"", "same-origin", "none"}:
        raise Refuse(403, f"{method} from another site's page ({site[:20]})")
    if headers.has("origin") and headers.one("origin").lower() != origin:
        raise Refuse(403, f"{method} from a page of {headers.one('origin')[:100]!r}, not of {origin}")


def _check_kind(headers: _Received) -> None:
    if headers.joined("content-encoding").lower() not in {"", "identity"}:
        raise Refuse(415, "a body must not be compressed")
    kind = headers.joined("content-type").partition(";")[0].strip().lower()
    if (headers.has_body or kind) and kind != "application/json":
        raise Refuse(415, f"expected Content-Type: application/json, got {kind[:100] or 'none'}")


def _path(scope: Scope) -> str:
    """The address, decoded once; nothing in it that could mean another one."""
    path: str = scope["path"]
    raw = bytes(scope.get("raw_path") or path.encode()).partition(b"?")[0]
    words = path.split("/")
    if (
        not path.startswith("/")
        or raw.count(b"/") != len(words) - 1  # an encoded slash
        or "\\" in path
        or "\ufffd" in path
        or not path.isprintable()
        or any(word in {".", ".."} for word in words)
        or any(word == "" for word in words[1:-1])
    ):
        raise Refuse(400, "this is no address of ours")
    return path


def _cookies(headers: _Received, name: str) -> list[str]:
    """The values of a cookie. Other cookies of the host may have any shape, and another server of it may have set one
    of this name, which must not hide ours."""
    pairs = (pair.strip().partition("=") for pair in headers.joined("cookie", ";").split(";"))
    return [value for found, _, value in pairs if found == name and value][:MOST_COOKIES]


class _Received:
    """The headers of a request."""

    def __init__(self, headers: Headers) -> None:
        self._values: dict[str, list[str]] = {}
        for name, value in headers:
            self._values.setdefault(name.decode("latin-1").lower(), []).append(value.decode("latin-1"))

    def has(self, name: str) -> bool:
        return name in self._values

    def one(self, name: str) -> str:
        """The value of a header that must be there once."""
        values = self._values.get(name, [])
        if len(values) != 1:
            raise Refuse(400, f"expected one {name.title()}, got {len(values)}")
        return values[0].strip()

    def joined(self, name: str, between: str = ", ") -> str:
        return between.join(self._values.get(name, [])).strip()

    @property
    def announces_body(self) -> bool:
        """Whether there may be one, whatever is said of its length."""
        return self.has("transfer-encoding") or self.joined("content-length") not in {"", "0"}

    @property
    def has_body(self) -> bool:
        return self.has("transfer-encoding") or self.length > 0

    @property
    def length(self) -> int:
        text = self.joined("content-length")
        if not text:
            return 0
        if not text.isascii() or not text.isdigit():
            raise Refuse(400, "Content-Length is no number")
        return int(text[:20])


class _Sent:
    """The answer, each with the headers that keep a browser from doing more with it than is meant."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.started = False

    async def data(self, message: Message) -> None:
        """What a route answers."""
        if message["type"] == "http.response.start":
            self.started = True
            kept = [
                (name, value)
                for name, value in message.get("headers", [])
                if name.lower() not in _OURS | {b"cache-control"} and not name.lower().startswith(b"access-control-")
            ]
            own = [(b"content-security-policy", DATA_POLICY.encode()), (b"cache-control", b"no-store")]
            message = {**message, "headers": [*kept, *ALWAYS, *own]}
        await self._send(message)

    async def page(self, answer: Answer, *, body: bool) -> None:
        """A file of the page; without its body for a HEAD."""
        policy = PAGE_POLICY.format(nonce=answer.nonce) if answer.nonce else DATA_POLICY
        headers = [*answer.headers(), *ALWAYS, (b"content-security-policy", policy.encode())]
        self.started = True
        await self._send({"type": "http.response.start", "status": answer.status, "headers": headers})
        await self._send({"type": "http.response.body", "body": answer.body if body else b""})

    async def refusal(self, refusal: Refuse, *, close: bool = False) -> None:
        """One line that says why."""
        body = msgspec.json.encode({"status_code": refusal.status, "detail": refusal.detail})
        headers = {"content-type": "application/json", "content-length": str(len(body)), **refusal.headers}
        if close:  # what is left of the request is not read
            headers["connection"] = "close"
        found = [(name.encode(), value.encode("latin-1", "replace")) for name, value in headers.items()]
        await self.data({"type": "http.response.start", "status": refusal.status, "headers": found})
        await self._send({"type": "http.response.body", "body": body})
