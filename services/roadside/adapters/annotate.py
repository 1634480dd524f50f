"""Pictures and videos with what was read drawn in: boxes, plates, countries, verdicts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2

from roadside.adapters.picture_times import with_times
from roadside.core.sightings import VerdictKind
from roadside.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from roadside.core.frames import Box

COLOURS = {
    VerdictKind.PAID: (80, 175, 76),
    VerdictKind.EXEMPT: (200, 160, 60),
    VerdictKind.UNPAID: (54, 57, 229),
    VerdictKind.REVIEW: (0, 160, 255),
    VerdictKind.UNKNOWN: (150, 150, 150),
    VerdictKind.NONE: (235, 206, 60),
}
"""Blue green red."""
NO_VERDICT = COLOURS[VerdictKind.NONE]
JPEG = (".jpg", ".jpeg")
PICTURES = (".jpg", ".jpeg", ".png", ".webp")


@dataclass(frozen=True, slots=True)
class Mark:
    """One plate to draw."""

    box: Box
    text: str
    country: str | None = None
    verdict: VerdictKind | None = None
    hidden: bool = False
    """Whether its text and country are not to be written beside it."""


def draw(image: NDArray[np.uint8], marks: Sequence[Mark]) -> NDArray[np.uint8]:
    """A copy of `image` ((H, W, 3) uint8, blue green red) with a box and a label for each mark."""
    drawn = image.copy()
    for mark in marks:
        colour = NO_VERDICT if mark.verdict is None else COLOURS[mark.verdict]
        corners = [round(v) for v in (mark.box.x1, mark.box.y1, mark.box.x2, mark.box.y2)]
        cv2.rectangle(drawn, (corners[0], corners[1]), (corners[2], corners[3]), colour, _stroke(image))
        if caption := _caption(mark):
            _label(drawn, caption, (corners[0], corners[1], corners[3]), colour)
    return drawn


def _stroke(image: NDArray[np.uint8]) -> int:
    return max(2, round(image.shape[0] / 360))


def _scale(image: NDArray[np.uint8]) -> float:
    return max(0.5, image.shape[0] / 900)


def _caption(mark: Mark) -> str:
    seen = () if mark.hidden else (mark.text or "?", mark.country or "")
    words = [*seen, mark.verdict.value if mark.verdict not in (None, VerdictKind.NONE) else ""]
    return "  ".join(word for word in words if word)


def _label(image: NDArray[np.uint8], text: str, place: tuple[int, int, int], colour: tuple[int, int, int]) -> None:
    """A filled label above the box, or below it at the picture's upper edge, kept inside the picture."""
    scale, stroke = _scale(image), _stroke(image)
    thickness = max(1, stroke // 2)
    (width, height), below = cv2.getTextSize(text, cv2.FONT_HERSHEY_DUPLEX, scale, thickness)
    pad = round(height * 0.4)
    left, top, bottom = place
    x = min(max(0, left - stroke), max(0, image.shape[1] - width - 2 * pad))
    y = top - stroke - below - pad
    if y - height - pad < 0:
        y = bottom + stroke + height + pad
    cv2.rectangle(image, (x, y - height - pad), (x + width + 2 * pad, y + below + pad // 2), colour, cv2.FILLED)
    cv2.putText(image, text, (x + pad, y), cv2.FONT_HERSHEY_DUPLEX, scale, (255, 255, 255), thickness, cv2.LINE_AA)


class PictureWriter:
    """Writes annotated pictures: one file, or a folder of them."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def write(self, image: NDArray[np.uint8], name: str = "", original: Path | None = None) -> Path:
        """Store one picture; `name` is the file's inside a folder. Raises InputError where it cannot be written.

        A JPEG says as its `original` does when it was taken.
        """
        path = self._path / name if name else self._path
        done, encoded = cv2.imencode(path.suffix, image)
        if not done:
            raise InputError(f"{path}: cannot be encoded; choose .jpg or .png")
        data = encoded.tobytes()
        if original is not None and path.suffix.lower() in JPEG:
            data = with_times(data, original)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        except OSError as error:
            raise InputError(f"{path}: cannot be written ({error.strerror}); choose another --out") from None
        return path
