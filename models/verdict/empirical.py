"""`make bench-verdict`: real plates, spoilt, through the whole pipeline; all of them have paid: UNPAID is false.

Vehicles of photographs that no net was trained on pass in every condition of `models.verdict.spoils`, at 1, 2, 3, 5 and
10 frames that share what spoils them. Detector, corner net, reader, tracks, fusion and judge are the product's own. A
false accusation is a passage whose own plate, which has a vignette, is UNPAID; a right one a clean passage whose plate
has none.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter, defaultdict
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from models.data.photographs import data_folder
from models.evaluate.machine import describe
from models.evaluate.settings import find_sources
from models.verdict.background import Remembering, Without, open_background
from models.verdict.bounds import clopper_pearson
from models.verdict.further import FURTHER
from models.verdict.passages import open_nets, passage
from models.verdict.sheet import Accused, draw_sheet
from models.verdict.spoils import SPOILS
from models.verdict.subjects import subjects
from roadside.core import joint_errors
from roadside.core.confusions import from_json
from roadside.core.frames import CameraId
from roadside.core.moments import PassageTime
from roadside.core.motion import Motion
from roadside.core.plates import fold
from roadside.core.showing import EvidenceRule, fuse_track
from roadside.core.sightings import VerdictKind
from roadside.core.track import TrackBuilder
from roadside.core.verdict import Policy
from roadside.errors import ModelError
from roadside.registry.judge import Judge

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from models.verdict.passages import Nets, Passage
    from roadside.core.confusions import Confusions
    from roadside.core.reads import Track
    from roadside.core.sightings import Verdict

COUNTS = (1, 2, 3, 5, 10)
"""Frames of a passage."""
CLEAN = "clean"
PASSED_NS = 10**18
FOLDER = Path("var/bench-verdict")
LARGER = Path("models/shipped/detector_large")
STATISTICS = Path("models/shipped/confusions.json")
JOINT_ERRORS = Path("models/shipped/joint_errors.json")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was said of one passage."""

    passage: Passage
    frames: int
    verdicts: tuple[tuple[Track, str, Verdict], ...]
    """Each sighting of the vehicle's own plate: its track, the text of its plate, what was said."""
    elsewhere: tuple[tuple[Track, str, Verdict], ...]
    """The same of what is no plate of this vehicle."""

    def says(self, kind: VerdictKind) -> bool:
        """Whether any sighting of the vehicle's plate is `kind`."""
        return any(verdict.kind is kind for _, _, verdict in self.verdicts)


@dataclass(frozen=True, slots=True)
class FixedClock:
    """A clock far behind every passage's end: no grace period is open."""

    def now_ns(self) -> int:
        """See `Clock`."""
        return 2**62


def main() -> None:
    """See, judge, and write the table and the sheet of what was judged wrongly."""
    parsed = _parse()
    started = time.perf_counter()
    machine = describe()
    nets = shipped_nets(parsed.quality)
    vehicles = list(subjects(data_folder(), nets.finder))
    registry = open_background(parsed.folder, parsed.vignettes, vehicles, parsed.seed)
    confusions = judging_halves(parsed.statistics, parsed.joint)
    conditions = tuple(FURTHER if parsed.further else SPOILS)
    paid: list[Outcome] = []
    absent: list[Outcome] = []
    for number, subject in enumerate(vehicles):
        asked = Remembering(registry)
        known = confusions[subject.half]
        judge = Judge(asked, known, Policy(), FixedClock())
        without = Judge(Without(asked, fold(subject.text)), known, Policy(), FixedClock())
        for condition in conditions:
            seen = passage(subject, condition, nets, parsed.folder / "reads", parsed.seed)
            paid += [outcome(seen, count, judge) for count in COUNTS]
            if condition == CLEAN:
                absent += [outcome(seen, count, without) for count in COUNTS]
        if parsed.verbose:
            print(f"{number + 1} of {len(vehicles)}, {time.perf_counter() - started:.0f} s", flush=True)
    told = ((o, said) for o in paid for said in o.verdicts)
    wrong = [Accused(o.passage, o.frames, *said) for o, said in told if _is(said[2], VerdictKind.UNPAID)]
    draw_sheet(parsed.folder / ("accused_further.png" if parsed.further else "accused.png"), wrong)
    setting = (
        f"{len(vehicles)} vehicles ({_listed(s.country for s in vehicles)}), {len(conditions)} conditions, "
        f"quality {parsed.quality}, "
        f"{parsed.vignettes:,} vignettes, seed {parsed.seed}; {time.perf_counter() - started:.0f} s. {machine}"
    )
    of_absent = f"{absent_table(absent)}\n" if absent else ""
    text = f"{setting}\n\n{table(paid, conditions)}\n{of_absent}{elsewhere(paid)}"
    (parsed.folder / ("further.md" if parsed.further else "table.md")).write_text(text, encoding="utf-8")
    print(text)
    for line in accusations(paid):
        print(line)


