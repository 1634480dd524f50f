"""The pictures that a training is given: the project's photographs (index.tsv), or a folder annotated with labelImg."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from models.data.photographs import photographs
from models.data.split import bucket
from roadside.errors import SourceError
from roadside.vision import read_voc

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

PLATE_NAMES = frozenset(
    {"plate", "licence", "license", "number_plate", "licence_plate", "license_plate", "numberplate"}
)
"""Names of a box that say "a plate" and not what is written on it."""
VOC_HELD_OUT = 5
"""One in so many pictures of an annotated folder is kept for measuring."""
NEVER_TRAINED = frozenset({"pl_poznan"})
"""Close-ups without boxes."""


@dataclass(frozen=True, slots=True)
class Marked:
    """A picture and the plates marked in it."""

    path: Path
    source: str
    boxes: NDArray[np.float32]
    """(plates, 4): x1, y1, x2, y2 in pixels."""
    texts: tuple[str, ...]
    """What is written on each plate, empty where nobody said; may be shorter than `boxes` for index.tsv."""


@dataclass(frozen=True, slots=True)
class Split:
    """What is trained on, what is kept from it, and what may be measured on only."""

    train: tuple[Marked, ...]
    held_out: tuple[Marked, ...]
    measured_only: tuple[Marked, ...]


def read_split(folder: Path) -> Split:
    """The pictures of `folder`.

    Raises:
        SourceError: it holds neither an index.tsv nor Pascal VOC XML files, or one of them is wrong.

    """
    if (folder / "index.tsv").is_file():
        return _from_index(folder)
    if all((folder / part).is_dir() for part in ("train", "test")):  # as `python -m models.data split` leaves it
        drawn = tuple(one for one in read_voc_folder(folder / "train") if len(one.boxes))
        if drawn:
            return Split(drawn, read_voc_folder(folder / "test"), ())
    marked = read_voc_folder(folder)
    held = tuple(one for one in marked if bucket(one.path.stem, VOC_HELD_OUT) == 0)
    train = tuple(one for one in marked if bucket(one.path.stem, VOC_HELD_OUT) != 0 and len(one.boxes))
    if not train:
        raise SourceError(f"{folder} holds no annotated picture to train on")
    return Split(train, held, ())


def _from_index(folder: Path) -> Split:
    train, held, measured = [], [], []
    for photo in photographs(folder):
        boxes = np.array([[box.x1, box.y1, box.x2, box.y2] for box in photo.boxes], np.float32).reshape(-1, 4)
        marked = Marked(folder / photo.path, photo.source, boxes, photo.texts)
        if photo.use != "train":
            measured.append(marked)
        elif photo.source in NEVER_TRAINED or not photo.boxes:
            continue
        elif photo.held_out:
            held.append(marked)
        else:
            train.append(marked)
    return Split(tuple(train), tuple(held), tuple(measured))


def read_voc_folder(folder: Path) -> tuple[Marked, ...]:
    """Every picture under `folder` with a Pascal VOC XML beside it or in a folder of annotations, by name.

    Raises:
        SourceError: there is no XML file, one is broken, or its picture is missing.

    """
    files = sorted(folder.rglob("*.xml")) if folder.is_dir() else []
    if not files:
        raise SourceError(f"{folder} holds neither index.tsv nor Pascal VOC XML files: annotate it with labelImg first")
    return tuple(read_marked(path, folder) for path in files)


def read_marked(path: Path, folder: Path) -> Marked:
    """One annotation of labelImg. Its picture is looked for beside it and under `folder`, by the name it gives.

    Raises:
        SourceError: the file is broken, or its picture is missing.

    """
    annotation = read_voc(path)
    labels = [one.label for one in annotation.boxes]
    boxes = [[one.box.x1, one.box.y1, one.box.x2, one.box.y2] for one in annotation.boxes]
    texts = tuple("" if _means_plate(label) else _bare(label) for label in labels)
    picture = _picture(path, folder, annotation.filename)
    return Marked(picture, "own", np.array(boxes, np.float32).reshape(-1, 4), texts)


def _means_plate(label: str) -> bool:
    return label.lower().replace(" ", "_").replace("-", "_") in PLATE_NAMES


def _bare(label: str) -> str:
    return "".join(character for character in label.upper() if character.isascii() and character.isalnum())


def _picture(path: Path, folder: Path, name: str) -> Path:
    beside = [path.with_suffix(ending) for ending in (".jpg", ".jpeg", ".png", ".JPG", ".JPEG", ".PNG")]
    named = [path.with_name(name), folder / name, *sorted(folder.rglob(name))] if name else []
    for candidate in (*named, *beside):
        if candidate.is_file():
            return candidate
    raise SourceError(f"{path}: its picture {name or path.stem} is not under {folder}")
