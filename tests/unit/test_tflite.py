from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING
from unittest.mock import Mock

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from roadside.adapters.models import files, flatbuffer
from roadside.adapters.models.flatbuffer import is_whole
from roadside.adapters.models.tflite import TfliteNets, TfliteReaderNet, load_interpreter
from roadside.core.detect import Search, SearchPolicy
from roadside.core.frames import Box, CameraId, Crop, Detection
from roadside.core.reads import ALPHABET
from roadside.core.rectify import READ_MARGIN
from roadside.detector.search import PlateSearch
from roadside.errors import ModelError, SettingsError
from roadside.ocr.reader import PlateReader
from tests.models_hostile import sharing_tables

if TYPE_CHECKING:
    from numpy.typing import NDArray


FIXTURES = Path(__file__).parents[1] / "fixtures"
MODELS = Path(__file__).parents[2] / "models" / "shipped"
SHIPPED = sorted(MODELS.glob("*/*.tflite"))
RUNTIMES = ["litert"] + (["tflite-runtime"] if sys.version_info < (3, 12) else [])
DETECTORS = ["detector_tf1_float", "detector_tf2_float", "detector_tf1_uint8", "detector_tf2_uint8"]
FAST = SearchPolicy(Search.FAST)


def detector_folder(folder: Path, model: str, labels: str = "???\nplate\ncar\n") -> Path:
    shutil.copy(FIXTURES / f"{model}.tflite", folder / "detect.tflite")
    (folder / "labelmap.txt").write_text(labels)
    return folder


def reader_folder(folder: Path, model: str = "reader_float", **changes: object) -> Path:
    card = {"characters": ALPHABET, "countries": ["UK", "CZ", "XX"], "temperature": 1.0, "width": 176, "height": 48}
    shutil.copy(FIXTURES / f"{model}.tflite", folder / "read.tflite")
    (folder / "reader.json").write_text(json.dumps(card | changes))
    return folder


def searching(
    folder: Path, score: float = 0.3, policy: SearchPolicy | None = None, runtime: str | None = None
) -> PlateSearch:
    return PlateSearch(TfliteNets(runtime).detector(folder, 1), score, policy)


def reading(folder: Path, runtime: str | None = None, *, extra_cuts: bool = False) -> PlateReader:
    return PlateReader(TfliteReaderNet(folder, 1, runtime), extra_cuts=extra_cuts)


def grey_bars(text: str) -> NDArray[np.uint8]:
    """A strip that the reader of the fixtures reads as `text`."""
    strip = np.full((48, 176), 255, np.uint8)
    for place, character in enumerate(text):
        left = 16 + 20 * place
        strip[:, left : left + 12] = 6 * (ALPHABET.index(character) + 1)
    return strip


@pytest.mark.parametrize("runtime", RUNTIMES)
@pytest.mark.parametrize("model", DETECTORS)
def test_a_detector_of_either_order_and_input_finds_the_box(tmp_path: Path, model: str, runtime: str) -> None:
    detector = searching(detector_folder(tmp_path, model), 0.5, FAST, runtime)
    reddish = np.zeros((60, 120, 3), np.uint8)
    reddish[..., 2] = 204
    (found,) = detector.detect(reddish)
    box = found.box
    assert (box.x1, box.y1, box.x2, box.y2) == pytest.approx((30, 15, 90, 30), abs=1)
    assert found.score == pytest.approx(0.8, abs=0.02)


@pytest.mark.parametrize("model", DETECTORS)
def test_a_picture_without_red_has_no_plate_for_it(tmp_path: Path, model: str) -> None:
    blue = np.zeros((60, 120, 3), np.uint8)
    blue[..., 0] = 255
    assert searching(detector_folder(tmp_path, model), 0.5, FAST).detect(blue) == ()


def test_only_the_class_of_plates_is_told(tmp_path: Path) -> None:
    folder = detector_folder(tmp_path, "detector_tf1_float", "car\nnumber plate\n")
    found = searching(folder, 0.3, FAST).detect(np.full((64, 64, 3), 255, np.uint8))
    assert [d.score for d in found] == pytest.approx([0.4])


