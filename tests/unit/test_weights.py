"""The shipped weights are the ones that their checksums name, small enough, and checked when they are loaded."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import pytest

from roadside.errors import ModelError
from roadside.kit import weights
from roadside.kit.weights import SUMS_FILE, check_shipped, weights_folder

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
    assert [p.stem for p in found] == ["corners", "detector", "reader", "reader_wide"]
    for path in found:
        assert hashlib.sha256(path.read_bytes()).hexdigest() in card, path.name


def test_the_weights_stay_under_their_limit_together() -> None:
    assert sum(p.stat().st_size for pattern in LOADED for p in SHIPPED.rglob(pattern)) < MOST_BYTES


def test_shipped_weights_are_let_pass(copy: Path) -> None:
    for name in ("detector", "reader_wide", "reader_int8", "tesseract", "confusions.json", "detector/detect.tflite"):
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
