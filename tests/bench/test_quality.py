"""The benchmark of search quality: scores against hand-made runs, ranks and tests against slow twins, its journal."""

from __future__ import annotations

import math
import random
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from bench.quality.compare import holm, mean_ranks, ranks_within
from bench.quality.methods import PEERS, method
from bench.quality.parameters import active_part, choice, draw, floats, ints, is_active, ordinal
from bench.quality.play import Play
from bench.quality.problems import FAMILIES, PROBLEMS, of_families
from bench.quality.runs import Key, Run, append, read, statement
from bench.quality.score import FLOOR, Scale, curve, curves_of, log_regret
from scipy.stats import rankdata

if TYPE_CHECKING:
    from pathlib import Path

NAME = "branches"
SCALE = Scale(best=0.0, median=2.0, worst=10.0)


def make_run(seen: list[float | None], **changes: Any) -> Run:
    given: dict[str, Any] = {
        "method": "m", "code": "1", "problem": NAME, "statement": statement(PROBLEMS[NAME]), "seed": 0, "workers": 1,
        "trials": len(seen), "seen": seen, "seconds": [0.0] * len(seen), "at": 0.0,
    }  # fmt: skip
    return Run(**(given | changes))


# ----------------------------------------------------------------------------------------------------------- spaces


def test_inactive_parameters_are_left_out_of_draws_and_proposals() -> None:
    space = (choice("a", 1, 2), floats("x", 0, 1, when=("a", (2,))), ints("n", 1, 9, log=True, when=("x", (0.5,))))
    rng = random.Random(0)
    for _ in range(50):
        found = draw(space, rng)
        assert set(found) == ({"a"} if found["a"] == 1 else {"a", "x"})
    assert active_part(space, {"a": 1, "x": 0.5, "n": 3}) == {"a": 1}
    assert not is_active(space[1], {})


def test_draws_keep_within_their_bounds_and_reach_every_value() -> None:
    space = (floats("x", 1e-5, 0.1, log=True), ints("n", 1, 4, log=True), ordinal("o", "s", "m"), ints("k", 0, 2))
    rng = random.Random(1)
    drawn = [draw(space, rng) for _ in range(500)]
    assert all(1e-5 <= one["x"] <= 0.1 for one in drawn)
    assert {one["n"] for one in drawn} == {1, 2, 3, 4}
    assert {one["k"] for one in drawn} == {0, 1, 2}
    assert {one["o"] for one in drawn} == {"s", "m"}


def test_every_family_has_problems_and_every_condition_names_an_earlier_parameter() -> None:
    assert all(len(of_families([family])) >= 3 for family in FAMILIES)
    for problem in PROBLEMS.values():
        known: set[str] = set()
        for param in problem.space:
            assert param.when is None or param.when[0] in known
            known.add(param.name)
        assert len(known) == len(problem.space)


def test_unknown_names_are_refused() -> None:
    with pytest.raises(KeyError, match="nothing"):
        of_families(["nothing"])
    with pytest.raises(KeyError, match="nobody"):
        method("nobody")
    assert method("rung:tpe").words == ("tpe",)
    assert not any(one.ours for one in PEERS.values())


# ----------------------------------------------------------------------------------------------------------- scores


def test_a_failed_trial_scores_as_the_worst_value_seen_until_another_succeeds() -> None:
    found = curve(make_run([None, 4.0, None, 1.0]), SCALE)
    assert found.tolist() == [5.0, 2.0, 2.0, 0.5]


def test_the_incumbent_is_chosen_by_what_was_seen_and_scored_by_what_is_true() -> None:
    found = curve(make_run([3.0, 2.0, 2.5], true=[1.0, 4.0, 0.0]), SCALE)
    assert found.tolist() == [0.5, 2.0, 2.0]


def test_a_run_that_ended_early_keeps_its_last_regret() -> None:
    assert curve(make_run([1.0], trials=3), SCALE).tolist() == [0.5, 0.5, 0.5]


def test_a_best_value_that_is_not_the_best_is_noticed() -> None:
    with pytest.raises(AssertionError):
        curve(make_run([-1.0]), SCALE)


def test_the_best_known_value_is_lowered_to_what_a_run_has_seen() -> None:
    runs = [make_run([-1.0, 5.0], method="a"), make_run([3.0, 3.0], method="b")]
    curves = curves_of(runs, trials=2)
    assert curves["a"][NAME, 0][0] == 0.0
    assert curves["b"][NAME, 0][0] > 0.0
    assert log_regret(curves["a"][NAME, 0])[0] == math.log10(FLOOR)


