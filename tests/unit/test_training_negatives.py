"""Photographs without a plate, lettering drawn into streets, and what is mined from both."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from models.corners import candidates
from models.corners import config as settings
from models.corners.candidates import Candidate, read_candidates, write_candidates
from models.data.negatives import read_negatives
from models.ocr import config as reader
from models.ocr.augment import degraded
from models.ocr.dataset import Negatives
from models.synth.lettering import lettered, says
from models.training.photographs import Marked
from roadside.core.frames import Box, Detection
from roadside.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

CONFIG = settings.load().candidates
STREET = np.random.default_rng(0).integers(90, 130, (240, 360, 3), np.uint8)


def a_set(folder: Path, count: int = 24) -> Path:
    rows = []
    for number in range(count):
        cv2.imwrite(str(folder / f"n{number:02d}.png"), STREET)
        source = f"GTSDB {number // 2:05d} (a window)" if number < 12 else "signs of a town"
        rows.append(f"n{number:02d}.png\tsigns\t{source}")
    (folder / "negatives.tsv").write_text("path\tlettering\tsource\n" + "\n".join(rows) + "\n", encoding="utf-8")
    return folder


class Sees:
    """A detector that finds these boxes in every picture."""

    def __init__(self, *boxes: Box) -> None:
        self.shapes: list[tuple[int, ...]] = []
        self._boxes = boxes

    def detect(self, image: np.ndarray) -> Sequence[Detection]:
        self.shapes.append(image.shape)
        return tuple(Detection(box, 0.4) for box in self._boxes)


def test_windows_of_one_picture_are_held_out_together(tmp_path: Path) -> None:
    found = read_negatives(a_set(tmp_path))
    assert len(found) == 24
    for one, other in zip(found[:12:2], found[1:12:2], strict=True):
        assert one.scene == other.scene
        assert one.held_out is other.held_out
    assert 2 <= sum(one.held_out for one in found) <= 16


def test_a_folder_without_the_table_has_none_and_a_wrong_table_is_refused(tmp_path: Path) -> None:
    assert read_negatives(tmp_path) == ()
    (tmp_path / "negatives.tsv").write_text("file\tsource\na.png\tx\n", encoding="utf-8")
    with pytest.raises(SourceError, match=r"negatives\.tsv has no column 'path'"):
        read_negatives(tmp_path)


def test_lettering_changes_the_picture_where_it_says_and_touches_no_plate() -> None:
    plate = np.array([[120, 90, 240, 150]], np.float32)
    drawn = 0
    for seed in range(12):
        texts = lettered(np.random.default_rng(seed), STREET, plate)
        changed = (texts.image != STREET).any(axis=2)
        assert not changed[91:149, 121:239].any()
        for x1, y1, x2, y2 in texts.boxes.astype(int).tolist():
            assert (texts.image != STREET)[max(0, y1) : y2 + 1, max(0, x1) : x2 + 1].any()
            changed[max(0, y1 - 4) : y2 + 5, max(0, x1 - 4) : x2 + 5] = False
        assert not changed.any()
        drawn += len(texts.boxes)
    assert drawn > 12


def test_what_is_written_is_no_registration() -> None:
    rng = np.random.default_rng(0)
    for text in {says(rng) for _ in range(800)}:
        joined = re.sub(r"[^A-Za-z0-9]", "", text)
        british_or_czech = re.fullmatch(r"[A-Z]{2}[0-9]{2}[A-Z]{3}|[A-Z][0-9]{1,3}[A-Z]{3}|[0-9][A-Z][0-9]{5}", joined)
        assert british_or_czech is None, text


def test_mining_takes_lettering_and_false_alarms_and_leaves_the_plate(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cv2.imwrite(str(tmp_path / "street.png"), STREET)
    marked = Marked(tmp_path / "street.png", "own", np.array([[120, 90, 240, 150]], np.float32), ("",))
    sees = Sees(Box(122, 92, 238, 149), Box(10, 200, 60, 215))
    monkeypatch.setattr(candidates, "open_detector", lambda *_, **__: sees)
    always = CONFIG.model_copy(update={"lettered": 1.0})
    never = CONFIG.model_copy(update={"lettered": 0.0})
    plain = candidates.mine([marked], [tmp_path], never)
    assert [one.plate for one in plain] == [True, True, False]
    with_texts = candidates.mine([marked] * 4, [tmp_path, tmp_path], always)
    assert sum(one.plate for one in with_texts) == 8
    assert sum(not one.plate for one in with_texts) > 4
    assert {one.weight for one in with_texts if not one.plate} == {0.4, CONFIG.lettering_weight}


def test_only_photographs_that_may_be_trained_on_are_mined_and_weigh_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = a_set(tmp_path)
    sees = Sees(Box(20, 20, 60, 32))
    monkeypatch.setattr(candidates, "open_detector", lambda *_, **__: sees)
    found = candidates.mine_negatives(folder, [tmp_path], CONFIG)
    trained = sum(not one.held_out for one in read_negatives(folder))
    assert len(sees.shapes) == trained * (1 + CONFIG.negative_views)
    assert len(found) == len(sees.shapes)
    assert all(not one.plate and one.weight == pytest.approx(0.4 * CONFIG.negative_weight) for one in found)


def test_candidates_come_back_from_their_file(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    kept = [
        Candidate(rng.integers(0, 256, (20 + n, 50), np.uint8), Box(4, 5, 30 + n, 15), n % 2 == 0, 0.25 * (n + 1))
        for n in range(3)
    ]
    write_candidates(tmp_path / "candidates.npz", kept)
    for mine, back in zip(kept, read_candidates(tmp_path / "candidates.npz"), strict=True):
        assert np.array_equal(mine.grey, back.grey)
        assert (mine.box, mine.plate, mine.weight) == (back.box, back.plate, back.weight)


def test_the_reader_is_to_say_nothing_of_what_was_taken_for_a_plate(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "a.png"), STREET)
    (tmp_path / "a.xml").write_text(
        "<annotation><filename>a.png</filename><size><width>360</width><height>240</height><depth>3</depth></size>"
        "<object><name>plate</name><bndbox><xmin>120</xmin><ymin>90</ymin><xmax>240</xmax><ymax>150</ymax></bndbox>"
        "</object></annotation>",
        encoding="utf-8",
    )
    (tmp_path / "b.xml").write_text((tmp_path / "a.xml").read_text(encoding="utf-8"), encoding="utf-8")
    grey = np.full((40, 120), 200, np.uint8)
    sign = Candidate(grey, Box(5, 5, 110, 35), plate=False, weight=1.0)
    plate = Candidate(grey, Box(5, 5, 110, 35), plate=True, weight=1.0)
    negatives = Negatives(tmp_path, reader.load().mix, np.random.default_rng(0), [sign, plate])
    assert len(negatives) == 1  # the street is flat: no window of it, and a plate is none
    sample = negatives.sample(np.random.default_rng(2), mild=True)
    assert (sample.text, sample.country, sample.strip.shape) == ("", -1, (48, 176))


def test_hard_strips_are_darker_on_one_side_or_lose_their_detail() -> None:
    strip = np.tile(np.array([40, 220], np.uint8), (48, 88))
    plain = [degraded(np.random.default_rng(seed), strip, mild=False) for seed in range(60)]
    hard = [degraded(np.random.default_rng(seed), strip, mild=False, hard=True) for seed in range(60)]
    mild = [degraded(np.random.default_rng(seed), strip, mild=True, hard=True) for seed in range(5)]
    assert all(np.array_equal(m, degraded(np.random.default_rng(s), strip, mild=True)) for s, m in enumerate(mild))

    def contrast(strips: list[np.ndarray]) -> float:
        return float(np.median([np.abs(np.diff(one.astype(float), axis=1)).mean() for one in strips]))

    assert contrast(hard) < 0.8 * contrast(plain)
