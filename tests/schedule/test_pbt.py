from __future__ import annotations

import itertools
import math
import random
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rung.model import BadInput, Budget, Continue, Objective, Outcome, Parameter, Pause, ScheduleSpec, Stop
from rung.schedule.base import (
    Ask,
    Begun,
    Bracket,
    Contest,
    Delta,
    Ended,
    Held,
    Hold,
    Over,
    Progress,
    Propose,
    Resumed,
)
from rung.schedule.pbt import PopulationBasedTraining
from rung.space import Space
from rung.testing.schedulers import SchedulerConformance

SPACE = Space((Parameter(name="lr", type="float", min=1e-5, max=1.0, scale="log"),))


def pbt(*, workers: int = 64, trials: int | None = None, goal: Any = "minimize", **options: Any) -> Any:
    return PopulationBasedTraining(
        Contest(
            schedule=ScheduleSpec(method="pbt", resource="epoch", options=options),
            objectives=(Objective(metric="loss", goal=goal),),
            seed=0,
            space=SPACE,
            budget=Budget(trials=trials),
            workers=workers,
        )
    )


def rng(number: int) -> np.random.Generator:
    return np.random.default_rng((7, number))


def loss(params: dict[str, Any], step: float) -> float:
    """The nearer lr is to 0.01, the better; all get better with time."""
    return abs(math.log10(params["lr"]) + 2) + 10.0 / (10.0 + step)


class World:
    """Programs that run as the scheduler wants, on so many workers; whose turn it is to report is drawn.

    A program saves a checkpoint every `saves` steps; it ends by itself at `end`. `fails`: the chance that it fails
    instead of a report. What is observed is checked against what a policy may rely on.
    """

    def __init__(
        self, scheduler: Any, workers: int, *, seed: int = 0, end: int = 10**9, saves: int = 1, fails: float = 0.0,
        trials: float = math.inf,
    ) -> None:  # fmt: skip
        self.scheduler, self.workers, self.end, self.saves, self.fails = scheduler, workers, end, saves, fails
        self.random, self.trials = random.Random(seed), trials
        self.params: dict[int, dict[str, Any]] = {}
        self.parents: dict[int, int | None] = {}
        self.tickets: dict[int, dict[str, Any]] = {}
        self.steps: dict[int, int] = {}
        self.saved: dict[int, int] = {}
        self.seen: dict[int, float] = {}
        self.running: set[int] = set()
        self.held: set[int] = set()
        self.ended: dict[int, str] = {}
        self.log: list[Delta] = []
        self.commands: list[Any] = []
        self.most = 0
        self.over = ""

    def tell(self, *deltas: Delta) -> None:
        self.log += deltas
        for command in self.scheduler.observe(list(deltas)):
            self.commands.append(command)
            self.obey(command)

    def obey(self, command: Stop | Pause | Continue) -> None:
        number = command.trial
        assert command.reason.by == "pbt" and command.reason.text and command.reason.data["rule"] == "pbt"
        if isinstance(command, Stop):
            assert number in self.running | self.held
            self.finish(number, "complete" if command.complete else "pruned")
        elif isinstance(command, Pause):
            self.running.remove(number)
            self.held.add(number)
            self.steps[number] = self.saved[number]
            self.tell(Held(number))
        else:
            assert number in self.running, "who does not run is continued by `next` alone"

    def finish(self, number: int, state: str) -> None:
        self.running.discard(number)
        self.held.discard(number)
        self.ended[number] = state
        step = self.seen.get(number, 0.0)
        self.tell(Ended(number, None if state == "failed" else (loss(self.params[number], step),)))

    def begin(self) -> bool:
        """Whether something began."""
        found = self.scheduler.next(len(self.params), rng(len(self.params)))
        again = self.scheduler.next(len(self.params), rng(len(self.params)))
        assert found == again, "the question changes nothing"
        if isinstance(found, Hold):
            assert self.running, "somebody must be waited for"
            return False
        if isinstance(found, Over):
            assert not self.running and not self.held
            self.over = found.text
            return False
        if isinstance(found, Continue):
            self.held.remove(found.trial)
            self.running.add(found.trial)
            assert found.to is None or found.to > self.steps[found.trial]
            self.tell(Resumed(found.trial, found.to))
            return True
        good = [state for state in self.ended.values() if state != "failed"]
        assert len(self.running) + len(self.held) + len(good) < self.trials, "the budget is kept"
        self.propose(found)
        return True

    def propose(self, found: Ask | Propose) -> None:
        number = len(self.params)
        parent = found.parent if isinstance(found, Propose) else None
        if isinstance(found, Propose):
            self.params[number] = SPACE.check(found.params)
        else:
            self.params[number] = SPACE.decode(SPACE.sample(rng(number), 1))[0]
        assert found.ticket is not None
        self.parents[number], self.tickets[number] = parent, found.ticket
        self.steps[number] = self.saved[number] = self.saved[parent] if parent is not None else 0
        self.running.add(number)
        step = float(self.steps[number])
        self.seen[number] = step
        self.tell(Begun(number, self.params[number], parent, step, found.ticket))

    def advance(self, number: int) -> None:
        """One program makes one step."""
        if self.random.random() < self.fails:
            self.finish(number, "failed")
            return
        if self.steps[number] >= self.end:
            self.finish(number, "complete")
            return
        self.steps[number] += 1
        step = self.steps[number]
        if step % self.saves == 0:
            self.saved[number] = step
        if step > self.seen[number]:
            self.seen[number] = step
            self.tell(Progress(number, float(step), (loss(self.params[number], step),)))

    def run(self, rounds: int = 20_000) -> World:
        for _ in range(rounds):
            while len(self.running) < self.workers and self.begin():
                pass
            members = len(self.running) + len(self.held)
            self.most = max(self.most, members)
            if self.over:
                return self
            self.advance(self.random.choice(sorted(self.running)))
        raise AssertionError("it goes on for ever")

    def of(self, kind: type) -> list[Any]:
        return [command for command in self.commands if isinstance(command, kind)]


