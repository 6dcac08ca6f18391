"""The tournament as a study sees it: few workers, holding and continuing, options, plans, reasons."""

from __future__ import annotations

import math
import random
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rung.model import BadInput, Budget, Continue, Objective, Pause, ScheduleSpec, Stop
from rung.schedule.adaptive import Adaptive
from rung.schedule.adaptive.settings import KINDS
from rung.schedule.base import Ask, Begun, Bracket, Contest, Delta, Ended, Held, Hold, Level, Over, Progress, Resumed

RNG = np.random.default_rng(0)
LOSS = (Objective(metric="loss"),)


def contest(
    objectives: tuple[Objective, ...] = LOSS,
    resource: str | None = "epoch",
    evaluated: int | None = None,
    **options: Any,
) -> Contest:
    spec = ScheduleSpec(method="adaptive", resource=resource, options=options)
    return Contest(
        schedule=spec, objectives=objectives, seed=0, budget=Budget(trials=evaluated or options.get("trials", 20))
    )


@dataclass
class Laboratory:
    """A study of `workers` places whose trials report every `stride` steps, in any order, and are paused with a delay."""

    scheduler: Adaptive
    rng: random.Random
    workers: int = 3
    stride: int = 1
    failures: float = 0.0
    step: dict[int, float] = field(default_factory=dict)
    limit: dict[int, float] = field(default_factory=dict)
    state: dict[int, str] = field(default_factory=dict)  # runs, pausing, stopping, held, pruned, complete, failed
    told: list[Delta] = field(default_factory=list)
    commands: list[Any] = field(default_factory=list)
    most: Counter[int] = field(default_factory=Counter)

    def run(self) -> None:
        while True:
            self.fill()
            busy = [n for n, state in self.state.items() if state in {"runs", "pausing", "stopping"}]
            if not busy:
                break
            self.happens(self.rng.choice(busy))
        assert isinstance(self.scheduler.next(len(self.state), RNG), Over)

    def fill(self) -> None:
        while sum(state in {"runs", "pausing", "stopping"} for state in self.state.values()) < self.workers:
            answer = self.scheduler.next(len(self.state), RNG)
            if isinstance(answer, Ask):
                number = len(self.state)
                assert answer.resource is not None
                self.state[number], self.step[number], self.limit[number] = "runs", 0, answer.resource
                self.tell(Begun(number, {}, ticket=answer.ticket))
            elif isinstance(answer, Continue):
                assert self.state[answer.trial] == "held"
                assert answer.to is not None
                assert answer.to > self.limit[answer.trial] or self.step[answer.trial] < self.limit[answer.trial]
                self.state[answer.trial], self.limit[answer.trial] = "runs", answer.to
                self.tell(Resumed(answer.trial, answer.to))
            else:
                assert isinstance(answer, Hold | Over)
                return

    def happens(self, number: int) -> None:
        if self.state[number] == "pausing" and self.rng.random() < 0.7:
            self.state[number] = "held"
            self.tell(Held(number))
        elif self.state[number] == "stopping" and self.rng.random() < 0.7:
            self.state[number] = "pruned"
            self.tell(Ended(number, (float(number),)))
        elif self.state[number] == "runs" and self.rng.random() < self.failures:
            self.state[number] = "failed"
            self.tell(Ended(number, None))
        else:
            self.step[number] += self.rng.randint(1, self.stride)
            self.tell(Progress(number, self.step[number], (self.rng.randint(0, 9) / 2,)))

    def tell(self, delta: Delta) -> None:
        self.told.append(delta)
        commands = self.scheduler.observe([delta])
        assert len({command.trial for command in commands}) == len(commands)
        for command in commands:
            self.commands.append(command)
            self.obey(command)
        active = Counter(self.scheduler.bracket_of[n] for n, state in self.state.items() if state == "runs")
        self.most |= active

    def obey(self, command: Stop | Pause | Continue) -> None:
        state = self.state[command.trial]
        if isinstance(command, Stop):
            assert state in {"runs", "pausing", "held"}
            self.state[command.trial] = "complete" if command.complete or state == "held" else "stopping"
            if self.state[command.trial] == "complete":
                self.tell(Ended(command.trial, (float(command.trial),)))
        elif isinstance(command, Pause):
            assert state == "runs"
            self.state[command.trial] = "pausing"
        else:
            assert state == "runs"
            assert command.to is not None
            assert command.to > self.limit[command.trial]
            self.limit[command.trial] = command.to


