"""The settings of reading plates."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path  # noqa: TC003 - pydantic needs it at run time

from pydantic import Field

from roadside.kit.config import ModelSection
from roadside.kit.weights import shipped_reader, weights_folder


class ReaderKind(StrEnum):
    """Which reader reads the plates."""

    TFLITE = "tflite"
    """Our own net: the default."""
    TESSERACT = "tesseract"
    """Tesseract with our own language `gb`."""
    ARTICLE = "article"
    """Tesseract exactly as the article did: the baseline."""


class SecondReader(StrEnum):
    """Who must agree before anybody outside is told that a vehicle did not pay."""

    AUTO = "auto"
    """The net of `second_modeldir` where it is there, else Tesseract where it is installed, else nobody."""
    NET = "net"
    """The net of `second_modeldir`."""
    TESSERACT = "tesseract"
    """Tesseract with our own language `gb`."""
    NONE = "none"
    """Nobody: a person confirms each of them."""


class ReadingSection(ModelSection):
    """Which reader reads plates, and what counts as read."""

    reader: ReaderKind = Field(ReaderKind.TFLITE, description="tflite, tesseract, or article (the baseline)")
    reader_modeldir: Path = Field(
        default_factory=lambda given: shipped_reader(given.get("runtime")),
        description="folder with the reader's read.tflite and reader.json: shipped reader_wide on LiteRT, else reader",
    )
    tessdata: Path = Field(
        default_factory=lambda: weights_folder() / "tesseract",
        description="folder with gb.traineddata",
    )
    second_reader: SecondReader = Field(
        SecondReader.AUTO,
        description="who confirms an UNPAID before anybody outside is told: net, tesseract, none (a person alone), or "
        "auto, the best one that is there",
    )
    second_modeldir: Path = Field(
        default_factory=lambda: weights_folder() / "reader",
        description="folder with read.tflite and reader.json of a second reader, built otherwise than the first",
    )
    confidence: float = Field(0.2, ge=0, le=1, description="least confidence of a read; below it, nothing was read")

    def reader_folder(self) -> Path:
        """Where the files of the chosen reader are."""
        return self.reader_modeldir if self.reader is ReaderKind.TFLITE else self.tessdata
