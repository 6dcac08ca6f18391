"""The page in a real Chromium, served by a real `rung ui`. See CONTRIBUTING for where Chromium comes from."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, sync_playwright

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
    process: subprocess.Popen[str]
    address: str
    said: list[str] = field(default_factory=list)

    @property
    def base(self) -> str:
        """The page's address, without a trailing slash."""
        return self.address.partition("#")[0].rstrip("/")

    @property
    def token(self) -> str:
        """What `Authorization: Bearer` takes."""
        return self.address.partition("#token=")[2]


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
        process = subprocess.Popen(
            [sys.executable, "-m", "rung", "ui", "--port", "0", "--no-browser", *words], cwd=folder, env=environment(),
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert process.stdout is not None
        assert process.stderr is not None
        complaint: list[str] = []
        threading.Thread(target=_drain, args=(process.stderr, complaint), daemon=True).start()
        address = process.stdout.readline().strip()
        assert address.startswith("http"), f"{address} {''.join(complaint)}"
        running.append(Served(folder, process, address, complaint))
        return running[-1]

    yield serve
    for one in running:
        one.process.send_signal(signal.SIGINT)
        one.process.wait(10)
        assert one.process.stdout is not None
        one.process.stdout.close()
        said = "".join(one.said)
        assert "Traceback" not in said, said


def _drain(pipe: Any, lines: list[str]) -> None:
    with pipe:
        lines.extend(pipe)


@dataclass
class Visit:
    """A page that is logged in, and what went wrong in it so far."""

    page: Page
    faults: list[str]
    expected: tuple[str, ...] = ()

    def check(self) -> None:
        """Nothing went wrong but what was expected to."""
        unexpected = [text for text in self.faults if not any(word in text for word in self.expected)]
        assert not unexpected, unexpected


@pytest.fixture
def visit(chromium: Browser) -> Iterator[Callable[..., Visit]]:
    """Opens a page: `visit(served, "/studies/x", dark=True, width=390)`. An error in its console fails the test."""
    contexts: list[BrowserContext] = []
    visits: list[Visit] = []

    def open_page(one: Served, path: str = "/", *, dark: bool = False, width: int = 1400, height: int = 900) -> Visit:
        context = chromium.new_context(
            viewport={"width": width, "height": height},
            color_scheme="dark" if dark else "light",
            accept_downloads=True,
        )
        context.grant_permissions(["clipboard-read", "clipboard-write"], origin=one.base)
        context.set_default_timeout(PATIENCE_MS)
        contexts.append(context)
        page = context.new_page()
        found = Visit(page, [])
        page.on("console", lambda said: found.faults.append(said.text) if _is_error(said) else None)
        page.on("pageerror", lambda error: found.faults.append(str(error)))
        page.goto(f"{one.base}{path}#token={one.token}")
        visits.append(found)
        return found

    yield open_page
    for context in contexts:
        context.close()
    for found in visits:
        found.check()


def _is_error(said: ConsoleMessage) -> bool:
    return said.type in {"error", "warning"}


def accessibility_faults(page: Page) -> list[str]:
    """The serious faults that axe-core finds on the page as it stands, one line each."""
    if not AXE.is_file():
        pytest.skip("axe-core is not installed; `make test` installs it, with the tools that check the page")
    page.evaluate(AXE.read_text() + "; undefined")
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{fault['id']}: {fault['help']}: {node['html'][:200]}"
        for fault in found["violations"]
        if fault["impact"] in GRAVE
        for node in fault["nodes"]
    ]
