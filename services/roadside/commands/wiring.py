"""Builds what the settings ask for: models, databases, the judge."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from roadside.adapters.encryption import load_or_make_keyring
from roadside.adapters.sql import SqlRegistry, SqlSightingStore, Vault, open_embedded
from roadside.adapters.system_clock import SystemClock
from roadside.adapters.tesseract import ArticleReader, TesseractReader
from roadside.adapters.tflite import TfliteDetector, TfliteReader
from roadside.core.confusions import typical
from roadside.core.detect import SearchPolicy
from roadside.core.types import Box, CameraId, Crop, Detection
from roadside.core.verdict import Policy
from roadside.registry.judge import Judge
from roadside.runtime.settings import ReaderKind

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from roadside.adapters.sql import Database
    from roadside.ports import Detector, Reader
    from roadside.runtime.settings import Settings

FIRST_KEY = "k1"


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


def open_detector(settings: Settings) -> Detector:
    """The detector of `--modeldir`. Raises ModelError, SettingsError."""
    policy = SearchPolicy(search=settings.search)
    with _native_silence():
        return TfliteDetector(settings.modeldir, settings.threads, settings.score, policy, settings.runtime)


def open_reader(settings: Settings) -> Reader:
    """The reader of `--reader`. Raises ModelError, SettingsError."""
    match settings.reader:
        case ReaderKind.TFLITE:
            with _native_silence():
                return TfliteReader(settings.reader_modeldir, settings.threads, settings.runtime)
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


@dataclass(frozen=True, slots=True)
class Records:
    """The databases of the embedded mode."""

    database: Database
    store: SqlSightingStore
    registry: SqlRegistry
    judge: Judge
    registry_database: Database

    def close(self) -> None:
        """Let the files go."""
        self.database.close()
        self.registry_database.close()


def open_registry(settings: Settings) -> Database:
    """The registry's database, made where there is none. Raises StoreUnavailableError, SettingsError."""
    return open_embedded(settings.registry or settings.db)


def open_records(settings: Settings) -> Records:
    """Sightings, evidence, keys and the registry. Raises StoreUnavailableError, SettingsError."""
    clock = SystemClock()
    database = open_embedded(settings.db)
    registry_database = database if settings.registry is None else open_embedded(settings.registry)
    keyring = load_or_make_keyring(beside(settings.db, "keys.json"), FIRST_KEY)
    registry = SqlRegistry(registry_database)
    return Records(
        database=database,
        store=SqlSightingStore(database, Vault(beside(settings.db, "evidence"), keyring), clock),
        registry=registry,
        judge=Judge(registry, typical(), Policy(), clock),
        registry_database=registry_database,
    )


def beside(database: Path, what: str) -> Path:
    """The file or folder that belongs to a database: roadside.db has roadside.keys.json."""
    return database.with_name(f"{database.stem}.{what}")
