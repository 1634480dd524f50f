"""Figures of passages, drawn with matplotlib; imported only where that package is there."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
import numpy as np
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator, PercentFormatter

from roadside.core.sightings import VerdictKind
from roadside.core.summary import (
    COVERED,
    calibration_error,
    counts,
    longer,
    percentile,
    reliability,
    speed_parts,
    usual_per,
)
from roadside.core.summary import edges as edges_of
from roadside.errors import InputError
from roadside.kit.file_faults import writing_fault

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime, tzinfo
    from pathlib import Path

    from roadside.core.summary import Passage, Per

FORMATS = ("png", "svg", "pdf")
PIXELS_PER_INCH = 200
INCHES = (7.0, 2.8)
"""A panel's: the width of a page's text."""
COLOURS = ("#0072B2", "#E69F00", "#009E73", "#D55E00", "#56B4E9", "#CC79A7", "#999999")
"""Told apart by the colour-blind: M. Okabe and K. Ito, Color Universal Design (2008)."""
MOST_SERIES = 7
_SERIES = tuple(zip(COLOURS, ("", "//", "", "..", "", "\\\\", ""), strict=True))
CONFIDENCE_PARTS = 20
_VERDICTS = {
    VerdictKind.PAID: ("#009E73", ""),
    VerdictKind.EXEMPT: ("#56B4E9", ".."),
    VerdictKind.REVIEW: ("#F0E442", "//"),
    VerdictKind.UNKNOWN: ("#999999", "xx"),
    VerdictKind.UNPAID: ("#D55E00", "\\\\"),
}
"""From the ground up, with patterns for prints without colour."""
_STYLE: dict[str, Any] = {
    "font.family": ["DejaVu Sans"],  # comes with matplotlib, and has the letters of all Europe
    "font.size": 9,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.titlesize": 9,
    "axes.titlelocation": "left",
    "grid.color": "#e0e0e0",
    "grid.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "legend.frameon": False,
    "legend.fontsize": 8,
    "hatch.linewidth": 0.4,
    "pdf.fonttype": 42,  # whole fonts: printers and journals refuse the other kind
    "svg.fonttype": "path",
    "svg.hashsalt": "roadside",  # the same numbers make the same file
    "text.parse_math": False,  # a camera may be called $5
}


class Kind(StrEnum):
    """What a panel shows."""

    PASSAGES = "passages"
    VERDICTS = "verdicts"
    CONFIDENCE = "confidence"
    RELIABILITY = "reliability"
    SPEEDS = "speeds"


def draw(path: Path, kinds: Sequence[Kind], passages: Sequence[Passage], where: tzinfo, per: Per | None = None) -> None:
    """Write the panels, one below the other, in the format of the file's ending.

    At least one passage has what each of `kinds` shows. Raises InputError where the file cannot be written, or `per`
    makes too many parts.
    """
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(INCHES[0], INCHES[1] * len(kinds)), layout="constrained")
        panels = figure.subplots(len(kinds), squeeze=False)[:, 0]
        for kind, axes in zip(kinds, panels, strict=True):
            _DRAWN[kind](axes, passages, where, per)
        try:
            figure.savefig(path, dpi=PIXELS_PER_INCH, metadata=_dateless(path))
        except OSError as error:
            raise InputError(f"{path}: {writing_fault(error)}") from error


def _dateless(path: Path) -> dict[str, None]:
    """Without the date of drawing: the same passages make the same file."""
    return {".svg": {"Date": None}, ".pdf": {"CreationDate": None}}.get(path.suffix.lower(), {})


def _parts(passages: Sequence[Passage], where: tzinfo, per: Per | None) -> tuple[Per, list[datetime]]:
    per = usual_per(passages) if per is None else per
    try:
        return per, edges_of(passages, per, where)
    except ValueError as error:
        raise InputError(f"--per {per}: {error}; name a longer one") from error


def _time_axis(axes: Any, where: tzinfo) -> None:  # noqa: ANN401 - matplotlib is not typed here
    locator = AutoDateLocator(tz=where, maxticks=10)
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator, tz=where))
    axes.set_xlabel(f"time ({where})")


def _passages(axes: Any, passages: Sequence[Passage], where: tzinfo, per: Per | None) -> None:  # noqa: ANN401 - as above
    per, parts = _parts(passages, where, per)
    base = np.zeros(len(parts) - 1)
    for (name, held), (colour, hatch) in zip(_series(passages).items(), _SERIES, strict=False):
        top = base + np.array(counts(held, parts))
        label = f"{name} ({len(held):,})"
        axes.stairs(top, parts, baseline=base, fill=True, facecolor=colour, hatch=hatch, label=label)
        base = top
    axes.set_ylim(bottom=0)
    axes.yaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_ylabel(f"passages per {per}")
    axes.set_title(f"Passages by camera and direction, stacked (n = {len(passages):,})")
    _time_axis(axes, where)
    _legend(axes)


def _series(passages: Sequence[Passage]) -> dict[str, list[Passage]]:
    """By camera and direction, the most frequented first; all beyond MOST_SERIES together."""
    found: dict[str, list[Passage]] = {}
    for passage in passages:
        way = f", {passage.direction}" if passage.direction is not None else ""
        name = f"{passage.camera}{way}"
        # Matplotlib leaves out names that begin with _
        found.setdefault(f" {name}" if name.startswith("_") else name, []).append(passage)
    ordered = sorted(found.items(), key=lambda each: (-len(each[1]), each[0]))
    if len(ordered) <= MOST_SERIES:
        return dict(sorted(ordered))
    rest = [passage for _, held in ordered[MOST_SERIES - 1 :] for passage in held]
    kept = dict(sorted(ordered[: MOST_SERIES - 1]))
    return kept | {f"{len(ordered) - MOST_SERIES + 1} others": rest}


def _legend(axes: Any) -> None:  # noqa: ANN401 - as above
    """Beside the panel, where it covers nothing."""
    axes.legend(loc="upper left", bbox_to_anchor=(1.01, 1.0), borderaxespad=0.0)


def _verdicts(axes: Any, passages: Sequence[Passage], where: tzinfo, per: Per | None) -> None:  # noqa: ANN401 - as above
    judged = [passage for passage in passages if passage.verdict is not None]
    per, parts = _parts(judged, where, longer(usual_per(judged)) if per is None else per)
    totals = np.array(counts(judged, parts), float)
    base = np.zeros(len(totals))
    for verdict, (colour, hatch) in _VERDICTS.items():
        held = np.array(counts((p for p in judged if p.verdict is verdict), parts), float)
        if not held.any():
            continue
        share = np.divide(held, totals, out=np.zeros_like(held), where=totals > 0)
        axes.stairs(
            base + share, parts, baseline=base, fill=True, facecolor=colour, hatch=hatch, label=_of(verdict, held)
        )
        base = base + share
    axes.set_ylim(0, 1)
    axes.yaxis.set_major_formatter(PercentFormatter(1.0))
    axes.set_ylabel(f"share per {per}")
    axes.set_title(f"Verdicts over time (n = {len(judged):,})")
    _time_axis(axes, where)
    _legend(axes)


def _of(verdict: VerdictKind, held: np.ndarray[Any, np.dtype[np.float64]]) -> str:
    return f"{verdict.value} ({int(held.sum()):,})"


def _confidence(axes: Any, passages: Sequence[Passage], _where: tzinfo, _per: Per | None) -> None:  # noqa: ANN401 - as above
    held = [passage.confidence for passage in passages if passage.confidence is not None]
    found, parts = np.histogram(held, CONFIDENCE_PARTS, (0.0, 1.0))
    axes.stairs(found, parts, fill=True, facecolor=COLOURS[0], edgecolor="white", linewidth=0.5)
    axes.set_yscale("symlog", linthresh=1.0)
    axes.yaxis.set_major_formatter(FuncFormatter(lambda count, _: f"{count:,.0f}"))
    axes.set_ylim(bottom=0)
    axes.set_xlim(0, 1)
    axes.set_xlabel("confidence of the whole plate")
    axes.set_ylabel("passages (log scale)")
    axes.set_title(f"Confidence (n = {len(held):,} with a plate kept; median {percentile(held, 0.5):.3f})")


def _reliability(axes: Any, passages: Sequence[Passage], _where: tzinfo, _per: Per | None) -> None:  # noqa: ANN401 - as above
    parts = reliability(passages)
    said, right = [part.said for part in parts], np.array([part.right for part in parts])
    reach = np.array([right - [part.lowest for part in parts], [part.highest for part in parts] - right])
    axes.plot([0, 1], [0, 1], color="#777777", linewidth=0.8, linestyle="--", label="calibrated")
    axes.errorbar(said, right, np.maximum(reach, 0), fmt="o", color=COLOURS[0], capsize=2, label="right, 95 % (Wilson)")
    for part in parts:
        axes.annotate(f"{part.count:,}", (part.said, part.lowest), (0, -3), textcoords="offset points", ha="center",
                      va="top", fontsize=6, color="#555555")  # fmt: skip
    axes.set_xlim(0, 1.02)
    axes.set_ylim(0, 1.05)
    axes.set_xlabel("mean confidence")
    axes.set_ylabel("share read right")
    total, error = sum(part.count for part in parts), calibration_error(parts)
    axes.set_title(f"Reliability (n = {total:,} with the true plate; expected calibration error {error:.3f})")
    _legend(axes)


def _speeds(axes: Any, passages: Sequence[Passage], _where: tzinfo, _per: Per | None) -> None:  # noqa: ANN401 - as above
    speeds = [passage.speed for passage in passages if passage.speed is not None]
    parts = speed_parts(speeds)
    bounds = [*(part.lowest_kmh for part in parts), parts[-1].highest_kmh]
    axes.stairs([part.measured for part in parts], bounds, fill=True, facecolor="#56B4E9", label="measured")
    middles = [(part.lowest_kmh + part.highest_kmh) / 2 for part in parts]
    expected = np.array([part.expected for part in parts])
    reach = COVERED * np.array([part.deviation for part in parts])
    axes.errorbar(middles, expected, [np.minimum(reach, expected), reach], fmt="o", markersize=3, linewidth=1,
                  color="#000000", capsize=2, label="expected, 95 %")  # fmt: skip
    for share, dash in ((0.5, "--"), (0.85, ":")):
        kmh = percentile([speed.kmh for speed in speeds], share)
        label = f"V{share * 100:.0f} = {kmh:.1f} km/h"
        axes.axvline(kmh, color="#D55E00", linestyle=dash, linewidth=1.2, label=label)
    axes.set_ylim(bottom=0)
    axes.yaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_xlabel("average speed (km/h)")
    axes.set_ylabel(f"passages per {bounds[1] - bounds[0]:g} km/h")
    axes.set_title(f"Speeds (n = {len(speeds):,}; points: with the uncertainty of each)")
    _legend(axes)


_DRAWN = {
    Kind.PASSAGES: _passages,
    Kind.VERDICTS: _verdicts,
    Kind.CONFIDENCE: _confidence,
    Kind.RELIABILITY: _reliability,
    Kind.SPEEDS: _speeds,
}
