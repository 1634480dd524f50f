"""Model files that nobody should walk through: small, and of tables that many vectors share."""

from __future__ import annotations

import struct


class _Tables:
    """Lays flatbuffer tables one after the other; offsets point forward, as they must."""

    def __init__(self) -> None:
        self.data = bytearray(b"\0\0\0\0TFL3")

    def table(self, field: int) -> tuple[int, int]:
        """A table with one field; where it lies, and where its field does."""
        names = len(self.data)
        self.data += struct.pack("<HH", 6 + 2 * field, 8) + bytes(2 * field) + struct.pack("<H", 4)
        self._align()
        place = len(self.data)
        self.data += struct.pack("<ii", place - names, 0)
        return place, place + 4

    def vector(self, count: int) -> tuple[int, range]:
        """A vector of offsets; where it lies, and where they do."""
        place = len(self.data)
        self.data += struct.pack("<I", count) + bytes(4 * count)
        return place, range(place + 4, place + 4 + 4 * count, 4)

    def point(self, at: int, to: int) -> None:
        self.data[at : at + 4] = struct.pack("<I", to - at)

    def _align(self) -> None:
        self.data += bytes(-len(self.data) % 4)


def sharing_tables(count: int) -> bytes:
    """A whole TFLite file of 8 x `count` bytes: `count` subgraphs, all the same one, of `count` tensors, likewise."""
    tables = _Tables()
    model, at = tables.table(2)
    tables.point(0, model)
    for field in (0, 0):
        vector, places = tables.vector(count)
        tables.point(at, vector)
        table, at = tables.table(field)
        for place in places:
            tables.point(place, table)
    shape, _ = tables.vector(0)
    tables.point(at, shape)
    return bytes(tables.data)