def test_runs_of_other_code_of_another_problem_or_length_are_not_used() -> None:
    runs = [
        make_run([1.0], code="old"), make_run([2.0], seed=1, code="new"), make_run([2.0], statement="other", seed=2),
        make_run([2.0], trials=9, seed=3), make_run([2.0], workers=8, seed=4),
    ]  # fmt: skip
    assert list(curves_of(runs, trials=1)["m"]) == [(NAME, 1)]


# ------------------------------------------------------------------------------------------------- ranks and tests


def test_ranks_within_a_block_are_those_of_scipy() -> None:
    table = np.random.default_rng(0).integers(0, 4, (20, 5)).astype(float)
    assert np.array_equal(ranks_within(table), [rankdata(row) for row in table])


def test_a_problem_counts_once_however_many_seeds_it_has() -> None:
    blocks = [("p", seed) for seed in range(9)] + [("q", 0)]
    table = np.array([[0.0, 1.0]] * 9 + [[1.0, 0.0]])
    assert [rank.mean for rank in mean_ranks(table, blocks)] == [1.5, 1.5]


def test_the_interval_of_a_rank_that_never_varies_is_that_rank() -> None:
    blocks = [("p", 0), ("p", 1), ("q", 0)]
    first, second = mean_ranks(np.array([[0.0, 1.0]] * 3), blocks)
    assert (first.low, first.high, second.low, second.high) == (1.0, 1.0, 2.0, 2.0)


def test_holm_rejects_what_the_closed_test_of_bonferroni_does() -> None:
    values = [0.001, 0.04, 0.012, 0.3, 0.03]
    corrected = holm(values)
    for index in range(len(values)):
        others = [i for i in range(len(values)) if i != index]
        closed = max(
            min(values[i] for i in (index, *more)) * (1 + len(more))
            for size in range(len(values))
            for more in combinations(others, size)
        )
        assert corrected[index] == pytest.approx(min(1.0, closed))


# ---------------------------------------------------------------------------------------------------- journal, play


def test_runs_come_back_and_a_torn_line_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "runs.jsonl"
    append(path, make_run([1.0, None]))
    with path.open("ab") as file:
        file.write(b'{"method": "torn')
    append(path, make_run([2.0], seed=1))
    assert list(read(path)) == [make_run([1.0, None]), make_run([2.0], seed=1)]


class FakeTuner:
    """Proposes its own number, and is over after some."""

    def __init__(self, most: int) -> None:
        self.most, self.longest, self.pending = most, 0, 0
        self.told: list[tuple[int, float | None]] = []

    def ask(self, message: dict[str, Any]) -> dict[str, Any]:
        if "new" in message:
            return {}
        if "tell" in message:
            self.pending -= 1
            self.told.append((message["tell"], message["loss"]))
            return {"seconds": 1.0}
        if message["ask"] >= self.most:
            return {"over": True}
        self.pending += 1
        self.longest = max(self.longest, self.pending)
        return {"params": {"number": message["ask"]}, "seconds": 2.0}


class FakeObjectives:
    """The number is the loss; the third fails."""

    def ask(self, message: dict[str, Any]) -> dict[str, Any]:
        value = None if message["params"]["number"] == 2 else float(message["params"]["number"])
        return {"seen": value, "true": value}


def play(workers: int, *, most: int = 100) -> tuple[Run, FakeTuner]:
    tuner = FakeTuner(most)
    key = Key("m", "1", NAME, "s", 0, workers, 12)
    return Play(key, tuner, FakeObjectives()).run(), tuner  # type: ignore[arg-type]


def test_one_worker_is_told_every_result_before_the_next_proposal() -> None:
    run, tuner = play(1)
    assert tuner.longest == 1
    assert run.seen == [0.0, 1.0, None, *map(float, range(3, 12))]
    assert run.seconds == [3.0] * 12


def test_several_workers_get_results_in_another_order_and_all_of_them() -> None:
    run, tuner = play(4)
    assert tuner.longest == 4
    assert sorted(number for number, _ in tuner.told) == list(range(12))
    assert [loss for _, loss in tuner.told] == run.seen
    assert [number for number, _ in tuner.told] != list(range(12))
    assert play(4)[0].seen == run.seen


def test_a_tuner_that_is_over_ends_the_run() -> None:
    run, _ = play(4, most=5)
    assert len(run.seen) == len(run.seconds) == 5