# ------------------------------------------------------------------------------------------------------------- options


@pytest.mark.parametrize(
    ("options", "key", "says"),
    [
        ({}, "interval", "give the resource between two decisions, or `max`"),
        ({"interval": 0}, "interval", "expected a number above 0, got 0"),
        ({"interval": float("nan")}, "interval", "expected a number above 0"),
        ({"interval": "often"}, "interval", "expected a number above 0, got 'often'"),
        ({"interval": 5, "max": 5}, "interval", "expected less than max"),
        ({"max": -1}, "max", "expected a number above 0"),
        ({"max": 10, "population": 1}, "population", "expected a whole number from 2 to 100000"),
        ({"max": 10, "population": True}, "population", "expected a whole number"),
        ({"max": 10, "population": 3}, "quantile", "0.25 of 3 members is nobody: give at least 0.34"),
        ({"max": 10, "quantile": 0.6}, "quantile", "expected a number"),
        ({"max": 10, "quantile": 0}, "quantile", "expected a number"),
        ({"max": 10, "resample": 2}, "resample", "expected a number from 0 to 1"),
        ({"max": 10, "factors": []}, "factors", "expected a list of numbers"),
        ({"max": 10, "factors": [0.8, -1]}, "factors", "expected"),
        ({"max": 10, "type": "sometimes"}, "type", "expected asynchronous or synchronous, got 'sometimes'"),
    ],
)
def test_options_are_checked(options: dict[str, Any], key: str, says: str) -> None:
    with pytest.raises(BadInput, match=f"schedule.{key}") as found:
        pbt(**options)
    assert says in str(found.value)


def test_a_budget_below_the_population_is_told() -> None:
    assert pbt(max=10, trials=4).describe() == (
        "population based training: 4 members up to epoch 10; the budget leaves no room for clones"
    )


def test_a_space_is_needed() -> None:
    contest = Contest(schedule=ScheduleSpec(method="pbt"), objectives=(Objective(metric="loss"),), seed=0)
    with pytest.raises(BadInput, match="needs a search space"):
        PopulationBasedTraining(contest)


