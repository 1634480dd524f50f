"""What is on and around a plate besides its characters: bands, seals, borders, bolts, dealer lines, frames, wear."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from models.synth.glyphs import Mask, lettering
from models.synth.looks import Colour
from models.synth.noise import blend, clamp, soft_noise

Bgr = NDArray[np.uint8]

_STICKERS: tuple[Colour, ...] = (
    (60, 60, 190),
    (60, 130, 230),
    (150, 90, 40),
    (80, 160, 60),
    (60, 200, 230),
    (140, 140, 140),
    (90, 90, 160),
)
_SHOP_NAMES = (
    "AUTO",
    "MOTORS",
    "CAR CENTRE",
    "GARAGE",
    "AUTOSALON",
    "SERVIS",
    "AUTOHAUS",
    "LEASING",
    "CARS LTD",
    "MOTOR GROUP",
    "KAROSA",
)
_SHOP_ENDS = (
    "",
    " 01234 567890",
    " & SONS",
    " s.r.o.",
    " GmbH",
    " www.example.com",
    " PRAHA",
    " LONDON",
    " tel. 555 123 456",
    " a.s.",
)

_STATES = (
    "CALIFORNIA",
    "Michigan",
    "TEXAS",
    "New York",
    "FLORIDA",
    "OHIO",
    "Great Lakes",
    "SUNSHINE STATE",
    "dmv.org",
    "Virginia",
)


def paste(image: Bgr, mask: Mask, x: int, y: int, colour: Colour) -> None:
    """Print `mask` in `colour` with its top left corner at x, y, cut at the edges."""
    x0, y0, x1, y1 = (
        max(x, 0),
        max(y, 0),
        min(x + mask.shape[1], image.shape[1]),
        min(y + mask.shape[0], image.shape[0]),
    )
    if x1 <= x0 or y1 <= y0:
        return
    cover = mask[y0 - y : y1 - y, x0 - x : x1 - x, None].astype(np.int16)
    patch = image[y0:y1, x0:x1].astype(np.int16)
    image[y0:y1, x0:x1] = (patch + (np.array(colour, np.int16) - patch) * (cover >> 1) // 127).astype(np.uint8)


def border(rng: Generator, mask: Mask, px_per_mm: float) -> None:
    """A printed line around the plate, into the ink's coverage."""
    inset, thick = rng.uniform(0, 5) * px_per_mm, max(1, round(rng.uniform(1.5, 4) * px_per_mm))
    height, width = mask.shape
    a = round(inset)
    cv2.rectangle(mask, (a, a), (width - 1 - a, height - 1 - a), int(rng.integers(150, 256)), thick, cv2.LINE_AA)


