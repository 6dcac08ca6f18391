"""The list of studies, and acting on a study that runs."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from pathlib import Path
from subprocess import Popen

import pytest
from playwright.sync_api import Locator, Page, expect

import rung as rung_
from browser.charts import charts
from browser.conftest import Served, Visit, accessibility_faults, go
from rung.api.handle import Handle
from rung.plugins import open_store

pytestmark = pytest.mark.xdist_group("studies page")  # its tests share a server and a browser
Open = Callable[..., Visit]
SLEEPS = "echo loss: 1; exec sleep 1000"


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with three finished studies; one has a hostile note."""
    folder = tmp_path_factory.mktemp("project")
    (folder / "runs").mkdir()
    url = f"sqlite:///{folder}/runs/rung.db"
    for name, trials in (("digits-1", 4), ("digits-2", 6), ("faces-1", 2)):
        study = rung_.Study(
            {"x": rung_.uniform(0, 1)}, metric="loss", search="random", seed=1, budget={"trials": trials}, store=url,
            name=name,
        )  # fmt: skip
        for number in range(trials):
            study.tell(study.ask(), 1 / (number + 1))
    store = open_store(url)
    Handle(store, "faces-1").annotate(text="<img src=x onerror=alert(1)>", tag=["paper"])
    store.close()
    return folder


@pytest.fixture(scope="module")
def site(project: Path, served: Callable[..., Served]) -> Served:
    """That folder, served."""
    return served(project)


@pytest.fixture(scope="module")
def running(site: Served, begin: Callable[..., Popen[str]]) -> Handle:
    """A study whose trials sleep, two at a time, as the store knows it."""
    begin(site.folder, "run", "-p", "x=uniform(0,1)", "-m", "loss", "-w", "2", "--name", "sleeps",
          "--", "/bin/sh", "-c", SLEEPS, "trial", "{x}")  # fmt: skip
    store = open_store(f"sqlite:///{site.folder}/runs/rung.db")
    until(lambda: any(row.name == "sleeps" for row in store.studies()))
    handle = Handle(store, "sleeps")
    until(lambda: len(pids(handle)) == 2)
    return handle


def until(holds: Callable[[], object]) -> None:
    """Waits for a condition."""
    end = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < end, "it did not come about"
        time.sleep(0.02)


def pids(handle: Handle) -> dict[int, int]:
    """The processes of the trials that run."""
    handle.refresh()
    return {number: live.pid for number, live in handle.state.live.items() if live.pid and live.tracks}


def row(page: Page, name: str) -> Locator:
    """A study's line."""
    return page.locator(f"[data-study='{name}']")


def test_the_list_is_searched_sorted_and_filtered(site: Served, visit: Open) -> None:
    page = visit(site).page
    expect(page.locator("[data-study]")).to_have_count(3)
    expect(row(page, "digits-2")).to_contain_text("6 of 6")
    expect(row(page, "faces-1")).to_contain_text("<img src=x onerror=alert(1)>")
    page.keyboard.press("/")
    page.keyboard.type("digits")
    expect(page.locator("[data-study]")).to_have_count(2)
    page.get_by_role("columnheader", name="Best").get_by_role("button").click()
    expect(page.locator("[data-study]").first).to_have_attribute("data-study", "digits-2")
    expect(page).to_have_url(re.compile(r"q=digits.*sort=best"))
    page.reload()
    expect(page.locator("[data-study]").first).to_have_attribute("data-study", "digits-2")
    expect(page.locator("[data-study]")).to_have_count(2)


def test_studies_are_compared(site: Served, visit: Open) -> None:
    page = visit(site).page
    for name in ("digits-1", "digits-2"):
        page.get_by_label(f"Choose {name}").check()
    page.get_by_role("button", name="Compare").click()
    expect(page.get_by_role("heading", name="2 studies compared")).to_be_visible()
    table = page.get_by_role("table", name="The studies side by side")
    expect(table.get_by_role("row", name=re.compile("budget.trials"))).to_contain_text("64")
    (chart,) = charts(page.get_by_label("Best value so far"))
    for name, trials in (("digits-1", 4), ("digits-2", 6)):  # trial n came to 1 / (n + 1)
        steps = [[number, 1 / (number + 1)] for number in range(trials)]
        assert chart.data(name) == [*steps, [trials, 1 / trials]]
    assert accessibility_faults(page) == []


