"""The clips through `roadside run`: one car that must be seen once, and a road on which no plate can be read."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from models.evaluate.report import Section, Table
from roadside.errors import ModelError

if TYPE_CHECKING:
    from models.evaluate.settings import Sources

CLIPS = {"uk_ls15ebc.mp4": "LS15EBC, once", "us_highway_no_plates.mp4": "none"}
PUBLISHED = frozenset({"LS15EBC"})
_FRAMES = re.compile(r"(\d+) frames, ([\d.]+) a second")
_STAGE = re.compile(r"(detect|read) ([\d.]+) ms x (\d+)")


def evaluate(sources: Sources) -> Section:
    """The sightings that `roadside run` stores of each clip."""
    if not sources.detectors or not sources.readers:
        raise ModelError("no detector or no reader to evaluate")
    rows = [(name, wanted, *_run(sources.data / "clips" / name, sources)) for name, wanted in CLIPS.items()]
    columns = ("clip", "wanted", "sightings", "frames", "frames a second", "ms detect", "ms read", "reads")
    note = "`roadside run CLIP` as it comes, 1 thread; ms: mean of a frame's detection, of a plate's reading."
    return Section("clips", "Clips", (Table("Sightings", columns, tuple(rows), note),))


def _run(clip: Path, sources: Sources) -> tuple[str, ...]:
    with tempfile.TemporaryDirectory() as folder:
        database = str(Path(folder) / "sightings.db")
        models = ("--modeldir", str(sources.detectors[0]), "--reader-modeldir", str(sources.readers[0]))
        said = _roadside("run", str(clip), "--db", database, "--timings", *models)
        stored = _roadside("plates", "recent", "--json", "--db", database)
    sightings = [json.loads(line) for line in stored.splitlines() if line.startswith("{")]
    # The report is published: it names no plate but the one that the clip's own source names.
    named = [s["plate"] if s["plate"] in PUBLISHED else "another plate" for s in reversed(sightings)]
    sure = [s["confidence"] for s in reversed(sightings)]
    plates = ", ".join(f"{plate} ({share:.2f})" for plate, share in zip(named, sure, strict=True)) or "none"
    frames = _FRAMES.search(said)
    stages = {name: (mean, count) for name, mean, count in _STAGE.findall(said)}
    detect, read = stages.get("detect", ("-", "-")), stages.get("read", ("-", "-"))
    count, pace = frames.groups() if frames else ("-", "-")
    return plates, count, pace, detect[0], read[0], read[1]


def _roadside(*arguments: str) -> str:
    """What the command prints. Raises ModelError where it fails."""
    command = (sys.executable, "-m", "roadside.cli", *arguments)
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise ModelError(f"roadside {arguments[0]}: {last}")
    return done.stdout + done.stderr
