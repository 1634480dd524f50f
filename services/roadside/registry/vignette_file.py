"""Reads a registry's CSV files row by row: good rows as vignettes or exemptions, bad ones by line."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Generic, TypeVar

from roadside.core.candidates import LONGEST, SHORTEST
from roadside.core.countries import country_code
from roadside.core.lettering import pattern_key, plate_key
from roadside.core.vignettes import NEVER_NS, Exemption, Vignette
from roadside.errors import RegistryFileError
from roadside.kit.file_faults import reading_fault
from roadside.registry.footer import is_footer
from roadside.registry.layout import UNSAID, Layout, fields, find_layout, lines
from roadside.registry.validity import (
    DateOrder,
    DateOrderError,
    Proof,
    end_and_proof,
    is_endless,
    start_and_proof,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import tzinfo
    from pathlib import Path

    from roadside.registry.layout import Line
    from roadside.registry.reading import ListReading

Entry = TypeVar("Entry", Vignette, Exemption)
NOBODY = ""
"""The plate of a row that has none to lose: it is empty."""
_VIGNETTE_COLUMNS = ("plate", "country", "valid_from", "valid_to")
_EXEMPTION_COLUMNS = ("pattern", "country", "reason")
_DATES = ("valid_from", "valid_to")
_EVERY_COUNTRY = "*"
_MOST_SHOWN = 5


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that was left out, and why."""

    line: int
    reason: str
    plate: str | None = None
    """Folded, where that much of the row can be read; NOBODY where the row is empty."""
    whole: bool = True
    """Whether it has as many fields as the header, so that `plate` is the plate of the row and no piece of it."""
    footer: bool = False
    """Whether it can only be a line of totals; it is one where it is the last."""


@dataclass(slots=True)
class DateEvidence:
    """What the dates of a file tell of their order."""

    counts: list[int] = field(default_factory=lambda: [0] * len(Proof))
    """How many dates there are of each proof."""
    against: list[BadRow] = field(default_factory=list)
    """Dates of another order: the first few."""
    against_count: int = 0

    @property
    def either(self) -> int:
        """Dates that are one in both orders, and not the same one."""
        return self.counts[Proof.EITHER]

    @property
    def proved(self) -> int:
        """Dates of the order by which the file is read, and of no other."""
        return self.counts[Proof.PROVED]


