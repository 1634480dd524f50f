"""Translates between the errors of `roadside.errors` and gRPC statuses, in both directions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import grpc
from google.protobuf import any_pb2, duration_pb2
from google.rpc import code_pb2, error_details_pb2, status_pb2
from grpc_status import rpc_status

from roadside.errors import (
    AccessError,
    BusFullError,
    BusUnavailableError,
    BusyError,
    CredentialsError,
    ImportRefusedError,
    InputError,
    ModelError,
    NotFoundError,
    PoisonError,
    RegistryFileError,
    RegistryUnavailableError,
    RoadsideError,
    SettingsError,
    SourceError,
    StoreUnavailableError,
    UnavailableError,
)

if TYPE_CHECKING:
    from google.protobuf.message import Message

DOMAIN = "roadside"
RETRY_AFTER_S = 2
"""What a client is told to wait, in seconds, before it asks a service again that was unavailable."""

_CODES: tuple[tuple[type[RoadsideError], int], ...] = (
    (BusyError, code_pb2.RESOURCE_EXHAUSTED),
    (UnavailableError, code_pb2.UNAVAILABLE),
    (CredentialsError, code_pb2.UNAUTHENTICATED),
    (AccessError, code_pb2.PERMISSION_DENIED),
    (NotFoundError, code_pb2.NOT_FOUND),
    (InputError, code_pb2.INVALID_ARGUMENT),
    (PoisonError, code_pb2.INVALID_ARGUMENT),
)
_ERRORS: dict[str, type[RoadsideError]] = {
    kind.__name__.removesuffix("Error"): kind
    for kind in (
        AccessError,
        BusFullError,
        BusUnavailableError,
        BusyError,
        CredentialsError,
        ImportRefusedError,
        InputError,
        ModelError,
        NotFoundError,
        PoisonError,
        RegistryFileError,
        RegistryUnavailableError,
        SettingsError,
        SourceError,
        StoreUnavailableError,
        UnavailableError,
    )
}
_BY_CODE: dict[grpc.StatusCode, type[RoadsideError]] = {
    grpc.StatusCode.UNAVAILABLE: UnavailableError,
    grpc.StatusCode.DEADLINE_EXCEEDED: UnavailableError,
    grpc.StatusCode.RESOURCE_EXHAUSTED: BusyError,
    grpc.StatusCode.NOT_FOUND: NotFoundError,
    grpc.StatusCode.INVALID_ARGUMENT: InputError,
    grpc.StatusCode.OUT_OF_RANGE: InputError,
    grpc.StatusCode.UNAUTHENTICATED: CredentialsError,
    grpc.StatusCode.PERMISSION_DENIED: AccessError,
}


def status_of(exc: RoadsideError) -> grpc.Status:
    """The gRPC status for a domain error: its code, its message, ErrorInfo with the name of the error without `Error`.

    Where trying again can help, RetryInfo says after how long.
    """
    code = next((code for kind, code in _CODES if isinstance(exc, kind)), code_pb2.INTERNAL)
    reason = type(exc).__name__.removesuffix("Error")
    details: list[Message] = [error_details_pb2.ErrorInfo(reason=reason, domain=DOMAIN)]
    if isinstance(exc, UnavailableError):
        details.append(error_details_pb2.RetryInfo(retry_delay=duration_pb2.Duration(seconds=RETRY_AFTER_S)))
    return _status(code, str(exc), details)


def internal_fault(request_id: str) -> grpc.Status:
    """The status INTERNAL: it tells the client nothing but the request's id, under which the log has the rest."""
    info = error_details_pb2.RequestInfo(request_id=request_id)
    return _status(code_pb2.INTERNAL, f"internal fault, see the log for {request_id}", [info])


def error_of(exc: grpc.RpcError) -> RoadsideError:
    """The domain error for a failed call: the one that the server named in ErrorInfo, or else the nearest to its code.

    `exc` must be a grpc.Call as well, as every error of a call is.
    """
    assert isinstance(exc, grpc.Call)  # noqa: S101 - gRPC promises it: every RpcError of a call is that call
    status = rpc_status.from_call(exc)
    message = exc.details() or exc.code().name
    for detail in status.details if status is not None else ():
        info = error_details_pb2.ErrorInfo()
        if detail.Is(error_details_pb2.ErrorInfo.DESCRIPTOR) and detail.Unpack(info):
            return _ERRORS.get(info.reason, RoadsideError)(message)
    return _BY_CODE.get(exc.code(), RoadsideError)(message)


def _status(code: int, message: str, details: list[Message]) -> grpc.Status:
    packed = []
    for detail in details:
        anything = any_pb2.Any()
        anything.Pack(detail)
        packed.append(anything)
    status: grpc.Status = rpc_status.to_status(status_pb2.Status(code=code, message=message, details=packed))
    return status
