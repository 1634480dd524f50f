"""Readers that run Tesseract through pytesseract: ours, and exactly the one that Roadside began with."""

from __future__ import annotations

import os
import re
import shlex
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pytesseract

from roadside.core.ctc import COLUMN, EMPTY, read_posterior
from roadside.core.plates import normalise
from roadside.core.reads import ALPHABET, Character, Read
from roadside.core.rectify import READ_MARGIN, aspect_ratio, crop_corners, cut, grow
from roadside.errors import ModelError

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from roadside.core.frames import Crop

LANGUAGE = "gb"
LINE_HEIGHT_PX = 64
"""Of the line given to Tesseract; its LSTM scales lines to 36 or 48 px, enlarged crops read better."""
LINE_BORDER_PX = 12
RAW_LINE = 13
"""Page segmentation: the picture is the line. Looking for the line first (7) cuts into plates: of 158 at a gate
0.42 read with it, 0.83 without."""
BLANK_SPREAD = 4.0
"""Standard deviation of grey values (0..255) in the middle of a plate below which it shows nothing."""
ARTICLE_SHIFT_PX = 10
ARTICLE_CONFIDENCE = 73
ARTICLE_CHARACTERS = 6
_CHARACTER = re.compile(r"class='ocrx_cinfo'[^>]*x_conf[s]? ([\d.]+)[^>]*>([^<]+)<")


@dataclass(frozen=True, slots=True)
class ArticleRead:
    """What the pipeline of the article made of a plate."""

    text: str
    """As Tesseract gave it, spaces trimmed."""
    confidence: float
    """Of the last word, 0 to 100; -1 where there is none."""
    accepted: bool


class TesseractReader:
    """Reads a rectified, enlarged plate as one line, with a confidence for every character."""

    def __init__(self, tessdata: Path, language: str = LANGUAGE, country: str | None = "UK") -> None:
        """`tessdata` holds `<language>.traineddata`; `country` is the one that the language was trained on.

        Raises ModelError where Tesseract or the language is missing.
        """
        self._config = _config(tessdata, language)
        self._language = language
        self._countries = ((country, 0.9), ("*", 0.1)) if country else ()

    def read(self, crop: Crop) -> Read:
        """What stands on the plate; an empty text with confidence 0 where nothing can be read."""
        if min(crop.image.shape[:2]) < 4:
            return EMPTY
        line = _line(crop)
        if _is_blank(line):
            return EMPTY
        config = f"{self._config} --psm {RAW_LINE} -c hocr_char_boxes=1"
        hocr = pytesseract.image_to_pdf_or_hocr(line, lang=self._language, config=config, extension="hocr")
        slots = [
            (c, float(confidence) / 100)
            for confidence, character in _CHARACTER.findall(hocr.decode("utf-8", "replace"))
            for c in normalise(character)
        ]
        if not slots:
            return EMPTY
        posterior = _posterior(slots)
        return read_posterior(posterior, "".join(c for c, _ in slots), 1.0, self._countries)


