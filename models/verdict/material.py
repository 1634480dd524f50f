"""What the reads of `make bench-verdict` give a simulated year: error sequences, chimeras, lettering."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from models.data.photographs import data_folder
from models.verdict.empirical import COUNTS, shipped_nets, tracks
from models.verdict.passages import passage
from models.verdict.spoils import SPOILS
from models.verdict.subjects import subjects
from models.verdict.transplant import Sequence
from roadside.core.frames import CameraId
from roadside.core.motion import Motion
from roadside.core.plates import fold
from roadside.core.reads import Track
from roadside.core.showing import EvidenceRule, fuse_track

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.random import Generator

    from models.verdict.passages import Passage
    from roadside.core.reads import FusedPlate

CHIMERAS = 300


@dataclass(frozen=True, slots=True)
class Material:
    """What real passages gave."""

    sequences: tuple[Sequence, ...]
    passages: tuple[int, int]
    """Of either half: vehicles times conditions times numbers of frames; those that were not told of among them."""
    chimeras: tuple[tuple[int, FusedPlate, tuple[str, str]], ...]
    """Two vehicles taken for one: the half, what was fused, both plates."""
    lettering: tuple[FusedPlate, ...]
    """What was told of in the same pictures and is no plate of a vehicle that is known."""


def collect(folder: Path, seed: int, rng: Generator) -> Material:
    """All that the reads of `make bench-verdict` give; spoilt and read now, where they were not kept."""
    nets = shipped_nets()
    sequences: list[Sequence] = []
    lettering: list[FusedPlate] = []
    clean: list[tuple[int, Passage]] = []
    passages = [0, 0]
    for number, subject in enumerate(subjects(data_folder(), nets.finder)):
        for condition in SPOILS:
            seen = passage(subject, condition, nets, folder / "reads", seed)
            passages[subject.half] += len(COUNTS)
            if condition == "clean":
                clean.append((subject.half, seen))
            for count in COUNTS:
                for own, plate in told(seen, count):
                    if own:
                        truth = fold(subject.text)
                        sequences.append(
                            Sequence(number, subject.half, condition, count, subject.country, truth, plate)
                        )
                    else:
                        lettering.append(plate)
    return Material(tuple(sequences), (passages[0], passages[1]), tuple(_chimeras(clean, rng)), tuple(lettering))


def told(seen: Passage, frames: int) -> Iterator[tuple[bool, FusedPlate]]:
    """What the product tells of the first frames of a passage: whether of the vehicle's own plate, and the plate."""
    for track in tracks(seen, frames):
        fusion = fuse_track(replace(track, motion=Motion.MOVED), EvidenceRule(of_courses=False))
        if fusion is not None:
            yield any((p.crop.sequence, p.crop.detection.box) in seen.own for p in track.reads), fusion.plate


def _chimeras(clean: list[tuple[int, Passage]], rng: Generator) -> Iterator[tuple[int, FusedPlate, tuple[str, str]]]:
    """Two vehicles of one half taken for one: up to three reads of each."""
    for _ in range(CHIMERAS):
        half, first = clean[int(rng.integers(len(clean)))]
        others = [p for h, p in clean if h == half and p is not first]
        second = others[int(rng.integers(len(others)))]
        reads = []
        for seen in (first, second):
            own = [p for p in seen.reads if (p.crop.sequence, p.crop.detection.box) in seen.own]
            reads += own[: int(rng.integers(1, 4))]
        joined = Track(CameraId("bench"), "joined", tuple(reads), motion=Motion.MOVED)
        fusion = fuse_track(joined, EvidenceRule(of_courses=False)) if reads else None
        if fusion is not None:
            yield half, fusion.plate, (fold(first.subject.text), fold(second.subject.text))
