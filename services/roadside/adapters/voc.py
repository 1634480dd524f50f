"""Pascal VOC XML as labelImg writes and reads it: the plates of one picture."""

from __future__ import annotations

import math
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING
from xml.parsers import expat

from roadside.core.frames import Box
from roadside.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Sequence

LABEL = "plate"
MOST_BYTES = 4 << 20
"""Of the annotation of one picture."""
MOST_PX = 1_000_000
"""Far outside of every picture."""


@dataclass(frozen=True, slots=True)
class LabelledBox:
    """One box that a person or a model drew."""

    label: str
    box: Box
    truncated: bool = False
    """The plate reaches over the picture's edge."""
    difficult: bool = False
    """Hard to see: not counted as missed by some evaluations."""


@dataclass(frozen=True, slots=True)
class Annotation:
    """The boxes of one picture."""

    filename: str
    """The picture's name without folders."""
    width: int
    height: int
    """Of the picture in pixels; 0 where the file does not say."""
    boxes: tuple[LabelledBox, ...]


def read_voc(path: Path) -> Annotation:
    """The annotation in the file `path`.

    labelImg writes the edges of a box in whole pixels and 1 for 0; both mean the picture's edge here.

    Raises SourceError, with the line, where the file is no Pascal VOC XML or a box in it has no area.
    """
    tree = _parsed(path)
    root = tree.root
    if root.tag != "annotation":
        raise SourceError(f"{path}: is no Pascal VOC annotation (its root is {root.tag[:80]!r})")
    name = PurePosixPath((root.findtext("filename") or path.stem).strip().replace("\\", "/")).name
    boxes = tuple(_read_box(element, f"{path}, line {tree.lines[element]}") for element in root.iter("object"))
    return Annotation(name, _number(root, "size/width"), _number(root, "size/height"), boxes)


@dataclass(frozen=True, slots=True)
class _Tree:
    root: ET.Element
    lines: dict[ET.Element, int]
    """Where each element begins."""


def _parsed(path: Path) -> _Tree:
    """The elements of an XML file. Raises SourceError."""
    try:
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
    except (OSError, ValueError) as error:
        raise SourceError(f"{path}: cannot be read ({getattr(error, 'strerror', error)})") from None
    if len(data) > MOST_BYTES:
        raise SourceError(f"{path}: is larger than {MOST_BYTES >> 20} MiB, no annotation of one picture")
    builder, lines, parser = ET.TreeBuilder(), dict[ET.Element, int](), expat.ParserCreate()

    def start(tag: str, attributes: dict[str, str]) -> None:
        lines[builder.start(tag, attributes)] = parser.CurrentLineNumber

    def refuse(*_: object) -> None:
        line = parser.CurrentLineNumber
        raise SourceError(f"{path}, line {line}: declares a document type, which no annotation does; remove it")

    parser.StartElementHandler, parser.EndElementHandler = start, builder.end
    parser.CharacterDataHandler = builder.data
    parser.StartDoctypeDeclHandler = refuse
    try:
        parser.Parse(data, True)
        return _Tree(builder.close(), lines)
    except (expat.ExpatError, LookupError, ValueError) as error:  # LookupError: an encoding that nobody knows
        raise SourceError(f"{path}: is no XML ({error}); annotate its picture again") from None


def write_voc(annotation: Annotation, path: Path, picture: Path) -> None:
    """Write `annotation` of the file `picture` to `path`, as labelImg would."""
    root = ET.Element("annotation")
    _add(root, "folder", picture.resolve().parent.name)
    _add(root, "filename", picture.name)
    _add(root, "path", str(picture.resolve()))
    _add(ET.SubElement(root, "source"), "database", "Unknown")
    size = ET.SubElement(root, "size")
    for name, value in (("width", annotation.width), ("height", annotation.height), ("depth", 3)):
        _add(size, name, str(value))
    _add(root, "segmented", "0")
    for labelled in annotation.boxes:
        element = ET.SubElement(root, "object")
        _add(element, "name", labelled.label)
        _add(element, "pose", "Unspecified")
        _add(element, "truncated", str(int(labelled.truncated)))
        _add(element, "difficult", str(int(labelled.difficult)))
        bounds = ET.SubElement(element, "bndbox")
        for name, value in zip(("xmin", "ymin", "xmax", "ymax"), _edges(labelled.box, annotation), strict=True):
            _add(bounds, name, str(value))
    ET.indent(root, "\t")
    path.write_text(ET.tostring(root, encoding="unicode") + "\n", encoding="utf-8")


def voc_of(picture: Path) -> Path:
    """Where labelImg keeps the annotation of `picture`: beside it."""
    return picture.with_suffix(".xml")


def annotation_of(picture: Path, width: int, height: int, boxes: Sequence[LabelledBox]) -> Annotation:
    """An annotation of the `width` x `height` picture; boxes that reach its edge are marked as truncated."""
    marked = tuple(
        LabelledBox(b.label, b.box, b.truncated or _at_edge(b.box, width, height), b.difficult) for b in boxes
    )
    return Annotation(picture.name, width, height, marked)


def _at_edge(box: Box, width: int, height: int) -> bool:
    return box.x1 < 1 or box.y1 < 1 or box.x2 > width - 1 or box.y2 > height - 1


def _edges(box: Box, annotation: Annotation) -> tuple[int, int, int, int]:
    """Whole pixels within the picture; 0 is written as 1, which other readers of VOC files insist on."""
    width, height = annotation.width or 10**9, annotation.height or 10**9
    return (
        min(max(1, round(box.x1)), width - 1), min(max(1, round(box.y1)), height - 1),
        min(max(2, round(box.x2)), width), min(max(2, round(box.y2)), height),
    )  # fmt: skip


def _read_box(element: ET.Element, place: str) -> LabelledBox:
    label = (element.findtext("name") or "").strip()
    try:
        x1, y1, x2, y2 = (float(element.findtext(f"bndbox/{n}") or "nan") for n in ("xmin", "ymin", "xmax", "ymax"))
    except ValueError:
        raise SourceError(f"{place}: a box of {label!r} holds something that is no number") from None
    if not (x2 > x1 and y2 > y1):
        raise SourceError(f"{place}: a box of {label!r} without an area; draw it again")
    if not all(math.isfinite(v) and abs(v) <= MOST_PX for v in (x1, y1, x2, y2)):
        raise SourceError(f"{place}: a box of {label!r} beyond every picture; draw it again")
    box = Box(0.0 if x1 == 1 else x1, 0.0 if y1 == 1 else y1, x2, y2)
    return LabelledBox(label, box, _flag(element, "truncated"), _flag(element, "difficult"))


def _flag(element: ET.Element, name: str) -> bool:
    return (element.findtext(name) or "0").strip() not in ("0", "")


def _number(root: ET.Element, name: str) -> int:
    text = (root.findtext(name) or "0").strip()
    return int(text) if text.isascii() and text.isdigit() and int(text[:9]) <= MOST_PX else 0


def _add(parent: ET.Element, name: str, text: str) -> None:
    ET.SubElement(parent, name).text = text
