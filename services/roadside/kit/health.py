"""Live and ready: live means that the loops advance, ready that there is all that work needs."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING

from roadside.errors import SettingsError
from roadside.kit.http_server import IDLE_S, BoundedHttpServer

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

STILL_AFTER_S = 60.0
"""A loop beats at least once a second; the longest step in between is a model's inference on an old Pi."""


class Health:
    """What is known of a process's health. Safe to share between threads."""

    def __init__(self, parts: Sequence[str], monotonic_s: Callable[[], float]) -> None:
        self._now_s = monotonic_s
        self._lock = threading.Lock()
        self._parts = dict.fromkeys(parts, False)
        self._reasons: dict[str, str] = {}
        self._beats: dict[str, float] = {}
        self._draining = False

    def set(self, part: str, *, ready: bool, reason: str = "") -> None:
        """Say whether a part that work needs (bus, model, store) is there, and why not; `reason` holds no plate."""
        with self._lock:
            self._parts[part] = ready
            if reason and not ready:
                self._reasons[part] = reason
            else:
                self._reasons.pop(part, None)

    def beat(self, loop: str) -> None:
        """Say that a loop advances; one that beat once must go on, or `done`."""
        with self._lock:
            self._beats[loop] = self._now_s()

    def done(self, loop: str) -> None:
        """Say that a loop has ended as it should."""
        with self._lock:
            self._beats.pop(loop, None)

    def drain(self) -> None:
        """Say that the process ends: it is not ready any more."""
        with self._lock:
            self._draining = True

    def missing(self) -> list[str]:
        """What is not ready; empty means ready."""
        with self._lock:
            found = [part for part, ready in self._parts.items() if not ready]
            return [*found, "draining"] if self._draining else found

    def parts(self) -> dict[str, bool]:
        """Every part that was ever told of, and whether it is ready."""
        with self._lock:
            return dict(self._parts)

    def reasons(self) -> dict[str, str]:
        """Why parts are not ready, of those that know it."""
        with self._lock:
            return dict(self._reasons)

    def still(self) -> list[str]:
        """The loops that do not advance; empty means live."""
        with self._lock:
            now_s = self._now_s()
            return [loop for loop, at_s in self._beats.items() if now_s - at_s > STILL_AFTER_S]


class HealthServer:
    """GET /live and /ready: 200, or 503 with what is missing and why."""

    def __init__(self, health: Health, host: str, port: int) -> None:
        try:
            self._server = BoundedHttpServer((host, port), _handler(health))
        except OSError as error:
            raise SettingsError(f"health_port {port} on {host}: {error.strerror}") from error
        self._thread = self._server.serve("health")

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._server.server_address[1])

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def _handler(health: Health) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        timeout = IDLE_S

        def do_GET(self) -> None:
            match self.path:
                case "/live":
                    self._answer(still=health.still())
                case "/ready":
                    self._answer(missing=health.missing(), reasons=health.reasons())
                case _:
                    self.send_error(404)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it
            """Probes come every few seconds: not worth a line."""

        def _answer(self, reasons: dict[str, str] | None = None, **what: list[str]) -> None:
            faults = any(what.values())
            body = json.dumps({"ok": not faults, **what, **({"reasons": reasons} if reasons else {})}).encode()
            self.send_response(503 if faults else 200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    return Handler
