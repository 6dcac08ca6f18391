from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest

from rung.model import Command, Wait
from rung.runner.asking import Asking, beside
from rung.study.guard import Failure
from rung.study.policy import Answer

Act = Callable[[], list[Command]]


@pytest.fixture
def gate() -> Iterator[threading.Event]:
    """What hangs goes on when this is set: at the end of the test at the latest."""
    made = threading.Event()
    yield made
    made.set()


def answer(act: Act, limit_s: float | None, failures: list[Failure]) -> Answer:
    def compute(failure: Failure | None) -> list[Command]:
        if failure is None:
            return act()
        failures.append(failure)
        return []

    return Answer(compute, limit_s)


def test_without_a_limit_it_is_asked_here() -> None:
    threads: list[threading.Thread] = []
    Asking()(answer(lambda: threads.append(threading.current_thread()) or [], None, []))  # type: ignore[func-returns-value]
    assert threads == [threading.current_thread()]


def test_an_answer_in_time() -> None:
    failures: list[Failure] = []
    assert Asking()(answer(lambda: [Wait()], 30.0, failures)) == [Wait()]
    assert failures == []


def test_one_that_hangs_is_left_behind_and_never_asked_by_two_threads(gate: threading.Event) -> None:
    asking, failures, running = Asking(), list[Failure](), list[threading.Thread]()

    def hang() -> list[Command]:
        running.append(threading.current_thread())
        gate.wait(30)
        return [Wait()]

    for _ in range(2):
        assert asking(answer(hang, 0.02, failures)) == []
    assert failures == [Failure("hung", "gave no answer within 0.02 s")] * 2
    assert len(running) == 1
    assert running[0].daemon
    gate.set()
    running[0].join(30)
    assert asking(answer(lambda: [Wait()], 30.0, failures)) == [Wait()]
    assert len(failures) == 2


@pytest.mark.parametrize("error", [SystemExit(1), KeyboardInterrupt(), GeneratorExit("x"), ValueError("bad")])
def test_what_ends_its_thread_does_not_end_us(error: BaseException) -> None:
    failures: list[Failure] = []

    def act() -> list[Command]:
        raise error

    asking = Asking()
    assert asking(answer(act, 30.0, failures)) == []
    assert failures[0].kind == "raised"
    assert failures[0].what.startswith(f"raised {type(error).__name__}")
    assert asking(answer(lambda: [Wait()], 30.0, failures)) == [Wait()]


def test_the_future_of_work_beside_has_what_came_of_it() -> None:
    assert beside(lambda: 3).result(30) == 3
    with pytest.raises(ZeroDivisionError):
        beside(lambda: 1 / 0).result(30)
