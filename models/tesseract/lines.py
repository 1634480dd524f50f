"""Pictures of plates as lines of text for Tesseract, rendered ones and real ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from models.data.photographs import load_picture
from models.synth.formats import DEFAULT_WEIGHTS
from models.synth.plates import Options, render_sample
from roadside.core.rectify import box_corners, cut, grow, rows

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.random import Generator
    from numpy.typing import NDArray

    from models.data.photographs import PlateCrop

TWO_LINE_ASPECT = 2.2
"""Width over height under which a plate is taken to have two lines."""


@dataclass(frozen=True, slots=True)
class Line:
    """A grey picture and what stands in it."""

    image: NDArray[np.uint8]
    """(H, W) uint8, dark text on a light ground or the other way round, as photographed."""
    text: str


def rendered_line(rng: Generator, uk_share: float = 0.65) -> Line:
    """A rendered plate of the United Kingdom, or at 1 - `uk_share` of another country."""
    weights = {"UK": 1.0} if rng.random() < uk_share else DEFAULT_WEIGHTS
    sample = render_sample(rng, _options(rng, weights))
    grey = cv2.cvtColor(sample.image, cv2.COLOR_BGR2GRAY)
    corners = _shaken(rng, sample.corners)
    return Line(_spoil(rng, _straighten(rng, np.asarray(grey, np.uint8), corners, sample.row_split)), sample.text)


def _options(rng: Generator, weights: Mapping[str, float]) -> Options:
    """What a person could still read: Tesseract learns nothing from the rest."""
    hardness = float(rng.uniform(0.1, 0.9))
    return Options(weights=weights, two_line_share=0.05, width_px=(55.0, 250.0), hardness=hardness)


def real_line(rng: Generator, crop: PlateCrop, folder: Path) -> Line:
    """A real crop with its box shaken; raises InputError where the picture cannot be read."""
    grey = cv2.cvtColor(load_picture(folder / crop.path), cv2.COLOR_BGR2GRAY)
    box = crop.box
    corners = _shaken(rng, box_corners(box.x1, box.y1, box.x2, box.y2))
    split = 0.5 if box.width < TWO_LINE_ASPECT * box.height else None
    return Line(_spoil(rng, _straighten(rng, np.asarray(grey, np.uint8), corners, split), 0.5), crop.text)


def write_lines(lines: Sequence[Line], stem: Path) -> None:
    """`lines` as the pages of `stem`.tif with their texts in `stem`.box, in Tesseract's WordStr format."""
    from PIL import Image  # noqa: PLC0415 - the pipeline reads lines without Pillow's TIFF writer

    pages = [Image.fromarray(line.image) for line in lines]
    pages[0].save(stem.with_suffix(".tif"), save_all=True, append_images=pages[1:], dpi=(300, 300))
    boxes = []
    for page, line in enumerate(lines):
        height, width = line.image.shape
        boxes.append(f"WordStr 0 0 {width} {height} {page} #{line.text}\n\t {width} 0 {width + 1} {height} {page}\n")
    stem.with_suffix(".box").write_text("".join(boxes), encoding="utf-8")


def _shaken(rng: Generator, corners: NDArray[np.float32]) -> NDArray[np.float32]:
    """`corners` with a margin of a few per cent, as loose as a detector's boxes."""
    width = float(np.linalg.norm(corners[1] - corners[0]))
    height = float(np.linalg.norm(corners[3] - corners[0]))
    grown = grow(corners, float(rng.uniform(-0.005, 0.07)), float(rng.uniform(-0.02, 0.2)))
    noise = rng.normal(0, 1, (4, 2)) * np.array([0.008 * width, 0.025 * height])
    return np.asarray(grown + noise, np.float32)


def _straighten(
    rng: Generator, grey: NDArray[np.uint8], corners: NDArray[np.float32], split: float | None
) -> NDArray[np.uint8]:
    """The plate upright, 32 to 64 px high, about as wide as it is seen; two rows side by side."""
    height = int(rng.integers(32, 65))
    stretch = float(rng.uniform(0.85, 1.15))
    if split is None:
        return cut(grey, corners, _width(corners, height, stretch), height)
    upper, lower = rows(corners, split)
    width = min(_width(upper, height, stretch), 4 * height)
    return np.hstack([cut(grey, upper, width, height), cut(grey, lower, width, height)])


def _width(corners: NDArray[np.float32], height: int, stretch: float) -> int:
    wide = float(np.linalg.norm(corners[1] - corners[0]) + np.linalg.norm(corners[2] - corners[3]))
    high = float(np.linalg.norm(corners[3] - corners[0]) + np.linalg.norm(corners[2] - corners[1]))
    return int(np.clip(height * wide / max(high, 1.0) * stretch, 2 * height, 8 * height))


def _spoil(rng: Generator, grey: NDArray[np.uint8], strength: float = 1.0) -> NDArray[np.uint8]:
    """Other contrast, brightness, resolution; the article's blur in half of the lines; a light border in half."""
    height, width = grey.shape
    if rng.random() < 0.3 * strength:
        scale = float(rng.uniform(0.4, 0.9))
        small = cv2.resize(grey, (int(width * scale), int(height * scale)), interpolation=cv2.INTER_AREA)
        grey = np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR), np.uint8)
    contrast = 1 + strength * float(rng.uniform(-0.4, 0.2))
    changed = (grey.astype(np.float32) - 128) * contrast + 128 + strength * float(rng.uniform(-30, 30))
    out = np.clip(changed, 0, 255).astype(np.uint8)
    if rng.random() < 0.5:
        out = np.asarray(cv2.GaussianBlur(out, (3, 3), 0), np.uint8)
    if rng.random() < 0.5:
        pad = round(float(rng.uniform(0.05, 0.22)) * out.shape[0])
        light = int(np.percentile(out, 90)) if rng.random() < 0.7 else int(rng.integers(140, 256))
        out = np.asarray(cv2.copyMakeBorder(out, pad, pad, pad, pad, cv2.BORDER_CONSTANT, value=(light,)), np.uint8)
    return out
