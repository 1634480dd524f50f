"""How sightings of many cameras are stored side by side and still stand in one order, each sealed in it.

Whoever stores writes its sightings as arrivals, in a transaction that waits for nobody. Then one at a time, whoever
gets the lock, gives all arrivals that are there their place: in `sightings`, in the order that watches and notices
follow, and in the chain of evidence. Those who wait find theirs done; so a commit serves as many as came meanwhile.
An arrival is read by nothing else, so nothing is told of a sighting before it is sealed.

What writes to the database without the keys must not be sealed as ours: an arrival carries a seal of its own, an
HMAC-SHA-256 of all its columns, and one with another seal stays where it is, refused.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, func, insert, literal, select, update

from roadside.adapters.sql.chain import Event
from roadside.adapters.sql.codec import list_names, sighting_row
from roadside.adapters.sql.locks import Lock, one_at_a_time, taken_at_once
from roadside.adapters.sql.schema import ARRIVALS, ARRIVED_EVIDENCE, EVIDENCE, KNOWN_MATCHES, SIGHTINGS
from roadside.adapters.sql.sealing import plain
from roadside.core.canonical import canonical
from roadside.errors import NotFoundError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from sqlalchemy import Connection

    from roadside.adapters.encryption import Keyring
    from roadside.adapters.sql.database import Database
    from roadside.adapters.sql.vault import Vault
    from roadside.core.canonical import Plain
    from roadside.core.sightings import Picture, Sighting
    from roadside.ports.system import Clock

MOST_AT_ONCE = 500
STORED_CHANNEL = "roadside_stored"
"""PostgreSQL's channel on which is notified that sightings were stored."""
_COLUMNS = [column.name for column in SIGHTINGS.columns if column.name != "sequence"]
_PICTURE_COLUMNS = [column.name for column in EVIDENCE.columns]
_UNSEALED = frozenset({"arrival_id", "key_id", "seal", "refused"})


@dataclass(frozen=True, slots=True)
class Arrival:
    """A sighting as it may be kept, and its pictures, which lie in the vault already, with their SHA-256."""

    sighting: Sighting
    pictures: Sequence[tuple[Picture, str]] = ()


