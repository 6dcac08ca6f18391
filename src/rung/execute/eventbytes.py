"""TensorBoard event files as bytes: pieces of a file in, the scalars of its whole records out. Pure: no clock.

A file is a row of records, each `length, checksum of the length, data, checksum of the data` (the framing of
TensorFlow's TFRecord: little-endian, checksums are masked CRC-32C). The data is an `Event` message of protocol buffers,
of which this reads what holds scalars: `simple_value`, and `tensor` without dimensions, as TensorFlow 2 writes them.
The layouts are those of tensorflow/core/util/event.proto, framework/summary.proto and framework/tensor.proto.

Nothing in a file is trusted: a length counts only with its checksum, a message only within its bounds.
"""

from __future__ import annotations

import struct
from functools import cache
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterator

LONGEST = 1 << 20
"""Bytes of data beyond which a record is passed over unread: a graph, images."""
_HEADER = struct.Struct("<QI")
_CHECKSUM = struct.Struct("<I")
_MASK_DELTA = 0xA282EAD8  # what TFRecord adds to a rotated checksum
_CASTAGNOLI = 0x82F63B78  # the polynomial of CRC-32C, reversed

Field: TypeAlias = "tuple[int, int | bytes]"
"""Number and value: an int for a varint, else the bytes."""

_CONTENT = {1: "f", 2: "d", 3: "i", 4: "B", 5: "h", 6: "b", 9: "q", 10: "?", 17: "H", 19: "e", 22: "I", 23: "Q"}
"""DataType -> how `tensor_content` holds one element of it."""
_BFLOAT16 = 14
_VALUES = {5: "f", 6: "d"}  # fields of TensorProto that hold elements as fixed-width numbers
_VARINTS = (7, 10, 11, 13, 16, 17)  # int_val, int64_val, bool_val, half_val, uint32_val, uint64_val
_HALVES = (19, _BFLOAT16)


class Scalar(NamedTuple):
    """One number that a record holds. `step` is 0 where the record says none; `time` is Unix seconds."""

    step: int
    time: float
    tag: str
    value: float


class Record(NamedTuple):
    """One whole record, its bytes `start` to `end`."""

    start: int
    end: int
    scalars: list[Scalar]


class Malformed(ValueError):
    """The bytes are no message."""


class Records:
    """The records of one file from `offset` (the beginning of a record) on."""

    def __init__(self, offset: int = 0) -> None:
        self.start = offset
        """Where the record that is not yet complete begins."""
        self.position = offset
        """Up to where bytes were fed, or need not be."""
        self.broken = ""
        """Why nothing more can be read of the file; "" while it can."""
        self.skipped = 0
        """How many records could not be understood."""
        self._held = b""

    def feed(self, piece: bytes) -> Iterator[Record]:
        """The records that `piece` completes; those without scalars too."""
        self._held += piece
        self.position += len(piece)
        at = 0
        while len(self._held) - at >= _HEADER.size and not self.broken:
            length = self._length(at)
            if length is None:
                break
            end = at + _HEADER.size + length + _CHECKSUM.size
            if length > LONGEST:
                yield Record(self.start, self.start + end - at, [])
                self.start += end - at
                self.position = max(self.position, self.start)
            elif end <= len(self._held):
                data = self._held[at + _HEADER.size : end - _CHECKSUM.size]
                (checksum,) = _CHECKSUM.unpack_from(self._held, end - _CHECKSUM.size)
                yield Record(self.start, self.start + end - at, self._scalars(data, checksum))
                self.start += end - at
            else:
                break
            at = end
        self._held = self._held[at:]

    def _length(self, at: int) -> int | None:
        """What the header at `at` says, if that is so; None where it is not."""
        length, checksum = _HEADER.unpack_from(self._held, at)
        if checksum == masked(self._held[at : at + 8]):
            return int(length)
        if not any(self._held[at:]):  # room that is not written yet: it is read again
            self._held, self.position = self._held[:at], self.start
        else:
            self.broken = f"the record at byte {self.start} has no valid length"
        return None

    def _scalars(self, data: bytes, checksum: int) -> list[Scalar]:
        try:
            found = scalars(data)
        except Malformed:
            self.skipped += 1
            return []
        if found and checksum != masked(data):  # only what counts is worth the time that the sum takes
            self.skipped += 1
            return []
        return found


@cache
def _table() -> tuple[int, ...]:
    found = []
    for byte in range(256):
        crc = byte
        for _ in range(8):
            crc = (crc >> 1) ^ (_CASTAGNOLI if crc & 1 else 0)
        found.append(crc)
    return tuple(found)


def masked(data: bytes) -> int:
    """The masked CRC-32C of `data`, as TFRecord keeps it."""
    table, crc = _table(), 0xFFFFFFFF
    for byte in data:
        crc = table[(crc ^ byte) & 0xFF] ^ (crc >> 8)
    crc ^= 0xFFFFFFFF
    return (((crc >> 15) | (crc << 17)) + _MASK_DELTA) & 0xFFFFFFFF


