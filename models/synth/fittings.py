"""What is on and around a plate besides its characters: bands, borders, bolts, dealer lines, frames."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from models.synth.canvas import Bgr, Colour, Corners, Mask, disc, paste, polygon
from models.synth.glyphs import lettering
from models.synth.noise import clamp

if TYPE_CHECKING:
    from numpy.random import Generator

_WHITE: Colour = (240, 240, 240)
_DARK: Colour = (50, 46, 46)
_RED: Colour = (60, 50, 190)
_SHOPS = (
    "AUTO", "MOTORS", "CAR CENTRE", "GARAGE", "AUTOSALON", "SERVIS", "AUTOHAUS", "LEASING", "CARS LTD", "MOTOR GROUP",
)  # fmt: skip
_SHOP_ENDS = ("", " 01234 567890", " & SONS", " s.r.o.", " GmbH", " www.example.com", " PRAHA", " LONDON", " a.s.")
_STATES = (
    "CALIFORNIA", "Michigan", "TEXAS", "New York", "FLORIDA", "OHIO", "Great Lakes", "SUNSHINE STATE", "Virginia",
)  # fmt: skip
_BRITISH_CODES = ("GB", "GB", "GB", "GB", "GB", "GB", "UK", "UK", "", "ENG", "SCO", "CYM")
_PALE_HUNGARIAN = 0.35
"""Share of Hungarian plates whose band is pale."""
_DEALER_LINE_COUNTRIES = ("UK", "IE", "FR", "XX")


def border(rng: Generator, mask: Mask, px_per_mm: float) -> None:
    """A printed line around the plate, into the ink's coverage."""
    inset, thick = round(rng.uniform(0, 5) * px_per_mm), max(1, round(rng.uniform(1.5, 4) * px_per_mm))
    height, width = mask.shape
    corner = (width - 1 - inset, height - 1 - inset)
    cv2.rectangle(mask, (inset, inset), corner, int(rng.integers(150, 256)), thick, cv2.LINE_AA)


def edge_lines(rng: Generator, image: Bgr, px_per_mm: float) -> None:
    """Two thin red lines along the upper edge of a plate and two along the lower one, as in Austria; in place."""
    height, thick = image.shape[0], max(1, round(rng.uniform(2, 3.5) * px_per_mm))
    inset = round(rng.uniform(1, 3) * px_per_mm)
    for line in (inset, inset + 2 * thick):
        image[line : line + thick] = _RED
        image[height - line - thick : height - line] = _RED


def left_band(rng: Generator, image: Bgr, width: int, code: str) -> None:
    """The blue band with stars or a flag above the country's letters, in place; GB stands for all British kinds."""
    if code == "GB":
        code = _BRITISH_CODES[int(rng.integers(len(_BRITISH_CODES)))]
    if code == "H" and rng.random() < _PALE_HUNGARIAN:
        _pale_band(image, width)
        return
    green = code in _BRITISH_CODES and rng.random() < 0.12  # the flash of zero-emission cars
    image[:, :width] = (60, 150, 20) if green else _band_blue(rng)
    middle = (width / 2, image.shape[0] * 0.32)
    if code in ("UK", "ENG", "SCO", "CYM") or (code == "PL" and rng.random() < 0.3):
        _flag(image, middle, width * 0.36, crossed=code != "PL")
    elif not green:
        _stars(rng, image, middle, width * 0.36)
    if code:
        _band_text(image, (0, width), code, 0.62 if len(code) < 2 else 0.5 if len(code) < 3 else 0.4)


def _pale_band(image: Bgr, width: int) -> None:
    """No band but the flag over a black H, small on the paper, as on Hungarian plates until 2004."""
    left, right = round(0.22 * width), max(round(0.78 * width), round(0.22 * width) + 3)
    top, stripe = round(0.2 * image.shape[0]), max(1, round(0.07 * image.shape[0]))
    for number, colour in enumerate(((50, 50, 190), (235, 235, 235), (70, 120, 40))):
        image[top + number * stripe : top + (number + 1) * stripe, left:right] = colour
    line = lettering("H", max(5, round(width * 0.55)))[:, :width]
    paste(image, line, (width - line.shape[1]) // 2, round(image.shape[0] * 0.5), colour=_DARK)


def right_band(rng: Generator, image: Bgr, width: int) -> None:
    """The band of French and Italian plates with a number under a round emblem, in place."""
    total = image.shape[1]
    image[:, total - width :] = _band_blue(rng)
    centre = (total - width / 2, image.shape[0] * 0.32)
    if rng.random() < 0.5:
        disc(image, centre, width * 0.34, (60, 200, 235), max(1, width // 12))
    else:
        polygon(image, np.array(centre) + width * 0.3 * np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)]), (215, 215, 215))
    _band_text(image, (total - width, total), f"{int(rng.integers(1, 96)):02d}", 0.5)


def _band_blue(rng: Generator) -> Colour:
    return int(rng.integers(120, 200)), int(rng.integers(40, 100)), int(rng.integers(0, 50))


def _band_text(image: Bgr, span: tuple[int, int], text: str, size: float) -> None:
    width = span[1] - span[0]
    line = lettering(text, max(5, round(width * size)))[:, :width]
    paste(image, line, span[0] + (width - line.shape[1]) // 2, round(image.shape[0] * 0.62), colour=_WHITE)


def _flag(image: Bgr, centre: tuple[float, float], radius: float, *, crossed: bool) -> None:
    """A white flag with a red cross, or white over red."""
    middle, half = np.array(centre), np.array([radius, radius * 0.7])
    square = np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)])
    polygon(image, middle + half * square, (230, 230, 230))
    bars = [(1, 0.2), (0.15, 1)] if crossed else [(1, 0.5)]
    for bar in bars:
        down = 0 if crossed else half[1] / 2
        polygon(image, middle + [0, down] + half * bar * square, (50, 40, 190))


