"""Attaching a runner to a study in this process."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rung.api.mirroring import mirrored
from rung.api.places import runs_directory
from rung.api.provenance import changed_plugins
from rung.execute.forked import ForkedExecutor, ForkServer
from rung.execute.inline import InlineExecutor
from rung.inside.call import load
from rung.model import BadInput
from rung.plugins import find, launcher_for, policy_for
from rung.runner.loop import Runner, Say, Settings

if TYPE_CHECKING:
    from rung.api.handle import Handle
    from rung.execute.base import Executor
    from rung.inside.call import Objective
    from rung.runner.seat import Observer
    from rung.study.state import State

ENDINGS = {signal.SIGINT: "interrupted", signal.SIGTERM: "terminated", signal.SIGHUP: "hangup"}
RunnerMade = Callable[[Runner, asyncio.AbstractEventLoop], None]


def attach(
    handle: Handle,
    *,
    workers: int | None,
    observe: Observer,
    say: Say,
    until: Callable[[State], bool] | None = None,
    made: Callable[[Runner], None] | None = None,
) -> str:
    """The study has been worked on here until it was over, `until` held, or a signal came; returns why it ended.
    `workers` None: as many as the study says, whatever that is changed to. `made` is given the runner before it begins.

    Raises `BadInput` for a study that has no program: only the process that asks for its trials can run them.
    """
    spec = handle.state.spec
    if not spec.runs_something:
        raise BadInput(
            f"study {handle.name} has no command: its trials run inside the Python program that made it; "
            "run that program again"
        )
    for text in changed_plugins(handle.state.created):
        say(f"warning: {text}")
    runs = runs_directory(handle)
    settings = Settings(study=handle.name, runs=runs, workers=workers, until=until, launch=launcher_for(spec))
    with mirrored(handle, runs=runs, say=say) as mirroring:
        mirroring.why = why = _attached(handle, settings, observe=mirroring.beside(observe), say=say, made=made)
    return why


def _attached(
    handle: Handle, settings: Settings, *, observe: Observer, say: Say, made: Callable[[Runner], None] | None
) -> str:
    spec = handle.state.spec

    def make(executor: Executor) -> Runner:
        runner = Runner(handle.store, executor, policy_for, settings, observe=observe, say=say)
        if made is not None:
            made(runner)
        return runner

    if spec.run.executor == "inline":
        os.chdir(spec.run.cwd or ".")
        sys.path.insert(0, str(Path.cwd()))  # where a trial of its own process would find the module first
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
    ready, over = threading.Event(), threading.Event()
    interrupts = _Interrupts()

    def made(runner: Runner, loop: asyncio.AbstractEventLoop) -> None:
        interrupts.goes_to(runner, loop)
        ready.set()

    def main() -> None:
        try:
            outcome["why"] = asyncio.run(_work(make_executor, make, made))
        except BaseException as error:  # noqa: BLE001 - it is raised again in the caller's thread
            outcome["error"] = error
        finally:
            ready.set()
            over.set()

    thread = threading.Thread(target=main, name="rung-runner")
    with interrupts:
        thread.start()
        interrupts.through(ready.wait)
        if while_it_runs is not None and interrupts.runner is not None:
            interrupts.through(partial(while_it_runs, interrupts.runner))
        interrupts.through(over.wait)  # not `thread.join`: before Python 3.13 one that is interrupted returns too early
    thread.join()
    if "error" in outcome:
        raise outcome["error"]
    return str(outcome["why"])


class _Interrupts:
    """Each Ctrl-C is passed on to the runner, before the objective that it interrupts in this thread can end by it."""

    def __init__(self) -> None:
        self.runner: Runner | None = None
        self.loop: asyncio.AbstractEventLoop | None = None
        self.early = self.handled = False
        self.before: Any = None

    def __enter__(self) -> None:
        if threading.current_thread() is threading.main_thread():  # elsewhere Python gives no signals
            self.before = signal.getsignal(signal.SIGINT)
        if callable(self.before):
            signal.signal(signal.SIGINT, self._handle)

    def __exit__(self, *_: object) -> None:
        if callable(self.before):
            signal.signal(signal.SIGINT, self.before)

    def goes_to(self, runner: Runner, loop: asyncio.AbstractEventLoop) -> None:
        """From now on it is this runner that is ended."""
        self.runner, self.loop = runner, loop
        if self.early:
            runner.end("interrupted")

    def through(self, work: Callable[[], object]) -> None:
        """The work is done, begun again after each interrupt."""
        while True:
            try:
                work()
            except KeyboardInterrupt:
                if not self.handled:  # raised by the objective itself
                    self._pass_on()
                self.handled = False
            else:
                return

    def _handle(self, number: int, frame: Any) -> None:
        self._pass_on()
        self.handled = True
        self.before(number, frame)

    def _pass_on(self) -> None:
        if self.runner is None or self.loop is None:
            self.early = True
            return
        with contextlib.suppress(RuntimeError):  # the loop has just closed: nothing is left to end
            self.loop.call_soon_threadsafe(self.runner.end, "interrupted")
