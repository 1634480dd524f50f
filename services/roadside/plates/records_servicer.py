"""The gRPC service Records: the audit, people's answers and counts, for a console that has no database of its own."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from roadside.core.sightings import VerdictKind
from roadside.kit.grpc_work import caller_name
from roadside.kit.logs import fields
from roadside.plates.review_servicer import ACTIONS
from roadside.plates.servicer import speaking
from roadside.v1 import records_pb2, records_pb2_grpc
from roadside.wire.convert import VERDICT_TO_PROTO, time_from_proto, time_to_proto

if TYPE_CHECKING:
    from collections.abc import Callable

    import grpc

    from roadside.core.reviews import Correction
    from roadside.ports.records import Ledger, Look

DEFAULT_ENTRIES = 100
MOST_ANSWERS = 10_000

_log = logging.getLogger(__name__)
_OF_ACTIONS = {action: number for number, action in ACTIONS.items()}


class RecordsServicer(records_pb2_grpc.RecordsServicer):
    """See protos/roadside/v1/records.proto."""

    def __init__(self, ledger: Ledger, forget_letters: Callable[[str], int]) -> None:
        """`forget_letters` drops the dead letters that may show a plate, and tells how many those were."""
        self._ledger = ledger
        self._forget_letters = forget_letters

    def NoteAction(  # noqa: N802 - the proto's name
        self, request: records_pb2.NoteActionRequest, context: grpc.ServicerContext
    ) -> records_pb2.NoteActionResponse:
        """Writes to the audit, under the caller's proved name and for whom it says it speaks."""
        actor = speaking(caller_name(context), request.actor)
        self._ledger.note(actor, request.action, request.subject, request.detail, plate=request.plate)
        return records_pb2.NoteActionResponse()

    def ListAudit(  # noqa: N802 - the proto's name
        self, request: records_pb2.ListAuditRequest, context: grpc.ServicerContext
    ) -> records_pb2.ListAuditResponse:
        """The newest entries, of one subject where it is named."""
        del context
        limit = request.page_size or DEFAULT_ENTRIES
        found = self._ledger.looks(request.subject) if request.subject else self._ledger.audit(limit)
        return records_pb2.ListAuditResponse(entries=map(_entry, found[:limit]))

    def ListAnswers(  # noqa: N802 - the proto's name
        self, request: records_pb2.ListAnswersRequest, context: grpc.ServicerContext
    ) -> records_pb2.ListAnswersResponse:
        """What people said of a sighting, oldest first."""
        del context
        return records_pb2.ListAnswersResponse(answers=map(_answer, self._ledger.answers(request.sighting_id)))

    def CountSightings(  # noqa: N802 - the proto's name
        self, request: records_pb2.CountSightingsRequest, context: grpc.ServicerContext
    ) -> records_pb2.CountSightingsResponse:
        """How many passed, by hour, camera and verdict, and by which rules."""
        del context
        since_ns = time_from_proto(request.since_time)
        passages = [
            records_pb2.PassageCount(
                hour_time=time_to_proto(each.hour_ns),
                camera_id=each.camera_id,
                verdict=VERDICT_TO_PROTO[VerdictKind(each.verdict)],
                count=each.count,
            )
            for each in self._ledger.counts(since_ns)
        ]
        rules = [
            records_pb2.RuleCount(verdict=VERDICT_TO_PROTO[VerdictKind(verdict)], rule=rule, count=count)
            for verdict, rule, count in self._ledger.rules(since_ns)
        ]
        return records_pb2.CountSightingsResponse(passages=passages, rules=rules)

    def ForgetPlate(  # noqa: N802 - the proto's name
        self, request: records_pb2.ForgetPlateRequest, context: grpc.ServicerContext
    ) -> records_pb2.ForgetPlateResponse:
        """Deletes all that is kept of a plate's passages and its dead letters. Raises InputError for what is no plate.

        The letters go first: which frames may show the vehicle, its passages tell. Where they cannot, nothing goes.
        """
        letters = self._forget_letters(request.plate)
        count, receipt = self._ledger.forget(request.plate, speaking(caller_name(context), request.actor))
        _log.info("forgot a plate", extra=fields(sightings=count, dead_letters=letters))
        return records_pb2.ForgetPlateResponse(sighting_count=count, receipt=receipt)

    def ListTraining(  # noqa: N802 - the proto's name
        self, request: records_pb2.ListTrainingRequest, context: grpc.ServicerContext
    ) -> records_pb2.ListTrainingResponse:
        """The last answer of each sighting that can be used as training data."""
        del request, context
        return records_pb2.ListTrainingResponse(answers=map(_answer, self._ledger.training()[:MOST_ANSWERS]))

    def GetSeal(  # noqa: N802 - the proto's name
        self, request: records_pb2.GetSealRequest, context: grpc.ServicerContext
    ) -> records_pb2.GetSealResponse:
        """Compares one sighting and its pictures with what the chain sealed. Raises NotFoundError."""
        del context
        seal = self._ledger.seal(request.sighting_id)
        return records_pb2.GetSealResponse(
            entry=seal.entry, entry_time=time_to_proto(seal.at_ns), event=seal.event, faults=seal.faults
        )

    def CountTraining(  # noqa: N802 - the proto's name
        self, request: records_pb2.CountTrainingRequest, context: grpc.ServicerContext
    ) -> records_pb2.CountTrainingResponse:
        """How many answers can be used as training data."""
        del request, context
        return records_pb2.CountTrainingResponse(ready_count=self._ledger.training_ready())


def _entry(look: Look) -> records_pb2.AuditEntry:
    return records_pb2.AuditEntry(
        entry_time=time_to_proto(look.at_ns),
        actor=look.actor,
        action=look.action,
        subject=look.subject,
        detail=look.detail,
    )


def _answer(said: Correction) -> records_pb2.Answer:
    return records_pb2.Answer(
        answer_time=time_to_proto(said.at_ns),
        author=said.author,
        action=_OF_ACTIONS[said.action],
        plate=said.text,
        country=said.country,
        read_text=said.read_text,
        sighting_id=said.sighting_id,
    )
