"""Pictures of number plates with their text and corners: draws a plate flat, in its country's look, and poses it."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from models.synth import degrade, fittings, formats
from models.synth.formats import Registration
from models.synth.glyphs import VARIANTS, Mask, glyph
from models.synth.looks import INKS, LOOKS, PAPERS, Colour, Look
from models.synth.noise import clamp, weighted

Bgr = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Options:
    """What the renderer draws."""

    weights: Mapping[str, float] = field(default_factory=lambda: formats.DEFAULT_WEIGHTS)
    """Countries by share, any positive scale."""
    two_line_share: float = 0.08
    width_px: tuple[float, float] = (35.0, 250.0)
    """Range of plate widths in the picture, log-uniform."""
    hardness: float = 1.0
    """Strength of blur, noise and tilt; 0 is a clean, frontal picture."""


@dataclass(frozen=True, slots=True)
class Sample:
    """A picture with one plate in it."""

    image: Bgr
    """(H, W, 3) uint8, BGR."""
    corners: NDArray[np.float32]
    """(4, 2) pixels x, y of the plate's outline: top left, top right, bottom right, bottom left."""
    text: str
    country: str
    lines: int
    row_split: float | None
    """Where the second row begins, as a share of the plate's height; None on one line."""


@dataclass(frozen=True, slots=True)
class FlatPlate:
    """A plate seen straight on, perhaps in its frame."""

    image: Bgr
    """(H, W, 3) uint8, BGR, frame included."""
    outline: NDArray[np.float32]
    """(4, 2) corners of the plate itself, without the frame."""
    registration: Registration
    row_split: float | None


def render_sample(
    rng: Generator,
    options: Options | None = None,
    backgrounds: Sequence[Bgr] = (),
    registration: Registration | None = None,
) -> Sample:
    """A random plate in a random picture; `backgrounds` are BGR pictures to cut surroundings from, now and then."""
    chosen = options or Options()
    if registration is None:
        registration = formats.sample(rng, chosen.weights)
    low, high = np.log(chosen.width_px[0]), np.log(chosen.width_px[1])
    width_px = float(np.exp(rng.uniform(low, high)))
    two_lines = rng.random() < chosen.two_line_share
    plate = draw_plate(rng, registration, px_per_mm=_resolution(width_px, two_lines), two_lines=two_lines)
    image, corners = degrade.photograph(rng, plate.image, plate.outline, width_px, chosen.hardness, backgrounds)
    lines = 1 if plate.row_split is None else 2
    return Sample(image, corners, registration.text, registration.country, lines, plate.row_split)


def _resolution(width_px: float, two_lines: bool) -> float:
    """Pixels per mm of the flat drawing: at least 1.4 times the picture's, in steps so that glyphs are reused."""
    needed = 1.4 * width_px / (300 if two_lines else 520)
    return next((step for step in (0.16, 0.25, 0.35, 0.5, 0.65) if step >= needed), 0.9)


def draw_plate(
    rng: Generator, registration: Registration, *, px_per_mm: float = 0.9, two_lines: bool = False
) -> FlatPlate:
    """The plate of `registration` seen straight on, in clean light."""
    look = LOOKS[registration.country]
    two_lines = two_lines and len(registration.groups) > 1
    paper, ink = _scheme(rng, look)
    rows = _rows(rng, registration) if two_lines else [(registration.groups, registration.joints)]
    face = _face(rng, look, paper)
    pen = _Pen(rng, look, face, int(rng.integers(VARIANTS)), px_per_mm, two_lines)
    lines = [pen.row(groups, joints) for groups, joints in rows]
    size = look.square_mm if two_lines else look.size_mm
    height = round(size[1] * rng.uniform(0.97, 1.04) * px_per_mm)
    canvas, ink_mask, seals, split = _compose(rng, look, lines, (round(size[0] * px_per_mm), height), px_per_mm, paper)
    image = fittings.ink(rng, canvas, ink_mask, ink, look.embossed, uk=registration.country == "UK")
    for x, y in seals:
        fittings.seal(rng, image, look.seal, x, y, look.seal_mm * px_per_mm)
    if registration.style == "season":
        fittings.season(rng, image, px_per_mm)
    fittings.furnish(rng, image, px_per_mm, registration.country)
    framed, outline = fittings.frame(rng, image, px_per_mm)
    return FlatPlate(framed, outline, registration, split if two_lines else None)


def _scheme(rng: Generator, look: Look) -> tuple[Colour, Colour]:
    paper, ink = weighted(rng, look.schemes)
    return _tinted(rng, PAPERS[paper], 14), _tinted(rng, INKS[ink], 12)


