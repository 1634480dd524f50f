"""A registry around the benchmark's vehicles: vignettes of other vehicles, in blocks of numbers as they are issued."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from models.synth import formats
from models.synth.noise import weighted
from roadside.adapters.sql import SqlRegistry, import_vignettes, open_embedded
from roadside.core.plates import fold
from roadside.core.vignettes import NEVER_NS, Vignette

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from numpy.random import Generator

    from models.verdict.subjects import Subject
    from roadside.core.moments import PassageTime
    from roadside.core.vignettes import CandidateQuery, RegistryAnswer
    from roadside.ports.registry import Registry

RECIPE = "2"
SHARES = {
    "CZ": 60, "DE": 9, "PL": 9, "SK": 8, "AT": 3, "HU": 3, "NL": 2, "RO": 2, "UK": 1, "HR": 1, "SI": 0.5, "FR": 0.5,
    "IT": 0.5, "BG": 0.5,
}  # fmt: skip
"""Vignettes of each country among a hundred: a Czech registry. An assumption, not a figure of anybody's."""
HELD = {"CZ": 0.3, "SK": 0.05, "PL": 0.02}
"""Share of a block of numbers that holds a vignette: domestic vehicles mostly, neighbours seldom..."""
HELD_ELSEWHERE = 0.01
"""... others hardly."""


@dataclass(frozen=True, slots=True)
class Without:
    """A registry as if one plate had no vignette."""

    registry: Registry
    plate: str
    """Folded."""

    def search(self, query: CandidateQuery, passage: PassageTime) -> RegistryAnswer:
        """See `Registry.search`."""
        answer = self.registry.search(query, passage)
        return replace(answer, vignettes=tuple(v for v in answer.vignettes if v.plate != self.plate))


@dataclass(frozen=True, slots=True)
class Remembering:
    """A registry that is asked each question once: the frames of a passage mostly read the same."""

    registry: Registry
    known: dict[tuple[CandidateQuery, PassageTime], RegistryAnswer] = field(default_factory=dict)

    def search(self, query: CandidateQuery, passage: PassageTime) -> RegistryAnswer:
        """See `Registry.search`."""
        if (query, passage) not in self.known:
            self.known[query, passage] = self.registry.search(query, passage)
        return self.known[query, passage]


def open_background(folder: Path, size: int, subjects: Sequence[Subject], seed: int) -> Registry:
    """A registry of the `subjects` and of `size` others; made once, then kept in `folder`."""
    texts = "\n".join(f"{s.country} {s.text}" for s in subjects)
    name = hashlib.sha256(f"{RECIPE}\n{size}\n{seed}\n{texts}".encode()).hexdigest()[:16]
    path = folder / f"registry-{name}.db"
    if not path.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(".part")
        part.unlink(missing_ok=True)
        database = open_embedded(part)
        import_vignettes(database, _vignettes(subjects, size, np.random.default_rng(seed)), "bench", 0)
        database.close()
        part.replace(path)
    return SqlRegistry(open_embedded(path), grace_s=0.0, max_age_days=0.0)


def _vignettes(subjects: Sequence[Subject], size: int, rng: Generator) -> Iterator[Vignette]:
    held = {fold(s.text): s.country for s in subjects}
    for subject in subjects:
        if not _to_order(subject.text, subject.country):
            _block(subject.text, subject.country, held, rng)
    while len(held) < size:
        country = weighted(rng, SHARES)
        made = formats.of_country(rng, country)
        if made.style == "vanity":
            held.setdefault(fold(made.text), country)
        else:
            _block(made.text, country, held, rng)
    for plate, country in held.items():
        yield Vignette(plate, country, "", 0, NEVER_NS)


def _to_order(text: str, country: str) -> bool:
    """Whether it is a plate to order, which has no neighbours in a block: Czech ones have eight characters."""
    return country == "CZ" and len(text) == 8


def _block(text: str, country: str, held: dict[str, str], rng: Generator) -> None:
    """The numbers beside `text`, which differ in its last two digits, some of them with a vignette."""
    digits = [place for place, character in enumerate(text) if character.isdigit()][-2:]
    for number in np.flatnonzero(rng.random(10 ** len(digits)) < HELD.get(country, HELD_ELSEWHERE)).tolist():
        characters = list(text)
        for place, digit in zip(digits, f"{number:0{len(digits)}d}", strict=False):
            characters[place] = digit
        held.setdefault(fold("".join(characters)), country)
    if not digits:
        held.setdefault(fold(text), country)
