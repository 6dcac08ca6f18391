"""Determined's own tests, recorded as vectors: those that are the dialect's matter (grids, whole searches, previews)."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from math import prod
from typing import Any

import pytest

from dialects.determined.material import NO_VECTORS, VECTORS, Skip, read, remarks, vectors
from dialects.determined.playing import Play
from rung.dialects.determined.settings import nested
from rung.model import StudySpec
from rung.plugins import make_scheduler
from rung.schedule.adaptive.brackets import Shape
from rung.schedule.adaptive.scheduler import Adaptive
from rung.schedule.base import Contest
from rung.space import Space
from rung.study import events as ev
from rung.study.transitions import Phase
from rung.testing.studies import World

DEVIATIONS: dict[str, str] = {}
"""Vectors that come out another way, and why: the list in docs/migrate/determined.md."""
Case = tuple[str, Callable[[], None]]
KINDS = {
    "Random": "random",
    "Single": "single",
    "PBT": "pbt",
    "AsyncHalving": "async_halving",
    "SyncHalving": "sync_halving",
    "AdaptiveSimple": "adaptive_simple",
    "Adaptive": "adaptive",
    "AdaptiveASHA": "adaptive_asha",
}


def grid_config(hyperparameters: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {"searcher": {"name": "grid", "metric": "loss", **fields}, "hyperparameters": hyperparameters}


def points(spec: StudySpec) -> list[dict[str, Any]]:
    """The points of a grid as hyperparameters, in the order in which they are listed."""
    assert spec.program is not None
    space = Space(spec.parameters)
    return [nested(space.full(point), spec.program.settings["paths"]) for point in space.grid()]


# --------------------------------------------------------------------------------------------------------- the grid


def check_grid(found: dict[str, Any]) -> None:
    if "counts_to_size" in found:
        for counts, size in found["counts_to_size"]:
            axes = {f"x{i}": {"type": "double", "minval": -1, "maxval": 1, "count": n} for i, n in enumerate(counts)}
            spec = read(grid_config(axes))
            assert len(points(spec)) == spec.budget.trials == size == prod(counts)
    elif "axis_lengths" in found:
        for axis, length in found["axis_lengths"]:
            assert len(points(read(grid_config({"x": axis})))) == length
        kept = points(read(grid_config({"x": 1, "empty": {}})))
        assert (kept == [{"x": 1, "empty": {}}]) is found["empty_nested_map_kept"]
    elif "expected_in_order" in found:
        assert points(read(grid_config(found["hyperparameters"]))) == found["expected_in_order"]
    else:
        got = points(read(grid_config(found["hyperparameters"])))
        wanted = found["expected_set"]
        assert len(got) == len(wanted)
        assert all(point in got for point in wanted)


# ---------------------------------------------------------------------------------------------------- whole searches


def check_run(found: dict[str, Any]) -> None:
    """Trials run one after another, each to its end."""
    searcher, expect = found["searcher"], found["expect"]
    if searcher["name"] in {"adaptive_asha", "async_halving"}:
        check_stopping_run(searcher, found["run"], expect)
        return
    hyperparameters = found.get("hyperparameters", {"x": 1})
    play = Play(read({"searcher": searcher, "hyperparameters": hyperparameters}), lambda number: float(number))
    trials = list(play.run().state.trials())
    assert len(trials) == expect["trials"]
    assert sum(trial.state != "complete" for trial in trials) == expect["stopped"]
    assert play.most <= searcher.get("max_concurrent_trials", 16)
    name = next(iter(hyperparameters))
    values: list[Any] = [trial.params.get(name) for trial in trials]
    if "x_in" in expect:
        assert all(expect["x_in"][0] <= value <= expect["x_in"][1] for value in values if value is not None)
    if "values_sorted" in expect:
        assert sorted(values) == expect["values_sorted"] == values[::-1]  # taken from the end of the list


def check_stopping_run(searcher: dict[str, Any], run: list[Any], expect: dict[str, Any]) -> None:
    """Every report is worse (or better) than all before it, whoever makes it."""
    most, period, worsens = run
    spec = read({"searcher": searcher, "hyperparameters": {"x": {"type": "double", "minval": 0, "maxval": 1}}})
    world, metric, stopped_at = World(spec, workers=1), 0.0, dict[int, int]()
    world.turn()
    while running := world.running():
        (number,) = running
        world.start(number)
        for step in range(0, most + 1, period):
            metric += 1 if worsens else -1
            world.saves(number, {searcher["metric"]: metric}, step=step)
            world.turn()
            if world.state.phase(number) is Phase.STOPPING:
                stopped_at[number] = step
                world.exit(number, code=143)
                break
        world.turn()
    assert len(world.state) == expect["trials"]
    tickets = [event.ticket for event in world.events if isinstance(event, ev.TrialProposed)]
    brackets = expect.get("brackets") or [expect]
    scheduler = make_scheduler(world.state)
    assert isinstance(scheduler, Adaptive)
    assert [list(shape.units) for shape in scheduler.shapes] == [one["rungs"] for one in brackets]
    for bracket, one in enumerate(brackets):
        mine = [number for number, ticket in enumerate(tickets) if (ticket or {})["bracket"] == bracket]
        assert len(mine) == one["trials"]
        assert Counter(str(stopped_at[number]) for number in mine) == one["stopped_at"]


def check_preview(given: dict[str, Any], wanted: list[dict[str, Any]]) -> None:
    if given["name"] == "adaptive_asha":
        spec = read({"searcher": {"metric": "loss", **given}, "hyperparameters": {"x": 1}})
        said = [(int(n), int(units)) for n, units in re.findall(r"(\d+)(?: trials?)? to (\d+)", remarks(spec)[0])]
        assert said == [(row["count"], row["batches"]) for row in wanted]
        return
    searcher = {key: value for key, value in given.items() if key != "hyperparameters"}
    spec = read({"searcher": {"metric": "loss", **searcher}, "hyperparameters": given["hyperparameters"]})
    (row,) = wanted
    assert row["max_length"] is True
    assert remarks(spec)[0] == f"{row['count']} trials train to completion"


def config_of(tag: str, searcher: dict[str, Any]) -> dict[str, Any]:
    """The configuration whose searcher a vector describes."""
    fields = {key: value for key, value in searcher.items() if key not in {"kind", "truncate_fraction"}}
    fields = {"metric": "metric", **fields, "name": KINDS[searcher["kind"]]}
    if searcher["kind"] == "PBT":
        fields["replace_function"] = {"truncate_fraction": searcher["truncate_fraction"]}
        fields["explore_function"] = {"resample_probability": 0.2, "perturb_factor": 0.2}
    if tag == "0.13.0" and searcher["kind"] in {"AsyncHalving", "AdaptiveASHA"}:
        fields.setdefault(
            "max_concurrent_trials", 0
        )  # that version knew no limit; nothing in a file tells it from later
    space = {"x": {"type": "double", "minval": 0, "maxval": 1}}
    return {"searcher": fields, "hyperparameters": space, "max_restarts": 0}


def stretches_of(operations: list[str]) -> list[int]:
    """How far each of the trial's operations trains it, alone: `RunStep` is one step."""
    if "RunStep" in operations:
        return [operations.count("RunStep")]
    return [int(found[1]) for op in operations if (found := re.fullmatch(r"(\d+)[SBRE]", op))]


