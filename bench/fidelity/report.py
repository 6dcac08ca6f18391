"""The page of the comparison: gains over random search in time and epochs, each data set beside ASHA, and plots.

A study that did not reach a target counts with its horizon. What is averaged is the logarithm: first over the seeds
of a data set, then over data sets, so that every data set has the same weight. Intervals resample seeds.
"""

from __future__ import annotations

import json
import subprocess
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bench.fidelity.methods import METHODS
from bench.fidelity.tables import PARTS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bench.fidelity.tables import Floats, Table
    from bench.peers import Peers

BASE, LIMIT, OURS = "random", "oracle", "auto"
RIVALS = ("asha-stopping", "asha-promotion")
WORKERS = (1, 8, 64)
MADE = ("made up: crossing late", "network on digits", "boosted trees")
AT = np.geomspace(1e-4, 1.0, 49)  # parts of the horizon that curves are drawn at
FLOOR = 1e-4
HEAD = """# Multi-fidelity: the work it takes

Made by `make bench-fidelity`; do not edit. Simulated time until a study has reported a value within 1 % and 0.1 % of \
the best of 1000 configurations at their end, on 12 data sets of LCBench, beside made-up curves that cross late and \
models that were really trained. Every epoch is reported; a trial that is paused keeps its checkpoint; new \
configurations are those of the table. The time that decisions take (processor seconds, on one core) is added to the \
simulated clock. A study that misses a target counts with its horizon, the time in which its workers could train all \
configurations.

Our schedulers are the real classes, driven by a light loop (`bench/fidelity/drive.py`) that shows them the deltas and \
carries out their commands as the policy does, without store and runner. Syne Tune's ASHA is its own scheduler class, \
driven by the same loop in an environment of its own. `min` is 1 for all but those that say otherwise, and epoch 1 of \
LCBench is an untrained network. `auto` finds where to look first by itself (`max` / 16).
"""

Cell = dict[int, "Floats"]  # by seed: log of (seconds, epochs) for each target
Cells = dict[tuple[str, str, int], Cell]  # by method, table, workers


def publish(runs: Sequence[dict[str, Any]], tables: Sequence[Table], target: Path, peers: Peers) -> str:
    """Page, figures and plots are in the folder; returns the page."""
    cells = cells_of(runs)
    names = [table.name for table in tables if table.name not in MADE]
    parts = [HEAD, *(_gains(cells, names, w) for w in WORKERS)]
    parts += ["![Gains](fidelity-gains.svg)\n\n![Regret](fidelity-curves.svg)\n"]
    parts += [_by_set(cells, names), _others(cells), _costs(runs)]
    notes = target / "fidelity-notes.md"
    parts += [notes.read_text()] if notes.exists() else []
    text = "\n".join(part for part in parts if part)
    target.mkdir(parents=True, exist_ok=True)
    (target / "fidelity.md").write_text(text)
    figures = target / "fidelity.json"
    figures.write_text(json.dumps(summary(runs, cells, tables), indent=1) + "\n")
    draw = Path(__file__).with_name("draw.py")
    subprocess.run([str(peers.python("plot")), str(draw), str(figures), str(target)], check=True)
    return text


def cells_of(runs: Sequence[dict[str, Any]]) -> Cells:
    """The logarithms, by method, table and workers; of a run that was made twice the last."""
    found: Cells = defaultdict(dict)
    for run in runs:
        hits = [run["horizon"] if hit is None else hit for hit in run["hits"]]
        logs = np.log(np.maximum(np.array(hits, dtype=float), 1e-9)).ravel()
        found[run["method"], run["table"], run["workers"]][run["seed"]] = logs
    return dict(found)


def common(cells: Cells, methods: Sequence[str], tables: Sequence[str], workers: int) -> list[int]:
    """The seeds that all of the methods have on all of the tables."""
    sets = [set(cells.get((m, t, workers), {})) for m in methods for t in tables]
    return sorted(set.intersection(*sets)) if sets else []


def means(cells: Cells, method: str, tables: Sequence[str], workers: int, seeds: Sequence[int]) -> Floats:
    """(tables, 2 targets x (seconds, epochs)) mean logarithms."""
    return np.array([np.mean([cells[method, t, workers][s] for s in seeds], axis=0) for t in tables])


def gain(cells: Cells, one: str, base: str, tables: Sequence[str], workers: int, seeds: Sequence[int]) -> Floats:
    """How many times the cost of `one` is contained in that of `base`: geometric means, and their 95 % intervals from
    resampled seeds; (3, 4)."""
    rng = np.random.default_rng(0)
    logs = {m: np.array([[cells[m, t, workers][s] for s in seeds] for t in tables]) for m in (one, base)}
    apart = (logs[base] - logs[one]).mean(axis=0)  # (seeds, 4)
    drawn = apart[rng.integers(len(seeds), size=(1000, len(seeds)))].mean(axis=1)
    return np.exp([apart.mean(axis=0), *np.quantile(drawn, [0.025, 0.975], axis=0)])


