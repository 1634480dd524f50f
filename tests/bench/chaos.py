"""`make chaos`: services, Redis and PostgreSQL are killed while a clip is played; nothing may be lost or double.

With `--cluster`, as `make chaos` has it, Redis is a cluster of three masters and three replicas with 16 partitions,
frames have a Redis of their own, evidence lies in a bucket of `rclone serve s3`, and there are two to three of each
service that takes messages; a master of the cluster is lost for good in the middle.

The clip is a drawn street before a standing camera: vehicles that have paid, one that is exempt, one whose plate is
nearly that of one that has paid, and some that have not; the vignette of one ends in the middle of the run. What
`roadside run` says of the same frames is known beforehand. Afterwards each loop of each camera must have exactly those
sightings, each of these exactly one verdict, and none that accuses or acquits where one process does not; the crop and
the frame of each that is UNPAID must be there with the digests that were stored, and the whole of the evidence intact.
"""

from __future__ import annotations

import argparse
import contextlib
import math
import random
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from roadside.core.sightings import VerdictKind
from tests.bench.chaos_outcome import Outcome, judge, judge_verdicts
from tests.bench.chaos_scene import make_scene
from tests.bench.chaos_stage import SERVICES, SETTLE_TIMEOUT_S, Stage, hands_on
from tests.buses import FAULTS

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["SERVICES", "run"]


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
    servers = [*stage.servers, "postgres"]
    if stage.clustered:
        everything = [*services, *again, *servers]
        return rng.sample(everything, len(everything))
    return [*rng.sample([*services, *again], len(services) + len(again)), *servers]


def targets(stage: Stage, rng: random.Random) -> Iterator[str]:
    """One round after another."""
    while True:
        yield from a_round(stage, rng)


def run(
    minutes: float,
    *,
    seed: int,
    folder: Path,
    pause_s: tuple[float, float] = (2.0, 9.0),
    loops: int | None = None,
    clustered: bool = False,
) -> Outcome:
    """The whole test: `loops` of the clip, as many as last for `minutes` unless given."""
    scene = make_scene(folder / "undisturbed")
    loops = loops or max(2, math.ceil(minutes * 60 / scene.loop_s))
    outcome = Outcome()
    stage = Stage(folder / "disturbed", scene.clip, loops, clustered)
    each = ", ".join(p.before if p.before == p.after else f"{p.before} then {p.after}" for p in scene.passages)
    print(f"a loop of {scene.loop_s:.1f} s: {each}; {loops} loops, {len(stage.cameras)} cameras", flush=True)
    started_s = time.monotonic()
    try:
        paid_until_ns = stage.start(loops * scene.loop_s / 2)
        disturb(stage, minutes, random.Random(seed), outcome, pause_s)
        print(f"{time.strftime('%H:%M:%S')}  no more kills; waiting for what is on its way", flush=True)
        settle(stage, outcome)
        time.sleep(3)  # were anything stored twice, it would come now
        outcome.seconds = time.monotonic() - started_s
        outcome.messages = stage.messages()
        outcome.dead_letters = stage.dead_letters()
        outcome.unconfirmed = stage.unconfirmed()
        outcome.intact, outcome.evidence = stage.verified()
        seen = stage.sightings()
        accused = [s.sighting_id for s in seen if s.verdict == VerdictKind.UNPAID.value]
        outcome.accused, outcome.shown = len(accused), stage.shown(accused)
        explained = judge(seen, stage.cameras, scene, loops, outcome)
        judge_verdicts(seen, explained, paid_until_ns, outcome)
    finally:
        stage.stop()
    return outcome


def main() -> int:
    """Exit code 0 where nothing was lost or double."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--seed", type=int, default=random.randrange(2**32))
    parser.add_argument("--loops", type=int, help="of the clip (default: as many as last for so long)")
    parser.add_argument("--cluster", action="store_true", help="a Redis cluster, several of each service")
    parser.add_argument("--folder", type=Path, help="keep logs and data there")
    arguments = parser.parse_args()
    folder = (arguments.folder or Path(tempfile.mkdtemp(prefix="roadside-chaos-"))).resolve()
    print(f"seed {arguments.seed}, logs in {folder}", flush=True)
    outcome = run(
        arguments.minutes, seed=arguments.seed, folder=folder, loops=arguments.loops, clustered=arguments.cluster
    )
    print(outcome.report())
    return 0 if outcome.good else 1


if __name__ == "__main__":
    sys.exit(main())