class Arrivals:
    """Stores sightings and gives them their places. Safe to share between threads."""

    def __init__(self, database: Database, vault: Vault, clock: Clock) -> None:
        self._database = database
        self._vault = vault
        self._clock = clock

    def store(self, arrivals: Sequence[Arrival]) -> None:
        """Store all, or none; when it returns they have their places and are sealed.

        Raises StoreUnavailableError; PoisonError for what no retry can mend.
        """
        with self._database.write() as connection:
            mine = self.write_down(connection, arrivals)
            left = self._settle(connection, mine) if taken_at_once(connection, Lock.SAVE) else mine
        self._settle_at_last(left)

    def write_down(self, connection: Connection, arrivals: Sequence[Arrival]) -> Sequence[int]:
        """Write arrivals down, in their order; their ids."""
        now_ns, key_id = self._clock.now_ns(), self._vault.keyring.active
        rows, pictures = [], []
        for arrival in arrivals:
            row = dict.fromkeys(_COLUMNS) | sighting_row(arrival.sighting, now_ns)
            evidence = self._vault.records(arrival.sighting.sighting_id, arrival.pictures)
            seal = _seal(self._vault.keyring, key_id, row, evidence)
            rows.append({**row, "key_id": key_id, "seal": seal})
            pictures.append(evidence)
        written = insert(ARRIVALS).returning(ARRIVALS.c.arrival_id, sort_by_parameter_order=True)
        ids = connection.execute(written, rows).scalars().all()
        if evidence := [{"arrival_id": n, **each} for n, some in zip(ids, pictures, strict=True) for each in some]:
            connection.execute(insert(ARRIVED_EVIDENCE), evidence)
        return ids

    def settle(self) -> None:
        """Give all that were left by somebody who was killed their places. Raises StoreUnavailableError."""
        with self._database.read() as connection:
            waiting = connection.execute(select(ARRIVALS.c.arrival_id).where(ARRIVALS.c.refused == 0)).scalars().all()
        self._settle_at_last(waiting)

    def _settle_at_last(self, ids: Sequence[int]) -> None:
        left = ids
        while left:
            with self._database.write() as connection:
                one_at_a_time(connection, Lock.SAVE)
                left = self._settle(connection, left)

    def _settle(self, connection: Connection, ids: Sequence[int]) -> Sequence[int]:
        """Give those that wait longest their places, unless none of `ids` waits any more; those of `ids` that still do.

        The caller holds the lock.
        """
        if not _waiting(connection, ids):
            return ()
        oldest = select(ARRIVALS).where(ARRIVALS.c.refused == 0).order_by(ARRIVALS.c.arrival_id).limit(MOST_AT_ONCE)
        rows = [dict(row) for row in connection.execute(oldest).mappings()]
        evidence = _evidence_of(connection, [row["arrival_id"] for row in rows])
        refused = [r["arrival_id"] for r in rows if not self._is_ours(r, evidence.get(r["arrival_id"], ()))]
        if refused:
            connection.execute(update(ARRIVALS).where(ARRIVALS.c.arrival_id.in_(refused)).values(refused=1))
        self._place(connection, [row for row in rows if row["arrival_id"] not in refused])
        return _waiting(connection, ids) if len(rows) == MOST_AT_ONCE else ()

    def _place(self, connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
        """Bring arrivals to the sightings, each sighting once, and seal them."""
        names = [row["sighting_id"] for row in rows]
        known = set(
            connection.execute(select(SIGHTINGS.c.sighting_id).where(SIGHTINGS.c.sighting_id.in_(names))).scalars()
        )
        first = {row["sighting_id"]: row["arrival_id"] for row in reversed(rows) if row["sighting_id"] not in known}
        if first:
            new = sorted(first.values())
            placed = select(*(ARRIVALS.c[name] for name in _COLUMNS)).where(ARRIVALS.c.arrival_id.in_(new))
            ordered = placed.order_by(ARRIVALS.c.arrival_id)
            connection.execute(insert(SIGHTINGS).from_select(_COLUMNS, ordered, include_defaults=False))
            taken = select(*(ARRIVED_EVIDENCE.c[name] for name in _PICTURE_COLUMNS))
            taken = taken.where(ARRIVED_EVIDENCE.c.arrival_id.in_(new))
            connection.execute(insert(EVIDENCE).from_select(_PICTURE_COLUMNS, taken, include_defaults=False))
            self._enter(connection, {row["sighting_id"]: row["known"] for row in rows if row["known"]}, first)
            in_order = select(SIGHTINGS.c.sighting_id).where(SIGHTINGS.c.sighting_id.in_(first))
            placed_ids = connection.execute(in_order.order_by(SIGHTINGS.c.sequence)).scalars().all()
            self._vault.chain.seal(connection, Event.STORED, placed_ids, self._clock.now_ns())
            if connection.dialect.name == "postgresql":
                connection.execute(select(func.pg_notify(STORED_CHANNEL, "")))
        done = [row["arrival_id"] for row in rows]
        connection.execute(delete(ARRIVED_EVIDENCE).where(ARRIVED_EVIDENCE.c.arrival_id.in_(done)))
        connection.execute(delete(ARRIVALS).where(ARRIVALS.c.arrival_id.in_(done)))

    @staticmethod
    def _enter(connection: Connection, known: Mapping[str, str], placed: Collection[str]) -> None:
        """Enter sightings of known vehicles, by the JSON of their matches, under their lists."""
        columns = [column for column in SIGHTINGS.columns if column.name in KNOWN_MATCHES.c]
        wanted = [sighting_id for sighting_id in known if sighting_id in placed]
        if not wanted:
            return
        rows = connection.execute(select(*columns).where(SIGHTINGS.c.sighting_id.in_(wanted))).mappings()
        entries = [{**row, "list": name} for row in rows for name in list_names(known[row["sighting_id"]])]
        connection.execute(insert(KNOWN_MATCHES), entries)

    def _is_ours(self, row: Mapping[str, Any], evidence: Sequence[Mapping[str, Any]]) -> bool:
        try:
            return hmac.compare_digest(_seal(self._vault.keyring, row["key_id"], row, evidence), row["seal"])
        except (NotFoundError, TypeError):  # a key that is not ours, a seal of other letters
            return False


def refused_arrivals(connection: Connection) -> Sequence[str]:
    """The ids of sightings that were not taken over, because their seal is not ours."""
    refused = select(ARRIVALS.c.sighting_id).where(ARRIVALS.c.refused != 0).order_by(ARRIVALS.c.arrival_id)
    return connection.execute(refused).scalars().all()


def _waiting(connection: Connection, ids: Sequence[int]) -> Sequence[int]:
    waiting = select(ARRIVALS.c.arrival_id).where(ARRIVALS.c.arrival_id.in_(ids), ARRIVALS.c.refused == literal(0))
    return connection.execute(waiting).scalars().all()


def _evidence_of(connection: Connection, ids: Sequence[int]) -> Mapping[int, Sequence[Mapping[str, Any]]]:
    found: dict[int, list[Mapping[str, Any]]] = {}
    mine = select(ARRIVED_EVIDENCE).where(ARRIVED_EVIDENCE.c.arrival_id.in_(ids))
    for row in connection.execute(mine).mappings():
        found.setdefault(row["arrival_id"], []).append(dict(row))
    return found


def _seal(keyring: Keyring, key_id: str, row: Mapping[str, Any], evidence: Sequence[Mapping[str, Any]]) -> str:
    """HMAC-SHA-256 of all columns of an arrival and its pictures."""
    pictures = [{**_sealed(each), "key_id": str(each["key_id"])} for each in evidence]
    pictures.sort(key=lambda each: str(each["kind"]))
    return keyring.seal(key_id, "arrival", canonical({"sighting": _sealed(row), "evidence": pictures}))


def _sealed(row: Mapping[str, Any]) -> dict[str, Plain]:
    return plain({name: value for name, value in row.items() if name not in _UNSEALED})
