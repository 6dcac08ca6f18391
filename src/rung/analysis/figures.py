"""Step curves with bands, as SVG by ourselves and as PNG where matplotlib is installed.

An SVG follows the reader's colour scheme, light or dark; a PNG has a white ground. Colours are told apart by people who
are colour-blind (after Okabe and Ito 2008, "Color Universal Design"), and every curve has its name at its end and a
dash pattern of its own once the colours repeat, so that no curve is known by its colour alone.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape

import msgspec
import numpy as np

from rung.model import BadInput

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]

LIGHT = ("#0072b2", "#d55e00", "#00805c", "#b8508c", "#9a6b00", "#3a3a3a")
DARK = ("#56b4e9", "#ff8c42", "#2bc497", "#e79bc4", "#f0d442", "#d0d0d0")
DASHES = ("", "7 3", "2 3")
PANEL_W, PANEL_H = 520, 340
LEFT, TOP, BOTTOM = 70, 34, 50
LETTER = 7.3  # width of a letter of 12 px, about
LINE = 14  # height of a label
SETTLED = 0.05  # the first values of a search may be anything: the axis shows what is left after this share of it
SPAN_FOR_LOG = 30.0
RULES = (
    "text{fill:#1a1a1a;font:12px system-ui,sans-serif}.title{font-weight:600}.ground{fill:#fff}"
    ".grid{stroke:#dcdcdc}.axis{stroke:#1a1a1a}.line{fill:none;stroke-width:2}"
    ".band{stroke:none;fill-opacity:.16}.lead{stroke-width:1;opacity:.6}"
)
DARK_RULES = "text{fill:#e8e8e8}.ground{fill:#121212}.grid{stroke:#3a3a3a}.axis{stroke:#e8e8e8}.band{fill-opacity:.22}"


class Curve(msgspec.Struct, frozen=True):
    """A step curve: `y[i]` holds from `x[i]` to `x[i + 1]`, the band from `low` to `high`; NaN: nothing there."""

    label: str
    x: Floats
    y: Floats
    low: Floats
    high: Floats


class Panel(msgspec.Struct, frozen=True):
    """One diagram. `best_on_top`: whether smaller values are drawn higher up, as ranks are."""

    title: str
    x_label: str
    y_label: str
    curves: tuple[Curve, ...]
    best_on_top: bool = False


# ----------------------------------------------------------------------------------------------------------- scales


class Axis(msgspec.Struct, frozen=True):
    """From numbers to pixels: `low` is at `start`, `high` at `end`."""

    low: float
    high: float
    start: float
    end: float
    log: bool = False

    def __call__(self, values: Floats) -> Floats:
        """The places of the values, in pixels."""
        low, high, found = self.low, self.high, np.asarray(values, dtype=np.float64)
        if self.log:
            low, high = math.log10(low), math.log10(high)
            found = np.log10(np.maximum(found, np.finfo(np.float64).tiny))
        return self.start + (found - low) / (high - low) * (self.end - self.start)

    def ticks(self) -> list[float]:
        """Round numbers within the axis: about five, for a logarithmic one powers of ten (with 2 and 5 where few)."""
        return log_ticks(self.low, self.high) if self.log else linear_ticks(self.low, self.high)


def linear_ticks(low: float, high: float) -> list[float]:
    """Multiples of 1, 2 or 5 times a power of ten, three to seven of them."""
    rough = (high - low) / 5
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * m for m in (1, 2, 5, 10) if power * m >= 0.75 * rough)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [step * i for i in range(first, last + 1)]


def log_ticks(low: float, high: float) -> list[float]:
    """Powers of ten, every other or so where there are many; with their double and fivefold where there are few."""
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    factors = (1, 2, 5) if last - first <= 2 else (1,)
    stride = max(1, (last - first) // 6)
    found = [m * 10.0**e for e in range(first, last + 1, stride) for m in factors]
    return [tick for tick in found if low * (1 - 1e-9) <= tick <= high * (1 + 1e-9)]


def ranges(panel: Panel) -> tuple[float, float, float, float, bool]:
    """The ends of both axes, and whether the second one is logarithmic: it shows what curves and bands span once a
    twentieth of the first axis is over."""
    ends = [float(c.x[-1]) for c in panel.curves if len(c.x)]
    x_low, x_high = 0.0, max(ends, default=1.0) or 1.0
    values = np.concatenate([np.empty(0), *(_settled(c, SETTLED * x_high) for c in panel.curves)])
    values = values[np.isfinite(values)]
    if not len(values):
        return x_low, x_high, 0.0, 1.0, False
    low, high = float(values.min()), float(values.max())
    if low > 0 and high / low > SPAN_FOR_LOG:
        return x_low, x_high, low / 1.15, high * 1.15, True
    margin = 0.05 * (high - low) or 0.05 * abs(high) or 1.0
    return x_low, x_high, low - margin, high + margin, False


def _settled(curve: Curve, after: float) -> Floats:
    """The curve from the step on that holds at `after`, and its band at the end."""
    first = max(0, int(np.searchsorted(curve.x, after, side="right")) - 1)
    begun = np.flatnonzero(np.isfinite(curve.y))
    first = max(first, int(begun[0])) if len(begun) else first
    return np.concatenate([curve.y[first:], curve.low[-1:], curve.high[-1:]])


# -------------------------------------------------------------------------------------------------------------- SVG


def svg(panels: Sequence[Panel]) -> str:
    """The panels side by side and below each other, as one SVG document."""
    columns = column_count(len(panels))
    margin = 24 + LETTER * max((len(c.label) for p in panels for c in p.curves), default=0)
    width, height = PANEL_W + margin, PANEL_H
    rows = math.ceil(len(panels) / columns)
    names = ", ".join(dict.fromkeys(_plain(p.title) for p in panels))
    whole_w, whole_h = round(width * columns), height * rows
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {whole_w} {whole_h}" width="{whole_w}" role="img">',
        f"<title>{names}</title>",
        f"<style>{_style()}</style>",
        '<rect class="ground" width="100%" height="100%"/>',
    ]
    for i, panel in enumerate(panels):
        x, y = i % columns * width, i // columns * height
        parts += [f'<g transform="translate({x:.0f} {y:.0f})">', *_panel(panel, i), "</g>"]
    return "\n".join([*parts, "</svg>\n"])


def column_count(panels: int) -> int:
    """How many panels stand side by side."""
    return min(3, max(1, math.ceil(math.sqrt(panels))))


def _style() -> str:
    """The rules for the light scheme, and what differs in the dark one."""
    dark = f"{DARK_RULES}{_colours(DARK)}"
    return f"{RULES}{_colours(LIGHT)}@media(prefers-color-scheme:dark){{{dark}}}"


def _colours(colours: Sequence[str]) -> str:
    """`.s0` draws a line in the first colour, `.f0` fills with it."""
    return "".join(f".s{i}{{stroke:{c}}}.f{i},text.f{i}{{fill:{c}}}" for i, c in enumerate(colours))


def _panel(panel: Panel, number: int) -> Iterator[str]:
    x_low, x_high, y_low, y_high, log = ranges(panel)
    across = Axis(x_low, x_high, LEFT, PANEL_W)
    bottom = PANEL_H - BOTTOM
    up = Axis(y_low, y_high, *((TOP, bottom) if panel.best_on_top else (bottom, TOP)), log)
    inner = f'<rect x="{LEFT}" y="{TOP}" width="{PANEL_W - LEFT}" height="{bottom - TOP}"/>'
    yield f'<clipPath id="inner{number}">{inner}</clipPath>'
    yield f'<text class="title" x="{LEFT}" y="20">{_plain(panel.title)}</text>'
    yield from _frame(panel, across, up)
    yield f'<g clip-path="url(#inner{number})">'
    for i, curve in enumerate(panel.curves):
        yield from _drawn(curve, i, across, up)
    yield "</g>"
    yield from _labels(panel.curves, across, up)


def _frame(panel: Panel, across: Axis, up: Axis) -> Iterator[str]:
    bottom = PANEL_H - BOTTOM
    for tick, y in _placed(up):
        yield f'<line class="grid" x1="{LEFT}" x2="{PANEL_W}" y1="{y:.1f}" y2="{y:.1f}"/>'
        yield f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{number_text(tick)}</text>'
    for tick, x in _placed(across):
        yield f'<line class="axis" x1="{x:.1f}" x2="{x:.1f}" y1="{bottom}" y2="{bottom + 4}"/>'
        yield f'<text x="{x:.1f}" y="{bottom + 17}" text-anchor="middle">{number_text(tick)}</text>'
    yield f'<line class="axis" x1="{LEFT}" x2="{PANEL_W}" y1="{bottom}" y2="{bottom}"/>'
    middle_x, middle_y = (LEFT + PANEL_W) / 2, (TOP + bottom) / 2
    yield f'<text x="{middle_x}" y="{PANEL_H - 12}" text-anchor="middle">{_plain(panel.x_label)}</text>'
    yield (
        f'<text x="14" y="{middle_y}" text-anchor="middle" transform="rotate(-90 14 {middle_y})">'
        f"{_plain(panel.y_label)}</text>"
    )


def _placed(axis: Axis) -> list[tuple[float, float]]:
    ticks = axis.ticks()
    return list(zip(ticks, axis(np.array(ticks)).tolist(), strict=True))


def number_text(value: float) -> str:
    """A tick's number: `0.05`, `20`, `1e-6`."""
    text = f"{0.0 if abs(value) < 1e-300 else value:.4g}"
    return text.replace("e-0", "e-").replace("e+0", "e").replace("e+", "e")


