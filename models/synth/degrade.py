"""From a flat plate to a photograph of it: pose, surroundings, light, lens, sensor and compression."""

from __future__ import annotations

import math
from collections.abc import Sequence

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from models.synth.noise import blend, clamp, grain
from models.synth.surroundings import surroundings

Bgr = NDArray[np.uint8]
Corners = NDArray[np.float32]
Mask = NDArray[np.uint8]


def photograph(
    rng: Generator, plate: Bgr, outline: Corners, width_px: float, hardness: float, backgrounds: Sequence[Bgr] = ()
) -> tuple[Bgr, Corners]:
    """A picture (H, W, 3) with the plate about `width_px` wide and 10 to 40 % margin, and its four corners in pixels."""
    alpha = np.full(plate.shape[:2], 255, np.uint8)
    if rng.random() < 0.14 * hardness:
        plate, alpha, outline = _bend(rng, plate, alpha, outline)
    posed = _pose(rng, outline, width_px, hardness)
    low, high = posed.min(axis=0), posed.max(axis=0)
    extent = high - low
    before, after = rng.uniform(0.1, 0.4, 2), rng.uniform(0.1, 0.4, 2)
    margins = np.maximum(extent[0] * np.array([0.35, 0.25]), extent) * 0.5 + extent * 0.5
    origin = low - margins * before
    size = np.ceil(high + margins * after - origin).astype(int)
    corners = (posed - origin).astype(np.float32)
    scene = surroundings(rng, int(size[0]), int(size[1]), corners, backgrounds)
    image = _light(rng, _place(rng, scene, plate, alpha, outline, corners), corners, hardness)
    return _camera(rng, image, width_px, hardness), corners


def _pose(rng: Generator, outline: Corners, width_px: float, hardness: float) -> Corners:
    """The outline after a turn in space, seen by a pinhole camera, scaled to `width_px` between its outer points."""
    yaw = math.radians(clamp(rng.normal(0, 19) * hardness, -52, 52))
    pitch = math.radians(clamp(rng.normal(-5, 9) * hardness, -32, 32))
    roll = math.radians(clamp(rng.normal(0, 2.8 if rng.random() < 0.88 else 9) * hardness, -25, 25))
    turned = _rotation(pitch, 0) @ _rotation(yaw, 1)
    turned = _rotation(roll, 2) @ turned
    centre = outline.mean(axis=0)
    flat = (outline - centre) / (outline[1, 0] - outline[0, 0])
    space = np.concatenate([flat, np.zeros((4, 1), np.float32)], axis=1) @ turned.T
    distance = rng.uniform(5, 40)  # plate widths: 2.5 m to 20 m
    seen = space[:, :2] * (distance / (distance + space[:, 2:]))
    if rng.random() < 0.3:  # a camera that is not square: pictures stretched by their makers
        seen = seen * np.array([1, rng.uniform(0.85, 1.15)])
    return np.asarray(seen * (width_px / np.ptp(seen[:, 0])), np.float32)


def _rotation(angle: float, axis: int) -> NDArray[np.float64]:
    """A rotation in space by `angle` radians about one of the axes."""
    matrix = np.eye(3)
    first, second = (axis + 1) % 3, (axis + 2) % 3
    matrix[first, first] = matrix[second, second] = math.cos(angle)
    matrix[first, second], matrix[second, first] = -math.sin(angle), math.sin(angle)
    return matrix


