"""Makes the pretrained backbone narrower: drops channels of the expansions and solves each projection anew."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from models.detector.network import Block, DetectorNet
from models.detector.pretrained import backbone_state

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray

    from models.detector.config import Net

RIDGE = 1e-4
"""Added to the normal equations' diagonal, as a share of its mean."""
MOST_PLACES = 200_000
"""Places of the feature maps that a projection is solved on."""
RANKING_STEP = 7
"""Channels are ranked on every so many places of a feature map."""


def prune(
    constants: dict[str, NDArray[np.float32]],
    net: Net,
    pictures: NDArray[np.float32],
    report: Callable[[str], None] = print,
) -> dict[str, torch.Tensor]:
    """The state of the narrow stem and blocks, from the pretrained graph's constants.

    Block after block: the channels before the projection are ranked by their variance on `pictures`
    ((N, 3, H, W) float32 RGB in -1..1) times the squared weight that the projection gives them; the best stay; then
    the projection is solved by least squares, so that the narrow block, fed with what the narrow net before it
    gives, comes closest to the full one's output.
    """
    full, narrow = DetectorNet(net.model_copy(update={"kept": (1.0,) * 15})), DetectorNet(net)
    state = {name: torch.from_numpy(value) for name, value in backbone_state(constants, len(full.blocks)).items()}
    full.load_state_dict(state, strict=False)
    narrow.stem.load_state_dict(full.stem.state_dict())
    narrow.blocks[0].load_state_dict(full.blocks[0].state_dict())
    with torch.no_grad():
        wanted = _run(lambda part: full.blocks[0](full.stem(part)), torch.from_numpy(pictures))
        given = wanted.clone()
        for number in range(1, len(full.blocks)):
            wanted, given = _prune_block(full.blocks[number], narrow.blocks[number], wanted, given)
            error = float(((given - wanted) ** 2).mean() / wanted.var())
            report(f"block {number:2}: {narrow.blocks[number].depthwise.convolution.out_channels} channels, "
                   f"error {error:.3f} of the output's variance")  # fmt: skip
    return {name: value for name, value in narrow.state_dict().items() if name.startswith(("stem.", "blocks."))}


def _prune_block(
    full: Block, narrow: Block, wanted_in: torch.Tensor, given_in: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Fills `narrow`; the outputs of both, each fed with its own input."""
    middle = _run(full.middle, wanted_in)
    wanted = _run(full.project, middle) + (wanted_in if full.residual else 0)
    count = narrow.depthwise.convolution.out_channels
    kept = strongest(middle, full.project.convolution.weight[:, :, 0, 0], count)
    for part in ("expand", "depthwise"):
        source, target = getattr(full, part).convolution, getattr(narrow, part).convolution
        target.weight.copy_(source.weight[kept])
        target.bias.copy_(source.bias[kept])
    narrow_middle = _run(narrow.middle, given_in)
    weight, bias = solve(narrow_middle, wanted - (given_in if narrow.residual else 0))
    narrow.project.convolution.weight.copy_(weight[:, :, None, None])
    narrow.project.convolution.bias.copy_(bias)
    return wanted, _run(narrow.project, narrow_middle) + (given_in if narrow.residual else 0)


def strongest(middle: torch.Tensor, weight: torch.Tensor, count: int) -> torch.Tensor:
    """The `count` channels of (N, C, H, W) that matter most to a projection (outputs, C), in rising order."""
    values = middle.transpose(0, 1).flatten(1)[:, ::RANKING_STEP]
    importance = values.var(1) * (weight**2).sum(0)
    return torch.sort(torch.argsort(-importance)[:count])[0]


def solve(inputs: torch.Tensor, outputs: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Weight (outputs, inputs) and bias (outputs,) that map feature maps (N, C, H, W) best, by ridge regression."""
    x, y = inputs.transpose(0, 1).flatten(1), outputs.transpose(0, 1).flatten(1)
    step = max(1, x.shape[1] // MOST_PLACES)
    x, y = x[:, ::step].double(), y[:, ::step].double()
    x = torch.cat([x, torch.ones(1, x.shape[1], dtype=x.dtype)])
    normal = x @ x.T
    normal += torch.eye(len(normal), dtype=x.dtype) * RIDGE * normal.diag().mean()
    solved = torch.linalg.solve(normal, x @ y.T).T.float()
    return solved[:, :-1], solved[:, -1]


def _run(part: Callable[[torch.Tensor], torch.Tensor], pictures: torch.Tensor) -> torch.Tensor:
    return torch.cat([part(few) for few in pictures.split(8)])
