"""A site with a small finished study, a client that is logged in, and a server on a real socket."""

from __future__ import annotations

import asyncio
import contextlib
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from litestar.testing import TestClient

import rung
from rung.api.places import Places, find_places
from rung.plugins import open_store
from rung.server.app import guarded
from rung.server.pages import Pages
from rung.server.security import Guard
from rung.server.serve import Server, bound, origins
from rung.server.sessions import Access, tokens_of
from rung.server.site import Site

DEPRECATED = "litestar.exceptions.base_exceptions.LitestarDeprecationWarning"
LARGE = 8_000_000  # bytes; more than the system takes from a server whose client does not read
BASE = "http://127.0.0.1:8585"
SPACE = {
    "lr": rung.loguniform(1e-5, 0.1),
    "width": rung.randint(8, 64),
    "opt": rung.choice("sgd", "adam"),
}
INDEX = '<!doctype html><meta property="csp-nonce" nonce="__NONCE__"><title>Rung</title><div id="root"></div>'


class Live(NamedTuple):
    """A server on a real socket, in a thread of this process."""

    url: str
    port: int
    access: Access
    server: Server

    @property
    def headers(self) -> dict[str, str]:
        """What lets a script do everything."""
        return {"Authorization": f"Bearer {self.access.tokens.control}"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Routes are written as every Litestar from 2.12 on takes them; 2.25 has a newer way and says so at each."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.filterwarnings(f"ignore::{DEPRECATED}"))
            item.add_marker(pytest.mark.filterwarnings("ignore:Deprecated :DeprecationWarning"))


def make_study(url: str, name: str, *, trials: int = 8) -> str:
    """The name of a study that is finished: `loss` over three epochs, and `size`; trial 2 failed."""
    study = rung.Study(SPACE, metric="loss", search="random", seed=1, budget={"trials": trials}, store=url, name=name)
    for number in range(trials + (trials > 2)):
        trial = study.ask()
        width = float(trial.params["width"])
        for epoch in (1, 2, 3):
            trial.report(step=epoch, loss=width / 64 + 1 / epoch, size=10 * width)
        if number == 2:
            study.tell(trial, state="failed")
        else:
            study.tell(trial, {"loss": width / 64})
    return name


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder that the server was started in; the current one, with nothing set by a user."""
    folder = tmp_path_factory.mktemp("project")
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("RUNG_")]:
            patch.delenv(name)
        patch.setenv("XDG_CONFIG_HOME", str(folder / "no-config"))
        patch.chdir(folder)
        yield folder


@pytest.fixture(scope="module")
def places(project: Path) -> Places:
    """Store and runs of the project, in their usual places."""
    return find_places(store=f"sqlite:///{project}/runs/rung.db", directory=str(project / "runs"))


@pytest.fixture(scope="module")
def site(project: Path, places: Places) -> Iterator[Site]:
    """A site with the finished study `score-1`."""
    make_study(places.store, "score-1")
    store = open_store(places.store)
    yield Site(store, places, project)
    store.close()


@pytest.fixture(scope="module")
def access(places: Places) -> Access:
    """The tokens of the project."""
    return Access(tokens_of(places.runs))


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Pages:
    """A built page, as small as it can be."""
    folder = tmp_path_factory.mktemp("static")
    (folder / "index.html").write_text(INDEX)
    (folder / "assets").mkdir()
    (folder / "assets" / "index-abc123.js").write_text("export const one = 1;\n" * 200)
    (folder / "assets" / "large-abc123.js").write_bytes(b"/" * LARGE)
    (folder / "icon.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")
    return Pages(folder)


@pytest.fixture(scope="module")
def guards(site: Site, access: Access, pages: Pages) -> Callable[[], Guard]:
    """Makes the application as a stranger meets it. One is made for each client: it is started once."""
    hosts = {"127.0.0.1:8585": BASE, "localhost:8585": "http://localhost:8585"}
    return lambda: guarded(site, access=access, hosts=hosts, pages=pages, port=8585)


@pytest.fixture(scope="module")
def guard(guards: Callable[[], Guard]) -> Guard:
    """The application, for tests that speak ASGI."""
    return guards()


@contextlib.contextmanager
def opened(guard: Guard, token: str | None) -> Iterator[TestClient[Any]]:
    """A client in this process that behaves as the page does, logged in with that token (None: not)."""
    with TestClient(guard, base_url=BASE) as client:  # type: ignore[type-var]
        client.headers.update({"Origin": BASE, "Sec-Fetch-Site": "same-origin"})
        if token is not None:
            assert client.post("/api/session", json={"token": token}).status_code == 201
        yield client


@pytest.fixture(scope="module")
def client(guards: Callable[[], Guard], access: Access) -> Iterator[TestClient[Any]]:
    """A client in this process that is logged in and may do everything."""
    with opened(guards(), access.tokens.control) as found:
        yield found


@pytest.fixture(scope="module")
def reader(guards: Callable[[], Guard], access: Access) -> Iterator[TestClient[Any]]:
    """A client in this process that may only look."""
    with opened(guards(), access.tokens.read) as found:
        yield found


@pytest.fixture(scope="module")
def stranger(guards: Callable[[], Guard]) -> Iterator[TestClient[Any]]:
    """A client in this process that is not logged in."""
    with opened(guards(), None) as found:
        yield found


@pytest.fixture(scope="module")
def live(site: Site, access: Access, pages: Pages) -> Iterator[Live]:
    """A server on a free port."""
    with bound("127.0.0.1", 0) as listening:
        port = listening.getsockname()[1]
        hosts = origins(listening, "127.0.0.1")
        server = Server(guarded(site, access=access, hosts=hosts, pages=pages, port=port))
        thread = threading.Thread(target=lambda: asyncio.run(server.serve(sockets=[listening])), daemon=True)
        thread.start()
        yield Live(f"http://127.0.0.1:{port}", port, access, server)
        server.should_exit = True
        thread.join(10)
        assert not thread.is_alive()
