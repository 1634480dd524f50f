"""Cheap cameras: blur of focus and motion, grain, sharpening, enlargement and JPEG."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from models.synth.canvas import Bgr, Field, Picture, polygon, resized
from models.synth.noise import clamp, grain

if TYPE_CHECKING:
    from numpy.random import Generator


def taken(rng: Generator, light: Field, width_px: float, hardness: float) -> Bgr:
    """What a camera makes of `light` (H, W, 3) float32; blurs are scaled to a plate `width_px` wide."""
    height, width = light.shape[:2]
    image = _blurred(rng, np.clip(light, 0, 255), width_px, hardness)
    enlarged = rng.random() < 0.3 * hardness and width_px > 60
    if enlarged:
        factor = rng.uniform(max(0.4, 45 / width_px), 0.9)
        image = resized(image, (max(8, round(width * factor)), max(8, round(height * factor))))
    image = _grainy(rng, image, hardness)
    if rng.random() < 0.35:
        blurred = cv2.GaussianBlur(image, (0, 0), rng.uniform(0.7, 1.8))
        image = np.asarray(image + (image - blurred) * np.float32(rng.uniform(0.3, 1.6)), np.float32)
    pixels = np.clip(image, 0, 255).astype(np.uint8)
    if rng.random() < 0.85:
        pixels = compressed(pixels, int(rng.integers(35, 96)))
    if not enlarged:
        return pixels
    pixels = resized(pixels, (width, height), cv2.INTER_LINEAR if rng.random() < 0.5 else cv2.INTER_CUBIC)
    return compressed(pixels, int(rng.integers(35, 96))) if rng.random() < 0.5 else pixels


def compressed(pixels: Bgr, quality: int) -> Bgr:
    """The picture after JPEG at `quality` (0 to 100)."""
    coded = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    return np.asarray(cv2.imdecode(coded, cv2.IMREAD_COLOR), np.uint8)


def _blurred(rng: Generator, image: Field, width_px: float, hardness: float) -> Field:
    stroke = width_px * 0.024  # about the stroke of a letter on a one-line plate
    kind = rng.random()
    if kind < 0.45:
        sigma = clamp(stroke * abs(rng.normal(0, 0.33)) * hardness, 0, 4)
        return image if sigma < 0.25 else np.asarray(cv2.GaussianBlur(image, (0, 0), sigma), np.float32)
    if kind < 0.7:
        length = clamp(stroke * abs(rng.normal(0, 0.9)) * hardness, 0, 14)
        return image if length < 1.2 else streaked(image, length, float(rng.normal(0, 0.5)))
    return image


def streaked(image: Picture, length_px: float, angle: float) -> Picture:
    """The picture blurred by a motion of `length_px` in direction `angle`, radians."""
    size = int(length_px) // 2 * 2 + 3
    kernel = np.zeros((size, size), np.float32)
    along = np.array([np.cos(angle), np.sin(angle)])
    across, half = np.array([-along[1], along[0]]) * 0.5, along * length_px / 2
    polygon(
        kernel,
        [size // 2 + s * half + t * across for s, t in ((-1, -1), (1, -1), (1, 1), (-1, 1))],
        (1.0,),
        smooth=False,
    )
    kernel[size // 2, size // 2] = 1
    return np.asarray(cv2.filter2D(image, -1, kernel / kernel.sum()), image.dtype)


def _grainy(rng: Generator, image: Field, hardness: float) -> Field:
    height, width = image.shape[:2]
    luma = abs(rng.normal(0, 3.2)) * hardness
    if luma < 0.7:
        return image
    field = grain(rng, (height, width))
    if rng.random() < 0.4:  # denoised by the camera: coarse grain
        field = np.asarray(cv2.blur(field, (2, 2)) * np.float32(1.6), np.float32)
    noisy = image + (field * np.float32(luma))[..., None]
    if rng.random() < 0.4:
        coarse = grain(rng, (height // 2 + 1, (width // 2 + 1) * 3)).reshape(height // 2 + 1, width // 2 + 1, 3)
        noisy += resized(coarse, (width, height), cv2.INTER_LINEAR) * np.float32(luma * rng.uniform(0.5, 1.5))
    return noisy
