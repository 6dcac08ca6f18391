"""A study's page: numbers that move, plots that say what the log says, one selection through all of them."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

import rung as tuner
from browser.conftest import Served, Visit, accessibility_faults, rung

pytestmark = pytest.mark.xdist_group("study page")  # its tests share a server and a browser
Visiting = Callable[..., Visit]
HOSTILE = "<img src onerror>"
SLOW = """\
name: watched
command: [sh, -c, 'echo "loss: $(( {x} + 1 ))"; while [ $RUNG_TRIAL -ge 4 ] && [ ! -e go ]; do sleep 0.05; done; echo "loss: {x}"']
parameters: {x: {type: int, min: 1, max: 99}}
objective: {metric: loss, goal: minimize}
search: {method: random, seed: 1}
budget: {trials: 10}
run: {workers: 2}
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, served: Callable[..., Served]) -> Served:
    """A folder with a study whose signal is known, and one whose names are an attack."""
    folder = tmp_path_factory.mktemp("study-page")
    (folder / "runs").mkdir()
    (folder / "study.yaml").write_text(SLOW)
    store = f"sqlite:///{folder}/runs/rung.db"
    space = {
        "lr": tuner.loguniform(1e-4, 1.0),
        "opt": tuner.choice(["sgd", "adam"]),
        HOSTILE: tuner.uniform(0.0, 1.0),
    }
    study = tuner.Study(
        space, metric="loss", search="random", seed=5, store=store, name="planted", budget={"trials": 60}
    )
    for number in range(60):
        trial = study.ask()
        loss = (math.log10(trial.params["lr"]) + 2) ** 2 + (trial.params["opt"] == "sgd")
        trial.report(loss=loss + 1, step=1)
        trial.report(loss=loss, step=2)
        if number % 20 == 7:
            study.tell(trial, state="failed")
        else:
            study.tell(trial, loss if number % 20 != 3 else math.nan)
    return served(folder)


@pytest.fixture(scope="module")
def trials(site: Served) -> list[dict[str, Any]]:
    """The planted study's trials as the command line has them."""
    found: list[dict[str, Any]] = json.loads(rung(site.folder, "trials", "planted", "--json"))
    return found


def finite(trials: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Those with a value that can be drawn."""
    return [one for one in trials if one["state"] == "complete" and one["value"] != "NaN"]


def plot(page: Page, name: str) -> Locator:
    """A plot's card, drawn."""
    card = page.get_by_test_id(f"plot-{name}")
    card.scroll_into_view_if_needed()
    card.locator("canvas").first.wait_for()
    return card


def drawn(page: Page, name: str) -> list[list[str]]:
    """The data of a plot, from its own table."""
    card = page.get_by_test_id(f"plot-{name}")
    card.scroll_into_view_if_needed()
    card.locator("tbody tr").first.wait_for()
    found: list[list[str]] = card.locator("tbody tr").evaluate_all(
        "rows => rows.map(row => [...row.cells].map(cell => cell.textContent))"
    )
    return found


def drag(page: Page, canvas: Locator, begin: tuple[float, float], end: tuple[float, float]) -> None:
    """Drags over a canvas, between places given as shares of its width and height."""
    box = canvas.bounding_box()
    assert box is not None
    points = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in (begin, end)]
    page.mouse.move(*points[0])
    page.mouse.down()
    page.mouse.move(*points[1], steps=6)
    page.mouse.up()


def test_the_plots_say_what_the_log_says(site: Served, visit: Visiting, trials: list[dict[str, Any]]) -> None:
    page = visit(site, "/studies/planted?history.table=1&parallel.table=1&importance.table=1").page
    there = finite(trials)
    history = drawn(page, "history")
    assert [int(row[0]) for row in history] == [one["number"] for one in trials if one["state"] == "complete"]
    best = math.inf
    for row in history:
        value = float(row[3])
        assert row[3] == "NaN" or value == trials[int(row[0])]["value"]
        better = value < best
        assert row[4] == (row[3] if better else "")
        best = min(best, value) if better else best
    assert float(page.get_by_test_id("best-value").inner_text()) == pytest.approx(best, rel=1e-5)
    lines = {int(row[0]): row for row in drawn(page, "parallel")}
    assert set(lines) == {one["number"] for one in there}
    for one in there:
        _, _, lr, opt, odd, loss = lines[one["number"]]
        assert (float(lr), opt, float(odd), float(loss)) == (*one["params"].values(), one["value"])
    shares = {row[0]: float(row[1]) for row in drawn(page, "importance")}
    assert max(shares, key=shares.__getitem__) == "lr"
    assert shares[HOSTILE] < 0.1

    page.goto(f"{site.base}/studies/planted?tab=objectives&edf.table=1")
    values = sorted(one["value"] for one in there)
    complete = sum(one["state"] == "complete" for one in trials)
    wanted = [[value, sum(other <= value for other in values) / complete] for value in sorted(set(values))]
    assert [[float(x), float(y)] for x, y in drawn(page, "edf")] == wanted

    page.goto(f"{site.base}/studies/planted?tab=curves&curves.table=1&curves.top=10")
    curves = drawn(page, "curves")
    top = sorted(there, key=lambda one: one["value"])[:10]
    assert {int(row[0]) for row in curves} == {one["number"] for one in top}
    for one in top:
        mine = [(float(row[2]), float(row[3])) for row in curves if int(row[0]) == one["number"]]
        assert [x for x, _ in mine[:2]] == [1.0, 2.0]
        assert [y for _, y in mine[:2]] == pytest.approx([one["value"] + 1, one["value"]])