# -------------------------------------------------------------------------------------------------------- messages


def scalars(event: bytes) -> list[Scalar]:
    """The scalars in an `Event`, in order. Raises `Malformed`."""
    step, time, summaries = 0, 0.0, []
    for number, value in _fields(event):
        if number == 1:
            time = _fixed("d", value)
        elif number == 2 and isinstance(value, int):
            step = _signed(value)
        elif number == 5 and isinstance(value, bytes):
            summaries.append(value)
    found = []
    for summary in summaries:
        for number, value in _fields(summary):
            if number == 1 and isinstance(value, bytes):
                one = _summary_value(value)
                if one is not None:
                    found.append(Scalar(step, time, *one))
    return found


def _summary_value(data: bytes) -> tuple[str, float] | None:
    """Tag and number of a `Summary.Value`; None where it is something else: an image, a histogram, a text."""
    tag, simple, tensor, plugin = "", None, None, ""
    for number, value in _fields(data):
        if number == 1 and isinstance(value, bytes):
            tag = value.decode("utf-8", "replace")
        elif number == 2:
            simple = _fixed("f", value)
        elif number == 8 and isinstance(value, bytes):
            tensor = value
        elif number == 9 and isinstance(value, bytes):
            plugin = _plugin(value)
    if tensor is not None and plugin in {"", "scalars"}:
        simple = _element(tensor, plain=not plugin)
    return (tag, simple) if tag and simple is not None else None


def _plugin(metadata: bytes) -> str:
    """The plug-in that a `SummaryMetadata` names."""
    for number, value in _fields(metadata):
        if number == 1 and isinstance(value, bytes):
            for inner, name in _fields(value):
                if inner == 1 and isinstance(name, bytes):
                    return name.decode("utf-8", "replace")
    return ""


def _element(tensor: bytes, *, plain: bool) -> float | None:
    """The only element of a numeric `TensorProto`; None for any other. `plain`: it must have no dimensions at all."""
    kind, content, sizes, elements = 0, b"", [], b""
    where = 0
    for number, value in _fields(tensor):
        if number == 1 and isinstance(value, int):
            kind = value
        elif number == 2 and isinstance(value, bytes):
            sizes = _sizes(value)
        elif number == 4 and isinstance(value, bytes):
            content = value
        elif (number in _VALUES or number in _VARINTS) and not where:
            where, elements = number, _varint(value) if isinstance(value, int) else value
    if (kind not in _CONTENT and kind != _BFLOAT16) or (plain and sizes) or any(size != 1 for size in sizes):
        return None
    if content:
        return _bfloat(content) if kind == _BFLOAT16 else _fixed(_CONTENT[kind], content)
    if where in _VALUES:
        width = struct.calcsize(_VALUES[where])
        return _fixed(_VALUES[where], elements[:width])
    if not where:
        return 0.0
    whole = _signed(_read_varint(elements, 0)[0])
    if kind in _HALVES:
        bits = struct.pack("<H", whole & 0xFFFF)
        return _bfloat(bits) if kind == _BFLOAT16 else _fixed("e", bits)
    return float(whole)


def _sizes(shape: bytes) -> list[int]:
    """The dimensions of a `TensorShapeProto`."""
    found = []
    for number, value in _fields(shape):
        if number == 2 and isinstance(value, bytes):
            found.append(next((_signed(size) for key, size in _fields(value) if key == 1 and isinstance(size, int)), 0))
    return found


def _fixed(form: str, value: int | bytes) -> float:
    if isinstance(value, int) or len(value) != struct.calcsize(form):
        raise Malformed
    return float(struct.unpack(f"<{form}", value)[0])


def _bfloat(content: bytes) -> float:
    """A brain float: the upper half of a float."""
    return _fixed("f", b"\0\0" + content)


def _fields(data: bytes) -> Iterator[Field]:
    """The fields of a message, in order. Raises `Malformed`."""
    at, end = 0, len(data)
    while at < end:
        key, at = _read_varint(data, at)
        number, kind = key >> 3, key & 7
        if kind == 0:
            value, at = _read_varint(data, at)
            yield number, value
            continue
        if kind == 2:
            size, at = _read_varint(data, at)
        elif kind in {1, 5}:
            size = 8 if kind == 1 else 4
        else:
            raise Malformed
        if size > end - at:
            raise Malformed
        yield number, data[at : at + size]
        at += size


def _read_varint(data: bytes, at: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        if at >= len(data):
            raise Malformed
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value & 0xFFFFFFFFFFFFFFFF, at
    raise Malformed


def _varint(value: int) -> bytes:
    found = bytearray()
    while value >= 0x80:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*found, value])


def _signed(value: int) -> int:
    """A varint as the int64 that it stands for."""
    return value - (1 << 64) if value >= 1 << 63 else value
