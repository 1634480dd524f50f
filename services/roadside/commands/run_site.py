"""`roadside run` without SOURCE where the file of settings names cameras: all of them in one process."""

from __future__ import annotations

import sys
from contextlib import ExitStack, closing, contextmanager
from typing import TYPE_CHECKING, Protocol

from roadside.assembly.embedded import FrameReport
from roadside.assembly.gates import Gates
from roadside.assembly.known import open_known, unreachable
from roadside.assembly.records import reads_plates_alone
from roadside.assembly.settings import load_settings
from roadside.assembly.site import load_site
from roadside.assembly.site_watch import SiteWatch
from roadside.assembly.watching import Keepers, base_view
from roadside.assembly.witness import open_second
from roadside.commands.colour import painted
from roadside.commands.counts import counted
from roadside.commands.telling import Teller, say
from roadside.core.witness import NO_SECOND_READER
from roadside.errors import InputError, SettingsError
from roadside.kit.interrupt import Interrupt
from roadside.kit.progress import Progress

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from typing import Any

    from roadside.assembly.caretaking import Caretaker
    from roadside.assembly.embedded import Silence
    from roadside.assembly.known import KnownBook
    from roadside.assembly.records import Records
    from roadside.assembly.settings import Settings
    from roadside.assembly.site import Site, SiteCamera
    from roadside.core.frames import CameraId
    from roadside.kit.hangup import Hangup
    from roadside.ports.witness import Witness


class Listener(Protocol):
    """Who is told of what the cameras give."""

    def note(self, report: FrameReport) -> None:
        """A frame was looked at."""
        ...

    def expect(self, cameras: Sequence[CameraId], dropped: Mapping[CameraId, int]) -> None:
        """The cameras that are watched now, and how many frames of each were left out so far."""
        ...


class SiteRun:
    """One run over the cameras of a site."""

    def __init__(  # noqa: PLR0913 - what a run is made of, and what may be told of it
        self,
        site: Site,
        settings: Settings,
        records: Records,
        caretaker: Caretaker,
        *,
        listeners: Sequence[Listener] = (),
        show_plates: bool = False,
        quiet: bool = False,
        as_json: bool = False,
        gates: Gates | None = None,
    ) -> None:
        """`caretaker` is asked to look after what is kept; `listeners` are told of every frame."""
        self._progress = Progress(sys.stderr, None, quiet=quiet)
        self._teller = Teller(self._progress, show_plates=show_plates, cameras=True, quiet=quiet, as_json=as_json)
        self._tells_end = not (quiet or as_json)
        self._caretaker = caretaker
        self._listeners = listeners
        judged = not reads_plates_alone(settings, records)
        witness = open_witness(settings, records)
        book = open_book(settings, records)
        keepers = Keepers(
            records.judge,
            records.store,
            witness,
            judged=judged,
            find_known=book.matches,
            gates=gates,
            strips=settings.film_strip,
        )
        self._watch = SiteWatch(settings, keepers, self._teller.warn)
        self._cameras = site.watched()

    def watch(self, again: Callable[[], Sequence[SiteCamera] | None]) -> bool:
        """Take frames until all cameras have ended; True where a signal ended it. `again` tells of changes."""
        with ExitStack() as stack:
            interrupt = stack.enter_context(Interrupt())
            self._watch.change(self._cameras)
            self._expect()
            if not self._watch.cameras:
                raise InputError("none of the cameras can be opened")
            reports = stack.enter_context(closing(self._watch.reports(lambda: interrupt.came, again)))
            try:
                for report in reports:
                    self._step(report)
            finally:
                self._progress.clear()
                for silence in self._watch.end():
                    self._teller.tell(silence.conclusions)
            return interrupt.came

    def report(self, stored_in: str, *, timings: bool) -> None:
        """What there was, at the end, unless it is quiet or for a program."""
        if not self._tells_end:
            return
        print(f"\n{painted(self._teller.sightings.counts())}")
        dropped = self._watch.dropped
        missed = ", ".join(f"{name} {count}" for name, count in dropped.items() if count)
        told = f"; dropped to stay in the present: {missed}" if missed else ""
        frames, pace = self._progress.frames, self._progress.frames_per_s()
        looked_at = f"{counted(frames, 'frame')} of {counted(len(dropped), 'camera')}"
        print(f"{looked_at}, {pace:.1f} a second{told}. Stored in {stored_in}")
        if timings:
            names, watch_s = ("detect", "read", "track", "store"), self._watch.watch_s
            print(", ".join(f"{n} {watch_s.mean_ms(n):.2f} ms x {watch_s.count.get(n, 0)}" for n in names))

    def _step(self, report: FrameReport | Silence) -> None:
        if isinstance(report, FrameReport):
            for listener in self._listeners:
                listener.note(report)
        self._expect()
        self._teller.tell(report.conclusions)
        self._caretaker.look()
        if isinstance(report, FrameReport):
            self._progress.step(len(self._teller.sightings))

    def _expect(self) -> None:
        if self._listeners:
            cameras, dropped = self._watch.cameras, self._watch.dropped
            for listener in self._listeners:
                listener.expect(cameras, dropped)


