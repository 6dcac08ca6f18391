"""A study's page: numbers that move, plots that say what the log says, one selection through all of them."""

from __future__ import annotations

import itertools
import json
import math
import re
import statistics
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from subprocess import Popen
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest
from playwright.sync_api import Locator, Page, expect

import rung as tuner
from browser.charts import Drawn, charts
from browser.conftest import Served, Visit, accessibility_faults, environment, rung
from browser.planted import (
    HOSTILE,
    LEVELS,
    SHARES,
    TOP,
    Bar,
    Cut,
    Told,
    beside,
    front,
    planted,
    race,
    raced,
    signal,
    torn,
    volume,
)
from rung.plugins import open_store

pytestmark = pytest.mark.xdist_group("study page")  # its tests share a server and a browser
Visiting = Callable[..., Visit]
SLOW = """\
name: watched
command: [sh, -c, 'echo "loss: $(( {x} + 1 ))"; until [ $RUNG_TRIAL -lt 4 ] || [ -e go ]; do sleep 0.05; done; until [ $RUNG_TRIAL -lt 7 ] || [ -e on ]; do sleep 0.05; done; echo "loss: {x}"']
parameters: {x: {type: int, min: 1, max: 99}}
objective: {metric: loss, goal: minimize}
search: {method: random, seed: 1}
budget: {trials: 10}
run: {workers: 2}
"""


class Site(NamedTuple):
    """A served folder with studies whose signals are known, and what is known of them."""

    served: Served
    planted: list[Told]
    race: tuple[list[Bar], list[Cut]]
    torn: list[tuple[float, float]]

    @property
    def finite(self) -> list[Told]:
        """The planted trials that can be drawn."""
        return [one for one in self.planted if one.finite]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, served: Callable[..., Served]) -> Site:
    """One objective, a race with a schedule, two objectives, none; and a file of a study that is yet to run."""
    folder = tmp_path_factory.mktemp("study-page")
    (folder / "runs").mkdir()
    (folder / "study.yaml").write_text(SLOW)
    store = f"sqlite:///{folder}/runs/rung.db"
    bare = tuner.Study({"x": tuner.uniform(0.0, 1.0)}, metric=[], search="random", seed=1, store=store, name="bare")
    for speed in range(3):
        trial = bare.ask()
        trial.report(speed=float(speed))
        bare.tell(trial)
    return Site(served(folder), planted(store), race(raced(store)), torn(store))


def plot(page: Page, name: str) -> Locator:
    """A plot's card, drawn."""
    card = page.get_by_test_id(f"plot-{name}")
    card.scroll_into_view_if_needed()
    card.locator("canvas").first.wait_for()
    return card


def of(page: Page, name: str) -> list[Drawn]:
    """The charts of a plot."""
    return charts(page.get_by_test_id(f"plot-{name}"))


def told(page: Page, name: str) -> list[list[str]]:
    """The data of a plot from its own table, which the button above it shows; the plot is there again afterwards."""
    card = page.get_by_test_id(f"plot-{name}")
    card.get_by_role("button", name="Data: ").click()
    card.locator("tbody tr").first.wait_for()
    found: list[list[str]] = card.locator("tbody tr").evaluate_all(
        "rows => rows.map(row => [...row.cells].map(cell => cell.textContent))"
    )
    assert accessibility_faults(page) == []
    card.get_by_role("button", name="Plot: ").click()
    return found


def stairs(points: Sequence[tuple[float, float]], end: float) -> list[list[float]]:
    """The corners of a line that holds each value until the next."""
    nexts = [*(x for x, _ in points[1:]), end]
    return [[x, y] for (begin, y), until in zip(points, nexts, strict=True) for x in (begin, until)]


def drag(page: Page, canvas: Locator, begin: tuple[float, float], end: tuple[float, float]) -> None:
    """Drags over a canvas, between places given as shares of its width and height."""
    box = canvas.bounding_box()
    assert box is not None
    points = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in (begin, end)]
    page.mouse.move(*points[0])
    page.mouse.down()
    page.mouse.move(*points[1], steps=6)
    page.mouse.up()