def ends_of(tag: str, operations: list[str]) -> list[int]:
    """Where each of the trial's operations ends: up to 0.14 they were increments."""
    numbers = stretches_of(operations)
    if not tag.startswith(("0.12", "0.13", "0.14")):
        return numbers
    return [sum(numbers[: place + 1]) for place in range(len(numbers))]


def check_suite(tag: str, vector: dict[str, Any]) -> None:
    if "warning" in vector:
        raise Skip("no user can reach it: " + vector["warning"].split(";")[0])
    searcher, expected = vector["searcher"], vector.get("expected_trials")
    spec, pbt = read(config_of(tag, searcher)), searcher["kind"] == "PBT"
    each = next(iter(searcher["length_per_round"].values())) if pbt else None
    if expected is None:
        constant = vector["validation"] == "ConstantValidation"
        play = Play(spec, lambda number: 1.0 if constant else float(number + 1), stretch=each)
        play.run()
        wanted = [stretches_of(ops) if pbt else ends_of(tag, ops) for ops in vector["expected_ops_multiset"]]
        assert Counter(map(tuple, wanted)) == Counter(map(tuple, got(play).values()))
    else:
        wanted = [
            (stretches_of(one["ops"]) if pbt else ends_of(tag, one["ops"]))
            if "ops" in one
            else one["validate_after_steps"]
            for one in expected
        ]
        play = Play(
            spec,
            lambda number: expected[number]["val_metric"],
            lambda number: len(wanted[number]) if expected[number].get("early_exit") else None,
            stretch=each,
        )
        play.run()
        assert [got(play)[number] for number in sorted(play.ends)] == wanted
    if not play.shapes:
        assert play.most <= searcher.get("max_concurrent_trials", 16)


# ------------------------------------------------------------------------------------------------ the arithmetic


def brackets_of(spec: StudySpec) -> list[Shape]:
    contest = Contest(schedule=spec.schedule, objectives=spec.objectives, seed=0, budget=spec.budget)
    return Adaptive(contest).shapes


