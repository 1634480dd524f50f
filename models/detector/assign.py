"""Which places of the net answer for which plate: task-aligned assignment (Feng et al., TOOD, 2021)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from models.detector.config import Assignment

LEAST_TARGET = 0.15
"""The best place of a plate is asked for this score at least, however badly its box fits yet."""


@dataclass(frozen=True, slots=True)
class Assigned:
    """What is asked of each place."""

    positive: torch.Tensor
    """(pictures, places) bool: answers for a plate."""
    plate: torch.Tensor
    """(pictures, places): which one of its picture; meaningless where not positive."""
    target: torch.Tensor
    """(pictures, places): the score asked for, 0 where not positive."""


def overlaps(boxes: torch.Tensor, others: torch.Tensor) -> torch.Tensor:
    """IoU of every box (..., N, 4) with every other (..., M, 4): (..., N, M)."""
    start = torch.max(boxes[..., :, None, :2], others[..., None, :, :2])
    end = torch.min(boxes[..., :, None, 2:], others[..., None, :, 2:])
    shared = (end - start).clamp(0).prod(-1)
    area, other_area = (boxes[..., 2:] - boxes[..., :2]).prod(-1), (others[..., 2:] - others[..., :2]).prod(-1)
    return shared / (area[..., :, None] + other_area[..., None, :] - shared + 1e-7)


def candidates(plates: torch.Tensor, anchors: torch.Tensor, strides: torch.Tensor, reach: float) -> torch.Tensor:
    """(..., plates, places) bool: the place's centre lies in the box (..., 4), grown to `reach` strides."""
    centres = (plates[..., :2] + plates[..., 2:]) / 2
    half = torch.max((plates[..., 2:] - plates[..., :2])[..., None, :] / 2, strides[:, None] * reach)
    away = (anchors[:, :2] - centres[..., None, :]).abs()
    return (away < half).all(-1)


def assign(
    scores: torch.Tensor,
    boxes: torch.Tensor,
    marked: tuple[torch.Tensor, torch.Tensor],
    grid: tuple[torch.Tensor, torch.Tensor],
    settings: Assignment,
) -> Assigned:
    """The places that answer for the plates of a batch of pictures.

    `scores` (pictures, places) are logits and `boxes` (pictures, places, 4) what the net says there; `marked`
    are plates (pictures, most, 4), most at least 1, and which of them are there (pictures, most) bool; `grid` is
    anchors and strides. Each plate takes the places whose score and overlap agree best; a place claimed twice goes to
    the plate that it overlaps more. Targets are scaled so that a plate's best place is asked for its overlap.
    """
    plates, there = marked
    iou = overlaps(plates, boxes)
    inside = candidates(plates, *grid, settings.centre_radius_strides) & there[..., None]
    score = scores.sigmoid()[:, None] ** settings.score_power
    alignment = score * iou**settings.overlap_power * inside + inside * 1e-9
    _, best = alignment.topk(min(settings.places, alignment.shape[2]), 2)
    claimed = torch.zeros_like(inside).scatter_(2, best, value=True) & inside
    plate = torch.where(claimed.sum(1) > 1, (iou * claimed).argmax(1), claimed.float().argmax(1))
    positive = claimed.any(1)
    agreed = torch.where(claimed, alignment, torch.zeros_like(alignment))
    most = agreed.max(2, keepdim=True)[0]
    fit = (iou * claimed).max(2, keepdim=True)[0].clamp(min=LEAST_TARGET)
    asked = (agreed / (most + 1e-9) * fit).gather(1, plate[:, None])[:, 0]
    return Assigned(positive, plate, asked * positive)
