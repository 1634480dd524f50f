"""A simulated year's traffic: vehicles of the road that pass with the errors of real reads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from models.verdict.background import SHARES
from models.verdict.judging import only
from models.verdict.transplant import Transplant
from roadside.core.reads import ALPHABET
from roadside.core.sightings import VerdictKind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.random import Generator

    from models.verdict.blocks import Series
    from models.verdict.judging import Bench
    from models.verdict.material import Material
    from models.verdict.transplant import Sequence
    from roadside.core.reads import FusedPlate

AllSeries = dict[str, list[tuple["Series", float]]]
CLEAN = "clean"


@dataclass(frozen=True, slots=True)
class Suspect:
    """A passage of the simulated fleet."""

    sequence: Sequence
    plate: str
    """Of its vehicle, folded."""
    read: FusedPlate


def suspected(material: Material, bench: Bench, series: AllSeries, passages: int, rng: Generator) -> Iterator[Suspect]:
    """The paid passages of a year that would be UNPAID were theirs the only vignette.

    Those that were read right are left out: they are PAID by their own vignette (`rightly_read` shows it).
    """
    share = passages / sum(material.passages)
    for sequence in material.sequences:
        if sequence.right or not bench.may_accuse(sequence.plate):
            continue
        transplant = Transplant(sequence)
        for country, plate in fleet(len(sequence.truth), int(share + rng.random()), series, rng):
            swaps = transplant.swaps(plate, rng)
            if bench.is_protected(transplant.text(swaps), plate, sequence.half):
                continue
            moved = transplant.fused(swaps, plate, country)
            if bench.judge(moved, sequence.half, only(plate)) is VerdictKind.UNPAID:
                yield Suspect(sequence, plate, moved)


def rightly_read(material: Material, bench: Bench, series: AllSeries, rng: Generator) -> Iterator[VerdictKind]:
    """What is said of every sequence that was read right, on one plate each, were its vignette the only one."""
    for sequence in material.sequences:
        if sequence.right:
            for country, plate in fleet(len(sequence.truth), 1, series, rng):
                transplant = Transplant(sequence)
                moved = transplant.fused(transplant.swaps(plate, rng), plate, country)
                yield bench.judge(moved, sequence.half, only(plate))


def fleet(length: int, count: int, series: AllSeries, rng: Generator) -> Iterator[tuple[str, str]]:
    """Vehicles of the road with plates of `length` characters: country and folded plate."""
    kinds = [(one, SHARES[country] * share) for country, some in series.items() for one, share in some]
    fitting = [(one, share) for one, share in kinds if one.samples.shape[1] == length]
    if not fitting:
        return
    weights = np.array([share for _, share in fitting])
    for (one, _), many in zip(fitting, rng.multinomial(count, weights / weights.sum()).tolist(), strict=True):
        for columns in one.draw(many, rng):
            yield one.country, "".join(_ALPHABET[columns])


def drawn_anew(material: Material, series: AllSeries, count: int, rng: Generator) -> dict[str, list[Suspect]]:
    """Passages for the shares: the same ones for every registry."""
    clean = [s for s in material.sequences if s.condition == CLEAN and s.frames > 1]
    pools = {"paid": material.sequences, "clean paid": clean, "unpaid": material.sequences, "clean unpaid": clean}
    return {
        who: [
            Suspect(s, plate, t.fused(t.swaps(plate, rng), plate, country))
            for s in (pool[int(place)] for place in rng.integers(0, max(1, len(pool)), count if pool else 0))
            for t in (Transplant(s),)
            for country, plate in fleet(len(s.truth), 1, series, rng)
        ]
        for who, pool in pools.items()
    }


_ALPHABET = np.array(list(ALPHABET))
