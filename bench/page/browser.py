"""What a browser sees: when something is painted, how long frames take while a person acts, what crosses the wire.

All clocks are the page's own (`performance.now()`; `Date.now()` where a time is compared with another process), so that
the driver's round trips are in no figure.
"""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING, Any, NamedTuple

from playwright.sync_api import sync_playwright

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Browser, BrowserContext, Page

CHROMIUM = "/usr/bin/chromium"
FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-backgrounding-occluded-windows",
)  # fmt: skip
WIDTH, HEIGHT = 1400, 900

# When each of the marks first holds, looked at once a frame. A plot counts when its canvas has drawn something: some
# pixel that is not transparent, in a sample of rows; an SVG plot when it has a mark.
WATCH = """
window.__seen = {};
window.__marks = %s;
(function look() {
  for (const [name, test] of Object.entries(window.__marks)) {
    if (!(name in window.__seen)) {
      let holds = false;
      try { holds = test(); } catch (error) { holds = false; }
      if (holds) window.__seen[name] = performance.now();
    }
  }
  if (Object.keys(window.__seen).length < Object.keys(window.__marks).length) requestAnimationFrame(look);
})();
"""
DRAWN = """(() => {
  const canvas = document.querySelector(%r);
  if (!canvas || !canvas.width) return false;
  const pen = canvas.getContext("2d", {willReadFrequently: false});
  for (let k = 1; k < 8; k++) {
    const row = pen.getImageData(0, Math.floor(canvas.height * k / 8), canvas.width, 1).data;
    for (let i = 3; i < row.length; i += 4) if (row[i] > 0) return true;
  }
  return false;
})"""
FRAMES = """
window.__frames = []; window.__tasks = []; window.__recording = true;
window.__observer = new PerformanceObserver(list => {
  for (const entry of list.getEntries()) window.__tasks.push(entry.duration);
});
window.__observer.observe({type: "longtask"});
(function tick(before) {
  requestAnimationFrame(now => {
    if (before) window.__frames.push(now - before);
    if (window.__recording) tick(now);
  });
})(0);
"""
STOP = """() => { window.__recording = false; window.__observer.disconnect();
  return {frames: window.__frames, tasks: window.__tasks}; }"""


class Painted(NamedTuple):
    """Milliseconds from navigation: to the first contentful paint, and to each of the marks (None: it never held)."""

    contentful: float
    marks: dict[str, float | None]


class Frames(NamedTuple):
    """Milliseconds: the longest frame, the 99th percentile of them, the longest task; and how many frames."""

    longest: float
    p99: float
    task: float
    frames: int


class Weight(NamedTuple):
    """Bytes that crossed the wire, compressed: of the page (document, scripts, styles, fonts), and of data."""

    page: int
    data: int


@contextlib.contextmanager
def chromium() -> Iterator[Browser]:
    """A browser."""
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        try:
            yield browser
        finally:
            browser.close()


def visitor(browser: Browser, login: str) -> BrowserContext:
    """A person who has logged in, with an empty cache but for what logging in brings."""
    context = browser.new_context(viewport={"width": WIDTH, "height": HEIGHT})
    if login:
        page = context.new_page()
        page.goto(login)
        page.wait_for_function("() => fetch('/api/me').then(answer => answer.ok)", timeout=60_000)
        page.close()
    return context


def painted(context: BrowserContext, address: str, marks: dict[str, str], *, timeout_s: float = 90.0) -> Painted:
    """The page is opened, and waited for until all marks (name -> a JavaScript function) held."""
    page = context.new_page()
    tests = "{" + ", ".join(f"{name!r}: {test}" for name, test in marks.items()) + "}"
    page.add_init_script(WATCH % tests)
    page.goto(address, wait_until="commit")
    until = time.monotonic() + timeout_s
    seen: dict[str, float] = {}
    while len(seen) < len(marks) and time.monotonic() < until:
        time.sleep(0.1)
        seen = page.evaluate("() => window.__seen")
    script = "() => (performance.getEntriesByName('first-contentful-paint')[0] || {}).startTime ?? null"
    contentful = page.evaluate(script)
    page.close()
    return Painted(contentful, {name: seen.get(name) for name in marks})


