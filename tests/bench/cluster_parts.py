"""What `make bench-cluster` puts in place of cameras and detectors; the rest of the cluster is what is installed.

`cameras` publishes real JPEG frames, one camera after another within each second, as capture does. `detector` hands
over the crops that a detector found in these frames before, without decoding or looking: what that costs is measured
apart. Both take the settings of the services that they stand for, and write what they counted when they are ended.
"""

from __future__ import annotations

import json
import os
import pickle
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry

from roadside.adapters.system_clock import SystemClock
from roadside.assembly.context import open_bus
from roadside.assembly.settings import CaptureSettings, DetectorSettings, load_service_settings
from roadside.core.events import CropEvent, EncodedPicture, FrameEvent, PictureEncoding
from roadside.core.frames import CameraId
from roadside.detector.metrics import SPECS
from roadside.errors import RoadsideError
from roadside.kit.backoff import Backoff
from roadside.kit.health import Health
from roadside.kit.lifecycle import Lifecycle
from roadside.kit.prometheus import PrometheusMeter
from roadside.kit.retry import RetryPolicy
from roadside.kit.stage_runner import LoopParts, RunnerLimits, StageRunner
from roadside.ports.bus import CROPS, FRAMES, Room
from roadside.wire.pictures import TravellingPicture

if TYPE_CHECKING:
    from collections.abc import Sequence

    from roadside.core.frames import Crop

PASSAGE_EVERY_S = 20
"""A vehicle passes each camera so often: 180 an hour."""


@dataclass(frozen=True, slots=True)
class Street:
    """What all cameras see: pictures of one passage, and one of the empty road."""

    empty: bytes
    """A JPEG file, as are the others."""
    passage: tuple[tuple[bytes, tuple[Crop, ...]], ...]
    """Of each picture the crops that a detector found in it."""


def cameras(street: Street, count: int, fps: float, counted: Path) -> None:
    """Publish until SIGTERM."""
    settings = load_service_settings(CaptureSettings, {}, os.environ)
    bus, lifecycle, clock = open_bus("capture", settings), Lifecycle(), SystemClock()
    lifecycle.listen()
    room = Room(settings.frames_limit, settings.frames_bytes, settings.frames_age_s)
    names = [CameraId(f"camera-{number}") for number in range(count)]
    for name in names:
        bus.set_camera(name, live=True, ended=False)
    sent = dropped = late = passages = 0
    # Cameras before which a vehicle is: one whose passage is cut off by the end may be stored, too.
    under_way: dict[int, bool] = {}
    counted.with_suffix(".ready").touch()
    started_s, turn = time.monotonic(), 0
    while not lifecycle.stopping.is_set():
        number, sequence = turn % count, turn // count
        due_s = started_s + turn / (count * fps)
        if lifecycle.stopping.wait(max(0.0, due_s - time.monotonic())):
            break
        late += time.monotonic() - due_s > 1 / fps
        step = (sequence + number * 7) % round(PASSAGE_EVERY_S * fps)  # not all pass at once
        jpeg = street.passage[step][0] if step < len(street.passage) else street.empty
        picture = TravellingPicture(EncodedPicture(PictureEncoding.JPEG, jpeg))
        event = FrameEvent(names[number], clock.now_ns(), sequence, picture, live=True)
        try:
            is_in = bus.publish(FRAMES, event, room=room)
        except RoadsideError:
            is_in = False
        sent, dropped = sent + is_in, dropped + (not is_in)
        passages += step == len(street.passage)
        under_way[number] = step < len(street.passage)
        turn += 1
    cut = sum(under_way.values())
    write(counted, sent=sent, dropped=dropped, late=late, passages=passages, cut=cut, bytes=len(street.empty))
    bus.close()


class KnownCrops:
    """A detector's step that looks up what was found in a frame before."""

    def __init__(self, street: Street) -> None:
        self._found = {jpeg: crops for jpeg, crops in street.passage if crops}
        self.frames = 0
        self.crops = 0
        self.longest_s = 0.0

    def handle(self, event: FrameEvent) -> Sequence[CropEvent]:
        """See `Stage.handle`."""
        self.frames += 1
        self.longest_s = max(self.longest_s, (time.time_ns() - event.captured_at_ns) / 1e9)
        found = self._found.get(event.picture.encoded().data, ())
        self.crops += len(found)
        return [
            CropEvent(
                replace(
                    crop,
                    camera_id=event.camera_id,
                    captured_at_ns=event.captured_at_ns,
                    sequence=event.sequence,
                    stamp=None,
                    background=None,
                ),
                event.picture,
            )
            for crop in found
        ]


def detector(street: Street, counted: Path) -> None:
    """Hand over crops until SIGTERM."""
    settings = load_service_settings(DetectorSettings, {}, os.environ)
    bus, lifecycle, stage = open_bus("detector", settings), Lifecycle(), KnownCrops(street)
    lifecycle.listen()
    meter = PrometheusMeter("detector", SPECS, CollectorRegistry())
    health, stopping = Health((), time.monotonic), lifecycle.stopping
    retry = RetryPolicy("d", meter=meter, health=health, backoff=Backoff(Random(1)), stopping=stopping, drain_s=1)
    parts = LoopParts(bus, meter, SystemClock(), health, retry, stopping)
    counted.with_suffix(".ready").touch()
    StageRunner(FRAMES, CROPS, stage, parts, RunnerLimits(max_messages=2)).run()
    write(counted, frames=stage.frames, crops=stage.crops, longest_s=stage.longest_s)
    bus.close()


def write(path: Path, **numbers: float) -> None:
    """Tell the bench."""
    path.write_text(json.dumps(numbers), encoding="utf-8")


def main() -> int:
    """`cluster_parts cameras|detector STREET COUNTED [CAMERAS FPS]`."""
    which, street_file, counted, *rest = sys.argv[1:]
    street: Street = pickle.loads(Path(street_file).read_bytes())  # noqa: S301 - the bench wrote it
    if which == "cameras":
        cameras(street, int(rest[0]), float(rest[1]), Path(counted))
    else:
        detector(street, Path(counted))
    return 0


if __name__ == "__main__":
    sys.exit(main())
