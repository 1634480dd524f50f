"""A camera that gives a single picture at an address, which is asked for again and again."""

from __future__ import annotations

import http.client
import threading
import time
from hashlib import sha256
from typing import TYPE_CHECKING

from roadside.adapters.sources.cameras import MOST_BROKEN
from roadside.adapters.sources.facts import ClipFacts
from roadside.core.picture_header import CAMERA_LIMITS, PictureFault
from roadside.errors import SourceError
from roadside.wire.decoding import decode_jpeg

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray

    from roadside.adapters.sources.web import WebCamera

VALIDATORS = {"ETag": "If-None-Match", "Last-Modified": "If-Modified-Since"}
"""What a camera says of a picture, and how it is asked for another one; RFC 9110, 13.1."""


class SnapshotCapture:
    """Pictures of one address; each comes once, however often it is given.

    A picture that is given again is no second look at a vehicle, and would pass for one.
    """

    position_ms = 0.0
    taken_at_ns = 0

    def __init__(
        self,
        camera: WebCamera,
        first: http.client.HTTPResponse,
        name: str,
        interval_s: float,
        alive: Callable[[], None],
    ) -> None:
        """`first` is the camera's first answer; `alive` is called when it has answered without a new picture."""
        self._camera = camera
        self._answer: http.client.HTTPResponse | None = first
        self._name = name
        self._interval_s = interval_s
        self._alive = alive
        self._asked: dict[str, str] = {}
        self._seen = b""
        self._due_s = 0.0
        self._stopping = threading.Event()
        self.facts = ClipFacts()

    def read(self, into: NDArray[np.uint8] | None = None) -> NDArray[np.uint8] | None:
        """The next new picture, in memory of its own; None once the camera is gone or stopped.

        Raises SourceError where it answers with something else, or with many pictures in a row that cannot be used.
        """
        del into
        broken: PictureFault | None = None
        for _ in range(MOST_BROKEN):
            data = self._next()
            if data is None:
                return None
            try:
                return decode_jpeg(data, CAMERA_LIMITS)
            except PictureFault as fault:
                broken = fault
                self._alive()
        raise SourceError(f"{self._name}: sends pictures that cannot be used: each {broken}")

    def stop(self) -> None:
        """Ask no more."""
        self._stopping.set()

    def close(self) -> None:
        """Hang up."""
        self.stop()
        if self._answer is not None:
            self._answer.close()

    def _next(self) -> bytes | None:
        """The next picture that was not seen before."""
        while not self._stopping.wait(max(0.0, self._due_s - time.monotonic())):
            self._due_s = time.monotonic() + self._interval_s
            answer, self._answer = self._answer or self._camera.get(self._asked), None
            data = b"" if answer is None else self._body(answer)
            digest = sha256(data).digest()
            if data and digest != self._seen:
                self._seen = digest
                return data
            self._alive()
        return None

    def _body(self, answer: http.client.HTTPResponse) -> bytes:
        """Raises SourceError."""
        with answer:
            said = {VALIDATORS[name]: value for name in VALIDATORS if (value := answer.headers.get(name)) is not None}
            self._asked = said
            try:
                data: bytes = answer.read(CAMERA_LIMITS.size_bytes + 1)
            except (OSError, http.client.HTTPException):
                raise SourceError(f"{self._name}: the camera broke off within a picture") from None
        if len(data) > CAMERA_LIMITS.size_bytes:
            most = CAMERA_LIMITS.size_bytes >> 20
            raise SourceError(f"{self._name}: sends pictures of more than {most} MiB; set a smaller one in the camera")
        return data
