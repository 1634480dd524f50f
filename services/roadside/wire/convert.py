"""Converts domain values to protobuf messages and back. Values of incoming messages are checked, outgoing ones are not.

Each `..._to_proto` gives the message for a value, each `..._from_proto` the value of a message.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from google.protobuf.timestamp_pb2 import Timestamp

from roadside.core.events import EncodedPicture, PictureEncoding
from roadside.core.frames import Box, CameraId, Detection
from roadside.core.known import Action, KnownMatch
from roadside.core.moments import PassageTime, TimeDoubt
from roadside.core.outline import Direction
from roadside.core.reads import ALPHABET, Character, FusedPlate, Hypothesis, Read, ShownRead
from roadside.core.sightings import (
    Answer,
    Evidence,
    PictureKind,
    Reading,
    Sighting,
    Statement,
    Verdict,
    VerdictKind,
)
from roadside.core.speed import AverageSpeed
from roadside.core.vignettes import Exemption, Vignette
from roadside.errors import PoisonError
from roadside.v1 import types_pb2

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from roadside.core.frames import Corners
    from roadside.core.sightings import Facts

MAX_SLOTS = 64
"""Rows that a posterior may have; the longest plates of Europe have nine characters."""
MAX_CAMERA_ID_CHARACTERS = 128
MAX_COORDINATE_PX = 1_000_000.0
"""Far outside of every picture."""

VERDICT_TO_PROTO = {
    VerdictKind.PAID: types_pb2.VERDICT_KIND_PAID,
    VerdictKind.EXEMPT: types_pb2.VERDICT_KIND_EXEMPT,
    VerdictKind.UNPAID: types_pb2.VERDICT_KIND_UNPAID,
    VerdictKind.REVIEW: types_pb2.VERDICT_KIND_REVIEW,
    VerdictKind.UNKNOWN: types_pb2.VERDICT_KIND_UNKNOWN,
    VerdictKind.NONE: types_pb2.VERDICT_KIND_NONE,
}
DIRECTION_TO_PROTO = {
    None: types_pb2.DIRECTION_UNSPECIFIED,
    Direction.IN: types_pb2.DIRECTION_IN,
    Direction.OUT: types_pb2.DIRECTION_OUT,
}
ACTION_TO_PROTO = {
    Action.OPEN: types_pb2.KNOWN_ACTION_OPEN,
    Action.ALERT: types_pb2.KNOWN_ACTION_ALERT,
    Action.IGNORE: types_pb2.KNOWN_ACTION_IGNORE,
}
VERDICT_FROM_PROTO = {value: kind for kind, value in VERDICT_TO_PROTO.items()}
ANSWER_TO_PROTO = {
    Answer.CONFIRMED: types_pb2.STATEMENT_ANSWER_CONFIRMED,
    Answer.DISAGREED: types_pb2.STATEMENT_ANSWER_DISAGREED,
}
ANSWER_FROM_PROTO = {value: answer for answer, value in ANSWER_TO_PROTO.items()}
PICTURE_KIND_TO_PROTO = {
    PictureKind.CROP: types_pb2.PICTURE_KIND_CROP,
    PictureKind.FRAME: types_pb2.PICTURE_KIND_FRAME,
    PictureKind.STRIP: types_pb2.PICTURE_KIND_STRIP,
}
PICTURE_KIND_FROM_PROTO = {value: kind for kind, value in PICTURE_KIND_TO_PROTO.items()}
_ENCODING_TO_PROTO = {
    PictureEncoding.JPEG: types_pb2.PICTURE_ENCODING_JPEG,
    PictureEncoding.PNG: types_pb2.PICTURE_ENCODING_PNG,
    PictureEncoding.BGR: types_pb2.PICTURE_ENCODING_BGR,
}
_ENCODING_FROM_PROTO = {value: encoding for encoding, value in _ENCODING_TO_PROTO.items()}


def time_to_proto(at_ns: int) -> Timestamp:
    """The protobuf Timestamp for a UTC time in nanoseconds since 1970."""
    seconds, nanos = divmod(at_ns, 1_000_000_000)
    return Timestamp(seconds=seconds, nanos=nanos)


def time_from_proto(at: Timestamp) -> int:
    """The UTC time of a protobuf Timestamp, in nanoseconds since 1970."""
    return at.seconds * 1_000_000_000 + at.nanos


def camera_id_from_proto(text: str) -> CameraId:
    """The camera's id. Raises PoisonError if it is empty or longer than MAX_CAMERA_ID_CHARACTERS."""
    if not 0 < len(text) <= MAX_CAMERA_ID_CHARACTERS:
        raise PoisonError(f"camera id of {len(text)} characters")
    return CameraId(text)


