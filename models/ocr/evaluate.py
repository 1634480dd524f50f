"""How well the net in training reads real crops that it never trains on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from models.ocr.crops import held_out_groups
from models.ocr.network import strips_to_tensor
from models.ocr.placing import strip_of
from roadside.core.plates import fold

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from models.ocr.crops import Crop
    from roadside.vision import CornerFinder


@dataclass(frozen=True, slots=True)
class Group:
    """Held-out strips of one kind."""

    strips: NDArray[np.uint8]
    """(N, H, W)."""
    texts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Score:
    """Strips of a group that were read without any fault, as they stand and with O, Q = 0 and I = 1."""

    raw: int
    folded: int
    count: int

    def __str__(self) -> str:
        return f"{self.folded} of {self.count} (raw {self.raw})"


def load_groups(crops: Sequence[Crop], margin: float, finder: CornerFinder | None = None) -> dict[str, Group]:
    """The held-out crops by group, cut as the product cuts them: where the corner net places them if there is one."""
    groups = {}
    for name, members in held_out_groups(crops).items():
        strips = [strip_of(crop, margin, finder) for crop in members]
        groups[name] = Group(np.stack(strips), tuple(crop.text for crop in members))
    return groups


def greedy_text(logits: NDArray[np.float32], characters: str) -> str:
    """The text of the best character of each column of (columns, classes): repeats joined, blanks left out."""
    best = logits.argmax(-1)
    kept = best[(best != 0) & (best != np.concatenate([[-1], best[:-1]]))]
    return "".join(characters[index - 1] for index in kept)


def logits_of(net: torch.nn.Module, strips: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Character logits (N, columns, classes) of strips (N, H, W) uint8; the net is left in its mode."""
    was_training = net.training
    net.eval()
    with torch.no_grad():
        parts = [net(strips_to_tensor(torch.from_numpy(strips[at : at + 64])))[0] for at in range(0, len(strips), 64)]
    net.train(was_training)
    return np.asarray(torch.cat(parts).numpy(), np.float32)


def evaluate(net: torch.nn.Module, groups: Mapping[str, Group], characters: str) -> dict[str, Score]:
    """The score of every group."""
    scores = {}
    for name, group in groups.items():
        read = [greedy_text(logits, characters) for logits in logits_of(net, group.strips)]
        scores[name] = score(read, group.texts)
    return scores


def score(read: Sequence[str], texts: Sequence[str]) -> Score:
    """How many of `read` are the truth in `texts`, one beside the other."""
    pairs = list(zip(read, texts, strict=True))
    raw = sum(mine == text for mine, text in pairs)
    folded = sum(fold(mine) == fold(text) for mine, text in pairs)
    return Score(raw, folded, len(pairs))
