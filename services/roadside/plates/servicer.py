"""The gRPC service Plates: lists sightings, gives single ones and their pictures, and streams new ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

from roadside.core.countries import country_code
from roadside.core.frames import CameraId
from roadside.core.fusion import edit_distance
from roadside.core.plates import fold
from roadside.core.sightings import SightingQuery
from roadside.core.speed import is_faster
from roadside.errors import InputError
from roadside.kit.grpc_work import caller_name
from roadside.v1 import plates_pb2, plates_pb2_grpc
from roadside.wire.convert import (
    DIRECTION_TO_PROTO,
    VERDICT_FROM_PROTO,
    picture_kind_from_proto,
    sighting_to_proto,
    time_from_proto,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    import grpc

    from roadside.core.outline import Direction
    from roadside.core.reads import FusedPlate
    from roadside.core.sightings import Sighting
    from roadside.plates.watching import WatchHub
    from roadside.ports.store import SightingStore
    from roadside.v1 import types_pb2

DEFAULT_PAGE = 50
"""Sightings on a page where the request does not say how many."""
CHUNK_BYTES = 64 * 1024
"""Bytes of a picture in one message of its stream."""


class PlatesServicer(plates_pb2_grpc.PlatesServicer):
    """See protos/roadside/v1/plates.proto."""

    def __init__(self, store: SightingStore, hub: WatchHub) -> None:
        self._store = store
        self._hub = hub

    def ListSightings(  # noqa: N802 - the proto's name
        self, request: plates_pb2.ListSightingsRequest, context: grpc.ServicerContext
    ) -> plates_pb2.ListSightingsResponse:
        """Answers with one page of the sightings that the filter asks for, newest first."""
        query = _query(request.filter, request.page_size or DEFAULT_PAGE, request.page_token)
        page = self._store.find(query)
        self._note(query, context)
        return plates_pb2.ListSightingsResponse(
            sightings=[sighting_to_proto(sighting) for sighting in page.sightings],
            next_page_token=page.next_page_token,
        )

    def GetSighting(  # noqa: N802 - the proto's name
        self, request: plates_pb2.GetSightingRequest, context: grpc.ServicerContext
    ) -> plates_pb2.GetSightingResponse:
        """Answers with the sighting of an id. Raises NotFoundError if there is none."""
        del context
        sighting = self._store.get(request.sighting_id)
        return plates_pb2.GetSightingResponse(sighting=sighting_to_proto(sighting))

    def GetEvidence(  # noqa: N802 - the proto's name
        self, request: plates_pb2.GetEvidenceRequest, context: grpc.ServicerContext
    ) -> Iterator[plates_pb2.GetEvidenceResponse]:
        """Streams a picture of a sighting in chunks, and records who looked at it."""
        sighting = self._store.get(request.sighting_id)
        kind = picture_kind_from_proto(request.kind)
        media_type = next((e.media_type for e in sighting.evidence if e.kind is kind), "")
        data = self._store.picture(sighting.sighting_id, kind, speaking(caller_name(context), request.viewer))
        for at in range(0, len(data), CHUNK_BYTES):
            yield plates_pb2.GetEvidenceResponse(
                chunk=data[at : at + CHUNK_BYTES], media_type=media_type if at == 0 else ""
            )

    def ListStored(  # noqa: N802 - the proto's name
        self, request: plates_pb2.ListStoredRequest, context: grpc.ServicerContext
    ) -> plates_pb2.ListStoredResponse:
        """Answers with the sightings after a known one, in the order of storing."""
        del context
        newest = self._store.newest_sequence()
        found = self._store.after(request.after_sequence, request.page_size) if request.page_size else ()
        return plates_pb2.ListStoredResponse(
            sightings=[sighting_to_proto(sighting) for sighting in found], newest_sequence=newest
        )

    async def WatchSightings(  # noqa: N802 - the proto's name
        self, request: plates_pb2.WatchSightingsRequest, context: grpc.ServicerContext
    ) -> AsyncIterator[plates_pb2.WatchSightingsResponse]:
        """Streams sightings as they are stored, until the client goes or the service ends.

        Raises BusyError if too many watches are open already or this one is read too slowly, and UnavailableError at
        the end of the service.
        """
        query = _query(request.filter, 1, "")

        def start() -> int:
            self._note(query, context)
            return self._start(request.after_sighting_id)

        async for seen in self._hub.watch(start):
            if _matches(seen.sighting, query):
                yield plates_pb2.WatchSightingsResponse(sighting=seen.message)

    def _start(self, sighting_id: str) -> int:
        """The sequence number after which a watch begins: of the given sighting, or of the newest one."""
        if sighting_id:
            return self._store.resume_after(sighting_id)
        return self._store.newest_sequence()

    def _note(self, query: SightingQuery, context: grpc.ServicerContext) -> None:
        """Record who looks for a plate."""
        for plate in filter(None, (query.plate_like, query.plate_prefix)):
            self._store.note_search(plate, caller_name(context))


def speaking(caller: str, claimed: str) -> str:
    """The proved name of a caller first; behind it the person for whom the caller says it speaks."""
    return f"{caller}, for {claimed}" if claimed and claimed != caller else caller


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
        direction=_direction(wanted.direction),
        over_kmh=wanted.over_kmh or None,
        known_list=wanted.known_list or None,
    )


def _matches(sighting: Sighting, query: SightingQuery) -> bool:
    """Whether a sighting meets a filter, by the same rules as `SightingStore.find`."""
    seen_ns = sighting.last_seen_ns
    if query.since_ns is not None and seen_ns < query.since_ns:
        return False
    if query.until_ns is not None and seen_ns >= query.until_ns:
        return False
    wanted = ((query.camera_id, sighting.camera_id), (query.verdict, sighting.verdict.kind))
    if any(asked is not None and asked != seen for asked, seen in (*wanted, (query.direction, sighting.direction))):
        return False
    if query.known_list is not None and all(match.list_name != query.known_list for match in sighting.known):
        return False
    if query.country is None and query.plate_prefix is None and query.plate_like is None:
        return is_faster(sighting.speed, query.over_kmh)
    return (
        sighting.plate is not None
        and is_faster(sighting.speed, query.over_kmh)
        and _matches_plate(sighting.plate, query)
    )


def _matches_plate(plate: FusedPlate, query: SightingQuery) -> bool:
    key = fold(plate.text)
    if query.country is not None and plate.country != query.country:
        return False
    if query.plate_prefix is not None and not key.startswith(fold(query.plate_prefix)):
        return False
    return query.plate_like is None or edit_distance(key, fold(query.plate_like)) <= 1


def _direction(wanted: types_pb2.Direction) -> Direction | None:
    if not wanted:
        return None
    found = {value: direction for direction, value in DIRECTION_TO_PROTO.items()}.get(wanted)
    if found is None:
        raise InputError("filter.direction: no such direction")
    return found


def _country(name: str) -> str | None:
    try:
        return country_code(name) or None
    except ValueError as error:
        raise InputError(f"country: {error}") from error
