"""Spoilt photographs driven past the nets: what detector, corner net and reader make of each frame, kept on disk.

Finding and reading is what takes long, and depends on the nets alone: it is kept under a name made of all that it
depends on, so that rules can be judged anew in seconds, and a run that was stopped goes on where it was.
"""

from __future__ import annotations

import gzip
import hashlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, cast

import cv2
import numpy as np

from models.data.split import bucket
from models.synth.camera import compressed
from models.verdict.further import FURTHER
from models.verdict.spoils import SPOILS, Plate
from roadside.core.detect import crop_plate
from roadside.core.events import ReadEvent
from roadside.core.frames import Box, CameraId, Frame
from roadside.core.geometry import intersection
from roadside.core.reads import PlacedRead
from roadside.vision import SweepingFinder, open_detector, open_reader
from roadside.wire.codec import decode_read, encode_read

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from models.verdict.subjects import Subject
    from roadside.core.frames import Corners, Crop
    from roadside.ports.vision import Reader
    from roadside.vision import PlateFinder

CONDITIONS = {**SPOILS, **FURTHER}
FRAMES = 10
FRAME_NS = 40_000_000
RECIPE = "1"
"""Changed with whatever makes the frames, so that no frame of an older recipe is taken for one of this."""
FOUND_WITH = ("detect.tflite", "corners.tflite")
READ_WITH = ("read.tflite", "reader.json")
SPEED_WIDTHS = 0.4
"""Of a plate, that a vehicle moves from one frame to the next: 0.2 m in 40 ms, 19 km/h across the picture. A photograph
stands still, and what stands still accuses nobody; so the boxes are shifted after reading, the pixels are not."""
LEAST_CONFIDENCE = 0.2
"""As the setting `confidence` has it."""
NOISE = 2.5
"""Standard deviation of the sensor, grey values."""
SLACK_PX = 48
QUALITY = 88


@dataclass(frozen=True, slots=True)
class Nets:
    """What sees and reads, and a name for all of it."""

    finder: PlateFinder
    reader: Reader
    name: str


def open_nets(detector: Path, reader: Path) -> Nets:
    """The nets of two folders. Raises ModelError."""
    files = [folder / name for folder, names in ((detector, FOUND_WITH), (reader, READ_WITH)) for name in names]
    digest = hashlib.sha256(b"".join(file.read_bytes() for file in files if file.is_file())).hexdigest()
    return Nets(open_detector(detector), open_reader(reader), digest[:16])


@dataclass(frozen=True, slots=True)
class Passage:
    """A vehicle that passed in a condition."""

    subject: Subject
    condition: str
    reads: tuple[PlacedRead, ...]
    """Of all frames, those that say something, in their order."""
    own: frozenset[tuple[int, Box]]
    """Sequence and box of the reads that are of the subject's own plate."""


def passage(subject: Subject, condition: str, nets: Nets, folder: Path, seed: int) -> Passage:
    """What the nets see of a passage: from `folder` where it was seen before."""
    scene = f"{seed}\n{subject.path}\n{subject.text}\n{condition}"
    key = f"{RECIPE}\n{nets.name}\n{scene}"
    path = folder / f"{hashlib.sha256(key.encode()).hexdigest()[:24]}.reads"
    if not path.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(".part")
        seen = _seen(subject, condition, nets, bucket(scene, 2**32))
        part.write_bytes(gzip.compress(_joined([bytes([own]) + encode_read(event) for event, own in seen]), 1))
        part.replace(path)
    payloads = list(_parted(gzip.decompress(path.read_bytes())))
    events = [(decode_read(payload[1:]), bool(payload[0])) for payload in payloads]
    told = [(e, own) for e, own in events if e.read.text and e.read.confidence >= LEAST_CONFIDENCE]
    step_px = SPEED_WIDTHS * _width_px(subject)
    reads = [(PlacedRead(driven(e.crop, step_px) if own else e.crop, e.read), own) for e, own in told]
    return Passage(
        subject,
        condition,
        tuple(placed for placed, _ in reads),
        frozenset((placed.crop.sequence, placed.crop.detection.box) for placed, own in reads if own),
    )


