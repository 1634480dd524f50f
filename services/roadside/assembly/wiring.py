"""Builds the detector and the reader that the settings ask for."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np

from roadside.adapters.models.corner_finder import PlateFinder
from roadside.adapters.models.tesseract import ArticleReader, TesseractReader
from roadside.adapters.models.tflite import TfliteReader
from roadside.assembly.settings import ReaderKind
from roadside.core.detect import Search, SearchPolicy
from roadside.core.frames import Box, CameraId, Crop, Detection
from roadside.kit.weights import check_shipped

if TYPE_CHECKING:
    from collections.abc import Iterator

    from roadside.assembly.settings import Settings
    from roadside.ports.vision import Detector, Reader


@contextmanager
def _native_silence() -> Iterator[None]:
    """TFLite's C++ writes notes to file descriptor 2 past Python; what is wrong comes as an exception anyway."""
    sys.stderr.flush()
    kept = os.dup(2)
    try:
        with open(os.devnull, "wb") as nowhere:  # noqa: PTH123 (a device)
            os.dup2(nowhere.fileno(), 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


def open_detector(settings: Settings, search: Search | None = None) -> PlateFinder:
    """The detector of `--modeldir`, looking as `search` or else the settings say. Raises ModelError, SettingsError."""
    check_shipped(settings.modeldir)
    policy = SearchPolicy(search=search or settings.search)
    with _native_silence():
        return PlateFinder(settings.modeldir, settings.threads, settings.score, policy, settings.runtime)


def open_reader(settings: Settings, *, patient: bool = False) -> Reader:
    """The reader of `--reader`; a `patient` one tries unsure plates again. Raises ModelError, SettingsError."""
    check_shipped(settings.reader_modeldir if settings.reader is ReaderKind.TFLITE else settings.tessdata)
    match settings.reader:
        case ReaderKind.TFLITE:
            with _native_silence():
                return TfliteReader(settings.reader_modeldir, settings.threads, settings.runtime, patient=patient)
        case ReaderKind.TESSERACT:
            return TesseractReader(settings.tessdata)
        case ReaderKind.ARTICLE:
            return ArticleReader(settings.tessdata)


def warm_up(detector: Detector, reader: Reader) -> None:
    """The first run of a model allocates and takes several times as long: no picture shall pay for it."""
    grey = np.full((64, 128, 3), 127, np.uint8)
    with _native_silence():
        detector.detect(grey)
        reader.read(Crop(CameraId("warm-up"), 0, 0, Detection(Box(8, 8, 120, 56), 1.0), grey))