@pytest.mark.parametrize(("top", "interval"), [(100, 10), (25, 3), (5, 1), (0.5, 0.05), (2, 1)])
def test_the_interval_is_a_tenth_of_the_maximum(top: float, interval: float) -> None:
    assert pbt(max=top).interval == interval


def test_what_is_planned() -> None:
    scheduler = pbt(max=100)
    assert scheduler.brackets(None) == [Bracket(8, ())]
    assert scheduler.levels() == ()
    assert scheduler.describe() == (
        "population based training: 8 members up to epoch 100; every 10 (epoch), as each one gets there, the worst 2 "
        "are replaced by clones of the best 2 with changed parameters"
    )


class TestConformance(SchedulerConformance):
    given: ClassVar[Mapping[str, Any]] = {"interval": 2, "max": 9}
    FILLS: ClassVar[bool] = False
    BAD: ClassVar[Mapping[str, Sequence[Any]]] = {"population": [1, 2.5], "quantile": [0.7], "interval": [0, 9]}

    @pytest.fixture
    def make(self) -> Any:
        return PopulationBasedTraining


class TestConformanceInRounds(TestConformance):
    given: ClassVar[Mapping[str, Any]] = {"interval": 2, "max": 9, "type": "synchronous", "population": 4}


# --------------------------------------------------------------------------------------------------------- by hand


def begun(scheduler: Any, losses: list[float], step: float = 10.0) -> list[list[Any]]:
    """A population begins; each reports its loss at `step`. Returns the commands that followed on each report."""
    for number in range(len(losses)):
        ask = scheduler.next(number, rng(number))
        assert isinstance(ask, Ask)
        scheduler.observe([Begun(number, {"lr": 0.01}, None, 0.0, ask.ticket)])
    return [scheduler.observe([Progress(number, step, (loss,))]) for number, loss in enumerate(losses)]


def test_one_of_the_worst_is_replaced_by_a_clone_of_one_of_the_best() -> None:
    scheduler = pbt(population=4, interval=10, max=100)
    assert scheduler.next(0, rng(0)) == Ask(resource=100, ticket={"slot": 0, "generation": 0, "root": 0})
    *before, ((stop),) = begun(scheduler, [0.1, 0.2, 0.3, 0.9])
    assert before == [[], [], []]
    assert isinstance(stop, Stop) and (stop.trial, stop.complete) == (3, False)
    assert stop.reason.text == (
        "at epoch 10: loss 0.9 is number 4 of 4, where 0.3 was needed; lost to trial 0, of whom a clone takes its place"
    )
    assert stop.reason.data == {
        "rule": "pbt", "rung": 1, "resource": 10.0, "generation": 0, "value": 0.9, "threshold": 0.3, "lost_to": [0],
    }  # fmt: skip
    clone = scheduler.next(4, rng(4))
    assert isinstance(clone, Propose)
    assert (clone.parent, clone.resource) == (0, 100)
    assert clone.ticket == {"slot": 3, "generation": 1, "root": 0}
    assert clone.reason.text.startswith("generation 1: a clone of trial 0 at epoch 10 in place of trial 3, with lr ")
    assert clone.params["lr"] in (0.008, 0.012) or clone.params["lr"] != 0.01
    scheduler.observe([Begun(4, clone.params, 0, 10.0, clone.ticket), Ended(3, (0.9,))])
    assert scheduler.next(5, rng(5)) == Hold()


def test_a_maximised_metric_is_told_as_it_was_reported() -> None:
    scheduler = pbt(population=4, interval=10, max=100, goal="maximize")
    *_, ((stop),) = begun(scheduler, [-0.9, -0.8, -0.7, -0.1])
    assert "loss 0.1 is number 4 of 4, where 0.7 was needed" in stop.reason.text
    assert (stop.reason.data["value"], stop.reason.data["threshold"]) == (0.1, 0.7)


def test_nobody_is_replaced_before_there_are_enough_to_compare_with() -> None:
    assert begun(pbt(population=8, interval=10), [0.1, 0.2, 0.9]) == [[], [], []]


