"""Tokens that only their owner can read, and the sessions that they are exchanged for."""

from __future__ import annotations

import os
import resource
import stat
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from litestar.testing import TestClient

import rung
from rung.model import BadInput
from rung.server.security import Guard
from rung.server.sessions import FOLDER, SESSION_S, Access, Attempts, Tokens, forget_tokens, tokens_of
from server.conftest import BASE, opened

pytestmark = pytest.mark.xdist_group("server session")  # its tests share a study, in their order
TOKENS = Tokens(control="c" * 43, read="r" * 43)


class Clock:
    """A clock that goes when it is told to."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


# ------------------------------------------------------------------------------------------------------------- tokens


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_tokens_are_made_once_and_are_nobody_elses(tmp_path: Path) -> None:
    runs = tmp_path / "a" / "runs"
    umask = os.umask(0)
    try:
        made = tokens_of(runs)
    finally:
        os.umask(umask)
    assert made.folder == runs / FOLDER
    assert mode(runs / FOLDER) == 0o700
    assert {path.name: mode(path) for path in (runs / FOLDER).iterdir() if path.name != ".gitignore"} == {
        "control": 0o600,
        "read": 0o600,
    }
    assert made.control != made.read
    assert len(made.control) == len(made.read) == 43  # 256 bits
    assert tokens_of(runs) == made
    assert made.control not in repr(made)
    assert (runs / FOLDER / ".gitignore").read_text() == "*\n"


def test_servers_that_start_at_once_agree(tmp_path: Path) -> None:
    found: list[Tokens] = []
    start = threading.Barrier(8)

    def look() -> None:
        start.wait()
        found.append(tokens_of(tmp_path))

    threads = [threading.Thread(target=look) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert len(set(found)) == 1
    assert sorted(path.name for path in (tmp_path / FOLDER).iterdir()) == [".gitignore", "control", "read"]


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (lambda folder: folder.chmod(0o755), "open to others"),
        (lambda folder: (folder / "control").chmod(0o640), "open to others"),
        (lambda folder: _linked(folder / "read"), "is a symbolic link"),
        (lambda folder: _linked(folder), "is no folder, or a symbolic link"),
        (lambda folder: (folder / "control").write_text("short"), "holds no token"),
        (lambda folder: _piped(folder / "control"), "is no file"),
    ],
)
def test_tokens_that_others_could_have_read_or_put_are_refused(tmp_path: Path, spoil: Any, why: str) -> None:
    tokens_of(tmp_path)
    spoil(tmp_path / FOLDER)
    with pytest.raises(BadInput, match=why) as caught:
        tokens_of(tmp_path)
    assert str(tmp_path / FOLDER) in str(caught.value)
    assert "\n" not in str(caught.value)


def _linked(path: Path) -> None:
    elsewhere = path.parent / "elsewhere"
    path.rename(elsewhere)
    path.symlink_to(elsewhere)


def _piped(path: Path) -> None:
    path.unlink()
    os.mkfifo(path, 0o600)


def test_tokens_can_be_made_anew(tmp_path: Path) -> None:
    old = tokens_of(tmp_path)
    (tmp_path / FOLDER / "read").chmod(0o644)
    forget_tokens(tmp_path)
    assert tokens_of(tmp_path).control != old.control
    forget_tokens(tmp_path / "nothing there")
    _linked(tmp_path / FOLDER)
    with pytest.raises(BadInput, match="symbolic link"):
        forget_tokens(tmp_path)


def test_where_no_token_can_be_kept_it_ends_with_the_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    assert tokens_of(tmp_path / "file" / "runs").folder is None
    real = Path.mkdir

    def loose(path: Path, mode: int = 0o777, **given: Any) -> None:
        real(path, mode=0o777, **given)
        path.chmod(0o777)

    monkeypatch.setattr(Path, "mkdir", loose)  # a file system without permissions
    assert tokens_of(tmp_path).folder is None
    assert not (tmp_path / FOLDER).exists()


def test_a_full_disk_leaves_no_half_token(tmp_path: Path) -> None:
    """The limit on the size of a file fails as a full disk does, in the middle of writing."""
    room = resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (10, room[1]))
        assert tokens_of(tmp_path).folder is None, "they end with the server"
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, room)
    assert sorted(path.name for path in (tmp_path / FOLDER).iterdir()) == [".gitignore"]
    (tmp_path / FOLDER / ".gitignore").write_text("")
    kept = tokens_of(tmp_path)
    assert kept.folder == tmp_path / FOLDER
    assert kept == tokens_of(tmp_path)
    assert (tmp_path / FOLDER / ".gitignore").read_text() == "*\n"


def test_a_folder_of_somebody_else_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    theirs = tokens_of(tmp_path)
    me = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: me + 1)
    found = tokens_of(tmp_path)
    assert found.folder is None
    assert found.control != theirs.control


# ----------------------------------------------------------------------------------------------------------- sessions


def test_a_token_says_what_may_be_done() -> None:
    access = Access(TOKENS)
    assert access.of_token(TOKENS.control) == "control"
    assert access.of_token(TOKENS.read) == "read"
    for wrong in ("", "c", TOKENS.control[:-1], TOKENS.control + "c", "é" * 43, "\udcff"):
        assert access.of_token(wrong) is None
    assert Access(TOKENS, read_only=True).of_token(TOKENS.control) == "read"


def test_a_session_outlives_the_server_and_ends() -> None:
    clock = Clock()
    value = Access(TOKENS, clock=clock).session("control")
    again = Access(TOKENS, clock=clock)
    assert again.of_session(value) == ("control", SESSION_S)
    assert Access(TOKENS, clock=clock, read_only=True).of_session(value) == ("read", SESSION_S)
    clock.now += SESSION_S - 1
    assert again.of_session(value) == ("control", 1)
    clock.now += 1
    assert again.of_session(value) is None


def test_nobody_can_make_a_session_or_change_one() -> None:
    access = Access(TOKENS)
    value = access.session("read")
    words = value.split(".")
    forged = [
        "",
        ".",
        "v1.control",
        value.replace("read", "control"),
        ".".join([*words[:2], str(int(words[2]) + 1), *words[3:]]),
        value[:-1],
        value + "é",
        Access(Tokens(control=TOKENS.read, read=TOKENS.read)).session("control"),  # all that a reader knows
    ]
    assert [access.of_session(each) for each in forged] == [None] * len(forged)
    assert access.of_session(value) is not None
    new = Access(Tokens(control="d" * 43, read=TOKENS.read))
    assert new.of_session(value) is None


def test_wrong_tokens_run_out_and_come_back() -> None:
    clock = Clock()
    attempts = Attempts(burst=3, every_s=2.0, clock=clock)
    for _ in range(3):
        assert attempts.wait_s("a") == 0
        attempts.wrong("a")
    assert attempts.wait_s("a") == pytest.approx(2.0)
    assert attempts.wait_s("b") == 0
    clock.now += 2.0
    assert attempts.wait_s("a") == 0
    attempts.wrong("a")
    assert attempts.wait_s("a") == pytest.approx(2.0)
    for number in range(Attempts.MOST + 5):
        attempts.wrong(str(number))
    assert len(attempts._used) == Attempts.MOST


# --------------------------------------------------------------------------------------------------------- the routes


def test_a_token_is_exchanged_for_a_cookie_that_scripts_cannot_read(
    guards: Callable[[], Guard], access: Access
) -> None:
    with opened(guards(), None) as client:
        answer = client.post("/api/session", json={"token": access.tokens.control})
        assert answer.status_code == 201
        name, _, rest = answer.headers["set-cookie"].partition("=")
        assert name == "rung-8585"
        words = {word.strip().lower() for word in rest.split(";")[1:]}
        assert {"httponly", "samesite=strict", "path=/", f"max-age={int(SESSION_S)}"} <= words
        assert access.tokens.control not in answer.headers["set-cookie"] + answer.text
        me = client.get("/api/me").json()
        assert me == {
            "role": "control", "version": rung.__version__, "project": Path.cwd().name,
            "token_file": f"runs/{FOLDER}/control",
        }  # fmt: skip
        assert Path(me["token_file"]).read_text().strip() == access.tokens.control
        gone = client.delete("/api/session")
        assert gone.status_code == 204
        assert client.get("/api/me").status_code == 401


def test_a_script_sends_its_token(stranger: TestClient[Any], access: Access) -> None:
    for token, role in ((access.tokens.control, "control"), (access.tokens.read, "read")):
        answer = stranger.get("/api/me", headers={"Authorization": f"Bearer {token}"})
        assert answer.json()["role"] == role
        assert "set-cookie" not in answer.headers
    for wrong in ("Bearer nonsense", "Bearer", f"Basic {access.tokens.control}", access.tokens.control):
        answer = stranger.get("/api/me", headers={"Authorization": wrong})
        assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer"), wrong
    access.attempts = Attempts()


def test_a_session_in_use_is_renewed(
    guards: Callable[[], Guard], access: Access, monkeypatch: pytest.MonkeyPatch
) -> None:
    with opened(guards(), access.tokens.read) as client:
        assert "set-cookie" not in client.get("/api/me").headers
        clock = Clock()
        clock.now = access._clock() + 2 * 24 * 3600
        monkeypatch.setattr(access, "_clock", clock)
        assert "Max-Age=2592000" in client.get("/api/me").headers["set-cookie"]
        clock.now += SESSION_S
        assert client.get("/api/me").status_code == 401


def test_who_tries_wrong_tokens_has_to_wait(guards: Callable[[], Guard], access: Access) -> None:
    with opened(guards(), None) as client:
        found = [client.post("/api/session", json={"token": "wrong"}).status_code for _ in range(11)]
        assert found == [401] * 10 + [429]
        refused = client.get("/api/me", headers={"Authorization": "Bearer wrong"})
        assert refused.status_code == 429
        assert int(refused.headers["retry-after"]) >= 1
        script = {"Authorization": f"Bearer {access.tokens.control}"}
        assert client.get("/api/me", headers=script).status_code == 200, "one stale script locks nobody out"
        assert client.post("/api/session", json={"token": access.tokens.control}).status_code == 201
    access.attempts = Attempts()


def test_two_servers_on_a_host_do_not_log_each_other_out(client: TestClient[Any]) -> None:
    own = client.cookies["rung-8585"]
    answer = client.get("/api/me", headers={"Cookie": f'other="{{;}}"; rung-8586=v1.x; rung-8585={own}; rung=1'})
    assert answer.status_code == 200
    assert client.get("/api/me", headers={"Cookie": f"rung-8586={own}"}).status_code == 401


def test_a_read_only_session_only_looks(reader: TestClient[Any]) -> None:
    assert reader.get("/api/me").json()["role"] == "read"
    assert reader.get("/api/studies").status_code == 200
    for method in ("POST", "DELETE"):
        answer = reader.request(method, "/api/studies/score-1", headers={"Origin": BASE})
        assert answer.status_code == 403
        assert "read-only" in answer.json()["detail"]
