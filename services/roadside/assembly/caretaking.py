"""What a run does now and then: deletes what is over, signs the end of the chain, gives free memory back."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from roadside.core.sightings import VerdictKind
from roadside.errors import InputError, UnavailableError
from roadside.kit.memory import MemoryKeeper

if TYPE_CHECKING:
    from collections.abc import Callable

    from roadside.assembly.records import Records
    from roadside.assembly.settings import Settings

PURGE_EVERY_S = 3600.0
SCRUB_EVERY_S = 86_400.0
ACTOR = "run"


class Caretaker:
    """Looks after the records of one run; a fault stops nothing and is said."""

    def __init__(
        self,
        records: Records,
        settings: Settings,
        say: Callable[[str], None],
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._records = records
        self._keep_days = {VerdictKind.NONE: settings.retention_days()[VerdictKind.NONE]}
        self._say = say
        self._now_s = now_s
        self._purged_s: float | None = None
        self._memory = MemoryKeeper()

    def look(self) -> None:
        """Do what is due; cheap where nothing is."""
        self._memory.look()
        self._anchor(daily=True)
        now_s = self._now_s()
        if self._purged_s is not None and now_s - self._purged_s < PURGE_EVERY_S:
            return
        self._purged_s = now_s
        try:
            self._records.retention.purge(self._keep_days, ACTOR, SCRUB_EVERY_S)
        except UnavailableError as error:
            self._say(f"plates whose time is over were not deleted: {error}")

    def end(self) -> None:
        """Sign the end of the chain: the run is over."""
        self._anchor(daily=False)

    def _anchor(self, *, daily: bool) -> None:
        anchoring = self._records.anchoring
        try:
            _ = anchoring.daily() if daily else anchoring.write()
        except (InputError, UnavailableError) as error:
            self._say(f"the end of the evidence's chain was not signed: {error}")
