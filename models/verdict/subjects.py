"""Real plates that no net was trained on, each with the corners at which it stands in its photograph."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from models.data.photographs import load_picture, photographs
from models.data.split import bucket, reader_held_out
from roadside.core.geometry import iou
from roadside.core.plates import normalise

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from models.data.photographs import Photograph
    from roadside.core.frames import Detection
    from roadside.ports.vision import Detector

QUOTAS = {"PL": 20, "NL": 18, "HU": 10, "HR": 8, "CZ": 12, "UK": 12}
"""Plates of each country, so that one gate's camera does not drown the others."""
SOURCES = {"pl_gate": "PL", "nl_rfj": "NL", "hu_david": "HU", "hr_osijek": "HR", "cz_pulpan": "CZ"}
"""Photographs that state no licence and were therefore never trained on, with the country of their plates."""
LEAST_WIDTH_PX = 50.0
LEAST_IOU = 0.4


@dataclass(frozen=True, slots=True)
class Subject:
    """A vehicle that the benchmark drives past."""

    path: str
    country: str
    text: str
    """Its true registration, normalised."""
    corners: NDArray[np.float32] = field(repr=False)
    """(4, 2) float32 pixels of the photograph: top left, top right, bottom right, bottom left."""
    image: NDArray[np.uint8] = field(repr=False)

    @property
    def half(self) -> int:
        """0 or 1: error models are measured on one half of the vehicles and judged on the other."""
        return bucket(self.text, 2)


def subjects(data: Path, detector: Detector) -> Iterator[Subject]:
    """The benchmark's vehicles: the same ones in the same order on every machine."""
    for country, quota in QUOTAS.items():
        taken: set[str] = set()
        for photograph in sorted(_of_country(data, country), key=lambda p: bucket(p.path, 2**32)):
            text = normalise(photograph.texts[0])
            image = load_picture(data / photograph.path)
            found = _plate(detector.detect(image), photograph)
            if text in taken or found is None or found.corners is None or found.box.width < LEAST_WIDTH_PX:
                continue
            taken.add(text)
            yield Subject(photograph.path, country, text, np.array(found.corners, np.float32), image)
            if len(taken) == quota:
                break


def _of_country(data: Path, country: str) -> list[Photograph]:
    named = [p for p in photographs(data) if len(p.texts) == 1]
    if country != "UK":
        return [p for p in named if SOURCES.get(p.source) == country]
    return [p for p in named if p.regions[0] == "UK" and reader_held_out(p.texts[0], "UK")]


def _plate(found: Sequence[Detection], photograph: Photograph) -> Detection | None:
    """The detection of the marked plate; where nobody marked one, the surest."""
    if not found:
        return None
    if not photograph.boxes:
        return found[0]
    best = max(found, key=lambda d: max(iou(d.box, box) for box in photograph.boxes))
    return best if max(iou(best.box, box) for box in photograph.boxes) >= LEAST_IOU else None
