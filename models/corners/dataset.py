"""Where the corner net's samples come from: rendered plates, and real ones seen from the front, warped at random."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from models.ocr.augment import degraded
from models.ocr.crops import read_grey
from models.ocr.pool import render
from roadside.core.corners import REGION_HEIGHT_PX, REGION_WIDTH_PX, bounding_box, region
from roadside.core.frames import Box
from roadside.core.rectify import box_corners, cut

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.random import Generator
    from numpy.typing import NDArray

    from models.corners.config import BoxJitter, CornersConfig, Frontal, Warp
    from models.ocr.crops import Crop
    from models.ocr.dataset import RenderedPlates

SURROUNDINGS = 0.15
"""What is kept of a picture around a plate, as a share of the plate's width: as much as the project's crops hold."""


@dataclass(frozen=True, slots=True)
class View:
    """A plate in a picture, with the box that a detector might have given it."""

    grey: NDArray[np.uint8]
    corners: NDArray[np.float32]
    """(4, 2) pixels x, y: top left, top right, bottom right, bottom left."""
    box: Box


@dataclass(frozen=True, slots=True)
class Sample:
    """One region of a batch."""

    picture: NDArray[np.uint8]
    """(64, 128)."""
    offsets: NDArray[np.float32]
    """(8,): what the net is to say."""
    spans: NDArray[np.float32]
    """(8,): the region's width and height, in turn, in plate heights; offsets times this are errors one can compare."""


# --- Geometry -------------------------------------------------------------------------------------


def offsets_between(corners: NDArray[np.float32], box: Box) -> NDArray[np.float32]:
    """The inverse of roadside.core.corners.place: (8,) float32 for the corners (4, 2) of the plate in `box`."""
    seen = region(box)
    moved = corners - box_corners(box.x1, box.y1, box.x2, box.y2)
    return (moved / np.array([seen.width, seen.height], np.float32)).reshape(8).astype(np.float32)


def plate_height(corners: NDArray[np.float32]) -> float:
    """The mean height in pixels of the plate whose corners are (4, 2)."""
    return float(np.linalg.norm(corners[3] - corners[0] + corners[2] - corners[1])) / 2


def region_of(grey: NDArray[np.uint8], box: Box) -> NDArray[np.uint8]:
    """What roadside.core.corners.region_picture makes of a picture in colours, from a grey one: (64, 128) uint8."""
    seen = region(box)
    return cut(grey, box_corners(seen.x1, seen.y1, seen.x2, seen.y2), REGION_WIDTH_PX, REGION_HEIGHT_PX)


def sample_of(view: View) -> Sample:
    """What the net sees of a view and is to say."""
    seen, height = region(view.box), plate_height(view.corners)
    spans = np.tile(np.array([seen.width / height, seen.height / height], np.float32), 4)
    return Sample(region_of(view.grey, view.box), offsets_between(view.corners, view.box), spans)


def warped(
    rng: Generator, grey: NDArray[np.uint8], corners: NDArray[np.float32], warp: Warp
) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """The picture and its plate's corners under a random homography."""
    angle, scale = np.radians(rng.normal(0, warp.turn_deg)), np.exp(rng.normal(0, warp.scale))
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]) * scale
    shear = np.array([[1, rng.normal(0, warp.shear_across)], [rng.normal(0, warp.shear_down), 1]])
    centre = corners.mean(0)
    moved = (corners - centre) @ (turn @ shear).T + centre
    moved = (moved + rng.normal(0, warp.corner * plate_height(corners), (4, 2))).astype(np.float32)
    matrix = cv2.getPerspectiveTransform(corners.astype(np.float32), moved)
    border = cv2.BORDER_REFLECT_101 if rng.random() < 0.5 else cv2.BORDER_REPLICATE
    size = (grey.shape[1], grey.shape[0])
    picture = cv2.warpPerspective(grey, matrix, size, flags=cv2.INTER_LINEAR, borderMode=border)
    return np.asarray(picture, np.uint8), moved


