"""What of a sighting is sealed: every column of every row that belongs to it, as the database holds it."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from roadside.adapters.sql.naming import named
from roadside.adapters.sql.schema import CHANGES, CORRECTIONS, EVIDENCE, SIGHTINGS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy import Connection, RowMapping, Table

    from roadside.core.canonical import Plain

PARTS: tuple[tuple[str, Table, str], ...] = (
    ("evidence", EVIDENCE, "kind"),
    ("corrections", CORRECTIONS, "correction_id"),
    ("changes", CHANGES, "change_id"),
)
"""Beside the sighting's own row: the name in a sealed record, the table, and the column that tells its rows apart."""
NOT_SEALED = frozenset({"key_id"})
"""Which key a picture lies under changes with the keys; the picture itself says it."""

State = dict[str, "Plain"]


def states(connection: Connection, ids: Sequence[str]) -> Mapping[str, State]:
    """Of each sighting in `ids` that is there: what is sealed of it now."""
    rows = connection.execute(select(SIGHTINGS).where(SIGHTINGS.c.sighting_id.in_(named(ids)))).mappings()
    found: dict[str, State] = {row["sighting_id"]: {"sighting": plain(row)} for row in rows}
    for name, table, key in PARTS:
        mine: dict[str, list[Plain]] = {sighting_id: [] for sighting_id in found}
        statement = select(table).where(table.c.sighting_id.in_(named(ids))).order_by(table.c[key])
        for row in connection.execute(statement).mappings():
            if row["sighting_id"] in mine:
                mine[row["sighting_id"]].append(plain(row))
        for sighting_id, entries in mine.items():
            found[sighting_id][name] = entries
    return found


def plain(row: Mapping[str, Any] | RowMapping) -> dict[str, Plain]:
    """The columns of a row as they are sealed: bytes by their SHA-256, a float by its exact hexadecimal digits."""
    found: dict[str, Plain] = {}
    for name, value in row.items():
        if name in NOT_SEALED:
            continue
        if isinstance(value, bytes | memoryview):
            found[f"{name}_sha256"] = hashlib.sha256(bytes(value)).hexdigest()
        elif isinstance(value, float):
            found[str(name)] = value.hex()
        elif value is None or isinstance(value, str | int):
            found[str(name)] = value
        else:
            found[str(name)] = str(value)
    return found


def differences(sealed: Mapping[str, Plain], kept: Mapping[str, Plain]) -> list[str]:
    """Names of the columns in which a row that is `kept` is not what was `sealed`.

    A column that a later version has added must be empty; what a later version has taken away is not missed.
    """
    names = {name.removesuffix("_sha256") for name in kept}
    changed = {name for name, value in kept.items() if sealed.get(name) != value}
    emptied = {name for name in sealed if name not in kept and name.removesuffix("_sha256") in names}
    return sorted(name.removesuffix("_sha256") for name in changed | emptied)
