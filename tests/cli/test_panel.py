"""What is shown while a study runs."""

from __future__ import annotations

import io
from pathlib import Path

import msgspec
import pytest
from rich.console import Console

from cli.conftest import Call
from rung.analysis.wording import last_line
from rung.api.handle import Handle
from rung.cli.drawing import drawn
from rung.cli.panel import ending
from rung.cli.standing import Progress
from rung.plugins import open_store
from rung.study import events as ev
from rung.study.state import State


@pytest.fixture
def told(study: Path) -> list[tuple[int, ev.AnyEvent]]:
    """The events of the finished study."""
    store = open_store("sqlite:///runs/rung.db")
    found = list(Handle(store, "score-1").story())
    store.close()
    return found


def replayed(told: list[tuple[int, ev.AnyEvent]], *, until: type[ev.Event]) -> tuple[State, Progress]:
    """The state and the panel's values right after the first event of that type."""
    state = State.begin(told[0][1], seq=1)

    class Watched:
        name = "score-1"

    watched = Watched()
    watched.state = state  # type: ignore[attr-defined]
    progress = Progress(watched)  # type: ignore[arg-type]
    for seq, event in told[1:]:
        state.apply(seq, event)
        progress.follow(state, [event])
        if isinstance(event, until):
            return state, progress
    raise AssertionError(until)


def text_of(progress: Progress, *, width: int = 80) -> str:
    """The panel as plain text."""
    console = Console(file=io.StringIO(), width=width, force_terminal=False)
    console.print(drawn(progress, width=width))
    return console.file.getvalue()  # type: ignore[attr-defined, no-any-return]


def test_the_panel_of_a_running_trial(told: list[tuple[int, ev.AnyEvent]]) -> None:
    _, progress = replayed(told, until=ev.TrialReported)
    text = text_of(progress)
    assert "score-1" in text
    assert "0/5 trials" in text
    assert "1 running" in text
    assert "loss" in text
    assert all(len(line) == 80 for line in text.splitlines())


def test_the_panel_of_a_finished_study(told: list[tuple[int, ev.AnyEvent]]) -> None:
    _, progress = replayed(told, until=ev.StudyCompleted)
    text = text_of(progress)
    assert "4/5 trials" in text
    assert "4 complete · 1 failed" in text
    assert "best loss 0  trial 2" in text
    assert "x 2" in text
    assert progress.running == {}


def test_what_a_program_says_cannot_steer_the_terminal(told: list[tuple[int, ev.AnyEvent]]) -> None:
    state, progress = replayed(told, until=ev.TrialReported)
    from rung.model import Report

    evil = ev.TrialReported(
        at=0, trial=0, attempt=1, reports=(Report(1, 0, {"\x1b[2J[red]": 1.0}),), offsets={}, channel="json"
    )
    progress.follow(state, [evil])
    text = text_of(progress)
    assert "\x1b" not in text
    assert "[red] 1" in text  # no markup of ours, and no sequence of the terminal's
    assert last_line("a\x1b[31m\nb\rc") == "a"


def test_a_value_that_is_no_number_is_not_called_the_best(told: list[tuple[int, ev.AnyEvent]]) -> None:
    state, lines = State.begin(told[0][1], seq=1), []
    for seq, event in told[1:]:
        is_first = isinstance(event, ev.TrialCompleted) and event.trial == 0
        changed = msgspec.structs.replace(event, values=("NaN",)) if is_first else event
        state.apply(seq, changed)
        lines.append(ending(state, changed, is_best=True))
    first = next(line for line in lines if line is not None)
    assert first.startswith("trial 0 complete: loss NaN  ")


def test_the_line_of_a_finished_trial(told: list[tuple[int, ev.AnyEvent]]) -> None:
    state = State.begin(told[0][1], seq=1)
    lines = []
    for seq, event in told[1:]:
        state.apply(seq, event)
        lines.append(ending(state, event, is_best=True))
    said = [line for line in lines if line is not None]
    assert len(said) == 5
    assert said[2].startswith("trial 2 complete: loss 0 (best)  ")
    assert said[2].endswith("  x=2")
    assert said[4].startswith("trial 4 failed: ")
    assert "ValueError: four is right out" in said[4]


def test_time_left_follows_the_pace_and_the_time_budget(
    told: list[tuple[int, ev.AnyEvent]], monkeypatch: pytest.MonkeyPatch
) -> None:
    _, progress = replayed(told, until=ev.TrialReported)
    assert progress.left_s() is None
    progress.ended_here, progress.counts = 2, progress.counts | {"complete": 2}
    begun = progress.begun
    monkeypatch.setattr("rung.cli.standing.time.monotonic", lambda: begun + 10)
    assert progress.left_s() == 15
    import msgspec

    budget = msgspec.structs.replace(progress.spec.budget, time_s=progress.spent + 4)
    progress.spec = msgspec.structs.replace(progress.spec, budget=budget)
    assert progress.left_s() == pytest.approx(4)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("exit status 1: Traceback\n  File x\nValueError: no", "exit status 1: ValueError: no"),
        ("killed", "killed"),
        ("", ""),
        ("\n\n", ""),
    ],
)
def test_last_line(text: str, expected: str) -> None:
    assert last_line(text) == expected


def test_nobody_reading_does_not_end_a_study(call: Call, study: Path) -> None:
    from rung.cli.panel import Lines

    class Gone(io.StringIO):
        def write(self, text: str) -> int:
            raise BrokenPipeError

    store = open_store("sqlite:///runs/rung.db")
    lines = Lines(Handle(store, "score-1"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.stderr", Gone())
        lines.say("hello")
    store.close()
