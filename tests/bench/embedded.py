"""`make bench`: frames a second, milliseconds a stage and peak memory of the embedded pipeline on a 720p clip.

Frames are those of the demonstration clip, or of the clip named on the command line. Detection and reading run as in
`roadside run`; sightings are stored in a new SQLite file. Decoding overlaps in its own thread, as in a run.
"""

from __future__ import annotations

import argparse
import os
import platform
import resource
import tempfile
import time
from importlib.metadata import version
from pathlib import Path

from roadside.adapters.sources.video import open_source
from roadside.adapters.system_clock import SystemClock
from roadside.assembly.records import open_records
from roadside.assembly.settings import load_settings
from roadside.commands.run import StreetRun
from roadside.core.frames import CameraId

PACKAGES = ("ai-edge-litert", "opencv-python-headless", "numpy", "sqlalchemy")
STAGES = ("detect", "read", "track", "store")


def machine() -> str:
    """Processor, cores in use, load and versions: without them no figure means anything."""
    processor = next(
        (x.split(":")[1].strip() for x in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in x),
        platform.machine(),
    )
    cores = len(os.sched_getaffinity(0))
    versions = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    load = os.getloadavg()[0]
    return f"{processor}, {cores} cores, load before {load:.1f}; Python {platform.python_version()}, {versions}"


def measure(clip: str, threads: int, search: str) -> str:
    """One run over `clip`, as a row of the table."""
    with tempfile.TemporaryDirectory() as folder:
        settings = load_settings({"db": Path(folder) / "bench.db", "threads": threads, "search": search})
        source = open_source(clip, CameraId(settings.camera), SystemClock())
        records = open_records(settings)
        run = StreetRun(source, settings, records, None)
        started_s, busy_s = time.perf_counter(), time.process_time()
        run.watch()
        elapsed_s, used_s = time.perf_counter() - started_s, time.process_time() - busy_s
        records.close()
    frames = run.progress.frames
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    stages = " | ".join(f"{run.elapsed.ms(name) / frames:.1f}" for name in STAGES)
    pace = f"{frames / elapsed_s:.1f} | {frames / used_s:.1f}"
    return f"| {search} | {threads} | {frames} | {pace} | {stages} | {peak_mb:.0f} | {len(run.sightings)} |"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("clip", nargs="?", default="var/demo/street.mp4")
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--search", nargs="+", default=["auto", "fast"])
    arguments = parser.parse_args()
    print(machine())
    print(f"Clip: {Path(arguments.clip).name}\n")
    print(
        "| search | threads | frames | frames/s | frames/CPU-s | "
        + " | ".join(f"{name} ms/frame" for name in STAGES)
        + " | peak MB | sightings |"
    )
    print("|" + " --- |" * (7 + len(STAGES)))
    for search in arguments.search:
        for threads in arguments.threads:
            print(measure(arguments.clip, threads, search), flush=True)


if __name__ == "__main__":
    main()
