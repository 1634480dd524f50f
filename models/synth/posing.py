"""Where a plate stands in a picture: bowed, turned in space, seen by a pinhole camera, laid over a scene."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from models.synth.canvas import Bgr, Corners, Mask, blend, polygon, resized, warped
from models.synth.noise import clamp

if TYPE_CHECKING:
    from numpy.random import Generator
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Cutout:
    """A flat picture with its coverage and the corners that are to be placed."""

    image: Bgr
    cover: Mask
    outline: Corners


def cutout(image: Bgr, outline: Corners) -> Cutout:
    """The whole of a picture."""
    return Cutout(image, np.full(image.shape[:2], 255, np.uint8), outline)


def bowed(rng: Generator, plate: Cutout) -> Cutout:
    """A plate bowed up or down in its middle, as acrylic ones follow a bumper; its corners stay in place."""
    height, width = plate.cover.shape
    bow = rng.uniform(-0.14, 0.14) * height
    pad = math.ceil(abs(bow)) + 1
    across = np.linspace(-1, 1, width, dtype=np.float32)
    rows = np.arange(height + 2 * pad, dtype=np.float32)[:, None] - pad - np.float32(bow) * (1 - across * across)
    columns = np.broadcast_to(np.arange(width, dtype=np.float32), rows.shape)
    image = cv2.remap(plate.image, columns, rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    cover = cv2.remap(plate.cover, columns, rows, cv2.INTER_LINEAR)
    lowered = plate.outline + np.array([0, pad], np.float32)
    return Cutout(np.asarray(image, np.uint8), np.asarray(cover, np.uint8), lowered)


def pose(rng: Generator, outline: Corners, width_px: float, hardness: float) -> Corners:
    """The outline after a turn in space, seen by a pinhole camera, scaled to `width_px` between its outer points."""
    yaw = math.radians(clamp(rng.normal(0, 19) * hardness, -52, 52))
    pitch = math.radians(clamp(rng.normal(-5, 9) * hardness, -32, 32))
    roll = math.radians(clamp(rng.normal(0, 2.8 if rng.random() < 0.88 else 9) * hardness, -25, 25))
    turn = _rotation(roll, 2) @ _rotation(pitch, 0) @ _rotation(yaw, 1)
    flat = (outline - outline.mean(axis=0)) / (outline[1, 0] - outline[0, 0])
    space = np.concatenate([flat, np.zeros((4, 1), np.float32)], axis=1) @ turn.T
    distance = rng.uniform(5, 40)  # plate widths: 2.5 m to 20 m
    seen = space[:, :2] * (distance / (distance + space[:, 2:]))
    if rng.random() < 0.3:  # pictures stretched by their makers
        seen = seen * np.array([1, rng.uniform(0.85, 1.15)])
    return np.asarray(seen * (width_px / np.ptp(seen[:, 0])), np.float32)


def _rotation(angle: float, axis: int) -> NDArray[np.float64]:
    """A rotation in space by `angle` radians about x, y or z (0, 1, 2)."""
    matrix = np.eye(3)
    first, second = (axis + 1) % 3, (axis + 2) % 3
    matrix[first, first] = matrix[second, second] = math.cos(angle)
    matrix[first, second], matrix[second, first] = -math.sin(angle), math.sin(angle)
    return matrix


def _cover(cover: Mask, matrix: NDArray[np.float64], size: tuple[int, int]) -> Mask:
    """The coverage through a homography; a full one is drawn as a polygon, at a tenth of the cost."""
    height, width = cover.shape
    if not cover[0, width // 2] or not cover[-1, width // 2] or not cover[0, 0] or not cover[-1, 0]:
        return warped(cover, matrix, size)
    corners = np.array([(0, 0, 1), (width, 0, 1), (width, height, 1), (0, height, 1)]) @ matrix.T
    over = np.zeros((size[1], size[0]), np.uint8)
    polygon(over, corners[:, :2] / corners[:, 2:], (255,))
    return over


def composited(scene: Bgr, plate: Cutout, corners: Corners, *, shadow: float = 0.0) -> Bgr:
    """The plate over the scene with its outline on `corners`, and a soft shadow around it if `shadow` is over 0."""
    shrink = min(1.0, 1.15 * float(np.ptp(corners[:, 0]) / np.ptp(plate.outline[:, 0])))
    image, cover, outline = plate.image, plate.cover, plate.outline
    if shrink < 0.9:  # beforehand, so that nothing aliases
        small = (max(2, round(image.shape[1] * shrink)), max(2, round(image.shape[0] * shrink)))
        outline = outline * np.array([small[0] / image.shape[1], small[1] / image.shape[0]], np.float32)
        image, cover = resized(image, small), resized(cover, small)
    matrix = np.asarray(cv2.getPerspectiveTransform(outline, corners), np.float64)
    size = (scene.shape[1], scene.shape[0])
    over = _cover(cover, matrix, size)
    if shadow:
        shade = cv2.cvtColor(cv2.blur(over, (5, 5)), cv2.COLOR_GRAY2BGR)
        scene = np.asarray(cv2.subtract(scene, cv2.multiply(scene, shade, scale=shadow / 255)), np.uint8)
    return blend(scene, warped(image, matrix, size, cv2.BORDER_REPLICATE), over)
