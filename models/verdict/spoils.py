"""What spoils a real plate on the road: shadow, dirt, things in front of it, and what a camera makes of it.

Each spoil is drawn once for a passage, so that all frames share it, as they do on a road. Positions are in the plate's
own plane: u runs from 0 at its left edge to 1 at its right, v from 0 at its top to 1 at its bottom.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from models.synth.camera import compressed, streaked

if TYPE_CHECKING:
    from numpy.random import Generator
    from numpy.typing import NDArray

Picture = "NDArray[np.uint8]"
Take = Callable[["NDArray[np.uint8]", "Generator"], "NDArray[np.uint8]"]
_SHIFT = 4
"""Fractional bits of the corners of a mask."""
DARK, GREY = (22, 20, 20), (96, 96, 98)


@dataclass(frozen=True, slots=True)
class Plate:
    """A plate in a picture."""

    corners: NDArray[np.float32]
    """(4, 2) float32: top left, top right, bottom right, bottom left."""
    characters: int

    @property
    def width_px(self) -> float:
        """The length of its upper edge."""
        return float(np.linalg.norm(self.corners[1] - self.corners[0]))

    @property
    def height_px(self) -> float:
        """The length of its left edge."""
        return float(np.linalg.norm(self.corners[3] - self.corners[0]))

    @property
    def pitch(self) -> float:
        """About the width of a character with its gap, as a share of the plate's width."""
        return 0.92 / (self.characters + 0.8)

    def points(self, uv: NDArray[np.float64]) -> NDArray[np.float64]:
        """(n, 2) pixels of (n, 2) places in the plate's plane."""
        unit = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], np.float32)
        matrix = cv2.getPerspectiveTransform(unit, self.corners.astype(np.float32))
        placed = cv2.perspectiveTransform(np.asarray(uv, np.float64).reshape(1, -1, 2), matrix)
        return np.asarray(placed[0], np.float64)

    def mask(self, uv: NDArray[np.float64], shape: tuple[int, ...], soft_px: float = 0.6) -> NDArray[np.float32]:
        """(H, W, 1) float32, 1 within the polygon `uv` ((n, 2) in the plate's plane)."""
        canvas = np.zeros(shape[:2], np.float32)
        corners = np.round(self.points(uv) * 2**_SHIFT).astype(np.int32)
        cv2.fillPoly(canvas, [corners], (1.0,), cv2.LINE_AA, _SHIFT)
        return np.asarray(cv2.GaussianBlur(canvas, (0, 0), max(0.4, soft_px)), np.float32)[..., None]


@dataclass(frozen=True, slots=True)
class Spoiling:
    """What one passage suffers."""

    painted: NDArray[np.uint8]
    """The photograph with what is on or before the plate."""
    take: Take
    """What the camera makes of a frame of it, given the frame's own noise."""
    turned: NDArray[np.float64] | None = None
    """(2, 3): where the pixels of the photograph are in `painted`, if not where they were."""
    scale: float = 1.0
    left_px: float = 0.0
    """`take` scales by the one and then cuts off the other at the left."""


Spoil = Callable[["NDArray[np.uint8]", Plate, "Generator"], Spoiling]


def clean(image: NDArray[np.uint8], plate: Plate, rng: Generator) -> Spoiling:
    """Nothing at all."""
    del plate, rng
    return Spoiling(image, as_it_is)


def shadow_edge(image: NDArray[np.uint8], plate: Plate, rng: Generator) -> Spoiling:
    """The edge of a deep shadow across the plate, one side of it dark."""
    at, slant, depth = rng.uniform(0.1, 0.9), rng.normal(0, 0.06), rng.uniform(0.06, 0.35)
    edge = ((at - slant * 2, -1.0), (at + slant * 3, 2.0))
    side = 2.0 if rng.random() < 0.5 else -1.0
    mask = plate.mask(places(*edge, (side, 2.0), (side, -1.0)), image.shape, plate.width_px * rng.uniform(0.004, 0.03))
    return Spoiling(in_bytes(image * (1 - mask * (1 - depth))), as_it_is)


def tape(image: NDArray[np.uint8], plate: Plate, rng: Generator) -> Spoiling:
    """A strip of tape over about one character, as bright as the plate, or black."""
    width = plate.pitch * rng.uniform(0.7, 1.3)
    left, slant = rng.uniform(0, 1 - width), rng.normal(0, 0.01)
    colour = ground(image, plate) if rng.random() < 0.6 else np.array(DARK, np.float64)
    corners = places(
        (left - slant, 0.03), (left + width - slant, 0.03), (left + width + slant, 0.97), (left + slant, 0.97)
    )
    return Spoiling(laid(image, plate.mask(corners, image.shape), colour), as_it_is)


