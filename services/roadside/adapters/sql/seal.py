"""What the chain of evidence says of one sighting, without reading all of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from roadside.adapters.sql.chain import FIRST_LINK, PICTURES_ONLY, opened
from roadside.adapters.sql.schema import CHAIN, EVIDENCE, SEALED
from roadside.adapters.sql.sealing import states
from roadside.adapters.sql.verification import changes
from roadside.errors import NotFoundError
from roadside.ports.records import Seal

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from sqlalchemy import Connection, Row

    from roadside.adapters.sql.vault import Vault


def seal_of(connection: Connection, vault: Vault, sighting_id: str) -> Seal:
    """The entry that sealed the sighting last, and what is not as it says; every picture is opened.

    That the entries before it were left alone `verified` alone can say. Raises NotFoundError.
    """
    kept = states(connection, [sighting_id]).get(sighting_id)
    if kept is None:
        raise NotFoundError(f"there is no sighting {sighting_id}")
    joined = select(CHAIN, SEALED.c.salt, SEALED.c.body).outerjoin(SEALED, SEALED.c.sequence == CHAIN.c.sequence)
    mine = joined.where(CHAIN.c.sighting_id == sighting_id).order_by(CHAIN.c.sequence.desc()).limit(1)
    row = connection.execute(mine).first()
    pictures = tuple(_pictures(connection, vault, sighting_id))
    if row is None or row.version == PICTURES_ONLY:
        return Seal(0, 0, "", pictures)
    faults = list(_link(connection, vault, row))
    record = opened(row.salt, row.body, row.sha256)
    if record is None:
        faults.append(f"chain: what entry {row.sequence} seals was changed or is missing")
    else:
        faults += changes(sighting_id, record, kept)
    return Seal(row.sequence, row.at_ns, row.event, (*faults, *pictures))


def _link(connection: Connection, vault: Vault, row: Row[Any]) -> Iterator[str]:
    before = connection.execute(select(CHAIN.c.link).where(CHAIN.c.sequence == row.sequence - 1)).scalar()
    if before is None and row.sequence > 1:
        yield f"chain: entry {row.sequence - 1} is missing"
        return
    try:
        if vault.chain.link_of(row, before or FIRST_LINK) != row.link:
            yield f"chain: entry {row.sequence} was changed, or what stood before it"
    except NotFoundError as error:
        yield f"chain: entry {row.sequence}: {error}"


def _pictures(connection: Connection, vault: Vault, sighting_id: str) -> Iterator[str]:
    mine = select(EVIDENCE.c.kind, EVIDENCE.c.sha256, EVIDENCE.c.key_id).where(EVIDENCE.c.sighting_id == sighting_id)
    for picture in connection.execute(mine).all():
        fault = vault.fault(picture.sha256, picture.key_id)
        if fault is not None:
            yield f"{picture.kind}: {fault}"
