"""Takes lists of vignettes and exemptions into the registry: one way, whichever door they come through."""

from __future__ import annotations

import hashlib
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from roadside.adapters.spreadsheet import as_text
from roadside.adapters.sql import ImportReport, Safeguard, import_exemptions, import_vignettes
from roadside.errors import ImportRefusedError, RegistryFileError
from roadside.registry.layout import UNSAID, header_names
from roadside.registry.validity import zone
from roadside.registry.vignette_file import read_exemptions, read_vignettes

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from roadside.adapters.sql import Database
    from roadside.core.vignettes import Exemption, Vignette
    from roadside.registry.config import RegistrySection
    from roadside.registry.reading import ListReading
    from roadside.registry.validity import DateOrder
    from roadside.registry.vignette_file import BadRow, ListFile


_NOTHING = ImportReport(0, 0, 0, 0, (), 0.0)


@dataclass(frozen=True, slots=True)
class Taken:
    """A list that was imported."""

    report: ImportReport
    read_as: str
    """How the file was written: encoding, separator, columns, order of dates."""
    objections: tuple[str, ...] = ()
    """Of a list that was looked at: why it would not be taken in."""
    names: tuple[str, ...] = ()
    """Of a list that was looked at: the fields of its first line."""
    meanings: tuple[tuple[str, str], ...] = ()
    """Of a list that was looked at: column and what the first line calls it."""

    @property
    def read(self) -> int:
        """Good rows."""
        return self.report.read

    @property
    def added(self) -> int:
        """Entries that were not held before."""
        return self.report.added

    @property
    def removed(self) -> int:
        """Entries that are held no longer."""
        return self.report.removed

    @property
    def rejected(self) -> int:
        """Rows that were left out."""
        return self.report.rejected

    @property
    def bad_rows(self) -> Sequence[BadRow]:
        """The first of them."""
        return self.report.bad_rows

    @property
    def forced(self) -> Sequence[str]:
        """What spoke against it."""
        return self.report.forced

    @property
    def doubted(self) -> int:
        """Plates of rows that could not be read."""
        return self.report.doubted

    @property
    def unsure(self) -> int:
        """Rows of which not even the plate could be read."""
        return self.report.unsure


