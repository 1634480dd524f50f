"""A question over HTTP and its answer, also where the answer comes before the question is at its end."""

from __future__ import annotations

import http.client
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


def exchange(
    connection: http.client.HTTPConnection,
    method: str,
    target: str,
    *,
    body: bytes | None = None,
    headers: Mapping[str, str],
) -> http.client.HTTPResponse:
    """Send a request; the answer, of which status and headers have come. Raises OSError and HTTPException.

    A server may answer, and hang up, before it has read the whole request (RFC 9112, 9.5 and 9.6): sending
    the rest then fails, while the answer waits to be read.
    """
    try:
        connection.request(method, target, body=body, headers=dict(headers))
    except (BrokenPipeError, ConnectionResetError) as broken:
        try:
            return connection.getresponse()
        except (OSError, http.client.HTTPException, AttributeError):  # it never connected, or has not answered
            raise broken from None
    return connection.getresponse()
