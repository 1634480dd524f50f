"""Real servers of video for tests, all of them programs of ffmpeg: RTMP, SRT, MPEG-TS over HTTP and UDP, HLS."""

from __future__ import annotations

import subprocess
import threading
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

from tests.waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

QUIET = ("ffmpeg", "-hide_banner", "-nostdin", "-y", "-v", "error")
PASSPHRASE = "a long secret"  # noqa: S105 - of a server of tests


def film(path: Path, seconds: int = 30, *more: str) -> Path:
    """A test card in H.264 at 10 frames/s, 320 x 240, a key frame each half second."""
    card = f"testsrc2=size=320x240:rate=10:duration={seconds}"
    coded = ("-c:v", "libx264", "-preset", "ultrafast", "-g", "5", "-bf", "0", "-pix_fmt", "yuv420p")
    subprocess.run([*QUIET, "-f", "lavfi", "-i", card, *coded, *more, str(path)], check=True)
    return path


def card_mpegts(path: Path, seconds: int = 2) -> bytes:
    """A short film as MPEG-TS."""
    return film(path.with_suffix(".ts"), seconds).read_bytes()


@contextmanager
def sent(clip: Path, kind: str, address: str, *options: str) -> Iterator[subprocess.Popen[bytes]]:
    """ffmpeg, which sends `clip` as fast as it plays, over and over, to whoever asks at `address`."""
    looped = ("-re", "-stream_loop", "-1", "-i", str(clip), "-c", "copy", "-flush_packets", "1")
    process = subprocess.Popen([*QUIET, *looped, "-f", kind, *options, address], stderr=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


class _Quiet(SimpleHTTPRequestHandler):
    """Serves a folder, to who has the token where the server has one."""

    def do_GET(self) -> None:
        wanted = getattr(self.server, "token", "")
        if wanted and self.headers.get("Authorization") != wanted:
            self.send_response(401)
            self.send_header("WWW-Authenticate", 'Basic realm="camera"')
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        super().do_GET()

    def log_message(self, *_: object) -> None:
        """Tests need no access log."""


@contextmanager
def served(folder: Path, token: str = "") -> Iterator[str]:
    """The address of an HTTP server of the files of `folder`."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder)))
    server.token = token  # type: ignore[attr-defined]  # its handler asks for it
    server.handle_error = lambda *_: None  # type: ignore[method-assign]  # a reader that leaves is no error
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def hls(clip: Path, folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """ffmpeg, which writes a live playlist and segments of one second into `folder`."""
    options = ("-hls_time", "1", "-hls_list_size", "4", "-hls_flags", "delete_segments")
    with sent(clip, "hls", str(folder / "live.m3u8"), *options) as process:
        wait_for((folder / "live.m3u8").exists, "a playlist")
        yield process
