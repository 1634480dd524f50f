"""Motion JPEG: whole pictures out of a stream of bytes, whatever stands between them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from roadside.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Iterator

START = b"\xff\xd8"
START_OF_SCAN = 0xDA
END = b"\xff\xd9"
STANDALONE = frozenset({0x01, *range(0xD0, 0xD8)})
"""Markers without a length: TEM and the restart markers (ITU T.81, table B.1)."""
LONGEST_PICTURE_BYTES = 32 * 1024 * 1024


class JpegSplitter:
    """Cuts concatenated or multipart JPEGs apart by walking their segments.

    Thumbnails inside a picture's metadata are stepped over, and multipart headers between pictures are ignored.
    """

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        """The pictures that `chunk` completes, in order.

        Raises SourceError where more than 32 MiB hold no end of a picture.
        """
        self._buffer += chunk
        while (picture := self._take()) is not None:
            yield picture
        if len(self._buffer) > LONGEST_PICTURE_BYTES:
            raise SourceError("the camera's stream is no motion JPEG: a picture of it does not end")

    def _take(self) -> bytes | None:
        start = self._buffer.find(START)
        if start < 0:
            del self._buffer[:-1]  # the last byte may be the first half of a start
            return None
        del self._buffer[:start]
        scan = self._scan_start()
        end = self._buffer.find(END, scan) if scan is not None else -1
        if end < 0:
            return None
        picture = bytes(self._buffer[: end + 2])
        del self._buffer[: end + 2]
        return picture

    def _scan_start(self) -> int | None:
        """Where the entropy-coded data begins, None while it has not arrived."""
        at = len(START)
        while at + 4 <= len(self._buffer):
            if self._buffer[at] != 0xFF:
                return at  # not a segment: let the search for the end decide
            marker = self._buffer[at + 1]
            if marker in STANDALONE or marker == 0xFF:
                at += 1 if marker == 0xFF else 2
                continue
            length = int.from_bytes(self._buffer[at + 2 : at + 4], "big")
            at += 2 + length
            if marker == START_OF_SCAN:
                return at
        return None
