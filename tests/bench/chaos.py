"""`make chaos`: services, Redis and PostgreSQL are killed while a clip is played; nothing may be lost or double.

Every passage of the clip is known from an undisturbed run of the same services. Afterwards each loop of each camera
must have exactly those sightings, and each of these exactly one verdict. The car's vignette ends in the middle of the
run, so that it is known which passages are paid, whenever the registry came to answer.
"""

from __future__ import annotations

import argparse
import contextlib
import math
import os
import random
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import redis
from sqlalchemy import text

from roadside.adapters.sql import import_vignettes, open_database
from roadside.capture.worker import BETWEEN_LOOPS_NS
from roadside.core.plates import fold
from roadside.core.sightings import VerdictKind
from roadside.core.vignettes import Vignette
from tests.processes import PREFIX, STREAMS, Cluster
from tests.servers import PostgresServer, RedisServer, redis_binary
from tests.waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from roadside.adapters.sql import Database

CAMERAS = ("north", "south")
FPS = 3.0
SERVICES = ("capture", "detector", "ocr", "registry", "plates")
ROUND = len(SERVICES) + 3
"""Kills in which each comes once, the registry twice."""
SETTLE_TIMEOUT_S = 1800.0
"""After so long without a new message nothing more is waited for: a busy machine may take its time."""
PLATE = "LS15EBC"
"""Of the car in the default clip; its maker names it."""
UNDECIDED = VerdictKind.UNKNOWN.value
_SIGHTINGS = "SELECT sighting_id, camera_id, first_seen_ns, last_seen_ns, verdict FROM sightings ORDER BY sequence"
_CHANGES = "SELECT sighting_id, before, after FROM verdict_changes ORDER BY change_id"
SAME_MOMENT_S = 0.5
"""How far a passage may begin from where the undisturbed run saw it begin."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A stored sighting, as far as counting goes."""

    sighting_id: str
    camera_id: str
    first_seen_ns: int
    last_seen_ns: int
    verdict: str
    told: tuple[str, ...]
    """Every verdict that it ever had, in order; the last is `verdict`."""

    @property
    def decisions(self) -> int:
        """How often the registry's answer was taken for final."""
        return sum(kind != UNDECIDED for kind in self.told)


@dataclass
class Outcome:
    """What a run showed."""

    kills: Counter[str] = field(default_factory=Counter)
    messages: dict[str, int] = field(default_factory=dict)
    expected: int = 0
    stored: int = 0
    lost: int = 0
    double: int = 0
    strange: int = 0
    """Sightings that no passage explains."""
    verdicts: Counter[str] = field(default_factory=Counter)
    once: int = 0
    """Sightings that were decided exactly once."""
    undecided: int = 0
    """Sightings whose verdict is still UNKNOWN."""
    changed: int = 0
    """Sightings that were decided more than once."""
    late: int = 0
    """Sightings that the registry could not answer at first, decided by the re-check."""
    mistaken: int = 0
    """Paid passages called UNPAID, unpaid ones called PAID."""
    dead_letters: int = 0
    fell: list[str] = field(default_factory=list)
    """Services that ended by themselves."""
    seconds: float = 0.0

    @property
    def good(self) -> bool:
        torn = self.lost or self.double or self.strange or self.dead_letters or self.fell
        return not (torn or self.undecided or self.changed or self.mistaken)

    def report(self) -> str:
        kills = ", ".join(f"{name} {count}" for name, count in sorted(self.kills.items()))
        messages = ", ".join(f"{name} {count}" for name, count in self.messages.items())
        return "\n".join(
            (
                f"minutes            {self.seconds / 60:.1f}",
                f"kills (SIGKILL)    {sum(self.kills.values())}: {kills}",
                f"messages           {sum(self.messages.values())}: {messages}",
                f"passages           {self.expected}",
                f"sightings stored   {self.stored}",
                f"lost               {self.lost}",
                f"double             {self.double}",
                f"unexplained        {self.strange}",
                f"verdicts           {', '.join(f'{kind} {n}' for kind, n in sorted(self.verdicts.items()))}",
                f"exactly one        {self.once}, {self.late} of them by the re-check, UNKNOWN until then",
                f"none (UNKNOWN)     {self.undecided}",
                f"two or more        {self.changed}",
                f"mistaken           {self.mistaken}",
                f"dead letters       {self.dead_letters}",
                f"ended unasked      {', '.join(self.fell) or 'none'}",
            )
        )


