"""Runners in processes of their own, started for somebody who cannot wait for them: the page.

What such a process does is ours alone: a verb of `rung`, on a study that is in the store already. Nothing of its
command line comes from whoever asks.
"""

from __future__ import annotations

import contextlib
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from rung.api.places import runs_directory
from rung.model import BadInput, RungError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rung.api.handle import Handle
    from rung.model import StudyState

LOG = "runner.log"
PATIENCE_S = 20.0  # after which a runner that is not attached yet is left to come
LOOK_S = 0.05
WORDS_KEPT = 400  # characters of what a runner said last
# As the installed script begins: `-m` and `-c` put the working directory first on the path of modules, where a file of
# the user's may bear the name of one of Python's own.
PROGRAM = "import sys; sys.path[:1] == [''] and sys.path.pop(0); from rung.cli.main import main; sys.exit(main())"


class Started(msgspec.Struct, frozen=True):
    """A runner's process, and the file that holds what it says."""

    pid: int
    log: Path


def resume(handle: Handle, *, workers: int | None = None, patience_s: float = PATIENCE_S) -> Started:
    """A runner works on the study in a process of its own, which outlives this one; with `workers` of its own, else
    with those of the study, whatever they are changed to.

    It has attached by then, or is about to after `patience_s`. Raises `BadInput` for a study that cannot be gone on
    with here, `RungError` with the runner's own last words when it has ended at once.
    """
    check_resumable(handle)
    words = ["resume", handle.name, "--store", handle.store.url]
    words += [] if workers is None else ["--workers", str(workers)]
    with _turn((handle.store.url, handle.name)):
        handle.refresh()
        check_resumable(handle)
        return start_runner(handle, words, patience_s=patience_s)


def check_resumable(handle: Handle) -> None:
    """A runner may attach. Raises `BadInput` saying why not, and what to do."""
    state, name = handle.state, handle.name
    if handle.store.url.startswith("memory:"):
        raise BadInput(f"study {name} is in the memory of one process: no other one can work on it")
    if not state.spec.runs_something:
        raise BadInput(
            f"study {name} has no command: its trials run inside the Python program that made it; "
            "run that program again"
        )
    if state.switches.completed is not None:
        raise BadInput(
            f"study {name} is over ({state.switches.completed.reason.text}): a larger budget, a retry or an enqueued "
            "configuration opens it again"
        )
    if "simulated" in state.created.provenance:
        raise BadInput(f"study {name} is simulated: go on with `rung simulate`, as it was begun")
    if handle.status() != "interrupted":
        raise BadInput(f"a runner is attached to study {name} already; to have more trials at once change run.workers")


def resumable(handle: Handle, status: StudyState) -> bool:
    """Whether the page may start a runner of the study, which stands at `status`."""
    spec, url = handle.state.spec, handle.store.url
    simulated = "simulated" in handle.state.created.provenance
    return status == "interrupted" and spec.runs_something and not simulated and not url.startswith("memory:")


def start_runner(handle: Handle, words: Sequence[str], *, patience_s: float = PATIENCE_S) -> Started:
    """`rung WORDS…` runs in a session of its own, in the working directory of this process, and has attached to the
    study (or is about to after `patience_s`). What it says is in `runs/STUDY/runner.log`.

    Raises `RungError` with its last words when it ended at once and left the study as it was.
    """
    folder = runs_directory(handle) / handle.name
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / LOG
    with log.open("ab") as said:
        begun = said.tell()
        process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, *words],
            stdin=subprocess.DEVNULL, stdout=said, stderr=said, start_new_session=True,
        )  # fmt: skip
    # Whoever starts a process must wait for it, or it stays in the process table when it is gone.
    threading.Thread(target=process.wait, name="rung-reaper", daemon=True).start()
    code = _attached(handle, process, patience_s)
    if code:
        raise RungError(f"the runner ended at once (exit code {code}): {_last_words(log, begun)}")
    return Started(process.pid, log)


def _attached(handle: Handle, process: subprocess.Popen[bytes], patience_s: float) -> int | None:
    """None once the runner has attached, is over having ended the study, or is waited for no longer; else its exit
    code."""
    until = time.monotonic() + patience_s
    while time.monotonic() < until:
        code = process.poll()
        handle.refresh()
        if any(runner.pid == process.pid for runner in handle.state.runners.values()):
            return None
        if code is not None:
            return None if handle.state.switches.completed is not None else code
        time.sleep(LOOK_S)
    return None


def _last_words(log: Path, begun: int) -> str:
    with log.open("rb") as file:
        file.seek(begun)
        lines = file.read().decode(errors="replace").strip().splitlines()
    text = lines[-1].removeprefix("rung: ") if lines else "it said nothing"
    return text if len(text) <= WORDS_KEPT else f"{text[:WORDS_KEPT]}…"


@contextlib.contextmanager
def _turn(study: tuple[str, str]) -> Iterator[None]:
    """One at a time: two clicks must not start two runners of one study."""
    with _lock:
        if study in _being_started:
            raise BadInput(f"a runner of study {study[1]} is being started already")
        _being_started.add(study)
    try:
        yield
    finally:
        with _lock:
            _being_started.discard(study)


_lock = threading.Lock()
_being_started: set[tuple[str, str]] = set()  # store and name

__all__ = ["LOG", "Started", "check_resumable", "resumable", "resume", "start_runner"]
