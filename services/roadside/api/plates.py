"""What a picture says: its plates."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, overload

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import numpy as np
    from numpy.typing import NDArray

    from roadside.assembly.photographs import Photograph
    from roadside.core.frames import Box, Corners
    from roadside.core.reads import Character, PlacedRead

STEPS = ("decode", "detect", "read")
"""Of reading a picture, each timed."""


@dataclass(frozen=True, slots=True, repr=False)
class Plate:
    """One number plate in a picture."""

    text: str
    """The registration under the grammars of the known countries: upper case, no separators."""
    raw: str
    """The same before any grammar."""
    country: str | None
    """`UK`, `CZ`, `SK`, `DE`...; None where unsure."""
    confidence: float
    """Calibrated probability that `text` is right, 0 to 1."""
    characters: tuple[Character, ...]
    """One for each character of `text`, with the confidence of each."""
    box: Box
    """Where it is, x1, y1, x2, y2 in half-open pixels of the upright picture."""
    corners: Corners | None
    """Top left, top right, bottom right, bottom left as (x, y) pixels; None where the model gives none."""
    detector_score: float
    """How sure it is that there is a plate, 0 to 1."""

    def __repr__(self) -> str:
        return f"Plate({self.text!r}, country={self.country!r}, confidence={self.confidence:.2f})"

    def to_json(self) -> dict[str, Any]:
        """The plate as `roadside read --json` prints it (docs/read-json.md)."""
        box = self.box
        return {
            "text": self.text,
            "raw": self.raw,
            "country": self.country,
            "confidence": round(self.confidence, 4),
            "characters": [{"text": c.text, "confidence": round(c.confidence, 4)} for c in self.characters],
            "detector_score": round(self.detector_score, 4),
            "box": [round(v, 1) for v in (box.x1, box.y1, box.x2, box.y2)],
        }


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class Plates(Sequence[Plate]):
    """The plates of one picture, best detection first: a sequence, which is empty where nothing can be read."""

    plates: tuple[Plate, ...]
    image: NDArray[np.uint8]
    """The upright picture, (H, W, 3) uint8, blue green red: the caller's own where that was given as an array."""
    source: str | None = None
    """The path that was given; None for what came from memory."""
    elapsed_ms: Mapping[str, float] = field(default_factory=dict)
    """Milliseconds of `decode`, `detect` and `read`."""

    @overload
    def __getitem__(self, index: int) -> Plate: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Plate, ...]: ...
    def __getitem__(self, index: int | slice) -> Plate | tuple[Plate, ...]:
        return self.plates[index]

    def __len__(self) -> int:
        return len(self.plates)

    def __iter__(self) -> Iterator[Plate]:
        return iter(self.plates)

    def __repr__(self) -> str:
        return f"Plates({list(self.plates)!r})"

    @property
    def width(self) -> int:
        """Width of the upright picture in pixels."""
        return int(self.image.shape[1])

    @property
    def height(self) -> int:
        """Height of the upright picture in pixels."""
        return int(self.image.shape[0])

    def draw(self) -> NDArray[np.uint8]:
        """A copy of the picture with a box, text and country for each plate, (H, W, 3) uint8, blue green red."""
        from roadside.adapters.annotate import Mark, draw  # noqa: PLC0415 - OpenCV makes the import slow

        return draw(self.image, [Mark(plate.box, plate.text, plate.country) for plate in self.plates])

    def to_json(self) -> dict[str, Any]:
        """The object that `roadside read --json` prints for a file (docs/read-json.md), ready for `json.dumps`."""
        return {
            "source": self.source,
            "width": self.width,
            "height": self.height,
            "plates": [plate.to_json() for plate in self.plates],
            "elapsed_ms": {step: round(self.elapsed_ms.get(step, 0.0), 3) for step in STEPS},
        }


def plates_of(photograph: Photograph, picture: object) -> Plates:
    """The plates of a photograph that was read; `picture` is what was given."""
    return Plates(
        plates=tuple(_plate(placed) for placed in photograph.plates),
        image=photograph.image,
        source=os.fsdecode(picture) if isinstance(picture, str | os.PathLike) else None,
        elapsed_ms={step: photograph.elapsed.ms(step) for step in STEPS},
    )


def _plate(placed: PlacedRead) -> Plate:
    read, detection = placed.read, placed.crop.detection
    return Plate(
        text=read.text,
        raw=read.raw,
        country=read.country,
        confidence=read.confidence,
        characters=read.characters,
        box=detection.box,
        corners=detection.corners,
        detector_score=detection.score,
    )
