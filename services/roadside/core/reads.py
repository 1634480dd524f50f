"""What readers say of plates, look by look and together."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from roadside.core.frames import CameraId, Crop

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
"""Every character a normalised plate can hold, in the order of the columns of a posterior."""


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
    """At least one; of a long track the best ones."""
    others: tuple[str, ...] = ()
    """Identities of the reads that belong to the track and are not among `reads`."""
    span_ns: tuple[int, int] | None = None
    """Capture times of the first and the last frame that shows the vehicle, where `reads` do not tell them."""

    @property
    def identities(self) -> tuple[str, ...]:
        """Of every read that the track is made of."""
        return (*(placed.crop.identity for placed in self.reads), *self.others)

    @property
    def first_seen_ns(self) -> int:
        """UTC nanoseconds since 1970."""
        return min(p.crop.captured_at_ns for p in self.reads) if self.span_ns is None else self.span_ns[0]

    @property
    def last_seen_ns(self) -> int:
        """UTC nanoseconds since 1970."""
        return max(p.crop.captured_at_ns for p in self.reads) if self.span_ns is None else self.span_ns[1]


@dataclass(frozen=True, slots=True)
class FusedPlate:
    """What all the reads of one vehicle say together: what a verdict is made of."""

    text: str
    """The best text under the country grammars, upper case, no separators."""
    raw: str
    """The best text before any grammar."""
    country: str | None
    confidence: float
    """Calibrated probability that `text` is right."""
    posterior: NDArray[np.float32] = field(repr=False)
    """(slots, 36) float32: a probability for each character of ALPHABET in each slot; rows sum to 1."""
    alternatives: tuple[Hypothesis, ...] = ()
    """The most probable plates, best first, `text` among them."""
    countries: tuple[tuple[str, float], ...] = ()
    """Countries with their probabilities, where known."""
    looks: int = 1
    """Independent looks: frames (or readers) that agree on there being this plate."""
