"""The figures of the reader's ablation as a Markdown table and a plot."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

Score = tuple[int, int, int]
"""Of a group: read exactly, read exactly when folded, all."""
GROUPS = ("UK", "PL gate", "CZ", "others")
FULL_TRAINING = "about half a million"
"""Strips, in the recipe's two hours."""
BOXES = "boxes"
"""The run whose plates are cut at their boxes: it is shown measured so as well."""
PANELS = {
    "heads, the same data": ("ctc", "slots", "attention"),
    "CTC, other data": ("ctc", "rendered", "real", BOXES, "harsh", "plates"),
}


@dataclass(frozen=True, slots=True)
class Result:
    """What one run came to."""

    name: str
    told: str
    steps: int
    parameters: int
    strip_ms: float
    minutes: float
    scores: Mapping[str, Score]
    """By group, cut where the corner net places them."""
    at_boxes: Mapping[str, Score]
    """The same crops cut at their boxes."""
    curve: Sequence[tuple[int, float]]
    """Share of all held-out crops read exactly when folded, by step."""

    @staticmethod
    def of(content: Mapping[str, Any]) -> Result:
        """From the JSON that it was written as."""
        return Result(**content)


def table(results: Sequence[Result], batch: int, *, initial: bool = False) -> str:
    """Markdown: a row a run, the best of each column in bold, and how short the runs are."""
    if not results:
        return ""
    rows = [(one, one.told, one.scores) for one in results]
    rows += [(one, "the same run, measured at the boxes too", one.at_boxes) for one in results if one.name == BOXES]
    groups = [name for name in GROUPS if name in results[0].scores]
    counts = {name: results[0].scores[name][2] for name in groups}
    counts["all"] = sum(counts.values())
    heads = ["one change at a time", "parameters", "ms", *(f"{name} ({count})" for name, count in counts.items())]
    lines = ["| " + " | ".join(heads) + " |", "|:--|" + "--:|" * (len(heads) - 1)]
    scores = [_with_all(score) for _, _, score in rows]
    best = {name: max(score[name][1] for score in scores) for name in counts}
    for (one, told, _), score in zip(rows, scores, strict=True):
        cells = [_cell(score[name], best[name]) for name in counts]
        lines.append(f"| {told} | {one.parameters / 1e6:.2f} M | {one.strip_ms:.1f} | " + " | ".join(cells) + " |")
    lines += ["", _told(results, batch, initial=initial)]
    return "\n".join(lines) + "\n"


def _told(results: Sequence[Result], batch: int, *, initial: bool) -> str:
    steps, minutes = results[0].steps, sum(one.minutes for one in results)
    start = "from one backbone, with a new head," if initial else "from random weights,"
    return (
        "Held-out crops read without any fault when O, Q = 0 and I = 1, in brackets as they stand; cut where the"
        f" corner net places them. Each run: {steps} steps of {batch} strips {start}"
        f" {steps * batch:,} strips, where a full training sees {FULL_TRAINING}. One seed, so a few crops more or fewer"
        " say nothing. ms: a strip in PyTorch, its text included, 1 thread, median."
        f" {minutes:.0f} minutes for these runs."
    )


def _with_all(scores: Mapping[str, Score]) -> dict[str, Score]:
    parts = {name: scores[name] for name in GROUPS if name in scores}
    raw, folded, count = (sum(part[place] for part in parts.values()) for place in range(3))
    return {**parts, "all": (raw, folded, count)}


def _cell(score: Score, best: int) -> str:
    raw, folded, _ = score
    return f"**{folded}** ({raw})" if folded == best else f"{folded} ({raw})"


def draw(results: Sequence[Result], out: Path) -> None:
    """A PNG: what share of the held-out crops each run reads as it goes on."""
    import matplotlib as mpl  # noqa: PLC0415  # only training has it

    mpl.use("Agg")
    from matplotlib import pyplot as plt  # noqa: PLC0415

    by_name = {one.name: one for one in results}
    figure, axes = plt.subplots(1, len(PANELS), figsize=(5 * len(PANELS), 3.6), sharey=True)
    for axis, (title, names) in zip(axes, PANELS.items(), strict=True):
        for name in names:
            if name in by_name:
                axis.plot(*zip((0, 0.0), *by_name[name].curve, strict=True), marker=".", label=name)
        axis.set(title=title, xlabel="steps", ylim=(0, 1))
        axis.grid(visible=True, alpha=0.3)
        if axis.get_legend_handles_labels()[0]:
            axis.legend()
    axes[0].set_ylabel("held-out crops read, folded")
    figure.tight_layout()
    figure.savefig(out, dpi=110)
    plt.close(figure)
