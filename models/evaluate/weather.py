"""Conditions of a frame: distance, darkness, rain, and what a poor camera makes of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from models.synth.camera import compressed, streaked
from models.synth.canvas import resized

if TYPE_CHECKING:
    from numpy.random import Generator

    from models.synth.canvas import Bgr


@dataclass(frozen=True, slots=True)
class Weather:
    """What lies between a plate and its picture."""

    name: str
    widths_px: tuple[float, float]
    """Of a photographed plate in the first and in the last frame of its approach."""
    shrink: float = 1.0
    """Of a clip's frame."""
    gain: tuple[float, float] = (0.75, 1.2)
    haze: float = 0.0
    """Share of the contrast that is lost."""
    drops: int = 0
    """Streaks of rain in a million pixels."""
    focus_px: float = 0.0
    motion_px: float = 1.0
    """Mean length of the motion blur."""
    noise: float = 2.0
    """Standard deviation of the sensor's noise, grey values."""
    quality: tuple[int, int] = (70, 92)
    """Of the JPEG."""


DAY = Weather("day", (30, 80))
FAR = Weather("far", (24, 52), shrink=0.5)
NIGHT = Weather("night", (30, 80), gain=(0.12, 0.3), motion_px=2.5, noise=6.0, quality=(45, 75))
RAIN = Weather("rain", (30, 80), haze=0.5, drops=600, focus_px=0.9, motion_px=1.5, noise=4.0, quality=(40, 70))
ALL = (DAY, FAR, NIGHT, RAIN)


def photograph(rng: Generator, image: Bgr, weather: Weather) -> Bgr:
    """`image` (H, W, 3) as a camera records it in this weather; its size stays, see `Weather.shrink`."""
    light = image.astype(np.float32)
    length = float(rng.exponential(weather.motion_px))
    if length > 1.2:
        light = streaked(light, min(length, 8.0), float(rng.normal(0, 0.4)))
    if weather.focus_px:
        light = np.asarray(cv2.GaussianBlur(light, (0, 0), weather.focus_px * rng.uniform(0.5, 1.5)), np.float32)
    light = light * np.float32((1 - weather.haze) * rng.uniform(*weather.gain)) + np.float32(weather.haze * 150)
    if weather.drops:
        _rain(rng, light, weather.drops)
    light += rng.standard_normal(light.shape, np.float32) * np.float32(weather.noise)
    pixels = np.clip(light, 0, 255).astype(np.uint8)
    return compressed(pixels, int(rng.integers(*weather.quality)))


def downscaled(image: Bgr, weather: Weather) -> Bgr:
    """A clip's frame from as far away as the weather says."""
    height, width = image.shape[:2]
    if weather.shrink == 1:
        return image
    return resized(image, (round(width * weather.shrink), round(height * weather.shrink)))


def _rain(rng: Generator, light: np.ndarray[tuple[int, ...], np.dtype[np.float32]], drops: int) -> None:
    height, width = light.shape[:2]
    slant, length = rng.uniform(-0.2, 0.2), 0.02 * height + 6
    for _ in range(max(1, round(drops * height * width / 1e6))):
        x, y = rng.uniform(0, width), rng.uniform(0, height)
        end = (round(x + slant * length), round(y + length))
        cv2.line(light, (round(x), round(y)), end, (185, 185, 185), 1, cv2.LINE_AA)
