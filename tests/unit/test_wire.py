"""What is encoded comes back; what is broken is a poison message and nothing else."""

from __future__ import annotations

import struct
from dataclasses import replace

import cv2
import grpc
import numpy as np
import pytest
from google.rpc import error_details_pb2
from grpc_status import rpc_status
from hypothesis import given
from hypothesis import strategies as st

from roadside.core.background import Background
from roadside.core.events import (
    CropEvent,
    EncodedPicture,
    FrameEvent,
    PictureEncoding,
    ReadEvent,
    SightingEvent,
    encode_jpeg,
    encode_raw,
)
from roadside.core.frames import Box, CameraId, Crop, Detection
from roadside.core.reads import ALPHABET, Character, FusedPlate, Hypothesis, Read
from roadside.core.sightings import Evidence, Picture, PictureKind, Reading, Sighting, Verdict, VerdictKind
from roadside.core.vignettes import Vignette
from roadside.errors import (
    AccessError,
    BusUnavailableError,
    BusyError,
    CredentialsError,
    InputError,
    NotFoundError,
    PoisonError,
    RegistryUnavailableError,
    RoadsideError,
    StoreUnavailableError,
)
from roadside.ports.bus import FRAMES
from roadside.v1 import events_pb2, types_pb2
from roadside.wire import codec, convert
from roadside.wire.pictures import MAX_PICTURE_BYTES, TravellingPicture, decode_picture
from roadside.wire.status import internal_fault, status_of
from tests import pictures_hostile as hostile

PICTURE = np.random.default_rng(1).integers(0, 255, (40, 60, 3), np.uint8)
times = st.integers(0, 2**62)
shares = st.floats(0, 1)


@st.composite
def boxes(draw: st.DrawFn) -> Box:
    x, y = draw(st.floats(-10, 4000)), draw(st.floats(-10, 4000))
    return Box(x, y, x + draw(st.floats(0.5, 500)), y + draw(st.floats(0.5, 500)))


BACKGROUNDS = (None, Background(0.0, 0.0, 5), Background(-12.5, 3.25, 1_800_000_000_000_000_001, told=False))


@st.composite
def crops(draw: st.DrawFn) -> Crop:
    corners = draw(st.sampled_from([None, ((0.0, 1.0), (5.0, 1.0), (5.0, 3.0), (0.0, 3.0))]))
    return Crop(
        CameraId(
            draw(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=20))
        ),
        draw(times),
        draw(st.integers(0, 2**40)),
        Detection(draw(boxes()), draw(shares), corners),
        PICTURE,
        (draw(st.integers(0, 4000)), draw(st.integers(0, 4000))),
        draw(st.sampled_from([None, (1280, 720)])),
        model=draw(st.sampled_from(["", "detector/detect.tflite sha256 ab12"])),
        others=tuple(draw(st.lists(boxes(), max_size=2))),
        background=draw(st.sampled_from(BACKGROUNDS)),
    )


@st.composite
def reads(draw: st.DrawFn) -> Read:
    text = draw(st.text(ALPHABET, max_size=9))
    return Read(
        raw=text,
        text=text,
        country=draw(st.sampled_from([None, "UK", "CZ"])),
        confidence=draw(shares),
        characters=tuple(Character(c, 0.5) for c in text),
        posterior=np.random.default_rng(2).random((len(text), len(ALPHABET)), np.float32),
        alternatives=(Hypothesis(text, None, draw(st.floats(-50, 0))), Hypothesis("A", "UK", float("-inf"))),
        countries=(("UK", draw(shares)),),
        model=draw(st.sampled_from(["", "reader/read.tflite sha256 cd34"])),
    )


def same_read(a: Read, b: Read) -> None:
    assert (a.raw, a.text, a.country, a.confidence, a.characters) == (
        b.raw,
        b.text,
        b.country,
        b.confidence,
        b.characters,
    )
    assert (a.countries, a.model) == (b.countries, b.model)
    assert [(h.text, h.country) for h in a.alternatives] == [(h.text, h.country) for h in b.alternatives]
    assert [h.log_p for h in a.alternatives] == pytest.approx([h.log_p for h in b.alternatives])
    np.testing.assert_array_equal(a.posterior, b.posterior)


