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

_AGAIN_S = 0.05


@contextmanager
def within(connection: http.client.HTTPConnection, timeout_s: float) -> Iterator[None]:
    """Hangs `connection` up after `timeout_s`, and closes it at the end of the block.

    Its own timeout bounds each piece only: headers that come a line at a time would hold us for minutes. What waits
    in the block then gets an OSError or an HTTPException.
    """
    over = threading.Event()
    watchdog = threading.Thread(target=_hang_up, args=(connection, timeout_s, over), name="deadline", daemon=True)
    watchdog.start()
    try:
        yield
    finally:
        over.set()
        connection.close()


def _hang_up(connection: http.client.HTTPConnection, timeout_s: float, over: threading.Event) -> None:
    if over.wait(timeout_s):
        return
    while True:
        with contextlib.suppress(OSError, AttributeError):
            connection.sock.shutdown(socket.SHUT_RDWR)
        # Still connecting, there was nothing to hang up yet: what connects late must not talk for ever either.
        if over.wait(_AGAIN_S):
            return