def test_nobody_is_compared_before_its_interval() -> None:
    scheduler = pbt(population=4, interval=10)
    assert begun(scheduler, [0.1, 0.2, 0.3, 0.9], step=9) == [[]] * 4
    assert scheduler.observe([Progress(3, 13.0, (0.8,))])[0].trial == 3  # a step may jump past it


def test_a_report_without_the_metric_neither_counts_nor_decides() -> None:
    scheduler = pbt(population=4, interval=10)
    begun(scheduler, [0.1, 0.2, 0.3, 0.4], step=5)
    assert scheduler.observe([Progress(3, 12.0, (None,))]) == []
    assert isinstance(scheduler.observe([Progress(3, 14.0, (0.9,))])[0], Stop)


def test_the_worst_number_is_no_number_and_gives_no_clones() -> None:
    *_, commands = begun(pbt(population=4, interval=10), [math.inf] * 4)
    assert commands == []
    *_, (stop,) = begun(pbt(population=4, interval=10), [0.1, 0.2, 0.3, math.inf])
    assert "loss no number is number 4 of 4" in stop.reason.text and stop.reason.data["value"] == "NaN"


def test_who_has_had_all_the_resource_gives_no_clones() -> None:
    """The best is at the maximum: a clone of it would have nothing left to do."""
    scheduler = pbt(population=4, interval=10, max=100)
    begun(scheduler, [0.1, 0.2, 0.3, 0.3], step=9)
    scheduler.observe([Progress(0, 100.0, (0.05,))])
    assert scheduler.observe([Progress(3, 20.0, (0.9,))]) == []


def test_who_goes_past_the_maximum_is_complete() -> None:
    scheduler = pbt(population=4, interval=10, max=100)
    begun(scheduler, [0.1, 0.2, 0.3, 0.3], step=9)
    assert scheduler.observe([Progress(3, 100.0, (0.9,))]) == []
    (stop,) = scheduler.observe([Progress(3, 101.0, (0.9,))])
    assert (stop.trial, stop.complete) == (3, True)
    assert stop.reason.text == "at epoch 101: has had all of the 100 that a trial gets"


def test_with_one_slot_for_each_it_is_over_when_all_are() -> None:
    scheduler = pbt(population=4, interval=10)
    begun(scheduler, [0.1, 0.2, 0.3, 0.4], step=9)
    for number in range(3):
        scheduler.observe([Ended(number, (0.1,))])
        assert scheduler.next(4, rng(4)) == Hold()
    scheduler.observe([Ended(3, (0.1,))])
    assert scheduler.next(4, rng(4)) == Over("the population has run to its end: 4 members")


def test_a_member_that_fails_is_replaced() -> None:
    scheduler = pbt(population=4, interval=10)
    begun(scheduler, [0.1, 0.2, 0.3, 0.4], step=9)
    scheduler.observe([Ended(0, None)])
    clone = scheduler.next(4, rng(4))
    assert isinstance(clone, Propose) and clone.parent == 1
    early = pbt(population=4, interval=10)
    begun(early, [], step=9)
    early.observe([Begun(0, {"lr": 0.1}, None, 0.0, {"slot": 0}), Ended(0, None)])
    assert isinstance(early.next(1, rng(1)), Ask)


def test_who_runs_on_to_the_maximum_while_told_to_wait_gives_no_clones() -> None:
    """Its newest checkpoint is at the end by then."""
    for kind in ("asynchronous", "synchronous"):
        scheduler = pbt(population=4, interval=10, max=20, workers=2, type=kind)
        begun(scheduler, [0.1, 0.2, 0.3, 0.9])
        scheduler.observe([Ended(3, (0.9,))])
        for number in range(3):
            scheduler.observe([Progress(number, 20.0, (0.1,))])
        found = scheduler.next(4, rng(4))
        assert not isinstance(found, Propose | Ask), kind


