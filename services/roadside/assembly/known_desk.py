"""The console's lists of known plates, over a database or over the registry service."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from roadside.adapters.spreadsheet import as_text
from roadside.console.list_faults import for_page
from roadside.console.ports import ListPreview
from roadside.core.known import Action
from roadside.core.lettering import plate_key
from roadside.errors import InputError, NotFoundError, RegistryFileError
from roadside.registry.known_file import known_plate, read_known
from roadside.registry.layout import header_names
from roadside.registry.reading import list_reading
from roadside.registry.validity import DateOrder

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from roadside.console.ports import ListChoices
    from roadside.core.known import KnownPlate
    from roadside.registry.reading import ListReading
    from roadside.registry.vignette_file import BadRow

BAD_ROWS_SHOWN = 50
LONGEST_NAME = 64
MOST_PLATES = 20_000
"""Of one file: what fits into one message to the registry service."""


class KnownStore(Protocol):
    """Where the lists are kept."""

    def lists(self) -> Sequence[tuple[str, Action, int]]: ...  # noqa: D102
    def entries(self, list_name: str) -> Sequence[KnownPlate]: ...  # noqa: D102
    def put_list(self, name: str, action: Action) -> bool: ...  # noqa: D102
    def put(self, list_name: str, plates: Sequence[KnownPlate], *, replace: bool = False) -> int: ...  # noqa: D102
    def remove(self, list_name: str, plate_key: str | None = None) -> int: ...  # noqa: D102


class StoredKnown:
    """Meets the console's `KnownDesk`."""

    def __init__(self, store: KnownStore, timezone: str) -> None:
        self._store = store
        self._timezone = timezone

    def lists(self) -> Sequence[tuple[str, Action, int]]:
        """Name, action and number of plates of each, by name."""
        return self._store.lists()

    def entries(self, list_name: str) -> Sequence[KnownPlate]:
        """The plates of a list. Raises NotFoundError."""
        return self._store.entries(list_name)

    def put_list(self, name: str, action: Action) -> bool:
        """Make a list, or give it another action; whether it was made. Raises InputError."""
        if not 0 < len(name) <= LONGEST_NAME or not name.isprintable() or name != name.strip():
            raise InputError(f"a list has a name of 1 to {LONGEST_NAME} characters")
        return self._store.put_list(name, action)

    def enter(self, list_name: str, row: Mapping[str, str], instead_of: str = "") -> KnownPlate:
        """Enter a plate, or change what is held of it. Raises InputError, NotFoundError."""
        try:
            entry = known_plate(list_name, Action.ALERT, row, self._timezone)
        except ValueError as error:
            raise InputError(str(error)) from error
        if not instead_of or (before := self._key(list_name, instead_of)) == entry.key:
            self._store.put(list_name, [entry])
            return entry
        had = any(held.key == entry.key for held in self._store.entries(list_name))
        self._store.put(list_name, [entry])
        try:
            self._store.remove(list_name, before)
        except NotFoundError:  # somebody else changed it meanwhile: one plate must not become two
            if not had:
                self._store.remove(list_name, entry.key)
            raise
        return entry

    def remove(self, list_name: str, plate: str = "") -> int:
        """Remove a plate, or the whole list; how many plates went. Raises NotFoundError."""
        return self._store.remove(list_name, self._key(list_name, plate) if plate else None)

    def preview(self, path: Path, source: str, list_name: str, choices: ListChoices) -> ListPreview:
        """What entering a file would do; nothing changes. Raises NotFoundError."""
        held = {entry.key for entry in self._store.entries(list_name)}
        names: tuple[str, ...] = ()
        try:
            reading = reading_of(choices)
            with as_text(path, reading.sheet) as (text, _):
                names = header_names(text, reading)
            found, bad = self._read(path, list_name, choices)
        except RegistryFileError as error:
            return ListPreview("", 0, 0, 0, 0, (), _said(error, path, source), names=names)
        keys = {entry.key for entry in found}
        removed = len(held - keys) if choices.replace else 0
        shown = tuple((row.line, row.reason) for row in bad[:BAD_ROWS_SHOWN])
        preview = ListPreview(source, len(found), len(keys - held), removed, len(bad), shown, names=names)
        return replace(preview, objection=_objection(found, bad, choices))

    def load(self, path: Path, source: str, list_name: str, choices: ListChoices) -> ListPreview:
        """Enter a file, all or nothing. Raises RegistryFileError, NotFoundError."""
        preview = self.preview(path, source, list_name, choices)
        if preview.objection:
            raise RegistryFileError(preview.objection)
        found, _ = self._read(path, list_name, choices)
        self._store.put(list_name, found, replace=choices.replace)
        return preview

    def _read(self, path: Path, list_name: str, choices: ListChoices) -> tuple[Sequence[KnownPlate], Sequence[BadRow]]:
        order = DateOrder(choices.date_order) if choices.date_order else DateOrder.DAY_FIRST
        reading = reading_of(choices)
        with as_text(path, reading.sheet) as (text, _):
            return read_known(text, list_name, Action.ALERT, self._timezone, reading, order=order)

    def _key(self, list_name: str, plate: str) -> str:
        """Of a plate as it was entered, or of any spelling of it."""
        entered = next((entry for entry in self._store.entries(list_name) if entry.plate == plate), None)
        if entered is not None:
            return entered.key
        try:
            return plate_key(plate, "")
        except ValueError as error:
            raise NotFoundError(f"list {list_name}: holds no such plate") from error


def reading_of(choices: ListChoices) -> ListReading:
    """How a list is read where somebody has chosen it on a page. Raises RegistryFileError."""
    return list_reading(
        choices.encoding or None,
        [f"{column}={name}" for column, name in choices.columns.items()],
        choices.country or None,
        separator=choices.separator or None,
    )


def _objection(found: Sequence[KnownPlate], bad: Sequence[BadRow], choices: ListChoices) -> str:
    """Why a file is not entered; empty where it may be."""
    if not found:
        return "it holds no row that can be read"
    if len(found) > MOST_PLATES:
        return f"it has more than {MOST_PLATES} plates: enter it in parts, or by `roadside lists import`"
    if bad and choices.replace:
        return "rows that cannot be read would be lost: correct them, or add the others to what is there"
    keys: dict[str, str] = {}
    for entry in found:
        if entry.key in keys:
            return f"{entry.plate} stands twice (O counts as 0, I as 1); leave one out"
        keys[entry.key] = entry.plate
    return ""


def _said(error: Exception, path: Path, source: str) -> str:
    return for_page(str(error).replace(str(path), source))
