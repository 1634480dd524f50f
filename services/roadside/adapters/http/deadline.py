"""A conversation over HTTP that ends in time, however slowly the other side talks."""

from __future__ import annotations

import contextlib
import http.client
import socket
import threading
import urllib.request
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator


class Line:
    """The sockets of one conversation, each held a second time: `urllib` lets go of them before an answer is read."""

    def __init__(self) -> None:
        self._held: list[socket.socket] = []
        self.is_over = False
        """Whether it was hung up."""
        self._lock = threading.Lock()

    def connect(self, *args: Any, **more: Any) -> socket.socket:  # noqa: ANN401 - as socket.create_connection has it
        """What `http.client` calls to connect; what connects too late is hung up at once."""
        made = socket.create_connection(*args, **more)
        self.hold(made)
        return made

    def hold(self, made: socket.socket) -> None:
        """Hang `made` up, too, when it is time."""
        with self._lock:
            self._held.append(made.dup())
            if self.is_over:
                _shut(self._held[-1])

    def hang_up(self) -> None:
        """Whoever waits for the other side gets an OSError or an HTTPException."""
        with self._lock:
            self.is_over = True
            for each in self._held:
                _shut(each)

    def close(self) -> None:
        """Let go."""
        with self._lock:
            for each in self._held:
                each.close()
            self._held.clear()

    @contextmanager
    def for_at_most(self, timeout_s: float) -> Iterator[None]:
        """Hangs up where the block takes longer."""
        watchdog = threading.Timer(timeout_s, self.hang_up)
        watchdog.daemon = True
        watchdog.start()
        try:
            yield
        finally:
            watchdog.cancel()
            self.close()


@contextmanager
def within(connection: http.client.HTTPConnection, timeout_s: float) -> Iterator[None]:
    """Hangs `connection`, which is not connected yet, up after `timeout_s`, and closes it at the end of the block.

    Its own timeout bounds each piece only: headers that come a line at a time would hold us for minutes. What waits
    in the block then gets an OSError or an HTTPException.
    """
    line = Line()
    connection._create_connection = line.connect  # type: ignore[attr-defined]  # noqa: SLF001 - its only door
    with line.for_at_most(timeout_s):
        try:
            yield
        finally:
            connection.close()


class TimedOpener:
    """Opens with `urllib`, for one thread; an answer's headers and body, and what it leads to, end in time."""

    def __init__(self, *handlers: urllib.request.BaseHandler) -> None:
        """`handlers` as `urllib.request.build_opener` takes them."""
        self._http, self._https = _Http(), _Https()
        self._opener = urllib.request.build_opener(self._http, self._https, *handlers)

    @contextmanager
    def open(self, request: urllib.request.Request, timeout_s: float) -> Iterator[http.client.HTTPResponse]:
        """The answer, to be read in the block, which the other side is hung up on in after `timeout_s`.

        Raises what `urllib` raises, and ValueError where the answer makes it do what it cannot.
        """
        with self._line().for_at_most(timeout_s), self._opener.open(request, timeout=timeout_s) as answer:
            yield answer

    def begin(self, request: urllib.request.Request, timeout_s: float) -> http.client.HTTPResponse:
        """The answer once its headers have come, within `timeout_s`; each piece of its body may take as long again.

        Raises as `open`.
        """
        line = self._line()
        with line.for_at_most(timeout_s):
            answer: http.client.HTTPResponse = self._opener.open(request, timeout=timeout_s)
        if line.is_over:  # what is cut short in its headers passes for an answer that has few
            answer.close()
            raise TimeoutError("the headers took too long")
        return answer

    def _line(self) -> Line:
        self._http.line = self._https.line = line = Line()
        return line


class _Http(urllib.request.HTTPHandler):
    line = Line()

    def http_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(_on(self.line, http.client.HTTPConnection), req)


class _Https(urllib.request.HTTPSHandler):
    line = Line()

    def https_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(_on(self.line, http.client.HTTPSConnection), req)


def _on(line: Line, kind: type[http.client.HTTPConnection]) -> Any:  # noqa: ANN401 - what urllib calls to connect
    def made(*args: Any, **more: Any) -> http.client.HTTPConnection:  # noqa: ANN401 - as its kind has it
        connection = kind(*args, **more)
        connection._create_connection = line.connect  # type: ignore[attr-defined]  # noqa: SLF001 - its only door
        return connection

    return made


def _shut(line: socket.socket) -> None:
    with contextlib.suppress(OSError):
        line.shutdown(socket.SHUT_RDWR)
