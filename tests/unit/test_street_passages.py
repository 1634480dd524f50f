"""The rendered street, read by the shipped nets, at the paces of slow cameras and in a loop."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from models.synth import street
from roadside.assembly.models import open_models
from roadside.assembly.settings import Settings
from roadside.assembly.site import EVERYTHING
from roadside.core.detect import crop_plate
from roadside.core.events import ReadEvent
from roadside.core.frames import END_OF_TIME_NS, CameraId, Frame
from roadside.core.line_speed import SpeedLines
from roadside.core.plates import fold
from roadside.core.view import View
from tests.unit.test_passages import GATE, START_NS, gathering

if TYPE_CHECKING:
    from roadside.core.frames import Crop
    from roadside.core.reads import Read
    from roadside.core.sightings import Sighting

FPS = 5
LAPS = 3
CLIP = street.Clip(fps=FPS)
LEAST_CONFIDENCE = Settings().confidence

Reads = list[list[tuple["Crop", "Read"]]]


@pytest.fixture(scope="module")
def reads() -> Reads:
    """What is read in each picture of the street."""
    finder, reader = open_models(Settings())
    rng = np.random.default_rng(CLIP.seed)
    seen: Reads = []
    for image in street.frames(rng, CLIP, street.build(rng, street.DEMO_VEHICLES)):
        frame = Frame(CameraId("gate"), 0, 0, image)
        crops = [crop_plate(frame, found) for found in finder.detect(image)]
        told = [(crop, reader.read(crop)) for crop in crops]
        seen.append([(crop, read) for crop, read in told if read.text and read.confidence >= LEAST_CONFIDENCE])
    return seen


def told_of(reads: Reads, fps: float) -> list[str]:
    """The plates of the sightings when the street is played LAPS times, and `fps` pictures a second are looked at."""
    plates = [sighting.plate for sighting in sightings_of(reads, fps, LAPS)]
    return [fold(plate.text) for plate in plates if plate is not None]


def sightings_of(reads: Reads, fps: float, laps: int, view: View = EVERYTHING) -> list[Sighting]:
    stage, told = gathering(view=view), []
    for sequence in range(int(len(reads) / FPS * laps * fps)):
        at_s = sequence / fps
        at_ns = START_NS + round(at_s * 1e9)
        for crop, read in reads[round(at_s * FPS) % len(reads)]:
            stage.take(ReadEvent(replace(crop, captured_at_ns=at_ns, sequence=sequence), None, read))
        stage.looked_at(GATE, at_ns)
        told += stage.advance(GATE, at_ns)
    told += stage.advance(GATE, END_OF_TIME_NS)
    return [event.sighting for conclusion in told for event in conclusion.outputs]


@pytest.mark.parametrize("fps", [5, 2.5, 1])
def test_every_vehicle_of_the_street_is_told_once_a_lap(reads: Reads, fps: float) -> None:
    expected = {fold(v.plate.replace(" ", "").replace("*", "")): LAPS for v in street.DEMO_VEHICLES}
    assert Counter(told_of(reads, fps)) == expected


@pytest.mark.parametrize("fps", [0.7, 0.3])
def test_a_very_slow_camera_tells_nobody_twice(reads: Reads, fps: float) -> None:
    """Some vehicles pass between two pictures, or are seen in none that can be read."""
    counts = Counter(told_of(reads, fps))
    assert set(counts) <= {fold(v.plate.replace(" ", "").replace("*", "")) for v in street.DEMO_VEHICLES}
    assert max(counts.values()) <= LAPS
    assert counts.total() >= (12 if fps == 0.7 else 5)


def line_on_the_road(away_m: float) -> tuple[tuple[float, float], tuple[float, float]]:
    """Where a line across the road, so far from the camera, is in the picture."""
    shown, _ = CLIP.view.project(np.array([[-2.2, 0.0, away_m], [3.2, 0.0, away_m]]))
    (x1, y1), (x2, y2) = (shown / (CLIP.view.width, CLIP.view.height)).clip(0.0, 1.0)
    return (float(x1), float(y1)), (float(x2), float(y2))


def test_vehicles_of_the_street_drive_as_fast_as_they_were_drawn(reads: Reads) -> None:
    """Eight metres of the road, measured between two lines of its surface; plates hang at 0.42 to 0.8 m."""
    lines = SpeedLines(line_on_the_road(12.0), line_on_the_road(20.0), 8.0, 0.1, CLIP.view.y)
    view = View(speed=lines)
    found = {s.plate.text: s.speed for s in sightings_of(reads, FPS, 1, view) if s.plate is not None}
    true = {v.plate.replace(" ", "").replace("*", ""): v.speed_mps * 3.6 for v in street.DEMO_VEHICLES}
    measured = {plate: speed for plate, speed in found.items() if speed is not None}
    assert len(measured) >= 4, "who is read between the lines in too few pictures has no speed"
    for plate, speed in measured.items():
        assert speed.lowest_kmh <= true[plate] <= speed.highest_kmh
        assert speed.kmh == pytest.approx(true[plate], rel=0.15)
