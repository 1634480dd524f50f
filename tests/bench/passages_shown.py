"""What the cameras of `make bench-passages` show: drawn streets, and a vehicle that stops, hides or parks."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import cv2
import numpy as np

from models.evaluate.streets import fleet
from models.synth import street
from roadside.core.plates import fold
from roadside.core.showing import EvidenceRule

if TYPE_CHECKING:
    from collections.abc import Sequence

    from models.synth.canvas import Bgr

DRAWN_FPS = 10
"""Frames a second that are drawn: others are some of them."""
PACES = (10.0, 5.0, 2.0, 1.0, 0.7, 0.3)
HIDDEN_S = (2.0, 5.0, 15.0)
DROP_S = 20.0
SMALLEST_PX = 20.0
"""Of plates that may be told."""
STREETS = 4
"""Streets of six vehicles one after another; each plate passes once, for a plate that comes again at once is one."""
QUIET_S = 25.0
"""How long the empty street is shown before the end, so that everything can be told."""
QUALITY = (cv2.IMWRITE_JPEG_QUALITY, 88)


@dataclass(frozen=True, slots=True)
class Picture:
    """A frame of a scene."""

    jpeg: bytes
    readable: frozenset[str] = frozenset()
    """The plates that can be read in it, folded."""
    smaller: frozenset[str] = frozenset()
    """Those that are too small to be asked for."""
    at_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Scene:
    """What a camera shows, and when it is not there."""

    name: str
    fps: float
    pictures: Sequence[Picture]
    away_s: tuple[float, float] = (0.0, 0.0)
    """From when to when the camera hangs up and refuses."""


def drawn(seed: int, vehicles: int = 6) -> tuple[list[Bgr], list[Picture]]:
    """A street's frames at DRAWN_FPS."""
    clip = street.Clip(fps=DRAWN_FPS, seed=seed)
    models = street.build(np.random.default_rng(seed), fleet(seed)[:vehicles])
    wide, all_ = (street.passages(clip, models, px) for px in (EvidenceRule().least_width_px, SMALLEST_PX))
    images = list(street.frames(np.random.default_rng(seed), clip, models))
    times = [index / DRAWN_FPS for index in range(len(images))]
    pictures = [Picture(coded(image), _at(wide, t), _at(all_, t)) for image, t in zip(images, times, strict=True)]
    return images, pictures


def _at(spans: Sequence[street.Passage], time_s: float) -> frozenset[str]:
    return frozenset(fold(one.plate) for one in spans if one.first_s <= time_s <= one.last_s)


def coded(image: Bgr) -> bytes:
    """As JPEG."""
    return cv2.imencode(".jpg", image, QUALITY)[1].tobytes()


def at_pace(pictures: Sequence[Picture], fps: float) -> tuple[Picture, ...]:
    """Those of pictures at DRAWN_FPS that a camera with `fps` takes, then the last one for QUIET_S."""
    step = DRAWN_FPS / fps
    chosen = [pictures[int(place * step)] for place in range(int(len(pictures) / step))]
    chosen += [Picture(pictures[-1].jpeg)] * round(QUIET_S * fps + 1)
    return tuple(replace(one, at_s=place / fps) for place, one in enumerate(chosen))


def stopping(seed: int, seconds: float, hidden_s: float = 0.0) -> list[Picture]:
    """One vehicle that stops where its plate is largest for `seconds`, `hidden_s` of them behind something."""
    images, pictures = drawn(seed, vehicles=1)
    stop = max(index for index, one in enumerate(pictures) if one.readable) - 3
    rng = np.random.default_rng(seed)
    still = [replace(pictures[stop], jpeg=coded(street.grained(rng, images[stop]))) for _ in range(8)]
    behind = [Picture(coded(street.grained(rng, _hidden(images[stop], images[0])))) for _ in range(8)]
    first, last = (seconds - hidden_s) / 2, (seconds + hidden_s) / 2
    held = [
        (behind if hidden_s and first <= place / DRAWN_FPS < last else still)[place % 8]
        for place in range(round(seconds * DRAWN_FPS))
    ]
    return [*pictures[:stop], *held, *pictures[stop:]]


def _hidden(image: Bgr, empty: Bgr) -> Bgr:
    """The vehicle behind a lorry: a grey side from the left edge to the right one, the street's own light on it."""
    out = image.copy()
    top = out.shape[0] // 5
    shade = empty[top:].mean(axis=(0, 1)) * 0.6
    out[top:] = (shade + np.linspace(-12, 12, out.shape[0] - top)[:, None, None]).clip(0, 255).astype(np.uint8)
    return out


def scenes(parked_minutes: float) -> list[Scene]:
    """Everything that is measured."""
    streets = [drawn(seed)[1] for seed in range(60, 60 + STREETS)]
    looped = [one for pictures in streets for one in pictures]
    found = [Scene("street", fps, at_pace(looped, fps)) for fps in PACES]
    found += [Scene(f"hidden for {s:.0f} s", 5.0, at_pace(stopping(71, s + 6, s), 5.0)) for s in HIDDEN_S]
    first, second = streets[0], streets[1]
    cut = round(0.6 * len(first))  # while vehicles are in view
    gone = (cut / DRAWN_FPS, cut / DRAWN_FPS + DROP_S)
    shown = [*first[:cut], *[Picture(first[-1].jpeg)] * round(DROP_S * DRAWN_FPS), *second]
    found.append(Scene(f"camera away for {DROP_S:.0f} s", 5.0, at_pace(shown, 5.0), gone))
    if parked_minutes:
        parked = at_pace(stopping(72, parked_minutes * 60), 2.0)
        found.append(Scene(f"parked for {parked_minutes:g} minutes", 2.0, parked))
    return found