def _stars(rng: Generator, image: Bgr, centre: tuple[float, float], radius: float) -> None:
    colour = (30, 210, 240) if rng.random() < 0.85 else (230, 230, 230)
    if radius < 5:  # too small to tell stars from a ring
        disc(image, centre, radius, [c * 0.7 + 40 for c in colour], 1)
        return
    for angle in np.arange(12) * np.pi / 6:
        place = (centre[0] + radius * np.cos(angle), centre[1] + radius * np.sin(angle))
        disc(image, place, max(0.6, radius * 0.1), colour)


def season(rng: Generator, image: Bgr, px_per_mm: float) -> None:
    """The first and last month of a seasonal plate, small, one over the other at the right edge, in place."""
    height, width = image.shape[:2]
    right = width - round(6 * px_per_mm)
    for month, y in ((int(rng.integers(2, 6)), 0.2), (int(rng.integers(9, 13)), 0.58)):
        line = lettering(f"{month:02d}", max(5, round(20 * px_per_mm)))
        paste(image, line, right - line.shape[1], round(y * height), colour=_DARK)
    rule = ((right - round(22 * px_per_mm), height // 2), (right, height // 2))
    cv2.line(image, *rule, _DARK, max(1, round(2 * px_per_mm)))


def small_print(rng: Generator, image: Bgr, px_per_mm: float, country: str) -> None:
    """The dealer's line below the characters, or the state and slogan of an American plate, in place."""
    height, width = image.shape[:2]
    if country in _DEALER_LINE_COUNTRIES and rng.random() < 0.6:
        line = lettering(_shop(rng), max(4, round(rng.uniform(5, 9) * px_per_mm)))
        x = round(width * clamp(rng.normal(0.5, 0.05), 0.3, 0.7)) - line.shape[1] // 2
        paste(image, line, x, height - line.shape[0] - round(rng.uniform(1, 3) * px_per_mm), colour=_DARK)
    if country == "US":
        blue, green, red = (int(shade) for shade in rng.integers(20, 150, 3))
        for y, size in ((0.02, 20), (0.86, 12)):
            line = lettering(_STATES[int(rng.integers(len(_STATES)))], max(5, round(size * px_per_mm)))[:, :width]
            paste(image, line, (width - line.shape[1]) // 2, round(y * height), colour=(blue, green, red))


def _shop(rng: Generator) -> str:
    return _SHOPS[int(rng.integers(len(_SHOPS)))] + _SHOP_ENDS[int(rng.integers(len(_SHOP_ENDS)))]


def bolts(rng: Generator, image: Bgr, px_per_mm: float) -> None:
    """One to four fixing screws, painted over or bare, with the shadow they throw, in place."""
    height, width = image.shape[:2]
    inset, kind = rng.uniform(0.03, 0.25), rng.random()
    places = [(inset, 0.5), (1 - inset, 0.5)]
    if kind < 0.25:
        places = [(inset, 0.12), (1 - inset, 0.12), (inset, 0.88), (1 - inset, 0.88)][: 2 if rng.random() < 0.5 else 4]
    elif kind < 0.45:
        places = [(rng.uniform(0.1, 0.9), rng.uniform(0.1, 0.9))]
    painted = rng.random() < 0.4
    colour = image[height // 7, width // 2].tolist() if painted else [int(rng.integers(20, 235))] * 3
    radius = rng.uniform(4, 8) * px_per_mm
    for x, y in places:
        centre = (x * width, y * height)
        disc(image, (centre[0] + 0.8, centre[1] + 1), radius, (60, 60, 60))
        disc(image, centre, radius, colour)


def framed(rng: Generator, image: Bgr, px_per_mm: float) -> tuple[Bgr, Corners]:
    """The plate in a holder (often none, now and then one with lettering) and the plate's corners in it."""
    height, width = image.shape[:2]
    side = bottom = top = 0
    if rng.random() < 0.4:
        side = top = max(1, round(rng.uniform(3, 9) * px_per_mm))
        bottom = side if rng.random() < 0.4 else round(rng.uniform(12, 26) * px_per_mm)
        if rng.random() < 0.08:
            top, bottom = bottom, top
    dark = int(rng.integers(10, 60)) if rng.random() < 0.85 else int(rng.integers(120, 200))
    holder = cv2.copyMakeBorder(image, top, bottom, side, side, cv2.BORDER_CONSTANT, value=(dark, dark, dark))
    whole = np.asarray(holder, np.uint8)
    if max(top, bottom) > side and rng.random() < 0.75:
        line = lettering(_shop(rng), max(5, round(max(top, bottom) * 0.55)))[:, : width - 2]
        y = top + height + (bottom - line.shape[0]) // 2 if bottom > top else (top - line.shape[0]) // 2
        paste(whole, line, side + (width - line.shape[1]) // 2, y, colour=(215, 215, 215) if dark < 100 else _DARK)
    x0, y0, x1, y1 = side, top, side + width, top + height
    return whole, np.array([(x0, y0), (x1, y0), (x1, y1), (x0, y1)], np.float32)