def _grid(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def _present(cells: Cells, tables: Sequence[str], workers: int) -> list[str]:
    return [m for m in METHODS if common(cells, [m], tables, workers)]


def _gains(cells: Cells, tables: Sequence[str], workers: int) -> str:
    methods = _present(cells, tables, workers)
    seeds = common(cells, methods, tables, workers)
    if BASE not in methods or len(seeds) < 1:
        return ""
    rows = []
    for method in methods:
        low, middle, high = (gain(cells, method, BASE, tables, workers, seeds)[i] for i in (1, 0, 2))
        shown = [f"{m:.2f} ({a:.2f} to {b:.2f})" for a, m, b in zip(low, middle, high, strict=True)]
        rows.append([METHODS[method].title, *shown])
    head = ["times random", *(f"{what} to {part:.1%}" for part in PARTS for what in ("time", "epochs"))]
    title = f"## {workers} worker{'s' * (workers > 1)}"
    about = f"{len(tables)} data sets, {len(seeds)} seeds. {_goals(cells, methods, tables, workers, seeds)}"
    return f"{title}\n\n{about}\n\n{_grid(head, rows)}"


def _goals(cells: Cells, methods: Sequence[str], tables: Sequence[str], workers: int, seeds: Sequence[int]) -> str:
    if OURS not in methods:
        return ""
    words = []
    for rival in [m for m in (*RIVALS, "syne-tune") if m in methods]:
        times = gain(cells, OURS, rival, tables, workers, seeds)[0]
        words.append(f"{times[0]:.1f} and {times[2]:.1f} times as fast as {METHODS[rival].title}")
    if LIMIT in methods:
        share = gain(cells, OURS, LIMIT, tables, workers, seeds)[0]
        words.append(f"at {share[0]:.0%} and {share[2]:.0%} of the oracle's gain")
    return f"In time to 1 % and to 0.1 %, `auto` is {', '.join(words)}."


def _by_set(cells: Cells, tables: Sequence[str]) -> str:
    rows = []
    for table in tables:
        row = [table]
        for workers in WORKERS:
            row += [_beside(cells, table, workers, rival) for rival in RIVALS]
        rows.append(row)
    head = ["data set", *(f"{w} workers, {METHODS[r].title.removeprefix('rung ')}" for w in WORKERS for r in RIVALS)]
    about = (
        "How many times as fast `auto` is to 1 % and to 0.1 %, and in brackets the 95 % interval of the latter; "
        "**worse** where that is below 1."
    )
    return f"## Each data set, `auto` beside ASHA\n\n{about}\n\n{_grid(head, rows)}"


def _beside(cells: Cells, table: str, workers: int, rival: str) -> str:
    seeds = common(cells, [OURS, rival], [table], workers)
    if len(seeds) < 2:
        return ""
    found = gain(cells, OURS, rival, [table], workers, seeds)
    word = "**worse** " if found[2, 2] < 1 else ""
    return f"{word}{found[0, 0]:.1f}, {found[0, 2]:.1f} ({found[1, 2]:.1f} to {found[2, 2]:.1f})"


def _others(cells: Cells) -> str:
    rows = []
    for table in MADE:
        for workers in WORKERS:
            methods = _present(cells, [table], workers)
            seeds = common(cells, methods, [table], workers)
            if BASE in methods and seeds:
                shown = {m: gain(cells, m, BASE, [table], workers, seeds)[0] for m in methods}
                rows.append([table, str(workers), *(_pair(shown.get(m)) for m in METHODS)])
    if not rows:
        return ""
    head = ["table", "workers", *(method.title for method in METHODS.values())]
    about = "Times random in time to 1 % and to 0.1 % (of the distance from the median to the best).\n"
    return f"## Made-up curves and models trained on the spot\n\n{about}\n{_grid(head, rows)}"


def _pair(found: Floats | None) -> str:
    return "" if found is None else f"{found[0]:.1f}, {found[2]:.1f}"


def _costs(runs: Sequence[dict[str, Any]]) -> str:
    rows = []
    for name, method in METHODS.items():
        mine = [run for run in runs if run["method"] == name]
        if mine:
            each = np.median([run["thought"] / max(1, run["ended"][1]) for run in mine])
            missed = np.mean([run["hits"][-1] is None for run in mine])
            begun = np.median([run["begun"] for run in mine])
            figures = [str(len(mine)), f"{1000 * each:.2f}", f"{begun:.0f}", f"{missed:.0%}"]
            rows.append([method.title, mine[-1]["code"], *figures])
    head = ["method", "version", "runs", "ms of decisions an epoch", "configurations begun", "missed 0.1 %"]
    return f"## Runs and costs\n\n{_grid(head, rows)}"


def summary(runs: Sequence[dict[str, Any]], cells: Cells, tables: Sequence[Table]) -> dict[str, Any]:
    """What the plots need: gains, and the mean log10 of the relative regret over parts of the horizon."""
    names = [table.name for table in tables if table.name not in MADE]
    scale = {table.name: (table.best, float(table.seconds[:, -1].sum())) for table in tables}
    gains: dict[str, dict[str, list[float]]] = {}
    for workers in WORKERS:
        methods = _present(cells, names, workers)
        seeds = common(cells, methods, names, workers)
        if BASE in methods and seeds:
            gains[str(workers)] = {
                METHODS[m].title: gain(cells, m, BASE, names, workers, seeds)[:, 2].tolist() for m in methods
            }
    return {"gains": gains, "curves": _curves(runs, names, scale), "at": AT.tolist()}


def _curves(runs: Sequence[dict[str, Any]], names: Sequence[str], scale: Mapping[str, tuple[float, float]]) -> Any:
    found: dict[str, dict[str, list[Floats]]] = defaultdict(lambda: defaultdict(list))
    for run in runs:
        if run["table"] in names and run["curve"]:
            best, total = scale[run["table"]]
            times, _, losses = np.array(run["curve"]).T
            place = np.searchsorted(times, AT * total / run["workers"], side="right") - 1
            regret = np.where(place < 0, 1.0, (losses[np.maximum(place, 0)] - best) / abs(best))
            found[str(run["workers"])][METHODS[run["method"]].title].append(np.log10(np.clip(regret, FLOOR, 1.0)))
    return {w: {m: np.round(np.mean(c, axis=0), 3).tolist() for m, c in some.items()} for w, some in found.items()}
