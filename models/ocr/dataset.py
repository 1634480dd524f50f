"""Where the reader's samples come from: real crops with their texts, rendered plates, windows without a plate."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from models.ocr.augment import degraded, degraded_strip, jitter
from models.ocr.crops import TWO_LINE_ASPECT, read_grey, weight
from models.ocr.placing import aslant, placements
from models.training.photographs import read_split
from models.training.sampling import WeightedSampler
from roadside.core.rectify import aspect_ratio, box_corners, strip, two_line_strip
from roadside.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.random import Generator
    from numpy.typing import NDArray

    from models.corners.candidates import Candidate
    from models.ocr.config import Mix, ReaderConfig
    from models.ocr.crops import Crop
    from roadside.vision import CornerFinder

MISTAKEN_SHARE = 0.7
"""Of the samples without a plate, how many are what a detector took for one, where such are given."""
UNKNOWN_COUNTRY = -1
"""The place of a country that nobody knows or that the reader has no class for."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One strip of a batch."""

    strip: NDArray[np.uint8]
    text: str
    country: int
    """Its place among the countries, or UNKNOWN_COUNTRY."""


@dataclass(frozen=True, slots=True)
class Plate:
    """A plate ready to be cut."""

    grey: NDArray[np.uint8]
    corners: NDArray[np.float32]
    text: str
    country: int
    lines: int
    split: float
    """Where the second row begins, as a share of the height."""


# --- Real crops -----------------------------------------------------------------------------------


class RealPlates:
    """Real crops in memory, drawn by weight, cut where the product's corner net places them if there is one."""

    def __init__(
        self, crops: Sequence[Crop], mix: Mix, countries: Sequence[str], finder: CornerFinder | None = None
    ) -> None:
        used = [crop for crop in crops if crop.use == "train" and not crop.held_out]
        if not used:
            raise SourceError("No crop with a text is left to train the reader on")
        self._plates = [
            Plate(
                read_grey(crop.path),
                crop.corners,
                crop.text,
                list(countries).index(crop.region)
                if crop.region in countries and crop.quality != "none"
                else UNKNOWN_COUNTRY,
                crop.lines,
                0.5,
            )
            for crop in used
        ]
        rng = np.random.default_rng(0)
        self._placed = [
            placements(finder, plate.grey, plate.corners, mix.placements, rng) if finder is not None else []
            for plate in self._plates
        ]
        self._turned = [_turned(finder, plate, mix.turned, rng) if finder is not None else [] for plate in self._plates]
        self._placed_share, self._turned_share, self._hard = mix.corner_placed, mix.turned_share, mix.hard
        self._by_weight = WeightedSampler([weight(crop, mix) for crop in used])

    def __len__(self) -> int:
        return len(self._plates)

    @property
    def turned(self) -> int:
        """How many copies seen aslant there are."""
        return sum(map(len, self._turned))

    def sample(self, rng: Generator, *, mild: bool) -> Sample:
        """A degraded strip of a crop."""
        place = self._by_weight.draw(rng)
        plate, placed, turned = self._plates[place], self._placed[place], self._turned[place]
        if rng.random() < self._placed_share:
            if turned and rng.random() < self._turned_share:
                plate = turned[rng.integers(len(turned))]
            elif placed:
                plate = replace(plate, corners=placed[rng.integers(len(placed))])
        return degraded_plate(rng, plate, mild=mild, hard=rng.random() < self._hard)


def _turned(finder: CornerFinder, plate: Plate, count: int, rng: Generator) -> list[Plate]:
    """Copies of a plate seen aslant, each where the product would see it; fewer where it finds none."""
    found = []
    for _ in range(count):
        grey, corners = aslant(rng, plate.grey, plate.corners)
        placed = placements(finder, grey, corners, 1, rng)
        found += [replace(plate, grey=grey, corners=at) for at in placed]
    return found


def degraded_plate(rng: Generator, plate: Plate, *, mild: bool, hard: bool) -> Sample:
    """A strip of a plate, spoilt as in training."""
    picture = degraded_strip(rng, plate.grey, plate.corners, plate.lines, plate.split, mild=mild, hard=hard)
    return Sample(picture, plate.text, plate.country)


# --- Rendered plates ------------------------------------------------------------------------------


class RenderedPlates:
    """The batches of models/ocr/pool.py that are there so far."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._read: set[Path] = set()
        self._plates: list[Plate] = []

    def __len__(self) -> int:
        return len(self._plates)

    def refresh(self) -> None:
        """Takes in the batches that have come since."""
        for path in sorted(self._folder.glob("plates_*.npz")):
            if path not in self._read:
                self._read.add(path)
                self._plates += read_batch(path)

    def draw(self, rng: Generator) -> Plate:
        """Any of the plates."""
        return self._plates[rng.integers(len(self._plates))]

    def sample(self, rng: Generator, *, mild: bool, hard: bool = False) -> Sample:
        """A degraded strip of a rendered plate."""
        return degraded_plate(rng, self.draw(rng), mild=mild, hard=hard)


def write_batch(path: Path, plates: Sequence[Plate]) -> None:
    """Plates as one compressed file, put in place whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    arrays = {
        "pixels": np.concatenate([plate.grey.ravel() for plate in plates]),
        "shapes": np.array([plate.grey.shape for plate in plates], np.int32),
        "corners": np.stack([plate.corners for plate in plates]).astype(np.float32),
        "texts": np.array([plate.text for plate in plates], np.str_),
        "countries": np.array([plate.country for plate in plates], np.int32),
        "lines": np.array([plate.lines for plate in plates], np.int32),
        "splits": np.array([plate.split for plate in plates], np.float32),
    }
    with part.open("wb") as file:
        np.savez_compressed(file, **arrays)
    part.replace(path)


