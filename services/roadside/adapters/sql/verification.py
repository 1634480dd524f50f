"""Whether chain, records and pictures agree and were left alone.

First every entry of the chain is sealed anew and compared. Then every record that is kept is compared, column for
column, with what was sealed of it last, and every picture is opened.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from roadside.adapters.sql.chain import FIRST_LINK, PICTURES_ONLY, Event, Head, opened
from roadside.adapters.sql.import_seals import NAMED, Proofs
from roadside.adapters.sql.schema import AUDIT, CHAIN, EVIDENCE, SEALED, SIGHTINGS
from roadside.adapters.sql.sealing import PARTS, differences, plain, states
from roadside.errors import NotFoundError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from sqlalchemy import Connection, Row

    from roadside.adapters.sql.vault import Vault

_BATCH = 500
_TABLES = {"corrections": "reviews", "changes": "verdict changes"}


@dataclass(slots=True)
class Walk:
    """What the chain says, from its first entry to its last."""

    head: Head = field(default_factory=lambda: Head(0, FIRST_LINK))
    faults: list[str] = field(default_factory=list)
    newest: dict[str, int] = field(default_factory=dict)
    """Of each sighting that is kept, the entry that sealed it last."""
    pictures: dict[str, dict[str, str]] = field(default_factory=dict)
    """Of sightings that only version 1 has sealed: the SHA-256 of their pictures, by kind."""
    audit: dict[int, int] = field(default_factory=dict)
    """Of each sealed line of the audit, its entry."""
    older_audit_to: int = 0
    """Lines of the audit up to this number were written before they were sealed."""
    imports: Proofs = field(default_factory=Proofs)
    """What is sealed of the registry's imports."""
    older_to: int | None = None
    """Sightings up to this `sequence` were stored before whole records were sealed; None where none ever was."""
    links: dict[int, str] = field(default_factory=dict)
    """Links of the entries that were asked for."""
    expected: bool = False
    """Whether the link that was asked for is there."""


def walked(connection: Connection, vault: Vault, wanted: Collection[int] = (), expected: str | None = None) -> Walk:
    """Read the chain; of the entries `wanted` keep the links, and see whether a link `expected` is there."""
    walk, before, unopened = Walk(), FIRST_LINK, dict[str, list[int]]()
    joined = select(CHAIN, SEALED.c.salt, SEALED.c.body).outerjoin(SEALED, SEALED.c.sequence == CHAIN.c.sequence)
    rows = connection.execute(joined.order_by(CHAIN.c.sequence), execution_options={"yield_per": 1000})
    for row in rows:
        if row.sequence != walk.head.sequence + 1:
            walk.faults.append(f"chain: entries {walk.head.sequence + 1} to {row.sequence - 1} are missing")
        sound = _has_its_link(walk, vault, row, before)
        before = row.link
        walk.head = Head(row.sequence, row.link)
        walk.expected = walk.expected or row.link == expected
        if row.sequence in wanted:
            walk.links[row.sequence] = row.link
        if not sound:
            continue  # whoever wrote this, it says nothing
        if row.version == PICTURES_ONLY:
            _take_picture(walk, row)
            continue
        record = opened(row.salt, row.body, row.sha256)
        if record is not None:
            _take(walk, row, record, unopened)
        elif row.body is not None:
            walk.faults.append(f"chain: what entry {row.sequence} seals was changed")
        elif not row.sighting_id:
            walk.faults.append(f"chain: what entry {row.sequence} seals is missing")
        else:
            unopened.setdefault(row.sighting_id, []).append(row.sequence)
    for sighting_id, lost in unopened.items():
        numbers = ", ".join(map(str, lost))
        walk.faults.append(f"{sighting_id}: what entry {numbers} seals is missing, and was not erased by Roadside")
    return walk


def _has_its_link(walk: Walk, vault: Vault, row: Row[Any], before: str) -> bool:
    try:
        if vault.chain.link_of(row, before) == row.link:
            return True
        walk.faults.append(f"chain: entry {row.sequence} was changed, or what stood before it")
    except NotFoundError as error:
        walk.faults.append(f"chain: entry {row.sequence}: {error}")
    return False


