"""The gRPC service Plates: lists sightings, gives single ones and their pictures, and streams new ones."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from roadside.core.countries import country_code
from roadside.core.frames import CameraId
from roadside.core.fusion import edit_distance
from roadside.core.plates import fold
from roadside.core.sightings import SightingQuery
from roadside.errors import InputError, UnavailableError
from roadside.v1 import plates_pb2, plates_pb2_grpc
from roadside.wire.convert import (
    VERDICT_FROM_PROTO,
    picture_kind_from_proto,
    sighting_to_proto,
    time_from_proto,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import grpc

    from roadside.core.reads import FusedPlate
    from roadside.core.sightings import Sighting
    from roadside.ports.store import SightingStore
    from roadside.ports.system import Meter

DEFAULT_PAGE = 50
"""Sightings on a page where the request does not say how many."""
LARGEST_PAGE = 1000
"""Sightings on a page at most."""
CHUNK_BYTES = 64 * 1024
"""Bytes of a picture in one message of its stream."""
WATCH_EVERY_S = 0.25
"""How often a watch looks into the store, in seconds."""
WATCH_AT_ONCE = 100
"""How many sightings a watch takes from the store at a time."""
NAME_CHARACTERS = 64
"""A caller's name is cut to this length in the record of who looked at pictures, an author's in that of answers."""


class PlatesServicer(plates_pb2_grpc.PlatesServicer):
    """See protos/roadside/v1/plates.proto."""

    def __init__(self, store: SightingStore, meter: Meter, stopping: threading.Event, most_watchers: int) -> None:
        self._store = store
        self._meter = meter
        self._stopping = stopping
        self._most_watchers = most_watchers
        self._watchers = 0
        self._lock = threading.Lock()
        meter.set("watchers_count", 0)

    def ListSightings(  # noqa: N802 - the proto's name
        self, request: plates_pb2.ListSightingsRequest, context: grpc.ServicerContext
    ) -> plates_pb2.ListSightingsResponse:
        """Answers with one page of the sightings that the filter asks for, newest first."""
        del context
        if not 0 <= request.page_size <= LARGEST_PAGE:
            raise InputError(f"page_size is at most {LARGEST_PAGE}")
        page = self._store.find(_query(request.filter, request.page_size or DEFAULT_PAGE, request.page_token))
        return plates_pb2.ListSightingsResponse(
            sightings=[sighting_to_proto(sighting) for sighting in page.sightings],
            next_page_token=page.next_page_token,
        )

    def GetSighting(  # noqa: N802 - the proto's name
        self, request: plates_pb2.GetSightingRequest, context: grpc.ServicerContext
    ) -> plates_pb2.GetSightingResponse:
        """Answers with the sighting of an id. Raises NotFoundError if there is none."""
        del context
        sighting = self._store.get(_given(request.sighting_id))
        return plates_pb2.GetSightingResponse(sighting=sighting_to_proto(sighting))

    def GetEvidence(  # noqa: N802 - the proto's name
        self, request: plates_pb2.GetEvidenceRequest, context: grpc.ServicerContext
    ) -> Iterator[plates_pb2.GetEvidenceResponse]:
        """Streams a picture of a sighting in chunks, and records who looked at it."""
        sighting = self._store.get(_given(request.sighting_id))
        kind = picture_kind_from_proto(request.kind)
        media_type = next((e.media_type for e in sighting.evidence if e.kind is kind), "")
        data = self._store.picture(sighting.sighting_id, kind, viewer(context))
        for at in range(0, len(data), CHUNK_BYTES):
            yield plates_pb2.GetEvidenceResponse(
                chunk=data[at : at + CHUNK_BYTES], media_type=media_type if at == 0 else ""
            )

    def WatchSightings(  # noqa: N802 - the proto's name
        self, request: plates_pb2.WatchSightingsRequest, context: grpc.ServicerContext
    ) -> Iterator[plates_pb2.WatchSightingsResponse]:
        """Streams sightings as they are stored, until the client goes or the service ends.

        Raises UnavailableError if too many watches are open already, and at the end of the service.
        """
        after = self._start(request.after_sighting_id)
        query = _query(request.filter, 1, "")
        self._enter()
        try:
            while context.is_active() and not self._stopping.is_set():
                found = self._store.after(after, WATCH_AT_ONCE)
                for sighting in found:
                    after = sighting.sequence
                    if _matches(sighting, query):
                        yield plates_pb2.WatchSightingsResponse(sighting=sighting_to_proto(sighting))
                if len(found) < WATCH_AT_ONCE:
                    self._stopping.wait(WATCH_EVERY_S)
        finally:
            self._leave()
        if self._stopping.is_set():
            raise UnavailableError("this server ends: watch again after the last sighting that came")

    def _start(self, sighting_id: str) -> int:
        """The sequence number after which a watch begins: of the given sighting, or of the newest one."""
        if sighting_id:
            return self._store.get(sighting_id).sequence
        return self._store.newest_sequence()

    def _enter(self) -> None:
        with self._lock:
            if self._watchers >= self._most_watchers:
                raise UnavailableError(f"{self._most_watchers} watches are open already")
            self._watchers += 1
            self._meter.set("watchers_count", self._watchers)

    def _leave(self) -> None:
        with self._lock:
            self._watchers -= 1
            self._meter.set("watchers_count", self._watchers)


def _query(wanted: plates_pb2.SightingFilter, limit: int, page_token: str) -> SightingQuery:
    verdict = None
    if wanted.verdict:
        verdict = VERDICT_FROM_PROTO.get(wanted.verdict)
        if verdict is None:
            raise InputError("filter.verdict: no such verdict")
    return SightingQuery(
        limit=limit,
        page_token=page_token,
        since_ns=time_from_proto(wanted.since_time) if wanted.HasField("since_time") else None,
        until_ns=time_from_proto(wanted.until_time) if wanted.HasField("until_time") else None,
        camera_id=CameraId(wanted.camera_id) if wanted.camera_id else None,
        plate_prefix=wanted.plate_prefix or None,
        plate_like=wanted.plate_like or None,
        country=_country(wanted.country),
        verdict=verdict,
    )


def _matches(sighting: Sighting, query: SightingQuery) -> bool:
    """Whether a sighting meets a filter, by the same rules as `SightingStore.find`."""
    seen_ns = sighting.last_seen_ns
    if query.since_ns is not None and seen_ns < query.since_ns:
        return False
    if query.until_ns is not None and seen_ns >= query.until_ns:
        return False
    if query.camera_id is not None and sighting.camera_id != query.camera_id:
        return False
    if query.verdict is not None and sighting.verdict.kind is not query.verdict:
        return False
    if query.country is None and query.plate_prefix is None and query.plate_like is None:
        return True
    return sighting.plate is not None and _matches_plate(sighting.plate, query)


def _matches_plate(plate: FusedPlate, query: SightingQuery) -> bool:
    key = fold(plate.text)
    if query.country is not None and plate.country != query.country:
        return False
    if query.plate_prefix is not None and not key.startswith(fold(query.plate_prefix)):
        return False
    return query.plate_like is None or edit_distance(key, fold(query.plate_like)) <= 1


def _given(sighting_id: str) -> str:
    if not sighting_id:
        raise InputError("sighting_id: is empty")
    return sighting_id


def viewer(context: grpc.ServicerContext) -> str:
    """The caller's name: the common name of its certificate, or its address if it shows none."""
    certified: Mapping[str, Any] = context.auth_context()  # lists of bytes, whatever its types say
    for name in certified.get("x509_common_name", ()):
        return str(name.decode(errors="replace"))[:NAME_CHARACTERS]
    return context.peer()[:NAME_CHARACTERS]


def _country(name: str) -> str | None:
    try:
        return country_code(name) or None
    except ValueError as error:
        raise InputError(f"country: {error}") from error
