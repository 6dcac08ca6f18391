from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.views.storied import golden, played, stored, storied
from rung.analysis.views import plain, show
from rung.analysis.views.curves import shares
from rung.analysis.views.still import Still
from rung.api.handle import Handle
from rung.model import BadInput, Reason, Report, WireNumber, from_wire
from rung.study import events as ev


def seen(handle: Handle, **options: Any) -> Any:
    return plain(show(handle, "curves", **options))


def whole(handle: Handle, number: int, metric: str = "loss") -> list[tuple[float, Any]]:
    """The curve as `Handle.reports` reads it: a trial at a time, every event decoded."""
    return [(r.step, r.values[metric]) for r in handle.reports(number) if metric in r.values]


@pytest.mark.parametrize(
    ("method", "options"),
    [
        ("asha", {"max": 9}),
        ("asha", {"max": 9, "type": "promotion"}),
        ("pbt", {"max": 9, "interval": 3, "population": 4}),
    ],
)
def test_curves_are_those_of_the_log(method: str, options: dict[str, Any]) -> None:
    handle = played(method, trials=12, **options)
    found = seen(handle, top=1000)
    reported = [t.number for t in handle.state.trials() if t.steps]
    assert sorted(line["number"] for line in found["curves"]) == reported
    assert (found["of"], found["shown"]) == (len(reported), len(reported))
    for line in found["curves"]:
        trial = handle.trial(line["number"])
        assert list(zip(line["x"], line["y"], strict=True)) == whole(handle, trial.number)
        assert (line["state"], line["points"], line["why"]) == (trial.state, len(line["x"]), trial.reason)
    assert found["points"] == found["marks"] == sum(line["points"] for line in found["curves"])
    assert found["rungs"] == ([1.0, 3.0, 9.0] if method == "asha" else [])
    assert (found["metric"], found["goal"], found["resource"]) == ("loss", "minimize", "epoch")


@pytest.mark.parametrize("name", ["plain", "edited", "trouble", "requests", "promoted", "population", "tradeoff"])
def test_attempts_that_were_repeated_and_continued_are_read_as_one_curve(name: str) -> None:
    handle = stored(golden(name))
    for line in seen(handle, top=1000)["curves"]:
        assert list(zip(line["x"], line["y"], strict=True)) == whole(handle, line["number"])


def test_the_best_come_first() -> None:
    log = storied()
    for value in (3.0, 1.0, "NaN", 2.0, 0.5):
        log.done(value)
    log.failed()
    live = log.started()
    log.reported(live, {"loss": 0.7})
    handle = log.handle
    assert [line["number"] for line in seen(handle)["curves"]] == [4, 6, 1, 3, 0, 2]
    assert [line["number"] for line in seen(handle, top=2)["curves"]] == [4, 6]
    assert [line["number"] for line in seen(handle, top=2, first="running")["curves"]] == [6, 4]
    assert [line["number"] for line in seen(handle, top=2, first="newest")["curves"]] == [6, 4]
    assert [line["number"] for line in seen(handle, trials="3,0,5")["curves"]] == [3, 0, 5]
    assert [line["number"] for line in seen(handle, where="number < 3")["curves"]] == [1, 0, 2]
    assert seen(handle)["curves"][-1]["value"] == "NaN"
    with pytest.raises(BadInput, match=r"no trial 7 \(there are 0 to 6\)"):
        seen(handle, trials=[7])


def test_any_metric_and_the_time_since_the_trial_began() -> None:
    log = storied()
    number = log.started()
    log.reported(number, {"loss": 1.0, "acc": 0.25}, {"loss": "Infinity"}, {"acc": 0.5})
    begun = log.events[-2].at
    reports = (Report(4.0, begun + 7.5, {"loss": 0.5}),)
    log.add(ev.TrialReported, trial=number, attempt=1, reports=reports, offsets={}, channel="file")
    handle = log.handle
    found = seen(handle, metric="acc")
    assert (found["metric"], found["goal"], found["metrics"]) == ("acc", None, ["loss", "acc"])
    assert (found["curves"][0]["x"], found["curves"][0]["y"]) == ([1.0, 3.0], [0.25, 0.5])
    timed = seen(handle, x="time")["curves"][0]
    assert timed["y"] == [1.0, "Infinity", 0.5]
    assert timed["x"][-1] == pytest.approx(7.5)
    with pytest.raises(BadInput, match=r"no trial has reported a metric 'ac' \(did you mean 'acc'"):
        seen(handle, metric="ac")