def read_batch(path: Path) -> list[Plate]:
    """The plates of a file that `write_batch` wrote."""
    with np.load(path) as file:
        parts = {name: file[name] for name in file.files}
    ends = np.cumsum(parts["shapes"].prod(1))
    pictures = [
        flat.reshape(shape) for flat, shape in zip(np.split(parts["pixels"], ends[:-1]), parts["shapes"], strict=True)
    ]
    return [
        Plate(grey, corners, str(text), int(country), int(lines), float(split))
        for grey, corners, text, country, lines, split in zip(
            pictures, parts["corners"], parts["texts"], parts["countries"], parts["lines"], parts["splits"], strict=True
        )
    ]


# --- Windows without a plate ----------------------------------------------------------------------


class Negatives:
    """Windows of training pictures that touch no plate and are not flat, and what a detector took for plates."""

    def __init__(self, folder: Path, mix: Mix, rng: Generator, mistaken: Sequence[Candidate] = ()) -> None:
        """`mistaken` are a detector's false alarms, signs and lettering above all."""
        pictures = list(read_split(folder).train)
        rng.shuffle(pictures)  # type: ignore[arg-type]  # numpy shuffles any list in place
        self._windows: list[NDArray[np.uint8]] = []
        for one in pictures[: mix.negative_pictures]:
            self._windows += _windows(rng, read_grey(one.path), one.boxes, mix.negative_windows)
        self._mistaken = [one for one in mistaken if not one.plate]
        self._by_weight = WeightedSampler([one.weight for one in self._mistaken]) if self._mistaken else None

    def __len__(self) -> int:
        return len(self._windows) + len(self._mistaken)

    def sample(self, rng: Generator, *, mild: bool) -> Sample:
        """A degraded strip that says nothing."""
        if self._by_weight is not None and (not self._windows or rng.random() < MISTAKEN_SHARE):
            one = self._mistaken[self._by_weight.draw(rng)]
            around = box_corners(one.box.x1, one.box.y1, one.box.x2, one.box.y2)
            cut = two_line_strip if aspect_ratio(around) < TWO_LINE_ASPECT else strip
            return Sample(degraded(rng, cut(one.grey, jitter(rng, around, mild=mild)), mild=mild), "", UNKNOWN_COUNTRY)
        window = self._windows[rng.integers(len(self._windows))]
        corners = box_corners(0, 0, window.shape[1], window.shape[0])
        return Sample(degraded(rng, strip(window, corners), mild=mild), "", UNKNOWN_COUNTRY)


def _windows(
    rng: Generator, grey: NDArray[np.uint8], boxes: NDArray[np.float32], count: int
) -> list[NDArray[np.uint8]]:
    found = []
    for _ in range(count):
        width = int(np.exp(rng.uniform(np.log(40), np.log(260))))
        height = int(width * rng.uniform(0.18, 0.45))
        if width >= grey.shape[1] or height >= grey.shape[0]:
            continue
        x, y = int(rng.integers(grey.shape[1] - width + 1)), int(rng.integers(grey.shape[0] - height + 1))
        touches = (boxes[:, 0] < x + width) & (boxes[:, 2] > x) & (boxes[:, 1] < y + height) & (boxes[:, 3] > y)
        window = grey[y : y + height, x : x + width]
        if not touches.any() and window.std() > 25:
            found.append(window.copy())
    return found


# --- The mix --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Sources:
    """What batches are drawn from."""

    real: RealPlates | None
    rendered: RenderedPlates
    negatives: Negatives

    def batch(self, rng: Generator, config: ReaderConfig, *, only_mild: bool) -> list[Sample]:
        """A batch mixed as the settings say; no negatives while only mild samples are wanted."""
        mix = config.mix
        real = mix.real if self.real is not None else 0.0
        samples = []
        for _ in range(config.training.batch):
            mild = only_mild or rng.random() < mix.mild
            draw = rng.random()
            if draw < mix.negative and not only_mild and len(self.negatives):
                samples.append(self.negatives.sample(rng, mild=mild))
            elif draw < mix.negative + real and self.real is not None:
                samples.append(self.real.sample(rng, mild=mild))
            else:
                samples.append(self.rendered.sample(rng, mild=mild, hard=rng.random() < mix.hard))
        return samples
