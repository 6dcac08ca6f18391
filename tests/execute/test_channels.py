from __future__ import annotations

import math

import pytest

from rung.execute.base import Cursor
from rung.execute.channels import Channels, Named, numeric, parse_object, printed_names
from rung.model import Report

NOW = 7.0


def channels(*metrics: str, steps: tuple[str, ...] = ("step", "epoch"), cursor: Cursor | None = None) -> Channels:
    return Channels(metrics, steps, cursor or Cursor())


def stdout(
    text: str, *metrics: str, steps: tuple[str, ...] = ("step", "epoch")
) -> list[tuple[float, dict[str, object]]]:
    """The reports, as (step, values), in these lines of stdout and at their end."""
    read, found, start = channels(*metrics, steps=steps), [], 0
    for line in text.encode().splitlines(keepends=True):
        found += read.stdout_line(line.rstrip(b"\n"), start, NOW)
        start += len(line)
    return [(report.step, dict(report.values)) for report in found + read.flush(NOW)]


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("loss: 0.25", 0.25),
        ("loss=0.25", 0.25),
        ("loss = 0.25", 0.25),
        ("loss:0.25", 0.25),
        ("INFO 12:00 train loss: 2.5e-1 done", 0.25),
        ("loss: .25", 0.25),
        ("loss: -1", -1.0),
        ("loss: +1.", 1.0),
        ("loss: 1E3", 1000.0),
        ("loss: 93%", 93.0),
        ("loss: 0.25, acc: 3", 0.25),
        ("[loss=0.25]", 0.25),
        ("the loss is loss: 0.25.", 0.25),
        ("{'loss': 0.25, 'lr': 1}", 0.25),
        ("\x1b[32mloss:\x1b[0m \x1b[1m0.25\x1b[0m", 0.25),
        ("loss: inf", "Infinity"),
        ("loss: -Infinity", "-Infinity"),
        ("loss: nan", "NaN"),
        ("loss: NaN", "NaN"),
        ("größe loss: 0.25", 0.25),
        ("loss: 1e999", "Infinity"),
    ],
)
def test_text_that_reports(line: str, value: object) -> None:
    assert stdout(line, "loss") == [(1.0, {"loss": value})]


@pytest.mark.parametrize(
    "line",
    [
        "val_loss: 0.25",
        "my-loss: 0.25",
        "a.loss: 0.25",
        "losses: 0.25",
        "loss 0.25",
        "loss: about 0.25",
        "loss: 1.2.3",
        "loss: 12abc",
        "loss: nano",
        "loss: infinitesimal",
        "loss:",
        "Loss: 0.25",
        "other: 0.25",
    ],
)
def test_text_that_does_not_report(line: str) -> None:
    assert stdout(line, "loss") == []


def test_names_may_hold_what_a_regular_expression_would_read() -> None:
    assert stdout("f(x)+: 3 a.b: 4 axb: 5", "f(x)+", "a.b") == [(1.0, {"f(x)+": 3.0, "a.b": 4.0})]


def test_a_longer_name_is_not_its_beginning() -> None:
    assert stdout("loss-val: 3 loss: 1", "loss", "loss-val") == [(1.0, {"loss-val": 3.0, "loss": 1.0})]