def _drawn(curve: Curve, i: int, across: Axis, up: Axis) -> Iterator[str]:
    colour, dash = i % len(LIGHT), DASHES[i // len(LIGHT) % len(DASHES)]
    x = across(curve.x)
    for part in _stretches(np.isfinite(curve.low) & np.isfinite(curve.high)):
        corners = _steps(x[part], up(curve.high[part])) + _steps(x[part], up(curve.low[part]))[::-1]
        yield f'<path class="band f{colour}" d="M{_path(corners)}Z"/>'
    for part in _stretches(np.isfinite(curve.y)):
        dashed = f' stroke-dasharray="{dash}"' if dash else ""
        yield f'<path class="line s{colour}"{dashed} d="M{_path(_steps(x[part], up(curve.y[part])))}"/>'


def _stretches(there: npt.NDArray[np.bool_]) -> list[slice]:
    """The runs of places in a row that are there."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], there, [False])).astype(np.int8)))
    return [slice(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True)]


def _steps(x: Floats, y: Floats) -> list[tuple[float, float]]:
    """The corners of a step curve."""
    places = np.repeat(x, 2)[1:]
    heights = np.repeat(y, 2)[:-1]
    return list(zip(places.tolist(), heights.tolist(), strict=True))


def _path(corners: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in corners)


def _labels(curves: Sequence[Curve], across: Axis, up: Axis) -> Iterator[str]:
    """Each curve's name at its end, as near as the others allow."""
    ends = [(i, *_end(curve, across, up)) for i, curve in enumerate(curves) if np.isfinite(curve.y).any()]
    lowest, highest = sorted((up.start, up.end))
    heights = spread([y for *_, y in ends], least=LINE, low=lowest, high=highest)
    for (i, x, y), height in zip(ends, heights, strict=True):
        colour = i % len(LIGHT)
        yield f'<path class="line lead s{colour}" d="M{x:.1f},{y:.1f} {PANEL_W + 8},{height:.1f}"/>'
        yield f'<text class="f{colour}" x="{PANEL_W + 11}" y="{height + 4:.1f}">{_plain(curves[i].label)}</text>'


def _end(curve: Curve, across: Axis, up: Axis) -> tuple[float, float]:
    last = int(np.flatnonzero(np.isfinite(curve.y))[-1])
    x, y = across(curve.x[last : last + 1])[0], up(curve.y[last : last + 1])[0]
    low, high = sorted((up.start, up.end))
    return float(x), min(max(float(y), low), high)


def spread(places: Sequence[float], *, least: float, low: float, high: float) -> list[float]:
    """The places moved so that they are `least` apart and, as far as there is room, between `low` and `high`."""
    order = sorted(range(len(places)), key=lambda i: places[i])
    found = [0.0] * len(places)
    before = -math.inf
    for i in order:  # down: never closer than allowed to the one above
        before = found[i] = max(places[i], before + least, low)
    limit = high
    for i in reversed(order):  # and up again from the lower end
        found[i] = min(found[i], limit)
        limit = found[i] - least
    return found


def _plain(text: str) -> str:
    """Text that an SVG may hold, whatever a study is called."""
    return escape("".join(char if char.isprintable() else " " for char in text))


# -------------------------------------------------------------------------------------------------------------- PNG


def write_png(panels: Sequence[Panel], path: Path) -> None:
    """The same panels as a PNG of 150 dots an inch. Raises `BadInput` where matplotlib is not installed."""
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg  # an optional extra, and slow to load
        from matplotlib.figure import Figure
    except ImportError:
        raise BadInput("a PNG needs matplotlib: pip install 'rung[plot]' (the SVG is there without it)") from None

    columns = column_count(len(panels))
    rows = math.ceil(len(panels) / columns)
    figure = Figure(figsize=(6.6 * columns, 3.8 * rows), layout="constrained", facecolor="white")
    FigureCanvasAgg(figure)
    for i, panel in enumerate(panels):
        _plotted(figure.add_subplot(rows, columns, i + 1), panel)
    figure.savefig(path, dpi=150)


def _plotted(axes: Any, panel: Panel) -> None:
    x_low, x_high, y_low, y_high, log = ranges(panel)
    axes.set(title=panel.title, xlabel=panel.x_label, ylabel=panel.y_label, xlim=(x_low, x_high))
    axes.set_yscale("log" if log else "linear")
    axes.set_ylim(*((y_high, y_low) if panel.best_on_top else (y_low, y_high)))
    axes.grid(axis="y", color="#dcdcdc")
    axes.spines[["top", "right", "left"]].set_visible(False)
    up = Axis(y_low, y_high, *((1.0, 0.0) if panel.best_on_top else (0.0, 1.0)), log)
    across = Axis(x_low, x_high, 0.0, 1.0)
    ends = {}
    for i, curve in enumerate(panel.curves):
        colour, dash = LIGHT[i % len(LIGHT)], ("-", "--", ":")[i // len(LIGHT) % len(DASHES)]
        axes.step(curve.x, curve.y, where="post", color=colour, linestyle=dash, linewidth=1.6)
        axes.fill_between(curve.x, curve.low, curve.high, step="post", color=colour, alpha=0.16, linewidth=0)
        if np.isfinite(curve.y).any():
            ends[i] = _end(curve, across, up)
    heights = spread([y for _, y in ends.values()], least=0.055, low=0.0, high=1.0)
    for (i, (x, y)), height in zip(ends.items(), heights, strict=True):
        axes.annotate(
            panel.curves[i].label, xy=(x, y), xytext=(1.03, height), xycoords="axes fraction",
            textcoords="axes fraction", color=LIGHT[i % len(LIGHT)], va="center", fontsize=9,
            annotation_clip=False, arrowprops={"arrowstyle": "-", "color": LIGHT[i % len(LIGHT)], "linewidth": 0.6},
        )  # fmt: skip