def test_the_overview_draws_what_was_told(site: Site, visit: Visiting) -> None:
    page = visit(site.served, "/studies/planted").page
    (history,) = of(page, "history")
    assert history.marks() == {one.number: (one.number, one.value) for one in site.finite}
    steps = [(one.number, one.value) for one in site.finite
             if all(one.value < before.value for before in site.finite[:site.finite.index(one)])]  # fmt: skip
    assert history.data("best") == stairs(steps, len(site.planted))
    assert float(page.get_by_test_id("best-value").inner_text()) == pytest.approx(steps[-1][1], rel=1e-5)

    (parallel,) = of(page, "parallel")
    lines = {line["value"][3]: (line["value"][:3], line["lineStyle"]["color"]) for line in parallel.data("trials")}
    place = {"sgd": 0, "adam": 1}
    assert lines.keys() == {one.value for one in site.finite}
    for number, params, _, value, _ in site.finite:
        assert lines[value][0] == [params["lr"], place[params["opt"]] + beside(number), params[HOSTILE]]
    assert (lines[min(lines)][1], lines[max(lines)][1]) == ("#00224e", "#e1cc55")  # from dark to light

    (importance,) = of(page, "importance")
    assert importance.names == ["lr", "opt", HOSTILE]
    for at, name in enumerate(importance.names):
        low, _, high = importance.data("intervals")[at]
        share = SHARES[name] / sum(SHARES.values())
        assert low <= share <= high, name
        assert importance.data("importance")[at] == pytest.approx(share, abs=0.1)
        (begin, _), (end, _) = importance.series["intervals"]["shapes"][at][0]["at"]
        assert (begin, end) == pytest.approx((low, high))
    assert accessibility_faults(page) == []


def test_learning_curves_run_through_what_was_reported(site: Site, visit: Visiting) -> None:
    page = visit(site.served, "/studies/planted?tab=curves&curves.top=10").page
    (curves,) = of(page, "curves")
    best = sorted(site.finite, key=lambda one: one.value)[:10]
    for one, (line, *_) in zip(reversed(best), curves.series["curves"]["shapes"], strict=True):
        assert line["type"] == "polyline"
        assert line["at"] == [pytest.approx([step, loss]) for step, loss in enumerate(one.reports, start=1)]
    assert accessibility_faults(page) == []


def test_the_space_is_drawn_with_the_trials_where_they_are(site: Site, visit: Visiting) -> None:
    page = visit(site.served, "/studies/planted?tab=space", height=1400).page
    lr, opt, odd = of(page, "slice")
    place = {"sgd": 0, "adam": 1}
    assert lr.marks() == {one.number: (one.params["lr"], one.value) for one in site.finite}
    assert odd.marks() == {one.number: (one.params[HOSTILE], one.value) for one in site.finite}
    categories = {one.number: place[one.params["opt"]] + beside(one.number) for one in site.finite}
    assert opt.marks() == {one.number: (categories[one.number], one.value) for one in site.finite}
    # A tenth of a decade and of the range more or less: twenty stretches, with a median from five trials on.
    for drawn, edges, middle, values in (
        (lr, np.geomspace(1e-4, 1, 21), "geometric", [one.params["lr"] for one in site.finite]),
        (odd, np.linspace(0, 1, 21), "arithmetic", [one.params[HOSTILE] for one in site.finite]),
    ):
        medians = []
        for low, high in itertools.pairwise(edges):
            inside = [one.value for one, x in zip(site.finite, values, strict=True) if low <= x < high]
            if len(inside) >= 5:
                medians.append([math.sqrt(low * high) if middle == "geometric" else (low + high) / 2,
                                statistics.median(inside)])  # fmt: skip
        assert drawn.data("median") == [pytest.approx(point) for point in medians] != []

    (contour,) = of(page, "contour")
    assert (contour.label, contour.names) == ("loss over lr and opt", [])
    marks = {
        one.number: (one.params["lr"], place[one.params["opt"]] + beside(one.number + 7919)) for one in site.finite
    }
    assert contour.marks() == marks
    off = []
    for (across, up, value), (cell,) in zip(contour.data("cells"), contour.series["cells"]["shapes"], strict=True):
        (left, top), (right, bottom) = cell["at"]
        assert (left, right) == pytest.approx((10 ** (across / 6 - 4), 10 ** ((across + 1) / 6 - 4)), rel=0.02)
        assert (bottom, top) == pytest.approx((up - 0.5, up + 0.5), abs=0.02)
        middle = 10 ** ((across + 0.5) / 6 - 4)
        off.append(abs(value - signal({"lr": middle, "opt": ("sgd", "adam")[up]})))
    assert len(off) > 40
    assert statistics.median(off) < 0.1  # of values from 0 to 5
    assert sum(one < 0.5 for one in off) > 0.9 * len(off), sorted(off)

    rows = {int(row[0]): row[2:] for row in told(page, "slice")}
    assert {number: (float(lr), opt, float(loss)) for number, (lr, opt, _, loss) in rows.items()} == {
        one.number: (one.params["lr"], one.params["opt"], one.value) for one in site.finite
    }