def jittered_box(rng: Generator, corners: NDArray[np.float32], jitter: BoxJitter) -> Box:
    """The box around the corners as a detector might give it."""
    tight = bounding_box(corners)
    x = (tight.x1 + tight.x2) / 2 + rng.normal(0, jitter.shift_across) * tight.width
    y = (tight.y1 + tight.y2) / 2 + rng.normal(0, jitter.shift_down) * tight.height
    width = tight.width * float(np.exp(rng.normal(0, jitter.width)))
    height = tight.height * float(np.exp(rng.normal(jitter.height_mean, jitter.height)))
    return Box(x - width / 2, y - height / 2, x + width / 2, y + height / 2)


# --- Real plates ----------------------------------------------------------------------------------


def is_frontal(crop: Crop, frontal: Frontal) -> bool:
    """Whether the crop's box may stand for the plate's corners."""
    if crop.quality == "none":
        return False
    box = bounding_box(crop.corners)
    own = crop.source == "own"
    ranges, regions = (
        (frontal.one_line, frontal.one_line_regions)
        if crop.lines == 1
        else (frontal.two_lines, frontal.two_lines_regions)
    )
    return ranges[0] < box.width / box.height < ranges[1] and (own or crop.region in regions)


def load_frontal(crops: Sequence[Crop], frontal: Frontal) -> list[tuple[NDArray[np.uint8], NDArray[np.float32]]]:
    """Grey pictures and corners of the frontal plates among `crops`, each with its surroundings alone."""
    return [surroundings(read_grey(crop.path), crop.corners) for crop in crops if is_frontal(crop, frontal)]


def surroundings(
    grey: NDArray[np.uint8], corners: NDArray[np.float32]
) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """The part of a picture that is near the plate, and the corners in it."""
    box = bounding_box(corners)
    margin = SURROUNDINGS * box.width + 1
    x, y = max(0, int(box.x1 - margin)), max(0, int(box.y1 - margin))
    part = grey[y : int(box.y2 + margin) + 1, x : int(box.x2 + margin) + 1]
    return part.copy(), corners - np.array([x, y], np.float32)


# --- Samples --------------------------------------------------------------------------------------


class Plates:
    """Real and rendered plates, drawn as the settings say."""

    def __init__(
        self,
        real: Sequence[tuple[NDArray[np.uint8], NDArray[np.float32]]],
        rendered: RenderedPlates,
        config: CornersConfig,
    ) -> None:
        self.real, self.rendered, self._config = real, rendered, config

    def sample(self, rng: Generator) -> Sample:
        """A degraded region of a real or a rendered plate."""
        config = self._config
        if self.real and rng.random() < config.mix.real:
            view = real_view(rng, self.real[rng.integers(len(self.real))], config)
        else:
            plate = self.rendered.draw(rng)
            view = rendered_view(rng, plate.grey, plate.corners, config)
        clean = sample_of(view)
        mild = rng.random() < config.mix.mild
        return Sample(degraded(rng, clean.picture, mild=mild), clean.offsets, clean.spans)


def real_view(rng: Generator, plate: tuple[NDArray[np.uint8], NDArray[np.float32]], config: CornersConfig) -> View:
    """A frontal plate, warped."""
    grey, corners = warped(rng, *plate, config.warp)
    return View(grey, corners, jittered_box(rng, corners, config.box_jitter))


def rendered_view(rng: Generator, grey: NDArray[np.uint8], corners: NDArray[np.float32], config: CornersConfig) -> View:
    """A rendered plate, some of them warped once more."""
    if rng.random() < config.mix.warped:
        grey, corners = warped(rng, grey, corners, config.warp)
    return View(grey, corners, jittered_box(rng, corners, config.box_jitter))


def held_out_rendered(config: CornersConfig) -> list[View]:
    """Rendered plates that no training draws; the same for the same settings."""
    rng = np.random.default_rng(config.rendered.held_out_seed)
    plates = [render(rng, ()) for _ in range(config.rendered.held_out)]
    return [rendered_view(rng, plate.grey, plate.corners, config) for plate in plates]


def held_out_real(crops: Sequence[Crop], config: CornersConfig) -> list[View]:
    """Frontal plates of `crops` that no training draws, warped; the same for the same settings and crops."""
    rng = np.random.default_rng(config.rendered.held_out_seed)
    kept = [crop for crop in crops if crop.use != "train" or crop.held_out]
    return [real_view(rng, plate, config) for plate in load_frontal(kept, config.frontal)]