SEEDS = st.integers(0, 2**32).map(random.Random)


@pytest.mark.parametrize("kind", KINDS)
@given(
    rng=SEEDS,
    workers=st.integers(1, 9),
    stride=st.sampled_from([1, 3, 40]),
    trials=st.integers(1, 24),
    most=st.sampled_from([0, 1, 4, 16]),
    mode=st.sampled_from(["aggressive", "standard", "conservative"]),
    failures=st.sampled_from([0.0, 0.1]),
)
@settings(max_examples=25)
def test_every_tournament_comes_to_its_end(
    kind: str, rng: random.Random, workers: int, stride: int, trials: int, most: int, mode: str, failures: float
) -> None:
    scheduler = Adaptive(
        contest(type=kind, max=16, trials=trials, divisor=2, mode=mode, max_concurrent_trials=most, max_rungs=4)
    )
    laboratory = Laboratory(scheduler, rng, workers, stride, failures)
    laboratory.run()
    begun = Counter(scheduler.bracket_of.values())
    assert begun == {b: shape.trials for b, shape in enumerate(scheduler.shapes)}
    assert "held" not in laboratory.state.values()
    if kind != "synchronous":
        for bracket, count in laboratory.most.items():
            assert count <= scheduler.shapes[bracket].concurrent


@pytest.mark.parametrize("kind", KINDS)
@given(rng=SEEDS)
@settings(max_examples=20)
def test_a_scheduler_that_is_told_again_knows_the_same(kind: str, rng: random.Random) -> None:
    """However the deltas are cut into pieces, and at any point on the way."""
    told = Laboratory(one := Adaptive(contest(type=kind, max=16, trials=12, divisor=2)), rng, stride=4, failures=0.05)
    told.run()
    at = rng.randint(0, len(told.told))
    again, piecewise = (Adaptive(contest(type=kind, max=16, trials=12, divisor=2)) for _ in range(2))
    again.observe(told.told[:at])
    for delta in told.told[:at]:
        piecewise.observe([delta])
    assert again.next(99, RNG) == piecewise.next(99, RNG)
    again.observe(told.told[at:])
    assert again.next(99, RNG) == one.next(99, RNG)
    assert list(again.bracket_of.items()) == list(one.bracket_of.items())


# ----------------------------------------------------------------------------------------------- trials of others


def start(scheduler: Adaptive, count: int) -> None:
    for number in range(count):
        answer = scheduler.next(number, RNG)
        assert isinstance(answer, Ask)
        scheduler.observe([Begun(number, {}, ticket=answer.ticket)])


def test_a_trial_of_the_user_takes_the_place_of_the_next_one() -> None:
    scheduler = Adaptive(contest(max=16, trials=8, divisor=4, max_concurrent_trials=4))
    scheduler.observe([Begun(0, {})])
    assert scheduler.bracket_of == {0: 0}
    start_at = scheduler.next(1, RNG)
    assert start_at == Ask(resource=16, ticket={"bracket": 0})
    assert len(scheduler.wanting) == 3


def test_trials_beyond_all_brackets_run_beside_them_to_the_end() -> None:
    scheduler = Adaptive(contest(max=16, num_rungs=2, trials=2, type="promotion"))
    start(scheduler, 2)
    scheduler.observe([Begun(2, {}), Begun(3, {}, ticket={"bracket": "none"})])
    assert scheduler.observe([Progress(2, 4, (9.0,)), Progress(2, 15, (9.0,))]) == []
    assert scheduler.observe([Held(2)]) == []
    answer = scheduler.next(4, RNG)
    assert isinstance(answer, Continue)
    assert (answer.trial, answer.to) == (2, 16)
    scheduler.observe([Resumed(2, 16)])
    (stop,) = scheduler.observe([Progress(2, 16, (9.0,))])
    assert isinstance(stop, Stop)
    assert stop.complete
    assert scheduler.observe([Ended(2, (9.0,)), Ended(3, None), Ended(77, None)]) == []


def test_a_trial_that_others_hold_goes_on_to_where_it_was_going() -> None:
    scheduler = Adaptive(contest(max=16, num_rungs=2, trials=4, type="promotion", max_concurrent_trials=2))
    start(scheduler, 2)
    scheduler.observe([Progress(0, 1, (0.5,)), Held(0)])
    answer = scheduler.next(2, RNG)
    assert isinstance(answer, Continue)
    assert (answer.trial, answer.to) == (0, 4)
    assert answer.reason.text == "goes on: it was held on its way to its next rung"
    scheduler.observe([Resumed(0, 4)])
    assert isinstance(scheduler.next(2, RNG), Hold)


