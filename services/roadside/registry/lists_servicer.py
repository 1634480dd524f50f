"""The gRPC service KnownLists: lists of known plates, for a console that has no database of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from roadside.core.lettering import plate_key
from roadside.errors import InputError
from roadside.v1 import lists_pb2, lists_pb2_grpc
from roadside.wire.convert import ACTION_TO_PROTO
from roadside.wire.known import ACTION_FROM_PROTO, known_plate_from_proto, known_plate_to_proto

if TYPE_CHECKING:
    from collections.abc import Sequence

    import grpc

    from roadside.core.known import Action, KnownPlate


class KnownPlates(Protocol):
    """Where the lists are kept."""

    def lists(self) -> Sequence[tuple[str, Action, int]]: ...  # noqa: D102
    def entries(self, list_name: str) -> Sequence[KnownPlate]: ...  # noqa: D102
    def put_list(self, name: str, action: Action) -> bool: ...  # noqa: D102
    def put(self, list_name: str, plates: Sequence[KnownPlate], *, replace: bool = False) -> int: ...  # noqa: D102
    def remove(self, list_name: str, plate_key: str | None = None) -> int: ...  # noqa: D102


class KnownListsServicer(lists_pb2_grpc.KnownListsServicer):
    """See protos/roadside/v1/lists.proto."""

    def __init__(self, plates: KnownPlates) -> None:
        self._plates = plates

    def ListLists(  # noqa: N802 - the proto's name
        self, request: lists_pb2.ListListsRequest, context: grpc.ServicerContext
    ) -> lists_pb2.ListListsResponse:
        """All lists, by name."""
        del request, context
        found = [
            lists_pb2.KnownList(name=name, action=ACTION_TO_PROTO[action], plate_count=count)
            for name, action, count in self._plates.lists()
        ]
        return lists_pb2.ListListsResponse(lists=found)

    def ListKnownPlates(  # noqa: N802 - the proto's name
        self, request: lists_pb2.ListKnownPlatesRequest, context: grpc.ServicerContext
    ) -> lists_pb2.ListKnownPlatesResponse:
        """The plates of a list. Raises NotFoundError."""
        del context
        return lists_pb2.ListKnownPlatesResponse(plates=map(known_plate_to_proto, self._plates.entries(request.list)))

    def PutList(  # noqa: N802 - the proto's name
        self, request: lists_pb2.PutListRequest, context: grpc.ServicerContext
    ) -> lists_pb2.PutListResponse:
        """Makes a list, or gives it another action. Raises InputError."""
        del context
        action = ACTION_FROM_PROTO.get(request.action)
        if action is None:
            raise InputError("action: no such action")
        return lists_pb2.PutListResponse(made=self._plates.put_list(request.name, action))

    def PutKnownPlates(  # noqa: N802 - the proto's name
        self, request: lists_pb2.PutKnownPlatesRequest, context: grpc.ServicerContext
    ) -> lists_pb2.PutKnownPlatesResponse:
        """Enters plates. Raises InputError, NotFoundError."""
        del context
        try:
            plates = [known_plate_from_proto(request.list, each) for each in request.plates]
            removed = self._plates.put(request.list, plates, replace=request.replace)
        except ValueError as error:
            raise InputError(f"plates: {error}") from error
        return lists_pb2.PutKnownPlatesResponse(removed_count=removed)

    def RemoveKnown(  # noqa: N802 - the proto's name
        self, request: lists_pb2.RemoveKnownRequest, context: grpc.ServicerContext
    ) -> lists_pb2.RemoveKnownResponse:
        """Removes a plate, or a whole list. Raises InputError, NotFoundError."""
        del context
        try:
            key = plate_key(request.plate, "") if request.plate else None
        except ValueError as error:
            raise InputError(f"plate: {error}") from error
        return lists_pb2.RemoveKnownResponse(removed_count=self._plates.remove(request.list, key))
