"""The mean of those checkpoints of a reader that together cost least on held-out crops made harder.

Held-out crops as they are no longer tell good readers apart: each is spoilt in several ways first, as in training.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

from models.command import add_data, add_labels, answer
from models.data.photographs import read_labels
from models.ocr import config as settings
from models.ocr.augment import degraded
from models.ocr.crops import read_crops
from models.ocr.evaluate import Group, load_groups
from models.ocr.loss import classes_of, ctc_costs, per_character
from models.ocr.network import ReaderNet, named, strips_to_tensor
from models.ocr.placing import CORNERS, corner_finder
from models.training.course import averaged_state, read_checkpoint
from models.training.mean import greedy, mean_state
from roadside.errors import ModelError, SourceError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from models.ocr.config import ReaderConfig

COPIES = 4
"""Spoilt copies of each held-out crop."""
TOGETHER = 64
"""Strips that the net sees at once."""


@dataclass(frozen=True, slots=True)
class HeldOut:
    """What readers are compared on."""

    strips: torch.Tensor
    """(N, 48, 176) uint8."""
    texts: tuple[str, ...]
    config: ReaderConfig

    def cost(self, state: Mapping[str, torch.Tensor]) -> float:
        """The mean CTC loss a character of a reader with these weights. Raises ModelError where they are of no such."""
        net = ReaderNet(self.config)
        try:
            net.load_state_dict(named(state))
        except (KeyError, RuntimeError, ValueError) as fault:
            raise ModelError(
                "A checkpoint belongs to another reader; --config names the settings of its net"
            ) from fault
        net.eval()
        lost = []
        with torch.no_grad():
            for at in range(0, len(self.texts), TOGETHER):
                characters, _ = net(strips_to_tensor(self.strips[at : at + TOGETHER]))
                targets = [classes_of(text, self.config.characters) for text in self.texts[at : at + TOGETHER]]
                lost.append(per_character(ctc_costs(characters, targets), targets, self.config.training.shortest_text))
        return float(torch.cat(lost).mean())


def held_out(groups: Mapping[str, Group], config: ReaderConfig, copies: int = COPIES) -> HeldOut:
    """Spoilt copies of held-out crops, always the same. Raises SourceError where there is none."""
    rng = np.random.default_rng(config.training.seed)
    strips = [strip for group in groups.values() for strip in group.strips]
    texts = [text for group in groups.values() for text in group.texts]
    if not texts:
        raise SourceError("No held-out crop with a text is there to compare checkpoints on")
    spoilt = [degraded(rng, strip, mild=False, hard=True) for _ in range(copies) for strip in strips]
    return HeldOut(torch.from_numpy(np.stack(spoilt)), tuple(texts) * copies, config)


def choose(paths: Sequence[Path], data: HeldOut) -> dict[str, torch.Tensor]:
    """The weights that cost least; says what each checkpoint costs and which are in them. Raises ModelError."""
    states = [averaged_state(read_checkpoint(path)) for path in paths]
    costs = []
    for path, state in zip(paths, states, strict=True):
        costs.append(data.cost(state))
        print(f"{path}: {costs[-1]:.4f}", flush=True)
    taken, least = greedy(costs, lambda places: data.cost(mean_state([states[place] for place in places])))
    print(f"mean of {len(taken)} of {len(paths)}: {least:.4f} ({', '.join(paths[place].name for place in taken)})")
    return mean_state([states[place] for place in taken])


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line."""
    prog = "models.ocr.best"
    parser = argparse.ArgumentParser(prog=prog, description=__doc__)
    add_data(parser)
    add_labels(parser)
    parser.add_argument(
        "checkpoints", type=Path, nargs="+", help="of one net: those that a run left in its folder `kept`"
    )
    parser.add_argument("--config", type=Path, default=settings.DEFAULT)
    parser.add_argument("--corners", type=Path, default=CORNERS, help="folder of the corner net that places the crops")
    parser.add_argument("--out", type=Path, required=True)
    chosen = parser.parse_args(arguments)

    def work() -> None:
        config = settings.load(chosen.config)
        crops = read_crops(chosen.data, read_labels(chosen.labels), config.countries)
        groups = load_groups(crops, config.export.margin, corner_finder(chosen.corners))
        best = choose(chosen.checkpoints, held_out(groups, config))
        chosen.out.parent.mkdir(parents=True, exist_ok=True)
        torch.save(best, chosen.out)

    return answer(prog, work)


if __name__ == "__main__":
    raise SystemExit(main())
