"""A connection to one service: calls with a deadline, whose faults are the errors of `roadside.errors`."""

from __future__ import annotations

import json
import socket
import threading
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import grpc

from roadside.wire.status import error_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

MAX_MESSAGE_BYTES = 20 * 1024 * 1024
"""The largest answer that is taken: a page of sightings, a camera's picture."""
_RETRIES = {
    "methodConfig": [
        {
            "name": [{}],
            "retryPolicy": {
                "maxAttempts": 3,
                "initialBackoff": "0.1s",
                "maxBackoff": "1s",
                "backoffMultiplier": 2,
                "retryableStatusCodes": ["UNAVAILABLE"],
            },
        }
    ]
}
"""A person waits for the page: a service that is away for longer is told as such."""


@dataclass(frozen=True, slots=True)
class ServiceAddress:
    """How a service is reached."""

    target: str
    """host:port, or dns:///host:port for all that the name stands for."""
    token: str | None = None
    ca_file: Path | None = None
    """The authority of its certificate; None: no TLS."""
    deadline_s: float = 10.0
    certified_as: str | None = None
    """The name in its certificate, where the target is none."""


class Replicas:
    """A connection to each process that answers under one name, such as a headless Service of Kubernetes."""

    def __init__(self, address: ServiceAddress) -> None:
        """The target is host:port."""
        host, _, self._port = address.target.rpartition(":")
        self._host = host.strip("[]")
        self._address = address
        self._known: dict[str, Connection] = {}
        self._lock = threading.Lock()

    def connections(self) -> Sequence[Connection]:
        """Those that there are now; none where the name stands for nothing. Raises OSError as Connection."""
        try:
            found = {str(entry[4][0]) for entry in socket.getaddrinfo(self._host, self._port, type=socket.SOCK_STREAM)}
        except OSError:
            found = set()
        with self._lock:
            for gone in set(self._known) - found:
                self._known.pop(gone).close()
            for new in found - set(self._known):
                self._known[new] = Connection(self._one(new))
            return [self._known[ip] for ip in sorted(self._known)]

    def close(self) -> None:
        """Hang up."""
        with self._lock:
            for connection in self._known.values():
                connection.close()

    def _one(self, ip: str) -> ServiceAddress:
        target = f"[{ip}]:{self._port}" if ":" in ip else f"{ip}:{self._port}"
        # One certificate names all services, by their short names: make-secrets.
        name = self._host if self._address.ca_file is not None and self._host != ip else None
        return replace(self._address, target=target, certified_as=name.partition(".")[0] if name else None)


class Connection:
    """Connects at the first call. Threads may share one."""

    def __init__(self, address: ServiceAddress) -> None:
        """Raises OSError where the authority's file cannot be read."""
        options = [
            ("grpc.service_config", json.dumps(_RETRIES)),
            ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
        ]
        if address.certified_as is not None:
            options.append(("grpc.ssl_target_name_override", address.certified_as))
        if address.ca_file is None:
            self.channel = grpc.insecure_channel(address.target, options)
        else:
            credentials = grpc.ssl_channel_credentials(address.ca_file.read_bytes())
            self.channel = grpc.secure_channel(address.target, credentials, options)
        self._address = address
        self._metadata = (("authorization", f"Bearer {address.token}"),) if address.token else ()

    def call(self, method: Callable[..., Any], request: Any, deadline_s: float | None = None) -> Any:  # noqa: ANN401
        """The answer. Raises the error that the service named, UnavailableError where it does not answer."""
        try:
            return method(request, timeout=deadline_s or self._address.deadline_s, metadata=self._metadata)
        except grpc.RpcError as error:
            raise error_of(error) from error

    def gather(self, method: Callable[..., Any], request: Any) -> list[Any]:  # noqa: ANN401 - any messages
        """All messages of an answer that comes in pieces. Raises as `call`."""
        try:
            return list(method(request, timeout=self._address.deadline_s, metadata=self._metadata))
        except grpc.RpcError as error:
            raise error_of(error) from error

    def close(self) -> None:
        """Hang up."""
        self.channel.close()
