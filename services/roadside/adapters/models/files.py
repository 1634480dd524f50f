"""What lies in a model folder beside the nets themselves: the detector's labels and the reader's card."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from roadside.core.corners import OFFSETS, REGION_HEIGHT_PX, REGION_WIDTH_PX
from roadside.core.ctc import COLUMN
from roadside.core.detect import parse_labelmap, plate_classes
from roadside.core.reads import ALPHABET
from roadside.errors import ModelError

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

LARGEST_MODEL_BYTES = 512 << 20
"""The shipped nets have 3 to 7 MB, large detectors of others 300."""


@dataclass(frozen=True, slots=True)
class ReaderCard:
    """What `reader.json` tells of a reader's outputs."""

    characters: str
    """In the order of the net's columns; the blank stands before them."""
    countries: tuple[str, ...]
    temperature: float

    @property
    def columns(self) -> NDArray[np.int64]:
        """The net's columns in the order of the blank and ALPHABET, (37,)."""
        return np.array([0, *(self.characters.index(c) + 1 for c in ALPHABET)])


def model_bytes(path: Path) -> bytes:
    """The content of a model file. Raises ModelError where there is none."""
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST_MODEL_BYTES + 1)
    except OSError as error:
        raise ModelError(f"no model at {path}: {error.strerror}") from error
    if not content:
        raise ModelError(f"{path} is empty (0 bytes)")
    if len(content) > LARGEST_MODEL_BYTES:
        raise ModelError(f"{path} has more than {LARGEST_MODEL_BYTES >> 20} MB; no model that is run here is so large")
    return content


def load_plate_classes(path: Path) -> frozenset[int]:
    """The numbers of the classes that are plates, of a `labelmap.txt`. Raises ModelError where it names none."""
    try:
        labels = parse_labelmap(path.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError) as error:
        raise ModelError(f"no label map at {path}: {getattr(error, 'strerror', None) or error}") from error
    classes = plate_classes(labels)
    if not classes:
        named = ", ".join(labels[:8]) or "nothing"
        raise ModelError(f"{path} names no plate: it lists {named}")
    return classes


def load_card(path: Path) -> ReaderCard:
    """What a `reader.json` says. Raises ModelError where it lacks or garbles something."""
    try:
        card = json.loads(path.read_text(encoding="utf-8"))
        loaded = ReaderCard(str(card["characters"]), tuple(map(str, card["countries"])), float(card["temperature"]))
    except OSError as error:
        raise ModelError(f"no description of the reader at {path}: {error.strerror}") from error
    except (ValueError, KeyError, TypeError) as error:
        raise ModelError(f"{path} lacks or garbles characters, countries or temperature: {error}") from error
    if sorted(loaded.characters) != sorted(COLUMN) or not math.isfinite(loaded.temperature) or loaded.temperature <= 0:
        raise ModelError(f"{path} must list each of {ALPHABET} once and a temperature over 0")
    return loaded


def check_corner_net(path: Path, shape: object, given: object) -> None:
    """Raises ModelError where `shape` (of the input) and `given` (of the outputs) are not those of a corner net."""
    if shape != [1, REGION_HEIGHT_PX, REGION_WIDTH_PX, 1] or given not in ([[1, OFFSETS]], [[1, OFFSETS + 1]]):
        raise ModelError(
            f"{path} is no corner net: it takes {shape} and gives {given}, not"
            f" [1, {REGION_HEIGHT_PX}, {REGION_WIDTH_PX}, 1] and [[1, {OFFSETS + 1}]]"
        )
