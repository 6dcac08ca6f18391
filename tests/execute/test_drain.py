from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rung.execute import drain
from rung.execute.base import Cursor, Job
from rung.execute.drain import Reader
from rung.inside.wire import report_line
from rung.model import Checkpoint, Report

NOW = 3.0


def job(directory: Path, **more: Any) -> Job:
    return Job(key="k", directory=str(directory), metrics=("loss", "acc"), **more)


def read_all(reader: Reader) -> list[Report]:
    found = []
    while True:
        drained = reader.drain(NOW)
        found += drained.reports
        if not drained.more:
            return found


def test_reports_come_from_both_files(tmp_path: Path) -> None:
    reader = Reader(job(tmp_path), Cursor())
    assert reader.drain(NOW).reports == []
    assert not reader.grown()
    (tmp_path / "stdout").write_text("loss: 1 acc: 2\n")
    assert reader.grown()
    assert [report.values for report in reader.drain(NOW).reports] == [{"loss": 1.0, "acc": 2.0}]
    (tmp_path / "reports.jsonl").write_bytes(report_line({"loss": 3, "epoch": 7}))
    assert [(report.step, report.values) for report in reader.drain(NOW).reports] == [(7.0, {"loss": 3.0})]
    assert not reader.grown()


def test_a_torn_last_line_waits_and_counts_at_the_end(tmp_path: Path) -> None:
    file = tmp_path / "reports.jsonl"
    file.write_bytes(b'{"loss": 1}\n{"loss"')
    reader = Reader(job(tmp_path), Cursor())
    drained = reader.drain(NOW)
    assert (len(drained.reports), drained.cursor.offsets) == (1, {"reports.jsonl": 12})
    file.write_bytes(b'{"loss": 1}\n{"loss": 2}')
    assert reader.drain(NOW).reports == []
    assert [report.values for report in reader.finish(NOW).reports] == [{"loss": 2.0}]


def test_a_last_line_that_stays_torn_is_noted(tmp_path: Path) -> None:
    (tmp_path / "reports.jsonl").write_bytes(b'{"loss"')
    reader = Reader(job(tmp_path), Cursor())
    reader.drain(NOW)
    assert reader.finish(NOW).notes == ["reports.jsonl: the line at byte 0 is no JSON object and was skipped"]


def test_a_line_of_10_mb_is_skipped_with_a_note_and_reading_goes_on(tmp_path: Path) -> None:
    with (tmp_path / "reports.jsonl").open("wb") as file:
        file.write(b'{"loss": 1}\n{"text": "' + b"x" * 10_000_000 + b'"}\n{"loss": 2}\n')
    reader = Reader(job(tmp_path), Cursor())
    notes: list[str] = []
    reports: list[Report] = []
    gulps, more = 0, True
    while more:
        drained = reader.drain(NOW)
        notes, reports, gulps, more = notes + drained.notes, reports + drained.reports, gulps + 1, drained.more
    assert [report.values["loss"] for report in reports] == [1.0, 2.0]
    assert notes == [f"reports.jsonl: the line at byte 12 is longer than {1 << 20} bytes and was skipped"]
    assert gulps == 10


def test_notes_are_few(tmp_path: Path) -> None:
    (tmp_path / "reports.jsonl").write_text("nonsense\n" * 1000)
    notes = Reader(job(tmp_path), Cursor()).drain(NOW).notes
    assert (len(notes), notes[-1]) == (6, "and 995 more lines that could not be read")


def test_a_hundred_thousand_reports(tmp_path: Path) -> None:
    with (tmp_path / "reports.jsonl").open("wb") as file:
        for number in range(100_000):
            file.write(b'{"loss":%d}\n' % number)
    reader = Reader(job(tmp_path), Cursor())
    reports = read_all(reader)
    assert [report.values["loss"] for report in reports] == list(range(100_000))
    assert reports[-1].step == 100_000
    assert reader.cursor() == Cursor(
        {"reports.jsonl": (tmp_path / "reports.jsonl").stat().st_size}, 100_000, 1e5, "file"
    )


def test_what_is_no_file_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "reports.jsonl").mkdir()
    assert Reader(job(tmp_path), Cursor()).drain(NOW).reports == []


def saved(directory: Path, *names: str) -> None:
    """These checkpoints are there, of 5 bytes each."""
    for name in names:
        (directory / "checkpoints" / name / "deep").mkdir(parents=True)
        (directory / "checkpoints" / name / "model").write_bytes(b"123")
        (directory / "checkpoints" / name / "deep" / "state").write_bytes(b"45")


