"""Where the product would see a plate in a crop, and the strip that it would read there."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from models.ocr.crops import read_grey
from roadside.core.frames import Box
from roadside.core.rectify import box_corners, grow, strip, two_line_strip
from roadside.vision import open_corner_finder, open_nets

if TYPE_CHECKING:
    from numpy.random import Generator
    from numpy.typing import NDArray

    from models.ocr.crops import Crop
    from roadside.vision import CornerFinder

CORNERS = Path(__file__).resolve().parents[1] / "shipped" / "detector"
"""The folder of the shipped corner net."""
TURN_DEG = 10.0
"""Standard deviation of the angle by which copies of real plates are turned."""
BOX_SPREAD = (0.04, 0.08)
"""Standard deviations of a detector's box edges, as shares of the plate's width and height."""


def centred(
    grey: NDArray[np.uint8], corners: NDArray[np.float32], lines: int, margin: float = 0.03
) -> NDArray[np.uint8]:
    """The strip that the product would read: the plate with `margin` of its width added on every side."""
    width = float(np.linalg.norm(corners[1] - corners[0]))
    height = max(1e-3, float(np.linalg.norm(corners[3] - corners[0])))
    grown = grow(corners, margin, margin * width / height)
    return two_line_strip(grey, grown) if lines == 2 else strip(grey, grown)


def strip_of(crop: Crop, margin: float, finder: CornerFinder | None) -> NDArray[np.uint8]:
    """The strip that the product would read of the crop, placed by the corner net if there is one."""
    grey = read_grey(crop.path)
    placed = placements(finder, grey, crop.corners, 1, np.random.default_rng(0)) if finder is not None else []
    return centred(grey, placed[0] if placed else crop.corners, crop.lines, margin)


def corner_finder(folder: Path) -> CornerFinder | None:
    """The corner net that places real plates as the product will; none, said aloud, where `folder` has none."""
    path = open_nets().file(folder, "corners")
    if not path.is_file():
        print(f"{path} is not there: real plates are cut at their boxes", flush=True)
        return None
    return open_corner_finder(folder)


def aslant(
    rng: Generator, grey: NDArray[np.uint8], corners: NDArray[np.float32]
) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """The picture turned by up to about 25 degrees and seen from the side, whole, and the plate's corners in it."""
    angle = np.radians(np.clip(rng.normal(0, TURN_DEG), -2.5 * TURN_DEG, 2.5 * TURN_DEG))
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    shear = np.array([[rng.uniform(0.75, 1.0), rng.normal(0, 0.12)], [rng.normal(0, 0.08), 1.0]])
    height = float(np.linalg.norm(corners[3] - corners[0]))
    moved = corners @ (turn @ shear).T + rng.normal(0, 0.05 * height, (4, 2))
    matrix = cv2.getPerspectiveTransform(corners.astype(np.float32), moved.astype(np.float32))
    frame = box_corners(0, 0, grey.shape[1], grey.shape[0])
    around = cv2.perspectiveTransform(frame[None], matrix)[0]
    low, high = (
        np.maximum(around.min(0), moved.min(0) - 2 * height),
        np.minimum(around.max(0), moved.max(0) + 2 * height),
    )
    matrix = np.array([[1, 0, -low[0]], [0, 1, -low[1]], [0, 0, 1]]) @ matrix
    size = np.ceil(high - low).astype(int)
    picture = cv2.warpPerspective(
        grey, matrix, (int(size[0]), int(size[1])), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(picture, np.uint8), (moved - low).astype(np.float32)


def placements(
    finder: CornerFinder, grey: NDArray[np.uint8], corners: NDArray[np.float32], count: int, rng: Generator
) -> list[NDArray[np.float32]]:
    """Where the product would see the plate: the corner net's answers for its box and for boxes a little off.

    At most `count` of (4, 2) float32 pixels; none where the net finds no plate in any of them.
    """
    (x1, y1), (x2, y2) = corners.min(0).tolist(), corners.max(0).tolist()
    image = np.asarray(cv2.cvtColor(grey, cv2.COLOR_GRAY2BGR), np.uint8)
    found = []
    for number in range(count):
        left, right = rng.normal(0, BOX_SPREAD[0] * (x2 - x1), 2) if number else (0.0, 0.0)
        top, bottom = rng.normal(0, BOX_SPREAD[1] * (y2 - y1), 2) if number else (0.0, 0.0)
        left, top = x1 + left, y1 + top
        placed = finder.find(image, Box(left, top, max(left + 4, x2 + right), max(top + 2, y2 + bottom)))
        if placed is not None:
            found.append(np.array(placed, np.float32))
    return found
