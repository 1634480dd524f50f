"""The street without its traffic: sky, houses, trees, road and pavements, drawn once in true perspective."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

from models.synth.canvas import Bgr, polygon, resized, warped
from models.synth.facades import facade, roof, tree
from models.synth.ground import HAZE, HAZE_M, Shadows, ground
from models.synth.noise import soft_noise

if TYPE_CHECKING:
    from numpy.random import Generator

    from models.synth.view import View

Points = NDArray[np.float64]

_RIGHT_WALL_M, _LEFT_WALL_M, _FAR_M = 7.4, -11.0, 130.0
_END_M = 150.0
_SUPERSAMPLING = 2
_TREES = ((-7.6, 19.0), (-7.4, 29.0), (-7.7, 40.0), (-7.5, 52.0), (-7.6, 66.0), (6.4, 58.0), (6.3, 84.0), (-7.6, 84.0))


@dataclass(frozen=True, slots=True)
class _House:
    x: float
    near: float
    far: float
    height: float


def street(rng: Generator, view: View) -> Bgr:
    """The empty street as `view` sees it, (H, W, 3) uint8 BGR."""
    large = view.scaled(_SUPERSAMPLING)
    canvas = _sky(rng, large)
    _far_end(rng, canvas, large)
    houses = [*_row(rng, _RIGHT_WALL_M, 20.0), *_row(rng, _LEFT_WALL_M, 22.0)]
    for house in sorted(houses, key=lambda one: -one.near):
        _build(rng, canvas, large, house)
    walls = [(one.x, one.near, one.far, one.height) for one in houses if one.x < 0]
    ground(rng, (_LEFT_WALL_M, _RIGHT_WALL_M), _END_M, Shadows(walls, _TREES)).paint(canvas, large)
    _furniture(canvas, large)
    for foot in sorted(_TREES, key=lambda one: -one[1]):
        tree(rng, canvas, large, foot, rng.uniform(6.5, 8.5))
    return resized(canvas, (view.width, view.height))


def _sky(rng: Generator, view: View) -> Bgr:
    """Blue above, pale at the horizon, with clouds; drawn small, as it holds no edges."""
    height, width = view.height // 4, view.width // 4
    down = np.clip(np.arange(height, dtype=np.float32) * 4 / np.float32(view.horizon()), 0, 1)[:, None, None]
    blue = np.array([206, 150, 96], np.float32)
    blue = blue + (HAZE - blue) * down**1.3
    field = np.zeros((height, width), np.float32)
    for grain, weight in ((0.3, 0.5), (0.12, 0.27), (0.05, 0.14), (0.02, 0.09)):
        field += np.float32(weight) * soft_noise(rng, (height * 2, width), grain)[:height]
    clouds = np.clip((field - 0.45) / 0.17, 0, 1)[..., None] * np.float32(0.9)
    shade = 1 - 0.12 * np.clip((cv2.blur(field, (15, 15))[..., None] - 0.52) / 0.2, 0, 1)
    white = np.array([250, 248, 246], np.float32) * shade
    small = np.clip(blue * (1 - clouds) + white * clouds, 0, 255).astype(np.uint8)
    return resized(small, (view.width, view.height), cv2.INTER_CUBIC)


def _row(rng: Generator, x: float, start: float) -> list[_House]:
    houses, z = [], start
    while z < _FAR_M - 12:
        length = float(rng.uniform(9, 15))
        houses.append(_House(x, z, z + length, float(rng.uniform(8.0, 12.5))))
        z += length + (float(rng.uniform(2, 5)) if rng.random() < 0.2 else 0.0)
    return houses


def _build(rng: Generator, canvas: Bgr, view: View, house: _House) -> None:
    """The side facing the street, the gable facing the camera and the slope of the roof."""
    outwards = 1 if house.x > 0 else -1
    lit = 1.0 if outwards > 0 else 0.62  # the sun stands to the left: the right-hand row is lit
    x, back, top = house.x, house.x + outwards * 9, house.height
    ridge = (x + outwards * 3.6, top + 2.4)
    _hang(
        canvas,
        view,
        roof(rng, house.far - house.near),
        [
            (*ridge, house.near),
            (*ridge, house.far),
            (x - outwards * 0.3, top, house.far),
            (x - outwards * 0.3, top, house.near),
        ],
        house.near,
    )
    gable = np.array(
        [
            (x, 0, house.near),
            (x, top, house.near),
            (*ridge, house.near),
            (x + outwards * 7.2, top, house.near),
            (back, top, house.near),
            (back, 0, house.near),
        ]
    )
    front = facade(rng, house.far - house.near, top, lit)
    _polygon(canvas, view, gable, (front.mean(axis=(0, 1)) * (0.92 / lit) * 0.9).tolist(), house.near)
    _hang(
        canvas,
        view,
        front,
        [(x, top, house.near), (x, top, house.far), (x, 0, house.far), (x, 0, house.near)],
        house.near,
    )


def _hazed(colour: NDArray[np.float32], depth: float) -> NDArray[np.float32]:
    share = np.float32(1 - np.exp(-depth / HAZE_M))
    return np.asarray(colour * (1 - share) + HAZE * share, np.float32)


def _polygon(canvas: Bgr, view: View, world: Points, colour: list[float], depth: float) -> None:
    pixels, _ = view.project(world)
    polygon(canvas, pixels, _hazed(np.array(colour, np.float32), depth).tolist())


def _hang(canvas: Bgr, view: View, texture: Bgr, corners: list[tuple[float, float, float]], depth: float) -> None:
    """A texture over four world corners (from its top left, clockwise), shrunk first so that nothing aliases."""
    pixels = view.project(np.array(corners))[0].astype(np.float32)
    wide = max(np.linalg.norm(pixels[1] - pixels[0]), np.linalg.norm(pixels[2] - pixels[3]))
    high = max(np.linalg.norm(pixels[3] - pixels[0]), np.linalg.norm(pixels[2] - pixels[1]))
    size = (max(4, min(texture.shape[1], int(wide * 1.3))), max(4, min(texture.shape[0], int(high * 1.3))))
    small = _hazed(resized(texture, size).astype(np.float32), depth).astype(np.uint8)
    outline = np.array([(0, 0), (size[0], 0), size, (0, size[1])], np.float32)
    matrix = np.asarray(cv2.getPerspectiveTransform(outline, pixels), np.float64)
    low = np.maximum(np.floor(pixels.min(axis=0)).astype(int), 0)
    far = np.minimum(np.ceil(pixels.max(axis=0)).astype(int) + 1, [view.width, view.height])
    if (far <= low).any():
        return
    shift = np.array([[1, 0, -low[0]], [0, 1, -low[1]], [0, 0, 1]], np.float64)
    extent = (int(far[0] - low[0]), int(far[1] - low[1]))
    over = warped(small, shift @ matrix, extent, cv2.BORDER_REPLICATE)
    cover = np.zeros((extent[1], extent[0]), np.uint8)
    polygon(cover, pixels - low, (255,), smooth=False)
    patch = canvas[low[1] : far[1], low[0] : far[0]]
    patch[cover > 0] = over[cover > 0]


def _far_end(rng: Generator, canvas: Bgr, view: View) -> None:
    """Hills, and the houses of a crossing street that closes this one."""
    horizon, width = view.horizon(), view.width
    heights = soft_noise(rng, (2, width), 0.06)[0] * 0.7 + soft_noise(rng, (2, width), 0.01)[0] * 0.3
    outline = np.stack([np.arange(width), horizon - (0.5 + heights) * 50], axis=1)
    skirt = np.concatenate([outline, [(width, horizon + 60), (0, horizon + 60)]])
    cv2.fillPoly(
        canvas, [np.round(skirt).astype(np.int32)], _hazed(np.array([120, 135, 118], np.float32), 200).tolist()
    )
    x = -34.0
    while x < 34:
        wide, high = rng.uniform(8, 13), rng.uniform(7, 10)
        front = facade(rng, wide, high, 0.95)
        slope = [
            (x, high + 2.5, _END_M + 4),
            (x + wide, high + 2.5, _END_M + 4),
            (x + wide, high, _END_M),
            (x, high, _END_M),
        ]
        _hang(canvas, view, roof(rng, wide), slope, _END_M)
        corners = [(x, high, _END_M), (x + wide, high, _END_M), (x + wide, 0, _END_M), (x, 0, _END_M)]
        _hang(canvas, view, front, corners, _END_M)
        x += wide


def _furniture(canvas: Bgr, view: View) -> None:
    """Lamp posts and bollards along the right-hand pavement."""
    for z in (96.0, 74.0, 52.0, 33.0):
        _post(canvas, view, (4.3, z), (0.11, 6.2), 75)
        arm = [(4.3, 6.2, z), (4.3, 6.32, z), (2.9, 6.5, z), (2.9, 6.4, z)]
        _polygon(canvas, view, np.array(arm), [70, 72, 74], z)
        lamp = [(3.1, 6.36, z), (3.1, 6.52, z), (2.5, 6.52, z), (2.5, 6.4, z)]
        _polygon(canvas, view, np.array(lamp), [190, 194, 196], z)
    for z in np.arange(62.0, 17.0, -3.2):
        _post(canvas, view, (4.05, float(z)), (0.13, 0.95), 44)


def _post(canvas: Bgr, view: View, foot: tuple[float, float], size: tuple[float, float], grey: float) -> None:
    """A post at x, z = `foot`, its left side lit; `size` is its width and height in metres."""
    x, z = foot
    for left, right, light in ((-0.5, 0.5, 1.0), (-0.4, -0.05, 1.7)):
        x0, x1 = x + left * size[0], x + right * size[0]
        box = np.array([(x0, 0, z), (x0, size[1], z), (x1, size[1], z), (x1, 0, z)])
        _polygon(canvas, view, box, [grey * light] * 3, z)
