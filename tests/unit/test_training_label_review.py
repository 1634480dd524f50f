"""The list of places where the detector saw a plate that nobody marked, and the command that makes one."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from models.detector.dataset import LABEL_REVIEW, ReviewedBoxes, listed_name, no_boxes, read_label_review
from models.detector.label_review import Candidate, candidates, main, touches, write_list, write_sheets
from models.training.photographs import Marked, read_split
from roadside.core.frames import Box, Detection

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

MARK = np.array([[10, 10, 90, 30]], np.float32)
ELSEWHERE = Box(200, 100, 260, 120)


class Sees:
    """A detector that sees the same in every picture."""

    def __init__(self, *boxes: Box) -> None:
        self._found = [Detection(box, 0.9 - 0.1 * place) for place, box in enumerate(boxes)]

    def detect(self, image: NDArray[np.uint8]) -> Sequence[Detection]:
        assert image.shape == (240, 320, 3)
        return self._found


def marked(folder: Path, name: str = "a.png") -> Marked:
    path = folder / "images" / "street" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), np.random.default_rng(0).integers(0, 256, (240, 320, 3), np.uint8))
    return Marked(path, "own", MARK, ())


def test_only_what_overlaps_no_mark_is_listed_best_first(tmp_path: Path) -> None:
    one = marked(tmp_path)
    loose, inside = Box(5, 4, 99, 60), Box(40, 15, 60, 25)
    found = candidates([one], Sees(loose, Box(150, 50, 190, 60), inside, ELSEWHERE))
    assert [(c.path, c.box, c.score) for c in found] == [
        (one.path, Box(150, 50, 190, 60), pytest.approx(0.8)),
        (one.path, ELSEWHERE, pytest.approx(0.6)),
    ]


@pytest.mark.parametrize("kind", ["plates", "ignored", "hard_negatives"])
def test_what_was_looked_at_before_is_not_listed_again(tmp_path: Path, kind: str) -> None:
    one = marked(tmp_path)
    place = np.array([[198, 99, 262, 122]], np.float32)
    review = ReviewedBoxes(
        **{name: place if name == kind else no_boxes() for name in ("plates", "ignored", "hard_negatives")}
    )
    assert candidates([one], Sees(ELSEWHERE), {listed_name(one.path): review}) == []
    assert len(candidates([one], Sees(ELSEWHERE), {"images/street/b.png": review})) == 1


def test_boxes_side_by_side_do_not_touch() -> None:
    assert not touches(Box(90, 10, 170, 30), MARK)
    assert not touches(Box(80, 10, 160, 30), MARK)
    assert touches(Box(60, 10, 140, 30), MARK)
    assert not touches(Box(0, 0, 320, 240), no_boxes())


def test_the_list_is_read_as_reviews_are(tmp_path: Path) -> None:
    one = marked(tmp_path)
    write_list(
        [Candidate(one.path, ELSEWHERE, 0.7), Candidate(one.path, Box(1.4, 1.6, 30, 12), 0.5)], tmp_path / "list"
    )
    reviews = read_label_review(tmp_path / "list")
    assert list(reviews) == ["images/street/a.png"]
    assert reviews["images/street/a.png"].hard_negatives.tolist() == [[200, 100, 260, 120], [1, 2, 30, 12]]
    assert len(reviews["images/street/a.png"].plates) == len(reviews["images/street/a.png"].ignored) == 0


def test_every_place_is_on_a_sheet(tmp_path: Path) -> None:
    one = marked(tmp_path)
    edges = (ELSEWHERE, Box(-4, -3, 20, 9), Box(300, 230, 325, 244), Box(0, 0, 320, 240))
    sheets = write_sheets([Candidate(one.path, edges[n % 4], 0.5) for n in range(100)], tmp_path / "sheets")
    assert [path.name for path in sheets] == ["places_000.png", "places_001.png"]
    heights = [cv2.imread(str(path)).shape[0] for path in sheets]
    assert heights[0] == 12 * heights[1]


def test_the_command_says_what_is_wrong_in_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--data", str(tmp_path), "--out", str(tmp_path / "list")]) == 1
    told = capsys.readouterr().err
    assert told.startswith("models.detector.label_review: ")
    assert told.count("\n") == 1


def test_the_command_looks_at_no_picture_that_is_measured_on(tmp_path: Path) -> None:
    for number in range(10):
        path = marked(tmp_path, f"s{number}.png").path
        box = "<bndbox><xmin>11</xmin><ymin>11</ymin><xmax>90</xmax><ymax>30</ymax></bndbox>"
        path.with_suffix(".xml").write_text(
            f"<annotation><filename>{path.name}</filename><object><name>plate</name>{box}</object></annotation>"
        )
    split = read_split(tmp_path)
    assert split.held_out
    arguments = ["--data", str(tmp_path), "--out", str(tmp_path / "list"), "--sheet", str(tmp_path / "sheets")]
    assert main([*arguments, "--score", "0.01"]) == 0
    with (tmp_path / "list").open(encoding="utf-8") as file:
        listed = {row["path"] for row in csv.DictReader(file, delimiter="\t")}
    assert listed <= {listed_name(one.path) for one in split.train}


def test_the_committed_list_has_a_kind_and_an_area_in_every_row() -> None:
    with LABEL_REVIEW.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    assert len(rows) > 400
    for row in rows:
        assert row["kind"] in {"plate", "ignored", "hard_negative"}
        assert float(row["x1"]) < float(row["x2"])
        assert float(row["y1"]) < float(row["y2"])


def test_the_committed_list_names_training_pictures_alone(photographs: Path) -> None:
    split = read_split(photographs)
    assert set(read_label_review()) <= {listed_name(one.path) for one in split.train}
