"""What passes before the cameras of a chaos run, and what one process says of the very same frames."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from models.synth.street import DEMO_VEHICLES, Clip, write
from roadside.adapters.sql import import_exemptions, import_vignettes
from roadside.adapters.sql.database import open_embedded
from roadside.capture.played import BETWEEN_LOOPS_NS
from roadside.core.plates import fold
from roadside.core.vignettes import Exemption, Vignette

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from models.synth.vehicles import Vehicle
    from roadside.adapters.sql import Database

FPS = 3
"""Of the clip, so that one process and the services take the same frames: all of them."""
_FOREVER_NS = 2**62
_ARGUMENTS = ("--search", "fast", "--motion-gate", "false", "--recorded-at", "now")
"""As the services look at the frames of a recording."""
ENDS_AT_ONCE = {"ROADSIDE_VERDICT_TIME_TOLERANCE_S": "0"}
"""The setting by which a vignette ends to the second."""


@dataclass(frozen=True, slots=True)
class Passing:
    """One passage of each loop of the clip."""

    begins_s: float
    """After the first one of its loop."""
    ends_s: float
    before: str
    """The verdict while the vignette that ends in the middle of the run is valid."""
    after: str
    """The verdict from then on."""


@dataclass(frozen=True, slots=True)
class Scene:
    """A clip that is played in loops, and what is to be seen in each."""

    clip: Path
    loop_s: float
    """With the pause after it."""
    passages: tuple[Passing, ...]
    """In their order."""


def make_scene(folder: Path) -> Scene:
    """Draw the street of a standing camera, and have `roadside run` judge it before and after the vignette's end."""
    folder.mkdir(parents=True, exist_ok=True)
    shot = Clip(fps=FPS)
    clip = folder / "street.mp4"
    write(clip, shot)
    before = _embedded(folder / "before", clip, _FOREVER_NS)
    after = _embedded(folder / "after", clip, 1)
    assert len(before) == len(after) == len(DEMO_VEHICLES), (before, after)
    passages = tuple(Passing(*seen, then) for seen, (*_, then) in zip(before, after, strict=True))
    return Scene(clip, round(shot.duration_s * FPS) / FPS + BETWEEN_LOOPS_NS / 1e9, passages)


def import_lists(database: Database, paid_until_ns: int) -> None:
    """Of the six vehicles one is exempt, one has a vignette until `paid_until_ns`, and one has one for good.

    A fourth has that of a plate like its own; the others have none.
    """
    exempt, ends, paid, _, near, _ = (_key(vehicle) for vehicle in DEMO_VEHICLES)
    vignettes = [
        Vignette(fold("AB12CDE"), "UK", "", 0, _FOREVER_NS),
        _vignette(ends, paid_until_ns),
        _vignette(paid, _FOREVER_NS),
        _vignette((near[0][:-1] + ("E" if near[0][-1] != "E" else "F"), near[1]), _FOREVER_NS),
    ]
    import_vignettes(database, vignettes, "chaos", time.time_ns())
    import_exemptions(database, [Exemption(*exempt, "electric", 0, _FOREVER_NS)], "chaos", time.time_ns())


def _key(vehicle: Vehicle) -> tuple[str, str]:
    return fold("".join(filter(str.isalnum, vehicle.plate))), vehicle.country


def _vignette(plate: tuple[str, str], valid_to_ns: int) -> Vignette:
    return Vignette(*plate, "", 0, valid_to_ns)


def _embedded(folder: Path, clip: Path, paid_until_ns: int) -> Sequence[tuple[float, float, str]]:
    """When passages begin and end, in seconds after the first, and their verdicts, as one process sees the clip."""
    folder.mkdir()
    database = open_embedded(folder / "roadside.db")
    import_lists(database, paid_until_ns)
    database.close()
    command = [sys.executable, "-m", "roadside.cli", "run", str(clip), "--json", *_ARGUMENTS]
    environment = {k: v for k, v in os.environ.items() if not k.startswith("ROADSIDE_")}
    environment |= {"ROADSIDE_DB": str(folder / "roadside.db"), **ENDS_AT_ONCE}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    told = [json.loads(line) for line in done.stdout.splitlines()]
    seen = sorted((_s(line["first_seen"]), _s(line["last_seen"]), line["verdict"]) for line in told)
    return [(begin_s - seen[0][0], end_s - seen[0][0], verdict) for begin_s, end_s, verdict in seen]


def _s(moment: str) -> float:
    return datetime.fromisoformat(moment).timestamp()