@pytest.mark.parametrize(
    "line", ["epoch: 3", "epoch=3", "epoch 3", "Epoch 3/10", "Epoch [3/10]", "EPOCH: 3", "epoch 3.0"]
)
def test_steps_are_read_in_text(line: str) -> None:
    assert stdout(f"{line}\nloss: 0.5\n", "loss") == [(3.0, {"loss": 0.5})]
    assert stdout(f"{line} loss: 0.5\n", "loss") == [(3.0, {"loss": 0.5})]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("loss: 1\nacc: 2\nloss: 3\nacc: 4\n", [(1, {"loss": 1, "acc": 2}), (2, {"loss": 3, "acc": 4})]),
        ("loss: 1\nloss: 3\nacc: 4\n", [(1, {"loss": 1}), (2, {"loss": 3, "acc": 4})]),
        ("loss: 1\n", [(1, {"loss": 1})]),
        ("loss: 1 acc: 2\nloss: 3\n", [(1, {"loss": 1, "acc": 2}), (2, {"loss": 3})]),
        ("loss: 1 loss: 2\n", [(1, {"loss": 1}), (2, {"loss": 2})]),
        ("epoch 1\nepoch 2\nloss: 5\n", [(2, {"loss": 5})]),
        ("epoch 1\nepoch 2\n", []),
        ("epoch 4 loss: 1 acc: 2\nloss: 3 acc: 4\n", [(4, {"loss": 1, "acc": 2}), (2, {"loss": 3, "acc": 4})]),
        ("nothing\n\nloss: 1 of acc: 2\n", [(1, {"loss": 1, "acc": 2})]),
    ],
)
def test_a_text_report_lasts_until_a_name_repeats(text: str, expected: list[tuple[float, dict[str, float]]]) -> None:
    assert stdout(text, "loss", "acc") == expected


def test_a_step_that_is_a_declared_metric_stays_one() -> None:
    assert stdout("epoch: 3\n", "epoch") == [(3.0, {"epoch": 3.0})]
    assert stdout('{"epoch": 3}\n', "epoch") == [(3.0, {"epoch": 3.0})]


@pytest.mark.parametrize(
    ("line", "step", "values"),
    [
        ('{"loss": 0.5}', 1, {"loss": 0.5}),
        ('  {"loss": 1, "epoch": 4, "step": 9}  ', 9, {"loss": 1.0, "epoch": 4.0}),
        ('{"loss": 1, "epoch": 4}', 4, {"loss": 1.0}),
        ('{"loss": 1, "epoch": "late", "on": true, "none": null, "more": {"a": 1}, "list": [1]}', 1, {"loss": 1.0}),
        ('{"loss": 1, "epoch": NaN}', 1, {"loss": 1.0, "epoch": "NaN"}),
        ('{"loss": "NaN"}', 1, {"loss": "NaN"}),
        ('{"loss": NaN, "a": Infinity, "b": -Infinity}', 1, {"loss": "NaN", "a": "Infinity", "b": "-Infinity"}),
        ('{"loss": 1e999}', 1, {"loss": "Infinity"}),
        ('{"loss": -1e999}', 1, {"loss": "-Infinity"}),
        ('{"loss": 1' + "0" * 400 + "}", 1, {"loss": "Infinity"}),
        ('{"loss": 1' + "0" * 5000 + "}", 1, {"loss": "Infinity"}),
        ('{"loss": 1, "loss": 2}', 1, {"loss": 2.0}),
        ('{"other": 3}', 1, {"other": 3.0}),
    ],
)
def test_json_that_reports(line: str, step: float, values: dict[str, object]) -> None:
    assert stdout(line, "loss") == [(step, values)]
    reports, understood = channels("loss").file_line(line.encode(), NOW)
    assert (understood, [(report.step, report.values) for report in reports]) == (True, [(step, values)])


@pytest.mark.parametrize("line", ["{}", '{"loss": "low"}', '{"loss": true}', '{"epoch": 3}', '{"_time": 3}'])
def test_json_without_a_number_is_no_report(line: str) -> None:
    assert stdout(line, "loss") == []
    assert channels("loss").file_line(line.encode(), NOW) == ([], True)


@pytest.mark.parametrize("line", ["[1]", "3", '{"loss": 1', "nonsense", '{"a":' * 5000, "[" * 100_000, "\x00\x00"])
def test_a_file_line_that_is_no_object_is_not_understood(line: str) -> None:
    assert channels("loss").file_line(line.encode(), NOW) == ([], False)


