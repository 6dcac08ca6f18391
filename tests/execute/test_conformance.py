from __future__ import annotations

import math
import sys
import threading
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pytest

from rung.execute.base import Executor
from rung.execute.forked import ForkedExecutor, ForkServer
from rung.execute.inline import InlineExecutor
from rung.execute.local import LocalExecutor
from rung.execute.simulated import SimulatedExecutor
from rung.execute.simulation.conditions import Conditions
from rung.execute.simulation.curves import Curve
from rung.execute.simulation.world import World
from rung.testing.executors import ExecutorConformance, Make
from rung.testing.objective import behave


class TestLocalExecutor(ExecutorConformance):
    @pytest.fixture
    def make(self) -> Make:
        return LocalExecutor


class TestInlineExecutor(ExecutorConformance):
    preemptive = False

    @pytest.fixture
    def make(self) -> Iterator[Make]:
        threads: list[threading.Thread] = []

        def make() -> Executor:
            executor = InlineExecutor(behave)
            threads.append(threading.Thread(target=executor.run_here))
            threads[-1].start()
            return executor

        yield make
        for thread in threads:
            thread.join(10)
            assert not thread.is_alive()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="forks are for Linux")
class TestForkedExecutor(ExecutorConformance):
    @pytest.fixture
    def make(self) -> Iterator[Make]:
        server = ForkServer(behave)
        yield lambda: ForkedExecutor(server)
        server.close()


class Behaving:
    """The curves of `rung.testing.objective.behave`: an epoch takes a second; who is to wait does so for ever."""

    def curve(self, params: Mapping[str, Any], seed: int) -> Curve:
        then = params.get("then", "return")
        if then == "raise":
            raise ValueError("boom")
        losses = [0.0] if then == "ignore" else [1 / epoch for epoch in range(1, params.get("epochs", 0) + 1)]
        if then == "return":
            losses.append(float(params["value"]))
        steps = np.arange(1.0, len(losses) + 1)
        seconds = np.arange(1.0, len(losses) + 1)
        if then in {"wait", "ignore"}:
            losses, steps, seconds = [*losses, 0.0], np.append(steps, len(steps) + 1.0), np.append(seconds, math.inf)
        return Curve(steps, seconds, {"loss": np.array(losses)})


class TestSimulatedExecutor(ExecutorConformance):
    """Where it applies: simulated jobs have no exit status of their own choice and no directory that could tell whether
    they have started, so the log alone says so, and one that it knows nothing of begins when it is adopted."""

    test_a_failing_job_gives_its_code_and_its_error = None  # type: ignore[assignment]
    test_a_directory_that_has_started_is_never_started_again = None  # type: ignore[assignment]
    test_what_never_started_is_claimed_and_never_will = None  # type: ignore[assignment]
    test_a_directory_that_cannot_be_made_holds_the_job = None  # type: ignore[assignment]

    @pytest.fixture
    def make(self) -> Make:
        return lambda: SimulatedExecutor(World(Behaving(), Conditions(stop_delay_s=0.5)), charge="nothing")
