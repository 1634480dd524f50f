"""`make bench-sources`: each kind of network source against a real server: first frame, drop, return, passwords, times.

A line of the table of docs/cameras.md for each; what cannot be measured here says why.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import shutil
import subprocess
import tempfile
import threading
import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from models.evaluate.machine import describe
from roadside.adapters.sources.live import CameraSettings
from roadside.adapters.sources.video import open_source
from roadside.adapters.system_clock import SystemClock
from roadside.core.frames import CameraId
from roadside.errors import SourceError
from tests.cameras import rtsp_server
from tests.ports import reserved_port
from tests.streams import PASSPHRASE, film, hls, sent, served
from tests.waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from contextlib import AbstractContextManager

SETTINGS = CameraSettings(timeout_s=5, backoff_s=0.1, longest_backoff_s=0.5, first_attempts=600)
USER = "bob:right"
STEPS = 30
NGINX_MODULE = Path("/usr/lib/nginx/modules/ngx_rtmp_module.so")
NGINX = """load_module {module};
daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/error.log;
events {{ }}
rtmp {{ server {{ listen 127.0.0.1:{port}; application live {{ live on; }} }} }}
"""
HEADS = ("source", "first frame", "drop told after", "read again after", "wrong password", "nobody there",
         "furthest that a step between frames was off")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Tried:
    """A source and its server."""

    name: str
    serve: Callable[[], AbstractContextManager[object]]
    """Starts the server, each time at the same address."""
    address: str
    step_s: float = 0.1
    settings: CameraSettings = SETTINGS
    wrong: str = ""
    """The address with another password, where there is one."""


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help="sources whose name has this in it")
    only = parser.parse_args().only
    print(f"{datetime.now(UTC):%d %B %Y}. {describe()}\n")
    print(f"| {' | '.join(HEADS)} |\n|{' --- |' * len(HEADS)}", flush=True)
    with tempfile.TemporaryDirectory(prefix="roadside-sources-") as folder:
        clip = film(Path(folder) / "film.mp4", 20)
        for tried in sources(clip, Path(folder)):
            if only in tried.name:
                print(f"| {' | '.join(measured(tried))} |", flush=True)


def sources(clip: Path, folder: Path) -> Iterator[Tried]:
    """All that this computer has a server for."""
    port = reserved_port()
    address = f"rtsp://bob:right@127.0.0.1:{port}/street"
    wrong = address.replace("right", "wrong")
    for name, transport, decoder in (
        ("TCP", "tcp", "pyav"),
        ("UDP", "udp", "pyav"),
        ("TCP by OpenCV", "tcp", "opencv"),
    ):
        settings = replace(SETTINGS, transport=transport, decoder=decoder)  # type: ignore[arg-type]  # as the literals
        serve = lambda: rtsp_server("h264", port, USER)  # noqa: E731 - the same port again
        yield Tried(f"RTSP over {name}, H.264", serve, address, 1 / 15, settings, wrong)
    rtmp = f"rtmp://127.0.0.1:{reserved_port()}/live/gate"
    if shutil.which("nginx") and NGINX_MODULE.is_file():
        yield Tried("RTMP, nginx", lambda: nginx(clip, rtmp, folder), rtmp)
    yield Tried("RTMP, ffmpeg", lambda: sent(clip, "flv", rtmp, "-listen", "1"), rtmp)
    srt = f"srt://127.0.0.1:{reserved_port()}"
    secret = f"passphrase={PASSPHRASE.replace(' ', '%20')}"
    listener = f"{srt}?mode=listener&{secret}"
    other = f"{srt}?passphrase=another%20long%20one"
    yield Tried("SRT with a passphrase", lambda: sent(clip, "mpegts", listener), f"{srt}?{secret}", wrong=other)
    http = f"http://127.0.0.1:{reserved_port()}/gate.ts"
    yield Tried("MPEG-TS over HTTP", lambda: sent(clip, "mpegts", http, "-listen", "1"), http)
    udp = f"udp://127.0.0.1:{reserved_port()}"
    yield Tried("MPEG-TS over UDP", lambda: sent(clip, "mpegts", udp), udp)
    playlist = Path(tempfile.mkdtemp(dir=folder))
    with served(playlist) as host:
        yield Tried("HLS, segments of 1 s", lambda: hls(clip, playlist), f"{host}/live.m3u8")


@contextlib.contextmanager
def nginx(clip: Path, address: str, folder: Path) -> Iterator[None]:
    """nginx with its RTMP module, and ffmpeg, which publishes to it; both end together."""
    port = int(address.split(":")[2].split("/", maxsplit=1)[0])
    config = folder / "nginx.conf"
    config.write_text(NGINX.format(module=NGINX_MODULE, folder=folder, port=port), encoding="utf-8")
    command = ["nginx", "-c", str(config), "-p", str(folder), "-e", str(folder / "error.log")]
    server = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    try:
        wait_for((folder / "nginx.pid").exists, "nginx")
        with sent(clip, "flv", address):
            yield
    finally:
        server.terminate()
        server.wait()


class Watcher:
    """Watches a source in a thread, and notes when what came."""

    def __init__(self, tried: Tried) -> None:
        self.drops: list[float] = []
        self.seen: list[tuple[float, int]] = []
        """Of each frame when it came, and the time that it bears in nanoseconds."""
        self._source = open_source(
            tried.address, CameraId("bench"), SystemClock(), tried.settings,
            on_drop=lambda _: self.drops.append(time.monotonic()),
        )  # fmt: skip
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()

    def close(self) -> None:
        """Ends it."""
        self._source.close()
        self._thread.join()

    def frame_after(self, at_s: float, count: int = 1) -> float:
        """Seconds from then to the first frame that came afterwards, once `count` have. Raises TimeoutError."""
        wait_for(lambda: sum(came > at_s for came, _ in self.seen) >= count, "frame")
        return next(came for came, _ in self.seen if came > at_s) - at_s

    def drop_after(self, at_s: float) -> float:
        """Seconds from then to the first drop that was told. Raises TimeoutError."""
        wait_for(lambda: any(told > at_s for told in self.drops), "word of a drop")
        return next(told for told in self.drops if told > at_s) - at_s

    def _watch(self) -> None:
        with contextlib.suppress(SourceError):
            for frame in self._source.frames():
                self.seen.append((time.monotonic(), frame.captured_at_ns))


def measured(tried: Tried) -> list[str]:
    """A line of the table."""
    with contextlib.ExitStack() as server:
        server.enter_context(tried.serve())
        began = time.monotonic()
        watcher = Watcher(tried)
        try:
            first_s = watcher.frame_after(began, STEPS + 1)
            off_ms = furthest_off_ms([at_ns for _, at_ns in watcher.seen[: STEPS + 1]], tried.step_s)
            server.close()
            gone = time.monotonic()
            drop_s = watcher.drop_after(gone)
            again = time.monotonic()
            server.enter_context(tried.serve())
            again_s = watcher.frame_after(again)
        finally:
            watcher.close()
    nobody = refusal(tried.address)
    wrong = "has none" if not tried.wrong else refused(tried, nobody)
    times = (f"{seconds:.1f} s" for seconds in (first_s, drop_s, again_s))
    return [tried.name, *times, wrong, nobody, f"{off_ms:.0f} ms"]


def furthest_off_ms(times_ns: Sequence[int], step_s: float) -> float:
    """How far the worst step between two frames was from the true one."""
    return max(abs((b - a) / 1e6 - step_s * 1e3) for a, b in itertools.pairwise(times_ns))


def refused(tried: Tried, nobody: str) -> str:
    """What is said of a wrong password by a server that is up."""
    with tried.serve():
        for _ in range(40):
            if (said := refusal(tried.wrong)) != nobody:
                return said
    return f"the same: {nobody}"


def refusal(address: str) -> str:
    """What is said instead of a frame."""
    source = open_source(address, CameraId("bench"), SystemClock(), CameraSettings(timeout_s=5))
    with contextlib.closing(source):
        try:
            next(iter(source.frames()), None)
        except SourceError as error:
            return str(error).partition(": ")[2].partition(";")[0]
    return "what is left there plays on"


if __name__ == "__main__":
    main()
