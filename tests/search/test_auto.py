from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rung.model import Parameter
from rung.search.auto import Auto
from rung.search.base import Earlier, Problem, Proposed, Result, Suggestion
from rung.search.portfolio import CLASSES, PATIENCE_S, Known, Stage, known, sentence, stages, thinned
from rung.search.random import Random
from rung.testing.searchers import MIXED, NESTED, SMALL, Drive, problem

FOUR = (Parameter(name="a", type="int", min=1, max=4),)
SQUARE = (Parameter(name="x", type="float", min=0, max=1), Parameter(name="y", type="float", min=0, max=1))
WORDS = tuple(Parameter(name=name, type="choice", values=tuple("abcdef")) for name in ("p", "q", "r", "s"))
WIDE = tuple(Parameter(name=f"x{i}", type="float", min=0, max=1) for i in range(200))

facts = st.builds(
    Known,
    dimension=st.integers(0, 300),
    ordered=st.integers(0, 300),
    unordered=st.integers(0, 5),
    conditional=st.integers(0, 5),
    objectives=st.integers(1, 4),
    outcomes=st.integers(0, 3),
    trials=st.none() | st.integers(1, 100_000),
    workers=st.integers(1, 1000),
    size=st.none() | st.integers(1, 10**9),
    covered=st.booleans(),
)


@given(facts)
def test_every_plan_is_whole(facts: Known) -> None:
    """Shares of known searchers add up to one in each stage, the stages ascend, and the last one has no end or one
    beyond the budget."""
    plan = stages(facts)
    for stage in plan:
        assert sum(stage.shares.values()) == pytest.approx(1.0)
        assert set(stage.shares) <= set(CLASSES)
    ends = [stage.until for stage in plan]
    assert all(end is not None for end in ends[:-1])
    assert ends[-1] is None
    text = sentence(facts, plan)
    assert text.startswith("auto: ")
    assert "\n" not in text


@pytest.mark.parametrize(
    ("parameters", "options", "first", "words"),
    [
        (FOUR, {"trials": 4}, {"grid"}, "the budget covers all 4 configurations"),
        (FOUR, {"trials": 8, "repeats": 2}, {"grid"}, "the budget covers all 4 configurations"),
        (FOUR, {"trials": 7, "repeats": 2}, {"gp", "quadratic", "tpe"}, "each result counts"),
        (SQUARE, {"trials": 100}, {"gp", "quadratic", "tpe"}, "each result counts"),
        (SQUARE, {"objectives": 2}, {"gp", "tpe"}, "several objectives"),
        (SQUARE, {"outcomes": 1}, {"gp", "tpe"}, "bounds on outcomes"),
        (WORDS, {}, {"gp", "tpe"}, "unordered choices have no slope"),
        (WIDE, {}, {"cmaes", "tpe", "quadratic"}, "200 parameters are too many"),
    ],
)
def test_it_chooses_by_what_it_knows_and_says_so(
    parameters: tuple[Parameter, ...], options: dict[str, Any], first: set[str], words: str
) -> None:
    asked = problem((parameters, ()), **options)
    assert set(stages(known(asked))[0].shares) == first
    assert words in Auto(asked).describe()


def test_only_what_the_budget_reaches_is_said() -> None:
    short, long = (Auto(problem((NESTED, ()), trials=trials)).describe() for trials in (100, 5000))
    assert "then" not in short
    assert "until 400 results are in" in long
    assert "results are many" in long


def test_it_begins_with_the_defaults() -> None:
    given = (Parameter(name="x", type="float", min=0, max=1, default=0.125), SQUARE[1])
    drive = Drive(Auto(problem((given, ()))), problem((given, ())))
    assert drive.propose() == {"x": 0.125, "y": 0.5}
    assert drive.propose() != {"x": 0.125, "y": 0.5}


def test_it_begins_with_what_the_user_believes_where_that_was_said() -> None:
    believed = (Parameter(name="x", type="float", min=0, max=1, prior=0.9), SQUARE[1])
    asked = problem((believed, ()))
    found = Drive(Auto(asked), asked).suggest()
    assert isinstance(found, Suggestion)
    assert found.phase != "first"


def test_it_begins_with_the_best_of_each_earlier_study() -> None:
    asked = problem((SQUARE, ()))
    drive = Drive(Auto(asked), asked)
    drive.observe(*(Earlier(s, {"x": x, "y": 0.25}, (abs(x - 0.7),)) for s in (0, 1) for x in (0.25 + s / 8, 0.625, 1)))
    drive.observe(Earlier(1, {"x": 0.75, "y": 0.5}, (0.0,)))
    begun = [drive.propose(), drive.propose()]
    assert begun == [{"x": 0.625, "y": 0.25}, {"x": 0.75, "y": 0.5}]
    found = drive.suggest()
    assert isinstance(found, Suggestion)
    assert found.phase != "first"


def test_the_facts() -> None:
    found = known(problem((MIXED, ()), trials=30, objectives=2, outcomes=1))
    assert (found.dimension, found.ordered, found.unordered) == (9, 8, 1)
    assert (found.objectives, found.outcomes, found.trials, found.workers) == (2, 1, 30, 4)
    assert known(problem((SMALL, ()))).conditional == 1


