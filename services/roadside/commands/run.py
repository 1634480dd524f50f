"""`roadside run SOURCE`: the plates and verdicts of a clip, camera, picture or folder, as they happen."""

from __future__ import annotations

import sys
from contextlib import ExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING

from roadside.adapters.annotate import PICTURES
from roadside.adapters.films import WRITERS, film_note
from roadside.adapters.sources.recorded import ClipSource, RecordedSource
from roadside.adapters.sources.video import SOURCES
from roadside.adapters.sources.watched import WatchedFolder
from roadside.assembly.caretaking import Caretaker
from roadside.assembly.embedded import FrameReport
from roadside.assembly.notifying import Notifying
from roadside.assembly.records import open_records, reads_plates_alone
from roadside.assembly.site import load_site
from roadside.assembly.watching import Keepers, SourceWatch, bare, base_view, open_again, open_frames
from roadside.commands.colour import painted
from roadside.commands.console import SERVING, BesideConsole
from roadside.commands.counts import counted
from roadside.commands.flags import READING, add_config, add_settings, flags_of, settings_of
from roadside.commands.json_lines import add_json
from roadside.commands.out import refuse_overwriting, refuse_unwritable
from roadside.commands.overlay import LONGEST_GAP_FRAMES, LiveOverlay, Overlay, annotate_again
from roadside.commands.run_site import Reloading, SiteRun, open_book, open_gates, open_witness, tell_mode
from roadside.commands.telling import Teller
from roadside.core.frames import CameraId
from roadside.errors import InputError
from roadside.kit.config import named_file
from roadside.kit.hangup import Hangup
from roadside.kit.interrupt import Interrupt
from roadside.kit.progress import Progress

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterable

    from roadside.assembly.embedded import Silence
    from roadside.assembly.gates import Gates
    from roadside.assembly.records import Records
    from roadside.assembly.settings import Settings
    from roadside.commands.flags import SubParsers
    from roadside.core.events import SightingEvent
    from roadside.core.view import View
    from roadside.ports.bus import Conclusion
    from roadside.ports.sources import FrameSource

EXIT_SOME_FAILED = 1
EXIT_INTERRUPTED = 130
WITNESS = ("second_reader", "second_modeldir")
KNOWN = ("known_open_at", "known_alert_at", "known_looks")
VIEW = ("motion_gate", "rotation", "flip", "least_width")
CAMERA = (
    "width",
    "height",
    "fps",
    "timeout_s",
    "rtsp_transport",
    "decoder",
    "snapshot_s",
    *VIEW,
    "recorded_at",
    "clock_sync",
)
KEEPING = (
    "camera",
    "db",
    "evidence",
    "keys",
    "registry",
    "registry_http",
    "timezone",
    "grace_s",
    "verdict_time_tolerance_s",
    "confusions",
)
ANCHORS = ("checkpoints", "checkpoint_webhook")
TELLING = ("notify", "notify_secrets")


def add_to(commands: SubParsers) -> None:
    """Add `roadside run`."""
    parser = commands.add_parser("run", help="read plates and check vignettes of a clip, camera or folder")
    parser.add_argument(
        "source",
        metavar="SOURCE",
        nargs="?",
        help=f"{SOURCES}; without it "
        "ROADSIDE_SOURCE, or `source` in the file of settings, where a password is better kept; with none of them "
        "all cameras of that file",
    )
    parser.add_argument("--out", type=Path, help="write the annotated video or picture here")
    parser.add_argument(
        "--show-plates",
        action="store_true",
        help="print plates of vehicles that have paid where the output is no terminal, too, and leave the plates of "
        "those who are not accused readable in --out",
    )
    parser.add_argument(
        "--gate-from-files",
        action="store_true",
        help="open gates for recordings too, to try them; else cameras alone do",
    )
    parser.add_argument("--console", action="store_true", help="show web pages of what is seen, and stay until Ctrl-C")
    shape = parser.add_mutually_exclusive_group()
    shape.add_argument("-q", "--quiet", action="store_true", help="say nothing but what is wrong, and store")
    add_json(shape, "a sighting, as it happens, and nothing else on stdout")
    parser.add_argument("--timings", action="store_true", help="say what each stage took")
    add_config(parser)
    add_settings(parser, *READING, *WITNESS, *KEEPING, *KNOWN, *CAMERA, *ANCHORS, *TELLING, *SERVING)
    parser.set_defaults(execute=run_street)


