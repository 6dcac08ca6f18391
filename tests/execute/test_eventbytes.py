from __future__ import annotations

import contextlib
import math
import struct
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rung.execute import eventbytes
from rung.execute.eventbytes import LONGEST, Malformed, Records, Scalar, masked

from .eventwriter import VERSION, double, event, field, record, scalars, simple, single, tensor, varint

SHAPELESS = field(2, b"")
FLOAT, DOUBLE, INT32, STRING, INT64, BFLOAT16, HALF = 1, 2, 3, 7, 9, 14, 19


def read(data: bytes) -> list[Scalar]:
    return [scalar for each in Records().feed(data) for scalar in each.scalars]


def values(data: bytes) -> list[tuple[str, float]]:
    return [(scalar.tag, scalar.value) for scalar in read(data)]


def test_the_checksum_is_that_of_the_format() -> None:
    # CRC-32C of "123456789" is 0xE3069283; masked as TFRecord does it.
    assert masked(b"123456789") == ((0xE3069283 >> 15 | 0xE3069283 << 17) + 0xA282EAD8) & 0xFFFFFFFF


def test_simple_values_are_read_in_order() -> None:
    data = VERSION + event(7, simple("loss", 0.5), simple("acc", -2.0), time=12.5)
    assert read(data) == [Scalar(7, 12.5, "loss", 0.5), Scalar(7, 12.5, "acc", -2.0)]


def test_a_zero_is_a_value() -> None:
    assert values(scalars(1, loss=0.0)) == [("loss", 0.0)]


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_non_finite_values_survive(value: float) -> None:
    [(tag, found)] = values(scalars(1, loss=value))
    assert tag == "loss"
    assert found == value or (math.isnan(found) and math.isnan(value))


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        (FLOAT, field(4, struct.pack("<f", 1.5))),
        (DOUBLE, field(4, struct.pack("<d", 1.5))),
        (FLOAT, field(5, struct.pack("<f", 1.5))),  # packed
        (FLOAT, single(5, 1.5)),  # not packed
        (DOUBLE, field(6, struct.pack("<d", 1.5))),
        (HALF, field(13, varint(int.from_bytes(struct.pack("<e", 1.5), "little")))),
        (BFLOAT16, field(13, varint(0x3FC0))),
        (BFLOAT16, field(4, b"\xc0\x3f")),
        (HALF, field(4, struct.pack("<e", 1.5))),
    ],
)
def test_tensors_without_dimensions_are_numbers(kind: int, body: bytes) -> None:
    assert values(event(1, tensor("loss", field(1, kind) + SHAPELESS + body))) == [("loss", 1.5)]


@pytest.mark.parametrize(
    ("kind", "body", "value"),
    [
        (INT32, field(7, varint(-3)), -3.0),
        (INT64, field(10, varint(1 << 40)), float(1 << 40)),
        (INT64, field(10, 5), 5.0),
        (INT32, field(4, struct.pack("<i", -7)), -7.0),
        (FLOAT, b"", 0.0),  # a default is left out
    ],
)
def test_tensors_of_whole_numbers_are_numbers(kind: int, body: bytes, value: float) -> None:
    assert values(event(1, tensor("n", field(1, kind) + SHAPELESS + body))) == [("n", value)]


def test_a_tensor_of_one_element_counts_where_its_plugin_says_scalar() -> None:
    one = field(1, FLOAT) + field(2, field(2, field(1, 1))) + field(5, struct.pack("<f", 2.0))
    assert values(event(1, tensor("a", one, plugin="scalars"))) == [("a", 2.0)]
    assert values(event(1, tensor("a", one))) == []


@pytest.mark.parametrize(
    "value",
    [
        tensor("hp", field(1, FLOAT) + SHAPELESS + field(5, struct.pack("<f", 1.0)), plugin="hparams"),
        tensor("text", field(1, STRING) + SHAPELESS + field(8, b"hello")),
        tensor("pr", field(1, FLOAT) + field(2, field(2, field(1, 2))) + field(5, struct.pack("<2f", 1, 2))),
        field(1, b"image") + field(4, b"png"),
        field(1, b"histogram") + field(5, double(1, 0.0)),
        single(2, 1.0),  # without a tag
    ],
)
def test_what_is_no_scalar_is_passed_over(value: bytes) -> None:
    assert values(event(1, value, simple("loss", 1.0))) == [("loss", 1.0)]


def test_negative_and_large_steps_are_read() -> None:
    assert [scalar.step for scalar in read(scalars(-1, a=1.0) + scalars(1 << 40, a=1.0))] == [-1, 1 << 40]


