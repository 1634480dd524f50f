"""What was read against what stands on the plate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from roadside.core.fusion import edit_distance
from roadside.core.plates import fold

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True)
class Outcome:
    """One crop read by one reader."""

    path: str
    group: str
    truth: str
    raw: str
    """Before any grammar."""
    text: str
    confidence: float
    elapsed_ms: float


@dataclass(frozen=True, slots=True)
class Score:
    """A reader on a group of crops."""

    crops: int
    exact_raw: float
    """Share of texts equal to the truth, character by character."""
    exact_folded: float
    """The same with O and Q = 0, I = 1 on both sides."""
    character_error: float
    """Edits a character of the truth, folded."""


def score(outcomes: Sequence[Outcome]) -> Score:
    """The figures of `outcomes`; nan without any."""
    if not outcomes:
        return Score(0, float("nan"), float("nan"), float("nan"))
    count = len(outcomes)
    wrong = sum(edit_distance(fold(o.text), fold(o.truth)) for o in outcomes)
    return Score(
        count,
        sum(o.text == o.truth for o in outcomes) / count,
        sum(fold(o.text) == fold(o.truth) for o in outcomes) / count,
        wrong / sum(len(o.truth) for o in outcomes),
    )
