"""Encodes and decodes pictures. Sizes are checked before a picture is decoded, so that none can exhaust the memory."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import cv2
import numpy as np

from roadside.core.events import EVIDENCE_QUALITY, EncodedPicture, PictureEncoding, encode_jpeg
from roadside.errors import PoisonError

if TYPE_CHECKING:
    from numpy.typing import NDArray

MAX_PICTURE_BYTES = 16 * 1024 * 1024
"""Of the encoded picture. A raw 4K frame has 24 MiB and is refused on purpose: such cameras send JPEG."""
MAX_PICTURE_PIXELS = 40_000_000
"""Width times height; a decoded picture takes three bytes for each pixel."""
MIN_SIDE_PX = 2
"""The least width and height: less holds nothing to read, and the detector's resizing refuses a side of 0."""
LEAST_FRAME_SIDE_PX = 16
"""A plate that can be read is wider than that."""

_JPEG_SIZES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
"""JPEG markers that begin a frame and are followed by its size (ITU-T T.81, table B.1)."""
_JPEG_BARE = frozenset({0x01, *range(0xD0, 0xD8)})
"""JPEG markers that are not followed by a length (ITU-T T.81, table B.1)."""


@dataclass(slots=True)
class TravellingPicture:
    """The picture of a frame as bytes: decoded when its pixels are asked for, anew each time."""

    picture: EncodedPicture
    _jpeg: EncodedPicture | None = field(default=None, repr=False, compare=False)

    def pixels(self) -> NDArray[np.uint8]:
        """See `FramePicture`."""
        return decode_picture(self.picture, min_side_px=LEAST_FRAME_SIDE_PX)

    def encoded(self) -> EncodedPicture:
        """See `FramePicture`: the bytes as they are."""
        return self.picture

    def jpeg(self) -> EncodedPicture:
        """See `FramePicture`: the bytes as they are, of raw pixels a JPEG."""
        if self.picture.encoding is not PictureEncoding.BGR:
            return self.picture
        if self._jpeg is None:
            self._jpeg = encode_jpeg(self.pixels(), EVIDENCE_QUALITY)
        return self._jpeg


def decode_picture(picture: EncodedPicture, *, min_side_px: int = MIN_SIDE_PX) -> NDArray[np.uint8]:
    """The pixels of a picture, (H, W, 3) uint8 in BGR order.

    Those of a raw picture are a read-only view of its bytes. Raises PoisonError for a picture that is too large,
    narrower or lower than `min_side_px`, or damaged.
    """
    if len(picture.data) > MAX_PICTURE_BYTES:
        raise PoisonError(f"picture of {len(picture.data)} bytes: at most {MAX_PICTURE_BYTES} are taken")
    width, height = _size_px(picture)
    if min(width, height) < min_side_px:
        raise PoisonError(f"picture of {width}x{height}: too small")
    if width * height > MAX_PICTURE_PIXELS:
        raise PoisonError(f"picture of {width}x{height}: at most {MAX_PICTURE_PIXELS} pixels are taken")
    if picture.encoding is PictureEncoding.BGR:
        if len(picture.data) != width * height * 3:
            raise PoisonError(f"raw picture of {width}x{height} with {len(picture.data)} bytes")
        return np.frombuffer(picture.data, np.uint8).reshape(height, width, 3)
    try:
        image = cv2.imdecode(np.frombuffer(picture.data, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error as exc:
        raise PoisonError("picture that cannot be decoded") from exc
    if image is None:
        raise PoisonError("picture that cannot be decoded")
    return np.asarray(image, dtype=np.uint8)


def _size_px(picture: EncodedPicture) -> tuple[int, int]:
    match picture.encoding:
        case PictureEncoding.BGR:
            return picture.width_px, picture.height_px
        case PictureEncoding.JPEG:
            return _jpeg_size_px(picture.data)
        case PictureEncoding.PNG:
            return _png_size_px(picture.data)


def _png_size_px(data: bytes) -> tuple[int, int]:
    if data[:8] != b"\x89PNG\r\n\x1a\n" or data[12:16] != b"IHDR" or len(data) < 24:
        raise PoisonError("not a PNG picture")
    width, height = struct.unpack(">II", data[16:24])
    return width, height


def _jpeg_size_px(data: bytes) -> tuple[int, int]:
    if data[:2] != b"\xff\xd8":
        raise PoisonError("not a JPEG picture")
    at = 2
    while at + 9 <= len(data):
        if data[at] != 0xFF:
            break
        marker = data[at + 1]
        if marker == 0xFF:
            at += 1
        elif marker in _JPEG_BARE:
            at += 2
        elif marker in _JPEG_SIZES:
            height, width = struct.unpack(">HH", data[at + 5 : at + 9])
            return width, height
        else:
            at += 2 + int(struct.unpack(">H", data[at + 2 : at + 4])[0])
    raise PoisonError("JPEG picture without a size")