def test_results_are_drawn_as_their_shares(site: Site, visit: Visiting) -> None:
    page = visit(site.served, "/studies/planted?tab=objectives").page
    (edf,) = of(page, "edf")
    values = [one.value for one in site.finite]
    complete = sum(not one.failed for one in site.planted)
    steps = [[value, sum(other <= value for other in values) / complete] for value in sorted(set(values))]
    assert edf.data("edf") == [[min(values), 0], *steps]
    assert accessibility_faults(page) == []


def test_the_pareto_front_and_its_hypervolume(site: Site, visit: Visiting) -> None:
    page = visit(site.served, "/studies/torn?tab=objectives").page
    pareto, grown = of(page, "pareto")
    members = front(site.torn)
    best = sorted(site.torn[at] for at in members)
    assert sorted(trial for *_, trial in pareto.data("kind:front")) == members
    assert pareto.marks() == dict(enumerate(site.torn))
    # Along the edge of what is dominated each member's gain holds until the next one's cost is reached.
    corners = [[best[0][0], best[0][1]]]
    for (_, gain), (cost, more) in itertools.pairwise(best):
        corners += [[cost, gain], [cost, more]]
    assert pareto.data("front-line") == corners
    # The reference: the worst of each on the front, and a tenth of the front's range beyond.
    (least, low), (most, high) = best[0], best[-1]
    reference = most + (most - least) / 10, low - (high - low) / 10
    volumes = [volume(site.torn[: at + 1], reference) for at in range(len(site.torn))]
    steps = [(at, now) for at, now in enumerate(volumes) if now > (volumes[at - 1] if at else 0) + 1e-9]
    assert grown.data("hypervolume") == [pytest.approx(point) for point in stairs(steps, len(volumes))]
    (edf,) = of(page, "edf")
    assert [x for x, _ in edf.data("edf")[1:]] == sorted(cost for cost, _ in site.torn)
    assert accessibility_faults(page) == []


def test_the_race_is_drawn_as_it_was_run(site: Site, visit: Visiting) -> None:
    page = visit(site.served, "/studies/raced?tab=schedule", height=1400).page
    bars, cuts = site.race
    (timeline,) = of(page, "timeline")
    assert timeline.data("bars") == [pytest.approx([bar.start, bar.end, bar.lane], abs=1e-5) for bar in bars]
    colours = {"pruned": "#a36f00", "complete": "#008560"}
    for bar, (shape,) in zip(bars, timeline.series["bars"]["shapes"], strict=True):
        (begin, lane), (end, _) = shape["at"]
        assert (begin, end, lane) == (pytest.approx(bar.start, abs=0.1), pytest.approx(bar.end, abs=0.5), bar.lane)
        assert shape["colour"] == colours[bar.outcome]

    rungs = page.get_by_test_id("plot-rungs")
    reached = {level: len(bars) - sum(cut.level < level for cut in cuts) for level in (*LEVELS, TOP)}
    for level, came in reached.items():
        stopped = sum(cut.level == level for cut in cuts)
        parts = [(came - stopped, "went on" if level < TOP else "ended there by themselves"), (stopped, "were stopped")]
        words = ", ".join(f"{count} {what}" for count, what in parts if count)
        row = rungs.get_by_role("button", name=f"epoch {level} {came} came; {words}. Show the decisions.")
        widths = row.locator("div > span").evaluate_all("parts => parts.map(part => parseFloat(part.style.width))")
        assert widths == [pytest.approx(100 * count / len(bars), rel=1e-4) for count, _ in parts if count]
    decisions = rungs.locator("tbody tr").evaluate_all(
        "rows => rows.map(row => [...row.cells].map(one => one.innerText))"
    )
    assert [[int(row[0]), row[1], float(row[2]), row[3], row[4]] for row in decisions] == [
        [cut.number, "stopped", cut.level, f"{cut.loss:.6g}", f"{cut.allowed:.6g}"] for cut in reversed(cuts)
    ]
    rungs.get_by_role("button", name="epoch 3 ").click()
    later = [cut.number for cut in reversed(cuts) if cut.level == 3]
    expect(rungs.locator("tbody tr")).to_have_count(len(later))
    assert rungs.locator("tbody tr td:first-child").all_inner_texts() == [str(number) for number in later]
    assert accessibility_faults(page) == []