@given(times, st.integers(0, 2**40), st.booleans())
def test_a_frame_comes_back(at_ns: int, sequence: int, live: bool) -> None:  # noqa: FBT001 - drawn by hypothesis
    picture = TravellingPicture(encode_jpeg(PICTURE, 90))
    event = FrameEvent(CameraId("gate"), at_ns, sequence, picture, live, background=BACKGROUNDS[sequence % 3])
    assert codec.decode_frame(codec.encode_frame(event)) == event
    wire = codec.ProtobufCodec()
    assert wire.decode(FRAMES, wire.encode(FRAMES, event)) == event


@given(crops(), reads())
def test_crops_and_reads_come_back(crop: Crop, read: Read) -> None:
    frame = TravellingPicture(encode_jpeg(PICTURE, 80))
    back = codec.decode_read(codec.encode_read(ReadEvent(crop, frame, read)))
    assert back.frame == frame
    assert back.identity == crop.identity
    assert back.crop.detection == crop.detection
    assert back.crop.background == crop.background
    assert (back.crop.captured_at_ns, back.crop.origin) == (crop.captured_at_ns, crop.origin)
    assert (back.crop.frame_size, back.crop.model) == (crop.frame_size, crop.model)
    assert back.crop.others == crop.others
    np.testing.assert_array_equal(back.crop.image, PICTURE)
    same_read(back.read, read)
    assert codec.decode_crop(codec.encode_crop(CropEvent(crop, None))).frame is None


def test_a_sighting_comes_back() -> None:
    plate = FusedPlate(
        "AB12CDE",
        "AB12CDE",
        "UK",
        0.9,
        np.full((7, 36), 1 / 36, np.float32),
        (Hypothesis("AB12CDE", "UK", -0.1),),
        looks=3,
    )
    vignette = Vignette("AB12CDE", "UK", "car", 1, 2_000_000_001)
    verdict = Verdict(VerdictKind.REVIEW, "between", 0.25, 0.0, (Reading("AB12CDE", 0.5, True, False),), (vignette,))
    verdict = replace(verdict, basis=(("policy.bound", "0.001"), ("registry", "import 7")))
    sighting = Sighting(
        "id",
        CameraId("gate"),
        "track",
        1,
        2,
        plate,
        verdict,
        None,
        (Evidence(PictureKind.CROP, "00", "image/png", 3),),
        4,
        (("software", "roadside 1.2.3"),),
    )
    pictures = (Picture(PictureKind.CROP, "image/png", b"png", Box(1, 2, 3, 4)),)
    back = codec.decode_sighting(codec.encode_sighting(SightingEvent(sighting, pictures)))
    assert back.pictures == pictures
    assert convert.sighting_to_proto(back.sighting) == convert.sighting_to_proto(sighting)
    assert back.sighting.verdict == verdict
    assert back.sighting.provenance == sighting.provenance


@pytest.mark.parametrize("doubts", [None, (), ("plate-at-picture-edge", "plate-looks-cut")])
def test_the_doubts_of_a_plate_come_back(doubts: tuple[str, ...] | None) -> None:
    rows = np.full((7, 36), 1 / 36, np.float32)
    plate = FusedPlate("AB12CDE", "AB12CDE", "UK", 0.9, rows, looks=3, doubts=doubts)
    assert convert.plate_from_proto(convert.plate_to_proto(plate)).doubts == doubts


def test_a_message_of_an_older_version_was_not_examined() -> None:
    assert convert.plate_from_proto(types_pb2.FusedPlate(text="AB12CDE")).doubts is None


@given(st.binary(max_size=200))
def test_random_bytes_are_poison(payload: bytes) -> None:
    for decode in (codec.decode_frame, codec.decode_crop, codec.decode_read, codec.decode_sighting):
        with pytest.raises(PoisonError):
            decode(payload)


