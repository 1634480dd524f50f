"""Vehicles that have passed: verdicts, evidence, and questions about them."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from roadside.core.frames import Box, CameraId
    from roadside.core.reads import FusedPlate
    from roadside.core.vignettes import Exemption, Vignette


class VerdictKind(StrEnum):
    """What is said of a vehicle."""

    PAID = "PAID"
    EXEMPT = "EXEMPT"
    UNPAID = "UNPAID"
    REVIEW = "REVIEW"
    UNKNOWN = "UNKNOWN"


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
