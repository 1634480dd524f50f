"""The Python API: `from roadside import ALPR` reads number plates in pictures.

```python
from roadside import ALPR

plates = ALPR().read("street.jpg")
print([(plate.text, plate.country, plate.confidence) for plate in plates])
```

What is in `__all__` is stable: it changes only with a new major version. Every error that is raised on purpose is a
[`RoadsideError`][roadside.errors.RoadsideError] whose message is one line.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypedDict, overload

from roadside.core.frames import Box, Corners
from roadside.core.reads import Character

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Unpack

    import numpy as np
    from numpy.typing import NDArray
    from PIL import Image

    from roadside.assembly.photographs import Photograph
    from roadside.core.reads import PlacedRead

__all__ = ["ALPR", "Box", "Character", "Corners", "Options", "Plate", "Plates"]

STEPS = ("decode", "detect", "read")


class Options(TypedDict, total=False):
    """The options of [`ALPR`][roadside.api.ALPR]: settings of the same names, which `roadside settings` lists.

    One that is not given comes from its `ROADSIDE_*` variable, then from the file that `ROADSIDE_CONFIG` names, then
    from its default, as for every command.
    """

    modeldir: str | os.PathLike[str]
    """Folder with the detector's `detect.tflite` and `labelmap.txt`; default: the shipped one."""
    reader: Literal["tflite", "tesseract", "article"]
    """`tflite`, our own net, if not given; `tesseract` and `article` (the baseline) need tesseract-ocr."""
    reader_modeldir: str | os.PathLike[str]
    """Folder with the reader's `read.tflite` and `reader.json`; default: the shipped one."""
    tessdata: str | os.PathLike[str]
    """Folder with `gb.traineddata` for the readers of Tesseract; default: the shipped one."""
    runtime: str
    """Interpreter of the nets, `litert` or `tflite-runtime`; the first one installed if not given."""
    threads: int
    """Threads of the detector and of the reader, 1 to 64."""
    search: Literal["auto", "fast", "tiles"]
    """Looking for small plates: always (`tiles`), never (`fast`), or where it is worth the time."""
    score: float
    """Least score of a detected plate, 0 to 1."""
    confidence: float
    """Least confidence of a read, 0 to 1; below it, nothing was read."""


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


class ALPR:
    """Reads number plates: loads the nets once, then takes any number of pictures.

    Threads may share an instance: pictures are decoded and read one after the other. Where they are to be read at the
    same time, give each thread an instance of its own.
    """

    def __init__(self, **options: Unpack[Options]) -> None:
        """Load the nets and run them once, so that the first picture takes no longer than the next.

        Raises:
            TypeError: there is no option of that name.
            SettingsError: an option's value cannot be.
            ModelError: a folder of weights cannot be used.

        """
        unknown = sorted(options.keys() - Options.__annotations__.keys())
        if unknown:
            known = ", ".join(Options.__annotations__)
            raise TypeError(f"ALPR() has no option {unknown[0]!r}; there are {known}")
        from roadside.assembly.photographs import open_photograph_reader  # noqa: PLC0415 - the nets make imports slow
        from roadside.assembly.settings import load_settings  # noqa: PLC0415 - as above

        self._settings = load_settings(dict(options))
        self._photographs = open_photograph_reader(self._settings)

    def read(self, picture: NDArray[Any] | str | os.PathLike[str] | bytes | Image.Image) -> Plates:
        """The plates of one picture, best detection first.

        Args:
            picture: the path of a file (JPEG, PNG, WebP, BMP, TIFF or GIF), such a file's bytes, an array of
                (H, W, 3) uint8, blue green red, as OpenCV has them, or a picture of Pillow. Files and pictures of
                Pillow are turned upright as their EXIF orientation says.

        Raises:
            SourceError: it is not one whole picture; the message names the fault and the mend.

        """
        return _plates(self._photographs.read(picture), picture)


def _plates(photograph: Photograph, picture: object) -> Plates:
    return Plates(
        plates=tuple(_plate(placed) for placed in photograph.plates),
        image=photograph.image,
        source=os.fspath(picture) if isinstance(picture, str | os.PathLike) else None,
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
