"""Servers that speak HTTP as nobody should: what they answer is said byte by byte."""

from __future__ import annotations

import contextlib
import socket
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PAUSE_S = 0.05


@contextmanager
def rude_server(says: bytes | Callable[[int], bytes], *, drips: bytes = b"") -> Iterator[int]:
    """A port whose connections are answered with `says`, and then with `drips` again and again until they end.

    `says` may be a function of the port.
    """
    over = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listening:
        said = says if isinstance(says, bytes) else says(listening.getsockname()[1])

        def serve() -> None:
            while not over.is_set():
                with contextlib.suppress(OSError):
                    threading.Thread(target=answer, args=(listening.accept()[0],), daemon=True).start()

        def answer(line: socket.socket) -> None:
            with line, contextlib.suppress(OSError):
                line.recv(65536)
                line.sendall(said)
                while drips and not over.wait(PAUSE_S):
                    line.sendall(drips)

        threading.Thread(target=serve, daemon=True).start()
        try:
            yield listening.getsockname()[1]
        finally:
            over.set()
            with contextlib.suppress(OSError):
                socket.create_connection(listening.getsockname()).close()
