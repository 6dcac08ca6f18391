"""`plot.py FIGURES OUT`: a bar for each claim with a goal; how many times better than the goal (left of 1: behind).

Runs in an environment of its own that has matplotlib, so it imports nothing of ours.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import matplotlib.pyplot as plt

AHEAD, BEHIND = "#2f7d4f", "#b3402e"


def draw(claims: list[dict], out: Path, *, note: str) -> None:
    """The plot is in `out`."""
    plt.switch_backend("svg")
    plt.rcParams["svg.hashsalt"] = "rung"  # the same figures give the same file
    bars = [claim for claim in claims if claim["advance"]][::-1]
    figure, axes = plt.subplots(figsize=(10, 0.42 * len(bars) + 1.6))
    names = [claim["what"] + (f"\nagainst {claim['against']}" if claim["against"] else "") for claim in bars]
    colours = [AHEAD if claim["met"] else BEHIND for claim in bars]
    axes.barh(range(len(bars)), [claim["advance"] - 1 for claim in bars], left=1, color=colours, height=0.6)
    axes.set_yticks(range(len(bars)), names, fontsize=7)
    axes.set_xscale("log")
    axes.axvline(1, color="black", linewidth=1)
    axes.set_xlabel("times better than the goal (left of 1: behind)")
    axes.set_title(f"Speed of the machinery{note}", fontsize=10)
    axes.grid(axis="x", alpha=0.3)
    figure.tight_layout()
    figure.savefig(out, metadata={"Date": None})


if __name__ == "__main__":
    figures = json.loads(Path(sys.argv[1]).read_text())
    draw(figures["claims"], Path(sys.argv[2]), note=" (a quick run)" if figures["quick"] else "")