def open_book(settings: Settings, records: Records) -> KnownBook:
    """The lists of known plates that lie with the sightings."""
    return open_known(settings, settings, records.database, settings.reader_modeldir.parent)


@contextmanager
def open_gates(site: Site, settings: Settings, records: Records, parsed: argparse.Namespace) -> Iterator[Gates]:
    """The relays of the file, which known plates open while the block lasts. Raises SettingsError."""
    book = open_book(settings, records)
    told = sys.stderr if parsed.json else sys.stdout

    def tell(line: str) -> None:
        print(line, file=told, flush=True)

    with Gates(site, book, say, tell=tell, from_files=parsed.gate_from_files) as gates:
        yield gates


def open_witness(settings: Settings, records: Records) -> Witness | None:
    """The second reader; None where there is none, which is said, and where nobody is judged."""
    if reads_plates_alone(settings, records):
        return None
    second = open_second(settings)
    if second is None:
        say(NO_SECOND_READER)
    return None if second is None else second.witness()


def tell_mode(settings: Settings, records: Records) -> None:
    """Say that plates are read alone, where they are, and how long they are kept; and where no gate can ever open."""
    if reads_plates_alone(settings, records):
        days = f"{settings.keep_plates_days:g} day{'' if settings.keep_plates_days == 1 else 's'}"
        say(f"no list of vignettes: plates are kept for {days}; `roadside registry import LIST` turns verdicts on")
    if line := unreachable(settings):
        say(line)


class Reloading:
    """Reads the file of settings again where SIGHUP asks for it."""

    def __init__(self, hangup: Hangup, flags: Mapping[str, Any], settings: Settings, site: Site) -> None:
        """`settings` and `site` are what the run began with."""
        self._relays = site.relays
        self._hangup = hangup
        self._flags = flags
        self._settings = settings

    def cameras(self) -> Sequence[SiteCamera] | None:
        """Those of the file, where it is to be read again and can be; else None, which is said."""
        if not self._hangup.take():
            return None
        try:
            settings = load_settings(self._flags)
            site = load_site(base_view(settings))
        except SettingsError as error:
            say(f"{error}; the cameras stay as they were")
            return None
        cameras = site.watched()
        if not cameras:
            say(f"{site.path}: names no camera any more; the cameras stay as they were")
            return None
        self._tell_waiting(settings)
        if site.relays != self._relays:
            say("the relays changed, and count from the next start on")
        say(f"{site.path} was read again: {', '.join(camera.camera_id for camera in cameras)}")
        return cameras

    def _tell_waiting(self, settings: Settings) -> None:
        """What is no camera's waits for a restart."""
        before = self._settings.model_dump()
        changed = [name for name, value in settings.model_dump().items() if value != before.get(name)]
        waiting = [name for name in changed if name not in ("rotation", "flip", "least_width", "motion_gate")]
        if waiting:
            say(f"{', '.join(waiting)} changed, and count from the next start on")
