"""What a text costs the reader's columns."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
import torch.nn.functional as fn

if TYPE_CHECKING:
    from collections.abc import Sequence


def classes_of(text: str, characters: str) -> list[int]:
    """The class of each character of `text`: its place among `characters`, after the blank's."""
    return [characters.index(character) + 1 for character in text]


def ctc_costs(logits: torch.Tensor, targets: Sequence[Sequence[int]]) -> torch.Tensor:
    """The negative log likelihood (N,) of the classes of each text in logits (N, columns, classes), blank first."""
    return fn.ctc_loss(
        logits.log_softmax(-1).transpose(0, 1),
        torch.tensor([index for target in targets for index in target], device=logits.device),
        torch.full((len(targets),), logits.shape[1], device=logits.device),
        torch.tensor([len(target) for target in targets], device=logits.device),
        reduction="none",
        zero_infinity=True,
    )


def per_character(costs: torch.Tensor, targets: Sequence[Sequence[int]], shortest: int) -> torch.Tensor:
    """Costs (N,) divided by the lengths of their texts, but by no less than `shortest`."""
    return costs / torch.tensor([len(target) for target in targets], device=costs.device).clamp(min=shortest)


def country_cost(countries: torch.Tensor, known: Sequence[int]) -> torch.Tensor:
    """The mean cross-entropy of country logits (N, C) where the country is known; a negative one is not."""
    if max(known) < 0:
        return countries.sum() * 0
    return fn.cross_entropy(countries, torch.tensor(known, device=countries.device), ignore_index=-1)
