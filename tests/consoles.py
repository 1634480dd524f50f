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
from roadside.core.frames import CameraId
from roadside.core.reads import ALPHABET, FusedPlate, Hypothesis
from roadside.core.sightings import Picture, PictureKind, Reading, Sighting, Verdict, VerdictKind

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from roadside.assembly.records import Records
    from roadside.console.desk import Desk
    from roadside.console.ports import CameraDesk, Role

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
        self, text: str, kind: VerdictKind, *, rule: str = "no-paid-reading", camera: str = "gate", ago: int = 0
    ) -> str:
        """Store a sighting `ago` minutes old; its id."""
        at_ns = self.desk.clock.now_ns() - ago * MINUTE_NS
        name = f"{text.lower()}{ago}{camera}".ljust(24, "0")[:24]
        sighting, pictures = seen_sighting(text, kind, rule=rule, camera=camera, at_ns=at_ns, name=name)
        self.records.store.save(sighting, pictures)
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


@contextmanager
def console(folder: Path, cameras: CameraDesk | None = None, **more: object) -> Iterator[Console]:
    """A console over an empty database in `folder`, with `more` settings."""
    settings = load_settings({"db": folder / "console.db", "console_port": 0, **more})
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