def driven(crop: Crop, step_px: float) -> Crop:
    """`crop` as it would be if its vehicle came `step_px` nearer with each frame, downwards in the picture.

    The frame is as much higher as the vehicle moves in all, so that a plate is no nearer to its edges than it was.
    """
    down = round(step_px * crop.sequence)
    found = crop.detection
    box = Box(found.box.x1, found.box.y1 + down, found.box.x2, found.box.y2 + down)
    corners = None if found.corners is None else tuple((x, y + down) for x, y in found.corners)
    size = None
    if crop.frame_size is not None:
        size = (crop.frame_size[0], crop.frame_size[1] + round(step_px * (FRAMES - 1)))
    left, top = crop.origin
    moved = replace(found, box=box, corners=cast("Corners | None", corners))
    return replace(crop, detection=moved, origin=(left, top + down), frame_size=size)


def _width_px(subject: Subject) -> float:
    return float(np.linalg.norm(subject.corners[1] - subject.corners[0]))


def frames(subject: Subject, condition: str, drawn: int) -> Iterator[tuple[NDArray[np.uint8], Box]]:
    """The passage's pictures with the plate's box: one spoil, and each frame's own shift, turn, scale and noise."""
    rng = np.random.default_rng(drawn)
    plate = Plate(subject.corners, len(subject.text))
    spoiling = CONDITIONS[condition](subject.image, plate, rng)
    corners = subject.corners.astype(np.float64)
    if spoiling.turned is not None:
        corners = _moved(corners, spoiling.turned)
    wander = rng.normal(0, 1.5, (FRAMES, 2)).cumsum(axis=0)
    x, y = subject.corners.mean(axis=0).tolist()
    height, width = subject.image.shape[:2]
    grain = rng.standard_normal((height + SLACK_PX, width + SLACK_PX, 3), np.float32) * np.float32(NOISE)
    for number in range(FRAMES):
        scale = 1 + 0.012 * (number - FRAMES // 2) + float(rng.normal(0, 0.002))
        turned = np.asarray(cv2.getRotationMatrix2D((x, y), float(rng.normal(0, 0.3)), scale), np.float64)
        here = turned + np.column_stack((np.zeros((2, 2)), wander[number]))
        moved = cv2.warpAffine(spoiling.painted, here, (width, height), borderMode=cv2.BORDER_REPLICATE)
        taken = spoiling.take(np.asarray(moved, np.uint8), rng)
        down, across = rng.integers(0, SLACK_PX, 2)
        own = grain[down : down + taken.shape[0], across : across + taken.shape[1]]
        seen = _moved(corners, here) * spoiling.scale - (spoiling.left_px, 0.0)
        (x1, y1), (x2, y2) = seen.min(axis=0).tolist(), seen.max(axis=0).tolist()
        yield compressed(np.clip(taken + own, 0, 255).astype(np.uint8), QUALITY), Box(x1, y1, x2, y2)


def _seen(subject: Subject, condition: str, nets: Nets, drawn: int) -> Iterator[tuple[ReadEvent, bool]]:
    """Every read, and whether it is of the subject's own plate."""
    detector = SweepingFinder(nets.finder)
    for sequence, (image, box) in enumerate(frames(subject, condition, drawn)):
        frame = Frame(CameraId("bench"), sequence * FRAME_NS, sequence, image)
        for detection in detector.detect(image):
            crop = crop_plate(frame, detection)
            yield ReadEvent(crop, None, nets.reader.read(crop)), intersection(detection.box, box) > 0


def _moved(points: NDArray[np.float64], matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(points @ matrix[:, :2].T + matrix[:, 2], np.float64)


def _joined(payloads: list[bytes]) -> bytes:
    return b"".join(len(payload).to_bytes(4, "big") + payload for payload in payloads)


def _parted(data: bytes) -> Iterator[bytes]:
    start = 0
    while start < len(data):
        end = start + 4 + int.from_bytes(data[start : start + 4], "big")
        yield data[start + 4 : end]
        start = end
