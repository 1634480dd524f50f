"""Pictures the wrong way round: a plate's crop turned by half or mirrored, so that it can be read as it should be."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from roadside.core.frames import Box

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from roadside.core.frames import Corners, Crop, Detection

    _Move = Callable[[float, float], tuple[float, float]]


def half_turned(crop: Crop) -> Crop:
    """`crop` turned by 180 degrees, its box and corners with it; where it lay in the frame is lost."""
    height, width = crop.image.shape[:2]
    return _changed(crop, np.ascontiguousarray(crop.image[::-1, ::-1]), (width, height), (2, 3, 0, 1))


def mirrored(crop: Crop) -> Crop:
    """`crop` with left and right exchanged, its box and corners with it; where it lay in the frame is lost."""
    width = crop.image.shape[1]
    return _changed(crop, np.ascontiguousarray(crop.image[:, ::-1]), (width, None), (1, 0, 3, 2))


def _changed(
    crop: Crop, image: NDArray[np.uint8], ends: tuple[int, int | None], order: tuple[int, int, int, int]
) -> Crop:
    """`ends` are the sums of old and new coordinates, across and down (None: not changed); `order` is of corners."""
    (left, top), (across, down) = crop.origin, ends

    def moved(x: float, y: float) -> tuple[float, float]:
        return across - (x - left), y - top if down is None else down - (y - top)

    return replace(crop, image=image, origin=(0, 0), frame_size=None, detection=_moved(crop.detection, moved, order))


def _moved(detection: Detection, moved: _Move, order: tuple[int, int, int, int]) -> Detection:
    (x1, y1), (x2, y2) = (moved(detection.box.x1, detection.box.y1), moved(detection.box.x2, detection.box.y2))
    box = Box(min(x1, x2), min(y1, y2), max(x1, x2), max(y1, y2))
    corners: Corners | None = None
    if detection.corners is not None:
        a, b, c, d = (moved(*detection.corners[i]) for i in order)
        corners = (a, b, c, d)
    return replace(detection, box=box, corners=corners)
