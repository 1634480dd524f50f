"""What the registry would lose by a list that replaces it."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from sqlalchemy import func, select, text

from roadside.adapters.sql.schema import EXEMPTIONS, VIGNETTES
from roadside.adapters.sql.staging import IDENTITY
from roadside.core.vignettes import Exemption, Vignette
from roadside.registry.safeguards import Replacement
from roadside.registry.vignette_file import NOBODY, BadRow

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection, RowMapping

_SHOWN = 3
_NO_SUCCESSOR = (
    "NOT EXISTS (SELECT 1 FROM incoming i WHERE i.plate = v.plate AND i.country = v.country "
    "AND i.valid_from_ns <= v.valid_from_ns AND i.valid_to_ns >= v.valid_to_ns)"
)
_IS_HELD = "EXISTS (SELECT 1 FROM vignettes v WHERE v.plate = u.plate)"
_IS_UNSURE = f"(u.plate IS NULL OR (u.plate <> '{NOBODY}' AND u.whole = 0)) AND NOT {_IS_HELD}"


def vignettes_replaced(connection: Connection, open_row: object, *, replace: bool) -> Replacement:
    """What the staged rows would do to the vignettes; how many rows there are is not counted here.

    `open_row` is the last row where that has no line end.
    """
    held = connection.execute(select(func.count()).select_from(VIGNETTES)).scalar_one()
    if not replace or not held:
        return Replacement(held, 0, 0, 0, cut=replace and isinstance(open_row, BadRow))
    lost = f"SELECT count(*) FROM vignettes v WHERE {_NO_SUCCESSOR}"  # noqa: S608 - constants
    known, known_count = _unread(connection, _IS_HELD)
    unsure, unsure_count = _unread(connection, _IS_UNSURE)
    return Replacement(
        held=held,
        lost=connection.execute(text(lost)).scalar_one(),
        read=0,
        rejected=0,
        known=known,
        known_count=known_count,
        unsure=unsure,
        unsure_count=unsure_count,
        cut=isinstance(open_row, BadRow),
        unended=isinstance(open_row, Vignette) and not _is_held(connection, open_row),
    )


def exemptions_replaced(
    connection: Connection, entries: Sequence[Exemption], bad: Sequence[BadRow], open_row: object
) -> Replacement:
    """The same of exemptions, which are few."""
    held = connection.execute(select(EXEMPTIONS)).mappings().all()
    patterns = {row["pattern"] for row in held}
    spans: dict[tuple[str, str], list[tuple[int, int]]] = defaultdict(list)
    for e in entries:
        spans[e.pattern, e.country].append((e.valid_from_ns, e.valid_to_ns))
    lost = sum(
        not any(
            start <= row["valid_from_ns"] and end >= row["valid_to_ns"]
            for start, end in spans[row["pattern"], row["country"]]
        )
        for row in held
    )
    known = [row for row in bad if row.plate in patterns]
    unsure = [
        row for row in bad if row.plate is None or (row.plate != NOBODY and not row.whole and row.plate not in patterns)
    ]
    return Replacement(
        held=len(held),
        lost=lost,
        read=0,
        rejected=0,
        known=known[:_SHOWN],
        known_count=len(known),
        unsure=unsure[:_SHOWN],
        unsure_count=len(unsure),
        cut=isinstance(open_row, BadRow),
        unended=isinstance(open_row, Exemption) and open_row not in map(_exemption_of, held),
    )


def _is_held(connection: Connection, v: Vignette) -> bool:
    same = {name: getattr(v, name) for name in IDENTITY}
    statement = select(VIGNETTES.c.plate).where(*(VIGNETTES.c[name] == value for name, value in same.items()))
    return connection.execute(statement).first() is not None


def _exemption_of(row: RowMapping) -> Exemption:
    return Exemption(row["pattern"], row["country"], row["reason"], row["valid_from_ns"], row["valid_to_ns"])


def _unread(connection: Connection, which: str) -> tuple[tuple[BadRow, ...], int]:
    """The first few of the bad rows that are `which`, and how many there are."""
    count = connection.execute(text(f"SELECT count(*) FROM unread u WHERE {which}")).scalar_one()  # noqa: S608
    rows = connection.execute(
        text(f"SELECT line, reason, plate FROM unread u WHERE {which} ORDER BY line LIMIT {_SHOWN}")  # noqa: S608
    )
    return tuple(BadRow(row.line, row.reason, row.plate) for row in rows), count