@dataclass
class Stage:
    """Redis, PostgreSQL and the services, started once for one run."""

    folder: Path
    clip: Path
    loops: int
    paid_until_ns: int
    redis: RedisServer = field(init=False)
    postgres: PostgresServer = field(init=False)
    cluster: Cluster = field(init=False)

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        options = ("--appendonly", "yes", "--appendfsync", "always")
        self.redis = RedisServer(redis_binary(), self.folder / "redis", options)
        self.postgres = PostgresServer(Path(tempfile.mkdtemp(prefix="roadside-postgres-")) / "server")
        self.postgres.folder.parent.chmod(0o755)  # the user postgres must get through
        self.redis.start()
        self.postgres.create()
        self.postgres.start()
        settings = {"ROADSIDE_CLAIM_AFTER_S": "10", "ROADSIDE_LOG_LEVEL": "info"}
        # The car's vignette ends in the middle of the run, to the second.
        settings["ROADSIDE_VERDICT_TIME_TOLERANCE_S"] = "0"
        self.cluster = Cluster(self.folder, self.redis.url, self.postgres.url, settings)
        self.cluster.command("database", "migrate")
        database = open_database(self.postgres.url)
        import_known_plates(database, self.paid_until_ns)
        database.close()
        sources = "; ".join(f"{camera}={self.clip}" for camera in CAMERAS)
        self.cluster.add("capture", cameras=sources, loops=str(self.loops), publish_fps=str(FPS), recorded_at="now")
        self.cluster.add("detector")
        self.cluster.add("ocr")
        self.cluster.add("registry")
        self.cluster.add("plates", recheck_every_s="5")

    def sightings(self) -> list[Seen]:
        database = open_database(self.postgres.url)
        try:
            with database.read() as connection:
                rows = connection.execute(text(_SIGHTINGS)).all()
                changes = connection.execute(text(_CHANGES)).all()
        finally:
            database.close()
        told: dict[str, tuple[str, ...]] = {}
        for sighting_id, before, after in changes:
            told[sighting_id] = (*told.get(sighting_id, (before,)), after)
        return [Seen(*row, told.get(row.sighting_id, (row.verdict,))) for row in rows]

    def is_settled(self) -> bool:
        """Whether all was played, and nothing is on its way."""
        try:
            return self.cluster.is_settled(CAMERAS)
        except redis.RedisError:
            return False

    def messages(self) -> dict[str, int]:
        client = redis.Redis(port=self.redis.port)
        try:
            return {s: int(client.xinfo_stream(PREFIX + s)["entries-added"]) for s in STREAMS}
        finally:
            client.close()

    def dead_letters(self) -> int:
        client = redis.Redis(port=self.redis.port)
        try:
            return int(client.xlen(PREFIX + "dead"))
        finally:
            client.close()

    def undecided(self) -> int:
        return sum(seen.verdict == UNDECIDED for seen in self.sightings())

    def stop(self) -> None:
        for service in self.cluster.services.values():
            with contextlib.suppress(AssertionError):
                service.stop()
        self.postgres.stop()
        self.redis.stop()


def import_known_plates(database: Database, paid_until_ns: int) -> None:
    """A registry that can answer: another's vignette, and that of the car in the clip."""
    far_ns = paid_until_ns + 10**18
    known = (Vignette(fold("AB12CDE"), "UK", "", 0, far_ns), Vignette(fold(PLATE), "UK", "", 0, paid_until_ns))
    import_vignettes(database, known, "chaos", time.time_ns())


def clip_seconds(clip: Path) -> tuple[float, float]:
    """How long a loop of the clip lasts with the pause after it, and when its last frame begins."""
    capture = cv2.VideoCapture(str(clip))
    frames, fps = capture.get(cv2.CAP_PROP_FRAME_COUNT), capture.get(cv2.CAP_PROP_FPS)
    capture.release()
    return frames / fps + BETWEEN_LOOPS_NS / 1e9, (frames - 1) / fps


