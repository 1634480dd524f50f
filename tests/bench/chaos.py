"""`make chaos`: services, Redis and PostgreSQL are killed while a clip is played; nothing may be lost or double.

With `--cluster`, as `make chaos` has it, Redis is a cluster of three masters and three replicas with 16 partitions,
frames have a Redis of their own, and there are two to three of each service that takes messages; a master of the
cluster is lost for good in the middle.

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
from sqlalchemy import text

from roadside.adapters.sql import import_vignettes, open_database
from roadside.capture.worker import BETWEEN_LOOPS_NS
from roadside.core.partitions import partition_of
from roadside.core.plates import fold
from roadside.core.sightings import VerdictKind
from roadside.core.vignettes import Vignette
from tests.buses import FAULTS, BusView
from tests.processes import Cluster
from tests.servers import PostgresServer, RedisCluster, RedisServer, redis_binary
from tests.waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from roadside.adapters.sql import Database

CAMERAS = ("north", "south")
CLUSTER_CAMERAS = ("north", "south", "east", "west")
KEEPING = ("--appendonly", "yes", "--appendfsync", "always")
FPS = 3.0
SERVICES = ("capture", "detector", "ocr", "registry", "plates")
REPLICAS = {"detector": 3, "ocr": 2, "registry": 2, "plates": 2}
"""In a cluster."""
PARTITIONS = 16
NODE_TIMEOUT_S = 5.0
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
    lost_for_good: str = "none"
    """The node of the Redis cluster that did not come back."""
    unconfirmed: int = 0
    """Hand-overs that no replica confirmed in time, as far as the processes that counted them lived to the end."""
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
                f"lost for good      {self.lost_for_good}",
                f"unconfirmed        {self.unconfirmed}",
            )
        )


@dataclass
class OneRedis:
    """A single server with a file, which holds everything."""

    folder: Path
    servers: dict[str, RedisServer] = field(init=False)
    settings: dict[str, str] = field(default_factory=dict)
    """Of the services, beside the address."""

    def __post_init__(self) -> None:
        self.servers = {"redis": RedisServer(redis_binary(), self.folder / "redis", KEEPING)}
        self.servers["redis"].start()

    @property
    def view(self) -> BusView:
        return BusView(self.servers["redis"].url)

    def lose_one(self) -> str:
        """There is none to spare."""
        return "none"


@dataclass
class RedisNodes:
    """Three masters and three replicas for what was seen, and a server without a file for frames."""

    folder: Path
    cluster: RedisCluster = field(init=False)
    frames: RedisServer = field(init=False)
    gone: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.cluster = RedisCluster(self.folder / "cluster", replicas=1, options=KEEPING, node_timeout_s=NODE_TIMEOUT_S)
        self.cluster.start()
        self.frames = RedisServer(redis_binary(), self.folder / "frames")
        self.frames.start()

    @property
    def view(self) -> BusView:
        return BusView(self.cluster.url, self.frames.url, PARTITIONS)

    @property
    def settings(self) -> dict[str, str]:
        return {
            "ROADSIDE_FRAMES_REDIS_URL": self.frames.url,
            "ROADSIDE_REDIS_PARTITIONS": str(PARTITIONS),
            "ROADSIDE_REDIS_REPLICAS": "1",
        }

    @property
    def servers(self) -> dict[str, RedisServer]:
        named = {f"node-{number}": node for number, node in enumerate(self.cluster.nodes)}
        return {name: node for name, node in (named | {"frames": self.frames}).items() if name not in self.gone}

    def lose_one(self) -> str:
        """A master of which a replica is up to date, as it is on most days, is killed and does not come back."""
        wait_for(self.cluster.is_whole, "a cluster that is whole", SETTLE_TIMEOUT_S, every_s=0.2)
        home = partition_of(CLUSTER_CAMERAS[0], PARTITIONS)
        master = self.cluster.master_of(f"{{roadside:{home}}}")
        master.kill()
        name = next(name for name, server in self.servers.items() if server is master)
        self.gone.add(name)
        return name


@dataclass
class Stage:
    """Redis, PostgreSQL and the services, started once for one run."""

    folder: Path
    clip: Path
    loops: int
    paid_until_ns: int
    clustered: bool = False
    bus: OneRedis | RedisNodes = field(init=False)
    postgres: PostgresServer = field(init=False)
    cluster: Cluster = field(init=False)

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.bus = RedisNodes(self.folder) if self.clustered else OneRedis(self.folder)
        self.postgres = PostgresServer(Path(tempfile.mkdtemp(prefix="roadside-postgres-")) / "server")
        self.postgres.folder.parent.chmod(0o755)  # the user postgres must get through
        self.postgres.create()
        self.postgres.start()
        settings = {"ROADSIDE_CLAIM_AFTER_S": "10", "ROADSIDE_LOG_LEVEL": "info", **self.bus.settings}
        # The car's vignette ends in the middle of the run, to the second.
        settings["ROADSIDE_VERDICT_TIME_TOLERANCE_S"] = "0"
        self.cluster = Cluster(self.folder, self.bus.view.url, self.postgres.url, settings)
        self.cluster.command("database", "migrate")
        database = open_database(self.postgres.url)
        import_known_plates(database, self.paid_until_ns)
        database.close()
        sources = "; ".join(f"{camera}={self.clip}" for camera in self.cameras)
        self.cluster.add("capture", cameras=sources, loops=str(self.loops), publish_fps=str(FPS), recorded_at="now")
        for service in SERVICES[1:]:
            for number in range(REPLICAS[service] if self.clustered else 1):
                name = f"{service}-{number}" if self.clustered else service
                self.cluster.add(service, name, **({"recheck_every_s": "5"} if service == "plates" else {}))

    @property
    def cameras(self) -> tuple[str, ...]:
        return CLUSTER_CAMERAS if self.clustered else CAMERAS

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
            return self.bus.view.is_settled(self.cameras)
        except FAULTS:
            return False

    def messages(self) -> dict[str, int]:
        return self.bus.view.messages()

    def dead_letters(self) -> int:
        return self.bus.view.dead_letters()

    def unconfirmed(self) -> int:
        name = "unconfirmed_hand_overs_count"
        each = [p for p in self.cluster.services.values() if p.service != "capture"]
        return sum(int(process.value(f"roadside_{process.service}_{name}")) for process in each)

    def undecided(self) -> int:
        return sum(seen.verdict == UNDECIDED for seen in self.sightings())

    def stop(self) -> None:
        for service in self.cluster.services.values():
            with contextlib.suppress(AssertionError):
                service.stop()
        self.postgres.stop()
        for server in self.bus.servers.values():
            server.stop()


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


def disturb(stage: Stage, minutes: float, rng: random.Random, outcome: Outcome, pause_s: tuple[float, float]) -> None:
    """Kill and restart one thing after another until the time is over; everything but what is lost for good is up then.

    The first round is finished on a slow machine too: each has been killed once.
    """
    begun_s = time.monotonic()
    first_round = len(a_round(stage, rng))
    lost = not stage.clustered
    for number, target in enumerate(targets(stage, rng)):
        passed_s = time.monotonic() - begun_s
        if number >= first_round and passed_s >= minutes * 60:
            return
        time.sleep(rng.uniform(*pause_s))  # so that the next kill comes at any moment of the work
        raise_the_fallen(stage, outcome)
        if not lost and (number >= first_round // 2 or passed_s >= minutes * 30):
            lost = True
            outcome.lost_for_good = stage.bus.lose_one()
            print(f"{time.strftime('%H:%M:%S')}  lost for good: {outcome.lost_for_good}", flush=True)
            continue
        if target == outcome.lost_for_good:
            continue
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
        with contextlib.suppress(*FAULTS):  # it may still be starting
            now = sum(stage.messages().values())
            if now != moved:
                moved_s, moved = time.monotonic(), now
        if time.monotonic() - moved_s > SETTLE_TIMEOUT_S:
            print("nothing moves any more", flush=True)
            outcome.fell.append("everything")
            return
        time.sleep(1)  # between two looks


def a_round(stage: Stage, rng: random.Random) -> list[str]:
    """Everything once and the registries once more; services in random order, then servers."""
    services = list(stage.cluster.services)
    again = [name for name, process in stage.cluster.services.items() if process.service == "registry"]
    servers = [*stage.bus.servers, "postgres"]
    if stage.clustered:
        everything = [*services, *again, *servers]
        return rng.sample(everything, len(everything))
    return [*rng.sample([*services, *again], len(services) + len(again)), *servers]


def targets(stage: Stage, rng: random.Random) -> Iterator[str]:
    """One round after another."""
    while True:
        yield from a_round(stage, rng)


def hands_on(stage: Stage, target: str) -> tuple[Callable[[], None], Callable[[], None]]:
    """How to kill and to restart a target."""
    if target == "postgres":
        return stage.postgres.kill, lambda: restart_postgres(stage.postgres)
    server = stage.bus.servers.get(target)
    if server is not None:
        return server.kill, lambda: server.start(wait=False)
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


def judge(  # noqa: PLR0917 - what was seen, and what was to be seen
    seen: Sequence[Seen],
    cameras: Sequence[str],
    begins_s: Sequence[float],
    loops: int,
    loop_s: float,
    outcome: Outcome,
) -> None:
    """Match sightings with passages: each passage must have one."""
    for camera in cameras:
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
    clustered: bool = False,
) -> Outcome:
    """The whole test: `loops` of the clip, as many as last for `minutes` unless given."""
    begins_s = undisturbed(folder, clip)
    loop_s, _ = clip_seconds(clip)
    loops = loops or max(2, math.ceil(minutes * 60 / loop_s))
    outcome = Outcome()
    # About half of the passages are paid: the services take some ten seconds to start.
    paid_until_ns = time.time_ns() + round((10 + minutes * 30) * 1e9)
    stage = Stage(folder / "disturbed", clip, loops, paid_until_ns, clustered)
    print(f"{len(begins_s)} passages a loop, {loops} loops of {loop_s:.1f} s, {len(stage.cameras)} cameras", flush=True)
    started_s = time.monotonic()
    try:
        stage.cluster.start()
        disturb(stage, minutes, random.Random(seed), outcome, pause_s)
        print(f"{time.strftime('%H:%M:%S')}  no more kills; waiting for what is on its way", flush=True)
        settle(stage, outcome)
        time.sleep(3)  # were anything stored twice, it would come now
        outcome.seconds = time.monotonic() - started_s
        outcome.messages = stage.messages()
        outcome.dead_letters = stage.dead_letters()
        outcome.unconfirmed = stage.unconfirmed()
        seen = stage.sightings()
        judge(seen, stage.cameras, begins_s, loops, loop_s, outcome)
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
    parser.add_argument("--cluster", action="store_true", help="a Redis cluster, several of each service")
    parser.add_argument("--folder", type=Path, help="keep logs and data there")
    arguments = parser.parse_args()
    data = Path(os.environ.get("ROADSIDE_DATA") or "../shared/data")
    clip = (arguments.clip or data / "clips" / "uk_ls15ebc.mp4").resolve()
    folder = (arguments.folder or Path(tempfile.mkdtemp(prefix="roadside-chaos-"))).resolve()
    print(f"seed {arguments.seed}, clip {clip.name}, logs in {folder}", flush=True)
    outcome = run(
        clip, arguments.minutes, seed=arguments.seed, folder=folder, loops=arguments.loops, clustered=arguments.cluster
    )
    print(outcome.report())
    return 0 if outcome.good else 1


if __name__ == "__main__":
    sys.exit(main())
