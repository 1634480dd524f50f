"""Held-out photographs as vehicles that approach: each plate in several frames, ever larger, never twice the same."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import cv2
import numpy as np

from models.data.photographs import load_picture, photographs, plate_crops, read_labels
from models.data.split import bucket
from models.evaluate import weather
from models.evaluate.faults import faulty_texts
from models.evaluate.fusion_methods import KnownTrack
from models.evaluate.reading import group_of
from roadside.core.detect import crop_plate
from roadside.core.frames import Box, CameraId, Detection, Frame
from roadside.core.plates import normalise
from roadside.core.reads import PlacedRead

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from numpy.random import Generator

    from models.evaluate.weather import Weather
    from models.synth.canvas import Bgr
    from roadside.core.frames import Crop
    from roadside.ports.vision import Reader
    from roadside.vision import CornerFinder, PlateFinder

Member = TypeVar("Member")

FRAMES = 8
FRAME_NS = 80_000_000
"""Frames of an approach, and the nanoseconds between two of them."""
SURROUNDINGS = 0.4
"""What is shown around the plate, in its widths."""
WHOLE_PICTURES = ("nl_rfj", "hr_osijek", "hu_david")
"""Sources with a text a picture and no box."""
LEAST_ROOM = 0.05
"""What a picture must show beside a plate, in its widths: where it ends at the plate, its edge would be drawn out into
bars that no street shows, and they are read as characters or hide the first one."""
MOST_A_GROUP = 80
"""A gate or a street gives many pictures that are much alike."""


@dataclass(frozen=True, slots=True)
class Pipeline:
    """What the product finds and reads plates with."""

    finder: PlateFinder
    corners: CornerFinder
    reader: Reader
    least_confidence: float

    def read(self, crop: Crop) -> PlacedRead | None:
        """What `crop` says; None where it says nothing, as the pipeline has it."""
        read = self.reader.read(crop)
        return PlacedRead(crop, read) if read.text and read.confidence >= self.least_confidence else None


@dataclass(frozen=True, slots=True)
class KnownPlate:
    """A plate in a photograph whose text is known."""

    path: str
    group: str
    truth: str
    image: Bgr
    box: Box


def plates(data: Path, finder: PlateFinder) -> Iterator[KnownPlate]:
    """Held-out plates whose text is known; where nobody marked the box, it is the detector's surest one."""
    crops = [crop for crop in plate_crops(data, read_labels()) if crop.held_out and crop.text and crop.sure]
    for group in dict.fromkeys(map(group_of, crops)):
        for crop in _some([c for c in crops if group_of(c) == group], lambda c: c.path):
            plate = KnownPlate(crop.path, group, crop.text, load_picture(data / crop.path), crop.box)
            if has_room(plate):
                yield plate
    mistexted = faulty_texts()
    for source in WHOLE_PICTURES:
        known = [p for p in photographs(data) if p.source == source and len(p.texts) == 1 and p.path not in mistexted]
        for picture in _some(known, lambda p: p.path):
            image = load_picture(data / picture.path)
            if found := finder.detect(image):
                group = source[:2].upper()
                yield KnownPlate(picture.path, group, normalise(picture.texts[0]), image, found[0].box)


def has_room(plate: KnownPlate) -> bool:
    """Whether the picture shows something on both sides of the plate."""
    return min(plate.box.x1, plate.image.shape[1] - plate.box.x2) >= LEAST_ROOM * plate.box.width


def weather_of(plate: KnownPlate) -> Weather:
    """The weather that `plate` is seen in: a fourth of them in each."""
    return weather.ALL[bucket(plate.path, len(weather.ALL))]


def _some(members: Sequence[Member], name: Callable[[Member], str]) -> list[Member]:
    """At most MOST_A_GROUP of `members`, the same in every run."""
    return sorted(members, key=lambda member: bucket(name(member), 2**32))[:MOST_A_GROUP]


def track(plate: KnownPlate, seen_in: Weather, pipeline: Pipeline) -> KnownTrack:
    """The approach of `plate` as the product's corner net and reader see it."""
    rng = np.random.default_rng(bucket(plate.path, 2**32))
    first, end = (min(width, plate.box.width) for width in seen_in.widths_px)
    reads = []
    for sequence, width in enumerate(np.geomspace(first, end, FRAMES)):
        image, box = view(rng, plate, float(width))
        frame = Frame(CameraId("approach"), sequence * FRAME_NS, sequence, weather.photograph(rng, image, seen_in))
        jittered = _jittered_box(rng, box)
        found = Detection(jittered, 1.0, pipeline.corners.find(frame.image, jittered))
        if (placed := pipeline.read(crop_plate(frame, found))) is not None:
            reads.append(placed)
    return KnownTrack(plate.group, plate.truth, tuple(reads))


def view(rng: Generator, plate: KnownPlate, width_px: float) -> tuple[Bgr, Box]:
    """The plate `width_px` wide with its surroundings, a little turned and shifted, and its box."""
    box, scale = plate.box, width_px / plate.box.width
    around = SURROUNDINGS * width_px
    size = (round(width_px + 2 * around), round(box.height * scale + 2 * around))
    angle = np.radians(rng.normal(0, 1.0))
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]) * scale
    middle = np.array([(box.x1 + box.x2) / 2, (box.y1 + box.y2) / 2])
    to = np.array(size) / 2 + rng.uniform(-2, 2, 2)
    matrix = np.column_stack((turn, to - turn @ middle))
    image = plate.image
    if scale < 1:
        image = np.asarray(cv2.GaussianBlur(image, (0, 0), 0.45 / scale), np.uint8)
    seen = cv2.warpAffine(image, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    ends = np.array([[box.x1, box.y1], [box.x2, box.y1], [box.x2, box.y2], [box.x1, box.y2]]) @ turn.T + matrix[:, 2]
    low, high = ends.min(axis=0).tolist(), ends.max(axis=0).tolist()
    return np.asarray(seen, np.uint8), Box(low[0], low[1], high[0], high[1])


def _jittered_box(rng: Generator, box: Box) -> Box:
    """A box as a detector gives it: not exact."""
    spread = np.array([0.03 * box.width, 0.06 * box.height] * 2)
    x1, y1, x2, y2 = (np.array([box.x1, box.y1, box.x2, box.y2]) + rng.normal(0, spread)).tolist()
    return Box(x1, y1, max(x2, x1 + 4), max(y2, y1 + 2))
