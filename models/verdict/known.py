"""`make bench-known`: real plates, spoilt, before a gate: whether it opens, and for whom.

The vehicles and conditions of `make bench-verdict` come to a gate frame by frame, and are judged by
`roadside.core.known` as it is in the product. Four lists are tried: one of all vehicles; one that holds all but the one
that comes; lists of one plate that differs from the vehicle's own in one character, two for each character: what it is
most often taken for, and another one; and these again together with the vehicle's own plate.
"""

from __future__ import annotations

import argparse
import time
from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from models.data.photographs import data_folder
from models.evaluate.machine import describe
from models.verdict.empirical import COUNTS, FOLDER, JOINT_ERRORS, STATISTICS, judging_halves, shipped_nets
from models.verdict.known_table import tables
from models.verdict.passages import FRAMES, passage
from models.verdict.spoils import SPOILS
from models.verdict.subjects import subjects
from roadside.core.frames import CameraId
from roadside.core.known import KnownPolicy, is_unspoilt, scores, shared
from roadside.core.motion import Motion
from roadside.core.plates import fold
from roadside.core.reads import ALPHABET
from roadside.core.showing import EvidenceRule, fuse_track
from roadside.core.track import TrackBuilder

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from models.verdict.passages import Passage
    from roadside.core.confusions import Confusions
    from roadside.core.reads import FusedPlate, PlacedRead, Track

RULE = EvidenceRule(of_courses=False)
"""As in `make bench-verdict`: one photograph that is moved about has no depth."""
SEED = 1
POLICY = KnownPolicy()
ANY_LOOKS = KnownPolicy(least_looks=1)
NEVER_READ = frozenset("OQI")
"""Folded into others."""


@dataclass(frozen=True, slots=True)
class Lists:
    """What is asked about a vehicle."""

    own: str
    """Folded, as all of these."""
    everybody: tuple[str, ...]
    near: tuple[str, ...]
    """Each is one character away from `own`."""


