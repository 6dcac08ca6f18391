"""The report: mean ranks, families, tests and costs as a page; the figures as JSON; and plots of them.

Every figure comes from the journal. What a person wrote about them (`quality-notes.md`) is put at the end.
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bench.quality.compare import Difference, against_each, areas_of, families, mean_ranks, table_of
from bench.quality.methods import method
from bench.quality.problems import APPROACH, PROBLEMS, RANKED, SCALES, of_families
from bench.quality.score import FLOOR, Curves, common_blocks, curves_of, log_regret

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.peers import Peers
    from bench.quality.runs import Run

OURS, BASE = "rung:auto", "random"
AT = (50, 100)
HERE = Path(__file__).resolve().parent
HEAD = """# Search quality

Made by `make bench-quality`; do not edit. Regret is normalised: 0 is the best known value of a problem, 1 the median \
of random configurations. A run is scored by its incumbent, the configuration with the best value seen so far, and \
that one by its noiseless value. A failed trial counts as the worst finite value seen. Methods are ranked within every \
problem and seed, ranks averaged over seeds, then over problems; intervals (95 %) resample problems and seeds. Tests \
are Wilcoxon's signed-rank test on the logarithm of the regret (floored at {floor:g}), paired by problem and seed, \
with Holm's correction. Seconds a proposal are processor seconds of the tuner on one core. Ordinal parameters are \
given to a tuner that has none as whole numbers, conditional ones to a tuner that knows no conditions all at once.
"""


def publish(runs: Sequence[Run], target: Path, peers: Peers) -> str:
    """Page, figures and plots are in the folder; returns the page."""
    target.mkdir(parents=True, exist_ok=True)
    curves = curves_of(runs, trials=AT[-1])
    parallel = curves_of(runs, trials=AT[-1], workers=8)
    text = page(runs, curves, parallel, target)
    (target / "quality.md").write_text(text)
    figures = target / "quality.json"
    figures.write_text(json.dumps(summary(curves), indent=1) + "\n")
    subprocess.run([str(peers.python("plot")), str(HERE / "draw.py"), str(figures), str(target)], check=True)
    return text


def page(runs: Sequence[Run], curves: Curves, parallel: Curves, target: Path) -> str:
    """The report as Markdown."""
    notes = target / "quality-notes.md"
    parts = [
        HEAD.format(floor=FLOOR),
        _ranks("All methods, on the runs that all have", curves, sorted(curves, key=_order)),
        _ranks("Methods with the most seeds", curves, _full(curves)),
        "![Mean ranks](quality-ranks.svg)\n\n![Regret](quality-curves.svg)\n",
        _families(curves),
        _beaten(curves),
        _worse_than_random(curves),
        _ranks("Eight trials at the same time", parallel, _full(parallel)),
        _approach(runs),
        _problems(curves),
        _runs(runs, curves),
        notes.read_text() if notes.exists() else "",
    ]
    return "\n".join(part for part in parts if part)


def _order(name: str) -> tuple[bool, str]:
    return not name.startswith("rung:"), name


def _full(curves: Curves) -> list[str]:
    """The methods that have at least half of the runs of the one with the most."""
    most = max((len(found) for found in curves.values()), default=0)
    return sorted((name for name, found in curves.items() if 2 * len(found) >= most), key=_order)


def _grid(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def _ranks(title: str, curves: Curves, methods: Sequence[str]) -> str:
    blocks = common_blocks(curves, methods)
    if not blocks or len(methods) < 2:
        return ""
    columns = []
    for at in AT:
        columns.append(mean_ranks(table_of(curves, methods, blocks, at), blocks))
        columns.append(mean_ranks(areas_of(curves, methods, blocks, at), blocks))
    rows = [
        [method(name).title, *(f"{c[i].mean:.2f} ({c[i].low:.2f} to {c[i].high:.2f})" for c in columns)]
        for i, name in sorted(enumerate(methods), key=lambda pair: columns[2][pair[0]].mean)
    ]
    head = ["mean rank", *(f"{what} {at} trials" for at in AT for what in ("regret at", "area to"))]
    about = f"{len({b[0] for b in blocks})} problems, {len(blocks)} runs a method.\n"
    return f"## {title}\n\n{about}\n{_grid(head, rows)}"


def _families(curves: Curves) -> str:
    parts = []
    for at in AT:
        rows = []
        for name in sorted(curves, key=_order):
            cells = [_mean_log(curves, name, problems, at) for problems in families().values()]
            rows.append([method(name).title, *cells])
        parts.append(f"After {at} trials:\n\n{_grid(['mean log10 regret', *families()], rows)}")
    return (
        "## By family\n\nOver the runs that a method has; those with few seeds are not comparable here.\n\n"
        + "\n".join(parts)
    )


def _mean_log(curves: Curves, name: str, problems: Sequence[str], at: int) -> str:
    means = []
    for problem in problems:
        found = [log_regret(c)[at - 1] for block, c in curves[name].items() if block[0] == problem]
        means += [np.mean(found)] if found else []
    return (
        f"{np.mean(means):.2f}" + (f" ({len(means)}/{len(problems)})" if len(means) < len(problems) else "")
        if means
        else ""
    )


def _verdict(found: Difference | None) -> str:
    if found is None:
        return ""
    word = "**yes**" if found.worse else "no"
    return f"{word} ({found.mean:+.2f}, p {found.p:.2g}, n {found.pairs})"


def _beaten(curves: Curves) -> str:
    if OURS not in curves:
        return ""
    others = [name for name in sorted(curves, key=_order) if not name.startswith("rung:")]
    parts = []
    for at in AT:
        tests = against_each(curves, OURS, at, families(), others)
        rows = [[method(o).title, *(_verdict(tests.get((f, o))) for f in families())] for o in others]
        parts.append(f"After {at} trials:\n\n{_grid(['beats `auto`', *families()], rows)}")
    return (
        "## Is `auto` beaten on a family beyond noise?\n\nIn brackets the mean difference of the log10 regret "
        "(below 0: `auto` is better), the corrected p value and the pairs.\n\n" + "\n".join(parts)
    )


def _worse_than_random(curves: Curves) -> str:
    if OURS not in curves or BASE not in curves:
        return ""
    groups = {name: [name] for name in RANKED}
    tests = {at: against_each(curves, OURS, at, groups, [BASE]) for at in AT}
    rows = [[name, *(_verdict(tests[at].get((name, BASE))) for at in AT)] for name in RANKED]
    head = ["worse than random", *(f"after {at} trials" for at in AT)]
    return f"## Is `auto` worse than random on a problem beyond noise?\n\n{_grid(head, rows)}"


def _approach(runs: Sequence[Run]) -> str:
    """Functions that cross a target: how far from it the best configuration still is."""
    at = AT[0]
    curves = curves_of(runs, trials=at)
    if OURS not in curves or BASE not in curves:
        return ""
    problems = of_families([APPROACH])
    tests = against_each(curves, OURS, at, {name: [name] for name in problems}, [BASE])
    rows = [
        [name, *(f"{_median(curves, one, name, at):.3g}" for one in (OURS, BASE)), _verdict(tests.get((name, BASE)))]
        for name in problems
        if (name, BASE) in tests
    ]
    head = ["function", "`auto`", "random", "`auto` is worse"]
    about = f"Median distance to the target after {at} trials, as a part of a random configuration's distance.\n"
    return f"## Approaching a target\n\n{about}\n{_grid(head, rows)}"


def _median(curves: Curves, name: str, problem: str, at: int) -> float:
    return float(np.median([c[at - 1] for block, c in curves[name].items() if block[0] == problem]))


def _problems(curves: Curves) -> str:
    scales = json.loads(SCALES.read_text())
    rows = [
        [p.name, p.family, str(len(p.space)), f"{scales[p.name]['best']:.4g}", f"{scales[p.name]['median']:.4g}",
         f"{scales[p.name]['solved']:.2f}"]
        for p in PROBLEMS.values()
    ]  # fmt: skip
    head = ["problem", "family", "parameters", "best known", "median", "chance of 100 draws within 0.001"]
    return f"## Problems\n\n{_grid(head, rows)}"


def _runs(runs: Sequence[Run], curves: Curves) -> str:
    rows = []
    for name in sorted(curves, key=_order):
        found = [run for run in runs if run.method == name and run.trials == AT[-1] and run.workers == 1]
        seconds = [one for run in found if run.code == found[-1].code for one in run.seconds]
        failed = sum(bool(run.error) for run in found if run.code == found[-1].code)
        problems = len({problem for problem, _ in curves[name]})
        rows.append([method(name).title, found[-1].code, str(problems), str(len(curves[name])), str(failed),
                     f"{1000 * float(np.median(seconds)):.3g}"])  # fmt: skip
    head = ["method", "version", "problems", "runs", "ended early", "median milliseconds a proposal"]
    return f"## Runs and costs\n\n{_grid(head, rows)}"


def summary(curves: Curves) -> dict[str, Any]:
    """What the plots need: ranks and, for each problem, every method's median log regret and its quartiles."""
    methods = _full(curves)
    blocks = common_blocks(curves, methods)
    ranks = {
        at: [rank._asdict() for rank in mean_ranks(table_of(curves, methods, blocks, at), blocks)] if blocks else []
        for at in AT
    }
    bands: dict[str, dict[str, list[list[float]]]] = {}
    for problem in RANKED:
        for name, found in curves.items():
            logs = [log_regret(c) for block, c in found.items() if block[0] == problem]
            if logs:
                quartiles = np.quantile(logs, [0.25, 0.5, 0.75], axis=0)
                bands.setdefault(problem, {})[method(name).title] = np.round(quartiles, 3).tolist()
    return {"methods": [method(name).title for name in methods], "ranks": ranks, "bands": bands}
