"""The page "New study" in Chromium: a grid made in the form is the study that runs, to its end."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from browser.conftest import Served, Visit, accessibility_faults, rung

pytestmark = pytest.mark.xdist_group("new study")  # its tests share a server and a browser
VALOHAI = """
- step:
    name: train
    image: any
    command: "printf '{\\"loss\\": %s}\\\\n' {parameter-value:learning_rate}"
    parameters:
      - {name: learning_rate, type: float, default: 0.001, description: How far each step goes.}
      - {name: batch_size, type: integer, default: 32}
      - {name: opt, type: string, default: adam, choices: [adam, sgd]}
"""
STUDY = """
function: f.py:score
parameters:
  x: {type: float, min: 0, max: 1}
objective: loss
run: {executor: inline}
"""
SIX = "0.1\n0.2\n0.3\n0.4\n0.5\n0.6"
STATUS = "form [role=status]"
expect.set_options(timeout=15_000)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, served: Callable[..., Served]) -> Served:
    """A served project with a file of Valohai's and one of ours."""
    folder = tmp_path_factory.mktemp("project")
    (folder / "valohai.yaml").write_text(VALOHAI)
    (folder / "study.yaml").write_text(STUDY)
    (folder / "f.py").write_text("def score(p):\n    return p['x']\n")
    return served(folder)


def choose(page: Page, row: str, mode: str) -> None:
    """The row has that mode."""
    page.get_by_role("combobox", name=f"Mode of {row}").click()
    page.get_by_role("option", name=mode, exact=True).click()


def test_a_grid_of_six_by_six_runs_to_its_end(site: Served, visit: Callable[..., Visit]) -> None:
    page = visit(site, "/new").page
    page.get_by_role("link", name=re.compile("valohai.yaml")).click()
    expect(page.locator(STATUS)).to_have_text("Will create a total of 1 trial.")
    expect(page.get_by_text("How far each step goes.")).to_be_visible()
    choose(page, "learning_rate", "Multiple")
    page.get_by_label("Values of learning_rate").fill(SIX)
    choose(page, "batch_size", "Logspace")
    for field, value in (("Start", "2"), ("End", "7"), ("Count", "6"), ("Base", "2")):
        page.get_by_label(f"{field} of batch_size").fill(value)
    expect(page.get_by_test_id("means-batch_size")).to_have_text("4, 8, 16, 32, 64, 128 — 6 values")
    expect(page.locator(STATUS)).to_have_text("Will create a total of 36 trials.")

    page.reload()
    expect(page.get_by_label("Values of learning_rate")).to_have_value(SIX)
    expect(page.locator(STATUS)).to_have_text("Will create a total of 36 trials.")

    page.get_by_role("button", name="Show as").click()
    words = page.get_by_test_id("show-cli").inner_text()
    assert words.startswith("rung run --step train --style learning_rate=multiple:0.1,0.2,0.3,0.4,0.5,0.6 ")
    page.keyboard.press("Escape")
    page.get_by_label("Target metric").first.fill("loss")
    page.get_by_label("Workers").fill("4")
    expect(page.get_by_role("button", name="Start")).to_be_enabled()
    page.get_by_role("button", name="Start").dblclick()
    page.wait_for_url("**/studies/valohai-1*")

    expect(page.get_by_test_id("study-state")).to_have_text("complete", timeout=60_000)
    trials = json.loads(rung(site.folder, "trials", "--json", "valohai-1"))
    assert {trial["state"] for trial in trials} == {"complete"}
    pairs = {(trial["params"]["learning_rate"], trial["params"]["batch_size"]) for trial in trials}
    assert pairs == {(lr / 10, 2**n) for lr in range(1, 7) for n in range(2, 8)}
    assert len(trials) == 36
    assert [study["name"] for study in json.loads(rung(site.folder, "ls", "--json"))] == ["valohai-1"]
    expect(page.get_by_text(re.compile(r"\b36\b")).first).to_be_visible()


def test_what_is_wrong_stands_at_its_field(site: Served, visit: Callable[..., Visit]) -> None:
    page = visit(site, "/new?file=study.yaml").page
    start = page.get_by_role("button", name="Start")
    expect(page.locator(STATUS)).to_have_text(re.compile("Will create a total of 100 trials, out of infinitely many"))
    page.get_by_label("Max of x").fill("high")
    expect(page.get_by_text("expected a number, got 'high'")).to_be_visible()
    expect(page.locator(STATUS)).to_have_text("1 thing to correct.")
    expect(start).to_be_disabled()
    page.get_by_label("Max of x").fill("2")
    page.get_by_label("Maximum count").fill("20")
    expect(page.get_by_text("fewer than 30 evaluations")).to_be_visible()
    page.get_by_role("combobox", name="Goal").click()
    page.get_by_role("option", name="Come near to a value").click()
    expect(page.get_by_text("give the value that the metric is to come near to")).to_be_visible()
    page.get_by_label("Target value").fill("0.3")
    expect(start).to_be_enabled()
    page.get_by_role("combobox", name="Early stopping").click()
    page.get_by_role("option", name=re.compile("^asha")).click()
    page.get_by_role("button", name="Options of asha (9)").click()
    page.get_by_label("eta of asha").fill("1")
    expect(page.get_by_text("expected a number above 1, got 1")).to_be_visible()
    page.get_by_label("eta of asha").fill("4")
    expect(start).to_be_enabled()
    page.get_by_role("button", name="Show as").click()
    assert "--schedule asha --set schedule.eta=4" in page.get_by_test_id("show-cli").inner_text()


@pytest.mark.parametrize(("dark", "width"), [(False, 1400), (True, 390)])
def test_everybody_can_use_it(site: Served, visit: Callable[..., Visit], dark: bool, width: int) -> None:
    page = visit(site, "/new", dark=dark, width=width).page
    expect(page.get_by_role("link", name=re.compile("study.yaml"))).to_be_visible()
    assert accessibility_faults(page) == []
    page.get_by_role("link", name=re.compile("study.yaml")).click()
    expect(page.get_by_role("button", name="Start")).to_be_enabled()
    page.get_by_role("button", name="Options of auto").click()
    expect(page.get_by_label("repeats of auto")).to_be_visible()
    assert accessibility_faults(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_an_empty_folder_says_what_to_put_there(tmp_path: Path, served: Callable[..., Served], visit: Callable[..., Visit]) -> None:  # fmt: skip
    page = visit(served(tmp_path), "/new").page
    expect(page.get_by_text("Nothing to start here yet")).to_be_visible()
    assert accessibility_faults(page) == []


def test_who_may_only_look_sees_why_it_cannot_be_started(site: Served, served: Callable[..., Served], visit: Callable[..., Visit]) -> None:  # fmt: skip
    page = visit(served(site.folder, "--read-only"), "/new?file=study.yaml").page
    expect(page.locator(STATUS)).to_have_text(re.compile("Will create a total of 100 trials"))
    expect(page.get_by_role("button", name="Start")).to_be_disabled()
    expect(page.get_by_text(re.compile("Read-only"))).to_be_visible()
