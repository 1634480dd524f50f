"""What only one transaction at a time may do: in SQLite every write is so, PostgreSQL is asked for a lock."""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING

from sqlalchemy import text

if TYPE_CHECKING:
    from sqlalchemy import Connection


class Lock(IntEnum):
    """The keys of PostgreSQL's advisory locks; one key is one lock for the whole database."""

    CHAIN = 0x524F4144
    """Appending to the chain of evidence."""
    SAVE = 0x524F4145
    """Giving arrivals their places: sequences must become visible in their order, or a live watch would miss one."""
    OUTBOX = 0x524F4146
    """Following what was stored: two who follow at once would tell everything twice."""
    CHANGE = 0x524F4148
    """Deciding anew: changes must become visible in the order of their numbers, or the outbox would pass over one."""
    KEPT = 0x524F414A
    """Lists of known plates, accounts and answers: what two people send at once is made once."""


def one_at_a_time(connection: Connection, lock: Lock) -> None:
    """Wait, in PostgreSQL, until no other transaction holds `lock`, and hold it to the end; SQLite has one writer."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": int(lock)})


def taken_at_once(connection: Connection, lock: Lock) -> bool:
    """Hold `lock` to the end of the transaction if nobody does; False, without waiting, where somebody does."""
    if connection.dialect.name != "postgresql":
        return True
    taken = connection.execute(text("SELECT pg_try_advisory_xact_lock(:lock)"), {"lock": int(lock)})
    return bool(taken.scalar_one())
