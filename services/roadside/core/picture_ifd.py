"""Image file directories, of TIFF files and of EXIF: bounded before any decoder sees them (TIFF 6.0, section 2)."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

MOST_ENTRIES = 256
"""Of one directory; photographs have 20 to 60."""
MOST_VALUE_BYTES = 16 << 20
"""Of all values of a TIFF's directories together. Each entry may point at the same bytes: 65,535 entries of a file of
one megabyte would be read into 64 GB."""
MOST_TILE_PX = 4096
"""Of a tile's sides: it is allocated whole, however small the picture is."""
ORIENTATION = 0x0112
_WIDTH, _HEIGHT, _BITS, _COMPRESSION, _SAMPLES = 256, 257, 258, 259, 277
_TILE_SIDES = (322, 323)
_FURTHER = (0x8769, 0x8825, 0xA005)
"""Directories of EXIF, GPS and interoperability, which Pillow reads with the first one."""
_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4}
"""Bytes of a value by its type."""
_COMPRESSIONS = frozenset({1, 5, 7, 8, 32773, 32946})
"""None, LZW, JPEG, Deflate, PackBits, Deflate by its old number."""
_DEPTHS = frozenset({1, 2, 4, 8, 16})
_MOST_SAMPLES = 4


class IfdError(ValueError):
    """A directory that is broken, too large, or of a kind that is not read."""


def orientation_of(exif: bytes) -> int:
    """The orientation, 1 to 8, that EXIF data (a TIFF header and its first directory) say; 1 where they say none."""
    try:
        order, first = _begin(exif)
        for place, tag, kind, _ in _entries(exif, order, first):
            if tag == ORIENTATION and kind == 3:
                (value,) = struct.unpack_from(order + "H", exif, place + 8)
                return int(value) if 1 <= value <= 8 else 1
    except (IfdError, struct.error):
        pass
    return 1


def tiff_header(data: bytes) -> tuple[int, int, int]:
    """Width, height and orientation of a TIFF's first picture. Raises IfdError where it is not one that is read."""
    tags = _checked(data)
    if tags.get(_COMPRESSION, [1])[0] not in _COMPRESSIONS:
        raise IfdError("compression")
    if not set(tags.get(_BITS, [1])) <= _DEPTHS or tags.get(_SAMPLES, [1])[0] > _MOST_SAMPLES:
        raise IfdError("samples")
    if any(tags.get(tag, [1])[0] > MOST_TILE_PX for tag in _TILE_SIDES):
        raise IfdError("tiles")
    orientation = tags.get(ORIENTATION, [1])[0]
    return tags[_WIDTH][0], tags[_HEIGHT][0], orientation if 1 <= orientation <= 8 else 1


def upright_tiff(data: bytes) -> bytes:
    """The TIFF with its orientation set to 1, so that its decoder does not turn it. `tiff_header` takes `data`."""
    order, first = _begin(data)
    turned = bytearray(data)
    for place, tag, _, _ in _entries(data, order, first):
        if tag == ORIENTATION:
            struct.pack_into(order + "HIHH", turned, place + 2, 3, 1, 1, 0)
    return bytes(turned)


def _checked(data: bytes) -> dict[int, list[int]]:
    """The numbers of the first directory's tags, at most four each, once all directories are found to be modest."""
    order, first = _begin(data)
    tags: dict[int, list[int]] = {}
    total = 0
    waiting, seen = [first], set[int]()
    while waiting:
        at = waiting.pop()
        if at in seen:
            continue
        seen.add(at)
        for place, tag, kind, count in _entries(data, order, at):
            total += _SIZES.get(kind, 1) * count
            if total > MOST_VALUE_BYTES:
                raise IfdError("values")
            numbers = _numbers(data, order, place, kind, count)
            if at == first and tag in tags:  # which of the two holds is every decoder's own choice
                raise IfdError("twice")
            if at == first and numbers:
                tags[tag] = numbers
            if tag in _FURTHER and numbers:
                waiting.append(numbers[0])
    if _WIDTH not in tags or _HEIGHT not in tags:
        raise IfdError("size")
    return tags


def _begin(data: bytes) -> tuple[str, int]:
    """Byte order, and where the first directory lies."""
    order = {b"II": "<", b"MM": ">"}.get(data[:2])
    if order is None:
        raise IfdError("byte order")
    return order, int(struct.unpack_from(order + "I", data, 4)[0])


def _entries(data: bytes, order: str, at: int) -> Iterator[tuple[int, int, int, int]]:
    """Place, tag, type and count of each entry."""
    (count,) = struct.unpack_from(order + "H", data, at)
    if count > MOST_ENTRIES:
        raise IfdError("entries")
    for place in range(at + 2, at + 2 + 12 * count, 12):
        yield (place, *struct.unpack_from(order + "HHI", data, place))


def _numbers(data: bytes, order: str, place: int, kind: int, count: int) -> list[int]:
    """The first four values of an entry of whole numbers; none of another."""
    code = {1: "B", 3: "H", 4: "I", 13: "I"}.get(kind)
    if code is None or not count:
        return []
    whole = _SIZES[kind] * count
    start = place + 8 if whole <= 4 else int(struct.unpack_from(order + "I", data, place + 8)[0])
    return list(struct.unpack_from(f"{order}{min(count, 4)}{code}", data, start))
