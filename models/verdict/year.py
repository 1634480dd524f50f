"""`make bench-verdict-year`: a year of passages with the errors of real reads, among millions of vignettes.

Errors are those of `make bench-verdict`: real reads of spoilt real plates, moved onto a simulated fleet
(`models.verdict.transplant`). Vehicles of one half drive, the judge knows the joint errors of the other half; then the
other way round. Another vignette never makes a verdict UNPAID (a property test), so each passage of a vehicle that
paid is judged with its own vignette alone first; what would be accused then is judged in each registry.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from models.evaluate.machine import describe
from models.verdict.background import SHARES, Without
from models.verdict.blocks import all_series, issued
from models.verdict.bounds import clopper_pearson
from models.verdict.empirical import (
    FOLDER,
    JOINT_ERRORS,
    PASSED_NS,
    STATISTICS,
    FixedClock,
    judging_halves,
)
from models.verdict.joint import Nobody
from models.verdict.material import Material, collect
from models.verdict.packed import pack
from models.verdict.transplant import Sequence, Transplant
from roadside.core.confusions import codes
from roadside.core.moments import PassageTime
from roadside.core.nearness import Relation, relation
from roadside.core.plates import fold
from roadside.core.reads import ALPHABET, FusedPlate
from roadside.core.sightings import VerdictKind
from roadside.core.verdict import Policy
from roadside.core.vignettes import RegistryAnswer
from roadside.registry.judge import Judge

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from numpy.random import Generator

    from models.verdict.blocks import Series
    from models.verdict.packed import PackedRegistry
    from roadside.core.confusions import Confusions
    from roadside.core.vignettes import CandidateQuery
    from roadside.ports.registry import Registry

SIZES = (1_000_000, 3_000_000, 6_000_000, 12_000_000)
CAMERA_TEXT = ("GATE01", "CAM2", "20261126", "REC12", "LANE3", "KM12", "D1KM128", "EXIT24", "LOOP7", "TEST123")
WHEN = PassageTime.at(PASSED_NS)


@dataclass(frozen=True, slots=True)
class Joined:
    """Two registries as one."""

    registry: Registry
    own: Registry

    def search(self, query: CandidateQuery, passage: PassageTime) -> RegistryAnswer:
        """See `Registry.search`."""
        answer, mine = self.registry.search(query, passage), self.own.search(query, passage)
        return replace(answer, vignettes=tuple(dict.fromkeys((*answer.vignettes, *mine.vignettes))))


@dataclass(frozen=True, slots=True)
class Shortsighted:
    """A registry that is not asked for near plates: what the benchmark says without that rule."""

    registry: Registry

    def search(self, query: CandidateQuery, passage: PassageTime) -> RegistryAnswer:
        """See `Registry.search`."""
        return RegistryAnswer((), ()) if query.near else self.registry.search(query, passage)


@dataclass(slots=True)
class Year:
    """What a registry of one size said."""

    size: int
    vignettes: int = 0
    passages: int = 0
    """Of vehicles that paid."""
    accused: Counter[tuple[int, str]] = field(default_factory=Counter)
    """Paid passages called UNPAID, by the vehicle and condition of their sequence."""
    said: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    """Of samples: verdicts of the paid, the unpaid, the clean unpaid, chimeras, lettering."""


@dataclass(frozen=True, slots=True)
class Rules:
    """Which rules are switched off, to see what they are for."""

    near: bool = True
    pictures: bool = True


@dataclass(slots=True)
class Exchangeable:
    """One registry now, another one for the next passage."""

    registry: Registry = field(default_factory=Nobody)

    def search(self, query: CandidateQuery, passage: PassageTime) -> RegistryAnswer:
        """See `Registry.search`."""
        return self.registry.search(query, passage)


@dataclass(frozen=True, slots=True)
class Suspect:
    """A passage of the simulated fleet."""

    sequence: Sequence
    plate: str
    """Of its vehicle, folded."""
    read: FusedPlate


def main() -> None:
    """Drive, judge, and write the table."""
    parsed = _parse()
    started = time.perf_counter()
    rng = np.random.default_rng(parsed.seed)
    rules = Rules(near="near" not in parsed.without, pictures="pictures" not in parsed.without)
    material = collect(parsed.folder, parsed.seed, rng)
    bench = Bench(judging_halves(STATISTICS, JOINT_ERRORS), rules)
    series = all_series(rng)
    suspects = list(suspected(material, bench, series, parsed.passages, rng))
    drawn = drawn_anew(material, series, parsed.sampled, rng)
    years = []
    for size in parsed.sizes:
        registry = issued(size, rng, series)
        year = Year(size, len(registry.forwards), parsed.passages)
        accuse(year, suspects, registry, bench)
        sample(year, material, registry, bench, drawn)
        years.append(year)
        print(f"{size:,}: {time.perf_counter() - started:.0f} s", flush=True)
    text = f"{time.perf_counter() - started:.0f} s. {describe()}\n\n{table(years, material, bench, len(suspects))}"
    parsed.folder.mkdir(parents=True, exist_ok=True)
    (parsed.folder / "year.md").write_text(text, encoding="utf-8")
    print(text)


class Bench:
    """Judges passages with the product's own judge, in whatever registry, under some of its rules."""

    def __init__(self, confusions: tuple[Confusions, Confusions], rules: Rules) -> None:
        self.confusions = confusions
        self.rules = rules
        self._registry = Exchangeable()
        asked: Registry = self._registry if rules.near else Shortsighted(self._registry)
        self._judges = [Judge(asked, known, Policy(), FixedClock()) for known in confusions]

    def judge(self, plate: FusedPlate, half: int, registry: Registry) -> VerdictKind:
        """What is said of a passage of a vehicle of `half`."""
        self._registry.registry = registry
        seen = plate if self.rules.pictures else replace(plate, doubts=())
        return self._judges[half].judge(seen, WHEN).kind

    def may_accuse(self, plate: FusedPlate) -> bool:
        """Whether neither its pictures nor the number of looks forbid it, whatever the registry holds."""
        return plate.looks >= Policy().least_looks and (not plate.doubts or not self.rules.pictures)

    def is_protected(self, read: str, plate: str, half: int) -> bool:
        """Whether the vignette of `plate` alone forbids to accuse `read`: two of the judge's questions, asked first."""
        how = relation(read, plate)
        if how is not None and how is not Relation.TWO_ERRORS:
            return self.rules.near
        joint, policy = self.confusions[half].joint, Policy()
        likely = joint is not None and policy.paid_weight * joint.probability(read, plate) >= policy.bound
        return self.rules.near and likely


