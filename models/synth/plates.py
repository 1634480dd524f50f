"""Pictures of number plates with their text and corners: the training set of the reader, drawn on demand."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from models.synth import degrade, formats
from models.synth.flat import draw_plate
from models.synth.posing import cutout

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.random import Generator

    from models.synth.canvas import Bgr, Corners
    from models.synth.formats import Registration


_WIDTH_MM = {1: 520, 2: 300, 3: 200}
"""About the width of a plate, by its lines."""


@dataclass(frozen=True, slots=True)
class Options:
    """What the renderer draws."""

    weights: Mapping[str, float] = field(default_factory=lambda: formats.DEFAULT_WEIGHTS)
    """Countries by share, any positive scale."""
    two_line_share: float = 0.08
    three_line_share: float = 0.0
    width_px: tuple[float, float] = (35.0, 250.0)
    """Range of plate widths in the picture, log-uniform."""
    hardness: float = 1.0
    """Strength of tilt, blur and noise; 0 is a sharp, frontal picture."""


@dataclass(frozen=True, slots=True)
class Sample:
    """A picture with one plate in it."""

    image: Bgr
    """(H, W, 3) uint8, BGR."""
    corners: Corners
    """(4, 2) float32 pixels x, y of the plate's outline: top left, top right, bottom right, bottom left."""
    text: str
    country: str
    lines: int
    row_split: float | None
    """Where the second row begins, as a share of the plate's height; None on one line and on three equal ones."""


def render_sample(
    rng: Generator,
    options: Options | None = None,
    backgrounds: Sequence[Bgr] = (),
    registration: Registration | None = None,
) -> Sample:
    """A random plate (or that of `registration`) in a random picture, with a margin of 10 to 40 % around it.

    `backgrounds` are BGR pictures; half of the surroundings are cut from them if there are any.
    """
    chosen = options or Options()
    if registration is None:
        registration = formats.sample(rng, chosen.weights)
    low, high = np.log(chosen.width_px[0]), np.log(chosen.width_px[1])
    width_px = float(np.exp(rng.uniform(low, high)))
    lines = _lines(rng, chosen)
    plate = draw_plate(rng, registration, px_per_mm=_resolution(width_px / _WIDTH_MM[lines]), lines=lines)
    image, corners = degrade.photograph(rng, cutout(plate.image, plate.outline), width_px, chosen.hardness, backgrounds)
    return Sample(image, corners, registration.text, registration.country, plate.lines, plate.row_split)


def _lines(rng: Generator, options: Options) -> int:
    draw = rng.random()
    if draw < options.two_line_share:
        return 2
    return 3 if draw < options.two_line_share + options.three_line_share else 1


def _resolution(px_per_mm: float) -> float:
    """Pixels per mm of the flat drawing: 1.4 times the picture's or more, in steps so that glyphs are reused."""
    return next((step for step in (0.16, 0.25, 0.35, 0.5, 0.65) if step >= 1.4 * px_per_mm), 0.9)