def judging_halves(statistics: Path, joint: Path) -> tuple[Confusions, Confusions]:
    """What the vehicles of either half are judged with: joint errors were counted on those of the other half.

    Raises OSError, ValueError.
    """
    counts, text = from_json(statistics.read_text(encoding="utf-8")), joint.read_text(encoding="utf-8")
    first, second = (replace(counts, joint=joint_errors.from_json(text, other)) for other in (1, 0))
    return first, second


def outcome(seen: Passage, frames: int, judge: Judge) -> Outcome:
    """What `judge` says when the first `frames` frames of a passage were seen.

    The vehicles count as having moved, as those that pass do: the photograph is only shaken, and what stands is not
    measured here.
    """
    own: list[tuple[Track, str, Verdict]] = []
    others: list[tuple[Track, str, Verdict]] = []
    for track in tracks(seen, frames):
        fusion = fuse_track(replace(track, motion=Motion.MOVED), EvidenceRule(of_courses=False))
        if fusion is None:
            continue
        said = (track, fusion.plate.text, judge.judge(fusion.plate, PassageTime.at(PASSED_NS)))
        mine = any((p.crop.sequence, p.crop.detection.box) in seen.own for p in track.reads)
        (own if mine else others).append(said)
    return Outcome(seen, frames, tuple(own), tuple(others))


def tracks(seen: Passage, frames: int) -> Sequence[Track]:
    """The tracks that the product makes of the reads of a passage's first frames."""
    builder = TrackBuilder(CameraId("bench"))
    within = [placed for placed in seen.reads if placed.crop.sequence < frames]
    for at_ns, together in groupby(within, key=lambda placed: placed.crop.captured_at_ns):
        builder.update(at_ns, tuple(together))
    return builder.flush()


def table(outcomes: Sequence[Outcome], conditions: Sequence[str]) -> str:
    """False accusations of each condition, with Clopper-Pearson bounds per vehicle, and where the rest went."""
    shares = ("PAID", "REVIEW", "not told")
    heads = ("condition", *(f"{c} frames" for c in COUNTS), "vehicles accused", "at most (95 %)", *shares)
    lines = [f"| {' | '.join(heads)} |", "| --- |" + " ---: |" * (len(heads) - 1)]
    for condition in (*conditions, None):
        mine = [o for o in outcomes if condition in (None, o.passage.condition)]
        accused = [o for o in mine if o.says(VerdictKind.UNPAID)]
        by_frames = Counter(o.frames for o in accused)
        vehicles = {o.passage.subject.path for o in mine}
        harmed = {o.passage.subject.path for o in accused}
        cells = [
            condition or "**all**",
            *(str(by_frames[c]) for c in COUNTS),
            f"{len(harmed)} of {len(vehicles)}",
            f"{clopper_pearson(len(harmed), len(vehicles))[1]:.1%}",
            _share(mine, VerdictKind.PAID),
            _share(mine, VerdictKind.REVIEW),
            f"{sum(not o.verdicts for o in mine) / len(mine):.0%}",
        ]
        lines.append(f"| {' | '.join(cells)} |")
    total = sum(o.says(VerdictKind.UNPAID) for o in outcomes)
    return "\n".join(lines) + f"\n\nFalse UNPAID: {total:,} of {len(outcomes):,} passages of vehicles that paid.\n"


