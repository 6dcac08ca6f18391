"""The conformance suite of `rung.search.base.Searcher`: what every searcher must do, as tests to inherit.

    class TestMine(SearcherConformance):
        @pytest.fixture
        def make(self):
            return MySearcher                   # called with a `Problem`

Set `finite_only = True` when it refuses infinite spaces, and `SPACES` to give it others than these.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, ClassVar

import pytest

from rung.model import Budget, Objective, Outcome, Parameter, SearchSpec
from rung.search.base import Delta, Exhausted, Problem, Proposed, Result, Searcher, Suggestion
from rung.space import Space
from rung.study.policy import Taken
from rung.study.seeds import generator
from rung.testing.functions import rough

Make = Callable[[Problem], Searcher]

SMALL = (
    Parameter(name="opt", type="choice", values=("sgd", "adam")),
    Parameter(name="layers", type="int", min=1, max=6),
    Parameter(name="momentum", type="ordinal", values=(0.0, 0.5, 0.9), when="opt == 'sgd'"),
)
WIDE = tuple(Parameter(name=name, type="int", min=0, max=29) for name in ("a", "b", "c"))
MIXED = (
    Parameter(name="lr", type="float", min=1e-5, max=0.1, scale="log"),
    Parameter(name="keep", type="float", min=0.5, max=0.999, scale="reverselog"),
    Parameter(name="noise", type="normal", mean=0.0, sd=1.0),
    Parameter(name="rate", type="lognormal", mean=0.0, sd=0.5),
    Parameter(name="width", type="int", min=8, max=64, step=8),
    Parameter(name="opt", type="choice", values=("sgd", "adam", None, {"name": "custom"})),
    Parameter(name="size", type="ordinal", values=("s", "m", "l")),
    Parameter(name="fine", type="float", min=0, max=1, count=11),
    Parameter(name="on", type="bool"),
    Parameter(name="epochs", type="constant", value=3),
)
NESTED = (
    Parameter(name="opt", type="choice", values=("sgd", "adam")),
    Parameter(name="momentum", type="float", min=0, max=0.99, when="opt == 'sgd'"),
    Parameter(name="nesterov", type="bool", when="momentum > 0.5"),
    Parameter(name="heads", type="int", min=1, max=4),
    Parameter(name="hidden", type="int", min=2, max=8, step=2, times="heads"),
)
TRIANGLE = (Parameter(name="x", type="float", min=0, max=1), Parameter(name="y", type="float", min=0, max=1))

Declared = tuple[tuple[Parameter, ...], tuple[str, ...]]


class Drive:
    """What a study does with a searcher: each delta once and as the log gives it back, and nothing that is taken."""

    def __init__(self, searcher: Searcher, problem: Problem) -> None:
        self.searcher, self.problem = searcher, problem
        self.taken = Taken(problem.space, problem.search.repeats)
        self.deltas: list[Delta] = []
        self.pending: list[int] = []
        self.number = 0

    def observe(self, *deltas: Delta) -> None:
        """The searcher and what is taken know these deltas."""
        for delta in deltas:
            if isinstance(delta, Proposed):
                self.taken.add(delta.params)
                self.pending.append(delta.number)
                self.number = delta.number + 1
            elif isinstance(delta, Result) and delta.number in self.pending:
                self.pending.remove(delta.number)
        self.deltas += deltas
        self.searcher.observe(deltas)

    def suggest(self, number: int | None = None) -> Suggestion | Exhausted:
        """The suggestion for trial `number` (the next one), which changes nothing."""
        asked = self.number if number is None else number
        return self.searcher.suggest(
            asked, tuple(self.pending), self.taken, generator(self.problem.seed, "search", asked)
        )

    def propose(self) -> dict[str, Any] | None:
        """The parameters of the next trial, which is pending now; None when the space is exhausted."""
        found = self.suggest()
        if isinstance(found, Exhausted):
            return None
        params, memo = json.loads(json.dumps([found.params, found.memo]))
        self.observe(Proposed(self.number, params, memo))
        return found.params

    def finish(self, number: int, *losses: float, failed: str = "") -> None:
        """The trial has these losses, or none."""
        violations = (0.0,) * len(self.problem.outcomes)
        self.observe(Result(number, None if failed else losses, violations, steps=3))


def problem(
    declared: Declared, *, trials: int | None = 50, objectives: int = 1, outcomes: int = 0, repeats: int = 1
) -> Problem:
    """A problem on this space with seed 7."""
    names = [f"loss{i}" for i in range(objectives)]
    return Problem(
        space=Space(*declared),
        seed=7,
        search=SearchSpec(repeats=repeats),
        objectives=tuple(Objective(metric=name) for name in names),
        outcomes=tuple(Outcome(metric=f"bound{i}", at_most=1.0) for i in range(outcomes)),
        budget=Budget(trials=trials),
        workers=4,
    )


class SearcherConformance:
    """Inherit, and provide the fixture `make`."""

    finite_only: ClassVar[bool] = False
    SPACES: ClassVar[Mapping[str, Declared]] = {
        "small": (SMALL, ()),
        "constrained and finite": (WIDE, ("a + b <= 30", "c != 7")),
        "mixed": (MIXED, ()),
        "nested": (NESTED, ("heads * hidden <= 80",)),
        "triangle": (TRIANGLE, ("x + y <= 1",)),
    }

    @pytest.fixture
    def make(self) -> Make:
        raise NotImplementedError("provide a fixture `make` that gives the searcher's class")

    def spaces(self) -> Iterator[Declared]:
        """The spaces that this searcher accepts."""
        found = [declared for declared in self.SPACES.values() if not self.finite_only or Space(*declared).size]
        assert found, "no space for this searcher: set SPACES"
        yield from found

    def drives(self, make: Make, **options: Any) -> Iterator[Drive]:
        """A fresh searcher on each space."""
        for declared in self.spaces():
            asked = problem(declared, **options)
            yield Drive(make(asked), asked)

    # ---------------------------------------------------------------------------------------------- determinism

    def test_equal_deltas_give_equal_suggestions(self, make: Make) -> None:
        for one, two in zip(self.drives(make), self.drives(make), strict=True):
            for number in range(20):
                assert one.suggest() == two.suggest()
                for drive in (one, two):
                    drive.propose()
                    if number % 3 == 2:  # results come in batches, the youngest first
                        _finish_all(drive)

    def test_suggesting_changes_nothing(self, make: Make) -> None:
        for drive in self.drives(make):
            for _ in range(8):
                found = drive.suggest()
                drive.suggest(drive.number + 5)
                assert drive.suggest() == found
                drive.propose()

    def test_a_fresh_instance_that_is_given_the_history_goes_on_in_the_same_way(self, make: Make) -> None:
        """Whatever it has cached is no part of its state: all at once, one by one, and as it came are the same."""
        for lived in self.drives(make):
            for number in range(24):
                lived.propose()
                if number % 4 == 3:
                    _finish_all(lived)
                if number in {0, 3, 10, 23}:
                    found = lived.suggest()
                    assert _replayed(make, lived, one_by_one=[]).suggest() == found
                    assert _replayed(make, lived, one_by_one=lived.deltas).suggest() == found

    def test_what_it_does_depends_on_the_seed_or_the_generator_only(self, make: Make) -> None:
        for drive in self.drives(make):
            for _ in range(6):
                found = drive.suggest()
                assert isinstance(found, Suggestion)
                again = make(drive.problem)
                again.observe(list(drive.deltas))
                rng = generator(drive.problem.seed, "search", drive.number)
                assert again.suggest(drive.number, list(drive.pending), drive.taken, rng) == found
                drive.propose()

    # ---------------------------------------------------------------------------------------------- what it suggests

    def test_every_suggestion_is_a_configuration_of_the_space(self, make: Make) -> None:
        """Within the bounds, active parameters only, canonical types, and every constraint kept."""
        for drive in self.drives(make):
            space = drive.problem.space
            for _ in range(40):
                params = drive.propose()
                if params is None:
                    break
                checked = space.check(params)
                assert checked == params
                assert [type(value) for value in checked.values()] == [type(params[name]) for name in checked]
                assert space.allows(params)
                assert not set(params) & set(space.constants)
                _finish_all(drive)

    def test_every_suggestion_says_why_in_one_line(self, make: Make) -> None:
        for drive in self.drives(make):
            found = drive.suggest()
            assert isinstance(found, Suggestion)
            for text in (found.text, drive.searcher.describe()):
                assert text.strip() == text
                assert text
                assert "\n" not in text
            json.dumps([found.memo, found.data, dict(type(drive.searcher).options)])

    def test_no_configuration_twice(self, make: Make) -> None:
        for drive in self.drives(make):
            seen = [drive.problem.space.fingerprint(params) for params in _proposals(drive, 40)]
            assert len(set(seen)) == len(seen)

    def test_pending_trials_are_not_suggested_again(self, make: Make) -> None:
        """Many workers: none of them has a result yet."""
        for drive in self.drives(make):
            seen = [drive.problem.space.fingerprint(drive.propose() or {}) for _ in range(8)]
            assert len(set(seen)) == 8

    def test_what_the_user_enqueued_is_not_suggested(self, make: Make) -> None:
        for drive in self.drives(make):
            first = drive.suggest()
            assert isinstance(first, Suggestion)
            drive.observe(Proposed(0, first.params), Proposed(1, drive.problem.space.middle()))
            drive.finish(1, 0.5)
            found = drive.suggest()
            assert isinstance(found, Suggestion)
            assert found.params not in drive.taken

    # ---------------------------------------------------------------------------------------------- results

    def test_results_that_are_no_numbers(self, make: Make) -> None:
        """NaN counts as worst (+inf); a target can be reached at -inf; failed trials have no losses."""
        for drive in self.drives(make, outcomes=1):
            for number in range(18):
                drive.propose()
                losses = [(float("inf"),), (float("-inf"),), (1e308,), (-1e308,), None, (0.5,)][number % 6]
                violations = () if losses is None else ([0.0], [float("inf")], [3.0])[number % 3]
                drive.observe(Result(number, losses, tuple(violations)))
                assert isinstance(drive.suggest(), Suggestion)

    @pytest.mark.parametrize("losses", [None, (float("inf"),), (0.25,)], ids=["failed", "worst", "equal"])
    def test_results_that_are_all_the_same(self, make: Make, losses: tuple[float, ...] | None) -> None:
        for drive in self.drives(make):
            for number in range(12):
                drive.propose()
                drive.observe(Result(number, losses))
            assert isinstance(drive.suggest(), Suggestion)

    def test_several_objectives(self, make: Make) -> None:
        for drive in self.drives(make, objectives=2):
            for number in range(12):
                params = drive.propose()
                drive.finish(number, rough(params or {}), -rough(params or {}))
            assert isinstance(drive.suggest(), Suggestion)

    def test_a_second_result_of_the_same_trial(self, make: Make) -> None:
        """A user retried it, or told another value."""
        for drive in self.drives(make):
            for number in range(6):
                drive.propose()
                drive.finish(number, float(number))
            drive.finish(2, 0.125)
            drive.finish(3, failed="tried again in vain")
            assert isinstance(drive.suggest(), Suggestion)
            assert _replayed(make, drive, one_by_one=drive.deltas).suggest() == drive.suggest()

    def test_a_result_that_comes_long_after_others(self, make: Make) -> None:
        for drive in self.drives(make):
            for _ in range(10):
                drive.propose()
            for number in (9, 4, 7):
                drive.finish(number, 1.0 / number)
            assert isinstance(drive.suggest(), Suggestion)

    # ---------------------------------------------------------------------------------------------- sizes

    @pytest.mark.parametrize("size", [1, 10_000])
    def test_histories(self, make: Make, size: int) -> None:
        """One trial, and ten thousand, on the largest of the spaces."""
        declared = max(self.spaces(), key=lambda d: Space(*d).size or 2**60)
        asked = problem(declared, trials=size + 10)
        drive = Drive(make(asked), asked)
        rows = asked.space.sample(generator(1, "history", size), 3 * size)
        params = list({asked.space.fingerprint(p): p for p in asked.space.decode(rows)}.values())[:size]
        assert len(params) == size
        deltas = [d for n, p in enumerate(params) for d in (Proposed(n, p), Result(n, (rough(p),)))]
        drive.observe(*deltas)
        found = drive.suggest()
        assert isinstance(found, Suggestion)
        assert found.params not in drive.taken

    @pytest.mark.parametrize("repeats", [1, 2])
    @pytest.mark.parametrize("trials", [None, 1000])
    def test_a_finite_space_is_used_up(self, make: Make, repeats: int, trials: int | None) -> None:
        """Every configuration exactly as often as it may be, then the word that nothing is left."""
        asked = problem((SMALL, ()), trials=trials, repeats=repeats)
        drive = Drive(make(asked), asked)
        found = _proposals(drive, 100)
        expected = [asked.space.fingerprint(params) for params in asked.space.grid()] * repeats
        assert sorted(asked.space.fingerprint(params) for params in found) == sorted(expected)
        for _ in range(2):
            over = drive.suggest()
            assert isinstance(over, Exhausted)
            assert over.text

    def test_a_space_of_one_configuration(self, make: Make) -> None:
        asked = problem(((Parameter(name="only", type="choice", values=("this",)),), ()))
        drive = Drive(make(asked), asked)
        assert drive.propose() == {"only": "this"}
        assert isinstance(drive.suggest(), Exhausted)

    def test_a_space_of_constants(self, make: Make) -> None:
        asked = problem(((Parameter(name="epochs", type="constant", value=3),), ()))
        drive = Drive(make(asked), asked)
        assert drive.propose() == {}
        assert isinstance(drive.suggest(), Exhausted)


def _finish_all(drive: Drive) -> None:
    """All pending trials have a result, the youngest first."""
    params = {delta.number: delta.params for delta in drive.deltas if isinstance(delta, Proposed)}
    for number in reversed(drive.pending[:]):
        losses = [rough(params[number]) + i for i in range(len(drive.problem.objectives))]
        drive.finish(number, *losses)


def _proposals(drive: Drive, most: int) -> list[dict[str, Any]]:
    """Up to `most` proposals, each with its result before the next one."""
    found: list[dict[str, Any]] = []
    while len(found) < most and (params := drive.propose()) is not None:
        found.append(params)
        _finish_all(drive)
    return found


def _replayed(make: Make, drive: Drive, *, one_by_one: Sequence[Delta]) -> Drive:
    """A fresh searcher that was given the same deltas."""
    fresh = Drive(make(drive.problem), drive.problem)
    if not one_by_one:
        fresh.observe(*drive.deltas)
    for delta in one_by_one:
        fresh.observe(delta)
    return fresh