def undisturbed(folder: Path, clip: Path) -> list[float]:
    """When, in seconds from the first sighting, the passages of one loop begin: a run that nobody disturbs."""
    stage = Stage(folder / "undisturbed", clip, loops=1, paid_until_ns=time.time_ns())
    try:
        stage.cluster.start()
        wait_for(stage.is_settled, "the end of the undisturbed run", SETTLE_TIMEOUT_S)
        seen = [s for s in stage.sightings() if s.camera_id == CAMERAS[0]]
    finally:
        stage.stop()
    assert seen, f"{clip} shows no passage"
    first_ns = min(s.first_seen_ns for s in seen)
    return sorted((s.first_seen_ns - first_ns) / 1e9 for s in seen)


def disturb(stage: Stage, until_s: float, rng: random.Random, outcome: Outcome, pause_s: tuple[float, float]) -> None:
    """Kill and restart one thing after another until the time is over; everything is up at the end.

    The first round is finished on a slow machine too: each has been killed once.
    """
    for number, target in enumerate(targets(rng)):
        if number >= ROUND and time.monotonic() >= until_s:
            return
        time.sleep(rng.uniform(*pause_s))  # so that the next kill comes at any moment of the work
        raise_the_fallen(stage, outcome)
        outcome.kills[target] += 1
        print(f"{time.strftime('%H:%M:%S')}  SIGKILL {target}", flush=True)
        down_s = rng.uniform(0, 3)
        kill, restart = hands_on(stage, target)
        kill()
        time.sleep(down_s)  # the others go on without it
        restart()


def raise_the_fallen(stage: Stage, outcome: Outcome) -> None:
    """Start anew what ended by itself, as Kubernetes would, and write it down: none should."""
    for process in stage.cluster.services.values():
        if process.process is not None and process.process.poll() is not None:
            outcome.fell.append(process.name)
            print(f"{time.strftime('%H:%M:%S')}  {process.name} ended by itself", flush=True)
            process.start()


def is_over(stage: Stage, outcome: Outcome) -> bool:
    """Whether all was played, handed on, stored and decided."""
    raise_the_fallen(stage, outcome)
    return stage.is_settled() and not stage.undecided()


def settle(stage: Stage, outcome: Outcome) -> None:
    """Wait until all is over, as long as something moves; where nothing does, the outcome will tell."""
    moved_s, moved = time.monotonic(), 0
    while not is_over(stage, outcome):
        with contextlib.suppress(redis.RedisError):  # it may still be starting
            now = sum(stage.messages().values())
            if now != moved:
                moved_s, moved = time.monotonic(), now
        if time.monotonic() - moved_s > SETTLE_TIMEOUT_S:
            print("nothing moves any more", flush=True)
            outcome.fell.append("everything")
            return
        time.sleep(1)  # between two looks


def targets(rng: random.Random) -> Iterator[str]:
    """Every service in random order and the registry once more, then Redis, then PostgreSQL, and again."""
    while True:
        yield from rng.sample((*SERVICES, "registry"), len(SERVICES) + 1)
        yield "redis"
        yield "postgres"


def hands_on(stage: Stage, target: str) -> tuple[Callable[[], None], Callable[[], None]]:
    """How to kill and to restart a target."""
    if target == "redis":
        return stage.redis.kill, lambda: stage.redis.start(wait=False)
    if target == "postgres":
        return stage.postgres.kill, lambda: restart_postgres(stage.postgres)
    service = stage.cluster.services[target]
    return service.kill, service.start


def restart_postgres(server: PostgresServer) -> None:
    """The workers of the killed one hold its memory for a moment more."""

    def is_back() -> bool:
        if server.process is None or server.process.poll() is not None:
            server.start(wait=False)
            return False
        return server.answers()

    wait_for(is_back, "PostgreSQL after it was killed", every_s=0.2)


