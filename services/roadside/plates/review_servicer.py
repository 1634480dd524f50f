"""The gRPC service Review: gives out the next sighting that needs a person, and takes the person's answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from roadside.core.reviews import ReviewAction
from roadside.errors import InputError
from roadside.kit.grpc_work import caller_name
from roadside.plates.servicer import speaking
from roadside.v1 import review_pb2, review_pb2_grpc
from roadside.wire.convert import sighting_to_proto

if TYPE_CHECKING:
    import grpc

    from roadside.plates.review import Reviewing

ACTIONS = {
    review_pb2.REVIEW_ACTION_CONFIRM: ReviewAction.CONFIRM,
    review_pb2.REVIEW_ACTION_CORRECT: ReviewAction.CORRECT,
    review_pb2.REVIEW_ACTION_UNREADABLE: ReviewAction.UNREADABLE,
}


class ReviewServicer(review_pb2_grpc.ReviewServicer):
    """See protos/roadside/v1/review.proto."""

    def __init__(self, reviewing: Reviewing) -> None:
        self._reviewing = reviewing

    def NextSighting(  # noqa: N802 - the proto's name
        self, request: review_pb2.NextSightingRequest, context: grpc.ServicerContext
    ) -> review_pb2.NextSightingResponse:
        """Answers with the sighting that has waited longest and the number of those that wait."""
        author = speaking(caller_name(context), request.author)
        sighting, waiting = self._reviewing.next(list(request.skip_sighting_ids), author)
        found = sighting_to_proto(sighting) if sighting is not None else None
        return review_pb2.NextSightingResponse(sighting=found, waiting_count=waiting)

    def AnswerSighting(  # noqa: N802 - the proto's name
        self, request: review_pb2.AnswerSightingRequest, context: grpc.ServicerContext
    ) -> review_pb2.AnswerSightingResponse:
        """Stores a person's answer, under the caller's proved name, and returns the sighting as it is afterwards."""
        action = ACTIONS.get(request.action)
        if action is None:
            raise InputError("action: say what the plate is")
        author = speaking(caller_name(context), request.author)
        settled = self._reviewing.answer(
            request.sighting_id, action, author, text=request.plate, country=request.country
        )
        return review_pb2.AnswerSightingResponse(sighting=sighting_to_proto(settled))