def test_who_is_promoted_while_the_pause_is_under_way_waits_until_it_is_held() -> None:
    scheduler = Adaptive(contest(max=16, num_rungs=3, trials=9, divisor=2, type="promotion", max_concurrent_trials=4))
    start(scheduler, 4)
    (pause,) = scheduler.observe([Progress(0, 4, (0.1,))])
    assert isinstance(pause, Pause)
    (other,) = scheduler.observe([Progress(1, 4, (0.2,))])
    assert isinstance(other, Pause)
    assert isinstance(scheduler.next(4, RNG), Ask)  # trial 0 is promoted, but its program is not gone
    scheduler.observe([Progress(0, 8, (0.1,))])  # which even gets to the next rung before it ends
    assert 0 not in scheduler.promised
    scheduler.observe([Held(0)])
    assert scheduler.rules[0].rungs[1].parked == {0: None}


# ----------------------------------------------------------------------------------------------- what is decided


def test_an_invalid_trial_is_replaced_and_forgotten() -> None:
    scheduler = Adaptive(contest(max=9, num_rungs=3, trials=2, divisor=3, max_concurrent_trials=1))
    start(scheduler, 1)
    scheduler.observe([Progress(0, 1, (0.1,))])
    (stop,) = scheduler.invalid(0)
    assert isinstance(stop, Stop)
    assert [len(rung) for rung in scheduler.rules[0].rungs] == [0, 0, 0]
    assert scheduler.observe([Held(0), Ended(0, None)]) == []
    for number in (1, 2):
        answer = scheduler.next(number, RNG)
        assert isinstance(answer, Ask)
        scheduler.observe([Begun(number, {}, ticket=answer.ticket), Ended(number, None)])
    assert isinstance(scheduler.next(3, RNG), Over)
    with pytest.raises(KeyError):
        scheduler.invalid(8)


@pytest.mark.parametrize("goal", ["minimize", "maximize", 0.0])
def test_a_stop_says_why_in_the_user_s_numbers(goal: Any) -> None:
    objective = Objective(metric="score", goal=goal)
    scheduler = Adaptive(contest((objective,), max=9, num_rungs=3, trials=9, divisor=3))
    start(scheduler, 4)
    losses = [objective.loss(value) for value in ([1, 2, 3] if goal != "maximize" else [3, 2, 1])]
    commands = [c for n, loss in enumerate(losses) for c in scheduler.observe([Progress(n, 2, (loss,))])]
    stop = commands[-1]
    assert isinstance(stop, Stop)
    named = {"minimize": "score 3", "maximize": "score 1", 0.0: "|score - 0| 3"}[goal]
    upto = {"minimize": "score 1", "maximize": "score 3", 0.0: "|score - 0| 1"}[goal]
    assert stop.reason.text == (
        f"at epoch 1 of rung 0: {named} is number 3 of 3, of which the best goes on, up to {upto}; lost to trials 0, 1"
    )
    value, threshold = (1.0, 3.0) if goal == "maximize" else (3.0, 1.0)
    assert stop.reason.by == "adaptive"
    assert stop.reason.data == {
        "rule": "adaptive", "bracket": 0, "rung": 0, "resource": 1,
        "value": value, "threshold": threshold, "lost_to": [0, 1],
    }  # fmt: skip


def test_who_is_held_and_who_goes_on_is_told_why() -> None:
    scheduler = Adaptive(contest(max=9, num_rungs=2, trials=6, divisor=3, type="promotion", max_concurrent_trials=6))
    start(scheduler, 6)
    reports = [Progress(number, 3, (loss,)) for number, loss in enumerate([0.5, 0.6, 0.4])]
    told = [command.reason.text for report in reports for command in scheduler.observe([report])]
    assert told == [
        "at epoch 3 of rung 0: loss 0.5 is one of 1, too few to let one go on; held until more is known",
        "at epoch 3 of rung 0: loss 0.6 is one of 2, too few to let one go on; behind trial 0; held until more is known",
        "at epoch 3 of rung 0: loss 0.4 is number 1 of 3, of which the best goes on, up to loss 0.4; goes on to epoch 9",
    ]


