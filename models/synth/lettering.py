"""Lettering that is no plate, drawn into real street pictures: time stamps of cameras, signs, adverts, shop fronts.

A net that is to tell plates from lettering needs far more of it than photographs without a plate show. What is drawn is
never a registration: words, dates, times, telephone numbers, addresses, distances.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from models.synth.glyphs import FONTS_DIR

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.random import Generator
    from numpy.typing import NDArray

FONTS = ("barlow_condensed_semibold.ttf", "osp_din.ttf", *(f"roadgeek_{face}.ttf" for face in "bcde"))
DEJAVU = Path("/usr/share/fonts/truetype/dejavu")
"""More faces, where the machine has them."""
HERSHEY = (cv2.FONT_HERSHEY_SIMPLEX, cv2.FONT_HERSHEY_DUPLEX, cv2.FONT_HERSHEY_PLAIN, cv2.FONT_HERSHEY_COMPLEX)
"""The faces of recorders and of programs that draw with OpenCV."""
_TOLD = """
POLICE TAXI AMBULANCE SCHOOL STOP SLOW ZONE PARKING HOTEL CAFE BAR BANK SALE OPEN CLOSED PIZZA KEBAB BAKERY BUS EXIT
CENTRUM APOTHEKE BAECKEREI FRISEUR LOTTO POST MARKT AUTO REIFEN SERVICE TANKSTELLE AUSFAHRT FREI EINBAHNSTRASSE
POLICIE LEKARNA POTRAVINY RESTAURACE PIVO VYPRODEJ OTEVRENO POZOR SKOLA PRODEJNA PNEU AUTOSERVIS OBCHOD FLOWERS
TABAC PHARMACIE BOULANGERIE SORTIE FARMACIA PANADERIA ESTANCO SALIDA APTEKA SKLEP PIEKARNIA UWAGA DELIVERY CARGO
TRANSPORT LOGISTICS EXPRESS RENTAL CLEANING PLUMBING ROOFING ELECTRIC CATERING DIESEL TURBO SPORT QUATTRO HYBRID
LOADING ONLY NO ENTRY ROAD CLOSED DIVERSION CYCLISTS DISMOUNT SPEED CAMERA KEEP CLEAR BOOKS NAILS TATTOO
"""
WORDS = tuple(_TOLD.split())
_SIGNPOSTED = "LONDON OXFORD LEEDS BERLIN KOELN MAINZ PRAHA BRNO PLZEN WIEN GRAZ PARIS LYON MADRID ROMA MILANO WARSZAWA"
CITIES = tuple(_SIGNPOSTED.split())
ENDINGS = ("CO.UK", "DE", "CZ", "COM", "EU", "FR")
GROUNDS = ((150, 70, 20), (60, 110, 20), (30, 30, 170), (30, 190, 235), (245, 245, 245), (20, 20, 20), (120, 60, 90))
"""Blue green red of signs and fronts: blue, green, red, yellow, white, black, violet."""


@dataclass(frozen=True, slots=True)
class Lettered:
    """A picture with lettering."""

    image: NDArray[np.uint8]
    """(H, W, 3) uint8, blue green red."""
    boxes: NDArray[np.float32]
    """(N, 4) x1, y1, x2, y2 in pixels: each text that was drawn."""


def lettered(rng: Generator, image: NDArray[np.uint8], kept: NDArray[np.float32], most: int = 5) -> Lettered:
    """`image` with one to `most` texts that touch none of the boxes `kept`, (N, 4) x1, y1, x2, y2 in pixels."""
    out, boxes = image.copy(), []
    for _ in range(int(rng.integers(1, most + 1))):
        patch, cover = _text_patch(rng) if rng.random() < 0.45 else _board(rng)
        stamp = rng.random() < 0.4
        placed = _laid(rng, out, patch, cover, kept, stamp=stamp)
        if placed is not None:
            boxes.append(placed)
    return Lettered(out, np.array(boxes, np.float32).reshape(-1, 4))


# --- What is written ------------------------------------------------------------------------------


def says(rng: Generator) -> str:
    """A line that is no registration."""
    return LINES[int(rng.integers(len(LINES)))](rng)


def _date(rng: Generator) -> str:
    year, month, day = rng.integers(2012, 2031), rng.integers(1, 13), rng.integers(1, 29)
    if rng.random() < 0.5:
        return f"{day:02d}/{month:02d}/{year} {_clock(rng)}"
    return f"{year}-{month:02d}-{day:02d}" if rng.random() < 0.3 else f"{year}-{month:02d}-{day:02d} {_clock(rng)}"


def _camera(rng: Generator) -> str:
    name = f"{_one(rng, ('CAM', 'CH', 'CAMERA', 'KAMERA'))} {rng.integers(1, 64)}"
    return f"REC {name}" if rng.random() < 0.3 else name


def _telephone(rng: Generator) -> str:
    return f"0{rng.integers(100, 9999)} {rng.integers(100, 999)} {rng.integers(100, 9999)}"


def _address(rng: Generator) -> str:
    return f"WWW.{_one(rng, WORDS)}.{_one(rng, ENDINGS)}"


def _distance(rng: Generator) -> str:
    signposted = f"{_one(rng, CITIES)} {rng.integers(1, 400)}"
    return f"{signposted} km" if rng.random() < 0.5 else signposted


def _measured(rng: Generator) -> str:
    if rng.random() < 0.5:
        return f"{rng.integers(-15, 40)}C {rng.integers(5, 100)}F"
    return f"{rng.integers(20, 131)} km/h"


def _words(rng: Generator) -> str:
    return " ".join(_one(rng, WORDS) for _ in range(int(rng.integers(1, 3))))


def _clock(rng: Generator) -> str:
    minutes = f"{rng.integers(24):02d}:{rng.integers(60):02d}"
    return minutes if rng.random() < 0.3 else f"{minutes}:{rng.integers(60):02d}"


def _one(rng: Generator, words: Sequence[str]) -> str:
    return words[int(rng.integers(len(words)))]


LINES = (_date, _date, _clock, _camera, _telephone, _address, _distance, _measured, _words)


# --- What it looks like ---------------------------------------------------------------------------


@lru_cache(maxsize=1)
def _faces() -> tuple[Path, ...]:
    own = [FONTS_DIR / name for name in FONTS]
    return (*own, *sorted(DEJAVU.glob("DejaVuSans*.ttf")), *sorted(DEJAVU.glob("DejaVuSerif*Bold.ttf")))


@lru_cache(maxsize=64)
def _font(path: Path) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(str(path), 40)


def _mask(rng: Generator, text: str) -> NDArray[np.uint8]:
    """The strokes of `text`: (H, W) uint8, 255 where it is written."""
    if rng.random() < 0.35:
        face, thickness = HERSHEY[int(rng.integers(len(HERSHEY)))], int(rng.integers(1, 5))
        (width, height), below = cv2.getTextSize(text, face, 1.4, thickness)
        canvas = np.zeros((height + below + 8, width + 8), np.uint8)
        cv2.putText(canvas, text, (4, height + 4), face, 1.4, (255,), thickness, cv2.LINE_AA)
        return canvas
    font = _font(_faces()[int(rng.integers(len(_faces())))])
    left, top, right, bottom = (int(edge) for edge in font.getbbox(text))
    picture = Image.new("L", (right - left + 8, bottom - top + 8))
    ImageDraw.Draw(picture).text((4 - left, 4 - top), text, fill=255, font=font)
    return np.asarray(picture, np.uint8)


def _text_patch(rng: Generator) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Letters without a ground, some with a dark outline: pixels (H, W, 3) and how far they cover (H, W)."""
    strokes = _mask(rng, says(rng))
    bright = rng.random() < 0.75
    colour = rng.integers(190, 256, 3) if bright else rng.integers(0, 70, 3)
    cover, pixels = strokes, np.full((*strokes.shape, 3), colour, np.uint8)
    if rng.random() < 0.4:
        cover = np.asarray(cv2.dilate(strokes, np.ones((5, 5), np.uint8)), np.uint8)
        share = (strokes / 255)[..., None]
        pixels = (pixels * share + (0 if bright else 255) * (1 - share)).astype(np.uint8)
    return pixels, cover


