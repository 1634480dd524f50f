"""The audit, people's answers and counts, asked of the plates service."""

from __future__ import annotations

from typing import TYPE_CHECKING

from roadside.adapters.services.sightings import ACTIONS
from roadside.core.reviews import Correction
from roadside.ports.records import Look, PassageCount, Seal
from roadside.v1 import records_pb2, records_pb2_grpc
from roadside.wire.convert import VERDICT_FROM_PROTO, time_from_proto, time_to_proto

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from roadside.adapters.services.connection import Connection

_MOST_DETAIL = 512
_MOST_SUBJECT = 128
_ACTIONS = {number: action for action, number in ACTIONS.items()}


class RemoteLedger:
    """Meets the console's `Ledger`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._stub = records_pb2_grpc.RecordsStub(connection.channel)

    def note(self, actor: str, action: str, subject: str, detail: str = "", *, plate: str = "") -> None:
        """Write to the audit; of a `plate` its keyed hash alone."""
        request = records_pb2.NoteActionRequest(
            actor=actor,
            action=action,
            subject=subject[:_MOST_SUBJECT],
            detail=detail[:_MOST_DETAIL],
            plate=plate,
        )
        self._connection.call(self._stub.NoteAction, request)

    def audit(self, limit: int = 100) -> Sequence[Look]:
        """The newest entries, newest first."""
        answer = self._connection.call(self._stub.ListAudit, records_pb2.ListAuditRequest(page_size=limit))
        return _looks(answer.entries)

    def looks(self, sighting_id: str) -> Sequence[Look]:
        """Who looked at a sighting or its pictures, newest first."""
        answer = self._connection.call(self._stub.ListAudit, records_pb2.ListAuditRequest(subject=sighting_id))
        return _looks(answer.entries)

    def answers(self, sighting_id: str) -> Sequence[Correction]:
        """What people said of it, oldest first."""
        request = records_pb2.ListAnswersRequest(sighting_id=sighting_id)
        return _answers(self._connection.call(self._stub.ListAnswers, request).answers)

    def seal(self, sighting_id: str) -> Seal:
        """Whether a sighting and its pictures are still what was sealed. Raises NotFoundError."""
        said = self._connection.call(self._stub.GetSeal, records_pb2.GetSealRequest(sighting_id=sighting_id))
        return Seal(said.entry, time_from_proto(said.entry_time), said.event, tuple(said.faults))

    def counts(self, since_ns: int) -> Sequence[PassageCount]:
        """Sightings by hour, camera and verdict."""
        return [
            PassageCount(
                time_from_proto(each.hour_time), each.camera_id, VERDICT_FROM_PROTO[each.verdict].value, each.count
            )
            for each in self._counted(since_ns).passages
        ]

    def rules(self, since_ns: int) -> Sequence[tuple[str, str, int]]:
        """(verdict, rule, how many), the most frequent first."""
        return [
            (VERDICT_FROM_PROTO[each.verdict].value, each.rule, each.count) for each in self._counted(since_ns).rules
        ]

    def forget(self, plate: str, actor: str) -> tuple[int, str]:
        """Delete all that is kept of a plate's passages: how many they were, and a receipt. Raises InputError."""
        answer = self._connection.call(self._stub.ForgetPlate, records_pb2.ForgetPlateRequest(plate=plate, actor=actor))
        return answer.sighting_count, answer.receipt

    def training_ready(self) -> int:
        """How many answers of people can be exported as training data."""
        return int(self._connection.call(self._stub.CountTraining, records_pb2.CountTrainingRequest()).ready_count)

    def training(self) -> Sequence[Correction]:
        """The last answer of each sighting that can be exported as training data, oldest first."""
        return _answers(self._connection.call(self._stub.ListTraining, records_pb2.ListTrainingRequest()).answers)

    def _counted(self, since_ns: int) -> records_pb2.CountSightingsResponse:
        request = records_pb2.CountSightingsRequest(since_time=time_to_proto(since_ns))
        answer: records_pb2.CountSightingsResponse = self._connection.call(self._stub.CountSightings, request)
        return answer


def _looks(entries: Iterable[records_pb2.AuditEntry]) -> list[Look]:
    return [Look(time_from_proto(e.entry_time), e.actor, e.action, e.subject, e.detail) for e in entries]


def _answers(answers: Iterable[records_pb2.Answer]) -> list[Correction]:
    return [
        Correction(
            said.sighting_id,
            time_from_proto(said.answer_time),
            said.author,
            _ACTIONS[said.action],
            said.plate,
            said.country,
            said.read_text,
        )
        for said in answers
    ]