def test_a_file_line_may_hold_bytes_that_are_no_text() -> None:
    assert parse_object(b'{"na\xffme": 1, "loss": 2}') == {"na�me": 1, "loss": 2}
    assert parse_object(b'\xef\xbb\xbf{"loss": 2}') == {"loss": 2}


def test_the_time_is_the_reporters_own_if_it_gives_one() -> None:
    read = channels("loss")
    assert read.file_line(b'{"loss": 1, "_time": 5.5}', NOW)[0] == [Report(1.0, 5.5, {"loss": 1.0})]
    assert read.file_line(b'{"loss": 1, "_time": "NaN"}', NOW)[0] == [Report(2.0, NOW, {"loss": 1.0})]
    assert read.file_line(b'{"loss": 1}', NOW)[0] == [Report(3.0, NOW, {"loss": 1.0})]


def test_the_count_goes_on_from_the_cursor() -> None:
    read = channels("loss", cursor=Cursor({}, 41, 99.0, "file"))
    assert read.file_line(b'{"loss": 1}', NOW)[0] == [Report(42.0, NOW, {"loss": 1.0})]


@pytest.mark.parametrize(
    ("lines", "channel", "counts"),
    [
        (["out loss: 1", 'out {"lr": 1}', "out loss: 1"], "text", [1, 1, 1]),
        (["out loss: 1", 'out {"loss": 1}', "out loss: 1"], "json", [1, 1, 0]),
        (['out {"loss": 1}', 'file {"lr": 1}', 'out {"loss": 1}', "out loss: 2"], "json", [1, 1, 1, 0]),
        (['out {"loss": 1}', 'file {"loss": 1}', 'out {"loss": 1}', "out loss: 2"], "file", [1, 1, 0, 0]),
        (['out {"lr": 1}'], "none", [1]),
    ],
)
def test_a_better_channel_silences_lesser_ones_once_it_gave_a_declared_metric(
    lines: list[str], channel: str, counts: list[int]
) -> None:
    read, found = channels("loss"), []
    for line in lines:
        name, text = line.split(" ", 1)
        told = read.stdout_line(text.encode(), 0, NOW) if name == "out" else read.file_line(text.encode(), NOW)[0]
        found.append(len(told))
    assert found == counts
    assert read.channel == channel
    assert read.reports == sum(counts)


def test_a_text_report_in_the_making_is_dropped_when_a_better_channel_speaks() -> None:
    read = channels("loss", "acc")
    assert read.stdout_line(b"loss: 1", 0, NOW) == []
    assert read.pending == 0
    assert len(read.file_line(b'{"loss": 1}', NOW)[0]) == 1
    assert read.flush(NOW) == []
    assert read.pending is None


def test_a_json_line_ends_the_text_report_before_it() -> None:
    assert stdout('loss: 1\n{"lr": 2}\nacc: 3\n', "loss", "acc") == [(1, {"loss": 1}), (2, {"lr": 2}), (3, {"acc": 3})]


@pytest.mark.parametrize(
    ("value", "number"), [(1, 1.0), (1.5, 1.5), (True, None), ("1", None), (None, None), ([], None)]
)
def test_what_counts_as_a_number(value: object, number: float | None) -> None:
    assert numeric(value) == number
    assert numeric("Infinity") == math.inf


def test_what_a_program_printed_can_be_named() -> None:
    text = "\x1b[1mval_loss\x1b[0m: 0.5 acc=0.9\nval_loss: 0.4\nlr = fast\n2024-01-01 10:00:00 {'f1': 1e-3}"
    assert printed_names(text) == ["val_loss", "acc", "f1"]


def notes(*lines: str, cursor: Cursor | None = None, before: int = 0) -> list[str]:
    """The notes about these lines of `reports.jsonl`."""
    read = Channels(("loss",), ("step", "epoch"), cursor or Cursor(), before=before)
    for line in lines:
        read.file_line(line.encode(), NOW)
    return read.take_notes()


def at(step: float) -> str:
    return f'{{"loss": 1, "epoch": {step}}}'


