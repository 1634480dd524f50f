"""Conditions that no rule, threshold or count of errors was made with, beside those of `spoils`.

Drawn as those are, once for a passage. `make bench-verdict FURTHER=1` drives the same vehicles through them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from models.synth.camera import compressed
from models.verdict.spoils import DARK, GREY, Plate, Spoil, Spoiling, as_it_is, ground, in_bytes, laid, places

if TYPE_CHECKING:
    from numpy.random import Generator
    from numpy.typing import NDArray


def edge_hidden(*, lower: bool) -> Spoil:
    """A frame or a lip of the bumper over the lower or the upper part of all characters."""

    def spoil(image: NDArray[np.uint8], plate: Plate, rng: Generator) -> Spoiling:
        depth = rng.uniform(0.2, 0.42)
        inner, outer = (1 - depth, 1.1) if lower else (depth, -0.1)
        mask = plate.mask(places((-0.05, inner), (1.05, inner), (1.05, outer), (-0.05, outer)), image.shape)
        return Spoiling(laid(image, mask, np.array(DARK, np.float64)), as_it_is)

    return spoil


def stroke_changed(*, dark: bool) -> Spoil:
    """A piece of tape on a part of one character: a stroke of it is gone, or it has one more."""

    def spoil(image: NDArray[np.uint8], plate: Plate, rng: Generator) -> Spoiling:
        wide, high = plate.pitch * rng.uniform(0.3, 0.6), rng.uniform(0.14, 0.4)
        u, v = rng.uniform(0.06, 0.94 - wide), rng.uniform(0.1, 0.9 - high)
        mask = plate.mask(places((u, v), (u + wide, v), (u + wide, v + high), (u, v + high)), image.shape)
        colour = np.array(DARK, np.float64) if dark else ground(image, plate)
        return Spoiling(laid(image, mask, colour), as_it_is)

    return spoil


def post(image: NDArray[np.uint8], plate: Plate, rng: Generator) -> Spoiling:
    """A post or barrier's arm before the plate, taller than it."""
    wide, u = plate.pitch * rng.uniform(0.3, 1.0), rng.uniform(0.05, 0.95)
    lean = rng.normal(0, 0.04)
    mask = plate.mask(places((u, -1), (u + wide, -1), (u + wide + lean, 2), (u + lean, 2)), image.shape)
    colour = np.array(GREY if rng.random() < 0.5 else DARK, np.float64) * rng.uniform(0.7, 1.6)
    return Spoiling(laid(image, mask, colour), as_it_is)


def fence(image: NDArray[np.uint8], plate: Plate, rng: Generator) -> Spoiling:
    """Seen through a wire fence."""
    ratio = plate.width_px / max(1.0, plate.height_px)
    step, wide, start = plate.pitch * rng.uniform(0.9, 2.2), 0.008 * rng.uniform(0.7, 1.6), rng.uniform(0, 1)
    painted, colour = image, np.array(GREY, np.float64) * rng.uniform(0.5, 1.5)
    for lean in (2 / ratio, -2 / ratio):
        for number in range(-3, int(1 / step) + 4):
            u = (number + start) * step
            corners = places((u, -0.5), (u + wide, -0.5), (u + wide + lean, 1.5), (u + lean, 1.5))
            painted = laid(painted, plate.mask(corners, image.shape, 0.4), colour)
    return Spoiling(painted, as_it_is)


def stripes(image: NDArray[np.uint8], plate: Plate, rng: Generator) -> Spoiling:
    """The shadow of a railing: several narrow dark stripes."""
    painted, depth, lean = image, rng.uniform(0.25, 0.55), rng.normal(0, 0.08)
    for _ in range(int(rng.integers(3, 8))):
        u, wide = rng.uniform(-0.05, 1.0), plate.pitch * rng.uniform(0.2, 0.7)
        corners = places((u, -0.6), (u + wide, -0.6), (u + wide + lean, 1.6), (u + lean, 1.6))
        painted = in_bytes(painted * (1 - plate.mask(corners, image.shape, plate.width_px * 0.006) * (1 - depth)))
    return Spoiling(painted, as_it_is)


