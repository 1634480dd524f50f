"""How pictures are varied in training: cut around a plate at any size, turned, tiled, relit, blurred, compressed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import cv2
import numpy as np

from models.detector.dataset import Picture
from models.ocr.augment import motion_kernel
from models.synth.lettering import lettered
from models.synth.posing import composited, pose

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.random import Generator
    from numpy.typing import NDArray

    from models.detector.config import Augmentation
    from models.detector.dataset import Pictures
from models.synth.posing import Cutout

VISIBLE = 0.6
"""A plate of which less is left by a cut is neither learnt nor held against the net."""
GONE = 0.05
"""A plate of which no more than this share is left by a cut is not there at all; in between it is ignored."""
SMALLEST_PASTED_PX = 16
"""Plates narrower than this in the picture are not covered by rendered ones."""
MOST_STRETCHED = 1.3
"""How many times its height a rendered plate may be stretched so that it covers the one below."""
SMALLEST_PX = (6.0, 2.5)
"""Plates narrower or lower than this in the input are ignored."""


@dataclass(frozen=True, slots=True)
class View:
    """What the net sees."""

    image: NDArray[np.uint8]
    """(H, W, 3), BGR."""
    boxes: NDArray[np.float32]
    """(plates, 4): x1, y1, x2, y2 in pixels."""
    ignored: NDArray[np.float32]
    """(regions, 4): here the net may say what it likes."""

    def moved(self, x: float, y: float) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Boxes and ignored regions, moved."""
        offset = np.array([x, y, x, y], np.float32)
        return self.boxes + offset, self.ignored + offset


def sample(rng: Generator, pictures: Pictures, size: tuple[int, int], settings: Augmentation) -> View:
    """A training view, (height, width, 3) BGR; `size` is (width, height)."""
    if rng.random() < settings.mosaic:
        view = mosaic(rng, pictures, size, settings)
    else:
        view = cut_view(rng, pictures.draw(rng, settings.without_plates), size, settings, pictures.rendered)
    if rng.random() < settings.lettering:
        view = replace(view, image=lettered(rng, view.image, np.concatenate([view.boxes, view.ignored]), most=3).image)
    image = occluded(rng, degraded(rng, view.image), view.boxes)
    sizes = view.boxes[:, 2:] - view.boxes[:, :2]
    small = (sizes < SMALLEST_PX).any(1)
    return View(image, view.boxes[~small], np.concatenate([view.ignored, view.boxes[small]]))


