"""Number-plate letters as bitmaps: drawn from strokes with published proportions, or taken from free fonts."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from models.synth.canvas import Mask, polygon, resized
from models.synth.strokes import Points, Proportions, strokes_of

FONTS_DIR = Path(__file__).with_name("fonts")
VARIANTS = 12
"""Ways in which the strokes of one face are drawn."""
_MASTER_PX = 96
_SUPERSAMPLING = 3


@dataclass(frozen=True, slots=True)
class Face:
    """A family of letters; a variant of it differs a little in width and weight."""

    name: str
    proportions: Proportions | None = None
    """Stroke geometry; None where `font` is given."""
    font: str = ""
    """A file in the fonts folder."""
    width_range: tuple[float, float] = (0.94, 1.06)
    """Horizontal scale of a variant."""
    weight_range: tuple[float, float] = (0.9, 1.1)
    """Stroke scale of a variant (stroke faces only)."""


# BS AU 145e: 50 mm x 79 mm, stroke 14 mm; before 2001 57 mm wide.
_CW = Proportions(width=50 / 79, stroke=14 / 79)
_DIN = Proportions(width=0.54, stroke=0.145, roundness=0.95, flagged_one=True, stem_four=False, pointed_m=0.62)

FACES: dict[str, Face] = {
    face.name: face
    for face in (
        Face("uk", _CW, width_range=(0.97, 1.03), weight_range=(0.9, 1.04)),
        Face("uk_old", replace(_CW, width=57 / 79), width_range=(0.95, 1.04), weight_range=(0.82, 1.0)),
        Face("uk_square", replace(_CW, roundness=0.55, stroke=0.165), width_range=(0.94, 1.05)),
        Face("uk_bold", replace(_CW, stroke=0.2, roundness=0.9), width_range=(0.97, 1.06)),
        Face("uk_silver", replace(_CW, width=0.66, stroke=0.15, roundness=1.0), width_range=(0.9, 1.1)),
        Face("cz", replace(_DIN, width=0.56, stroke=0.142), weight_range=(0.9, 1.12)),
        Face("sk", replace(_DIN, width=0.53, stroke=0.145, straight_six=True), weight_range=(0.9, 1.1)),
        Face("pl", replace(_DIN, width=0.59, stroke=0.125, roundness=0.78, pointed_m=0.5), weight_range=(0.9, 1.1)),
        Face(
            "hu", replace(_DIN, width=0.66, stroke=0.135, straight_six=True, flat_three=True), width_range=(0.92, 1.06)
        ),
        Face("din", _DIN, width_range=(0.85, 1.12)),
        Face("din_flat", replace(_DIN, flat_three=True, straight_six=True), width_range=(0.85, 1.12)),
        Face("fr", replace(_DIN, width=0.58, stroke=0.15, roundness=0.8), weight_range=(0.9, 1.12)),
        Face("it", replace(_DIN, width=0.56, stroke=0.12, roundness=0.9, stem_four=True)),
        Face("es", replace(_DIN, width=0.54, stroke=0.125, straight_six=True)),
        Face("nl", replace(_DIN, width=0.56, stroke=0.14, roundness=0.6, flat_three=True)),
        Face("be", replace(_DIN, width=0.6, stroke=0.125, roundness=1.0)),
        Face("nordic", replace(_DIN, width=0.57, stroke=0.145, roundness=0.85)),
        Face("fe", font="fe.ttf", width_range=(0.97, 1.03)),
        Face("fe_narrow", font="fe_narrow.ttf", width_range=(0.97, 1.03)),
        Face("osp_din", font="osp_din.ttf", width_range=(0.72, 0.95)),
        Face("road_b", font="roadgeek_b.ttf", width_range=(0.95, 1.2)),
        Face("road_c", font="roadgeek_c.ttf", width_range=(0.9, 1.1)),
        Face("road_d", font="roadgeek_d.ttf", width_range=(0.8, 1.0)),
        Face("road_e", font="roadgeek_e.ttf", width_range=(0.72, 0.95)),
        Face("barlow", font="barlow_condensed_semibold.ttf", width_range=(1.0, 1.25)),
    )
}


@lru_cache(maxsize=32768)
def glyph(face: str, variant: int, character: str, height_px: int) -> Mask:
    """Coverage of `character`, uint8 (height_px, width_px); the capital fills the height, no side bearing."""
    master = _master(face, variant, character)
    width_px = max(1, round(master.shape[1] * height_px / master.shape[0]))
    return resized(master, (width_px, height_px))


@lru_cache(maxsize=32768)
def _master(face: str, variant: int, character: str) -> Mask:
    scale, shape = _variation(face, variant)
    if shape is None:
        return _from_font(FACES[face].font, character, _MASTER_PX, scale)
    return _from_strokes(shape, character, _MASTER_PX)


@lru_cache(maxsize=1024)
def _variation(face: str, variant: int) -> tuple[float, Proportions | None]:
    """The width scale and the stroke geometry of a variant, the same in every run."""
    family = FACES[face]
    draw = np.random.default_rng([variant, *face.encode()])
    scale, weight = float(draw.uniform(*family.width_range)), float(draw.uniform(*family.weight_range))
    base = family.proportions
    if base is None:
        return scale, None
    shape = replace(
        base,
        width=base.width * scale,
        stroke=base.stroke * weight,
        roundness=min(1.0, base.roundness * float(draw.uniform(0.85, 1.15))),
        pointed_m=base.pointed_m * float(draw.uniform(0.85, 1.15)),
    )
    return scale, shape


def _from_strokes(shape: Proportions, character: str, height_px: int) -> Mask:
    width, strokes = strokes_of(character, shape)
    size = height_px * _SUPERSAMPLING
    canvas = np.zeros((size, max(1, round(width * size))), np.uint8)
    for points, thickness, closed in strokes:
        _fill_stroke(canvas, points * size, thickness * size, closed=closed)
    return resized(canvas, (max(1, round(width * height_px)), height_px))


def _fill_stroke(canvas: Mask, points: Points, thickness: float, *, closed: bool) -> None:
    """Paint a polyline with butt ends and mitred joints into `canvas`."""
    ends = np.roll(points, -1, axis=0) if closed else points[1:]
    along = ends - (points if closed else points[:-1])
    along /= np.sqrt((along * along).sum(axis=1, keepdims=True))
    normal = along[:, ::-1] * (-thickness / 2, thickness / 2)
    before = np.roll(normal, 1, axis=0) if closed else np.concatenate([normal[:1], normal])
    after = normal if closed else np.concatenate([normal, normal[-1:]])
    cosine = 1 + (before * after).sum(axis=1, keepdims=True) / (thickness / 2) ** 2
    mitre = (before + after) / np.maximum(cosine, 0.12)
    outer, inner = points + mitre, points - mitre
    quads = np.stack([outer, np.roll(outer, -1, axis=0), np.roll(inner, -1, axis=0), inner], axis=1)
    for quad in quads if closed else quads[:-1]:
        polygon(canvas, quad, (255,), smooth=False)


@lru_cache(maxsize=64)
def _font(file: str, size_px: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(str(FONTS_DIR / file), size_px)


@lru_cache(maxsize=64)
def _size_for_capitals(file: str, height_px: int) -> int:
    """The font size at which the letter H is `height_px` high."""
    box = _font(file, 400).getbbox("H")
    return max(4, round(400 * height_px / (box[3] - box[1])))


def _from_font(file: str, character: str, height_px: int, scale: float) -> Mask:
    font = _font(file, _size_for_capitals(file, height_px))
    box = font.getbbox(character)
    image = Image.new("L", (int(box[2] - box[0]), int(box[3] - box[1])))
    ImageDraw.Draw(image).text((-box[0], -box[1]), character, fill=255, font=font)
    return resized(np.asarray(image), (max(1, round(image.width * scale)), height_px))


@lru_cache(maxsize=4096)
def lettering(text: str, height_px: int, face: str = "barlow") -> Mask:
    """Coverage of a line of small print (dealer names), uint8 (about height_px, width_px)."""
    font = _font(FACES[face].font, max(4, round(height_px * 1.35)))
    box = font.getbbox(text)
    image = Image.new("L", (max(1, int(box[2] - box[0])), max(1, int(box[3] - box[1]))))
    ImageDraw.Draw(image).text((-box[0], -box[1]), text, fill=255, font=font)
    return np.asarray(image).copy()
