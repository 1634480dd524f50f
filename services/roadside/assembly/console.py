"""The console over databases of this machine, put together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from roadside._version import __version__
from roadside.adapters.sql.accounts import SqlAccounts
from roadside.adapters.sql.known import SqlKnownPlates
from roadside.adapters.sql.ledger import SqlLedger
from roadside.adapters.system_clock import SystemClock
from roadside.assembly.holdings import held_lists, take_in
from roadside.assembly.identity import open_provider
from roadside.assembly.known_desk import StoredKnown, reading_of
from roadside.assembly.records import open_reviewing
from roadside.assembly.storage import open_held_registry
from roadside.assembly.training import TrainingExports
from roadside.console.access import Access
from roadside.console.desk import Desk
from roadside.console.feed import Feed
from roadside.console.list_faults import for_page
from roadside.console.passwords import GuessLimiter, Passwords
from roadside.console.ports import Held, ListPreview, ListState
from roadside.core.countries import country_code
from roadside.core.moments import PassageTime
from roadside.errors import ImportRefusedError, InputError, RegistryFileError, SettingsError
from roadside.registry.servicer import ListOrder
from roadside.registry.validity import DateOrder, zone

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from roadside.adapters.sql import Database
    from roadside.assembly.lists import Taken
    from roadside.assembly.records import Records
    from roadside.assembly.settings import Settings
    from roadside.console.config import ConsoleSection
    from roadside.console.ports import CameraDesk, CameraState, ListChoices
    from roadside.core.retrial import Retrial
    from roadside.core.view import View
    from roadside.ports.system import Clock

BAD_ROWS_SHOWN = 50


class LocalRegistryDesk:
    """The registry in a database that this process has open."""

    def __init__(self, database: Database, settings: Settings, clock: Clock) -> None:
        self._database = database
        self._settings = settings
        self._clock = clock
        self._registry = open_held_registry(settings, database)

    def state(self) -> ListState:
        """What is held. Raises StoreUnavailableError."""
        return held_lists(self._database, self._settings.registry_max_age_days)

    def check(self, plate: str, country: str, at_ns: int) -> tuple[str, Sequence[Held]]:
        """PAID, EXEMPT, UNPAID or UNKNOWN of a plate at a time, with what is held. Raises InputError."""
        try:
            code = (country_code(country) or None) if country else None
        except ValueError as error:
            raise InputError(f"country: {error}") from error
        tolerance_ns = int(self._settings.verdict_time_tolerance_s * 1e9)
        checked = self._registry.check(plate, code, PassageTime.at(at_ns).widened(tolerance_ns))
        held = [
            *(Held("exemption", e.pattern, e.country, e.reason, e.valid_from_ns, e.valid_to_ns, valid=True)
              for e in checked.exemptions),
            *(Held("vignette", v.plate, v.country, v.category, v.valid_from_ns, v.valid_to_ns, valid=True)
              for v in checked.vignettes),
            *(Held("vignette", v.plate, v.country, v.category, v.valid_from_ns, v.valid_to_ns, valid=False)
              for v in checked.lapsed),
        ]  # fmt: skip
        return checked.kind.value, held

    def preview(self, path: Path, source: str, choices: ListChoices) -> ListPreview:
        """What an import would do, and what speaks against it; nothing changes."""
        try:
            looked = self._import(path, source, choices, look=True)
        except RegistryFileError as error:  # of what was chosen
            return ListPreview("", 0, 0, 0, 0, (), for_page(str(error)))
        return _preview_of(looked)

    def load(self, path: Path, source: str, choices: ListChoices, actor: str) -> ListPreview:
        """Import, all or nothing. Raises RegistryFileError, ImportRefusedError."""
        try:
            return _preview_of(self._import(path, f"{source} ({actor})", choices))
        except ImportRefusedError as error:
            raise ImportRefusedError(_for_pages(error, path, source)) from error
        except RegistryFileError as error:
            raise RegistryFileError(_for_pages(error, path, source)) from error

    def _import(self, path: Path, source: str, choices: ListChoices, *, look: bool = False) -> Taken:
        order = ListOrder(
            replace=choices.replace,
            look=look,
            reading=reading_of(choices),
            exemptions=choices.exemptions,
            date_order=DateOrder(choices.date_order) if choices.date_order else None,
            source=source,
        )
        return take_in(self._database, self._settings, path, order, self._clock.now_ns())


class NoCameras:
    """Of a console that watches no camera itself."""

    def states(self) -> Sequence[CameraState]:
        """None."""
        return ()

    def picture(self, camera_id: str, *, blurred: bool) -> bytes | None:
        """None."""
        del camera_id, blurred
        return None

    def view(self, camera_id: str) -> View | None:
        """None: there is no camera."""
        del camera_id
        return None

    def retry(self, camera_id: str, view: View) -> Retrial | None:
        """None."""
        del camera_id, view
        return None

    def save_view(self, camera_id: str, view: View) -> str:
        """Raises SettingsError."""
        del view
        raise SettingsError(f"what is set of camera {camera_id} cannot be changed here")


def open_access(database: Database, settings: ConsoleSection) -> Access:
    """The accounts in a database."""
    clock = SystemClock()
    return Access(SqlAccounts(database, clock), Passwords(), GuessLimiter(clock), clock, settings.console_session_hours)


def open_desk(records: Records, settings: Settings, cameras: CameraDesk | None = None) -> Desk:
    """Everything that the console's pages ask."""
    clock = SystemClock()
    ledger = SqlLedger(records.database, records.retention, records.vault)
    return Desk(
        sightings=records.store,
        reviews=open_reviewing(records, settings, clock),
        training=TrainingExports(records.store, ledger),
        two_reviewers=settings.review_two,
        registry=LocalRegistryDesk(records.registry_database, settings, clock),
        known=StoredKnown(SqlKnownPlates(records.database), settings.timezone),
        ledger=ledger,
        cameras=cameras or NoCameras(),
        access=open_access(records.database, settings),
        feed=Feed(records.store),
        clock=clock,
        zone=zone(settings.timezone),
        settings=settings,
        version=__version__,
        provider=open_provider(settings),
    )


def _for_pages(error: Exception, path: Path, source: str) -> str:
    """A fault of a list in words for a page: with the name that its sender gave it, and no flag of a command."""
    return for_page(str(error).replace(str(path), source))


def _preview_of(taken: Taken) -> ListPreview:
    report = taken.report
    bad = tuple((row.line, row.reason) for row in report.bad_rows[:BAD_ROWS_SHOWN])
    return ListPreview(
        taken.read_as,
        report.read,
        report.added,
        report.removed,
        report.rejected,
        bad,
        for_page("; ".join(taken.objections)),
        report.doubted,
        report.unsure,
        taken.names,
        dict(taken.meanings),
    )
