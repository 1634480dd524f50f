"""The picture that proves a read: of each plate's text, the best frame so far."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import cv2

from roadside.core.fusion import quality
from roadside.core.types import Picture, PictureKind

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from roadside.core.types import Crop, Frame, PlacedRead

BETTER = 1.1
"""A frame must be this much better than the kept one: encoding a 720p JPEG takes as long as finding its plates."""
KEPT_S = 90.0
"""Longer than the longest track."""
JPEG_QUALITY = 90


@dataclass(frozen=True, slots=True)
class Keepsake:
    """A read's crop and the whole frame around it."""

    worth: float
    crop: Crop
    frame_jpeg: bytes = field(repr=False)

    def pictures(self) -> tuple[Picture, ...]:
        """The evidence: the crop without loss, the frame as JPEG."""
        crop = cv2.imencode(".png", self.crop.image)[1].tobytes()
        return (
            Picture(PictureKind.CROP, "image/png", crop),
            Picture(PictureKind.FRAME, "image/jpeg", self.frame_jpeg),
        )


class EvidenceKeeper:
    """Keeps the best frame of each text that is being read; bounded by time, not by traffic."""

    def __init__(self) -> None:
        self._kept: dict[str, Keepsake] = {}

    def offer(self, frame: Frame, placed: PlacedRead) -> None:
        """Keep `frame` where it shows `placed` better than what is kept of the same text."""
        text = placed.read.text
        if not text:
            return
        worth = quality(placed) * placed.read.confidence
        kept = self._kept.get(text)
        if kept is None or worth > kept.worth * BETTER:
            self._kept[text] = Keepsake(worth, placed.crop, _jpeg(frame.image))

    def best(self, text: str) -> Keepsake | None:
        """The best frame in which `text` was read."""
        return self._kept.get(text)

    def forget_before(self, now_ns: int) -> None:
        """Drop what no track can ask for any more."""
        oldest_ns = now_ns - round(KEPT_S * 1e9)
        self._kept = {text: k for text, k in self._kept.items() if k.crop.captured_at_ns >= oldest_ns}


def _jpeg(image: NDArray[np.uint8]) -> bytes:
    return cv2.imencode(".jpg", image, (cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY))[1].tobytes()