def test_marks_are_shared_and_ends_and_extremes_stay() -> None:
    log = storied()
    rng = np.random.default_rng(1)
    lengths = [400, 3, 250]
    for length in lengths:
        number = log.started()
        log.reported(number, *wired(rng.normal(size=length).tolist()))
        log.exited(number)
        log.completed(number, float(length))
    found = seen(log.handle, marks=100)
    assert found["points"] == sum(lengths)
    assert found["marks"] == sum(len(line["x"]) for line in found["curves"]) <= 100
    for line in found["curves"]:
        curve = whole(log.handle, line["number"])
        assert line["points"] == len(curve)
        assert set(zip(line["x"], line["y"], strict=True)) <= set(curve)
        assert (line["x"][0], line["x"][-1]) == (curve[0][0], curve[-1][0])
        assert {min(v for _, v in curve), max(v for _, v in curve)} <= set(line["y"])
    assert [len(line["x"]) for line in found["curves"] if line["number"] == 1] == [3]


def wired(values: list[float]) -> list[dict[str, WireNumber]]:
    return [{"loss": value} for value in values]


@settings(max_examples=30)
@given(st.lists(st.integers(0, 500), max_size=20), st.integers(1, 600))
def test_shares_use_the_room_and_no_more(lengths: list[int], marks: int) -> None:
    found = shares(np.array(lengths, dtype=np.int64), marks).tolist()
    assert all(0 <= given <= length for given, length in zip(found, lengths, strict=True))
    assert sum(found) <= marks
    if sum(lengths) <= marks:
        assert found == lengths
    elif lengths:
        cut = [given for given, length in zip(found, lengths, strict=True) if given < length]
        assert max(cut) - min(cut) <= 1
        assert sum(found) >= marks - len(lengths)


def test_a_curve_is_read_once_and_then_what_is_new() -> None:
    log = storied()
    number = log.started()
    log.reported(number, {"loss": 3.0})
    log.done(1.0)
    handle = Counting(log.handle)
    assert [line["y"] for line in seen(handle)["curves"]] == [[1.0], [3.0]]
    assert sorted(handle.read) == [(0, number), (0, 1)]
    handle.read.clear()
    assert [line["y"] for line in seen(handle, x="time")["curves"]] == [[1.0], [3.0]]
    assert [trial for _, trial in handle.read] == [number], "only the one that lives may have more"
    assert handle.read[0][0] > 0


class Counting(Handle):
    """Notes what is read of the log."""

    def __init__(self, handle: Handle) -> None:
        super().__init__(handle.store, handle.name)
        self.read: list[tuple[int, int | None]] = []

    def entries(self, *, after: int = 0, trial: int | None = None) -> Any:
        self.read.append((after, trial))
        return super().entries(after=after, trial=trial)


def test_a_trial_that_is_tried_again_begins_anew() -> None:
    log = storied()
    number = log.started()
    log.reported(number, {"loss": 3.0}, {"loss": 2.0})
    log.exited(number, how="interrupted", code=None)
    before = Still(log.handle)
    assert seen(before)["curves"][0]["y"] == [3.0, 2.0]  # type: ignore[arg-type]  # it is Readable
    log.add(ev.TrialRetried, trial=number, attempt=1, reason=Reason(by="runner", text="again"))
    log.started(number)
    log.reported(number, {"loss": 9.0})
    handle = log.handle
    assert seen(handle)["curves"][0]["y"] == [9.0] == [from_wire(y) for _, y in whole(handle, number)]


@pytest.mark.parametrize("count", [0, 2])
def test_without_reports_there_are_no_curves(count: int) -> None:
    log = storied()
    for _ in range(count):
        log.failed()
    found = seen(log.handle)
    assert (found["of"], found["shown"], found["curves"]) == (0, 0, [])


def test_without_an_objective_any_metric_is_drawn() -> None:
    log = storied(objectives=[])
    for value in (1.0, math.pi):
        number = log.started()
        log.reported(number, {"anything": value})
    found = seen(log.handle)
    assert found["metric"] == "anything"
    assert [line["number"] for line in found["curves"]] == [0, 1]
