"""A sighting (one vehicle that passed one camera) with its verdict and evidence, and how sightings are asked for."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from roadside.core.moments import PassageTime

if TYPE_CHECKING:
    from roadside.core.frames import Box, CameraId
    from roadside.core.known import KnownMatch
    from roadside.core.outline import Direction
    from roadside.core.reads import FusedPlate
    from roadside.core.speed import AverageSpeed
    from roadside.core.vignettes import Exemption, Vignette


Facts = tuple[tuple[str, str], ...]
"""What is worth keeping of how something came about: names and values, for people and for the evidence."""


class VerdictKind(StrEnum):
    """Whether the vignette of a vehicle was paid. docs/verdict.md tells by which rules."""

    PAID = "PAID"
    EXEMPT = "EXEMPT"
    UNPAID = "UNPAID"
    REVIEW = "REVIEW"
    UNKNOWN = "UNKNOWN"
    NONE = "NONE"
    """Nobody asked: plates are read, and there is no list of vignettes."""


class PictureKind(StrEnum):
    """Which of a sighting's pictures: the plate alone, the whole frame, or the reads of the passage."""

    CROP = "crop"
    FRAME = "frame"
    STRIP = "strip"
    """Small, one below the other, as `FusedPlate.shown` names them."""


@dataclass(frozen=True, slots=True)
class Picture:
    """An encoded picture that is to be stored as evidence."""

    kind: PictureKind
    media_type: str
    """`image/jpeg` or `image/png`."""
    data: bytes = field(repr=False)
    """The encoded file, not encrypted."""
    box: Box | None = None
    """Where the plate is, in pixels of this picture; None if that is not known."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known of a stored picture; the picture itself is fetched by its SHA-256."""

    kind: PictureKind
    sha256: str
    """The SHA-256 of the encoded picture before it was encrypted: 64 hexadecimal digits."""
    media_type: str
    """`image/jpeg` or `image/png`."""
    size_bytes: int
    """Of the encoded picture before it was encrypted."""
    box: Box | None = None
    """Where the plate is, in pixels of this picture; None if that is not known."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One text that the plate may have, as the verdict weighed it."""

    plate: str
    """The text, folded (O and Q as 0, I as 1): see `roadside.core.plates.fold`."""
    probability: float
    """That this is the plate, 0 to 1."""
    paid: bool
    """Whether the registry holds a valid vignette for it."""
    exempt: bool
    """Whether the registry exempts it."""


class Answer(StrEnum):
    """What a second reader says of a plate."""

    CONFIRMED = "confirmed"
    """It reads the same."""
    DISAGREED = "disagreed"
    """It reads something else, or nothing."""


@dataclass(frozen=True, slots=True)
class Statement:
    """What a second, differently built reader said of the picture of an accused plate."""

    answer: Answer
    reader: str
    """Its name: tesseract, or the folder of its net."""
    sha256: str
    """Of the file of its weights: 64 hexadecimal digits."""
    text: str
    """What it read; empty where it read nothing."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The verdict on a vehicle, with everything that led to it."""

    kind: VerdictKind
    rule: str
    """The name of the rule that decided, one of those in docs/verdict.md."""
    p_paid: float
    """An upper estimate, 0 to 1, of the probability that a valid vignette exists for this vehicle."""
    p_exempt: float
    """The probability, 0 to 1, that this vehicle is exempt, estimated in the same way."""
    readings: tuple[Reading, ...] = ()
    """The texts that were weighed, most probable first; empty for a vehicle whose plate is not kept."""
    vignettes: tuple[Vignette, ...] = ()
    """The valid vignettes that the registry holds for these readings."""
    exemptions: tuple[Exemption, ...] = ()
    """The exemptions that the registry holds for these readings."""
    lapsed: tuple[Vignette, ...] = ()
    """Vignettes of the most probable readings that were not valid at the time: expired, or not yet begun."""
    passage: PassageTime | None = None
    """The time that was judged, before any tolerance, and whether it is believed; None of an older version."""
    witness: Statement | None = None
    """What the second reader said; None where none was asked, as of every vehicle that has paid."""
    basis: Facts = ()
    """What it rests on: the numbers of the policy, the statistics of the reader's errors, the list that was asked."""


@dataclass(frozen=True, slots=True)
class Sighting:
    """One vehicle that passed one camera: the record that is stored, listed and reviewed."""

    sighting_id: str
    """Made from camera and track, so that a passage that is handled twice gives the same id."""
    camera_id: CameraId
    track_id: str
    first_seen_ns: int
    """When its first read frame was captured: UTC, in nanoseconds since 1970."""
    last_seen_ns: int
    """When its last read frame was captured: UTC, in nanoseconds since 1970."""
    plate: FusedPlate | None
    """None for a vehicle (PAID or EXEMPT) of which only `plate_hash` may be kept."""
    verdict: Verdict
    plate_hash: str | None = None
    """For PAID and EXEMPT: the id of the key, `:scrypt:`, and 64 hexadecimal digits; without `scrypt:` the plate's
    HMAC-SHA-256, of an older version."""
    evidence: tuple[Evidence, ...] = ()
    """The stored pictures; none for PAID and EXEMPT."""
    sequence: int = 0
    """The place in the order of storing, counting up from 1; 0 until it is stored. A live watch resumes after it."""
    provenance: Facts = ()
    """What saw and read it: the version of the program, the SHA-256 of the nets."""
    direction: Direction | None = None
    """Which way it crossed the line of its camera; None where there is none, or it did not."""
    speed: AverageSpeed | None = None
    """How fast it was between the two lines of its camera; None where there are none, or it is not known."""
    known: tuple[KnownMatch, ...] = ()
    """The known plates that it may have, the most probable first; of PAID and EXEMPT none is kept."""

    @property
    def passage(self) -> PassageTime:
        """The time for which it is judged, now and whenever it is judged again."""
        if self.verdict.passage is not None:
            return self.verdict.passage
        return PassageTime(min(self.first_seen_ns, self.last_seen_ns), self.last_seen_ns)


@dataclass(frozen=True, slots=True)
class SightingQuery:
    """Which sightings to list, newest first; a field that is None asks for nothing in particular."""

    limit: int = 50
    """How many sightings a page holds at most."""
    page_token: str = ""
    """`next_page_token` of the page before; empty for the first page."""
    since_ns: int | None = None
    """Only those with `last_seen_ns` at or after this time: UTC, in nanoseconds since 1970."""
    until_ns: int | None = None
    """Only those with `last_seen_ns` before this time."""
    camera_id: CameraId | None = None
    plate_prefix: str | None = None
    """What the folded plate begins with."""
    plate_like: str | None = None
    """A whole plate: those are found that differ from it, folded, by one insertion, deletion or substitution at
    most."""
    country: str | None = None
    verdict: VerdictKind | None = None
    direction: Direction | None = None
    over_kmh: float | None = None
    """Only vehicles whose speed was higher beyond its uncertainty: `speed.lowest_kmh` is."""
    known_list: str | None = None
    """Only vehicles that may be one of this list of known plates."""


@dataclass(frozen=True, slots=True)
class SightingPage:
    """One page of a list of sightings."""

    sightings: tuple[Sighting, ...]
    next_page_token: str = ""
    """Asks for the next page; empty on the last one."""
