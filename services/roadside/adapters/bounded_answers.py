"""Answers over httpx2 that are bounded, plain, and there in time: of whom an installation asks, and of nobody else."""

from __future__ import annotations

from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

import httpx2

from roadside.adapters.http.deadline import Line

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

MOST_BYTES = 1 << 20
"""Of one answer."""
_CONNECTED = "connection.connect_tcp.complete"


@contextmanager
def bounded_answers(timeout_s: float) -> Iterator[dict[str, Any]]:
    """How a client of httpx2 is made that is to be used in the block, which is hung up on after `timeout_s`.

    Its own timeout bounds each piece only. Asking then raises `httpx2.HTTPError`, and for an answer that is longer than
    MOST_BYTES or packed, which would unfold to a thousand times as much.
    """
    line = Line()
    with line.for_at_most(timeout_s):
        yield {
            "timeout": timeout_s,
            "headers": {"Accept-Encoding": "identity"},
            "event_hooks": {"request": [partial(_watch, line)], "response": [_measure]},
        }


def _watch(line: Line, request: httpx2.Request) -> None:
    request.extensions = {**request.extensions, "trace": partial(_note, line)}


def _note(line: Line, event: str, told: Mapping[str, Any]) -> None:
    if event == _CONNECTED:
        line.hold(told["return_value"].get_extra_info("socket"))


def _measure(response: httpx2.Response) -> None:
    if response.headers.get("content-encoding", "identity") != "identity":
        raise httpx2.DecodingError("the answer is packed", request=response.request)
    assert isinstance(response.stream, httpx2.SyncByteStream)  # noqa: S101 - of a client that is not asynchronous
    response.stream = _Measured(response.stream, response.request)


class _Measured(httpx2.SyncByteStream):
    def __init__(self, stream: httpx2.SyncByteStream, request: httpx2.Request) -> None:
        self._stream = stream
        self._request = request

    def __iter__(self) -> Iterator[bytes]:
        left = MOST_BYTES
        for piece in self._stream:
            left -= len(piece)
            if left < 0:
                raise httpx2.ReadError("the answer is too long", request=self._request)
            yield piece

    def close(self) -> None:
        self._stream.close()