def mud(image: NDArray[np.uint8], plate: Plate, rng: Generator) -> Spoiling:
    """A splash of mud over a tenth to a third of the plate."""
    u, v, reach = rng.uniform(0, 1), rng.uniform(0.2, 0.9), rng.uniform(0.08, 0.2)
    turns = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    far = reach * rng.uniform(0.6, 1.3, 24)
    ratio = plate.width_px / max(1.0, plate.height_px)
    shape = np.stack((u + far * np.cos(turns), v + 0.6 * ratio * far * np.sin(turns)), axis=1)
    mask = plate.mask(shape, image.shape, plate.width_px * 0.008) * rng.uniform(0.85, 1.0)
    return Spoiling(laid(image, mask, np.array([48, 66, 84]) * rng.uniform(0.6, 1.2)), as_it_is)


def bolt(image: NDArray[np.uint8], plate: Plate, rng: Generator) -> Spoiling:
    """The head of a bolt on or beside a character."""
    return Spoiling(_bolted(image, plate, rng), as_it_is)


def two_bolts(image: NDArray[np.uint8], plate: Plate, rng: Generator) -> Spoiling:
    """Two bolts at one height."""
    return Spoiling(_bolted(_bolted(image, plate, rng), plate, rng), as_it_is)


def end_covered(image: NDArray[np.uint8], plate: Plate, rng: Generator) -> Spoiling:
    """Something dark in front of an end of the plate: a bumper, a bicycle, a post."""
    return Spoiling(_ended(image, plate, rng, rng.uniform(0.08, 0.35), np.array(DARK, np.float64)), as_it_is)


def cut(characters: float) -> Spoil:
    """An end of the plate with so many of its characters gone: where they were, the body goes on."""

    def spoil(image: NDArray[np.uint8], plate: Plate, rng: Generator) -> Spoiling:
        share = 0.04 + characters * plate.pitch
        return Spoiling(_ended(image, plate, rng, share, None), as_it_is)

    return spoil


def picture_edge(image: NDArray[np.uint8], plate: Plate, rng: Generator) -> Spoiling:
    """The picture ends within the plate: half to two and a half of its characters are outside."""
    u = 0.03 + plate.pitch * rng.uniform(0.5, 2.5)
    left = bool(rng.random() < 0.5)
    x = float(plate.points(places((u if left else 1 - u, 0.5)))[0, 0])

    def take(frame: NDArray[np.uint8], noise: Generator) -> NDArray[np.uint8]:
        del noise
        return frame[:, round(x) :].copy() if left else frame[:, : max(8, round(x))].copy()

    return Spoiling(image, take, left_px=round(x) if left else 0)


def blur(image: NDArray[np.uint8], plate: Plate, rng: Generator) -> Spoiling:
    """Out of focus."""
    sigma = plate.height_px * rng.uniform(0.05, 0.11)
    return Spoiling(image, lambda frame, _: np.asarray(cv2.GaussianBlur(frame, (0, 0), sigma), np.uint8))


def motion(image: NDArray[np.uint8], plate: Plate, rng: Generator) -> Spoiling:
    """Moved while the shutter was open."""
    length, angle = plate.width_px * rng.uniform(0.04, 0.1), float(rng.normal(0, 0.3))
    return Spoiling(image, lambda frame, _: np.asarray(streaked(frame, length, angle), np.uint8))


def dark(image: NDArray[np.uint8], plate: Plate, rng: Generator) -> Spoiling:
    """Dusk: little light and much noise."""
    del plate
    gain, grain = rng.uniform(0.08, 0.22), rng.uniform(3.0, 6.0)
    return Spoiling(image, lambda frame, noise: _noisy(frame * np.float32(gain), grain, noise))


def small(image: NDArray[np.uint8], plate: Plate, rng: Generator) -> Spoiling:
    """At 0.45 of its size."""
    del plate, rng
    return Spoiling(
        image,
        lambda frame, _: np.asarray(cv2.resize(frame, None, fx=0.45, fy=0.45, interpolation=cv2.INTER_AREA), np.uint8),
        scale=0.45,
    )


def rotation(image: NDArray[np.uint8], plate: Plate, rng: Generator) -> Spoiling:
    """The camera hangs askew by 8 to 20 degrees."""
    angle = rng.uniform(8, 20) * (1 if rng.random() < 0.5 else -1)
    x, y = plate.corners.mean(axis=0).tolist()
    matrix = cv2.getRotationMatrix2D((x, y), angle, 1.0)
    height, width = image.shape[:2]
    turned = cv2.warpAffine(image, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE)
    return Spoiling(np.asarray(turned, np.uint8), as_it_is, np.asarray(matrix, np.float64))


