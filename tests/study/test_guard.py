"""What becomes of a study whose searcher fails: in the engine, without threads."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import msgspec
import numpy as np
import pytest

from rung.model import Parameter
from rung.search.base import Exhausted, Problem, Proposed, Result, Suggestion
from rung.space import Space
from rung.study import events as ev
from rung.study import replay
from rung.study.engine import PolicyFactory
from rung.study.guard import Failure, Guard, failure_of, hung, raised
from rung.study.policy import Combined, Policy
from rung.study.state import State
from rung.testing.hardships import policies_with
from rung.testing.studies import World, study_spec

GOOD = {"lr": 0.01, "width": 8, "opt": "adam"}


class Scripted:
    """Does for trial k what `script[k]` says, and proposes a new configuration where it says nothing."""

    options: ClassVar[Mapping[str, Any]] = {}
    script: ClassVar[dict[int, Callable[[], Any]]] = {}
    asked: ClassVar[list[int]] = []

    def __init__(self, problem: Problem) -> None:
        self.space = problem.space

    def observe(self, deltas: Any) -> None:
        for delta in deltas:
            if isinstance(delta, Result) and ~delta.number in self.script:
                self.script[~delta.number]()

    def suggest(self, number: int, pending: Any, taken: Any, rng: np.random.Generator) -> Any:
        type(self).asked.append(number)
        if number in self.script:
            return self.script[number]()
        return Suggestion(params={**GOOD, "lr": (number + 1) / 1000}, text="scripted")

    def describe(self) -> str:
        return "scripted"


def scripted(script: dict[int, Callable[[], Any]]) -> tuple[type[Scripted], PolicyFactory]:
    kind = type("Scripted", (Scripted,), {"script": script, "asked": []})
    return kind, policies_with(kind)


def boom(text: str = "no such thing") -> Any:
    raise LookupError(text)


def leave() -> Any:
    raise SystemExit(3)


def give(**changed: Any) -> Callable[[], Any]:
    return lambda: Suggestion(params={**GOOD, **changed}, text="bad")


def reasons(world: World) -> list[Any]:
    return [event.reason for event in world.events if isinstance(event, ev.TrialProposed)]


FAILURES: dict[str, tuple[Callable[[], Any], str, str]] = {
    "raises": (boom, "raised", "raised LookupError: no such thing"),
    "several lines": (lambda: boom("one\n  two"), "raised", "raised LookupError: one two"),
    "leaves": (leave, "raised", "raised SystemExit: 3"),
    "out of range": (
        give(lr=7.0),
        "unfit",
        "answered with parameters.lr: expected a number between 1e-05 and 0.1, got 7.0",
    ),
    "inactive": (give(momentum=0.5), "unfit", "answered with parameters.momentum: is inactive here"),
    "missing": (lambda: Suggestion(params={"lr": 0.1}, text=""), "unfit", "answered with parameters.width: missing"),
    "unknown": (give(lrr=1), "unfit", "answered with parameters.lrr: unknown parameter"),
    "text": (give(lr="fast"), "unfit", "answered with parameters.lr: expected a number"),
    "not finite": (give(lr=float("nan")), "unfit", "answered with parameters.lr: expected a number"),
    "nothing": (lambda: None, "unfit", "answered with a NoneType, which is no Suggestion"),
    "a dict": (lambda: dict(GOOD), "unfit", "answered with a dict, which is no Suggestion"),
    "no dict": (lambda: Suggestion(params=[1], text=""), "unfit", "answered with parameters that are no dict"),  # type: ignore[arg-type]
    "taken": (give(lr=1 / 1000), "unfit", "answered with a configuration that was proposed already"),
    "no JSON": (
        lambda: Suggestion(params=GOOD, text="", memo={"x": object()}),
        "unfit",
        "answered with a text, phase, memo or data that are none (Encoding objects of type object is unsupported)",
    ),
    "no text": (
        lambda: Suggestion(params=GOOD, text=5),  # type: ignore[arg-type]
        "unfit",
        "answered with a text, phase, memo or data that are none (Expected `str`, got `int` - at `$.text`)",
    ),
    "a memo that would not be read again": (
        lambda: Suggestion(params=GOOD, text="", memo=[1]),  # type: ignore[arg-type]
        "unfit",
        "answered with a text, phase, memo or data that are none (Expected `object | null`, got `array` - at `$.memo`)",
    ),
}


@pytest.mark.parametrize("name", FAILURES)
def test_a_failure_is_a_random_draw_with_a_reason(name: str) -> None:
    act, kind, what = FAILURES[name]
    _, policies = scripted({2: act})
    world = World(study_spec(trials=5), policies=policies).run()
    assert world.state.counts["complete"] == 5
    found = reasons(world)
    assert [reason.phase for reason in found] == [None, None, "fallback", None, None]
    assert found[2].text.startswith(f"a random draw: random {what}")
    assert "\n" not in found[2].text
    assert found[2].data["fallback"] == kind
    assert world.state.switches.fallbacks == 1
    assert [str(deviation) for deviation in replay.check(world.events, policies)] == []


def test_after_three_failures_it_is_not_asked_any_more() -> None:
    kind, policies = scripted({1: boom, 2: give(lr=7.0), 4: boom})
    world = World(study_spec(trials=8), policies=policies).run()
    assert kind.asked == [0, 1, 2, 3, 4]
    found = [(reason.phase, reason.data.get("fallback")) for reason in reasons(world)]
    assert found[4:] == [("fallback", "raised"), *[("fallback", "given up")] * 3]
    assert reasons(world)[4].text.endswith("; after 3 failures it is not asked any more")
    assert reasons(world)[5].text == "a random draw: random failed 3 times and is not asked any more"
    assert world.state.switches.fallbacks == 3
    assert [str(deviation) for deviation in replay.check(world.events, policies)] == []


@pytest.mark.parametrize("snapshot", [False, True])
def test_a_restart_knows_how_often_it_has_failed(*, snapshot: bool) -> None:
    script: dict[int, Callable[[], Any]] = {0: boom, 1: boom, 4: boom}
    undisturbed = World(study_spec(trials=9), policies=scripted(script)[1]).run()
    kind, policies = scripted(script)
    world = World(study_spec(trials=9), policies=policies)
    for _ in range(6):
        world.turn()
        world.end(world.running()[0])
    if snapshot:
        world.snapshot()
    resumed = world.resumed()
    kind.asked.clear()
    resumed.run()
    assert resumed.proposals == undisturbed.proposals
    assert kind.asked == []


def test_an_error_while_it_learns_counts_at_its_next_proposal() -> None:
    """Its state is torn: what it would say now is of no use."""
    kind, policies = scripted({~1: boom})
    world = World(study_spec(trials=7), policies=policies).run()
    assert [reason.data.get("fallback") for reason in reasons(world)] == [
        None, None, "raised", "raised", "raised", "given up", "given up"
    ]  # fmt: skip
    assert kind.asked == [0, 1]
    assert [str(deviation) for deviation in replay.check(world.events, policies)] == []


def test_a_draw_that_finds_nothing_ends_the_study() -> None:
    spec = study_spec(trials=9, parameters=(Parameter(name="on", type="bool"),))
    script: dict[int, Callable[[], Any]] = dict.fromkeys(range(9), boom)
    world = World(spec, policies=scripted(script)[1]).run()
    assert sorted(proposal["on"] for proposal in world.proposals) == [False, True]
    assert world.state.switches.completed is not None
    assert world.state.switches.completed.reason.text == "every configuration of the space has been proposed"


def test_what_hung_is_taken_from_the_log_when_decisions_are_checked() -> None:
    """Nobody can make it hang again; what followed from it is computed."""
    kind, policies = scripted({})
    world = World(study_spec(trials=4), policies=policies)
    world.turn()
    world.end(0)
    world.decide(world.engine.decide(at=world.now, free=0))
    world.decide(world.engine.propose(at=world.now, free=1, ask=lambda answer: answer(hung(60))))
    world.run()
    text = "a random draw: random gave no answer within 60 s"
    assert [reason.text for reason in reasons(world)].count(text) == 1
    assert kind.asked == [0, 2, 3]
    assert [str(deviation) for deviation in replay.check(world.events, policies)] == []


def test_a_forged_fallback_is_found() -> None:
    _, policies = scripted({1: boom})
    world = World(study_spec(trials=3), policies=policies).run()
    events = list(world.events)
    place = next(i for i, e in enumerate(events) if isinstance(e, ev.TrialProposed) and e.trial == 1)
    events[place] = msgspec.structs.replace(events[place], params={**GOOD, "lr": 0.05})
    assert any("lr" in str(deviation) for deviation in replay.check(events, policies))


def test_numbers_of_numpy_are_numbers() -> None:
    odd = Suggestion(params={"lr": np.float64(0.02), "width": np.int64(16), "opt": np.str_("adam")}, text="two\nlines")
    _, policies = scripted({0: lambda: odd})
    world = World(study_spec(trials=1), policies=policies).run()
    assert world.proposals == [{"lr": 0.02, "width": 16, "opt": "adam"}]
    assert [(reason.phase, reason.text) for reason in reasons(world)] == [(None, "two lines")]


def test_its_own_phase_cannot_pass_for_a_failure() -> None:
    liar = Suggestion(params=GOOD, text="x", phase="fallback", data={"fallback": "raised", "what": "lied"})
    _, policies = scripted({0: lambda: liar})
    world = World(study_spec(trials=1), policies=policies).run()
    assert failure_of(reasons(world)[0]) is None
    assert world.state.switches.fallbacks == 0


def test_a_lazy_one_learns_when_it_is_asked() -> None:
    """What comes in while it thinks is no part of the question."""
    seen: list[int] = []

    class Watching(Scripted):
        def observe(self, deltas: Any) -> None:
            seen.extend(delta.number for delta in deltas)

    space = Space(study_spec().parameters)
    guard = Guard(Watching.__new__(Watching), space, lazy=True)
    guard.observe([Proposed(0, GOOD, {"own": 1}), Proposed(1, GOOD)])
    known = guard.known
    guard.observe([Result(0, (1.0,))])
    assert (seen, guard.backlog) == ([], 1)
    guard.suggest(known, 2, [], (), np.random.default_rng(0))
    assert (seen, guard.backlog) == ([0, 1], 0)
    guard.suggest(guard.known, 2, [], (), np.random.default_rng(0))
    assert seen == [0, 1, 0]


def test_what_failed_in_words() -> None:
    assert raised(ValueError()) == Failure("raised", "raised ValueError")
    assert len(raised(ValueError("x" * 1000)).what) < 250
    assert hung(2.5) == Failure("hung", "gave no answer within 2.5 s")


def test_an_answer_to_a_searcher_that_has_nothing_more() -> None:
    _, policies = scripted({2: lambda: Exhausted(text="that was all")})
    world = World(study_spec(trials=5), policies=policies).run()
    assert len(world.proposals) == 2
    assert world.state.switches.completed is not None
    assert world.state.switches.completed.reason.text == "that was all"


def test_a_limit_is_longer_for_one_that_has_much_to_catch_up_with() -> None:
    def limited(state: State) -> Policy:
        policy = policies(state)
        assert isinstance(policy, Combined)
        return policy

    _, policies = scripted({})
    world = World(study_spec(trials=3), policies=limited)
    policy = world.engine.policy
    assert isinstance(policy, Combined)
    assert policy.question(world.state, 1).limit_s is None
    policy.limit_s, policy.guard.lazy = 60.0, True
    assert policy.question(world.state, 1).limit_s == 60
    policy.guard.observe([Proposed(n, GOOD, {"own": n}) for n in range(5)])
    assert policy.question(world.state, 1).limit_s == 300
    world.state.switches.fallbacks = 3
    assert policy.question(world.state, 1).limit_s is None