class ListFile(Generic[Entry]):
    """A list of vignettes or exemptions; iterating over it reads the file, once.

    Iterating raises RegistryFileError where the file cannot be read on, or its end has come and a date shows that the
    whole of it was read in the wrong order, or nothing has shown which order is right.
    """

    def __init__(
        self,
        path: Path,
        layout: Layout,
        entry: Callable[[Row], Entry],
        key: Callable[[Row], str],
        order: DateOrder | None,
    ) -> None:
        """`entry` and `key` raise ValueError where a row, or its plate, cannot be read.

        Where nobody has said the `order` of dates, the day comes first and one of the dates must show it.
        """
        self.layout = layout
        self.order = order or DateOrder.DAY_FIRST
        self._order_is_said = order is not None
        self.dates = DateEvidence()
        self.open_row: Entry | BadRow | None = None
        """The last row, where the file ends without a line end: it may have been cut there."""
        self._path = path
        self._entry: Callable[[Row], Entry] = entry
        self._key = key
        self._width = max(layout.columns.values()) + 1

    def described(self) -> str:
        """How the file was read, in one line; whole when iterating has ended."""
        said = self.layout.described()
        if self.dates.either or self.dates.proved:
            said += f", dates {self.order.replace('-', ' ')}"
            if not self.dates.proved:
                said += f" ({self.dates.either} could be either; none tells)"
        if self.open_row is not None:
            said += "; its last line has no end, as that of a file that was cut"
        return said

    def __iter__(self) -> Iterator[Entry | BadRow]:
        """Each row in turn; a line of totals is one only where nothing comes after it."""
        footer: BadRow | None = None
        try:
            for row in self._rows():
                if footer is not None:
                    yield footer
                footer = row if isinstance(row, BadRow) and row.footer else None
                if footer is None:
                    yield row
        except UnicodeError as error:
            raise RegistryFileError(f"{self._path}: it is no text to its end: save it as UTF-8 again") from error
        except OSError as error:
            raise RegistryFileError(f"{self._path}: {reading_fault(error)}") from error
        if footer is not None:
            yield replace(footer, reason="a line of totals, of no vehicle", plate=NOBODY)
        self._check_dates()

    def _rows(self) -> Iterator[Entry | BadRow]:
        for line in lines(self._path, self.layout.encoding):
            if line.number > self.layout.first_line and line.text.strip(" \t\ufeff"):
                row = self._read(line)
                if not line.ended and not (isinstance(row, BadRow) and row.footer):
                    self.open_row = row
                yield row

    def _check_dates(self) -> None:
        """Raises RegistryFileError where the dates show that the whole file was read wrong."""
        if self.dates.against:
            raise RegistryFileError(f"{self._path}: {_other_order(self.dates, self.order)}")
        if self.dates.either and not self.dates.proved and not self._order_is_said:
            raise RegistryFileError(
                f"{self._path}: {self.dates.either} of its dates could have the day or the month first, and none tells "
                "which: import with --registry-date-order day-first or month-first"
            )

    def _read(self, line: Line) -> Entry | BadRow:
        delimiter = self.layout.delimiter
        try:
            texts = fields(line.text, delimiter)
            if len(texts) < self._width:
                raise ValueError(f"{len(texts)} fields, not {self._width}")  # noqa: TRY301 - as any other bad row
        except ValueError as error:
            row = self._row(line.text.replace('"', "").split(delimiter))
            return self._bad(line, error, row, whole=False)
        row = self._row(texts)
        whole = len(texts) == len(self.layout.names) or not any(text.strip() for text in texts[self._width :])
        try:
            found = self._entry(row)
        except DateOrderError as error:
            bad = self._bad(line, error, row, whole=whole)
            self.dates.against_count += 1
            if len(self.dates.against) < _MOST_SHOWN:
                self.dates.against.append(bad)
            return bad
        except ValueError as error:
            return self._bad(line, error, row, whole=whole)
        return found

    def _row(self, texts: list[str]) -> Row:
        return Row(texts, self.layout, self.dates, self.order)

    def _bad(self, line: Line, error: ValueError, row: Row, *, whole: bool = True) -> BadRow:
        reason = str(error) if line.ended else f"{error}, and the file ends here without a line end: it may be cut"
        plate = NOBODY if row.is_empty() else self._plate(row)
        return BadRow(line.number, reason, plate, whole, footer=whole and row.is_footer())

    def _plate(self, row: Row) -> str | None:
        try:
            return self._key(row) or None
        except (ValueError, IndexError):
            return None


class Row:
    """The fields of one row, by the names of their columns."""

    def __init__(self, texts: list[str], layout: Layout, dates: DateEvidence, order: DateOrder) -> None:
        self._texts = texts
        self._layout = layout
        self._dates = dates
        self._order = order

    def is_empty(self) -> bool:
        """Whether there is nothing but separators."""
        return not any(text.strip() for text in self._texts)

    def is_footer(self) -> bool:
        """Whether it can only be a line of totals."""
        columns = self._layout.columns
        plate = next((name for name in ("plate", "pattern") if name in columns), "")
        own = {columns[name] for name in (plate, *_DATES) if name in columns}
        others = [text for place, text in enumerate(self._texts) if place not in own]
        return bool(plate) and is_footer(self.text(plate), [self.text(name) for name in _DATES], others)

    def text(self, column: str) -> str:
        """The field of `column`, empty where there is no such column."""
        place = self._layout.columns.get(column)
        return "" if place is None else self._texts[place].strip()

    def sure_text(self, column: str, meant: Callable[[str, str], str], country: str) -> str:
        """`meant` of a field and a country; ValueError where the file's encoding leaves open what it is."""
        text = self.text(column)
        found = meant(text, country)
        if self._layout.others and not text.isascii():
            written = text.encode(self._layout.encoding)
            for encoding in self._layout.others:
                if _or_none(meant, written.decode(encoding), country) != found:
                    raise ValueError(f"{text!r} is another plate in {encoding}: save the file as UTF-8")
        return found

    def country(self) -> str:
        """The project's code. Raises ValueError."""
        code = country_code(self.text("country")) or self._layout.country
        if not code:
            raise ValueError("the country is missing")
        return code

    def span_ns(self, where: tzinfo, *, may_lack_start: bool = False) -> tuple[int, int]:
        """When the entry is valid. Raises ValueError."""
        begins, ends = self.text("valid_from"), self.text("valid_to")
        start, end = 0, NEVER_NS
        counts = self._dates.counts
        if begins or not may_lack_start:
            start, proof = start_and_proof(begins, where, self._order)
            counts[proof] += 1
        if not is_endless(ends):
            end, proof = end_and_proof(ends, where, self._order)
            counts[proof] += 1
        if end <= start:
            raise ValueError("it ends before it begins")
        return start, end


