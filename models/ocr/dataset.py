"""Where the reader's samples come from: real crops with their texts, rendered plates, windows without a plate."""

from __future__ import annotations

import csv
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import cv2
import numpy as np

from models.data.photographs import UNREADABLE
from models.data.split import reader_held_out
from models.ocr.augment import degraded, degraded_strip
from models.training.photographs import read_split, read_voc_folder
from models.training.sampling import WeightedSampler
from roadside.core.frames import Box
from roadside.core.rectify import box_corners, grow, strip, two_line_strip
from roadside.errors import SourceError
from roadside.vision import open_corner_finder, open_nets

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.random import Generator
    from numpy.typing import NDArray

    from models.data.photographs import Label
    from models.ocr.config import Mix
    from roadside.vision import CornerFinder

Quality = Literal["given", "sure", "guessed", "none"]
"""Where a text comes from: the source, a person who was sure of it or guessed a character, or nobody could read it."""

TWO_LINE_ASPECT = 1.45
"""Width over height under which a plate is taken for a two-line one where nobody said."""
TEACHER_CONFIDENCE = 0.95
"""The general recogniser was right in 290 of 305 crops from here on; below it, its texts are not used."""
CORNERS = Path(__file__).resolve().parents[1] / "shipped" / "detector"
"""The folder of the shipped corner net."""
UNKNOWN_COUNTRY = -1
BOX_SPREAD = (0.04, 0.08)
"""Standard deviations of a detector's box edges, as shares of the plate's width and height."""


@dataclass(frozen=True, slots=True)
class Crop:
    """A plate in a picture."""

    path: Path
    corners: NDArray[np.float32]
    """(4, 2), in pixels of the picture."""
    text: str
    region: str
    source: str
    use: str
    lines: int
    quality: Quality

    @property
    def held_out(self) -> bool:
        """Whether it is kept for measuring though it could be trained on."""
        return self.use == "train" and reader_held_out(self.text, self.region)


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


def read_crops(folder: Path, labels: Mapping[str, Label], countries: Sequence[str]) -> list[Crop]:
    """Crops whose text is known, or known to be unreadable.

    From `folder`/crops.tsv with `labels` read by eye (where there are none, what the teacher was sure of); or, where
    there is no crops.tsv, the boxes of a folder annotated with labelImg whose name is what the plate says.

    Raises:
        SourceError: neither is there, or a row is wrong.

    """
    table = folder / "crops.tsv"
    if not table.is_file():
        return _from_voc(folder)
    try:
        with table.open(encoding="utf-8", newline="") as file:
            found = [_crop(row, folder, labels, countries) for row in csv.DictReader(file, delimiter="\t")]
    except (OSError, KeyError, ValueError) as fault:
        raise SourceError(f"{table} cannot be used: {fault!r}") from fault
    return [crop for crop in found if crop is not None]


def _from_voc(folder: Path) -> list[Crop]:
    return [
        Crop(one.path, box_corners(*map(float, box)), text, "XX", one.source, "train", _lines(box), "sure")
        for one in read_voc_folder(folder)
        for box, text in zip(one.boxes, one.texts, strict=True)
        if text
    ]


def _crop(row: Mapping[str, str], folder: Path, labels: Mapping[str, Label], countries: Sequence[str]) -> Crop | None:
    box = np.array([float(row[edge]) for edge in ("x1", "y1", "x2", "y2")], np.float32)
    crop = Crop(
        folder / row["path"],
        box_corners(*map(float, box)),
        row["text"],
        row["region"],
        row["source"],
        row["use"],
        _lines(box),
        "given",
    )
    if crop.text:
        return crop
    label = labels.get(row["path"])
    if label is not None:
        return _labelled(crop, label, countries)
    if not labels and float(row["teacher_confidence"] or 0) >= TEACHER_CONFIDENCE:
        return replace(crop, text=row["teacher"], quality="sure")
    return None


def _labelled(crop: Crop, label: Label, countries: Sequence[str]) -> Crop:
    if label.text == UNREADABLE or not label.text:
        return replace(crop, text="", lines=label.lines, quality="none")
    region = crop.region
    if region == "XX":
        region = "OT" if label.region == "US" and "US" not in countries else label.region
    quality: Quality = "sure" if label.sure else "guessed"
    return replace(crop, text=label.text, lines=label.lines, region=region, quality=quality)


def _lines(box: NDArray[np.float32]) -> int:
    return 2 if (box[2] - box[0]) / (box[3] - box[1]) < TWO_LINE_ASPECT else 1


def read_grey(path: Path) -> NDArray[np.uint8]:
    """A picture in grey, (H, W) uint8.

    Raises:
        SourceError: it is missing or no picture.

    """
    grey = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
    if grey is None:
        raise SourceError(f"{path} is missing or no picture")
    return np.asarray(grey, np.uint8)


