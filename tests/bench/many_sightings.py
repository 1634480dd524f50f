"""Sightings of years at twenty cameras, made by the database itself, with what makes searches slow.

Every value of a column occurs together with each of another, often or once, but for pairs that never do: UNPAID at
camera-3, SK at camera-5, outwards at camera-7, a 1 to begin with at camera-9, UNPAID outwards or on a list, FR at all.
Plates that begin with 9 and those of camera-gone are old alone: whoever reads from the newest on reads all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import text

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from roadside.adapters.sql import Database

FIRST_NS = 1_700_000_000 * 10**9
EVERY_NS = 3 * 10**9
OLD = 0.02
"""Of all, those that are of camera-gone."""
_PLATE = '{"text": "1AB2345", "raw": "1AB2345", "confidence": 0.9, "looks": 3, "alternatives": [], "countries": []}'
_REASONS = '{"rule": "r", "p_paid": 0, "p_exempt": 0, "readings": [], "vignettes": [], "lapsed": [], "exemptions": []}'
_POSTERIOR = b"\0" * 1008
_INDICES = {
    True: "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND tbl_name = 'sightings' AND sql IS NOT NULL",
    False: "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = 'sightings' AND indexname LIKE 'ix_%'",
}


def fill(database: Database, count: int) -> None:
    """`count` sightings, and which lists they may be of; indices are made when all are there."""
    with database.write() as connection:
        indices = connection.execute(text(_INDICES[database.is_sqlite])).all()
        for name, _ in indices:
            connection.execute(text(f'DROP INDEX "{name}"'))
        _insert(connection, count, sqlite=database.is_sqlite)
        if not database.is_sqlite:
            connection.execute(text("SET LOCAL maintenance_work_mem = '1GB'"))
        for _, made in indices:
            connection.execute(text(made))
        _enter_lists(connection)
    with database.write() as connection:
        connection.execute(text("ANALYZE"))


def _insert(connection: Connection, count: int, *, sqlite: bool) -> None:
    numbers = (
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :count) SELECT i FROM n"
        if sqlite
        else "SELECT i::bigint AS i FROM generate_series(1, :count) AS i"
    )
    digits = "printf('%04d', {})" if sqlite else "lpad(({})::text, 4, '0')"
    blob = ":posterior" if sqlite else "CAST(:posterior AS bytea)"
    letter = "substr('ABCEHJKLMPSTUZ', CAST(1 + {} % 14 AS int), 1)"
    # A multiplicative hash of the number; each choice takes other digits of it.
    drawn = f"SELECT i, (i * 2654435761) % 4294967296 AS h FROM ({numbers}) AS numbers"  # noqa: S608
    chosen = f"""
        SELECT i, h, (h / 1000) % 1000 AS v, (h / 500) % 100 AS c,
        CASE WHEN i % 100000 = 7 THEN 'camera-rare' WHEN i < :count * {OLD} THEN 'camera-gone'
             ELSE 'camera-' || ((h / 16) % 20) END AS camera_id FROM ({drawn}) AS drawn"""  # noqa: S608
    judged = f"""
        SELECT i, h, camera_id,
        CASE WHEN v < 20 AND camera_id <> 'camera-3' THEN 'UNPAID' WHEN v < 100 THEN 'REVIEW' WHEN v < 300 THEN 'NONE'
             WHEN v < 301 THEN 'UNKNOWN' WHEN v < 310 THEN 'EXEMPT' ELSE 'PAID' END AS verdict,
        CASE WHEN c < 80 THEN 'CZ' WHEN c < 90 AND camera_id <> 'camera-5' THEN 'SK' WHEN c < 99 THEN 'DE' ELSE 'PL' END
        AS country FROM ({chosen}) AS chosen"""  # noqa: S608
    first = (
        "CASE WHEN h % 9 = 8 AND i > :count / 100 THEN 7 WHEN h % 9 = 0 AND camera_id = 'camera-9' THEN 1 "
        "ELSE h % 9 END"
    )
    key = (
        f"CASE WHEN country = 'CZ' THEN (1 + {first}) || {letter.format('(h / 9)')} || {letter.format('(h / 126)')} "
        f"|| {digits.format('(h / 7919) % 10000')} "
        f"ELSE {letter.format('(h / 11)')} || {letter.format('(h / 154)')} || {digits.format('(h / 7919) % 10000')} "
        f"|| {letter.format('(h / 31)')} END"
    )
    read = "CASE WHEN verdict IN ('PAID', 'EXEMPT') THEN NULL ELSE {} END"
    connection.execute(
        text(
            "INSERT INTO sightings (sighting_id, camera_id, track_id, first_seen_ns, last_seen_ns, verdict, "  # noqa: S608
            "decided_at_ns, country, plate_key, plate, posterior, plate_hash, reasons, direction) "
            f"SELECT 's' || i, camera_id, 't', :first + i * {EVERY_NS}, :first + i * {EVERY_NS}, verdict, 0, "
            f"{read.format('country')}, {read.format(key)}, {read.format(':plate')}, {read.format(blob)}, "
            "CASE WHEN verdict IN ('PAID', 'EXEMPT') THEN 'k1:' || h END, :reasons, "
            "CASE WHEN i % 3 = 0 OR camera_id = 'camera-7' OR verdict = 'UNPAID' THEN 'in' "
            f"WHEN i % 3 = 1 THEN 'out' END FROM ({judged}) AS judged"
        ),
        {"count": count, "first": FIRST_NS, "plate": _PLATE, "reasons": _REASONS, "posterior": _POSTERIOR},
    )


def _enter_lists(connection: Connection) -> None:
    """Half of REVIEW may be of the family, one in two thousand of those without a verdict is a guest, a third staff."""
    copied = "sighting_id, last_seen_ns, sequence, camera_id, verdict, country, direction"
    for name, which in {
        "family": "verdict = 'REVIEW' AND sequence % 2 = 0",
        "guests": "verdict = 'NONE' AND sequence % 2000 = 1",
        "staff": "verdict IN ('NONE', 'REVIEW') AND sequence % 3 = 0",
    }.items():
        entered = f"INSERT INTO known_matches (list, {copied}) SELECT :list, {copied} FROM sightings WHERE {which}"  # noqa: S608
        connection.execute(text(entered), {"list": name})