@dataclass(frozen=True, slots=True)
class ListImporter:
    """Imports into one database, held to the limits of the settings."""

    database: Database
    settings: RegistrySection
    reading: ListReading = UNSAID

    def vignettes(  # noqa: PLR0913 - what an import needs, by name
        self, path: Path, source: str, at_ns: int, *, replace: bool, force: bool = False, dry_run: bool = False
    ) -> Taken:
        """Add the vignettes of a CSV file or a spreadsheet, and with `replace` remove all others, all or nothing.

        With `dry_run` nothing changes, and what is given back tells what would.

        Raises RegistryFileError; ImportRefusedError where the registry would forget somebody, unless `force` is said;
        StoreUnavailableError.
        """
        with _named(source, path), as_text(path, self.reading.sheet) as (text, sheet):
            listed = self.read(text)
            guard = Safeguard(self.settings.import_limits(), force, lambda: listed.open_row, _sha256(path))
            report = import_vignettes(
                self.database, listed, source, at_ns, replace=replace, safeguard=guard, dry_run=dry_run
            )
            return Taken(report, _described(listed.described(), sheet))

    def read(self, path: Path) -> ListFile[Vignette]:
        """The vignettes of a CSV file. Raises RegistryFileError."""
        settings = self.settings
        return read_vignettes(path, zone(settings.timezone), self._order(), self.reading)

    def _order(self) -> DateOrder | None:
        """Of dates, where somebody has said it."""
        settings = self.settings
        return settings.registry_date_order if "registry_date_order" in settings.model_fields_set else None

    def listed(self, path: Path) -> Iterator[Vignette | BadRow]:
        """The rows of a CSV file or a spreadsheet, nothing of them imported. Raises RegistryFileError."""
        with as_text(path, self.reading.sheet) as (text, _):
            yield from self.read(text)

    def exemptions(self, path: Path, source: str, at_ns: int, *, force: bool = False, dry_run: bool = False) -> Taken:
        """Replace the exemptions by those of a CSV file or a spreadsheet, all or nothing. Raises as above."""
        settings = self.settings
        with _named(source, path), as_text(path, self.reading.sheet) as (text, sheet):
            listed = self._exempt(text)
            guard = Safeguard(settings.import_limits(), force, lambda: listed.open_row, _sha256(path))
            report = import_exemptions(self.database, listed, source, at_ns, safeguard=guard, dry_run=dry_run)
            return Taken(report, _described(listed.described(), sheet))

    def look(self, path: Path, source: str, at_ns: int, *, exemptions: bool = False, replace: bool = True) -> Taken:
        """What an import would do and what speaks against it: nothing changes, and no fault of a list is an error.

        Where its dates are in another order the rows are counted nevertheless, as far as they can be read.
        Raises StoreUnavailableError.
        """
        names: tuple[str, ...] = ()
        try:
            with _named(source, path), as_text(path, self.reading.sheet) as (text, sheet):
                names = header_names(text, self.reading)
                listed: ListFile[Any] = self._exempt(text) if exemptions else self.read(text)
                rows = _Tolerant(listed)
                report = self._weighed(rows, listed, source, at_ns, exemptions=exemptions, replace=replace)
                told = tuple(fault.replace(str(text), source) for fault in rows.faults)
                meanings = tuple((column, listed.layout.names[i]) for column, i in listed.layout.columns.items())
                return Taken(report, _described(listed.described(), sheet), (*told, *report.forced), names, meanings)
        except RegistryFileError as error:
            return Taken(_NOTHING, "", (str(error),), names)

    def _weighed(  # noqa: PLR0913 - what an import needs, by name
        self, rows: _Tolerant, listed: ListFile[Any], source: str, at_ns: int, *, exemptions: bool, replace: bool
    ) -> ImportReport:
        guard = Safeguard(self.settings.import_limits(), open_row=lambda: listed.open_row, looking=True)
        if exemptions:
            return import_exemptions(self.database, rows, source, at_ns, safeguard=guard, dry_run=True)
        return import_vignettes(self.database, rows, source, at_ns, replace=replace, safeguard=guard, dry_run=True)

    def _exempt(self, path: Path) -> ListFile[Exemption]:
        return read_exemptions(path, zone(self.settings.timezone), self._order(), self.reading)


class _Tolerant:
    """The rows of a list as far as they can be read; what ended them, or was seen at the end, is kept."""

    def __init__(self, listed: ListFile[Any]) -> None:
        self.faults: list[str] = []
        self._listed = listed

    def __iter__(self) -> Iterator[Any]:
        try:
            yield from self._listed
        except RegistryFileError as error:
            self.faults.append(str(error))


def _described(read_as: str, sheet: str) -> str:
    """In a spreadsheet there is no encoding and no separator to tell of."""
    return f"{sheet}, columns {read_as.partition(', columns ')[2]}" if sheet else read_as


def _sha256(path: Path) -> str | None:
    """Of the file's bytes; None where it is none that can be read twice, such as a pipe."""
    try:
        if not path.is_file():
            return None
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return None


@contextmanager
def _named(source: str, path: Path) -> Iterator[None]:
    """Errors name the list as whoever gave it knows it: what lies at `path` may be a copy that nobody else sees."""
    name = "the standard input" if source == "-" else source
    try:
        yield
    except ImportRefusedError as error:
        raise ImportRefusedError(
            f"{name}: nothing was changed: {error}. Correct the list, or import it with --force"
        ) from error
    except RegistryFileError as error:
        if str(path) not in str(error) or str(path) == source:
            raise
        raise RegistryFileError(str(error).replace(str(path), name)) from error
