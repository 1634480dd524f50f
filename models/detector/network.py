"""The detector's net in PyTorch: a pruned MobileNetV2 with folded norms, a top-down neck, a head for each stride."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
import torch.nn.functional as fn
from torch import nn

from models.detector.anchors import CENTRE_SCALE, SIZE_SCALE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from models.detector.config import Net

NORM_EPSILON = 1e-3
"""Added to the variance under the root, as the pretrained net has it."""
NORM_MOMENTUM = 0.03
"""The share of a batch's mean and variance that the running ones take over."""
STEM_CHANNELS = 32
STAGES = ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2))
"""MobileNetV2 1.0 up to stride 32: expansion, output channels, blocks, stride of the first (Sandler et al. 2018)."""
LEVEL_BLOCKS = (5, 12, 15)
"""The blocks whose outputs the neck takes, at strides 8, 16 and 32."""
LEVEL_CHANNELS = (32, 96, 160)
"""Outputs of those blocks."""
RARE_LOGIT = -4.6
"""At first every place says "no plate" with 99 %, so that the many empty places do not drown the few others."""

# The shipped weights came out of a run whose modules had these short names.
_SHORT = {
    "bl": "blocks", "exp": "expand", "dw": "depthwise", "pr": "project", "c": "convolution", "b": "norm",
    "l3": "lateral3", "l4": "lateral4", "l5": "lateral5", "f4": "merge4", "f3": "merge3", "d": "depthwise",
    "p": "pointwise", "t1": "tower1", "t2": "tower2", "cls": "score",
}  # fmt: skip


def block_widths(kept: tuple[float, ...]) -> list[tuple[int, int, int, int, bool]]:
    """For each of the 16 blocks: inputs, expanded channels, outputs, stride, whether it expands.

    An expansion keeps its share in whole eights, 16 at least.
    """
    blocks: list[tuple[int, int, int, int, bool]] = []
    inputs = STEM_CHANNELS
    for expansion, outputs, count, stride in STAGES:
        for number in range(count):
            full = inputs * expansion
            expands = expansion > 1
            share = kept[len(blocks) - 1] if expands else 1.0
            width = full if not expands or share >= 1 else max(16, round(full * share / 8) * 8)
            blocks.append((inputs, width, outputs, stride if number == 0 else 1, expands))
            inputs = outputs
    return blocks


def _pad(x: torch.Tensor, stride: int) -> torch.Tensor:
    """Right and below only, as TensorFlow's "same" does with stride 2 on even sizes."""
    return fn.pad(x, (0, 1, 0, 1)) if stride == 2 else x