def run_street(arguments: argparse.Namespace) -> int:
    """Read SOURCE to its end, or until Ctrl-C; what was seen is kept either way.

    A folder's picture that cannot be read stops nothing but makes the exit code 1.
    """
    with named_file(arguments.config):
        return _run(arguments)


def _run(arguments: argparse.Namespace) -> int:
    settings = settings_of(arguments)
    refused: list[str] = []

    def refuse(line: str) -> None:
        refused.append(line)
        _say(line)

    if settings.registry is not None and not settings.registry.exists():
        raise InputError("registry: there is no such file; `roadside registry import LIST --registry FILE` makes one")
    if settings.source is None:
        return _run_site(arguments, settings)
    named = settings.source.get_secret_value()
    source = open_frames(named, settings, _say, refuse)
    check_out(arguments.out, source)
    if arguments.out is not None:
        refuse_overwriting(arguments.out, Path(named))
    with ExitStack() as stack:
        records = open_records(settings)
        stack.callback(records.close)
        caretaker = Caretaker(records, settings, _say)
        stack.callback(caretaker.end)
        tell_mode(settings, records)
        beside = stack.enter_context(BesideConsole(records, settings)) if arguments.console else None
        notifying = _notifying(stack, settings, records)
        if notifying is not None:
            notifying.expect([CameraId(settings.camera)], {})
        on_report = _each(*(one.note for one in (beside, notifying) if one is not None))
        site = load_site(base_view(settings))
        gates = stack.enter_context(open_gates(site, settings, records, arguments))
        run = StreetRun(
            source,
            settings,
            records,
            arguments.out,
            on_report,
            show_plates=arguments.show_plates,
            quiet=arguments.quiet,
            as_json=arguments.json,
            caretaker=caretaker,
            gates=gates,
        )
        _obey(beside, lambda _, view: run.look(view))
        interrupted = run.watch()
        run.report(timings=arguments.timings)
        if beside is not None and not interrupted:
            beside.end(settings.camera, run.dropped)
            beside.stay()
    if arguments.out is not None and not source.live and run.progress.frames:
        annotate_again(open_again(named, settings, _say, source), arguments.out, run.overlay)
    if arguments.out is not None:
        _tell_written(arguments, source)
    if interrupted:
        return EXIT_INTERRUPTED
    return EXIT_SOME_FAILED if refused else 0


def _tell_written(arguments: argparse.Namespace, source: FrameSource) -> None:
    print(f"Annotated: {arguments.out}", file=sys.stderr if arguments.json else sys.stdout)
    if source.frames_per_s > 0 and (note := film_note(arguments.out)):
        _say(note)