@given(st.integers(0, 10_000))
def test_truncated_messages_are_poison_or_without_their_end(at: int) -> None:
    whole = codec.encode_crop(CropEvent(Crop(CameraId("a"), 1, 2, Detection(Box(0, 0, 5, 5), 1), PICTURE), None))
    cut = whole[: at % len(whole)]
    with pytest.raises(PoisonError):
        codec.decode_crop(cut)


def bomb() -> bytes:
    """A JPEG whose header says 65500 x 65500: 12 GB of pixels in 600 bytes."""
    data = bytearray(cv2.imencode(".jpg", PICTURE)[1].tobytes())
    at = data.index(b"\xff\xc0")
    data[at + 5 : at + 9] = struct.pack(">HH", 65500, 65500)
    return bytes(data)


@pytest.mark.parametrize(
    ("picture", "said"),
    [
        (EncodedPicture(PictureEncoding.JPEG, b"\xff\xd8" + bytes(50_000_000)), "bytes"),
        (EncodedPicture(PictureEncoding.JPEG, bomb()), "pixels"),
        (EncodedPicture(PictureEncoding.JPEG, b"not a picture"), "not a JPEG"),
        (EncodedPicture(PictureEncoding.JPEG, cv2.imencode(".jpg", PICTURE)[1].tobytes()[:30]), "JPEG"),
        (EncodedPicture(PictureEncoding.PNG, b"\x89PNG\r\n\x1a\n" + bytes(40)), "PNG"),
        (EncodedPicture(PictureEncoding.BGR, bytes(10), 60, 40), "raw picture"),
        (EncodedPicture(PictureEncoding.BGR, b"", -1, -1), "small"),
        (encode_jpeg(PICTURE[:1, :1], 90), "small"),
    ],
)
def test_pictures_that_are_none(picture: EncodedPicture, said: str) -> None:
    with pytest.raises(PoisonError, match=said):
        decode_picture(picture)


def test_pictures_are_decoded() -> None:
    np.testing.assert_array_equal(decode_picture(encode_raw(PICTURE)), PICTURE)
    png = EncodedPicture(PictureEncoding.PNG, cv2.imencode(".png", PICTURE)[1].tobytes())
    np.testing.assert_array_equal(decode_picture(png), PICTURE)
    assert decode_picture(encode_jpeg(PICTURE, 90)).shape == PICTURE.shape
    assert len(encode_raw(PICTURE).data) < MAX_PICTURE_BYTES


def test_a_proto_picture_must_say_what_it_is() -> None:
    with pytest.raises(PoisonError):
        convert.picture_from_proto(types_pb2.Picture(data=b"x"))


class TheCall(grpc.RpcError, grpc.Call):
    """A failed call as a client sees it, without a network."""

    def __init__(self, status: grpc.Status) -> None:
        self._status = status

    def code(self) -> grpc.StatusCode:
        return self._status.code

    def details(self) -> str:
        return str(self._status.details)

    def trailing_metadata(self):  # type: ignore[no-untyped-def]  # noqa: ANN201
        return self._status.trailing_metadata

    def initial_metadata(self):  # type: ignore[no-untyped-def]  # noqa: ANN201
        return ()

    def is_active(self) -> bool:
        return False

    def time_remaining(self) -> float:
        return 0.0

    def cancel(self) -> bool:
        return False

    def add_callback(self, callback: object) -> bool:
        del callback
        return False


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (NotFoundError("there is no sighting x"), grpc.StatusCode.NOT_FOUND),
        (InputError("page_size is at most 1000"), grpc.StatusCode.INVALID_ARGUMENT),
        (PoisonError("not a JPEG picture"), grpc.StatusCode.INVALID_ARGUMENT),
        (StoreUnavailableError("the database: gone"), grpc.StatusCode.UNAVAILABLE),
        (BusUnavailableError("Redis does not answer"), grpc.StatusCode.UNAVAILABLE),
        (RegistryUnavailableError("no answer"), grpc.StatusCode.UNAVAILABLE),
        (BusyError("8 streams are open already"), grpc.StatusCode.RESOURCE_EXHAUSTED),
        (CredentialsError("send a token"), grpc.StatusCode.UNAUTHENTICATED),
        (AccessError("kiosk may not call this"), grpc.StatusCode.PERMISSION_DENIED),
        (RoadsideError("something else"), grpc.StatusCode.INTERNAL),
    ],
)
def test_errors_cross_the_wire(error: RoadsideError, code: grpc.StatusCode) -> None:
    from roadside.wire.status import error_of  # noqa: PLC0415

    call = TheCall(status_of(error))
    assert call.code() is code
    back = error_of(call)
    assert (type(back), str(back)) == (type(error), str(error))


