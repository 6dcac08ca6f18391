from __future__ import annotations

import json
import math
from typing import get_args

import pytest

from rung.model import Budget, LogError, Reason, Report, RunSettings, WireNumber
from rung.study import events as ev
from rung.testing.studies import PARAMETERS, study_spec

WHY = Reason(by="asha", text="rung 3: 0.4 > 0.3", phase="p", parent=2, space_version=1, data={"rung": 3})
CHANGE = ev.Change("budget.trials", 4, 9)

EXAMPLES: list[ev.Event] = [
    ev.StudyCreated(at=1.5, uid="ab", spec=study_spec(), seed=3, deterministic=True, provenance={"git": None}),
    ev.EarlierStudyRead(at=1.0, source=0, study="s", uid="u", total=3, params=({"lr": 0.1}, {}), losses=((0.5,), ("Infinity",)), violations=((0.0,), (2.0,))),
    ev.RunnerAttached(at=1.0, runner="r", epoch=2, host="h", pid=3, workers=4),
    ev.RunnerDetached(at=1.0, runner="r", epoch=2, why="lost"),
    ev.TrialStarted(at=1.0, trial=0, attempt=1, pid=3, ticks=4, boot="b", host="h", devices=("0", "1:50")),
    ev.TrialReported(
        at=1.0, trial=0, attempt=1, offsets={"stdout": 20}, channel="lines", notes=("a note",),
        reports=(Report(1.0, 2.0, {"loss": "NaN", "up": "Infinity", "down": "-Infinity", "x": 0.1}),),
    ),
    ev.TrialExited(at=1.0, trial=0, attempt=1, how="exited", code=0, tail="naïve\n“end” \x1b[0m"),
    ev.TimeSpent(at=1.0, seconds=60.0),
    ev.PauseRequested(at=1.0, who="cli:ann@h"),
    ev.UnpauseRequested(at=1.0),
    ev.StopRequested(at=1.0, now=True),
    ev.TrialStopRequested(at=1.0, trial=2),
    ev.TrialPauseRequested(at=1.0, who="cli:ann@node7", trial=0),
    ev.TrialUnpauseRequested(at=1.0, who="cli:ann@node7", trial=0),
    ev.RetryRequested(at=1.0, trial=2),
    ev.TrialEnqueued(at=1.0, params={"lr": 0.1, "opt": None, "deep": {"a": [1, "x"]}}),
    ev.TrialTold(at=1.0, trial=2, values={"loss": "-Infinity"}),
    ev.NotesChanged(at=1.0, who="page:ann@h", trial=2, text="naïve\n<b>", tagged=("good",), untagged=("old",), archived=False),
    ev.SpecChanged(at=1.0, changes=(CHANGE,), budget=Budget(trials=9), run=RunSettings(workers=2), parameters=PARAMETERS, constraints=("lr < 1",)),
    ev.TrialProposed(at=1.0, based_on=3, runner="r", epoch=1, free=2, trial=0, params={"lr": 1e-5}, reason=WHY, memo={"m": 1}, enqueued=0, seconds=0.25),
    ev.AttemptAssigned(at=1.0, based_on=3, runner="r", epoch=1, trial=0, attempt=1, resource=9.0, asked=True),
    ev.AttemptAdopted(at=1.0, based_on=3, runner="r", epoch=1, trial=0, attempt=1, previous=1),
    ev.TrialStopped(at=1.0, based_on=3, runner="r", epoch=1, trial=0, attempt=1, reason=WHY),
    ev.CheckpointLost(at=1.0, owner=0, attempt=1, name="3", why="it is not there any more"),
    ev.TrialPaused(at=1.0, based_on=3, runner="r", epoch=1, trial=0, attempt=1, reason=WHY),
    ev.TrialContinued(at=1.0, based_on=3, runner="r", epoch=1, trial=0, attempt=1, to=9.0, reason=WHY),
    ev.CheckpointsDropped(at=1.0, based_on=3, runner="r", epoch=1, dropped=(ev.Dropped(0, 1, "3"),)),
    ev.TrialRetried(at=1.0, based_on=3, runner="r", epoch=1, trial=0, attempt=1, reason=WHY, counted=True),
    ev.TrialCompleted(at=1.0, based_on=3, runner="r", epoch=1, trial=0, attempt=1, state="pruned", values=("NaN", 1.0), reason=WHY, error="e"),
    ev.StudyCompleted(at=1.0, based_on=3, runner="r", epoch=1, state="failed", reason=WHY),
]  # fmt: skip


def test_there_is_an_example_of_every_event() -> None:
    assert {type(event) for event in EXAMPLES} == set(get_args(ev.AnyEvent))


@pytest.mark.parametrize("event", EXAMPLES, ids=lambda event: type(event).__name__)
def test_round_trip(event: ev.Event) -> None:
    body = ev.encode(event)
    assert ev.decode(body, seq=1) == event
    assert json.loads(body)["event"] == type(event).__name__
    assert b"\n" not in body  # a log is exported as JSON lines


@pytest.mark.parametrize("event", EXAMPLES, ids=lambda event: type(event).__name__)
def test_a_newer_version_is_refused(event: ev.Event) -> None:
    tree = json.loads(ev.encode(event)) | {"v": 2}
    with pytest.raises(LogError, match=rf"entry 12 is {type(event).__name__} of version 2: upgrade Rung"):
        ev.decode(json.dumps(tree).encode(), seq=12)


@pytest.mark.parametrize(
    "body",
    [
        b'{"event":"TrialTeleported","at":1.0,"trial":3}',
        b'{"at":1.0}',
        b'{"event":"TrialExited","at":1.0,"trial":3,"attempt":1,"how":"vanished"}',
        b'{"event":"TrialExited","at":1.0,"trial":"three","attempt":1,"how":"exited"}',
        b"not json",
        b"",
        b"\xff\xfe",
    ],
)
def test_what_cannot_be_read_names_the_entry(body: bytes) -> None:
    with pytest.raises(LogError, match=r"^entry 7 of the log cannot be read"):
        ev.decode(body, seq=7)


def test_unknown_fields_of_the_same_version_are_let_through() -> None:
    tree = json.loads(ev.encode(ev.TimeSpent(at=1.0, seconds=2.0))) | {"joules": 3}
    assert ev.decode(json.dumps(tree).encode(), seq=1) == ev.TimeSpent(at=1.0, seconds=2.0)


def test_kinds() -> None:
    kinds = {event.kind for event in EXAMPLES}
    assert kinds == {"fact", "request", "decision"}
    assert all(hasattr(event, "based_on") == (event.kind == "decision") for event in EXAMPLES)


def test_numbers_come_back_exactly() -> None:
    values: dict[str, WireNumber] = {
        "a": 0.1,
        "b": 5e-324,
        "c": 1.7976931348623157e308,
        "d": -0.0,
        "e": float(2**53 + 2),
    }
    report = Report(1.0, 0.0, values)
    event = ev.TrialReported(at=0.0, trial=0, attempt=1, reports=(report,), offsets={}, channel="file")
    again = ev.decode(ev.encode(event), seq=1)
    assert isinstance(again, ev.TrialReported)
    assert again.reports[0].values == values
    assert math.copysign(1.0, float(again.reports[0].values["d"])) == -1.0