def suspected(material: Material, bench: Bench, series: AllSeries, passages: int, rng: Generator) -> Iterator[Suspect]:
    """The paid passages of a year that would be UNPAID were theirs the only vignette."""
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


def accuse(year: Year, suspects: Iterable[Suspect], registry: Registry, bench: Bench) -> None:
    """Judge what would be accused by itself among everybody's vignettes."""
    for suspect in suspects:
        held = Joined(registry, only(suspect.plate))
        if bench.judge(suspect.read, suspect.sequence.half, held) is VerdictKind.UNPAID:
            year.accused[suspect.sequence.vehicle, suspect.sequence.condition] += 1


def sample(
    year: Year, material: Material, registry: Registry, bench: Bench, drawn: Mapping[str, Iterable[Suspect]]
) -> None:
    """The shares of verdicts, of passages drawn anew."""
    for who, suspects in drawn.items():
        for one in suspects:
            own = only(one.plate)
            held = Joined(registry, own) if who == "paid" else Without(registry, one.plate)
            kind = bench.judge(one.read, one.sequence.half, held)
            wrong = kind is VerdictKind.UNPAID and who != "paid" and fold(one.read.text) != one.plate
            year.said[who]["wrong plate" if wrong else kind.value] += 1
    for half, fused, texts in material.chimeras:
        year.said["chimeras"][bench.judge(fused, half, Joined(registry, only(*texts))).value] += 1
    for lettering in material.lettering:
        year.said["lettering"][bench.judge(lettering, 0, registry).value] += 1
    for text in CAMERA_TEXT:
        year.said["camera text"][bench.judge(certain(text), 0, registry).value] += 1


