"""A thousand half requests, and the console still answers."""

from __future__ import annotations

import socket
import urllib.request
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from roadside.assembly.console_server import MOST_CONNECTIONS, ConsoleServer
from tests.consoles import console
from tests.waiting import PLENTY_S, wait_for

if TYPE_CHECKING:
    from pathlib import Path
    from urllib.parse import SplitResult

HALF = b"GET / HTTP/1.1\r\nHost: x\r\nX-Slow: "


def answers(where: SplitResult) -> bool:
    try:
        with urllib.request.urlopen(f"http://{where.netloc}/healthz", timeout=PLENTY_S) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def test_half_requests_take_no_place_from_who_asks(tmp_path: Path) -> None:
    with console(tmp_path) as there:
        server = ConsoleServer(there.desk)
        address = server.listen()
        with server.beside():
            where = urlsplit(address)
            wait_for(lambda: answers(where), "the console")
            held = []
            try:
                for _ in range(MOST_CONNECTIONS + 100):
                    held.append(socket.create_connection((where.hostname or "", where.port or 0), PLENTY_S))
                    held[-1].sendall(HALF)
                assert answers(where)
            finally:
                for each in held:
                    each.close()
