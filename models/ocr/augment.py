"""Augmentation of strips: a jittered quadrilateral, then what a poor camera does to the picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from models.synth.camera import streaked
from roadside.core.rectify import strip, three_line_strip, two_line_strip

if TYPE_CHECKING:
    from numpy.random import Generator
    from numpy.typing import NDArray


def jitter(rng: Generator, corners: NDArray[np.float32], *, mild: bool) -> NDArray[np.float32]:
    """The corners (4, 2) as a detector might have given them: margins of its own on every side, turned and sheared."""
    across = float(np.linalg.norm(corners[1] - corners[0]))
    height = float(np.linalg.norm(corners[3] - corners[0]))
    share = 0.5 if mild else 1.0
    loose = rng.random() < 0.12 and not mild
    spread = np.array([0.03, 0.03, 0.07, 0.07]) * share
    margins = rng.normal((0.03, 0.03, 0.05, 0.05), spread) + (np.abs(rng.normal(0, 0.12, 4)) if loose else 0)
    left, right, top, bottom = margins
    tl, tr, br, bl = corners
    upper, lower, leading, trailing = tr - tl, br - bl, bl - tl, br - tr
    out = np.stack(
        [
            tl - upper * left - leading * top,
            tr + upper * right - trailing * top,
            br + lower * right + trailing * bottom,
            bl - lower * left + leading * bottom,
        ]
    )
    angle = rng.normal(0, 0.02 * share)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    centre = out.mean(0)
    out = (out - centre) @ turn.T + centre
    out[[0, 1], 0] += rng.normal(0, 0.06 * share) * height
    out += rng.normal(0, 0.025 * share * height, (4, 2))
    return out.astype(np.float32) if across > 0 else corners


def degraded_strip(
    rng: Generator,
    grey: NDArray[np.uint8],
    corners: NDArray[np.float32],
    lines: int,
    split: float,
    *,
    mild: bool,
    hard: bool = False,
) -> NDArray[np.uint8]:
    """A strip of the plate for training, (48, 176) uint8."""
    placed = jitter(rng, corners, mild=mild)
    if lines == 2:
        clean = two_line_strip(grey, placed, float(np.clip(split + rng.normal(0, 0.025), 0.2, 0.8)))
    elif lines == 3:
        above, below = (np.array([1, 2]) / 3 + rng.normal(0, 0.015, 2)).tolist()
        clean = three_line_strip(grey, placed, (above, below))
    else:
        clean = strip(grey, placed)
    return degraded(rng, clean, mild=mild, hard=hard)


def degraded(rng: Generator, strip_px: NDArray[np.uint8], *, mild: bool, hard: bool = False) -> NDArray[np.uint8]:
    """The strip (H, W) uint8 as a poor photograph of it: resolution, blur, light, noise, dirt, compression.

    With `hard`, and unless it is `mild`, it may first have been far away, moved, out of focus or half in a deep shadow.
    """
    out = strip_px.astype(np.float32)
    if hard and not mild:
        out = _shaded(rng, _smeared(rng, out) if rng.random() < 0.5 else _far(rng, out))
    out = _resampled(rng, out, mild=mild)
    out = _blurred(rng, out, mild=mild)
    out = _lit(rng, out, mild=mild)
    if rng.random() < 0.35:
        out += rng.normal(0, rng.uniform(1, 6 if mild else 14), out.shape)
    if rng.random() < 0.04:
        out = 255 - out
    if rng.random() < 0.06 and not mild:
        height, width = out.shape
        x, y = rng.integers(width), rng.integers(height)
        out[y : y + rng.integers(2, 13), x : x + rng.integers(2, 8)] = rng.uniform(0, 255)
    final = np.clip(out, 0, 255).astype(np.uint8)
    if rng.random() < 0.2:
        _, coded = cv2.imencode(".jpg", final, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(30, 91))])
        final = np.asarray(cv2.imdecode(coded, cv2.IMREAD_GRAYSCALE), np.uint8)
    return final


def _smeared(rng: Generator, grey: NDArray[np.float32]) -> NDArray[np.float32]:
    """A strip that moved while the shutter was open, or that is out of focus, for half of the strips."""
    draw = rng.random()
    if draw < 0.3:
        length, angle = rng.uniform(0.02, 0.1) * grey.shape[1], float(rng.normal(0, 0.5))
        return np.asarray(streaked(grey, length, angle), np.float32)
    if draw < 0.55:
        return np.asarray(cv2.GaussianBlur(grey, (0, 0), rng.uniform(0.02, 0.1) * grey.shape[0]), np.float32)
    return grey


def _far(rng: Generator, grey: NDArray[np.float32]) -> NDArray[np.float32]:
    """A strip as 7 to 20 rows of a sensor show it, with their noise and compression, for a half of the strips."""
    if rng.random() >= 0.55:
        return grey
    height, width = grey.shape
    share = rng.uniform(0.16, 0.42)
    size = (max(30, round(width * share * rng.uniform(0.85, 1.25))), max(7, round(height * share)))
    small = np.asarray(cv2.resize(grey, size, interpolation=cv2.INTER_AREA), np.float32)
    if rng.random() < 0.5:
        small = small + rng.normal(0, rng.uniform(1, 8), small.shape).astype(np.float32)
    if rng.random() < 0.4:
        quality = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(30, 85))]
        _, coded = cv2.imencode(".jpg", np.clip(small, 0, 255).astype(np.uint8), quality)
        small = np.asarray(cv2.imdecode(coded, cv2.IMREAD_GRAYSCALE), np.float32)
    back = cv2.INTER_LINEAR if rng.random() < 0.6 else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(small, (width, height), interpolation=back), np.float32)


def _shaded(rng: Generator, grey: NDArray[np.float32]) -> NDArray[np.float32]:
    """The edge of a deep shadow across the strip, soft or sharp, for a quarter of the strips."""
    if rng.random() >= 0.25:
        return grey
    height, width = grey.shape
    top = rng.uniform(0.0, 1.0) * width
    edge = top + rng.normal(0, 0.15) * width * (np.arange(height)[:, None] / height - 0.5)
    ramp = (np.arange(width)[None] - edge) / rng.uniform(0.5, 8.0)
    dark = 1 / (1 + np.exp(-np.clip(ramp if rng.random() < 0.5 else -ramp, -30, 30)))
    return np.asarray(grey * (1 - dark * (1 - rng.uniform(0.05, 0.4))), np.float32)


def _resampled(rng: Generator, grey: NDArray[np.float32], *, mild: bool) -> NDArray[np.float32]:
    if rng.random() >= (0.25 if mild else 0.45):
        return grey
    height, width = grey.shape
    scale = rng.uniform(0.55 if mild else 0.28, 0.95)
    small_width = max(20, int(width * scale))
    small_height = min(height, max(8, int(height * max(scale * rng.uniform(0.8, 1.5), 0.2))))
    small = cv2.resize(grey, (small_width, small_height), interpolation=cv2.INTER_AREA)
    back = cv2.INTER_LINEAR if rng.random() < 0.5 else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(small, (width, height), interpolation=back), np.float32)


def _blurred(rng: Generator, grey: NDArray[np.float32], *, mild: bool) -> NDArray[np.float32]:
    out = grey
    if rng.random() < 0.2:
        out = np.asarray(cv2.GaussianBlur(out, (0, 0), rng.uniform(0.3, 0.8 if mild else 1.4)), np.float32)
    if rng.random() < 0.12 and not mild:
        out = np.asarray(cv2.filter2D(out, -1, motion_kernel(rng)), np.float32)
    if rng.random() < 0.15:
        out = out + (out - cv2.GaussianBlur(out, (0, 0), 1.5)) * np.float32(rng.uniform(0.3, 1.5))
    return out


def motion_kernel(rng: Generator) -> NDArray[np.float32]:
    """A blur along the road, or now and then along a diagonal, of 3 to 7 pixels; sums to 1."""
    length = int(rng.choice([3, 5, 7]))
    kernel = np.zeros((length, length), np.float32)
    if rng.random() < 0.7:
        kernel[length // 2] = 1 / length
    else:
        np.fill_diagonal(kernel, 1 / length)
    return kernel


def _lit(rng: Generator, grey: NDArray[np.float32], *, mild: bool) -> NDArray[np.float32]:
    out = grey
    height, width = out.shape
    if rng.random() < 0.3:
        near, far = (float(end) for end in rng.uniform(0.5, 1.2, 2))
        ramp = np.linspace(near, far, width)[None] if rng.random() < 0.6 else np.linspace(near, far, height)[:, None]
        out = (out * ramp).astype(np.float32)
    if rng.random() < 0.12 and not mild:
        top, bottom = rng.uniform(-0.2, 1.2, 2) * width
        edge = top + (bottom - top) * np.arange(height)[:, None] / height
        out = np.where(np.arange(width)[None] > edge, out * np.float32(rng.uniform(0.4, 0.8)), out)
    if rng.random() < 0.7:
        out = (out - 128) * np.float32(rng.uniform(0.45, 1.3)) + 128 + np.float32(rng.uniform(-50, 45))
    if rng.random() < 0.15:
        out = (255 * (np.clip(out, 0, 255) / 255) ** rng.uniform(0.5, 2.0)).astype(np.float32)
    return np.asarray(out, np.float32)