def test_a_brush_selects_everywhere_and_the_address_keeps_it(site: Site, visit: Visiting) -> None:
    page = visit(site.served, "/studies/planted", height=1600).page
    plot(page, "parallel").locator("canvas").last.hover()  # its tooltip names the hostile parameter
    drag(page, plot(page, "history").locator("canvas").last, (0.3, 0.05), (0.7, 0.85))
    chip = page.get_by_test_id("selection")
    expect(chip).to_contain_text("number >= ")
    words = chip.inner_text().partition(": ")[2].strip()
    low, high = int(words.split()[2]), int(words.split(" and ")[1].split()[2])
    above, below = (float(part.split()[2]) for part in words.split(" and ")[2:4])
    inside = [one for one in site.finite if low <= one.number <= high and above <= one.value <= below]
    assert 0 < len(inside) < len(site.planted)
    expect(chip).to_contain_text(f"Selected {len(inside)}:")

    axis = plot(page, "parallel").locator("canvas").last
    width = (axis.bounding_box() or {"width": 1})["width"]
    drag(page, axis, (46 / width, 0.3), (46 / width, 0.6))
    expect(chip).to_contain_text("params.lr >= ")
    words = chip.inner_text().partition(": ")[2].strip()
    both = json.loads(rung(site.served.folder, "trials", "planted", "--json", f"--where={words}"))
    assert 0 < len(both) < len(inside)
    assert {one["number"] for one in both} <= {one.number for one in inside}
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


def test_what_is_copied_gives_the_same(site: Site, visit: Visiting) -> None:
    where = f"`params.{HOSTILE}` < 0.5 and opt in ['sgd']"
    opened = visit(site.served, "/studies/planted")
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
    answers = [answered(site.served, texts["cli"]), answered(site.served, python_line(site.served.folder, texts["python"])),
               answered(site.served, texts["rest"])]  # fmt: skip
    assert answers[0]["number"] == answers[1]["number"] == answers[2]["number"] != []
    assert answers[0] == answers[1] == answers[2]


def answered(site: Served, line: str) -> Any:
    """What a line prints in a shell in the study's folder."""
    done = subprocess.run(["sh", "-c", line], cwd=site.folder, env={**environment(), "RUNG_TOKEN": site.token},
                          capture_output=True, text=True, timeout=50)  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def python_line(folder: Path, text: str) -> str:
    """A shell line that runs the copied Python and prints its value as JSON."""
    first, last = text.replace("\u00a0", " ").strip().split("\n\n")
    (folder / "copied.py").write_text(f"import json\n{first}\nprint(json.dumps({last}))\n")
    return "python copied.py"


