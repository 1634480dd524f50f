"""Clips whose file says that they are to be turned, as films of telephones do."""

from __future__ import annotations

import struct
from pathlib import Path

import cv2
import numpy as np
import pytest

from roadside.adapters.sources.recorded import ClipSource
from roadside.assembly.models import open_models
from roadside.assembly.settings import Settings
from roadside.assembly.uprightness import set_upright
from roadside.core.detect import crop_plate
from roadside.core.frames import CameraId, Frame
from roadside.core.turning import half_turned, mirrored
from tests.clocks import HandClock

STREET = Path(__file__).parents[2] / "examples" / "street.jpg"
GATE = CameraId("gate")
UNTURNED = struct.pack(">9i", 65536, 0, 0, 0, 65536, 0, 0, 0, 1 << 30)
CLOCKWISE = struct.pack(">9i", 0, 65536, 0, -65536, 0, 0, 0, 0, 1 << 30)
"""ISO/IEC 14496-12, 8.3.2: the matrix of a track header that has pictures turned by 90 degrees when they are shown."""


def write_turned(path: Path, image: np.ndarray, frames: int = 4) -> None:
    """A clip of `image` as it is, with a note that it is to be turned clockwise."""
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), 10, image.shape[1::-1])
    for _ in range(frames):
        writer.write(image)
    writer.release()
    data = path.read_bytes()
    header = data.index(b"tkhd")
    assert data.count(UNTURNED, header) == 1
    path.write_bytes(data[:header] + data[header:].replace(UNTURNED, CLOCKWISE))


def test_a_clip_is_turned_as_its_file_says(tmp_path: Path) -> None:
    image = np.zeros((96, 160, 3), np.uint8)
    image[:, :40] = 255
    write_turned(tmp_path / "clip.mp4", image)
    source = ClipSource(tmp_path / "clip.mp4", GATE, HandClock())
    frame = next(iter(source.frames())).image
    assert frame.shape == (160, 96, 3)
    assert frame[:30].min() > 200, "the left is above"
    assert [sample.shape for sample in source.samples(2)] == [(160, 96, 3)] * 2


@pytest.mark.parametrize(("turn", "over"), [(cv2.ROTATE_90_COUNTERCLOCKWISE, False), (cv2.ROTATE_90_CLOCKWISE, True)])
def test_a_note_of_the_opposite_turn_is_found_out(tmp_path: Path, turn: int, over: bool) -> None:  # noqa: FBT001
    street = cv2.imread(str(STREET))
    assert street is not None
    write_turned(tmp_path / "clip.mp4", cv2.rotate(street, turn))
    source = ClipSource(tmp_path / "clip.mp4", GATE, HandClock())
    set_upright(source, *open_models(Settings()))
    assert source.turned_over is over
    shown = next(iter(source.frames())).image
    assert shown.shape == street.shape
    assert float(cv2.absdiff(shown, street).mean()) < 6


def test_a_crop_turned_or_mirrored_twice_is_itself_and_reads_when_turned_back() -> None:
    street = cv2.imread(str(STREET))
    assert street is not None
    finder, reader = open_models(Settings())
    frame = Frame(GATE, 0, 0, np.asarray(street, np.uint8))
    crop = crop_plate(frame, finder.detect(frame.image)[0])
    text = reader.read(crop).text
    for change in (half_turned, mirrored):
        changed = change(crop)
        assert reader.read(changed).text != text
        assert reader.read(change(changed)).text == text
        assert np.array_equal(change(changed).image, crop.image)
