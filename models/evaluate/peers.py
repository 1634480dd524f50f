"""The same photographs through other projects' readers, side by side, in one run.

SimpleLPR (commercial, its wheel runs for an evaluation) and fast-alpr (MIT) live in an environment of their own, which
`make bench-peers` makes. One that cannot be run is named in the report with the reason; nothing is shown for it.
"""

from __future__ import annotations

import json
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from models.data.negatives import read_negatives
from models.data.photographs import photographs
from models.evaluate.end_to_end import LEAST_CONFIDENCE, SETS
from models.evaluate.faults import faulty_texts
from models.evaluate.report import Section, Table, milliseconds, share
from roadside.core.detect import Search
from roadside.core.plates import fold, normalise
from roadside.errors import ModelError
from roadside.vision import PhotographReader, open_detector, open_reader, warm_up

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from models.evaluate.settings import Sources

WORKER = Path(__file__).resolve().with_name("peers_worker.py")
PEERS = ("simplelpr", "fast-alpr")
SURE = 0.9
LONGEST_S = 1800


@dataclass(frozen=True, slots=True)
class Told:
    """What a reader said of one picture."""

    texts: tuple[tuple[str, float], ...]
    """Each plate's text, normalised, and its confidence from 0 to 1."""
    wall_ms: float
    busy_ms: float
    """CPU time of all threads."""


def evaluate(sources: Sources) -> Section:
    """Photographs with plates, photographs without, and the time of each reader."""
    mistexted = faulty_texts()
    pictures = [p for p in photographs(sources.data) if p.source in SETS and p.texts and p.path not in mistexted]
    without = [one.path for one in read_negatives(sources.data) if one.held_out]
    paths = [*(sources.data / p.path for p in pictures), *without]
    told: dict[str, Sequence[Told]] = {"Roadside": _ours(sources, paths)}
    notes = []
    for peer in PEERS:
        try:
            name, answers = read_with(sources.peers_python, peer, paths)
            told[name] = answers
        except ModelError as error:
            notes.append(f"Not measured: {error}.")
    truths = [{fold(normalise(t)) for t in p.texts} for p in pictures]
    rows = [(name, *_figures([p.source for p in pictures], truths, answers)) for name, answers in told.items()]
    columns = ("reader", *SETS, "all", f"wrong over {SURE}", "without plates", "ms", "CPU ms")
    note = (
        f"{len(pictures)} photographs with a plate whose text is known, {len(without)} without any. Right: one of the "
        "plates read equals the truth (O, Q = 0, I = 1 folded); wrong: reads that do not (the plate of another car, "
        f"whose text is not known, too), though surer than {SURE}; without plates: reads / those over {SURE}. ms: "
        "median of a picture from its file, and CPU time of all threads. Other readers run as their manuals say, "
        "on the CPU, told that plates are European where they take that. Confidences of different readers are not "
        "the same measure."
    )
    return Section(
        "peers", "Beside other readers", (Table("The same photographs", columns, tuple(rows), note),), (), tuple(notes)
    )


def read_with(python: Path | None, peer: str, paths: Sequence[Path]) -> tuple[str, list[Told]]:
    """The reader's name with version, and what it said of each picture. Raises ModelError where it cannot be run."""
    if python is None:
        raise ModelError(f"{peer} (no .venv-peers: `make bench-peers` makes it)")
    done = subprocess.run(
        (str(python), str(WORKER), peer),
        input=json.dumps([str(path) for path in paths]),
        capture_output=True,
        text=True,
        check=False,
        timeout=LONGEST_S,
    )
    lines = done.stdout.splitlines()
    if done.returncode or len(lines) != len(paths) + 1:
        last = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise ModelError(f"{peer} ({last})")
    return json.loads(lines[0]), [_told(*json.loads(line)) for line in lines[1:]]


def _told(found: Sequence[tuple[str, float]], wall_ms: float, busy_ms: float) -> Told:
    return Told(tuple((normalise(text), confidence) for text, confidence in found), wall_ms, busy_ms)


def _ours(sources: Sources, paths: Sequence[Path]) -> list[Told]:
    finder = open_detector(sources.photograph_detector, search=Search.FAST)
    reader = open_reader(sources.readers[0], extra_cuts=True)
    warm_up(finder, reader)
    photograph = PhotographReader(finder, reader, LEAST_CONFIDENCE, finder.detect_closer)
    told = []
    for path in paths:
        wall, busy = time.perf_counter(), time.process_time()
        plates = photograph.read(path).plates
        took = 1e3 * (time.perf_counter() - wall), 1e3 * (time.process_time() - busy)
        told.append(Told(tuple((p.read.text, p.read.confidence) for p in plates), *took))
    return told


def _figures(groups: Sequence[str], truths: Sequence[set[str]], told: Sequence[Told]) -> tuple[str, ...]:
    right: Mapping[str, list[bool]] = {name: [] for name in SETS}
    wrong = 0
    for group, truth, said in zip(groups, truths, told, strict=False):
        right[group].append(any(fold(text) in truth for text, _ in said.texts))
        wrong += sum(fold(text) not in truth and sure > SURE for text, sure in said.texts)
    alarms = [sure for said in told[len(truths) :] for _, sure in said.texts]
    return (
        *(share(float(np.mean(right[name])) if right[name] else float("nan")) for name in SETS),
        f"{sum(map(sum, right.values()))} of {len(truths)}",
        str(wrong),
        f"{len(alarms)} / {sum(sure > SURE for sure in alarms)}",
        milliseconds(float(np.median([said.wall_ms for said in told]))),
        milliseconds(float(np.median([said.busy_ms for said in told]))),
    )