def test_synchronous_halving_says_for_whom_it_waits() -> None:
    scheduler = Adaptive(contest(max=9, num_rungs=2, trials=4, divisor=2, type="synchronous"))
    start(scheduler, 4)
    first, second, third = (scheduler.observe([Progress(number, 4, (1.0 - number / 10,))]) for number in range(3))
    assert [command.reason.text for command in [*first, *second]] == [
        "at epoch 4 of rung 0: loss 1 is number 1 of 1 so far; of 4 the best 2 go on; held until more is known",
        "at epoch 4 of rung 0: loss 0.9 is number 1 of 2 so far; of 4 the best 2 go on; held until more is known",
    ]
    assert isinstance(third[0], Continue)


def test_a_report_without_the_metric_neither_counts_nor_decides() -> None:
    scheduler = Adaptive(contest(max=9, num_rungs=2, trials=4, divisor=3, type="promotion"))
    start(scheduler, 1)
    assert scheduler.observe([Progress(0, 5, (None,))]) == []
    (pause,) = scheduler.observe([Progress(0, 6, (0.5,))])
    assert isinstance(pause, Pause)


def test_what_is_no_number_and_what_breaks_bounds_is_behind_what_keeps_them() -> None:
    scheduler = Adaptive(contest(max=9, num_rungs=2, trials=9, divisor=2, type="promotion", max_concurrent_trials=9))
    start(scheduler, 5)
    scheduler.observe([Progress(0, 4, (math.inf,)), Progress(1, 4, (0.1,), violation=0.5), Ended(4, None)])
    scheduler.observe([Progress(2, 4, (0.2,), violation=0.1), Progress(3, 4, (7.0,))])
    assert scheduler.rules[0].rungs[0].order.best(9) == [3, 2, 1, 0, 4]


def test_several_objectives_are_ranked_by_fronts() -> None:
    two = (Objective(metric="loss"), Objective(metric="score", goal="maximize"))
    scheduler = Adaptive(contest(two, max=9, num_rungs=2, trials=9, divisor=3, max_concurrent_trials=9))
    start(scheduler, 4)
    for number, losses in enumerate([(1.0, -1.0), (2.0, -2.0), (0.5, -3.0)]):
        assert scheduler.observe([Progress(number, 3, losses)]) == [] or number == 1
    (stop,) = scheduler.observe([Progress(3, 3, (3.0, -0.5))])
    assert isinstance(stop, Stop)
    assert stop.reason.data["lost_to"][0] == 2
    assert stop.reason.data["value"] == [3.0, 0.5]
    scheduler.invalid(2)
    assert 2 not in scheduler.rules[0].rungs[0].order.best(9)


@pytest.mark.parametrize("kind", KINDS)
@given(rng=SEEDS)
@settings(max_examples=10)
def test_tournaments_of_several_objectives_come_to_their_end(kind: str, rng: random.Random) -> None:
    two = (Objective(metric="loss"), Objective(metric="cost"))
    scheduler = Adaptive(contest(two, type=kind, max=16, trials=12, divisor=2))

    class Pairs(Laboratory):
        def tell(self, delta: Delta) -> None:
            if isinstance(delta, Progress):
                delta = Progress(delta.number, delta.step, (delta.losses[0], float(self.rng.randint(0, 5))))
            if isinstance(delta, Ended) and delta.losses:
                delta = Ended(delta.number, (0.0, 0.0))
            super().tell(delta)

    laboratory = Pairs(scheduler, rng, stride=3, failures=0.05)
    laboratory.run()
    assert "held" not in laboratory.state.values()


# --------------------------------------------------------------------------------------------------------- options


