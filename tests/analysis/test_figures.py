"""Figures as documents: valid, whole, to scale, and told apart without colour."""

from __future__ import annotations

import re
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rung.analysis import figures
from rung.analysis.figures import Axis, Curve, Panel, linear_ticks, log_ticks, number_text, ranges, spread, svg
from rung.model import BadInput

NAN = float("nan")


def curve(label: str, *y: float, wide: float = 0.1) -> Curve:
    values = np.array(y)
    return Curve(label, np.arange(float(len(y))), values, values - wide, values + wide)


def panel(*curves: Curve, title: str = "digits", best_on_top: bool = False) -> Panel:
    return Panel(title, "time (minutes)", "best loss so far", curves, best_on_top)


def parts(text: str, kind: str, name: str) -> list[ET.Element]:
    """The elements of that kind and class."""
    found = ET.fromstring(text).iter(f"{{http://www.w3.org/2000/svg}}{kind}")
    return [element for element in found if name in element.get("class", "").split()]


def texts(text: str) -> list[str]:
    return [e.text or "" for e in ET.fromstring(text).iter("{http://www.w3.org/2000/svg}text")]


def test_a_figure_says_what_it_shows() -> None:
    drawn = svg([panel(curve("tpe", 3, 2, 1), curve("random", 3, 2.5, 2)), panel(curve("tpe", 1, 2), title="ranks")])
    said = texts(drawn)
    assert {"tpe", "random", "digits", "ranks", "time (minutes)", "best loss so far"} <= set(said)
    assert len(parts(drawn, "path", "line")) == 3 + 3  # curves, and a lead to each name
    assert len(parts(drawn, "path", "band")) == 3
    assert "prefers-color-scheme:dark" in drawn


def test_what_users_named_cannot_break_it() -> None:
    drawn = svg([panel(curve("<a&b>\x07", 2, 1), title='"x" </svg>')])
    assert "<a&b> " in texts(drawn)
    assert '"x" </svg>' in texts(drawn)


def test_a_step_curve_is_drawn_to_scale() -> None:
    drawn = svg([panel(curve("a", 4, 4, 2, 1, wide=NAN))])
    assert not parts(drawn, "path", "band")
    path = parts(drawn, "path", "line")[0].get("d", "")
    corners = [tuple(map(float, pair.split(","))) for pair in path[1:].split()]
    xs = [x for x, _ in corners]
    assert xs == sorted(xs)
    assert xs[0] == figures.LEFT
    assert xs[-1] == figures.PANEL_W
    heights = dict.fromkeys(y for _, y in corners)
    top, middle, low = heights
    assert top < middle < low  # smaller is lower
    assert (middle - top) / (low - middle) == pytest.approx(2, abs=0.01)
    ranked = svg([panel(curve("a", 2, 1), best_on_top=True)])
    path = parts(ranked, "path", "line")[0].get("d", "")
    assert float(path.split(",")[1].split()[0]) > float(path.rsplit(",", 1)[1])  # rank 1 is at the top


def test_gaps_are_not_bridged() -> None:
    drawn = svg([panel(curve("a", NAN, 3, NAN, 2, 1))])
    assert len(parts(drawn, "path", "line")) == 2 + 1
    assert len(parts(drawn, "path", "band")) == 2
    nothing = svg([panel(curve("a", NAN, NAN))])
    assert "a" not in texts(nothing)


def test_curves_beyond_the_colours_have_dashes() -> None:
    many = [curve(f"m{i}", i + 1, i) for i in range(len(figures.LIGHT) + 1)]
    lines = [line for line in parts(svg([panel(*many)]), "path", "line") if "lead" not in line.get("class", "")]
    dashes = [line.get("stroke-dasharray") for line in lines]
    assert dashes[:-1] == [None] * len(figures.LIGHT)
    assert dashes[-1] == figures.DASHES[1]


@pytest.mark.parametrize(("colours", "ground"), [(figures.LIGHT, "#ffffff"), (figures.DARK, "#121212")])
def test_colours_stand_out_from_the_ground(colours: tuple[str, ...], ground: str) -> None:
    for colour in colours:
        light, dark = sorted((luminance(colour), luminance(ground)), reverse=True)
        assert (light + 0.05) / (dark + 0.05) >= 3, colour  # WCAG 2.1, 1.4.11: graphics


def luminance(colour: str) -> float:
    """Relative luminance (WCAG 2.1)."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@given(st.floats(-1e6, 1e6), st.floats(1e-3, 1e6))
def test_ticks_are_round_and_within(low: float, width: float) -> None:
    ticks = linear_ticks(low, low + width)
    assert 2 <= len(ticks) <= 9
    assert all(low - 1e-6 * width <= tick <= low + width * (1 + 1e-6) for tick in ticks)
    assert np.allclose(np.diff(ticks), np.diff(ticks)[0])


@given(st.floats(-8, 6), st.floats(1.5, 12))
def test_logarithmic_ticks_are_within(low: float, decades: float) -> None:
    ticks = log_ticks(10.0**low, 10.0 ** (low + decades))
    assert 1 <= len(ticks) <= 13
    assert ticks == sorted(ticks)


def test_numbers_on_an_axis() -> None:
    assert [number_text(v) for v in (0, 0.05, 20, 1e-6, 2.5e7, -3)] == ["0", "0.05", "20", "1e-6", "2.5e7", "-3"]


def test_an_axis_shows_what_is_left_after_the_beginning() -> None:
    x = np.linspace(0, 100, 101)
    y = np.where(x < 3, 1e9, 2 - x / 100)
    found = ranges(panel(Curve("a", x, y, y, y)))
    assert found[:2] == (0, 100)
    assert 0.9 < found[2] < 1
    assert 1.95 <= found[3] < 2.1
    assert not found[4]
    wide = 10 ** (4 - x / 20)
    assert ranges(panel(Curve("a", x, wide, wide, wide)))[4]
    assert ranges(panel())[2:] == (0, 1, False)


def test_a_logarithmic_axis_leaves_what_is_below_zero_outside() -> None:
    axis = Axis(1.0, 100.0, 300.0, 0.0, log=True)
    assert axis(np.array([1.0, 10.0, 100.0])).tolist() == pytest.approx([300, 150, 0])
    assert axis(np.array([-1.0]))[0] > 300


@given(st.lists(st.floats(0, 300), max_size=12))
def test_names_do_not_overlap(places: list[float]) -> None:
    found = spread(places, least=14, low=0, high=300)
    assert (np.diff(sorted(found)) >= 14 - 1e-9).all()
    assert all(0 <= place <= 300 for place in found)
    assert [found[i] for i in np.argsort(places, kind="stable")] == sorted(found)


def test_a_png_is_one(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="the extra `plot` is not installed")
    path = tmp_path / "a.png"
    figures.write_png([panel(curve("a", 3, NAN, 1)), panel(curve("a", 1, 2), best_on_top=True)], path)
    assert path.read_bytes().startswith(b"\x89PNG")


def test_a_png_needs_matplotlib(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.backends.backend_agg", None)  # as if it were not installed
    with pytest.raises(BadInput, match="pip install 'rung\\[plot\\]'"):
        figures.write_png([panel(curve("a", 3, 1))], tmp_path / "a.png")


def test_panels_are_laid_out_in_rows() -> None:
    drawn = svg([panel(curve("a", 2, 1), title=f"p{i}") for i in range(5)])
    moves = re.findall(r"translate\((\d+) (\d+)\)", drawn)
    assert len({x for x, _ in moves}) == 3
    assert len({y for _, y in moves}) == 2
