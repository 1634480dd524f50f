"""Serves the console from this process: in the foreground, or beside a run."""

from __future__ import annotations

import socket
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import uvicorn

from roadside.assembly.console_connections import BoundedProtocol
from roadside.console.app import make_app
from roadside.console.ports import Role
from roadside.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from roadside.console.access import Access
    from roadside.console.config import ConsoleSection
    from roadside.console.desk import Desk

FIRST_ADMIN = "admin"
GRACE_S = 3
MOST_CONNECTIONS = 512
_ANY = ("0.0.0.0", "::", "")  # noqa: S104 - compared with, not listened on


class ConsoleServer:
    """One console. `listen` before anything is told of its address."""

    def __init__(self, desk: Desk, answered: Callable[[int], None] | None = None) -> None:
        """`answered` is told the status of every answer."""
        self._desk = desk
        self._server = uvicorn.Server(
            uvicorn.Config(
                make_app(desk, answered),
                log_level="warning",
                access_log=False,  # addresses hold what was searched for
                server_header=False,
                timeout_graceful_shutdown=GRACE_S,
                limit_concurrency=MOST_CONNECTIONS,
                http=BoundedProtocol,
                proxy_headers=desk.settings.console_https,
            )
        )
        self._socket: socket.socket | None = None

    def listen(self) -> str:
        """Takes the port; the address for a browser. Raises SettingsError where the port is taken."""
        host, port = self._desk.settings.console_host, self._desk.settings.console_port
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        taken = socket.socket(family, socket.SOCK_STREAM)
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            taken.bind((host, port))
        except OSError as error:
            taken.close()
            reason = error.strerror or str(error)
            raise SettingsError(f"console {host}:{port}: {reason}; choose another with --console-port") from error
        self._socket = taken
        return address_of(self._desk.settings, taken.getsockname()[1])

    def serve(self) -> None:
        """Answers until a signal or `stop` ends it."""
        self._server.run(sockets=[self._listening()])

    def stop(self) -> None:
        """Ends `serve`."""
        self._server.should_exit = True

    @contextmanager
    def beside(self) -> Iterator[None]:
        """Answers in a thread of its own while the block runs."""
        thread = threading.Thread(target=self.serve, name="console", daemon=True)
        thread.start()
        try:
            yield
        finally:
            self.stop()
            thread.join(GRACE_S + 2)

    def _listening(self) -> socket.socket:
        if self._socket is None:
            self.listen()
        assert self._socket is not None  # noqa: S101 - just taken
        return self._socket


def address_of(settings: ConsoleSection, port: int) -> str:
    """What a person types into a browser."""
    if settings.console_url is not None:
        return settings.console_url.rstrip("/")
    host = "127.0.0.1" if settings.console_host in _ANY else settings.console_host
    shown = f"[{host}]" if ":" in host else host
    return f"{'https' if settings.console_https else 'http'}://{shown}:{port}"


def first_link(access: Access, address: str) -> str | None:
    """A link that sets the first administrator's password; None where somebody can look after the accounts."""
    if access.has_admin():
        return None
    return link_for(access, address, FIRST_ADMIN, Role.ADMIN)


def link_for(access: Access, address: str, name: str, role: Role) -> str:
    """A link that sets a password, once, within a day. Raises InputError."""
    return f"{address}/welcome/{access.invite(name, role)}"
