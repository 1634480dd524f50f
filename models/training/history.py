"""What a run has reported: kept as JSON lines, drawn as curves."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


class History:
    """The reports of a run, one JSON object a line; resumed runs append."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def add(self, **figures: float | str) -> None:
        """Appends a report."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(figures) + "\n")

    def reports(self) -> list[dict[str, float]]:
        """Every report so far, oldest first; a line cut short by an interruption is left out."""
        if not self.path.exists():
            return []
        found = []
        for line in self.path.read_text(encoding="utf-8").splitlines():
            try:
                found.append(json.loads(line))
            except json.JSONDecodeError:
                continue
        return found


def draw_curves(history: History, out: Path, panels: Mapping[str, tuple[str, ...]]) -> None:
    """A PNG with one panel for each title of `panels`, drawing the named figures over the minutes of the run."""
    import matplotlib as mpl  # noqa: PLC0415  # only training has it

    mpl.use("Agg")
    from matplotlib import pyplot as plt  # noqa: PLC0415

    reports = history.reports()
    figure, axes = plt.subplots(1, len(panels), figsize=(5 * len(panels), 3.8), squeeze=False)
    for axis, (title, names) in zip(axes[0], panels.items(), strict=True):
        for name in names:
            points = [(one["elapsed_s"] / 60, one[name]) for one in reports if name in one]
            if points:
                axis.plot(*zip(*points, strict=True), label=name, marker="." if len(points) < 30 else "")
        axis.set(title=title, xlabel="minutes of training")
        axis.grid(visible=True, alpha=0.3)
        if axis.get_legend_handles_labels()[0]:
            axis.legend(loc="upper center", bbox_to_anchor=(0.5, -0.2), ncols=2, fontsize="small", frameon=False)
    figure.tight_layout()
    out.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(out, dpi=110)
    plt.close(figure)