def _tinted(rng: Generator, colour: Colour, spread: float) -> Colour:
    common = rng.normal(0, spread)
    blue, green, red = (int(clamp(c + common + rng.normal(0, spread / 3), 0, 255)) for c in colour)
    return blue, green, red


def _face(rng: Generator, look: Look, paper: Colour) -> str:
    if "uk_old" in look.faces and sum(paper) < 200:
        return "uk_silver"
    return weighted(rng, look.faces)


def _rows(rng: Generator, registration: Registration) -> list[tuple[tuple[str, ...], tuple[str, ...]]]:
    """The registration in two rows, cut at one of its joints; the joint itself is dropped unless it is a seal."""
    count = len(registration.groups)
    groups, joints = registration.groups, registration.joints
    if "seal" in joints:
        cut = joints.index("seal") + 1
    else:
        cut = 1 if count == 2 or rng.random() < 0.7 else count - 1
    first_joints = joints[: cut - 1]
    first = groups[:cut]
    if joints[cut - 1] == "seal" and rng.random() < 0.5:
        first, first_joints = (*first, ""), (*first_joints, "seal")
    return [(first, first_joints), (groups[cut:], joints[cut:])]


@dataclass(frozen=True, slots=True)
class _Row:
    mask: Mask
    seals: tuple[float, ...]
    """Centres of the seals, pixels from the row's left end."""


class _Pen:
    """Writes rows of characters in one face with one spacing."""

    def __init__(self, rng: Generator, look: Look, face: str, variant: int, px_per_mm: float, two_lines: bool) -> None:
        self.face, self.variant = face, variant
        self.height = round(look.char_mm * px_per_mm * (0.97 if two_lines else 1.0))
        self.gap = look.gap_mm * px_per_mm * rng.uniform(0.8, 1.25)
        wide = rng.uniform(0.75, 1.25)
        self.joint_px = {
            "gap": look.group_mm * px_per_mm * wide,
            "hyphen": 38 * px_per_mm * rng.uniform(0.8, 1.15),
            "dot": 24 * px_per_mm,
            "seal": (look.seal_mm + 10) * px_per_mm * rng.uniform(0.95, 1.15)
            if look.seal
            else look.group_mm * px_per_mm * wide,
        }
        self.has_seal = bool(look.seal) and rng.random() < 0.93
        self.hyphen_mm = (rng.uniform(12, 22) * px_per_mm, rng.uniform(8, 13) * px_per_mm)
        room = (
            (look.square_mm if two_lines else look.size_mm)[0]
            - (44 if look.band > 0.5 else 0)
            - (44 if look.right_band > 0.5 else 0)
        )
        self.spread_px = (
            room * px_per_mm * rng.uniform(0.86, 0.97) if not two_lines and rng.random() < look.stretch else 0.0
        )
        self.show_hyphen = rng.random() < 0.92

    def row(self, groups: tuple[str, ...], joints: tuple[str, ...]) -> _Row:
        """Ink coverage of one row and the places of its seals."""
        if not self.spread_px:
            return self._row(groups, joints)
        natural = self._row(groups, joints)
        slots = sum(map(len, groups)) - 1 + 2 * len(joints)
        extra = clamp((self.spread_px - natural.mask.shape[1]) / max(slots, 1), 0, 0.1 * self.height)
        self.gap += extra
        self.joint_px = {kind: width + 3 * extra for kind, width in self.joint_px.items()}
        row = self._row(groups, joints)
        self.gap -= extra
        self.joint_px = {kind: width - 3 * extra for kind, width in self.joint_px.items()}
        return row

    def _row(self, groups: tuple[str, ...], joints: tuple[str, ...]) -> _Row:
        parts: list[tuple[float, Mask | str]] = []
        x = 0.0
        for index, group in enumerate(groups):
            for character in group:
                mask = glyph(self.face, self.variant, character, self.height)
                narrow = 0.25 * self.gap if mask.shape[1] < 0.3 * self.height else 0.0
                parts.append((x + narrow, mask))
                x += mask.shape[1] + self.gap + 2 * narrow
            if index < len(joints):
                parts.append((x - self.gap, joints[index]))
                x += self.joint_px[joints[index]] - self.gap
        width = max(2, round(x - self.gap) + 1)
        return self._draw(parts, width)

    def _draw(self, parts: list[tuple[float, Mask | str]], width: int) -> _Row:
        row = np.zeros((self.height, width), np.uint8)
        seals = []
        for x, part in parts:
            if not isinstance(part, str):
                left = max(0, min(round(x), width - part.shape[1]))
                row[:, left : left + part.shape[1]] = np.maximum(row[:, left : left + part.shape[1]], part[:, :width])
            elif part == "seal" and self.has_seal:
                seals.append(x + self.joint_px["seal"] / 2)
            elif (part == "hyphen" and self.show_hyphen) or part == "dot":
                self._mark(row, x + self.joint_px[part] / 2, part)
        return _Row(row, tuple(seals))

    def _mark(self, row: Mask, x: float, kind: str) -> None:
        wide, high = self.hyphen_mm if kind == "hyphen" else (self.hyphen_mm[1], self.hyphen_mm[1])
        y = self.height / 2
        cv2.rectangle(
            row, (round(x - wide / 2), round(y - high / 2)), (round(x + wide / 2), round(y + high / 2)), 255, -1
        )


