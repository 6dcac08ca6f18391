"""A study made and worked on by a runner in this process, with everything its log holds seen as it becomes durable."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

from rung.api.attachment import attach
from rung.api.creation import create, created_event
from rung.api.targets import Options, resolve
from rung.plugins import open_store
from rung.study import events as ev

if TYPE_CHECKING:
    from pathlib import Path

    from rung.api.handle import Handle

Seen = Callable[[ev.AnyEvent], None]


def study_of(folder: Path, name: str, script: str, *, trials: int, workers: int, target: float | None = None,
             schedule: str = "none") -> Handle:  # fmt: skip
    """A new study whose trials run `python SCRIPT`, in a store of its own in `folder`."""
    options = Options(
        params=("x=uniform(0,1)",), metrics=("loss",), search="random", seed=0, name=name, trials=trials,
        workers=workers, target=target, schedule=schedule,
    )  # fmt: skip
    found = resolve(None, [sys.executable, script], options, cwd=folder)
    event = created_event(found.spec, runs=folder / "runs", cwd=folder, command_line=[], surface="python")
    return create(open_store(f"sqlite:///{folder}/rung.db"), event, stem=name)


def work(handle: Handle, *, workers: int, seen: Seen) -> None:
    """The study is over; `seen` was called with each event right after it was appended."""

    def observe(_: object, events: object) -> None:
        for event in events:  # type: ignore[attr-defined]
            seen(event)

    why = attach(handle, workers=workers, observe=observe, say=lambda line: print(line, file=sys.stderr))
    assert why == "done", why