def test_tiles_give_boxes_in_pixels_of_the_picture(tmp_path: Path) -> None:
    folder = detector_folder(tmp_path, "detector_tf1_float")
    image = np.full((320, 400, 3), 0, np.uint8)
    image[:144, :180, 2] = 255
    found = searching(folder, 0.6, SearchPolicy(Search.TILES, overlap=0.0)).detect(image)
    (box,) = [d.box for d in found]
    assert (box.x1, box.y1, box.x2, box.y2) == pytest.approx((50, 40, 150, 80), abs=1)


def test_pictures_of_any_size_can_follow_one_another(tmp_path: Path) -> None:
    detector = searching(detector_folder(tmp_path, "detector_tf1_uint8"), 0.5)
    for height, width in ((1, 1), (8, 3000), (720, 1280), (31, 33)):
        for found in detector.detect(np.full((height, width, 3), 255, np.uint8)):
            assert 0 <= found.box.x1 < found.box.x2 <= width
            assert 0 <= found.box.y1 < found.box.y2 <= height


def one_line(error: pytest.ExceptionInfo[Exception], *words: str) -> None:
    message = str(error.value)
    assert "\n" not in message
    assert len(message) < 400
    for word in words:
        assert word in message


def test_an_empty_model_is_told_of(tmp_path: Path) -> None:
    (tmp_path / "detect.tflite").write_bytes(b"")
    (tmp_path / "labelmap.txt").write_text("plate\n")
    with pytest.raises(ModelError) as error:
        searching(tmp_path)
    one_line(error, "detect.tflite", "empty", "0 bytes")


def test_a_file_that_is_no_model_is_told_of(tmp_path: Path) -> None:
    (tmp_path / "detect.tflite").write_bytes(b"<html>not here</html>" * 9)
    (tmp_path / "labelmap.txt").write_text("plate\n")
    with pytest.raises(ModelError) as error:
        searching(tmp_path)
    one_line(error, "detect.tflite", "no TFLite model")


@pytest.mark.parametrize("runtime", RUNTIMES)
@pytest.mark.parametrize("model", ["detector_tf1_float", "detector_tf2_uint8", "reader_float"])
def test_a_broken_off_model_is_told_of_wherever_it_broke(tmp_path: Path, model: str, runtime: str) -> None:
    whole = (FIXTURES / f"{model}.tflite").read_bytes()
    path = tmp_path / "cut.tflite"
    for length in range(16, len(whole) - 64, 97):
        path.write_bytes(whole[:length])
        with pytest.raises(ModelError) as error:
            load_interpreter(path, 1, runtime)
        one_line(error, "cut.tflite", "broken")


@given(st.integers(8, 3000), st.binary(min_size=1, max_size=8))
def test_a_garbled_model_is_judged_without_a_crash_and_a_cut_one_refused(place: int, noise: bytes) -> None:
    whole = (FIXTURES / "reader_float.tflite").read_bytes()
    assert is_whole(whole[:place] + noise + whole[place + len(noise) :]) in (True, False)
    assert not is_whole(whole[:place])


def test_tables_that_are_shared_are_gone_over_once(monkeypatch: pytest.MonkeyPatch) -> None:
    walked = Mock(side_effect=flatbuffer.present)
    monkeypatch.setattr(flatbuffer, "present", walked)
    assert is_whole(sharing_tables(60))
    assert walked.call_count == 3  # the model, its subgraph, its tensor


