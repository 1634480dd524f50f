"""Lists what a detector takes for plates in training pictures where none is marked, for a person to say what it is."""

from __future__ import annotations

import argparse
import csv
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from models.command import add_data, answer
from models.data import contact_sheets
from models.data.photographs import load_picture
from models.detector.dataset import LABEL_REVIEW, listed_name, read_label_review
from models.training.photographs import read_split
from roadside.core.detect import Search
from roadside.vision import open_detector

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from models.detector.dataset import ReviewedBoxes
    from models.training.photographs import Marked
    from roadside.core.frames import Box
    from roadside.ports.vision import Detector

COLUMNS = ("path", "x1", "y1", "x2", "y2", "kind")
UNREVIEWED_KIND = "hard_negative"
"""What a row says until a person has looked: most are lettering and lamps."""
OVERLAP = 0.3
"""Of the smaller of two boxes: from here on a found box is the marked one, however loose either is."""
FIRST_ROW = 2
"""The heading is line 1 of the list; the number on a tile is its row's line."""
ACROSS, DOWN = 8, 12


@dataclass(frozen=True, slots=True)
class Candidate:
    """A box that overlaps no mark."""

    path: Path
    box: Box
    score: float


def candidates(
    marked: Iterable[Marked], detector: Detector, known: Mapping[str, ReviewedBoxes] | None = None
) -> list[Candidate]:
    """What `detector` finds where neither a plate is marked nor anything of the `known` reviews, best score first."""
    found = []
    for one in marked:
        marks = [one.boxes]
        review = (known or {}).get(listed_name(one.path))
        if review is not None:
            marks += [review.plates, review.ignored, review.hard_negatives]
        boxes = np.concatenate(marks)
        found += [
            Candidate(one.path, detection.box, detection.score)
            for detection in detector.detect(load_picture(one.path))
            if not touches(detection.box, boxes)
        ]
    return sorted(found, key=lambda one: -one.score)


def touches(box: Box, marks: NDArray[np.float32]) -> bool:
    """Whether `box` shares OVERLAP of its or the mark's area with one of `marks` (n, 4)."""
    shared = np.clip(np.minimum(box.x2, marks[:, 2]) - np.maximum(box.x1, marks[:, 0]), 0, None) * np.clip(
        np.minimum(box.y2, marks[:, 3]) - np.maximum(box.y1, marks[:, 1]), 0, None
    )
    areas = (marks[:, 2] - marks[:, 0]) * (marks[:, 3] - marks[:, 1])
    smaller = np.minimum(areas, box.width * box.height)
    return bool((shared > OVERLAP * smaller).any())


def write_list(found: Sequence[Candidate], out: Path) -> None:
    """The candidates as rows of a label_review.tsv."""
    out.parent.mkdir(parents=True, exist_ok=True)
    with out.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file, delimiter="\t", lineterminator="\n")
        rows.writerow(COLUMNS)
        for one in found:
            edges = (one.box.x1, one.box.y1, one.box.x2, one.box.y2)
            rows.writerow([listed_name(one.path), *(round(edge) for edge in edges), UNREVIEWED_KIND])


def write_sheets(found: Sequence[Candidate], folder: Path) -> list[Path]:
    """Contact sheets of the candidates, each under the line of its row in the list and its score."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for start in range(0, len(found), ACROSS * DOWN):
        tiles = [
            contact_sheets.place_tile(load_picture(one.path), one.box, f"{FIRST_ROW + start + place}  {one.score:.2f}")
            for place, one in enumerate(found[start : start + ACROSS * DOWN])
        ]
        written.append(folder / f"places_{start // (ACROSS * DOWN):03d}.png")
        cv2.imwrite(str(written[-1]), contact_sheets.sheet(tiles, ACROSS))
    return written


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line."""
    prog = "models.detector.label_review"
    parser = argparse.ArgumentParser(prog=prog, description=__doc__)
    parser.add_argument("--modeldir", type=Path, default=Path("models/shipped/detector"))
    add_data(parser)
    parser.add_argument("--out", type=Path, required=True, help="the list; change its kinds to plate or ignored")
    parser.add_argument("--sheet", type=Path, help="a folder for contact sheets to look at")
    parser.add_argument("--score", type=float, default=0.3, help="least score of a box")
    parser.add_argument("--all", action="store_true", help=f"also what {LABEL_REVIEW.name} has already")
    chosen = parser.parse_args(arguments)

    def work() -> None:
        detector = open_detector(chosen.modeldir, score=chosen.score, search=Search.FAST, close_look=False)
        found = candidates(read_split(chosen.data).train, detector, None if chosen.all else read_label_review())
        write_list(found, chosen.out)
        print(
            f"{len(found)} places in {chosen.out}; say of each: plate, ignored (too blurred to learn) or hard_negative"
        )
        for path in write_sheets(found, chosen.sheet) if chosen.sheet else ():
            print(path)

    return answer(prog, work)


if __name__ == "__main__":
    raise SystemExit(main())
