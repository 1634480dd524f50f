"""What a simulated year showed, as tables: rates with their bounds, and how few real plates they rest on."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from models.verdict.bounds import clopper_pearson
from models.verdict.spoils import SPOILS
from roadside.core.sightings import VerdictKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from models.verdict.judging import Bench
    from models.verdict.material import Material
    from models.verdict.year import Year

ORDINARY = ("clean", "dark", "0.45 of its size", "blur", "motion", "rotation", "JPEG 12")
"""Conditions in which nothing hides a part of the plate."""


def table(
    years: Sequence[Year], material: Material, bench: Bench, suspects: int, right: Mapping[VerdictKind, int]
) -> str:
    """A row for each size of the registry, then the conditions of the largest."""
    erring = {(s.vehicle, s.condition) for s in material.sequences if not s.right and bench.may_accuse(s.plate)}
    passed = {(s.vehicle, s.condition) for s in material.sequences}
    vehicles = {s.vehicle for s in material.sequences}
    said = (
        f"{len(passed):,} real passages of {len(vehicles)} vehicles were told of, {len(erring)} of them misread in "
        f"pictures without a doubt. Of {sum(right.values()):,} read right, each judged with its own vignette alone, "
        f"{right.get(VerdictKind.UNPAID, 0)} were UNPAID. {suspects:,} would be UNPAID if nobody else had paid."
    )
    parts = (said, rates(years, len(vehicles)), shares(years), conditions(years[-1]))
    return "\n\n".join(parts) + "\n"


def rates(years: Iterable[Year], vehicles: int) -> str:
    """False UNPAID: of all conditions, each as often as the others, and of those that hide nothing."""
    lines = [
        (
            "| vignettes | paid passages | false UNPAID | per million | at most (95 %) | real vehicles with one | "
            "at most (95 %) | of ordinary passages, per million | at most (95 %) |"
        ),
        "|" + " ---: |" * 9,
    ]
    for year in years:
        false = year.accused.total()
        ordinary = sum(n for (_, condition), n in year.accused.items() if condition in ORDINARY)
        of_those = year.passages * len(ORDINARY) // len(SPOILS)
        harmed = len({vehicle for vehicle, _ in year.accused})
        cells = (
            f"{year.vignettes:,}", f"{year.passages:,}", f"{false:,}", *_per_million(false, year.passages),
            f"{harmed} of {vehicles}", f"{clopper_pearson(harmed, vehicles)[1]:.1%}",
            *_per_million(ordinary, of_those),
        )  # fmt: skip
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def shares(years: Iterable[Year]) -> str:
    """Where the rest went."""
    samples = ("paid", "clean paid", "unpaid", "clean unpaid")
    heads = ("vignettes", *(f"REVIEW of {who}" for who in samples), "right UNPAID of unpaid", "of clean unpaid")
    things = ("chimeras", "lettering", "camera text")
    heads = (*heads, "wrong plate", *(f"{thing} UNPAID" for thing in things))
    lines = [f"| {' | '.join(heads)} |", "|" + " ---: |" * len(heads)]
    for year in years:
        cells = (
            f"{year.vignettes:,}", *(_share(year, who, "REVIEW") for who in samples),
            *(_share(year, who, "UNPAID") for who in samples[2:]),
            f"{year.said['clean unpaid']['wrong plate']} of {year.said['clean unpaid'].total()}",
            *(f"{year.said[thing]['UNPAID']} of {year.said[thing].total()}" for thing in things),
        )  # fmt: skip
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def conditions(year: Year) -> str:
    """False UNPAID of each condition in one registry."""
    lines = [
        f"By condition, {year.vignettes:,} vignettes:\n",
        "| condition | paid passages | false UNPAID | per million | at most (95 %) | real vehicles |",
        "| --- |" + " ---: |" * 5,
    ]
    each = year.passages // len(SPOILS)
    counts = Counter[str]()
    for (_, condition), count in year.accused.items():
        counts[condition] += count
    for condition in SPOILS:
        harmed = len({vehicle for vehicle, name in year.accused if name == condition})
        cells = (condition, f"{each:,}", str(counts[condition]), *_per_million(counts[condition], each), str(harmed))
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _per_million(hits: int, trials: int) -> tuple[str, str]:
    return f"{hits / max(1, trials) * 1e6:.2f}", f"{clopper_pearson(hits, trials)[1] * 1e6:.2f}"


def _share(year: Year, who: str, kind: str) -> str:
    return f"{year.said[who][kind] / max(1, year.said[who].total()):.1%}"
