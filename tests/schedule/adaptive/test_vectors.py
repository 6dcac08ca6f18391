"""Determined's own tests, recorded as vectors, played on the real scheduler and its arithmetic."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from rung.model import BadInput, Objective, Stop
from rung.schedule.adaptive.bracket import Dropped
from rung.schedule.adaptive.brackets import (
    MODES,
    Shape,
    asynchronous,
    bracket_concurrency,
    bracket_rungs,
    bracket_trials,
    most_rungs,
    preview,
    rung_units,
    synchronous,
)
from rung.schedule.adaptive.order import Arrivals, Mark
from rung.schedule.adaptive.scheduler import Adaptive
from rung.schedule.adaptive.stopping import Stopping
from rung.schedule.base import Ask, Begun, Ended, Progress
from schedule.adaptive.determined import ABSENT, RNG, Rerun, contest, files

Case = tuple[str, Callable[[], None]]


class Skip(Exception):
    """A vector that is no matter of this scheduler; the text says whose."""


# ------------------------------------------------------------------------------------------------- derived brackets


def derived_asha(found: dict[str, Any]) -> None:
    units, trials, divisor = found["units"], found["max_trials"], float(found["divisor"])
    rungs = found.get("bracket_rungs") or bracket_rungs(
        found["mode"], most_rungs(units, trials, divisor, found["max_rungs"])
    )
    shapes = asynchronous(units, trials, divisor, rungs, found["max_concurrent_trials"])
    assert [described(shape) for shape in shapes] == found["brackets"]
    assert [{"count": n, "units": u} for n, u in preview(shapes, divisor)] == found["preview"]
    names = ("mode", "divisor", "max_rungs", "max_concurrent_trials", "bracket_rungs")
    options = {name: found[name] for name in names if name in found}
    scheduler = Adaptive(contest({**options, "max": units, "trials": trials}))
    assert scheduler.shapes == shapes


def described(shape: Shape) -> dict[str, Any]:
    return {
        "num_rungs": shape.rungs,
        "max_trials": shape.trials,
        "max_concurrent_trials": shape.concurrent,
        "rungs": list(shape.units),
    }


def rows(shape: Shape) -> list[dict[str, int]]:
    onward = [*shape.starts[1:], 0]
    return [
        {"steps_needed": unit, "start_trials": start, "promote_trials": promote}
        for unit, start, promote in zip(shape.units, shape.starts, onward, strict=True)
    ]


def derived_simple(found: dict[str, Any]) -> None:
    rungs = found.get("bracket_rungs") or bracket_rungs(found["mode"], found["max_rungs"])
    shapes = synchronous(found["max_steps"], float(found["divisor"]), rungs, trials=found["max_trials"])
    # `trials` is the share of the bracket, which begins one at least
    trials = [min(shape.trials, wanted["trials"]) for shape, wanted in zip(shapes, found["brackets"], strict=True)]
    got = [{"num_rungs": s.rungs, "trials": n, "rungs": rows(s)} for s, n in zip(shapes, trials, strict=True)]
    assert got == found["brackets"]


def derived_budget(found: dict[str, Any]) -> None:
    rungs = found.get("bracket_rungs") or bracket_rungs(found["mode"], found["max_rungs"])
    shapes = synchronous(found["target_trial_steps"], float(found["divisor"]), rungs, budget=found["step_budget"])
    each = found["step_budget"] // len(shapes)
    assert [{"num_rungs": s.rungs, "step_budget": each, "rungs": rows(s)} for s in shapes] == found["brackets"]


# ------------------------------------------------------------------------------------------------- single functions


def brackets_of(searcher: dict[str, Any]) -> list[Shape] | None:
    return Adaptive(contest(head_options(searcher))).shapes


def head_options(searcher: dict[str, Any]) -> dict[str, Any]:
    known = {
        "mode": "mode",
        "max_time": "max",
        "max_trials": "trials",
        "divisor": "divisor",
        "max_rungs": "max_rungs",
        "max_concurrent_trials": "max_concurrent_trials",
        "num_rungs": "num_rungs",
        "bracket_rungs": "bracket_rungs",
    }
    return {
        known[name]: int(value.split()[-1]) if str(value).startswith("default ") else value
        for name, value in searcher.items()
        if name in known
    }


def check_make_brackets(given: Any, wanted: Any) -> None:
    shapes = brackets_of(given)
    assert shapes is not None
    names = ("num_rungs", "max_trials", "max_concurrent_trials")
    assert [{name: described(shape)[name] for name in names} for shape in shapes] == wanted


def check_insert(given: Any, wanted: Any) -> None:
    order = Arrivals(newest_first=True)
    marks = [Mark.of((value,)) for value in [*given[1], given[0]]]
    for trial, mark in enumerate(marks):
        place = order.insert(trial, mark)
    assert {"index": place, "metrics": [marks[t].losses[0] for t in order.best(len(order))]} == wanted


def check_metric(given: Any, wanted: Any) -> None:
    if "error_contains" in wanted:
        raise Skip("a report without the metric neither counts nor decides here; the error is the dialect's")
    objective = Objective(metric=given["metric"], goal="minimize" if given["smaller_is_better"] else "maximize")
    assert objective.loss(given["metrics"][given["metric"]]) == wanted["value"]
    assert given["metrics"][given["time_metric"]] == wanted["time_step"]


def check_stopping(given: Any, wanted: Any) -> None:
    bracket = Stopping(Shape((1, 3, 9), len(given["trial_rungs"]), len(given["trial_rungs"])), 3.0)
    for trial in sorted(map(int, given["trial_rungs"])):
        bracket.begin(trial)
    for trial, metric in given["rung0"]:
        bracket.report(trial, 1, Mark.of((metric,)))
    report = given["report"]
    moves = bracket.report(report["trial"], report["time"], Mark.of((report["metric"],)))
    assert [move.trial for move in moves if isinstance(move, Dropped)] == wanted["stops"]
    assert {str(trial): index for trial, index in bracket.at.items()} == wanted["trial_rungs"]
    rung = bracket.rungs[0]
    assert [[trial, rung.marks[trial].losses[0]] for trial in rung.order.best(9)] == wanted["rung0"]


def check_preview(given: Any, wanted: Any) -> None:
    if given["name"] != "adaptive_asha":
        raise Skip(f"{given['name']} is no matter of a scheduler: the dialect's")
    shapes = brackets_of(given)
    assert shapes is not None
    assert [{"count": n, "batches": unit} for n, unit in preview(shapes, given["divisor"])] == wanted


CHECKS: dict[str, Callable[[Any, Any], None]] = {
    "getBracketMaxTrials": lambda given, wanted: equal(bracket_trials(*given), wanted),
    "getBracketMaxConcurrentTrials": lambda given, wanted: equal(bracket_concurrency(*given), wanted),
    "makeRungs": lambda given, wanted: equal(list(rung_units(given[1], given[2], given[0])), wanted),
    "makeBrackets": check_make_brackets,
    "insertMetric": check_insert,
    "getMetric": check_metric,
    "doEarlyStopping": check_stopping,
    "simulate (det preview-search)": check_preview,
}


def equal(got: Any, wanted: Any) -> None:
    assert got == wanted


def check_modes(found: dict[str, Any]) -> None:
    for mode in MODES:
        for most, wanted in found[mode].items():
            assert sorted(bracket_rungs(mode, int(most))) == wanted


# ---------------------------------------------------------------------------------------------------- whole searches


def check_search(found: dict[str, Any]) -> None:
    """Trials run one after another, each until it is stopped; every report is worse (or better) than all before."""
    searcher, (most, period, worsens) = found["searcher"], found["run"]
    if searcher["name"] not in {"adaptive_asha", "async_halving"}:
        raise Skip(f"{searcher['name']} is no matter of a scheduler: the dialect's")
    scheduler, stopped_at, bracket_of = Adaptive(contest(head_options(searcher))), dict[int, float](), dict[int, int]()
    metric, number = 0.0, 0
    while isinstance(answer := scheduler.next(number, RNG), Ask):
        assert answer.ticket is not None
        bracket_of[number] = answer.ticket["bracket"]
        scheduler.observe([Begun(number, {}, ticket=answer.ticket)])
        for step in range(0, most + 1, period):
            metric += 1 if worsens else -1
            if any(isinstance(c, Stop) for c in scheduler.observe([Progress(number, step, (metric,))])):
                stopped_at[number] = step
                scheduler.observe([Ended(number, (metric,))])
                break
        number += 1
    expect = found["expect"]
    assert number == expect["trials"]
    expected = expect.get("brackets") or [expect]
    assert [list(shape.units) for shape in scheduler.shapes] == [one["rungs"] for one in expected]
    for bracket, one in enumerate(expected):
        mine = [trial for trial in bracket_of if bracket_of[trial] == bracket]
        assert len(mine) == one["trials"]
        assert Counter(str(stopped_at[trial]) for trial in mine) == one["stopped_at"]


def suite_options(tag: str, searcher: dict[str, Any]) -> dict[str, Any]:
    """What the searcher of that version is in our words."""
    kind, synchronous_ = (
        searcher["kind"],
        tag.startswith("0.12") or searcher["kind"] not in {"AsyncHalving", "AdaptiveASHA"},
    )
    if kind not in {"AdaptiveSimple", "Adaptive", "AsyncHalving", "SyncHalving", "AdaptiveASHA"}:
        raise Skip(f"{kind} is not this scheduler's matter")
    newest = tag not in {"0.12.4", "0.13.0"}  # later ones fill in defaults before they test
    asynchronous_type = "stopping" if searcher.get("stop_once") else "promotion"
    options = {
        "type": "synchronous" if synchronous_ else asynchronous_type,
        "max": units(searcher.get("max_length") or searcher.get("max_steps") or searcher.get("target_trial_steps")),
        "trials": searcher.get("max_trials"),
        "budget": units(searcher.get("budget") or searcher.get("step_budget")),
        "max_concurrent_trials": searcher.get("max_concurrent_trials", 16 if newest else 0),
    }
    names = ("mode", "divisor", "max_rungs", "num_rungs", "bracket_rungs")
    return options | {name: searcher[name] for name in names if name in searcher}


def units(length: Any) -> Any:
    """A length is a number, or a number of a unit."""
    return next(iter(length.values())) if isinstance(length, dict) else length


def check_suite(tag: str, vector: dict[str, Any]) -> None:
    if "warning" in vector:
        raise Skip("no user can reach it: " + vector["warning"].split(";")[0])
    searcher, expected = vector["searcher"], vector.get("expected_trials")
    options = suite_options(tag, searcher)
    maximize = searcher.get("smaller_is_better") is False
    if expected is None:
        check_multiset(tag, vector, Adaptive(contest(options, maximize=maximize)), maximize)
        return
    sign = -1.0 if maximize else 1.0
    rerun = Rerun(
        Adaptive(contest(options, maximize=maximize)),
        lambda number: sign * expected[number]["val_metric"],
        lambda number: len(ends(expected[number])) if expected[number].get("early_exit") else None,
    )
    got = [[int(at) for at in trial.at] for trial in rerun.run()]
    assert got == [totals(tag, trial) for trial in expected]


def ends(trial: dict[str, Any]) -> list[str]:
    """The jobs of one trial: its operations but for validations and checkpoints."""
    return [op for op in trial["ops"] if op not in {"V", "C"}]


def totals(tag: str, trial: dict[str, Any]) -> list[int]:
    """At which resources the trial was looked at."""
    if "ops" in trial:
        return cumulated(tag, ends(trial))
    assert trial["validate_after_steps"][-1] == trial["steps_trained"]
    return list(trial["validate_after_steps"])


def cumulated(tag: str, operations: list[str]) -> list[int]:
    """The totals of operations like 1250B: up to 0.14 they are increments."""
    numbers = [int(re.fullmatch(r"(\d+)[SBRE]", op)[1]) for op in operations]  # type: ignore[index]
    if not tag.startswith(("0.12", "0.13", "0.14")):
        return numbers
    return [sum(numbers[: place + 1]) for place in range(len(numbers))]


def check_multiset(tag: str, vector: dict[str, Any], scheduler: Adaptive, maximize: bool) -> None:
    sign = -1.0 if maximize else 1.0
    metrics: dict[str, Callable[[int], float]] = {
        "ConstantValidation": lambda _: sign,
        "value=trialID": lambda number: sign * (number + 1),
    }
    if vector["validation"] not in metrics:
        raise Skip(f"validation {vector['validation']} is not known")
    got = Rerun(scheduler, metrics[vector["validation"]]).run()
    wanted = [
        cumulated(tag, [op for op in ops if op not in {"V", "1V", "C"}]) for ops in vector["expected_ops_multiset"]
    ]
    assert Counter(tuple(int(at) for at in trial.at) for trial in got) == Counter(map(tuple, wanted))


# --------------------------------------------------------------------------------------------------------- counting


def cases(group: str) -> Iterator[Case]:
    """The name of each vector of a group, and its check."""
    for found in files():
        if group == "suites":
            for suite in found.get("suites", []):
                for vector in suite["vectors"]:
                    name = f"{suite['tag']} {vector['test']} {vector['case'] or ''}"
                    yield name, lambda tag=suite["tag"], vector=vector: check_suite(tag, vector)  # type: ignore[misc]
        elif group == "head":
            yield from head(found.get("head", {}).get("functions", {}))
        else:
            for number, one in enumerate(found.get(group, [])):
                yield f"{group} {number}", lambda one=one: DERIVED[group](one)  # type: ignore[misc]


def head(functions: dict[str, Any]) -> Iterator[Case]:
    for name, found in functions.items():
        if name == "adaptive_modes":
            yield name, lambda found=found: check_modes(found)  # type: ignore[misc]
            continue
        for number, case in enumerate(found["cases"]):
            yield f"{name} {number}", lambda name=name, case=case: check_head(name, case)  # type: ignore[misc]


def check_head(name: str, case: Any) -> None:
    if name == "grid":
        raise Skip("a grid of counts is the dialect's")
    if name == "search_runs":
        check_search(case)
        return
    CHECKS[name](*case)


DERIVED = {
    "derived_adaptive_asha": derived_asha,
    "derived_adaptive_simple_0_12": derived_simple,
    "derived_adaptive_0_12": derived_budget,
}


@pytest.mark.parametrize("group", ["head", "suites", *DERIVED])
def test_the_vectors(group: str, capsys: pytest.CaptureFixture[str]) -> None:
    found = list(cases(group))
    if not found:
        pytest.skip(ABSENT)
    deviating, refused, skipped = list[str](), Counter[str](), Counter[str]()
    for name, check in found:
        try:
            check()
        except AssertionError as error:
            deviating.append(f"{name}: {error}")
        except BadInput as error:  # we ask for distinct rungs, they run with coinciding ones
            refused[str(error)] += 1
        except Skip as skip:
            skipped[str(skip)] += 1
    passed = len(found) - len(deviating) - refused.total() - skipped.total()
    with capsys.disabled():
        print(f"\n{group}: {passed} passed, {len(deviating) + refused.total()} deviating, {skipped.total()} skipped")
        for reason, count in refused.items():
            print(f"    {count} deviating: refused, {reason}")
        for reason, count in skipped.items():
            print(f"    {count} skipped: {reason}")
    assert not deviating, "\n".join(deviating)
    assert passed > 0
