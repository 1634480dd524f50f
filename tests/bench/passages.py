"""`make bench-passages`: is every passage told once, and how soon, by `roadside run` on a live camera at any pace?

A motion JPEG camera shows drawn streets with known vehicles at 10 to 0.3 frames a second, a vehicle that parks, one
that something hides for a while, and a camera that drops. A passage counts where the camera sent at least one frame
in which its plate can be read; it is told when the line of its sighting arrives. All scenes run at once, each with a
camera and a process of its own, in the time that they really take. Plates are readable from the width on that the
product asks for; of those that are smaller throughout it may tell or not.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING

from models.evaluate.machine import describe
from roadside.core.continuing import TrackPolicy
from roadside.core.plates import fold
from tests.bench.passages_shown import scenes

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tests.bench.passages_shown import Scene


PARKED_MINUTES = 20.0
HEADS = (
    "scene",
    "frames a second",
    "passages",
    "told once",
    "twice",
    "never",
    "others",
    "seconds without it that end it",
    "told after its last frame, s",
)


class Camera(ThreadingHTTPServer):
    """Shows a scene once, from its first visitor on, in the time that it takes; hangs up and refuses while away."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, scene: Scene) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.scene = scene
        self.begun_s: float | None = None
        self.readable: set[str] = set()
        """The plates that could be read in a frame that was sent."""
        self.last_sent_s: dict[str, float] = {}
        """When the last frame with a plate, however small, was sent, by the monotonic clock."""
        self.over = threading.Event()

    def handle_error(self, *_: object) -> None:
        """A visitor that leaves is no error of the camera."""

    @property
    def elapsed_s(self) -> float:
        """Since the first visitor came."""
        if self.begun_s is None:
            self.begun_s = time.monotonic()
        return time.monotonic() - self.begun_s

    @property
    def away(self) -> bool:
        """Whether nobody gets an answer now."""
        return self.scene.away_s[0] <= self.elapsed_s < self.scene.away_s[1]


class _Handler(BaseHTTPRequestHandler):
    server: Camera

    def do_GET(self) -> None:
        camera = self.server
        if camera.away:
            self.send_error(503)
            return
        self.send_response(200)
        self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
        self.end_headers()
        for picture in camera.scene.pictures:
            if picture.at_s < camera.elapsed_s - 0.5 / camera.scene.fps:
                continue  # a visitor that comes late sees what comes now
            time.sleep(max(picture.at_s - camera.elapsed_s, 0.0))
            if camera.away:
                return
            self.wfile.write(b"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n" % len(picture.jpeg))
            self.wfile.write(picture.jpeg + b"\r\n")
            camera.readable |= picture.readable
            camera.last_sent_s.update(dict.fromkeys(picture.readable | picture.smaller, time.monotonic()))
        camera.over.set()
        time.sleep(5)  # the product is stopped before the camera hangs up

    def log_message(self, *_: object) -> None:
        """No access log."""


@contextmanager
def showing(scene: Scene) -> Iterator[Camera]:
    """A camera that shows the scene."""
    camera = Camera(scene)
    threading.Thread(target=camera.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    try:
        yield camera
    finally:
        camera.shutdown()
        camera.server_close()


@dataclass(slots=True)
class Outcome:
    """What was told of a scene."""

    scene: Scene
    wanted: frozenset[str] = frozenset()
    """Plates that could be read in at least one frame that was sent."""
    smaller: frozenset[str] = frozenset()
    """Those that were sent, though too small throughout."""
    told: Counter[str] = field(default_factory=Counter)
    after_s: list[float] = field(default_factory=list)
    """From the last frame with the plate to the line that tells of it."""

    def row(self) -> tuple[str, ...]:
        """For the table."""
        once = sum(self.told[plate] == 1 for plate in self.wanted)
        twice = sorted(plate for plate, times in self.told.items() if times > 1)
        late = sorted(self.after_s)
        spread = f"{late[len(late) // 2]:.1f}, at most {late[-1]:.1f}" if late else "-"
        counts = (str(len(self.wanted)), str(once), *map(_named, (twice, self._never(), self._others())))
        return (self.scene.name, f"{self.scene.fps:g}", *counts, f"{self._gap_s():.1f}", spread)

    def right(self) -> bool:
        """Whether each passage was told exactly once and nothing else."""
        return not self._never() and not self._others() and all(times == 1 for times in self.told.values())

    def _gap_s(self) -> float:
        """How long a vehicle is waited for at this pace."""
        policy = TrackPolicy()
        return min(max(policy.max_gap_s, policy.max_gap_frames / self.scene.fps), policy.longest_gap_s)

    def _never(self) -> list[str]:
        return sorted(plate for plate in self.wanted if not self.told[plate])

    def _others(self) -> list[str]:
        return sorted(set(self.told) - self.wanted - self.smaller)


def _named(plates: Sequence[str]) -> str:
    return f"{len(plates)} ({', '.join(plates)})" if plates else "0"


def watch(scene: Scene) -> Outcome:
    """The scene through `roadside run --json`, until its end."""
    outcome = Outcome(scene)
    with tempfile.TemporaryDirectory() as folder, showing(scene) as camera:
        address = f"http://127.0.0.1:{camera.server_port}/stream"
        kept = [f"--{name}={Path(folder) / name}" for name in ("db", "evidence", "keys")]
        command = [
            sys.executable,
            "-m",
            "roadside.cli",
            "run",
            address,
            "--json",
            "--show-plates",
            "--timeout-s=12",
            *kept,
        ]
        said = Path(folder) / "said"
        with (
            said.open("w") as errors,
            subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True) as product,
        ):
            reader = threading.Thread(target=_listen, args=(product, camera, outcome))
            reader.start()
            while not camera.over.wait(1.0):
                if product.poll() is not None:
                    raise RuntimeError(f"the product ended before {scene.name} was over: {said.read_text()[-400:]}")
            product.terminate()
            product.wait(60)
            reader.join()
        outcome.wanted = frozenset(camera.readable)
        outcome.smaller = frozenset(camera.last_sent_s) - outcome.wanted
    return outcome


def _listen(product: subprocess.Popen[str], camera: Camera, outcome: Outcome) -> None:
    assert product.stdout is not None
    for line in product.stdout:
        now_s, told = time.monotonic(), json.loads(line)
        outcome.told[fold(told["plate"])] += 1
        if (last_s := camera.last_sent_s.get(fold(told["plate"]))) is not None:
            outcome.after_s.append(now_s - last_s)


def main() -> int:
    """Print the table; 1 where a passage was not told exactly once."""
    parser = argparse.ArgumentParser(prog="tests.bench.passages", description=main.__doc__)
    parser.add_argument("--parked-minutes", type=float, default=PARKED_MINUTES, help="0 leaves the parked vehicle out")
    parser.add_argument("--only", default="", help="scenes whose name begins so")
    chosen = parser.parse_args()
    shown = [one for one in scenes(chosen.parked_minutes) if one.name.startswith(chosen.only)]
    longest = max(one.pictures[-1].at_s for one in shown)
    print(f"{len(shown)} scenes at once, {longest / 60:.0f} minutes", file=sys.stderr, flush=True)
    print(f"*{describe()}*\n\n| " + " | ".join(HEADS) + " |\n|" + "---|" * len(HEADS), flush=True)
    outcomes = []
    with ThreadPoolExecutor(len(shown)) as pool:
        for outcome in pool.map(watch, shown):
            print("| " + " | ".join(outcome.row()) + " |", flush=True)
            outcomes.append(outcome)
    return 0 if all(outcome.right() for outcome in outcomes) else 1


if __name__ == "__main__":
    raise SystemExit(main())
