"""The page in a real Chromium, served by a real `rung ui`. See CONTRIBUTING for where Chromium comes from."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, ViewportSize, expect, sync_playwright

ROOT = Path(__file__).parents[2]
AXE = ROOT / "web" / "node_modules" / "axe-core" / "axe.min.js"
INDEX = ROOT / "src" / "rung" / "server" / "static" / "index.html"
PROGRAMS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
PATIENCE_MS = 15_000
GRAVE = {"serious", "critical"}
expect.set_options(timeout=PATIENCE_MS)


@pytest.fixture(scope="module")  # no longer: Playwright keeps an event loop running in this thread
def chromium() -> Iterator[Browser]:
    """A browser without a window."""
    program = next((found for name in PROGRAMS if (found := shutil.which(name))), None)
    if program is None:
        pytest.skip("no Chromium here; on Debian and Ubuntu: apt-get install chromium")
    if not INDEX.is_file():
        pytest.skip("the page is not built; `make web` builds it")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=FLAGS)
        yield browser
        browser.close()


@dataclass
class Served:
    """A running `rung ui`. `address` logs a browser in, `base` is the same without the token."""

    folder: Path
    words: tuple[str, ...]
    process: subprocess.Popen[str]
    address: str
    said: list[str] = field(default_factory=list)

    @classmethod
    def begun(cls, folder: Path, words: tuple[str, ...], port: int = 0) -> Served:
        """One that answers."""
        process = subprocess.Popen(
            [sys.executable, "-m", "rung", "ui", "--port", str(port), "--no-browser", *words], cwd=folder,
            env=environment(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert process.stdout is not None
        assert process.stderr is not None
        complaint: list[str] = []
        threading.Thread(target=_drain, args=(process.stderr, complaint), daemon=True).start()
        address = process.stdout.readline().strip()
        assert address.startswith("http"), f"{address} {''.join(complaint)}"
        return cls(folder, words, process, address, complaint)

    @property
    def base(self) -> str:
        """The page's address, without a trailing slash."""
        return self.address.partition("#")[0].rstrip("/")

    @property
    def token(self) -> str:
        """What `Authorization: Bearer` takes."""
        return self.address.partition("#token=")[2]

    @contextlib.contextmanager
    def away(self) -> Iterator[None]:
        """It is killed, without a chance to say so to anybody; at the end it is there again, at the same address."""
        self._end(signal.SIGKILL)
        try:
            yield
        finally:
            again = Served.begun(self.folder, self.words, int(self.base.rpartition(":")[2]))
            assert again.address == self.address
            self.process, self.said = again.process, again.said

    def close(self) -> None:
        """It has ended, and nothing went wrong in it."""
        self._end(signal.SIGINT)
        said = "".join(self.said)
        assert "Traceback" not in said, said

    def _end(self, number: int) -> None:
        self.process.send_signal(number)
        self.process.wait(10)
        assert self.process.stdout is not None
        self.process.stdout.close()


def environment() -> dict[str, str]:
    """The variables of every process here: this very `rung` first on PATH, no settings of the user's."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("RUNG_")}
    path = f"{Path(sys.executable).parent}{os.pathsep}{kept.get('PATH', os.defpath)}"
    return {**kept, "PATH": path, "XDG_CONFIG_HOME": "/nonexistent"}


def rung(folder: Path, *words: str, code: int = 0) -> str:
    """What `rung WORDS…` prints in that folder."""
    done = subprocess.run(
        [sys.executable, "-m", "rung", *words], cwd=folder, env=environment(), stdin=subprocess.DEVNULL,
        capture_output=True, text=True, timeout=50,
    )  # fmt: skip
    assert done.returncode == code, f"{done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def begin() -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Starts `rung WORDS…` in a folder and lets it run; it is gone at the end, and what it started too."""
    started: list[subprocess.Popen[str]] = []

    def start(folder: Path, *words: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-m", "rung", *words], cwd=folder, env=environment(), stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, text=True,
        )  # fmt: skip
        started.append(process)
        return process

    yield start
    for process in started:
        for number in (signal.SIGINT, signal.SIGINT, signal.SIGKILL):
            if process.poll() is None:
                process.send_signal(number)
                try:
                    process.wait(10)
                except subprocess.TimeoutExpired:
                    continue
        process.wait()


