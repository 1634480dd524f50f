"""A camera that is none: plays a clip over and over as MJPEG on http://127.0.0.1:PORT/, an empty road between.

Usage: camera.py CLIP PORT
"""

from __future__ import annotations

import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import cv2

PAUSE_S = 30.0
"""Longer than a vehicle may be hidden and still be the same passage."""
QUALITY = 85
_BOUNDARY = "picture"


class Camera(BaseHTTPRequestHandler):
    """Sends the clip to whoever asks."""

    clip: Path

    def do_GET(self) -> None:
        """An endless stream of pictures."""
        self.send_response(200)
        self.send_header("Content-Type", f"multipart/x-mixed-replace; boundary={_BOUNDARY}")
        self.end_headers()
        try:
            while True:
                self._play()
        except (BrokenPipeError, ConnectionResetError):
            return

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def _play(self) -> None:
        video = cv2.VideoCapture(str(self.clip))
        every_s = 1 / (video.get(cv2.CAP_PROP_FPS) or 25.0)
        due_s, first = time.monotonic(), b""
        try:
            while (taken := video.read())[0]:
                picture = self._encoded(taken[1])
                first = first or picture
                self._send(picture)
                due_s += every_s
                time.sleep(max(0.0, due_s - time.monotonic()))
        finally:
            video.release()
        ends_s = time.monotonic() + PAUSE_S
        while first and time.monotonic() < ends_s:
            self._send(first)
            time.sleep(0.5)

    def _encoded(self, image: cv2.typing.MatLike) -> bytes:
        return cv2.imencode(".jpg", image, (cv2.IMWRITE_JPEG_QUALITY, QUALITY))[1].tobytes()

    def _send(self, picture: bytes) -> None:
        head = f"--{_BOUNDARY}\r\nContent-Type: image/jpeg\r\nContent-Length: {len(picture)}\r\n\r\n"
        self.wfile.write(head.encode() + picture + b"\r\n")


def main() -> None:
    """Serve until Ctrl-C."""
    Camera.clip = Path(sys.argv[1])
    with ThreadingHTTPServer(("127.0.0.1", int(sys.argv[2])), Camera) as server:
        server.serve_forever()


if __name__ == "__main__":
    main()