def centred(
    grey: NDArray[np.uint8], corners: NDArray[np.float32], lines: int, margin: float = 0.03
) -> NDArray[np.uint8]:
    """The strip that the product would read: the plate with `margin` of its width added on every side."""
    width = float(np.linalg.norm(corners[1] - corners[0]))
    height = max(1e-3, float(np.linalg.norm(corners[3] - corners[0])))
    grown = grow(corners, margin, margin * width / height)
    return two_line_strip(grey, grown) if lines == 2 else strip(grey, grown)


def strip_of(crop: Crop, margin: float, finder: CornerFinder | None) -> NDArray[np.uint8]:
    """The strip that the product would read of the crop, placed by the corner net if there is one."""
    grey = read_grey(crop.path)
    placed = placements(finder, grey, crop.corners, 1, np.random.default_rng(0)) if finder is not None else []
    return centred(grey, placed[0] if placed else crop.corners, crop.lines, margin)


def held_out_groups(crops: Iterable[Crop]) -> dict[str, list[Crop]]:
    """The crops that are measured on: UK and other texts kept from training, and the two sources that never train."""
    groups: dict[str, list[Crop]] = {}
    for crop in crops:
        if crop.use == "dev" and crop.text:
            name = {"cz_pulpan": "CZ", "pl_gate": "PL gate"}.get(crop.source, crop.source)
        elif crop.held_out and crop.quality in {"given", "sure"}:
            name = "UK" if crop.region == "UK" else "others"
        else:
            continue
        groups.setdefault(name, []).append(crop)
    return groups


def weight(crop: Crop, mix: Mix) -> float:
    """How often a crop is drawn, on any positive scale."""
    doubtful = mix.doubtful
    found = mix.regions.get(crop.region, doubtful.region)
    if crop.quality == "guessed":
        found *= doubtful.guessed_text * (doubtful.guessed_uk if crop.region == "UK" else 1)
    return found * doubtful.no_text if crop.quality == "none" else found


def corner_finder(folder: Path) -> CornerFinder | None:
    """The corner net that places real plates as the product will; none, said aloud, where `folder` has none."""
    path = open_nets().file(folder, "corners")
    if not path.is_file():
        print(f"{path} is not there: real plates are cut at their boxes", flush=True)
        return None
    return open_corner_finder(folder)


def placements(
    finder: CornerFinder, grey: NDArray[np.uint8], corners: NDArray[np.float32], count: int, rng: Generator
) -> list[NDArray[np.float32]]:
    """Where the product would see the plate: the corner net's answers for its box and for boxes a little off.

    At most `count` of (4, 2) float32 pixels; none where the net finds no plate in any of them.
    """
    (x1, y1), (x2, y2) = corners.min(0).tolist(), corners.max(0).tolist()
    image = np.asarray(cv2.cvtColor(grey, cv2.COLOR_GRAY2BGR), np.uint8)
    found = []
    for number in range(count):
        left, right = rng.normal(0, BOX_SPREAD[0] * (x2 - x1), 2) if number else (0.0, 0.0)
        top, bottom = rng.normal(0, BOX_SPREAD[1] * (y2 - y1), 2) if number else (0.0, 0.0)
        left, top = x1 + left, y1 + top
        placed = finder.find(image, Box(left, top, max(left + 4, x2 + right), max(top + 2, y2 + bottom)))
        if placed is not None:
            found.append(np.array(placed, np.float32))
    return found


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
        self._placed_share = mix.corner_placed
        self._by_weight = WeightedSampler([weight(crop, mix) for crop in used])

    def __len__(self) -> int:
        return len(self._plates)

    def sample(self, rng: Generator, *, mild: bool) -> Sample:
        """A degraded strip of a crop."""
        place = self._by_weight.draw(rng)
        plate, placed = self._plates[place], self._placed[place]
        if placed and rng.random() < self._placed_share:
            plate = replace(plate, corners=placed[rng.integers(len(placed))])
        return _degraded(rng, plate, mild=mild)


def _degraded(rng: Generator, plate: Plate, *, mild: bool) -> Sample:
    picture = degraded_strip(rng, plate.grey, plate.corners, plate.lines, plate.split, mild=mild)
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

    def sample(self, rng: Generator, *, mild: bool) -> Sample:
        """A degraded strip of a rendered plate."""
        return _degraded(rng, self.draw(rng), mild=mild)


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
    """Windows of training pictures that touch no plate and are not flat."""

    def __init__(self, folder: Path, mix: Mix, rng: Generator) -> None:
        pictures = list(read_split(folder).train)
        rng.shuffle(pictures)  # type: ignore[arg-type]  # numpy shuffles any list in place
        self._windows: list[NDArray[np.uint8]] = []
        for one in pictures[: mix.negative_pictures]:
            self._windows += _windows(rng, read_grey(one.path), one.boxes, mix.negative_windows)

    def __len__(self) -> int:
        return len(self._windows)

    def sample(self, rng: Generator, *, mild: bool) -> Sample:
        """A degraded strip that says nothing."""
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
