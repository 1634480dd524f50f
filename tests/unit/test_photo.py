"""When a photograph is worth a closer look, and what comes of it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from roadside.assembly.photographs import DISTANT, SURE_CONFIDENCE, WIDE_PX, PhotographReader
from roadside.core.ctc import EMPTY
from roadside.core.frames import Box, Detection

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from roadside.core.frames import Crop
    from roadside.core.reads import Read

FAR = Detection(Box(600, 300, 660, 318), 0.6)


class Finder:
    """Finds a plate of a given width at the first look, and one more at a closer one."""

    def __init__(self, width: float) -> None:
        self._near = Detection(Box(100, 100, 100 + width, 130), 0.9)
        self.closer_looks = 0

    def detect(self, image: NDArray[np.uint8]) -> Sequence[Detection]:  # noqa: ARG002
        """The near plate."""
        return [self._near]

    def detect_closer(self, image: NDArray[np.uint8], first: Sequence[Detection]) -> Sequence[Detection]:  # noqa: ARG002
        """Both plates."""
        self.closer_looks += 1
        return [*first, FAR]


class Reader:
    """Reads every plate with one confidence."""

    def __init__(self, confidence: float) -> None:
        self._confidence = confidence
        self.reads = 0

    def read(self, crop: Crop) -> Read:
        """A text that tells the plates apart by where they are."""
        self.reads += 1
        return replace(EMPTY, text=f"AT{int(crop.detection.box.x1)}", confidence=self._confidence)


@pytest.mark.parametrize(
    ("picture_width", "plate_share", "confidence", "closer"),
    [
        (WIDE_PX, DISTANT - 0.01, 0.99, True),
        (WIDE_PX - 1, DISTANT - 0.01, 0.99, False),
        (WIDE_PX, DISTANT + 0.01, 0.99, False),
        (800, 0.2, SURE_CONFIDENCE - 0.01, True),
        (800, 0.2, SURE_CONFIDENCE, False),
    ],
)
def test_unsure_pictures_and_wide_views_of_traffic_are_looked_at_closer(
    tmp_path: Path, picture_width: int, plate_share: float, confidence: float, *, closer: bool
) -> None:
    path = tmp_path / "street.png"
    cv2.imwrite(str(path), np.full((600, picture_width, 3), 90, np.uint8))
    finder, reader = Finder(plate_share * picture_width), Reader(confidence)
    report = PhotographReader(finder, reader, 0.2, finder.detect_closer).read(path)
    assert finder.closer_looks == closer
    assert reader.reads == (2 if closer else 1), "a plate is read once"
    assert [p.read.text for p in report.plates] == (["AT100", "AT600"] if closer else ["AT100"])


def test_a_picture_is_not_looked_at_closer_where_nothing_can(tmp_path: Path) -> None:
    path = tmp_path / "street.png"
    cv2.imwrite(str(path), np.full((600, 1300, 3), 90, np.uint8))
    assert len(PhotographReader(Finder(40), Reader(0.3), 0.2).read(path).plates) == 1
