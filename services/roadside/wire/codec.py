"""Events as the payloads that Redis Streams carry, and back: messages of protos/roadside/v1/events.proto."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, TypeVar

from google.protobuf.message import DecodeError

from roadside.core.background import Background
from roadside.core.events import CropEvent, FrameEvent, ReadEvent, SightingEvent, encode_raw
from roadside.core.frames import Crop
from roadside.core.moments import Stamp
from roadside.core.picture_header import CROP_LIMITS, MOST_SIDE_PX
from roadside.core.sightings import Picture
from roadside.errors import InputError, PoisonError
from roadside.ports.bus import CROPS, FRAMES, READS, SIGHTINGS
from roadside.v1 import events_pb2
from roadside.wire import convert
from roadside.wire.bounds import check
from roadside.wire.decoding import decode
from roadside.wire.pictures import TravellingPicture, decode_picture

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from google.protobuf.message import Message

    from roadside.core.frames import Box
    from roadside.ports.bus import EventT, Stream
    from roadside.wire.pictures import Decoder

MOST_OTHERS = 4096
"""Plates in one frame: more than any detector gives."""
MAX_PAYLOAD_BYTES = 24 * 1024 * 1024
"""The largest payload that is decoded: more than the largest picture that is taken, and the fields beside it."""

MessageT = TypeVar("MessageT", bound="Message")


class ProtobufCodec:
    """The messages of protos/roadside/v1/events.proto; meets `roadside.ports.bus.Codec`."""

    def __init__(self, decoder: Decoder = decode) -> None:
        """`decoder` decodes the pictures of what comes."""
        self._decoder = decoder

    def encode(self, stream: Stream[EventT], event: EventT) -> bytes:
        """See `Codec.encode`."""
        payload: bytes = _ENCODERS[stream](event)
        return payload

    def decode(self, stream: Stream[EventT], payload: bytes) -> EventT:
        """See `Codec.decode`."""
        event: EventT = _DECODERS[stream](payload, self._decoder)
        return event


def encode_frame(event: FrameEvent) -> bytes:
    """The payload for an event on the stream `frames`."""
    return events_pb2.FrameEvent(
        camera_id=event.camera_id,
        capture_time=convert.time_to_proto(event.captured_at_ns),
        sequence=event.sequence,
        picture=convert.picture_to_proto(event.picture.encoded()),
        live=event.live,
        stamp=_stamp_to_proto(event.stamp),
        background=_background_to_proto(event.background),
    ).SerializeToString()


def decode_frame(payload: bytes, decoder: Decoder = decode) -> FrameEvent:
    """The event of a payload on `frames`; its picture stays encoded. Raises PoisonError if the payload is damaged."""
    message = _parse(events_pb2.FrameEvent, payload)
    return FrameEvent(
        camera_id=convert.camera_id_from_proto(message.camera_id),
        captured_at_ns=convert.time_from_proto(message.capture_time),
        sequence=message.sequence,
        picture=TravellingPicture(convert.picture_from_proto(message.picture), decoder),
        live=message.live,
        stamp=_stamp_from_proto(message.stamp) if message.HasField("stamp") else None,
        background=_background_from_proto(message),
    )


def encode_crop(event: CropEvent) -> bytes:
    """The payload for an event on the stream `crops`."""
    return _crop_to_proto(event).SerializeToString()


def decode_crop(payload: bytes, decoder: Decoder = decode) -> CropEvent:
    """The event of a payload on `crops`, with the plate's picture decoded. Raises PoisonError if it is damaged."""
    return _crop_from_proto(_parse(events_pb2.CropEvent, payload), decoder)


def encode_read(event: ReadEvent) -> bytes:
    """The payload for an event on the stream `reads`."""
    return events_pb2.ReadEvent(
        crop=_crop_to_proto(CropEvent(event.crop, event.frame)), read=convert.read_to_proto(event.read)
    ).SerializeToString()


def decode_read(payload: bytes, decoder: Decoder = decode) -> ReadEvent:
    """The event of a payload on `reads`. Raises PoisonError if it is damaged."""
    message = _parse(events_pb2.ReadEvent, payload)
    crop = _crop_from_proto(message.crop, decoder)
    return ReadEvent(crop.crop, crop.frame, convert.read_from_proto(message.read))


def encode_sighting(event: SightingEvent) -> bytes:
    """The payload for an event on the stream `sightings`."""
    return events_pb2.SightingEvent(
        sighting=convert.sighting_to_proto(event.sighting),
        pictures=[
            events_pb2.EvidencePicture(
                kind=convert.PICTURE_KIND_TO_PROTO[picture.kind],
                media_type=picture.media_type,
                data=picture.data,
                box=convert.box_to_proto(picture.box),
            )
            for picture in event.pictures
        ],
    ).SerializeToString()


def decode_sighting(payload: bytes, decoder: Decoder = decode) -> SightingEvent:
    """The event of a payload on `sightings`, its pictures encoded. Raises PoisonError if it is damaged."""
    del decoder
    message = _parse(events_pb2.SightingEvent, payload)
    return SightingEvent(
        sighting=convert.sighting_from_proto(message.sighting),
        pictures=tuple(
            Picture(
                convert.picture_kind_from_proto(picture.kind),
                picture.media_type,
                picture.data,
                convert.box_from_proto(picture.box) if picture.HasField("box") else None,
            )
            for picture in message.pictures
        ),
    )


