"""A console of its own for a test: a database, accounts, and something that was seen."""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import cv2
import numpy as np
from argon2.profiles import CHEAPEST

from roadside.assembly.console import open_desk
from roadside.assembly.records import open_records
from roadside.assembly.settings import load_settings
from roadside.console.passwords import Passwords
from roadside.core.frames import Box, CameraId, Crop, Detection
from roadside.core.reads import ALPHABET, FusedPlate, Hypothesis, PlacedRead, Read
from roadside.core.sightings import Picture, PictureKind, Reading, Sighting, Verdict, VerdictKind
from roadside.registry.film_strip import film_strip

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from roadside.assembly.records import Records
    from roadside.console.desk import Desk
    from roadside.console.ports import CameraDesk, Role
    from roadside.core.reads import ShownRead

PASSWORD = "correct horse battery"  # noqa: S105 - of accounts that live as long as a test
MINUTE_NS = 60 * 10**9


@dataclass(frozen=True, slots=True)
class Console:
    """What a test asks."""

    desk: Desk
    records: Records

    def account(self, name: str, role: Role) -> None:
        """Make an account whose password is PASSWORD."""
        self.desk.access.accept(self.desk.access.invite(name, role), PASSWORD)

    def token(self, name: str, scope: Role) -> str:
        """An API token of an account that there is."""
        account = self.desk.access.store.account(name)
        assert account is not None
        return self.desk.access.give_token(account, "test", scope, 1)

    def see(
        self,
        text: str,
        kind: VerdictKind,
        *,
        rule: str = "no-paid-reading",
        camera: str = "gate",
        ago: int = 0,
        reads: Sequence[str] = (),
        **more: object,
    ) -> str:
        """Store a sighting `ago` minutes old, with a film strip of `reads`; its id."""
        at_ns = self.desk.clock.now_ns() - ago * MINUTE_NS
        name = f"{text.lower()}{ago}{camera}".ljust(24, "0")[:24]
        sighting, pictures = seen_sighting(text, kind, rule=rule, camera=camera, at_ns=at_ns, name=name)
        if reads:
            strip, shown = stripped(reads, at_ns)
            assert sighting.plate is not None
            sighting = replace(sighting, plate=replace(sighting.plate, shown=shown))
            pictures = (*pictures, strip)
        self.records.store.save(replace(sighting, **more), pictures)  # type: ignore[arg-type]
        return name


def seen_sighting(
    text: str,
    kind: VerdictKind,
    *,
    rule: str = "no-paid-reading",
    camera: str = "gate",
    at_ns: int | None = None,
    name: str,
) -> tuple[Sighting, tuple[Picture, ...]]:
    """A sighting with its pictures, of now unless it is said."""
    at_ns = time.time_ns() if at_ns is None else at_ns
    posterior = np.full((len(text), len(ALPHABET)), 1e-4, np.float32)
    posterior[range(len(text)), [ALPHABET.index(c) for c in text]] = 1.0
    posterior /= posterior.sum(axis=1, keepdims=True)
    plate = FusedPlate(text, text, "UK", 0.97, posterior, (Hypothesis(text, "UK", 0.0),), looks=5)
    readings = (Reading(text, 0.97, paid=False, exempt=False), Reading("AB12CDF", 0.02, paid=True, exempt=False))
    verdict = Verdict(kind, rule, 0.001, 0.0, readings)
    sighting = Sighting(name, CameraId(camera), f"t-{name}", at_ns - 10**9, at_ns, plate, verdict)
    return sighting, (_picture(PictureKind.CROP, text), _picture(PictureKind.FRAME, text))


def stripped(reads: Sequence[str], at_ns: int) -> tuple[Picture, tuple[ShownRead, ...]]:
    """A film strip of texts, a fifth of a second apart."""
    placed = []
    for number, text in enumerate(reads):
        image = cv2.imdecode(np.frombuffer(_picture(PictureKind.CROP, text).data, np.uint8), cv2.IMREAD_COLOR)
        crop = Crop(CameraId("gate"), at_ns + number * 200_000_000, number, Detection(Box(0, 0, 280, 70), 0.9), image)
        placed.append(PlacedRead(crop, Read(text, text, "UK", 0.9, (), np.zeros((0, len(ALPHABET)), np.float32))))
    made = film_strip(placed, 0)
    assert made is not None
    return made


@contextmanager
def console(folder: Path, cameras: CameraDesk | None = None, **more: object) -> Iterator[Console]:
    """A console over an empty database in `folder`, with `more` settings."""
    kept = {"evidence": folder / "evidence", "keys": folder / "keys"}
    where = kept if "database_url" in more else {"db": folder / "console.db"}
    settings = load_settings({**where, "console_port": 0, **more})
    records = open_records(settings)
    desk = open_desk(records, settings, cameras)
    cheap = replace(desk.access, passwords=Passwords(CHEAPEST))  # a quarter of a second each is a minute of tests
    try:
        yield Console(replace(desk, access=cheap), records)
    finally:
        records.close()


def _picture(kind: PictureKind, text: str) -> Picture:
    width, height = (280, 70) if kind is PictureKind.CROP else (640, 360)
    image = np.full((height, width, 3), 230, np.uint8)
    cv2.putText(image, text, (10, height // 2 + 15), cv2.FONT_HERSHEY_DUPLEX, 1.4, (20, 20, 20), 2)
    done, data = cv2.imencode(".png", image)
    assert done
    return Picture(kind, "image/png", data.tobytes())