@dataclass(frozen=True, slots=True)
class Look:
    """What is believed of the vehicle at one moment: for each kind of list the highest probability."""

    frames: int
    """That have been seen by then."""
    looks: int
    own: float
    """Of its own plate, on the list of all."""
    other: float
    """Of the likeliest other one on that list."""
    stranger: float
    """Of the likeliest on the list of all others."""
    near: tuple[float, ...]
    """Of each plate one character away, alone on a list."""
    mistaken: tuple[float, ...]
    """Of the same, on a list with the vehicle's own."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """A vehicle that came to the gate."""

    vehicle: str
    condition: str
    gate: tuple[Look, ...]
    """Each moment at which nothing speaks against the plate having been seen whole."""
    told: tuple[Look, ...]
    """Of each number of frames in `COUNTS`: what is made of the passage when it is over."""


def main() -> None:
    """See, match, and write the tables."""
    parsed = _parse()
    started = time.perf_counter()
    machine, nets = describe(), shipped_nets()
    vehicles = list(subjects(data_folder(), nets.finder))
    confusions = judging_halves(parsed.statistics, parsed.joint)
    everybody = tuple(dict.fromkeys(fold(subject.text) for subject in vehicles))
    arrivals: list[Arrival] = []
    for number, subject in enumerate(vehicles):
        known = confusions[subject.half]
        lists = Lists(fold(subject.text), everybody, near_plates(fold(subject.text), known))
        seen = (passage(subject, condition, nets, parsed.folder / "reads", SEED) for condition in SPOILS)
        arrivals += [arrival(each, lists, known) for each in seen]
        if parsed.verbose:
            print(f"{number + 1} of {len(vehicles)}, {time.perf_counter() - started:.0f} s", flush=True)
    setting = (
        f"{datetime.now(UTC):%d %B %Y}: {len(vehicles)} vehicles, {len(SPOILS)} conditions, seed {SEED}, "
        f"nets {nets.name}; {time.perf_counter() - started:.0f} s. {machine}"
    )
    text = f"{setting}\n\n{tables(arrivals, POLICY)}"
    (parsed.folder / "known.md").write_text(text, encoding="utf-8")
    print(text)


def near_plates(own: str, confusions: Confusions) -> tuple[str, ...]:
    """Two for each character of `own` (folded): what that is most often read as, and the one drawn by the plate."""
    found: dict[str, None] = {}
    rng = np.random.default_rng(list(own.encode()))
    for slot, character in enumerate(own):
        truth = ALPHABET.index(character)
        others = [c for c in ALPHABET if c != character and c not in NEVER_READ]
        worst = max(others, key=lambda c: float(confusions.truth_given_read[ALPHABET.index(c), truth]))
        for placed in (worst, others[int(rng.integers(len(others)))]):
            found[own[:slot] + placed + own[slot + 1 :]] = None
    return tuple(found)


def arrival(seen: Passage, lists: Lists, confusions: Confusions) -> Arrival:
    """What is believed at each frame of a passage, and after it.

    The vehicle counts as one that moved, as in `make bench-verdict`. The gate is asked at each frame, which is at least
    as often as the product asks.
    """
    gate: list[Look] = []
    told: list[Look] = []
    for frames, tracks in growing(seen):
        for plate in fused(tracks):
            look = believed(plate, frames, lists, confusions)
            told += [look] if frames in COUNTS else []
            gate += [look] if is_unspoilt(plate, ANY_LOOKS) else []
    return Arrival(seen.subject.path, seen.condition, tuple(gate), tuple(told))


def growing(seen: Passage) -> Iterator[tuple[int, Sequence[Track]]]:
    """The tracks that there are after each number of frames."""
    builder = TrackBuilder(CameraId("bench"))
    together: dict[int, list[PlacedRead]] = defaultdict(list)
    for placed in seen.reads:
        together[placed.crop.sequence].append(placed)
    for frames in range(1, FRAMES):
        if reads := together[frames - 1]:
            builder.update(reads[0].crop.captured_at_ns, tuple(reads))
        if reads or frames in COUNTS:
            yield frames, builder.growing()
    if reads := together[FRAMES - 1]:
        builder.update(reads[0].crop.captured_at_ns, tuple(reads))
    yield FRAMES, builder.flush()


def fused(tracks: Sequence[Track]) -> Iterator[FusedPlate]:
    """The plates of tracks that moved."""
    for track in tracks:
        if (fusion := fuse_track(replace(track, motion=Motion.MOVED), RULE)) is not None:
            yield fusion.plate


def believed(plate: FusedPlate, frames: int, lists: Lists, confusions: Confusions) -> Look:
    """`plate` asked for on each list; the country is left away, as docs/known-plates.md advises."""
    scored = scores(plate, (*lists.everybody, *lists.near), confusions, POLICY)
    of = dict(zip((*lists.everybody, *lists.near), scored, strict=True))
    strangers = [key for key in lists.everybody if key != lists.own]
    of_all = dict(zip(lists.everybody, shared([of[key] for key in lists.everybody], POLICY), strict=True))
    return Look(
        frames,
        plate.looks,
        own=of_all[lists.own],
        other=max(of_all[key] for key in strangers),
        stranger=max(shared([of[key] for key in strangers], POLICY)),
        near=tuple(shared([of[key]], POLICY)[0] for key in lists.near),
        mistaken=tuple(shared([of[lists.own], of[key]], POLICY)[1] for key in lists.near),
    )


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--statistics", type=Path, default=STATISTICS)
    parser.add_argument("--joint", type=Path, default=JOINT_ERRORS)
    parser.add_argument("--folder", type=Path, default=FOLDER, help="where reads are kept between runs")
    parser.add_argument("--verbose", action="store_true", help="say how far it is")
    return parser.parse_args()


if __name__ == "__main__":
    main()
