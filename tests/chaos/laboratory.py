"""One study under attack: its runners as processes, and what the trials themselves know, against what the log says."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
from collections import Counter
from collections.abc import Collection
from pathlib import Path
from typing import Any

import msgspec
import psutil

import forked
from chaos.runner_process import Order, run
from chaos.waiting import until
from rung.api.handle import Handle
from rung.api.targets import Options
from rung.model import Report, UnknownStudy
from rung.plugins import open_store, policy_for
from rung.runner.log import read
from rung.store.base import Lease, LeaseOwner
from rung.store.errors import StoreBusy, StoreMissing
from rung.store.sqlite import SqliteStore
from rung.study import events as ev
from rung.study.replay import check, fold
from rung.study.state import State

HERE = Path(__file__).parent
PYTHON = (sys.executable, "-S", "-E")
PROGRAM = str(HERE / "trial_program.py")


class Runner:
    """A runner process: forked from one that has imported Rung already, or `fresh`, with all that a process inherits."""

    def __init__(self, order: Order, folder: Path, environment: dict[str, str], *, fresh: bool) -> None:
        number = len(list(folder.glob("order-*")))
        path = folder / f"order-{number}.json"
        path.write_bytes(msgspec.json.encode(order))
        self.said = folder / f"said-{number}.txt"
        self.said.touch()
        self.process = forked.start(
            run,
            str(path),
            folder=folder,
            environment={**os.environ, **environment},
            out=self.said,
            err=self.said,
            fresh=fresh,
        )
        assert self.process.pid is not None
        self.pid = self.process.pid

    def running(self) -> bool:
        """Whether it has not ended."""
        return self.process.exitcode is None

    def wait(self, timeout: float) -> int | None:
        """Its exit code, negative for the signal that ended it; None when it has not ended within `timeout` seconds."""
        self.process.join(timeout)
        return self.process.exitcode

    def kill(self) -> None:
        """`kill -9`, and it is gone."""
        self.process.kill()
        self.process.join()

    def signal(self, number: signal.Signals) -> None:
        """The signal was sent."""
        os.kill(self.pid, number)

    def words(self) -> str:
        """What it has said so far."""
        return self.said.read_text()

    def ended(self, timeout: float = 30.0) -> str:
        """Why it ended, in its own word; fails with all it said when it broke down or does not end."""
        code = self.wait(timeout)
        assert code is not None, f"the runner does not end; it said: {self.words()}"
        last = self.words().rstrip().rpartition("\n")[2]
        assert code == 0 and last.startswith("ended "), f"status {code}: {self.words()}"
        return last.removeprefix("ended ")

    def died(self, timeout: float = 30.0) -> None:
        """It was killed, as a fault or a test wanted."""
        assert self.wait(timeout) == -signal.SIGKILL, self.words()


class Laboratory:
    """One study in `folder`. `command` defaults to a trial that records the truth about itself (`trial_program.py`)."""

    # `hold`: while this file exists, trials begin and wait there.

    def __init__(
        self, folder: Path, *, trials: int = 4, workers: int = 4, reports: int = 20, seconds: float = 0.5,
        command: list[str] | None = None, options: dict[str, Any] | None = None, runs: Path | None = None,
        store: Path | None = None, environment: dict[str, str] | None = None,
    ) -> None:  # fmt: skip
        folder.mkdir()
        self.folder, self.runs = folder, runs or folder / "runs"
        self.runs.mkdir(exist_ok=True)
        self.ledger, self.hold = folder / "ledger", folder / "ledger.hold"
        self.environment = environment or {}
        self.runners: list[Runner] = []
        self.door = SqliteStore(f"sqlite:///{store or folder / 'rung.db'}")
        usual = {"params": ["x=uniform(0,1)"], "metrics": ["loss"], "search": "random", "seed": 1}
        limits = {"trials": trials, "max_failures": 10_000}
        given = msgspec.convert({**usual, **limits, **(options or {})}, Options)
        self.order = Order(
            store=self.door.url, runs=str(self.runs), study="study", options=given,
            command=command or [*PYTHON, PROGRAM, str(self.ledger), str(reports), str(seconds), "{rest}"],
            workers=workers,
        )  # fmt: skip

    # ------------------------------------------------------------------------------------------------- processes

    def run(self, *, fresh: bool = False, **changes: Any) -> Runner:
        """A runner of the study has been started."""
        order = msgspec.structs.replace(self.order, **changes)
        fresh = fresh or bool(self.environment)  # some variables are read when Rung is imported
        self.runners.append(Runner(order, self.folder, self.environment, fresh=fresh))
        return self.runners[-1]

    def close(self) -> None:
        """No runner and no trial is left."""
        for runner in self.runners:
            runner.kill()
        for process in self.processes():
            process.kill()
        until(lambda: not self.processes(), what="all processes are gone")
        self.door.close()

    def processes(self) -> list[psutil.Process]:
        """The living processes of the study's trials, found by the token in their environment."""
        try:
            token = self.handle().state.created.uid
        except (StoreMissing, UnknownStudy):
            return []
        found = []
        for process in psutil.process_iter():
            try:
                if process.environ().get("RUNG_JOB", "").startswith(token) and process.status() != "zombie":
                    found.append(process)
            except (psutil.NoSuchProcess, psutil.AccessDenied):
                continue
        return found

    def suspend(self, runner: Runner) -> None:
        """The runner is stopped, at a moment when it does not hold the store's lock."""

        def stopped() -> bool:
            runner.signal(signal.SIGSTOP)
            until(lambda: psutil.Process(runner.pid).status() == "stopped")
            with contextlib.closing(SqliteStore(self.order.store, patience_s=0.1)) as store:
                try:
                    store.release(Lease(self.order.study, 0, 0, LeaseOwner("nobody", "", "", 0, 0)))
                except StoreBusy:
                    runner.signal(signal.SIGCONT)
                    return False
            return True

        until(stopped, what="the runner is stopped between two writes")

    # ------------------------------------------------------------------------------------------------- the log

    def handle(self) -> Handle:
        """The study as a reader sees it."""
        return Handle(self.door, self.order.study)

    def events(self) -> list[ev.AnyEvent]:
        """The whole log; empty while there is no study."""
        store = open_store(self.order.store)
        try:
            return [event for _, event in read(store, self.order.study)]
        except (StoreMissing, UnknownStudy):
            return []
        finally:
            store.close()

    def seq(self) -> int:
        """How much the log holds."""
        try:
            return self.door.position(self.order.study).seq
        except (StoreMissing, UnknownStudy):
            return 0

    def of(self, kind: type[Any], **fields: Any) -> list[Any]:
        """The events of this kind with these fields."""
        return [
            event
            for event in self.events()
            if isinstance(event, kind) and all(getattr(event, name) == value for name, value in fields.items())
        ]

    def wait_for(self, kind: type[Any], count: int = 1, timeout: float = 20.0, **fields: Any) -> list[Any]:
        """The events of this kind with these fields, once there are so many."""
        found: list[Any] = []
        after = 0

        def enough() -> bool:
            nonlocal after
            with contextlib.suppress(StoreMissing, UnknownStudy):
                for seq, event in read(self.door, self.order.study, after=after):
                    after = seq
                    if isinstance(event, kind) and all(getattr(event, name) == fields[name] for name in fields):
                        found.append(event)
            return len(found) >= count

        until(
            enough, timeout, what=f"{count} x {kind.__name__} {fields}; said: {[r.words() for r in self.runners][-2:]}"
        )
        return found

    # ------------------------------------------------------------------------------------------------- evidence

    def begun(self) -> list[tuple[int, int, int, int]]:
        """(trial, attempt, pid, wrapper's pid) of each program that ever ran, by its own account."""
        return [(int(w[1]), int(w[2]), int(w[3]), int(w[4])) for w in self._ledger() if w[0] == "begin"]

    def codes(self) -> dict[tuple[int, int], int]:
        """The exit status of each attempt that came to its end, by its own account."""
        return {(int(w[1]), int(w[2])): int(w[3]) for w in self._ledger() if w[0] == "end"}

    def _ledger(self) -> list[list[str]]:
        return [line.split() for line in self.ledger.read_text().splitlines()] if self.ledger.exists() else []

    def truth(self) -> dict[tuple[int, int], list[float]]:
        """The steps that each attempt reported, by its own account."""
        return {
            (int(path.parts[-3]), int(path.parts[-2])): [
                json.loads(line)["step"] for line in path.read_text().splitlines()
            ]
            for path in (self.runs / self.order.study).glob("*/*/truth")
        }

    def logged(self) -> dict[tuple[int, int], list[Report]]:
        """The reports of each attempt in the log."""
        found: dict[tuple[int, int], list[Report]] = {}
        for event in self.of(ev.TrialReported):
            found.setdefault((event.trial, event.attempt), []).extend(event.reports)
        return found

    def check(self) -> State:
        """The log folds, replays and breaks no invariant; no attempt ran twice. Returns the state."""
        events = self.events()
        assert [str(deviation) for deviation in check(events, policy_for)] == []
        ran = Counter((trial, attempt) for trial, attempt, _, _ in self.begun())
        assert [which for which, times in ran.items() if times > 1] == []
        for kind in (ev.TrialStarted, ev.TrialExited, ev.AttemptAssigned):
            told = Counter((event.trial, event.attempt) for event in events if isinstance(event, kind))
            assert [which for which, times in told.items() if times > 1] == [], kind.__name__
        return fold(events)

    def nothing_lost(self, *, statusless: Collection[tuple[int, int]] = ()) -> State:
        """The study is complete; the log says exactly what the trials say of themselves: each report once and in
        order, each program under the pid it had, each exit with its status (but for those whose wrapper was killed)."""
        state = self.check()
        assert state.switches.completed is not None and not state.live
        logged = {which: [report.step for report in reports] for which, reports in self.logged().items()}
        assert logged == {which: steps for which, steps in self.truth().items() if steps}
        pids = {(event.trial, event.attempt): event.pid for event in self.of(ev.TrialStarted)}
        begun = {(trial, attempt): wrapper for trial, attempt, _, wrapper in self.begun()}
        assert begun.items() <= pids.items(), "one that was ended early may not have come to its first line"
        codes = {which: code for which, code in self.codes().items() if which not in statusless}
        told = {(event.trial, event.attempt): event.code for event in self.of(ev.TrialExited, how="exited")}
        assert {which: told.get(which) for which in codes} == codes
        return state