@pytest.fixture(scope="module")
def served() -> Iterator[Callable[..., Served]]:
    """Serves a folder: `served(folder)`, with further words for `rung ui`."""
    running: list[Served] = []

    def serve(folder: Path, *words: str) -> Served:
        running.append(Served.begun(folder, words))
        return running[-1]

    yield serve
    for one in running:
        one.close()


def _drain(pipe: Any, lines: list[str]) -> None:
    with pipe:
        lines.extend(pipe)


@dataclass
class Visit:
    """A page that is logged in, and what went wrong in it so far."""

    page: Page
    faults: list[str] = field(default_factory=list)
    expected: tuple[str, ...] = ()

    def check(self) -> None:
        """Nothing went wrong but what was expected to."""
        unexpected = [text for text in self.faults if not any(word in text for word in self.expected)]
        assert not unexpected, unexpected

    def heard(self, text: str) -> None:
        """Something went wrong."""
        self.faults.append(text)


class Windows:
    """The pages that are open, one for each server. To load one takes seconds of CPU: tests hand it on."""

    def __init__(self, chromium: Browser) -> None:
        self._chromium = chromium
        self._open: dict[str, tuple[Page, list[Visit]]] = {}  # the last of the visits is the one that goes on

    def visit(self, one: Served, path: str, *, dark: bool, size: ViewportSize) -> Visit:
        """A new visit to that address. Nothing is left of the one before: another page was shown in between."""
        scheme: Literal["light", "dark"] = "dark" if dark else "light"
        if one.address not in self._open:
            context = self._chromium.new_context(viewport=size, color_scheme=scheme, accept_downloads=True)
            context.grant_permissions(["clipboard-read", "clipboard-write"], origin=one.base)
            context.set_default_timeout(PATIENCE_MS)
            page, visits = context.new_page(), list[Visit]()
            page.on("console", lambda said: visits[-1].heard(said.text) if _is_error(said) else None)
            page.on("pageerror", lambda error: visits[-1].heard(str(error)))
            visits.append(Visit(page))
            self._open[one.address] = page, visits
            page.goto(f"{one.base}{path}#token={one.token}")
            return visits[-1]
        page, visits = self._open[one.address]
        go(page, "/nowhere")
        page.get_by_role("heading", name="There is no such page").wait_for()
        visits.append(Visit(page))
        page.set_viewport_size(size)
        page.emulate_media(color_scheme=scheme)
        go(page, path)
        return visits[-1]

    def close(self) -> None:
        """None is open."""
        for page, _ in self._open.values():
            page.context.close()
        self._open.clear()


@pytest.fixture(scope="module")
def windows(chromium: Browser) -> Iterator[Windows]:
    """The open pages of a file's tests."""
    found = Windows(chromium)
    yield found
    found.close()


@pytest.fixture
def visit(windows: Windows, request: pytest.FixtureRequest) -> Iterator[Callable[..., Visit]]:
    """Opens a page: `visit(served, "/studies/x", dark=True, width=390)`. An error in its console fails the test."""
    visits: list[Visit] = []
    failed = request.session.testsfailed

    def open_page(one: Served, path: str = "/", *, dark: bool = False, width: int = 1400, height: int = 900) -> Visit:
        visits.append(windows.visit(one, path, dark=dark, size={"width": width, "height": height}))
        return visits[-1]

    yield open_page
    if request.session.testsfailed > failed:  # who knows how it left the page
        windows.close()
    for found in visits:
        found.check()


def go(page: Page, path: str) -> None:
    """The page is at that address without being loaded anew, as when somebody follows a link."""
    page.evaluate("path => history.pushState(null, '', path)", path)


def _is_error(said: ConsoleMessage) -> bool:
    return said.type in {"error", "warning"}


def accessibility_faults(page: Page) -> list[str]:
    """The serious faults that axe-core finds on the page as it stands, one line each."""
    if not AXE.is_file():
        pytest.skip("axe-core is not installed; `make test` installs it, with the tools that check the page")
    if page.evaluate("typeof axe === 'undefined'"):
        page.evaluate(AXE.read_text() + "; undefined")
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{fault['id']}: {fault['help']}: {node['html'][:200]}"
        for fault in found["violations"]
        if fault["impact"] in GRAVE
        for node in fault["nodes"]
    ]
