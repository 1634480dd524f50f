"""What those who train, measure and compare models use of Roadside: pictures, annotations, detectors and readers.

The functions and classes are those that the product itself works with, under names that stay. Whoever wants plates
read, and no more, uses `roadside.api`.

    from pathlib import Path
    from roadside.vision import decode_picture, open_detector, read_bytes

    path = Path("car.jpg")
    detector = open_detector(Path("models/shipped/detector"), runtime="litert")
    print(detector.detect(decode_picture(read_bytes(path), path.name)))

**Pictures and annotations**

- `read_bytes`, `decode_picture`, `list_pictures`: photographs as (H, W, 3) uint8 arrays, blue green red, upright.
- `Annotation`, `LabelledBox`, `read_voc`, `write_voc`, `voc_of`, `annotation_of`, `LABEL`: Pascal VOC XML as labelImg
  writes it.

**Nets**: a file of a model folder run on one of `RUNTIMES`

- `open_nets`: the backend of a runtime; it opens the nets alone, as `roadside.ports.nets` describes them.

**Detectors and readers**: what the product makes of the nets

- `open_detector` -> `PlateFinder`: the plates of a picture, searched as the product does, with a close look.
- `SweepingFinder`: the same for the frames of a camera.
- `open_corner_finder` -> `CornerFinder`: the corners of the plate in a box.
- `open_reader` -> a `Reader`: `PlateReader` with our net; of `ReaderKind` also `TesseractReader` and `ArticleReader`.
- `PhotographReader` -> `Photograph`: what `roadside read` and `roadside.api` say of a picture, with any detector and
  reader.
- `warm_up`: the first run of a model takes several times as long as the others.
"""

from roadside.adapters.models.tesseract import ArticleReader, TesseractReader
from roadside.adapters.sources.pictures import decode_picture, list_pictures, read_bytes
from roadside.adapters.voc import LABEL, Annotation, LabelledBox, annotation_of, read_voc, voc_of, write_voc
from roadside.assembly.models import (
    RUNTIMES,
    open_corner_finder,
    open_detector,
    open_nets,
    open_reader,
    warm_up,
)
from roadside.assembly.photographs import Photograph, PhotographReader
from roadside.detector.corners import CornerFinder
from roadside.detector.finder import PlateFinder
from roadside.detector.sweep import SweepingFinder
from roadside.ocr.config import ReaderKind
from roadside.ocr.reader import PlateReader

__all__ = [
    "LABEL",
    "RUNTIMES",
    "Annotation",
    "ArticleReader",
    "CornerFinder",
    "LabelledBox",
    "Photograph",
    "PhotographReader",
    "PlateFinder",
    "PlateReader",
    "ReaderKind",
    "SweepingFinder",
    "TesseractReader",
    "annotation_of",
    "decode_picture",
    "list_pictures",
    "open_corner_finder",
    "open_detector",
    "open_nets",
    "open_reader",
    "read_bytes",
    "read_voc",
    "voc_of",
    "warm_up",
    "write_voc",
]
