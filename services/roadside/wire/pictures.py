"""Pictures as they travel: decoded behind their limits, so that none can exhaust the memory."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

import numpy as np

from roadside.core.events import EVIDENCE_QUALITY, EncodedPicture, PictureEncoding, encode_jpeg
from roadside.core.picture_header import (
    MESSAGE_LIMITS,
    MOST_SIDE_PX,
    PictureFault,
    PictureFormat,
    format_of,
    read_header,
)
from roadside.errors import PoisonError
from roadside.wire.decoding import decode

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from roadside.core.picture_header import PictureLimits

MAX_PICTURE_BYTES = MESSAGE_LIMITS.size_bytes
"""Of the encoded picture."""
MIN_SIDE_PX = 2
"""The least width and height: less holds nothing to read, and the detector's resizing refuses a side of 0."""
LEAST_FRAME_SIDE_PX = 16
"""A plate that can be read is wider than that."""

_FORMATS = {
    PictureEncoding.JPEG: PictureFormat.JPEG,
    PictureEncoding.PNG: PictureFormat.PNG,
}


class Decoder(Protocol):
    """Makes pixels of an encoded picture: `roadside.wire.decoding.decode`, in this process or in another."""

    def __call__(self, data: bytes, limits: PictureLimits, /) -> NDArray[np.uint8]:
        """See `roadside.wire.decoding.decode`."""
        ...


@dataclass(slots=True)
class TravellingPicture:
    """The picture of a frame as bytes: decoded when its pixels are asked for, anew each time."""

    picture: EncodedPicture
    decoder: Decoder = field(default=decode, repr=False, compare=False)
    _jpeg: EncodedPicture | None = field(default=None, repr=False, compare=False)

    def pixels(self) -> NDArray[np.uint8]:
        """See `FramePicture`."""
        return decode_picture(self.picture, min_side_px=LEAST_FRAME_SIDE_PX, decoder=self.decoder)

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


def decode_picture(
    picture: EncodedPicture,
    *,
    min_side_px: int = MIN_SIDE_PX,
    limits: PictureLimits = MESSAGE_LIMITS,
    decoder: Decoder = decode,
) -> NDArray[np.uint8]:
    """The pixels of a picture, (H, W, 3) uint8 in BGR order.

    Those of a raw picture are a read-only view of its bytes. Raises PoisonError for a picture larger than `limits`,
    narrower or lower than `min_side_px`, or damaged.
    """
    if len(picture.data) > MAX_PICTURE_BYTES:
        raise PoisonError(f"picture of {len(picture.data)} bytes: at most {MAX_PICTURE_BYTES} are taken")
    if picture.encoding is PictureEncoding.BGR:
        return _raw(picture, min_side_px)
    if format_of(picture.data) is not _FORMATS[picture.encoding]:
        raise PoisonError(f"not a {picture.encoding.name} picture")
    try:
        header = read_header(picture.data)
        _check_sides(header.width, header.height, min_side_px)
        return decoder(picture.data, limits)
    except PictureFault as fault:
        raise PoisonError(f"{picture.encoding.name} picture that {fault}") from None


def _raw(picture: EncodedPicture, min_side_px: int) -> NDArray[np.uint8]:
    width, height = picture.width_px, picture.height_px
    _check_sides(width, height, min_side_px)
    if len(picture.data) != width * height * 3:
        raise PoisonError(f"raw picture of {width}x{height} with {len(picture.data)} bytes")
    return np.frombuffer(picture.data, np.uint8).reshape(height, width, 3)


def _check_sides(width: int, height: int, least: int) -> None:
    if min(width, height) < least:
        raise PoisonError(f"picture of {width}x{height}: too small")
    if max(width, height) > MOST_SIDE_PX:
        raise PoisonError(f"picture of {width}x{height}: at most {MOST_SIDE_PX} pixels a side are taken")
