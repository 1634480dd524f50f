"""Opens detectors, corner finders and readers: one place for one process, for the services and for training."""

from __future__ import annotations

import os
import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np

from roadside.adapters.models.onnx import RUNTIME as ONNX
from roadside.adapters.models.onnx import OnnxNets
from roadside.adapters.models.tesseract import ArticleReader, TesseractReader
from roadside.adapters.models.tflite import RUNTIMES as TFLITE_RUNTIMES
from roadside.adapters.models.tflite import TfliteNets
from roadside.core.detect import Search, SearchPolicy
from roadside.core.frames import Box, CameraId, Crop, Detection
from roadside.detector.corners import CornerFinder
from roadside.detector.finder import PlateFinder
from roadside.errors import SettingsError
from roadside.kit.weights import check_shipped, corners_folder, model_name
from roadside.ocr.config import ReaderKind
from roadside.ocr.reader import PlateReader

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from roadside.assembly.settings import Settings
    from roadside.detector.config import DetectionSection
    from roadside.ocr.config import ReadingSection
    from roadside.ports.nets import Nets
    from roadside.ports.vision import Detector, Reader

RUNTIMES = (*TFLITE_RUNTIMES, ONNX)
"""The values of ROADSIDE_RUNTIME."""
_SILENCE = threading.Lock()
"""Two threads that open models at the same time would leave each other's file descriptor 2 behind."""


def open_nets(runtime: str | None = None) -> Nets:
    """The backend of `runtime`, one of RUNTIMES; None takes the first interpreter of TFLite files that is installed.

    Raises SettingsError for a runtime that is not known.
    """
    if runtime is not None and runtime not in RUNTIMES:
        raise SettingsError(f"runtime {runtime!r} is not known: ROADSIDE_RUNTIME is one of {', '.join(RUNTIMES)}")
    return OnnxNets() if runtime == ONNX else TfliteNets(runtime)


def open_detector(  # noqa: PLR0913 - each is a setting of its own
    folder: Path,
    *,
    threads: int = 1,
    score: float = 0.3,
    search: Search = Search.AUTO,
    runtime: str | None = None,
    close_look: bool = True,
) -> PlateFinder:
    """The detector of `folder`, with its corner net where there is one and a `close_look` is wanted.

    That is the one in `folder`; the shipped detectors share one. `score` is the least score of a plate, 0 to 1. Raises
    ModelError, SettingsError.
    """
    beside = corners_folder(folder)
    for each in {folder, beside}:
        check_shipped(each)
    nets = open_nets(runtime)
    with _native_silence():
        detector = nets.detector(folder, threads)
        there = close_look and nets.file(beside, "corners").is_file()
        corners = nets.corners(beside, threads) if there else None
    return PlateFinder(detector, corners, score, SearchPolicy(search=search))


def open_corner_finder(folder: Path, *, threads: int = 1, runtime: str | None = None) -> CornerFinder:
    """The corner net of a detector's `folder`. Raises ModelError, SettingsError."""
    folder = corners_folder(folder)
    check_shipped(folder)
    with _native_silence():
        return CornerFinder(open_nets(runtime).corners(folder, threads))


def open_reader(
    folder: Path,
    kind: ReaderKind = ReaderKind.TFLITE,
    *,
    threads: int = 1,
    runtime: str | None = None,
    extra_cuts: bool = False,
) -> Reader:
    """The reader of `folder`: our net's, or for the other kinds the one that holds Tesseract's `gb.traineddata`.

    With `extra_cuts` our net tries unsure plates again, cut another way. Raises ModelError, SettingsError.
    """
    check_shipped(folder)
    match kind:
        case ReaderKind.TFLITE:
            with _native_silence():
                return PlateReader(open_nets(runtime).reader(folder, threads), extra_cuts=extra_cuts)
        case ReaderKind.TESSERACT:
            return TesseractReader(folder)
        case ReaderKind.ARTICLE:
            return ArticleReader(folder)


def open_named_detector(settings: DetectionSection, search: Search, *, photographs: bool = False) -> PlateFinder:
    """The detector that the settings name, looking as `search` says. Raises ModelError, SettingsError."""
    return open_detector(
        settings.detector_folder(photographs=photographs),
        threads=settings.threads,
        score=settings.score,
        search=search,
        runtime=settings.runtime,
    )


def open_named_reader(settings: ReadingSection, *, extra_cuts: bool = False) -> Reader:
    """The reader that the settings name. Raises ModelError, SettingsError."""
    return open_reader(
        settings.reader_folder(),
        settings.reader,
        threads=settings.threads,
        runtime=settings.runtime,
        extra_cuts=extra_cuts,
    )


def open_models(
    settings: Settings, *, search: Search | None = None, extra_cuts: bool = False, photographs: bool = False
) -> tuple[PlateFinder, Reader]:
    """The detector and the reader of one process, looking as `search` or else the settings say.

    `photographs`: whether it is for those and not for moving pictures.

    Raises ModelError, SettingsError.
    """
    detector = open_named_detector(settings, search or settings.search, photographs=photographs)
    return detector, open_named_reader(settings, extra_cuts=extra_cuts)


def detector_name(settings: DetectionSection) -> str:
    """The nets of the detector that the settings name, as the evidence names them."""
    nets, folder = open_nets(settings.runtime), settings.detector_folder()
    return model_name(nets.file(folder, "detect"), nets.file(corners_folder(folder), "corners"))


def reader_name(settings: ReadingSection) -> str:
    """The net of the reader that the settings name, as the evidence names it."""
    folder = settings.reader_folder()
    if settings.reader is ReaderKind.TFLITE:
        return model_name(open_nets(settings.runtime).file(folder, "read"))
    return model_name(folder / "gb.traineddata")


def warm_up(detector: Detector | None = None, reader: Reader | None = None) -> None:
    """The first run of a model allocates and takes several times as long: no picture shall pay for it."""
    grey = np.full((64, 128, 3), 127, np.uint8)
    with _native_silence():
        if detector is not None:
            detector.detect(grey)
        if reader is not None:
            reader.read(Crop(CameraId("warm-up"), 0, 0, Detection(Box(8, 8, 120, 56), 1.0), grey))


@contextmanager
def _native_silence() -> Iterator[None]:
    """TFLite's C++ writes notes to file descriptor 2 past Python; what is wrong comes as an exception anyway."""
    with _SILENCE:
        sys.stderr.flush()
        kept = os.dup(2)
        try:
            with open(os.devnull, "wb") as nowhere:  # noqa: PTH123 (a device)
                os.dup2(nowhere.fileno(), 2)
            yield
        finally:
            os.dup2(kept, 2)
            os.close(kept)
