"""Where a training computes: on the processor, or on a GPU that CUDA sees."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import torch

from roadside.errors import ModelError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

AUTO = "auto"
MOST_LOADERS = 8
"""Processes that draw batches for a GPU unless told otherwise: more are seldom waited for."""


def choose(name: str) -> torch.device:
    """The device of a name: cpu, cuda, cuda:1..., or auto, which is cuda where there is one.

    Raises:
        ModelError: there is no such device, or this PyTorch cannot use it.

    """
    if name == AUTO:
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError:
        raise ModelError(f"{name!r} is no device; say cpu, cuda or auto") from None
    if device.type not in {"cpu", "cuda"}:
        raise ModelError(f"Trainings run on cpu and cuda, not on {device.type}")
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise ModelError(
            f"PyTorch {torch.__version__} sees no {device}: install a build for CUDA, as docs/train-your-own.md says, "
            "or leave DEVICE out"
        )
    return device


def loaders(device: torch.device, asked: int | None) -> int:
    """How many processes draw batches: as many as asked; else none for a processor, which they would only share."""
    if asked is not None:
        return asked
    return min(MOST_LOADERS, max(1, (os.cpu_count() or 1) - 1)) if device.type == "cuda" else 0


def of(net: torch.nn.Module) -> torch.device:
    """The device that a net's weights are on."""
    device: torch.device = next(net.parameters()).device
    return device


def tensor(array: NDArray[np.generic], device: torch.device) -> torch.Tensor:
    """An array as a tensor on `device`; on the processor it shares the array's memory."""
    return torch.from_numpy(array).to(device, non_blocking=True)


def faster(device: torch.device, *, enabled: bool) -> torch.autocast:
    """A net's layers in bfloat16 within this context, where `enabled`."""
    return torch.autocast(device.type, torch.bfloat16, enabled=enabled)