def snow(image: NDArray[np.uint8], plate: Plate, rng: Generator) -> Spoiling:
    """Snow that lies in a ragged line on the lower part, and flakes that stick elsewhere."""
    u = np.linspace(-0.02, 1.02, 24)
    top = np.clip(rng.uniform(0.55, 0.9) + rng.normal(0, 0.08, 24).cumsum() * 0.5, 0.35, 1.05)
    shape = np.concatenate((np.stack((u, top), axis=1), places((1.02, 1.1), (-0.02, 1.1))))
    white = np.array((238, 234, 230), np.float64)
    painted = laid(image, plate.mask(shape, image.shape, plate.height_px * 0.02), white)
    for _ in range(int(rng.integers(2, 9))):
        painted = laid(painted, _disc(plate, image.shape, rng, rng.uniform(0.03, 0.1)), white)
    return Spoiling(painted, as_it_is)


def drops(image: NDArray[np.uint8], plate: Plate, rng: Generator) -> Spoiling:
    """Rain on the camera's glass: round places that are shifted and out of focus, where the plate stays for a while."""
    painted = image
    for _ in range(int(rng.integers(2, 6))):
        mask = _disc(plate, image.shape, rng, rng.uniform(0.15, 0.4))
        dx, dy = rng.normal(0, plate.height_px * 0.25, 2)
        moved = cv2.warpAffine(
            painted, np.array([[1, 0, dx], [0, 1, dy]]), painted.shape[1::-1], borderMode=cv2.BORDER_REPLICATE
        )
        within = cv2.GaussianBlur(moved, (0, 0), max(0.8, plate.height_px * 0.06)).astype(np.float64)
        painted = in_bytes(painted * (1 - mask) + within * mask)
    return Spoiling(painted, as_it_is)


def veil(image: NDArray[np.uint8], plate: Plate, rng: Generator) -> Spoiling:
    """A reflection that lies over a part of the plate and takes its contrast."""
    left, wide = rng.uniform(-0.2, 0.8), rng.uniform(0.15, 0.6)
    corners = places((left, -0.3), (left + wide, -0.3), (left + wide + 0.1, 1.3), (left + 0.1, 1.3))
    mask = plate.mask(corners, image.shape, plate.width_px * rng.uniform(0.005, 0.04)) * rng.uniform(0.5, 0.92)
    return Spoiling(laid(image, mask, np.array((215, 215, 215)) * rng.uniform(0.5, 1.15)), as_it_is)


def overexposed(image: NDArray[np.uint8], plate: Plate, rng: Generator) -> Spoiling:
    """An infrared lamp that is too near: strokes grow thin in the light."""
    gain, reach = rng.uniform(2.0, 4.5), plate.height_px * rng.uniform(0.02, 0.06)

    def take(frame: NDArray[np.uint8], noise: Generator) -> NDArray[np.uint8]:
        del noise
        bright = cv2.GaussianBlur(frame.astype(np.float32) * np.float32(gain), (0, 0), max(0.5, reach))
        return in_bytes(bright)

    return Spoiling(image, take)


def zoomed(image: NDArray[np.uint8], plate: Plate, rng: Generator) -> Spoiling:
    """A camera's digital zoom: a small picture enlarged, sharpened and compressed."""
    factor, sharp = rng.uniform(28, 48) / plate.width_px, rng.uniform(1.0, 3.0)

    def take(frame: NDArray[np.uint8], noise: Generator) -> NDArray[np.uint8]:
        del noise
        size = frame.shape[1::-1]
        few = cv2.resize(frame, None, fx=min(1, factor), fy=min(1, factor), interpolation=cv2.INTER_AREA)
        large = cv2.resize(few, size, interpolation=cv2.INTER_CUBIC).astype(np.float32)
        return compressed(in_bytes(large + (large - cv2.GaussianBlur(large, (0, 0), 1.5)) * np.float32(sharp)), 40)

    return Spoiling(image, take)


def interlaced(image: NDArray[np.uint8], plate: Plate, rng: Generator) -> Spoiling:
    """Every second row was taken later, when the vehicle was elsewhere."""
    shift = round(plate.width_px * rng.uniform(0.02, 0.09)) or 1

    def take(frame: NDArray[np.uint8], noise: Generator) -> NDArray[np.uint8]:
        del noise
        later = frame.copy()
        later[1::2] = np.roll(frame, shift, axis=1)[1::2]
        return later

    return Spoiling(image, take)


