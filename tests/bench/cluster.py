"""`make bench-cluster CAMERAS="1 10 100"`: what each camera costs each part of a cluster, and how that grows.

Real Redis, PostgreSQL, ocr, registry and plates, set by `ROADSIDE_*` as anywhere, carry cameras that replay real JPEG
frames, a vehicle every 20 seconds each. The detector's answers are replayed, too, so that a hundred cameras fit on a
few cores; what a real one costs a frame is measured beforehand and told. Costs are seconds of processor time, which a
busy machine does not change much; delays are those of this machine as busy as it is.
"""

from __future__ import annotations

import argparse
import json
import os
import pickle
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import redis
from sqlalchemy import text

from roadside.adapters.sources.video import open_source
from roadside.adapters.sql import open_database
from roadside.adapters.system_clock import SystemClock
from roadside.assembly.models import open_models
from roadside.assembly.settings import load_settings
from roadside.core.detect import crop_plate
from roadside.core.events import encode_jpeg
from roadside.core.frames import CameraId
from roadside.registry.validity import zone
from tests.bench.cluster_parts import PASSAGE_EVERY_S, Street
from tests.bench.embedded import machine
from tests.bench.services import percentile, processor_seconds
from tests.databases import fresh_postgres, postgres
from tests.processes import Cluster
from tests.servers import PostgresServer, RedisServer, redis_binary
from tests.waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from roadside.adapters.sql import Database
    from roadside.core.frames import Crop

JPEG_QUALITY = 80
PICTURES = 3
"""Of a vehicle that passes, as a camera that sends a frame a second has them."""
SURE = 0.5
"""A detection above is taken for a plate."""
EVERY = 6
"""Of the clip's frames one in so many is looked at."""
PARTS = ("detector", "ocr", "registry", "plates", "redis", "postgres")
IDLE_S = 15.0
SETTLED_S = 40.0
"""After the last frame what waits is handled: nothing more is stored for so long, and that was all."""


@dataclass(frozen=True, slots=True)
class Used:
    """What was used and done up to one moment."""

    at_s: float
    cpu_s: Mapping[str, float]
    redis_bytes: int
    redis_calls: int
    """Commands, those of scripts among them."""
    rows: int

    def since(self, before: Used) -> Used:
        """What was used and done since an earlier moment; `at_s` is how long ago that is."""
        cpu_s = {part: self.cpu_s[part] - before.cpu_s[part] for part in self.cpu_s}
        bytes_, calls = self.redis_bytes - before.redis_bytes, self.redis_calls - before.redis_calls
        return Used(self.at_s - before.at_s, cpu_s, bytes_, calls, self.rows - before.rows)


@dataclass(frozen=True, slots=True)
class Row:
    """What was measured of so many cameras."""

    cameras: int
    idle_ms: float
    """All parts together, a second, before the cameras came."""
    cpu_ms: Mapping[str, float]
    """A frame, by part, beyond what they use when no camera sends."""
    all_ms: float
    """All parts together, a second, while the cameras sent: what an operator pays."""
    redis_calls: float
    """A frame, beyond those when no camera sends: what the busyness of the machine changes less."""
    redis_mb_per_s: float
    rows_per_s: float
    dropped: int
    waiting: int
    sightings: int
    passages: int
    """To their end."""
    cut: int
    """More, of which the end of the measurement left a part."""
    latency: str

    def __str__(self) -> str:
        parts = " | ".join(f"{self.cpu_ms[part]:.2f}" for part in PARTS)
        total = sum(self.cpu_ms.values())
        stored = f"{self.sightings} of {self.passages} and {self.cut} cut off"
        return (
            f"| {self.cameras} | {self.idle_ms:.0f} | {parts} | {total:.2f} | {self.all_ms:.0f} | "
            f"{self.redis_calls:.1f} | {self.redis_mb_per_s:.2f} | "
            f"{self.rows_per_s:.1f} | {self.dropped} | {self.waiting} | {stored} | "
            f"{self.latency} |"
        )


HEADER = (
    f"| cameras | idle ms/s | {' | '.join(f'{part} ms' for part in PARTS)} | all ms a frame | idle and frames, ms/s | "
    "Redis calls a frame | Redis MB/s | rows/s | "
    "dropped | waiting | stored of passages | capture to stored p50, p99 |\n"
    f"| {' | '.join(['---'] * (12 + len(PARTS)))} |"
)


