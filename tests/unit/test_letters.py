"""Which dead letters are forgotten with a plate."""

from __future__ import annotations

import numpy as np
import pytest

from roadside.adapters.sql.retention import Passage
from roadside.assembly.letters import NEAR_NS, mentions
from roadside.core.events import CropEvent, FrameEvent, PixelPicture
from roadside.core.frames import Box, CameraId, Crop, Detection
from roadside.core.moments import Stamp

BLACK = np.zeros((20, 60, 3), np.uint8)
FIRST_NS, LAST_NS = 10**18, 10**18 + 2 * 10**9
PASSAGE = Passage("gate", FIRST_NS, LAST_NS)


def frame(camera: str, at_ns: int, stamp: Stamp | None = None) -> FrameEvent:
    return FrameEvent(CameraId(camera), at_ns, 7, PixelPicture(BLACK), stamp=stamp)


def crop(camera: str, at_ns: int) -> CropEvent:
    cut = Crop(CameraId(camera), at_ns, 7, Detection(Box(0, 0, 60, 20), 0.9), BLACK)
    return CropEvent(cut, None)


@pytest.mark.parametrize("event", [frame, crop])
def test_pictures_of_the_time_and_camera_of_a_passage_are_taken_for_the_vehicles(event: type[FrameEvent]) -> None:
    told = mentions("AB12CDE", [PASSAGE])
    assert told(event("gate", FIRST_NS - NEAR_NS))
    assert told(event("gate", LAST_NS + NEAR_NS))
    assert not told(event("gate", FIRST_NS - NEAR_NS - 1))
    assert not told(event("gate", LAST_NS + NEAR_NS + 1))
    assert not told(event("yard", FIRST_NS))
    assert not mentions("AB12CDE")(event("gate", FIRST_NS)), "of a vehicle that was never seen nothing is known"


def test_the_time_is_that_at_which_a_picture_was_taken() -> None:
    told = mentions("AB12CDE", [PASSAGE])
    assert told(frame("gate", 5, Stamp(FIRST_NS)))
    assert not told(frame("gate", FIRST_NS, Stamp(5)))