def details(status: grpc.Status) -> list[str]:
    found = rpc_status.from_call(TheCall(status))
    assert found is not None
    return [detail.type_url.rpartition(".")[2] for detail in found.details]


def test_statuses_carry_google_rpc_details() -> None:
    assert details(status_of(StoreUnavailableError("gone"))) == ["ErrorInfo", "RetryInfo"]
    assert details(internal_fault("abc")) == ["RequestInfo"]
    assert error_details_pb2.ErrorInfo.DESCRIPTOR.full_name == "google.rpc.ErrorInfo"


def crop_message(**changed: object) -> bytes:
    """A crop's message with fields that no detector sends."""
    whole = Crop(CameraId("a"), 1, 2, Detection(Box(0, 0, 5, 5), 1), PICTURE, frame_size=(1280, 720))
    message = events_pb2.CropEvent.FromString(codec.encode_crop(CropEvent(whole, None)))
    for name, value in changed.items():
        at: object = message
        *way, last = name.split("__")
        for step in way:
            at = getattr(at, step)
        setattr(at, last, value)
    return message.SerializeToString()


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"picture__width_px": 400_000, "picture__height_px": 2, "picture__data": bytes(2_400_000)}, "width_px"),
        ({"picture__width_px": 61}, "raw picture of 61x40"),
        ({"picture__height_px": -40}, "picture.height_px"),
        ({"frame_width_px": 2_000_000_000}, "crop of a frame"),
        ({"origin_x": -2_000_000_000}, "beyond every frame"),
        ({"detection__box__x1": -1e300}, "detection.box.x1"),
        ({"picture__encoding": 1, "picture__data": hostile.claiming_jpeg(3000, 3000)}, "too many pixels"),
    ],
)
def test_a_forged_crop_is_poison_before_anything_is_made_of_it(changed: dict[str, object], said: str) -> None:
    codec.decode_crop(crop_message())
    with pytest.raises(PoisonError, match=said):
        codec.decode_crop(crop_message(**changed))


def test_a_forged_corner_is_poison() -> None:
    points = [types_pb2.Point(x=x, y=1e300) for x in range(4)]
    box = types_pb2.Box(x1=0, y1=0, x2=5, y2=5)
    with pytest.raises(PoisonError, match="corner beyond every picture"):
        convert.detection_from_proto(types_pb2.Detection(box=box, corners=points))


@pytest.mark.parametrize("name", [*hostile.TOO_LARGE, *hostile.NOT_READ, *hostile.BROKEN])
@pytest.mark.parametrize("encoding", [PictureEncoding.JPEG, PictureEncoding.PNG])
def test_hostile_pictures_are_poison(name: str, encoding: PictureEncoding) -> None:
    data = {**hostile.TOO_LARGE, **hostile.NOT_READ, **hostile.BROKEN}[name]
    with pytest.raises(PoisonError):
        decode_picture(EncodedPicture(encoding, data))


def test_an_animated_png_is_its_first_picture() -> None:
    assert decode_picture(EncodedPicture(PictureEncoding.PNG, hostile.animated_png(4000, 4000))).shape == (40, 60, 3)


@pytest.mark.parametrize("shift", [float("nan"), float("inf")])
def test_a_background_that_is_nowhere_is_refused(shift: float) -> None:
    event = FrameEvent(CameraId("gate"), 1, 2, TravellingPicture(encode_jpeg(PICTURE, 90)))
    payload = codec.encode_frame(replace(event, background=Background(0.0, shift)))
    with pytest.raises(PoisonError):
        codec.decode_frame(payload)
