"""The bytes of TensorBoard event files, written by hand: each message with the encoding that a test is about."""

from __future__ import annotations

import struct

from rung.execute.eventbytes import masked


def varint(value: int) -> bytes:
    found = bytearray()
    value &= (1 << 64) - 1
    while value >= 0x80:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*found, value])


def field(number: int, value: int | bytes) -> bytes:
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    return varint(number << 3 | 2) + varint(len(value)) + value


def double(number: int, value: float) -> bytes:
    return varint(number << 3 | 1) + struct.pack("<d", value)


def single(number: int, value: float) -> bytes:
    return varint(number << 3 | 5) + struct.pack("<f", value)


def record(data: bytes) -> bytes:
    length = struct.pack("<Q", len(data))
    return length + struct.pack("<I", masked(length)) + data + struct.pack("<I", masked(data))


def simple(tag: str, value: float) -> bytes:
    """A `Summary.Value` with `simple_value`."""
    return field(1, tag.encode()) + single(2, value)


def tensor(tag: str, body: bytes, *, plugin: str = "") -> bytes:
    """A `Summary.Value` with a tensor of these fields."""
    metadata = field(9, field(1, field(1, plugin.encode()))) if plugin else b""
    return field(1, tag.encode()) + field(8, body) + metadata


def event(step: int, *values: bytes, time: float = 1000.0) -> bytes:
    """A record with an `Event` that holds these values; step 0 is not written, as protocol buffers leave it out."""
    at = field(2, step) if step else b""
    return record(double(1, time) + at + field(5, b"".join(field(1, value) for value in values)))


def scalars(step: int, **values: float) -> bytes:
    """One record for each scalar of a step, as every writer does."""
    return b"".join(event(step, simple(tag, value)) for tag, value in values.items())


VERSION = record(double(1, 999.0) + field(3, b"brain.Event:2"))