def test_archiving_hides_and_deleting_asks(site: Served, visit: Open) -> None:
    page = visit(site).page
    page.get_by_label("Choose digits-1").check()
    page.get_by_role("button", name="Archive").click()
    expect(row(page, "digits-1")).to_have_count(0)
    page.get_by_role("switch", name="Archived (1)").click()
    expect(row(page, "digits-1")).to_contain_text("archived")

    page.get_by_label("Choose digits-1").check()
    page.get_by_role("button", name="Delete…").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("4 trials with all results")
    dialog.get_by_role("button", name="Leave it").click()
    expect(dialog).to_have_count(0)
    expect(page.get_by_role("button", name="Delete…")).to_be_focused()
    expect(row(page, "digits-1")).to_be_visible()
    page.keyboard.press("Enter")
    page.get_by_role("dialog").get_by_role("button", name="Delete 1 study").click()
    expect(row(page, "digits-1")).to_have_count(0)


def test_a_trial_is_stopped_and_its_process_is_gone(site: Served, running: Handle, visit: Open) -> None:
    page = visit(site, "/").page
    expect(row(page, "sleeps")).to_contain_text("2 running")
    stopped = max(pids(running))
    process = Path(f"/proc/{pids(running)[stopped]}")
    go(page, f"/studies/sleeps/trials/{stopped}")
    tools = page.get_by_role("toolbar", name=f"What to do with trial {stopped}")
    tools.get_by_role("button", name="Stop").click()
    expect(page.get_by_text(f"Asked: trial {stopped} is to end.")).to_be_visible()
    until(lambda: not process.exists())
    until(lambda: stopped not in pids(running))
    expect(tools.get_by_role("button", name="Stop")).to_have_attribute("aria-disabled", "true")


def test_a_study_is_paused_changed_and_stopped(site: Served, running: Handle, visit: Open) -> None:
    opened = visit(site, "/studies/sleeps")
    page, opened.expected = opened.page, ("status of 400",)  # the edit that is refused
    tools = page.get_by_role("toolbar", name="What to do with study sleeps")
    tools.get_by_role("button", name="Pause").click()
    tools.get_by_role("button", name="Unpause").click()
    expect(tools.get_by_role("button", name="Pause", exact=True)).to_be_visible()

    tools.get_by_role("button", name="More").click()
    page.get_by_role("menuitem", name="Budget and workers…").click()
    page.get_by_role("textbox", name="Workers").fill("3")
    page.get_by_role("button", name="Change the study").click()
    until(lambda: len(pids(running)) == 3)
    expect(tools.get_by_role("button", name="More")).to_be_focused()

    tools.get_by_role("button", name="More").click()
    page.get_by_role("menuitem", name="Edit the space…").click()
    page.get_by_label("x.max").fill("nonsense")
    page.get_by_role("button", name="Check").click()
    expect(page.get_by_role("dialog").get_by_role("alert")).to_contain_text("parameters.x.max")
    page.keyboard.press("Escape")

    left = [Path(f"/proc/{pid}") for pid in pids(running).values()]
    tools.get_by_role("button", name="More").click()
    page.get_by_role("menuitem", name="Stop now…").click()
    page.get_by_role("dialog").get_by_role("button", name="Stop now").click()
    until(lambda: not any(process.exists() for process in left))
    expect(tools.get_by_role("button", name="Pause")).to_have_attribute("aria-disabled", "true")
    assert running.refresh() is not None
    assert all(change.who.startswith("page:") for change in running.state.changes)


def test_the_list_can_be_used_by_everybody(site: Served, visit: Open) -> None:
    page = visit(site).page
    expect(page.locator("[data-study]").first).to_be_visible()
    assert accessibility_faults(page) == []
    page.emulate_media(color_scheme="dark")
    assert accessibility_faults(page) == []
    page.set_viewport_size({"width": 390, "height": 900})
    expect(page.get_by_role("columnheader")).to_have_count(0)  # cards instead
    assert accessibility_faults(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_pages_that_are_not_there(site: Served, visit: Open) -> None:
    page = visit(site, "/studies/digits-2/no/such/page").page
    expect(page.get_by_role("heading", name="There is no such page")).to_be_visible()
    expect(page).to_have_title("Not found · Rung")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keys and help")).to_be_visible()
