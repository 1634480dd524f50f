"""Annotations of a folder in Pascal VOC, YOLO and COCO: read, written, recognised."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from PIL import Image

from roadside.core.frames import Box
from roadside.core.picture_header import PILLOW_FORMATS
from roadside.errors import SourceError
from roadside.vision import Annotation, LabelledBox, annotation_of, list_pictures, read_voc, voc_of, write_voc

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

YOLO_CLASSES = "classes.txt"
COCO_FILE = "annotations.json"
MOST_SHARE = 4.0
"""Of a picture's width or height: boxes may reach over its edge, not far away from it."""
MOST_PX = 1_000_000
"""Far outside of every picture."""


class Format(StrEnum):
    """How boxes are kept."""

    VOC = "voc"
    """An XML file beside each picture."""
    YOLO = "yolo"
    """A text file beside each picture, and classes.txt."""
    COCO = "coco"
    """One annotations.json."""


@dataclass(frozen=True, slots=True)
class Annotated:
    """A picture on disk with its boxes."""

    picture: Path
    annotation: Annotation


def recognise(folder: Path) -> Format:
    """The format that `folder` is annotated in. Raises SourceError where it is in none."""
    if not folder.is_dir():
        raise SourceError(f"{folder}: no such folder")
    if (folder / COCO_FILE).is_file():
        return Format.COCO
    if (folder / YOLO_CLASSES).is_file():
        return Format.YOLO
    if any(folder.rglob("*.xml")):
        return Format.VOC
    raise SourceError(f"{folder}: no *.xml, {YOLO_CLASSES} or {COCO_FILE}; annotate its pictures first")


def read_folder(folder: Path, kind: Format | None = None) -> tuple[Annotated, ...]:
    """The annotated pictures of `folder` (VOC: its subfolders too) by name, in `kind` or what it looks like.

    Pictures without an annotation are left out. Raises SourceError for a file that does not hold what it should.
    """
    readers: dict[Format, Callable[[Path], Sequence[Annotated]]] = {
        Format.VOC: _read_voc_folder, Format.YOLO: _read_yolo_folder, Format.COCO: _read_coco_folder
    }  # fmt: skip
    return tuple(sorted(readers[kind or recognise(folder)](folder), key=lambda a: str(a.picture)))


def write_folder(annotated: Sequence[Annotated], folder: Path, kind: Format) -> None:
    """Copy the pictures to `folder` with their boxes in `kind`. Raises SourceError where two have one name."""
    names = [a.picture.name for a in annotated]
    twice = {n for n in names if names.count(n) > 1}
    if twice:
        raise SourceError(f"two pictures are called {min(twice)}: rename one")
    folder.mkdir(parents=True, exist_ok=True)
    copies = []
    for one in annotated:
        target = folder / one.picture.name
        if target.resolve() != one.picture.resolve():
            shutil.copyfile(one.picture, target)
        copies.append(Annotated(target, one.annotation))
    {Format.VOC: _write_voc_folder, Format.YOLO: _write_yolo_folder, Format.COCO: _write_coco_folder}[kind](
        copies, folder
    )


def labels_of(annotated: Sequence[Annotated]) -> tuple[str, ...]:
    """The labels in use, in the order of the alphabet."""
    return tuple(sorted({b.label for a in annotated for b in a.annotation.boxes}))


def picture_size(picture: Path) -> tuple[int, int]:
    """Width and height as stored, EXIF not heeded. Raises SourceError."""
    try:
        with Image.open(picture, formats=PILLOW_FORMATS) as opened:
            return opened.size
    except (OSError, ValueError, SyntaxError):
        raise SourceError(f"{picture}: is no picture that can be read; run `check` first") from None


def _read_voc_folder(folder: Path) -> list[Annotated]:
    pictures = {p.name: p for p in folder.rglob("*") if p.is_file() and p.suffix.lower() != ".xml"}
    found = []
    for path in sorted(folder.rglob("*.xml")):
        annotation = read_voc(path)
        beside = [p for p in path.parent.glob(f"{path.stem}.*") if p.suffix.lower() in (".jpg", ".jpeg", ".png")]
        picture = beside[0] if beside else pictures.get(annotation.filename)
        if picture is None:
            raise SourceError(f"{path}: its picture {annotation.filename} is not under {folder}")
        width, height = annotation.width, annotation.height
        if not (width and height):
            width, height = picture_size(picture)
        found.append(Annotated(picture, Annotation(picture.name, width, height, annotation.boxes)))
    return found


def _write_voc_folder(annotated: Sequence[Annotated], folder: Path) -> None:
    for one in annotated:
        write_voc(one.annotation, folder / voc_of(one.picture).name, one.picture)


