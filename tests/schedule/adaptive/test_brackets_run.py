"""The three rules against their slow twin, under reports in any order, ties, jumps over rungs, failures, invalid trials."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rung.schedule.adaptive.bracket import Bracket, Complete, Dropped, Move, Parked, Promoted
from rung.schedule.adaptive.brackets import Shape, halving_by_trials, rung_units
from rung.schedule.adaptive.halving import Halving
from rung.schedule.adaptive.order import Mark
from rung.schedule.adaptive.promotion import Promotion
from rung.schedule.adaptive.stopping import Stopping
from schedule.adaptive.twin import WORST, Outcome, Twin

RULES: dict[str, type[Bracket]] = {"stopping": Stopping, "promotion": Promotion, "synchronous": Halving}


def outcome(move: Move) -> Outcome:
    if isinstance(move, Complete):
        return ("done", move.trial)
    if isinstance(move, Dropped):
        return ("end", move.trial)
    if isinstance(move, Parked):
        return ("hold", move.trial)
    if isinstance(move, Promoted):
        return ("go", move.trial, move.rung)
    return ("new",)


class Both:
    """A bracket and its twin, told the same."""

    def __init__(self, kind: str, shape: Shape, divisor: float) -> None:
        self.bracket = RULES[kind](shape, divisor)
        self.twin = Twin(
            kind, list(shape.units), shape.trials, divisor, wanted=self.bracket.wanted, starts=list(shape.starts)
        )
        self.begun, self.reports = 0, 0
        self.begin(self.bracket.wanted)

    def begin(self, count: int) -> None:
        for _ in range(count):
            self.bracket.begin(self.begun)
            self.twin.begin(self.begun)
            self.begun += 1

    def compare(self, moves: list[Move], outcomes: list[Outcome]) -> None:
        assert [outcome(move) for move in moves] == outcomes
        self.begin(outcomes.count(("new",)))
        for trial, state in self.twin.state.items():
            assert self.bracket.running(trial) == (state == "runs")

    def step(self, trial: int, what: str, jump: int, loss: float) -> None:
        bracket, twin = self.bracket, self.twin
        if what == "drop":
            self.compare(bracket.drop(trial), twin.drop(trial))
        elif what == "exit":
            mark = Mark.of((loss,))
            self.compare(bracket.exit(trial, mark), twin.exit(trial, loss))
        elif what == "fail":
            self.compare(bracket.exit(trial, None), twin.exit(trial, WORST))
        else:
            rung = min(twin.rung[trial] + jump, len(twin.units) - 1)
            step = twin.units[rung] + (0.5 if jump else 0)
            self.compare(bracket.report(trial, step, Mark.of((loss,))), twin.report(trial, step, loss))

    def going(self) -> list[int]:
        return [trial for trial, state in self.twin.state.items() if state == "runs"]


def play(rng: random.Random, kind: str, shape: Shape, divisor: float, happenings: list[str]) -> Both:
    """Whatever may happen happens, to whom it may, until nothing runs."""
    both, invalid = Both(kind, shape, divisor), 0
    while going := both.going():
        what = rng.choice(happenings)
        invalid += what == "drop"
        if what == "drop" and invalid > 5:
            what = "report"
        held = [trial for trial, state in both.twin.state.items() if state == "held"]
        several = going if what == "report" else [*going, *held]
        both.step(rng.choice(several), what, rng.choice([0, 0, 0, 1, 3]), float(rng.randint(0, 6)))
    return both


SEEDS = st.integers(0, 2**32).map(random.Random)
DIVISORS = st.sampled_from([1.5, 2.0, 3.0, 4.0, 7.5])
RESOURCES = st.sampled_from([1, 4, 9, 27, 100])


@pytest.mark.parametrize("kind", ["stopping", "promotion"])
@given(
    rng=SEEDS,
    divisor=DIVISORS,
    resource=RESOURCES,
    rungs=st.integers(1, 4),
    trials=st.integers(1, 20),
    most=st.integers(0, 8),
)
@settings(max_examples=60)
def test_asynchronous_halving_is_its_twin(
    kind: str, rng: random.Random, divisor: float, resource: int, rungs: int, trials: int, most: int
) -> None:
    shape = Shape(rung_units(resource, divisor, rungs), trials, most)
    both = play(rng, kind, shape, divisor, ["report"] * 8 + ["fail", "exit", "drop"])
    assert both.bracket.full
    assert both.bracket.over()
    assert both.begun - len(both.bracket.invalid) == trials


@given(rng=SEEDS, divisor=DIVISORS, resource=RESOURCES, rungs=st.integers(1, 4), trials=st.integers(1, 20))
@settings(max_examples=60)
def test_synchronous_halving_is_its_twin(
    rng: random.Random, divisor: float, resource: int, rungs: int, trials: int
) -> None:
    shape = halving_by_trials(resource, trials, divisor, rungs)
    both = play(rng, "synchronous", shape, divisor, ["report"] * 8 + ["fail", "exit"])
    assert [len(rung) for rung in both.bracket.rungs] == list(shape.starts)
    assert both.bracket.over()


@pytest.mark.parametrize("kind", list(RULES))
@given(rng=SEEDS, trials=st.integers(1, 14), rungs=st.integers(1, 3))
@settings(max_examples=40)
def test_nobody_is_left_behind(kind: str, rng: random.Random, trials: int, rungs: int) -> None:
    """When nothing runs any more, each trial has ended one way or another: none is held for ever."""
    both = play(rng, kind, halving_by_trials(27, trials, 3.0, rungs), 3.0, ["report"] * 8 + ["fail"])
    assert all(state == "over" or trial in both.twin.exited for trial, state in both.twin.state.items())
    assert not any(rung.parked for rung in both.bracket.rungs)


def test_a_trial_that_takes_an_invalid_one_s_place_is_never_promoted_with_one_that_was_ended() -> None:
    bracket = Promotion(Shape((1, 3, 9), 4, 4), 2.0)
    for trial in range(4):
        bracket.begin(trial)
    marks: list[Any] = [Mark.of((float(trial),)) for trial in range(5)]
    moves = [move for trial in range(4) for move in bracket.report(trial, 1, marks[trial])]
    assert [outcome(move) for move in moves][-3:] == [("go", 1, 1), ("end", 2), ("end", 3)]
    assert [outcome(move) for move in bracket.drop(0)] == [("new",)]
    bracket.begin(4)
    assert [outcome(move) for move in bracket.report(4, 1, marks[4])] == [("hold", 4), ("end", 4)]