def absent_table(outcomes: Sequence[Outcome]) -> str:
    """Of clean passages whose plate has no vignette: how many are called UNPAID, under their own plate."""
    heads = ("clean, no vignette", "passages", "right UNPAID", "wrong plate", "REVIEW", "PAID", "not told")
    lines = [f"| {' | '.join(heads)} |", "| --- |" + " ---: |" * (len(heads) - 1)]
    for count in COUNTS:
        mine = [o for o in outcomes if o.frames == count]
        right = sum(
            any(_is(v, VerdictKind.UNPAID) and fold(text) == fold(o.passage.subject.text) for _, text, v in o.verdicts)
            for o in mine
        )
        wrong = sum(
            any(_is(v, VerdictKind.UNPAID) and fold(text) != fold(o.passage.subject.text) for _, text, v in o.verdicts)
            for o in mine
        )
        cells = (
            f"{count} frames", str(len(mine)), f"{right} ({right / len(mine):.0%})", str(wrong),
            _share(mine, VerdictKind.REVIEW), _share(mine, VerdictKind.PAID),
            f"{sum(not o.verdicts for o in mine) / len(mine):.0%}",
        )  # fmt: skip
        lines.append(f"| {' | '.join(cells)} |")
    rules = Counter(v.rule for o in outcomes if o.frames > 1 for _, _, v in o.verdicts)
    return "\n".join(lines) + f"\n\nTheir rules at 2 frames and more: {_listed(rules.elements())}.\n"


def elsewhere(outcomes: Sequence[Outcome]) -> str:
    """What was said of other plates and lettering in the same pictures, whose truth nobody knows."""
    kinds = Counter(v.kind.value for o in outcomes for _, _, v in o.elsewhere)
    said = _listed(kinds.elements()) or "nothing"
    return f"Of other plates and lettering in these pictures, truth unknown: {said}.\n"


def accusations(outcomes: Sequence[Outcome]) -> Iterator[str]:
    """How the falsely accused were misread, without a plate: counts by condition."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for o in outcomes:
        for _, text, verdict in o.verdicts:
            if verdict.kind is VerdictKind.UNPAID:
                counts[o.passage.condition][error_kind(fold(text), fold(o.passage.subject.text))] += 1
    for condition, kinds in counts.items():
        yield f"{condition}: {', '.join(f'{n} {kind}' for kind, n in kinds.most_common())}"


def error_kind(read: str, truth: str) -> str:
    """How a folded text differs from the true one, told without either."""
    if read == truth:
        return "read right"
    lost = len(truth) - len(read)
    if lost == 0:
        return f"{sum(a != b for a, b in zip(read, truth, strict=True))} substituted"
    short, long = sorted((read, truth), key=len)
    rest = iter(long)
    part = all(character in rest for character in short)
    return f"{abs(lost)} {'missed' if lost > 0 else 'invented'}{'' if part else ' and others misread'}"


def _share(outcomes: Sequence[Outcome], kind: VerdictKind) -> str:
    return f"{sum(o.says(kind) for o in outcomes) / len(outcomes):.0%}"


def _is(verdict: Verdict, kind: VerdictKind) -> bool:
    return verdict.kind is kind


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"{name} {count}" for name, count in Counter(names).most_common())


def shipped_nets(quality: str = "fast") -> Nets:
    """The first detector and reader under models/, or of `best` quality the larger detector. Raises ModelError."""
    sources = find_sources(Path("models"), FOLDER)
    if not sources.detectors or not sources.readers:
        raise ModelError("no detector or no reader to measure under models/")
    return open_nets(LARGER if quality == "best" else sources.detectors[0], sources.readers[0])


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--vignettes", type=int, default=300_000)
    parser.add_argument("--statistics", type=Path, default=STATISTICS)
    parser.add_argument("--joint", type=Path, default=JOINT_ERRORS)
    parser.add_argument("--folder", type=Path, default=FOLDER, help="where reads and registries are kept between runs")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--further", action="store_true", help="the conditions that no rule was made with, instead")
    parser.add_argument("--quality", choices=("fast", "best"), default="fast", help="of the detector, as in a run")
    parser.add_argument("--verbose", action="store_true", help="say how far it is")
    return parser.parse_args()


if __name__ == "__main__":
    main()
