"""The values that the stages hand to one another."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, NewType

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

CameraId = NewType("CameraId", str)

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
"""Every character a normalised plate can hold, in the order of the columns of a posterior."""


@dataclass(frozen=True, slots=True)
class Box:
    """An axis-parallel rectangle in half-open pixels of the original frame."""

    x1: float
    y1: float
    x2: float
    y2: float

    @property
    def width(self) -> float:
        """Width in pixels."""
        return self.x2 - self.x1

    @property
    def height(self) -> float:
        """Height in pixels."""
        return self.y2 - self.y1


Corners = tuple[tuple[float, float], tuple[float, float], tuple[float, float], tuple[float, float]]
"""Top left, top right, bottom right, bottom left as (x, y) pixels of the original frame."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One picture of one camera."""

    camera_id: CameraId
    captured_at_ns: int
    """UTC, nanoseconds since 1970."""
    sequence: int
    image: NDArray[np.uint8] = field(repr=False)
    """(H, W, 3) uint8, blue green red."""


@dataclass(frozen=True, slots=True)
class Detection:
    """A plate's box in a frame."""

    box: Box
    score: float
    """The detector's score, 0 to 1."""
    corners: Corners | None = None
    """Where the model gives them."""


@dataclass(frozen=True, slots=True)
class Crop:
    """The picture of a plate cut from a frame, and where it came from."""

    camera_id: CameraId
    captured_at_ns: int
    sequence: int
    detection: Detection
    image: NDArray[np.uint8] = field(repr=False)
    """(h, w, 3) uint8, blue green red: the detection with a margin around it."""
    origin: tuple[int, int] = (0, 0)
    """x, y of the crop's top left pixel in the frame."""


@dataclass(frozen=True, slots=True)
class Character:
    """The best character of one slot and how sure the reader is of it."""

    text: str
    confidence: float


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """A plate that may be the one that was seen."""

    text: str
    """Upper case, no separators."""
    country: str | None
    log_p: float
    """Natural logarithm of its probability."""


@dataclass(frozen=True, slots=True)
class Read:
    """What a reader says of one crop."""

    raw: str
    """The best text before any grammar, upper case, no separators."""
    text: str
    """The best text under the country grammars, upper case, no separators."""
    country: str | None
    """ISO-like country of the plate: UK, CZ, SK, DE..., or None where unsure."""
    confidence: float
    """Calibrated probability that `text` is right."""
    characters: tuple[Character, ...]
    """One for each character of `text`."""
    posterior: NDArray[np.float32] = field(repr=False)
    """(slots, 36) float32: for each slot a probability for each character of ALPHABET; rows sum to 1."""
    alternatives: tuple[Hypothesis, ...] = ()
    """The most probable plates, best first, `text` among them; may be empty where a reader gives none."""
    countries: tuple[tuple[str, float], ...] = ()
    """Countries with their probabilities, where the reader tells them from the look of the plate."""


@dataclass(frozen=True, slots=True)
class PlacedRead:
    """A read with the crop it was made of: what a track collects."""

    crop: Crop
    read: Read


@dataclass(frozen=True, slots=True)
class Track:
    """The reads of one vehicle passing one camera, in capture order."""

    camera_id: CameraId
    track_id: str
    reads: tuple[PlacedRead, ...]


class VerdictKind(StrEnum):
    """What is said of a vehicle."""

    PAID = "PAID"
    EXEMPT = "EXEMPT"
    UNPAID = "UNPAID"
    REVIEW = "REVIEW"
    UNKNOWN = "UNKNOWN"
