"""The heads that were tried on the reader's backbone: CTC, which is shipped, fixed slots, and an attention decoder.

Each costs a text its negative log likelihood, so that their losses can be compared, and gives the class indices of
the text it reads. Class 0 is CTC's blank, an empty slot, or the end of the text.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import torch
import torch.nn.functional as fn
from torch import nn

from models.ocr.loss import ctc_costs
from models.ocr.network import ReaderNet

if TYPE_CHECKING:
    from collections.abc import Sequence

    from models.ocr.config import ReaderConfig

    Targets = Sequence[Sequence[int]]

HeadName = Literal["ctc", "slots", "attention"]
SLOTS = 10
"""As long as the longest registrations that the renderer knows; one crop in 2,705 has a longer one."""
TYPICAL_CHARACTERS = 7.5
SPREAD_COLUMNS = 2.5
"""How many characters a plate of usual length has, and the standard deviation of where one is looked for."""
STATE, EMBEDDING = 96, 24
"""Widths of the attention decoder's state and of a character's embedding."""
NOTHING = 0
"""The class of the CTC blank, and of an empty slot."""


class CtcHead(nn.Module):  # type: ignore[misc]  # torch is untyped here
    """A character or a blank for every column; repeats are joined and blanks left out."""

    def __init__(self, channels: int, classes: int) -> None:
        super().__init__()
        self.characters = nn.Linear(channels, classes)

    def cost(self, seen: torch.Tensor, targets: Targets) -> torch.Tensor:
        """Of columns (N, columns, channels) and the classes of each text: (N,)."""
        return ctc_costs(self.characters(seen), targets)

    def read(self, seen: torch.Tensor) -> list[list[int]]:
        """Of columns (N, columns, channels) the classes of each text."""
        best = self.characters(seen).argmax(-1)
        texts = []
        for row in best.tolist():
            before = [NOTHING, *row[:-1]]
            texts.append([one for one, last in zip(row, before, strict=True) if one not in {NOTHING, last}])
        return texts


class SlotHead(nn.Module):  # type: ignore[misc]  # torch is untyped here
    """The first to the tenth character, each by an attention of its own over the columns."""

    def __init__(self, channels: int, classes: int, columns: int) -> None:
        super().__init__()
        self.content = nn.Linear(channels, SLOTS)
        nn.init.zeros_(self.content.weight)
        self.place = nn.Parameter(first_attention(columns, SLOTS))
        self.characters = nn.Linear(channels, classes)

    def logits(self, seen: torch.Tensor) -> torch.Tensor:
        """Of columns (N, columns, channels) the classes of each slot, (N, SLOTS, classes)."""
        shares = (self.content(seen) + self.place).softmax(1)
        return self.characters(shares.transpose(1, 2) @ seen)

    def cost(self, seen: torch.Tensor, targets: Targets) -> torch.Tensor:
        """As CtcHead.cost. Of a text that is too long for the slots its beginning."""
        wanted = padded(targets, SLOTS, seen.device)
        return fn.cross_entropy(self.logits(seen).transpose(1, 2), wanted, reduction="none").sum(1)

    def read(self, seen: torch.Tensor) -> list[list[int]]:
        """As CtcHead.read; empty slots are left out."""
        return [[one for one in row if one != NOTHING] for row in self.logits(seen).argmax(-1).tolist()]


class AttentionHead(nn.Module):  # type: ignore[misc]  # torch is untyped here
    """One character after the other, each by an attention over the columns that the characters before it direct."""

    def __init__(self, channels: int, classes: int, columns: int) -> None:
        super().__init__()
        self.keys = nn.Linear(channels, STATE)
        self.where = nn.Parameter(torch.randn(columns, STATE) * 0.1)
        self.place = nn.Parameter(first_attention(columns, SLOTS + 1))
        self.query = nn.Linear(STATE, STATE)
        self.before = nn.Embedding(classes, EMBEDDING)
        self.state = nn.GRUCell(channels + EMBEDDING, STATE)
        self.characters = nn.Linear(channels + STATE, classes)

    def cost(self, seen: torch.Tensor, targets: Targets) -> torch.Tensor:
        """As CtcHead.cost; the characters before are the true ones."""
        wanted = padded(targets, SLOTS + 1, seen.device)
        costs = torch.zeros(len(targets), device=seen.device)
        state, keys = seen.new_zeros(len(targets), STATE), self.keys(seen) + self.where
        before = torch.zeros_like(wanted[:, 0])
        running = torch.ones_like(costs)
        for step in range(SLOTS + 1):
            logits, state = self._step(seen, keys, (state, before), step)
            costs = costs + running * fn.cross_entropy(logits, wanted[:, step], reduction="none")
            before = wanted[:, step]
            running = running * (before != NOTHING)
        return costs

    def read(self, seen: torch.Tensor) -> list[list[int]]:
        """As CtcHead.read; each character is the likeliest after those before it."""
        state, keys = seen.new_zeros(len(seen), STATE), self.keys(seen) + self.where
        before = torch.zeros(len(seen), dtype=torch.long, device=seen.device)
        texts: list[list[int]] = [[] for _ in range(len(seen))]
        running = [True] * len(seen)
        for step in range(SLOTS + 1):
            logits, state = self._step(seen, keys, (state, before), step)
            before = logits.argmax(-1)
            for place, one in enumerate(before.tolist()):
                running[place] = running[place] and one != NOTHING
                if running[place]:
                    texts[place].append(one)
            if not any(running):
                break
        return texts

    def _step(
        self, seen: torch.Tensor, keys: torch.Tensor, memory: tuple[torch.Tensor, torch.Tensor], step: int
    ) -> tuple[torch.Tensor, torch.Tensor]:
        state, before = memory
        fit = (keys @ self.query(state)[:, :, None])[:, :, 0] / STATE**0.5
        shares = (fit + self.place[:, step]).softmax(1)
        found = (shares[:, None] @ seen)[:, 0]
        state = self.state(torch.cat([found, self.before(before)], 1), state)
        return self.characters(torch.cat([found, state], 1)), state


def first_attention(columns: int, slots: int) -> torch.Tensor:
    """Logits (columns, slots): where the characters of a plate of usual length stand.

    Without such a start neither attention head begins to learn for minutes.
    """
    middles = ((torch.arange(slots) + 0.5) * columns / TYPICAL_CHARACTERS).clamp(max=columns - 1)
    off = torch.arange(columns)[:, None] + 0.5 - middles
    return -(off**2) / (2 * SPREAD_COLUMNS**2)


def padded(targets: Targets, length: int, device: torch.device) -> torch.Tensor:
    """Classes (N, length): each text, cut or filled up with NOTHING."""
    rows = [[*target[:length], *[NOTHING] * (length - len(target))] for target in targets]
    return torch.tensor(rows, device=device)


class HeadedReader(nn.Module):  # type: ignore[misc]  # torch is untyped here
    """The shipped reader's backbone and country, under any of the heads."""

    def __init__(self, config: ReaderConfig, head: HeadName) -> None:
        super().__init__()
        self.backbone = ReaderNet(config)
        del self.backbone.characters
        channels, columns = config.net.channels[-1], config.net.columns
        self.head: CtcHead | SlotHead | AttentionHead
        if head == "ctc":
            self.head = CtcHead(channels, config.classes)
        elif head == "slots":
            self.head = SlotHead(channels, config.classes, columns)
        else:
            self.head = AttentionHead(channels, config.classes, columns)

    def costs(self, x: torch.Tensor, targets: Targets) -> tuple[torch.Tensor, torch.Tensor]:
        """Of strips (N, 1, H, W) in -1..1: the cost of each text (N,), and country logits (N, countries)."""
        seen, columns = self.backbone.features(x)
        rows = self.backbone.dropout(seen)[:, :, 0].transpose(1, 2)
        return self.head.cost(rows, targets), self.backbone.countries(columns)

    def read(self, x: torch.Tensor) -> list[list[int]]:
        """Of strips (N, 1, H, W) in -1..1 the classes of each text."""
        seen, _ = self.backbone.features(x)
        return self.head.read(seen[:, :, 0].transpose(1, 2))
