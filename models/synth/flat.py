"""Plates seen straight on, as they leave the maker and after some years on the road."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from models.synth import fittings, wear
from models.synth.canvas import Bgr, Colour, Corners, Mask, resized
from models.synth.glyphs import VARIANTS
from models.synth.noise import clamp, weighted
from models.synth.rows import Row, lettering, write
from models.synth.seals import seal
from models.synth.styles import INKS, PAPERS, STYLES, PlateStyle

if TYPE_CHECKING:
    from numpy.random import Generator

    from models.synth.formats import Registration


@dataclass(frozen=True, slots=True)
class FlatPlate:
    """A plate seen straight on, perhaps in its holder."""

    image: Bgr
    """(H, W, 3) uint8, BGR, holder included."""
    outline: Corners
    """(4, 2) corners of the plate itself, without the holder, in pixels."""
    registration: Registration
    row_split: float | None
    """Where the second row begins, as a share of the plate's height; None on one line and on three equal ones."""
    lines: int


def draw_plate(
    rng: Generator,
    registration: Registration,
    *,
    px_per_mm: float = 0.9,
    lines: int = 1,
    aged: bool = True,
    scheme: tuple[str, str] | None = None,
) -> FlatPlate:
    """The plate of `registration` on one, two or three lines; of one group, on one line or three.

    `aged` plates have bolts, dirt, scratches, holders.
    `scheme` names paper and ink (keys of PAPERS and INKS); without it one of the country's is drawn.
    """
    design = STYLES[registration.country]
    paper, ink = _scheme(rng, scheme or weighted(rng, design.schemes))
    spelled = _lines(rng, registration, lines)
    design = _fitted(rng, design, len(spelled))
    style = lettering(rng, design, _face(rng, design, paper), int(rng.integers(VARIANTS)), px_per_mm)
    size = design.size_mm
    band, right = (_band(rng, share) * px_per_mm for share in (design.band, design.right_band))
    if design.shields:
        right = band
    spread = 0.0
    if len(spelled) == 1 and rng.random() < design.stretch:
        spread = (size[0] * px_per_mm - band - right) * rng.uniform(0.86, 0.97)
    rows = [write(style, groups, joints, spread) for groups, joints in spelled]
    plate = _Blank(
        round(size[0] * px_per_mm), round(size[1] * px_per_mm * rng.uniform(0.97, 1.04)), round(band), round(right)
    )
    mask, seals = _set(rng, plate, rows, px_per_mm)
    if rng.random() < design.border:
        fittings.border(rng, mask, px_per_mm)
    raised = rng.random() < design.embossed or (
        registration.country == "UK" and rng.random() < 0.3
    )  # or acrylic 4D letters
    image = wear.printed(rng, np.full((*mask.shape, 3), paper, np.uint8), mask, ink, raised=raised)
    if rng.random() < design.edge_lines:
        fittings.edge_lines(rng, image, px_per_mm)
    if design.shields and plate.band:
        seals = [(x, image.shape[0] / 2) for x in (plate.band / 2, image.shape[1] - plate.right / 2)]
    elif plate.band:
        fittings.left_band(rng, image, plate.band, design.code)
    if plate.right and not design.shields:
        fittings.right_band(rng, image, plate.right)
    for place in seals:
        seal(rng, image, design.seal, place, design.seal_mm * px_per_mm)
    return _finished(rng, image, registration, len(spelled), px_per_mm, aged=aged)


def _fitted(rng: Generator, design: PlateStyle, lines: int) -> PlateStyle:
    """The style with the size of a plate of so many lines; those of motorcycles are narrower, with smaller letters."""
    if lines == 1:
        return design
    width, height = design.square_mm
    if lines == 2 and rng.random() < 0.5:
        return replace(design, size_mm=(width * rng.uniform(0.6, 0.95), height))
    if lines == 2:
        return replace(design, size_mm=design.square_mm)
    letters = rng.uniform(0.72, 0.9)
    size = (width * rng.uniform(0.5, 0.75), 3 * (design.char_mm * letters + rng.uniform(8, 18)))
    return replace(design, size_mm=size, char_mm=design.char_mm * letters, seal_mm=design.seal_mm * letters)


def _finished(
    rng: Generator, image: Bgr, registration: Registration, lines: int, px_per_mm: float, *, aged: bool
) -> FlatPlate:
    """Small print, and what the years add."""
    row_split = 0.5 if lines == 2 else None
    if registration.style == "season":
        fittings.season(rng, image, px_per_mm)
    fittings.small_print(rng, image, px_per_mm, registration.country)
    if not aged:
        height, width = image.shape[:2]
        outline = np.array([(0, 0), (width, 0), (width, height), (0, height)], np.float32)
        return FlatPlate(image, outline, registration, row_split, lines)
    if rng.random() < (0.45 if registration.country == "UK" else 0.14):
        fittings.bolts(rng, image, px_per_mm)
    if rng.random() < 0.35:
        wear.soil(rng, image)
    if rng.random() < 0.1:
        wear.scratch(rng, image)
    whole, outline = fittings.framed(rng, image, px_per_mm)
    return FlatPlate(whole, outline, registration, row_split, lines)


