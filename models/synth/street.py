"""A short clip of a street with passing vehicles, drawn from nothing: a demonstration without anybody's photographs."""

from __future__ import annotations

import argparse
import csv
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from models.command import answer
from models.synth import formats, vehicles
from models.synth.flat import draw_plate
from models.synth.noise import grain
from models.synth.posing import cutout
from models.synth.scenery import street
from models.synth.vehicles import Model, Vehicle
from models.synth.view import View

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.random import Generator

    from models.synth.canvas import Bgr

# Not on any car: the years 2043 to 2048, a Czech and a Slovak series that are far from being issued.
DEMO_VEHICLES = (
    Vehicle("HK47 TVN", "UK", "hatchback", (60, 38, 168), "approaching", 2.6, 8.6),
    Vehicle("9K7*4182", "CZ", "estate", (150, 148, 146), "leaving", 2.1, 8.0),
    Vehicle("9L4*6375", "CZ", "suv", (44, 42, 40), "approaching", 5.6, 8.2),
    Vehicle("LM43 XPF", "UK", "van", (222, 223, 224), "leaving", 6.0, 7.6),
    Vehicle("ZZ*739HT", "SK", "saloon", (128, 74, 38), "approaching", 8.6, 8.8),
    Vehicle("KV46 RNE", "UK", "hatchback", (205, 207, 208), "approaching", 11.4, 8.4),
)
VIEW = View(1280, 720, focal_px=1750.0, x=0.35, y=2.75, pitch=0.056, yaw=0.042)
_FROM_1904_S = 2_082_844_800
"""Seconds from 1904, with which the times of MP4 begin, to 1970."""
_PAD_PX = 8
_SHUTTER_S = 1 / 220
_MIN_PLATE_PX = 40.0


@dataclass(frozen=True, slots=True)
class Passage:
    """When a plate can be read: wholly in the picture, and wide enough."""

    plate: str
    """A-Z and 0-9 only."""
    country: str
    first_s: float
    last_s: float


@dataclass(frozen=True, slots=True)
class Clip:
    """How a clip is shot."""

    view: View = VIEW
    duration_s: float = 12.4
    fps: int = 25
    near_m: float = 8.4
    """Distance of a plate at its vehicle's near_s."""
    seed: int = 7


def passages(clip: Clip, models: Sequence[Model], least_px: float = _MIN_PLATE_PX) -> tuple[Passage, ...]:
    """The plates in order of their first readable frame; a plate that never is `least_px` wide is left out."""
    found = []
    for built in models:
        times = [
            index / clip.fps
            for index in range(round(clip.duration_s * clip.fps))
            if _readable(clip, built, index / clip.fps, least_px)
        ]
        if times:
            spelled = formats.registration(built.vehicle.plate, built.vehicle.country)
            found.append(Passage(spelled.text, spelled.country, times[0], times[-1]))
    return tuple(sorted(found, key=lambda one: one.first_s))


def _readable(clip: Clip, built: Model, time_s: float, least_px: float) -> bool:
    distance = vehicles.plate_distance(built.vehicle, clip.near_m, time_s)
    if distance < 2.0:
        return False
    corners = vehicles.plate_in_view(clip.view, built, distance)
    inside = (corners >= 4).all() and (corners <= np.array([clip.view.width - 4, clip.view.height - 4])).all()
    return bool(inside and np.ptp(corners[:, 0]) >= least_px)


def build(rng: Generator, fleet: Sequence[Vehicle]) -> list[Model]:
    """The vehicles with their plates: British ones white at the front and yellow at the rear."""
    models = []
    for vehicle in fleet:
        spelled = formats.registration(vehicle.plate, vehicle.country)
        rear = vehicle.country == "UK" and vehicle.lane == "leaving"
        scheme = ("uk_yellow" if rear else "white", "black")
        flat = draw_plate(rng, spelled, px_per_mm=0.9, aged=False, scheme=scheme)
        models.append(vehicles.model(vehicle, cutout(flat.image, flat.outline)))
    return models


