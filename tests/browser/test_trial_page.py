"""A trial's page and the offline report, in a real browser."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from browser.charts import charts
from browser.conftest import PATIENCE_MS, Served, Visit, accessibility_faults, go, rung

pytestmark = pytest.mark.xdist_group("trial page")  # its tests share a server and a browser
TRAIN = """
import time
from pathlib import Path
import rung
p = rung.params(x=1.0)
print("\\x1b[1;31mred\\x1b[0m <img src=x onerror=document.title='owned'> \\x1b]0;owned\\x07")
for epoch in range(1, 6):
    print("line of epoch", epoch)
    (rung.checkpoint_dir() / "weights.bin").write_bytes(bytes(5000))
    rung.report(epoch=epoch, loss=p["x"] + 1 / epoch, acc=epoch / 10)
while p["x"] == 3 and not Path("go").exists():
    time.sleep(0.02)
print("the end <script>document.title='owned'</script>")
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with a finished study."""
    place = tmp_path_factory.mktemp("trial-page")
    (place / "train.py").write_text(TRAIN)
    (place / "go").touch()
    rung(place, "run", "--name", "done", "-p", "x=1.0,2.0", "-m", "loss", "-w", "2", *COMMAND)
    (place / "go").unlink()
    return place


COMMAND = ("--", sys.executable, "train.py", "{rest}")


@pytest.fixture(scope="module")
def server(served: Callable[..., Served], folder: Path) -> Served:
    """`rung ui` in that project."""
    return served(folder)


def test_a_trial_is_shown_beside_the_best(visit: Callable[..., Visit], server: Served) -> None:
    page = visit(server, "/studies/done/trials/1").page
    expect(page.get_by_test_id("trial-value")).to_contain_text("loss 2.2 (minimise), +1 to the best, 2nd of all")
    row = page.locator("[data-parameter=x]")
    expect(row).to_contain_text("2")
    (metrics,) = charts(page.get_by_test_id("trial-metrics"))
    assert metrics.label == "loss of trial 1 over step"
    assert metrics.data("mine:loss") == [[epoch, 2 + 1 / epoch] for epoch in range(1, 6)]
    assert metrics.data("best:loss") == [[epoch, 1 + 1 / epoch] for epoch in range(1, 6)]
    expect(page.locator("[data-metric=loss]")).to_contain_text("2.2 at 5")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download the checkpoint of step 5").click()
    assert Path(download.value.path()).read_bytes() == bytes(5000)
    assert accessibility_faults(page) == []
    page.get_by_role("tab", name="Decisions").click()
    expect(page.locator("[data-event=proposed]")).to_contain_text("by auto")
    expect(page.locator("[data-event=completed]")).to_contain_text("complete 2.2")
    assert accessibility_faults(page) == []
    page.keyboard.press("[")
    expect(page.get_by_role("heading", name="Trial 0")).to_be_visible()


def test_a_log_is_followed_and_searched_and_does_no_harm(
    visit: Callable[..., Visit], server: Served, folder: Path, begin: Callable[..., object]
) -> None:
    begin(folder, "run", "--name", "live", "-p", "x=3.0,4.0", "-m", "loss", "-w", "1", "--search", "grid", *COMMAND)
    seen = visit(server, "/")
    seen.expected = ("404",)  # the trial is looked for before it is there
    page = seen.page
    expect(page.get_by_role("link", name="live", exact=True)).to_be_visible(timeout=PATIENCE_MS)
    go(page, "/studies/live/trials/0?tab=log")
    log = page.get_by_test_id("log-lines")
    expect(log).to_contain_text("line of epoch 5")
    expect(log).not_to_contain_text("the end")
    (folder / "go").touch()
    expect(log).to_contain_text("the end <script>document.title='owned'</script>")
    expect(log.locator("span", has_text="red")).to_have_css("font-weight", "700")
    expect(log).to_contain_text("<img src=x onerror=")
    page.get_by_role("textbox", name="Search").fill("EPOCH 3")
    page.get_by_role("button", name="Find").click()
    expect(page.get_by_role("search").get_by_role("status")).to_have_text("1 of 1")
    expect(log.locator("mark")).to_have_text("epoch 3")
    assert log.locator("img, script").count() == 0
    assert "owned" not in page.title()
    assert accessibility_faults(page) == []


def test_the_report_opens_without_a_server_and_asks_nothing(chromium: Browser, folder: Path) -> None:
    rung(folder, "export", "done", "-o", "report.html")
    context = chromium.new_context(offline=True)
    page = context.new_page()
    asked: list[str] = []
    said: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: said.append(str(error)))
    address = (folder / "report.html").as_uri()
    page.goto(address)
    expect(page.get_by_role("heading", name="done")).to_be_visible()
    (history,) = charts(page.get_by_test_id("plot-history"))
    assert history.marks() == {0: (0, 1.2), 1: (1, 2.2)}
    expect(page.get_by_role("button", name="Pause", exact=True)).to_have_count(0)
    assert accessibility_faults(page) == []
    page.emulate_media(color_scheme="dark")
    for tab in ("Curves", "Space", "Objectives", "Schedule", "About"):
        page.get_by_role("tab", name=tab).click()
        expect(page.get_by_role("tabpanel")).to_be_visible()
        if tab == "Space":
            expect(page.get_by_test_id("plot-slice").locator("canvas").first).to_be_visible()
        expect(page.get_by_text("is not in this file")).to_have_count(0)
    page.goto(f"{address}#/studies/done/trials/0")
    expect(page.get_by_test_id("trial-value")).to_contain_text("the best of all")
    assert accessibility_faults(page) == []
    assert said == []
    assert {url.partition("#")[0].partition("?")[0] for url in asked} == {address}
    context.close()