def street_of(clip: Path) -> tuple[Street, float]:
    """A passage, and a picture without one; what a detector costs a frame, in ms of the processor."""
    settings = load_settings({"threads": 1})
    finder, _ = open_models(settings)
    source = open_source(str(clip), CameraId("bench"), SystemClock())
    seen: list[tuple[float, bytes, tuple[Crop, ...]]] = []
    used_s = 0.0
    for number, frame in enumerate(source.frames()):
        if number % EVERY:
            continue
        begun_s = time.process_time()
        found = finder.detect(frame.image)
        used_s += time.process_time() - begun_s
        plates = [each for each in found if each.score > SURE and each.box.width > 2 * each.box.height]
        widest = max(plates, key=lambda each: each.box.width, default=None)
        crops = () if widest is None else (crop_plate(frame, widest),)
        width_px = 0.0 if widest is None else widest.box.width
        seen.append((width_px, encode_jpeg(frame.image, JPEG_QUALITY).data, crops))
    source.close()
    if len(seen) < PICTURES:
        raise SystemExit(f"{clip}: too short")
    # The nearest vehicle; and what the stand-in of the detector does not know shows no plate to it.
    first = max(range(len(seen) - PICTURES + 1), key=lambda at: min(each[0] for each in seen[at : at + PICTURES]))
    passage = tuple((jpeg, crops) for _, jpeg, crops in seen[first : first + PICTURES])
    known = {jpeg for jpeg, _ in passage}
    empty = next(jpeg for _, jpeg, _ in reversed(seen) if jpeg not in known)
    return Street(empty, passage), used_s / len(seen) * 1000


@dataclass
class Bench:
    """A cluster with so many cameras."""

    folder: Path
    server: PostgresServer
    street: Path
    cameras: int
    fps: float

    def run(self, seconds: float) -> Row:
        """Measure for so long, after as long a warm-up as the first passages take."""
        url = fresh_postgres(self.server)
        store = RedisServer(redis_binary(), self.folder / "redis", ("--appendonly", "yes"))
        store.start()
        cluster = Cluster(self.folder, store.url, url)
        cluster.command("database", "migrate")
        listed = self.folder / "vignettes.csv"
        listed.write_text("plate,country,valid_from,valid_to\n7Z79999,CZ,2026-01-01,2027-01-01\n", encoding="utf-8")
        cluster.command("registry", "import", str(listed))
        for service in ("ocr", "registry", "plates"):
            cluster.add(service)
        parts: dict[str, subprocess.Popen[bytes]] = {}
        database = open_database(url)
        try:
            cluster.start()
            with redis.Redis.from_url(store.url) as client:
                parts["detector"] = self._part("detector", cluster)
                time.sleep(IDLE_S)  # until it has started, too
                begun = self._used(cluster, parts, store, client, url)
                time.sleep(IDLE_S)
                idle = self._used(cluster, parts, store, client, url).since(begun)
                parts["cameras"] = self._part("cameras", cluster)
                time.sleep(PASSAGE_EVERY_S / self.fps)
                before = self._used(cluster, parts, store, client, url)
                time.sleep(seconds)  # the measurement
                used = self._used(cluster, parts, store, client, url).since(before)
                waiting = sum(int(client.xlen(key)) for key in client.scan_iter("*:frames*", _type="stream"))
                # Before the cameras end: what they leave half done is stored only when they have been silent for long.
                plates, name = cluster.services["plates"], "roadside_plates_capture_to_stored_seconds"
                latency = f"{percentile(plates, name, 0.5)}, {percentile(plates, name, 0.99)}"
                sent = self._end(parts, "cameras")
                self._wait_for_all(database, int(sent["passages"]))
                found = self._end(parts, "detector")
                print(f"{sent} {found}", file=sys.stderr)
            sightings = _stored(database)
        finally:
            for process in parts.values():
                if process.poll() is None:
                    process.kill()
                    process.wait()
            cluster.stop()
            store.stop()
            database.close()
        frames = self.cameras * self.fps * used.at_s
        cost_ms = {
            part: (used.cpu_s[part] - idle.cpu_s[part] / idle.at_s * used.at_s) / frames * 1000 for part in PARTS
        }
        return Row(
            cameras=self.cameras,
            idle_ms=sum(idle.cpu_s.values()) / idle.at_s * 1000,
            cpu_ms=cost_ms,
            all_ms=sum(used.cpu_s.values()) / used.at_s * 1000,
            redis_calls=(used.redis_calls - idle.redis_calls / idle.at_s * used.at_s) / frames,
            redis_mb_per_s=used.redis_bytes / used.at_s / 1e6,
            rows_per_s=used.rows / used.at_s,
            dropped=int(sent["dropped"]),
            waiting=waiting,
            sightings=sightings,
            passages=int(sent["passages"]),
            cut=int(sent["cut"]),
            latency=latency,
        )

    def _part(self, part: str, cluster: Cluster) -> subprocess.Popen[bytes]:
        more = (str(self.cameras), str(self.fps)) if part == "cameras" else ()
        arguments = [part, str(self.street), str(self.folder / f"{part}.json"), *more]
        command = [sys.executable, "-m", "tests.bench.cluster_parts", *arguments]
        process = subprocess.Popen(command, env={**os.environ, **cluster.environment})
        wait_for((self.folder / f"{part}.ready").exists, f"{part} started", 300)
        return process

    def _end(self, parts: Mapping[str, subprocess.Popen[bytes]], part: str) -> Mapping[str, float]:
        parts[part].send_signal(signal.SIGTERM)
        parts[part].wait(120)
        found: Mapping[str, float] = json.loads((self.folder / f"{part}.json").read_text(encoding="utf-8"))
        return found

    def _wait_for_all(self, database: Database, passages: int) -> None:
        """Until all that passed are stored, or no more come."""
        stored, since_s = -1, time.monotonic()
        while stored < passages and time.monotonic() - since_s < SETTLED_S:
            if (now := _stored(database)) != stored:
                stored, since_s = now, time.monotonic()
            time.sleep(0.5)

    def _used(
        self,
        cluster: Cluster,
        parts: Mapping[str, subprocess.Popen[bytes]],
        store: RedisServer,
        client: redis.Redis,
        url: str,
    ) -> Used:
        used = {"detector": processor_seconds(parts["detector"].pid)}
        for service in ("ocr", "registry", "plates"):
            process = cluster.services[service].process
            assert process is not None
            used[service] = _family_s(process.pid)
        assert store.process is not None
        assert self.server.process is not None
        used |= {"redis": processor_seconds(store.process.pid), "postgres": _family_s(self.server.process.pid)}
        traffic = client.info("stats")
        moved = int(traffic["total_net_input_bytes"]) + int(traffic["total_net_output_bytes"])
        return Used(time.perf_counter(), used, moved, _calls(client), _rows(url))


