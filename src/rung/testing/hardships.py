"""The second half of the searchers' conformance suite: large, strange and disturbed studies."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, ClassVar

import msgspec
import pytest

from rung.model import Objective, Parameter, RunSettings
from rung.schedule.base import Contest
from rung.schedule.none import RunToTheEnd
from rung.search.base import Delta, Earlier, Problem, Proposed, Result, Searcher, Suggestion
from rung.space import Space, SpaceError
from rung.study.policy import Combined, Policy
from rung.study.replay import check
from rung.study.seeds import generator
from rung.testing.driving import Declared, Drive, Make, finish_all, problem
from rung.testing.functions import rough
from rung.testing.studies import World, study_spec

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rung.study.engine import PolicyFactory
    from rung.study.state import State

CROWD = 1000  # pending trials
MEMO_LIMIT = 32 * 1024  # bytes of JSON that a proposal may add to the log

TWO_HUNDRED = tuple(Parameter(name=f"x{i:03}", type="float", min=0, max=1) for i in range(200))
TWO_HUNDRED_SWITCHES = tuple(Parameter(name=f"x{i:03}", type="bool") for i in range(200))
MANY_CHOICES = (
    Parameter(name="word", type="choice", values=tuple(f"word{i}" for i in range(10_000))),
    Parameter(name="layers", type="int", min=1, max=6),
)


class Hardships:
    """A part of `SearcherConformance`."""

    finite_only: ClassVar[bool]
    proposals: ClassVar[int]

    def spaces(self) -> Iterator[Declared]:
        raise NotImplementedError

    def drives(self, make: Make, **options: Any) -> Iterator[Drive]:
        raise NotImplementedError

    def largest(self) -> Declared:
        """The space with the most configurations."""
        return max(self.spaces(), key=lambda declared: Space(*declared).size or 2**60)

    # ---------------------------------------------------------------------------------------------- results

    def test_huge_values(self, make: Make) -> None:
        for drive in self.drives(make):
            for number in range(min(16, self.proposals)):
                drive.propose()
                drive.finish(number, [1e300, -1e300, 1.0, 9.9e299][number % 4])
            assert isinstance(drive.suggest(), Suggestion)

    def test_a_bound_that_is_never_kept(self, make: Make) -> None:
        for drive in self.drives(make, outcomes=1):
            for number in range(min(14, self.proposals)):
                params = drive.propose()
                drive.observe(Result(number, (rough(params or {}),), ([2.5], [1e300], [float("inf")])[number % 3]))  # type: ignore[arg-type]
            assert isinstance(drive.suggest(), Suggestion)

    def test_proposals_that_nothing_comes_back_from(self, make: Make) -> None:
        """A batch, or many workers: after some results a row of proposals without any."""
        for drive in self.drives(make):
            for _ in range(min(12, self.proposals)):
                drive.propose()
            finish_all(drive)
            batch = [drive.propose() for _ in range(min(12, self.proposals))]
            seen = {drive.problem.space.fingerprint(params) for params in batch if params is not None}
            assert len(seen) == len(batch)

    def test_what_it_leaves_in_the_log_is_small(self, make: Make) -> None:
        for drive in self.drives(make):
            for _ in range(min(14, self.proposals)):
                found = drive.suggest()
                assert isinstance(found, Suggestion)
                assert len(json.dumps([found.text, found.phase, found.memo, found.data])) <= MEMO_LIMIT
                drive.propose()
                finish_all(drive)

    # ---------------------------------------------------------------------------------------------- sizes

    @pytest.mark.slow
    def test_a_thousand_pending_trials(self, make: Make) -> None:
        asked = problem(self.largest(), trials=2 * CROWD)
        drive = Drive(make(asked), asked)
        params = distinct(asked.space, CROWD + 20)
        drive.observe(*(Proposed(number, one) for number, one in enumerate(params)))
        drive.observe(*(Result(number, (rough(params[number]),)) for number in range(20)))
        assert len(drive.pending) == CROWD
        found = [drive.propose() for _ in range(3)]
        assert len({asked.space.fingerprint(one) for one in [*params, *filter(None, found)]}) == CROWD + 23

    @pytest.mark.slow
    def test_two_hundred_parameters(self, make: Make) -> None:
        self._survives(make, (TWO_HUNDRED_SWITCHES if self.finite_only else TWO_HUNDRED, ()))

    @pytest.mark.slow
    def test_a_choice_of_ten_thousand_values(self, make: Make) -> None:
        self._survives(make, (MANY_CHOICES, ()))

    def _survives(self, make: Make, declared: Declared) -> None:
        """Some trials are known, half of them are over, and it goes on: within the space, and within bounds."""
        asked = problem(declared)
        drive = Drive(make(asked), asked)
        drive.observe(*(Proposed(number, one) for number, one in enumerate(distinct(asked.space, 40))))
        drive.observe(*(Result(number, (float(number % 7),)) for number in range(20)))
        for _ in range(3):
            found = drive.suggest()
            assert isinstance(found, Suggestion)
            assert asked.space.check(found.params) == found.params
            assert len(json.dumps([found.memo, found.data])) <= MEMO_LIMIT
            drive.finish(drive.number, rough(drive.propose() or {}))

    # ---------------------------------------------------------------------------------------------- other studies

    def test_evaluations_of_earlier_studies(self, make: Make) -> None:
        """They come first, are no trials of this study, and may be proposed again."""
        for drive in self.drives(make, objectives=1, outcomes=1):
            earlier = distinct(drive.problem.space, 12)
            drive.observe(*(Earlier(i % 2, one, (rough(one),), (0.0,)) for i, one in enumerate(earlier)))
            drive.observe(Earlier(2, earlier[0], (float("inf"),), (float("inf"),)))
            for _ in range(min(14, self.proposals)):
                params = drive.propose()
                assert drive.problem.space.check(params or {}) == params
                finish_all(drive)
            again = Drive(make(drive.problem), drive.problem)
            again.observe(*drive.deltas)
            assert again.suggest() == drive.suggest()

    def test_an_edited_space(self, make: Make) -> None:
        """Another searcher is made for it and shown what fits: numbers have gaps, memos come from the one before."""
        for drive in self.drives(make):
            for _ in range(min(14, self.proposals)):
                drive.propose()
            for number in drive.pending[::2]:
                drive.finish(number, 1.0 / (1 + number))
            space = Space(edited(drive.problem.space.parameters), drive.problem.space.constraints)
            asked = msgspec.structs.replace(drive.problem, space=space, space_version=2)
            one, two = (Drive(make(asked), asked) for _ in range(2))
            fitting = list(retold(drive.deltas, space))
            one.observe(*fitting)
            for delta in fitting:
                two.observe(delta)
            one.number = two.number = drive.number + 3
            for _ in range(4):
                assert one.suggest() == two.suggest()
                params = one.propose()
                assert space.check(params or {}) == params == two.propose()

    # ---------------------------------------------------------------------------------------------- whole studies

    def test_a_study_that_crashed_goes_on_as_if_nothing_had_happened(self, make: Make) -> None:
        """With what the log holds, and with a snapshot; every decision can be computed again from the log."""
        parameters, constraints = self.largest()
        spec = study_spec(
            trials=min(14, self.proposals), parameters=parameters, constraints=constraints, run=RunSettings(workers=3),
            objectives=(Objective(metric="loss"),),
        )  # fmt: skip
        policies = policies_with(make)
        undisturbed = World(spec, workers=3, policies=policies).run()
        assert undisturbed.state.switches.fallbacks == 0
        assert [str(deviation) for deviation in check(undisturbed.events, policies)] == []
        crashed = World(spec, workers=3, policies=policies)
        for turn in range(6):
            crashed.turn()
            crashed.end(crashed.running()[0])
            if turn == 2:
                crashed.snapshot()
        assert crashed.resumed().run().proposals == undisturbed.proposals


def distinct(space: Space, count: int) -> list[dict[str, Any]]:
    """So many different configurations (fewer, of a small space), the same ones each time."""
    drawn = space.decode(space.sample(generator(3, "conformance", count), 3 * count))
    return list({space.fingerprint(params): params for params in drawn}.values())[:count]


def edited(parameters: Sequence[Parameter]) -> tuple[Parameter, ...]:
    """The declarations with wider ranges and one value less in large choices."""
    return tuple(_edited(parameter) for parameter in parameters)


def _edited(parameter: Parameter) -> Parameter:
    if parameter.type in {"float", "int"} and parameter.scale != "reverselog" and parameter.max and not parameter.count:
        return msgspec.structs.replace(parameter, max=2 * parameter.max)
    if parameter.type == "choice" and len(parameter.values or ()) > 2:
        return msgspec.structs.replace(parameter, values=(parameter.values or ())[:-1])
    return parameter


def retold(deltas: Sequence[Delta], space: Space) -> Iterator[Delta]:
    """The deltas whose configurations are in this space."""
    known: set[int] = set()
    for delta in deltas:
        if isinstance(delta, Proposed):
            try:
                fit = space.check(delta.params)
            except SpaceError:
                continue
            known.add(delta.number)
            yield Proposed(delta.number, fit, delta.memo)
        elif isinstance(delta, Result) and delta.number in known:
            yield delta


def policies_with(make: Make) -> PolicyFactory:
    """The usual policy around these searchers."""

    def searcher(state: State) -> Searcher:
        spec = state.created.spec
        return make(
            Problem(
                space=state.space,
                seed=state.seed,
                search=spec.search,
                objectives=spec.objectives,
                outcomes=spec.outcomes,
                budget=spec.budget,
                workers=spec.run.workers,
                space_version=len(state.spaces),
            )
        )

    def policy(state: State) -> Policy:
        spec = state.created.spec
        contest = Contest(schedule=spec.schedule, objectives=spec.objectives, seed=state.seed)
        combined = Combined(state, searcher, RunToTheEnd(contest))
        combined.catch_up(state)
        return combined

    return policy
