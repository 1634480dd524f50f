"""A small HTTP server for probes and metrics that a crowd of idle or dripping connections cannot fill."""

from __future__ import annotations

import contextlib
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

MOST_CONNECTIONS = 64
"""Each has a thread. One that comes when there are so many takes the place of the oldest: a question is answered within
milliseconds, and what is older waits for nothing but its own sender."""
IDLE_S = 5


class BoundedHttpServer(ThreadingHTTPServer):
    """Answers on threads, of which there are at most `MOST_CONNECTIONS`."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], handler: Callable[..., BaseHTTPRequestHandler]) -> None:
        """Listens; `serve` answers. Raises OSError."""
        super().__init__(address, handler)
        self._lock = threading.Lock()
        self._open: dict[Any, None] = {}

    def serve(self, name: str) -> threading.Thread:
        """Answer, on a thread of this name, until `shutdown`."""
        thread = threading.Thread(target=self.serve_forever, name=name, daemon=True)
        thread.start()
        return thread

    def process_request(self, request: Any, client_address: Any) -> None:  # noqa: ANN401 - the base class names them so
        """Take up a connection, in the place of the oldest where there is none."""
        with self._lock:
            while len(self._open) >= MOST_CONNECTIONS:
                oldest = next(iter(self._open))
                del self._open[oldest]
                with contextlib.suppress(OSError):
                    oldest.shutdown(socket.SHUT_RDWR)  # its thread closes it
            self._open[request] = None
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:  # noqa: ANN401 - as above
        """Hang up."""
        with self._lock:
            self._open.pop(request, None)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ANN401 - as above
        """Who hangs up early is no fault of ours, and not worth a traceback."""
