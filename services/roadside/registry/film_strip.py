"""The film strip of a passage: its reads, small, one below the other in one picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from roadside.core.reads import ShownRead
from roadside.core.sightings import Picture, PictureKind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from roadside.core.reads import PlacedRead

CELL_WIDTH_PX, CELL_HEIGHT_PX = 192, 64
MOST_CELLS = 12
MOST_BYTES = 72_000
"""6 kB a read; plates take about a third of it."""
_QUALITIES = (80, 60, 40, 20, 5)
_GROUND = 24


def film_strip(reads: Sequence[PlacedRead], best_index: int) -> tuple[Picture, tuple[ShownRead, ...]] | None:
    """The picture (CELL_WIDTH_PX wide, CELL_HEIGHT_PX a read, JPEG) and what was read in each part, in order of time.

    Of more reads than MOST_CELLS the best, the first, the last and some evenly between. None of fewer than two, or
    where it cannot be kept in MOST_BYTES.
    """
    chosen = [reads[index] for index in _chosen(len(reads), best_index)]
    chosen = sorted((p for p in chosen if p.crop.image.size), key=lambda p: (p.crop.captured_at_ns, p.crop.sequence))
    if len(chosen) < 2:
        return None
    data = _encoded(np.vstack([_cell(placed.crop.image) for placed in chosen]))
    if data is None:
        return None
    shown = tuple(ShownRead(p.read.text, p.read.confidence, p.crop.captured_at_ns) for p in chosen)
    return Picture(PictureKind.STRIP, "image/jpeg", data), shown


def _chosen(count: int, best_index: int) -> Sequence[int]:
    if count <= MOST_CELLS:
        return range(count)
    even = {round(each) for each in np.linspace(0, count - 1, MOST_CELLS)}
    if best_index not in even:
        inner = sorted(even - {0, count - 1}, key=lambda index: abs(index - best_index))
        even = (even - {inner[0]}) | {best_index}
    return sorted(even)


def _cell(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """`image` as large as it fits, in the middle of a part of the strip."""
    height, width = image.shape[:2]
    scale = min(CELL_WIDTH_PX / width, CELL_HEIGHT_PX / height)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    cell = np.full((CELL_HEIGHT_PX, CELL_WIDTH_PX, 3), _GROUND, np.uint8)
    left, top = (CELL_WIDTH_PX - size[0]) // 2, (CELL_HEIGHT_PX - size[1]) // 2
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    cell[top : top + size[1], left : left + size[0]] = small
    return cell


def _encoded(pixels: NDArray[np.uint8]) -> bytes | None:
    for quality in _QUALITIES:
        done, data = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, quality])
        if done and data.size <= MOST_BYTES:
            return data.tobytes()
    return None