def test_a_donor_whose_clone_failed_at_once_is_left_alone_until_it_reports_again() -> None:
    scheduler = pbt(population=4, interval=10)
    begun(scheduler, [0.1, 0.2, 0.3, 0.9])
    for number, parent in ((4, 0), (5, 1)):
        clone = scheduler.next(number, rng(number))
        assert isinstance(clone, Propose) and clone.parent == parent
        scheduler.observe([Begun(number, clone.params, parent, 10.0, clone.ticket), Ended(number, None)])
    scheduler.observe([Progress(0, 11.0, (0.1,))])
    assert scheduler.next(6, rng(6)).parent == 0


def test_a_trial_of_the_users_own_has_the_place_of_another_or_none() -> None:
    scheduler = pbt(population=4, interval=10)
    begun(scheduler, [0.1, 0.2, 0.3], step=9)
    scheduler.observe([Begun(3, {"lr": 0.5})])
    scheduler.observe([Begun(4, {"lr": 0.5})])
    assert isinstance(scheduler.next(5, rng(5)), Hold)
    assert scheduler.observe([Progress(4, 10.0, (0.99,))]) == []
    (stop,) = scheduler.observe([Progress(3, 10.0, (0.9,))])
    assert "number 4 of 4" in stop.reason.text


def test_when_the_budget_has_no_room_for_a_clone_nobody_is_ended() -> None:
    assert begun(pbt(population=4, interval=10, trials=4), [0.1, 0.2, 0.3, 0.9])[-1] == []
    scheduler = pbt(population=4, interval=10, trials=5)
    begun(scheduler, [0.1, 0.2, 0.3, 0.9])
    clone = scheduler.next(4, rng(4))
    scheduler.observe([Begun(4, clone.params, 0, 10.0, clone.ticket), Ended(3, (0.9,))])
    assert scheduler.observe([Progress(2, 20.0, (5.0,))]) == []
    scheduler.observe([Ended(1, None)])  # a failed one does not count: there is room again
    assert isinstance(scheduler.next(5, rng(5)), Propose)


@pytest.mark.parametrize(("losses", "replaced"), [(None, 1), ((0.5,), 0)])
def test_a_failed_trial_of_the_users_own_does_not_count_either(losses: tuple[float] | None, replaced: int) -> None:
    scheduler = pbt(population=4, interval=10, trials=5)
    begun(scheduler, [0.1, 0.2, 0.3, 0.9], step=9)
    scheduler.observe([Begun(4, {"lr": 0.5})])  # beside the population: all its places are taken
    scheduler.observe([Ended(4, losses)])
    assert len(scheduler.observe([Progress(3, 10.0, (0.9,))])) == replaced


def test_several_objectives_and_bounds_rank_too() -> None:
    scheduler = PopulationBasedTraining(
        Contest(
            schedule=ScheduleSpec(method="pbt", options={"population": 4, "interval": 1}),
            objectives=(Objective(metric="a"), Objective(metric="b")),
            outcomes=(Outcome(metric="c", at_most=1.0),),
            seed=0,
            space=SPACE,
        )
    )
    for number in range(4):
        scheduler.observe([Begun(number, {"lr": 0.1}, None, 0.0, {"slot": number})])
    for number, losses in enumerate([(0.0, 1.0), (1.0, 0.0), (2.0, 2.0)]):
        assert scheduler.observe([Progress(number, 0.5, losses)]) == []
    (stop,) = scheduler.observe([Progress(3, 1.0, (-1.0, -1.0), (), 0.5)])  # best, but it breaks a bound
    assert isinstance(stop, Stop) and stop.trial == 3
    assert stop.reason.text.startswith("at step 1: a -1, b -1 is number 4 of 4; lost to trial ")
    assert stop.reason.data["threshold"] is None


# ------------------------------------------------------------------------------------------------------ rounds and turns


def determined(losses: list[list[float]], fraction: float) -> list[tuple[list[int], list[int]]]:
    """The rounds of a synchronous population, plainly: who is closed and who is cloned in each, by slot."""
    rounds = []
    for scores in losses:
        order = sorted(range(len(scores)), key=lambda slot: scores[slot])
        k = int(fraction * len(scores))
        rounds.append((order[::-1][:k], order[:k]))
    return rounds


