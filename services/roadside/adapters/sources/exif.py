"""When a photograph was taken, as its EXIF says: the camera's time with its zone, else GPS, else a time of any zone."""

from __future__ import annotations

import struct
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING

from roadside.adapters.sources.containers import UNKNOWN_ZONE_NS, ns_of
from roadside.core.moments import Stamp

if TYPE_CHECKING:
    from collections.abc import Iterator

_EXIF_IFD, _GPS_IFD = 0x8769, 0x8825
_TAKEN, _OFFSET = 0x9003, 0x9011
"""DateTimeOriginal and OffsetTimeOriginal; CIPA DC-008, 4.6."""
_GPS_TIME, _GPS_DATE = 0x0007, 0x001D
_MOST_ENTRIES = 512
_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 7: 1, 9: 4, 10: 8}
_TEXT, _LONG, _RATIONAL = 2, 4, 5
_APP1, _START_OF_SCAN = 0xE1, 0xDA


def photograph_time(data: bytes) -> Stamp | None:
    """When the JPEG `data` was taken; None where it does not say, or is none."""
    for segment in _app1(data):
        if segment.startswith(b"Exif\0\0"):
            try:
                return _taken(segment[6:])
            except (struct.error, ValueError, OverflowError):  # cut, or a date that no calendar has
                return None
    return None


def _app1(data: bytes) -> Iterator[bytes]:
    """The metadata segments before the picture; ITU T.81, B.1.1."""
    at = 2
    while data[:2] == b"\xff\xd8" and at + 4 <= len(data) and data[at] == 0xFF:
        marker, length = data[at + 1], int.from_bytes(data[at + 2 : at + 4], "big")
        if marker == _START_OF_SCAN or length < 2:
            return
        if marker == _APP1:
            yield data[at + 4 : at + 2 + length]
        at += 2 + length


def _taken(tiff: bytes) -> Stamp | None:
    order = {b"II": "<", b"MM": ">"}.get(tiff[:2])
    if order is None:
        return None
    main = _entries(tiff, order, _long(tiff, order, 4))
    exif = _entries(tiff, order, _pointer(tiff, order, main, _EXIF_IFD))
    local, offset = _text(tiff, order, exif.get(_TAKEN)), _text(tiff, order, exif.get(_OFFSET))
    taken = datetime.strptime(local, "%Y:%m:%d %H:%M:%S").replace(tzinfo=UTC) if local.strip(" :0") else None
    if taken is not None and (ahead := _zone(offset)) is not None:
        return Stamp(ns_of(taken.replace(tzinfo=ahead)))
    by_satellite = _satellite(tiff, order, _entries(tiff, order, _pointer(tiff, order, main, _GPS_IFD)))
    if by_satellite is not None:
        return by_satellite
    return None if taken is None else Stamp(ns_of(taken), UNKNOWN_ZONE_NS)


Entry = tuple[int, int, int]
"""Type, count, and where the value stands."""


def _entries(tiff: bytes, order: str, at: int) -> dict[int, Entry]:
    """The directory at `at`; empty where there is none."""
    if not 8 <= at <= len(tiff) - 2:
        return {}
    (count,) = struct.unpack_from(order + "H", tiff, at)
    found: dict[int, Entry] = {}
    for number in range(min(count, _MOST_ENTRIES)):
        place = at + 2 + 12 * number
        tag, kind, values = struct.unpack_from(order + "HHI", tiff, place)
        inline = _SIZES.get(kind, 99) * values <= 4
        found.setdefault(tag, (kind, values, place + 8 if inline else _long(tiff, order, place + 8)))
    return found


def _long(tiff: bytes, order: str, at: int) -> int:
    value: int = struct.unpack_from(order + "I", tiff, at)[0]
    return value


def _pointer(tiff: bytes, order: str, entries: dict[int, Entry], tag: int) -> int:
    kind, _, at = entries.get(tag, (0, 0, 0))
    return _long(tiff, order, at) if kind == _LONG else 0


def _text(tiff: bytes, order: str, entry: Entry | None) -> str:
    del order
    kind, count, at = entry or (0, 0, 0)
    if kind != _TEXT or not 0 < count <= 64:
        return ""
    return tiff[at : at + count].split(b"\0")[0].decode("ascii", "replace").strip()


def _zone(text: str) -> timezone | None:
    if text == "Z":
        return UTC
    if len(text) != 6 or text[0] not in "+-" or text[3] != ":" or not (text[1:3] + text[4:]).isdecimal():
        return None
    ahead = timedelta(hours=int(text[1:3]), minutes=int(text[4:]))
    return timezone(ahead if text[0] == "+" else -ahead)


def _satellite(tiff: bytes, order: str, gps: dict[int, Entry]) -> Stamp | None:
    """The time of GPS, which is UTC."""
    day = _text(tiff, order, gps.get(_GPS_DATE))
    kind, count, at = gps.get(_GPS_TIME, (0, 0, 0))
    if not day or kind != _RATIONAL or count != 3:
        return None
    parts = struct.unpack_from(order + "6I", tiff, at)
    if 0 in parts[1::2]:
        return None
    hour, minute, second = (parts[i] / parts[i + 1] for i in (0, 2, 4))
    if hour >= 24 or minute >= 60 or second >= 61:
        return None
    since = timedelta(hours=hour, minutes=minute, seconds=second)
    return Stamp(ns_of(datetime.strptime(day, "%Y:%m:%d").replace(tzinfo=UTC) + since))