def drawn_anew(material: Material, series: AllSeries, count: int, rng: Generator) -> dict[str, list[Suspect]]:
    """Passages for the shares: the same ones for every registry."""
    clean = [s for s in material.sequences if s.condition == "clean" and s.frames > 1]
    found: dict[str, list[Suspect]] = {}
    for who, pool in (("paid", material.sequences), ("unpaid", material.sequences), ("clean unpaid", clean)):
        chosen = [pool[int(place)] for place in rng.integers(0, len(pool), count)]
        found[who] = [
            Suspect(s, plate, t.fused(t.swaps(plate, rng), plate, country))
            for s in chosen
            for t in (Transplant(s),)
            for country, plate in fleet(len(s.truth), 1, series, rng)
        ]
    return found


def only(*plates: str) -> PackedRegistry:
    """A registry of these folded plates alone."""
    return pack([np.array([codes(plate)], np.uint8) for plate in plates])


AllSeries = dict[str, list[tuple["Series", float]]]


def certain(text: str) -> FusedPlate:
    """`text` read for certain, by three looks, in pictures that raise no doubt."""
    rows = np.full((len(text), len(_ALPHABET)), 1e-9)
    rows[np.arange(len(text)), codes(text)] = 1.0
    return FusedPlate(text, text, None, 0.99, rows.astype(np.float32), (), (), 3, ())


def table(years: Iterable[Year], material: Material, bench: Bench, suspects: int) -> str:
    """A row for each size of the registry."""
    erring = {(s.vehicle, s.condition) for s in material.sequences if not s.right and bench.may_accuse(s.plate)}
    every = {(s.vehicle, s.condition) for s in material.sequences}
    vehicles = {s.vehicle for s in material.sequences}
    lines = [
        (
            f"{len(every):,} real sequences of {len(vehicles)} vehicles were told of, {len(erring)} of them misread in "
            f"pictures without a doubt. {suspects:,} passages would be UNPAID if nobody else had paid."
        ),
        "",
        (
            "| vignettes | paid passages | false UNPAID | per million | at most (95 %) | real sequences accused | "
            "at most (95 %) | REVIEW of paid | of unpaid | of clean unpaid | right UNPAID, clean | wrong plate | "
            "chimeras UNPAID | lettering UNPAID | camera text UNPAID |"
        ),
        "|" + " ---: |" * 15,
    ]
    for year in years:
        false = sum(year.accused.values())
        per_million = f"{false / year.passages * 1e6:.2f} | {clopper_pearson(false, year.passages)[1] * 1e6:.2f}"
        by_sequence = f"{len(year.accused)} | {clopper_pearson(len(year.accused), len(every))[1]:.2%}"
        cells = [
            f"{year.vignettes:,}", f"{year.passages:,}", f"{false:,}", per_million, by_sequence,
            *(_share(year, who, "REVIEW") for who in ("paid", "unpaid", "clean unpaid")),
            _share(year, "clean unpaid", "UNPAID"), _share(year, "clean unpaid", "wrong plate"),
            *(f"{year.said[w]['UNPAID']} of {year.said[w].total()}" for w in ("chimeras", "lettering", "camera text")),
        ]  # fmt: skip
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _share(year: Year, who: str, kind: str) -> str:
    return f"{year.said[who][kind] / max(1, year.said[who].total()):.1%}"


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--passages", type=int, default=5_000_000, help="of vehicles that paid")
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES, help="vignettes of each registry")
    parser.add_argument("--sampled", type=int, default=400, help="passages that each share is measured on")
    parser.add_argument("--without", nargs="*", default=(), choices=("near", "pictures"), help="rules to switch off")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="where reads are kept between runs")
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args()


_ALPHABET = np.array(list(ALPHABET))


if __name__ == "__main__":
    main()