def _compose(
    rng: Generator, look: Look, rows: list[_Row], size: tuple[int, int], px_per_mm: float, paper: Colour
) -> tuple[Bgr, Mask, list[tuple[float, float]], float]:
    """Paper with its bands, the ink of all rows, the seals' centres and the share of the height where the rows part."""
    band = round(rng.uniform(38, 48) * px_per_mm) if rng.random() < look.band else 0
    right = round(rng.uniform(38, 48) * px_per_mm) if rng.random() < look.right_band else 0
    edge = round(rng.uniform(7, 13) * px_per_mm)
    wanted = max(row.mask.shape[1] for row in rows) + band + right + 2 * edge
    width = size[0] if wanted <= size[0] or rng.random() < 0.85 else min(wanted, round(size[0] * 1.1))
    if len(rows) == 1 and wanted < size[0] * 0.72 and rng.random() < 0.35:
        width = round(max(wanted * rng.uniform(1.03, 1.2), size[0] * 0.5))  # short plates are cut to their text
    height = size[1]
    canvas = np.empty((height, width, 3), np.uint8)
    canvas[:] = paper
    mask = np.zeros((height, width), np.uint8)
    room = width - band - right - 2 * edge
    pitch = height / len(rows)
    seals: list[tuple[float, float]] = []
    for index, row in enumerate(rows):
        ink, scale = row.mask, 1.0
        if ink.shape[1] > room:
            scale = room / ink.shape[1]
            ink = cv2.resize(ink, (max(2, room), ink.shape[0]), interpolation=cv2.INTER_AREA)
        slack = room - ink.shape[1]
        x = band + edge + round(slack * clamp(rng.normal(0.5, 0.08), 0, 1))
        squeeze = 0.06 * pitch * (1 if index == 0 else -1) if len(rows) > 1 else 0
        y = round(
            clamp(
                pitch * (index + 0.5) - ink.shape[0] / 2 + squeeze + rng.normal(0, 1.2) * px_per_mm,
                0,
                height - ink.shape[0],
            )
        )
        mask[y : y + ink.shape[0], x : x + ink.shape[1]] |= ink[: height - y]
        seals += [(x + centre * scale, y + ink.shape[0] / 2) for centre in row.seals]
    if rng.random() < look.border:
        fittings.border(rng, mask, px_per_mm)
    fittings.bands(rng, canvas, band, right, look.code, mask)
    return canvas, mask, seals, 0.5


def main(arguments: Sequence[str] | None = None) -> None:
    """Write a sheet of examples, or with --data one of real and rendered crops in turn."""
    from models.synth import sheets  # noqa: PLC0415 - sheets draws with this module

    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--sheet", type=Path, required=True, help="the picture to write")
    parser.add_argument("--data", type=Path, help="a folder with crops.tsv: real crops beside rendered ones")
    parser.add_argument("--region", default="UK", help="region or source of the real crops")
    parser.add_argument("--country", action="append", help="render these countries only")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--rows", type=int, default=12)
    parser.add_argument("--hardness", type=float, default=1.0)
    parser.add_argument("--marked", action="store_true", help="draw corners and texts")
    chosen = parser.parse_args(arguments)
    rng = np.random.default_rng(chosen.seed)
    weights = dict.fromkeys(chosen.country, 1.0) if chosen.country else formats.DEFAULT_WEIGHTS
    options = Options(weights=weights, hardness=chosen.hardness)
    if chosen.data:
        picture = sheets.comparison(rng, options, chosen.data, chosen.region, chosen.rows)
    else:
        picture = sheets.sheet(rng, options, chosen.rows, 5, marked=chosen.marked)
    cv2.imwrite(str(chosen.sheet), picture)


if __name__ == "__main__":
    main()
