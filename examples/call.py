"""Calls any method of any service through reflection, for a look without generated code.

python examples/call.py 127.0.0.1:50055                                             # lists services and methods
python examples/call.py 127.0.0.1:50055 roadside.v1.Plates/ListSightings '{"pageSize": 2}'
"""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING

import grpc
from google.protobuf import descriptor_pool, json_format, message_factory
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase

if TYPE_CHECKING:
    from google.protobuf.message import Message


class Known(grpc.StreamStreamClientInterceptor):
    """Sends the token with the questions of reflection."""

    def __init__(self, metadata: tuple[tuple[str, str], ...]) -> None:
        self._metadata = metadata

    def intercept_stream_stream(self, continuation, client_call_details, request_iterator):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201
        """See grpc.StreamStreamClientInterceptor."""
        return continuation(client_call_details._replace(metadata=self._metadata), request_iterator)


def main() -> None:
    """Answers as JSON, one object a line where the method streams."""
    if len(sys.argv) == 1:
        sys.exit("which server? python examples/call.py ADDRESS [SERVICE/METHOD [JSON]]")
    address, method, request = (*sys.argv[1:], "", "")[:3] if len(sys.argv) < 4 else sys.argv[1:4]
    token = os.environ.get("ROADSIDE_TOKEN")
    metadata = (("authorization", f"Bearer {token}"),) if token else ()
    with grpc.insecure_channel(address) as channel:
        # Which methods there are is told to known callers only, and the database sends no metadata of its own.
        database = ProtoReflectionDescriptorDatabase(grpc.intercept_channel(channel, Known(metadata)))
        pool = descriptor_pool.DescriptorPool(database)
        if not method:
            for name in database.get_services():
                methods = [m.name for m in pool.FindServiceByName(name).methods]
                print(name, " ".join(methods))
            return
        service, _, name = method.partition("/")
        described = pool.FindServiceByName(service).methods_by_name[name]
        ask = json_format.ParseDict(
            json.loads(request or "{}"), message_factory.GetMessageClass(described.input_type)()
        )
        call: grpc.UnaryStreamMultiCallable[Message, Message] = channel.unary_stream(
            f"/{method}",
            request_serializer=lambda message: message.SerializeToString(),
            response_deserializer=message_factory.GetMessageClass(described.output_type).FromString,
        )
        try:
            for answer in call(ask, metadata=metadata):
                print(json_format.MessageToJson(answer, indent=None, descriptor_pool=pool), flush=True)
        except grpc.RpcError as error:
            sys.exit(f"{error.code().name}: {error.details()}")
        except KeyboardInterrupt:
            sys.exit(130)


if __name__ == "__main__":
    main()
