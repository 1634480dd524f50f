"""Real crops of plates with their texts: what is read, how sure it is, and which of them are measured on."""

from __future__ import annotations

import csv
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import cv2
import numpy as np

from models.data.photographs import UNREADABLE
from models.data.split import reader_held_out
from models.training.photographs import read_voc_folder
from roadside.core.rectify import box_corners
from roadside.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from models.data.photographs import Label
    from models.ocr.config import Mix

Quality = Literal["given", "sure", "guessed", "none"]
"""Where a text comes from: the source, a person who was sure of it or guessed a character, or nobody could read it."""

TWO_LINE_ASPECT = 1.45
"""Width over height under which a plate is taken for a two-line one where nobody said."""
TEACHER_CONFIDENCE = 0.95
"""The general recogniser was right in 290 of 305 crops from here on; below it, its texts are not used."""


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
