"""The real photographs of ROADSIDE_DATA and the crops of their plates, with what is known of them."""

from __future__ import annotations

import csv
import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import cv2

from models.data.split import detector_held_out, reader_held_out
from roadside.core.frames import Box
from roadside.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import numpy as np
    from numpy.typing import NDArray

UNREADABLE = "?"
"""What a labels file says of a crop that no person can read."""


@dataclass(frozen=True, slots=True)
class Photograph:
    """One picture and the plates marked in it."""

    path: str
    """Relative to the data folder."""
    source: str
    use: str
    """`train` or `dev`: whether weights trained on it may be shipped."""
    width: int
    height: int
    boxes: tuple[Box, ...]
    texts: tuple[str, ...]
    regions: tuple[str, ...]

    @property
    def held_out(self) -> bool:
        """Whether the shipped detector was not trained on it."""
        return self.use != "train" or detector_held_out(self.source, self.path, self.texts)


@dataclass(frozen=True, slots=True)
class PlateCrop:
    """One plate cut from a photograph."""

    path: str
    source: str
    use: str
    box: Box
    """The plate within the crop."""
    region: str
    text: str
    """The registration without separators; empty where nobody has read it."""
    given: bool
    """Whether the text came with the source, not from a labels file."""
    sure: bool
    """False where a person guessed a character."""
    teacher: str
    """What a general recogniser said."""
    teacher_confidence: float

    @property
    def held_out(self) -> bool:
        """Whether the shipped readers were not trained on it."""
        return self.use != "train" or reader_held_out(self.text, self.region)


@dataclass(frozen=True, slots=True)
class Label:
    """What a person read in a crop."""

    text: str
    lines: int
    region: str
    sure: bool


def default_folder() -> Path:
    """The folder that ROADSIDE_DATA names; the Makefile's default where it names none."""
    return Path(os.environ.get("ROADSIDE_DATA", "../shared/data"))


def data_folder() -> Path:
    """The folder that ROADSIDE_DATA names. Raises InputError where it holds no photographs."""
    folder = default_folder()
    if not (folder / "index.tsv").is_file():
        raise InputError(f"{folder} holds no index.tsv: set ROADSIDE_DATA to the folder of the photographs")
    return folder


def photographs(folder: Path) -> tuple[Photograph, ...]:
    """Every picture of index.tsv, in its order."""
    found: dict[str, Photograph] = {}
    for row in _rows(folder / "index.tsv"):
        path = row["path"]
        seen = found.get(path) or Photograph(
            path, row["source"], row["use"], int(row["width"]), int(row["height"]), (), (), ()
        )
        boxes = (*seen.boxes, _box(row)) if row["x1"] else seen.boxes
        texts, regions = seen.texts, seen.regions
        if row["text"]:
            texts, regions = (*texts, row["text"]), (*regions, row["region"])
        found[path] = replace(seen, boxes=boxes, texts=texts, regions=regions)
    return tuple(found.values())


def plate_crops(folder: Path, labels: Mapping[str, Label] | None = None) -> tuple[PlateCrop, ...]:
    """Every crop of crops.tsv; those without a text of their own take that of `labels` (by path)."""
    known = labels or {}
    crops = []
    for row in _rows(folder / "crops.tsv"):
        text, region, sure = row["text"], row["region"], True
        if not text and (label := known.get(row["path"])) is not None and label.text != UNREADABLE:
            text, sure = label.text, label.sure
            region = label.region if region == "XX" else region
        crops.append(
            PlateCrop(
                row["path"], row["source"], row["use"], _box(row), region, text, bool(row["text"]), sure,
                row["teacher"], float(row["teacher_confidence"] or 0),
            )
        )  # fmt: skip
    return tuple(crops)


def read_labels(path: Path | None = None) -> dict[str, Label]:
    """The labels of `path`, or of the file that ROADSIDE_LABELS names; none where neither is given.

    Tab-separated with a heading: path, text, lines, region, quality (a: sure of every character, b: a guess,
    c: unreadable, text `?`).
    """
    named = os.environ.get("ROADSIDE_LABELS", "")
    file = path or (Path(named) if named else None)
    if file is None:
        return {}
    if not file.is_file():
        raise InputError(f"{file} is no labels file")
    return {
        row["path"]: Label(row["text"], int(row["lines"] or 1), row["region"], row["quality"] == "a")
        for row in _rows(file)
    }


def load_picture(path: Path) -> NDArray[np.uint8]:
    """(H, W, 3) uint8, blue green red. Raises InputError where it cannot be read."""
    image = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if image is None:
        raise InputError(f"{path} cannot be read as a picture")
    return image  # type: ignore[return-value]


def _rows(path: Path) -> Iterator[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as lines:
        yield from csv.DictReader(lines, delimiter="\t")


def _box(row: Mapping[str, str]) -> Box:
    return Box(*(float(row[key]) for key in ("x1", "y1", "x2", "y2")))
