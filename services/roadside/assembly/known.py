"""Known plates in one process: the lists as they are now, and what they say of a plate."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

from roadside.adapters.sql.known import SqlKnownPlates
from roadside.assembly.storage import confusions_of
from roadside.core.known import Action, KnownPolicy, matches
from roadside.errors import StoreUnavailableError
from roadside.kit.logs import fields
from roadside.kit.weights import weights_folder
from roadside.registry.config import NEVER_OPENS_FROM

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from roadside.adapters.sql import Database
    from roadside.core.confusions import Confusions
    from roadside.core.known import KnownMatch, KnownPlate
    from roadside.core.reads import FusedPlate
    from roadside.registry.config import KnownSection, VerdictSection

FRESH_S = 5.0
"""How long lists are believed to be as they were: one that is changed counts so soon."""

_log = logging.getLogger(__name__)


class KnownBook:
    """Asked about every vehicle. Not safe to share between threads."""

    def __init__(
        self,
        plates: SqlKnownPlates,
        confusions: Confusions,
        policy: KnownPolicy,
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._plates = plates
        self._confusions = confusions
        self._policy = policy
        self._now_s = now_s
        self._read_s: float | None = None
        self._known: Sequence[KnownPlate] = ()
        self._opens = False

    def matches(self, plate: FusedPlate, at_ns: int) -> tuple[KnownMatch, ...]:
        """The known plates that a vehicle may have that was seen then, the most probable first."""
        return matches(plate, self.known(), at_ns, self._confusions, self._policy)

    def opens(self) -> bool:
        """Whether anybody may come in at all: else no gate needs to look at vehicles before they have passed."""
        self.known()
        return self._opens

    def known(self) -> Sequence[KnownPlate]:
        """All lists; while the database is away, as they were: none where they were never read. Then no gate opens."""
        now_s = self._now_s()
        if self._read_s is None or now_s - self._read_s >= FRESH_S:
            try:
                self._known = self._plates.entries()
                self._opens = any(each.action is Action.OPEN for each in self._known)
            except StoreUnavailableError as error:
                _log.warning("known plates are as they were last read", extra=fields(reason=str(error)))
            self._read_s = now_s
        return self._known


def unreachable(settings: KnownSection) -> str | None:
    """One line where no gate can ever open as the settings are; None where one can."""
    if settings.known_open_at < NEVER_OPENS_FROM:
        return None
    return (
        f"known_open_at is {settings.known_open_at}: no gate will ever open, for what is left to errors of the reader "
        f"keeps every probability below {NEVER_OPENS_FROM}; 0.999 is usual"
    )


def known_policy(settings: KnownSection) -> KnownPolicy:
    """What the settings want to be sure of."""
    return KnownPolicy(
        open_at=settings.known_open_at, alert_at=settings.known_alert_at, least_looks=settings.known_looks
    )


def open_known(
    settings: KnownSection, verdict: VerdictSection, database: Database, models: Path | None = None
) -> KnownBook:
    """The lists in `database`; `models` is the folder that may hold what is known of the reader's errors.

    Raises SettingsError, ModelError.
    """
    return KnownBook(
        SqlKnownPlates(database), confusions_of(verdict, models or weights_folder()), known_policy(settings)
    )
