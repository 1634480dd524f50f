"""Which country plates are taken for, of those whose text was read right: named, unknown, or another."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING

from models.data.photographs import data_folder, load_picture, photographs
from models.evaluate.report import Section, Table
from roadside.core.detect import crop_plate
from roadside.core.formats import GRAMMARS
from roadside.core.frames import CameraId, Frame
from roadside.core.plates import fold
from roadside.vision import open_detector, open_reader

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from models.data.photographs import Photograph
    from models.evaluate.settings import Sources
    from roadside.core.reads import Read
    from roadside.ports.vision import Reader
    from roadside.vision import PlateFinder

UNKNOWN = "unknown"
MOST_PLATES = 6
"""Of a photograph: the best detections are enough to find the marked ones."""
COLUMNS = ("country", "plates", "named", "unknown", "another", "which")


def evaluate(sources: Sources) -> Section:
    """The confusion of countries, on every photograph whose plates' text and country somebody has written down."""
    detector, reader = open_detector(sources.detectors[0]), open_reader(sources.readers[0])
    told: Mapping[str, Counter[str]] = defaultdict(Counter)
    for photograph in photographs(data_folder()):
        truths = {fold(t): r for t, r in zip(photograph.texts, photograph.regions, strict=True) if t and r in GRAMMARS}
        if truths:
            for read in _reads(photograph, detector, reader):
                if fold(read.text) in truths:
                    told[truths.pop(fold(read.text))][read.country or UNKNOWN] += 1
    return Section("countries", "Countries", (confusion(told),))


def confusion(told: Mapping[str, Counter[str]]) -> Table:
    """For each true country how its plates were named, the most frequent first, and all together."""
    ranked = sorted(told, key=lambda country: (-told[country].total(), country))
    rows = [_row(country, told[country], told[country][country]) for country in ranked]
    named = sum(told[country][country] for country in ranked)
    together = sum((told[country] for country in ranked), Counter[str]())
    unknown = together[UNKNOWN]
    another = str(together.total() - named - unknown)
    rows.append(("all", str(together.total()), str(named), str(unknown), another, ""))
    note = (
        "Plates that were found and read right in every character. Photographs of PL, UK, DE and ES are partly those "
        "that the reader was trained on; of Hungarian and Croatian plates it saw none."
    )
    return Table("What plates are taken for", COLUMNS, tuple(rows), note)


def _row(country: str, said: Counter[str], named: int) -> tuple[str, ...]:
    others = {name: count for name, count in said.most_common() if name not in (country, UNKNOWN)}
    which = ", ".join(f"{name} {count}" for name, count in others.items())
    return country, str(said.total()), str(named), str(said[UNKNOWN]), str(sum(others.values())), which


def _reads(photograph: Photograph, detector: PlateFinder, reader: Reader) -> Iterator[Read]:
    frame = Frame(CameraId("photograph"), 0, 0, load_picture(data_folder() / photograph.path))
    for detection in detector.detect(frame.image)[:MOST_PLATES]:
        yield reader.read(crop_plate(frame, detection))
