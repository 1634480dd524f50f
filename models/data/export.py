"""CSV, TFRecord and label maps as the TF Object Detection API and the scripts around it read them."""

from __future__ import annotations

import csv
import hashlib
from typing import TYPE_CHECKING

from models.data.formats import labels_of
from models.data.grouping import is_plate_word
from models.data.tfrecord import Feature, example, write_records
from roadside.errors import SourceError
from roadside.vision import LABEL, Annotation, LabelledBox

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from models.data.formats import Annotated

CSV_COLUMNS = ("filename", "width", "height", "class", "xmin", "ymin", "xmax", "ymax")
"""Of xml_to_csv.py, which the tutorials of the TF Object Detection API use."""


def one_class(annotated: Sequence[Annotated]) -> tuple[Annotated, ...]:
    """The same pictures with every plate called `plate`, whatever stands on it; other labels are kept."""
    changed = []
    for one in annotated:
        held = one.annotation
        boxes = tuple(
            LabelledBox(LABEL if _spells_a_plate(b.label) else b.label, b.box, b.truncated, b.difficult)
            for b in held.boxes
        )
        changed.append(type(one)(one.picture, Annotation(held.filename, held.width, held.height, boxes)))
    return tuple(changed)


def write_csv(annotated: Sequence[Annotated], path: Path) -> int:
    """One line a box, edges in whole pixels; how many."""
    rows = [
        (one.picture.name, one.annotation.width, one.annotation.height, b.label,
         round(b.box.x1), round(b.box.y1), round(b.box.x2), round(b.box.y2))
        for one in annotated
        for b in one.annotation.boxes
    ]  # fmt: skip
    with path.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(CSV_COLUMNS)
        writer.writerows(rows)
    return len(rows)


def write_tfrecord(annotated: Sequence[Annotated], path: Path, labels: Sequence[str]) -> int:
    """One tf.train.Example a picture, with the keys of the API's dataset_tools; how many.

    Raises SourceError for a picture that is neither JPEG nor PNG.
    """
    write_records(path, [example(_features(one, labels)) for one in annotated])
    return len(annotated)


def write_labelmaps(labels: Sequence[str], folder: Path) -> None:
    """labelmap.pbtxt for training (numbers from 1) and labelmap.txt for TFLite (a line each)."""
    items = [f"item {{\n  id: {number}\n  name: '{label}'\n}}\n" for number, label in enumerate(labels, 1)]
    (folder / "labelmap.pbtxt").write_text("\n".join(items), encoding="utf-8")
    (folder / "labelmap.txt").write_text("".join(f"{label}\n" for label in labels), encoding="utf-8")


def export_parts(parts: dict[str, Sequence[Annotated]], folder: Path) -> dict[str, tuple[int, int]]:
    """NAME.csv and NAME.record for every part, and the label maps; pictures and boxes by part."""
    folder.mkdir(parents=True, exist_ok=True)
    plates = {name: one_class(part) for name, part in parts.items()}
    labels = labels_of([one for part in plates.values() for one in part])
    if not labels:
        raise SourceError(f"no box in any picture: nothing to write to {folder}")
    write_labelmaps(labels, folder)
    return {
        name: (write_tfrecord(part, folder / f"{name}.record", labels), write_csv(part, folder / f"{name}.csv"))
        for name, part in plates.items()
    }


def _spells_a_plate(label: str) -> bool:
    """A plate word, or a registration: capitals and digits with a digit among them."""
    bare = label.replace(" ", "").replace("-", "")
    return is_plate_word(label) or (bare.isalnum() and bare == bare.upper() and any(c.isdigit() for c in bare))


def _features(one: Annotated, labels: Sequence[str]) -> dict[str, Feature]:
    data = one.picture.read_bytes()
    kind = b"jpeg" if data.startswith(b"\xff\xd8\xff") else b"png" if data.startswith(b"\x89PNG") else b""
    if not kind:
        raise SourceError(f"{one.picture}: is neither JPEG nor PNG; run `check --fix` first")
    width, height, boxes = one.annotation.width, one.annotation.height, one.annotation.boxes
    name = one.picture.name.encode()
    return {
        "image/height": [height],
        "image/width": [width],
        "image/filename": [name],
        "image/source_id": [name],
        "image/key/sha256": [hashlib.sha256(data).hexdigest().encode()],
        "image/encoded": [data],
        "image/format": [kind],
        "image/object/bbox/xmin": [_share(b.box.x1, width) for b in boxes],
        "image/object/bbox/xmax": [_share(b.box.x2, width) for b in boxes],
        "image/object/bbox/ymin": [_share(b.box.y1, height) for b in boxes],
        "image/object/bbox/ymax": [_share(b.box.y2, height) for b in boxes],
        "image/object/class/text": [b.label.encode() for b in boxes],
        "image/object/class/label": [labels.index(b.label) + 1 for b in boxes],
        "image/object/difficult": [int(b.difficult) for b in boxes],
        "image/object/truncated": [int(b.truncated) for b in boxes],
    }


def _share(edge: float, length: int) -> float:
    return min(1.0, max(0.0, edge / length))
