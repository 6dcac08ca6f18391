from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from execute.simulation.worlds import Hand, Lines, job, seen, story, world
from rung.execute import simulated
from rung.execute.base import Cursor, Exited, Held, Reported, Started
from rung.execute.simulation.conditions import Fate
from rung.execute.simulation.curves import Curve
from rung.execute.simulation.world import EPOCH, World


class RealTime:
    """Real time that only moves when told to."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def real(monkeypatch: pytest.MonkeyPatch) -> RealTime:
    clock = RealTime()
    monkeypatch.setattr("time.perf_counter", clock)
    return clock


def test_a_job_tells_its_curve_and_the_clock_jumps_to_its_news() -> None:
    async def told() -> None:
        hand = Hand(world())
        hand.executor.start(job())
        assert hand.now == 0
        assert [type(event) for event in await hand.rest()] == [Started]
        assert hand.now == 0
        moments = []
        while hand.executor.jobs():
            await hand.rest()
            moments.append(hand.now)
        assert moments == [10, 20, 30]
        assert seen(hand.reports()) == [(1, 10), (2, 20), (3, 30)]
        assert [report.values for report in hand.reports()] == [{"loss": 1.0}, {"loss": 0.5}, {"loss": 1 / 3}]
        assert (hand.end().how, hand.end().code, hand.end().tail) == ("exited", 0, "")
        assert hand.cursor() == Cursor(offsets={"curve": 3}, reports=3, step=3, channel="file")

    story(told)


def test_numbers_that_json_lacks_are_words_in_reports() -> None:
    class Diverging(Lines):
        def curve(self, params: Any, seed: int) -> Curve:
            return Curve(np.array([1.0, 2.0]), np.array([1.0, 2.0]), {"loss": np.array([math.inf, math.nan])})

    async def told() -> None:
        hand = Hand(World(Diverging()))
        hand.executor.start(job())
        await hand.rest_until_over()
        assert [report.values["loss"] for report in hand.reports()] == ["Infinity", "NaN"]

    story(told)


# ----------------------------------------------------------------------------------------------------------- the clock


def test_what_the_runner_takes_is_charged_to_the_clock(real: RealTime) -> None:
    async def told() -> None:
        hand = Hand(world(), charge="real")
        real.now += 4
        assert hand.now == 4
        hand.executor.start(job("a"))
        real.now += 1
        assert [event.key for event in await hand.rest()] == ["a"]
        real.now += 12  # the report of 14 s is due while the runner works
        hand.executor.start(job("b"))
        batch = await hand.rest()
        assert [(type(event), event.key) for event in batch] == [(Reported, "a"), (Started, "b")]
        assert hand.now == 17
        assert seen(hand.reports("a")) == [(1, 14)]
        assert hand.world.tally.charged_s == 17
        await hand.rest()
        assert hand.now == 24  # resting costs nothing

    story(told)


def test_looking_a_curve_up_is_not_charged(real: RealTime) -> None:
    class Slow(Lines):
        def curve(self, params: Any, seed: int) -> Curve:
            real.now += 60
            return super().curve(params, seed)

    async def told() -> None:
        hand = Hand(World(Slow()), charge="real")
        hand.executor.start(job())
        assert hand.now == 0

    story(told)


def test_cpu_time_may_be_charged_instead(real: RealTime, monkeypatch: pytest.MonkeyPatch) -> None:
    cpu = RealTime()
    monkeypatch.setattr("time.process_time", cpu)

    async def told() -> None:
        hand = Hand(world(), charge="cpu")
        real.now += 50
        cpu.now += 3
        assert hand.now == 3

    story(told)


def test_free_decisions_take_no_time(real: RealTime) -> None:
    async def told() -> None:
        hand = Hand(world())
        hand.executor.start(job())
        real.now += 1000
        await hand.rest()
        assert hand.now == 0
        assert hand.world.tally.charged_s == 0

    story(told)


def test_a_runner_that_waits_for_a_time_is_woken_then() -> None:
    async def told() -> None:
        hand = Hand(world())
        assert await hand.rest(until=5.0) == []
        assert hand.now == 5
        hand.executor.start(job())
        await hand.rest()
        assert await hand.rest(until=9.0) == []
        assert [type(event) for event in await hand.rest(until=20.0)] == [Reported]
        assert hand.now == 15

    story(told)


def test_a_time_that_rounding_has_put_behind_still_comes() -> None:
    async def told() -> None:
        hand = Hand(world())
        assert await hand.rest(until=0.0) == []
        assert EPOCH < hand.executor.monotonic() < EPOCH + 1e-6

    story(told)


def test_the_clock_moves_once_for_each_batch_and_not_without_news() -> None:
    async def told() -> None:
        hand = Hand(world())
        assert hand.executor.rest(None) is None  # nobody in the world has news: only somebody outside can wake it
        assert hand.now == 0
        hand.executor.start(job())
        await hand.rest()
        hand.executor.rest(None)
        hand.executor.rest(None)
        assert hand.now == 10
        assert [type(event) for event in await hand.rest()] == [Reported]

    story(told)


def test_news_are_collected_for_as_long_as_the_world_says() -> None:
    async def told() -> None:
        hand = Hand(world(gulp_s=5.0))
        for key, pace in (("a", 10.0), ("b", 14.0), ("c", 16.0)):
            hand.executor.start(job(key, pace=pace))
        await hand.rest(until=0.0)
        assert [event.key for event in await hand.rest()] == ["a", "b"]
        assert hand.now == 15

    story(told)


@settings(max_examples=30, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 9), st.integers(0, 4), st.integers(1, 3)),
        min_size=1,
        max_size=8,
        unique_by=lambda t: t[0],
    ),
    st.integers(0, 5),
)
def test_news_come_by_time_and_job(jobs: list[tuple[int, int, int]], gulp: int) -> None:
    """The heap tells what a search through all jobs at every turn would."""

    async def told() -> None:
        hand = Hand(world(gulp_s=float(gulp)))
        left = {}
        for number, steps, pace in jobs:
            hand.executor.start(job(str(number), steps=steps, pace=float(pace)))
            left[str(number)] = [
                ("start", 0),
                *(("report", k * pace) for k in range(1, steps + 1)),
                ("end", steps * pace),
            ]
        while any(left.values()):
            now = min(news[0][1] for news in left.values() if news) + gulp
            expected = []
            while due := min(
                ((news[0][1], key) for key, news in left.items() if news and news[0][1] <= now), default=None
            ):
                kind = left[due[1]].pop(0)[0]
                expected.append((kind, due[1]))
                while kind == "report" and left[due[1]][0][0] == "report" and left[due[1]][0][1] <= now:
                    left[due[1]].pop(0)
            names = {Started: "start", Reported: "report", Exited: "end"}
            assert [(names[type(event)], event.key) for event in await hand.rest()] == expected
            assert hand.now == now
        assert not hand.executor.jobs()

    story(told)


# ------------------------------------------------------------------------------------------------------------ endings


@pytest.mark.parametrize(
    ("delay", "kill", "ended", "code"),
    [(0.0, False, 12, 143), (3.0, False, 15, 143), (99.0, False, 17, 137), (3.0, True, 12, 137)],
)
def test_a_job_that_is_told_to_end_reports_no_more(delay: float, kill: bool, ended: float, code: int) -> None:
    async def told() -> None:
        hand = Hand(world(stop_delay_s=delay))
        hand.executor.start(job(pace=2.5, steps=100, grace_s=5.0))
        while hand.now < 10:
            await hand.rest()
        await hand.rest(until=12.0)
        for _ in range(2):
            (hand.executor.kill if kill else hand.executor.stop)("a")
        await hand.rest_until_over()
        assert seen(hand.reports())[-1] == (4, 10)
        assert (hand.now, hand.end().how, hand.end().code) == (ended, "exited", code)
        assert [type(event) for event in hand.told].count(Exited) == 1

    story(told)


def test_a_job_that_ends_by_itself_first_has_ended_by_itself() -> None:
    async def told() -> None:
        hand = Hand(world(stop_delay_s=8.0))
        hand.executor.start(job(steps=2))
        await hand.rest()
        await hand.rest()
        hand.world.now = EPOCH + 20  # its end is due and was not told yet
        hand.executor.stop("a")
        await hand.rest_until_over()
        assert (hand.end().code, len(hand.reports())) == (0, 2)

    story(told)


def test_a_job_ends_at_its_time_limit() -> None:
    async def told() -> None:
        hand = Hand(world())
        hand.executor.start(job(timeout_s=25.0))
        await hand.rest_until_over()
        assert (hand.end().how, hand.now, len(hand.reports())) == ("timeout", 25, 2)

    story(told)


def test_a_function_that_raises_is_the_trials_failure() -> None:
    class Broken:
        def curve(self, params: Any, seed: int) -> Curve:
            raise ZeroDivisionError("no curve here")

    async def told() -> None:
        hand = Hand(World(Broken()))
        hand.executor.start(job())
        await hand.rest_until_over()
        assert (hand.end().code, hand.end().tail) == (1, "ZeroDivisionError: no curve here")

    story(told)


def test_a_held_start_is_told_and_may_be_made_again() -> None:
    async def told() -> None:
        hand = Hand(world(holds=0.9, seed=1))
        keys = [f"job/{number}" for number in range(20)]
        held = []
        for key in keys:
            hand.executor.start(job(key))
            if key not in hand.executor.jobs():
                held.append(key)
        batch = await hand.rest()
        assert [event.key for event in batch if isinstance(event, Held)] == held
        assert 10 < len(held) < 20
        for _ in range(200):
            for key in keys:
                hand.executor.start(job(key))
        assert set(hand.executor.jobs()) == set(keys)

    story(told)


def test_a_forgotten_job_runs_on_in_its_world() -> None:
    async def told() -> None:
        hand = Hand(world())
        hand.executor.start(job("a"))
        hand.executor.start(job("b", steps=9))
        await hand.rest()
        await hand.rest()
        cursor = hand.cursor("a")
        hand.executor.forget("a")
        while hand.now < 20:
            assert {event.key for event in await hand.rest()} == {"b"}
        hand.executor.adopt(job("a"), cursor)
        await hand.rest_until_over()
        assert seen(hand.reports("a")) == [(1, 10), (2, 20), (3, 30)]

    story(told)


# ---------------------------------------------------------------------------------------- resources and checkpoints


def test_a_resumed_job_runs_only_the_steps_that_are_left() -> None:
    async def told() -> None:
        hand = Hand(world(startup_s=1.0, restore_s=0.5, checkpoints=True, checkpoint_s=0.25))
        hand.executor.start(job(steps=5, attempt=3, begin=Cursor(reports=3, step=3), resumed=True))
        await hand.rest_until_over()
        assert seen(hand.reports()) == [(4, 11.75), (5, 22.0)]
        saved = [made for event in hand.told if isinstance(event, Reported) for made in event.checkpoints]
        assert [(made.attempt, made.name, made.step, made.reports) for made in saved] == [
            (3, "4", 4, 4),
            (3, "5", 5, 5),
        ]
        assert hand.cursor().reports == 5
        assert hand.world.tally.work == 2

    story(told)


def test_a_job_that_is_not_resumed_begins_at_the_beginning() -> None:
    async def told() -> None:
        hand = Hand(world())
        hand.executor.start(job(begin=Cursor(), attempt=2))
        await hand.rest_until_over()
        assert seen(hand.reports()) == [(1, 10), (2, 20), (3, 30)]
        assert all(not event.checkpoints for event in hand.told if isinstance(event, Reported))

    story(told)


def test_a_job_between_two_steps_goes_on_from_there() -> None:
    async def told() -> None:
        hand = Hand(world())
        hand.executor.start(job(begin=Cursor(reports=9, step=1.5), resumed=True))
        await hand.rest_until_over()
        assert seen(hand.reports()) == [(2, 5), (3, 15)]

    story(told)


@pytest.mark.parametrize(
    ("heeds", "resource", "steps"),
    [(True, 2.0, [1, 2]), (True, 1.5, [1, 2]), (True, 9.0, [1, 2, 3]), (False, 2.0, [1, 2, 3])],
)
def test_a_script_that_heeds_its_resource_ends_there(heeds: bool, resource: float, steps: list[int]) -> None:
    async def told() -> None:
        hand = Hand(world(ends_at_resource=heeds))
        hand.executor.start(job(resource=resource))
        await hand.rest_until_over()
        assert [report.step for report in hand.reports()] == steps
        assert (hand.end().how, hand.end().code) == ("exited", 0)

    story(told)


# ----------------------------------------------------------------------------------------------------------- adoption


@settings(max_examples=40, deadline=None)
@given(
    moment=st.floats(0, 60), told_by_then=st.booleans(), known=st.booleans(), resumed=st.booleans(),
    fate=st.builds(Fate, st.floats(0.5, 2), st.none() | st.floats(0, 1), st.just(math.inf) | st.floats(0, 50)),
)  # fmt: skip
def test_an_adopted_job_goes_on_where_it_was(
    moment: float, told_by_then: bool, known: bool, resumed: bool, fate: Fate
) -> None:
    """Whatever moment its runner dies at, what two runners were told is what one would have been told."""
    fields: dict[str, Any] = {"steps": 5, "pace": 7.0}
    if resumed:
        fields |= {"begin": Cursor(reports=2, step=2), "resumed": True, "attempt": 2}

    async def told() -> None:
        alone = Hand(world(fate=lambda _: fate, startup_s=1.0))
        alone.executor.start(job(**fields))
        whole = await alone.rest_until_over()

        first = Hand(world(fate=lambda _: fate, startup_s=1.0))
        first.executor.start(job(**fields))
        while first.executor.jobs() and first.executor.rest(EPOCH + moment) is None and first.now < moment:
            await first.rest(until=moment)
        if told_by_then:  # else the last batch never reached the log
            await first.rest(until=moment)
        if not first.executor.jobs() and told_by_then:
            assert first.told == whole
            return
        here = first.world if known else world(fate=lambda _: fate, startup_s=1.0, now=first.world.now)
        second = Hand(here)
        second.executor.adopt(job(**fields), first.cursor(), ran_s=first.executor.clock() - EPOCH)
        await second.rest_until_over()
        assert first.reports() + second.reports() == alone.reports()
        assert second.end() == alone.end()
        assert second.now == max(alone.now, first.now)

    story(told)


def test_a_job_that_nothing_is_known_of_begins_when_it_is_adopted() -> None:
    async def told() -> None:
        hand = Hand(world(now=EPOCH + 50))
        hand.executor.adopt(job(), Cursor())
        hand.executor.adopt(job(), Cursor())
        await hand.rest_until_over()
        assert seen(hand.reports()) == [(1, 60), (2, 70), (3, 80)]

    story(told)


def test_a_start_of_what_has_begun_adopts_it() -> None:
    async def told() -> None:
        here = world()
        first = Hand(here)
        first.executor.start(job())
        await first.rest(until=0.0)
        await first.rest(until=4.0)
        second = Hand(here)
        second.executor.start(job())
        second.executor.start(job())
        await second.rest_until_over()
        assert seen(second.reports()) == [(1, 10), (2, 20), (3, 30)]
        assert here.tally.starts == here.tally.ends == 1

    story(told)


def test_nothing_is_told_once_it_is_closed() -> None:
    async def told() -> None:
        hand = Hand(world())
        hand.executor.start(job())
        await hand.executor.close()
        assert hand.executor.rest(None) is None
        assert [batch async for batch in hand.executor.events()] == []

    story(told)


# -------------------------------------------------------------------------------------------------------------- tally


def test_the_tally_knows_how_busy_the_workers_were() -> None:
    async def told() -> None:
        hand = Hand(world())
        tally = hand.world.tally
        hand.executor.start(job("a"))
        while hand.now < 20:
            await hand.rest()
        hand.executor.start(job("b", steps=1))
        await hand.rest_until_over()
        assert (tally.filled_at - EPOCH, tally.filled_s) == (20, 20)
        assert tally.busy_s(EPOCH + 30) == 40
        assert (tally.reports, tally.work, tally.starts, tally.ends) == (4, 4, 2, 2)

    story(told)


def test_work_for_a_piece_of_news_does_not_grow_with_the_jobs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Entries of the heap that are looked at: one for each piece of news, and one more for each job that was stopped."""
    looked = itertools.count()
    whether = simulated.SimulatedExecutor._holds

    def counted(executor: simulated.SimulatedExecutor, due: float, key: str) -> bool:
        next(looked)
        return whether(executor, due, key)

    monkeypatch.setattr(simulated.SimulatedExecutor, "_holds", counted)

    async def told() -> None:
        hand = Hand(world())
        for number in range(300):
            hand.executor.start(job(f"{number:03d}", pace=1.0 + number / 7))
        for number in range(0, 300, 3):
            hand.executor.stop(f"{number:03d}")
        batches = 0
        while hand.executor.jobs():
            await hand.rest()
            batches += 1
        assert next(looked) <= len(hand.told) + batches + 2 * 100

    story(told)