def bent(image: NDArray[np.uint8], plate: Plate, rng: Generator) -> Spoiling:
    """A plate that is dented: its characters lean and shrink along a wave."""
    deep, waves, phase = plate.height_px * rng.uniform(0.06, 0.16), rng.uniform(0.6, 1.6), rng.uniform(0, 6.3)
    rows, columns = np.mgrid[: image.shape[0], : image.shape[1]].astype(np.float32)
    left = float(plate.corners[:, 0].min())
    turn = 2 * np.pi * waves * (columns - left) / plate.width_px + phase
    from_y = rows + np.float32(deep) * np.sin(turn).astype(np.float32)
    from_x = columns + np.float32(deep * 0.8) * np.cos(turn * 1.3).astype(np.float32)
    painted = cv2.remap(image, from_x, from_y.astype(np.float32), cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return Spoiling(np.asarray(painted, np.uint8), as_it_is)


def worn(image: NDArray[np.uint8], plate: Plate, rng: Generator) -> Spoiling:
    """Paint that has gone from one to three characters."""
    painted = image
    for _ in range(int(rng.integers(1, 4))):
        u = rng.uniform(0.02, 0.95 - plate.pitch)
        corners = places((u, 0.08), (u + plate.pitch, 0.08), (u + plate.pitch, 0.92), (u, 0.92))
        mask = plate.mask(corners, image.shape, plate.width_px * 0.006) * rng.uniform(0.5, 0.95)
        painted = laid(painted, mask, ground(image, plate))
    return Spoiling(painted, as_it_is)


def sticker(image: NDArray[np.uint8], plate: Plate, rng: Generator) -> Spoiling:
    """A dark sign of a character's size at an end or in a gap, where the law has none."""
    at = (rng.uniform(-0.02, 0.06), rng.uniform(0.86, 0.97), rng.uniform(0.2, 0.8))[int(rng.integers(3))]
    origin = plate.points(places((at, 0.8)))[0]
    sign = "IOLTHCXE18"[int(rng.integers(10))]
    scale = plate.height_px * rng.uniform(0.4, 0.75) / 22
    painted = image.copy()
    spot = (int(origin[0]), int(origin[1]))
    cv2.putText(painted, sign, spot, cv2.FONT_HERSHEY_SIMPLEX, scale, DARK, max(1, round(scale * 3.4)), cv2.LINE_AA)
    return Spoiling(painted, as_it_is)


def aside(image: NDArray[np.uint8], plate: Plate, rng: Generator) -> Spoiling:
    """Seen from the side: the picture at 0.35 to 0.55 of its width, and sheared."""
    narrow, shear = rng.uniform(0.35, 0.55), rng.normal(0, 0.25)
    x = float(plate.corners[:, 0].mean())
    matrix = np.array([[narrow, 0, x * (1 - narrow)], [shear * narrow, 1, -shear * narrow * x]])
    size = image.shape[1::-1]
    turned = cv2.warpAffine(image, matrix, size, flags=cv2.INTER_AREA, borderMode=cv2.BORDER_REPLICATE)
    return Spoiling(np.asarray(turned, np.uint8), as_it_is, np.asarray(matrix, np.float64))


FURTHER: dict[str, Spoil] = {
    "lower edge hidden": edge_hidden(lower=True), "upper edge hidden": edge_hidden(lower=False),
    "a stroke covered": stroke_changed(dark=False), "a stroke more": stroke_changed(dark=True), "post": post,
    "fence": fence, "shadow of a railing": stripes, "snow": snow, "drops on the glass": drops, "reflection": veil,
    "overexposed": overexposed, "digital zoom": zoomed, "interlaced": interlaced, "bent": bent, "worn": worn,
    "sticker": sticker, "from aside": aside,
}  # fmt: skip


def _disc(plate: Plate, shape: tuple[int, ...], rng: Generator, reach: float) -> NDArray[np.float32]:
    """(H, W, 1) float32: a round place somewhere on the plate, `reach` of its height in radius."""
    u, v = rng.uniform(0, 1), rng.uniform(0.1, 0.9)
    ratio = plate.width_px / max(1.0, plate.height_px)
    turns = np.linspace(0, 2 * np.pi, 20, endpoint=False)
    round_ = np.stack((u + reach / ratio * np.cos(turns), v + reach * np.sin(turns)), axis=1)
    return plate.mask(round_, shape, plate.height_px * 0.02)
