"""The command line of a training: `python -m models.NET.train`."""

from __future__ import annotations

import argparse
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from models.command import add_data, answer
from models.training import device
from models.training.course import Limits
from models.training.loop import Place

if TYPE_CHECKING:
    from collections.abc import Callable

STOPPED = "stopped; the same command takes the run up at its last checkpoint"


@dataclass(frozen=True, slots=True)
class Job:
    """What every training is told."""

    data: Path
    run: Path
    """The folder of its checkpoint, history, curves and whatever else it makes for itself."""
    config: Path
    limits: Limits
    initial: Path | None
    """Weights to start from instead of the usual ones."""
    place: Place = field(default_factory=Place)
    """Where it computes."""

    @classmethod
    def of(cls, chosen: argparse.Namespace) -> Job:
        """What was said on a command line of `parser`."""
        limits = Limits(chosen.minutes, chosen.steps, chosen.threads, chosen.rate)
        on = device.choose(chosen.device)
        place = Place(on, device.loaders(on, chosen.loaders))
        return cls(chosen.data, chosen.run, chosen.config, limits, chosen.initial, place)


def parser(prog: str, description: str | None, folder: str, config: Path, start: str) -> argparse.ArgumentParser:
    """The options of every training.

    Args:
        prog: the module, as `python -m` is given it.
        description: what it does.
        folder: where the run's files lie unless told otherwise.
        config: its settings file.
        start: the weights that it starts from by itself, in words.

    """
    made = argparse.ArgumentParser(prog=prog, description=description)
    add_data(made)
    made.add_argument("--run", type=Path, default=Path(folder), help="checkpoint, history, curves")
    made.add_argument("--config", type=Path, default=config)
    made.add_argument("--minutes", type=float)
    made.add_argument("--steps", type=int, help="instead of minutes: a repeatable run")
    made.add_argument("--threads", type=int)
    made.add_argument("--rate", type=float, help="highest learning rate")
    made.add_argument("--device", default=device.AUTO, help="cpu, cuda, or auto: cuda where there is one (default)")
    made.add_argument(
        "--loaders", type=_count, metavar="N", help="processes that draw batches (default: 0, for a GPU up to 8)"
    )
    made.add_argument("--initial", type=Path, help=f"weights to start from instead of {start}")
    return made


def _count(text: str) -> int:
    if not text.isascii() or not text.isdigit():
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number from 0 on")
    return int(text)


def run(prog: str, train: Callable[[], None]) -> int:
    """Trains; the exit status, with one line on stderr where the training came to no end."""
    return answer(prog, train, stopped=STOPPED)
