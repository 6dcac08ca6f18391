"""`draw.py FIGURES FOLDER`: gains over random search, and the mean regret over time.

Runs in an environment of its own that has matplotlib, so it imports nothing of ours.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import matplotlib.pyplot as plt


def draw_gains(figures: dict, out: Path) -> None:
    """One panel for each number of workers."""
    panels = figures["gains"]
    if not panels:
        return
    figure, axes = plt.subplots(1, len(panels), figsize=(5 * len(panels), 4), squeeze=False)
    for place, (workers, found) in zip(axes[0], panels.items(), strict=True):
        names = sorted(found, key=lambda name: found[name][0])
        middle = [found[name][0] for name in names]
        low = [found[name][0] - found[name][1] for name in names]
        high = [found[name][2] - found[name][0] for name in names]
        place.barh(names, middle, xerr=[low, high], color="#7b9ec7", ecolor="#333333", capsize=2)
        place.set_xscale("log")
        place.set_title(f"{workers} workers")
        place.set_xlabel("times random, time to 0.1 %")
        place.tick_params(labelsize=7)
    save(figure, out)


def draw_curves(figures: dict, out: Path) -> None:
    """One panel for each number of workers; a method has the same colour everywhere."""
    panels = figures["curves"]
    if not panels:
        return
    names = sorted({name for found in panels.values() for name in found})
    colours = {name: plt.get_cmap("tab20")(i % 20) for i, name in enumerate(names)}
    figure, axes = plt.subplots(1, len(panels), figsize=(5 * len(panels), 4), squeeze=False)
    for place, workers in zip(axes[0], sorted(panels, key=int), strict=True):
        for name, values in panels[workers].items():
            place.plot(figures["at"], values, color=colours[name], label=name, linewidth=1.3)
        place.set_xscale("log")
        place.set_title(f"{workers} workers")
        place.set_xlabel("part of the time that all configurations take")
        place.grid(alpha=0.3)
    axes[0][0].set_ylabel("mean log10 of the relative regret")
    handles = [plt.Line2D([], [], color=colours[name], label=name) for name in names]
    figure.legend(handles=handles, loc="lower center", ncols=4, fontsize=8)
    save(figure, out, bottom=0.16)


def save(figure: plt.Figure, out: Path, *, bottom: float = 0.0) -> None:
    """The same figures give the same file."""
    plt.rcParams["svg.hashsalt"] = "rung"
    figure.tight_layout(rect=(0, bottom, 1, 1))
    figure.savefig(out, metadata={"Date": None})
    plt.close(figure)


if __name__ == "__main__":
    given, folder = json.loads(Path(sys.argv[1]).read_text()), Path(sys.argv[2])
    draw_gains(given, folder / "fidelity-gains.svg")
    draw_curves(given, folder / "fidelity-curves.svg")