def test_a_torn_tail_waits() -> None:
    data = VERSION + scalars(1, loss=1.0) + scalars(2, loss=2.0)
    for cut in range(len(data)):
        records = Records()
        before = [scalar for each in records.feed(data[:cut]) for scalar in each.scalars]
        after = [scalar for each in records.feed(data[cut:]) for scalar in each.scalars]
        assert [scalar.value for scalar in before + after] == [1.0, 2.0]
        assert records.start == len(data)
        assert not records.broken


def test_a_length_without_its_checksum_ends_the_file() -> None:
    good = scalars(1, loss=1.0)
    records = Records()
    assert len(list(records.feed(good + b"\xff" * 40))) == 1
    assert "no valid length" in records.broken
    assert list(records.feed(scalars(2, loss=2.0))) == []


def test_room_that_is_not_written_yet_is_read_again() -> None:
    good = scalars(1, loss=1.0)
    records = Records()
    assert list(records.feed(bytes(64))) == []
    assert (records.broken, records.position) == ("", 0)
    assert [scalar.value for each in records.feed(good) for scalar in each.scalars] == [1.0]


def test_a_damaged_record_is_skipped_and_the_next_one_read() -> None:
    bad = bytearray(scalars(1, loss=1.0))
    bad[-6] ^= 0xFF
    records = Records()
    found = [scalar for each in records.feed(bytes(bad) + scalars(2, loss=2.0)) for scalar in each.scalars]
    assert [scalar.value for scalar in found] == [2.0]
    assert records.skipped == 1


def test_a_huge_record_is_passed_over_unread() -> None:
    length = struct.pack("<Q", LONGEST + 1)
    records = Records()
    assert [each.scalars for each in records.feed(length + struct.pack("<I", masked(length)) + b"x" * 9)] == [[]]
    assert records.position == records.start == LONGEST + 1 + 16
    assert [scalar.value for each in records.feed(scalars(3, loss=3.0)) for scalar in each.scalars] == [3.0]


@given(st.binary(max_size=300))
def test_no_bytes_raise_anything_else(data: bytes) -> None:
    with contextlib.suppress(Malformed):
        eventbytes.scalars(data)
    list(Records().feed(data))
    list(Records().feed(record(data)))


@settings(max_examples=50)
@given(st.integers(0, 200), st.binary(min_size=1, max_size=4))
def test_no_damage_raises(at: int, noise: bytes) -> None:
    data = VERSION + event(3, simple("loss", 1.0), tensor("acc", field(1, FLOAT) + SHAPELESS + single(5, 1.0)))
    at %= len(data)
    list(Records().feed(data[:at] + noise + data[at + len(noise) :]))


WRITE = """
import sys
{before}
from {package} import SummaryWriter
writer = SummaryWriter(sys.argv[1])
writer.add_text("note", "hello", 0)
writer.add_histogram("h", __import__("numpy").arange(9.0), 0)
for step in range(1, 4):
    writer.add_scalar("loss", 1 / step, step)
    writer.add_scalar("zero", 0.0, step)
    writer.add_scalar("new", step * 2.0, step{new})
writer.add_hparams({{"lr": 0.1}}, {{"hp_metric": 1.0}})
writer.close()
"""


def written(folder: Path, package: str, new: str) -> list[Scalar]:
    pytest.importorskip(package.partition(".")[0], reason=f"{package} is not installed: pip install it")
    pytest.importorskip("tensorboardX" if package == "tensorboardX" else "tensorboard")
    before = "sys.modules['torch'] = None  # imported for seconds, if it is there" if package == "tensorboardX" else ""
    code = WRITE.format(package=package, new=new, before=before)
    subprocess.run([sys.executable, "-W", "ignore", "-c", code, str(folder)], check=True, capture_output=True)
    data = [path.read_bytes() for path in sorted(folder.glob("events.out.tfevents*"))]
    assert len(data) == 1
    return read(data[0])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("package", "new"), [("tensorboardX", ""), ("torch.utils.tensorboard", ", new_style=True, double_precision=True")]
)
def test_files_of_real_writers_are_read(package: str, new: str, tmp_path: Path) -> None:
    found = written(tmp_path, package, new)
    by_tag = {tag: [(s.step, s.value) for s in found if s.tag == tag] for tag in ("loss", "zero", "new")}
    assert by_tag["loss"] == [(1, 1.0), (2, 0.5), (3, pytest.approx(1 / 3))]
    assert by_tag["zero"] == [(1, 0.0), (2, 0.0), (3, 0.0)]
    assert by_tag["new"] == [(1, 2.0), (2, 4.0), (3, 6.0)]
    assert {s.tag for s in found} == {"loss", "zero", "new"}
    assert all(s.time > 1e9 for s in found)
