"""What is measured, one function a side: each returns figures by name. Times are in milliseconds where not named."""

from __future__ import annotations

import bisect
import contextlib
import http.client
import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from playwright.sync_api import Page

from bench.measure import percentile
from bench.page import browser as seen
from bench.page import served

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext

    from bench.journal import Values
    from bench.page.served import Server
    from bench.workshop import Workshop

HERE = Path(__file__).resolve().parent
DRAWN_ON = ' canvas[data-zr-dom-id^="zr_-1"]'  # a plot's marks have a layer of their own
HISTORY = f'[data-testid="plot-history"]{DRAWN_ON}'
PARALLEL = f'[data-testid="plot-parallel"]{DRAWN_ON}'
TABLE = '[data-testid="trialgrid"]'
FIRST_AXIS = 46  # pixels from the left of the parallel plot
COMPLETE = '[data-testid="count-complete"]'
MARKS = {
    "plot": seen.DRAWN % HISTORY,
    "best": '() => (document.querySelector(\'[data-testid="best-value"]\')?.textContent ?? "").trim().length > 0',
}
DASHBOARD_MARKS = {"plot": '() => document.querySelectorAll(".js-plotly-plot .scatterlayer .point").length > 0'}
SHORT_TRIAL = "#!/bin/sh\nsleep 0.05\necho loss=0.5\n"


class Ours(NamedTuple):
    """A study in a store of its own, and the folder that `rung ui` is started in."""

    folder: Path
    store: str


# ------------------------------------------------------------------------------------------------------------ studies


