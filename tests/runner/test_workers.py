"""How many trials a runner looks after at once, when that is changed while it works."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from rung.study import events as ev
from runner.stage import Stage, saw

pytestmark = pytest.mark.slow
Make = Callable[..., Stage]

TOGETHER = """
    touch here-$RUNG_TRIAL
    while [ $(ls here-* | wc -l) -lt 3 ]; do sleep 0.01; done
    echo loss: 1
"""


def more(study: Stage) -> None:
    """Somebody asks for three workers."""
    study.other.edit([("run.workers", "3")])


def most_at_once(events: list[Any]) -> int:
    """How many attempts were assigned and not over at the same time."""
    now = most = 0
    for event in events:
        now += isinstance(event, ev.AttemptAssigned) - isinstance(event, ev.TrialExited)
        most = max(most, now)
    return most


def test_a_runner_that_follows_the_study_obeys_at_once(stage: Make) -> None:
    """The first trial ends only when two more run beside it."""
    study = stage(TOGETHER, trials=3)
    study.when(saw(ev.TrialStarted), more)
    assert study.run(workers=None) == "done"
    assert study.states() == ["complete"] * 3
    [attached] = study.of(ev.RunnerAttached)
    assert (attached.workers, attached.follows) == (1, True)


def test_what_it_is_attached_with_is_what_readers_see(stage: Make) -> None:
    study = stage("echo loss: 1", trials=2)
    seen: list[list[int]] = []
    study.when(saw(ev.TrialStarted), more)
    study.when(saw(ev.SpecChanged), lambda s: seen.append([r.workers for r in s.other.state.runners.values()]))
    study.run(workers=None)
    assert seen == [[3]]


def test_fewer_workers_end_no_trial(stage: Make) -> None:
    study = stage("echo loss: 1; sleep 0.1", trials=5, workers=2)
    study.when(saw(ev.TrialStarted, trial=1), lambda s: s.other.edit([("run.workers", "1")]))
    study.run(workers=None)
    assert study.states() == ["complete"] * 5
    events = study.events()
    changed = next(i for i, event in enumerate(events) if isinstance(event, ev.SpecChanged))
    after = [event for event in events[changed:] if isinstance(event, ev.AttemptAssigned | ev.TrialExited)]
    assert most_at_once(events) == 2
    assert [event.kind for event in after][:2] == ["fact", "fact"]  # both ended before the next was assigned


def test_a_runner_with_workers_of_its_own_keeps_them(stage: Make) -> None:
    study = stage("echo loss: 1", trials=3)
    study.when(saw(ev.TrialStarted), more)
    study.run(workers=1)
    assert most_at_once(study.events()) == 1
    [attached] = study.of(ev.RunnerAttached)
    assert not attached.follows
