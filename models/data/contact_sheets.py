"""Contact sheets: many pictures, or many plates, on one to look at."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from models.data.photographs import load_picture

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from models.data.formats import Annotated
    from models.data.photographs import PlateCrop
    from roadside.core.frames import Box

TILE_PX = (320, 240)
PLATE_TILE_PX = (250, 130)
PLACE_TILE_PX = (170, 120)
CAPTION_PX = 20
BOX_COLOUR = (60, 220, 60)
CAPTION_COLOUR = (0, 255, 255)
_GROUND = 60


def picture_tile(one: Annotated) -> NDArray[np.uint8]:
    """A picture with its boxes under its name and number of boxes."""
    image = load_picture(one.picture)
    scale = min(TILE_PX[0] / image.shape[1], (TILE_PX[1] - CAPTION_PX) / image.shape[0])
    small = _resized(image, scale)
    for b in one.annotation.boxes:
        low = (int(b.box.x1 * scale), int(b.box.y1 * scale))
        high = (int(np.ceil(b.box.x2 * scale)), int(np.ceil(b.box.y2 * scale)))
        cv2.rectangle(small, low, high, BOX_COLOUR, 1)
    count = len(one.annotation.boxes)
    return _tile(small, f"{one.picture.name[-32:]}  {count}", TILE_PX)


def plate_tile(crop: PlateCrop, folder: Path, caption: str) -> NDArray[np.uint8]:
    """One plate, as large as the tile allows, with 6 % of its width around it."""
    image, box = load_picture(folder / crop.path), crop.box
    margin = 0.06 * box.width
    x1, y1 = max(0, int(box.x1 - margin)), max(0, int(box.y1 - margin))
    part = image[y1 : int(box.y2 + margin) + 1, x1 : int(box.x2 + margin) + 1]
    scale = min((PLATE_TILE_PX[0] - 8) / part.shape[1], (PLATE_TILE_PX[1] - CAPTION_PX - 4) / part.shape[0])
    return _tile(_resized(part, scale), caption, PLATE_TILE_PX)


def place_tile(image: NDArray[np.uint8], box: Box, caption: str) -> NDArray[np.uint8]:
    """A place in a picture with half of its width around it, its box drawn."""
    margin = max(12.0, 0.5 * box.width)
    x1, y1 = max(0, int(box.x1 - margin)), max(0, int(box.y1 - margin / 2))
    part = image[y1 : max(y1 + 1, int(box.y2 + margin / 2)), x1 : max(x1 + 1, int(box.x2 + margin))]
    scale = min((PLACE_TILE_PX[0] - 4) / part.shape[1], (PLACE_TILE_PX[1] - CAPTION_PX - 2) / part.shape[0])
    large = _resized(part, scale)
    low = (int((box.x1 - x1) * scale), int((box.y1 - y1) * scale))
    high = (int((box.x2 - x1) * scale), int((box.y2 - y1) * scale))
    cv2.rectangle(large, low, high, BOX_COLOUR, 1)
    return _tile(large, caption, PLACE_TILE_PX)


def sheet(tiles: Sequence[NDArray[np.uint8]], across: int) -> NDArray[np.uint8]:
    """Equal tiles side by side, `across` in a row."""
    blank = np.full_like(tiles[0], _GROUND)
    padded = [*tiles, *[blank] * (-len(tiles) % across)]
    rows = [np.hstack(padded[i : i + across]) for i in range(0, len(padded), across)]
    return np.vstack(rows)


def _resized(image: NDArray[np.uint8], scale: float) -> NDArray[np.uint8]:
    size = (max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale)))
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(image, size, interpolation=how), np.uint8)


def _tile(image: NDArray[np.uint8], caption: str, size: tuple[int, int]) -> NDArray[np.uint8]:
    tile = np.full((size[1], size[0], 3), _GROUND, np.uint8)
    fitting = image[: size[1] - CAPTION_PX, : size[0]]
    tile[CAPTION_PX : CAPTION_PX + fitting.shape[0], : fitting.shape[1]] = fitting
    cv2.putText(tile, caption, (4, 15), cv2.FONT_HERSHEY_SIMPLEX, 0.45, CAPTION_COLOUR, 1, cv2.LINE_AA)
    return tile
