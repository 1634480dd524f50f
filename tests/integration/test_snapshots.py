"""Cameras that give one picture at an address, asked again and again: a real HTTP server, basic and digest."""

from __future__ import annotations

import hashlib
import itertools
import re
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from roadside.adapters.sources.live import CameraSettings
from roadside.adapters.sources.video import open_source
from roadside.adapters.sources.web import WebCamera
from roadside.adapters.system_clock import SystemClock
from roadside.capture.feed import FrameFeed
from roadside.core.frames import CameraId, Frame
from roadside.errors import SourceError
from tests.rude_servers import rude_server
from tests.waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator

GATE = CameraId("gate")
OFTEN = CameraSettings(timeout_s=10, snapshot_s=0.05, backoff_s=0.05)


def picture(shade: int) -> bytes:
    return cv2.imencode(".jpg", np.full((48, 64, 3), shade, np.uint8))[1].tobytes()


class Snapshots(ThreadingHTTPServer):
    """Gives each picture `repeats` times, and the last for ever."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, pictures: list[bytes], repeats: int = 1, *, says: str = "", digest: bool = False) -> None:
        super().__init__(("127.0.0.1", 0), _Camera)
        self.pictures, self.repeats, self.says, self.digest = pictures, repeats, says, digest
        self.elsewhere = ""
        """Where it sends whoever asks."""
        self.asked: list[dict[str, str]] = []

    def handle_error(self, *_: object) -> None:
        """A reader that leaves is no error of the camera."""


class _Camera(BaseHTTPRequestHandler):
    server: Snapshots

    def do_GET(self) -> None:
        if self.server.elsewhere and self.path != "/moved.jpg":
            self.send_response(302)
            self.send_header("Location", self.server.elsewhere)
            self.end_headers()
            return
        if self.server.digest and not self._is_known():
            self.send_response(401)
            self.send_header("WWW-Authenticate", 'Digest realm="camera", nonce="abc", qop="auth", algorithm=MD5')
            self.end_headers()
            return
        number = min(len(self.server.asked) // self.server.repeats, len(self.server.pictures) - 1)
        self.server.asked.append(dict(self.headers))
        body = self.server.pictures[number]
        tag = f'"{number}"'
        if self.server.says == "ETag" and self.headers.get("If-None-Match") == tag:
            self.send_response(304)
            self.end_headers()
            return
        self.send_response(200)
        self.send_header("Content-Type", "image/jpeg")
        self.send_header("Content-Length", str(len(body)))
        if self.server.says:
            self.send_header(self.server.says, tag if self.server.says == "ETag" else "Thu, 26 Nov 2026 10:00:00 GMT")
        self.end_headers()
        self.wfile.write(body)

    def _is_known(self) -> bool:
        given = dict(re.findall(r'(\w+)="?([^",]+)"?', self.headers.get("Authorization") or ""))
        first = hashlib.md5(b"bob:camera:pass word").hexdigest()  # noqa: S324 - as RFC 7616 has it
        second = hashlib.md5(f"GET:{given.get('uri')}".encode()).hexdigest()  # noqa: S324
        parts = (first, given.get("nonce"), given.get("nc"), given.get("cnonce"), "auth", second)
        return given.get("response") == hashlib.md5(":".join(map(str, parts)).encode()).hexdigest()  # noqa: S324

    def log_message(self, *_: object) -> None:
        """Tests need no access log."""


@contextmanager
def running(server: Snapshots) -> Iterator[str]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/snapshot.jpg"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def shades(address: str, count: int) -> list[int]:
    source = open_source(address, GATE, SystemClock(), OFTEN)
    frames = list(itertools.islice(source.frames(), count))
    source.close()
    return [round(float(frame.image.mean())) for frame in frames]


@pytest.mark.parametrize("says", ["", "ETag", "Last-Modified"])
def test_each_picture_counts_once_however_often_it_is_given(says: str) -> None:
    server = Snapshots([picture(shade) for shade in (40, 80, 120)], repeats=3, says=says)
    with running(server) as address:
        assert shades(address, 3) == [40, 80, 120]
    asked = {"ETag": "If-None-Match", "Last-Modified": "If-Modified-Since"}.get(says)
    assert asked is None or all(asked in headers for headers in server.asked[1:])


def test_a_camera_with_nothing_new_is_no_lost_camera_and_can_be_left() -> None:
    server = Snapshots([picture(90)])
    drops: list[str] = []
    seen: list[Frame] = []
    with running(server) as address:
        settings = CameraSettings(timeout_s=0.2, snapshot_s=0.05)
        source = open_source(address, GATE, SystemClock(), settings, on_drop=drops.append)
        with FrameFeed(source) as feed:
            taker = threading.Thread(target=lambda: seen.extend(feed))
            taker.start()
            wait_for(lambda: len(server.asked) >= 130, "questions for longer than the camera's and our own timeout")
            feed.leave()
            taker.join(30)
            assert not taker.is_alive()
    assert len(seen) == 1
    assert drops == []


def test_a_password_is_told_by_digest_and_is_in_no_message() -> None:
    server = Snapshots([picture(shade) for shade in range(40, 200, 20)], digest=True)
    with running(server) as address:
        assert shades(address.replace("//", "//bob:pass%20word@"), 3) == [40, 60, 80]
        with pytest.raises(SourceError, match="answers 401") as raised:
            shades(address.replace("//", "//bob:hunter2@"), 1)
    assert "hunter2" not in str(raised.value)


def test_what_is_broken_or_too_large_is_passed_over_or_told() -> None:
    broken = [b"\xff\xd8\xff\xe0 nothing", picture(70)]
    with running(Snapshots(broken)) as address:
        assert shades(address, 1) == [70]
    with running(Snapshots([bytes(17 << 20)])) as address, pytest.raises(SourceError, match="more than 16 MiB"):
        shades(address, 1)


@pytest.mark.parametrize(("says", "drips"), [(b"HTTP/1.1 200 OK\r\n", b"a"), (b"", b"HTTP/1.1 100 Continue\r\n\r\n")])
def test_headers_that_do_not_end_are_not_waited_for(says: bytes, drips: bytes) -> None:
    with rude_server(says, drips=drips) as port, pytest.raises(SourceError, match="gate: "):
        WebCamera(f"http://127.0.0.1:{port}/", "gate", 0.5).get()


def test_a_camera_sends_to_another_path_but_to_no_other_host() -> None:
    server, other = Snapshots([picture(90)]), Snapshots([picture(30)])
    with running(server) as address, running(other):
        server.elsewhere = "/moved.jpg"
        assert shades(address, 1) == [90]
        server.elsewhere = f"http://localhost:{other.server_port}/moved.jpg"
        with pytest.raises(SourceError, match="sends elsewhere"):
            shades(address, 1)
    assert other.asked == []
