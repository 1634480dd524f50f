"""What the net's outputs cost: a varifocal-like score loss, and CIoU of the boxes that answer for a plate."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as fn

from models.detector.assign import assign
from models.detector.network import decode

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
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
    boxes = decode(raw, grid[0])
    score_loss = box_loss = logits.sum() * 0
    asked = 0.0
    for number in range(len(logits)):
        target, weight = torch.zeros_like(logits[number]), torch.ones_like(logits[number])
        if len(plates[number]):
            truth = torch.from_numpy(plates[number])
            with torch.no_grad():
                given = assign(logits[number], boxes[number], truth, grid, config.assignment)
            target = given.target
            if bool(given.positive.any()):
                agreement = complete_iou(boxes[number][given.positive], truth[given.plate[given.positive]])
                box_loss = box_loss + ((1 - agreement) * target[given.positive]).sum()
                asked += float(target.sum())
        if len(ignored[number]):
            weight[_within(grid[0], torch.from_numpy(ignored[number])) & (target == 0)] = 0
        score_loss = score_loss + (weight * _score_loss(logits[number], target, config)).sum()
    asked = max(asked, 1.0)
    return score_loss / asked, box_loss / asked


def _score_loss(logits: torch.Tensor, target: torch.Tensor, config: DetectorConfig) -> torch.Tensor:
    probability = logits.detach().sigmoid()
    empty = config.loss.negative_weight * probability**config.loss.negative_power
    each = fn.binary_cross_entropy_with_logits(logits, target, reduction="none")
    return torch.where(target > 0, target, empty) * each


def _within(anchors: torch.Tensor, regions: torch.Tensor) -> torch.Tensor:
    """(places,) bool: the place's centre lies in one of the regions (n, 4) or just beside it."""
    centres = anchors[None, :, :2]
    inside = (centres > regions[:, None, :2] - IGNORE_MARGIN_PX) & (centres < regions[:, None, 2:] + IGNORE_MARGIN_PX)
    return inside.all(-1).any(0)
