"""`draw.py FIGURES FOLDER`: mean ranks with intervals, and each problem's regret curves with their quartiles.

Runs in an environment of its own that has matplotlib, so it imports nothing of ours.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import matplotlib.pyplot as plt

COLUMNS = 4


def draw_ranks(figures: dict, out: Path) -> None:
    """One panel for each number of trials."""
    panels = {at: rows for at, rows in figures["ranks"].items() if rows}
    if not panels:
        return
    figure, axes = plt.subplots(1, len(panels), figsize=(10, 0.4 * len(figures["methods"]) + 1.2), squeeze=False)
    for place, (at, rows) in zip(axes[0], panels.items(), strict=True):
        order = sorted(range(len(rows)), key=lambda i: -rows[i]["mean"])
        means = [rows[i]["mean"] for i in order]
        below = [rows[i]["mean"] - rows[i]["low"] for i in order]
        above = [rows[i]["high"] - rows[i]["mean"] for i in order]
        place.errorbar(means, range(len(order)), xerr=[below, above], fmt="o", color="#2f5d8f", capsize=3)
        place.set_yticks(range(len(order)), [figures["methods"][i] for i in order], fontsize=8)
        place.set_xlabel(f"mean rank after {at} trials (1 is best)")
        place.grid(axis="x", alpha=0.3)
    save(figure, out)


def draw_curves(figures: dict, out: Path) -> None:
    """One panel a problem; a method has the same colour everywhere."""
    bands = figures["bands"]
    names = sorted({name for found in bands.values() for name in found})
    if not names:
        return
    colours = {name: plt.get_cmap("tab20")(i % 20) for i, name in enumerate(names)}
    rows = -(-len(bands) // COLUMNS)
    figure, axes = plt.subplots(rows, COLUMNS, figsize=(4 * COLUMNS, 2.6 * rows), squeeze=False)
    for place in axes.flat[len(bands) :]:
        place.axis("off")
    for place, (problem, found) in zip(axes.flat, bands.items(), strict=False):
        for name, (low, middle, high) in found.items():
            trials = range(1, len(middle) + 1)
            place.plot(trials, middle, color=colours[name], linewidth=1.2, label=name)
            place.fill_between(trials, low, high, color=colours[name], alpha=0.12, linewidth=0)
        place.set_title(problem, fontsize=9)
        place.grid(alpha=0.3)
    handles = [plt.Line2D([], [], color=colours[name], label=name) for name in names]
    figure.legend(handles=handles, loc="lower center", ncols=6, fontsize=8)
    figure.supylabel("log10 regret: median and quartiles")
    save(figure, out, bottom=0.05)


def save(figure: plt.Figure, out: Path, *, bottom: float = 0.0) -> None:
    """The same figures give the same file."""
    figure.tight_layout(rect=(0, bottom, 1, 1))
    figure.savefig(out, metadata={"Date": None})


if __name__ == "__main__":
    plt.switch_backend("svg")
    plt.rcParams["svg.hashsalt"] = "rung"
    given, folder = json.loads(Path(sys.argv[1]).read_text()), Path(sys.argv[2])
    draw_ranks(given, folder / "quality-ranks.svg")
    draw_curves(given, folder / "quality-curves.svg")