def glare(image: NDArray[np.uint8], plate: Plate, rng: Generator) -> Spoiling:
    """The sun in the plate: part of it washed out."""
    u, v, reach = rng.uniform(0.05, 0.95), rng.uniform(0.2, 0.8), rng.uniform(0.1, 0.22)
    x, y = plate.points(places((u, v)))[0]
    rows, columns = np.mgrid[: image.shape[0], : image.shape[1]].astype(np.float32)
    far = np.hypot(columns - x, (rows - y) * 0.8) / (reach * plate.width_px)
    light = (1.3 * np.exp(-(far**4)))[..., None]
    return Spoiling(in_bytes(image + 255 * np.minimum(light, 1.0) * rng.uniform(0.75, 1.0)), as_it_is)


def jpeg(image: NDArray[np.uint8], plate: Plate, rng: Generator) -> Spoiling:
    """JPEG at quality 12."""
    del plate, rng
    return Spoiling(image, lambda frame, _: compressed(frame, 12))


SPOILS: dict[str, Spoil] = {
    "clean": clean, "dark": dark, "0.45 of its size": small, "blur": blur, "motion": motion, "rotation": rotation,
    "JPEG 12": jpeg, "shadow edge": shadow_edge, "glare": glare, "tape": tape, "mud": mud, "bolt": bolt,
    "two bolts": two_bolts, "end covered": end_covered, "half a character cut": cut(0.5),
    "one character cut": cut(1.0), "two characters cut": cut(2.0), "picture's edge": picture_edge,
}  # fmt: skip


def as_it_is(frame: NDArray[np.uint8], noise: Generator) -> NDArray[np.uint8]:
    """A camera that adds nothing."""
    del noise
    return frame


def places(*uv: tuple[float, float]) -> NDArray[np.float64]:
    """(n, 2) float64: places in the plate's plane."""
    return np.array(uv, np.float64)


def in_bytes(light: NDArray[Any]) -> NDArray[np.uint8]:
    """Grey values, cut at what a byte holds."""
    return np.clip(light, 0, 255).astype(np.uint8)


def _noisy(light: NDArray[np.float32], grain: float, noise: Generator) -> NDArray[np.uint8]:
    return in_bytes(light + noise.standard_normal(light.shape, np.float32) * np.float32(grain))


def laid(image: NDArray[np.uint8], mask: NDArray[np.float32], colour: NDArray[np.float64]) -> NDArray[np.uint8]:
    """The picture with `colour` (3,) where `mask` (H, W, 1) is 1."""
    return in_bytes(image * (1 - mask) + mask * colour)


def ground(image: NDArray[np.uint8], plate: Plate) -> NDArray[np.float64]:
    """The colour between the characters: the bright part of the plate."""
    x1, y1 = np.maximum(0, np.floor(plate.corners.min(axis=0)).astype(int))
    x2, y2 = np.ceil(plate.corners.max(axis=0)).astype(int)
    pixels = image[y1 : y2 + 1, x1 : x2 + 1].reshape(-1, 3)
    return np.asarray(np.percentile(pixels, 75, axis=0), np.float64)


def _bolted(image: NDArray[np.uint8], plate: Plate, rng: Generator) -> NDArray[np.uint8]:
    u, v, reach = rng.uniform(0.08, 0.92), rng.uniform(0.25, 0.75), rng.uniform(0.09, 0.16)
    ratio = plate.width_px / max(1.0, plate.height_px)
    turns = np.linspace(0, 2 * np.pi, 20, endpoint=False)
    shape = np.stack((u + reach / ratio * np.cos(turns), v + reach * np.sin(turns)), axis=1)
    colour = np.array(DARK if rng.random() < 0.5 else GREY, np.float64) * rng.uniform(0.8, 1.2)
    return laid(image, plate.mask(shape, image.shape), colour)


def _ended(
    image: NDArray[np.uint8], plate: Plate, rng: Generator, share: float, colour: NDArray[np.float64] | None
) -> NDArray[np.uint8]:
    """`share` of the plate at one end under `colour`, or else under what stands beside the plate there."""
    left = bool(rng.random() < 0.5)
    inner, outer = (share, -0.25) if left else (1 - share, 1.25)
    mask = plate.mask(places((inner, -0.25), (outer, -0.25), (outer, 1.25), (inner, 1.25)), image.shape)
    if colour is None:
        beside = plate.points(places(*((outer, v) for v in (0.2, 0.5, 0.8))))
        height, width = image.shape[:2]
        columns = np.clip(beside[:, 0].round().astype(int), 0, width - 1)
        rows = np.clip(beside[:, 1].round().astype(int), 0, height - 1)
        colour = np.median(image[rows, columns].astype(np.float64), axis=0)
    return laid(image, mask, colour)