def test_a_model_that_does_not_end_is_not_read_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "LARGEST_MODEL_BYTES", 1 << 20)
    with pytest.raises(ModelError, match="/dev/zero has more than 1 MB"):
        files.model_bytes(Path("/dev/zero"))


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: "/".join(path.parts[-2:]))
def test_every_shipped_model_is_whole_and_its_first_nine_tenths_are_not(path: Path) -> None:
    content = path.read_bytes()
    assert is_whole(content)
    assert not is_whole(content[: len(content) * 9 // 10])


def test_a_missing_model_and_a_missing_label_map_are_told_of(tmp_path: Path) -> None:
    with pytest.raises(ModelError) as error:
        searching(tmp_path)
    one_line(error, "labelmap.txt", "No such file")
    (tmp_path / "labelmap.txt").write_text("plate\n")
    with pytest.raises(ModelError) as error:
        searching(tmp_path)
    one_line(error, "detect.tflite", "No such file")


def test_labels_without_a_plate_are_told_of(tmp_path: Path) -> None:
    with pytest.raises(ModelError) as error:
        searching(detector_folder(tmp_path, "detector_tf1_float", "???\nperson\nbicycle\n"))
    one_line(error, "names no plate", "person, bicycle")


@pytest.mark.parametrize("model", ["classifier", "reader_float"])
def test_a_model_of_another_shape_is_no_detector(tmp_path: Path, model: str) -> None:
    with pytest.raises(ModelError) as error:
        searching(detector_folder(tmp_path, model))
    one_line(error, "no detection model")


@pytest.mark.parametrize("model", ["classifier", "detector_tf1_float"])
def test_a_model_of_another_shape_is_no_reader(tmp_path: Path, model: str) -> None:
    with pytest.raises(ModelError) as error:
        reading(reader_folder(tmp_path, model))
    one_line(error, "no reader")


@pytest.mark.parametrize(
    "changes",
    [{"characters": "ABC"}, {"temperature": 0}, {"temperature": "warm"}, {"countries": 3}, {"characters": None}],
)
def test_a_reader_with_a_wrong_card_is_told_of(tmp_path: Path, changes: dict[str, object]) -> None:
    with pytest.raises(ModelError) as error:
        reading(reader_folder(tmp_path, "reader_float", **changes))
    one_line(error, "reader.json")


def test_an_unknown_runtime_is_told_of() -> None:
    with pytest.raises(SettingsError) as error:
        load_interpreter(FIXTURES / "reader_float.tflite", 1, "tensorrt")
    one_line(error, "tensorrt", "litert")


@pytest.mark.parametrize("runtime", RUNTIMES)
@pytest.mark.parametrize("model", ["reader_float", "reader_uint8"])
def test_a_strip_is_read(tmp_path: Path, model: str, runtime: str) -> None:
    reader = reading(reader_folder(tmp_path, model), runtime)
    read = reader.read_strip(grey_bars("LS15EBC"))
    assert (read.raw, read.text, read.country) == ("LS15EBC", "LS15EBC", "UK")
    assert read.confidence > 0.9
    assert "".join(c.text for c in read.characters) == read.text
    assert read.posterior.shape == (7, 36)
    assert read.posterior.sum(1) == pytest.approx(1, abs=1e-5)


def test_the_order_of_the_card_s_characters_is_kept(tmp_path: Path) -> None:
    reader = reading(reader_folder(tmp_path, characters=ALPHABET[::-1]))
    assert reader.read_strip(grey_bars("012")).raw == "ZYX"


def crop_of(picture: NDArray[np.uint8]) -> Crop:
    """A crop that rectification, with its margin, cuts to `picture`."""
    height, width = picture.shape
    image = np.full((height + 20, width + 20, 3), 255, np.uint8)
    image[10 : 10 + height, 10 : 10 + width] = picture[..., None]
    plate = width / (1 + 2 * READ_MARGIN)
    margin = plate * READ_MARGIN
    box = Box(110 + margin, 210 + margin, 110 + width - margin, 210 + height - margin)
    return Crop(CameraId("gate"), 0, 0, Detection(box, 0.9), image, (100, 200))


@pytest.mark.parametrize("model", ["reader_float", "reader_uint8"])
@pytest.mark.parametrize("scale", [1, 2, 4])
def test_a_crop_is_read_where_its_box_is_at_any_size(tmp_path: Path, model: str, scale: int) -> None:
    picture = np.kron(grey_bars("AB12CDE"), np.ones((scale, scale), np.uint8))
    assert reading(reader_folder(tmp_path, model)).read(crop_of(picture)).text == "AB12CDE"


def test_corners_are_read_rather_than_the_box_around_them(tmp_path: Path) -> None:
    straight = crop_of(grey_bars("AB12CDE"))
    box = straight.detection.box
    corners = ((box.x1, box.y1), (box.x2, box.y1), (box.x2, box.y2), (box.x1, box.y2))
    loose = Detection(Box(box.x1 - 9, box.y1 - 9, box.x2 + 9, box.y2 + 9), 0.9, corners)
    crop = Crop(straight.camera_id, 0, 0, loose, straight.image, straight.origin)
    assert reading(reader_folder(tmp_path)).read(crop).text == "AB12CDE"


def test_a_two_line_plate_is_read_row_after_row(tmp_path: Path) -> None:
    plate = np.full((120, 176), 255, np.uint8)
    for place, character in enumerate("AX3"):
        left = 16 + 56 * place
        plate[:, left : left + 32] = 6 * (ALPHABET.index(character) + 1)
    assert reading(reader_folder(tmp_path)).read(crop_of(plate)).raw == "AX3AX3"


def test_between_one_line_and_two_the_surer_read_counts(tmp_path: Path) -> None:
    reader = reading(reader_folder(tmp_path))
    crop = crop_of(np.kron(grey_bars("AB12CDE"), np.ones((2, 1), np.uint8)))
    box = crop.detection.box
    assert 1.8 < box.width / box.height < 2.8
    assert reader.read(crop).text == "AB12CDE"


def test_an_empty_plate_gives_an_empty_read(tmp_path: Path) -> None:
    read = reading(reader_folder(tmp_path)).read(crop_of(np.full((48, 176), 255, np.uint8)))
    assert (read.text, read.raw, read.confidence, read.characters) == ("", "", 0, ())
    assert read.posterior.shape == (0, 36)


def test_a_crop_without_pixels_gives_an_empty_read(tmp_path: Path) -> None:
    crop = Crop(CameraId("gate"), 0, 0, Detection(Box(0, 0, 5, 2), 0.4), np.zeros((0, 0, 3), np.uint8))
    assert reading(reader_folder(tmp_path)).read(crop).confidence == 0


def test_extra_cuts_are_given_up_where_there_is_nothing(tmp_path: Path) -> None:
    reader = reading(reader_folder(tmp_path), extra_cuts=True)
    assert reader.read(crop_of(np.full((48, 176), 255, np.uint8))).confidence == 0
    crop = Crop(CameraId("gate"), 0, 0, Detection(Box(0, 0, 5, 2), 0.4), np.zeros((0, 0, 3), np.uint8))
    assert reader.read(crop).confidence == 0


def test_models_are_shipped() -> None:
    assert any(path.name == "detect.tflite" for path in SHIPPED)
    assert any(path.name == "read.tflite" for path in SHIPPED)


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="tflite-runtime has no wheels for Python 3.12 and later")
@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: "/".join(path.parts[-2:]))
def test_every_shipped_model_runs_on_tflite_runtime(path: Path) -> None:
    interpreter = load_interpreter(path, 1, "tflite-runtime")
    assert type(interpreter).__module__.startswith("tflite_runtime")
    details = interpreter.get_input_details()[0]
    interpreter.set_tensor(details["index"], np.full(details["shape"], 100, details["dtype"]))
    interpreter.invoke()
    for output in interpreter.get_output_details():
        assert np.isfinite(interpreter.get_tensor(output["index"]).astype(np.float32)).all()


