"""Real cameras for tests: an RTSP server, an HTTP motion JPEG server, and a program that does what rpicam-vid does."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

SYSTEM_PYTHON = "/usr/bin/python3"
"""Debian's own: the one that sees python3-gi."""
START_TIMEOUT_S = 30.0

RTSP_SERVER = """
import sys, gi
gi.require_version("Gst", "1.0"); gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtspServer
Gst.init(None)
server = GstRtspServer.RTSPServer(); server.set_service(sys.argv[2]); server.set_address("127.0.0.1")
factory = GstRtspServer.RTSPMediaFactory(); factory.set_shared(True)
factory.set_launch(sys.argv[1])
if sys.argv[3]:
    auth, token, rights = GstRtspServer.RTSPAuth(), GstRtspServer.RTSPToken(), GstRtspServer.RTSPPermissions()
    token.set_string("media.factory.role", "viewer")
    auth.add_basic(GstRtspServer.RTSPAuth.make_basic(*sys.argv[3].split(":")), token); server.set_auth(auth)
    for right in ("access", "construct"):
        rights.add_permission_for_role("viewer", "media.factory." + right, True)
    factory.set_permissions(rights)
server.get_mount_points().add_factory("/street", factory)
server.attach(None)
print(server.get_bound_port(), flush=True)
GLib.MainLoop().run()
"""
RTSP_PICTURES = {
    "h264": "( videotestsrc is-live=true ! video/x-raw,width=640,height=360,framerate=15/1 ! x264enc tune=zerolatency "
    "key-int-max=15 ! rtph264pay name=pay0 pt=96 )",
    "mjpeg": "( videotestsrc is-live=true ! video/x-raw,width=640,height=360,framerate=15/1,format=I420 ! jpegenc "
    "! rtpjpegpay name=pay0 pt=26 )",
}

RPICAM = """#!{python}
# Does what `rpicam-vid --codec mjpeg --output -` does: whole JPEGs one after another, notes on stderr.
import sys, time
import cv2, numpy as np
arguments = dict(zip(sys.argv[1::1], sys.argv[2::1]))
assert arguments["--codec"] == "mjpeg" and arguments["--output"] == "-", sys.argv
width, height = int(arguments["--width"]), int(arguments["--height"])
print("[0:00:00] INFO Camera camera_manager.cpp libcamera v0.3", file=sys.stderr, flush=True)
for i in range({frames}):
    picture = np.full((height, width, 3), i % 250, np.uint8)
    sys.stdout.buffer.write(cv2.imencode(".jpg", picture)[1].tobytes())
    sys.stdout.buffer.flush()
    time.sleep(1 / int(arguments["--framerate"]))
if {fails}:
    sys.exit("ERROR: *** no cameras available ***")
"""


def rtsp_of_pictures(folder: Path, fps: int) -> str:
    """What an RTSP server plays for ever: the pictures 00000.jpg and on of a folder."""
    return (
        f"( multifilesrc location={folder}/%05d.jpg loop=true caps=image/jpeg,framerate={fps}/1 ! jpegparse "
        "! identity sync=true ! rtpjpegpay name=pay0 pt=26 )"
    )


@contextmanager
def rtsp_server(kind: str, port: int = 0, user: str = "") -> Iterator[tuple[str, Callable[[], None]]]:
    """The address of a GStreamer RTSP server that plays one of RTSP_PICTURES or what is described; how to kill it.

    It takes any port where none is given; `user` with a colon and the password is who may look.
    """
    server = subprocess.Popen(
        [SYSTEM_PYTHON, "-c", RTSP_SERVER, RTSP_PICTURES.get(kind, kind), str(port), user],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )

    def kill() -> None:
        server.kill()
        server.wait()

    try:
        assert server.stdout is not None
        bound = server.stdout.readline().decode().strip()
        if not bound:
            assert server.stderr is not None
            raise RuntimeError(f"the RTSP server did not start: {server.stderr.read().decode()[-500:]}")
        yield f"rtsp://127.0.0.1:{bound}/street", kill
    finally:
        kill()
        for pipe in (server.stdout, server.stderr):
            if pipe is not None:
                pipe.close()


class MjpegHandler(BaseHTTPRequestHandler):
    """Sends `server.pictures` and then what the server says, and hangs up; other paths are refused."""

    server: MjpegServer

    def do_GET(self) -> None:
        if self.path == "/page":
            self._head("text/html")
            self.wfile.write(b"<html>camera</html>")
            return
        if self.path != "/stream":
            self.send_error(404)
            return
        if self.server.token and self.headers.get("Authorization") != self.server.token:
            self.send_response(401)
            self.send_header("WWW-Authenticate", 'Basic realm="camera"')
            self.end_headers()
            return
        self.server.connections += 1
        self._head("multipart/x-mixed-replace; boundary=frame")
        for picture in self.server.pictures:
            self._picture(picture)
            time.sleep(self.server.pause_s)  # as many a second as a camera sends
        while self.server.afterwards and not self.server.released.wait(self.server.pause_s):
            self._picture(self.server.afterwards)
        if self.server.hangs:
            self.server.released.wait(30)

    def _picture(self, picture: bytes) -> None:
        head = b"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n" % len(picture)
        self.wfile.write(head + picture + b"\r\n")

    def _head(self, kind: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Tests need no access log."""


class MjpegServer(ThreadingHTTPServer):
    """A camera on 127.0.0.1, on a free port."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, pictures: int, *, pause_s: float = 0.01, token: str = "", hangs: bool = False) -> None:
        super().__init__(("127.0.0.1", 0), MjpegHandler)
        shades = [np.full((120, 160, 3), i % 250, np.uint8) for i in range(pictures)]
        self.pictures = [cv2.imencode(".jpg", shade)[1].tobytes() for shade in shades]
        self.pause_s = pause_s
        self.token = token
        self.hangs = hangs
        self.connections = 0
        self.afterwards = b""
        """A picture that is sent again and again after the others."""
        self.released = threading.Event()

    def handle_error(self, *_: object) -> None:
        """A reader that leaves is no error of the camera."""

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


@contextmanager
def mjpeg_server(
    pictures: int, *, pause_s: float = 0.01, token: str = "", hangs: bool = False
) -> Iterator[MjpegServer]:
    """A running HTTP camera."""
    server = MjpegServer(pictures, pause_s=pause_s, token=token, hangs=hangs)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield server
    finally:
        server.released.set()
        server.shutdown()
        server.server_close()
        thread.join()


def write_rpicam(folder: Path, frames: int, *, fails: bool = False) -> Path:
    """An executable `rpicam-vid` in `folder`."""
    program = folder / "rpicam-vid"
    program.write_text(RPICAM.format(python=sys.executable, frames=frames, fails=fails))
    program.chmod(0o755)
    return program
