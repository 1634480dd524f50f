"""The shipped weights are the ones that their checksums name, small enough, and checked when they are loaded."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import pytest

from roadside.assembly.settings import load_settings
from roadside.errors import ModelError
from roadside.kit import weights
from roadside.kit.weights import SUMS_FILE, check_shipped, corners_folder, weights_folder

SHIPPED = Path(__file__).parents[2] / "models" / "shipped"
LOADED = ("*.tflite", "*.onnx", "*.traineddata", "*.json", "*.txt")
MOST_BYTES = 16_000_000


@pytest.fixture
def copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Another installation's weights."""
    folder = tmp_path / "weights"
    shutil.copytree(SHIPPED, folder)
    monkeypatch.setattr(weights, "weights_folder", lambda: folder)
    return folder


def test_the_package_is_the_folder_of_the_checkout() -> None:
    assert weights_folder() == SHIPPED.resolve()


def test_every_file_that_is_loaded_has_its_checksum() -> None:
    listed = dict(reversed(line.split()) for line in (SHIPPED / SUMS_FILE).read_text(encoding="utf-8").splitlines())
    files = sorted(p for pattern in LOADED for p in SHIPPED.rglob(pattern))
    assert {str(p.relative_to(SHIPPED)): hashlib.sha256(p.read_bytes()).hexdigest() for p in files} == listed


def test_every_folder_of_a_net_has_a_card() -> None:
    cards = {p.parent.name: p for p in SHIPPED.glob("*/MODEL_CARD.md")}
    variants = {"detector_uint8", "reader_int8"}
    assert {p.name for p in SHIPPED.iterdir() if p.is_dir() and p.name != "__pycache__"} - variants == set(cards)
    assert (SHIPPED / "detector" / "CORNERS_CARD.md").is_file()


def test_the_checkpoints_are_those_that_their_card_names() -> None:
    folder = SHIPPED / "checkpoints"
    card = (folder / "MODEL_CARD.md").read_text(encoding="utf-8")
    found = sorted(folder.glob("*.pt"))
    assert [p.stem for p in found] == ["corners", "detector", "detector_large", "reader", "reader_wide"]
    for path in found:
        assert hashlib.sha256(path.read_bytes()).hexdigest() in card, path.name


def test_the_weights_stay_under_their_limit_together() -> None:
    assert sum(p.stat().st_size for pattern in LOADED for p in SHIPPED.rglob(pattern)) < MOST_BYTES


def test_shipped_weights_are_let_pass(copy: Path) -> None:
    folders = ("detector", "detector_large", "reader_wide", "reader_int8", "tesseract")
    for name in (*folders, "confusions.json", "detector/detect.tflite"):
        check_shipped(copy / name)


@pytest.mark.parametrize("content", [b"", None, b"another"])
def test_a_changed_cut_or_removed_file_is_told(copy: Path, content: bytes | None) -> None:
    file = copy / "detector" / "corners.tflite"
    if content is None:
        file.unlink()
    else:
        file.write_bytes(content)
    with pytest.raises(ModelError, match=r"corners\.tflite.*install Roadside again") as caught:
        check_shipped(copy / "detector")
    assert "\n" not in str(caught.value)
    check_shipped(copy / "reader")


def test_a_list_that_is_damaged_or_gone_is_told(copy: Path) -> None:
    (copy / SUMS_FILE).write_text("half a line\nno\n")
    with pytest.raises(ModelError, match="damaged"):
        check_shipped(copy / "reader")
    (copy / SUMS_FILE).unlink()
    with pytest.raises(ModelError, match="No such file"):
        check_shipped(copy / "reader")


def test_a_folder_of_ones_own_is_not_checked(copy: Path, tmp_path: Path) -> None:
    own = tmp_path / "own"
    own.mkdir()
    (own / "detect.tflite").write_bytes(b"mine")
    check_shipped(own)
    assert copy != own


def test_the_shipped_detectors_share_a_corner_net_and_others_have_their_own(tmp_path: Path) -> None:
    for name in ("detector", "detector_large", "detector_uint8"):
        assert (corners_folder(SHIPPED / name) / "corners.tflite").is_file()
    assert corners_folder(tmp_path / "mine") == tmp_path / "mine"


@pytest.mark.parametrize(
    ("options", "photographs", "moving"),
    [
        ({}, "detector_large", "detector"),
        ({"quality": "fast"}, "detector", "detector"),
        ({"quality": "best"}, "detector_large", "detector_large"),
        ({"quality": "best", "runtime": "tflite-runtime"}, "detector", "detector"),
        ({"quality": "best", "runtime": "onnx"}, "detector", "detector"),
        ({"quality": "best", "modeldir": SHIPPED / "detector_uint8"}, "detector_uint8", "detector_uint8"),
    ],
)
def test_photographs_have_the_large_detector_where_it_is_fast(
    options: dict[str, object], photographs: str, moving: str
) -> None:
    settings = load_settings(options)
    assert settings.detector_folder(photographs=True).name == photographs
    assert settings.detector_folder().name == moving
