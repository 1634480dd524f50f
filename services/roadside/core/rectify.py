"""Rectification: from the corners of a plate in a picture to the upright grey strip that the reader takes.

Corners are (4, 2) float32 in pixels: top left, top right, bottom right, bottom left.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from roadside.core.frames import Crop

STRIP_WIDTH_PX = 176
"""Width of the reader's input in pixels."""
STRIP_HEIGHT_PX = 48
"""Height of the reader's input in pixels."""
READ_MARGIN = 0.03
"""What is read reaches beyond the plate by this share of its width, on every side; measured as the best."""
ROW_OVERLAP = 0.04
"""How far each row of a two-line plate reaches beyond the line between them, as a share of the plate's height."""


def box_corners(x1: float, y1: float, x2: float, y2: float) -> NDArray[np.float32]:
    """The corners of the box from (x1, y1) to (x2, y2): (4, 2) float32 in the order of this module."""
    return np.array([[x1, y1], [x2, y1], [x2, y2], [x1, y2]], np.float32)


def crop_corners(crop: Crop) -> NDArray[np.float32]:
    """The corners of a crop's plate in pixels of the crop, (4, 2) float32: the box's where it has none of its own."""
    detection = crop.detection
    if detection.corners is not None:
        corners = np.array(detection.corners, np.float32)
    else:
        corners = box_corners(detection.box.x1, detection.box.y1, detection.box.x2, detection.box.y2)
    return corners - np.array(crop.origin, np.float32)


def aspect_ratio(corners: NDArray[np.float32]) -> float:
    """Width over height of a plate, along its upper and its left edge."""
    width, height = np.linalg.norm(corners[1] - corners[0]), np.linalg.norm(corners[3] - corners[0])
    return float(width) / max(1.0, float(height))


def grow(corners: NDArray[np.float32], margin_x: float, margin_y: float) -> NDArray[np.float32]:
    """`corners`, (4, 2) float32, moved outwards along the plate's own sides.

    `margin_x` and `margin_y` are shares of the plate's width and height, added on either side; negative ones shrink it.
    """
    left, right = corners[[0, 3]], corners[[1, 2]]
    across = (right - left) * margin_x
    grown = np.empty_like(corners)
    grown[[0, 3]], grown[[1, 2]] = left - across, right + across
    top, bottom = grown[[0, 1]], grown[[3, 2]]
    down = (bottom - top) * margin_y
    out = np.empty_like(corners)
    out[[0, 1]], out[[3, 2]] = top - down, bottom + down
    return out


def cut(grey: NDArray[np.uint8], corners: NDArray[np.float32], width: int, height: int) -> NDArray[np.uint8]:
    """The quadrilateral `corners` of a grey picture, (H, W) uint8, warped to a rectangle: (height, width) uint8.

    The warp is a perspective transform with bilinear interpolation; what lies outside of the picture repeats its
    edge. A quadrilateral of more than 1.5 times the target's width is shrunk by area averaging first, so that fine
    texture does not alias into the characters.
    """
    span = float(np.linalg.norm(corners[1] - corners[0]) + np.linalg.norm(corners[2] - corners[3])) / 2
    shrink = span / width
    if shrink > 1.5:
        x1, y1 = np.floor(corners.min(0)).astype(int) - 2
        x2, y2 = np.ceil(corners.max(0)).astype(int) + 3
        x1, y1 = max(x1, 0), max(y1, 0)
        x2, y2 = min(x2, grey.shape[1]), min(y2, grey.shape[0])
        if x2 - x1 >= 2 and y2 - y1 >= 2:
            part = grey[y1:y2, x1:x2]
            small = (max(1, round(part.shape[1] / shrink)), max(1, round(part.shape[0] / shrink)))
            grey = cv2.resize(part, small, interpolation=cv2.INTER_AREA)  # type: ignore[assignment]
            scale = np.array([small[0] / part.shape[1], small[1] / part.shape[0]], np.float32)
            corners = (corners - np.array([x1, y1], np.float32)) * scale
    target = box_corners(0, 0, width, height)
    matrix = cv2.getPerspectiveTransform(corners - 0.5, target - 0.5)
    return cv2.warpPerspective(  # type: ignore[return-value]
        grey, matrix, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )


def strip(grey: NDArray[np.uint8], corners: NDArray[np.float32]) -> NDArray[np.uint8]:
    """A plate of one line, cut from a grey picture, (H, W) uint8: (STRIP_HEIGHT_PX, STRIP_WIDTH_PX) uint8."""
    return cut(grey, corners, STRIP_WIDTH_PX, STRIP_HEIGHT_PX)


def rows(
    corners: NDArray[np.float32], split: float = 0.5, overlap: float = ROW_OVERLAP
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The corners of the upper and of the lower row of a two-line plate, (4, 2) float32 each.

    `split` is where the line between the rows lies, `overlap` how far each row reaches beyond it: shares of the plate's
    height, 0 to 1.
    """
    return row(corners, 0.0, min(1.0, split + overlap)), row(corners, max(0.0, split - overlap), 1.0)


def row(corners: NDArray[np.float32], begins: float, ends: float) -> NDArray[np.float32]:
    """The corners, (4, 2) float32, of what lies between two shares of a plate's height."""
    tl, tr, br, bl = corners
    leading, trailing = bl - tl, br - tr
    return np.array(
        [tl + leading * begins, tr + trailing * begins, tr + trailing * ends, tl + leading * ends], np.float32
    )


def two_line_strip(grey: NDArray[np.uint8], corners: NDArray[np.float32], split: float = 0.5) -> NDArray[np.uint8]:
    """A plate of two lines, cut from a grey picture, (H, W) uint8: (STRIP_HEIGHT_PX, STRIP_WIDTH_PX) uint8.

    Its rows stand side by side, the upper one on the left; `split` is as in `rows`.
    """
    upper, lower = rows(corners, split)
    half = STRIP_WIDTH_PX // 2
    return np.hstack([cut(grey, upper, half, STRIP_HEIGHT_PX), cut(grey, lower, half, STRIP_HEIGHT_PX)])


def three_line_strip(
    grey: NDArray[np.uint8], corners: NDArray[np.float32], splits: tuple[float, float] = (1 / 3, 2 / 3)
) -> NDArray[np.uint8]:
    """A plate of three lines, as motorcycles have them: (STRIP_HEIGHT_PX, STRIP_WIDTH_PX) uint8.

    Its rows stand side by side, the uppermost on the left; `splits` are where the second and the third row begin, as
    shares of the plate's height.
    """
    lines = pairwise((0.0, *splits, 1.0))
    bands = [row(corners, max(0.0, top - ROW_OVERLAP), min(1.0, bottom + ROW_OVERLAP)) for top, bottom in lines]
    places = pairwise(round(STRIP_WIDTH_PX * share / len(bands)) for share in range(len(bands) + 1))
    return np.hstack(
        [cut(grey, band, right - left, STRIP_HEIGHT_PX) for band, (left, right) in zip(bands, places, strict=True)]
    )
