"""What an attempt saved is there for the next, whole, however the copy went before."""

from __future__ import annotations

import asyncio
import gc
import os
import socket
from pathlib import Path

import pytest

from rung.runner.checkpoints import Copies, bring, saved_before
from rung.runner.jobs import attempt_directory
from rung.study.live import Live
from rung.testing.studies import Folding, study_spec


def checkpoint(runs: Path, attempt: int) -> Path:
    return attempt_directory(runs, "s", trial=0, attempt=attempt) / "checkpoint"


def save(runs: Path, attempt: int, text: str = "weights") -> Path:
    folder = checkpoint(runs, attempt)
    (folder / "deep").mkdir(parents=True)
    (folder / "deep" / "model").write_text(text)
    (folder / "latest").symlink_to("deep")
    return folder


def start(runs: Path, attempt: int) -> int:
    """How often the runner was woken until the attempt could start."""

    async def work() -> int:
        woken = asyncio.Event()
        copies = Copies(runs, "s", woken.set, print)
        times, state = 0, Folding(study_spec()).state
        while not copies.arrived(state, Live(0, attempt=attempt)):
            await asyncio.wait_for(woken.wait(), 10)
            woken.clear()
            times += 1
        copies.close()
        return times

    return asyncio.run(work())


def test_the_next_attempt_finds_what_the_last_one_saved(tmp_path: Path) -> None:
    save(tmp_path, 1)
    assert start(tmp_path, 2) == 1
    assert (checkpoint(tmp_path, 2) / "latest" / "model").read_text() == "weights"
    assert (checkpoint(tmp_path, 2) / "latest").is_symlink()
    assert (checkpoint(tmp_path, 1) / "deep" / "model").exists()


def test_an_attempt_that_never_started_loses_nothing_of_the_one_before(tmp_path: Path) -> None:
    save(tmp_path, 1, "old")
    save(tmp_path, 2, "newer")
    attempt_directory(tmp_path, "s", trial=0, attempt=3).mkdir()
    start(tmp_path, 4)
    assert (checkpoint(tmp_path, 4) / "deep" / "model").read_text() == "newer"
    assert saved_before(tmp_path, "s", trial=0, attempt=4) == checkpoint(tmp_path, 2)


def test_a_copy_that_was_torn_is_made_again_and_a_whole_one_is_kept(tmp_path: Path) -> None:
    save(tmp_path, 1)
    torn = checkpoint(tmp_path, 2).with_name("checkpoint.partial")
    (torn / "deep").mkdir(parents=True)
    (torn / "deep" / "model").write_text("wei")
    start(tmp_path, 2)
    assert (checkpoint(tmp_path, 2) / "deep" / "model").read_text() == "weights"
    assert not torn.exists()
    (checkpoint(tmp_path, 2) / "deep" / "model").write_text("further")
    assert start(tmp_path, 2) == 0
    assert (checkpoint(tmp_path, 2) / "deep" / "model").read_text() == "further"


def test_without_anything_saved_an_attempt_starts_at_once(tmp_path: Path) -> None:
    assert [start(tmp_path, attempt) for attempt in (1, 2, 3)] == [0, 0, 0]
    assert list(tmp_path.iterdir()) == []


def test_a_copy_that_fails_is_told_and_begun_again(tmp_path: Path) -> None:
    save(tmp_path, 1)
    attempt_directory(tmp_path, "s", trial=0, attempt=2).write_text("in the way")
    with pytest.raises(OSError, match="exists"):
        start(tmp_path, 2)
    attempt_directory(tmp_path, "s", trial=0, attempt=2).unlink()
    assert start(tmp_path, 2) == 1


def test_nobody_waits_for_the_copy_of_an_attempt_that_was_ended_meanwhile(tmp_path: Path) -> None:
    """It fails, and that is no news either."""
    save(tmp_path, 1)
    attempt_directory(tmp_path, "s", trial=0, attempt=2).write_text("in the way")
    heard: list[object] = []

    async def work() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: heard.append(context))
        state, live, woken = Folding(study_spec()).state, Live(0, attempt=2), asyncio.Event()
        copies = Copies(tmp_path, "s", woken.set, print)
        assert not copies.arrived(state, live)
        copies.tidy(state, live)
        assert copies.under_way == {}
        await asyncio.wait_for(woken.wait(), 10)
        copies.close()

    asyncio.run(work())
    gc.collect()
    assert heard == []


def test_a_pipe_or_a_socket_that_a_program_left_holds_nobody_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved = save(tmp_path, 1)
    os.mkfifo(saved / "deep" / "pipe")
    monkeypatch.chdir(saved)  # a socket's address holds about a hundred bytes, the whole path may have more
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("socket")
    assert start(tmp_path, 2) == 1
    assert sorted(path.name for path in checkpoint(tmp_path, 2).rglob("*")) == ["deep", "latest", "model"]


def test_a_copy_exists_whole_or_not_at_all(tmp_path: Path) -> None:
    saved, here = save(tmp_path, 1), checkpoint(tmp_path, 2)
    (saved / "unreadable").symlink_to("/nowhere")
    bring(saved, here)
    assert sorted(path.name for path in here.iterdir()) == ["deep", "latest", "unreadable"]