def _run_site(arguments: argparse.Namespace, settings: Settings) -> int:
    """Watch the cameras of the file of settings. Raises InputError where there are none."""
    site = load_site(base_view(settings))
    if not site.watched():
        named = f"{site.path} names no camera that is enabled" if site.path else "no file of settings names cameras"
        raise InputError(
            f"what is to be watched? give SOURCE, set ROADSIDE_SOURCE, or write a site.toml ({named}; `roadside config "
            "example` prints one); see `roadside run --help`"
        )
    if arguments.out is not None:
        raise InputError("--out is of one source; give SOURCE, or leave --out away")
    _say(f"{site.path}: {', '.join(camera.camera_id for camera in site.watched())}")
    with ExitStack() as stack:
        hangup = stack.enter_context(Hangup())
        records = open_records(settings)
        stack.callback(records.close)
        caretaker = Caretaker(records, settings, _say)
        stack.callback(caretaker.end)
        tell_mode(settings, records)
        beside = stack.enter_context(BesideConsole(records, settings)) if arguments.console else None
        listeners = [one for one in (beside, _notifying(stack, settings, records)) if one is not None]
        _obey(beside, lambda *_: hangup.ask())
        gates = stack.enter_context(open_gates(site, settings, records, arguments))
        run = SiteRun(
            site,
            settings,
            records,
            caretaker,
            listeners=listeners,
            show_plates=arguments.show_plates,
            quiet=arguments.quiet,
            as_json=arguments.json,
            gates=gates,
        )
        interrupted = run.watch(Reloading(hangup, flags_of(arguments), settings, site).cameras)
        run.report(stored_in(settings), timings=arguments.timings)
        if beside is not None and not interrupted:
            beside.stay()
    return EXIT_INTERRUPTED if interrupted else 0


def _notifying(stack: ExitStack, settings: Settings, records: Records) -> Notifying | None:
    """Tells the channels that are named, until `stack` ends."""
    if settings.notify is None:
        return None
    return stack.enter_context(Notifying(settings, records.database, _say))


def _obey(beside: BesideConsole | None, obeys: Callable[[CameraId, View], None]) -> None:
    """What is drawn in the console is obeyed by the run."""
    if beside is not None:
        beside.obey(obeys)


def stored_in(settings: Settings) -> str:
    """Where sightings go, in words."""
    return "the database that ROADSIDE_DATABASE_URL names" if settings.database_url is not None else str(settings.db)


