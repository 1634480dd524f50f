"""The lists of known plates, asked of the registry service."""

from __future__ import annotations

from typing import TYPE_CHECKING

from roadside.v1 import lists_pb2, lists_pb2_grpc
from roadside.wire.convert import ACTION_TO_PROTO
from roadside.wire.known import ACTION_FROM_PROTO, known_plate_from_proto, known_plate_to_proto

if TYPE_CHECKING:
    from collections.abc import Sequence

    from roadside.adapters.services.connection import Connection
    from roadside.core.known import Action, KnownPlate


class RemoteKnownPlates:
    """As `roadside.adapters.sql.known.SqlKnownPlates`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._stub = lists_pb2_grpc.KnownListsStub(connection.channel)

    def lists(self) -> Sequence[tuple[str, Action, int]]:
        """Name, action and number of plates of each list, by name."""
        answer = self._connection.call(self._stub.ListLists, lists_pb2.ListListsRequest())
        return [(each.name, ACTION_FROM_PROTO[each.action], each.plate_count) for each in answer.lists]

    def entries(self, list_name: str) -> Sequence[KnownPlate]:
        """The plates of a list. Raises NotFoundError."""
        action = next((action for name, action, _ in self.lists() if name == list_name), None)
        request = lists_pb2.ListKnownPlatesRequest(list=list_name)
        plates = self._connection.call(self._stub.ListKnownPlates, request).plates
        return [
            known_plate_from_proto(list_name, each)
            if action is None
            else known_plate_from_proto(list_name, each, action)
            for each in plates
        ]

    def put_list(self, name: str, action: Action) -> bool:
        """Make a list, or give it another action; whether it was made."""
        request = lists_pb2.PutListRequest(name=name, action=ACTION_TO_PROTO[action])
        return bool(self._connection.call(self._stub.PutList, request).made)

    def put(self, list_name: str, plates: Sequence[KnownPlate], *, replace: bool = False) -> int:
        """Enter plates; how many were removed. Raises InputError, NotFoundError."""
        request = lists_pb2.PutKnownPlatesRequest(
            list=list_name, plates=map(known_plate_to_proto, plates), replace=replace
        )
        return int(self._connection.call(self._stub.PutKnownPlates, request).removed_count)

    def remove(self, list_name: str, plate_key: str | None = None) -> int:
        """Remove a plate, or the whole list; how many plates went. Raises NotFoundError."""
        request = lists_pb2.RemoveKnownRequest(list=list_name, plate=plate_key or "")
        return int(self._connection.call(self._stub.RemoveKnown, request).removed_count)
