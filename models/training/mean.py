"""The mean of the weights of several checkpoints of one run (Izmailov et al. 2018, stochastic weight averaging)."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from models.command import answer
from models.training.course import averaged_state, read_checkpoint
from roadside.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import torch

    State = Mapping[str, torch.Tensor]


def mean(paths: Sequence[Path]) -> dict[str, torch.Tensor]:
    """The mean of the averaged weights of checkpoints. Raises ModelError where they are not of one net."""
    return mean_state([averaged_state(read_checkpoint(path)) for path in paths])


def greedy(costs: Sequence[float], cost_of: Callable[[Sequence[int]], float]) -> tuple[list[int], float]:
    """Which checkpoints to take the mean of, and what it costs (Wortsman et al. 2022, "greedy soup").

    From the one that costs least on, each of the others is taken in, the cheapest first, unless the mean with it costs
    more than the mean without it.

    Args:
        costs: what each costs alone, on data that it was not trained on.
        cost_of: what the mean of the checkpoints of these places costs.

    """
    first, *others = sorted(range(len(costs)), key=lambda place: costs[place])
    taken, least = [first], costs[first]
    for place in others:
        cost = cost_of([*taken, place])
        if cost <= least:
            taken, least = [*taken, place], cost
    return taken, least


def mean_state(states: Sequence[State]) -> dict[str, torch.Tensor]:
    """The mean of weights. Raises ModelError where they are not of one net."""
    shapes = [{key: value.shape for key, value in state.items()} for state in states]
    if any(shape != shapes[0] for shape in shapes):
        raise ModelError("The checkpoints belong to different nets")
    return {
        key: (sum(state[key].double() for state in states) / len(states)).to(value.dtype)
        for key, value in states[0].items()
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line."""
    import torch  # noqa: PLC0415  # slow to load

    prog = "models.training.mean"
    parser = argparse.ArgumentParser(prog=prog, description=__doc__)
    parser.add_argument("checkpoints", type=Path, nargs="+")
    parser.add_argument("--out", type=Path, required=True)
    chosen = parser.parse_args(arguments)

    def work() -> None:
        chosen.out.parent.mkdir(parents=True, exist_ok=True)
        torch.save(mean(chosen.checkpoints), chosen.out)

    return answer(prog, work)


if __name__ == "__main__":
    raise SystemExit(main())
