"""What the corner net is for: real plates that are to be read, cut where it places them, whose loss the reader gives.

Nobody marked the corners of the real plates that are seen from the side, but what is written on them is known. A cut
through four corners can be differentiated (Jaderberg et al. 2015, spatial transformer networks), so the reader's loss
on the text tells how the corners ought to move.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np
import torch
import torch.nn.functional as fn

from models.corners.dataset import jittered_box
from models.ocr.augment import degraded
from models.ocr.crops import read_grey, weight
from models.ocr.loss import classes_of, ctc_costs, per_character
from models.ocr.network import ReaderNet, load_trained
from models.training import device
from models.training.sampling import WeightedSampler
from roadside.core.corners import REGION_HEIGHT_PX, REGION_WIDTH_PX, region
from roadside.core.rectify import READ_MARGIN, STRIP_HEIGHT_PX, STRIP_WIDTH_PX, box_corners, cut
from roadside.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.random import Generator
    from numpy.typing import NDArray

    from models.corners.config import BoxJitter
    from models.ocr.config import Mix, ReaderConfig
    from models.ocr.crops import Crop

CANVAS_PX = (288, 128)
"""Width and height that every crop is stretched to, so that a batch of them is one tensor."""
LARGEST_LOSS = 2.5
"""A character: what is over it has no gradient."""


@dataclass(frozen=True, slots=True)
class Readable:
    """A plate with its text, in a crop stretched to the canvas, as a detector might have found it."""

    canvas: NDArray[np.uint8]
    """(128, 288)."""
    picture: NDArray[np.uint8]
    """(64, 128): the region around the box, what the net sees."""
    box: NDArray[np.float32]
    """(4, 2): the corners of the box in pixels of the canvas."""
    spans: NDArray[np.float32]
    """(2,): the region's width and height in pixels of the canvas."""
    stretch: float
    """A length across over the same length down, both measured in the canvas."""
    text: str


class ReadablePlates:
    """One-line real crops with texts, in memory, drawn by the reader's weights."""

    def __init__(self, crops: Sequence[Crop], mix: Mix, jitter: BoxJitter) -> None:
        used = [
            crop
            for crop in crops
            if crop.use == "train" and not crop.held_out and crop.text and crop.quality != "none" and crop.lines == 1
        ]
        if not used:
            raise SourceError("No one-line plate with a text is left to train the corner net on")
        self._crops = [(read_grey(crop.path), crop.corners, crop.text) for crop in used]
        self._by_weight = WeightedSampler([weight(crop, mix) for crop in used])
        self._jitter = jitter

    def __len__(self) -> int:
        return len(self._crops)

    def sample(self, rng: Generator, *, mild: bool) -> Readable:
        """A degraded plate in a jittered box."""
        grey, corners, text = self._crops[self._by_weight.draw(rng)]
        box = jittered_box(rng, corners, self._jitter)
        scale = np.array([CANVAS_PX[0] / grey.shape[1], CANVAS_PX[1] / grey.shape[0]], np.float32)
        canvas = np.asarray(cv2.resize(grey, CANVAS_PX, interpolation=cv2.INTER_AREA), np.uint8)
        canvas = degraded(rng, canvas, mild=mild)
        seen = region(box)
        around = box_corners(seen.x1, seen.y1, seen.x2, seen.y2) * scale
        return Readable(
            canvas,
            cut(canvas, around, REGION_WIDTH_PX, REGION_HEIGHT_PX),
            (box_corners(box.x1, box.y1, box.x2, box.y2) * scale).astype(np.float32),
            (np.array([seen.width, seen.height]) * scale).astype(np.float32),
            float(scale[0] / scale[1]),
            text,
        )


def load_reader(path: Path, config: ReaderConfig) -> ReaderNet:
    """The reader of a checkpoint, frozen. Raises ModelError where it is none."""
    net = ReaderNet(config)
    load_trained(net, path)
    net.eval()
    net.requires_grad_(requires_grad=False)
    return net