def named(name: object, **more: object) -> str:
    return json.dumps({"loss": 1, "_checkpoint": name, **more}) + "\n"


def test_checkpoints_that_lines_name_are_told(tmp_path: Path) -> None:
    saved(tmp_path, "4", "best", "7")
    lines = named("4", epoch=4) + named("best", epoch=5, _bytes=99) + named(7, epoch=7)
    (tmp_path / "reports.jsonl").write_text(lines)
    drained = Reader(job(tmp_path, attempt=3), Cursor()).drain(NOW)
    assert drained.checkpoints == [
        Checkpoint(3, "4", 4.0, 1, 5),
        Checkpoint(3, "best", 5.0, 2, 99),
        Checkpoint(3, "7", 7.0, 3, 5),
    ]
    assert drained.notes == []
    told = drained.told("k")
    assert told is not None and told.checkpoints == drained.checkpoints


def test_a_checkpoint_alone_is_told_and_counts_no_report(tmp_path: Path) -> None:
    saved(tmp_path, "4")
    (tmp_path / "stdout").write_text('{"loss": 1, "epoch": 4}\n{"_checkpoint": "4"}\n')
    reader = Reader(job(tmp_path), Cursor())
    drained = reader.drain(NOW)
    assert (len(drained.reports), drained.checkpoints) == (1, [Checkpoint(1, "4", 4.0, 1, 5)])
    assert reader.drain(NOW).told("k") is None


@pytest.mark.parametrize(
    "name",
    ["..", "../other", "a/b", "/etc", "/", "", ".", ".partial", "nul\0", "x" * 101, None, 3.5, True, ["4"], {"a": 1}],
)
def test_what_is_no_name_of_a_checkpoint_is_noted_and_its_metrics_count(tmp_path: Path, name: object) -> None:
    saved(tmp_path, "4", ".partial", "x" * 101)
    saved(tmp_path / "checkpoints", "other")
    (tmp_path / "reports.jsonl").write_text(named(name))
    drained = Reader(job(tmp_path), Cursor()).drain(NOW)
    assert (len(drained.reports), drained.checkpoints) == (1, [])
    assert len(drained.notes) == 1 and "is no name of a checkpoint" in drained.notes[0]


def test_a_checkpoint_must_be_a_folder_with_something_in_it(tmp_path: Path) -> None:
    saved(tmp_path, "4")
    root = tmp_path / "checkpoints"
    (root / "empty").mkdir()
    (root / "file").touch()
    (root / "link").symlink_to("4")
    names = ["empty", "file", "link", "absent"]
    (tmp_path / "reports.jsonl").write_text("".join(named(name) for name in names))
    drained = Reader(job(tmp_path), Cursor()).drain(NOW)
    assert (len(drained.reports), drained.checkpoints) == (4, [])
    assert drained.notes == [f"checkpoint {name} is not there or empty: {root}/{name}" for name in names]


def test_a_folder_behind_a_link_is_no_checkpoint(tmp_path: Path) -> None:
    """It would be deleted, one day, and is none of ours."""
    saved(tmp_path / "elsewhere", "precious")
    (tmp_path / "checkpoints").symlink_to(tmp_path / "elsewhere" / "checkpoints")
    (tmp_path / "reports.jsonl").write_text(named("precious"))
    drained = Reader(job(tmp_path), Cursor()).drain(NOW)
    assert (len(drained.reports), drained.checkpoints) == (1, [])
    assert drained.notes == [f"checkpoint precious is not taken: {tmp_path}/checkpoints is a link, expected a folder"]


def test_a_folder_is_one_checkpoint(tmp_path: Path) -> None:
    saved(tmp_path, "latest")
    (tmp_path / "reports.jsonl").write_text(named("latest") * 2)
    drained = Reader(job(tmp_path), Cursor()).drain(NOW)
    assert (len(drained.checkpoints), len(drained.notes)) == (1, 1)
    assert drained.notes == ["checkpoint latest was named before: each needs a folder of its own"]