def _family_s(pid: int) -> float:
    """Of a process and its children: a decoder, PostgreSQL's workers."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    return processor_seconds(pid) + sum(processor_seconds(int(child)) for child in children)


def _calls(client: redis.Redis) -> int:
    """Commands that a Redis has run, those that scripts called among them."""
    return sum(int(each["calls"]) for each in client.info("commandstats").values())


def fitted(rows: Sequence[Row], fps: float) -> str:
    """A fixed cost and one a frame that explain best what all parts use together, each row's relative error alike.

    Least squares of `all_ms` = fixed + each * frames, weighted by 1 / `all_ms` squared; and how far each row is off.
    """
    frames = np.array([row.cameras * fps for row in rows])
    measured = np.array([row.all_ms for row in rows])
    terms = np.column_stack((np.ones(len(rows)), frames)) / measured[:, None]
    (fixed, each), *_ = np.linalg.lstsq(terms, np.ones(len(rows)), rcond=None)
    off = measured / (fixed + each * frames) - 1
    told = ", ".join(f"{row.cameras} {error:+.0%}" for row, error in zip(rows, off, strict=True))
    return f"All parts: {fixed:.0f} ms a second and {each:.2f} ms a frame; the rows are off by {told}."


def _stored(database: Database) -> int:
    with database.read() as connection:
        return int(connection.execute(text("SELECT count(*) FROM sightings")).scalar_one())


def _rows(url: str) -> int:
    """Rows that were written into the tables of the database so far."""
    database = open_database(url)
    with database.read() as connection:
        counted = text("SELECT coalesce(sum(n_tup_ins), 0) FROM pg_stat_user_tables")
        rows = int(connection.execute(counted).scalar_one())
    database.close()
    return rows


def main() -> int:
    """Print a row for each number of cameras."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clip", type=Path, default=Path("var/demo/street.mp4"))
    parser.add_argument("--cameras", type=int, nargs="+", default=[1, 10, 100])
    parser.add_argument("--fps", type=float, default=1.0, help="frames a second of each camera")
    parser.add_argument("--seconds", type=float, default=60.0)
    parsed = parser.parse_args()
    zone("Europe/Prague")  # a machine without time zones is told here, not by every service
    street, detector_ms = street_of(parsed.clip)
    print(f"{machine()}\n{len(street.empty) / 1000:.0f} KB a frame; a vehicle every {PASSAGE_EVERY_S} s and camera.")
    print(f"A real detector: {detector_ms:.1f} ms of one core a frame; not in the table.\n\n{HEADER}", flush=True)
    with tempfile.TemporaryDirectory(prefix="roadside-bench-") as folder, postgres() as server:
        file = Path(folder) / "street"
        file.write_bytes(pickle.dumps(street))
        rows = []
        for number, cameras in enumerate(parsed.cameras):
            mine = Path(folder) / str(number)
            mine.mkdir()
            rows.append(Bench(mine, server, file, cameras, parsed.fps).run(parsed.seconds))
            print(rows[-1], flush=True)
        if len(rows) > 1:
            print(f"\n{fitted(rows, parsed.fps)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