def read_vignettes(
    path: Path, where: tzinfo, order: DateOrder | None = None, reading: ListReading = UNSAID
) -> ListFile[Vignette]:
    """The rows of `path`: columns plate, country, valid_from, valid_to and, if there, category.

    Dates are those of `where`, and without an end where valid_to is empty. Without an `order` the day comes first, and
    one of them must show it. Raises RegistryFileError where the file is no such list at all.
    """
    layout = find_layout(path, _VIGNETTE_COLUMNS, ("category",), reading)

    def key(row: Row, country: str) -> str:
        plate = row.sure_text("plate", plate_key, country)
        if not plate and not row.text("plate").strip():
            raise ValueError("plate is empty")
        if not SHORTEST <= len(plate) <= LONGEST:
            raise ValueError(f"{row.text('plate')!r} is no plate")
        return plate

    def entry(row: Row) -> Vignette:
        country = row.country()
        return Vignette(key(row, country), country, row.text("category"), *row.span_ns(where))

    return ListFile(path, layout, entry, _despite_country(lambda row: key(row, row.country()), "plate"), order)


def read_exemptions(
    path: Path, where: tzinfo, order: DateOrder | None = None, reading: ListReading = UNSAID
) -> ListFile[Exemption]:
    """The rows of `path`: columns pattern, country (or *), reason and, if there, valid_from and valid_to.

    Raises RegistryFileError where the file is no such list at all.
    """
    layout = find_layout(path, _EXEMPTION_COLUMNS, ("valid_from", "valid_to"), reading)

    def country_of(row: Row) -> str:
        return _EVERY_COUNTRY if row.text("country") == _EVERY_COUNTRY else row.country()

    def key(row: Row) -> str:
        pattern = row.sure_text("pattern", pattern_key, country_of(row))
        if not pattern:
            raise ValueError("the pattern is empty")
        return pattern

    def entry(row: Row) -> Exemption:
        start, end = row.span_ns(where, may_lack_start=True)
        return Exemption(key(row), country_of(row), row.text("reason"), start, end)

    return ListFile(path, layout, entry, _despite_country(key, "pattern"), order)


def _or_none(meant: Callable[[str, str], str], text: str, country: str) -> str | None:
    try:
        return meant(text, country)
    except ValueError:
        return None


def _despite_country(key: Callable[[Row], str], column: str) -> Callable[[Row], str]:
    """The plate of a row of which the country may be what cannot be read."""

    def found(row: Row) -> str:
        try:
            return key(row)
        except (ValueError, IndexError):
            plate = pattern_key(row.text(column))
            if not SHORTEST <= len(plate) <= LONGEST:
                raise
            return plate

    return found


def _other_order(dates: DateEvidence, order: DateOrder) -> str:
    rows = "; ".join(f"line {row.line}: {row.reason}" for row in dates.against)
    more = dates.against_count - len(dates.against)
    rows += f"; and {more} more" if more else ""
    if dates.proved:
        return f"its dates are in two orders ({rows}; {dates.proved} others {order}): correct it and import again"
    if order is DateOrder.DAY_FIRST and any("month first" in row.reason for row in dates.against):
        return f"its dates have the month first ({rows}): import with --registry-date-order month-first, or correct it"
    if any("day before" in row.reason for row in dates.against):
        return f"its dates are in no order that is known ({rows}): write them as 2026-01-31 and import again"
    return f"its dates are not {order} ({rows}): import with the right --registry-date-order, or correct it"
