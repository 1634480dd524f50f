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


class PictureKind(StrEnum):
    """Which picture of a sighting."""

    CROP = "crop"
    FRAME = "frame"


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture on its way to the evidence, encoded."""

    kind: PictureKind
    media_type: str
    """image/jpeg or image/png."""
    data: bytes = field(repr=False)
    box: Box | None = None
    """The plate, in pixels of this picture, where known."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """A stored picture, named by what it holds."""

    kind: PictureKind
    sha256: str
    """Of the picture itself, before encryption, 64 hexadecimal digits."""
    media_type: str
    size_bytes: int
    box: Box | None = None
    """The plate, in pixels of this picture, where known."""


@dataclass(frozen=True, slots=True)
class Vignette:
    """One line of the registry: a plate that was paid for, for a time."""

    plate: str
    """As folded by `roadside.core.plates.fold`."""
    country: str
    category: str
    valid_from_ns: int
    """First nanosecond that is paid, UTC."""
    valid_to_ns: int
    """First nanosecond that is not paid any more, UTC."""


@dataclass(frozen=True, slots=True)
class Exemption:
    """A plate, or a family of plates, that need not pay."""

    pattern: str
    """Folded; `?` stands for any one character, a closing `*` for any rest."""
    country: str
    """`*` for every country."""
    reason: str
    """electric, police, foreign..."""
    valid_from_ns: int
    valid_to_ns: int


@dataclass(frozen=True, slots=True)
class Reach:
    """Every reading that a posterior allows, as questions that a registry can answer by index."""

    keys: tuple[str, ...]
    """The most probable folded plates, best first."""
    heads: tuple[str, ...]
    """Buckets as `roadside.core.reach.head_bucket` makes them."""
    tails: tuple[str, ...]
    """Buckets as `roadside.core.reach.tail_bucket` makes them."""
    left_out: float
    """Probability of the readings that neither heads nor tails reach."""


@dataclass(frozen=True, slots=True)
class RegistryAnswer:
    """What the registry holds within a reach at a time."""

    vignettes: tuple[Vignette, ...]
    """Valid at the time asked for, the grace period included."""
    exemptions: tuple[Exemption, ...]
    lapsed: tuple[Vignette, ...] = ()
    """Of the best readings, those that are not valid at the time asked for: for the explanation."""
    asked: tuple[str, ...] | None = None
    """The folded plates that could be asked, where the registry cannot search the whole reach."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One reading that a verdict weighed."""

    plate: str
    """Folded."""
    probability: float
    paid: bool
    exempt: bool


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is said of a vehicle, with its reasons in data."""

    kind: VerdictKind
    rule: str
    """The rule that decided, one of the names in docs/verdict.md."""
    p_paid: float
    """Upper estimate of the probability that a valid vignette exists for this vehicle."""
    p_exempt: float
    readings: tuple[Reading, ...] = ()
    """Best first; empty where the plate itself is not kept."""
    vignettes: tuple[Vignette, ...] = ()
    """The registry's answers that counted."""
    exemptions: tuple[Exemption, ...] = ()
    lapsed: tuple[Vignette, ...] = ()
    """Vignettes of the best readings that were not valid at the time: expired or not yet begun."""


@dataclass(frozen=True, slots=True)
class Sighting:
    """One vehicle passing one camera: the unit that is stored."""

    sighting_id: str
    """The same however often the same passage is handled."""
    camera_id: CameraId
    track_id: str
    first_seen_ns: int
    last_seen_ns: int
    plate: FusedPlate | None
    """None where only `plate_hash` may be kept."""
    verdict: Verdict
    plate_hash: str | None = None
    """`key id:hexadecimal HMAC-SHA-256`, of PAID and EXEMPT."""
    evidence: tuple[Evidence, ...] = ()
    sequence: int = 0
    """Where the store put it, counting up: what a live watch resumes from. 0 before it is stored."""


@dataclass(frozen=True, slots=True)
class SightingQuery:
    """Which sightings, newest first."""

    limit: int = 50
    page_token: str = ""
    """Of the page before; empty for the first page."""
    since_ns: int | None = None
    until_ns: int | None = None
    """Half-open: since_ns <= last_seen_ns < until_ns."""
    camera_id: CameraId | None = None
    plate_prefix: str | None = None
    plate_like: str | None = None
    """A whole plate; plates within one insertion, deletion or substitution of it, folded, are found."""
    country: str | None = None
    verdict: VerdictKind | None = None


@dataclass(frozen=True, slots=True)
class SightingPage:
    """One page of sightings and the token of the next."""

    sightings: tuple[Sighting, ...]
    next_page_token: str = ""
    """Empty on the last page."""


class ReviewAction(StrEnum):
    """What a reviewer says of a sighting."""

    CONFIRM = "confirm"
    """The plate was read rightly."""
    CORRECT = "correct"
    """The plate is another one."""
    UNREADABLE = "unreadable"
    """Nobody can read it."""


@dataclass(frozen=True, slots=True)
class Correction:
    """One answer of a reviewer."""

    sighting_id: str
    at_ns: int
    author: str
    action: ReviewAction
    text: str
    """The plate as the person reads it; empty for an unreadable one, and once the vehicle is PAID or EXEMPT."""
    country: str
    read_text: str
    """What the machine had read."""
