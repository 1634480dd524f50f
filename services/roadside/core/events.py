"""The events that the stages hand to one another, the same in one process and between several."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

import cv2

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from roadside.core.background import Background
    from roadside.core.frames import CameraId, Crop
    from roadside.core.moments import Stamp
    from roadside.core.reads import Read
    from roadside.core.sightings import Picture, Sighting

EVIDENCE_QUALITY = 90
"""JPEG quality, 0 to 100, of a frame that is encoded for the evidence."""


class PictureEncoding(StrEnum):
    """How a picture's bytes are to be understood."""

    JPEG = "jpeg"
    PNG = "png"
    BGR = "bgr"
    """Rows of blue, green, red bytes without padding."""


@dataclass(frozen=True, slots=True)
class EncodedPicture:
    """A picture as it travels."""

    encoding: PictureEncoding
    data: bytes = field(repr=False)
    width_px: int = 0
    """Only a promise where `encoding` is not BGR: the picture itself tells."""
    height_px: int = 0


class FramePicture(Protocol):
    """The picture of a frame, whether its pixels are at hand or its bytes have travelled."""

    def pixels(self) -> NDArray[np.uint8]:
        """(H, W, 3) uint8, blue green red; not to be written to. Raises PoisonError where the bytes are no picture."""
        ...

    def encoded(self) -> EncodedPicture:
        """The picture as it travels with its frame."""
        ...

    def jpeg(self) -> EncodedPicture:
        """The picture as it is kept for the evidence. Raises PoisonError where the bytes are no picture."""
        ...


class PixelPicture:
    """A picture whose pixels are at hand; encoded when its bytes are first asked for. Not safe between threads."""

    def __init__(self, image: NDArray[np.uint8]) -> None:
        """`image` is (H, W, 3) uint8, blue green red; it must not change any more."""
        self._image = image
        self._encoded: EncodedPicture | None = None

    def pixels(self) -> NDArray[np.uint8]:
        """See `FramePicture`."""
        return self._image

    def encoded(self) -> EncodedPicture:
        """See `FramePicture`: as JPEG."""
        return self.jpeg()

    def jpeg(self) -> EncodedPicture:
        """See `FramePicture`. Raises ValueError for a picture without pixels."""
        if self._encoded is None:
            self._encoded = encode_jpeg(self.pixels(), EVIDENCE_QUALITY)
        return self._encoded


class Event(Protocol):
    """What a bus must know of whatever it carries."""

    @property
    def camera_id(self) -> CameraId:
        """The camera that saw it."""
        ...

    @property
    def captured_at_ns(self) -> int:
        """Puts a camera's events in order: see `Frame.captured_at_ns`."""
        ...

    @property
    def identity(self) -> str:
        """Names the event within its camera and stream; events of equal identities are the same event."""
        ...


@dataclass(frozen=True, slots=True)
class FrameEvent:
    """A camera took a picture."""

    camera_id: CameraId
    captured_at_ns: int
    sequence: int
    picture: FramePicture
    live: bool = False
    """Of a live camera: it may be dropped when it is old."""
    stamp: Stamp | None = None
    """As `Frame.stamp`."""
    background: Background | None = None
    """As `Frame.background`."""

    @property
    def taken_at_ns(self) -> int:
        """When it was taken, as far as is known: UTC nanoseconds since 1970."""
        return self.captured_at_ns if self.stamp is None else self.stamp.at_ns

    @property
    def identity(self) -> str:
        """The frame's sequence number."""
        return str(self.sequence)


@dataclass(frozen=True, slots=True)
class _PlateEvent:
    """Of one plate in one frame."""

    crop: Crop
    frame: FramePicture | None
    """The whole frame, for the evidence."""

    @property
    def camera_id(self) -> CameraId:
        """The camera that saw it."""
        return self.crop.camera_id

    @property
    def captured_at_ns(self) -> int:
        """Of the frame."""
        return self.crop.captured_at_ns

    @property
    def identity(self) -> str:
        """The crop's."""
        return self.crop.identity


@dataclass(frozen=True, slots=True)
class CropEvent(_PlateEvent):
    """A plate was found in a frame."""


@dataclass(frozen=True, slots=True)
class ReadEvent(_PlateEvent):
    """A plate was read."""

    read: Read


@dataclass(frozen=True, slots=True)
class SightingEvent:
    """A vehicle has passed."""

    sighting: Sighting
    pictures: tuple[Picture, ...]

    @property
    def camera_id(self) -> CameraId:
        """The camera that saw it."""
        return self.sighting.camera_id

    @property
    def captured_at_ns(self) -> int:
        """Of the last frame that shows the vehicle."""
        return self.sighting.last_seen_ns

    @property
    def identity(self) -> str:
        """The sighting's."""
        return self.sighting.sighting_id


def encode_jpeg(image: NDArray[np.uint8], quality: int) -> EncodedPicture:
    """`image` ((H, W, 3) uint8, blue green red) as JPEG of `quality` 0 to 100. Raises ValueError."""
    if image.size == 0:
        raise ValueError(f"cannot encode a picture of shape {image.shape}")
    done, data = cv2.imencode(".jpg", image, (cv2.IMWRITE_JPEG_QUALITY, quality))
    if not done:
        raise ValueError(f"cannot encode a picture of shape {image.shape}")
    return EncodedPicture(PictureEncoding.JPEG, data.tobytes(), image.shape[1], image.shape[0])


def encode_raw(image: NDArray[np.uint8]) -> EncodedPicture:
    """`image` ((H, W, 3) uint8, blue green red) byte for byte."""
    return EncodedPicture(PictureEncoding.BGR, image.tobytes(), image.shape[1], image.shape[0])
