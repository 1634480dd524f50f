"""Notices in the process of a run: a thread beside it tells the channels of what was seen, and of its cameras."""

from __future__ import annotations

import random
import threading
import time
from typing import TYPE_CHECKING, Self

from roadside.adapters.notify.opening import open_channels
from roadside.adapters.sql import SqlSightingStore
from roadside.adapters.sql.outbox import SqlOutbox
from roadside.adapters.system_clock import SystemClock
from roadside.assembly.storage import open_vault
from roadside.errors import InputError, NotFoundError, RoadsideError, SettingsError, UnavailableError
from roadside.notify.channels import Channels
from roadside.notify.dispatcher import Outcome
from roadside.notify.notifier import Notifier
from roadside.ports.notify import CameraChannel

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from types import TracebackType

    from roadside.adapters.sql import Database
    from roadside.assembly.embedded import FrameReport
    from roadside.assembly.settings import Settings
    from roadside.core.frames import CameraId
    from roadside.core.sightings import PictureKind

ROUND_S = 1.0
SILENCE_S = 10.0
"""A camera that gives no frame for so long is told to be offline."""
LAST_ROUND_S = 10.0
"""How long what was seen last is tried at the end, before it is left to `roadside notify`."""
VIEWER = "notifications"
"""Who looks at pictures that are sent, for the audit."""


class KeptPictures:
    """Pictures of the evidence for those who are told; the keys are opened when the first is wanted."""

    def __init__(self, settings: Settings, database: Database) -> None:
        self._settings = settings
        self._database = database
        self._store: SqlSightingStore | None = None

    def __call__(self, sighting_id: str, kind: PictureKind) -> bytes | None:
        """None where none is kept, or it was changed. Raises StoreUnavailableError, SettingsError."""
        if self._store is None:
            vault = open_vault(self._settings, self._database)
            self._store = SqlSightingStore(self._database, vault, SystemClock())
        try:
            return self._store.picture(sighting_id, kind, VIEWER)
        except SettingsError:
            raise
        except (NotFoundError, InputError):
            return None


def channels_of(settings: Settings, database: Database) -> Channels:
    """Those that the settings name, not opened yet."""
    clock, pictures = SystemClock(), KeptPictures(settings, database)
    return Channels(
        settings.notify, lambda options: open_channels(options, clock, settings.notify_secrets, picture_of=pictures)
    )


class Notifying:
    """Follows the database while a run writes it; whatever does not arrive is kept for `roadside notify`."""

    def __init__(self, settings: Settings, database: Database, say: Callable[[str], None]) -> None:
        """`say` is told, once each, what keeps notices from arriving. Raises SettingsError for a file that is wrong."""
        self._say = say
        self._said: set[str] = set()
        self._channels = channels_of(settings, database)
        self._channels.refresh()
        self._outbox = SqlOutbox(database)
        rng = random.Random()  # noqa: S311 - spreads retries
        self._notifier = Notifier(self._outbox, self._channels, SystemClock(), rng)
        self._last_frame_s: dict[str, float] = {}
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="notify", daemon=True)

    def __enter__(self) -> Self:
        self._outbox.start_here()
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """One more round, and what is left is counted."""
        self._stopping.set()
        self._thread.join()
        self._last_frame_s = dict.fromkeys(self._last_frame_s, float("-inf"))
        until_s = time.monotonic() + LAST_ROUND_S
        self._round(lambda: time.monotonic() > until_s)
        try:
            waiting = self._outbox.counts().waiting
        except UnavailableError:  # said by the round
            waiting = 0
        if waiting:
            self._say(f"{waiting} notices did not arrive yet: `roadside notify --once` tries them again")
        self._channels.close()

    def note(self, report: FrameReport) -> None:
        """A frame came."""
        self._last_frame_s[report.frame.camera_id] = time.monotonic()

    def expect(self, cameras: Sequence[CameraId], dropped: Mapping[CameraId, int]) -> None:
        """The cameras that are watched now; how many frames were left out is of no interest here."""
        del dropped
        for camera in cameras:
            self._last_frame_s.setdefault(camera, float("-inf"))

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._round(self._stopping.is_set)
            self._stopping.wait(ROUND_S)

    def _round(self, enough: Callable[[], bool]) -> None:
        """Tell what is new; `enough` ends it between two notices."""
        try:
            self._channels.refresh()
        except SettingsError as error:
            self._say_once(f"{error}; the channels stay as they were")
        try:
            self._notifier.collect()
            self._tell_cameras(enough)
            self._deliver(enough)
        except RoadsideError as error:
            self._say_once(str(error))

    def _deliver(self, enough: Callable[[], bool]) -> None:
        for attempt in self._notifier.dispatcher().attempts():
            if attempt.outcome is Outcome.DELIVERED:
                self._said.clear()
            elif attempt.fault:
                again = "given up" if attempt.outcome is Outcome.GIVEN_UP else "tried again"
                self._say_once(f"{attempt.fault}; the notice is {again}")
            if enough():
                return

    def _tell_cameras(self, enough: Callable[[], bool]) -> None:
        """Whether each gives frames. What a channel does not hear now it hears in the next round."""
        since_s = time.monotonic() - SILENCE_S
        for channel in self._channels.by_name.values():
            if not isinstance(channel, CameraChannel):
                continue
            for camera, last_s in list(self._last_frame_s.items()):
                try:
                    channel.camera(camera, online=last_s > since_s)
                except UnavailableError as error:
                    self._say_once(str(error))
                    break
                if enough():
                    return

    def _say_once(self, line: str) -> None:
        if line not in self._said:
            self._said.add(line)
            self._say(line)