def test_a_brush_selects_everywhere_and_the_address_keeps_it(
    site: Served, visit: Visiting, trials: list[dict[str, Any]]
) -> None:
    page = visit(site, "/studies/planted", height=1600).page
    plot(page, "parallel").locator("canvas").first.hover()  # its tooltip names the hostile parameter
    drag(page, plot(page, "history").locator("canvas").first, (0.3, 0.05), (0.7, 0.85))
    chip = page.get_by_test_id("selection")
    expect(chip).to_contain_text("number >= ")
    words = chip.inner_text().partition(": ")[2].strip()
    low, high = int(words.split()[2]), int(words.split(" and ")[1].split()[2])
    above, below = (float(part.split()[2]) for part in words.split(" and ")[2:4])
    inside = [one for one in finite(trials) if low <= one["number"] <= high and above <= one["value"] <= below]
    assert 0 < len(inside) < len(trials)
    expect(chip).to_contain_text(f"Selected {len(inside)}:")

    axis = plot(page, "parallel").locator("canvas").first
    width = (axis.bounding_box() or {"width": 1})["width"]
    drag(page, axis, (46 / width, 0.3), (46 / width, 0.6))
    expect(chip).to_contain_text("params.lr >= ")
    words = chip.inner_text().partition(": ")[2].strip()
    both = json.loads(rung(site.folder, "trials", "planted", "--json", f"--where={words}"))
    assert 0 < len(both) < len(inside)
    assert {one["number"] for one in both} <= {one["number"] for one in inside}
    expect(chip).to_contain_text(f"Selected {len(both)}:")

    page.keyboard.press("g")
    page.keyboard.press("t")
    table = page.get_by_test_id("trial-table")
    expect(table.get_by_test_id("trialcount")).to_contain_text(f"{len(both)} of 60")
    page.reload()
    expect(chip).to_contain_text(words)
    expect(table.get_by_test_id("trialcount")).to_contain_text(f"{len(both)} of 60")
    page.go_back()
    plot(page, "history")
    page.keyboard.press("Escape")
    expect(chip).to_have_count(0)


def test_what_is_copied_gives_the_same(site: Served, visit: Visiting) -> None:
    where = f"`params.{HOSTILE}` < 0.5 and opt in ['sgd']"
    opened = visit(site, "/studies/planted")
    opened.expected = ("400",)  # a filter that cannot be read
    page = opened.page
    expect(page.get_by_test_id("filter")).to_be_visible()
    page.keyboard.press("/")
    page.get_by_test_id("filter").fill("lr <")
    page.keyboard.press("Enter")
    expect(page.get_by_role("search")).to_contain_text("cannot be read")
    page.get_by_test_id("filter").fill(where)
    page.keyboard.press("Enter")
    card = plot(page, "history")
    expect(page.get_by_test_id("chips")).to_contain_text(where)
    card.get_by_role("button", name="Copy as").click()
    texts = {way: page.get_by_test_id(f"copy-{way}").inner_text() for way in ("cli", "python", "rest")}
    answers = [answered(site, texts["cli"]), answered(site, python_line(site.folder, texts["python"])),
               answered(site, texts["rest"])]  # fmt: skip
    assert answers[0]["number"] == answers[1]["number"] == answers[2]["number"] != []
    assert answers[0] == answers[1] == answers[2]


def answered(site: Served, line: str) -> Any:
    """What a line prints in a shell in the study's folder."""
    import subprocess

    from browser.conftest import environment

    done = subprocess.run(["sh", "-c", line], cwd=site.folder, env={**environment(), "RUNG_TOKEN": site.token},
                          capture_output=True, text=True, timeout=50)  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def python_line(folder: Path, text: str) -> str:
    """A shell line that runs the copied Python and prints its value as JSON."""
    first, last = text.replace("\u00a0", " ").strip().split("\n\n")
    (folder / "copied.py").write_text(f"import json\n{first}\nprint(json.dumps({last}))\n")
    return "python copied.py"


def test_numbers_move_while_one_watches(site: Served, visit: Visiting, begin: Callable[..., Any]) -> None:
    page = visit(site, "/").page
    expect(page.get_by_role("link", name="planted").first).to_be_visible()
    begin(site.folder, "run", "study.yaml")
    page.get_by_role("link", name="watched").first.click()
    expect(page.get_by_test_id("study-state")).to_have_text("running")
    expect(page.get_by_test_id("count-complete")).to_have_text("4")  # the others wait for a word
    (site.folder / "go").touch()
    expect(page.get_by_test_id("count-complete")).to_have_text("10")
    expect(page.get_by_test_id("study-ended")).to_be_visible()
    expect(page.get_by_test_id("study-state")).to_have_text("complete")
    rows = list(csv.DictReader(io.StringIO(rung(site.folder, "trials", "watched", "--format", "csv"))))
    best = min(float(row["value"]) for row in rows)
    expect(page.get_by_test_id("best-value")).to_have_text(f"{best:g}")


@pytest.mark.parametrize("dark", [False, True])
def test_nobody_is_kept_out(site: Served, visit: Visiting, dark: bool) -> None:
    page = visit(site, "/studies/planted?slice.table=1", dark=dark, width=390 if dark else 1400).page
    for tab in ("Overview", "About") if dark else ("Overview", "Curves", "Space", "Objectives", "Schedule", "Table"):
        page.get_by_role("tab", name=tab).click()
        page.get_by_role("tabpanel").locator("section, table").first.wait_for()
        expect(page.locator("[aria-busy=true]")).to_have_count(0)
        assert accessibility_faults(page) == [], tab
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