class Folded(nn.Module):  # type: ignore[misc]  # torch is untyped here
    """A convolution with a bias, its norm folded in, and unless told otherwise a ReLU6."""

    def __init__(
        self, inputs: int, outputs: int, kernel: int, *, stride: int = 1, groups: int = 1, activate: bool = True
    ) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(inputs, outputs, kernel, stride, 0 if stride == 2 else kernel // 2, groups=groups)
        self.stride, self.activate = stride, activate

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(N, inputs, H, W) to (N, outputs, H / stride, W / stride)."""
        x = self.convolution(_pad(x, self.stride))
        return fn.relu6(x, inplace=True) if self.activate else x


class Normed(nn.Module):  # type: ignore[misc]  # torch is untyped here
    """A convolution without bias, a batch norm and a ReLU6."""

    def __init__(self, inputs: int, outputs: int, kernel: int, *, groups: int = 1) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(inputs, outputs, kernel, 1, kernel // 2, groups=groups, bias=False)
        self.norm = nn.BatchNorm2d(outputs, eps=NORM_EPSILON, momentum=NORM_MOMENTUM)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(N, inputs, H, W) to (N, outputs, H, W)."""
        return fn.relu6(self.norm(self.convolution(x)))


class Block(nn.Module):  # type: ignore[misc]  # torch is untyped here
    """An inverted residual of MobileNetV2."""

    def __init__(self, inputs: int, width: int, outputs: int, stride: int, *, expands: bool) -> None:
        super().__init__()
        self.expand = Folded(inputs, width, 1) if expands else None
        self.depthwise = Folded(width, width, 3, stride=stride, groups=width)
        self.project = Folded(width, outputs, 1, activate=False)
        self.residual = inputs == outputs and stride == 1

    def middle(self, x: torch.Tensor) -> torch.Tensor:
        """What goes into the projection, (N, width, H', W')."""
        return self.depthwise(x if self.expand is None else self.expand(x))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(N, inputs, H, W) to (N, outputs, H', W')."""
        y = self.project(self.middle(x))
        return x + y if self.residual else y


class Separable(nn.Module):  # type: ignore[misc]  # torch is untyped here
    """A 3x3 convolution channel by channel, then one across channels."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.depthwise = Normed(inputs, inputs, 3, groups=inputs)
        self.pointwise = Normed(inputs, outputs, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(N, inputs, H, W) to (N, outputs, H, W)."""
        return self.pointwise(self.depthwise(x))


class Head(nn.Module):  # type: ignore[misc]  # torch is untyped here
    """Score and box of every place of one level."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.tower1, self.tower2 = Separable(channels, channels), Separable(channels, channels)
        self.score, self.box = nn.Conv2d(channels, 1, 1), nn.Conv2d(channels, 4, 1)
        nn.init.constant_(self.score.bias, RARE_LOGIT)
        nn.init.normal_(self.score.weight, 0, 0.01)
        nn.init.zeros_(self.box.bias)
        nn.init.normal_(self.box.weight, 0, 0.01)

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Score logits (N, H * W) and box outputs (N, H * W, 4) of features (N, C, H, W)."""
        x = self.tower2(self.tower1(x))
        scores, boxes = self.score(x), self.box(x)
        return scores.permute(0, 2, 3, 1).flatten(1), boxes.permute(0, 2, 3, 1).reshape(len(x), -1, 4)


class DetectorNet(nn.Module):  # type: ignore[misc]  # torch is untyped here
    """Pictures (N, 3, H, W) RGB in -1..1 to score logits (N, places) and box outputs (N, places, 4)."""

    def __init__(self, net: Net) -> None:
        super().__init__()
        channels = net.neck_channels
        self.stem = Folded(3, STEM_CHANNELS, 3, stride=2)
        self.blocks = nn.ModuleList([Block(*widths, expands=expands) for *widths, expands in block_widths(net.kept)])
        self.lateral3, self.lateral4, self.lateral5 = (Normed(inputs, channels, 1) for inputs in LEVEL_CHANNELS)
        self.merge4, self.merge3 = Separable(channels, channels), Separable(channels, channels)
        self.heads = nn.ModuleList([Head(channels) for _ in LEVEL_CHANNELS])

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Score logits (N, places) and box outputs (N, places, 4): dx, dy, dw, dh, in the order of `place_anchors`."""
        x = self.stem(x)
        levels = []
        for number, block in enumerate(self.blocks):
            x = block(x)
            if number in LEVEL_BLOCKS:
                levels.append(x)
        coarse = self.lateral5(levels[2])
        middle = self.merge4(self.lateral4(levels[1]) + fn.interpolate(coarse, scale_factor=2, mode="nearest"))
        fine = self.merge3(self.lateral3(levels[0]) + fn.interpolate(middle, scale_factor=2, mode="nearest"))
        outputs = [head(level) for head, level in zip(self.heads, (fine, middle, coarse), strict=True)]
        scores, boxes = zip(*outputs, strict=True)
        return torch.cat(scores, 1), torch.cat(boxes, 1)

    def freeze(self, blocks: int) -> None:
        """Keeps the stem and the first `blocks` blocks as they are."""
        for part in (self.stem, *self.blocks[:blocks]):
            part.requires_grad_(requires_grad=False)


def decode(outputs: torch.Tensor, anchors: torch.Tensor) -> torch.Tensor:
    """Boxes x1, y1, x2, y2 in input pixels of box outputs (..., places, 4) at anchors (places, 4)."""
    centres = anchors[:, :2] + outputs[..., :2] / CENTRE_SCALE * anchors[:, 2:]
    sizes = anchors[:, 2:] * torch.exp((outputs[..., 2:] / SIZE_SCALE).clamp(-4, 4))
    return torch.cat([centres - sizes / 2, centres + sizes / 2], -1)


class Decoded(nn.Module):  # type: ignore[misc]  # torch is untyped here
    """A detector whose outputs are boxes and scores, decoded as TFLite_Detection_PostProcess does it."""

    def __init__(self, net: DetectorNet, anchors: torch.Tensor) -> None:
        """`anchors` are those of `post_process_anchors`, (places, 4) float32."""
        super().__init__()
        self.net = net
        self.register_buffer("anchors", anchors)

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Boxes (N, places, 4) as ymin, xmin, ymax, xmax in shares of the picture, and scores (N, places), 0 to 1."""
        logits, outputs = self.net(x)
        centres = outputs[..., [1, 0]] / CENTRE_SCALE * self.anchors[:, 2:] + self.anchors[:, :2]
        halves = 0.5 * torch.exp(outputs[..., [3, 2]] / SIZE_SCALE) * self.anchors[:, 2:]
        return torch.cat([centres - halves, centres + halves], -1), logits.sigmoid()


def named(state: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """A state dict under this module's names, whether it was saved under them or under the short ones."""
    return {".".join(_SHORT.get(part, part) for part in key.split(".")): value for key, value in state.items()}
