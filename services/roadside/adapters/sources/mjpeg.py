"""Motion JPEG: whole pictures out of a stream of bytes, whatever stands between them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from roadside.core.picture_header import CAMERA_LIMITS, MOST_PARTS
from roadside.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Iterator

START = b"\xff\xd8"
START_OF_SCAN = 0xDA
END = b"\xff\xd9"
STANDALONE = frozenset({0x01, *range(0xD0, 0xD8)})
"""Markers without a length: TEM and the restart markers (ITU T.81, table B.1)."""
LONGEST_PICTURE_BYTES = CAMERA_LIMITS.size_bytes
"""Also the longest that anything else than pictures is listened to."""
_FILL = re.compile(rb"\xff+")
"""Any number of them may stand before a marker."""


class JpegSplitter:
    """Cuts concatenated or multipart JPEGs apart by walking their segments, each byte once.

    Thumbnails inside a picture's metadata are stepped over, and multipart headers between pictures are ignored.
    """

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._at = 0
        """How far the picture at the buffer's beginning was walked; 0 before its start has come."""
        self._in_scan = False
        self._parts = 0
        """Segments of the picture that were stepped over."""
        self._between_bytes = 0

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        """The pictures that `chunk` completes, in order.

        Raises SourceError where more than LONGEST_PICTURE_BYTES hold no end of a picture, or no picture at all.
        """
        self._buffer += chunk
        while (picture := self._take()) is not None:
            yield picture
        if len(self._buffer) > LONGEST_PICTURE_BYTES or self._at > LONGEST_PICTURE_BYTES:
            raise SourceError("the camera's stream is no motion JPEG: a picture of it does not end")
        if self._between_bytes > LONGEST_PICTURE_BYTES:
            raise SourceError("the camera's stream is no motion JPEG: it holds no picture")

    def _take(self) -> bytes | None:
        if not self._at and not self._find_start():
            return None
        if not self._in_scan:
            self._walk()
        if not self._in_scan:
            return None
        end = self._buffer.find(END, self._at)
        if end < 0:
            self._at = max(self._at, len(self._buffer) - 1)  # its last byte may be the first half of an end
            return None
        picture = bytes(self._buffer[: end + 2])
        del self._buffer[: end + 2]
        self._at, self._in_scan, self._parts = 0, False, 0
        return picture

    def _find_start(self) -> bool:
        start = self._buffer.find(START)
        between = start if start >= 0 else max(0, len(self._buffer) - 1)  # it may be the first half of a start
        self._between_bytes += between
        del self._buffer[:between]
        if start < 0:
            return False
        self._at, self._between_bytes = len(START), 0
        return True

    def _walk(self) -> None:
        """Step over the segments that have arrived, up to the beginning of the entropy-coded data."""
        while self._at + 4 <= len(self._buffer):
            self._parts += 1
            if self._buffer[self._at] != 0xFF or self._parts > MOST_PARTS:
                self._in_scan = True  # not a segment: let the search for the end decide
                return
            marker = self._buffer[self._at + 1]
            if marker == 0xFF:
                fill = _FILL.match(self._buffer, self._at)
                assert fill is not None  # noqa: S101 (two of them stand there)
                self._at = fill.end() - 1
                del fill  # it holds the buffer, which could not be resized
                if self._at + 1 == len(self._buffer):
                    return
            elif marker in STANDALONE:
                self._at += 2
            else:
                self._at += 2 + int.from_bytes(self._buffer[self._at + 2 : self._at + 4], "big")
                self._in_scan = marker == START_OF_SCAN
                if self._in_scan:
                    return
