"""Checkpoints from the program that saves them to the events of an executor."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

import rung.inside as inside
from rung.execute.base import Cursor, Job, Reported
from rung.execute.inline import InlineExecutor
from rung.execute.local import LocalExecutor
from rung.model import Checkpoint
from rung.runner.checkpoints import bring, size_of
from rung.testing.executors import Told, job, run, told_by
from rung.testing.programs import python, shell

if TYPE_CHECKING:
    from collections.abc import Callable

RESUMED = Cursor(reports=7, step=70.0)


def checkpoints(told: Told, one: Job) -> list[Checkpoint]:
    return [checkpoint for event in told.all(Reported, one.key) for checkpoint in event.checkpoints]


def told_of(one: Job, executor: Callable[[], Any] = LocalExecutor) -> tuple[list[float], list[Checkpoint]]:
    """The steps and the checkpoints of a job that ran to its end."""
    found: list[Any] = []

    async def story() -> None:
        async with told_by(executor()) as told:
            told.executor.start(one)
            assert (await told.end(one.key)).code == 0
            found.extend([[report.step for report in told.reports(one.key)], checkpoints(told, one)])

    run(story())
    return found[0], found[1]


SAVING = """
import rung
for word in ("one", "three"):
    (rung.checkpoint_dir() / "model").write_text(word)
    rung.report(loss=1)
    rung.report(loss=2)
"""


def test_a_program_with_the_library(tmp_path: Path) -> None:
    steps, found = told_of(python(tmp_path / "1", SAVING, attempt=3))
    assert steps == [1, 2, 3, 4]
    assert found == [Checkpoint(3, "1", 1.0, 1, 3), Checkpoint(3, "3", 3.0, 3, 5)]
    assert [(tmp_path / "1" / "checkpoints" / one.name / "model").read_text() for one in found] == ["one", "three"]


def test_a_program_that_is_resumed_counts_on(tmp_path: Path) -> None:
    steps, found = told_of(python(tmp_path / "1", SAVING, begin=RESUMED, env={"RUNG_REPORTS": "7"}))
    assert steps == [8, 9, 10, 11]
    assert [(one.name, one.step, one.reports) for one in found] == [("8", 8.0, 8), ("10", 10.0, 10)]


def test_a_program_in_any_language(tmp_path: Path) -> None:
    script = (
        'for n in 1 2; do mkdir -p "$RUNG_TRIAL_DIR/checkpoints/at$n"; echo $n > "$RUNG_TRIAL_DIR/checkpoints/at$n/m"; '
        'echo "{\\"loss\\": $n, \\"epoch\\": $n, \\"_checkpoint\\": \\"at$n\\"}"; done'
    )
    steps, found = told_of(shell(tmp_path / "1", script))
    assert steps == [1, 2]
    assert found == [Checkpoint(1, "at1", 1.0, 1, 2), Checkpoint(1, "at2", 2.0, 2, 2)]


def test_an_objective_in_this_process(tmp_path: Path) -> None:
    def objective(params: dict[str, object]) -> float:
        (inside.checkpoint_dir() / "model").write_text("one")
        return 1.0

    async def story() -> None:
        executor = InlineExecutor(objective)
        thread = threading.Thread(target=executor.run_here)
        thread.start()
        one = msgspec.structs.replace(job(tmp_path / "1"), begin=RESUMED)
        async with told_by(executor) as told:
            told.executor.start(one)
            assert (await told.end(one.key)).code == 0
            assert [report.step for report in told.reports(one.key)] == [8]
            assert checkpoints(told, one) == [Checkpoint(1, "1", 8.0, 8, 3)]
        await asyncio.get_running_loop().run_in_executor(None, thread.join, 10)

    run(story())


def test_what_is_brought_is_as_large_as_was_said_and_is_not_kept_again(tmp_path: Path) -> None:
    """Links and folders count alike on both sides."""
    script = (
        "import os, rung; folder = rung.checkpoint_dir(); (folder / 'deep' / 'empty').mkdir(parents=True); "
        "(folder / 'deep' / 'model').write_text('one'); os.symlink('deep', folder / 'last'); "
        "os.symlink('nowhere', folder / 'lost'); rung.report(loss=1, epoch=4)"
    )
    _, (saved,) = told_of(python(tmp_path / "1", script))
    folder = tmp_path / "1" / "checkpoints" / "4"
    assert saved.bytes == size_of(folder) == len("one" + "deep" + "nowhere")
    (tmp_path / "2").mkdir()
    bring(folder, tmp_path / "2" / "checkpoint", size=saved.bytes)
    assert told_of(python(tmp_path / "2", "import rung; rung.report(loss=1, epoch=5)")) == ([5], [])