def mosaic(rng: Generator, pictures: Pictures, size: tuple[int, int], settings: Augmentation) -> View:
    """Four views around a point near the middle."""
    wide, high = size
    x = int(rng.integers(wide * 3 // 10, wide * 7 // 10 + 1))
    y = int(rng.integers(high * 3 // 10, high * 7 // 10 + 1))
    image = np.zeros((high, wide, 3), np.uint8)
    boxes, ignored = [], []
    for left, top, width, height in (
        (0, 0, x, y),
        (x, 0, wide - x, y),
        (0, y, x, high - y),
        (x, y, wide - x, high - y),
    ):
        drawn = pictures.draw(rng, settings.without_plates)
        part = cut_view(rng, drawn, (width, height), settings, pictures.rendered)
        image[top : top + height, left : left + width] = part.image
        part_boxes, part_ignored = part.moved(left, top)
        boxes.append(part_boxes)
        ignored.append(part_ignored)
    return View(image, np.concatenate(boxes), np.concatenate(ignored))


def cut_view(
    rng: Generator,
    picture: Picture,
    size: tuple[int, int],
    settings: Augmentation,
    rendered: Sequence[Cutout] = (),
) -> View:
    """A part of the picture, or all of it, stretched to `size` (width, height): around a plate of it, if it has any.

    Some pictures get `rendered` plates in the place of their own.
    """
    if rendered and rng.random() < settings.copy_paste:
        picture = copy_paste(rng, picture, rendered)
    if rng.random() < settings.turned:
        picture = turned(rng, picture)
    window = _window(rng, picture, size, settings)
    image = _padded_cut(rng, picture.image, window)
    scale = np.array([size[0] / image.shape[1], size[1] / image.shape[0]] * 2, np.float32)
    way = int(rng.choice([cv2.INTER_AREA, cv2.INTER_AREA, cv2.INTER_LINEAR]))
    image = np.asarray(cv2.resize(image, size, interpolation=way), np.uint8)
    offset = np.array([window[0], window[1]] * 2, np.float32)
    boxes, ignored = visible((picture.boxes - offset) * scale, size)
    ignored = np.concatenate([ignored, np.clip((picture.ignored - offset) * scale, 0, [*size, *size])]).astype(
        np.float32
    )
    if rng.random() < 0.5:
        image = image[:, ::-1]
        boxes, ignored = mirrored(boxes, size[0]), mirrored(ignored, size[0])
    return View(np.ascontiguousarray(image), boxes, ignored)


def mirrored(boxes: NDArray[np.float32], width: int) -> NDArray[np.float32]:
    """Boxes (N, 4) in the mirror image of a picture `width` wide."""
    out = boxes.copy()
    out[:, [0, 2]] = width - boxes[:, [2, 0]]
    return out


def visible(boxes: NDArray[np.float32], size: tuple[int, int]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Boxes clipped to the view: those that are mostly in it, and those that a cut has left too little of."""
    clipped = np.clip(boxes, 0, [*size, *size]).astype(np.float32)
    share = _areas(clipped) / np.maximum(1e-6, _areas(boxes))
    return clipped[share > VISIBLE], clipped[(share > GONE) & (share <= VISIBLE)]


def _areas(boxes: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray((boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1]), np.float32)


def turned(rng: Generator, picture: Picture) -> Picture:
    """The picture turned and sheared by a few degrees, its boxes around the plates' middles."""
    height, width = picture.image.shape[:2]
    angle = rng.normal(0, 4)
    matrix = np.asarray(cv2.getRotationMatrix2D((width / 2, height / 2), angle, 1.0), np.float64)
    matrix[0, 1] += rng.normal(0, 0.04)
    image = cv2.warpAffine(picture.image, matrix, (width, height), borderMode=cv2.BORDER_REFLECT_101)
    boxes, ignored, negatives = (
        _turned_boxes(some, matrix, angle) for some in (picture.boxes, picture.ignored, picture.hard_negatives)
    )
    return Picture(np.asarray(image, np.uint8), boxes, ignored, negatives)


def _turned_boxes(boxes: NDArray[np.float32], matrix: NDArray[np.float64], angle: float) -> NDArray[np.float32]:
    x1, y1, x2, y2 = boxes.T
    corners = np.stack([np.stack([x1, y1], 1), np.stack([x2, y1], 1), np.stack([x2, y2], 1), np.stack([x1, y2], 1)], 1)
    moved = corners @ matrix[:, :2].T + matrix[:, 2]
    centres = moved.mean(1)
    half_width = np.abs(moved[:, 1, 0] - moved[:, 0, 0]) / 2
    # A box around the turned corners would be too high, for the plate fills little of it: a part of the rise is added.
    rise = np.abs(np.tan(np.radians(angle)))
    half_height = np.abs(moved[:, 3, 1] - moved[:, 0, 1]) / 2 + 2 * half_width * rise * 0.35
    turned_boxes = np.stack(
        [
            centres[:, 0] - half_width,
            centres[:, 1] - half_height,
            centres[:, 0] + half_width,
            centres[:, 1] + half_height,
        ],
        1,
    )
    return np.asarray(turned_boxes, np.float32)


def copy_paste(rng: Generator, picture: Picture, rendered: Sequence[Cutout]) -> Picture:
    """The picture with rendered plates over its own: turned a little, as bright as those, their boxes drawn anew."""
    image, boxes = picture.image.copy(), picture.boxes.copy()
    for place, (x1, y1, x2, y2) in enumerate(picture.boxes.tolist()):
        width, height = x2 - x1, y2 - y1
        if width < SMALLEST_PASTED_PX or rng.random() < 0.3:
            continue
        plate = _alike(rng, rendered, width / max(1.0, height))
        posed = pose(rng, plate.outline, 1.08 * width, 0.35)
        higher = max(1.0, 1.06 * height / float(np.ptp(posed[:, 1])))
        if higher > MOST_STRETCHED:  # another shape of plate: it would not cover this one
            continue
        corners = posed * np.array([1, higher]) + np.array([(x1 + x2) / 2, (y1 + y2) / 2])
        left, top = np.maximum(0, np.floor(corners.min(0)).astype(int) - 4)
        right, bottom = np.ceil(corners.max(0)).astype(int) + 4
        scene = image[top:bottom, left:right]
        covered = image[max(0, int(y1)) : int(y2) + 1, max(0, int(x1)) : int(x2) + 1]
        gain = np.percentile(covered, 85) / 225
        lit = replace(plate, image=np.clip(plate.image * min(1.2, max(0.2, gain)), 0, 255).astype(np.uint8))
        moved = (corners - np.array([left, top])).astype(np.float32)
        image[top:bottom, left:right] = composited(np.ascontiguousarray(scene), lit, moved, shadow=0.4)
        boxes[place] = [*corners.min(0), *corners.max(0)]
    return replace(picture, image=image, boxes=boxes)


def _alike(rng: Generator, rendered: Sequence[Cutout], aspect: float) -> Cutout:
    """The one of a few rendered plates whose width over height comes nearest."""
    few = [rendered[place] for place in rng.integers(len(rendered), size=6)]
    shapes = [float(np.ptp(plate.outline[:, 0]) / np.ptp(plate.outline[:, 1])) for plate in few]
    best: Cutout = few[int(np.argmin([abs(np.log(shape / aspect)) for shape in shapes]))]
    return best


def _window(
    rng: Generator, picture: Picture, size: tuple[int, int], settings: Augmentation
) -> tuple[int, int, int, int]:
    """x1, y1, x2, y2 of the part to be seen; it may reach over the picture's edges."""
    height, width = picture.image.shape[:2]
    if not len(picture.boxes):
        return _any_window(rng, width, height, settings)
    chosen = (
        picture.hard_negatives
        if len(picture.hard_negatives) and rng.random() < settings.hard_negatives
        else picture.boxes
    )
    box = chosen[rng.integers(len(chosen))]
    plate = max(4.0, float(box[2] - box[0]))
    if rng.random() < settings.whole:
        return 0, 0, width, height
    widest = max(settings.narrowest_px, min(settings.widest_px, 8 * plate))
    wanted = np.exp(rng.uniform(np.log(settings.narrowest_px), np.log(widest)))
    across = plate * size[0] / wanted
    down = min(across / np.exp(rng.uniform(np.log(0.62), np.log(1.9))), height * 1.9)
    across = min(across, width * 1.9)
    left = _start(rng, float(box[0] + box[2]) / 2, across, width)
    top = _start(rng, float(box[1] + box[3]) / 2, down, height)
    x1, y1 = round(left), round(top)
    return x1, y1, max(round(left + across), x1 + 8), max(round(top + down), y1 + 8)


def _any_window(rng: Generator, width: int, height: int, settings: Augmentation) -> tuple[int, int, int, int]:
    """x1, y1, x2, y2 of a part of a picture without a plate: all of it, or down to a quarter of each side."""
    if rng.random() < settings.whole:
        return 0, 0, width, height
    across, down = (max(8, round(length * rng.uniform(0.25, 1))) for length in (width, height))
    left, top = int(rng.integers(max(1, width - across + 1))), int(rng.integers(max(1, height - down + 1)))
    return left, top, left + across, top + down


def _start(rng: Generator, centre: float, length: float, whole: float) -> float:
    """Where a window of `length` begins that holds `centre`: inside the picture, or around it if it is longer."""
    if length > whole:
        return float(rng.uniform(whole - length, 0))
    return float(np.clip(centre - rng.uniform(0.06, 0.94) * length, 0, whole - length))


def _padded_cut(rng: Generator, image: NDArray[np.uint8], window: tuple[int, int, int, int]) -> NDArray[np.uint8]:
    height, width = image.shape[:2]
    x1, y1, x2, y2 = window
    part = image[max(0, y1) : min(height, y2), max(0, x1) : min(width, x2)]
    left, top, right, bottom = max(0, -x1), max(0, -y1), max(0, x2 - width), max(0, y2 - height)
    if not (left or top or right or bottom):
        return part
    if rng.random() < 0.5:
        colour = [int(rng.integers(256))] * 3
    else:
        colour = [int(value) for value in image[rng.integers(height), rng.integers(width)]]
    return np.asarray(cv2.copyMakeBorder(part, top, bottom, left, right, cv2.BORDER_CONSTANT, value=colour), np.uint8)


def degraded(rng: Generator, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The picture under another light, by a poorer camera: contrast, colour, night, blur, noise, compression."""
    out = image.astype(np.float32)
    if rng.random() < 0.7:
        out = (out - 128) * np.float32(rng.uniform(0.6, 1.35)) + 128 + np.float32(rng.uniform(-40, 40))
        if rng.random() < 0.5:
            out *= rng.uniform(0.8, 1.2, 3).astype(np.float32)
    if rng.random() < 0.12:
        out = (255 * (np.clip(out, 0, 255) / 255) ** rng.uniform(0.5, 2.0)).astype(np.float32)
    if rng.random() < 0.08:
        out = np.repeat(out.mean(2, keepdims=True), 3, 2)
    if rng.random() < 0.08:
        out *= np.float32(rng.uniform(0.2, 0.5))
    if rng.random() < 0.15:
        out = np.asarray(cv2.GaussianBlur(out, (0, 0), rng.uniform(0.3, 1.3)), np.float32)
    if rng.random() < 0.08:
        out = np.asarray(cv2.filter2D(out, -1, motion_kernel(rng)), np.float32)
    if rng.random() < 0.2:
        out += rng.standard_normal(out.shape, np.float32) * np.float32(rng.uniform(1, 14))
    final = np.clip(out, 0, 255).astype(np.uint8)
    if rng.random() < 0.25:
        _, coded = cv2.imencode(".jpg", final, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(25, 91))])
        final = np.asarray(cv2.imdecode(coded, cv2.IMREAD_COLOR), np.uint8)
    return final


def occluded(rng: Generator, image: NDArray[np.uint8], boxes: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Now and then a patch of noise over a part of the picture that shows no plate."""
    if rng.random() >= 0.1:
        return image
    width, height = rng.integers(20, 121, 2).tolist()
    x, y = int(rng.integers(image.shape[1] - width + 1)), int(rng.integers(image.shape[0] - height + 1))
    touches = (boxes[:, 0] < x + width) & (boxes[:, 2] > x) & (boxes[:, 1] < y + height) & (boxes[:, 3] > y)
    if touches.any():
        return image
    out = image.copy()
    out[y : y + height, x : x + width] = rng.integers(0, 255, 3)
    return out
