"""What the REST interface answers with."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field

from roadside.core.known import Action  # noqa: TC001 - pydantic needs it at run time
from roadside.core.outline import Direction  # noqa: TC001 - pydantic needs it at run time
from roadside.core.reviews import ReviewAction  # noqa: TC001 - pydantic needs it at run time
from roadside.core.sightings import VerdictKind  # noqa: TC001 - pydantic needs it at run time
from roadside.core.vignettes import NEVER_NS

if TYPE_CHECKING:
    from roadside.console.ports import CameraState, Held, ListState
    from roadside.core.known import KnownPlate
    from roadside.core.sightings import Sighting
    from roadside.core.speed import AverageSpeed


class Model(BaseModel):
    """Of every answer."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Problem(Model):
    """What went wrong, as RFC 9457 has it."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str


class PlateModel(Model):
    """A plate as it was read."""

    text: str
    country: str | None
    confidence: float = Field(ge=0, le=1)
    looks: int
    alternatives: list[str]


class ReadingModel(Model):
    """A text that the plate may have."""

    plate: str
    probability: float
    paid: bool
    exempt: bool


class VerdictModel(Model):
    """What was said of the vehicle, and by which rule."""

    kind: VerdictKind
    rule: str
    p_paid: float
    p_exempt: float
    readings: list[ReadingModel]


class PictureModel(Model):
    """A stored picture."""

    kind: str
    sha256: str
    media_type: str
    size_bytes: int
    href: str


class ReadModel(Model):
    """What was read in one picture of the film strip, from its top on."""

    text: str
    confidence: float = Field(ge=0, le=1)
    at: datetime


class KnownModel(Model):
    """A known plate that the vehicle may have."""

    list: str
    action: Action
    name: str
    group: str
    plate: str
    probability: float


class SpeedModel(Model):
    """In kilometres an hour; the true one lies between the lowest and the highest in some 95 of 100 cases."""

    kmh: float
    lowest_kmh: float
    highest_kmh: float


class SightingModel(Model):
    """A vehicle that passed a camera."""

    id: str
    camera: str
    first_seen: datetime
    last_seen: datetime
    plate: PlateModel | None
    plate_hash: str | None
    verdict: VerdictModel
    pictures: list[PictureModel]
    reads: list[ReadModel]
    direction: Direction | None
    speed: SpeedModel | None
    known: list[KnownModel]
    sequence: int


class SightingPageModel(Model):
    """A page of sightings, newest first."""

    sightings: list[SightingModel]
    next_page: str | None = Field(description="`page` of the next request; null on the last page")


class AnswerModel(Model):
    """What a person says of a plate."""

    action: ReviewAction
    plate: str = Field("", max_length=32, description="as the person reads it, for the action `correct`")
    country: str = Field("", max_length=32)


class ReviewModel(Model):
    """The sighting that has waited longest."""

    sighting: SightingModel | None
    waiting: int


class HeldModel(Model):
    """An entry of the registry."""

    kind: str
    plate: str
    country: str
    what: str
    valid_from: datetime | None = Field(description="null: since ever")
    valid_to: datetime | None = Field(description="null: without end")
    valid: bool


class CheckModel(Model):
    """Whether a plate has paid."""

    plate: str
    country: str
    at: datetime
    verdict: VerdictKind
    entries: list[HeldModel]


class RegistryModel(Model):
    """What the registry holds."""

    vignettes: int
    exemptions: int
    imported: datetime | None


class ListModel(Model):
    """A list of known plates."""

    name: str
    action: Action
    plates: int


class ListedPlateModel(Model):
    """A plate of a list, as it was entered."""

    plate: str = Field(min_length=1, max_length=200, description="in any spelling")
    country: str = Field("", max_length=32, description="empty: any")
    name: str = Field("", max_length=200)
    group: str = Field("", max_length=200)
    valid_from: str = Field("", max_length=40, description="a day or a time; empty: since ever")
    valid_to: str = Field("", max_length=40, description="the last day or time; empty: without end")


class RemovedModel(Model):
    """What was removed."""

    plates: int


class CameraModel(Model):
    """How a camera does."""

    id: str
    frames: int
    frames_per_s: float
    dropped: int
    last_frame: datetime | None
    ended: bool


def sighting_model(sighting: Sighting) -> SightingModel:
    """A sighting as it is answered."""
    plate, verdict = sighting.plate, sighting.verdict
    return SightingModel(
        id=sighting.sighting_id,
        camera=sighting.camera_id,
        first_seen=moment(sighting.first_seen_ns),
        last_seen=moment(sighting.last_seen_ns),
        plate=None
        if plate is None
        else PlateModel(
            text=plate.text,
            country=plate.country,
            confidence=min(1.0, max(0.0, plate.confidence)),
            looks=plate.looks,
            alternatives=[a.text for a in plate.alternatives if a.text != plate.text][:5],
        ),
        plate_hash=sighting.plate_hash,
        verdict=VerdictModel(
            kind=verdict.kind,
            rule=verdict.rule,
            p_paid=verdict.p_paid,
            p_exempt=verdict.p_exempt,
            readings=[
                ReadingModel(plate=r.plate, probability=r.probability, paid=r.paid, exempt=r.exempt)
                for r in verdict.readings
            ],
        ),
        pictures=[
            PictureModel(
                kind=e.kind.value,
                sha256=e.sha256,
                media_type=e.media_type,
                size_bytes=e.size_bytes,
                href=f"/api/v1/sightings/{sighting.sighting_id}/pictures/{e.kind.value}",
            )
            for e in sighting.evidence
        ],
        reads=[
            ReadModel(text=r.text, confidence=min(1.0, max(0.0, r.confidence)), at=moment(r.captured_at_ns))
            for r in (plate.shown if plate is not None else ())
        ],
        direction=sighting.direction,
        speed=None if sighting.speed is None else _speed(sighting.speed),
        known=[
            KnownModel(
                list=m.list_name, action=m.action, name=m.name, group=m.group, plate=m.plate, probability=m.probability
            )
            for m in sighting.known
        ],
        sequence=sighting.sequence,
    )


def held_model(held: Held) -> HeldModel:
    """An entry as it is answered."""
    return HeldModel(
        kind=held.kind,
        plate=held.plate,
        country=held.country,
        what=held.what,
        valid_from=moment(held.valid_from_ns) if held.valid_from_ns > 0 else None,
        valid_to=moment(held.valid_to_ns) if held.valid_to_ns < NEVER_NS else None,
        valid=held.valid,
    )


def registry_model(state: ListState) -> RegistryModel:
    """The registry's state as it is answered."""
    imported = moment(state.imported_ns) if state.imported_ns is not None else None
    return RegistryModel(vignettes=state.vignettes, exemptions=state.exemptions, imported=imported)


