"""Printing and ageing: paint on relief, worn ink, dirt and scratches."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from models.synth.canvas import Bgr, Colour, Mask, blend
from models.synth.noise import soft_noise

if TYPE_CHECKING:
    from numpy.random import Generator

_MUD: tuple[Colour, ...] = ((70, 85, 95), (60, 60, 60), (120, 130, 135))


def printed(rng: Generator, paper: Bgr, mask: Mask, colour: Colour, *, raised: bool) -> Bgr:
    """`paper` with `mask` printed in `colour`, worn in places, with the shading of raised letters if they are."""
    cover = mask
    if rng.random() < 0.12:
        wear = 1 - rng.uniform(0.1, 0.6) * soft_noise(rng, (mask.shape[0], mask.shape[1]), 0.05)
        cover = (mask * wear).astype(np.uint8)
    image = blend(paper, np.full_like(paper, colour), cover)
    return _embossed(rng, image, mask, rng.uniform(0.04, 0.24)) if raised else image


def _embossed(rng: Generator, image: Bgr, mask: Mask, strength: float) -> Bgr:
    """Lit upper and shaded lower flanks of the letters."""
    step = 1.0 if mask.shape[0] < 90 else 1.6
    shift = np.array([[1, 0, float(rng.integers(-1, 2)) * step], [0, 1, step]], np.float32)
    low = cv2.warpAffine(mask, shift, (mask.shape[1], mask.shape[0]))
    light = cv2.cvtColor(cv2.subtract(mask, low), cv2.COLOR_GRAY2BGR)
    shade = cv2.cvtColor(cv2.subtract(low, mask), cv2.COLOR_GRAY2BGR)
    lit = cv2.addWeighted(image, 1, light, strength, 0)
    return np.asarray(cv2.addWeighted(lit, 1, shade, -strength, 0), np.uint8)


def soil(rng: Generator, image: Bgr) -> None:
    """A film of mud, heavier below on half of the plates, in place."""
    height, width = image.shape[:2]
    film = soft_noise(rng, (height, width), rng.uniform(0.03, 0.3)) * np.float32(rng.uniform(0.1, 0.55))
    if rng.random() < 0.5:
        film *= np.linspace(0.2, 1.0, height, dtype=np.float32)[:, None]
    mud = _MUD[int(rng.integers(len(_MUD)))]
    image[:] = blend(image, np.full_like(image, mud), (film * 255).astype(np.uint8))


def scratch(rng: Generator, image: Bgr) -> None:
    """One to three scratches of any colour, in place."""
    height, width = image.shape[:2]
    for _ in range(int(rng.integers(1, 4))):
        start = (int(rng.integers(width)), int(rng.integers(height)))
        end = (start[0] + int(rng.normal(0, width * 0.1)), start[1] + int(rng.normal(0, height * 0.3)))
        shade = int(rng.integers(60, 200))
        cv2.line(image, start, end, (shade, shade, shade), 1, cv2.LINE_AA)