BACKWARDS = "step 3 came after step 5: the schedule counts increasing steps only"
TWICE = "step 5 was reported twice: the schedule counts increasing steps only"


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([at(1), at(2), at(9)], []),
        ([at(5), at(3), at(2), at(1)], [BACKWARDS]),
        ([at(5), at(5), at(5)], [TWICE]),
        ([at(5), at(5), at(3)], [TWICE, BACKWARDS]),
        ([at(0.5), at(-1)], ["step -1 came after step 0.5: the schedule counts increasing steps only"]),
        (['{"loss": 1}', '{"loss": 1}'], []),
    ],
)
def test_steps_that_do_not_increase_are_noted_once_of_each_kind(lines: list[str], expected: list[str]) -> None:
    assert notes(*lines) == expected
    read = channels("loss")
    assert len([report for line in lines for report in read.file_line(line.encode(), NOW)[0]]) == len(lines)


def test_steps_are_compared_within_an_attempt() -> None:
    resumed = Cursor(reports=5, step=5.0)
    assert notes(at(3), cursor=resumed, before=5) == []
    assert notes(at(3), cursor=Cursor({}, 6, 5.0, "file"), before=5) == [BACKWARDS]


@pytest.mark.parametrize(
    ("line", "reports", "expected"),
    [
        ('{"loss": 1, "epoch": 4, "_checkpoint": "4", "_bytes": 9}', 1, Named("4", 4.0, 8, 9)),
        ('{"loss": 1, "_checkpoint": "x"}', 1, Named("x", 8.0, 8, None)),
        ('{"_checkpoint": "x", "_bytes": -1}', 0, Named("x", 7.5, 7, None)),
        ('{"loss": 1, "_checkpoint": 3, "_bytes": "9"}', 1, Named(3, 8.0, 8, None)),
        ('{"loss": 1, "_checkpoint": null, "_bytes": true}', 1, Named(None, 8.0, 8, None)),
    ],
)
def test_a_checkpoint_that_a_line_names_is_no_metric(line: str, reports: int, expected: Named) -> None:
    for name in ("file", "out"):
        read = channels("loss", cursor=Cursor(reports=7, step=7.5))
        raw = line.encode()
        found = read.file_line(raw, NOW)[0] if name == "file" else read.stdout_line(raw, 0, NOW)
        assert [report.values for report in found] == [{"loss": 1.0}] * reports
        assert (read.take_named(), read.take_named()) == ([expected], [])


def test_bytes_without_a_checkpoint_are_a_metric_like_any_other() -> None:
    assert stdout('{"_bytes": 3}\n', "loss") == [(1.0, {"_bytes": 3.0})]


def test_a_lesser_channel_names_no_checkpoints() -> None:
    read = channels("loss", cursor=Cursor(channel="file"))
    assert read.stdout_line(b'{"loss": 1, "_checkpoint": "3"}', 0, NOW) == []
    assert read.take_named() == []


@pytest.mark.parametrize(
    ("resource", "line", "note"),
    [
        ("samples", b'{"loss": 1, "epoch": 1}', "its epoch is taken for it"),
        ("samples", b'{"loss": 1}', "the number of the report is taken for it"),
        ("samples", b'{"loss": 1, "samples": 10}', None),
        ("epoch", b'{"loss": 1}', None),
        (None, b'{"loss": 1, "epoch": 1}', None),
    ],
)
def test_a_resource_that_is_never_reported_is_noted_once(resource: str | None, line: bytes, note: str | None) -> None:
    names = tuple(dict.fromkeys([*([resource] if resource else []), "step", "epoch", "iteration"]))
    channels = Channels(("loss",), names, Cursor(), resource=resource)
    channels.file_line(line, 0.0)
    channels.file_line(line.replace(b"1}", b"2}"), 0.0)
    notes = channels.take_notes()
    assert [said for said in notes if "does not report" in said] == (
        [f"it does not report {resource}, which the schedule counts in: {note}"] if note else []
    )
