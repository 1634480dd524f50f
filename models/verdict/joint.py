"""Counts how errors come together on spoilt real plates: models/shipped/joint_errors.json.

The judge takes from it what a read may be a misreading of (`roadside.core.joint_errors`). Counted are the reads that
would accuse, were nobody registered: two looks or more, pictures that show a whole plate, a known plate, and sure.
Each vehicle counts once in a condition, however many frames it was seen in. No text of a plate can be put together
from what is written.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from models.data.photographs import data_folder
from models.verdict.empirical import COUNTS, FOLDER, STATISTICS, FixedClock, outcome, shipped_nets
from models.verdict.passages import FRAMES, passage
from models.verdict.spoils import SPOILS
from models.verdict.subjects import subjects
from roadside.core.confusions import from_json
from roadside.core.joint_errors import error_kind
from roadside.core.plates import fold
from roadside.core.sightings import VerdictKind
from roadside.core.verdict import Policy
from roadside.core.vignettes import RegistryAnswer
from roadside.registry.judge import Judge

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from models.verdict.passages import Passage
    from roadside.core.moments import PassageTime
    from roadside.core.vignettes import CandidateQuery

OUT = Path("models/shipped/joint_errors.json")
BEYOND = "beyond"
"""The kind of what is more than three errors from the truth."""


@dataclass(frozen=True, slots=True)
class Nobody:
    """A registry in which nobody is."""

    def search(self, query: CandidateQuery, passage: PassageTime) -> RegistryAnswer:
        """See `Registry.search`."""
        del query, passage
        return RegistryAnswer((), ())


@dataclass(slots=True)
class Counts:
    """Of one half of the vehicles, or of one condition."""

    reads: float = 0.0
    right: float = 0.0
    kinds: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    substitutions: dict[tuple[str, str], float] = field(default_factory=lambda: defaultdict(float))
    frames: Counter[str] = field(default_factory=Counter)

    def add(self, texts: Iterable[str], truth: str) -> None:
        """One vehicle in one condition, read as `texts` (folded) with so many frames and so many."""
        said = list(texts)
        for text in said:
            share = 1.0 / len(said)
            self.reads += share
            kind = error_kind(text, truth)
            if text == truth:
                self.right += share
                continue
            self.kinds[kind.name if kind else BEYOND] += share
            if kind and kind.substituted and len(text) == len(truth):
                for pair in zip(truth, text, strict=True):
                    if pair[0] != pair[1]:
                        self.substitutions[pair] += share

    def look(self, seen: Passage, truth: str) -> None:
        """How far an error of one frame is in the next one, too."""
        texts: list[str | None] = [None] * FRAMES
        for placed in seen.reads:
            crop = placed.crop
            if (crop.sequence, crop.detection.box) in seen.own:
                texts[crop.sequence] = fold(placed.read.text)
        for one, other in pairwise(texts):
            if one is not None and other is not None:
                self.frames["pairs"] += 1
                self.frames["first_wrong"] += one != truth
                self.frames["both_wrong"] += truth not in {one, other}
                self.frames["same_error"] += truth != one == other

    def written(self) -> dict[str, Any]:
        """As the file has it."""
        return {
            "reads": round(self.reads, 2),
            "right": round(self.right, 2),
            "kinds": {name: round(count, 2) for name, count in sorted(self.kinds.items())},
            "frames": dict(self.frames),
        }


def main() -> None:
    """Count and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=FOLDER, help="where reads are kept between runs")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, default=OUT)
    parsed = parser.parse_args()
    nets = shipped_nets()
    judge = Judge(Nobody(), from_json(STATISTICS.read_text(encoding="utf-8")), Policy(), FixedClock())
    halves = (Counts(), Counts())
    conditions: dict[str, Counts] = defaultdict(Counts)
    vehicles = list(subjects(data_folder(), nets.finder))
    for subject in vehicles:
        truth = fold(subject.text)
        for condition in SPOILS:
            seen = passage(subject, condition, nets, parsed.folder / "reads", parsed.seed)
            texts = list(accusing(seen, judge))
            for counts in (halves[subject.half], conditions[condition]):
                counts.add(texts, truth)
                counts.look(seen, truth)
    card = {
        "nets": nets.name,
        "seed": parsed.seed,
        "vehicles": [sum(s.half == half for s in vehicles) for half in (0, 1)],
        "counted": "reads that would accuse, were nobody registered; a vehicle counts once in a condition",
    }
    parsed.out.write_text(written(card, halves, conditions), encoding="utf-8")
    print(table(conditions))


def accusing(seen: Passage, judge: Judge) -> Iterable[str]:
    """The folded texts under which the passage would be UNPAID at 2 frames, at 3, at 5 and at 10."""
    for count in COUNTS:
        for _, text, verdict in outcome(seen, count, judge).verdicts:
            if verdict.kind is VerdictKind.UNPAID:
                yield fold(text)


def written(card: Mapping[str, Any], halves: Iterable[Counts], conditions: Mapping[str, Counts]) -> str:
    """The file: one line a half, one a condition."""
    parts = [
        {**half.written(), "substitutions": [[*pair, round(n, 2)] for pair, n in sorted(half.substitutions.items())]}
        for half in halves
    ]
    lines = [f"  {json.dumps(name)}: {json.dumps(value)}" for name, value in card.items()]
    lines.append('  "halves": [\n    ' + ",\n    ".join(map(json.dumps, parts)) + "\n  ]")
    each = (f"    {json.dumps(name)}: {json.dumps(counts.written())}" for name, counts in conditions.items())
    lines.append('  "conditions": {\n' + ",\n".join(each) + "\n  }")
    return "{\n" + ",\n".join(lines) + "\n}\n"


def table(conditions: Mapping[str, Counts]) -> str:
    """What was read of those that would accuse, by condition."""
    lines = ["| condition | would accuse | right | errors, by kind |", "| --- | ---: | ---: | --- |"]
    for name, counts in conditions.items():
        kinds = ", ".join(f"{kind} {n:.1f}" for kind, n in sorted(counts.kinds.items(), key=lambda k: -k[1]))
        lines.append(f"| {name} | {counts.reads:.0f} | {counts.right:.1f} | {kinds} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
