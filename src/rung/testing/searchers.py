"""The conformance suite of `rung.search.base.Searcher`: what every searcher must do, as tests to inherit.

    class TestMine(SearcherConformance):
        @pytest.fixture
        def make(self):
            return MySearcher                   # called with a `Problem`

Set `finite_only = True` when it refuses infinite spaces and `SPACES` to give it others than these. `proposals` and
`spaces_each` have a slow one asked less often.
"""

from __future__ import annotations

import json
import zlib
from typing import TYPE_CHECKING, Any, ClassVar

import pytest

from rung.model import Parameter
from rung.search.base import Delta, Exhausted, Proposed, Result, Suggestion
from rung.space import Space
from rung.study.seeds import generator
from rung.testing.driving import (
    MIXED,
    NESTED,
    SMALL,
    TRIANGLE,
    WIDE,
    Declared,
    Drive,
    Make,
    finish_all,
    problem,
    proposals,
    replayed,
)
from rung.testing.functions import rough
from rung.testing.hardships import Hardships

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


class SearcherConformance(Hardships):
    """Inherit, and provide the fixture `make`."""

    finite_only: ClassVar[bool] = False
    proposals: ClassVar[int] = 40  # in most tests no more on each space
    spaces_each: ClassVar[int | None] = None  # a test takes so many of the spaces, another one the next ones; None: all
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

    @pytest.fixture(autouse=True)
    def _take_turns(self, request: pytest.FixtureRequest) -> None:
        self.turn = zlib.crc32(request.node.name.encode())

    def spaces(self) -> Iterator[Declared]:
        """The spaces that this searcher accepts, as many as a test shall take."""
        found = [declared for declared in self.SPACES.values() if not self.finite_only or Space(*declared).size]
        assert found, "no space for this searcher: set SPACES"
        for place in range(min(len(found), self.spaces_each or len(found))):
            yield found[(self.turn + place) % len(found)]

    def drives(self, make: Make, **options: Any) -> Iterator[Drive]:
        """A fresh searcher on each space."""
        for declared in self.spaces():
            asked = problem(declared, **options)
            yield Drive(make(asked), asked)

    # ---------------------------------------------------------------------------------------------- determinism

    def test_equal_deltas_give_equal_suggestions(self, make: Make) -> None:
        for one, two in zip(self.drives(make), self.drives(make), strict=True):
            for number in range(min(20, self.proposals)):
                assert one.suggest() == two.suggest()
                for drive in (one, two):
                    drive.propose()
                    if number % 3 == 2:  # results come in batches, the youngest first
                        finish_all(drive)

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
            for number in range(min(24, self.proposals)):
                lived.propose()
                if number % 4 == 3:
                    finish_all(lived)
                if number in {0, 3, 10, 23}:
                    found = lived.suggest()
                    assert replayed(make, lived, one_by_one=[]).suggest() == found
                    assert replayed(make, lived, one_by_one=lived.deltas).suggest() == found

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
            for _ in range(self.proposals):
                params = drive.propose()
                if params is None:
                    break
                checked = space.check(params)
                assert checked == params
                assert [type(value) for value in checked.values()] == [type(params[name]) for name in checked]
                assert space.allows(params)
                assert not set(params) & set(space.constants)
                finish_all(drive)

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
            seen = [drive.problem.space.fingerprint(params) for params in proposals(drive, self.proposals)]
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
            for number in range(min(18, self.proposals)):
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
            assert replayed(make, drive, one_by_one=drive.deltas).suggest() == drive.suggest()

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
        drive.observe(*history(asked.space, size))
        found = drive.suggest()
        assert isinstance(found, Suggestion)
        assert found.params not in drive.taken

    @pytest.mark.parametrize(("trials", "repeats"), [(None, 1), (1000, 2)])
    def test_a_finite_space_is_used_up(self, make: Make, trials: int | None, repeats: int) -> None:
        """Every configuration exactly as often as it may be, then the word that nothing is left."""
        asked = problem((SMALL, ()), trials=trials, repeats=repeats)
        drive = Drive(make(asked), asked)
        found = proposals(drive, 100)
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


_histories: list[tuple[tuple[Parameter, ...], int, list[Delta]]] = []  # the same for every searcher: made once


def history(space: Space, size: int) -> list[Delta]:
    """So many different configurations of the space, the same ones each time, each with its result."""
    for parameters, known, found in _histories:
        if (parameters, known) == (space.parameters, size):
            return found
    rows = space.sample(generator(1, "history", size), 3 * size)  # some may be drawn twice
    params = list({space.fingerprint(p): p for p in space.decode(rows)}.values())[:size]
    assert len(params) == size
    made: list[Delta] = [d for n, p in enumerate(params) for d in (Proposed(n, p), Result(n, (rough(p),)))]
    _histories.append((space.parameters, size, made))
    return made


__all__ = ["MIXED", "NESTED", "SMALL", "Declared", "Drive", "Make", "SearcherConformance", "problem"]