def picture_to_proto(picture: EncodedPicture) -> types_pb2.Picture:
    """The message for an encoded picture."""
    return types_pb2.Picture(
        encoding=_ENCODING_TO_PROTO[picture.encoding],
        data=picture.data,
        width_px=picture.width_px,
        height_px=picture.height_px,
    )


def picture_from_proto(picture: types_pb2.Picture) -> EncodedPicture:
    """The encoded picture, which is not decoded here. Raises PoisonError if its encoding is unknown."""
    encoding = _ENCODING_FROM_PROTO.get(picture.encoding)
    if encoding is None:
        raise PoisonError("picture of an unknown encoding")
    return EncodedPicture(encoding, picture.data, picture.width_px, picture.height_px)


def box_to_proto(box: Box | None) -> types_pb2.Box | None:
    """The message for a box; None for None."""
    return None if box is None else types_pb2.Box(x1=box.x1, y1=box.y1, x2=box.x2, y2=box.y2)


def box_from_proto(box: types_pb2.Box) -> Box:
    """The box. Raises PoisonError if it is empty or a coordinate is not finite or beyond every picture."""
    made = Box(box.x1, box.y1, box.x2, box.y2)
    _check_coordinates("box", (made.x1, made.y1, made.x2, made.y2))
    if made.width <= 0 or made.height <= 0:
        raise PoisonError("empty box")
    return made


def _check_coordinates(what: str, values: Iterable[float]) -> None:
    for value in values:
        if not math.isfinite(value):
            raise PoisonError(f"{what} with a number that is not finite")
        if abs(value) > MAX_COORDINATE_PX:
            raise PoisonError(f"{what} beyond every picture")


def detection_to_proto(detection: Detection) -> types_pb2.Detection:
    """The message for a detection."""
    return types_pb2.Detection(
        box=box_to_proto(detection.box),
        score=detection.score,
        corners=[types_pb2.Point(x=x, y=y) for x, y in detection.corners or ()],
    )


def detection_from_proto(detection: types_pb2.Detection) -> Detection:
    """The detection.

    Raises PoisonError for a bad box or corner, a score that is not finite, or corners that are not four.
    """
    box = box_from_proto(detection.box)
    if not math.isfinite(detection.score):
        raise PoisonError("detection with a score that is not finite")
    corners: Corners | None = None
    if detection.corners:
        points = [(point.x, point.y) for point in detection.corners]
        if len(points) != 4:
            raise PoisonError(f"detection with {len(points)} corners")
        _check_coordinates("corner", [coordinate for point in points for coordinate in point])
        corners = (points[0], points[1], points[2], points[3])
    return Detection(box, detection.score, corners)


def read_to_proto(read: Read) -> types_pb2.Read:
    """The message for a read."""
    return types_pb2.Read(
        raw=read.raw,
        text=read.text,
        country=read.country or "",
        confidence=read.confidence,
        characters=[types_pb2.Character(text=c.text, confidence=c.confidence) for c in read.characters],
        posterior=_posterior_to_proto(read.posterior),
        alternatives=_hypotheses_to_proto(read.alternatives),
        countries=_countries_to_proto(read.countries),
        model=read.model,
    )


def read_from_proto(read: types_pb2.Read) -> Read:
    """The read. Raises PoisonError if its posterior is not (slots, 36) or holds a number that is not finite."""
    return Read(
        raw=read.raw,
        text=read.text,
        country=read.country or None,
        confidence=read.confidence,
        characters=tuple(Character(c.text, c.confidence) for c in read.characters),
        posterior=_posterior_from_proto(read.posterior),
        alternatives=_hypotheses_from_proto(read.alternatives),
        countries=_countries_from_proto(read.countries),
        model=read.model,
    )


