"""What a reader says of a plate: of one crop, of one track, and fused over all frames of a vehicle."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from roadside.core.motion import Motion

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from roadside.core.frames import Box, CameraId, Crop

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
"""The 36 characters that a normalised plate can hold, in the order of the columns of a posterior."""
FOLDED = {"O": "0", "Q": "0", "I": "1"}
"""Characters that plates' fonts draw alike, and what each counts as wherever plates are compared."""
FOLDED_ALPHABET = "".join(c for c in ALPHABET if c not in FOLDED)
"""The characters of a folded plate, in the order of ALPHABET."""


@dataclass(frozen=True, slots=True)
class Character:
    """The most probable character of one slot (place in the text), with its probability, 0 to 1."""

    text: str
    confidence: float


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """A text that the plate may have, with its probability."""

    text: str
    """Upper case letters and digits, no separators."""
    country: str | None
    log_p: float
    """The natural logarithm of the probability that this is the plate, so 0 at most."""


@dataclass(frozen=True, slots=True)
class Read:
    """What a reader says of one crop."""

    raw: str
    """The most probable text before any country's grammar is applied; upper case, no separators."""
    text: str
    """The most probable text under the countries' grammars; upper case, no separators. Empty if nothing was read."""
    country: str | None
    """The plate's country, by the code that stands on plates or by ISO 3166 (UK, CZ, SK, DE...); None if unsure."""
    confidence: float
    """The calibrated probability, 0 to 1, that `text` is right in every character."""
    characters: tuple[Character, ...]
    """One for each character of `text`, in its order."""
    posterior: NDArray[np.float32] = field(repr=False)
    """(slots, 36) float32: for each slot the probability of each character of ALPHABET; each row sums to 1."""
    alternatives: tuple[Hypothesis, ...] = ()
    """The most probable texts, best first, `text` among them; empty if the reader gives none."""
    countries: tuple[tuple[str, float], ...] = ()
    """Countries and their probabilities, from the look of the plate; empty if the reader does not tell them."""
    model: str = ""
    """Which net read it, by the SHA-256 of its file; empty where that is not known."""


@dataclass(frozen=True, slots=True)
class ShownRead:
    """What was read in one picture of a film strip."""

    text: str
    """Empty where nothing was read, or another plate that was forgotten since."""
    confidence: float
    captured_at_ns: int
    """UTC, in nanoseconds since 1970."""


@dataclass(frozen=True, slots=True)
class PlacedRead:
    """A read together with the crop that was read; a track is a row of these."""

    crop: Crop
    read: Read


@dataclass(frozen=True, slots=True)
class Track:
    """The reads of one vehicle as it passes one camera, in the order in which their frames were captured."""

    camera_id: CameraId
    track_id: str
    reads: tuple[PlacedRead, ...]
    """At least one; of a long track the best ones."""
    others: tuple[str, ...] = ()
    """Identities of the reads that belong to the track and are not among `reads`."""
    span_ns: tuple[int, int] | None = None
    """Capture times of the first and the last frame that shows the vehicle, where `reads` do not tell them."""
    motion: Motion = Motion.UNKNOWN
    """Whether the plate moved."""
    came_and_left: bool = False
    """Whether the camera saw its place for a while without it, before and after; not told where the camera moved."""
    rested_s: float = 0.0
    """For how long it had stood where it was seen last."""
    ends: tuple[Box, Box] | None = None
    """Where the plate was in the first and in the last of these frames, where `reads` do not tell it."""

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

    @property
    def first_box(self) -> Box:
        """Where the plate was at first."""
        return self.reads[0].crop.detection.box if self.ends is None else self.ends[0]

    @property
    def last_box(self) -> Box:
        """Where the plate was at last."""
        return self.reads[-1].crop.detection.box if self.ends is None else self.ends[1]


@dataclass(frozen=True, slots=True)
class FusedPlate:
    """The one plate that all reads of a vehicle give together; the verdict is made of it."""

    text: str
    """The most probable text under the countries' grammars; upper case, no separators."""
    raw: str
    """The most probable text before any grammar is applied."""
    country: str | None
    """As in `Read`."""
    confidence: float
    """The calibrated probability, 0 to 1, that `text` is right in every character."""
    posterior: NDArray[np.float32] = field(repr=False)
    """(slots, 36) float32: for each slot the probability of each character of ALPHABET; each row sums to 1."""
    alternatives: tuple[Hypothesis, ...] = ()
    """The most probable texts, best first, `text` among them."""
    countries: tuple[tuple[str, float], ...] = ()
    """Countries and their probabilities; empty if no reader told them."""
    looks: int = 1
    """How many independent looks (`roadside.core.poses`) were read as exactly this plate (O = 0, I = 1); at least 1."""
    doubts: tuple[str, ...] | None = None
    """What in the pictures speaks against the whole plate having been seen, as `roadside.core.extent` names it, the
    weightiest first; None where the pictures were not examined."""
    shown: tuple[ShownRead, ...] = ()
    """What was read in the pictures of its film strip, in their order; empty without one."""
