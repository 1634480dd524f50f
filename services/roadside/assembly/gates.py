"""The relays of one run: each has a thread of its own, so that a slow one holds up no camera."""

from __future__ import annotations

import queue
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Self

from roadside.adapters.notify.relays import open_relay
from roadside.assembly.gatekeeper import Gatekeeper
from roadside.errors import UnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping
    from types import TracebackType

    from roadside.adapters.notify.relays import Relay
    from roadside.assembly.known import KnownBook
    from roadside.assembly.site import Site
    from roadside.core.frames import CameraId
    from roadside.core.known import KnownMatch
    from roadside.notify.relays import RelayOptions

JOIN_S = 5.0
LATEST_S = 10.0
"""After which a gate is not opened any more that should have been: another vehicle may stand before it."""


class _Runner:
    """One relay and its thread."""

    def __init__(self, relay: Relay, say: Callable[[str], None], now_s: Callable[[], float]) -> None:
        self._relay = relay
        self._say = say
        self._now_s = now_s
        self._due: queue.Queue[float | None] = queue.Queue(1)
        """When it was to open; None: end."""
        self._thread = threading.Thread(target=self._run, name="relay", daemon=True)
        self._thread.start()

    def pulse(self) -> None:
        """Open it soon; while it is about to open, once is enough, as of now."""
        with suppress(queue.Empty):
            self._due.get_nowait()
        with suppress(queue.Full):
            self._due.put_nowait(self._now_s())

    def end(self) -> None:
        """Finish what is due."""
        with suppress(queue.Full):
            self._due.put(None, timeout=JOIN_S)
        self._thread.join(JOIN_S)
        self._relay.close()

    def _run(self) -> None:
        while (asked_s := self._due.get()) is not None:
            if self._now_s() - asked_s > LATEST_S:
                self._say(f"a gate was not opened: its relay was held up for more than {LATEST_S:.0f} s")
                continue
            try:
                self._relay.pulse()
            except UnavailableError as error:
                self._say(f"a gate was not opened: {error}")
            except Exception as error:  # noqa: BLE001 - the thread's boundary: the next vehicle's gate must open
                self._say(f"a gate was not opened: a fault of Roadside itself ({type(error).__name__})")


class Gates:
    """Opens the relays that a camera names, for known plates that are sure enough."""

    def __init__(  # noqa: PLR0913 - what gates are made of, and whom they tell
        self,
        site: Site,
        known: KnownBook,
        say: Callable[[str], None],
        *,
        tell: Callable[[str], None],
        from_files: bool = False,
        open_one: Callable[[str, RelayOptions], Relay] = open_relay,
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        """`say` is told of faults, `tell` of what is opened, a line each.

        Recordings open nothing, but `from_files`. Raises SettingsError for a relay that cannot be had.
        """
        self.from_files = from_files
        self._site = site
        self._tell = tell
        self._runners: Mapping[str, _Runner] = {
            name: _Runner(open_one(name, options), say, now_s) for name, options in site.relays.items()
        }
        self.keeper = Gatekeeper(known.matches, self._open)
        self.wanted = known.opens
        """Whether there is anybody to open for."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for runner in self._runners.values():
            runner.end()

    def _open(self, camera_id: CameraId, match: KnownMatch, relays: Collection[str]) -> None:
        who = " ".join(filter(None, (match.name, f"({match.list_name})")))
        opened = [name for name in relays if name in self._runners]
        for name in opened:
            self._runners[name].pulse()
        what = f"opens {', '.join(opened)}" if opened else "may come in; no relay is named for this camera"
        self._tell(f"{camera_id}: {who}, p = {match.probability:.4f}: {what}")
