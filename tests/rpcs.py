"""Every method of every service of the protos, from their descriptors: a new one is in these lists by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import grpc
import grpc.aio
from google.protobuf import message_factory

from roadside.v1 import (
    capture_pb2,
    detector_pb2,
    lists_pb2,
    ocr_pb2,
    options_pb2,
    plates_pb2,
    records_pb2,
    registry_pb2,
    review_pb2,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from google.protobuf.descriptor import Descriptor, FieldDescriptor, MethodDescriptor
    from google.protobuf.message import Message

FILES = (capture_pb2, detector_pb2, lists_pb2, ocr_pb2, plates_pb2, records_pb2, registry_pb2, review_pb2)
METHODS: dict[str, MethodDescriptor] = {
    f"{service.name}.{method.name}": method
    for file in FILES
    for service in file.DESCRIPTOR.services_by_name.values()
    for method in service.methods
}


def bounds_of(field: FieldDescriptor) -> options_pb2.Bounds:
    stated: Any = options_pb2.bounds
    found: options_pb2.Bounds = field.GetOptions().Extensions[stated]
    return found


def request_fields() -> Iterator[tuple[str, FieldDescriptor]]:
    """Every field that any request can hold, those of messages inside of it too."""
    seen: set[str] = set()
    waiting = [method.input_type for method in METHODS.values()]
    while waiting:
        message: Descriptor = waiting.pop()
        if message.full_name in seen or message.full_name.startswith("google."):
            continue
        seen.add(message.full_name)
        for field in message.fields:
            yield f"{message.name}.{field.name}", field
            if field.message_type is not None:
                waiting.append(field.message_type)


def least_request(method: MethodDescriptor) -> Message:
    """A request that is within its bounds and holds as little as it may."""
    message = message_factory.GetMessageClass(method.input_type)()
    for field in method.input_type.fields:
        if bounds_of(field).min_length:
            setattr(message, field.name, "a")
    return message


def add_silent_services(server: grpc.aio.Server) -> tuple[str, ...]:
    """Services of every name whose methods answer nothing, with the coders of the real ones."""
    names = []
    for file in FILES:
        for service in file.DESCRIPTOR.services_by_name.values():
            handlers = {method.name: _silent(method) for method in service.methods}
            server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service.full_name, handlers),))
            names.append(service.full_name)
    return tuple(names)


def call(channel: grpc.Channel, method: MethodDescriptor, request: Message, token: str = "") -> grpc.StatusCode:
    """What the method answers to one request."""
    return call_with_bytes(channel, method, request.SerializeToString(), token)


def call_with_bytes(channel: grpc.Channel, method: MethodDescriptor, request: bytes, token: str) -> grpc.StatusCode:
    """What the method answers to bytes that may be no request."""
    kinds = {
        (False, False): channel.unary_unary,
        (True, False): channel.stream_unary,
        (False, True): channel.unary_stream,
        (True, True): channel.stream_stream,
    }
    answers = message_factory.GetMessageClass(method.output_type)
    kind: Any = kinds[method.client_streaming, method.server_streaming]
    function = kind(
        f"/{method.containing_service.full_name}/{method.name}",
        request_serializer=None,
        response_deserializer=answers.FromString,
    )
    metadata = (("authorization", f"Bearer {token}"),) if token else ()
    try:
        answer = function(iter([request]) if method.client_streaming else request, metadata=metadata, timeout=60)
        if method.server_streaming:
            list(answer)
    except grpc.RpcError as error:
        code: grpc.StatusCode = error.code()
        return code
    return grpc.StatusCode.OK


def _silent(method: MethodDescriptor) -> grpc.RpcMethodHandler[Any, Any]:
    answer = message_factory.GetMessageClass(method.output_type)
    coders: dict[str, Any] = {
        "request_deserializer": message_factory.GetMessageClass(method.input_type).FromString,
        "response_serializer": lambda message: message.SerializeToString(),
    }
    if method.client_streaming:
        return grpc.stream_unary_rpc_method_handler(lambda requests, _context: (list(requests), answer())[1], **coders)
    if method.server_streaming:
        return grpc.unary_stream_rpc_method_handler(lambda _request, _context: iter([answer()]), **coders)
    return grpc.unary_unary_rpc_method_handler(lambda _request, _context: answer(), **coders)