def plate_to_proto(plate: FusedPlate) -> types_pb2.FusedPlate:
    """The message for a fused plate."""
    return types_pb2.FusedPlate(
        text=plate.text,
        raw=plate.raw,
        country=plate.country or "",
        confidence=plate.confidence,
        posterior=_posterior_to_proto(plate.posterior),
        alternatives=_hypotheses_to_proto(plate.alternatives),
        countries=_countries_to_proto(plate.countries),
        looks=plate.looks,
        doubts=plate.doubts or (),
        examined=plate.doubts is not None,
        shown=[
            types_pb2.ShownRead(text=s.text, confidence=s.confidence, capture_time=time_to_proto(s.captured_at_ns))
            for s in plate.shown
        ],
    )


def plate_from_proto(plate: types_pb2.FusedPlate) -> FusedPlate:
    """The fused plate. Raises PoisonError if its posterior is not (slots, 36) or holds a number that is not finite."""
    return FusedPlate(
        text=plate.text,
        raw=plate.raw,
        country=plate.country or None,
        confidence=plate.confidence,
        posterior=_posterior_from_proto(plate.posterior),
        alternatives=_hypotheses_from_proto(plate.alternatives),
        countries=_countries_from_proto(plate.countries),
        looks=plate.looks,
        doubts=tuple(plate.doubts) if plate.examined else None,
        shown=tuple(ShownRead(s.text, s.confidence, time_from_proto(s.capture_time)) for s in plate.shown),
    )


def vignette_to_proto(vignette: Vignette) -> types_pb2.Vignette:
    """The message for a vignette."""
    return types_pb2.Vignette(
        plate=vignette.plate,
        country=vignette.country,
        category=vignette.category,
        valid_from_time=time_to_proto(vignette.valid_from_ns),
        valid_to_time=time_to_proto(vignette.valid_to_ns),
    )


def vignette_from_proto(vignette: types_pb2.Vignette) -> Vignette:
    """The vignette."""
    return Vignette(
        plate=vignette.plate,
        country=vignette.country,
        category=vignette.category,
        valid_from_ns=time_from_proto(vignette.valid_from_time),
        valid_to_ns=time_from_proto(vignette.valid_to_time),
    )


def exemption_to_proto(exemption: Exemption) -> types_pb2.Exemption:
    """The message for an exemption."""
    return types_pb2.Exemption(
        pattern=exemption.pattern,
        country=exemption.country,
        reason=exemption.reason,
        valid_from_time=time_to_proto(exemption.valid_from_ns),
        valid_to_time=time_to_proto(exemption.valid_to_ns),
    )


def exemption_from_proto(exemption: types_pb2.Exemption) -> Exemption:
    """The exemption."""
    return Exemption(
        pattern=exemption.pattern,
        country=exemption.country,
        reason=exemption.reason,
        valid_from_ns=time_from_proto(exemption.valid_from_time),
        valid_to_ns=time_from_proto(exemption.valid_to_time),
    )


def verdict_to_proto(verdict: Verdict) -> types_pb2.Verdict:
    """The message for a verdict with its reasons."""
    return types_pb2.Verdict(
        kind=VERDICT_TO_PROTO[verdict.kind],
        rule=verdict.rule,
        paid_probability=verdict.p_paid,
        exempt_probability=verdict.p_exempt,
        readings=[
            types_pb2.Reading(plate=r.plate, probability=r.probability, paid=r.paid, exempt=r.exempt)
            for r in verdict.readings
        ],
        vignettes=[vignette_to_proto(vignette) for vignette in verdict.vignettes],
        exemptions=[exemption_to_proto(exemption) for exemption in verdict.exemptions],
        lapsed_vignettes=[vignette_to_proto(vignette) for vignette in verdict.lapsed],
        **_passage_to_proto(verdict.passage),
        statement=None if verdict.witness is None else statement_to_proto(verdict.witness),
        basis=_facts_to_proto(verdict.basis),
    )


