"""How the end of an attempt is named, and what is told once only."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from rung.execute import attempt
from rung.execute.base import Cursor, Exited, Reported, Started
from rung.model import Reason, Report
from rung.runner.facts import Watched, facts_of, gone
from rung.runner.identity import myself
from rung.study import events as ev
from rung.study.live import Live

HERE = msgspec.structs.replace(myself(), host="here", boot="today")
STARTED = Started(key="k", pid=7, ticks=8, boot="today")


def told(event: Started | Reported | Exited, watched: Watched | None = None, **live: object) -> list[ev.Fact]:
    of = msgspec.structs.replace(Live(3, attempt=2, host="here"), **live)
    return list(facts_of(event, watched or Watched(3, 2, "/nowhere"), of, here=HERE, at=1.0))


def how(event: Exited, watched: Watched | None = None, **live: object) -> str:
    (fact,) = told(event, watched, **live)
    assert isinstance(fact, ev.TrialExited)
    return fact.how


@pytest.mark.parametrize(
    ("exited", "boot", "host", "named"),
    [
        ("exited", "today", "here", "exited"),
        ("timeout", "today", "here", "timeout"),
        ("never", "", "here", "never"),
        ("lost", "today", "here", "killed"),
        ("lost", "", "here", "killed"),
        ("lost", "yesterday", "here", "lost"),
        ("lost", "today", "elsewhere", "lost"),
    ],
)
def test_an_end_without_a_status_is_a_kill_only_where_the_machine_is_still_up(
    exited: str, boot: str, host: str, named: str
) -> None:
    event = msgspec.convert({"key": "k", "how": exited}, Exited)
    assert how(event, boot=boot, host=host) == named


def test_the_boot_counts_that_was_told_though_it_is_not_in_the_log_yet() -> None:
    watched = Watched(3, 2, "/nowhere")
    told(msgspec.structs.replace(STARTED, boot="yesterday"), watched)
    assert how(Exited(key="k", how="lost"), watched) == "lost"


@pytest.mark.parametrize(
    ("exited", "named"),
    [("exited", "interrupted"), ("lost", "interrupted"), ("timeout", "timeout"), ("never", "never")],
)
def test_what_ran_when_the_runner_was_told_to_end_was_interrupted(exited: str, named: str) -> None:
    event = msgspec.convert({"key": "k", "how": exited}, Exited)
    assert how(event, Watched(3, 2, "/nowhere", interrupted=True)) == named


@pytest.mark.parametrize(("stop", "named"), [(None, "interrupted"), (Reason(by="user", text="stop"), "exited")])
def test_what_a_runner_that_was_killed_meanwhile_had_asked_to_end_was_interrupted(
    tmp_path: Path, stop: Reason | None, named: str
) -> None:
    """Unless the log says why it was to end: then it is that."""
    attempt.ask_to_stop(str(tmp_path))
    assert how(Exited(key="k", how="exited", code=143), Watched(3, 2, str(tmp_path)), stop=stop) == named


def test_a_beginning_is_told_once() -> None:
    watched = Watched(3, 2, "/nowhere")
    (first,) = told(STARTED, watched)
    assert isinstance(first, ev.TrialStarted)
    assert (first.trial, first.attempt, first.pid, first.host) == (3, 2, 7, "here")
    assert told(STARTED, watched) == []
    assert told(STARTED, Watched(3, 2, "/nowhere"), started=5.0) == [], "the log has it already"


def test_a_drain_is_one_event_with_its_cursor() -> None:
    report, cursor = Report(4, 1.0, {"loss": "NaN"}), Cursor({"stdout": 10}, 1, 4, "json")
    (fact,) = told(Reported(key="k", reports=[report], cursor=cursor, notes=["n"]))
    assert fact == ev.TrialReported(
        at=1.0, trial=3, attempt=2, reports=(report,), offsets={"stdout": 10}, channel="json", notes=("n",)
    )


def test_an_attempt_out_of_reach_is_lost_and_an_asked_one_has_failed() -> None:
    assert gone(Live(3, attempt=2), at=1.0).how == "lost"
    assert gone(Live(3, attempt=2, asked=True), at=1.0).how == "killed"


def test_why_a_configuration_was_refused_is_a_fact() -> None:
    (fact,) = told(Exited(key="k", how="exited", code=1, invalid="too wide"))
    assert isinstance(fact, ev.TrialExited)
    assert fact.invalid == "too wide"
