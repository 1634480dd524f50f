from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from roadside.adapters.models.tesseract import ArticleReader, TesseractReader
from roadside.core.detect import crop_plate
from roadside.core.frames import Box, CameraId, Detection, Frame
from roadside.errors import ModelError

if TYPE_CHECKING:
    from roadside.core.reads import Read

OURS = Path(__file__).parents[2] / "models" / "shipped" / "tesseract"
BOX = Box(120, 80, 440, 150)


def installed_language() -> Path:
    """The folder of Debian's eng."""
    (found, *_) = sorted(Path("/usr/share/tesseract-ocr").glob("*/tessdata/eng.traineddata"))
    return found.parent


def street(text: str, offset: int = 0) -> Frame:
    """A frame with `text` on a plate at BOX; `offset` moves plate and letters up and left."""
    image = np.full((240, 560, 3), 60, np.uint8)
    x, y = int(BOX.x1) - offset, int(BOX.y1) - offset
    image[y : y + 70, x : x + 320] = 255
    cv2.putText(image, text, (x + 14, y + 51), cv2.FONT_HERSHEY_DUPLEX, 1.7, (0, 0, 0), 3, cv2.LINE_AA)
    return Frame(CameraId("gate"), 0, 0, image)


def read(reader: TesseractReader | ArticleReader, frame: Frame) -> Read:
    return reader.read(crop_plate(frame, Detection(BOX, 0.9)))


@pytest.fixture(scope="module")
def ours() -> TesseractReader:
    return TesseractReader(OURS)


@pytest.fixture(scope="module")
def article() -> ArticleReader:
    return ArticleReader(installed_language(), "eng")


def test_a_plate_is_read_with_a_confidence_for_every_character(ours: TesseractReader) -> None:
    found = read(ours, street("AB12 CDE"))
    assert (found.text, found.country) == ("AB12CDE", "UK")
    assert 0 < found.confidence <= 1
    assert [c.text for c in found.characters] == list("AB12CDE")
    assert found.posterior.shape == (7, 36)
    assert found.posterior.sum(1) == pytest.approx(1, abs=1e-5)


def test_an_empty_plate_is_an_empty_read(ours: TesseractReader, article: ArticleReader) -> None:
    for reader in (ours, article):
        found = read(reader, street(""))
        assert (found.text, found.confidence) == ("", 0)


def test_the_article_reads_a_plate_where_it_cut(article: ArticleReader) -> None:
    found = read(article, street("AB12 CDE", offset=10))
    assert found.text == "AB12CDE"
    assert found.confidence > 0.73


def corners(box: Box) -> tuple[float, float, float, float]:
    return (box.x1, box.y1, box.x2, box.y2)


def test_the_article_needs_more_than_six_characters(article: ArticleReader) -> None:
    frame = street("AB12CD", offset=10)
    box = article.read_box(frame.image, *corners(BOX))
    assert len(box.text) == 6
    assert box.confidence > 73
    assert not box.accepted
    assert read(article, frame).text == ""


def test_the_article_says_the_same_of_a_crop_as_of_the_frame(article: ArticleReader) -> None:
    frame = street("XY65 ZZT", offset=7)
    found = article.read_box(frame.image, *corners(BOX))
    assert found.accepted
    assert read(article, frame).confidence == pytest.approx(found.confidence / 100)


def test_the_article_at_the_picture_s_corner_reads_nothing(article: ArticleReader) -> None:
    found = article.read_box(np.full((40, 40, 3), 200, np.uint8), 2, 2, 9, 8)
    assert (found.text, found.confidence, found.accepted) == ("", -1, False)


@pytest.mark.parametrize("kind", [TesseractReader, ArticleReader])
def test_a_missing_language_is_told_of(tmp_path: Path, kind: type[TesseractReader | ArticleReader]) -> None:
    with pytest.raises(ModelError, match=r"gb\.traineddata: No such file"):
        kind(tmp_path)
    (tmp_path / "gb.traineddata").write_bytes(b"")
    with pytest.raises(ModelError, match="empty"):
        kind(tmp_path)


def test_a_broken_language_is_told_of_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "gb.traineddata").write_bytes(b"not a language " * 50)
    with pytest.raises(ModelError, match="Tesseract cannot use") as error:
        TesseractReader(tmp_path)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("kind", [TesseractReader, ArticleReader])
def test_a_missing_tesseract_is_told_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: type[TesseractReader | ArticleReader]
) -> None:
    shutil.copy(installed_language() / "eng.traineddata", tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ModelError, match="apt-get install tesseract-ocr"):
        kind(tmp_path, "eng")


def test_a_folder_with_spaces_and_quotes_will_do(tmp_path: Path) -> None:
    folder = tmp_path / "my 'own' data"
    folder.mkdir()
    shutil.copy(OURS / "gb.traineddata", folder)
    assert read(TesseractReader(folder), street("AB12 CDE")).text == "AB12CDE"