def _read_yolo_folder(folder: Path) -> list[Annotated]:
    classes = [line.strip() for line in _lines(folder / YOLO_CLASSES)]
    found = []
    for picture in list_pictures(folder):
        path = picture.with_suffix(".txt")
        if not path.is_file():
            continue
        width, height = picture_size(picture)
        boxes = []
        for number, line in enumerate(map(str.strip, _lines(path)), 1):
            if line:
                label, (x, y, w, h) = _yolo_box(line, classes, f"{path}, line {number}")
                box = Box((x - w / 2) * width, (y - h / 2) * height, (x + w / 2) * width, (y + h / 2) * height)
                boxes.append(LabelledBox(label, box))
        found.append(Annotated(picture, annotation_of(picture, width, height, boxes)))
    return found


def _yolo_box(line: str, classes: Sequence[str], place: str) -> tuple[str, tuple[float, float, float, float]]:
    """The label and, as shares of the picture, the centre and the size of a box."""
    try:
        kind, x, y, w, h = (float(v) for v in line.split()[:5])
        label = dict(enumerate(classes))[int(kind)]
    except (ValueError, OverflowError, KeyError):
        fault = f"{line[:80]!r} is no box of YOLO (class x y width height, of the {len(classes)} classes)"
        raise SourceError(f"{place}: {fault}") from None
    if not (0 < w <= MOST_SHARE and 0 < h <= MOST_SHARE and abs(x) <= MOST_SHARE and abs(y) <= MOST_SHARE):
        raise SourceError(f"{place}: {line[:80]!r} lies beyond the picture: x, y, width and height are shares of it")
    return label, (x, y, w, h)


def _lines(path: Path) -> list[str]:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise SourceError(f"{path}: cannot be read ({error.strerror})") from None
    try:
        return data.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise SourceError(f"{path}, line {line}: is no UTF-8; save the file as UTF-8") from None


def _write_yolo_folder(annotated: Sequence[Annotated], folder: Path) -> None:
    labels = labels_of(annotated)
    (folder / YOLO_CLASSES).write_text("".join(f"{label}\n" for label in labels), encoding="utf-8")
    for one in annotated:
        width, height = one.annotation.width, one.annotation.height
        lines = []
        for b in one.annotation.boxes:
            x, y = (b.box.x1 + b.box.x2) / 2 / width, (b.box.y1 + b.box.y2) / 2 / height
            shares = f"{x:.6f} {y:.6f} {b.box.width / width:.6f} {b.box.height / height:.6f}"
            lines.append(f"{labels.index(b.label)} {shares}\n")
        (folder / one.picture.with_suffix(".txt").name).write_text("".join(lines), encoding="utf-8")


def _read_coco_folder(folder: Path) -> list[Annotated]:
    path = folder / COCO_FILE
    try:
        held: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        names = {c["id"]: str(c["name"]) for c in held["categories"]}
        boxes: dict[int, list[LabelledBox]] = {image["id"]: [] for image in held["images"]}
        for one in held["annotations"]:
            boxes[one["image_id"]].append(LabelledBox(names[one["category_id"]], _coco_box(one["bbox"])))
        found = []
        for image in held["images"]:
            picture = _coco_picture(folder, str(image["file_name"]))
            annotation = annotation_of(picture, int(image["width"]), int(image["height"]), boxes[image["id"]])
            found.append(Annotated(picture, annotation))
    except SourceError:
        raise
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError, OSError, AttributeError) as error:
        reason = str(error).splitlines()[0][:200] if str(error) else ""
        raise SourceError(f"{path}: is no COCO file of boxes ({type(error).__name__}: {reason})") from None
    return found


def _coco_box(bounds: Sequence[float]) -> Box:
    x, y, w, h = (float(v) for v in bounds)
    if not all(abs(v) <= MOST_PX for v in (x, y, w, h)):
        raise ValueError(f"a box of {[x, y, w, h]}")
    return Box(x, y, x + w, y + h)


def _coco_picture(folder: Path, name: str) -> Path:
    picture = folder / name
    if not (picture.resolve().is_relative_to(folder.resolve()) and picture.is_file()):
        raise SourceError(f"{folder / COCO_FILE}: its picture {name[:200]!r} is not in {folder}")
    return picture


def _write_coco_folder(annotated: Sequence[Annotated], folder: Path) -> None:
    labels = labels_of(annotated)
    images: list[dict[str, Any]] = []
    boxes: list[dict[str, Any]] = []
    for number, one in enumerate(annotated, 1):
        size = {"width": one.annotation.width, "height": one.annotation.height}
        images.append({"id": number, "file_name": one.picture.name, **size})
        for b in one.annotation.boxes:
            boxes.append(
                {
                    "id": len(boxes) + 1, "image_id": number, "category_id": labels.index(b.label) + 1, "iscrowd": 0,
                    "bbox": [b.box.x1, b.box.y1, b.box.width, b.box.height], "area": b.box.width * b.box.height,
                }
            )  # fmt: skip
    categories = [{"id": i, "name": label, "supercategory": "vehicle"} for i, label in enumerate(labels, 1)]
    content = {"images": images, "annotations": boxes, "categories": categories}
    (folder / COCO_FILE).write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