class ArticleReader:
    """Reads a plate as the article did: cut ten pixels up and to the left, grey, blurred, the whole as a page."""

    def __init__(self, tessdata: Path, language: str = LANGUAGE) -> None:
        """Raises ModelError where Tesseract or the language is missing."""
        self._config = _config(tessdata, language)
        self._language = language

    def read(self, crop: Crop) -> Read:
        """The text where the article would have accepted it, else an empty one with confidence 0.

        The crop must reach ten pixels over the plate's box to the top and the left, as `crop_plate` cuts it; what the
        picture itself lacks, the article lacked too.
        """
        box, (x, y) = crop.detection.box, crop.origin
        found = self.read_box(crop.image, box.x1 - x, box.y1 - y, box.x2 - x, box.y2 - y)
        text = normalise(found.text)
        if not found.accepted or not text:
            return EMPTY
        sure = found.confidence / 100
        posterior = _posterior([(c, sure) for c in text])
        characters = tuple(Character(c, sure) for c in text)
        return Read(text, text, None, sure, characters, posterior)

    def read_box(self, image: NDArray[np.uint8], xmin: float, ymin: float, xmax: float, ymax: float) -> ArticleRead:
        """`image[ymin-10:ymax-10, xmin-10:xmax-10]`, grey, GaussianBlur (3, 3), read.

        Accepted is a text that is not empty, of more than 6 characters, the last word's confidence over 73.
        """
        top, bottom, left, right = (max(0, int(v) - ARTICLE_SHIFT_PX) for v in (ymin, ymax, xmin, xmax))
        part = image[top:bottom, left:right]
        if part.size == 0:
            return ArticleRead("", -1.0, accepted=False)
        blurred = cv2.GaussianBlur(cv2.cvtColor(part, cv2.COLOR_BGR2GRAY), (3, 3), 0)
        data: dict[str, list[Any]] = pytesseract.image_to_data(
            blurred, lang=self._language, config=self._config, output_type=pytesseract.Output.DICT
        )
        words = [str(word).strip() for word in data["text"]]
        text = " ".join(word for word in words if word)
        confidence = float(data["conf"][-1]) if data["conf"] else -1.0
        accepted = bool(text) and confidence > ARTICLE_CONFIDENCE and len(text) > ARTICLE_CHARACTERS
        return ArticleRead(text, confidence, accepted)


def _config(tessdata: Path, language: str) -> str:
    if shutil.which("tesseract") is None:
        raise ModelError("Tesseract is not installed: apt-get install tesseract-ocr (or use --reader tflite)")
    # Tesseract's threads wait for one another on a line: 2.8 s instead of 0.8 s a call on a busy machine.
    os.environ.setdefault("OMP_THREAD_LIMIT", "1")
    model = tessdata / f"{language}.traineddata"
    try:
        size = model.stat().st_size
    except OSError as error:
        raise ModelError(f"no Tesseract language {language!r}: {model}: {error.strerror}") from error
    if size == 0:
        raise ModelError(f"{model} is empty (0 bytes)")
    config = f"--tessdata-dir {shlex.quote(str(tessdata.resolve()))}"
    try:
        pytesseract.image_to_string(np.full((48, 160), 255, np.uint8), lang=language, config=config)
    except pytesseract.TesseractError as error:
        raise ModelError(f"Tesseract cannot use {model}: {' '.join(str(error.message).split())[:160]}") from error
    return config


def _line(crop: Crop) -> NDArray[np.uint8]:
    """The plate upright, grey, LINE_HEIGHT_PX high, with a white border as Tesseract wants around a line."""
    corners = crop_corners(crop)
    aspect = aspect_ratio(corners)
    placed = grow(corners, READ_MARGIN, READ_MARGIN * aspect)
    grey = cv2.cvtColor(crop.image, cv2.COLOR_BGR2GRAY)
    width = int(min(max(LINE_HEIGHT_PX * aspect, LINE_HEIGHT_PX), 10 * LINE_HEIGHT_PX))
    line = cut(grey, placed, width, LINE_HEIGHT_PX)  # type: ignore[arg-type]
    border = LINE_BORDER_PX
    light = int(np.percentile(line, 90))
    return cv2.copyMakeBorder(  # type: ignore[return-value]
        line, border, border, border, border, cv2.BORDER_CONSTANT, value=(light,)
    )


def _is_blank(line: NDArray[np.uint8]) -> bool:
    """Whether nothing stands on the plate: on its edges alone a raw line is still read as a character."""
    height, width = line.shape
    inner = line[height // 3 : -(height // 3), width // 6 : -(width // 6)]
    return float(inner.std()) < BLANK_SPREAD


def _posterior(slots: list[tuple[str, float]]) -> NDArray[np.float32]:
    """Each character with its confidence, the rest spread evenly: Tesseract names no rival. (slots, 36) float32."""
    posterior = np.empty((len(slots), len(ALPHABET)), np.float32)
    for row, (character, confidence) in zip(posterior, slots, strict=True):
        sure = min(0.99, max(0.1, confidence))
        row[:] = (1 - sure) / (len(ALPHABET) - 1)
        row[COLUMN[character]] = sure
    return posterior
