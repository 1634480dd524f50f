"""Clips made to do harm: small files whose decoding takes gigabytes."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

_FOUR_EMPTY_BLOCKS = b"\x28\xa2\x8a"
"""No difference of the mean, no other coefficient: 00 1010 in the tables of ITU-T T.81, K.3, which OpenCV writes."""


def empty_jpeg(width: int, height: int) -> bytes:
    """A grey JPEG that holds nothing: three bytes for four blocks of 64 pixels, whatever its size; sides of 16 n."""
    small = cv2.imencode(".jpg", np.full((16, 16), 128, np.uint8))[1].tobytes()
    head = bytearray(small[: small.index(b"\xff\xda")])
    at = head.index(b"\xff\xc0")
    head[at + 5 : at + 9] = struct.pack(">HH", height, width)
    scan_at = len(head)
    scan = small[scan_at : scan_at + 2 + int.from_bytes(small[scan_at + 2 : scan_at + 4], "big")]
    return bytes(head) + scan + _FOUR_EMPTY_BLOCKS * (width * height // 256) + b"\xff\xd9"


def mjpeg_avi(width: int, height: int, pictures: Sequence[bytes]) -> bytes:
    """An AVI of 25 JPEG pictures a second whose header says this size, whatever the pictures themselves say."""
    main = struct.pack("<14I", 40_000, 0, 0, 0x10, len(pictures), 0, 1, 0, width, height, 0, 0, 0, 0)
    stream = struct.pack(
        "<4s4sIHHIIIIIIIIHHHH", b"vids", b"MJPG", 0, 0, 0, 0, 1, 25, 0, len(pictures), 0, 0, 0, 0, 0, width, height
    )
    picture = struct.pack("<IiiHH4sIiiII", 40, width, height, 1, 24, b"MJPG", width * height * 3, 0, 0, 0, 0)
    streams = _list(b"strl", _chunk(b"strh", stream) + _chunk(b"strf", picture))
    content = b"".join(_chunk(b"00dc", each) for each in pictures)
    index, at = b"", 4
    for each in pictures:
        index += struct.pack("<4sIII", b"00dc", 0x10, at, len(each))
        at += 8 + len(each) + len(each) % 2
    parts = (_list(b"hdrl", _chunk(b"avih", main) + streams), _list(b"movi", content), _chunk(b"idx1", index))
    return _chunk(b"RIFF", b"AVI " + b"".join(parts))


def _chunk(name: bytes, content: bytes) -> bytes:
    return name + struct.pack("<I", len(content)) + content + b"\0" * (len(content) % 2)


def _list(name: bytes, content: bytes) -> bytes:
    return _chunk(b"LIST", name + content)
