"""Walls with windows, doors and shops, and trees: the flat parts that a street is hung with."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from models.synth.canvas import Bgr, Colour, polygon
from models.synth.noise import soft_noise

if TYPE_CHECKING:
    from numpy.random import Generator

    from models.synth.view import View

PX_PER_M = 36
_STOREY_M = 3.1
_WALLS: tuple[Colour, ...] = (
    (150, 178, 196), (120, 138, 176), (178, 190, 196), (98, 112, 152), (165, 195, 212), (140, 160, 165),
    (110, 120, 140),
)  # fmt: skip
_FRONTS: tuple[Colour, ...] = ((60, 75, 40), (95, 50, 40), (45, 45, 120), (60, 60, 62), (40, 90, 110), (90, 85, 30))


def facade(rng: Generator, width_m: float, height_m: float, light: float) -> Bgr:
    """A house front (height, width, 3) at PX_PER_M; `light` is 1 in the sun."""
    wide, high = round(width_m * PX_PER_M), round(height_m * PX_PER_M)
    tone = np.array(_WALLS[int(rng.integers(len(_WALLS)))], np.float32) * np.float32(rng.uniform(0.85, 1.08))
    grime = 0.86 + 0.18 * soft_noise(rng, (high, wide), 0.2) + 0.1 * (soft_noise(rng, (high, wide), 0.008) - 0.5)
    wall = np.clip(tone * grime[..., None], 0, 255).astype(np.uint8)
    if rng.random() < 0.45:
        _bricks(rng, wall)
    storeys = max(2, round(height_m / _STOREY_M))
    columns = max(2, round(width_m / rng.uniform(2.2, 2.9)))
    for storey in range(storeys):
        ground = high - round(storey * high / storeys)
        if storey == 0:
            _ground_floor(rng, wall, ground, round(high / storeys))
            continue
        for column in range(columns):
            _window(rng, wall, (column + 0.5) * wide / columns, ground - 0.55 * high / storeys)
    for y in (round(high - high / storeys), 2):
        polygon(wall, [(0, y - 4), (wide, y - 4), (wide, y + 5), (0, y + 5)], (tone * 1.12).clip(0, 255).tolist())
        polygon(wall, [(0, y + 5), (wide, y + 5), (wide, y + 8), (0, y + 8)], (tone * 0.6).tolist())
    return np.asarray(np.clip(wall * light, 0, 255).astype(np.uint8))


def _bricks(rng: Generator, wall: Bgr) -> None:
    """Courses of bricks, each a little different."""
    high, wide = wall.shape[:2]
    tones = rng.normal(1, 0.07, (high // 4 + 1, wide // 9 + 1)).astype(np.float32)
    big = cv2.resize(tones, (wide, high), interpolation=cv2.INTER_NEAREST)
    wall[:] = np.clip(wall * big[..., None], 0, 255).astype(np.uint8)
    wall[::4] = np.clip(wall[::4].astype(np.int16) + 14, 0, 255).astype(np.uint8)


def _window(rng: Generator, wall: Bgr, x: float, y: float) -> None:
    """A sash window with frame, sill and what it mirrors, centred at x, y."""
    half, tall = 0.52 * PX_PER_M, 0.85 * PX_PER_M
    box = np.array([(-half, -tall), (half, -tall), (half, tall), (-half, tall)])
    frame = (222, 224, 224) if rng.random() < 0.75 else (70, 72, 80)
    polygon(wall, box * 1.22 + (x, y - 2), (np.mean(wall, axis=(0, 1)) * 1.1).clip(0, 255).tolist())
    polygon(wall, box * 1.06 + (x, y), frame)
    top = rng.uniform(60, 190)
    for step in range(8):  # the sky above is mirrored, the houses opposite below
        y0, y1 = y - tall + step * tall / 4, y - tall + (step + 1) * tall / 4
        shade = top + (55 - top) * step / 8
        polygon(
            wall, [(x - half, y0), (x + half, y0), (x + half, y1), (x - half, y1)], (shade * 1.08, shade, shade * 0.92)
        )
    if rng.random() < 0.45:  # curtains
        side = half * rng.uniform(0.35, 0.7)
        for sign in (-1, 1):
            inner = x + sign * (half - side)
            polygon(
                wall,
                [(x + sign * half, y - tall), (inner, y - tall), (inner, y + tall), (x + sign * half, y + tall)],
                (175, 180, 184),
            )
    polygon(wall, [(x - 1, y - tall), (x + 1, y - tall), (x + 1, y + tall), (x - 1, y + tall)], frame)
    polygon(wall, [(x - half, y - 1), (x + half, y - 1), (x + half, y + 1), (x - half, y + 1)], frame)
    sill = [
        (x - half * 1.25, y + tall),
        (x + half * 1.25, y + tall),
        (x + half * 1.25, y + tall + 5),
        (x - half * 1.25, y + tall + 5),
    ]
    polygon(wall, sill, (190, 194, 196))
    polygon(wall, [(x, y + 5) for x, y in sill], (70, 72, 78))


def _ground_floor(rng: Generator, wall: Bgr, ground: int, tall: int) -> None:
    """A shop, or doors and windows."""
    wide = wall.shape[1]
    if rng.random() < 0.6:
        colour = _FRONTS[int(rng.integers(len(_FRONTS)))]
        polygon(
            wall, [(8, ground - tall * 0.93), (wide - 8, ground - tall * 0.93), (wide - 8, ground), (8, ground)], colour
        )
        sign = (ground - tall * 0.9, ground - tall * 0.74)
        polygon(
            wall, [(12, sign[0]), (wide - 12, sign[0]), (wide - 12, sign[1]), (12, sign[1])], [c * 0.75 for c in colour]
        )
        for x in np.arange(wide * 0.25, wide * 0.75, 13):  # lettering nobody can read
            letter = rng.uniform(4, 9)
            polygon(
                wall,
                [(x, sign[0] + 5), (x + letter, sign[0] + 5), (x + letter, sign[1] - 5), (x, sign[1] - 5)],
                (215, 220, 222),
            )
        panes = max(2, round(wide / (2.2 * PX_PER_M)))
        for pane in range(panes):
            x0, x1 = 14 + pane * (wide - 28) / panes, 6 + (pane + 1) * (wide - 28) / panes
            shade = rng.uniform(35, 80)
            bottom = ground - (0 if pane == panes // 2 else tall * 0.16)
            polygon(
                wall, [(x0, ground - tall * 0.7), (x1, ground - tall * 0.7), (x1, bottom), (x0, bottom)], [shade] * 3
            )
            polygon(
                wall,
                [(x0, ground - tall * 0.7), (x1, ground - tall * 0.7), (x0, bottom - tall * 0.25)],
                [shade * 1.25 + 8] * 3,
            )
        return
    count = max(2, round(wide / (2.6 * PX_PER_M)))
    door = int(rng.integers(count))
    for column in range(count):
        x = (column + 0.5) * wide / count
        if column != door:
            _window(rng, wall, x, ground - 0.52 * tall)
            continue
        half, colour = 0.5 * PX_PER_M, _FRONTS[int(rng.integers(len(_FRONTS)))]
        polygon(
            wall,
            [
                (x - half - 4, ground - tall * 0.8),
                (x + half + 4, ground - tall * 0.8),
                (x + half + 4, ground),
                (x - half - 4, ground),
            ],
            (205, 208, 210),
        )
        polygon(
            wall,
            [
                (x - half, ground - tall * 0.77),
                (x + half, ground - tall * 0.77),
                (x + half, ground),
                (x - half, ground),
            ],
            colour,
        )


def roof(rng: Generator, width_m: float) -> Bgr:
    """A tiled slope, 4 m deep, at PX_PER_M."""
    wide, high = round(width_m * PX_PER_M), 4 * PX_PER_M
    tone = np.array(((70, 82, 128), (82, 84, 92), (62, 70, 98))[int(rng.integers(3))], np.float32)
    grain = 0.85 + 0.25 * soft_noise(rng, (high, wide), 0.02)
    tiles = np.clip(tone * grain[..., None], 0, 255).astype(np.uint8)
    tiles[::7] = (tiles[::7] * 0.7).astype(np.uint8)
    return tiles


def tree(rng: Generator, canvas: Bgr, view: View, foot: tuple[float, float], height_m: float) -> None:
    """A broad-leaved tree at x, z = `foot`, in place: a forked trunk and a crown of leaves, lit from the left."""
    x, z = foot
    spot = view.project(np.array([(x, 0.0, z), (x, height_m, z)]))[0]
    px_per_m = float(spot[0, 1] - spot[1, 1]) / height_m
    bark = np.array([58, 66, 76]) * rng.uniform(0.8, 1.1)
    base, waist = spot[0], spot[0] + [rng.normal(0, 0.1) * px_per_m, -0.42 * height_m * px_per_m]
    side = np.array([0.17 * px_per_m, 0])
    polygon(canvas, [base - side, base + side, waist + 0.6 * side, waist - 0.6 * side], bark.tolist())
    polygon(canvas, [base + 0.2 * side, base + side, waist + 0.6 * side], (bark * 0.6).tolist())
    for lean in (-0.9, -0.3, 0.4, 1.0):
        end = waist + np.array([lean, -0.22 * height_m]) * px_per_m
        cv2.line(
            canvas,
            np.round(waist).astype(int).tolist(),
            np.round(end).astype(int).tolist(),
            bark.tolist(),
            max(1, int(0.09 * px_per_m)),
            cv2.LINE_AA,
        )
    middle = np.array([spot[0, 0], spot[0, 1] - 0.66 * height_m * px_per_m])
    reach = np.array([0.3, 0.36]) * height_m * px_per_m
    lobes = np.stack([rng.uniform(-0.62, 0.62, 14), rng.uniform(-0.7, 0.55, 14)], axis=1)
    count = int(np.clip(px_per_m * 5, 60, 480))
    clusters = [rng.normal(0, 0.17, (count, 2)) + lobe for lobe in lobes]
    depth = np.repeat(rng.normal(0, 0.22, len(lobes)), count)  # clusters stand before or behind one another
    spread = np.concatenate(clusters)
    own = spread - np.repeat(lobes, count, axis=0)
    light = 0.42 - 0.22 * spread[:, 0] - 0.35 * spread[:, 1] - 0.7 * own[:, 0] - 1.3 * own[:, 1]
    light += rng.normal(0, 0.16, len(spread)) + 0.5 * depth
    dark, bright = np.array([30, 62, 50]), np.array([70, 152, 126])
    order = np.argsort(light * 0.7 + depth + rng.normal(0, 0.12, len(spread)))
    order = order[(spread[order] ** 2).sum(axis=1) < 1.15]
    tones = np.clip(dark + (bright - dark) * np.clip(light[order], -0.3, 1.2)[:, None], 0, 255)
    turn = rng.uniform(0, np.pi, len(order))[:, None] + np.array([0, 1.3, 2.6, 4.2])
    size = np.maximum(0.8, rng.uniform(0.035, 0.09, len(order)) * px_per_m)[:, None, None]
    leaves = (middle + spread[order] * reach)[:, None] + size * np.stack([np.cos(turn), 0.8 * np.sin(turn)], axis=2)
    for leaf, tone in zip(leaves, tones.tolist(), strict=True):
        polygon(canvas, leaf, tone, smooth=False)