@pytest.mark.parametrize(
    "folder", sorted({p.parent for p in SHIPPED if p.name == "detect.tflite"}), ids=lambda folder: folder.name
)
def test_every_shipped_detector_is_one(folder: Path) -> None:
    assert searching(folder, 0.5).detect(np.full((480, 640, 3), 120, np.uint8)) == ()


@pytest.mark.parametrize(
    "folder", sorted({p.parent for p in SHIPPED if p.name == "read.tflite"}), ids=lambda folder: folder.name
)
def test_every_shipped_reader_doubts_an_empty_strip(folder: Path) -> None:
    assert reading(folder).read_strip(np.full((48, 176), 200, np.uint8)).confidence < 0.5


def test_the_faster_runtime_is_taken_where_both_are_installed() -> None:
    interpreter = load_interpreter(FIXTURES / "reader_float.tflite", 1)
    assert type(interpreter).__module__.startswith("ai_edge_litert")


def test_no_interpreter_installed_is_told_of_in_one_line() -> None:
    program = (
        "import sys; sys.modules['ai_edge_litert.interpreter'] = sys.modules['tflite_runtime.interpreter'] = None\n"
        "from pathlib import Path; from roadside.adapters.models.tflite import load_interpreter\n"
        "from roadside.errors import SettingsError\n"
        f"try: load_interpreter(Path({str(FIXTURES / 'reader_float.tflite')!r}), 1)\n"
        "except SettingsError as error: print(error)\n"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, env=os.environ)
    assert "pip install ai-edge-litert" in ran.stdout
