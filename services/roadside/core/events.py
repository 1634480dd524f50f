"""The events that the stages of different processes hand to one another."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from roadside.core.frames import CameraId, Crop
    from roadside.core.reads import Read
    from roadside.core.sightings import Picture, Sighting


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


@dataclass(frozen=True, slots=True)
class FrameEvent:
    """A camera took a picture."""

    camera_id: CameraId
    captured_at_ns: int
    sequence: int
    picture: EncodedPicture
    live: bool = False
    """Of a live camera: it may be dropped when it is old."""


@dataclass(frozen=True, slots=True)
class CropEvent:
    """A plate was found in a frame."""

    crop: Crop
    frame: EncodedPicture | None
    """The whole frame, for the evidence."""


@dataclass(frozen=True, slots=True)
class ReadEvent:
    """A plate was read."""

    crop: Crop
    frame: EncodedPicture | None
    read: Read


@dataclass(frozen=True, slots=True)
class SightingEvent:
    """A vehicle has passed."""

    sighting: Sighting
    pictures: tuple[Picture, ...]


def frame_identity(sequence: int) -> str:
    """The name of a frame within its camera."""
    return str(sequence)


def crop_identity(crop: Crop) -> str:
    """The name of a crop, and of its read, within its camera: the frame's sequence number and the box.

    The box is rounded to hundredths of a pixel, so that the same detection always gives the same name.
    """
    box = crop.detection.box
    return f"{crop.sequence}:{box.x1:.2f},{box.y1:.2f},{box.x2:.2f},{box.y2:.2f}"