def frames(rng: Generator, clip: Clip, models: Sequence[Model]) -> Iterator[Bgr]:
    """The clip's pictures (720, 1280, 3) uint8 BGR, one after another."""
    view = clip.view
    wide = View(
        view.width + 2 * _PAD_PX, view.height + 2 * _PAD_PX, view.focal_px, view.x, view.y, view.pitch, view.yaw
    )
    # The standing parts a little soft, as from a cheap lens: it also halves the size of the encoded clip.
    empty = np.asarray(cv2.GaussianBlur(street(rng, wide), (0, 0), 0.85), np.uint8)
    phases = rng.uniform(0, 2 * np.pi, (2, 4))
    for index in range(round(clip.duration_s * clip.fps)):
        time_s = index / clip.fps
        frame = empty.copy()
        placed = [(vehicles.plate_distance(m.vehicle, clip.near_m, time_s), m) for m in models]
        for distance, built in sorted(placed, key=lambda one: -one[0]):
            if -6 < distance < 110:
                frame = vehicles.draw(wide, frame, built, distance, _SHUTTER_S)
        yield _recorded(rng, frame, _shake(phases, time_s), (view.width, view.height))


def _shake(phases: np.ndarray[tuple[int, ...], np.dtype[np.float64]], time_s: float) -> tuple[float, float]:
    """Sway of a pole in the wind, pixels."""
    rates = np.array([0.7, 1.9, 4.3, 9.0])
    sway = (np.sin(2 * np.pi * rates * time_s + phases) * [0.8, 0.35, 0.1, 0.05]).sum(axis=1)
    return float(sway[0]), float(sway[1])


def _recorded(rng: Generator, frame: Bgr, sway: tuple[float, float], size: tuple[int, int]) -> Bgr:
    """The part of the frame that the swaying camera sees, with the grain of its sensor."""
    shift = np.array([[1, 0, -_PAD_PX + sway[0]], [0, 1, -_PAD_PX + sway[1]]], np.float32)
    seen = cv2.warpAffine(frame, shift, size, flags=cv2.INTER_LINEAR)
    return grained(rng, np.asarray(seen, np.uint8))


def grained(rng: Generator, image: Bgr) -> Bgr:
    """The picture with the grain of the camera's sensor."""
    height, width = image.shape[:2]
    noise = (grain(rng, (height, width)) * np.float32(1.1)).round().astype(np.int16)
    return np.asarray(cv2.add(image, cv2.merge([noise] * 3), dtype=cv2.CV_8U), np.uint8)


def write(out: Path, clip: Clip, fleet: Sequence[Vehicle] = DEMO_VEHICLES) -> tuple[Passage, ...]:
    """Encode the clip to `out` (.mp4 as MPEG-4, .avi as motion JPEG) and its plates to a .tsv beside it.

    Raises OSError when OpenCV cannot write there.
    """
    rng = np.random.default_rng(clip.seed)
    models = build(rng, fleet)
    code = cv2.VideoWriter.fourcc(*("MJPG" if out.suffix == ".avi" else "mp4v"))
    writer = cv2.VideoWriter(str(out), code, clip.fps, (clip.view.width, clip.view.height))
    if not writer.isOpened():
        raise OSError(f"cannot write {out}")
    try:
        for frame in frames(rng, clip, models):
            writer.write(frame)
    finally:
        writer.release()
    _date(out)
    seen = passages(clip, models)
    with out.with_suffix(".tsv").open("w", newline="") as file:
        rows = csv.writer(file, delimiter="\t", lineterminator="\n")
        rows.writerow(("plate", "country", "first_s", "last_s"))
        rows.writerows((one.plate, one.country, f"{one.first_s:.2f}", f"{one.last_s:.2f}") for one in seen)
    return seen


def _date(path: Path) -> None:
    """Say that the clip was taken now, as cameras do: OpenCV leaves 0 in `mvhd` (ISO/IEC 14496-12, 8.2.2)."""
    data = bytearray(path.read_bytes())
    at = data.rfind(b"mvhd")
    if path.suffix == ".mp4" and at >= 0 and data[at + 4] == 0:  # version 0: 32 bits each of creation and change
        data[at + 8 : at + 16] = (_FROM_1904_S + int(time.time())).to_bytes(4, "big") * 2
        path.write_bytes(data)


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the demonstration clip and the list of its plates."""
    prog = "models.synth.street"
    parser = argparse.ArgumentParser(prog=prog, description=main.__doc__)
    parser.add_argument("--out", type=Path, required=True, help="the clip, .mp4 or .avi")
    parser.add_argument("--seed", type=int, default=Clip().seed)
    parser.add_argument("--duration-s", type=float, default=Clip().duration_s)
    chosen = parser.parse_args(arguments)

    def work() -> None:
        for seen in write(chosen.out, Clip(seed=chosen.seed, duration_s=chosen.duration_s)):
            print(f"  {seen.plate} ({seen.country}) passes from {seen.first_s:.1f} to {seen.last_s:.1f} s")

    return answer(prog, work)


if __name__ == "__main__":
    raise SystemExit(main())