@settings(max_examples=40, deadline=None)
@given(
    scores=st.lists(st.permutations(range(8)), min_size=1, max_size=4),
    fraction=st.sampled_from([0.25, 0.5, 0.125]),
    workers=st.sampled_from([1, 3, 8]),
    seed=st.integers(0, 99),
)
def test_synchronous_rounds_are_those_of_a_plain_loop(
    scores: list[list[int]], fraction: float, workers: int, seed: int
) -> None:
    """The score of a slot in a round is given; who reports first, and on how many workers, does not matter."""
    top = len(scores) + 1
    scheduler = pbt(workers=workers, interval=1, max=top, quantile=fraction, type="synchronous")
    order = random.Random(seed)
    trials: dict[int, int] = {}
    slot_of: dict[int, int] = {}
    steps: dict[int, int] = {}
    running: list[int] = []
    rounds: list[tuple[list[int], list[int]]] = [([], []) for _ in scores]

    def obey(commands: list[Any]) -> None:
        for command in commands:
            number = command.trial
            if isinstance(command, Stop):
                rounds[steps[number] - 1][0].append(slot_of[number])
                if number in running:
                    running.remove(number)
                scheduler.observe([Ended(number, (1.0,))])
            elif isinstance(command, Pause):
                running.remove(number)
                scheduler.observe([Held(number)])

    while True:
        while len(running) < workers:
            found = scheduler.next(len(steps), rng(len(steps)))
            if isinstance(found, Hold | Over):
                break
            if isinstance(found, Continue):
                running.append(found.trial)
                scheduler.observe([Resumed(found.trial, found.to)])
                continue
            number = len(steps)
            parent = found.parent if isinstance(found, Propose) else None
            steps[number] = steps[parent] if parent is not None else 0
            slot_of[number] = found.ticket["slot"]
            trials[found.ticket["slot"]] = number
            if parent is not None:
                rounds[steps[number] - 1][1].append(slot_of[parent])
            running.append(number)
            scheduler.observe([Begun(number, {"lr": 0.1}, parent, float(steps[number]), found.ticket)])
        if isinstance(found, Over):
            break
        number = order.choice(running)
        if steps[number] == top:
            running.remove(number)
            obey(scheduler.observe([Ended(number, (1.0,))]))
            continue
        steps[number] += 1
        score = scores[steps[number] - 1][slot_of[number]] if steps[number] < top else 0
        obey(scheduler.observe([Progress(number, float(steps[number]), (float(score),))]))
    expected = determined([[float(x) for x in row] for row in scores], fraction)
    assert [(closed, sorted(cloned)) for closed, cloned in rounds] == [(c, sorted(b)) for c, b in expected]
    assert len(steps) == 8 + sum(len(closed) for closed, _ in expected)


KINDS = [("asynchronous", 8), ("asynchronous", 3), ("synchronous", 8), ("synchronous", 3), ("synchronous", 1)]


@pytest.mark.parametrize(("kind", "workers"), KINDS)
@pytest.mark.parametrize("seed", range(3))
def test_a_population_keeps_its_size_and_comes_to_an_end(kind: str, workers: int, seed: int) -> None:
    world = World(pbt(workers=workers, interval=4, max=20, type=kind), workers, seed=seed, end=20).run()
    assert world.most == 8
    last = [number for number, state in world.ended.items() if state == "complete"]
    assert len(last) == 8
    assert sorted(world.tickets[number]["slot"] for number in last) == list(range(8))
    assert world.over == "the population has had all its resource: 8 members"
    assert len(world.of(Stop)) == len(world.params) - 8 > 0


@pytest.mark.parametrize(("kind", "workers"), KINDS)
def test_clones_tell_where_they_come_from(kind: str, workers: int) -> None:
    world = World(pbt(workers=workers, interval=4, max=40, type=kind), workers, end=40).run()
    for number, parent in world.parents.items():
        ticket = world.tickets[number]
        if parent is None:
            assert (ticket["generation"], ticket["root"]) == (0, number)
        else:
            assert ticket["generation"] == world.tickets[parent]["generation"] + 1
            assert ticket["root"] == world.tickets[parent]["root"]
    assert max(ticket["generation"] for ticket in world.tickets.values()) >= 2


