"""`make bench-verdict-year`: a year of passages with the errors of real reads, among millions of vignettes.

Errors are those of `make bench-verdict`: real reads of spoilt real plates, moved onto a simulated fleet
(`models.verdict.transplant`). Vehicles of one half drive, the judge knows the joint errors of the other half; then the
other way round. Another vignette never makes a verdict UNPAID (a property test), and a larger registry holds all that
a smaller one holds. So each passage of a vehicle that paid is judged with its own vignette alone first, what would be
accused then in the smallest registry, and what is left in the next.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from models.evaluate.machine import describe
from models.verdict.background import Without
from models.verdict.blocks import all_series, issued
from models.verdict.empirical import FOLDER, JOINT_ERRORS, STATISTICS, judging_halves, shipped_nets
from models.verdict.fleet import drawn_anew, rightly_read, suspected
from models.verdict.judging import Bench, Joined, Rules, certain, only
from models.verdict.material import collect
from models.verdict.year_table import table
from roadside.core.plates import fold
from roadside.core.sightings import VerdictKind

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from models.verdict.fleet import Suspect
    from models.verdict.material import Material
    from roadside.ports.registry import Registry

SIZES = (1_000_000, 3_000_000, 6_000_000, 12_000_000)
CAMERA_TEXT = ("GATE01", "CAM2", "20261126", "REC12", "LANE3", "KM12", "D1KM128", "EXIT24", "LOOP7", "TEST123")


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
    """Of samples: verdicts of the paid, the unpaid, the clean ones of either, chimeras, lettering."""


def main() -> None:
    """Drive, judge, and write the table; a run that was stopped goes on behind the last registry that it finished."""
    parsed = _parse()
    started = time.perf_counter()
    rules = Rules(near="near" not in parsed.without, pictures="pictures" not in parsed.without)
    rng = np.random.default_rng(parsed.seed)
    series = all_series(rng)
    material = collect(parsed.folder, parsed.seed, rng)
    bench = Bench(judging_halves(STATISTICS, JOINT_ERRORS), rules)
    _say(f"{len(material.sequences):,} sequences", started)
    right = Counter(rightly_read(material, bench, series, rng))
    drawn = drawn_anew(material, series, parsed.sampled, rng)
    suspects = list(suspected(material, bench, series, parsed.passages, rng))
    _say(f"{right[VerdictKind.UNPAID]} of {right.total():,} read right are UNPAID; {len(suspects):,} suspects", started)
    kept = Kept(parsed.folder / f"year-{_digest(parsed)}.json")
    years: list[Year] = []
    held: dict[tuple[str, int], VerdictKind] = {}
    for size in sorted(parsed.sizes):
        found = kept.year(size)
        if found is None:
            registry = issued(size, parsed.seed, series)
            year = Year(size, len(registry.forwards), parsed.passages)
            left = accuse(year, suspects, kept.left(len(suspects)), registry, bench)
            sample(year, material, registry, bench, drawn, held)
            kept.keep(year, left)
            found = year
        years.append(found)
        _say(f"{size:,} vignettes, {found.accused.total()} accused", started)
    setting = (
        f"Seed {parsed.seed}, without {', '.join(parsed.without) or 'nothing'}; nets {shipped_nets().name}; "
        f"{time.perf_counter() - started:.0f} s. {describe()}"
    )
    text = f"{setting}\n\n{table(years, material, bench, len(suspects), right)}"
    (parsed.folder / f"year{'-without-' * bool(parsed.without)}{'-'.join(parsed.without)}.md").write_text(text, "utf-8")
    print(text)


def accuse(
    year: Year, suspects: Sequence[Suspect], asked: Sequence[int], registry: Registry, bench: Bench
) -> list[int]:
    """Judge those of the suspects that are `asked` for among everybody's vignettes: the places of those accused."""
    left = []
    for place in asked:
        suspect = suspects[place]
        held = Joined(registry, only(suspect.plate))
        if bench.judge(suspect.read, suspect.sequence.half, held) is VerdictKind.UNPAID:
            year.accused[suspect.sequence.vehicle, suspect.sequence.condition] += 1
            left.append(place)
    return left


def sample(  # noqa: PLR0917 - what is sampled, and where
    year: Year,
    material: Material,
    registry: Registry,
    bench: Bench,
    drawn: Mapping[str, Sequence[Suspect]],
    held: dict[tuple[str, int], VerdictKind],
) -> None:
    """The shares of verdicts, of passages drawn anew; what a smaller registry called PAID (`held`) stays so."""
    for who, suspects in drawn.items():
        paid = who.endswith("paid") and not who.endswith("unpaid")
        for place, one in enumerate(suspects):
            kind = held.get((who, place))
            if kind is not VerdictKind.PAID:
                among = Joined(registry, only(one.plate)) if paid else Without(registry, one.plate)
                kind = held[who, place] = bench.judge(one.read, one.sequence.half, among)
            wrong = kind is VerdictKind.UNPAID and not paid and fold(one.read.text) != one.plate
            year.said[who]["wrong plate" if wrong else kind.value] += 1
    for half, fused, texts in material.chimeras:
        year.said["chimeras"][bench.judge(fused, half, Joined(registry, only(*texts))).value] += 1
    for lettering in material.lettering:
        year.said["lettering"][bench.judge(lettering, 0, registry).value] += 1
    for text in CAMERA_TEXT:
        year.said["camera text"][bench.judge(certain(text), 0, registry).value] += 1


class Kept:
    """What was said in the registries that are done, in a file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        known = path.is_file()
        self._years: dict[str, dict[str, Any]] = json.loads(path.read_text(encoding="utf-8")) if known else {}

    def year(self, size: int) -> Year | None:
        """What a registry of `size` said; None where it was not asked yet."""
        entry = self._years.get(str(size))
        if entry is None:
            return None
        accused = Counter({(int(vehicle), str(condition)): int(n) for vehicle, condition, n in entry["accused"]})
        said = {who: Counter(kinds) for who, kinds in entry["said"].items()}
        return Year(size, entry["vignettes"], entry["passages"], accused, said)

    def left(self, suspects: int) -> list[int]:
        """The places of those that the last registry accused; all of so many suspects before the first."""
        return list(self._years.values())[-1]["left"] if self._years else list(range(suspects))

    def keep(self, year: Year, left: list[int]) -> None:
        """Write down what was said."""
        self._years[str(year.size)] = {
            "vignettes": year.vignettes,
            "passages": year.passages,
            "accused": [[*key, count] for key, count in year.accused.items()],
            "said": year.said,
            "left": left,
        }
        part = self._path.with_suffix(".part")
        part.write_text(json.dumps(self._years), encoding="utf-8")
        part.replace(self._path)


def _digest(parsed: argparse.Namespace) -> str:
    """A name for all that the verdicts follow from but the code."""
    asked = (parsed.seed, parsed.passages, parsed.sampled, sorted(parsed.without), shipped_nets().name)
    files = STATISTICS.read_bytes() + JOINT_ERRORS.read_bytes()
    return hashlib.sha256(repr(asked).encode() + files).hexdigest()[:12]


def _say(text: str, started: float) -> None:
    print(f"{time.perf_counter() - started:.0f} s: {text}", flush=True)


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--passages", type=int, default=5_000_000, help="of vehicles that paid")
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES, help="vignettes of each registry")
    parser.add_argument("--sampled", type=int, default=400, help="passages that each share is measured on")
    parser.add_argument("--without", nargs="*", default=(), choices=("near", "pictures"), help="rules to switch off")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="where reads are kept between runs")
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args()


if __name__ == "__main__":
    main()