def verdict_from_proto(verdict: types_pb2.Verdict) -> Verdict:
    """The verdict with its reasons. Raises PoisonError for an unknown kind."""
    kind = VERDICT_FROM_PROTO.get(verdict.kind)
    if kind is None:
        raise PoisonError("verdict of an unknown kind")
    return Verdict(
        kind=kind,
        rule=verdict.rule,
        p_paid=verdict.paid_probability,
        p_exempt=verdict.exempt_probability,
        readings=tuple(Reading(r.plate, r.probability, r.paid, r.exempt) for r in verdict.readings),
        vignettes=tuple(vignette_from_proto(vignette) for vignette in verdict.vignettes),
        exemptions=tuple(exemption_from_proto(exemption) for exemption in verdict.exemptions),
        lapsed=tuple(vignette_from_proto(vignette) for vignette in verdict.lapsed_vignettes),
        passage=_passage_from_proto(verdict),
        witness=statement_from_proto(verdict.statement) if verdict.HasField("statement") else None,
        basis=_facts_from_proto(verdict.basis),
    )


def doubt_from_proto(name: str) -> TimeDoubt | None:
    """Why a time is not believed; one that this version does not know is a doubt all the same."""
    if not name:
        return None
    try:
        return TimeDoubt(name)
    except ValueError:
        return TimeDoubt.DISAGREES


def statement_to_proto(said: Statement) -> types_pb2.Statement:
    """The message for what a second reader said."""
    return types_pb2.Statement(
        answer=ANSWER_TO_PROTO[said.answer], reader=said.reader, sha256=said.sha256, text=said.text
    )


def statement_from_proto(said: types_pb2.Statement) -> Statement:
    """What a second reader said. Raises PoisonError for an unknown answer."""
    answer = ANSWER_FROM_PROTO.get(said.answer)
    if answer is None:
        raise PoisonError("statement of an unknown answer")
    return Statement(answer, said.reader, said.sha256, said.text)


def sighting_to_proto(sighting: Sighting) -> types_pb2.Sighting:
    """The message for a sighting."""
    return types_pb2.Sighting(
        sighting_id=sighting.sighting_id,
        camera_id=sighting.camera_id,
        track_id=sighting.track_id,
        first_seen_time=time_to_proto(sighting.first_seen_ns),
        last_seen_time=time_to_proto(sighting.last_seen_ns),
        plate=None if sighting.plate is None else plate_to_proto(sighting.plate),
        verdict=verdict_to_proto(sighting.verdict),
        plate_hash=sighting.plate_hash or "",
        evidence=[
            types_pb2.Evidence(
                kind=PICTURE_KIND_TO_PROTO[e.kind],
                sha256=e.sha256,
                media_type=e.media_type,
                size_bytes=e.size_bytes,
                box=box_to_proto(e.box),
            )
            for e in sighting.evidence
        ],
        sequence=sighting.sequence,
        provenance=_facts_to_proto(sighting.provenance),
        direction=DIRECTION_TO_PROTO[sighting.direction],
        speed=None if sighting.speed is None else _speed_to_proto(sighting.speed),
        known=[
            types_pb2.KnownMatch(
                list=k.list_name,
                action=ACTION_TO_PROTO[k.action],
                name=k.name,
                group=k.group,
                plate=k.plate,
                probability=k.probability,
                opens=k.opens,
            )
            for k in sighting.known
        ],
    )


def _speed_to_proto(speed: AverageSpeed) -> types_pb2.AverageSpeed:
    return types_pb2.AverageSpeed(kmh=speed.kmh, lowest_kmh=speed.lowest_kmh, highest_kmh=speed.highest_kmh)


def _speed_from_proto(speed: types_pb2.AverageSpeed) -> AverageSpeed:
    """Raises PoisonError for what is no speed."""
    if not 0 < speed.lowest_kmh <= speed.kmh <= speed.highest_kmh < math.inf:
        raise PoisonError("a speed that does not lie between its bounds")
    return AverageSpeed(speed.kmh, speed.lowest_kmh, speed.highest_kmh)


def _known_from_proto(match: types_pb2.KnownMatch) -> KnownMatch:
    """Raises PoisonError for an action that is none."""
    action = {v: k for k, v in ACTION_TO_PROTO.items()}.get(match.action)
    if action is None:
        raise PoisonError("a known plate without an action")
    return KnownMatch(match.list, action, match.name, match.group, match.plate, match.probability, match.opens)


