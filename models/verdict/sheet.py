"""Every false accusation as a picture to look at; of people's plates, so never committed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from models.verdict.passages import Passage
    from roadside.core.reads import Track
    from roadside.core.sightings import Verdict

COLUMNS = 6
TILE = (250, 130)
MOST = 240


@dataclass(frozen=True, slots=True)
class Accused:
    """A sighting of a vehicle that paid, called UNPAID."""

    passage: Passage
    frames: int
    track: Track
    text: str
    verdict: Verdict


def draw_sheet(path: Path, accused: Sequence[Accused]) -> None:
    """The last crop of each sighting with what was read, the truth and the condition; no file where there is none."""
    path.unlink(missing_ok=True)
    tiles = [_tile(one) for one in accused[:MOST]]
    if not tiles:
        return
    blank = np.zeros_like(tiles[0])
    tiles += [blank] * (-len(tiles) % COLUMNS)
    rows = [np.hstack(tiles[start : start + COLUMNS]) for start in range(0, len(tiles), COLUMNS)]
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), np.vstack(rows))


def _tile(one: Accused) -> NDArray[np.uint8]:
    width, height = TILE
    canvas = np.full((height, width, 3), 30, np.uint8)
    image = one.track.reads[-1].crop.image
    scale = min((width - 4) / image.shape[1], (height - 40) / image.shape[0])
    shown = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_LINEAR)
    canvas[2 : 2 + shown.shape[0], 2 : 2 + shown.shape[1]] = shown
    lines = (f"{one.text} is {one.passage.subject.text}", f"{one.passage.condition}, {one.frames} frames")
    for number, line in enumerate(lines):
        place = (4, height - 22 + 16 * number)
        cv2.putText(canvas, line, place, cv2.FONT_HERSHEY_SIMPLEX, 0.42, (235, 235, 235), 1, cv2.LINE_AA)
    return canvas
