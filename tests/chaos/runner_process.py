"""A runner as a process of its own, as `rung run` and `rung resume` make one, with places where it can be made to die.

The study is made when there is none of that name. What the runner says goes to a file, and at the end `ended WHY`.
Faults are put into the running process from here; the package knows nothing of them.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

import msgspec

from rung.api.attachment import attach
from rung.api.creation import create_or_continue, created_event
from rung.api.handle import Handle
from rung.api.targets import Options, budgeted, resolve
from rung.execute import attempt
from rung.execute.local import LocalExecutor
from rung.execute.watcher import Watcher
from rung.model import UnknownStudy
from rung.plugins import open_store
from rung.runner.log import Log
from rung.store.errors import StoreMissing
from rung.study import events as ev

GATE = """
# The wrapper, as if the machine were slow: it begins when somebody makes the file {gate}.
while [ ! -e "{gate}" ]; do sleep 0.02; done
exec sh "{wrapper}" "$@"
"""


class Order(msgspec.Struct, kw_only=True):
    """What to run. `faults`: `NAME` to the number of the call at which this process dies (see `FAULTS`)."""

    store: str
    runs: str
    study: str
    command: list[str]
    options: Options = Options()
    workers: int = 4
    faults: dict[str, int] = {}
    gate: str = ""
    clock_back_s: float = 0.0
    clock_back_at: int = 0


def dying(call: Callable[..., Any], number: int, *, when: str, counts: Callable[..., bool]) -> Callable[..., Any]:
    """`call`, but its `number`-th time this process is killed right `before` or `after`."""
    seen = 0

    @wraps(call)
    def fatal(*args: Any, **kwargs: Any) -> Any:
        nonlocal seen
        seen += counts(*args, **kwargs)
        if when == "before" and seen == number:
            os.kill(os.getpid(), signal.SIGKILL)
        result = call(*args, **kwargs)
        if seen == number:
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    return fatal


def always(*_: object, **__: object) -> bool:
    """Every call counts."""
    return True


def tells(kind: type[ev.Event]) -> Callable[..., bool]:
    """Appends that hold such an event count."""
    return lambda _, events, **__: any(isinstance(event, kind) for event in events)


# name: (class, method, before or after, which calls count)
FAULTS: dict[str, tuple[type[Any], str, str, Callable[..., bool]]] = {
    "before_spawn": (LocalExecutor, "start", "before", always),
    "after_spawn": (LocalExecutor, "start", "after", always),
    "before_started_logged": (Log, "append", "before", tells(ev.TrialStarted)),
    "before_report_logged": (Log, "append", "before", tells(ev.TrialReported)),
    "after_report_logged": (Log, "append", "after", tells(ev.TrialReported)),
    "before_exit_logged": (Log, "append", "before", tells(ev.TrialExited)),
    "after_exit_logged": (Log, "append", "after", tells(ev.TrialExited)),
    "before_decision": (Log, "append_decisions", "before", always),
    "after_decision": (Log, "append_decisions", "after", always),
    "before_stop": (LocalExecutor, "stop", "before", always),
    "before_adoption": (LocalExecutor, "adopt", "before", always),
}


def set_faults(order: Order) -> None:
    """The faults of the order are in place."""
    for name, number in order.faults.items():
        owner, method, when, counts = FAULTS[name]
        setattr(owner, method, dying(getattr(owner, method), number, when=when, counts=counts))
    if order.gate:
        slow = Path(order.runs, "slow-wrapper.sh")
        slow.parent.mkdir(parents=True, exist_ok=True)
        slow.write_text(GATE.format(gate=order.gate, wrapper=attempt.WRAPPER))
        attempt.WRAPPER = str(slow)
    if order.clock_back_s:
        calls = iter(range(1 << 60))
        Watcher.clock = lambda self: time.time() - (next(calls) >= order.clock_back_at) * order.clock_back_s  # type: ignore[method-assign]


def opened(order: Order) -> Handle:
    """The study, made if there is none."""
    store = open_store(order.store)
    try:
        return Handle(store, order.study)
    except (StoreMissing, UnknownStudy):
        cwd = Path(order.runs)
        options = msgspec.structs.replace(order.options, name=order.study)
        spec, _ = budgeted(resolve(None, order.command, options, cwd=cwd).spec)
        event = created_event(spec, runs=cwd, cwd=cwd, command_line=[], surface="test")
        return create_or_continue(store, event, stem=order.study).handle


def run(path: str) -> None:
    """The runner has run: `path` is that of its order."""
    order = msgspec.json.decode(Path(path).read_bytes(), type=Order)
    set_faults(order)

    def say(text: str) -> None:
        print(text, flush=True)

    why = attach(opened(order), workers=order.workers, observe=lambda _, __: None, say=say)
    say(f"ended {why}")