def sighting_from_proto(sighting: types_pb2.Sighting) -> Sighting:
    """The sighting. Raises PoisonError if it has no id, no camera or no verdict."""
    if not sighting.sighting_id:
        raise PoisonError("sighting without an id")
    return Sighting(
        sighting_id=sighting.sighting_id,
        camera_id=camera_id_from_proto(sighting.camera_id),
        track_id=sighting.track_id,
        first_seen_ns=time_from_proto(sighting.first_seen_time),
        last_seen_ns=time_from_proto(sighting.last_seen_time),
        plate=plate_from_proto(sighting.plate) if sighting.HasField("plate") else None,
        verdict=verdict_from_proto(sighting.verdict),
        plate_hash=sighting.plate_hash or None,
        evidence=tuple(
            Evidence(
                picture_kind_from_proto(e.kind),
                e.sha256,
                e.media_type,
                e.size_bytes,
                box_from_proto(e.box) if e.HasField("box") else None,
            )
            for e in sighting.evidence
        ),
        sequence=sighting.sequence,
        provenance=_facts_from_proto(sighting.provenance),
        direction={v: k for k, v in DIRECTION_TO_PROTO.items()}.get(sighting.direction),
        speed=_speed_from_proto(sighting.speed) if sighting.HasField("speed") else None,
        known=tuple(_known_from_proto(match) for match in sighting.known),
    )


def picture_kind_from_proto(kind: types_pb2.PictureKind) -> PictureKind:
    """Which of a sighting's pictures. Raises PoisonError for an unknown kind."""
    known = PICTURE_KIND_FROM_PROTO.get(kind)
    if known is None:
        raise PoisonError("picture of an unknown kind")
    return known


def _passage_to_proto(passage: PassageTime | None) -> dict[str, Any]:
    """The fields of a verdict's message for its time; none for None."""
    if passage is None:
        return {}
    return {
        "earliest_time": time_to_proto(passage.first_ns),
        "latest_time": time_to_proto(passage.last_ns),
        "time_doubt": passage.doubt or "",
    }


def _passage_from_proto(verdict: types_pb2.Verdict) -> PassageTime | None:
    """None of an older version's message, which does not say it."""
    if not verdict.HasField("earliest_time"):
        return None
    first_ns, last_ns = time_from_proto(verdict.earliest_time), time_from_proto(verdict.latest_time)
    return PassageTime(first_ns, max(first_ns, last_ns), doubt_from_proto(verdict.time_doubt))


def _posterior_to_proto(posterior: NDArray[np.float32]) -> bytes:
    return posterior.astype("<f4", copy=False).tobytes()


def _posterior_from_proto(data: bytes) -> NDArray[np.float32]:
    row = len(ALPHABET) * 4
    if len(data) % row or len(data) > row * MAX_SLOTS:
        raise PoisonError(f"posterior of {len(data)} bytes")
    posterior = np.frombuffer(data, "<f4").reshape(-1, len(ALPHABET)).astype(np.float32, copy=False)
    if not np.isfinite(posterior).all():
        raise PoisonError("posterior with a number that is not finite")
    return posterior


def _hypotheses_to_proto(hypotheses: Iterable[Hypothesis]) -> list[types_pb2.Hypothesis]:
    return [
        types_pb2.Hypothesis(text=h.text, country=h.country or "", probability=math.exp(h.log_p)) for h in hypotheses
    ]


def _hypotheses_from_proto(hypotheses: Iterable[types_pb2.Hypothesis]) -> tuple[Hypothesis, ...]:
    return tuple(
        Hypothesis(h.text, h.country or None, math.log(h.probability) if h.probability > 0 else -math.inf)
        for h in hypotheses
    )


def _facts_to_proto(facts: Facts) -> list[types_pb2.Fact]:
    return [types_pb2.Fact(name=name, value=value) for name, value in facts]


def _facts_from_proto(facts: Iterable[types_pb2.Fact]) -> Facts:
    return tuple((fact.name, fact.value) for fact in facts)


def _countries_to_proto(countries: Iterable[tuple[str, float]]) -> list[types_pb2.CountryProbability]:
    return [types_pb2.CountryProbability(country=c, probability=p) for c, p in countries]


def _countries_from_proto(
    countries: Iterable[types_pb2.CountryProbability],
) -> tuple[tuple[str, float], ...]:
    return tuple((c.country, c.probability) for c in countries)
