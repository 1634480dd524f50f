"""Clips of tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray


def undated(clip: Path, folder: Path) -> Path:
    """A copy in `folder` of an MP4 that does not say when it was taken."""
    data = bytearray(clip.read_bytes())
    at = data.rindex(b"mvhd")
    assert data[at + 4] == 0, "version 0 has 32 bits for each time"
    data[at + 8 : at + 16] = bytes(8)
    copy = folder / "undated.mp4"
    copy.write_bytes(data)
    return copy


def passing(photograph: NDArray[np.uint8], path: Path, frames: int = 40) -> Path:
    """A clip at `path` of a camera that stands, before which what is on `photograph` comes nearer, at 25 frames/s."""
    texture = np.random.default_rng(3).integers(60, 190, (18, 32, 3)).astype(np.uint8)
    wall = cv2.resize(texture, (1280, 720), interpolation=cv2.INTER_CUBIC)
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), 25, (1280, 720))
    for n in range(frames):
        part = n / frames
        vehicle = cv2.resize(photograph, None, fx=0.6 + 0.6 * part, fy=0.6 + 0.6 * part, interpolation=cv2.INTER_AREA)
        x, y, picture = round(100 + 400 * part), round(60 + 80 * part), wall.copy()
        picture[y : y + vehicle.shape[0], x : x + vehicle.shape[1]] = vehicle
        writer.write(picture)
    writer.release()
    return path