def test_numbers_move_while_one_watches_whatever_becomes_of_the_server(
    site: Site, visit: Visiting, begin: Callable[..., Popen[str]]
) -> None:
    opened = visit(site.served, "/")
    page, folder = opened.page, site.served.folder
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    expect(page.get_by_role("link", name="planted").first).to_be_visible()
    run = begin(folder, "run", "study.yaml")
    page.get_by_role("link", name="watched").first.click()
    expect(page.get_by_test_id("study-state")).to_have_text("running")
    complete = page.get_by_test_id("count-complete")
    expect(complete).to_have_text("4")  # the others wait for a word
    (folder / "go").touch()
    expect(complete).to_have_text("7")

    opened.expected = ("net::ERR_",)  # nobody answers
    banner = page.get_by_role("status").filter(has_text="not connected")
    with site.served.away():
        expect(banner).to_be_visible()
        expect(complete).to_have_text("7")  # what was known stays
        (folder / "on").touch()
        run.wait(30)
        asked.clear()
    expect(complete).to_have_text("10")
    expect(banner).to_have_count(0)
    expect(page.get_by_test_id("study-ended")).to_be_visible()
    expect(page.get_by_test_id("study-state")).to_have_text("complete")
    streams = [parse_qs(urlsplit(url).query) for url in asked if "/api/stream" in url]
    assert streams[-1]["study"] == ["watched"]
    assert re.fullmatch(r"\d+-[0-9a-f]+", streams[-1]["last"][0])
    values = [trial["value"] for trial in json.loads(rung(folder, "trials", "watched", "--json"))]
    expect(page.get_by_test_id("best-value")).to_have_text(f"{min(values):g}")
    (history,) = of(page, "history")
    assert history.marks() == {number: (number, value) for number, value in enumerate(values)}


def test_a_study_is_deleted_and_made_again_while_one_watches(site: Site, visit: Visiting) -> None:
    store = f"sqlite:///{site.served.folder}/runs/rung.db"

    def made(values: list[float]) -> None:
        study = tuner.Study({"x": tuner.uniform(0.0, 1.0)}, search="random", seed=1, store=store, name="fleeting")
        for value in values:
            study.tell(study.ask(), value)

    made([3.0, 2.0])
    page = visit(site.served, "/studies/fleeting").page
    expect(page.get_by_test_id("count-complete")).to_have_text("2")
    # Another listener says when it was told that the list of studies is another one, which comes last.
    page.evaluate(
        """() => new Promise(listening => {
            const feed = new EventSource("/api/stream?study=planted");
            feed.addEventListener("delta", listening);
            window.listed = new Promise(told => feed.addEventListener("studies", event => {
                if (JSON.parse(event.data).deleted.includes("fleeting")) told(feed.close());
            }));
        })"""
    )
    kept = open_store(store)
    kept.delete("fleeting")
    kept.close()
    page.evaluate("() => window.listed")
    notice = page.get_by_role("alert").filter(has_text="This study is not there any more")
    expect(notice).to_contain_text("What you see is how it was last")
    expect(page.get_by_test_id("count-complete")).to_have_text("2")
    made([5.0, 4.0, 1.5])
    expect(page.get_by_test_id("count-complete")).to_have_text("3")
    expect(page.get_by_test_id("best-value")).to_have_text("1.5")
    expect(notice).to_have_count(0)


def test_a_study_without_an_objective_has_what_there_is(site: Site, visit: Visiting) -> None:
    page = visit(site.served, "/studies/bare", height=1600).page
    expect(page.get_by_test_id("best-value")).to_have_text("no objective")
    expect(page.get_by_test_id("count-complete")).to_have_text("3")
    for tab, plots in (
        ("Overview", ("history", "importance", "parallel")),
        ("Space", ("slice", "contour", "importance")),
        ("Objectives", ("edf", "pareto")),
    ):
        page.get_by_role("tab", name=tab).click()
        for name in plots:
            expect(page.get_by_test_id(f"plot-{name}")).to_contain_text(
                re.compile("no objective|fewer than two objectives")
            )
        expect(page.get_by_role("alert")).to_have_count(0)
    page.get_by_role("tab", name="Curves").click()
    (curves,) = of(page, "curves")
    assert curves.label == "Learning curves of speed"
    assert sorted(y for _, y, _ in curves.data("curves")) == [0, 1, 2]


def test_nobody_is_kept_out(site: Site, visit: Visiting) -> None:
    page = visit(site.served, "/studies/planted", dark=True, width=390).page
    for tab in ("Overview", "Table", "About"):
        page.get_by_role("tab", name=tab).click()
        page.get_by_role("tabpanel").locator("section, table").first.wait_for()
        expect(page.locator("[aria-busy=true]")).to_have_count(0)
        assert accessibility_faults(page) == [], tab
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
