"""TFRecord files of tf.train.Example, byte for byte what TensorFlow writes, without TensorFlow.

A record is its length (8 bytes, little endian), a checksum of that, the data, a checksum of the data; a checksum is
CRC-32C (Castagnoli) masked as (rotate right 15) + 0xa282ead8. An Example is the protobuf message of
tensorflow/core/example/example.proto and feature.proto.
"""

from __future__ import annotations

import struct
from functools import cache
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

Feature: TypeAlias = "Sequence[bytes] | Sequence[int] | Sequence[float]"
_POLYNOMIAL = 0x82F63B78
"""Of CRC-32C (Castagnoli), its bits in reverse order."""
_MASK = 0xA282EAD8
"""What TFRecord's masked checksums add (tensorflow/core/lib/hash/crc32c.h)."""
_LANES = 256
"""Parts of long data whose checksums are taken at once."""
_BYTES, _FLOATS, _INTS = 1, 2, 3
_LENGTH_DELIMITED = 2


def write_records(path: Path, examples: Sequence[bytes]) -> None:
    """Write serialised `examples` as one TFRecord file."""
    with path.open("wb") as out:
        for data in examples:
            length = struct.pack("<Q", len(data))
            out.write(length + struct.pack("<I", masked(length)) + data + struct.pack("<I", masked(data)))


def example(features: Mapping[str, Feature]) -> bytes:
    """A serialised tf.train.Example; lists of bytes, whole or real numbers (an empty list keeps its kind unsaid)."""
    entries = b"".join(
        _field(1, _field(1, name.encode()) + _field(2, _feature(values))) for name, values in sorted(features.items())
    )
    return _field(1, entries)


def masked(data: bytes) -> int:
    """The masked CRC-32C of `data`."""
    crc = crc32c(data)
    return ((crc >> 15 | crc << 17) + _MASK) & 0xFFFFFFFF


def crc32c(data: bytes) -> int:
    """CRC-32C (Castagnoli) of `data`; long data in _LANES lanes at once, joined as a CRC's linearity allows."""
    length = len(data) // _LANES
    if length < 8:
        return _plain(data, 0xFFFFFFFF) ^ 0xFFFFFFFF
    table = _table()
    lanes = np.frombuffer(data, np.uint8, _LANES * length).reshape(_LANES, length).T.astype(np.uint32)
    states = np.zeros(_LANES, np.uint32)
    states[0] = 0xFFFFFFFF
    for column in lanes:
        states = table[(states ^ column) & 0xFF] ^ (states >> 8)
    shift = _zeros_operator(length)
    state = 0
    for lane in states.tolist():
        state = _apply(shift, state) ^ lane
    return _plain(data[_LANES * length :], state) ^ 0xFFFFFFFF


@cache
def _table() -> NDArray[np.uint32]:
    table = np.arange(256, dtype=np.uint32)
    for _ in range(8):
        table = (table >> 1) ^ np.where(table & 1, np.uint32(_POLYNOMIAL), np.uint32(0))
    return table


@cache
def _list_table() -> list[int]:
    return [int(v) for v in _table()]


def _plain(data: bytes, state: int) -> int:
    table = _list_table()
    for byte in data:
        state = table[(state ^ byte) & 0xFF] ^ (state >> 8)
    return state


def _apply(operator: Sequence[int], vector: int) -> int:
    """A 32 x 32 matrix over GF(2), as the images of the bits, times a vector."""
    image = 0
    for bit in operator:
        if vector & 1:
            image ^= bit
        vector >>= 1
        if not vector:
            break
    return image


def _zeros_operator(count: int) -> list[int]:
    """What `count` zero bytes do to a CRC's state: the matrix of one zero byte to the power of `count`."""
    power = [_plain(b"\0", 1 << bit) for bit in range(32)]
    result = [1 << bit for bit in range(32)]
    while count:
        if count & 1:
            result = [_apply(power, bit) for bit in result]
        power = [_apply(power, bit) for bit in power]
        count >>= 1
    return result


def _feature(values: Feature) -> bytes:
    if not values:
        return b""
    if isinstance(values[0], bytes):
        return _field(_BYTES, b"".join(_field(1, v) for v in values if isinstance(v, bytes)))
    if isinstance(values[0], int):
        return _field(_INTS, _field(1, b"".join(_varint(int(v)) for v in values)))
    return _field(_FLOATS, _field(1, struct.pack(f"<{len(values)}f", *values)))


def _field(number: int, content: bytes) -> bytes:
    return _varint(number << 3 | _LENGTH_DELIMITED) + _varint(len(content)) + content


def _varint(value: int) -> bytes:
    value &= 0xFFFFFFFFFFFFFFFF
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)
