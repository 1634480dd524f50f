"""How far a run has come: learning rate, moving average, checkpoints that a later run resumes from."""

from __future__ import annotations

import copy
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from roadside.errors import ModelError

if TYPE_CHECKING:
    from pathlib import Path

    import torch
    from torch import nn

    from models.training.settings import Course


@dataclass(frozen=True, slots=True)
class Limits:
    """What the command line says of a run's length, threads and learning rate; None where the settings file rules."""

    minutes: float | None = None
    steps: int | None = None
    threads: int | None = None
    rate: float | None = None
    """A course that starts from trained weights wants about half of the file's learning rate."""


@dataclass(slots=True)
class Progress:
    """How far a run has come, over all of its resumptions."""

    step: int = 0
    elapsed_s: float = 0.0


def share_done(course: Course, progress: Progress) -> float:
    """From 0 at the start to 1 at the end, by time or by steps."""
    done = progress.step / course.steps if course.schedule == "steps" else progress.elapsed_s / (course.minutes * 60)
    return min(1.0, done)


def learning_rate(course: Course, progress: Progress) -> float:
    """A linear warm-up over the first steps, then half a cosine down to the floor."""
    warm = min(1.0, (progress.step + 1) / course.warmup_steps)
    cosine = 0.5 * (1 + math.cos(math.pi * share_done(course, progress)))
    return course.rate * warm * (cosine + course.rate_floor)


def average_decay(course: Course, step: int) -> float:
    """The moving average's decay: short at first, so that the random start is forgotten."""
    return min(course.average, (1 + step) / (20 + step))


class Average:
    """A moving average of a net's weights and norms, kept as a net of its own."""

    def __init__(self, net: nn.Module) -> None:
        self.net = copy.deepcopy(net)

    def update(self, net: nn.Module, decay: float) -> None:
        """Moves the average a step of 1 - `decay` towards `net`."""
        for kept, new in zip(self.net.state_dict().values(), net.state_dict().values(), strict=True):
            if kept.dtype.is_floating_point:
                kept.mul_(decay).add_(new.detach(), alpha=1 - decay)
            else:
                kept.copy_(new)


def save(path: Path, net: nn.Module, average: Average, optimiser: torch.optim.Optimizer, progress: Progress) -> None:
    """Writes a checkpoint whole: an interruption leaves the one before."""
    import torch  # noqa: PLC0415  # the schedule above is used without it

    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    content = {
        "model": net.state_dict(),
        "average": average.net.state_dict(),
        "optimiser": optimiser.state_dict(),
        "step": progress.step,
        "elapsed_s": progress.elapsed_s,
    }
    torch.save(content, part)
    part.replace(path)


def resume(path: Path, net: nn.Module, average: Average, optimiser: torch.optim.Optimizer) -> Progress:
    """Takes a run up where its checkpoint left it; a fresh start where there is none.

    Raises:
        ModelError: the file is no checkpoint of this net.

    """
    if not path.exists():
        return Progress()
    content = read_checkpoint(path)
    try:
        net.load_state_dict(content["model"])
        average.net.load_state_dict(content["average"])
        optimiser.load_state_dict(content["optimiser"])
        return Progress(content["step"], content["elapsed_s"])
    except (KeyError, RuntimeError, ValueError) as fault:
        raise ModelError(f"{path} belongs to another net; remove it to start anew: {_first_line(fault)}") from fault


def read_checkpoint(path: Path) -> dict[str, Any]:
    """The content of a checkpoint or of a plain state dict.

    Raises:
        ModelError: the file is missing or neither.

    """
    import pickle  # noqa: PLC0415  # for its error alone

    import torch  # noqa: PLC0415

    try:
        content = torch.load(path, map_location="cpu", weights_only=False)  # a run's own file
    except (OSError, RuntimeError, EOFError, pickle.UnpicklingError) as fault:
        raise ModelError(f"{path} cannot be read as a checkpoint: {_first_line(fault)}") from fault
    if not isinstance(content, dict):
        raise ModelError(f"{path} is no checkpoint")
    return content


def averaged_state(content: dict[str, Any]) -> dict[str, torch.Tensor]:
    """The averaged weights of a checkpoint's content, or the content itself where it is a plain state dict."""
    for key in ("average", "e"):
        if isinstance(content.get(key), dict):
            state: dict[str, torch.Tensor] = content[key]
            return state
    return content


def _first_line(fault: BaseException) -> str:
    return (str(fault).splitlines() or [type(fault).__name__])[0]