def camera_model(state: CameraState) -> CameraModel:
    """A camera's state as it is answered."""
    return CameraModel(
        id=state.camera_id,
        frames=state.frames,
        frames_per_s=round(state.frames_per_s, 2),
        dropped=state.dropped,
        last_frame=moment(state.last_frame_ns) if state.last_frame_ns is not None else None,
        ended=state.ended,
    )


def listed_model(entry: KnownPlate) -> ListedPlateModel:
    """A plate of a list as it is answered: what was sent for it, entered again, means the same."""
    begins = moment(entry.valid_from_ns).isoformat(timespec="seconds") if entry.valid_from_ns > 0 else ""
    ends = moment(entry.valid_to_ns - 10**9).isoformat(timespec="seconds") if entry.valid_to_ns < NEVER_NS else ""
    return ListedPlateModel(
        plate=entry.plate,
        country=entry.country,
        name=entry.name,
        group=entry.group,
        valid_from=begins,
        valid_to=ends,
    )


def moment(at_ns: int) -> datetime:
    """Nanoseconds since 1970 as a time."""
    return datetime.fromtimestamp(at_ns / 1e9, UTC)


def _speed(speed: AverageSpeed) -> SpeedModel:
    return SpeedModel(kmh=speed.kmh, lowest_kmh=speed.lowest_kmh, highest_kmh=speed.highest_kmh)
