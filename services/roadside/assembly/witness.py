"""Opens the second reader: beside the first one, or that of the ocr service."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from roadside.assembly.models import open_nets, open_reader, warm_up
from roadside.errors import ModelError
from roadside.ocr.config import ReaderKind, SecondReader
from roadside.registry.witness import ReaderWitness

if TYPE_CHECKING:
    from pathlib import Path

    from roadside.ocr.config import ReadingSection
    from roadside.ports.vision import Reader


@dataclass(frozen=True, slots=True)
class Second:
    """A second reader, and what its statement calls it."""

    reader: Reader
    name: str
    sha256: str
    """Of the file of its weights."""

    def witness(self) -> ReaderWitness:
        """It as a witness in this process."""
        return ReaderWitness(self.reader, self.name, self.sha256)


def open_second(settings: ReadingSection) -> Second | None:
    """The second reader that the settings name, of `auto` the best one that is there; None where there is none.

    Raises ModelError, SettingsError: of a reader that is named and cannot be used.
    """
    match settings.second_reader:
        case SecondReader.NONE:
            return None
        case SecondReader.NET:
            return _net(settings)
        case SecondReader.TESSERACT:
            return _tesseract(settings)
        case SecondReader.AUTO:
            return _best(settings)


def _best(settings: ReadingSection) -> Second | None:
    if _weights(settings, settings.second_modeldir).is_file() and not _is_first(settings):
        return _net(settings)
    if settings.reader is not ReaderKind.TFLITE:
        return None  # Tesseract does not confirm itself
    try:
        return _tesseract(settings)
    except ModelError:
        return None


def _net(settings: ReadingSection) -> Second:
    folder = settings.second_modeldir
    reader = open_reader(folder, threads=settings.threads, runtime=settings.runtime)
    if _is_first(settings):
        raise ModelError(f"second_modeldir {folder}: is the first reader's own net, which would confirm itself")
    warm_up(reader=reader)
    return Second(reader, folder.name, _sha256(_weights(settings, folder)))


def _is_first(settings: ReadingSection) -> bool:
    """Whether the second net is the one that reads first."""
    first, second = (_weights(settings, folder) for folder in (settings.reader_modeldir, settings.second_modeldir))
    return settings.reader is ReaderKind.TFLITE and _sha256(first) == _sha256(second)


def _tesseract(settings: ReadingSection) -> Second:
    reader = open_reader(settings.tessdata, ReaderKind.TESSERACT)
    return Second(reader, ReaderKind.TESSERACT.value, _sha256(settings.tessdata / "gb.traineddata"))


def _weights(settings: ReadingSection, folder: Path) -> Path:
    return open_nets(settings.runtime).file(folder, "read")


def _sha256(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()