def _board(rng: Generator) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """One or two lines on a ground of their own: pixels (H, W, 3) and how far they cover (H, W)."""
    ground = np.array(GROUNDS[int(rng.integers(len(GROUNDS)))], np.float64) * rng.uniform(0.6, 1.0)
    colour = np.full(3, 20.0) if ground.mean() > 120 else np.full(3, rng.uniform(200, 250))
    lines = [_mask(rng, says(rng)) for _ in range(2 if rng.random() < 0.2 else 1)]
    width, gap = max(line.shape[1] for line in lines), int(rng.integers(2, 16))
    rim = int(rng.integers(2, 22))
    height = sum(line.shape[0] for line in lines) + gap * (len(lines) - 1)
    strokes = np.zeros((height + 2 * rim, width + 2 * rim), np.float64)
    y = rim
    for line in lines:
        x = rim + (width - line.shape[1]) // 2
        strokes[y : y + line.shape[0], x : x + line.shape[1]] = line / 255
        y += line.shape[0] + gap
    pixels = ground + (colour - ground) * strokes[..., None]
    if rng.random() < 0.3:
        inner = (pixels.shape[1] - 2, pixels.shape[0] - 2)
        cv2.rectangle(pixels, (1, 1), inner, colour.tolist(), int(rng.integers(1, 4)))
    return np.clip(pixels, 0, 255).astype(np.uint8), np.full(strokes.shape, 255, np.uint8)


