"""A camera's picture as the console shows it: small enough for a page, plates unreadable for whoever may only look."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from roadside.core.frames import Box

QUALITY = 80
LONGEST_SIDE_PX = 1280
_FEW = (32, 18)


def jpeg_of(image: NDArray[np.uint8]) -> bytes | None:
    """The picture ((H, W, 3) uint8, blue green red) as JPEG of at most LONGEST_SIDE_PX; None where it cannot be."""
    done, data = cv2.imencode(".jpg", _fitted(image), (cv2.IMWRITE_JPEG_QUALITY, QUALITY))
    return data.tobytes() if done else None


def blurred_whole(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """What is left of a picture whose plates nobody has found."""
    few = cv2.resize(image, _FEW, interpolation=cv2.INTER_AREA)
    size = (image.shape[1], image.shape[0])
    return cv2.resize(few, size, interpolation=cv2.INTER_LINEAR)  # type: ignore[return-value]


def without_plates(image: NDArray[np.uint8], boxes: Sequence[Box]) -> NDArray[np.uint8]:
    """A copy in which no plate can be read: each is reduced to a few pixels."""
    blurred = image.copy()
    height, width = image.shape[:2]
    for box in boxes:
        pad = round(0.1 * box.width)
        left, right = max(0, round(box.x1) - pad), min(width, round(box.x2) + pad)
        top, bottom = max(0, round(box.y1) - pad), min(height, round(box.y2) + pad)
        part = blurred[top:bottom, left:right]
        if part.size:
            few = cv2.resize(part, (4, 2), interpolation=cv2.INTER_AREA)
            size = (part.shape[1], part.shape[0])
            blurred[top:bottom, left:right] = cv2.resize(few, size, interpolation=cv2.INTER_LINEAR)
    return blurred


def _fitted(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    scale = LONGEST_SIDE_PX / max(image.shape[:2])
    if scale >= 1:
        return image
    return cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)  # type: ignore[return-value]
