"""Attaching a runner to a study in this process."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import threading
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rung.execute.forked import ForkedExecutor, ForkServer
from rung.execute.inline import InlineExecutor
from rung.inside.call import load
from rung.model import BadInput
from rung.plugins import find, policy_for
from rung.runner.loop import Observer, Runner, Say, Settings

if TYPE_CHECKING:
    from rung.api.handle import Handle
    from rung.execute.base import Executor
    from rung.inside.call import Objective

ENDINGS = {signal.SIGINT: "interrupted", signal.SIGTERM: "terminated", signal.SIGHUP: "hangup"}
RunnerMade = Callable[[Runner, asyncio.AbstractEventLoop], None]


def runs_directory(handle: Handle) -> Path:
    """Where the study's trials write: recorded when it was created."""
    return Path(handle.state.created.provenance.get("runs") or "runs").absolute()


def attach(handle: Handle, *, workers: int, observe: Observer, say: Say) -> str:
    """The study has been worked on here until it was over or a signal came; returns why the runner ended.

    Raises `BadInput` for a study that has no program: only the process that asks for its trials can run them.
    """
    spec = handle.state.spec
    if spec.command is None and spec.function is None:
        raise BadInput(
            f"study {handle.name} has no command: its trials run inside the Python program that made it; "
            "run that program again"
        )
    settings = Settings(study=handle.name, runs=runs_directory(handle), workers=workers)

    def make(executor: Executor) -> Runner:
        return Runner(handle.store, executor, policy_for, settings, observe=observe, say=say)

    if spec.run.executor == "inline":
        os.chdir(spec.run.cwd or ".")
        if spec.function is None:
            raise BadInput("the inline executor runs a Python function; this study runs a command")
        return run_inline(load(spec.function), make)
    return asyncio.run(_work(lambda: find("execute", spec.run.executor)(), make, None))


async def _work(
    make_executor: Callable[[], Executor], make: Callable[[Executor], Runner], made: RunnerMade | None
) -> str:
    runner = make(make_executor())
    loop = asyncio.get_running_loop()
    if made is not None:
        made(runner, loop)
        return await runner.run()
    with _signals(runner, loop):
        return await runner.run()


@contextlib.contextmanager
def _signals(runner: Runner, loop: asyncio.AbstractEventLoop) -> Iterator[None]:
    """The runner ends as the signals say, instead of this process."""
    caught = [number for number in ENDINGS if signal.getsignal(number) is not signal.SIG_IGN]  # nohup stays nohup
    for number in caught:
        loop.add_signal_handler(number, runner.end, ENDINGS[number])
    try:
        yield
    finally:
        for number in caught:
            loop.remove_signal_handler(number)


def run_inline(objective: Objective, make: Callable[[Executor], Runner]) -> str:
    """The loop runs in a thread of its own and the objective in this one, where a breakpoint works."""
    return run_beside(lambda: InlineExecutor(objective), make, while_it_runs=lambda runner: runner.executor.run_here())


def run_forked(objective: Objective, make: Callable[[Executor], Runner]) -> str:
    """The objective runs in forks of this process as it is now, made before any thread of ours exists. Linux."""
    server = ForkServer(objective)
    try:
        return run_beside(lambda: ForkedExecutor(server), make)
    finally:
        server.close()


def run_beside(
    make_executor: Callable[[], Executor],
    make: Callable[[Executor], Runner],
    *,
    while_it_runs: Callable[[Any], None] | None = None,
) -> str:
    """The loop runs in a thread of its own (so it works inside a notebook's loop). Ctrl-C here ends the runner."""
    outcome: dict[str, Any] = {}
    ready = threading.Event()
    found: list[tuple[Runner, asyncio.AbstractEventLoop]] = []

    def made(runner: Runner, loop: asyncio.AbstractEventLoop) -> None:
        found.append((runner, loop))
        ready.set()

    def main() -> None:
        try:
            outcome["why"] = asyncio.run(_work(make_executor, make, made))
        except BaseException as error:  # noqa: BLE001 - it is raised again in the caller's thread
            outcome["error"] = error
        finally:
            ready.set()

    thread = threading.Thread(target=main, name="rung-runner")
    thread.start()
    ready.wait()
    work: list[Callable[[], None]] = [thread.join]
    if while_it_runs is not None and found:
        work.insert(0, partial(while_it_runs, found[0][0]))
    _wait(work, found)
    if "error" in outcome:
        raise outcome["error"]
    return str(outcome["why"])


def _wait(work: list[Callable[[], None]], found: list[tuple[Runner, asyncio.AbstractEventLoop]]) -> None:
    """All of the work is done, one after the other; each Ctrl-C is passed on to the runner."""
    while work:
        try:
            work[0]()
            work.pop(0)
        except KeyboardInterrupt:
            for runner, loop in found:
                with contextlib.suppress(RuntimeError):  # the loop has just closed: nothing is left to end
                    loop.call_soon_threadsafe(runner.end, "interrupted")