@settings(max_examples=30, deadline=None)
@given(
    cuts=st.lists(st.integers(0, 400), max_size=5),
    crashes=st.sets(st.integers(0, 5)),
    which=st.lists(st.booleans(), max_size=8),
)
def test_each_checkpoint_is_told_once_whoever_reads_on(cuts: list[int], crashes: set[int], which: list[bool]) -> None:
    """Written in pieces, drained after each; another reader may go on from the last cursor that was told."""
    lines = [named(str(n), epoch=n) if is_named else '{"loss": 1}\n' for n, is_named in enumerate(which)]
    data = "".join(lines).encode()
    with tempfile.TemporaryDirectory() as folder:
        directory = Path(folder)
        saved(directory, *(str(n) for n in range(len(which))))
        one, cursor, found = job(directory), Cursor(), []
        reader = Reader(one, cursor)
        for turn, end in enumerate([*sorted(cuts), len(data)]):
            (directory / "reports.jsonl").write_bytes(data[:end])
            reader = Reader(one, cursor) if turn in crashes else reader
            told = reader.drain(NOW).told("k")
            if told is not None:
                cursor = told.cursor
                found += told.checkpoints
        assert [checkpoint.name for checkpoint in found] == [str(n) for n, is_named in enumerate(which) if is_named]


def test_a_resumed_attempt_counts_on_from_where_it_begins(tmp_path: Path) -> None:
    saved(tmp_path, "6")
    one = job(tmp_path, begin=Cursor(reports=5, step=50.0))
    (tmp_path / "reports.jsonl").write_text('{"loss": 1, "_checkpoint": "6"}\n{"loss": 1, "epoch": 6}\n')
    drained = Reader(one, one.begin).drain(NOW)
    assert [report.step for report in drained.reports] == [6.0, 6.0]
    assert drained.checkpoints == [Checkpoint(1, "6", 6.0, 6, 5)]
    assert drained.notes == ["step 6 was reported twice: the schedule counts increasing steps only"]


LINE = st.one_of(
    st.sampled_from(["loss: 1", "acc: 2", "loss: 1 acc: 2", "acc: 3 loss: 4 acc: 5", "epoch 3", "Epoch 4/9 loss: 7"]),
    st.sampled_from(
        ["", "noise", "1%\r2% loss: 8", "x" * 30, "loss: 1\r\r", "{}", "{bad", '{"lr": 1}', '{"epoch": 2}']
    ),
    st.dictionaries(st.sampled_from(["loss", "acc", "epoch", "x"]), st.integers(0, 9), max_size=3).map(json.dumps),
)


@settings(max_examples=75, deadline=None)
@given(
    name=st.sampled_from(["stdout", "reports.jsonl"]),
    text=st.tuples(st.lists(LINE, max_size=14), st.sampled_from(["", "\n"])).map(
        lambda made: "\n".join(made[0]) + made[1]
    ),
    cuts=st.lists(st.integers(0, 200), max_size=6),
    crash=st.integers(0, 6),
)
def test_each_line_counts_once_however_it_is_cut_and_whoever_reads_on(
    name: str, text: str, cuts: list[int], crash: int
) -> None:
    """Written in pieces, drained after each; after `crash` drains another reader goes on from the last logged cursor."""
    data = text.encode()
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr("rung.execute.lines.LONGEST", 25)
        directory = Path(folder)
        file = directory / name
        file.write_bytes(data)
        whole = Reader(job(directory), Cursor())
        expected = read_all(whole) + whole.finish(NOW).reports

        reader, logged, found = Reader(job(directory), Cursor()), Cursor(), []
        for number, end in enumerate([*sorted(cuts), len(data)]):
            file.write_bytes(data[:end])
            if number == crash:
                reader = Reader(job(directory), logged)
            drained = reader.drain(NOW)
            found += drained.reports
            if drained.reports:  # what an executor tells, and a log keeps, is this cursor, over JSON
                logged = msgspec.json.decode(msgspec.json.encode(drained.cursor), type=Cursor)
        found += reader.finish(NOW).reports
        assert found == expected


@settings(max_examples=50, deadline=None)
@given(lines=st.lists(LINE, max_size=20), chunk=st.integers(1, 40))
def test_the_size_of_a_gulp_never_shows(lines: list[str], chunk: int) -> None:
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        directory = Path(folder)
        (directory / "stdout").write_text("\n".join(lines))
        whole = Reader(job(directory), Cursor())
        expected = read_all(whole) + whole.finish(NOW).reports
        patch.setattr(drain, "CHUNK", chunk)
        gulping = Reader(job(directory), Cursor())
        assert read_all(gulping) + gulping.finish(NOW).reports == expected
