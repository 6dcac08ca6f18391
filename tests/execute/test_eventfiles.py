from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rung.execute import eventfiles
from rung.execute.base import Cursor, Job
from rung.execute.drain import Drained, Reader
from rung.execute.eventfiles import EventFiles, Group
from rung.model import Report

from .eventwriter import VERSION, event, scalars, simple

NOW = 2000.0
NAME = "events.out.tfevents.1.host"


class Clock:
    """Seconds that pass when they are told to."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def files(directory: Path, *metrics: str, offsets: dict[str, int] | None = None, clock: Clock | None = None) -> Any:
    return EventFiles(str(directory), metrics or ("loss",), offsets or {}, monotonic=clock or Clock())


def put(directory: Path, data: bytes, name: str = NAME) -> Path:
    path = directory / name
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab") as file:
        file.write(data)
    return path


def seen(groups: list[Group]) -> list[tuple[int | None, dict[str, float]]]:
    return [(group.step, group.values) for group in groups]


def test_the_scalars_of_a_step_are_one_group(tmp_path: Path) -> None:
    put(tmp_path, VERSION + scalars(1, loss=3.0, acc=0.5) + scalars(2, loss=2.0, acc=0.75))
    reader = files(tmp_path)
    assert seen(reader.read()[0]) == [(1, {"loss": 3.0, "acc": 0.5})]
    assert seen(reader.finish()) == [(2, {"loss": 2.0, "acc": 0.75})]


def test_a_step_is_told_when_nothing_was_written_for_a_moment(tmp_path: Path) -> None:
    clock = Clock()
    reader = files(tmp_path, clock=clock)
    put(tmp_path, scalars(1, acc=1.0))
    assert reader.grown()
    assert reader.read() == ([], False)
    clock.now += 10
    assert not reader.grown()  # what is waited for is not there
    put(tmp_path, scalars(1, loss=1.0))
    assert reader.read() == ([], False)
    assert not reader.grown()
    clock.now += eventfiles.QUIET_S
    assert reader.grown()
    assert seen(reader.read()[0]) == [(1, {"acc": 1.0, "loss": 1.0})]
    assert not reader.grown()


def test_several_declared_metrics_are_waited_for(tmp_path: Path) -> None:
    clock = Clock()
    reader = files(tmp_path, "loss", "acc", clock=clock)
    put(tmp_path, scalars(1, loss=1.0))
    reader.read()
    clock.now += 10
    assert not reader.grown()
    put(tmp_path, scalars(1, acc=0.5))
    reader.read()
    clock.now += 10
    assert seen(reader.read()[0]) == [(1, {"loss": 1.0, "acc": 0.5})]


def test_steps_without_a_declared_metric_are_no_reports(tmp_path: Path) -> None:
    put(tmp_path, scalars(1, other=1.0) + scalars(2, loss=1.0) + scalars(3, other=1.0) + scalars(4, loss=2.0))
    reader = files(tmp_path)
    assert [group.step for group in reader.read()[0] + reader.finish()] == [2, 4]


def test_a_writer_without_steps_is_counted(tmp_path: Path) -> None:
    put(tmp_path, scalars(0, loss=1.0) + scalars(0, loss=2.0) + scalars(0, loss=3.0))
    reader = files(tmp_path)
    assert [group.step for group in reader.read()[0] + reader.finish()] == [0, None, None]


def test_files_are_found_in_any_folder_and_copies_are_not(tmp_path: Path) -> None:
    reader = files(tmp_path)
    assert not reader.grown()
    put(tmp_path, scalars(1, loss=1.0), f"a/b/{NAME}")
    put(tmp_path, scalars(1, loss=2.0), f"checkpoint/{NAME}")
    put(tmp_path, scalars(1, loss=3.0), f"checkpoints/1/{NAME}")
    put(tmp_path, scalars(1, loss=4.0), f".hidden/{NAME}")
    put(tmp_path, b"not one", "tf.txt")
    (tmp_path / "link").symlink_to(tmp_path / "a")
    assert reader.grown()
    assert seen(reader.finish()) == [(1, {"loss": 1.0})]


def test_a_file_that_comes_after_its_folder_was_seen_is_found(tmp_path: Path) -> None:
    reader = files(tmp_path)
    (tmp_path / "tb").mkdir()
    reader.read()
    os.utime(tmp_path / "tb", ns=(0, 10**18))  # long ago: the folder counts as settled
    reader.read()
    put(tmp_path, scalars(1, loss=1.0), f"tb/{NAME}")
    assert reader.grown()


def test_a_metric_may_be_named_by_its_folder(tmp_path: Path) -> None:
    put(tmp_path, scalars(1, epoch_loss=1.0), f"tb/train/{NAME}")
    put(tmp_path, scalars(1, epoch_loss=2.0), f"tb/validation/{NAME}")
    reader = files(tmp_path, "validation/epoch_loss")
    assert seen(reader.finish()) == [(1, {"validation/epoch_loss": 2.0})]


def test_a_broken_file_is_noted_once_and_left_alone(tmp_path: Path) -> None:
    put(tmp_path, scalars(1, loss=1.0) + b"\xff" * 64)
    reader = files(tmp_path)
    reader.read()
    [note] = reader.take_notes()
    assert note.startswith(f"{NAME}: the record at byte ")
    put(tmp_path, scalars(2, loss=1.0))
    assert seen(reader.finish()) == [(1, {"loss": 1.0})]
    assert reader.take_notes() == []


def test_too_many_files_are_noted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(eventfiles, "_MOST_FILES", 2)
    for i in range(4):
        put(tmp_path, scalars(i + 1, loss=1.0), f"{i}{NAME}")
    reader = files(tmp_path)
    assert len(reader.finish()) == 2
    assert "more than 2 event files" in reader.take_notes()[0]


def test_too_many_folders_are_noted_and_those_at_the_top_are_looked_into(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(eventfiles, "_MOST_FOLDERS", 4)
    for i in range(6):
        (tmp_path / "workspace" / str(i)).mkdir(parents=True)
    reader = files(tmp_path)
    reader.read()
    put(tmp_path, scalars(1, loss=1.0), f"tb/{NAME}")
    assert seen(reader.finish()) == [(1, {"loss": 1.0})]
    assert "more than 4 folders" in reader.take_notes()[0]


def test_a_long_file_is_read_in_pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(eventfiles, "CHUNK", 100)
    put(tmp_path, b"".join(scalars(step, loss=1.0) for step in range(1, 20)))
    reader = files(tmp_path)
    groups, more = reader.read()
    assert more
    assert len(groups) < 5
    assert [group.step for group in groups + reader.finish()] == list(range(1, 20))


# ------------------------------------------------------------------------------------------------------ the whole drain


def job(directory: Path, **more: Any) -> Job:
    return Job(key="k", directory=str(directory), **{"metrics": ("loss",), **more})


def steps(drained: Drained) -> list[float]:
    return [report.step for report in drained.reports]


def test_reports_bear_the_files_steps_and_times(tmp_path: Path) -> None:
    put(tmp_path, event(4, simple("loss", 0.5), time=1234.5) + scalars(9, loss=0.25))
    drained = Reader(job(tmp_path), Cursor()).finish(NOW)
    assert drained.reports[0] == Report(4.0, 1234.5, {"loss": 0.5})
    assert (drained.cursor.step, drained.cursor.channel, drained.cursor.reports) == (9.0, "events", 2)
    assert drained.cursor.offsets == {NAME: (tmp_path / NAME).stat().st_size}


def test_a_time_that_is_none_is_now(tmp_path: Path) -> None:
    put(tmp_path, event(1, simple("loss", 0.5), time=float("nan")))
    assert Reader(job(tmp_path), Cursor()).finish(NOW).reports[0].time == NOW


def test_better_channels_silence_event_files_and_event_files_silence_text(tmp_path: Path) -> None:
    put(tmp_path, scalars(1, loss=1.0) + scalars(2, loss=2.0))
    (tmp_path / "stdout").write_text("loss: 7\n")
    reader = Reader(job(tmp_path), Cursor())
    reader.drain(NOW)
    with (tmp_path / "stdout").open("a") as file:
        file.write("loss: 8\n")
    assert [report.values["loss"] for report in reader.drain(NOW).reports + reader.finish(NOW).reports] == [2.0]
    (tmp_path / "reports.jsonl").write_text('{"loss": 5, "step": 3}\n')
    assert steps(reader.drain(NOW)) == [3.0]
    put(tmp_path, scalars(4, loss=4.0) + scalars(5, loss=4.0))
    assert reader.finish(NOW).reports == []


def test_the_schedules_resource_is_the_step_where_it_is_a_tag(tmp_path: Path) -> None:
    put(tmp_path, scalars(100, loss=1.0, epoch=1.0) + scalars(200, loss=0.5, epoch=2.0))
    resourceful = job(tmp_path, env={"RUNG_RESOURCE_NAME": "epoch"})
    drained = Reader(resourceful, Cursor()).finish(NOW)
    assert [(report.step, report.values) for report in drained.reports] == [(1.0, {"loss": 1.0}), (2.0, {"loss": 0.5})]


@settings(max_examples=40)
@given(st.lists(st.integers(1, 260), max_size=8), st.integers(1, 3))
def test_each_record_counts_once_however_often_another_reader_takes_over(cuts: list[int], width: int) -> None:
    import tempfile

    data = VERSION
    for step in range(1, 6):
        data += scalars(step, loss=float(step), **{f"t{i}": 0.0 for i in range(width)})
    data += scalars(5, loss=5.5)
    with tempfile.TemporaryDirectory() as folder:
        cursor, found, at = Cursor(), [], 0
        for cut in [*cuts, len(data)]:
            put(Path(folder), data[at : at + cut])
            at += cut
            reader = Reader(job(Path(folder)), cursor)  # as after a crash: only the logged cursor is known
            drained = reader.drain(NOW)
            found += drained.reports
            cursor = drained.cursor
        found += Reader(job(Path(folder)), cursor).finish(NOW).reports
    assert [report.values["loss"] for report in found] == [1.0, 2.0, 3.0, 4.0, 5.0, 5.5]
    assert all(len(report.values) == width + 1 for report in found[:-1])
