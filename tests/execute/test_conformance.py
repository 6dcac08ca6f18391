from __future__ import annotations

import sys
import threading
from collections.abc import Iterator

import pytest

from rung.execute.base import Executor
from rung.execute.forked import ForkedExecutor, ForkServer
from rung.execute.inline import InlineExecutor
from rung.execute.local import LocalExecutor
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