def weighed(context: BrowserContext, address: str, *, settle_s: float = 3.0) -> Weight:
    """What a first visit with an empty cache brings over the wire."""
    page = context.new_page()
    wire = context.new_cdp_session(page)
    wire.send("Network.enable")
    wire.send("Network.setCacheDisabled", {"cacheDisabled": True})
    kinds: dict[str, str] = {}
    bytes_of: dict[str, int] = {}
    wire.on("Network.responseReceived", lambda said: kinds.__setitem__(said["requestId"], said["type"]))
    wire.on(
        "Network.loadingFinished", lambda said: bytes_of.__setitem__(said["requestId"], int(said["encodedDataLength"]))
    )
    page.goto(address, wait_until="load")
    page.wait_for_timeout(settle_s * 1e3)
    page.close()
    static = {"Document", "Script", "Stylesheet", "Font", "Image"}
    of_page = sum(size for key, size in bytes_of.items() if kinds.get(key) in static)
    return Weight(of_page, sum(bytes_of.values()) - of_page)


def framed(page: Page, act: Callable[[Page], Any]) -> Frames:
    """The frames while `act` went on."""
    page.evaluate("() => {" + FRAMES + "}")
    page.wait_for_timeout(200)
    act(page)
    page.wait_for_timeout(400)
    said = page.evaluate(STOP)
    frames, tasks = sorted(said["frames"]), said["tasks"]
    if not frames:
        return Frames(float("nan"), float("nan"), max(tasks, default=0.0), 0)
    return Frames(frames[-1], frames[int(0.99 * (len(frames) - 1))], max(tasks, default=0.0), len(frames))


# ----------------------------------------------------------------------------------------------------------- gestures


def box(page: Page, selector: str) -> dict[str, float]:
    """Where the element is on the screen, scrolled there first."""
    element = page.locator(selector).first
    element.scroll_into_view_if_needed()
    page.wait_for_timeout(100)
    found = element.bounding_box()
    assert found is not None, selector
    return {"x": found["x"], "y": found["y"], "width": found["width"], "height": found["height"]}


def zoom_and_pan(page: Page, selector: str) -> None:
    """The wheel (with Control, as maps want it) in and out over the middle of the element, then a drag to and fro."""
    where = box(page, selector)
    x, y = where["x"] + where["width"] / 2, where["y"] + where["height"] / 2
    page.mouse.move(x, y)
    page.keyboard.down("Control")
    for turn in [-240] * 8 + [240] * 4:
        page.mouse.wheel(0, turn)
        page.wait_for_timeout(30)
    page.keyboard.up("Control")
    drag(page, (x, y), (x - where["width"] / 4, y), steps=20)
    drag(page, (x, y), (x + where["width"] / 4, y), steps=20)


def drag(page: Page, begin: tuple[float, float], end: tuple[float, float], *, steps: int = 20) -> None:
    """The mouse is pressed at the one place, moved to the other, and let go."""
    page.mouse.move(*begin)
    page.mouse.down()
    for k in range(1, steps + 1):
        share = k / steps
        page.mouse.move(begin[0] + (end[0] - begin[0]) * share, begin[1] + (end[1] - begin[1]) * share)
        page.wait_for_timeout(16)
    page.mouse.up()


def scroll(page: Page, selector: str, *, turns: int = 60, by: float = 600) -> None:
    """The wheel turned over the element, down and up again."""
    where = box(page, selector)
    page.mouse.move(where["x"] + where["width"] / 2, where["y"] + min(where["height"], 300) / 2)
    for turn in range(turns):
        page.mouse.wheel(0, by if turn < turns / 2 else -by)
        page.wait_for_timeout(16)


def watch_number(page: Page, selector: str) -> None:
    """Every change of the number in the element is noted, with its Unix time, by the frame after it."""
    page.evaluate(
        """selector => {
          window.__numbers = [];
          const note = () => {
            const text = (document.querySelector(selector)?.textContent ?? "").replace(/[^0-9]/g, "");
            const last = window.__numbers.at(-1);
            if (text && (!last || last[1] !== Number(text))) {
              const number = Number(text);
              requestAnimationFrame(() => window.__numbers.push([Date.now() / 1e3, number]));
            }
          };
          note();
          new MutationObserver(note).observe(document.body, {subtree: true, childList: true, characterData: true});
        }""",
        selector,
    )
