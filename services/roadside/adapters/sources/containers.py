"""When a clip was recorded, as its container says: MP4 and MOV by `mvhd` and Apple's keys, Matroska by `DateUTC`.

A few kilobytes are read, and no more boxes than a camera writes, whatever the file claims. OpenCV does not tell the
time, and PyAV would add more than 60 MB to every installation for it.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from roadside.core.moments import Stamp

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import BinaryIO

UNKNOWN_ZONE_NS = 14 * 3600 * 10**9
"""How far a time may be off that is UTC by the standard: many cameras write local time, from UTC-12 to UTC+14."""
_EPOCH_1904 = datetime(1904, 1, 1, tzinfo=UTC)
_EPOCH_2001 = datetime(2001, 1, 1, tzinfo=UTC)
_EPOCH_1970 = datetime(1970, 1, 1, tzinfo=UTC)
_MOST_BOXES = 4096
"""Looked at on one level: long fragmented recordings have one a second before their end."""
_MOST_BYTES = 64 * 1024
_WITH_ZONE = re.compile(rb"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.\d+)?(Z|[+-]\d\d:?\d\d)")
_APPLE = b"com.apple.quicktime.creationdate"
_FIRST_BOXES = (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip")
_MASTER = {0x18538067, 0x1549A966}
"""Matroska's Segment and its Info, which are looked into."""
_EBML, _SEGMENT, _INFO, _CLUSTER, _DATE = 0x1A45DFA3, 0x18538067, 0x1549A966, 0x1F43B675, 0x4461


def clip_time(path: Path) -> Stamp | None:
    """When the first frame of the clip at `path` was taken; None where it does not say.

    Whether that is to be believed is for the caller. Raises OSError where the file cannot be read.
    """
    with path.open("rb") as file:
        return container_time(file)


def container_time(file: BinaryIO) -> Stamp | None:
    """The same of an open file."""
    size = file.seek(0, 2)
    file.seek(0)
    first = file.read(12)
    try:
        if first[:4] == _EBML.to_bytes(4, "big"):
            return _matroska(file, size)
        if first[4:8] in _FIRST_BOXES:
            return _mp4(file, size)
    except (OverflowError, ValueError):  # a date that no calendar has
        pass
    return None


def ns_of(at: datetime) -> int:
    """UTC nanoseconds since 1970."""
    return (at - _EPOCH_1970) // timedelta(microseconds=1) * 1000


def _mp4(file: BinaryIO, size: int) -> Stamp | None:
    moov = next(((start, end) for kind, start, end in _boxes(file, 0, size) if kind == b"moov"), None)
    if moov is None:
        return None
    inner = {kind: (start, end) for kind, start, end in _boxes(file, *moov)}
    if b"meta" in inner and (told := _apple(_part(file, *inner[b"meta"]))) is not None:
        return told
    return _movie_header(_part(file, *inner[b"mvhd"])) if b"mvhd" in inner else None


def _boxes(file: BinaryIO, start: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Kind, start and end of what each box between two places holds; ISO/IEC 14496-12, 4.2."""
    for _ in range(_MOST_BOXES):
        file.seek(start)
        head = file.read(16)
        if start + 8 > end or len(head) < 8:
            return
        size, kind, header = int.from_bytes(head[:4], "big"), head[4:8], 8
        if size == 1 and len(head) == 16:
            size, header = int.from_bytes(head[8:], "big"), 16
        if size == 0:
            size = end - start
        if size < header or start + size > end:
            return
        yield kind, start + header, start + size
        start += size


def _part(file: BinaryIO, start: int, end: int) -> bytes:
    file.seek(start)
    return file.read(min(end - start, _MOST_BYTES))


def _movie_header(data: bytes) -> Stamp | None:
    """The creation time of `mvhd`, in seconds since 1904; 0 where the writer did not know."""
    wide = data[:1] == b"\x01"
    seconds = int.from_bytes(data[4 : 12 if wide else 8], "big")
    if len(data) < 12 or not seconds:
        return None
    return Stamp(ns_of(_EPOCH_1904 + timedelta(seconds=seconds)), UNKNOWN_ZONE_NS)


def _apple(data: bytes) -> Stamp | None:
    """A telephone's time with its zone, from the values that belong to QuickTime's keys."""
    if _APPLE not in data:
        return None
    found = _WITH_ZONE.search(data, data.index(_APPLE))
    if found is None:
        return None
    zone = found[2].decode().replace("Z", "+0000").replace(":", "")
    return Stamp(ns_of(datetime.strptime(found[1].decode() + zone, "%Y-%m-%dT%H:%M:%S%z")))


def _matroska(file: BinaryIO, size: int) -> Stamp | None:
    """DateUTC, in nanoseconds since 2001; RFC 9559, 5.1.2.11."""
    start, end = 0, size
    for _ in range(_MOST_BOXES):
        file.seek(start)
        head = file.read(12)
        name, used = _number(head, keep_marker=True)
        length, more = _number(head[used:], keep_marker=False)
        start += used + more
        if not used or not more or start > end or name == _CLUSTER:
            return None
        known = length < (1 << (7 * more)) - 1  # all ones: goes on to the end
        if name == _DATE and length == 8:
            since_ns = int.from_bytes(_part(file, start, start + 8), "big", signed=True)
            return Stamp(ns_of(_EPOCH_2001) + since_ns, UNKNOWN_ZONE_NS) if since_ns else None
        if name in _MASTER:
            continue  # its elements come next
        if not known:
            return None
        start += length
    return None


def _number(data: bytes, *, keep_marker: bool) -> tuple[int, int]:
    """An EBML number and how many bytes it takes; 0 bytes where it is none. RFC 8794, 4."""
    if not data or not data[0]:
        return 0, 0
    width = 9 - data[0].bit_length()
    if len(data) < width:
        return 0, 0
    value = int.from_bytes(data[:width], "big")
    return (value if keep_marker else value & ~(1 << (7 * width))), width
