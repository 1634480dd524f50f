"""The registry in a database, asked by the halves of a plate."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, TypeVar

from sqlalchemy import and_, func, or_, select

from roadside.adapters.sql.import_seals import named
from roadside.adapters.sql.schema import EXEMPTIONS, IMPORTS, VIGNETTES
from roadside.adapters.sql.unread import unread_plates
from roadside.core.lettering import spellings
from roadside.core.nearness import is_shifted, may_be_unread, reach_of
from roadside.core.neighbours import MOST_EDITS, edit_distances
from roadside.core.plates import may_be_of
from roadside.core.sightings import VerdictKind
from roadside.core.verdict import ANY_COUNTRY, named_characters
from roadside.core.vignettes import NEVER_NS, Exemption, RegistryAnswer, Vignette
from roadside.errors import InputError, NoListError, RegistryUnavailableError, StoreUnavailableError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlalchemy import ColumnElement, Connection, Row, RowMapping, Select

    from roadside.adapters.sql.database import Database
    from roadside.core.moments import PassageTime
    from roadside.core.nearness import Reach
    from roadside.core.vignettes import CandidateQuery

Chosen = TypeVar("Chosen")
_DAY_NS = 86_400 * 10**9
_BUCKETS_AT_ONCE = 1_000
"""Far below what either database takes in one statement, and nearly as fast as more."""
_KEYS_AT_ONCE = 10_000
"""Of certain plates: either database takes three times as many parameters in one statement."""
_ROWS_AT_ONCE = 5_000
"""Of a large registry tens of thousands share the buckets of a plate: they are looked at in parts, not held."""


@dataclass(frozen=True, slots=True)
class PlateCheck:
    """What the registry says of one plate at the time of a passage."""

    kind: VerdictKind
    """PAID, EXEMPT or UNPAID; UNKNOWN where nothing is held and the list cannot say so."""
    vignettes: tuple[Vignette, ...]
    """Valid at a moment of it."""
    exemptions: tuple[Exemption, ...]
    lapsed: tuple[Vignette, ...]
    """Valid at no moment of it."""
    unread: bool = False
    """Whether it may stand in a row of a list that could not be read."""


class SqlRegistry:
    """Vignettes and exemptions in a database."""

    def __init__(self, database: Database, grace_s: float, max_age_days: float) -> None:
        """A vignette begun up to `grace_s` after a passage counts; a list older than `max_age_days` is stale, 0: never.

        Neither has a default: a caller that forgot one would accuse drivers who paid.
        """
        self._database = database
        self._grace_ns = int(grace_s * 1e9)
        self._max_age_ns = int(max_age_days * _DAY_NS)
        self._known: tuple[str, int, tuple[str, ...]] = ("", 0, ())
        """Of the list that was last asked, its version, the first moment that it knows of and its unread plates."""

    def search(self, query: CandidateQuery, passage: PassageTime) -> RegistryAnswer:
        """Everything within `query` valid at any moment of `passage`, or begun at most the grace period after it.

        Raises RegistryUnavailableError where the database is away or nothing was ever imported.
        """
        passed = _storable(passage)
        in_reach = or_(
            VIGNETTES.c.head.in_(query.heads),
            VIGNETTES.c.tail.in_(query.tails),
            VIGNETTES.c.plate.in_(query.keys),
        )
        latest_ns = passed.last_ns + self._grace_ns
        valid = and_(VIGNETTES.c.valid_from_ns <= latest_ns, VIGNETTES.c.valid_to_ns > passed.first_ns)
        in_force = and_(EXEMPTIONS.c.valid_from_ns <= passed.last_ns, EXEMPTIONS.c.valid_to_ns > passed.first_ns)
        best = VIGNETTES.c.plate.in_(query.keys[:3])
        try:
            with self._database.read() as connection:
                imported_ns = _newest_import_ns(connection)
                stale = self._is_stale(imported_ns, passage.last_ns)
                version = _version(connection)
                begins_ns, unread = self._known_of(connection, version)
                rows = connection.execute(_vignettes().where(in_reach, valid))
                vignettes = dict.fromkeys(map(_vignette_of, rows))
                others = connection.execute(_vignettes().where(best).limit(20))
                lapsed = tuple(v for v in map(_vignette_of, others) if not self._covers(v, passed))
                named = or_(EXEMPTIONS.c.wild == 1, EXEMPTIONS.c.pattern.in_(query.keys))
                free = connection.execute(select(EXEMPTIONS).where(named, in_force)).mappings()
                exemptions = dict.fromkeys(map(_exemption_of, free))
                for key in query.near:
                    vignettes.update(dict.fromkeys(_near_vignettes(connection, key, valid)))
                    exemptions.update(dict.fromkeys(_near_exemptions(connection, key, in_force)))
        except StoreUnavailableError as error:
            raise RegistryUnavailableError(str(error)) from error
        return RegistryAnswer(
            tuple(vignettes),
            tuple(exemptions),
            lapsed,
            stale=stale,
            begins_ns=begins_ns,
            unread=unread,
            imported_ns=imported_ns,
            version=version,
        )

    def check(self, plate: str, country: str | None, passage: PassageTime) -> PlateCheck:
        """PAID, EXEMPT or UNPAID of a plate that is known for certain, with the entries that say so.

        Raises RegistryUnavailableError, and InputError where `plate` is none.
        """
        return self.check_all([(plate, country, passage)])[0]

    def check_all(self, asked: Sequence[tuple[str, str | None, PassageTime]]) -> list[PlateCheck]:
        """The same of many plates in their order, as `(plate, country, passage)`, asked of the database at once.

        Raises as `check` does.
        """
        try:
            keys = [spellings(plate, country) for plate, country, _ in asked]
        except ValueError as error:
            raise InputError(str(error)) from error
        every = sorted({key for some in keys for key in some})
        try:
            with self._database.read() as connection:
                imported_ns = _newest_import_ns(connection)
                vignettes, exempt = _vignettes_of(connection, every), _exemptions_of(connection, every)
                rows = unread_plates(connection)
        except StoreUnavailableError as error:
            raise RegistryUnavailableError(str(error)) from error
        checks = []
        for (_, country, passage), mine in zip(asked, keys, strict=True):
            held = sorted((v for key in mine for v in vignettes.get(key, ())), key=lambda v: v.valid_from_ns)
            named = dict.fromkeys(e for key in ("", *mine) for e in exempt.get(key, ()))
            free = [e for e in named if _holds_for(e, mine, country)]
            unread = any(may_be_unread(key, rows, 0) for key in mine)
            checks.append(self._checked(held, free, country, passage, imported_ns, unread=unread))
        return checks

    def imported_ns(self) -> int:
        """When a list of vignettes was last taken in. Raises RegistryUnavailableError where none ever was."""
        with self._database.read() as connection:
            return _newest_import_ns(connection)

    def _checked(  # noqa: PLR0913 - all that was found of one plate
        self,
        vignettes: Sequence[Vignette],
        exemptions: Sequence[Exemption],
        country: str | None,
        passage: PassageTime,
        imported_ns: int,
        *,
        unread: bool,
    ) -> PlateCheck:
        passed, stale = _storable(passage), self._is_stale(imported_ns, passage.last_ns)
        mine = [v for v in vignettes if country is None or v.country in ("", ANY_COUNTRY, country)]
        free = tuple(
            e
            for e in exemptions
            if (country is None or e.country in (country, ANY_COUNTRY)) and passed.meets(e.valid_from_ns, e.valid_to_ns)
        )
        valid = tuple(v for v in mine if self._covers(v, passed))
        lapsed = tuple(v for v in mine if not self._covers(v, passed))
        missing = VerdictKind.UNKNOWN if stale or unread else VerdictKind.UNPAID
        kind = VerdictKind.EXEMPT if free else VerdictKind.PAID if valid else missing
        return PlateCheck(kind, valid, free, lapsed, unread)

    def size(self) -> int:
        """Vignettes held. Raises StoreUnavailableError."""
        with self._database.read() as connection:
            return connection.execute(select(func.count()).select_from(VIGNETTES)).scalar_one()

    def _known_of(self, connection: Connection, version: str) -> tuple[int, tuple[str, ...]]:
        """The first moment of any vignette, and unread plates; once a list, for it is a look at every row."""
        if self._known[0] != version:
            first = connection.execute(select(func.min(VIGNETTES.c.valid_from_ns))).scalar_one()
            self._known = version, first or 0, unread_plates(connection)
        return self._known[1:]

    def _is_stale(self, imported_ns: int, at_ns: int) -> bool:
        return 0 < self._max_age_ns < at_ns - imported_ns

    def _covers(self, vignette: Vignette, passed: PassageTime) -> bool:
        return passed.meets(vignette.valid_from_ns - self._grace_ns, vignette.valid_to_ns)


def _holds_for(exemption: Exemption, keys: Sequence[str], country: str | None) -> bool:
    """Whether it is for a plate spelt as one of `keys`; one of every plate of a country frees its own plates alone."""
    meant = [key for key in keys if fnmatchcase(key, exemption.pattern)]
    if country is not None or exemption.country == ANY_COUNTRY or named_characters(exemption.pattern):
        return bool(meant)
    return any(may_be_of(key, exemption.country) for key in meant)


def _storable(passage: PassageTime) -> PassageTime:
    """Times that a database can hold, and that what is without end still covers."""
    first_ns, last_ns = (min(max(at_ns, 0), NEVER_NS - 1) for at_ns in (passage.first_ns, passage.last_ns))
    return replace(passage, first_ns=first_ns, last_ns=last_ns)


def _newest_import_ns(connection: Connection) -> int:
    """When a list of vignettes was last taken in. Raises RegistryUnavailableError where none ever was."""
    statement = select(func.max(IMPORTS.c.at_ns)).where(IMPORTS.c.content == "vignettes")
    newest: int | None = connection.execute(statement).scalar_one()
    if newest is None:
        raise NoListError("no vignettes were imported yet: `roadside registry import FILE`")
    return newest


def holds_list(database: Database) -> bool:
    """Whether a list of vignettes was ever taken in. Raises StoreUnavailableError."""
    statement = select(IMPORTS.c.import_id).where(IMPORTS.c.content == "vignettes").limit(1)
    with database.read() as connection:
        return connection.execute(statement).first() is not None


def _version(connection: Connection) -> str:
    """Which lists answer: of vignettes and of exemptions the newest import, for what is asked is their sum."""
    newest = select(func.max(IMPORTS.c.import_id)).group_by(IMPORTS.c.content)
    rows = connection.execute(select(IMPORTS).where(IMPORTS.c.import_id.in_(newest)).order_by(IMPORTS.c.content.desc()))
    told = []
    for row in rows.mappings():
        at = datetime.fromtimestamp(row["at_ns"] // 10**9, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        digest = f", sha256 {row['sha256']}" if row["sha256"] else ""
        told.append(f"{row['content']} up to import {row['import_id']} of {at}{digest}{named(row)}")
    return "; ".join(told)


def _near_vignettes(connection: Connection, key: str, valid: ColumnElement[bool]) -> list[Vignette]:
    """Valid ones within `reach_of` the key, at most MOST_EDITS from it or shifted against it."""
    found: set[Vignette] = set()
    for column, values in _columns(reach_of(key), VIGNETTES.c.plate, VIGNETTES.c.head, VIGNETTES.c.tail):
        rows = connection.execution_options(yield_per=_ROWS_AT_ONCE).execute(
            _vignettes().where(column.in_(values), valid)
        )
        for some in rows.partitions():
            found.update(_vignette_of(row) for row in _within_reach(key, some, [row.plate for row in some]))
    return sorted(found, key=lambda v: (v.plate, v.country, v.category, v.valid_from_ns))


def _near_exemptions(connection: Connection, key: str, in_force: ColumnElement[bool]) -> list[Exemption]:
    """Those of single plates; patterns are all in the answer as it is."""
    found: set[Exemption] = set()
    for column, values in _columns(reach_of(key), EXEMPTIONS.c.pattern, EXEMPTIONS.c.head, EXEMPTIONS.c.tail):
        rows = connection.execute(select(EXEMPTIONS).where(column.in_(values), in_force)).mappings().all()
        found.update(_exemption_of(row) for row in _within_reach(key, rows, [row["pattern"] for row in rows]))
    return sorted(found, key=lambda e: (e.pattern, e.country, e.reason, e.valid_from_ns))


def _columns(reach: Reach, plate: Chosen, head: Chosen, tail: Chosen) -> Iterable[tuple[Chosen, tuple[str, ...]]]:
    for column, values in ((plate, reach.keys), (head, reach.heads), (tail, reach.tails)):
        for start in range(0, len(values), _BUCKETS_AT_ONCE):
            yield column, values[start : start + _BUCKETS_AT_ONCE]


def _within_reach(key: str, rows: Sequence[Chosen], plates: list[str]) -> list[Chosen]:
    near = edit_distances(key, plates) <= MOST_EDITS
    return [
        row
        for row, plate, is_near in zip(rows, plates, near.tolist(), strict=True)
        if is_near or is_shifted(key, plate)
    ]


def _vignettes_of(connection: Connection, keys: Sequence[str]) -> dict[str, list[Vignette]]:
    """All that is held of plates, by plate."""
    found: dict[str, list[Vignette]] = {}
    for start in range(0, len(keys), _KEYS_AT_ONCE):
        rows = connection.execute(_vignettes().where(VIGNETTES.c.plate.in_(keys[start : start + _KEYS_AT_ONCE])))
        for vignette in map(_vignette_of, rows):
            found.setdefault(vignette.plate, []).append(vignette)
    return found


def _exemptions_of(connection: Connection, keys: Sequence[str]) -> dict[str, list[Exemption]]:
    """Exemptions of plates, by plate, and under "" those of whole families."""
    found: dict[str, list[Exemption]] = {}
    for start in range(0, len(keys), _KEYS_AT_ONCE) or (0,):
        some = keys[start : start + _KEYS_AT_ONCE]
        mine = EXEMPTIONS.c.pattern.in_(some)
        chosen = or_(EXEMPTIONS.c.wild == 1, mine) if start == 0 else and_(EXEMPTIONS.c.wild != 1, mine)
        for row in connection.execute(select(EXEMPTIONS).where(chosen)).mappings():
            found.setdefault("" if row["wild"] == 1 else row["pattern"], []).append(_exemption_of(row))
    return found


def _vignettes() -> Select[tuple[str, str, str, int, int]]:
    v = VIGNETTES.c
    return select(v.plate, v.country, v.category, v.valid_from_ns, v.valid_to_ns)


def _vignette_of(row: Row[tuple[str, str, str, int, int]]) -> Vignette:
    return Vignette(row.plate, row.country, row.category, row.valid_from_ns, row.valid_to_ns)


def _exemption_of(row: RowMapping) -> Exemption:
    names = ("pattern", "country", "reason", "valid_from_ns", "valid_to_ns")
    return Exemption(*(row[name] for name in names))