def placed_corners(offsets: torch.Tensor, plates: Sequence[Readable]) -> torch.Tensor:
    """The corners (N, 4, 2) in pixels of the canvas for the net's offsets (N, 8)."""
    boxes, spans = (
        device.tensor(np.stack(parts), offsets.device)
        for parts in zip(*((p.box, p.spans) for p in plates), strict=True)
    )
    return boxes + offsets.reshape(-1, 4, 2) * spans[:, None]


def grown(corners: torch.Tensor, margin: float, stretch: torch.Tensor) -> torch.Tensor:
    """`corners` (N, 4, 2) moved outwards by `margin` of the plate's width; `stretch` (N,) as Readable has it."""
    tl, tr, br, bl = corners.unbind(1)
    size = torch.stack([torch.ones_like(stretch), stretch], 1)
    width = torch.linalg.vector_norm((tr - tl) * size, dim=1)
    height = torch.linalg.vector_norm((bl - tl) * size, dim=1).clamp(min=1)
    down = (margin * width / height).detach()[:, None].clamp(max=1)
    tl, tr, bl, br = tl - (tr - tl) * margin, tr + (tr - tl) * margin, bl - (br - bl) * margin, br + (br - bl) * margin
    left, right = (bl - tl) * down, (br - tr) * down
    return torch.stack([tl - left, tr - right, br + right, bl + left], 1)


def cut_through(canvases: torch.Tensor, corners: torch.Tensor) -> torch.Tensor:
    """The quadrilaterals `corners` (N, 4, 2) of `canvases` (N, 1, H, W) as strips (N, 1, 48, 176), bilinear.

    The map from the unit square to a quadrilateral is that of Heckbert 1989, "Fundamentals of texture mapping".
    """
    p0, p1, p2, p3 = corners.unbind(1)
    first, second, third = p1 - p2, p3 - p2, p0 - p1 + p2 - p3
    below = first[:, 0] * second[:, 1] - second[:, 0] * first[:, 1]
    g = (third[:, 0] * second[:, 1] - second[:, 0] * third[:, 1]) / below
    h = (first[:, 0] * third[:, 1] - third[:, 0] * first[:, 1]) / below
    across, down = p1 - p0 + g[:, None] * p1, p3 - p0 + h[:, None] * p3
    u = (torch.arange(STRIP_WIDTH_PX, device=corners.device) + 0.5) / STRIP_WIDTH_PX
    v = (torch.arange(STRIP_HEIGHT_PX, device=corners.device) + 0.5) / STRIP_HEIGHT_PX
    v, u = (part.reshape(1, -1, 1) for part in torch.meshgrid(v, u, indexing="ij"))
    points = across[:, None] * u + down[:, None] * v + p0[:, None]
    points = points / (1 + g[:, None, None] * u + h[:, None, None] * v)
    size = torch.tensor([canvases.shape[3], canvases.shape[2]], dtype=points.dtype, device=points.device)
    grid = (2 * points / size - 1).reshape(len(corners), STRIP_HEIGHT_PX, STRIP_WIDTH_PX, 2)
    return fn.grid_sample(canvases, grid, "bilinear", "border", align_corners=False)


def reading_loss(
    offsets: torch.Tensor, plates: Sequence[Readable], reader: ReaderNet, config: ReaderConfig
) -> torch.Tensor:
    """The reader's mean CTC loss a character on the plates as cut where the net's `offsets` (N, 8) place them."""
    on = offsets.device
    stretch = torch.tensor([plate.stretch for plate in plates], device=on)
    corners = grown(placed_corners(offsets, plates), READ_MARGIN, stretch)
    canvases = device.tensor(np.stack([plate.canvas for plate in plates]), on).float()[:, None] / 127.5 - 1
    strips = cut_through(canvases, corners)
    with device.faster(on, enabled=config.training.bfloat16):
        characters, _ = reader(strips)
    targets = [classes_of(plate.text, config.characters) for plate in plates]
    each = per_character(ctc_costs(characters.float(), targets), targets, config.training.shortest_text)
    # A plate that nothing helps to read says nothing of the corners.
    return each.clamp(max=LARGEST_LOSS).mean()
