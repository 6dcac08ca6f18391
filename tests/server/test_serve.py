"""`rung ui` on real sockets: what it prints, who may connect for how long, and how it ends."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import queue
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import click
import pytest

from rung.cli import ui
from rung.cli.main import main
from rung.model import BadInput
from rung.server import connections
from rung.server.serve import bound, is_private, origins
from rung.server.sessions import tokens_of
from server.conftest import LARGE, Live, make_study

# ------------------------------------------------------------------------------------------------------- the command


pytestmark = pytest.mark.xdist_group("server serve")  # its tests share a study, in their order


class Started(NamedTuple):
    """A `rung ui` that runs."""

    process: subprocess.Popen[str]
    address: str

    @property
    def port(self) -> int:
        return int(self.address.split(":")[2].partition("/")[0])

    @property
    def token(self) -> str:
        return self.address.partition("#token=")[2]

    @contextlib.contextmanager
    def asked(self, path: str) -> Iterator[http.client.HTTPResponse]:
        """The answer to a GET; its body may have no end."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        with contextlib.closing(connection):
            connection.request("GET", path, headers={"Authorization": f"Bearer {self.token}"})
            with connection.getresponse() as answer:
                yield answer

    def json(self, path: str) -> Any:
        """What a GET answers."""
        with self.asked(path) as answer:
            assert answer.status == 200
            return json.load(answer)


