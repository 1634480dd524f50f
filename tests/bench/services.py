"""`make bench-services`: how many cameras the services carry, and what distribution costs beside one process.

Cost: the same clip goes once through the embedded pipeline and once, as fast as it will, through the five services;
frames a second by the clock, and frames for each second of processor time of everything together, Redis included.
Cameras: recordings are played as live cameras, which drop frames when nobody has time; more and more of them.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from roadside.adapters.sources.video import open_source
from roadside.adapters.system_clock import SystemClock
from roadside.assembly.records import open_records
from roadside.assembly.settings import load_settings
from roadside.commands.run import StreetRun
from roadside.core.frames import CameraId
from tests.bench.embedded import machine
from tests.processes import Cluster, ServiceProcess
from tests.servers import RedisServer, redis_binary
from tests.waiting import wait_for

CAMERA_FPS = 5
END_TIMEOUT_S = 1800.0
TICKS_PER_S = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Pace:
    """Frames, and what they took."""

    frames: int
    elapsed_s: float
    processor_s: float

    def row(self, name: str) -> str:
        clock, processor = self.frames / self.elapsed_s, self.frames / self.processor_s
        return f"| {name} | {self.frames} | {clock:.1f} | {processor:.1f} |"


def processor_seconds(pid: int) -> float:
    """User and system time of a process so far."""
    values = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(values[11]) + int(values[12])) / TICKS_PER_S


def embedded(clip: Path, search: str) -> Pace:
    """The clip through one process."""
    with tempfile.TemporaryDirectory() as folder:
        settings = load_settings({"db": Path(folder) / "bench.db", "threads": 1, "search": search})
        records = open_records(settings)
        run = StreetRun(open_source(str(clip), CameraId(settings.camera), SystemClock()), settings, records, None)
        started_s, used_s = time.perf_counter(), time.process_time()
        run.watch()
        pace = Pace(run.progress.frames, time.perf_counter() - started_s, time.process_time() - used_s)
        records.close()
    return pace


@dataclass
class Distributed:
    """Redis and the services for one measurement."""

    folder: Path
    search: str
    detectors: int

    def __post_init__(self) -> None:
        self.redis = RedisServer(redis_binary(), self.folder / "redis", ("--appendonly", "yes"))
        self.redis.start()
        self.cluster = Cluster(self.folder, self.redis.url, f"sqlite:///{self.folder / 'bench.db'}")
        self.cluster.command("database", "migrate")
        for number in range(self.detectors):
            self.cluster.add("detector", f"detector-{number}", search=self.search)
        for service in ("ocr", "registry", "plates"):
            self.cluster.add(service)
        self.cluster.start()

    def play(self, cameras: int, clip: Path, **settings: str) -> ServiceProcess:
        sources = "; ".join(f"camera-{number}={clip}" for number in range(cameras))
        capture = self.cluster.add("capture", cameras=sources, recorded_at="now", **settings)
        capture.start()
        capture.wait_ready()
        return capture

    def processor_s(self) -> float:
        processes = [p.process for p in self.cluster.services.values()] + [self.redis.process]
        return sum(processor_seconds(p.pid) for p in processes if p is not None and p.poll() is None)

    def frames_done(self) -> int:
        detectors = [p for p in self.cluster.services.values() if p.service == "detector"]
        return int(sum(p.value("roadside_detector_frames_total") for p in detectors))

    def is_settled(self, cameras: int) -> bool:
        return self.cluster.is_settled([f"camera-{number}" for number in range(cameras)])

    def stop(self) -> None:
        self.cluster.stop()
        self.redis.stop()


def distributed(clip: Path, search: str, detectors: int, encoding: str) -> Pace:
    """The clip through the services, as fast as they will."""
    with tempfile.TemporaryDirectory() as folder:
        running = Distributed(Path(folder), search, detectors)
        try:
            used_s = running.processor_s()
            started_s = time.perf_counter()
            capture = running.play(1, clip, pace="false", encoding=encoding)
            wait_for(lambda: running.frames_done() > 0, "the first frame")
            begun = running.frames_done()
            begun_s, capture_used_s = time.perf_counter(), running.processor_s() - used_s
            wait_for(lambda: running.is_settled(1), "the end of the clip", END_TIMEOUT_S)
            elapsed_s = time.perf_counter() - begun_s
            # What starting capture took is no cost of frames.
            used_s = running.processor_s() - used_s - capture_used_s
            frames = running.frames_done() - begun
            assert frames > 0, (started_s, capture.log)
        finally:
            running.stop()
    return Pace(frames, elapsed_s, used_s)


def cameras_carried(clip: Path, cameras: int, detectors: int, search: str, seconds: float) -> str:
    """So many cameras for a while, as a row of the table."""
    with tempfile.TemporaryDirectory() as folder:
        running = Distributed(Path(folder), search, detectors)
        try:
            settings = {"publish_fps": str(CAMERA_FPS), "recording_lossless": "false", "loops": "0"}
            capture = running.play(cameras, clip, **settings)
            wait_for(lambda: running.frames_done() > cameras, "frames of every camera")
            published, dropped = frames_of(capture)
            plates = running.cluster.services["plates"]
            time.sleep(seconds)  # the measurement
            published, dropped = (
                now - before for now, before in zip(frames_of(capture), (published, dropped), strict=True)
            )
            late_s = percentile(plates, "roadside_plates_capture_to_stored_seconds", 0.95)
        finally:
            running.stop()
    share = dropped / max(1, published + dropped)
    return f"| {detectors} | {cameras} | {published / seconds:.1f} | {dropped:.0f} | {share:.1%} | {late_s} |"


def frames_of(capture: ServiceProcess) -> tuple[float, float]:
    """Frames published, and frames dropped because detectors were behind."""
    return (
        capture.value("roadside_capture_frames_total"),
        capture.value("roadside_capture_frames_dropped_total", reason="backlog"),
    )


def percentile(process: ServiceProcess, name: str, share: float) -> str:
    """The bucket of a histogram that holds a percentile."""
    buckets = []
    for line in process.metrics().splitlines():
        if line.startswith(f"{name}_bucket"):
            head, _, value = line.rpartition(" ")
            buckets.append((head.partition('le="')[2].rstrip('"}'), float(value)))
    if not buckets or not buckets[-1][1]:
        return "-"
    return next(f"<= {bound} s" for bound, count in buckets if count >= share * buckets[-1][1])


def main() -> int:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("clip", nargs="?", type=Path, default=Path("var/demo/street.mp4"))
    parser.add_argument("--search", default="fast")
    parser.add_argument("--cameras", type=int, nargs="*", default=[1, 2, 4, 6, 8, 12])
    parser.add_argument("--detectors", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--seconds", type=float, default=40.0)
    parser.add_argument("--encodings", nargs="*", default=["jpeg", "raw"])
    arguments = parser.parse_args()
    clip = arguments.clip.resolve()
    print(f"{machine()}\nClip: {clip.name}\n", flush=True)
    print("| pipeline | frames | frames/s | frames/CPU-s |\n| --- | --- | --- | --- |")
    print(embedded(clip, arguments.search).row("embedded"), flush=True)
    for encoding in arguments.encodings:
        for detectors in arguments.detectors:
            name = f"services, {detectors} detector{'s' * (detectors > 1)}, {encoding}"
            print(distributed(clip, arguments.search, detectors, encoding).row(name), flush=True)
    print(f"\n| detectors | cameras at {CAMERA_FPS} fps | published/s | dropped | share | capture to stored p95 |")
    print("| --- | --- | --- | --- | --- | --- |")
    for detectors in arguments.detectors:
        for cameras in arguments.cameras:
            print(cameras_carried(clip, cameras, detectors, arguments.search, arguments.seconds), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
