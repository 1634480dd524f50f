"""Reads TFRecord files, with checksums taken bit by bit, to check those that Roadside writes."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def bitwise_crc32c(data: bytes) -> int:
    state = 0xFFFFFFFF
    for byte in data:
        state ^= byte
        for _ in range(8):
            state = (state >> 1) ^ (0x82F63B78 if state & 1 else 0)
    return state ^ 0xFFFFFFFF


def masked_crc32c(data: bytes) -> bytes:
    """As TensorFlow documents it."""
    crc = bitwise_crc32c(data)
    return struct.pack("<I", ((crc >> 15 | crc << 17) + 0xA282EAD8) % 2**32)


def read_records(path: Path) -> Iterator[bytes]:
    """The records of a file: length, its checksum, the data, theirs."""
    content = path.read_bytes()
    while content:
        head, check, content = content[:8], content[8:12], content[12:]
        assert check == masked_crc32c(head)
        (length,) = struct.unpack("<Q", head)
        data, check, content = content[:length], content[length : length + 4], content[length + 4 :]
        assert check == masked_crc32c(data)
        yield data