# --- Where it stands ------------------------------------------------------------------------------


def _laid(
    rng: Generator,
    image: NDArray[np.uint8],
    patch: NDArray[np.uint8],
    cover: NDArray[np.uint8],
    kept: NDArray[np.float32],
    *,
    stamp: bool,
) -> tuple[float, float, float, float] | None:
    """Draws `patch` into `image` and returns its box; None, and nothing is drawn, where there is no place for it.

    A `stamp` stands upright in a corner, as recorders burn it in; all else anywhere, seen from anywhere.
    """
    height, width = image.shape[:2]
    wide = float(np.exp(rng.uniform(np.log(0.05), np.log(0.45)))) * width
    tall = wide * patch.shape[0] / patch.shape[1] * (1 if stamp else rng.uniform(0.85, 1.4))
    if tall < 6 or tall > 0.3 * height or wide > 0.9 * width:
        return None
    if stamp:
        x = rng.uniform(0, 0.03) * width if rng.random() < 0.5 else width - wide - rng.uniform(0, 0.03) * width
        y = rng.uniform(0, 0.03) * height if rng.random() < 0.5 else height - tall - rng.uniform(0, 0.03) * height
    else:
        x, y = rng.uniform(0, width - wide), rng.uniform(0, height - tall)
    corners = np.array([[x, y], [x + wide, y], [x + wide, y + tall], [x, y + tall]], np.float32)
    if not stamp:
        corners += rng.normal(0, 0.06 * tall, (4, 2)).astype(np.float32)
        corners[[1, 2], 1] += np.float32(rng.normal(0, 0.05) * wide)
    (x1, y1), (x2, y2) = corners.min(0).tolist(), corners.max(0).tolist()
    if len(kept) and ((kept[:, 0] < x2) & (kept[:, 2] > x1) & (kept[:, 1] < y2) & (kept[:, 3] > y1)).any():
        return None
    _blend(rng, image, patch, cover, corners, soft=not stamp)
    return x1, y1, x2, y2


def _blend(
    rng: Generator,
    image: NDArray[np.uint8],
    patch: NDArray[np.uint8],
    cover: NDArray[np.uint8],
    corners: NDArray[np.float32],
    *,
    soft: bool,
) -> None:
    """`patch` warped to `corners` over `image`, as sharp as the picture or a little less."""
    rows, columns = patch.shape[:2]
    shrink = max(1.0, columns / max(8.0, float(corners[1, 0] - corners[0, 0])))
    size = (max(4, round(columns / shrink)), max(4, round(rows / shrink)))
    patch = np.asarray(cv2.resize(patch, size, interpolation=cv2.INTER_AREA), np.uint8)
    cover = np.asarray(cv2.resize(cover, size, interpolation=cv2.INTER_AREA), np.uint8)
    source = np.array([[0, 0], [size[0], 0], [size[0], size[1]], [0, size[1]]], np.float32)
    matrix = cv2.getPerspectiveTransform(source - 0.5, corners - 0.5)
    whole = (image.shape[1], image.shape[0])
    laid = np.asarray(cv2.warpPerspective(patch, matrix, whole, flags=cv2.INTER_LINEAR), np.float32)
    share = np.asarray(cv2.warpPerspective(cover, matrix, whole, flags=cv2.INTER_LINEAR), np.float32)[..., None] / 255
    if soft:
        laid = laid * np.float32(rng.uniform(0.5, 1.1))
        share = np.asarray(cv2.GaussianBlur(share, (0, 0), rng.uniform(0.3, 0.8)), np.float32)[..., None]
    image[:] = np.clip(image * (1 - share) + laid * share, 0, 255).astype(np.uint8)