def our_study(shop: Workshop, trials: int, *, code: str) -> Ours:
    """The study of that size, made once for each version of the code: its snapshot is only read by the same fold."""
    folder = shop.kept(f"page-{trials}-{code}")
    shop.discard(f"page-{trials}-", but=folder)
    store = f"sqlite:///{folder / 'rung.db'}"
    stamp = folder / "made"
    if not stamp.exists():
        (folder / "rung.db").unlink(missing_ok=True)
        _python(shop, HERE / "study.py", store, "--trials", trials, "--curves", trials // 100, "--open")
        stamp.touch()
    return Ours(folder, store)


def their_study(shop: Workshop, trials: int) -> Path:
    """The same for optuna-dashboard; written once, since that takes minutes."""
    folder = shop.kept(f"page-optuna-{trials}")
    if not (folder / "made").exists():
        python = shop.peers.python("optuna-dashboard")
        argv = [str(python), str(HERE / "optuna_study.py"), f"sqlite:///{folder / 'optuna.db'}", str(trials)]
        subprocess.run(argv, check=True)
        (folder / "made").touch()
    return folder


def _python(shop: Workshop, script: Path, *arguments: object) -> None:
    subprocess.run([str(shop.python), str(script), *map(str, arguments)], check=True)


# ------------------------------------------------------------------------------------------------------- opening a page


def opened(shop: Workshop, trials: int, *, code: str) -> Values:
    """The study page of so many trials: paint, weight, frames while acting, what the server used."""
    ours = our_study(shop, trials, code=code)
    with served.rung_ui(shop.rung, ours.store, ours.folder) as server, seen.chromium() as chromium:
        context = seen.visitor(chromium, server.login)
        address = f"{server.address}/studies/large"
        before = server.usage()
        first = seen.painted(context, address, MARKS)
        after = server.usage()
        again = seen.painted(context, address, MARKS)
        weight = seen.weighed(context, address)
        found = _paint(first, "first") | _paint(again, "again")
        found |= {"page_kb": weight.page / 1e3, "data_kb": weight.data / 1e3}
        found |= {"server_cpu_s": after.cpu_s - before.cpu_s, "server_mb": server.usage().memory_mb}
        return found | acted(context, address)


def _paint(one: seen.Painted, when: str) -> Values:
    missing = float("nan")
    marks = {f"{when}_{name}": at if at is not None else missing for name, at in one.marks.items()}
    return {f"{when}_paint": one.contentful if one.contentful is not None else missing, **marks}


def acted(context: BrowserContext, address: str) -> Values:
    """The frames while a person zooms and pans, brushes, sorts and scrolls."""
    found: Values = {}
    for query, first, gestures in SCENES:
        page = context.new_page()
        page.goto(address + query)
        page.wait_for_selector(first, timeout=90_000)
        page.wait_for_timeout(3_000)
        for name, (target, act) in gestures.items():
            try:
                seen.box(page, target)  # what comes into view with it is drawn before anybody acts
                page.wait_for_timeout(2_000)
                frames = seen.framed(page, act)
            except Exception as error:  # noqa: BLE001 - a gesture that the page does not know is a missing figure
                print(f"{name}: not measured: {str(error).splitlines()[0]}", file=sys.stderr)
                continue
            found |= {f"{name}_longest": frames.longest, f"{name}_p99": frames.p99, f"{name}_task": frames.task}
        page.close()
    return found


def _pan(page: Page) -> None:
    seen.zoom_and_pan(page, HISTORY)


def _brush(page: Page) -> None:
    """Along the first axis of the parallel plot, twice; what is selected shows in the address."""
    where = seen.box(page, PARALLEL)
    x, top, height = where["x"] + FIRST_AXIS, where["y"] + 0.3 * where["height"], 0.3 * where["height"]
    for share in (1.0, 0.5):
        seen.drag(page, (x, top), (x, top + share * height), steps=30)
        page.wait_for_timeout(500)
    if "sel=" not in page.url:
        raise RuntimeError("the parallel plot was brushed, and the address does not say so")


def _sort(page: Page) -> None:
    seen.box(page, TABLE)
    for name in ("value", "lr", "value"):
        page.locator(f"{TABLE} [role=columnheader]").filter(has_text=name).first.locator("button").first.click()
        page.wait_for_timeout(700)


def _scroll(page: Page) -> None:
    seen.scroll(page, TABLE)


Gestures = dict[str, tuple[str, Callable[[Page], None]]]  # by name: the element that is acted on, and how
SCENES: tuple[tuple[str, str, Gestures], ...] = (
    ("?history.drag=move", HISTORY, {"pan": (HISTORY, _pan)}),
    ("", PARALLEL, {"brush": (PARALLEL, _brush)}),
    ("?tab=table", TABLE, {"sort": (TABLE, _sort), "scroll": (TABLE, _scroll)}),
)


def dashboard(shop: Workshop, trials: int) -> Values:
    """optuna-dashboard with a study like ours."""
    folder = their_study(shop, trials)
    program = shop.peers.program("optuna-dashboard", "optuna-dashboard")
    store = f"sqlite:///{folder / 'optuna.db'}"
    with served.dashboard(program, store, folder) as server, seen.chromium() as chromium:
        context = seen.visitor(chromium, "")
        address = f"{server.address}/dashboard/studies/1"
        before = server.usage()
        first = seen.painted(context, address, DASHBOARD_MARKS, timeout_s=180)
        after = server.usage()
        again = seen.painted(context, address, DASHBOARD_MARKS, timeout_s=180)
        weight = seen.weighed(context, address, settle_s=max(3.0, trials / 500))
        found = _paint(first, "first") | _paint(again, "again")
        found |= {"page_kb": weight.page / 1e3, "data_kb": weight.data / 1e3}
        found |= {"server_cpu_s": after.cpu_s - before.cpu_s, "server_mb": server.usage().memory_mb}
        page = context.new_page()
        page.goto(address)
        page.wait_for_selector(".js-plotly-plot .scatterlayer .point", timeout=180_000)
        page.wait_for_timeout(5_000)
        frames = seen.framed(page, lambda page: seen.zoom_and_pan(page, ".js-plotly-plot"))
        return found | {"pan_longest": frames.longest, "pan_p99": frames.p99, "pan_task": frames.task}


# ------------------------------------------------------------------------------------------------------------- deltas


def latency(shop: Workshop, trials: int, *, code: str, seconds: float) -> Values:
    """From an append in the log to its number on the screen, while 100 trials end every second."""
    ours = our_study(shop, trials, code=code)
    with shop.folder() as folder:
        subprocess.run(["cp", str(ours.folder / "rung.db"), str(folder / "rung.db")], check=True)
        store = f"sqlite:///{folder / 'rung.db'}"
        with served.rung_ui(shop.rung, store, folder) as server, seen.chromium() as chromium:
            context = seen.visitor(chromium, server.login)
            page = context.new_page()
            page.goto(f"{server.address}/studies/large")
            page.wait_for_selector(COMPLETE, timeout=90_000)
            page.wait_for_timeout(3_000)
            seen.watch_number(page, COMPLETE)
            before, began = server.usage(), time.monotonic()
            argv = [str(shop.python), str(HERE / "study.py"), store, "--live", "--seconds", str(seconds)]
            with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as writer:
                assert writer.stdout is not None
                while writer.poll() is None:
                    page.wait_for_timeout(100)
                appends = [json.loads(line) for line in writer.stdout]
            page.wait_for_timeout(1_500)
            used = (server.usage().cpu_s - before.cpu_s) / (time.monotonic() - began)
            late = delays(appends, page.evaluate("() => window.__numbers"))
        return {
            "median": percentile(late, 50), "p95": percentile(late, 95), "longest": max(late),
            "appends": len(appends), "server_share": used,
        }  # fmt: skip


def delays(appends: list[dict[str, Any]], numbers: list[tuple[float, int]]) -> list[float]:
    """Milliseconds from each append to the first frame that shows a count at least as high. Raises `RuntimeError` when
    one was never shown."""
    counts = [number for _, number in numbers]
    found = []
    for one in appends:
        place = bisect.bisect_left(counts, one["complete"])
        if place == len(counts):
            raise RuntimeError(f"the page never showed {one['complete']} complete trials; it came to {counts[-1:]}")
        found.append(1e3 * (numbers[place][0] - one["at"]))
    return found


# -------------------------------------------------------------------------------------------------------------- crowd


def running(shop: Workshop, trials: int, *, readers: int, pages: int) -> Values:
    """Trials that wait for 50 ms, two at a time, through `rung run`, while `rung ui` serves so many readers of the
    study's stream and so many pages in a browser; with none of either there is no server at all."""
    with shop.folder() as folder, contextlib.ExitStack() as stack:
        script = folder / "trial.sh"
        script.write_text(SHORT_TRIAL)
        script.chmod(0o755)
        # A short study first: a server needs a store to open.
        subprocess.run(_study(shop, script, "a", trials=2), cwd=folder, check=True, capture_output=True)
        watched = None
        if readers or pages:
            watched = stack.enter_context(served.rung_ui(shop.rung, f"sqlite:///{folder}/runs/rung.db", folder))
        argv = _study(shop, script, "b", trials=trials)
        process = subprocess.Popen(argv, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        begun, usage = time.monotonic(), None if watched is None else watched.usage()
        attached = _attach(stack, shop, watched, readers=readers, pages=pages)
        first, at = _count(folder, trials), time.monotonic()
        if process.wait() != 0:
            raise RuntimeError("the study did not end well")
        ended = time.monotonic()
        found = {"trials_per_s": (trials - first) / (ended - at), "seconds": ended - begun}
        if watched is not None and usage is not None:
            found["server_share"] = (watched.usage().cpu_s - usage.cpu_s) / (ended - begun)
        if attached is not None:
            attached.stdin.close()  # type: ignore[union-attr]
            assert attached.stdout is not None
            said = json.loads(attached.stdout.read().strip().splitlines()[-1])
            found |= {"events_per_reader": said["events"] / readers, "dropped": said["dropped"]}
        return found


def _study(shop: Workshop, script: Path, name: str, *, trials: int) -> list[str]:
    return [
        str(shop.rung), "run", "-n", str(trials), "-w", "2", "--search", "random", "--seed", "0", "--name", name,
        "--dir", "runs", "-p", "x=uniform(0,1)", "-m", "loss", str(script),
    ]  # fmt: skip


def _attach(
    stack: contextlib.ExitStack, shop: Workshop, server: Server | None, *, readers: int, pages: int
) -> subprocess.Popen[str] | None:
    """Readers and pages watch the study; None: there are no readers. Without a server as long is waited."""
    if server is None:
        time.sleep(2.0)
        return None
    _until(lambda: _known(server))
    if pages:
        chromium = stack.enter_context(seen.chromium())
        context = seen.visitor(chromium, server.login)
        for _ in range(pages):
            context.new_page().goto(f"{server.address}/studies/b", wait_until="commit")
    if not readers:
        return None
    argv = [str(shop.python), str(HERE / "readers.py"), server.address, server.cookie(), "b", str(readers)]
    process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    stack.callback(process.kill)
    assert process.stdout is not None
    if process.stdout.readline().strip() != "ready":
        raise RuntimeError("the readers did not come up")
    return process


def _known(server: Server) -> bool:
    """Whether the server knows the study already."""
    place = server.address.removeprefix("http://")
    connection = http.client.HTTPConnection(place)
    connection.request("GET", "/api/studies/b", headers={"Cookie": server.cookie()})
    return connection.getresponse().status == 200


def _until(holds: Callable[[], bool], *, seconds: float = 20.0) -> None:
    until = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > until:
            raise RuntimeError("the study never began")
        time.sleep(0.05)


def _count(folder: Path, trials: int) -> int:
    """How many trials the log knows the end of."""
    from rung.plugins import open_store
    from rung.runner.log import open_state

    store = open_store(f"sqlite:///{folder / 'runs' / 'rung.db'}")
    with contextlib.closing(store):
        counts = open_state(store, "b").counts
    if counts["complete"] >= trials:
        raise RuntimeError("the study was over before anybody watched: give it more trials")
    return counts["complete"]