class StreetRun:
    """One run over one source."""

    def __init__(  # noqa: PLR0913 - what a run is made of, and what may be told of it
        self,
        source: FrameSource,
        settings: Settings,
        records: Records,
        out: Path | None,
        on_report: Callable[[FrameReport], None] | None = None,
        *,
        show_plates: bool = False,
        quiet: bool = False,
        as_json: bool = False,
        caretaker: Caretaker | None = None,
        gates: Gates | None = None,
    ) -> None:
        """`on_report` is told of every frame, and `caretaker` asked to look after what is kept.

        Unless `show_plates`, `out` shows the plates of the accused alone, and what is printed goes without those of
        vehicles that have paid where it does not go to a terminal.
        """
        self._tells_end = not (quiet or as_json)
        self._on_report = on_report
        self._caretaker = caretaker
        witness = open_witness(settings, records)
        book = open_book(settings, records)
        strips = settings.film_strip
        keepers = Keepers(records.judge, records.store, witness, find_known=book.matches, gates=gates, strips=strips)
        # Where nobody is judged, times that are not believed matter to nobody.
        say = _say_nothing if reads_plates_alone(settings, records) else self._warn
        self._watch = SourceWatch(source, settings, records.judge, records.store, say=say, keepers=keepers)
        self._stored_in = stored_in(settings)
        gap_frames = 0 if self._watch.stills else LONGEST_GAP_FRAMES
        self.overlay = Overlay(show_plates=show_plates, gap_frames=gap_frames)
        live = out is not None and source.live
        self._live_overlay = LiveOverlay(out, source.frames_per_s, show_plates=show_plates) if out and live else None
        self._draws_again = out is not None and not source.live
        self._warned: set[str] = set()
        self.elapsed = self._watch.watch_s
        self.progress = Progress(sys.stderr, source.frame_count, quiet=quiet)
        self._teller = Teller(self.progress, show_plates=show_plates, quiet=quiet, as_json=as_json)
        self.sightings = self._teller.sightings

    def look(self, view: View) -> None:
        """From the next frame on `view` is what is looked at; from any thread."""
        self._watch.look(view)

    def watch(self) -> bool:
        """Take frames until the source ends; True where a signal ended it."""
        with ExitStack() as stack:
            interrupt = stack.enter_context(Interrupt())
            reports = stack.enter_context(closing(self._watch.reports(stop=lambda: interrupt.came)))
            if self._live_overlay is not None:
                stack.enter_context(self._live_overlay)
            try:
                for report in reports:
                    self._step(report)
            finally:
                self.progress.clear()
                # Whatever ended it (the camera, the clip, a signal): what is in view has been seen.
                self._tell(self._watch.end())
            return interrupt.came

    @property
    def dropped(self) -> int:
        """Frames that were left out to stay in the present."""
        return self._watch.dropped

    def report(self, *, timings: bool) -> None:
        """What there was, at the end, unless it is quiet or for a program."""
        if not self._tells_end:
            return
        print(f"\n{painted(self.sightings.counts())}")
        pace = f"{counted(self.progress.frames, 'frame')}, {self.progress.frames_per_s():.1f} a second"
        missed = f", {self._watch.dropped} dropped to stay in the present" if self._watch.dropped else ""
        print(f"{pace}{missed}. Stored in {self._stored_in}")
        if timings:
            names = ("detect", "read", "track", "store")
            print(", ".join(f"{n} {self.elapsed.mean_ms(n):.2f} ms x {self.elapsed.count.get(n, 0)}" for n in names))

    def _warn(self, line: str) -> None:
        self.progress.clear()
        _say(line)

    def _step(self, report: FrameReport | Silence) -> None:
        if isinstance(report, FrameReport):
            self._note(report)
            self._tell_faults()
        self._tell(report.conclusions)
        if self._caretaker is not None:
            self._caretaker.look()
        if isinstance(report, FrameReport):
            self.progress.step(len(self.sightings))

    def _tell_faults(self) -> None:
        """Say once what is wrong with the pictures as such."""
        for fault in self._watch.faults:
            if fault not in self._warned:
                self._warned.add(fault)
                self._warn(fault)

    def _note(self, report: FrameReport) -> None:
        if self._on_report is not None:
            self._on_report(report)
        if self._draws_again:
            self.overlay.note(report)
        if self._live_overlay is not None:
            self._live_overlay.write(report)

    def _tell(self, conclusions: Iterable[Conclusion[SightingEvent]]) -> None:
        concluded = tuple(conclusions)
        if self._draws_again:
            for conclusion in concluded:
                self.overlay.conclude(conclusion)
        self._teller.tell(concluded)


def _each(*listeners: Callable[[FrameReport], None]) -> Callable[[FrameReport], None] | None:
    """Tells all of `listeners`; None where there are none."""
    if not listeners:
        return None

    def tell(report: FrameReport) -> None:
        for listener in listeners:
            listener(report)

    return tell


def check_out(out: Path | None, source: FrameSource) -> None:
    """Raises InputError where `--out` does not fit the source, before anything is read."""
    if out is None:
        return
    suffix = out.suffix.lower()
    if source.frames_per_s > 0 and suffix not in WRITERS:
        raise InputError(f"--out {out}: a video's name ends in {', '.join(WRITERS)}")
    if source.frames_per_s == 0 and source.frame_count == 1 and suffix not in (*PICTURES, ""):
        raise InputError(f"--out {out}: a picture's name ends in {', '.join(PICTURES)}")
    if source.frames_per_s == 0 and source.frame_count != 1 and suffix:
        raise InputError(f"--out {out}: several pictures want a folder, a name without an ending")
    if (
        bare(source).frames_per_s > 0
        and isinstance(bare(source), RecordedSource)
        and not isinstance(bare(source), ClipSource)
    ):
        raise InputError(f"--out {out}: what is piped in or on a server is not read twice; save it as a file first")
    if isinstance(bare(source), WatchedFolder):
        raise InputError(f"--out {out}: a watched folder has no end; name the folder without watch:")
    refuse_unwritable(out)


def _say_nothing(_: str) -> None:
    """For what matters to nobody."""


def _say(line: str) -> None:
    print(f"roadside: {line}", file=sys.stderr)
