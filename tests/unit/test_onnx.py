"""The second backend of the nets: ONNX Runtime says what the TFLite interpreters say."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from models.data.photographs import photographs as pictures_of
from roadside.adapters.models.onnx import OnnxCornerNet, OnnxDetectorNet, OnnxNets, OnnxReaderNet
from roadside.adapters.models.post_process import PostProcess, overlaps
from roadside.adapters.models.tflite import TfliteNets
from roadside.core.corners import OFFSETS, region, region_picture
from roadside.core.detect import crop_plate
from roadside.core.frames import CameraId, Frame
from roadside.core.rectify import READ_MARGIN, aspect_ratio, crop_corners, grow, strip
from roadside.errors import ModelError, SettingsError
from roadside.vision import decode_picture, open_detector, open_nets, open_reader, read_bytes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from roadside.core.frames import Crop

SHIPPED = Path(__file__).parents[2] / "models" / "shipped"
CLOSE = 1e-3
PICTURES = 12


@pytest.fixture(scope="module")
def crops(photographs: Path) -> list[tuple[NDArray[np.uint8], Crop]]:
    """Photographs and the plates that the product finds in them."""
    detector = open_detector(SHIPPED / "detector", runtime="litert")
    found = []
    for one in [p for p in pictures_of(photographs) if p.source == "pl_gate"][:PICTURES]:
        image = decode_picture(read_bytes(photographs / one.path), one.path)
        frame = Frame(CameraId("gate"), 0, 0, image)
        found += [(image, crop_plate(frame, detection)) for detection in detector.detect(image)]
    assert len(found) >= PICTURES // 2
    return found


def squashed(image: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    import cv2  # noqa: PLC0415

    return np.asarray(cv2.cvtColor(cv2.resize(image, size), cv2.COLOR_BGR2RGB), np.uint8)


def test_the_detectors_find_the_same(crops: Sequence[tuple[NDArray[np.uint8], Crop]]) -> None:
    tflite, onnx = TfliteNets("litert"), OnnxNets()
    one, other = (nets.detector(SHIPPED / "detector", 1) for nets in (tflite, onnx))
    assert one.input_size == other.input_size
    assert one.plate_classes == other.plate_classes
    boxes = 0
    for image, _ in crops:
        picture = squashed(image, one.input_size)
        wanted, found = one.look(picture), other.look(picture)
        assert found.boxes.shape == wanted.boxes.shape
        assert found.classes.tolist() == wanted.classes.tolist()
        assert np.abs(found.scores - wanted.scores).max() < CLOSE
        assert np.abs(found.boxes - wanted.boxes).max() < CLOSE
        boxes += len(found.scores)
    assert boxes > len(crops)


def test_the_corner_nets_say_the_same(crops: Sequence[tuple[NDArray[np.uint8], Crop]]) -> None:
    one, other = (nets.corners(SHIPPED / "detector", 1) for nets in (TfliteNets("litert"), OnnxNets()))
    for image, crop in crops:
        seen = region_picture(image, region(crop.detection.box))
        wanted, found = one.offsets(seen), other.offsets(seen)
        assert found.shape == wanted.shape == (OFFSETS + 1,)
        assert np.abs(found - wanted).max() < CLOSE


def test_the_readers_say_the_same(crops: Sequence[tuple[NDArray[np.uint8], Crop]]) -> None:
    one, other = (nets.reader(SHIPPED / "reader", 1) for nets in (TfliteNets("litert"), OnnxNets()))
    assert (one.countries, one.temperature) == (other.countries, other.temperature)
    for _, crop in crops:
        corners = crop_corners(crop)
        placed = grow(corners, READ_MARGIN, READ_MARGIN * aspect_ratio(corners))
        seen = strip(np.asarray(crop.image[..., 1], np.uint8), placed)
        for wanted, found in zip(one.logits(seen), other.logits(seen), strict=True):
            assert found.shape == wanted.shape
            assert np.abs(found - wanted).max() < CLOSE


def test_plates_are_found_and_read_with_it(crops: Sequence[tuple[NDArray[np.uint8], Crop]]) -> None:
    one, other = (open_reader(SHIPPED / "reader", runtime=runtime) for runtime in ("litert", "onnx"))
    for _, crop in crops:
        wanted, found = one.read(crop), other.read(crop)
        assert found.text == wanted.text
        assert found.confidence == pytest.approx(wanted.confidence, abs=CLOSE)


# --- Suppression ----------------------------------------------------------------------------------


def box(x1: float, y1: float, x2: float, y2: float) -> list[float]:
    return [y1, x1, y2, x2]


def test_of_boxes_that_overlap_the_best_stays() -> None:
    boxes = np.array(
        [box(0, 0, 0.5, 0.5), box(0, 0, 0.5, 0.4), box(0.6, 0.6, 0.9, 0.9), box(0, 0, 0.2, 0.2)], np.float32
    )
    scores = np.array([0.5, 0.9, 0.3, 0.04], np.float32)
    found = PostProcess(20, 0.05, 0.45).select(boxes, scores)
    assert found.scores.tolist() == pytest.approx([0.9, 0.3])
    assert found.boxes.tolist() == boxes[[1, 2]].tolist()
    assert found.classes.tolist() == [0, 0]


def test_no_more_than_the_most_are_kept_and_a_tie_keeps_their_order() -> None:
    boxes = np.array([box(0.1 * i, 0, 0.1 * i + 0.05, 0.1) for i in range(8)], np.float32)
    found = PostProcess(3, 0.05, 0.45).select(boxes, np.full(8, 0.5, np.float32))
    assert found.boxes.tolist() == boxes[:3].tolist()


def test_nothing_likely_is_nothing_found() -> None:
    found = PostProcess(3, 0.05, 0.45).select(np.zeros((5, 4), np.float32), np.full(5, 0.01, np.float32))
    assert found.boxes.shape == (0, 4)
    assert found.scores.shape == (0,)


def test_a_box_without_area_overlaps_nothing() -> None:
    one = np.array([0, 0, 1, 1], np.float32)
    others = np.array([[0, 0, 1, 1], [0, 0, 0.5, 1], [0.5, 0.5, 0.5, 0.9], [2, 2, 3, 3]], np.float32)
    assert overlaps(one, others).tolist() == [1, 0.5, 0, 0]


# --- Files that are none --------------------------------------------------------------------------


def copied(tmp_path: Path) -> Path:
    for name in ("detector", "reader"):
        shutil.copytree(SHIPPED / name, tmp_path, dirs_exist_ok=True)
    return tmp_path


def one_line(error: pytest.ExceptionInfo[Exception], *words: str) -> None:
    message = str(error.value)
    assert "\n" not in message
    assert len(message) < 400
    for word in words:
        assert word in message


@pytest.mark.parametrize("name", ["detect", "corners", "read"])
def test_a_missing_file_is_told_of(tmp_path: Path, name: str) -> None:
    folder = copied(tmp_path)
    (folder / f"{name}.onnx").unlink()
    opens = {"detect": OnnxNets().detector, "corners": OnnxNets().corners, "read": OnnxNets().reader}[name]
    with pytest.raises(ModelError) as error:
        opens(folder, 1)
    one_line(error, f"{name}.onnx", "No such file")


@pytest.mark.parametrize("content", [b"", b"no model" * 100, None])
def test_a_file_that_is_no_model_is_told_of(tmp_path: Path, content: bytes | None) -> None:
    folder = copied(tmp_path)
    whole = (folder / "read.onnx").read_bytes()
    (folder / "read.onnx").write_bytes(whole[: len(whole) // 2] if content is None else content)
    with pytest.raises(ModelError) as error:
        OnnxReaderNet(folder)
    one_line(error, "read.onnx")


def test_a_net_of_another_kind_is_refused(tmp_path: Path) -> None:
    folder = copied(tmp_path)
    with pytest.raises(ModelError, match="no detector"):
        OnnxDetectorNet(folder / "corners.onnx", frozenset({0}))
    with pytest.raises(ModelError, match="no corner net"):
        OnnxCornerNet(folder / "detect.onnx")
    shutil.copy(folder / "detect.onnx", folder / "read.onnx")
    with pytest.raises(ModelError, match="no reader"):
        OnnxReaderNet(folder)


def test_an_unknown_runtime_is_told_of() -> None:
    with pytest.raises(SettingsError) as error:
        open_nets("tensorrt")
    one_line(error, "tensorrt", "litert", "tflite-runtime", "onnx")


def test_without_the_package_one_line_says_how_to_get_it() -> None:
    program = (
        "import sys; sys.modules['onnxruntime'] = None\n"
        "from pathlib import Path; from roadside.errors import SettingsError; from roadside.vision import open_reader\n"
        f"try: open_reader(Path({str(SHIPPED / 'reader')!r}), runtime='onnx')\n"
        "except SettingsError as error: print(error)\n"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, env=os.environ)
    assert "pip install onnxruntime" in ran.stdout
    assert len(ran.stdout.splitlines()) == 1
