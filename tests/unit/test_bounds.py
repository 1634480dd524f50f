"""What requests may hold: every field of every request states its bounds, and one validator holds all to them."""

from __future__ import annotations

import pytest
from google.protobuf.descriptor import FieldDescriptor

from roadside.errors import InputError, PoisonError
from roadside.ports.bus import CROPS, SIGHTINGS
from roadside.v1 import events_pb2, options_pb2, plates_pb2, registry_pb2, review_pb2, types_pb2
from roadside.wire.bounds import check
from roadside.wire.codec import ProtobufCodec
from tests.rpcs import METHODS, bounds_of, least_request, request_fields

FIELDS = dict(request_fields())
MEASURED = {FieldDescriptor.TYPE_STRING, FieldDescriptor.TYPE_BYTES}
BOUND_BY_KIND = {FieldDescriptor.TYPE_MESSAGE, FieldDescriptor.TYPE_BOOL, FieldDescriptor.TYPE_ENUM}
"""Messages by their fields and times by the calendar, enumerators by what is declared."""


def stated(field: FieldDescriptor) -> bool:
    bounds = bounds_of(field)
    if field.is_repeated and not bounds.max_items:
        return False
    if field.type in MEASURED:
        return bounds.max_length > 0
    return field.type in BOUND_BY_KIND or (bounds.HasField("min") and bounds.HasField("max"))


@pytest.mark.parametrize("name", FIELDS)
def test_every_field_of_every_request_states_its_bounds(name: str) -> None:
    assert stated(FIELDS[name]), f"{name}: say in protos/ what it may hold: [(bounds) = ...]"


@pytest.mark.parametrize("name", METHODS)
def test_what_is_within_its_bounds_is_taken(name: str) -> None:
    check(least_request(METHODS[name]))


def filtered(**values: object) -> plates_pb2.ListSightingsRequest:
    return plates_pb2.ListSightingsRequest(filter=plates_pb2.SightingFilter(**values))  # type: ignore[arg-type]


def crop(**values: object) -> events_pb2.CropEvent:
    return events_pb2.CropEvent(camera_id="c", detection=types_pb2.Detection(**values))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("message", "said"),
    [
        (filtered(plate_like="A" * 33), "filter.plate_like: has 33 characters, at most 32"),
        (filtered(plate_prefix="A" * 100_000), "filter.plate_prefix"),
        (filtered(camera_id="a\0b"), "filter.camera_id: holds a control character"),
        (filtered(camera_id="a\x1b[2Jb"), "filter.camera_id: holds a control character"),
        (filtered(since_time={"seconds": 2**62}), "filter.since_time: is outside of the years"),
        (filtered(until_time={"seconds": 10**11}), r"filter.until_time.seconds: is at most"),
        (filtered(since_time={"nanos": -1}), "filter.since_time: nanos"),
        (filtered(verdict=77), "filter.verdict: there is no 77"),
        (plates_pb2.ListSightingsRequest(page_size=1001), "page_size: is at most 1000"),
        (plates_pb2.ListSightingsRequest(page_size=-1), "page_size: is at least 0"),
        (plates_pb2.ListSightingsRequest(page_token="x" * 65), "page_token"),
        (plates_pb2.GetSightingRequest(), "sighting_id: is empty"),
        (registry_pb2.CheckRequest(plate="A" * 200), "plate: has 200 characters"),
        (
            registry_pb2.BatchCheckRequest(requests=[registry_pb2.CheckRequest(plate="A")] * 1001),
            "requests: has 1001 elements",
        ),
        (
            registry_pb2.BatchCheckRequest(requests=[registry_pb2.CheckRequest(plate=p) for p in ("A", "")]),
            r"requests\[1\].plate: is empty",
        ),
        (review_pb2.NextSightingRequest(skip_sighting_ids=["a", "b" * 129]), r"skip_sighting_ids\[1\]"),
        (crop(score=float("nan")), "detection.score: is not a finite number"),
        (crop(score=1.5), "detection.score: is at most 1"),
        (crop(box=types_pb2.Box(x1=float("-inf"))), "detection.box.x1"),
        (crop(corners=[types_pb2.Point(y=-1e300)]), r"detection.corners\[0\].y"),
        (crop(corners=[types_pb2.Point()] * 5), "detection.corners: has 5 elements"),
    ],
)
def test_what_is_out_of_bounds_is_named(message: object, said: str) -> None:
    with pytest.raises(InputError, match=said):
        check(message)  # type: ignore[arg-type]


def test_the_error_tells_no_value() -> None:
    with pytest.raises(InputError) as caught:
        check(filtered(plate_like="SECRETPLATE" * 4))
    assert "SECRETPLATE" not in str(caught.value)


def test_events_are_held_to_their_bounds_too() -> None:
    sighting = types_pb2.Sighting(sighting_id="s", camera_id="c", last_seen_time={"seconds": 2**40})
    payload = events_pb2.SightingEvent(sighting=sighting).SerializeToString()
    with pytest.raises(PoisonError, match="last_seen_time"):
        ProtobufCodec().decode(SIGHTINGS, payload)
    with pytest.raises(PoisonError, match="corners"):
        ProtobufCodec().decode(CROPS, crop(corners=[types_pb2.Point(x=1e200)]).SerializeToString())


def test_messages_inside_of_themselves_end_somewhere() -> None:
    bounds = options_pb2.Bounds(min=2)
    check(bounds)
