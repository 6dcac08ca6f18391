"""A study in a real store, a runner in this process, and somebody else who asks for things while it runs."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from rung.api.creation import create, created_event
from rung.api.handle import Handle
from rung.execute.base import Executor
from rung.execute.local import LocalExecutor
from rung.model import Budget, Objective, Parameter, RunSettings, SearchSpec, StudySpec
from rung.plugins import policy_for
from rung.runner.log import read
from rung.runner.loop import Runner, Settings
from rung.store.base import Store
from rung.store.sqlite import SqliteStore
from rung.study import events as ev
from rung.study.engine import PolicyFactory
from rung.study.invariants import broken
from rung.study.replay import check
from rung.study.state import State

QUICK = "echo loss: 1"
ENDLESS = "echo loss: 1; exec sleep 100"

When = Callable[[ev.AnyEvent], bool]
Then = Callable[["Stage"], object]


def saw(kind: type[ev.Event], **fields: object) -> When:
    """Whether an event is of this kind and has these fields."""
    return lambda event: isinstance(event, kind) and all(getattr(event, k) == v for k, v in fields.items())


class Stage:
    """One study, its trials running the shell script `script`."""

    def __init__(
        self, folder: Path, script: str = QUICK, *, trials: int | None = 2, budget: Budget | None = None,
        **run: Any,
    ) -> None:  # fmt: skip
        spec = StudySpec(
            name="study",
            command=("/bin/sh", "-c", script.replace("{", "{{").replace("}", "}}"), "trial"),
            parameters=(Parameter(name="x", type="float", min=0.0, max=1.0),),
            objectives=(Objective(metric="loss"),),
            search=SearchSpec(method="random", seed=1),
            budget=budget or Budget(trials=trials),
            run=RunSettings(**{"grace_s": 5.0, "cwd": str(folder), **run}),
        )
        self.runs = folder / "runs"
        self.url = f"sqlite:///{folder / 'rung.db'}"
        self.door = SqliteStore(self.url)
        self.said: list[str] = []
        self.reactions: list[tuple[When, Then]] = []
        self.runner: Runner
        with contextlib.closing(SqliteStore(self.url)) as store:
            create(store, created_event(spec, runs=self.runs, cwd=folder, command_line=[], surface="test"), stem="")

    def when(self, condition: When, then: Then) -> None:
        """The first event for which `condition` holds makes `then` happen, once, by another connection."""
        self.reactions.append((condition, then))

    def run(
        self, *, workers: int | None = 1, executor: Callable[[], Executor] = LocalExecutor,
        policies: PolicyFactory = policy_for, heartbeat_s: float = 3.0, store: Callable[[str], Store] = SqliteStore,
    ) -> str:  # fmt: skip
        """A runner has worked on the study; returns why it ended."""
        settings = Settings(study="study", runs=self.runs, workers=workers, heartbeat_s=heartbeat_s)

        async def work() -> str:
            with contextlib.closing(store(self.url)) as opened:
                self.runner = Runner(
                    opened, executor(), policies, settings, observe=self._observe, say=self.said.append
                )
                return await self.runner.run()

        return asyncio.run(work())

    def _observe(self, state: State, events: Sequence[ev.AnyEvent]) -> None:
        due = [pair for pair in self.reactions if any(pair[0](event) for event in events)]
        self.reactions = [pair for pair in self.reactions if pair not in due]
        for _condition, then in due:
            then(self)

    @property
    def other(self) -> Handle:
        """The study as somebody else opens it."""
        return Handle(self.door, "study")

    def events(self) -> list[ev.AnyEvent]:
        """The whole log."""
        with contextlib.closing(SqliteStore(self.url)) as store:
            return [event for _, event in read(store, "study")]

    def of(self, kind: type[Any], **fields: object) -> list[Any]:
        """The events of this kind with these fields."""
        return list(filter(saw(kind, **fields), self.events()))

    def state(self) -> State:
        """What the log says, having been checked."""
        state = self.other.state
        assert broken(state) == []
        assert [str(deviation) for deviation in check(self.events(), policy_for)] == []
        return state

    def states(self) -> list[str]:
        """The public states of all trials."""
        return [trial.state for trial in self.state().trials()]
