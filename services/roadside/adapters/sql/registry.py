"""The registry in a database, asked by the halves of a plate."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from sqlalchemy import and_, func, or_, select

from roadside.adapters.sql.schema import EXEMPTIONS, IMPORTS, VIGNETTES
from roadside.core.plates import fold
from roadside.core.sightings import VerdictKind
from roadside.core.verdict import ANY_COUNTRY
from roadside.core.vignettes import Exemption, RegistryAnswer, Vignette
from roadside.errors import RegistryUnavailableError, StoreUnavailableError

if TYPE_CHECKING:
    from sqlalchemy import Connection, Row, RowMapping, Select

    from roadside.adapters.sql.database import Database
    from roadside.core.vignettes import CandidateQuery


@dataclass(frozen=True, slots=True)
class PlateCheck:
    """What the registry says of one plate at one time."""

    kind: VerdictKind
    """PAID, EXEMPT or UNPAID."""
    vignettes: tuple[Vignette, ...]
    """Valid at that time."""
    exemptions: tuple[Exemption, ...]
    lapsed: tuple[Vignette, ...]
    """Not valid at that time."""


class SqlRegistry:
    """Vignettes and exemptions in a database."""

    def __init__(self, database: Database, grace_s: float = 0.0) -> None:
        self._database = database
        self._grace_ns = int(grace_s * 1e9)

    def search(self, query: CandidateQuery, at_ns: int) -> RegistryAnswer:
        """Everything within `query` valid at `at_ns`, or begun at most the grace period after it.

        Raises RegistryUnavailableError where the database is away or nothing was ever imported.
        """
        in_reach = or_(
            VIGNETTES.c.head.in_(query.heads),
            VIGNETTES.c.tail.in_(query.tails),
            VIGNETTES.c.plate.in_(query.keys),
        )
        valid = and_(VIGNETTES.c.valid_from_ns <= at_ns + self._grace_ns, VIGNETTES.c.valid_to_ns > at_ns)
        best = VIGNETTES.c.plate.in_(query.keys[:3])
        exempt = and_(
            or_(EXEMPTIONS.c.wild == 1, EXEMPTIONS.c.pattern.in_(query.keys)),
            EXEMPTIONS.c.valid_from_ns <= at_ns,
            EXEMPTIONS.c.valid_to_ns > at_ns,
        )
        try:
            with self._database.read() as connection:
                _require_import(connection)
                found = connection.execute(_vignettes().where(in_reach, valid))
                vignettes = tuple(_vignette_of(row) for row in found)
                others = connection.execute(_vignettes().where(best).limit(20))
                lapsed = tuple(v for v in map(_vignette_of, others) if not self._covers(v, at_ns))
                rows = connection.execute(select(EXEMPTIONS).where(exempt)).mappings()
                exemptions = tuple(_exemption_of(row) for row in rows)
        except StoreUnavailableError as error:
            raise RegistryUnavailableError(str(error)) from error
        return RegistryAnswer(vignettes, exemptions, lapsed)

    def entries(self, plate: str) -> tuple[tuple[Vignette, ...], tuple[Exemption, ...]]:
        """All that is held of one plate, at any time, exemptions of its family included.

        Raises StoreUnavailableError.
        """
        key = fold(plate)
        with self._database.read() as connection:
            rows = connection.execute(_vignettes().where(VIGNETTES.c.plate == key))
            vignettes = tuple(sorted(map(_vignette_of, rows), key=lambda v: v.valid_from_ns))
            all_exempt = connection.execute(
                select(EXEMPTIONS).where(or_(EXEMPTIONS.c.wild == 1, EXEMPTIONS.c.pattern == key))
            ).mappings()
            return vignettes, tuple(e for e in map(_exemption_of, all_exempt) if _matches(e.pattern, key))

    def check(self, plate: str, country: str | None, at_ns: int) -> PlateCheck:
        """PAID, EXEMPT or UNPAID of a plate that is known for certain, with the entries that say so.

        Raises RegistryUnavailableError.
        """
        try:
            with self._database.read() as connection:
                _require_import(connection)
            vignettes, exemptions = self.entries(plate)
        except StoreUnavailableError as error:
            raise RegistryUnavailableError(str(error)) from error
        mine = [v for v in vignettes if country in (None, v.country)]
        free = tuple(
            e
            for e in exemptions
            if (country is None or e.country in (country, ANY_COUNTRY)) and e.valid_from_ns <= at_ns < e.valid_to_ns
        )
        valid = tuple(v for v in mine if self._covers(v, at_ns))
        lapsed = tuple(v for v in mine if not self._covers(v, at_ns))
        kind = VerdictKind.EXEMPT if free else VerdictKind.PAID if valid else VerdictKind.UNPAID
        return PlateCheck(kind, valid, free, lapsed)

    def size(self) -> int:
        """Vignettes held. Raises StoreUnavailableError."""
        with self._database.read() as connection:
            return connection.execute(select(func.count()).select_from(VIGNETTES)).scalar_one()

    def _covers(self, vignette: Vignette, at_ns: int) -> bool:
        return vignette.valid_from_ns <= at_ns + self._grace_ns and vignette.valid_to_ns > at_ns


def _require_import(connection: Connection) -> None:
    statement = select(IMPORTS.c.import_id).where(IMPORTS.c.content == "vignettes").limit(1)
    if connection.execute(statement).first() is None:
        raise RegistryUnavailableError("no vignettes were imported yet: `roadside registry import FILE`")


def _vignettes() -> Select[tuple[str, str, str, int, int]]:
    v = VIGNETTES.c
    return select(v.plate, v.country, v.category, v.valid_from_ns, v.valid_to_ns)


def _vignette_of(row: Row[tuple[str, str, str, int, int]]) -> Vignette:
    return Vignette(row.plate, row.country, row.category, row.valid_from_ns, row.valid_to_ns)


def _exemption_of(row: RowMapping) -> Exemption:
    names = ("pattern", "country", "reason", "valid_from_ns", "valid_to_ns")
    return Exemption(*(row[name] for name in names))


def _matches(pattern: str, key: str) -> bool:
    return fnmatchcase(key, pattern)
