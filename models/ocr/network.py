"""The reader's net in PyTorch: convolutions over the strip, a column of characters every four pixels, a country."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
import torch.nn.functional as fn
from torch import nn

from models.training import course
from roadside.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from models.ocr.config import ReaderConfig

NORM_EPSILON = 1e-3
"""Added to the variance under the root."""
NORM_MOMENTUM = 0.03
"""The share of a batch's mean and variance that the running ones take over."""

# The shipped weights came out of a run whose modules had these short names.
_SHORT = {
    "a": "stem", "b": "early", "c1": "middle1", "c2": "middle2", "d1": "deep1", "d2": "deep2", "e1": "late",
    "f": "column", "x1": "context1", "x2": "context2", "o": "characters", "k1": "country_hidden", "k2": "country",
}  # fmt: skip
_SHORT_PARTS = {"c": "convolution", "b": "norm", "d": "depthwise", "p": "pointwise"}


class Convolution(nn.Module):  # type: ignore[misc]  # torch is untyped here
    """A convolution without bias, a batch norm and, unless told otherwise, a ReLU.

    Stride 2 pads right and below only, as TensorFlow's "same" does on even sizes, so that the exported net agrees.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        kernel: tuple[int, int] = (3, 3),
        *,
        stride: int = 1,
        padding: tuple[int, int] | None = None,
        groups: int = 1,
        activate: bool = True,
    ) -> None:
        super().__init__()
        around = (kernel[0] // 2, kernel[1] // 2) if padding is None else padding
        self.convolution = nn.Conv2d(
            inputs, outputs, kernel, stride, (0, 0) if stride == 2 else around, groups=groups, bias=False
        )
        self.norm = nn.BatchNorm2d(outputs, eps=NORM_EPSILON, momentum=NORM_MOMENTUM)
        self.stride, self.activate = stride, activate

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(N, inputs, H, W) to (N, outputs, H', W')."""
        if self.stride == 2:
            x = fn.pad(x, (0, 1, 0, 1))
        x = self.norm(self.convolution(x))
        return fn.relu(x, inplace=True) if self.activate else x


class Context(nn.Module):  # type: ignore[misc]  # torch is untyped here
    """Lets a column see its neighbours along the plate, with a residual."""

    def __init__(self, channels: int, columns: int) -> None:
        super().__init__()
        self.depthwise = Convolution(channels, channels, (1, columns), groups=channels)
        self.pointwise = Convolution(channels, channels, (1, 1), activate=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(N, C, 1, columns) to the same shape."""
        return fn.relu(x + self.pointwise(self.depthwise(x)))


class ReaderNet(nn.Module):  # type: ignore[misc]  # torch is untyped here
    """Strips (N, 1, 48, W) scaled to -1..1 to character logits (N, W / 4, classes) and country logits (N, C)."""

    def __init__(self, config: ReaderConfig) -> None:
        super().__init__()
        net = config.net
        stem, early, middle1, middle2, deep1, deep2, late, column = net.channels
        self.stem = Convolution(1, stem, stride=2)
        self.early = Convolution(stem, early)
        self.middle1 = Convolution(early, middle1)
        self.middle2 = Convolution(middle1, middle2)
        self.deep1 = Convolution(middle2, deep1)
        self.deep2 = Convolution(deep1, deep2)
        self.late = Convolution(deep2, late)
        self.column = Convolution(late, column, (3, 1), padding=(0, 0))
        self.context1 = Context(column, net.context_columns)
        self.context2 = Context(column, net.context_columns)
        self.dropout = nn.Dropout(net.dropout)
        self.characters = nn.Conv2d(column, config.classes, 1)
        self.ends = net.country_ends
        self.country_hidden = nn.Linear(column * (4 if self.ends else 1), net.country_hidden)
        self.country = nn.Linear(net.country_hidden, len(config.countries))

    def features(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """What the characters are read from and what the country is told by, (N, channels, 1, columns) each."""
        x = fn.max_pool2d(self.early(self.stem(x)), 2)
        x = fn.max_pool2d(self.middle2(self.middle1(x)), (2, 1))
        x = self.deep1(x)
        x = fn.max_pool2d(fn.relu(x + self.deep2(x)), (2, 1))
        columns = self.column(self.late(x))
        return self.context2(self.context1(columns)), columns

    def summary(self, columns: torch.Tensor) -> torch.Tensor:
        """What the second of the features is to the country's layers: means over columns, (N, channels or 4 of them).

        Over all of them and, where the net looks at the ends, over the first, those after them, and the last.
        """
        means = [columns.mean((2, 3))]
        if self.ends:
            parts = columns[..., : self.ends], columns[..., self.ends : 2 * self.ends], columns[..., -self.ends :]
            means += [part.mean((2, 3)) for part in parts]
        return torch.cat(means, 1)

    def countries(self, columns: torch.Tensor) -> torch.Tensor:
        """Country logits (N, countries) of the second of the features."""
        return self.countries_of(self.summary(columns))

    def countries_of(self, summary: torch.Tensor) -> torch.Tensor:
        """Country logits (N, countries) of a `summary`."""
        return self.country(fn.relu(self.country_hidden(self.dropout(summary))))

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Character logits (N, columns, classes) and country logits (N, countries)."""
        seen, columns = self.features(x)
        characters = self.characters(self.dropout(seen))[:, :, 0].transpose(1, 2)
        return characters, self.countries(columns)


def named(
    state: Mapping[str, torch.Tensor], modules: Mapping[str, str] = _SHORT, parts: Mapping[str, str] = _SHORT_PARTS
) -> dict[str, torch.Tensor]:
    """A state dict under the modules' present names, whether it was saved under them or under their short ones.

    `modules` gives the names of a net's modules and `parts` those of their parts, by their short ones.
    """
    if any(key.startswith("stem.") for key in state):
        return dict(state)
    renamed = {}
    for key, value in state.items():
        head, *middle, leaf = key.split(".")
        renamed[".".join([modules[head], *(parts[part] for part in middle), leaf])] = value
    return renamed


def strips_to_tensor(strips: torch.Tensor) -> torch.Tensor:
    """Grey strips (N, H, W) uint8 as the net's input, (N, 1, H, W) float32 in -1..1."""
    return (strips.float() / 127.5 - 1)[:, None]


def load_body(net: ReaderNet, path: Path) -> None:
    """As `load_trained`, but for the country's layers, which may be others. Raises ModelError."""
    try:
        weights = named(course.averaged_state(course.read_checkpoint(path)))
        own = net.state_dict()
        net.load_state_dict({key: own[key] if key.startswith("country") else weights[key] for key in own})
    except (KeyError, RuntimeError, ValueError) as fault:
        raise ModelError(f"{path} is no checkpoint of this reader") from fault


def load_trained(net: ReaderNet, path: Path) -> None:
    """Gives `net` the averaged weights of a checkpoint. Raises ModelError where it is none of this reader."""
    try:
        net.load_state_dict(named(course.averaged_state(course.read_checkpoint(path))))
    except (KeyError, RuntimeError, ValueError) as fault:
        raise ModelError(f"{path} is no checkpoint of this reader") from fault