def bands(rng: Generator, canvas: Bgr, left: int, right: int, code: str, mask: Mask) -> None:
    """The blue bands at the sides with stars or a flag and the country's letters; the ink stays off them."""
    height, width = canvas.shape[:2]
    blue = (int(rng.integers(120, 200)), int(rng.integers(40, 100)), int(rng.integers(0, 50)))
    if code == "GB":
        code = ("GB", "GB", "GB", "UK", "UK", "", "ENG", "SCO", "CYM")[int(rng.integers(9))]
        if rng.random() < 0.12:  # the green of zero-emission cars
            blue = (60, 150, 20)
    for x0, x1, text in ((0, left, code), (width - right, width, "")):
        if x1 <= x0:
            continue
        canvas[:, x0:x1] = blue
        mask[:, x0:x1] = 0
        _emblem(rng, canvas, (x0 + x1) / 2, height * 0.32, (x1 - x0) * 0.36, flag=code in ("UK", "ENG", "SCO", "CYM"))
        if text:
            line = lettering(
                text, max(5, round((x1 - x0) * (0.62 if len(text) < 2 else 0.5 if len(text) < 3 else 0.4)))
            )
            line = line[:, : x1 - x0]
            paste(canvas, line, x0 + (x1 - x0 - line.shape[1]) // 2, round(height * 0.62), (240, 240, 240))
        elif right and x0:
            line = lettering(str(int(rng.integers(1, 96))).zfill(2), max(5, round((x1 - x0) * 0.5)))
            paste(canvas, line, x0 + (x1 - x0 - line.shape[1]) // 2, round(height * 0.66), (240, 240, 240))


def _emblem(rng: Generator, canvas: Bgr, x: float, y: float, radius: float, *, flag: bool) -> None:
    if flag:
        top_left, bottom_right = (
            (round(x - radius), round(y - radius * 0.7)),
            (round(x + radius), round(y + radius * 0.7)),
        )
        cv2.rectangle(canvas, top_left, bottom_right, (230, 230, 230), -1)
        cv2.line(
            canvas, (round(x), top_left[1]), (round(x), bottom_right[1]), (50, 40, 190), max(1, round(radius * 0.3))
        )
        cv2.line(
            canvas, (top_left[0], round(y)), (bottom_right[0], round(y)), (50, 40, 190), max(1, round(radius * 0.3))
        )
        return
    colour = (30, 210, 240) if rng.random() < 0.85 else (230, 230, 230)
    for angle in np.arange(12) * np.pi / 6:
        centre = (round((x + radius * np.cos(angle)) * 8), round((y + radius * np.sin(angle)) * 8))
        cv2.circle(canvas, centre, max(5, round(radius * 0.1 * 8)), colour, -1, cv2.LINE_AA, 3)


def seal(rng: Generator, image: Bgr, kind: str, x: float, y: float, size: float) -> None:
    """The sticker, crest or pair of seals that stands between groups, centred at x, y; `size` is its room in pixels."""
    if kind == "cz":
        if rng.random() < 0.75:
            _hexagon(image, x, y - size * 0.38, size * 0.3, (60, 50, int(rng.integers(150, 200))), rng.random() < 0.8)
        _disc(rng, image, x, y + size * 0.38, size * 0.3, (190, 200, 200))
    elif kind == "de":
        _disc(rng, image, x, y - size * 0.42, size * 0.36, _STICKERS[int(rng.integers(len(_STICKERS)))])
        _disc(rng, image, x, y + size * 0.45, size * 0.4, (200, 205, 205))
        if rng.random() < 0.6:
            _shield(image, x, y + size * 0.45, size * 0.2, _STICKERS[int(rng.integers(len(_STICKERS)))])
    elif kind == "checker":
        _shield(image, x, y, size * 0.4, (50, 40, 200))
        _shield(image, x, y, size * 0.15, (235, 235, 235))
    elif kind == "pl":
        kind_of_sticker = rng.random()
        half = np.array([size * 0.18, size * 0.26])
        if kind_of_sticker < 0.7:  # the rectangular hologram, rarely the round stamps of older plates
            low, high = np.array([x, y]) - half, np.array([x, y]) + half
            shade = int(rng.integers(120, 225))
            colour = (shade, shade - int(rng.integers(0, 20)), shade - int(rng.integers(0, 30)))
            cv2.rectangle(image, (round(low[0]), round(low[1])), (round(high[0]), round(high[1])), colour, -1)
        elif kind_of_sticker < 0.8:
            _disc(rng, image, x, y + size * rng.uniform(-0.5, 0.5), size * 0.33, (200, 190, 180))
    else:
        if rng.random() < 0.5:
            _disc(rng, image, x, y, size * 0.45, (215, 215, 215))
        _shield(image, x, y, size * 0.33, (50, 40, 190))
        _shield(image, x, y + size * 0.1, size * 0.17, (170, 90, 40))


def _disc(rng: Generator, image: Bgr, x: float, y: float, radius: float, colour: Colour) -> None:
    shade = rng.normal(0, 18)
    fill = tuple(int(clamp(c + shade, 0, 255)) for c in colour)
    centre = (round(x * 8), round(y * 8))
    cv2.circle(image, centre, round(radius * 8), fill, -1, cv2.LINE_AA, 3)
    cv2.circle(image, centre, round(radius * 8), tuple(int(c * 0.6) for c in fill), 1, cv2.LINE_AA, 3)
    if rng.random() < 0.5:
        cv2.circle(image, centre, round(radius * 4), tuple(int(c * 0.75) for c in fill), 1, cv2.LINE_AA, 3)


def _hexagon(image: Bgr, x: float, y: float, radius: float, colour: Colour, holed: bool) -> None:
    angles = np.arange(6) * np.pi / 3
    corners = np.stack([x + radius * np.cos(angles), y + radius * np.sin(angles)], 1)
    cv2.fillPoly(image, [np.round(corners * 8).astype(np.int32)], colour, cv2.LINE_AA, 3)
    if holed:
        cv2.circle(image, (round(x * 8), round(y * 8)), round(radius * 3.6), (205, 205, 215), -1, cv2.LINE_AA, 3)


def _shield(image: Bgr, x: float, y: float, radius: float, colour: Colour) -> None:
    shape = np.array([(-0.8, -1), (0.8, -1), (0.8, 0.2), (0, 1.1), (-0.8, 0.2)]) * radius + (x, y)
    cv2.fillPoly(image, [np.round(shape * 8).astype(np.int32)], colour, cv2.LINE_AA, 3)


def ink(rng: Generator, canvas: Bgr, mask: Mask, colour: Colour, embossed: float, *, uk: bool) -> Bgr:
    """`canvas` with `mask` printed in `colour`, worn in places and with the shading of raised letters."""
    cover = mask
    if rng.random() < 0.2:  # worn paint
        wear = 1 - rng.uniform(0.1, 0.6) * soft_noise(rng, mask.shape, 0.05)
        cover = (mask * wear).astype(np.uint8)
    image = blend(canvas, np.full_like(canvas, colour), cover)
    raised = rng.random() < embossed
    if raised or (uk and rng.random() < 0.3):  # pressed metal, or 3D and 4D acrylic letters
        image = _emboss(rng, image, mask, strength=rng.uniform(0.04, 0.24))
    return image


def _emboss(rng: Generator, image: Bgr, mask: Mask, strength: float) -> Bgr:
    """Lit upper and shaded lower flanks of the letters."""
    dx = float(rng.integers(-1, 2))
    shift = np.array([[1, 0, dx], [0, 1, 1]], np.float32) * (1 if mask.shape[0] < 90 else 1.6)
    shift[0, 0] = shift[1, 1] = 1
    low = cv2.warpAffine(mask, shift, (mask.shape[1], mask.shape[0]))
    light = cv2.cvtColor(cv2.subtract(mask, low), cv2.COLOR_GRAY2BGR)
    shade = cv2.cvtColor(cv2.subtract(low, mask), cv2.COLOR_GRAY2BGR)
    image = cv2.addWeighted(image, 1, light, strength, 0)
    return np.asarray(cv2.addWeighted(image, 1, shade, -strength, 0), np.uint8)


def furnish(rng: Generator, image: Bgr, px_per_mm: float, country: str) -> None:
    """Bolts, the dealer's line, dirt and scratches, in place."""
    height, width = image.shape[:2]
    if rng.random() < (0.45 if country == "UK" else 0.14):
        _bolts(rng, image, px_per_mm)
    if country in ("UK", "IE", "FR", "XX") and rng.random() < 0.6:
        line = lettering(_shop(rng), max(4, round(rng.uniform(5, 9) * px_per_mm)))
        x = round(width * clamp(rng.normal(0.5, 0.05), 0.3, 0.7)) - line.shape[1] // 2
        paste(image, line, x, height - line.shape[0] - round(rng.uniform(1, 3) * px_per_mm), (60, 55, 55))
    if country == "US":
        for y, size in ((0.02, 20), (0.86, 12)):
            line = lettering(_STATES[int(rng.integers(len(_STATES)))], max(5, round(size * px_per_mm)))[:, :width]
            paste(
                image,
                line,
                (width - line.shape[1]) // 2,
                round(y * height),
                tuple(int(v) for v in rng.integers(20, 150, 3)),
            )
    if rng.random() < 0.35:
        _dirt(rng, image)
    if rng.random() < 0.1:
        for _ in range(int(rng.integers(1, 4))):
            start = (int(rng.integers(width)), int(rng.integers(height)))
            end = (start[0] + int(rng.normal(0, width * 0.1)), start[1] + int(rng.normal(0, height * 0.3)))
            cv2.line(image, start, end, tuple(int(v) for v in rng.integers(60, 200, 3)), 1, cv2.LINE_AA)


def season(rng: Generator, image: Bgr, px_per_mm: float) -> None:
    """The first and last month of a seasonal plate, small, one over the other at the right edge."""
    height, width = image.shape[:2]
    first, last = int(rng.integers(2, 6)), int(rng.integers(9, 13))
    for month, y in ((first, 0.2), (last, 0.58)):
        line = lettering(f"{month:02d}", max(5, round(20 * px_per_mm)))
        paste(image, line, width - line.shape[1] - round(6 * px_per_mm), round(y * height), (40, 38, 38))
    x = width - round(6 * px_per_mm)
    cv2.line(
        image, (x - round(22 * px_per_mm), height // 2), (x, height // 2), (40, 38, 38), max(1, round(2 * px_per_mm))
    )


def _bolts(rng: Generator, image: Bgr, px_per_mm: float) -> None:
    height, width = image.shape[:2]
    inset = rng.uniform(0.03, 0.25)
    places = [(inset, 0.5), (1 - inset, 0.5)]
    kind = rng.random()
    if kind < 0.25:
        places = [(inset, 0.12), (1 - inset, 0.12), (inset, 0.88), (1 - inset, 0.88)][: int(rng.choice([2, 4]))]
    elif kind < 0.45:
        places = [(rng.uniform(0.1, 0.9), rng.uniform(0.1, 0.9))]
    colour = tuple(
        int(v)
        for v in (image[height // 2, width // 30].astype(int) if rng.random() < 0.4 else [rng.integers(20, 235)] * 3)
    )
    radius = rng.uniform(4, 8) * px_per_mm
    for x, y in places:
        centre = (round(x * width * 8), round(y * height * 8))
        cv2.circle(image, (centre[0] + 6, centre[1] + 8), round(radius * 8), (60, 60, 60), -1, cv2.LINE_AA, 3)
        cv2.circle(image, centre, round(radius * 8), colour, -1, cv2.LINE_AA, 3)


def _dirt(rng: Generator, image: Bgr) -> None:
    height, width = image.shape[:2]
    film = soft_noise(rng, (height, width), rng.uniform(0.03, 0.3)) * rng.uniform(0.1, 0.55)
    if rng.random() < 0.5:
        film = film * np.linspace(0.2, 1.0, height, dtype=np.float32)[:, None]
    mud = ((70, 85, 95), (60, 60, 60), (120, 130, 135))[int(rng.integers(3))]
    image[:] = blend(image, np.full_like(image, mud), (film * 255).astype(np.uint8))


def _shop(rng: Generator) -> str:
    return _SHOP_NAMES[int(rng.integers(len(_SHOP_NAMES)))] + _SHOP_ENDS[int(rng.integers(len(_SHOP_ENDS)))]


def frame(rng: Generator, image: Bgr, px_per_mm: float) -> tuple[Bgr, NDArray[np.float32]]:
    """The plate in a holder (now and then with lettering under or above it) and the plate's corners in it."""
    height, width = image.shape[:2]
    side = bottom = top = 0
    if rng.random() < 0.4:
        side = top = max(1, round(rng.uniform(3, 9) * px_per_mm))
        bottom = side if rng.random() < 0.4 else round(rng.uniform(12, 26) * px_per_mm)
        if rng.random() < 0.08:
            top, bottom = bottom, top
    dark = int(rng.integers(10, 60)) if rng.random() < 0.85 else int(rng.integers(120, 200))
    framed = cv2.copyMakeBorder(image, top, bottom, side, side, cv2.BORDER_CONSTANT, value=(dark, dark, dark))
    if max(top, bottom) > side and rng.random() < 0.75:
        line = lettering(_shop(rng), max(5, round(max(top, bottom) * 0.55)))[:, : width - 2]
        y = top + height + (bottom - line.shape[0]) // 2 if bottom > top else (top - line.shape[0]) // 2
        shade = (215, 215, 215) if dark < 100 else (40, 40, 40)
        paste(framed, line, side + (width - line.shape[1]) // 2, y, shade)
    x0, y0, x1, y1 = side, top, side + width, top + height
    return framed, np.array([(x0, y0), (x1, y0), (x1, y1), (x0, y1)], np.float32)
