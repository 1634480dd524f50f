"""The pictures that the detector trains on, in memory, drawn by source."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from models.data.photographs import load_picture
from roadside.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.random import Generator
    from numpy.typing import NDArray

    from models.training.photographs import Marked


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture with its plates."""

    image: NDArray[np.uint8]
    """(H, W, 3), BGR."""
    boxes: NDArray[np.float32]
    """(plates, 4): x1, y1, x2, y2 in pixels."""


class Pictures:
    """Training pictures with at least one plate each."""

    def __init__(self, marked: Sequence[Marked], sources: Mapping[str, float]) -> None:
        used = [one for one in marked if len(one.boxes) and sources.get(one.source, 0) > 0]
        if not used:
            raise SourceError("No picture with a plate is left to train the detector on")
        self.pictures = [Picture(load_picture(one.path), one.boxes) for one in used]
        weights = np.array([sources[one.source] for one in used])
        self._cumulated = np.cumsum(weights / weights.sum())

    def __len__(self) -> int:
        return len(self.pictures)

    def draw(self, rng: Generator) -> Picture:
        """A picture, by its source's weight."""
        place = int(np.searchsorted(self._cumulated, rng.random()))
        return self.pictures[min(place, len(self.pictures) - 1)]


def squashed(image: NDArray[np.uint8], side_px: int) -> NDArray[np.uint8]:
    """A BGR picture as the net's input in whole numbers: RGB, (side, side, 3) uint8, squashed by area averaging."""
    small = cv2.resize(image, (side_px, side_px), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.cvtColor(small, cv2.COLOR_BGR2RGB), np.uint8)


def scaled(pictures: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Whole numbers 0..255 as the net's -1..1."""
    return pictures.astype(np.float32) / np.float32(127.5) - np.float32(1)


def calibration_pictures(marked: Sequence[Marked], count: int, side_px: int, seed: int) -> NDArray[np.float32]:
    """`count` training pictures, (N, side, side, 3) float32 RGB in -1..1; the same for the same seed."""
    rng = np.random.default_rng(seed)
    chosen = rng.permutation(len(marked))[:count]
    return scaled(np.stack([squashed(load_picture(marked[place].path), side_px) for place in chosen]))
