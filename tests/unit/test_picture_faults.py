"""Sources whose pictures are mirrored, upside down or interlaced: said once, and accusing nobody."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from roadside.assembly.models import open_models
from roadside.assembly.settings import Settings
from roadside.capture.interlace import CombWatch
from roadside.core.detect import crop_plate
from roadside.core.events import CropEvent
from roadside.core.frames import CameraId, Frame
from roadside.ocr.orientation import Lie, LieWatch
from roadside.ocr.stage import ReadStage
from tests.unit.test_gather import Counts

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Turn = Callable[[NDArray[np.uint8]], NDArray[np.uint8]]

STREET = Path(__file__).parents[2] / "examples" / "street.jpg"
GATE = CameraId("gate")


def street() -> NDArray[np.uint8]:
    image = cv2.imread(str(STREET))
    assert image is not None
    return np.asarray(image, np.uint8)


def turned(axes: int | None) -> NDArray[np.uint8]:
    return street() if axes is None else np.asarray(cv2.flip(street(), axes), np.uint8)


@pytest.mark.parametrize(
    ("axes", "lie"), [(None, Lie.UPRIGHT), (1, Lie.MIRRORED), (-1, Lie.UPSIDE_DOWN), (0, Lie.FLIPPED)]
)
def test_how_pictures_lie_is_found_out_and_what_is_read_of_the_wrong_way_round_ends(axes: int | None, lie: Lie) -> None:
    finder, reader = open_models(Settings())
    watch, meter = LieWatch(reader), Counts()
    stage = ReadStage(reader, 0.2, meter, watch=watch)
    image = turned(axes)
    detections = finder.detect(image)
    assert detections
    for sequence in range(20):
        frame = Frame(GATE, sequence, sequence, image)
        given = [read for found in detections for read in stage.handle(CropEvent(crop_plate(frame, found), None))]
    assert watch.lie(GATE) is lie
    assert bool(given) is (lie is Lie.UPRIGHT)
    assert meter.values.get("reads_total[('camera', 'gate'), ('outcome', 'turned')]", 0) == 0 or lie is not Lie.UPRIGHT
    assert watch.lie(CameraId("another")) is Lie.UPRIGHT


def test_a_camera_that_is_set_right_reads_again() -> None:
    finder, reader = open_models(Settings())
    watch = LieWatch(reader)
    sequence = 0
    for axes, frames in ((1, 20), (None, 40)):
        image = turned(axes)
        detections = finder.detect(image)
        for _ in range(frames):
            sequence += 1
            frame = Frame(GATE, sequence, sequence, image)
            for found in detections:
                crop = crop_plate(frame, found)
                watch.note(crop, reader.read(crop))
        assert watch.lie(GATE) is (Lie.MIRRORED if axes == 1 else Lie.UPRIGHT)


def moving(count: int) -> list[NDArray[np.uint8]]:
    """A striped block that crosses a picture with texture, 9 px a frame."""
    rng = np.random.default_rng(1)
    ground = cv2.GaussianBlur(rng.integers(60, 200, (240, 640, 3)).astype(np.uint8), (0, 0), 1.5)
    stripes = np.repeat(rng.choice([20, 230], 10), 16).astype(np.uint8)
    block = cv2.GaussianBlur(np.tile(stripes[None, :, None], (120, 1, 3)), (0, 0), 1.0)
    pictures = []
    for frame in range(count):
        picture = np.asarray(ground, np.uint8).copy()
        left = (9 * frame) % 460
        picture[60:180, left : left + 160] = block
        pictures.append(picture)
    return pictures


@pytest.mark.parametrize("interlaced", [True, False])
def test_pictures_of_two_half_pictures_are_found_out(interlaced: bool) -> None:  # noqa: FBT001
    watch = CombWatch()
    pictures = moving(400)
    for first, second in zip(pictures[::2], pictures[1::2], strict=True):
        shown = first.copy()
        if interlaced:
            shown[1::2] = second[1::2]
        watch.note(shown)
    assert watch.is_interlaced is interlaced


def test_a_source_that_stands_still_is_not_interlaced() -> None:
    watch = CombWatch()
    lines = np.zeros((240, 640, 3), np.uint8)
    lines[::2] = 200
    for _ in range(120):
        watch.note(lines)
    assert not watch.is_interlaced


def write_clip(path: Path, image: NDArray[np.uint8], frames: int) -> None:
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 10, image.shape[1::-1])
    for _ in range(frames):
        writer.write(image)
    writer.release()


@pytest.mark.parametrize("axes", [None, 1])
def test_run_says_once_that_pictures_are_mirrored(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], axes: int | None
) -> None:
    from roadside.cli import main  # noqa: PLC0415 - the whole program, as the shell calls it

    write_clip(tmp_path / "clip.avi", turned(axes), 16)
    assert main(["run", str(tmp_path / "clip.avi"), "--db", str(tmp_path / "r.db")]) == 0
    said = [line for line in capsys.readouterr().err.splitlines() if "look mirrored" in line]
    assert len(said) == (0 if axes is None else 1)
