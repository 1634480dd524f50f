"""Whether reads that are given 90 % are right nine times in ten."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from models.evaluate import plots
from models.evaluate.report import Table, share
from roadside.core.plates import fold

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from models.evaluate.texts import Outcome

PLOT = "accuracy_reliability.png"
BINS = 10
SURE = 0.99
"""Of reads with a higher confidence the table counts the wrong ones."""


@dataclass(frozen=True, slots=True)
class Bin:
    """Reads of one tenth of the confidences."""

    reads: int
    confidence: float
    """Their mean confidence."""
    right: float
    """The share that is right."""


def bins(confidences: Sequence[float], right: Sequence[bool], count: int = BINS) -> tuple[Bin, ...]:
    """The non-empty ones of `count` equally wide bins of confidence."""
    found = []
    for i in range(count):
        members = [k for k, c in enumerate(confidences) if min(int(c * count), count - 1) == i]
        if members:
            mean = sum(confidences[k] for k in members) / len(members)
            found.append(Bin(len(members), mean, sum(right[k] for k in members) / len(members)))
    return tuple(found)


def expected_error(found: Sequence[Bin]) -> float:
    """Expected calibration error: the mean gap of confidence and share right, weighed by reads (Guo et al. 2017)."""
    reads = sum(b.reads for b in found)
    return sum(b.reads * abs(b.confidence - b.right) for b in found) / reads if reads else float("nan")


def evaluate(outcomes: Sequence[Outcome], out: Path) -> Table:
    """Calibration of one reader's outcomes by group; the plot is written beside the report."""
    groups = ["all", *dict.fromkeys(o.group for o in outcomes)]
    rows, curves = [], []
    for group in groups:
        members = [o for o in outcomes if group in ("all", o.group)]
        confidences = [o.confidence for o in members]
        right = [fold(o.text) == fold(o.truth) for o in members]
        found = bins(confidences, right)
        sure = [r for c, r in zip(confidences, right, strict=True) if c > SURE]
        wrong = f"{sure.count(False)} of {len(sure)}"
        rows.append((group, str(len(members)), share(expected_error(found)), wrong, share(sum(right) / len(right))))
        if group == "all":
            curves = [
                plots.Curve("measured", [b.confidence for b in found], [b.right for b in found]),
                plots.Curve("perfect", [0.0, 1.0], [0.0, 1.0]),
            ]
    plots.plot(out.with_name(PLOT), "Reliability of our reader", ("confidence", "share right"), curves)
    note = f"Right is folded exact. {BINS} bins of equal width."
    columns = ("", "crops", "calibration error", f"wrong over {SURE}", "right")
    return Table("Can the confidence be trusted", columns, tuple(rows), note)