def check_derived_asha(found: dict[str, Any]) -> None:
    """The brackets are the same whether the length is a time metric's or of the versions before."""
    names = ("max_trials", "mode", "divisor", "max_rungs", "max_concurrent_trials", "bracket_rungs")
    fields = {"name": "adaptive_asha", "metric": "loss", **{name: found[name] for name in names if name in found}}
    lengths: list[dict[str, Any]] = [{"time_metric": "batches", "max_time": found["units"]}]
    if max(found.get("bracket_rungs") or [1]) <= found["units"]:  # else rungs coincide: only without holding trials
        lengths.append({"max_length": {"batches": found["units"]}})
    for length in lengths:
        spec = read({"searcher": {**fields, **length}, "hyperparameters": {"x": 1}})
        assert [
            {"num_rungs": s.rungs, "max_trials": s.trials, "max_concurrent_trials": s.concurrent, "rungs": [*s.units]}
            for s in brackets_of(spec)
        ] == found["brackets"]
        said = re.findall(r"(\d+)(?: trials?)? to (\d+)", remarks(spec)[0])
        assert [{"count": int(n), "units": int(at)} for n, at in said] == found["preview"]
        assert spec.budget.trials == sum(one["max_trials"] for one in found["brackets"])


def check_derived_steps(name: str, found: dict[str, Any]) -> None:
    fields = {key: value for key, value in found.items() if key not in {"brackets", "preview"}}
    spec = read({"searcher": {"name": name, "metric": "loss", **fields}, "hyperparameters": {"x": 1}})
    assert spec.program is not None
    assert (spec.program.settings["era"], spec.schedule.resource) == ("0.12", "steps")
    for shape, one in zip(brackets_of(spec), found["brackets"], strict=True):
        rows = [(row["steps_needed"], row["start_trials"]) for row in one["rungs"]]
        assert list(zip(shape.units, shape.starts, strict=True)) == rows


def got(play: Play) -> dict[int, list[float]]:
    """What each trial did: where its stretches ended, or their lengths where all are as long."""
    if play.stretch is None:
        return play.ends
    return {number: [play.stretch] * len(ends) for number, ends in play.ends.items()}


# --------------------------------------------------------------------------------------------------------- counting


def cases() -> Iterator[Case]:
    """The name of each vector that is the dialect's, and its check."""
    for found in vectors():
        functions = found.get("head", {}).get("functions", {})
        for number, one in enumerate(functions.get("grid", {}).get("cases", [])):
            yield f"grid {number}", lambda one=one: check_grid(one)  # type: ignore[misc]
        for number, one in enumerate(functions.get("search_runs", {}).get("cases", [])):
            yield f"search_runs {number}", lambda one=one: check_run(one)  # type: ignore[misc]
        for number, one in enumerate(functions.get("simulate (det preview-search)", {}).get("cases", [])):
            yield f"preview {number}", lambda one=one: check_preview(*one)  # type: ignore[misc]
        for number, one in enumerate(found.get("derived_adaptive_asha", [])):
            yield f"derived_adaptive_asha {number}", lambda one=one: check_derived_asha(one)  # type: ignore[misc]
        for kind, name in (("derived_adaptive_simple_0_12", "adaptive_simple"), ("derived_adaptive_0_12", "adaptive")):
            for number, one in enumerate(found.get(kind, [])):
                yield f"{kind} {number}", lambda name=name, one=one: check_derived_steps(name, one)  # type: ignore[misc]
        for suite in found.get("suites", []):
            for vector in suite["vectors"]:
                name = f"{suite['tag']} {vector['test']} {vector['case'] or ''}".strip()
                yield name, lambda tag=suite["tag"], vector=vector: check_suite(tag, vector)  # type: ignore[misc]


CASES = list(cases())


def outcome(name: str, check: Callable[[], None]) -> str:
    """What becomes of a vector: "passed", "deviates: why" or "skipped: why". Raises for one that should pass."""
    try:
        check()
    except Skip as why:
        return f"skipped: {why}"
    except AssertionError:
        if name not in DEVIATIONS:
            raise
        return f"deviates: {DEVIATIONS[name]}"
    assert name not in DEVIATIONS, "the vector comes out as recorded: take it off the list"
    return "passed"


@pytest.mark.skipif(not VECTORS, reason=NO_VECTORS)
@pytest.mark.parametrize(("name", "check"), CASES, ids=[name for name, _ in CASES])
def test_a_vector(name: str, check: Callable[[], None]) -> None:
    found = outcome(name, check)
    if found.startswith("skipped"):
        pytest.skip(found)


@pytest.mark.skipif(not VECTORS, reason=NO_VECTORS)
def test_the_counts(capsys: pytest.CaptureFixture[str]) -> None:
    found = Counter(outcome(name, check) for name, check in CASES)
    with capsys.disabled():
        print("\nDetermined, searches and grids: " + "; ".join(f"{n} {what}" for what, n in sorted(found.items())))
    assert found["passed"] > 0
    assert sum(n for what, n in found.items() if what.startswith("deviates")) == len(DEVIATIONS)
