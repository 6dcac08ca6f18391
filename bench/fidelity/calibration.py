"""How often the rules stop a trial wrongly, and what they save.

    bench/fidelity/calibration.py LCBENCH.npz [--seeds N] [--trials N] [--workers W] [--out docs/benchmarks]

A stop is *wrong* when the trial, run to its end, would have been among the k best of the study at that moment (of the
trials finished by then). The rate that `alpha` bounds is: of the trials that would, the share that was stopped. Left
out of it are the trials that the rule runs to the end anyway. *Lost* studies are those in which a stopped trial would
have beaten the study's final best. Curves are the recorded ones of LCBench and made-up ones (`families`).
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import scipy.special  # noqa: F401 - loaded before the clock runs

from bench.fidelity.families import FAMILIES
from rung.model import Objective, ScheduleSpec
from rung.plugins import find
from rung.schedule.base import Begun, Contest, Ended, Progress
from rung.schedule.curve.calibration import is_measured

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rung.schedule.base import Scheduler

METHODS: dict[str, dict[str, Any]] = {
    "curve, alpha 0.05": {"method": "curve", "alpha": 0.05},
    "curve, alpha 0.2": {"method": "curve", "alpha": 0.2},
    "curve, alpha 0.05, top 5": {"method": "curve", "alpha": 0.05, "top": 5},
    "median": {"method": "median"},
    "asha": {"method": "asha"},
}
POOL = 1000  # curves of a family


@dataclass
class Tally:
    """What was counted over the studies of one source."""

    studies: int = 0
    stops: int = 0
    top: int = 0  # trials that are among the k best at their moment, and might have been stopped
    wrong: int = 0  # of these, stopped
    beating: int = 0  # stopped trials better than the study's final best
    lost: int = 0  # studies with such a trial
    epochs: int = 0
    all_epochs: int = 0
    reports: int = 0
    seconds: float = 0.0
    slowest_ms: list[float] = field(default_factory=list)

    def add(self, other: Tally) -> None:
        """The sum of both."""
        for name, value in asdict(other).items():
            setattr(self, name, getattr(self, name) + value)


class Study:
    """One study in lockstep: `workers` trials at a time make one epoch each, in turn."""

    def __init__(self, losses: np.ndarray, options: dict[str, Any], workers: int) -> None:
        self.losses, self.workers = losses, workers
        options = dict(options)
        method, self.k = options.pop("method"), options.get("top", 1)
        self.population = 10 if method == "curve" else 0
        self.protected = method == "curve"
        contest = Contest(
            schedule=ScheduleSpec(method=method, resource="epoch", options={"max": losses.shape[1], **options}),
            objectives=(Objective(metric="loss"),),
            seed=5,
            workers=workers,
        )
        self.scheduler: Scheduler = find("schedule", method)(contest)
        self.finished: list[float] = []
        self.stopped: list[float] = []
        self.tally = Tally(studies=1, all_epochs=losses.size)

    def play(self) -> Tally:
        """To the end."""
        waiting, running = iter(range(len(self.losses))), dict[int, int]()
        while True:
            for number in waiting if len(running) < self.workers else ():
                running[number] = 0
                self.observe(Begun(number, {}))
                if len(running) == self.workers:
                    break
            if not running:
                return self.close()
            for number in list(running):
                running[number] += 1
                if self.epoch(number, running[number]):
                    del running[number]

    def epoch(self, number: int, epoch: int) -> bool:
        """One epoch of a trial; whether it is over."""
        loss = float(self.losses[number, epoch - 1])
        stopped = self.observe(Progress(number, float(epoch), (loss,), (loss,)))
        self.tally.epochs += 1
        over = epoch == self.losses.shape[1]
        if stopped or over:
            self.count(number, stopped=stopped and not over)
            self.observe(Ended(number, (loss,)))
        return bool(stopped or over)

    def observe(self, delta: Any) -> bool:
        """Whether the scheduler ends the trial; with the time it took."""
        start = time.process_time()
        found = self.scheduler.observe([delta])
        took = time.process_time() - start
        self.tally.reports += isinstance(delta, Progress)
        self.tally.seconds += took
        self.tally.slowest_ms = [max([took * 1e3, *self.tally.slowest_ms])]
        return bool(found)

    def count(self, number: int, *, stopped: bool) -> None:
        """The trial is over: was it a wrong stop?"""
        final = float(self.losses[number, -1])
        ranked = sorted(self.finished)
        among = len(ranked) >= max(self.k, self.population) and final <= ranked[self.k - 1]
        if among and not (self.protected and is_measured(0.1, number, 5)):
            self.tally.top += 1
            self.tally.wrong += stopped
        self.tally.stops += stopped
        (self.stopped if stopped else self.finished).append(final)

    def close(self) -> Tally:
        """What is known only now."""
        best = min(self.finished, default=np.inf)
        self.tally.beating = sum(final < best for final in self.stopped)
        self.tally.lost = int(self.tally.beating > 0)
        return self.tally


def sources(data: Path) -> Iterator[tuple[str, str, np.ndarray]]:
    """Group, name and losses (n, T) of every source of curves."""
    with np.load(data) as curves:
        for key in curves.files:
            name, _, what = key.partition("|")
            if what == "accuracy":
                yield "LCBench", name, -curves[key].astype(np.float64)
    for name, family in FAMILIES.items():
        yield "made up", name, family(np.random.default_rng(1), POOL)


def measure(data: Path, *, seeds: int, trials: int, workers: int, jobs: int) -> list[dict[str, Any]]:
    """A row for each source and method."""
    with ProcessPoolExecutor(jobs) as pool:
        waiting = [
            pool.submit(row, group, name, method, losses, seeds, trials, workers)
            for group, name, losses in sources(data)
            for method in METHODS
        ]
        return [found.result() for found in waiting]


def row(
    group: str, name: str, method: str, losses: np.ndarray, seeds: int, trials: int, workers: int
) -> dict[str, Any]:
    """The studies of one source by one method, counted."""
    total = Tally()
    for seed in range(seeds):
        order = np.random.default_rng((seed, 17)).permutation(len(losses))[:trials]
        total.add(Study(losses[order], METHODS[method], workers).play())
    found = {"group": group, "source": name, "method": method, **asdict(total)}
    print(found, flush=True)
    return found


def wilson(count: int, of: int) -> tuple[float, float]:
    """The 95 % interval of a share (Wilson 1927)."""
    if not of:
        return 0.0, 1.0
    z, p = 1.96, count / of
    middle, half = p + z * z / (2 * of), z * np.sqrt(p * (1 - p) / of + z * z / (4 * of * of))
    return max(0.0, (middle - half) / (1 + z * z / of)), min(1.0, (middle + half) / (1 + z * z / of))


def summed(rows: list[dict[str, Any]], **wanted: str) -> Tally:
    """The tallies of the rows that have these values, added up."""
    total = Tally()
    for row in rows:
        if all(row[name] == value for name, value in wanted.items()):
            total.add(Tally(**{name: row[name] for name in asdict(total)}))
    return total


def line(what: list[str], tally: Tally) -> str:
    """A row of the table."""
    low, high = wilson(tally.wrong, tally.top)
    rate = f"{tally.wrong} of {tally.top}: {tally.wrong / max(1, tally.top):.1%} ({low:.1%} to {high:.1%})"
    cells = [
        *what,
        rate,
        f"{tally.wrong / max(1, tally.stops):.2%}",
        f"{tally.beating / max(1, tally.stops):.2%}",
        f"{tally.lost} of {tally.studies}",
        f"{1 - tally.epochs / max(1, tally.all_epochs):.1%}",
    ]
    return "| " + " | ".join(cells) + " |"


HEAD = (
    "wrong stops of those that would be among the best | of all stops | stops of one that beats the final best, of all "
    "stops | studies that lost their best | epochs saved |"
)


def table(figures: dict[str, Any]) -> str:
    """The report."""
    rows = figures["rows"]
    head = f"| curves | rule | {HEAD}\n|---|---|---|---|---|---|---|"
    groups = [
        line([group, method], summed(rows, group=group, method=method))
        for group in ("LCBench", "made up")
        for method in METHODS
    ]
    each = [
        line([row["source"], row["method"]], summed(rows, source=row["source"], method=row["method"])) for row in rows
    ]
    spent = {m: summed(rows, method=m) for m in METHODS}
    cost = ", ".join(
        f"{m} {t.seconds / t.reports * 1e6:.0f} µs (slowest {max(t.slowest_ms):.1f} ms)" for m, t in spent.items()
    )
    return f"""# How often early stopping is wrong

