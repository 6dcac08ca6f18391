from __future__ import annotations

import select
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from rung.execute import wakeups
from rung.execute.wakeups import Inotify

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="inotify is Linux's")


@pytest.fixture
def hints() -> Iterator[Inotify]:
    hints = Inotify()
    yield hints
    hints.close()


def changed(hints: Inotify) -> set[str]:
    assert select.select([hints.fd], [], [], 10)[0]
    return hints.changed()


def test_a_change_of_our_files_is_told_with_its_directory(hints: Inotify, tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    for folder in (one, two):
        folder.mkdir()
        hints.add(str(folder))
    assert hints.changed() == set()
    (one / "stdout").write_text("x")
    assert changed(hints) == {str(one)}
    (two / "reports.jsonl").write_text("x")
    (one / "started").touch()
    assert changed(hints) == {str(one), str(two)}


def test_other_files_and_removed_directories_are_not_told(hints: Inotify, tmp_path: Path) -> None:
    watch = hints.add(str(tmp_path))
    (tmp_path / "model.bin").write_text("x")
    assert changed(hints) == set()
    hints.remove(watch)
    hints.remove(watch)
    (tmp_path / "stdout").write_text("x")
    assert hints.changed() == set()


def test_lost_events_mean_that_anything_may_have_changed(
    hints: Inotify, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hints.add(str(tmp_path))
    (tmp_path / "stdout").write_text("x")
    monkeypatch.setattr(wakeups, "_events", lambda _: iter([(-1, wakeups._IN_Q_OVERFLOW, b"")]))
    assert changed(hints) == {str(tmp_path)}


def test_a_directory_that_is_not_there_is_an_error(hints: Inotify, tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No such file"):
        hints.add(str(tmp_path / "gone"))