def _take_picture(walk: Walk, row: Row[Any]) -> None:
    if row.event == Event.STORED:
        walk.pictures.setdefault(row.sighting_id, {})[row.kind] = row.sha256
    elif row.event == Event.ERASED:
        walk.pictures.get(row.sighting_id, {}).pop(row.kind, None)


def _take(walk: Walk, row: Row[Any], record: Mapping[str, Any], unopened: dict[str, list[int]]) -> None:
    facts = record["facts"]
    if row.event == Event.BEGAN:
        if walk.older_to is None:
            walk.older_to, walk.older_audit_to = facts["sightings_to"], facts["audit_to"]
    elif row.event == Event.ERASED:
        for sighting_id in facts["sightings"]:
            walk.newest.pop(sighting_id, None)
            walk.pictures.pop(sighting_id, None)
            unopened.pop(sighting_id, None)
    elif row.event == Event.AUDIT:
        walk.audit[facts["audit"]["entry_id"]] = row.sequence
    elif row.event == Event.LISTED:
        walk.imports.listed.setdefault(facts["import"], set()).add(facts["seal"])
    elif row.sighting_id:
        for number, seal in NAMED.findall(record["sighting"].get("reasons") or ""):
            walk.imports.judged.setdefault(int(number), set()).add(seal)
        walk.newest[row.sighting_id] = row.sequence
        walk.pictures.pop(row.sighting_id, None)


@dataclass(slots=True)
class Compared:
    """What was found by comparing what is kept with what the chain says."""

    faults: list[str] = field(default_factory=list)
    sealed: int = 0
    """Sightings whose whole record is sealed."""
    older: int = 0
    """Sightings of which an older version sealed the pictures alone."""


def compared(connection: Connection, vault: Vault, walk: Walk, *, under_any_key: bool = False) -> Compared:
    """Compare every sighting that is kept, what belongs to it, and the audit with the chain.

    Pictures may lie `under_any_key` while they are brought under a new one.
    """
    found, unseen = Compared(), dict(walk.newest)
    for ids, sequences in _batches(connection):
        kept = states(connection, ids)
        sealed = _records(connection, [unseen[name] for name in ids if name in unseen])
        for sighting_id in ids:
            entry = unseen.pop(sighting_id, None)
            if entry is not None:
                found.sealed += 1
                if entry in sealed:  # what cannot be opened is told by the walk
                    found.faults += changes(sighting_id, sealed[entry], kept[sighting_id])
            elif walk.older_to is None or sequences[sighting_id] <= walk.older_to:
                found.older += 1
                was, now = walk.pictures.pop(sighting_id, {}), kept[sighting_id]["evidence"]
                found.faults += _picture_records(sighting_id, was, now)
            else:
                found.faults.append(f"{sighting_id}: a sighting that the chain does not know")
    found.faults += [
        f"{sighting_id}: the sighting is missing, and was not erased by Roadside" for sighting_id in unseen
    ]
    lost = [sighting_id for sighting_id, pictures in walk.pictures.items() if pictures]
    found.faults += [f"{sighting_id}: the record is missing" for sighting_id in lost]
    found.faults += [
        *_strays(connection),
        *_pictures(connection, vault, under_any_key=under_any_key),
        *_audit(connection, walk),
    ]
    return found


def _batches(connection: Connection) -> Iterator[tuple[list[str], dict[str, int]]]:
    after = 0
    statement = select(SIGHTINGS.c.sighting_id, SIGHTINGS.c.sequence).order_by(SIGHTINGS.c.sequence).limit(_BATCH)
    while rows := connection.execute(statement.where(SIGHTINGS.c.sequence > after)).all():
        after = rows[-1].sequence
        yield [row.sighting_id for row in rows], {row.sighting_id: row.sequence for row in rows}


