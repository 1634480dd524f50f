"""Tracks of clips as the product gathers them, rendered streets with known vehicles among them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING

import cv2
import numpy as np

from models.evaluate import weather
from models.evaluate.fusion_methods import KnownTrack
from models.synth import formats, street, vehicles
from models.synth.bodies import BODIES
from models.synth.vehicles import Vehicle
from roadside.core.detect import crop_plate
from roadside.core.frames import Box, CameraId, Frame
from roadside.core.geometry import iou
from roadside.core.track import TrackBuilder
from roadside.vision import SweepingFinder

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from models.evaluate.approaches import Pipeline
    from models.evaluate.weather import Weather
    from models.synth.canvas import Bgr
    from models.synth.vehicles import Lane, Model
    from roadside.core.reads import PlacedRead, Track

FPS = 5
"""Frames a second of the rendered clips."""
COUNTRIES = ("UK", "CZ", "SK", "PL", "DE", "AT", "NL", "FR", "HU", "HR")
CAMERA = CameraId("street")
WINDOW = 8
"""Frames of a part of a long track."""


@dataclass(frozen=True, slots=True)
class Rendered:
    """A rendered clip and who drives in it."""

    path: Path
    clip: street.Clip
    models: tuple[Model, ...]


def rendered(folder: Path, seed: int) -> Rendered:
    """The street with six vehicles drawn by `seed`; kept in `folder`."""
    clip = street.Clip(fps=FPS, seed=seed)
    models = tuple(street.build(np.random.default_rng(seed), fleet(seed)))
    path = folder / f"street-{seed}.avi"
    if not path.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_suffix(".part.avi")
        writer = cv2.VideoWriter(str(unfinished), cv2.VideoWriter.fourcc(*"MJPG"), FPS, (1280, 720))
        for frame in street.frames(np.random.default_rng(seed), clip, models):
            writer.write(frame)
        writer.release()
        unfinished.rename(path)
    return Rendered(path, clip, models)


def fleet(seed: int) -> tuple[Vehicle, ...]:
    """Six vehicles in the places of the demonstration's, with registrations drawn by `seed`."""
    rng = np.random.default_rng((seed, 6))
    drawn = []
    for place in street.DEMO_VEHICLES:
        country = str(rng.choice(COUNTRIES))
        spelled = formats.of_country(rng, country)
        signs = {"gap": " ", "hyphen": "-", "dot": ".", "seal": "*"}
        text = spelled.groups[0] + "".join(
            signs[joint] + group for joint, group in zip(spelled.joints, spelled.groups[1:], strict=True)
        )
        lane: Lane = place.lane
        blue, green, red = rng.integers(30, 225, 3).tolist()
        speed = float(rng.uniform(7.5, 13))
        drawn.append(
            Vehicle(text, country, str(rng.choice(sorted(BODIES))), (blue, green, red), lane, place.near_s, speed)
        )
    return tuple(drawn)


def street_tracks(made: Rendered, seen_in: Weather, pipeline: Pipeline) -> Iterator[KnownTrack]:
    """The product's tracks of a rendered clip, each with the plate where most of its boxes are."""
    for found in tracks(pictures(made.path), seen_in, FPS, pipeline):
        votes = Counter(model for placed in found.reads if (model := _whose(made, placed, seen_in)) is not None)
        if votes:
            vehicle = made.models[votes.most_common(1)[0][0]].vehicle
            yield KnownTrack("rendered", formats.registration(vehicle.plate, vehicle.country).text, found.reads)


def windows(of: KnownTrack, length: int = WINDOW) -> Iterator[KnownTrack]:
    """Parts of a long track, side by side."""
    for start in range(0, len(of.reads) - length + 1, length):
        yield KnownTrack(of.group, of.truth, of.reads[start : start + length])


def tracks(frames: Iterable[Bgr], seen_in: Weather, fps: float, pipeline: Pipeline) -> list[Track]:
    """What the product gathers of a clip in this weather."""
    rng = np.random.default_rng(1)
    sweeping, builder = SweepingFinder(pipeline.finder), TrackBuilder(CAMERA)
    found: list[Track] = []
    for sequence, picture in enumerate(frames):
        image = weather.photograph(rng, weather.downscaled(picture, seen_in), seen_in)
        frame = Frame(CAMERA, round(sequence * 1e9 / fps), sequence, image)
        crops = [crop_plate(frame, detection) for detection in sweeping.detect(image)]
        reads = [placed for crop in crops if (placed := pipeline.read(crop)) is not None]
        found += builder.update(frame.captured_at_ns, reads)
    return found + list(builder.flush())


def pictures(path: Path, step: int = 1) -> Iterator[Bgr]:
    """Every `step`th frame of a clip."""
    capture = cv2.VideoCapture(str(path))
    for sequence in count():
        there, image = capture.read()
        if not there:
            break
        if sequence % step == 0:
            yield np.asarray(image, np.uint8)
    capture.release()


def _whose(made: Rendered, placed: PlacedRead, seen_in: Weather) -> int | None:
    """The vehicle that has its plate where this read was made."""
    time_s = placed.crop.sequence / FPS
    shares = [iou(placed.crop.detection.box, box) for box in _places(made, time_s, seen_in.shrink)]
    best = int(np.argmax(shares))
    return best if shares[best] > 0.1 else None


def _places(made: Rendered, time_s: float, shrink: float) -> Sequence[Box]:
    places = []
    for model in made.models:
        distance = vehicles.plate_distance(model.vehicle, made.clip.near_m, time_s)
        if distance < 2:
            places.append(Box(0, 0, 0, 0))
            continue
        corners = vehicles.plate_in_view(made.clip.view, model, distance) * shrink
        (x1, y1), (x2, y2) = corners.min(axis=0).tolist(), corners.max(axis=0).tolist()
        places.append(Box(x1, y1, x2, y2))
    return places
