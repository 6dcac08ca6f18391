"""What has happened to others (the incidents behind each test are public) cannot happen here."""

from __future__ import annotations

import ast
import asyncio
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import unquote

import pytest
from litestar.testing import TestClient

import rung
import rung.server
from rung.api.places import Places
from rung.server.app import make_app
from rung.server.pages import NONCE, Pages
from rung.server.security import ASKING, BODY_BYTES, OPEN, Guard, caller_of
from rung.server.sessions import Access
from server.conftest import BASE

pytestmark = pytest.mark.xdist_group("server security")  # its tests share a study, in their order
HOST = "127.0.0.1:8585"


class Got(NamedTuple):
    """An answer."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def detail(self) -> str:
        found = json.loads(self.body)
        assert set(found) == {"status_code", "detail"}
        assert found["status_code"] == self.status
        assert "\n" not in found["detail"]
        return str(found["detail"])


def ask(
    app: Any,
    raw: str,
    *,
    method: str = "GET",
    headers: Mapping[str, str] | None = None,
    body: Sequence[bytes] = (),
    kind: str = "http",
) -> Got:
    """The answer to a request as it would come from a socket, however odd."""
    sent: list[Any] = []
    path, _, query = raw.partition("?")
    given = {"host": HOST, **(headers or {})}
    parts, answered = list(body) or [b""], asyncio.Event()

    async def receive() -> Any:
        if parts:
            return {"type": "http.request", "body": parts.pop(0), "more_body": bool(parts)}
        await answered.wait()
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)
        if message["type"] == "http.response.body" and not message.get("more_body", False):
            answered.set()

    scope = {
        "type": kind, "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method, "scheme": "http",
        "path": unquote(path), "raw_path": path.encode(), "query_string": query.encode(), "root_path": "",
        "headers": [(name.encode(), value.encode("latin-1")) for name, value in given.items() if value],
        "client": ("127.0.0.1", 5), "server": ("127.0.0.1", 8585), "state": {},
    }  # fmt: skip
    asyncio.run(app(scope, receive, send))
    if kind == "websocket":
        return Got(sent[0]["code"], {}, sent[0]["type"].encode())
    found = {name.decode().lower(): value.decode("latin-1") for name, value in sent[0]["headers"]}
    return Got(sent[0]["status"], found, b"".join(message.get("body", b"") for message in sent[1:]))


@pytest.fixture(scope="module")
def logged_in(access: Access) -> dict[str, str]:
    """What the page of somebody sends who may do everything."""
    return {"cookie": f"rung-8585={access.session('control')}", "origin": BASE, "sec-fetch-site": "same-origin"}


@pytest.fixture(scope="module")
def operations(guard: Guard, logged_in: dict[str, str]) -> list[tuple[str, str]]:
    """Every operation of the API: its method, and an address."""
    document = json.loads(ask(guard, "/api/schema/openapi.json", headers=logged_in).body)
    found = [
        (method.upper(), re.sub(r"\{[^}]*\}", "1", path))
        for path, operations in document["paths"].items()
        for method in operations
        if method in {"get", "post", "put", "patch", "delete"}
    ]
    assert {("POST", "/api/session"), ("DELETE", "/api/session"), ("GET", "/api/studies")} <= set(found)
    return found


# ------------------------------------------------------------------------------------------- Host: CVE-2025-14279, -62593


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:8585", "127.0.0.1", "127.0.0.1:80", "localhost:8586", "127.0.0.1:8585.evil.example",
     "127.0.0.1:8585@evil.example", "[::1]:8585", ""],
)  # fmt: skip
def test_a_name_that_a_stranger_made_lead_here_is_refused(guard: Guard, logged_in: dict[str, str], host: str) -> None:
    for path in ("/", "/api/health", "/api/studies", "/assets/index-abc123.js"):
        got = ask(guard, path, headers={**logged_in, "host": host})
        assert got.status in {400, 403}
        assert "score-1" not in got.detail


def test_our_own_names_are_taken_in_any_case(guard: Guard) -> None:
    assert ask(guard, "/api/health", headers={"host": "LocalHost:8585"}).status == 200


def test_two_hosts_are_none(guard: Guard) -> None:
    async def receive() -> Any:
        raise AssertionError

    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    hosts = [(b"host", HOST.encode()), (b"host", b"evil.example")]
    scope = {"type": "http", "method": "GET", "path": "/", "headers": hosts, "client": None}
    asyncio.run(guard(scope, receive, send))
    assert sent[0]["status"] == 400


# -------------------------------------------------------------------- other sites' pages: CVE-2026-27482, -2611, 2025-1473


def test_no_page_of_another_site_changes_or_reads_anything(
    guard: Guard, logged_in: dict[str, str], operations: list[tuple[str, str]]
) -> None:
    strangers: list[dict[str, str]] = [
        {"origin": "http://evil.example"},
        {"origin": "null"},
        {"origin": "http://127.0.0.1:9999"},  # another server on this host: the cookie comes along
        {"origin": "http://localhost:8585"},
        {"origin": "https://127.0.0.1:8585"},
        {"origin": "", "sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
    ]
    for method, path in operations:
        for stranger in strangers:
            got = ask(guard, path, method=method, headers={**logged_in, **stranger})
            assert got.status == 403, (method, path, stranger)
            assert not [name for name in got.headers if name.startswith("access-control")]


def test_what_changes_something_says_where_it_comes_from(
    guard: Guard, access: Access, logged_in: dict[str, str], operations: list[tuple[str, str]]
) -> None:
    silent = {"cookie": logged_in["cookie"]}
    for method, path in operations:
        if method != "GET":
            assert ask(guard, path, method=method, headers=silent).status == 403, (method, path)
    script = {"authorization": f"Bearer {access.tokens.control}"}
    assert ask(guard, "/api/session", method="DELETE", headers=script).status == 204
    typed = {"cookie": logged_in["cookie"], "sec-fetch-site": "none"}
    assert ask(guard, "/api/studies", headers=typed).status == 200


@pytest.mark.parametrize("method", ["OPTIONS", "PUT", "PATCH", "TRACE", "CONNECT", "PROPFIND", "get", "GE T"])
def test_methods_that_nothing_takes_are_refused_before_routing(
    guard: Guard, logged_in: dict[str, str], method: str
) -> None:
    for path in ("/", "/api/studies", "/api/nothing"):
        got = ask(guard, path, method=method, headers=logged_in)
        assert (got.status, got.headers["allow"]) == (405, "GET, HEAD, POST, DELETE")
        assert got.detail


def test_a_preflight_is_told_nothing(guard: Guard) -> None:
    asked = {"origin": "http://evil.example", "access-control-request-method": "DELETE"}
    got = ask(guard, "/api/studies/score-1", method="OPTIONS", headers=asked)
    assert got.status == 405
    assert not [name for name in got.headers if name.startswith("access-control")]


def test_headers_that_would_let_other_sites_in_are_taken_off(pages: Pages, access: Access) -> None:
    async def careless(scope: Any, receive: Any, send: Any) -> None:
        headers = [(b"Access-Control-Allow-Origin", b"*"), (b"Server", b"x"), (b"Cache-Control", b"public")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"{}"})

    guard = Guard(careless, access=access, hosts={HOST: BASE}, cookie="rung-8585", pages=pages)
    got = ask(guard, "/api/x", headers={"authorization": f"Bearer {access.tokens.read}"})
    assert "access-control-allow-origin" not in got.headers
    assert "server" not in got.headers
    assert got.headers["cache-control"] == "no-store"


def test_there_are_no_web_sockets(guard: Guard, logged_in: dict[str, str]) -> None:
    assert ask(guard, "/api/studies", kind="websocket", headers=logged_in) == (1008, {}, b"websocket.close")


# ----------------------------------------------------------------------------------------------- who: CVE-2023-48022


def test_strangers_see_nothing(guard: Guard, operations: list[tuple[str, str]]) -> None:
    page = {"origin": BASE, "sec-fetch-site": "same-origin"}
    for method, path in [*operations, ("GET", "/api/schema/openapi.json"), ("GET", "/api"), ("GET", "/api/nothing")]:
        if path in {"/api/session", "/api/health"}:
            continue
        got = ask(guard, path, method=method, headers=page)
        assert (got.status, got.headers["www-authenticate"]) == (401, "Bearer"), (method, path)
        assert "rung ui" in got.detail


def test_a_reader_changes_nothing(guard: Guard, access: Access, operations: list[tuple[str, str]]) -> None:
    reader = {"cookie": f"rung-8585={access.session('read')}", "origin": BASE}
    script = {"authorization": f"Bearer {access.tokens.read}"}
    for method, path in operations:
        if method != "GET" and path not in OPEN | ASKING:
            for who in (reader, script):
                assert ask(guard, path, method=method, headers=who).status == 403, (method, path)


def test_routes_learn_who_asks_and_trust_nobody_unguarded(pages: Pages, access: Access) -> None:
    seen: list[Any] = []

    async def look(scope: Any, receive: Any, send: Any) -> None:
        seen.append(caller_of(scope))
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    guard = Guard(look, access=access, hosts={"rung.example": "https://rung.example"}, cookie="c", pages=pages)
    ask(guard, "/api/x", headers={"host": "rung.example", "authorization": f"Bearer {access.tokens.control}"})
    assert (seen[0].role, seen[0].by, seen[0].address) == ("control", "token", "127.0.0.1")
    assert seen[0].origin == "https://rung.example"
    assert caller_of({}).role == "read"


def test_another_servers_cookie_of_our_name_hides_nothing(guard: Guard, logged_in: dict[str, str]) -> None:
    """Cookies know no ports: a server beside this one can set one of this name for a longer path, which comes first."""
    both = {**logged_in, "cookie": f"rung-8585=v1.control.9999999999.x.00; {logged_in['cookie']}"}
    assert ask(guard, "/api/studies", headers=both).status == 200
    assert ask(guard, "/api/studies", headers={**logged_in, "cookie": both["cookie"].partition(";")[0]}).status == 401


def test_a_cookie_for_a_proxy_with_tls_is_secure(site: Any, pages: Pages, access: Access) -> None:
    app: Any = make_app(site, access=access, cookie="c")
    guard = Guard(app, access=access, hosts={"rung.example": "https://rung.example"}, cookie="c", pages=pages)
    got = ask(
        guard, "/api/session", method="POST", body=[json.dumps({"token": access.tokens.read}).encode()],
        headers={"host": "rung.example", "origin": "https://rung.example", "content-type": "application/json",
                 "content-length": "55"},
    )  # fmt: skip
    assert got.status == 201
    assert "secure" in got.headers["set-cookie"].lower()


# ---------------------------------------------------- addresses: CVE-2023-1177, -2356, -2780, 2024-1560, -1593, 2026-2614

ODD = [
    "/..", "/../etc/passwd", "/assets/../index.html", "/assets/..%2f..%2fapp.py", "/assets/%2e%2e/%2e%2e/app.py",
    "/assets/%252e%252e/app.py", "/assets//etc/passwd", "//etc/passwd", "/assets/%00", "/assets/index-abc123.js%00.png",
    "/assets/..\\app.py", "/assets/%5c..%5capp.py", "/assets/C:/x", "/assets/index-abc123.js;/../..", "/assets/%ff%fe",
    "/assets/%0d%0aset-cookie:x=1", "/assets/.", "/assets", "/index.html", "/static/index.html", "/__NONCE__",
    "/etc/passwd", "/runs/.ui/control", "/.ui/control", "/favicon.ico", "http://evil.example/", "*", "",
]  # fmt: skip


@pytest.mark.parametrize("raw", ODD)
def test_no_address_leads_to_the_file_system(guard: Guard, logged_in: dict[str, str], raw: str) -> None:
    got = ask(guard, raw, headers=logged_in)
    assert got.status in {400, 404}
    assert got.detail


@pytest.mark.parametrize(
    "raw",
    ["/api/studies/..%2f..%2fetc", "/api/studies/%2e%2e", "/api/studies/score-1%00", "/api/studies/score-1%2f..",
     "/api/studies/%252e%252e%252f", "/api/artifacts/..%2f..%2fetc%2fpasswd", "/api/artifacts/%2fetc%2fpasswd",
     "/api/artifacts/file:%2f%2f%2fetc%2fpasswd", "/api/studies//score-1", "/api/%00", "/api/studies/score-1;x=1/../.."],
)  # fmt: skip
def test_an_address_is_decoded_once_and_means_one_thing(guard: Guard, logged_in: dict[str, str], raw: str) -> None:
    for method in ("GET", "DELETE"):
        got = ask(guard, raw, method=method, headers=logged_in)
        assert got.status in {400, 404, 405}, got
        assert "/etc" not in got.detail.replace(raw, "")


def test_a_method_that_an_address_does_not_take_is_told_which(guard: Guard, logged_in: dict[str, str]) -> None:
    got = ask(guard, "/api/studies", method="DELETE", headers=logged_in)
    assert (got.status, got.headers["allow"]) == (405, "GET")
    assert got.detail.endswith("it takes GET")


def test_a_line_that_quotes_what_was_sent_has_an_end(guard: Guard, logged_in: dict[str, str]) -> None:
    got = ask(guard, "/api/studies/" + "a" * 50_000, headers=logged_in)
    assert got.status == 404
    assert len(got.body) < 3_000
    assert got.detail.startswith("no study")
    assert "…" in got.detail


def test_a_link_in_the_folder_of_the_page_is_not_served(tmp_path: Path) -> None:
    secret = tmp_path / "secret.js"
    secret.write_text("secret")
    folder = tmp_path / "static"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text("<title>Rung</title>")
    (folder / "assets" / "linked.js").symlink_to(secret)
    (folder / "assets" / "page.py").write_text("")
    (folder / "assets" / "page.js").write_text("1")
    pages = Pages(folder)
    assert pages.answer("/assets/page.js") is not None
    assert pages.answer("/assets/linked.js") is None
    assert pages.answer("/assets/page.py") is None
    assert pages.answer("/nowhere") is None
    told = pages.answer("/nowhere", reader=True)  # whoever looks for a page is told so by the page
    assert told is not None
    assert (told.status, told.kind) == (404, "text/html; charset=utf-8")


# ------------------------------------------------------------------------------------- what browsers are told: CVE-2024-27132


def test_every_answer_says_what_a_browser_must_not_do(guard: Guard, logged_in: dict[str, str]) -> None:
    asked = [("GET", "/"), ("GET", "/assets/index-abc123.js"), ("GET", "/icon.svg"), ("GET", "/nothing"), ("PUT", "/"),
             ("GET", "/api/studies"), ("GET", "/api/nothing"), ("GET", "/api/health"), ("GET", "/..")]  # fmt: skip
    for method, path in asked:
        headers = ask(guard, path, method=method, headers=logged_in).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["cross-origin-opener-policy"] == "same-origin"
        assert headers["cross-origin-resource-policy"] == "same-origin"
        policy = headers["content-security-policy"]
        assert {"default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'"} <= set(policy.split("; "))
        assert "unsafe" not in policy
        assert "*" not in policy
    for status, path in ((200, "/api/studies"), (404, "/api/nothing")):
        got = ask(guard, path, headers=logged_in)
        assert got.status == status
        assert got.headers["cache-control"] == "no-store"
        assert got.headers["content-security-policy"].endswith("sandbox")


def test_the_page_has_a_nonce_of_its_own_each_time(guard: Guard) -> None:
    nonces = set()
    for path in ("/", "/new", "/studies/score-1", "/studies/score-1/trials/7"):
        got = ask(guard, f"{path}?where=lr%20%3C%201")
        assert (got.status, got.headers["cache-control"]) == (200, "no-store")
        found = re.search(r"style-src 'self' 'nonce-([A-Za-z0-9_-]{22})'", got.headers["content-security-policy"])
        assert found is not None
        assert f'nonce="{found[1]}"'.encode() in got.body
        assert NONCE.encode() not in got.body
        nonces.add(found[1])
    assert len(nonces) == 4


def test_assets_are_small_and_kept(guard: Guard) -> None:
    path = "/assets/index-abc123.js"
    packed = ask(guard, path, headers={"accept-encoding": "br;q=1.0, gzip;q=0.8"})
    assert packed.headers["content-encoding"] == "gzip"
    assert "immutable" in packed.headers["cache-control"]
    assert packed.headers["content-type"] == "text/javascript; charset=utf-8"
    plain = ask(guard, path, headers={"accept-encoding": "gzip;q=0, identity"})
    assert "content-encoding" not in plain.headers
    assert len(packed.body) < len(plain.body) == int(plain.headers["content-length"])
    head = ask(guard, path, method="HEAD")
    assert (head.body, head.headers["content-length"]) == (b"", plain.headers["content-length"])
    assert ask(guard, path, method="POST", headers={"origin": BASE}).status == 405


def test_without_the_page_one_is_told_how_to_get_it(site: Any, access: Access, tmp_path: Path) -> None:
    app: Any = make_app(site)
    guard = Guard(app, access=access, hosts={HOST: BASE}, cookie="c", pages=Pages(tmp_path))
    got = ask(guard, "/")
    assert got.status == 503
    assert b"rung[ui]" in got.body
    assert b"<script" not in got.body
    assert ask(guard, "/api/health").status == 200


HOSTILE = "<img src=x onerror=alert(1)>\"'\u202e\x1b[31m"


@pytest.fixture(scope="module")
def hostile(places: Places) -> str:
    """A study whose metrics, values and errors are markup."""
    study = rung.Study(
        {"opt": rung.choice(HOSTILE, "</script><script>alert(1)</script>")},
        metric=HOSTILE, search="random", seed=1, budget={"trials": 2}, store=places.store, name="hostile-1",
    )  # fmt: skip
    for _ in range(2):
        trial = study.ask()
        trial.report({HOSTILE: 1.0, "javascript:alert(1)": 2.0}, step=1)
        study.tell(trial, {HOSTILE: 1.0})
    return study.name


def test_hostile_names_are_data_in_every_answer(
    guard: Guard, logged_in: dict[str, str], operations: list[tuple[str, str]], hostile: str
) -> None:
    seen = 0
    for method, path in operations:
        if method != "GET" or "stream" in path:
            continue
        address = path.replace("/api/studies/1", f"/api/studies/{hostile}")
        got = ask(guard, address, headers=logged_in)
        assert got.status < 500, (address, got.body)
        assert not got.headers.get("content-type", "").startswith(("text/html", "image/", "application/xhtml"))
        assert got.headers["x-content-type-options"] == "nosniff"
        seen += b"onerror" in got.body
    assert seen


# ------------------------------------------------------------------------------------- limits: CVE-2025-0453 and others


def test_a_body_has_one_length_and_is_text(guard: Guard, logged_in: dict[str, str]) -> None:
    """What a proxy takes for the end of a request must be where we see it (request smuggling)."""
    headers = {**logged_in, "content-type": "application/json", "content-length": "4"}
    address = "/api/studies/score-1/actions"
    for method, path in (("POST", address), ("GET", "/"), ("GET", "/api/health")):
        got = ask(guard, path, method=method, headers={**headers, "transfer-encoding": "chunked"}, body=[b"{}"])
        assert (got.status, got.headers["connection"]) == (400, "close")
    got = ask(guard, address, method="POST", headers=headers, body=[b'"\xff"'])
    assert (got.status, got.detail) == (400, "the body is no UTF-8, as JSON has to be")


def test_a_body_is_small_however_it_comes(guard: Guard, logged_in: dict[str, str]) -> None:
    headers = {**logged_in, "content-type": "application/json"}
    said = ask(guard, "/api/session", method="POST", headers={**headers, "content-length": str(BODY_BYTES + 1)})
    assert said.status == 413
    chunked = {**headers, "transfer-encoding": "chunked"}
    pieces = [b"x" * 65_536] * 20
    assert ask(guard, "/api/session", method="POST", headers=chunked, body=pieces).status == 413
    lied = {**headers, "content-length": "10"}
    assert ask(guard, "/api/session", method="POST", headers=lied, body=pieces).status == 413
    for odd in ("-1", "1e3", "0x10", "\xb2"):
        assert ask(guard, "/api/session", method="POST", headers={**headers, "content-length": odd}).status == 400


def test_a_body_that_does_not_come_is_not_waited_for(site: Any, access: Access, pages: Pages) -> None:
    app: Any = make_app(site)
    guard = Guard(app, access=access, hosts={HOST: BASE}, cookie="c", pages=pages, body_s=0.02)

    async def slow() -> list[Any]:
        sent: list[Any] = []
        parts = [{"type": "http.request", "body": b"{", "more_body": True}]

        async def receive() -> Any:
            return parts.pop() if parts else await asyncio.Event().wait()

        async def send(message: Any) -> None:
            sent.append(message)

        headers = [(b"host", HOST.encode()), (b"origin", BASE.encode()), (b"content-type", b"application/json"),
                   (b"content-length", b"9")]  # fmt: skip
        scope = {"type": "http", "method": "POST", "path": "/api/session", "headers": headers, "client": None}
        await guard(scope, receive, send)
        return sent

    sent = asyncio.run(slow())
    assert sent[0]["status"] == 408
    assert (b"connection", b"close") in sent[0]["headers"]


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"content-type": "text/plain"}, 415),
        ({"content-type": "application/x-www-form-urlencoded"}, 415),
        ({"content-type": "multipart/form-data; boundary=x"}, 415),
        ({"content-type": "application/json", "content-encoding": "gzip"}, 415),
        ({"content-type": ""}, 415),
    ],
)
def test_a_body_is_plain_json(guard: Guard, logged_in: dict[str, str], headers: dict[str, str], status: int) -> None:
    given = {**logged_in, "content-length": "2", **headers}
    assert ask(guard, "/api/session", method="POST", headers=given, body=[b"{}"]).status == status


# ----------------------------------------------------------------------------------------------------- errors are a line


def test_every_error_is_a_line_that_names_the_field(client: TestClient[Any]) -> None:
    def refused(method: str, path: str, **given: Any) -> tuple[int, str]:
        answer = client.request(method, path, **given)
        found = answer.json()
        assert set(found) == {"status_code", "detail"}, found
        assert found["status_code"] == answer.status_code
        assert "\n" not in found["detail"]
        assert "Traceback" not in found["detail"]
        assert str(Path(rung.__file__).parent) not in found["detail"]
        return answer.status_code, found["detail"]

    assert refused("GET", "/api/nothing") == (404, "there is nothing at this address")
    assert refused("GET", "/api/studies/nothing/views/history")[0] == 404
    assert refused("DELETE", "/api/me")[0] == 405
    status, detail = refused("POST", "/api/session", json={"tokn": "x"})
    assert status == 400
    assert "token" in detail
    status, detail = refused("POST", "/api/session", json={"token": 1})
    assert status == 400
    assert "token" in detail
    for bad in (b"{", b"", b"\xff", b"[" * 100_000, b'{"token": NaN}'):
        assert refused("POST", "/api/session", content=bad, headers={"content-type": "application/json"})[0] == 400


def test_an_error_of_ours_keeps_its_text_to_itself(
    guard: Guard,
    logged_in: dict[str, str],
    site: Any,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise RuntimeError("secret of ours")

    monkeypatch.setattr(type(site.store), "studies", broken)
    got = ask(guard, "/api/studies", headers=logged_in)
    assert got.status == 500
    assert "secret" not in got.detail
    assert "secret of ours" in caplog.text


def test_an_error_outside_of_the_routes_is_a_line_as_well(
    access: Access, pages: Pages, caplog: pytest.LogCaptureFixture
) -> None:
    async def broken(scope: Any, receive: Any, send: Any) -> None:
        raise RuntimeError("secret of ours")

    guard = Guard(broken, access=access, hosts={HOST: BASE}, cookie="c", pages=pages)
    got = ask(guard, "/api/x", headers={"authorization": f"Bearer {access.tokens.read}"})
    assert got.status == 500
    assert "secret" not in got.detail
    assert "secret of ours" in caplog.text


# --------------------------------------------------------------------------------------------------- what is not there

CLIENTS = {"aiohttp", "ftplib", "httpx", "requests", "smtplib", "urllib3", "xmlrpc"}


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield node.module or ""


def test_the_server_asks_nobody_on_behalf_of_a_client() -> None:
    """No webhooks, no URIs as sources: there is no request that one could forge (CVE-2026-2393)."""
    room = Path(rung.server.__file__).parent
    found = {
        (path.name, name)
        for path in room.rglob("*.py")
        for name in imports(path)
        if name.partition(".")[0] in CLIENTS or name in {"http.client", "urllib.request"}
    }
    assert not found


def test_no_request_can_carry_a_command(guard: Guard, logged_in: dict[str, str]) -> None:
    """The browser starts what lies in the project; what a program is, only files and the command line say."""
    document = json.loads(ask(guard, "/api/schema/openapi.json", headers=logged_in).body)
    schemas = document["components"]["schemas"]
    wanted: set[str] = set()

    def follow(node: Any) -> None:
        if isinstance(node, dict):
            name = str(node.get("$ref", "")).rpartition("/")[2]
            if name and name not in wanted:
                wanted.add(name)
                follow(schemas[name])
            for value in node.values():
                follow(value)
        elif isinstance(node, list):
            for value in node:
                follow(value)

    for operations in document["paths"].values():
        for operation in operations.values():
            follow(operation.get("requestBody", {}))
    assert "Login" in wanted
    fields = {field for name in wanted for field in schemas[name].get("properties", {})}
    assert not fields & {
        "command",
        "cmd",
        "argv",
        "shell",
        "env",
        "environment",
        "executor",
        "cwd",
        "python",
        "function",
    }