def _records(connection: Connection, entries: Sequence[int]) -> dict[int, Mapping[str, Any]]:
    joined = select(CHAIN.c.sequence, CHAIN.c.sha256, SEALED.c.salt, SEALED.c.body).join(
        SEALED, SEALED.c.sequence == CHAIN.c.sequence
    )
    rows = connection.execute(joined.where(CHAIN.c.sequence.in_(entries))).all()
    found = ((row.sequence, opened(row.salt, row.body, row.sha256)) for row in rows)
    return {sequence: record for sequence, record in found if record is not None}


def changes(sighting_id: str, sealed: Mapping[str, Any], kept: Mapping[str, Any]) -> Iterator[str]:
    """Which columns are not what was sealed; the values are not told, for faults are printed and logged."""
    for column in differences(sealed["sighting"], kept["sighting"]):
        yield f"{sighting_id}: {column} was changed"
    for name, _, key in PARTS:
        was, now = ({row[key]: row for row in side[name]} for side in (sealed, kept))
        what = _TABLES.get(name, name)
        for each in sorted({*was, *now}, key=str):
            if each not in now:
                yield f"{sighting_id}: {what} {each}: the record is missing"
            elif each not in was:
                yield f"{sighting_id}: {what} {each}: a record that the chain does not know"
            else:
                for column in differences(was[each], now[each]):
                    yield f"{sighting_id}: {what} {each}: {column} was changed"


def _picture_records(sighting_id: str, was: Mapping[str, str], now: Any) -> Iterator[str]:  # noqa: ANN401 - JSON
    kept = {row["kind"]: row["sha256"] for row in now}
    for kind in sorted({*was, *kept}):
        if kept.get(kind) == was.get(kind):
            continue
        known = kind in was
        reason = "the record is missing or names another picture" if known else "a record that the chain does not know"
        yield f"{sighting_id} {kind}: {reason}"


def _strays(connection: Connection) -> Iterator[str]:
    """Rows that belong to nothing."""
    for name, table, key in PARTS:
        alone = select(table.c.sighting_id, table.c[key]).where(
            table.c.sighting_id.not_in(select(SIGHTINGS.c.sighting_id))
        )
        for row in connection.execute(alone):
            yield f"{row[0]}: {_TABLES.get(name, name)} {row[1]}: belongs to no sighting that is kept"
    alone = select(SEALED.c.sequence).where(SEALED.c.sequence.not_in(select(CHAIN.c.sequence)))
    for sequence in connection.execute(alone.order_by(SEALED.c.sequence)).scalars():
        yield f"chain: entry {sequence} is missing, but what it sealed is there"


def _pictures(connection: Connection, vault: Vault, *, under_any_key: bool) -> Iterator[str]:
    statement = select(EVIDENCE.c.sighting_id, EVIDENCE.c.kind, EVIDENCE.c.sha256, EVIDENCE.c.key_id)
    for row in connection.execute(statement.order_by(EVIDENCE.c.sighting_id, EVIDENCE.c.kind)).all():
        fault = vault.fault(row.sha256, None if under_any_key else row.key_id)
        if fault is not None:
            yield f"{row.sighting_id} {row.kind}: {fault}"


def _audit(connection: Connection, walk: Walk) -> Iterator[str]:
    """Lines that were changed, taken away or written by hand."""
    for number in connection.execute(select(AUDIT.c.entry_id).order_by(AUDIT.c.entry_id)).scalars():
        if number not in walk.audit and not 0 < number <= walk.older_audit_to:
            yield f"audit: line {number}: a line that the chain does not know"
    numbers = sorted(walk.audit)
    for start in range(0, len(numbers), _BATCH):
        some = numbers[start : start + _BATCH]
        rows = connection.execute(select(AUDIT).where(AUDIT.c.entry_id.in_(some))).mappings()
        kept = {row["entry_id"]: plain(row) for row in rows}
        sealed = _records(connection, [walk.audit[number] for number in some])
        for number in some:
            record = sealed.get(walk.audit[number])
            if number not in kept:
                yield f"audit: line {number} is missing"
            elif record is not None and differences(record["facts"]["audit"], kept[number]):
                yield f"audit: line {number} was changed"
