import subprocess
from pathlib import Path

import cv2
import numpy as np

from models.data.photographs import PlateCrop
from models.tesseract.lines import Line, real_line, rendered_line, write_lines
from roadside.core.frames import Box
from roadside.core.reads import ALPHABET

SHIPPED = Path(__file__).parents[2] / "models" / "shipped" / "tesseract"


def test_it_knows_the_characters_of_plates_alone(tmp_path: Path) -> None:
    prefix = tmp_path / "gb."
    subprocess.run(("combine_tessdata", "-u", SHIPPED / "gb.traineddata", prefix), check=True, capture_output=True)
    lines = (tmp_path / "gb.lstm-unicharset").read_text(encoding="utf-8").splitlines()
    characters = {line.split()[0] for line in lines[1:]}
    assert {c for c in characters if len(c) == 1} == set(ALPHABET)


def test_rendered_lines_are_upright_strips_and_repeat_themselves() -> None:
    first, second = (rendered_line(np.random.default_rng(3)) for _ in range(2))
    assert first.text == second.text
    assert np.array_equal(first.image, second.image)
    for seed in range(8):
        line = rendered_line(np.random.default_rng(seed))
        height, width = line.image.shape
        assert line.image.dtype == np.uint8
        assert 32 <= height <= 64 * 1.5
        assert 1.5 * height < width < 9 * height
        assert set(line.text) <= set(ALPHABET)


def test_a_real_crop_keeps_its_text_and_its_plate(tmp_path: Path) -> None:
    picture = np.zeros((60, 200, 3), np.uint8)
    picture[15:45, 25:175] = 230
    cv2.imwrite(str(tmp_path / "a.png"), picture)
    crop = PlateCrop(
        path="a.png", source="s", use="train", box=Box(25, 15, 175, 45), region="UK", text="AB12CDE", given=True,
        sure=True, teacher="", teacher_confidence=0.0,
    )  # fmt: skip
    for seed in range(6):
        line = real_line(np.random.default_rng(seed), crop, tmp_path)
        middle = line.image[line.image.shape[0] // 2, line.image.shape[1] // 4 : -line.image.shape[1] // 4]
        assert line.text == "AB12CDE"
        assert np.ptp(middle.astype(int)) < 40


def test_pages_and_texts_as_tesseract_trains_on_them(tmp_path: Path) -> None:
    lines = [Line(np.full((40, 160), 200, np.uint8), "AB12CDE"), Line(np.full((36, 120), 90, np.uint8), "X1")]
    write_lines(lines, tmp_path / "lines")
    text = (tmp_path / "lines.box").read_text(encoding="utf-8")
    assert text == "WordStr 0 0 160 40 0 #AB12CDE\n\t 160 0 161 40 0\nWordStr 0 0 120 36 1 #X1\n\t 120 0 121 36 1\n"
    read, pages = cv2.imreadmulti(str(tmp_path / "lines.tif"), flags=cv2.IMREAD_GRAYSCALE)
    assert read
    assert [page.shape for page in pages] == [(40, 160), (36, 120)]
