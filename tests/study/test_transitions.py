"""The table, cell by cell, against a list that was written down by hand."""

from __future__ import annotations

import re
from typing import Any

import pytest

from rung.model import LogError, Reason
from rung.study import events as ev
from rung.study.transitions import FINAL, LIVE, PUBLIC, TABLE, Phase, after, mermaid

WHY = Reason(by="test", text="because")
BASE: dict[str, Any] = {"at": 0.0, "based_on": 1, "runner": "r", "epoch": 1, "trial": 7}

EVENTS: dict[str, ev.Event] = {
    "proposed": ev.TrialProposed(**BASE, params={}, reason=WHY),
    "assigned": ev.AttemptAssigned(**BASE, attempt=1),
    "adopted": ev.AttemptAdopted(**BASE, attempt=1, previous=1),
    "started": ev.TrialStarted(at=0.0, trial=7, attempt=1, pid=1, ticks=1, boot="b", host="h"),
    "reported": ev.TrialReported(at=0.0, trial=7, attempt=1, reports=(), offsets={}, channel="file"),
    "exited": ev.TrialExited(at=0.0, trial=7, attempt=1, how="exited", code=0),
    "stopped": ev.TrialStopped(**BASE, attempt=1, reason=WHY),
    "paused": ev.TrialPaused(**BASE, attempt=1, reason=WHY),
    "continued": ev.TrialContinued(**BASE, attempt=1, to=9.0, reason=WHY),
    "retried": ev.TrialRetried(**BASE, attempt=1, reason=WHY),
    "complete": ev.TrialCompleted(**BASE, attempt=1, state="complete", values=(1.0,)),
    "pruned": ev.TrialCompleted(**BASE, attempt=1, state="pruned", values=(1.0,)),
    "failed": ev.TrialCompleted(**BASE, attempt=1, state="failed", error="boom"),
}

LEGAL = """
    new       proposed  waiting
    waiting   assigned  starting
    waiting   complete  complete
    waiting   pruned    pruned
    waiting   failed    failed
    starting  started   running
    starting  reported  starting
    starting  exited    ended
    starting  stopped   stopping
    starting  adopted   starting
    starting  paused    pausing
    starting  continued starting
    running   reported  running
    running   exited    ended
    running   stopped   stopping
    running   adopted   running
    running   paused    pausing
    running   continued running
    stopping  started   stopping
    stopping  reported  stopping
    stopping  exited    ended
    stopping  adopted   stopping
    pausing   started   pausing
    pausing   reported  pausing
    pausing   exited    paused
    pausing   stopped   stopping
    pausing   adopted   pausing
    paused    continued waiting
    paused    complete  complete
    paused    pruned    pruned
    paused    failed    failed
    ended     paused    paused
    ended     continued waiting
    ended     retried   waiting
    ended     complete  complete
    ended     pruned    pruned
    ended     failed    failed
    ended     stopped   ended
    complete  retried   waiting
    pruned    retried   waiting
    failed    retried   waiting
"""
FOLLOWS = {
    (phase, event): target for phase, event, target in (line.split() for line in LEGAL.split("\n") if line.strip())
}


@pytest.mark.parametrize("name", EVENTS)
@pytest.mark.parametrize("phase", Phase)
def test_each_cell(phase: Phase, name: str) -> None:
    event, target = EVENTS[name], FOLLOWS.get((phase.name.lower(), name))
    if target is not None:
        assert after(phase, event, trial=7) is Phase[target.upper()]
        return
    with pytest.raises(LogError, match=re.escape(f"trial 7 is {phase.name.lower()}: {type(event).__name__}")):
        after(phase, event, trial=7)


def test_requests_are_not_in_the_table() -> None:
    assert not any(issubclass(event, ev.Request) for row in TABLE.values() for event in row)


def test_every_phase_but_the_first_has_a_public_name() -> None:
    assert set(PUBLIC) == set(Phase) - {Phase.NEW}
    assert LIVE.isdisjoint(FINAL)


def test_the_diagram_draws_exactly_the_table() -> None:
    drawn = re.findall(r"^ {4}(\S+) --> (\w+): (\w+)$", mermaid(), re.MULTILINE)
    expected = {
        ("[*]" if phase == "new" else phase, target, type(EVENTS[event]).__name__)
        for (phase, event), target in FOLLOWS.items()
    }
    assert set(drawn) == expected
    assert re.findall(r"^ {4}(\w+) --> \[\*\]$", mermaid(), re.MULTILINE) == ["complete", "pruned", "failed"]
