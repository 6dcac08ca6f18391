"""Studies whose answers are known, and these answers worked out anew: nothing here reads `rung.analysis`."""

from __future__ import annotations

import heapq
import itertools
import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

import rung

HOSTILE = "<img src onerror>"
LEVELS, TOP = (1, 3), 9


class Told(NamedTuple):
    """A trial as the program told it: what it reported, and its value (`failed`: it has none)."""

    number: int
    params: dict[str, Any]
    reports: list[float]
    value: float
    failed: bool = False

    @property
    def finite(self) -> bool:
        """Whether its value can be drawn."""
        return not self.failed and math.isfinite(self.value)


def signal(params: Mapping[str, Any]) -> float:
    """The planted loss: a bowl around lr = 0.01, and adam is better than sgd by 1. The third parameter does nothing."""
    return (math.log10(params["lr"]) + 2) ** 2 + float(params["opt"] == "sgd")


#: Of the variance of `signal`: with u = log10 lr + 2, even over (-2, 2), Var u^2 = 16/5 - (4/3)^2, and Var opt = 1/4.
SHARES = {"lr": (16 / 5 - 16 / 9), "opt": 1 / 4, HOSTILE: 0.0}


def beside(trial: int) -> float:
    """How far beside its category's place a trial's mark is drawn: multiplicative hashing (Knuth), half the distance."""
    return ((trial + 1) * 2654435761 % 2**32 / 2**32 - 0.5) / 2


def planted(store: str) -> list[Told]:
    """A finished study `planted` of 60 trials: every twentieth failed, every twentieth came to NaN."""
    space = {"lr": rung.loguniform(1e-4, 1.0), "opt": rung.choice(["sgd", "adam"]), HOSTILE: rung.uniform(0.0, 1.0)}
    study = rung.Study(
        space, metric="loss", search="random", seed=5, store=store, name="planted", budget={"trials": 60}
    )
    found = []
    for number in range(60):
        trial = study.ask()
        loss = signal(trial.params)
        reports = [loss + 1, loss]
        for step, value in enumerate(reports, start=1):
            trial.report(loss=value, step=step)
        if number % 20 == 7:
            study.tell(trial, state="failed")
            found.append(Told(number, trial.params, reports, math.nan, failed=True))
        else:
            value = loss if number % 20 != 3 else math.nan
            study.tell(trial, value)
            found.append(Told(number, trial.params, [*reports, value], value))
    return found


# -------------------------------------------------------------------------------------------------- with a schedule


class Bar(NamedTuple):
    """Who ran from when to when, in which lane, and what became of it."""

    number: int
    start: float
    end: float
    lane: int
    outcome: str


class Cut(NamedTuple):
    """A trial that was stopped at a rung: with which loss, and how much it was allowed."""

    number: int
    level: int
    loss: float
    allowed: float


def pace(x: float) -> float:
    """Seconds that an epoch takes."""
    return 5 + 10 * x


def course(x: float, epoch: float) -> float:
    """The loss after an epoch."""
    return x + 1 / epoch


def raced(store: str) -> list[float]:
    """A study `raced` of 30 trials that ASHA ended early, on a virtual clock with three workers; the `x` of each."""
    study = rung.simulate(
        {
            "parameters": {"x": {"type": "float", "min": 0.0, "max": 1.0}}, "objective": {"metric": "loss"},
            "search": {"method": "random", "seed": 2}, "budget": {"trials": 30}, "run": {"workers": 3},
            "schedule": {"method": "asha", "resource": "epoch", "max": TOP},
        },
        lambda params, step: {"loss": course(params["x"], step)},
        seconds=lambda params, step: pace(params["x"]) * step,
        charge="nothing", store=store, name="raced",
    )  # fmt: skip
    return [trial.params["x"] for trial in study.trials]


def race(xs: Sequence[float], *, workers: int = 3) -> tuple[list[Bar], list[Cut]]:
    """The same race run by hand: a trial goes on past a rung if its loss is at most the third of those that are there
    by then (of n losses the one at place (n - 1) / 3, interpolated), and a free worker takes the next trial."""
    rungs: dict[int, list[float]] = {level: [] for level in LEVELS}
    bars, cuts, waiting = list[Bar](), list[Cut](), list(range(len(xs)))[::-1]
    clock: list[tuple[float, int, int, int, float]] = []  # when, trial, epoch, lane, since when

    def begin(lane: int, now: float) -> None:
        if waiting:
            number = waiting.pop()
            heapq.heappush(clock, (now + pace(xs[number]), number, 1, lane, now))

    for lane in range(workers):
        begin(lane, 0.0)
    while clock:
        now, number, epoch, lane, since = heapq.heappop(clock)
        loss = course(xs[number], epoch)
        allowed = math.inf
        if epoch in rungs:
            rungs[epoch].append(loss)
            if len(rungs[epoch]) > 1:
                allowed = float(np.quantile(rungs[epoch], 1 / 3))
        if loss > allowed:
            cuts.append(Cut(number, epoch, loss, allowed))
        elif epoch < TOP:
            heapq.heappush(clock, (since + (epoch + 1) * pace(xs[number]), number, epoch + 1, lane, since))
            continue
        bars.append(Bar(number, since, now, lane, "pruned" if loss > allowed else "complete"))
        begin(lane, now)
    return sorted(bars), cuts


# ---------------------------------------------------------------------------------------------- with two objectives


def torn(store: str) -> list[tuple[float, float]]:
    """A study `torn` of 40 trials that minimises `cost` and maximises `gain`, which disagree; the two of each."""
    study = rung.Study(
        {"x": rung.uniform(0.0, 1.0), "waste": rung.uniform(0.0, 1.0)}, metric=["cost", "gain"],
        goal=["minimize", "maximize"], search="random", seed=3, store=store, name="torn", budget={"trials": 40},
    )  # fmt: skip
    found = []
    for _ in range(40):
        trial = study.ask()
        x, waste = trial.params["x"], trial.params["waste"]
        found.append((x + waste, math.sqrt(x) - waste / 2))
        study.tell(trial, found[-1])
    return found


def front(points: Sequence[tuple[float, float]]) -> list[int]:
    """Which of the points none beats: none costs at most as much and gains at least as much, and one of both more."""
    return [
        at
        for at, (cost, gain) in enumerate(points)
        if not any(c <= cost and g >= gain and (c, g) != (cost, gain) for c, g in points)
    ]


def volume(points: Sequence[tuple[float, float]], reference: tuple[float, float]) -> float:
    """The area that the points dominate, up to the reference: the sum of the fields of the grid which they span."""
    inside = [(c, g) for c, g in points if c < reference[0] and g > reference[1]]
    costs = sorted({c for c, _ in inside} | {reference[0]})
    gains = sorted({g for _, g in inside} | {reference[1]})
    return sum(
        (right - left) * (top - bottom)
        for left, right in itertools.pairwise(costs)
        for bottom, top in itertools.pairwise(gains)
        if any(c <= left and g >= top for c, g in inside)
    )