_ENCODERS: Mapping[Stream[Any], Callable[[Any], bytes]] = {
    FRAMES: encode_frame,
    CROPS: encode_crop,
    READS: encode_read,
    SIGHTINGS: encode_sighting,
}
_DECODERS: Mapping[Stream[Any], Callable[[bytes, Decoder], Any]] = {
    FRAMES: decode_frame,
    CROPS: decode_crop,
    READS: decode_read,
    SIGHTINGS: decode_sighting,
}


def _parse(kind: type[MessageT], payload: bytes) -> MessageT:
    if len(payload) > MAX_PAYLOAD_BYTES:
        raise PoisonError(f"message of {len(payload)} bytes: at most {MAX_PAYLOAD_BYTES} are taken")
    message = kind()
    try:
        message.ParseFromString(payload)
    except DecodeError as exc:
        raise PoisonError(f"not a {kind.DESCRIPTOR.name}") from exc
    try:
        check(message)
    except InputError as exc:
        raise PoisonError(str(exc)) from exc
    return message


def _crop_to_proto(event: CropEvent) -> events_pb2.CropEvent:
    crop = event.crop
    return events_pb2.CropEvent(
        camera_id=crop.camera_id,
        capture_time=convert.time_to_proto(crop.captured_at_ns),
        sequence=crop.sequence,
        detection=convert.detection_to_proto(crop.detection),
        picture=convert.picture_to_proto(encode_raw(crop.image)),
        origin_x=crop.origin[0],
        origin_y=crop.origin[1],
        frame=None if event.frame is None else convert.picture_to_proto(event.frame.jpeg()),
        frame_width_px=crop.frame_size[0] if crop.frame_size else 0,
        frame_height_px=crop.frame_size[1] if crop.frame_size else 0,
        stamp=_stamp_to_proto(crop.stamp),
        detector_model=crop.model,
        others=[made for other in crop.others if (made := convert.box_to_proto(other)) is not None],
        background=_background_to_proto(crop.background),
    )


def _crop_from_proto(message: events_pb2.CropEvent, decoder: Decoder) -> CropEvent:
    crop = Crop(
        camera_id=convert.camera_id_from_proto(message.camera_id),
        captured_at_ns=convert.time_from_proto(message.capture_time),
        sequence=message.sequence,
        detection=convert.detection_from_proto(message.detection),
        image=decode_picture(convert.picture_from_proto(message.picture), limits=CROP_LIMITS, decoder=decoder),
        origin=_origin(message),
        frame_size=_frame_size(message),
        stamp=_stamp_from_proto(message.stamp) if message.HasField("stamp") else None,
        model=message.detector_model,
        others=_others(message),
        background=_background_from_proto(message),
    )
    frame = TravellingPicture(convert.picture_from_proto(message.frame), decoder) if message.HasField("frame") else None
    return CropEvent(crop, frame)


def _others(message: events_pb2.CropEvent) -> tuple[Box, ...]:
    if len(message.others) > MOST_OTHERS:
        raise PoisonError(f"crop beside {len(message.others)} other plates")
    return tuple(convert.box_from_proto(box) for box in message.others)


def _origin(message: events_pb2.CropEvent) -> tuple[int, int]:
    x, y = message.origin_x, message.origin_y
    if max(abs(x), abs(y)) > MOST_SIDE_PX:
        raise PoisonError(f"crop at {x},{y}: beyond every frame")
    return x, y


def _frame_size(message: events_pb2.CropEvent) -> tuple[int, int] | None:
    """None of an older detector's message, which does not say it."""
    width, height = message.frame_width_px, message.frame_height_px
    if max(width, height) > MOST_SIDE_PX:
        raise PoisonError(f"crop of a frame of {width}x{height}: at most {MOST_SIDE_PX} pixels a side are taken")
    return (width, height) if width > 0 and height > 0 else None


def _stamp_to_proto(stamp: Stamp | None) -> events_pb2.Stamp | None:
    if stamp is None:
        return None
    at = convert.time_to_proto(stamp.at_ns)
    return events_pb2.Stamp(time=at, slack_ns=stamp.slack_ns, doubt=stamp.doubt or "")


def _stamp_from_proto(message: events_pb2.Stamp) -> Stamp:
    """Raises PoisonError for a slack that is negative."""
    if message.slack_ns < 0:
        raise PoisonError("a time with a negative slack")
    return Stamp(convert.time_from_proto(message.time), message.slack_ns, convert.doubt_from_proto(message.doubt))


def _background_to_proto(background: Background | None) -> events_pb2.Background | None:
    if background is None:
        return None
    since = convert.time_to_proto(background.since_ns)
    return events_pb2.Background(x=background.x, y=background.y, since_time=since, untold=not background.told)


def _background_from_proto(message: events_pb2.FrameEvent | events_pb2.CropEvent) -> Background | None:
    """None of an older capture's message. Raises PoisonError for a shift that is not finite."""
    if not message.HasField("background"):
        return None
    told = message.background
    if not (math.isfinite(told.x) and math.isfinite(told.y)):
        raise PoisonError("a background with a shift that is not finite")
    return Background(told.x, told.y, convert.time_from_proto(told.since_time), not told.untold)
