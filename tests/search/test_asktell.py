from __future__ import annotations

import math
import random
from typing import Any, ClassVar

import pytest

from rung.model import Parameter
from rung.search.asktell import adapted
from rung.search.base import Earlier, Proposed, Result, Suggestion
from rung.testing.searchers import Drive, Make, SearcherConformance, problem


class Climber:
    """Moves one parameter of the best known configuration at a time."""

    def __init__(self, space: dict[str, dict[str, Any]], seed: int) -> None:
        self.space, self.random = space, random.Random(seed)
        self.best: dict[str, Any] | None = None
        self.loss: Any = float("inf")

    def ask(self) -> dict[str, Any]:
        drawn = {name: self.drawn(domain) for name, domain in self.space.items()}
        if self.best is not None and self.random.random() > 0.3:
            moved = self.random.choice(list(drawn))
            drawn = {name: drawn[name] if name == moved else self.best.get(name, drawn[name]) for name in drawn}
        for name, domain in self.space.items():
            if "times" in domain:
                drawn[name] = self.drawn(domain) * drawn[domain["times"]]
        return drawn

    def tell(self, params: dict[str, Any], loss: Any) -> None:
        loss = loss if isinstance(loss, float) else sum(loss)
        if loss < self.loss:
            self.best, self.loss = params, loss

    def drawn(self, domain: dict[str, Any]) -> Any:
        if domain["type"] in {"choice", "ordinal"}:
            return self.random.choice(domain["values"])
        if domain["type"] == "bool":
            return self.random.random() < 0.5
        if "min" not in domain:
            return self.random.gauss(0, 1) if domain["type"] == "normal" else self.random.lognormvariate(0, 0.5)
        if "count" in domain or domain["type"] == "int":
            steps = (
                domain["count"] - 1 if "count" in domain else (domain["max"] - domain["min"]) // domain.get("step", 1)
            )
            width = 1 / steps if "count" in domain else domain.get("step", 1)
            return domain["min"] + width * self.random.randint(0, steps)
        return self.random.uniform(domain["min"], domain["max"])


class TestClimber(SearcherConformance):
    @pytest.fixture
    def make(self) -> Make:
        return adapted(Climber)


LINE = ((Parameter(name="x", type="float", min=0, max=1),), ())


class Counter:
    """Proposes 0.01, 0.02, ...; keeps what it was told."""

    lives: ClassVar[list[Counter]] = []
    failing: ClassVar[bool] = False

    def __init__(self, seed: int, start: int = 0) -> None:
        self.count, self.told = start, list[Any]()
        self.lives.append(self)

    def ask(self) -> dict[str, float] | None:
        if self.failing:
            raise OSError("gone")
        self.count += 1
        return {"x": self.count / 100} if self.count < 90 else None

    def tell(self, params: Any, loss: Any) -> None:
        self.told.append((params, loss))


class Numbered(Counter):
    def tell(self, number: int, params: Any, losses: Any) -> None:  # type: ignore[override]
        self.told.append((number, params, losses))


class Complete(Counter):
    def tell(self, number: int, params: Any, losses: Any, violations: Any) -> None:  # type: ignore[override]
        self.told.append((number, params, losses, violations))


class Generations(Counter):
    popsize = 3

    def tell(self, pairs: Any) -> None:  # type: ignore[override]
        self.told.append(pairs)


class Picky(Counter):
    accepts_unasked = False
    patience = 4

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        self.refused = list[Any]()

    def refuse(self, params: Any) -> None:
        self.refused.append(params)


def driven(kind: type[Any], *, outcomes: int = 0, objectives: int = 1, **options: Any) -> Drive:
    kind.lives = []
    asked = problem(LINE, outcomes=outcomes, objectives=objectives)
    asked.search.options.update(options)
    return Drive(adapted(kind)(asked), asked)


def told(kind: type[Any]) -> list[Any]:
    return list(kind.lives[-1].told)


def mixed_history(kind: type[Any]) -> None:
    """One of its own, an enqueued one, an earlier one, a failed one, one that breaks a bound."""
    drive = driven(kind, outcomes=1)
    drive.observe(Earlier(0, {"x": 0.75}, (7.0,), (0.0,)))
    drive.propose()
    drive.observe(Proposed(1, {"x": 0.5}))
    for _ in range(2):
        drive.propose()
    drive.observe(Result(0, (1.0,), (0.0,)), Result(1, (2.0,), (0.0,)), Result(2, None), Result(3, (4.0,), (0.5,)))
    drive.suggest()


