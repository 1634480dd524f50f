"""Which readers there are."""

from __future__ import annotations

from enum import StrEnum


class ReaderKind(StrEnum):
    """Which reader reads the plates."""

    TFLITE = "tflite"
    """Our own net: the default."""
    TESSERACT = "tesseract"
    """Tesseract with our own language `gb`."""
    ARTICLE = "article"
    """Tesseract exactly as the article did: the baseline."""
