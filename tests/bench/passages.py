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
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from models.evaluate.machine import describe
from models.evaluate.streets import fleet
from models.synth import street
from models.synth.noise import grain
from roadside.core.continuing import TrackPolicy
from roadside.core.plates import fold
from roadside.core.showing import EvidenceRule

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from models.synth.canvas import Bgr

DRAWN_FPS = 10
"""Frames a second that are drawn: others are some of them."""
PACES = (10.0, 5.0, 2.0, 1.0, 0.7, 0.3)
HIDDEN_S = (2.0, 5.0, 15.0)
DROP_S = 20.0
PARKED_MINUTES = 20.0
SMALLEST_PX = 20.0
"""Of plates that may be told."""
STREETS = 4
"""Streets of six vehicles one after another; each plate passes once, for a plate that comes again at once is one."""
QUIET_S = 25.0
"""How long the empty street is shown before the end, so that everything can be told."""
QUALITY = (cv2.IMWRITE_JPEG_QUALITY, 88)
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


@dataclass(frozen=True, slots=True)
class Picture:
    """A frame of a scene."""

    jpeg: bytes
    readable: frozenset[str] = frozenset()
    """The plates that can be read in it, folded."""
    smaller: frozenset[str] = frozenset()
    """Those that are too small to be asked for."""
    at_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Scene:
    """What a camera shows, and when it is not there."""

    name: str
    fps: float
    pictures: Sequence[Picture]
    away_s: tuple[float, float] = (0.0, 0.0)
    """From when to when the camera hangs up and refuses."""


# --- What the cameras show ------------------------------------------------------------------------


def drawn(seed: int, vehicles: int = 6) -> tuple[list[Bgr], list[Picture]]:
    """A street's frames at DRAWN_FPS."""
    clip = street.Clip(fps=DRAWN_FPS, seed=seed)
    models = street.build(np.random.default_rng(seed), fleet(seed)[:vehicles])
    wide, all_ = (street.passages(clip, models, px) for px in (EvidenceRule().least_width_px, SMALLEST_PX))
    images = list(street.frames(np.random.default_rng(seed), clip, models))
    times = [index / DRAWN_FPS for index in range(len(images))]
    pictures = [Picture(coded(image), _at(wide, t), _at(all_, t)) for image, t in zip(images, times, strict=True)]
    return images, pictures


def _at(spans: Sequence[street.Passage], time_s: float) -> frozenset[str]:
    return frozenset(fold(one.plate) for one in spans if one.first_s <= time_s <= one.last_s)


def coded(image: Bgr) -> bytes:
    """As JPEG."""
    return cv2.imencode(".jpg", image, QUALITY)[1].tobytes()


def at_pace(pictures: Sequence[Picture], fps: float) -> tuple[Picture, ...]:
    """Those of pictures at DRAWN_FPS that a camera with `fps` takes, then the last one for QUIET_S."""
    step = DRAWN_FPS / fps
    chosen = [pictures[int(place * step)] for place in range(int(len(pictures) / step))]
    chosen += [Picture(pictures[-1].jpeg)] * round(QUIET_S * fps + 1)
    return tuple(replace(one, at_s=place / fps) for place, one in enumerate(chosen))


def stopping(seed: int, seconds: float, hidden_s: float = 0.0) -> list[Picture]:
    """One vehicle that stops where its plate is largest for `seconds`, `hidden_s` of them behind something."""
    images, pictures = drawn(seed, vehicles=1)
    stop = max(index for index, one in enumerate(pictures) if one.readable) - 3
    rng = np.random.default_rng(seed)
    still = [replace(pictures[stop], jpeg=coded(_grained(rng, images[stop]))) for _ in range(8)]
    behind = [Picture(coded(_grained(rng, _hidden(images[stop], images[0])))) for _ in range(8)]
    first, last = (seconds - hidden_s) / 2, (seconds + hidden_s) / 2
    held = [
        (behind if hidden_s and first <= place / DRAWN_FPS < last else still)[place % 8]
        for place in range(round(seconds * DRAWN_FPS))
    ]
    return [*pictures[:stop], *held, *pictures[stop:]]


def _grained(rng: np.random.Generator, image: Bgr) -> Bgr:
    height, width = image.shape[:2]
    noise = (grain(rng, (height, width)) * np.float32(1.1)).round().astype(np.int16)
    return np.asarray(cv2.add(image, cv2.merge([noise] * 3), dtype=cv2.CV_8U), np.uint8)


def _hidden(image: Bgr, empty: Bgr) -> Bgr:
    """The vehicle behind a lorry: a grey side from the left edge to the right one, the street's own light on it."""
    out = image.copy()
    top = out.shape[0] // 5
    shade = empty[top:].mean(axis=(0, 1)) * 0.6
    out[top:] = (shade + np.linspace(-12, 12, out.shape[0] - top)[:, None, None]).clip(0, 255).astype(np.uint8)
    return out


def scenes(parked_minutes: float) -> list[Scene]:
    """Everything that is measured."""
    streets = [drawn(seed)[1] for seed in range(60, 60 + STREETS)]
    looped = [one for pictures in streets for one in pictures]
    found = [Scene("street", fps, at_pace(looped, fps)) for fps in PACES]
    found += [Scene(f"hidden for {s:.0f} s", 5.0, at_pace(stopping(71, s + 6, s), 5.0)) for s in HIDDEN_S]
    first, second = streets[0], streets[1]
    cut = round(0.6 * len(first))  # while vehicles are in view
    gone = (cut / DRAWN_FPS, cut / DRAWN_FPS + DROP_S)
    shown = [*first[:cut], *[Picture(first[-1].jpeg)] * round(DROP_S * DRAWN_FPS), *second]
    found.append(Scene(f"camera away for {DROP_S:.0f} s", 5.0, at_pace(shown, 5.0), gone))
    if parked_minutes:
        parked = at_pace(stopping(72, parked_minutes * 60), 2.0)
        found.append(Scene(f"parked for {parked_minutes:g} minutes", 2.0, parked))
    return found


# --- The camera and the product -------------------------------------------------------------------


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
