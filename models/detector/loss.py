"""What the net's outputs cost: a varifocal-like score loss, and CIoU of the boxes that answer for a plate."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import torch
import torch.nn.functional as fn

from models.detector.assign import assign
from models.detector.network import decode

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from models.detector.config import DetectorConfig

IGNORE_MARGIN_PX = 4.0


def complete_iou(boxes: torch.Tensor, plates: torch.Tensor) -> torch.Tensor:
    """CIoU (Zheng et al. 2020) of boxes and plates pair by pair, both (N, 4): (N,), 1 where they agree."""
    start, end = torch.max(boxes[:, :2], plates[:, :2]), torch.min(boxes[:, 2:], plates[:, 2:])
    shared = (end - start).clamp(0).prod(-1)
    width, height = (boxes[:, 2:] - boxes[:, :2]).unbind(-1)
    plate_width, plate_height = (plates[:, 2:] - plates[:, :2]).unbind(-1)
    iou = shared / (width * height + plate_width * plate_height - shared + 1e-7)
    around = torch.max(boxes[:, 2:], plates[:, 2:]) - torch.min(boxes[:, :2], plates[:, :2])
    diagonal = (around**2).sum(-1) + 1e-7
    distance = (((boxes[:, :2] + boxes[:, 2:]) - (plates[:, :2] + plates[:, 2:])) ** 2).sum(-1) / 4
    angle = torch.atan(plate_width / (plate_height + 1e-7)) - torch.atan(width / (height + 1e-7))
    shape = 4 / math.pi**2 * angle**2
    weight = (shape / (1 - iou + shape + 1e-7)).detach()
    return iou - distance / diagonal - weight * shape


def losses(
    outputs: tuple[torch.Tensor, torch.Tensor],
    plates: Sequence[NDArray[np.float32]],
    ignored: Sequence[NDArray[np.float32]],
    grid: tuple[torch.Tensor, torch.Tensor],
    config: DetectorConfig,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Score loss and box loss of a batch, both divided by the sum of the scores asked for.

    `outputs` are logits (N, places) and box outputs (N, places, 4); `plates` and `ignored` hold (n, 4) arrays, one
    a picture; `grid` is anchors (places, 4) and strides (places,).
    """
    logits, raw = outputs
    anchors, _ = grid
    boxes = decode(raw, anchors)
    marked = _filled(plates, logits.device)
    with torch.no_grad():
        given = assign(logits, boxes, marked, grid, config.assignment)
        unasked = _within(anchors, *_filled(ignored, logits.device)) & (given.target == 0)
        asked = given.target.sum().clamp(min=1.0)
    score_loss = torch.where(unasked, 0.0, _score_loss(logits, given.target, config)).sum()
    pictures, places = given.positive.nonzero(as_tuple=True)
    own = marked[0][pictures, given.plate[pictures, places]]
    box_loss = ((1 - complete_iou(boxes[pictures, places], own)) * given.target[pictures, places]).sum()
    return score_loss / asked, box_loss / asked


def _filled(boxes: Sequence[NDArray[np.float32]], device: torch.device) -> tuple[torch.Tensor, torch.Tensor]:
    """Boxes (n, 4) of each picture as (pictures, most, 4), most at least 1, and where they are boxes at all."""
    most = max(1, *(len(one) for one in boxes))
    filled, there = np.zeros((len(boxes), most, 4), np.float32), np.zeros((len(boxes), most), np.bool_)
    for number, one in enumerate(boxes):
        filled[number, : len(one)], there[number, : len(one)] = one, True
    return torch.from_numpy(filled).to(device), torch.from_numpy(there).to(device)


def _score_loss(logits: torch.Tensor, target: torch.Tensor, config: DetectorConfig) -> torch.Tensor:
    probability = logits.detach().sigmoid()
    empty = config.loss.negative_weight * probability**config.loss.negative_power
    each = fn.binary_cross_entropy_with_logits(logits, target, reduction="none")
    return torch.where(target > 0, target, empty) * each


def _within(anchors: torch.Tensor, regions: torch.Tensor, there: torch.Tensor) -> torch.Tensor:
    """(pictures, places) bool: the place's centre lies in one of the regions (pictures, n, 4) or just beside it."""
    centres, regions = anchors[:, :2], regions[..., None, :]
    inside = (centres > regions[..., :2] - IGNORE_MARGIN_PX) & (centres < regions[..., 2:] + IGNORE_MARGIN_PX)
    return (inside.all(-1) & there[..., None]).any(1)
