"""`roadside console`: the web pages over what was seen, without a camera."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Self

from roadside.assembly.records import open_records
from roadside.assembly.storage import open_sightings
from roadside.commands.flags import add_settings, settings_of
from roadside.console.ports import Role
from roadside.errors import InputError, SettingsError
from roadside.kit.extras import install_command
from roadside.kit.interrupt import Interrupt

_MISSING: str | None = None
try:
    from roadside.assembly import camera_board, camera_views, console, console_server
except ModuleNotFoundError as fault:
    if (fault.name or "").startswith("roadside"):
        raise
    _MISSING = fault.name

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Mapping, Sequence
    from types import TracebackType

    from roadside.assembly.embedded import FrameReport
    from roadside.assembly.records import Records
    from roadside.assembly.settings import Settings
    from roadside.commands.flags import SubParsers
    from roadside.console.access import Access
    from roadside.core.frames import CameraId
    from roadside.core.view import View

SERVING = ("console_host", "console_port", "console_https", "console_url", "console_session_hours")
_KEEPING = ("db", "evidence", "keys", "registry", "timezone", "grace_s", "registry_max_age_days")


def add_to(commands: SubParsers) -> None:
    """Add `roadside console`."""
    parser = commands.add_parser("console", help="web pages: live, search, review, registry")
    actions = parser.add_subparsers(metavar="ACTION")
    add_settings(parser, *SERVING, *_KEEPING)
    parser.set_defaults(execute=serve_console)

    invite = actions.add_parser("invite", help="print a link that sets a password, for a new or a known account")
    invite.add_argument("name", help="of the account")
    invite.add_argument("--role", default="admin", help="viewer, checker, reviewer or admin (default admin)")
    add_settings(invite, *SERVING, *_KEEPING)
    invite.set_defaults(execute=invite_person)


def serve_console(parsed: argparse.Namespace) -> int:
    """Answer browsers until Ctrl-C."""
    settings = settings_of(parsed)
    check_installed()
    if settings.database_url is None and not settings.db.exists():
        mend = "`roadside run SOURCE --console` begins one, --db names another"
        raise InputError(f"{settings.db}: no sightings are stored there yet; {mend}")
    records = open_records(settings)
    try:
        desk = console.open_desk(records, settings)
        server = console_server.ConsoleServer(desk)
        tell(server.listen(), desk.access)
        server.serve()
    finally:
        records.close()
    return 0


def invite_person(parsed: argparse.Namespace) -> int:
    """Print a link that sets a password once, within a day."""
    settings = settings_of(parsed)
    check_installed()
    try:
        role = Role(parsed.role)
    except ValueError as error:
        raise InputError(f"--role {parsed.role}: one of {', '.join(Role)}") from error
    database = open_sightings(settings)
    try:
        access = console.open_access(database, settings)
        address = console_server.address_of(settings, settings.console_port)
        print(console_server.link_for(access, address, parsed.name, role))
    finally:
        database.close()
    return 0


class BesideConsole:
    """The console in the process of a run, which tells it of every frame."""

    def __init__(self, records: Records, settings: Settings) -> None:
        """Takes the port. Raises SettingsError."""
        check_installed()
        self._obeys: Callable[[CameraId, View], None] = lambda *_: None
        views = camera_views.CameraViews(settings, self._changed)
        self._board = camera_board.CameraBoard(views)
        desk = console.open_desk(records, settings, self._board)
        self._server = console_server.ConsoleServer(desk)
        tell(self._server.listen(), desk.access)
        self._beside = self._server.beside()

    def __enter__(self) -> Self:
        self._beside.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._beside.__exit__(kind, error, trace)

    def obey(self, obeys: Callable[[CameraId, View], None]) -> None:
        """`obeys` is told, in a thread of the console, of a view that somebody drew."""
        self._obeys = obeys

    def _changed(self, camera: CameraId, view: View) -> None:
        self._obeys(camera, view)

    def note(self, report: FrameReport) -> None:
        """A frame was looked at."""
        self._board.note(report)

    def expect(self, cameras: Sequence[CameraId], dropped: Mapping[CameraId, int]) -> None:
        """These cameras are watched now, whether they have sent anything or not; so many frames were dropped."""
        self._board.expect(cameras, dropped)

    def end(self, camera: str, dropped: int) -> None:
        """The camera's source is over."""
        self._board.end(camera, dropped)

    def stay(self) -> None:
        """All sources are over: the pages stay until Ctrl-C."""
        print("roadside: the source has ended; the console stays until Ctrl-C", file=sys.stderr)
        with Interrupt() as interrupt:
            while not interrupt.came:
                time.sleep(0.2)


def check_installed() -> None:
    """Raises SettingsError, which says what to install, where the console's packages are missing."""
    if _MISSING is not None:
        raise SettingsError(f"the console needs a Python package ({_MISSING} is missing): {install_command('console')}")


def tell(address: str, access: Access) -> None:
    """Say where the console is, and how the first administrator gets in."""
    print(f"roadside: the console is at {address}", file=sys.stderr)
    link = console_server.first_link(access, address)
    if link is not None:
        print(f"roadside: nobody can sign in yet; set the administrator's password at {link}", file=sys.stderr)