def judge(seen: Sequence[Seen], begins_s: Sequence[float], loops: int, loop_s: float, outcome: Outcome) -> None:
    """Match sightings with passages: each passage must have one."""
    for camera in CAMERAS:
        mine = [s for s in seen if s.camera_id == camera]
        expected = [(loop, place) for loop in range(loops) for place in range(len(begins_s))]
        outcome.expected += len(expected)
        outcome.stored += len(mine)
        if not mine:
            outcome.lost += len(expected)
            continue
        origin_ns = min(s.first_seen_ns for s in mine)
        found: Counter[tuple[int, int]] = Counter()
        for sighting in mine:
            at_s = (sighting.first_seen_ns - origin_ns) / 1e9
            loop = round((at_s - begins_s[0]) / loop_s - 0.25)
            near = [
                (abs(at_s - candidate * loop_s - begin_s), candidate, place)
                for candidate in (loop - 1, loop, loop + 1)
                for place, begin_s in enumerate(begins_s)
            ]
            off_s, candidate, place = min(near)
            if off_s > SAME_MOMENT_S or not 0 <= candidate < loops:
                outcome.strange += 1
            else:
                found[candidate, place] += 1
        outcome.lost += sum(pair not in found for pair in expected)
        outcome.double += sum(count - 1 for count in found.values())


def judge_verdicts(seen: Sequence[Seen], paid_until_ns: int, outcome: Outcome) -> None:
    """Count what was decided, how often, and against what is known of the car's vignette."""
    for sighting in seen:
        outcome.verdicts[sighting.verdict] += 1
        outcome.once += sighting.decisions == 1 and sighting.verdict != UNDECIDED
        outcome.changed += sighting.decisions > 1
        outcome.undecided += sighting.verdict == UNDECIDED
        outcome.late += sighting.told[0] == UNDECIDED and sighting.decisions == 1
        # A passage has paid that has at any moment from its first look to its last.
        wrong = VerdictKind.UNPAID if sighting.first_seen_ns < paid_until_ns else VerdictKind.PAID
        outcome.mistaken += sighting.verdict == wrong.value


def run(
    clip: Path,
    minutes: float,
    *,
    seed: int,
    folder: Path,
    pause_s: tuple[float, float] = (2.0, 9.0),
    loops: int | None = None,
) -> Outcome:
    """The whole test: `loops` of the clip, as many as last for `minutes` unless given."""
    begins_s = undisturbed(folder, clip)
    loop_s, _ = clip_seconds(clip)
    loops = loops or max(2, math.ceil(minutes * 60 / loop_s))
    print(f"{len(begins_s)} passages a loop, {loops} loops of {loop_s:.1f} s, {len(CAMERAS)} cameras", flush=True)
    outcome = Outcome()
    # About half of the passages are paid: the services take some ten seconds to start.
    paid_until_ns = time.time_ns() + round((10 + minutes * 30) * 1e9)
    stage = Stage(folder / "disturbed", clip, loops, paid_until_ns)
    started_s = time.monotonic()
    try:
        stage.cluster.start()
        disturb(stage, time.monotonic() + minutes * 60, random.Random(seed), outcome, pause_s)
        print(f"{time.strftime('%H:%M:%S')}  no more kills; waiting for what is on its way", flush=True)
        settle(stage, outcome)
        time.sleep(3)  # were anything stored twice, it would come now
        outcome.seconds = time.monotonic() - started_s
        outcome.messages = stage.messages()
        outcome.dead_letters = stage.dead_letters()
        seen = stage.sightings()
        judge(seen, begins_s, loops, loop_s, outcome)
        judge_verdicts(seen, paid_until_ns, outcome)
    finally:
        stage.stop()
    return outcome


def main() -> int:
    """Exit code 0 where nothing was lost or double."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--seed", type=int, default=random.randrange(2**32))
    parser.add_argument("--clip", type=Path)
    parser.add_argument("--loops", type=int, help="of the clip (default: as many as last for so long)")
    parser.add_argument("--folder", type=Path, help="keep logs and data there")
    arguments = parser.parse_args()
    data = Path(os.environ.get("ROADSIDE_DATA") or "../shared/data")
    clip = (arguments.clip or data / "clips" / "uk_ls15ebc.mp4").resolve()
    folder = (arguments.folder or Path(tempfile.mkdtemp(prefix="roadside-chaos-"))).resolve()
    print(f"seed {arguments.seed}, clip {clip.name}, logs in {folder}", flush=True)
    outcome = run(clip, arguments.minutes, seed=arguments.seed, folder=folder, loops=arguments.loops)
    print(outcome.report())
    return 0 if outcome.good else 1


if __name__ == "__main__":
    sys.exit(main())