def _bend(rng: Generator, plate: Bgr, alpha: Mask, outline: Corners) -> tuple[Bgr, Mask, Corners]:
    """A plate bowed up or down in its middle, as acrylic ones follow a bumper."""
    height, width = alpha.shape
    bow = rng.uniform(-0.14, 0.14) * height
    pad = math.ceil(abs(bow)) + 1
    across = np.linspace(-1, 1, width, dtype=np.float32)
    rows = np.arange(height + 2 * pad, dtype=np.float32)[:, None] - pad - np.float32(bow) * (1 - across * across)
    columns = np.broadcast_to(np.arange(width, dtype=np.float32), rows.shape)
    bowed = cv2.remap(plate, columns, rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    cover = cv2.remap(alpha, columns, rows, cv2.INTER_LINEAR)
    return np.asarray(bowed, np.uint8), np.asarray(cover, np.uint8), outline + np.array([0, pad], np.float32)


def _place(rng: Generator, scene: Bgr, plate: Bgr, alpha: Mask, outline: Corners, corners: Corners) -> Bgr:
    """The plate laid into the scene with soft edges, shrunk beforehand so that nothing aliases."""
    shrink = min(1.0, 1.15 * float(np.ptp(corners[:, 0]) / np.ptp(outline[:, 0])))
    if shrink < 0.9:
        plate = cv2.resize(plate, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA)
        alpha = cv2.resize(alpha, (plate.shape[1], plate.shape[0]), interpolation=cv2.INTER_AREA)
        outline = outline * np.float32(shrink)
    matrix = cv2.getPerspectiveTransform(outline, corners)
    size = (scene.shape[1], scene.shape[0])
    laid = cv2.warpPerspective(plate, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    cover = cv2.warpPerspective(alpha, matrix, size, flags=cv2.INTER_LINEAR)
    if rng.random() < 0.5:  # the shadow the plate throws and the gap around it
        shadow = cv2.cvtColor(cv2.blur(cover, (5, 5)), cv2.COLOR_GRAY2BGR)
        scene = cv2.subtract(scene, cv2.multiply(scene, shadow, scale=0.5 / 255))
    return blend(scene, laid, cover)


def _light(rng: Generator, image: Bgr, corners: Corners, hardness: float) -> NDArray[np.float32]:
    """Exposure, shadows, glare and flash: returns linear-ish float32 BGR in 0..255, perhaps beyond."""
    lit = image.astype(np.float32)
    height, width = image.shape[:2]
    if rng.random() < 0.45:
        across = np.linspace(rng.uniform(0.6, 1.1), rng.uniform(0.6, 1.1), width, dtype=np.float32)
        down = np.linspace(rng.uniform(0.7, 1.1), rng.uniform(0.7, 1.1), height, dtype=np.float32)
        lit *= (down[:, None] * across)[..., None]
    if rng.random() < 0.18:
        lit *= _shadow_edge(rng, width, height)[..., None]
    if rng.random() < 0.1:
        lit *= _overhang(rng, width, height, corners)[..., None]
    if rng.random() < 0.1 * hardness:
        lit += _glare(rng, width, height)[..., None]
    dark = rng.random()
    if dark < 0.09:  # night with flash or headlights: the plate shines, the rest sinks
        around = rng.uniform(0.08, 0.5)
        mask = np.full((height, width), around, np.float32)
        cv2.fillConvexPoly(mask, np.round(corners).astype(np.int32), float(rng.uniform(0.9, 1.35)))
        lit *= mask[..., None]
    gain = np.exp(rng.normal(-0.02, 0.27 * max(hardness, 0.3)))
    balance = np.exp(rng.normal(0, 0.055, 3)).astype(np.float32)
    if rng.random() < 0.08:  # lamps or a broken balance
        balance *= np.array([rng.uniform(0.5, 1.1), rng.uniform(0.8, 1.0), rng.uniform(0.9, 1.2)], np.float32)
    lit *= gain * balance
    if rng.random() < 0.35:  # haze, glass, a shallow curve
        contrast = rng.uniform(0.4, 0.95)
        lit = lit * np.float32(contrast) + np.float32(rng.uniform(0, 120) * (1 - contrast))
    return lit


def _shadow_edge(rng: Generator, width: int, height: int) -> NDArray[np.float32]:
    angle = rng.uniform(0, 2 * np.pi)
    x = np.arange(width, dtype=np.float32)[None] - rng.uniform(0, width)
    y = np.arange(height, dtype=np.float32)[:, None] - rng.uniform(0, height)
    distance = x * np.float32(np.cos(angle)) + y * np.float32(np.sin(angle))
    soft = np.clip(distance / np.float32(rng.uniform(1, 0.1 * width + 2)) + 0.5, 0, 1)
    return np.asarray(1 - (1 - rng.uniform(0.3, 0.75)) * soft, np.float32)


def _overhang(rng: Generator, width: int, height: int, corners: Corners) -> NDArray[np.float32]:
    """The shadow of the edge above a recessed plate: its upper part is darker."""
    factor = np.ones((height, width), np.float32)
    depth = rng.uniform(0.08, 0.6)
    left, right = corners[0] + (corners[3] - corners[0]) * depth, corners[1] + (corners[2] - corners[1]) * depth
    slope = (right[1] - left[1]) / max(right[0] - left[0], 1.0)
    edge = [(-1, left[1] - slope * (left[0] + 1)), (width, left[1] + slope * (width - left[0])), (width, -1), (-1, -1)]
    cv2.fillConvexPoly(factor, np.round(np.array(edge) * 16).astype(np.int32), rng.uniform(0.35, 0.8), cv2.LINE_AA, 4)
    return np.asarray(cv2.blur(factor, (3, 3)), np.float32)


def _glare(rng: Generator, width: int, height: int) -> NDArray[np.float32]:
    x = (np.arange(width, dtype=np.float32)[None] - rng.uniform(0, width)) / np.float32(rng.uniform(0.05, 0.4) * width)
    y = (np.arange(height, dtype=np.float32)[:, None] - rng.uniform(0, height)) / np.float32(
        rng.uniform(0.1, 0.6) * height
    )
    return np.asarray(rng.uniform(40, 220) * np.exp(-(x * x + y * y)), np.float32)


def _camera(rng: Generator, lit: NDArray[np.float32], width_px: float, hardness: float) -> Bgr:
    """Blur, a detour through another size, grain, sharpening and JPEG."""
    height, width = lit.shape[:2]
    image = _blur(rng, np.clip(lit, 0, 255), width_px, hardness)
    detour = rng.random() < 0.3 * hardness and width_px > 60
    if detour:  # the picture was small and has been enlarged
        factor = rng.uniform(max(0.4, 45 / width_px), 0.9)
        image = cv2.resize(image, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
    image = _noise(rng, image, hardness)
    if rng.random() < 0.35:
        amount = rng.uniform(0.3, 1.6)
        image += (image - cv2.GaussianBlur(image, (0, 0), rng.uniform(0.7, 1.8))) * np.float32(amount)
    pixels = np.clip(image, 0, 255).astype(np.uint8)
    if rng.random() < 0.85:
        pixels = _jpeg(rng, pixels)
    if detour:
        kernel = cv2.INTER_LINEAR if rng.random() < 0.5 else cv2.INTER_CUBIC
        pixels = cv2.resize(pixels, (width, height), interpolation=kernel)
        if rng.random() < 0.5:
            pixels = _jpeg(rng, pixels)
    return pixels


def _jpeg(rng: Generator, pixels: Bgr) -> Bgr:
    quality = int(rng.integers(35, 96))
    done = cv2.imdecode(cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, quality])[1], cv2.IMREAD_COLOR)
    return np.asarray(done, np.uint8)


def _blur(rng: Generator, image: NDArray[np.float32], width_px: float, hardness: float) -> NDArray[np.float32]:
    stroke = width_px * 0.024  # about the stroke width of a letter on a one-line plate
    kind = rng.random()
    if kind < 0.45:
        sigma = clamp(stroke * abs(rng.normal(0, 0.33)) * hardness, 0.1, 4)
        return np.asarray(cv2.GaussianBlur(image, (0, 0), float(sigma)), np.float32) if sigma > 0.25 else image
    if kind < 0.7:
        length = float(clamp(stroke * abs(rng.normal(0, 0.9)) * hardness, 0, 14))
        if length < 1.2:
            return image
        return np.asarray(cv2.filter2D(image, -1, _streak(length, rng.normal(0, 0.5))), np.float32)
    return image


def _streak(length: float, angle: float) -> NDArray[np.float32]:
    """A motion blur kernel: a line of `length` pixels at `angle` radians."""
    size = int(length) // 2 * 2 + 3
    kernel = np.zeros((size, size), np.float32)
    half, middle = length / 2 * np.array([np.cos(angle), np.sin(angle)]), size / 2 - 0.5
    start, end = np.round((middle - half) * 16).astype(int), np.round((middle + half) * 16).astype(int)
    cv2.line(kernel, tuple(start), tuple(end), 1.0, 1, cv2.LINE_AA, 4)
    if kernel.sum() <= 0:
        kernel[size // 2, size // 2] = 1
    return kernel / kernel.sum()


def _noise(rng: Generator, image: NDArray[np.float32], hardness: float) -> NDArray[np.float32]:
    height, width = image.shape[:2]
    luma = abs(rng.normal(0, 3.2)) * hardness
    if luma < 0.7:
        return image
    field = grain(rng, (height, width))
    if rng.random() < 0.4:  # denoised by the camera: coarse grain
        field = cv2.blur(field, (2, 2)) * 1.6
    noisy = image + (field * np.float32(luma))[..., None]
    if rng.random() < 0.4:
        coarse = grain(rng, (height // 2 + 1, (width // 2 + 1) * 3)).reshape(height // 2 + 1, width // 2 + 1, 3)
        noisy += cv2.resize(coarse, (width, height), interpolation=cv2.INTER_LINEAR) * np.float32(
            luma * rng.uniform(0.5, 1.5)
        )
    return np.asarray(noisy, np.float32)