# ------------------------------------------------------------------------------------------------------------ shares


def test_a_searcher_that_trials_wait_for_gets_less() -> None:
    stage = Stage(None, {"gp": 0.6, "tpe": 0.4}, "why")
    assert thinned(stage, {"gp": PATIENCE_S / 2}, 0.0, workers=1) == stage
    assert thinned(stage, {"gp": 5.0}, 5.0, workers=1) == stage
    found = thinned(stage, {"gp": 5.0, "tpe": 0.001}, 5.0, workers=10)
    assert found.shares == pytest.approx({"gp": 0.06, "tpe": 0.94})
    assert "less of gp" in found.why
    assert thinned(stage, {"gp": 5.0, "tpe": 5.0}, 0.0, workers=1) == stage  # nobody is quicker


def _quick(asked: Problem) -> Auto:
    """With a random draw for what takes long: only who is asked counts here."""
    auto = Auto(asked)
    auto.searchers["gp"] = Random(asked)
    return auto


def _played(seconds: float, trial: float, *, trials: int = 60) -> list[str]:
    """The authors of the proposals of a study whose proposals by gp take `seconds`, and whose trials take `trial`."""
    asked = problem((SQUARE, ()), trials=trials)
    auto = _quick(asked)
    drive = Drive(auto, asked)
    for number in range(trials):
        found = drive.suggest()
        assert isinstance(found, Suggestion)
        took = seconds if found.memo is not None and found.memo["by"] == "gp" else 0.001
        drive.observe(Proposed(number, found.params, found.memo, took))
        drive.observe(Result(number, (_bumpy(found.params),), seconds=trial))
    return [auto.authors.get(number, "first") for number in range(trials)]


def _bumpy(params: dict[str, Any]) -> float:
    return float((params["x"] - 0.3) ** 2 + abs(params["y"] - 0.7) + 0.2 * (int(17 * params["x"]) % 3))


def test_the_log_says_what_is_too_slow() -> None:
    quick, slow = _played(0.01, 1.0), _played(30.0, 1.0)
    assert slow[12:].count("gp") < 0.4 * quick[12:].count("gp")


def test_the_local_model_is_asked_less_where_it_wins_nothing() -> None:
    """On a smooth bowl it is right again and again; on a staircase hardly ever."""

    def shares(function: Any) -> float:
        asked = problem((SQUARE, ()), trials=60)
        drive = Drive(_quick(asked), asked)
        authors = []
        for number in range(45):
            found = drive.suggest()
            assert isinstance(found, Suggestion)
            authors.append(found.memo["by"] if found.memo else "first")
            drive.propose()
            drive.finish(number, function(found.params))
        return authors[10:].count("quadratic") / len(authors[10:])

    def valley(p: dict[str, Any]) -> float:
        return float((p["x"] - 0.3) ** 2 + 50 * (p["y"] - p["x"] ** 2) ** 2)

    def staircase(p: dict[str, Any]) -> float:
        return float(int(5 * p["x"]) + int(7 * p["y"]))

    assert shares(valley) > shares(staircase)


def test_a_memo_is_its_authors_alone() -> None:
    asked = problem((SQUARE, ()))
    auto = Auto(asked)
    seen: dict[str, list[Any]] = {name: [] for name in auto.searchers}
    for name, searcher in auto.searchers.items():
        searcher.observe = lambda deltas, name=name: seen[name].extend(deltas)  # type: ignore[method-assign, misc]
    auto.observe([Proposed(0, {"x": 0.5, "y": 0.5}, {"by": "tpe", "memo": {"k": 1}}, 0.25)])
    auto.observe([Proposed(1, {"x": 0.1, "y": 0.5}), Result(0, (1.0,))])
    assert seen["tpe"][0] == Proposed(0, {"x": 0.5, "y": 0.5}, {"k": 1}, 0.25)
    assert seen["gp"][0] == Proposed(0, {"x": 0.5, "y": 0.5}, None, 0.25)
    assert all(items[1:] == [Proposed(1, {"x": 0.1, "y": 0.5}), Result(0, (1.0,))] for items in seen.values())


def test_phase_and_memo_name_the_author() -> None:
    asked = problem((SQUARE, ()))
    drive = Drive(_quick(asked), asked)
    for number in range(20):
        found = drive.suggest()
        assert isinstance(found, Suggestion)
        assert found.phase is not None
        assert found.phase.partition(":")[0] == (found.memo["by"] if found.memo else "first")
        drive.propose()
        drive.finish(number, _bumpy(found.params))


def test_only_the_first_result_of_a_trial_is_to_its_authors_credit() -> None:
    asked = problem((SQUARE, ()))
    auto = Auto(asked)
    auto.observe([Proposed(i, {"x": i / 4, "y": 0.5}, {"by": "quadratic"}) for i in range(3)])
    auto.observe([Result(0, (1.0,)), Result(1, (2.0,))])
    assert list(auto.credits["quadratic"]) == [True, False]
    auto.observe([Result(0, (3.0,)), Result(0, (0.5,))])  # now trial 1 is the best, and now trial 0 again
    assert list(auto.credits["quadratic"]) == [True, False]
    auto.observe([Result(2, None)])
    assert list(auto.credits["quadratic"]) == [True, False, False]
