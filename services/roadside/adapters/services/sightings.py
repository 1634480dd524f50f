"""What was seen, and the queue of reviews, asked of the plates service."""

from __future__ import annotations

from typing import TYPE_CHECKING

from roadside.core.reviews import ReviewAction
from roadside.core.sightings import SightingPage
from roadside.v1 import plates_pb2, plates_pb2_grpc, review_pb2, review_pb2_grpc
from roadside.wire import convert

if TYPE_CHECKING:
    from collections.abc import Sequence

    from roadside.adapters.services.connection import Connection
    from roadside.core.sightings import PictureKind, Sighting, SightingQuery

MOST_A_PAGE = 1000
ACTIONS = {
    ReviewAction.CONFIRM: review_pb2.REVIEW_ACTION_CONFIRM,
    ReviewAction.CORRECT: review_pb2.REVIEW_ACTION_CORRECT,
    ReviewAction.UNREADABLE: review_pb2.REVIEW_ACTION_UNREADABLE,
}


class RemoteSightings:
    """Meets the console's `Sightings`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._stub = plates_pb2_grpc.PlatesStub(connection.channel)

    def find(self, query: SightingQuery) -> SightingPage:
        """Newest first, a page at a time. Raises InputError for a page token that is not the store's."""
        request = plates_pb2.ListSightingsRequest(
            page_size=min(query.limit, MOST_A_PAGE), page_token=query.page_token, filter=_filter(query)
        )
        page = self._connection.call(self._stub.ListSightings, request)
        return SightingPage(tuple(map(convert.sighting_from_proto, page.sightings)), page.next_page_token)

    def get(self, sighting_id: str) -> Sighting:
        """Raises NotFoundError."""
        request = plates_pb2.GetSightingRequest(sighting_id=sighting_id)
        return convert.sighting_from_proto(self._connection.call(self._stub.GetSighting, request).sighting)

    def after(self, sequence: int, limit: int) -> Sequence[Sighting]:
        """Those stored after the one with this sequence."""
        request = plates_pb2.ListStoredRequest(after_sequence=sequence, page_size=min(limit, MOST_A_PAGE))
        answer = self._connection.call(self._stub.ListStored, request)
        return tuple(map(convert.sighting_from_proto, answer.sightings))

    def newest_sequence(self) -> int:
        """Of the one stored last, 0 where there is none."""
        answer = self._connection.call(self._stub.ListStored, plates_pb2.ListStoredRequest())
        return int(answer.newest_sequence)

    def picture(self, sighting_id: str, kind: PictureKind, viewer: str) -> bytes:
        """The picture; the service writes down that `viewer` looked. Raises NotFoundError."""
        request = plates_pb2.GetEvidenceRequest(
            sighting_id=sighting_id, kind=convert.PICTURE_KIND_TO_PROTO[kind], viewer=viewer
        )
        return b"".join(piece.chunk for piece in self._connection.gather(self._stub.GetEvidence, request))


class RemoteReviews:
    """Meets the console's `ReviewDesk`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._stub = review_pb2_grpc.ReviewStub(connection.channel)

    def next(self, skip: Sequence[str] = (), author: str = "") -> tuple[Sighting | None, int]:
        """The one that has waited longest for `author`, and how many wait."""
        request = review_pb2.NextSightingRequest(skip_sighting_ids=skip[-MOST_A_PAGE:], author=author)
        answer = self._connection.call(self._stub.NextSighting, request)
        found = convert.sighting_from_proto(answer.sighting) if answer.HasField("sighting") else None
        return found, answer.waiting_count

    def answer(
        self, sighting_id: str, action: ReviewAction, author: str, *, text: str = "", country: str = ""
    ) -> Sighting:
        """The sighting as it is after what `author` says. Raises NotFoundError, InputError."""
        request = review_pb2.AnswerSightingRequest(
            sighting_id=sighting_id, action=ACTIONS[action], plate=text, country=country, author=author
        )
        return convert.sighting_from_proto(self._connection.call(self._stub.AnswerSighting, request).sighting)


def _filter(query: SightingQuery) -> plates_pb2.SightingFilter:
    return plates_pb2.SightingFilter(
        since_time=convert.time_to_proto(query.since_ns) if query.since_ns is not None else None,
        until_time=convert.time_to_proto(query.until_ns) if query.until_ns is not None else None,
        camera_id=query.camera_id or "",
        plate_prefix=query.plate_prefix or "",
        plate_like=query.plate_like or "",
        country=query.country or "",
        verdict=convert.VERDICT_TO_PROTO[query.verdict] if query.verdict is not None else None,
        direction=convert.DIRECTION_TO_PROTO[query.direction] if query.direction is not None else None,
        known_list=query.known_list or "",
        over_kmh=query.over_kmh or 0.0,
    )
