"""The pictures that the detector trains on, in memory, drawn by source."""

from __future__ import annotations

import csv
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from models.data.photographs import load_picture
from models.synth import formats
from models.synth.flat import draw_plate
from models.synth.posing import Cutout, cutout
from models.training.sampling import WeightedSampler
from roadside.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.random import Generator
    from numpy.typing import NDArray

    from models.training.photographs import Marked


LABEL_REVIEW = Path(__file__).with_name("label_review.tsv")
KINDS = ("plate", "ignored", "hard_negative")
"""What a reviewed box is: a plate that its source left out, one too blurred to be learnt, or no plate at all."""


def no_boxes() -> NDArray[np.float32]:
    """(0, 4) float32."""
    return np.zeros((0, 4), np.float32)


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture with its plates."""

    image: NDArray[np.uint8]
    """(H, W, 3), BGR."""
    boxes: NDArray[np.float32]
    """(plates, 4): x1, y1, x2, y2 in pixels."""
    ignored: NDArray[np.float32] = field(default_factory=no_boxes)
    """(regions, 4): plates that nobody marked and that are too blurred to be learnt."""
    hard_negatives: NDArray[np.float32] = field(default_factory=no_boxes)
    """(places, 4): hard negatives, what a detector took for a plate and is none."""


@dataclass(frozen=True, slots=True)
class ReviewedBoxes:
    """What a person said of the places where the detector saw a plate and none was marked."""

    plates: NDArray[np.float32]
    ignored: NDArray[np.float32]
    hard_negatives: NDArray[np.float32]


def listed_name(path: Path) -> str:
    """What label_review.tsv calls a picture: images, its source and its name."""
    return "/".join(path.parts[-3:])


def read_label_review(path: Path = LABEL_REVIEW) -> dict[str, ReviewedBoxes]:
    """The rows of a label_review.tsv by the picture's path below the data folder, boxes (n, 4) float32 pixels.

    Raises:
        SourceError: a row is none of KINDS.

    """
    rows: dict[str, dict[str, list[list[float]]]] = {}
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file, delimiter="\t"):
            kinds = rows.setdefault(row["path"], {kind: [] for kind in KINDS})
            if row["kind"] not in kinds:
                raise SourceError(f"{path}: {row['path']}: the kind is {' or '.join(KINDS)}, not {row['kind']!r}")
            kinds[row["kind"]].append([float(row[edge]) for edge in ("x1", "y1", "x2", "y2")])
    return {
        name: ReviewedBoxes(*(np.array(kinds[kind], np.float32).reshape(-1, 4) for kind in KINDS))
        for name, kinds in rows.items()
    }


class Pictures:
    """Training pictures with at least one plate each, and photographs without any."""

    def __init__(
        self,
        marked: Sequence[Marked],
        sources: Mapping[str, float],
        rendered: int = 0,
        seed: int = 0,
        negatives: Sequence[Path] = (),
    ) -> None:
        """`rendered` plates are drawn to paste; `negatives` are photographs that show no plate."""
        used = [one for one in marked if len(one.boxes) and sources.get(one.source, 0) > 0]
        if not used:
            raise SourceError("No picture with a plate is left to train the detector on")
        reviews = read_label_review()
        self.pictures = [marked_picture(one, reviews) for one in used]
        self.rendered = rendered_plates(np.random.default_rng(seed), rendered)
        self.negatives = [Picture(load_picture(path), no_boxes()) for path in negatives]
        self._by_weight = WeightedSampler([sources[one.source] for one in used])

    def __len__(self) -> int:
        return len(self.pictures)

    def draw(self, rng: Generator, without_plates: float = 0.0) -> Picture:
        """A picture by its source's weight, or with a chance of `without_plates` one of the negatives."""
        if self.negatives and rng.random() < without_plates:
            return self.negatives[int(rng.integers(len(self.negatives)))]
        return self.pictures[self._by_weight.draw(rng)]


def marked_picture(marked: Marked, reviews: Mapping[str, ReviewedBoxes]) -> Picture:
    """A picture with what its source marked and what the review of its labels added."""
    image = load_picture(marked.path)
    review = reviews.get(listed_name(marked.path))
    if review is None:
        return Picture(image, marked.boxes)
    return Picture(image, np.concatenate([marked.boxes, review.plates]), review.ignored, review.hard_negatives)


def rendered_plates(rng: Generator, count: int) -> tuple[Cutout, ...]:
    """Plates of all countries seen straight on, to paste."""
    drawn = (
        draw_plate(rng, formats.sample(rng), px_per_mm=0.35, lines=2 if rng.random() < 0.1 else 1) for _ in range(count)
    )
    return tuple(cutout(plate.image, plate.outline) for plate in drawn)


def squashed(image: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    """A BGR picture as the net's input in whole numbers: RGB, (height, width, 3) uint8, squashed by area averaging.

    `size` is (width, height) in pixels.
    """
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.cvtColor(small, cv2.COLOR_BGR2RGB), np.uint8)


def scaled(pictures: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Whole numbers 0..255 as the net's -1..1."""
    return pictures.astype(np.float32) / np.float32(127.5) - np.float32(1)


def calibration_pictures(marked: Sequence[Marked], count: int, size: tuple[int, int], seed: int) -> NDArray[np.float32]:
    """`count` training pictures, (N, height, width, 3) float32 RGB in -1..1; the same for the same seed."""
    rng = np.random.default_rng(seed)
    chosen = rng.permutation(len(marked))[:count]
    return scaled(np.stack([squashed(load_picture(marked[place].path), size) for place in chosen]))
