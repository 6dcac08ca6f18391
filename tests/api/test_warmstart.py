"""A warm start: what is matched, what is filled in, what is read, and what is refused."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import msgspec
import pytest

import rung
from rung.api.creation import create_or_continue, created_event
from rung.api.edits import left_out
from rung.api.handle import Handle
from rung.api.warmstart import BEST, SPREAD, WarmStart, read_earlier
from rung.model import (
    BadInput,
    Budget,
    LogError,
    Objective,
    Outcome,
    Parameter,
    Reason,
    Report,
    SearchSpec,
    StudySpec,
    UnknownStudy,
)
from rung.plugins import policy_for
from rung.runner.log import entry, open_state, read
from rung.search.base import Earlier
from rung.space import Space
from rung.store.memory import MemoryStore
from rung.study import events as ev
from rung.study import replay, snapshot
from rung.study.deltas import earlier
from rung.testing.functions import rough
from rung.testing.studies import BEGIN, PARAMETERS, digest, study_spec

LR, WIDTH, OPT, MOMENTUM, EPOCHS = PARAMETERS
Trials = list[dict[str, Any]]


def log_of(spec: StudySpec, results: list[tuple[dict[str, Any], dict[str, Any] | None]]) -> list[ev.Event]:
    """A study whose trials had these parameters and metrics (None: it failed)."""
    events: list[ev.Event] = [ev.StudyCreated(at=BEGIN, uid=f"uid-{spec.name}", spec=spec, seed=1)]

    def decision(kind: type[ev.Decision], **fields: Any) -> None:
        events.append(kind(at=BEGIN, based_on=len(events), runner="r", epoch=1, **fields))

    for number, (params, metrics) in enumerate(results):
        decision(ev.TrialProposed, trial=number, params=params, reason=Reason(by="x", text="x"))
        decision(ev.AttemptAssigned, trial=number, attempt=1)
        if metrics is None:
            events.append(ev.TrialExited(at=BEGIN, trial=number, attempt=1, how="exited", code=1))
            decision(ev.TrialCompleted, trial=number, attempt=1, state="failed", error="boom")
            continue
        report = Report(1.0, BEGIN, metrics)
        events.append(
            ev.TrialReported(at=BEGIN, trial=number, attempt=1, reports=(report,), offsets={}, channel="file")
        )
        events.append(ev.TrialExited(at=BEGIN, trial=number, attempt=1, how="exited", code=0))
        values = tuple(metrics[objective.metric] for objective in spec.objectives)
        decision(ev.TrialCompleted, trial=number, attempt=1, state="complete", values=values)
    return events


def store_with(spec: StudySpec, results: list[tuple[dict[str, Any], dict[str, Any] | None]]) -> MemoryStore:
    store = MemoryStore()
    store.create(str(spec.name), [entry(event) for event in log_of(spec, results)], at=BEGIN)
    return store


def old(**fields: Any) -> StudySpec:
    return msgspec.structs.replace(study_spec(**fields), name="old")


def new(**fields: Any) -> ev.StudyCreated:
    spec = msgspec.structs.replace(study_spec(**fields), name="new")
    return created_event(spec, runs=Path("runs"), cwd=Path.cwd(), command_line=[], surface="test")


def adam(lr: float, width: int = 8) -> dict[str, Any]:
    return {"lr": lr, "width": width, "opt": "adam"}


def matched(found: WarmStart, event: ev.StudyCreated) -> list[Earlier]:
    return list(earlier(Space(event.spec.parameters, event.spec.constraints), found.facts))


RESULTS: list[tuple[dict[str, Any], dict[str, Any] | None]] = [
    (adam(1e-3), {"loss": 0.5}),
    (adam(1e-2), None),
    ({"lr": 1e-4, "width": 64, "opt": "sgd", "momentum": 0.5}, {"loss": "NaN"}),
    (adam(1e-1, 16), {"loss": 0.25}),
]


def test_complete_trials_are_read_as_they_are() -> None:
    event = new()
    found = read_earlier(store_with(old(), RESULTS), ["old"], event, place="--from")
    assert found.lines == ("warm start from old: 3 of 3 trials match (lr, width, opt, momentum)",)
    assert [(fact.study, fact.uid, fact.total, fact.source) for fact in found.facts] == [("old", "uid-old", 3, 0)]
    assert matched(found, event) == [
        Earlier(0, adam(1e-3), (0.5,)),
        Earlier(0, {"lr": 1e-4, "width": 64, "opt": "sgd", "momentum": 0.5}, (float("inf"),)),
        Earlier(0, adam(1e-1, 16), (0.25,)),
    ]


def test_what_is_new_takes_its_default_and_what_is_outside_is_left_out() -> None:
    parameters = (
        LR, msgspec.structs.replace(WIDTH, max=32),
        Parameter(name="drop", type="float", min=0, max=1, default=0.25), Parameter(name="act", type="choice", values=("relu", "tanh")),
    )  # fmt: skip
    event = new(parameters=parameters)
    found = read_earlier(store_with(old(), RESULTS), ["old"], event, place="--from")
    (line,) = found.lines
    assert line.startswith("warm start from old: 2 of 3 trials match (lr, width; ")
    assert line.endswith("; `drop` is new: taken as 0.25; `act` is new: taken as relu)")
    assert found.facts[0].params == ({"lr": 1e-3, "width": 8}, {"lr": 1e-1, "width": 16})
    assert [e.params for e in matched(found, event)] == [
        {"lr": 1e-3, "width": 8, "drop": 0.25, "act": "relu"},
        {"lr": 1e-1, "width": 16, "drop": 0.25, "act": "relu"},
    ]


def test_an_inactive_parameter_is_left_out_and_a_newly_active_one_filled_in() -> None:
    parameters = (LR, OPT, msgspec.structs.replace(MOMENTUM, when="opt == 'adam'", default=0.0))
    event = new(parameters=parameters)
    found = read_earlier(store_with(old(), RESULTS), ["old"], event, place="--from")
    assert [e.params for e in matched(found, event)] == [
        {"lr": 1e-3, "opt": "adam", "momentum": 0.0},
        {"lr": 1e-4, "opt": "sgd"},
        {"lr": 1e-1, "opt": "adam", "momentum": 0.0},
    ]


def test_a_constant_of_the_earlier_study_is_a_value_too_and_one_of_this_study_must_agree() -> None:
    fixed = Parameter(name="opt", type="constant", value="adam")
    searched = read_earlier(
        store_with(old(parameters=(LR, fixed)), [({"lr": 1e-3}, {"loss": 0.5})]), ["old"], new(parameters=(LR, OPT)), place=""
    )  # fmt: skip
    assert searched.facts[0].params == ({"lr": 1e-3, "opt": "adam"},)
    agreed = read_earlier(store_with(old(), RESULTS), ["old"], new(parameters=(LR, fixed)), place="")
    assert agreed.facts[0].params == ({"lr": 1e-3}, {"lr": 1e-1})  # the one with sgd is not in this space
    longer = msgspec.structs.replace(EPOCHS, value=100)  # a constant in both is no matter of the search
    assert len(read_earlier(store_with(old(), RESULTS), ["old"], new(parameters=(LR, longer)), place="").facts) == 1


@pytest.mark.parametrize(
    ("ours", "fits"),
    [("float", True), ("int", True), ("normal", True), ("choice", False), ("bool", False)],
)
def test_types_match_by_family(ours: str, fits: bool) -> None:
    theirs = Parameter(name="x", type="int", min=1, max=4)
    fields: dict[str, dict[str, Any]] = {
        "float": {"min": 0, "max": 9}, "int": {"min": 0, "max": 9}, "normal": {"mean": 0.0, "sd": 5.0},
        "choice": {"values": (1, 2, 3, 4)}, "bool": {},
    }  # fmt: skip
    event = new(parameters=(LR, Parameter(name="x", type=ours, **fields[ours])))  # type: ignore[arg-type]
    store = store_with(old(parameters=(LR, theirs)), [({"lr": 1e-3, "x": 3}, {"loss": 1.0})])
    found = read_earlier(store, ["old"], event, place="")
    assert ("x" in found.facts[0].params[0]) is fits
    assert ("`x` is new" in found.lines[0]) is not fits


def test_at_most_the_best_and_a_spread_of_the_others_are_read() -> None:
    count = 1200
    results: Any = [(adam(1e-5 * (1 + n / count)), {"loss": float((n * 7919) % count)}) for n in range(count)]
    found = read_earlier(store_with(old(trials=count), results), ["old"], new(), place="")
    losses = [float(row[0]) for fact in found.facts for row in fact.losses]
    assert len(losses) == BEST + SPREAD
    assert sorted(losses)[:BEST] == list(range(BEST))
    others = sorted(losses)[BEST:]
    assert others[-1] == count - 1
    assert max(b - a for a, b in itertools.pairwise(others)) <= 5
    assert all(len(fact.params) <= 100 for fact in found.facts)
    assert found.lines[0].endswith(
        "1200 of 1200 trials match (lr, width, opt, momentum); 500 of them are read, the best and a spread"
    )


def test_feasible_trials_count_as_better_and_what_was_not_measured_as_kept() -> None:
    metrics: Any = [(adam(1e-3), {"loss": 0.1, "ms": 50.0}), (adam(1e-2), {"loss": 0.2, "ms": 10.0})]
    event = new(outcomes=(Outcome(metric="ms", at_most=20.0), Outcome(metric="mb", at_most=1.0)))
    found = read_earlier(store_with(old(), metrics), ["old"], event, place="")
    assert [e.violations for e in matched(found, event)] == [(30.0, 0.0), (0.0, 0.0)]
    assert found.lines[0].endswith("; mb was not measured there: taken as kept")


def test_several_objectives_in_whatever_order() -> None:
    goals = (Objective(metric="loss"), Objective(metric="acc", goal="maximize"))
    store = store_with(old(objectives=goals), [(adam(1e-3), {"loss": 0.1, "acc": 0.9})])
    event = new(objectives=goals[::-1])
    assert matched(read_earlier(store, ["old"], event, place=""), event)[0].losses == (-0.9, 0.1)
    only = new(objectives=goals[1:])
    assert matched(read_earlier(store, ["old"], only, place=""), only)[0].losses == (-0.9,)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"objectives": (Objective(metric="acc", goal="maximize"),)},
         "--from: study old was to minimize loss, this one is to maximize acc: it cannot learn from that"),
        ({"objectives": (Objective(metric="loss", goal=0.5),)}, "this one is to bring loss to 0.5"),
        ({"parameters": (LR, *(Parameter(name=f"p{i}", type="bool") for i in range(2)))},
         "--from: study old knows 1 of the 3 parameters that are searched here (lr), by name and type: at least half"),
        ({"parameters": (EPOCHS,)}, "knows 0 of the 0 parameters"),
        ({"parameters": (msgspec.structs.replace(LR, min=0.5, max=1.0),)},
         "none of the 3 trials of study old is in the space of this one"),
    ],
)  # fmt: skip
def test_refusals(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(BadInput) as caught:
        read_earlier(store_with(old(), RESULTS), ["old"], new(**fields), place="--from")
    assert message in str(caught.value)


def test_studies_that_have_nothing_to_tell() -> None:
    store = store_with(old(), [(adam(1e-2), None)])
    with pytest.raises(BadInput, match="study old has no complete trial to begin with"):
        read_earlier(store, ["old"], new(), place="")
    with pytest.raises(UnknownStudy, match=r"--from: no study named odl in memory://; did you mean `old`\?"):
        read_earlier(store, ["odl"], new(), place="--from")
    with pytest.raises(BadInput, match="study old is given twice"):
        read_earlier(store_with(old(), RESULTS), ["old", "old"], new(), place="")


# ------------------------------------------------------------------------------------------------ in the new study


def warmed(search: str = "auto", **fields: Any) -> tuple[MemoryStore, Handle]:
    store = store_with(old(), RESULTS)
    event = new(search=SearchSpec(method=search), **fields)
    return store, create_or_continue(store, event, stem="x", warm_start=["old"]).handle


def test_they_are_in_the_log_before_all_else_and_are_no_trials_of_the_study() -> None:
    store, handle = warmed()
    assert [type(event).__name__ for _, event in read(store, "new")] == ["StudyCreated", "EarlierStudyRead"]
    assert len(handle.state) == 0
    assert handle.state.counts["complete"] == 0
    store.delete("old")
    state = open_state(store, "new")
    assert next(earlier(state.space, state.earlier)).params == adam(1e-3)
    again = snapshot.load(snapshot.dump(state))
    assert again.earlier == state.earlier
    assert digest(again) == digest(state)


def test_a_study_that_exists_does_not_read_again() -> None:
    store, handle = warmed(budget=Budget(trials=3))
    store.delete("old")
    created = handle.state.created
    opened = create_or_continue(store, created, stem="x", warm_start=["old"])
    assert opened.how == "continued"
    assert opened.notes == ("study new exists: --from only counts for a new one, and is left out",)


def test_nothing_is_written_when_it_is_refused() -> None:
    store = store_with(old(), RESULTS)
    with pytest.raises(BadInput):
        create_or_continue(store, new(objectives=(Objective(metric="other"),)), stem="x", warm_start=["old"])
    assert [row.name for row in store.studies()] == ["old"]


def test_earlier_trials_after_a_trial_are_no_log() -> None:
    _, late = (event for _, event in read(warmed()[0], "new"))
    events: Any = [*log_of(old(), RESULTS[:1]), late]
    with pytest.raises(LogError, match="an earlier study is read after the first trial"):
        replay.fold(events)


def test_python_front_doors(here: Path) -> None:
    space = {"x": rung.uniform(0, 1), "y": rung.uniform(0, 1)}
    store = f"sqlite:///{here}/s.db"
    first = rung.Study(space, metric="loss", store=store, name="first", seed=1)
    for _ in range(4):
        asked = first.ask()
        first.tell(asked, rough(asked.params))
    second = rung.Study(space, metric="loss", store=store, name="second", seed=2, warm_start=["first"])
    assert len(second._state.earlier[0].params) == 4
    second.tell(second.ask(), 0.5)
    third = rung.tune(
        lambda params: {"loss": params["x"]}, {**space, "z": rung.choice("a", "b")}, metric="loss", trials=3, seed=3,
        store=store, name="third", warm_start="first", dir=str(here / "runs"),
    )  # fmt: skip
    assert len(third.trials) == 3
    assert len(third._state.earlier[0].params) == 4
    with pytest.raises(BadInput, match=r"tune: warm_start: needs a store that holds these studies"):
        rung.tune(lambda params: params["x"], space, trials=2, warm_start=["first"])
    with pytest.raises(UnknownStudy, match="warm_start: no study named zeroth"):
        rung.Study(space, metric="loss", store=store, name="fourth", warm_start=["zeroth"])


@pytest.mark.parametrize("search", ["random", "grid", "sobol", "auto"])
def test_every_searcher_takes_them_and_goes_on_after_an_edit(search: str) -> None:
    parameters = (WIDTH, OPT) if search == "grid" else PARAMETERS
    store, handle = warmed(search, trials=4, parameters=parameters)
    assert policy_for(handle.state) is not None
    handle.edit([("parameters.width.max", "32")])
    state = open_state(store, "new")
    assert [e.params["width"] for e in earlier(state.space, state.earlier)] == [8, 16]
    assert left_out(state) == 0
    events = [event for _, event in read(store, "new")]
    assert [str(d) for d in replay.check(events, policy_for)] == []