def test_what_is_told() -> None:
    inf = math.inf
    mixed_history(Counter)
    assert told(Counter) == [
        ({"x": 0.75}, 7.0),
        ({"x": 0.01}, 1.0),
        ({"x": 0.5}, 2.0),
        ({"x": 0.02}, inf),
        ({"x": 0.03}, inf),
    ]
    mixed_history(Numbered)
    assert told(Numbered)[:2] == [(None, {"x": 0.75}, [7.0]), (0, {"x": 0.01}, [1.0])]
    mixed_history(Complete)
    assert told(Complete)[2:] == [
        (1, {"x": 0.5}, (2.0,), (0.0,)), (2, {"x": 0.02}, None, ()), (3, {"x": 0.03}, (4.0,), (0.5,))
    ]  # fmt: skip
    mixed_history(Generations)
    assert told(Generations) == [[({"x": 0.01}, 1.0), ({"x": 0.02}, inf), ({"x": 0.03}, inf)]]
    mixed_history(Picky)
    assert told(Picky) == [({"x": 0.01}, 1.0), ({"x": 0.02}, inf), ({"x": 0.03}, inf)]


def test_several_objectives_are_a_list() -> None:
    drive = driven(Counter, objectives=2)
    drive.propose()
    drive.finish(0, 1.0, math.nan)
    drive.suggest()
    assert told(Counter) == [({"x": 0.01}, [1.0, math.inf])]


def test_one_object_lives_as_long_as_nothing_is_asked_in_vain() -> None:
    drive = driven(Counter)
    for number in range(5):
        assert drive.suggest() == drive.suggest()
        drive.propose()
        drive.finish(number, 1.0)
    drive.suggest()
    assert len(Counter.lives) == 1


def test_what_was_asked_in_vain_is_as_if_it_had_not_been() -> None:
    """Another runner was first, or its answer could not be used."""
    drive = driven(Counter)
    drive.propose()
    drive.suggest()
    drive.observe(Proposed(1, {"x": 0.7}))
    found = drive.suggest()
    assert isinstance(found, Suggestion)
    assert found.params == {"x": 0.02}
    assert found.memo == {"seen": 2, "asks": 1}
    assert len(Counter.lives) == 2


def test_a_proposal_that_was_logged_after_later_results_was_asked_before_them() -> None:
    """A slow one: meanwhile trial 0 ended."""
    drive = driven(Counter)
    drive.propose()
    found = drive.suggest()
    assert isinstance(found, Suggestion)
    drive.observe(Result(0, (1.0,)), Proposed(1, found.params, found.memo))
    expected = drive.suggest()
    assert len(Counter.lives) == 1
    again = driven(Counter)
    again.observe(*drive.deltas)
    assert again.suggest() == expected


def test_it_is_asked_again_for_what_is_new_and_allowed() -> None:
    drive = driven(Picky)
    drive.observe(Proposed(0, {"x": 0.01}), Proposed(1, {"x": 0.02}))
    found = drive.suggest()
    assert isinstance(found, Suggestion)
    assert (found.params, found.memo) == ({"x": 0.03}, {"seen": 2, "asks": 3})
    assert Picky.lives[-1].refused == [{"x": 0.01}, {"x": 0.02}]  # type: ignore[attr-defined]
    drive.observe(*(Proposed(n, {"x": (n + 1) / 100}) for n in range(2, 8)))
    drawn = drive.suggest()
    assert isinstance(drawn, Suggestion)
    assert drawn.phase == "random"
    assert drawn.memo == {"seen": 8, "asks": 4}


def test_an_object_that_raised_is_made_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    drive = driven(Counter)
    drive.propose()
    monkeypatch.setattr(Counter, "failing", True)
    with pytest.raises(OSError, match="gone"):
        drive.suggest()
    monkeypatch.setattr(Counter, "failing", False)
    found = drive.suggest()
    assert isinstance(found, Suggestion)
    assert found.params == {"x": 0.02}


def test_options_and_the_end() -> None:
    drive = driven(Counter, start=88)
    assert drive.propose() == {"x": 0.89}
    assert drive.propose() is None
    assert adapted(Counter).options == {"start": 0}


def test_a_class_that_is_not_deterministic_goes_on_all_the_same() -> None:
    """What it was really evaluated at is in the log, and that is what it is told."""
    drive = driven(Counter)
    drive.observe(Proposed(0, {"x": 0.33}, {"seen": 0, "asks": 1}), Result(0, (1.0,)))
    drive.suggest()
    assert told(Counter) == [({"x": 0.33}, 1.0)]