@pytest.mark.parametrize(
    ("options", "key", "message"),
    [
        ({}, "max", "how far a trial can go must be known, as it is the last rung: give `max`"),
        ({"max": 2.5}, "max", "expected a whole number of at least 1, got 2.5: count in a finer unit"),
        ({"max": 0.5}, "max", "expected a whole number of at least 1"),
        ({"max": 9, "divisor": 1}, "divisor", "expected a number above 1, got 1"),
        ({"max": 9, "eta": 1}, "eta", "expected a number above 1, got 1"),
        ({"max": 9, "eta": 3, "divisor": 3}, "eta", "is another word for `divisor`"),
        ({"max": 9, "mode": "fast"}, "mode", "expected aggressive or standard or conservative, got 'fast'"),
        ({"max": 9, "type": "async"}, "type", "expected stopping or promotion or synchronous, got 'async'"),
        ({"max": 9, "max_rungs": 0}, "max_rungs", "expected a whole number"),
        ({"max": 9, "trials": 0}, "trials", "expected a whole number"),
        ({"max": 9, "max_concurrent_trials": -1}, "max_concurrent_trials", "expected a whole number"),
        ({"max": 9, "bracket_rungs": 3}, "bracket_rungs", "expected a list of whole numbers from 1 to 1000"),
        ({"max": 9, "bracket_rungs": [2, 0]}, "bracket_rungs", "expected a list of whole numbers from 1 to 1000"),
        ({"max": 9, "bracket_rungs": [True]}, "bracket_rungs", "expected a list of whole numbers from 1 to 1000"),
        (
            {"max": 4, "bracket_rungs": [5, 2], "type": "promotion"},
            "bracket_rungs",
            "5 rungs need a max of at least 5, got 4",
        ),
        ({"max": 4, "num_rungs": 6, "type": "promotion"}, "num_rungs", "6 rungs need a max of at least 6, got 4"),
        ({"max": 9, "num_rungs": 2, "bracket_rungs": [2]}, "num_rungs", "has no meaning beside `bracket_rungs`"),
        ({"max": 9, "budget": 100}, "budget", "is a matter of `type: synchronous`"),
        ({"max": 9, "budget": 0, "type": "synchronous"}, "budget", "expected a whole number"),
        ({"max": 1e9, "num_rungs": 900}, "num_rungs", "900 rungs are too many for a divisor of 4"),
        ({"max": 9, "max_rungs": 1000, "type": "synchronous"}, "max_rungs", "1000 rungs are too many"),
    ],
)
def test_options_that_mean_nothing_are_refused(options: dict[str, Any], key: str, message: str) -> None:
    with pytest.raises(BadInput) as caught:
        Adaptive(contest(**options))
    assert caught.value.key == f"schedule.{key}"
    assert message in caught.value.message


def test_the_number_of_trials_must_be_known() -> None:
    spec = ScheduleSpec(method="adaptive", options={"max": 9})
    with pytest.raises(BadInput, match=r"schedule.trials: how many trials there are must be known: give budget.trials"):
        Adaptive(Contest(schedule=spec, objectives=LOSS, seed=0))
    with pytest.raises(BadInput, match=r"schedule.trials: 30 are planned, but budget.trials ends the study after 20"):
        Adaptive(contest(max=9, trials=30, evaluated=20))


def test_plans() -> None:
    scheduler = Adaptive(contest(resource="batch", max=1024, trials=32, mode="aggressive"))
    assert scheduler.brackets(None) == [Bracket(32, (Level(32, 64), Level(8, 256), Level(2, 1024)))]
    assert scheduler.brackets(2) == [Bracket(2, (Level(2, 1024),))]
    assert scheduler.levels() == [64, 256, 1024]
    assert scheduler.describe() == (
        "adaptive (stopping): one bracket of 3 rungs, 32 trials up to batch 1024, about one in 4 goes on at each rung"
    )
    legacy = Adaptive(contest(max=16, budget=160, max_rungs=3, mode="conservative", type="synchronous"))
    assert [bracket.trials for bracket in legacy.brackets(None)] == [21, 7, 3]
    assert "3 brackets of 3, 2 and 1 rungs, 31 trials" in legacy.describe()


def test_eta_is_another_word_for_divisor_and_trials_come_from_the_budget() -> None:
    assert Adaptive(contest(max=81, eta=3)).shapes == Adaptive(contest(max=81, divisor=3.0, trials=20)).shapes


def test_a_bracket_alone_without_a_limit_begins_as_many_as_one_of_them_can_win() -> None:
    alone = Adaptive(contest(max=81, num_rungs=3, divisor=3, trials=40, max_concurrent_trials=0))
    assert alone.rules[0].wanted == 9
    assert Adaptive(contest(max=81, bracket_rungs=[3], divisor=3, max_concurrent_trials=0)).rules[0].wanted == 20


def test_rungs_that_coincide_are_cleared_by_one_report() -> None:
    scheduler = Adaptive(contest(max=2, num_rungs=4, trials=2, max_concurrent_trials=1))
    assert scheduler.shapes[0].units == (1, 1, 1, 2)
    start(scheduler, 1)
    assert scheduler.observe([Progress(0, 1, (0.1,))]) == []
    assert [len(rung) for rung in scheduler.rules[0].rungs] == [1, 1, 1, 0]
    (stop,) = scheduler.observe([Progress(0, 2, (0.1,))])
    assert isinstance(stop, Stop)
    assert stop.complete
