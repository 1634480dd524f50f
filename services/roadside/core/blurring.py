"""Makes plates in a picture unreadable for good, one excepted: whoever is not accused is nobody's business."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from roadside.core.frames import Box

MARGIN = 0.15
"""Of a box's width and height, on each side: boxes of far plates are loose."""
SPARED_MARGIN = 0.05
_BLOCKS = (3, 1)
"""What is left of a plate: so few colours that no character can be guessed, unlike after a soft blur."""


def hide(image: NDArray[np.uint8], boxes: Iterable[Box], spared: Iterable[Box] = ()) -> NDArray[np.uint8]:
    """A copy of `image` ((H, W, 3) uint8) in which the `boxes` are three blocks of colour, the `spared` as they were.

    Where both overlap, what is spared wins.
    """
    hidden = image.copy()
    for box in boxes:
        x1, y1, x2, y2 = _pixels(box, MARGIN, image)
        if x1 < x2 and y1 < y2:
            blocks = cv2.resize(image[y1:y2, x1:x2], _BLOCKS, interpolation=cv2.INTER_AREA)
            hidden[y1:y2, x1:x2] = cv2.resize(blocks, (x2 - x1, y2 - y1), interpolation=cv2.INTER_NEAREST)
    for box in spared:
        x1, y1, x2, y2 = _pixels(box, SPARED_MARGIN, image)
        hidden[y1:y2, x1:x2] = image[y1:y2, x1:x2]
    return hidden


def _pixels(box: Box, margin: float, image: NDArray[np.uint8]) -> tuple[int, int, int, int]:
    """The box and a margin, in whole pixels inside of the picture."""
    height, width = image.shape[:2]
    across, down = margin * box.width, margin * box.height
    x1, y1 = max(0, int(np.floor(box.x1 - across))), max(0, int(np.floor(box.y1 - down)))
    x2, y2 = min(width, int(np.ceil(box.x2 + across))), min(height, int(np.ceil(box.y2 + down)))
    return x1, y1, max(x1, x2), max(y1, y2)