def _band(rng: Generator, share: float) -> float:
    """Width of a band in mm, 0 for none."""
    return float(rng.uniform(38, 48)) if rng.random() < share else 0.0


def _scheme(rng: Generator, names: tuple[str, str]) -> tuple[Colour, Colour]:
    paper, ink = names
    return _tinted(rng, PAPERS[paper], 14), _tinted(rng, INKS[ink], 12)


def _tinted(rng: Generator, colour: Colour, spread: float) -> Colour:
    common = rng.normal(0, spread)
    blue, green, red = (int(clamp(c + common + rng.normal(0, spread / 3), 0, 255)) for c in colour)
    return blue, green, red


def _face(rng: Generator, design: PlateStyle, paper: Colour) -> str:
    if "uk_old" in design.faces and sum(paper) < 200:
        return "uk_silver"
    return weighted(rng, design.faces)


Spelled = tuple[tuple[str, ...], tuple[str, ...]]
"""The groups of a row and what stands between them."""


def _lines(rng: Generator, registration: Registration, lines: int) -> list[Spelled]:
    """The registration in rows, fewer than `lines` where it has too few groups or characters for them."""
    groups, joints = registration.groups, registration.joints
    if lines == 3 and len(registration.text) > 2:
        return [((part,), ()) for part in _thirds(registration)]
    return _halves(rng, groups, joints) if lines > 1 and len(groups) > 1 else [(groups, joints)]


def _thirds(registration: Registration) -> list[str]:
    """Three rows: the groups, joined or cut where letters and digits meet, or else in the middle."""
    parts = [part for part in registration.groups if part]
    while len(parts) > 3:
        at = min(range(len(parts) - 1), key=lambda i: len(parts[i]) + len(parts[i + 1]))
        parts[at : at + 2] = ["".join(parts[at : at + 2])]
    while len(parts) < 3:
        longest = max(range(len(parts)), key=lambda i: len(parts[i]))
        parts[longest : longest + 1] = _cut_in_two(parts[longest])
    return parts


def _cut_in_two(part: str) -> list[str]:
    changes = [i for i in range(1, len(part)) if part[i].isdigit() != part[i - 1].isdigit()]
    at = min(changes or range(1, len(part)), key=lambda i: abs(2 * i - len(part)))
    return [part[:at], part[at:]]


def _halves(rng: Generator, groups: tuple[str, ...], joints: tuple[str, ...]) -> list[Spelled]:
    """Two rows, cut at the seal or at another joint, which only stays if it is a seal."""
    late = len(groups) > 2 and rng.random() < 0.3
    cut = joints.index("seal") + 1 if "seal" in joints else len(groups) - 1 if late else 1
    first, between = groups[:cut], joints[: cut - 1]
    if joints[cut - 1] == "seal" and rng.random() < 0.5:
        first, between = (*first, ""), (*between, "seal")
    return [(first, between), (groups[cut:], joints[cut:])]


@dataclass(frozen=True, slots=True)
class _Blank:
    """An empty plate, in pixels."""

    width: int
    height: int
    band: int
    right: int


def _set(rng: Generator, plate: _Blank, rows: list[Row], px_per_mm: float) -> tuple[Mask, list[tuple[float, float]]]:
    """The ink coverage of the whole plate and the centres of its seals; long rows are narrowed or the plate widened."""
    edge = round(rng.uniform(5, 12) * px_per_mm)
    aside = plate.band + plate.right + 2 * edge
    width = _cut_to_text(rng, plate.width, max(row.mask.shape[1] for row in rows) + aside, len(rows))
    mask = np.zeros((plate.height, width), np.uint8)
    room, pitch = width - aside, plate.height / len(rows)
    seals: list[tuple[float, float]] = []
    for index, row in enumerate(rows):
        ink = row.mask if row.mask.shape[1] <= room else resized(row.mask, (max(2, room), row.mask.shape[0]))
        height = min(ink.shape[0], plate.height)
        x = plate.band + edge + round((room - ink.shape[1]) * clamp(rng.normal(0.5, 0.08), 0, 1))
        inwards = 0.06 * pitch * (1 if index == 0 else -1) if len(rows) == 2 else 0.0
        middle = pitch * (index + 0.5) + inwards + rng.normal(0, 1.2) * px_per_mm
        y = round(clamp(middle - height / 2, 0, plate.height - height))
        mask[y : y + height, x : x + ink.shape[1]] |= ink[:height]
        scale = ink.shape[1] / row.mask.shape[1]
        seals += [(x + centre * scale, y + height / 2) for centre in row.seals]
    return mask, seals


def _cut_to_text(rng: Generator, width: int, wanted: int, lines: int) -> int:
    """The plate's width: now and then wider for a long text, or cut for a short one."""
    if wanted > width and rng.random() < 0.15:
        return min(wanted, round(width * 1.1))
    if lines == 1 and wanted < width * 0.72 and rng.random() < 0.35:
        return round(max(wanted * rng.uniform(1.03, 1.2), width * 0.5))
    return width
