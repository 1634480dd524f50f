"""Whether a TFLite file is whole: tflite-runtime 2.14 trusts every offset in it and crashes on a cut one."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

MAGIC = b"TFL3"

# What a field of a table holds: the size in bytes of a vector's elements, or the fields of its tables.
_Fields = dict[int, "int | tuple[_Fields, ...] | _Fields"]

# From tensorflow/lite/schema/schema.fbs, version 3: a tuple is a vector of tables, a dict a table.
_QUANTISATION: _Fields = {0: 4, 1: 4, 2: 4, 3: 8}
_TENSOR: _Fields = {0: 4, 3: 1, 4: _QUANTISATION}
_OPERATOR: _Fields = {1: 4, 2: 4, 4: {}, 5: 1}
_SUBGRAPH: _Fields = {0: (_TENSOR,), 1: 4, 2: 4, 3: (_OPERATOR,), 4: 1}
_BUFFER: _Fields = {0: 1}
_CODE: _Fields = {1: 1}
_MODEL: _Fields = {1: (_CODE,), 2: (_SUBGRAPH,), 3: 1, 4: (_BUFFER,)}


def is_tflite(content: bytes) -> bool:
    """Whether `content` bears the mark of a TFLite file."""
    return content[4:8] == MAGIC


def is_whole(content: bytes) -> bool:
    """Whether everything that the file's tables point at lies in `content`."""
    try:
        return _Walk(content).table_fits(_offset(content, 0), _MODEL)
    except (struct.error, RecursionError):
        return False


class _Walk:
    """Goes over each table once, however many vectors point at it: tables that are shared would take for ever."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self._fitting: set[tuple[int, int]] = set()
        """Place and kind of the tables that were gone over; the walk ends at the first that does not fit."""

    def table_fits(self, place: int, fields: Mapping[int, object]) -> bool:
        if (place, id(fields)) in self._fitting:
            return True
        (back,) = struct.unpack_from("<i", self._content, place)
        names = place - back
        if not 0 <= names <= len(self._content) - 4:
            return False
        names_size, table_size = struct.unpack_from("<HH", self._content, names)
        if names + names_size > len(self._content) or place + table_size > len(self._content):
            return False
        self._fitting.add((place, id(fields)))
        return all(
            self._field_fits(place + shift, fields[number])
            for number, shift in present(self._content, names, names_size)
            if number in fields
        )

    def _field_fits(self, place: int, kind: object) -> bool:
        target = _offset(self._content, place)
        if isinstance(kind, dict):
            return self.table_fits(target, kind)
        (count,) = struct.unpack_from("<I", self._content, target)
        size = kind if isinstance(kind, int) else 4
        if target + 4 + count * size > len(self._content):
            return False
        if isinstance(kind, tuple):
            first = target + 4
            return all(self.table_fits(_offset(self._content, first + 4 * i), kind[0]) for i in range(count))
        return True


def present(content: bytes, names: int, names_size: int) -> Iterator[tuple[int, int]]:
    """Number and shift, in bytes, of the fields that a table has, by its list of `names_size` bytes at `names`."""
    for number in range((names_size - 4) // 2):
        (shift,) = struct.unpack_from("<H", content, names + 4 + 2 * number)
        if shift:
            yield number, shift


def _offset(content: bytes, place: int) -> int:
    """Where the offset at `place` points. Raises struct.error outside of `content`."""
    (forward,) = struct.unpack_from("<I", content, place)
    return int(place + forward)
