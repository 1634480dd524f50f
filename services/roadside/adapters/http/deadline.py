"""A conversation over HTTP that ends in time, however slowly the other side talks."""

from __future__ import annotations

import contextlib
import socket
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import http.client
    from collections.abc import Iterator


@contextmanager
def within(connection: http.client.HTTPConnection, timeout_s: float) -> Iterator[None]:
    """Hangs `connection` up after `timeout_s`, and closes it at the end of the block.

    Its own timeout bounds each piece only: headers that come a line at a time would hold us for minutes. What waits
    in the block then gets an OSError or an HTTPException.
    """
    watchdog = threading.Timer(timeout_s, _hang_up, (connection,))
    watchdog.daemon = True
    watchdog.start()
    try:
        yield
    finally:
        watchdog.cancel()
        connection.close()


def _hang_up(connection: http.client.HTTPConnection) -> None:
    with contextlib.suppress(OSError, AttributeError):  # not connected yet, or not any more
        connection.sock.shutdown(socket.SHUT_RDWR)
