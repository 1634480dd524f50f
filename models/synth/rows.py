"""Rows of characters: their spacing, and the hyphens, gaps and seals between their groups."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from models.synth.glyphs import glyph
from models.synth.noise import clamp

if TYPE_CHECKING:
    from numpy.random import Generator

    from models.synth.canvas import Mask
    from models.synth.styles import PlateStyle


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a plate."""

    mask: Mask
    """Ink coverage, uint8 (char height, width) pixels."""
    seals: tuple[float, ...]
    """Centres of the seals, pixels from the row's left end."""


@dataclass(frozen=True, slots=True)
class Lettering:
    """The face and spacing one plate is written in; lengths in pixels."""

    face: str
    variant: int
    height: int
    gap: float
    """Between characters."""
    group: float
    """Between groups, where nothing stands there."""
    seal: float
    """Between groups, where a seal stands there."""
    hyphen: tuple[float, float, float]
    """Room, width and height of a hyphen; a width of 0 is a plate without its hyphens."""
    sealed: bool

    def room(self, joint: str) -> float:
        """Pixels that a joint takes."""
        return {"gap": self.group, "seal": self.seal, "hyphen": self.hyphen[0]}.get(joint, self.group)


def lettering(rng: Generator, design: PlateStyle, face: str, variant: int, px_per_mm: float) -> Lettering:
    """A spacing as plate makers vary it around the country's."""
    group = design.group_mm * rng.uniform(0.75, 1.25)
    seal = (design.seal_mm + 10) * rng.uniform(0.95, 1.15) if design.seal else group
    hyphen = np.array(
        [38 * rng.uniform(0.8, 1.15), rng.uniform(12, 22) if rng.random() < 0.92 else 0, rng.uniform(8, 13)]
    )
    room, width, height = (hyphen * px_per_mm).tolist()
    return Lettering(
        face,
        variant,
        height=round(design.char_mm * px_per_mm),
        gap=design.gap_mm * px_per_mm * rng.uniform(0.8, 1.25),
        group=group * px_per_mm,
        seal=seal * px_per_mm,
        hyphen=(room, width, height),
        sealed=bool(design.seal) and rng.random() < 0.93,
    )


def write(style: Lettering, groups: tuple[str, ...], joints: tuple[str, ...], spread_px: float = 0.0) -> Row:
    """The row of `groups` with `joints` between them, its gaps widened towards `spread_px`, within reason."""
    glyphs = [[glyph(style.face, style.variant, character, style.height) for character in group] for group in groups]
    extra = 0.0
    if spread_px:
        natural = sum(mask.shape[1] + style.gap for group in glyphs for mask in group)
        natural += sum(style.room(joint) - style.gap for joint in joints)
        slots = sum(map(len, groups)) - 1 + 2 * len(joints)
        extra = clamp((spread_px - natural) / max(slots, 1), 0, 0.1 * style.height)
    return _laid(style, glyphs, joints, extra)


def _laid(style: Lettering, glyphs: list[list[Mask]], joints: tuple[str, ...], extra: float) -> Row:
    gap, x = style.gap + extra, 0.0
    placed: list[tuple[float, Mask]] = []
    seals, hyphens = [], []
    for index, group in enumerate(glyphs):
        for mask in group:
            aside = 0.25 * gap if mask.shape[1] < 0.3 * style.height else 0.0  # I and 1 keep more distance
            placed.append((x + aside, mask))
            x += mask.shape[1] + gap + 2 * aside
        if index < len(joints):
            room = style.room(joints[index]) + 3 * extra
            if joints[index] == "seal" and style.sealed:
                seals.append(x - gap + room / 2)
            if joints[index] in ("hyphen", "dot") and style.hyphen[1]:
                hyphens.append((x - gap + room / 2, joints[index]))
            x += room - gap
    row = np.zeros((style.height, max(2, round(x - gap) + 1)), np.uint8)
    for at, mask in placed:
        left = max(0, min(round(at), row.shape[1] - mask.shape[1]))
        cell = row[:, left : left + mask.shape[1]]
        cell[:] = np.maximum(cell, mask[:, : row.shape[1]])
    for at, kind in hyphens:
        _mark(row, at, (style.hyphen[2] if kind == "dot" else style.hyphen[1], style.hyphen[2]))
    return Row(row, tuple(seals))


def _mark(row: Mask, x: float, size: tuple[float, float]) -> None:
    y = row.shape[0] / 2
    corner = (round(x - size[0] / 2), round(y - size[1] / 2))
    cv2.rectangle(row, corner, (round(x + size[0] / 2), round(y + size[1] / 2)), 255, -1)