Made by `bench/fidelity/calibration.py`; do not edit. {figures["seeds"]} studies of {figures["trials"]} trials for \
each source and rule, {figures["workers"]} at a time. A stop is wrong when the trial, run to its end, would have been \
among the k best (k = 1, or `top`) of those finished by then. `alpha` bounds the first share: of the trials that \
would, how many were stopped; in brackets its 95 % interval. The groups are what to read: a single source has few.

{head}
{chr(10).join(groups)}

Processor time a report, on average: {cost}.

![wrong stops against alpha, and epochs saved](calibration.svg)

## Each source

{head}
{chr(10).join(each)}
"""


def draw(rows: list[dict[str, Any]]) -> str:
    """An SVG: each source a line of dots, wrong stops on the left, saved epochs on the right."""
    shown = [method for method in METHODS if method.startswith("curve")]
    colours = dict(zip(shown, ("#2f5d8f", "#b3402e", "#2f7d4f"), strict=True))
    names = list(dict.fromkeys(row["source"] for row in rows))
    height, left, wide, gap = 18 * len(names) + 90, 170, 300, 60
    size = f'width="{left + 2 * wide + gap + 30}" height="{height}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="sans-serif" font-size="11">',
        f'<rect width="100%" height="{height}" fill="white"/>',
    ]
    panels = [(left, 0.5, "wrong stops, of the trials among the best"), (left + wide + gap, 1.0, "epochs saved")]
    for x, top, title in panels:
        parts.append(f'<text x="{x}" y="20" font-weight="bold">{title}</text>')
        for i in range(6):
            at = x + wide * i / 5
            parts.append(f'<line x1="{at}" y1="30" x2="{at}" y2="{height - 45}" stroke="#ddd"/>')
            parts.append(f'<text x="{at}" y="{height - 30}" text-anchor="middle">{top * i / 5:.0%}</text>')
    for alpha, colour in ((0.05, "#2f5d8f"), (0.2, "#b3402e")):
        at = left + wide * alpha / 0.5
        parts.append(f'<line x1="{at}" y1="30" x2="{at}" y2="{height - 45}" stroke="{colour}" stroke-dasharray="4 3"/>')
    for i, name in enumerate(names):
        y = 42 + 18 * i
        parts.append(f'<text x="{left - 10}" y="{y + 4}" text-anchor="end">{name}</text>')
        for j, method in enumerate(shown):
            tally = summed(rows, source=name, method=method)
            shares = (tally.wrong / max(1, tally.top), 1 - tally.epochs / max(1, tally.all_epochs))
            for (x, top, _), share in zip(panels, shares, strict=True):
                at = x + wide * min(1.0, max(0.0, share) / top)
                parts.append(f'<circle cx="{at:.1f}" cy="{y - 4 + 4 * j}" r="3" fill="{colours[method]}"/>')
    for j, method in enumerate(shown):
        at = left + 190 * j
        parts.append(f'<circle cx="{at}" cy="{height - 12}" r="4" fill="{colours[method]}"/>')
        parts.append(f'<text x="{at + 8}" y="{height - 8}">{method}</text>')
    return "\n".join([*parts, "</svg>\n"])


def main() -> None:
    """Measure and publish, or publish again what was measured."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--seeds", type=int, default=8)
    parser.add_argument("--trials", type=int, default=150)
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument("--jobs", type=int, default=2, help="how many processes measure")
    parser.add_argument("--out", type=Path, default=Path("docs/benchmarks"))
    parser.add_argument("--redraw", action="store_true", help="only write the report again")
    given = parser.parse_args()
    kept = given.out / "calibration.json"
    if not given.redraw:
        options = {name: getattr(given, name) for name in ("seeds", "trials", "workers")}
        rows = measure(given.data, **options, jobs=given.jobs)
        figures = {**options, "rows": rows}
        kept.write_text(json.dumps(figures, indent=1) + "\n")
    figures = json.loads(kept.read_text())
    (given.out / "calibration.md").write_text(table(figures))
    (given.out / "calibration.svg").write_text(draw(figures["rows"]))


if __name__ == "__main__":
    main()