@contextlib.contextmanager
def started(*words: str, cwd: Path) -> Iterator[Started]:
    """`rung ui` in that folder, on a free port; its address is the first and only line on stdout."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("RUNG_")}
    command = [sys.executable, "-m", "rung", "ui", "--port", "0", "--no-browser", *words]
    with subprocess.Popen(
        command, cwd=cwd, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            yield Started(process, process.stdout.readline().strip())
        finally:
            process.kill()


def test_two_servers_on_a_folder_end_at_once_with_their_streams_open(tmp_path: Path) -> None:
    with started(cwd=tmp_path) as one, started("--read-only", cwd=tmp_path) as other:
        tokens = tokens_of(tmp_path / "runs")
        assert one.address == f"http://127.0.0.1:{one.port}/#token={tokens.control}"
        assert other.address == f"http://127.0.0.1:{other.port}/#token={tokens.read}"
        assert one.json("/api/studies") == []  # there need be no store yet
        assert not (tmp_path / "runs" / "rung.db").exists()
        make_study(f"sqlite:///{tmp_path}/runs/rung.db", "score-1", trials=2)
        assert [study["name"] for study in one.json("/api/studies")] == ["score-1"]
        assert one.json("/api/me")["role"] == "control"
        assert other.json("/api/me")["role"] == "read"
        for server, how, code in ((one, signal.SIGINT, 130), (other, signal.SIGTERM, 143)):
            with server.asked("/api/stream?study=score-1") as stream:
                assert stream.status == 200
                assert stream.headers["content-type"].startswith("text/event-stream")
                server.process.send_signal(how)
                out, err = server.process.communicate(timeout=10)
            assert server.process.returncode == code
            assert out == ""
            assert "Traceback" not in err
            assert "sqlite:///runs/rung.db" in err
            assert tokens.control not in err
            assert (tokens.read in err) == (server is one)  # the link for others


def test_a_port_that_is_taken_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    with bound("127.0.0.1", 0) as listening:
        port = str(listening.getsockname()[1])
        assert main(["ui", "--port", port, "--no-browser"]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.count("\n") == 1
    assert f"port {port} is taken" in said.err


def test_without_the_packages_one_is_told_how_to_get_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in [name for name in sys.modules if name.startswith("rung.server")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "litestar", None)  # its import raises ModuleNotFoundError
    assert main(["ui", "--no-browser"]) == 2
    said = capsys.readouterr()
    assert "pip install 'rung[ui]'" in said.err
    assert said.err.count("\n") == 1


def test_tokens_that_others_could_read_are_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    folder = tokens_of(tmp_path / "runs").folder
    assert folder is not None
    (folder / "control").chmod(0o644)
    assert main(["ui", "--port", "0", "--no-browser"]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert "open to others (mode 0644, not 0600)" in said.err


def test_letting_the_network_in_is_warned_of(capsys: pytest.CaptureFixture[str]) -> None:
    ui._warn(8585)
    said = capsys.readouterr().err
    assert "unencrypted" in said
    assert f"ssh -N -L 8585:127.0.0.1:8585 {socket.gethostname()}" in said


def test_a_browser_is_opened_on_a_desktop_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "SSH_CONNECTION"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setattr(sys, "platform", "linux")
    assert not ui._is_desktop()
    monkeypatch.setenv("DISPLAY", ":0")
    assert ui._is_desktop()
    monkeypatch.setenv("SSH_CONNECTION", "somewhere")
    assert not ui._is_desktop()
    monkeypatch.delenv("SSH_CONNECTION")
    monkeypatch.setattr(sys.stderr, "isatty", lambda: False)
    assert not ui._is_desktop()


def test_the_token_is_in_no_command_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shown: queue.Queue[str] = queue.Queue()
    monkeypatch.setattr("webbrowser.open", shown.put)
    tokens = tokens_of(tmp_path)
    address = f"http://127.0.0.1:8585/#token={tokens.control}"
    with click.Context(ui.ui):
        ui._open(address, tokens)
        found = shown.get(timeout=10)
        assert tokens.control not in found
        page = Path(found.removeprefix("file://"))
        assert f'url={address}"' in page.read_text()
        assert page.stat().st_mode & 0o777 == 0o600
    assert not page.exists()


# --------------------------------------------------------------------------------------------------------- addresses


def test_only_this_machine_is_let_in_by_default() -> None:
    with bound("127.0.0.1", 0) as listening:
        port = listening.getsockname()[1]
        assert is_private(listening)
        assert origins(listening, "127.0.0.1") == {
            f"127.0.0.1:{port}": f"http://127.0.0.1:{port}",
            f"localhost:{port}": f"http://localhost:{port}",
            f"[::1]:{port}": f"http://[::1]:{port}",
        }
    with bound("localhost", 0) as listening:
        assert is_private(listening)


def test_every_address_has_to_be_asked_for_and_is_listed() -> None:
    with bound("0.0.0.0", 0) as listening:
        port = listening.getsockname()[1]
        assert not is_private(listening)
        found = origins(listening, "0.0.0.0")
        assert next(iter(found)) == f"{socket.gethostname().lower()}:{port}"
        assert f"127.0.0.1:{port}" in found
        assert f"0.0.0.0:{port}" not in found


def test_other_addresses_that_lead_here_are_named() -> None:
    with bound("127.0.0.1", 0) as listening:
        port = listening.getsockname()[1]
        allowed = ["localhost:9999", "Rung.Example", "https://rung.example", "https://rung.example:8443", "http://a"]
        found = origins(listening, "127.0.0.1", allowed)
        assert list(found.items())[3:] == [
            ("localhost:9999", "http://localhost:9999"),
            (f"rung.example:{port}", f"http://rung.example:{port}"),
            ("rung.example", "https://rung.example"),
            ("rung.example:8443", "https://rung.example:8443"),
            ("a", "http://a"),
        ]
        for bad in ("*", "", "http://a/b", "a b", "ftp://a", "a:b", "user@a", "*.example"):
            with pytest.raises(BadInput, match="--allow-host"):
                origins(listening, "127.0.0.1", [bad])


def test_an_address_of_another_machine_is_refused() -> None:
    for host in ("192.0.2.1", "no such name"):
        with pytest.raises(BadInput, match="no address of this machine"):
            bound(host, 0)


# ------------------------------------------------------------------------------------------------------- connections


def connected(live: Live) -> socket.socket:
    return socket.create_connection(("127.0.0.1", live.port), timeout=10)


def everything(client: socket.socket) -> bytes:
    """What is sent until the server closes the connection, or resets it."""
    found = b""
    with contextlib.suppress(ConnectionResetError):
        while piece := client.recv(65_536):
            found += piece
    return found


def request(live: Live, path: str = "/api/health", method: str = "GET", **headers: str) -> bytes:
    given = {"Host": f"127.0.0.1:{live.port}", **{name.replace("_", "-"): value for name, value in headers.items()}}
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in given.items()), "", ""]
    return "\r\n".join(lines).encode()


def refused(answer: bytes) -> dict[str, Any]:
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"x-content-type-options: nosniff" in head.lower()
    found = json.loads(body)
    assert set(found) == {"status_code", "detail"}
    assert head.startswith(f"HTTP/1.1 {found['status_code']} ".encode())
    return dict(found)


def test_who_sends_a_request_drop_by_drop_is_dropped(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "REQUEST_S", 0.1)
    with connected(live) as silent:
        assert everything(silent) == b""
    with connected(live) as slow:
        text = request(live)
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            for place in range(len(text) - 1):  # every byte would put off a clock that begins anew with each
                slow.sendall(text[place : place + 1])
                slow.settimeout(0.02)
                with contextlib.suppress(TimeoutError):
                    if slow.recv(1) == b"":
                        break
            else:
                raise AssertionError("the whole request was waited for")
    with connected(live) as second:  # on a connection that was used before, too
        second.sendall(request(live))
        found = b""
        while not found.endswith(b"}"):
            found += second.recv(65_536)
        second.sendall(b"GET / HT")
        assert everything(second) == b""


def test_who_does_not_read_is_dropped(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "ANSWER_S", 0.05)
    with socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.settimeout(10)
        client.connect(("127.0.0.1", live.port))
        client.sendall(request(live, "/assets/large-abc123.js"))
        while live.server.server_state.connections:  # the server has let go of it
            threading.Event().wait(0.01)
        assert len(everything(client)) < LARGE


def test_connections_are_counted(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "MOST", len(live.server.server_state.connections) + 2)
    with connected(live) as one, connected(live) as two:
        for client in (one, two):
            client.sendall(request(live, "/api/stream", **live.headers))
            assert b"200 OK" in client.recv(65_536)
        with connected(live) as three:
            found = refused(everything(three))
        assert found["status_code"] == 503
    while live.server.server_state.connections:  # the server has noticed that they went
        threading.Event().wait(0.01)
    with connected(live) as silent, connected(live) as done:
        done.sendall(request(live))
        assert b"200 OK" in done.recv(65_536)
        with connected(live) as new:  # who says nothing makes room
            new.sendall(request(live, Connection="close"))
            assert b"200 OK" in everything(new)
        assert everything(silent) == b""
        done.sendall(request(live, Connection="close"))
        assert b"200 OK" in everything(done)


@pytest.mark.parametrize(
    "sent",
    [b"nonsense\r\n\r\n", b"GET / HTTP/1.1\r\n\r\n", b"GET / HTTP/1.1\r\nHost: a\r\nHost : b\r\n\r\n",
     b"GET / HTTP/1.1\r\nX: " + b"x" * 70_000, b"GET /\x00 HTTP/1.1\r\nHost: a\r\n\r\n"],
)  # fmt: skip
def test_what_is_no_request_is_refused_in_a_line(live: Live, sent: bytes) -> None:
    with connected(live) as client:
        client.sendall(sent)
        assert refused(everything(client))["status_code"] == 400


def test_a_chunked_body_is_counted(live: Live) -> None:
    head = request(
        live, "/api/session", "POST", Content_Type="application/json", Transfer_Encoding="chunked", **live.headers
    )
    with connected(live) as client, contextlib.suppress(BrokenPipeError, ConnectionResetError):
        client.sendall(head)
        chunk = b"10000\r\n" + b"x" * 65_536 + b"\r\n"
        for _ in range(16):
            client.sendall(chunk)
        assert refused(everything(client))["status_code"] == 413


def test_a_web_socket_is_not_opened(live: Live) -> None:
    with connected(live) as client:
        asked = {
            "Connection": "Upgrade",
            "Upgrade": "websocket",
            "Sec_WebSocket_Key": "x",
            "Sec_WebSocket_Version": "13",
        }
        client.sendall(request(live, "/api/stream", **asked))
        assert b"101" not in client.recv(65_536).partition(b"\r\n")[0]


def test_what_a_proxy_claims_is_not_believed(live: Live) -> None:
    with connected(live) as client:
        claims = {"X_Forwarded_Host": "evil.example", "X_Forwarded_For": "10.0.0.1", "X_Forwarded_Proto": "https"}
        client.sendall(request(live, "/api/me", Connection="close", **claims, **live.headers))
        answer = everything(client)
        assert b"200 OK" in answer
        assert b"server:" not in answer.lower()