@pytest.mark.parametrize(("kind", "workers"), KINDS)
@pytest.mark.parametrize(
    "hardship", [{"fails": 0.05}, {"saves": 3}, {"saves": 7, "fails": 0.05}, {"trials": 12}, {"trials": 8}, {"end": 10}]
)
def test_hardships(kind: str, workers: int, hardship: dict[str, Any]) -> None:
    """Programs fail, save rarely, end before the maximum; the budget is small. Nothing waits for ever."""
    trials = hardship.get("trials")
    scheduler = pbt(workers=workers, interval=4, max=20, type=kind, trials=trials)
    world = World(scheduler, workers, **{"end": 20, **hardship}).run()
    assert world.most <= 8
    assert len(world.ended) == len(world.params)
    if trials is not None:
        assert sum(state != "failed" for state in world.ended.values()) <= trials


@pytest.mark.parametrize("kind", ["asynchronous", "synchronous"])
def test_few_workers_take_turns(kind: str) -> None:
    """Nobody is more than an interval ahead of who waits."""
    world = World(pbt(workers=2, interval=5, max=40, type=kind), 2, end=40)
    advance: Callable[[int], None] = world.advance

    def watched(number: int) -> None:
        advance(number)
        under_way = [world.steps[n] for n in world.running | world.held if world.steps[n] < 40]
        assert not under_way or max(under_way) - min(under_way) <= 2 * 5

    world.advance = watched  # type: ignore[method-assign]
    world.run()
    assert world.of(Pause)


def test_with_a_worker_for_each_nobody_is_held() -> None:
    assert not World(pbt(workers=8, interval=4, max=20), 8, end=20).run().of(Pause)


@pytest.mark.parametrize(("kind", "workers"), KINDS)
def test_the_fold_is_the_same_whatever_it_is_cut_into(kind: str, workers: int) -> None:
    world = World(pbt(workers=workers, interval=4, max=20, type=kind), workers, end=20, fails=0.02).run()
    one, other = (pbt(workers=workers, interval=4, max=20, type=kind) for _ in range(2))
    found = [one.observe([delta]) for delta in world.log]
    assert list(itertools.chain(*found)) == world.commands
    other.observe(world.log[:50])
    for delta in world.log[50:]:
        other.observe([delta])
    assert other.next(999, rng(999)) == one.next(999, rng(999))


@settings(max_examples=60, deadline=None)
@given(losses=st.lists(st.integers(0, 5), min_size=8, max_size=8), order=st.permutations(range(7)))
def test_no_decision_depends_on_the_order_of_earlier_reports(losses: list[int], order: list[int]) -> None:
    """Seven report before their interval, in any order; then one comes to it."""

    def after(numbers: list[int]) -> tuple[Any, Any]:
        scheduler = pbt(interval=10)
        for number in range(8):
            scheduler.observe([Begun(number, {"lr": 0.01}, None, 0.0, {"slot": number})])
        for number in numbers:
            scheduler.observe([Progress(number, 9.0, (float(losses[number]),))])
        return scheduler.observe([Progress(7, 10.0, (float(losses[7]),))]), scheduler.next(8, rng(8))

    assert after(list(order)) == after(list(range(7)))


def test_it_finds_better_schedules_than_the_population_began_with() -> None:
    world = World(pbt(workers=8, interval=4, max=40), 8, end=40).run()
    final = [loss(world.params[n], 40) for n, state in world.ended.items() if state == "complete"]
    first = [loss(world.params[n], 40) for n in range(8)]
    assert np.median(final) < np.median(first) / 2
    assert min(final) <= min(first)


def test_a_constant_of_the_space_says_how_far_members_train() -> None:
    space = Space((*SPACE.parameters, Parameter(name="epochs", type="constant", value=40)))
    spec = ScheduleSpec(method="pbt", resource="epoch")
    found = PopulationBasedTraining(Contest(schedule=spec, objectives=(Objective(metric="loss"),), seed=0, space=space))
    assert (found.top, found.interval) == (40, 4)
