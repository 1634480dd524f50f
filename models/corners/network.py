"""The corner net in PyTorch: the grey region around a detection to eight offsets, and whether it holds a plate."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
import torch.nn.functional as fn
from torch import nn

from models.ocr import network
from models.ocr.network import Convolution
from roadside.core.corners import OFFSETS, REGION_HEIGHT_PX, REGION_WIDTH_PX

if TYPE_CHECKING:
    from collections.abc import Mapping

    from models.corners.config import Net

STRIDE = 16
"""Pixels of the region for each place of the last convolution."""

# The shipped weights came out of a run whose modules had these short names.
_SHORT = {
    "a": "stem", "b": "early", "c": "middle", "d": "deep", "e": "residual", "f": "late", "g": "narrow",
    "h": "hidden", "o": "offsets",
}  # fmt: skip


class CornersNet(nn.Module):  # type: ignore[misc]  # torch is untyped here
    """Regions (N, 1, 64, 128) scaled to -1..1 to what roadside.core.corners makes sense of, (N, 9)."""

    def __init__(self, net: Net) -> None:
        super().__init__()
        stem, early, middle, deep, late, narrow = net.channels
        self.stem = Convolution(1, stem, stride=2)
        self.early = Convolution(stem, early, stride=2)
        self.middle = Convolution(early, middle)
        self.deep = Convolution(middle, deep, stride=2)
        self.residual = Convolution(deep, deep)
        self.late = Convolution(deep, late, stride=2)
        self.narrow = Convolution(late, narrow, (1, 1))
        self.hidden = nn.Linear(narrow * (REGION_HEIGHT_PX // STRIDE) * (REGION_WIDTH_PX // STRIDE), net.hidden)
        self.offsets = nn.Linear(net.hidden, OFFSETS)
        self.plate = nn.Linear(net.hidden, 1)
        self.offset_scale = net.offset_scale
        nn.init.normal_(self.offsets.weight, 0, 0.01)  # the box itself is the first guess
        nn.init.zeros_(self.offsets.bias)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Offsets (N, 8) in shares of the region, and beside them the log odds that there is a plate."""
        x = self.deep(self.middle(self.early(self.stem(x))))
        x = self.narrow(self.late(x + self.residual(x)))
        hidden = fn.relu(self.hidden(x.flatten(1)))
        return torch.cat([self.offsets(hidden) * self.offset_scale, self.plate(hidden)], 1)

    def load(self, state: Mapping[str, torch.Tensor]) -> None:
        """Takes the weights of a state dict, under whichever names; one without `plate` leaves that as it is.

        Raises:
            RuntimeError: they are of another net.

        """
        missing, unexpected = self.load_state_dict(named(state), strict=False)
        if unexpected or any(not key.startswith("plate.") for key in missing):
            raise RuntimeError(f"missing {missing}, unexpected {unexpected}")


def named(state: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """A state dict under this net's present names, whether it was saved under them or under the short ones."""
    return network.named(state, _SHORT)


def regions_to_tensor(regions: torch.Tensor) -> torch.Tensor:
    """Grey regions (N, H, W) uint8 as the net's input, (N, 1, H, W) float32 in -1..1."""
    return (regions.float() / 127.5 - 1)[:, None]
