"""The chain against people who may write to the whole database and have neither a key nor a checkpoint."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from roadside.adapters.checkpoint import CheckpointFolder, load_checkpoint, parse_checkpoint
from roadside.adapters.encryption import new_keyring
from roadside.adapters.sql import SqlSightingStore, Vault, open_database, open_embedded
from roadside.adapters.sql.chain import FIRST_LINK, commitment
from roadside.adapters.sql.retention import RetentionManager, receipt_digest
from roadside.adapters.sql.reviews import Reviews
from roadside.adapters.sql.schema import METADATA
from roadside.adapters.sql.verification import compared, walked
from roadside.core.canonical import canonical
from roadside.core.reviews import Correction, ReviewAction
from roadside.core.sightings import PictureKind, VerdictKind
from roadside.errors import InputError
from tests.clocks import HandClock
from tests.contract.test_store import CROP, DAY_NS, FRAME, World, sighting
from tests.databases import KINDS, fresh_postgres, postgres

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from roadside.adapters.sql.retention import ChainReport
    from tests.servers import PostgresServer

PLATES = ("1AB2345", "2BC3456", "3CD4567", "4DE5678")


ATTACKS = (
    (("UPDATE sightings SET plate_key = 'XX99XXX', plate = replace(plate, '1AB2345', 'XX99XXX') "
      "WHERE plate_key = '1AB2345'"),),
    ("UPDATE sightings SET verdict = 'PAID' WHERE sighting_id = 's0'",),
    ("UPDATE sightings SET verdict = 'UNPAID' WHERE sighting_id = 'paid'",),
    ("UPDATE sightings SET last_seen_ns = last_seen_ns + 86400000000000 WHERE sighting_id = 's0'",),
    ("UPDATE sightings SET camera_id = 'elsewhere' WHERE sighting_id = 's0'",),
    ("UPDATE sightings SET reasons = replace(reasons, '0.25', '0.00') WHERE sighting_id = 's0'",),
    ("UPDATE sightings SET posterior = NULL WHERE sighting_id = 's0'",),
    ("UPDATE sightings SET sequence = 99 WHERE sighting_id = 's0'",),
    ("UPDATE evidence SET box = NULL WHERE sighting_id = 's0' AND kind = 'crop'",),
    ("UPDATE evidence SET key_id = 'k9' WHERE sighting_id = 's0' AND kind = 'crop'",),
    (("UPDATE evidence SET sha256 = (SELECT sha256 FROM evidence WHERE sighting_id = 's3' AND kind = 'crop') "
     "WHERE sighting_id = 's0' AND kind = 'crop'"),),
    ("DELETE FROM evidence WHERE sighting_id = 's0' AND kind = 'frame'",),
    ("DELETE FROM evidence WHERE sighting_id = 's0'", "DELETE FROM sightings WHERE sighting_id = 's0'"),
    ("DELETE FROM evidence WHERE sighting_id = 's0'", "DELETE FROM sightings WHERE sighting_id = 's0'",
     "DELETE FROM sealed_records WHERE sighting_id = 's0'"),
    ("UPDATE corrections SET text = '2BC3457'",),
    ("UPDATE corrections SET author = 'petr'",),
    ("DELETE FROM corrections",),
    (("INSERT INTO corrections (sighting_id, at_ns, author, action, text, country, read_text) "
     "VALUES ('s0', 8, 'jana', 'confirm', '1AB2345', 'CZ', '1AB2345')"),),
    ("UPDATE verdict_changes SET author = 'petr'",),
    ("DELETE FROM verdict_changes",),
    ("UPDATE audit SET actor = 'nobody' WHERE action = 'looked'",),
    ("DELETE FROM audit",),
    (("INSERT INTO audit (at_ns, actor, action, subject, detail) VALUES (9, 'jana', 'looked', 's0', '')"),),
    (("INSERT INTO audit (entry_id, at_ns, actor, action, subject, detail) "
     "VALUES (-4, 9, 'jana', 'looked', 's0', '')"),),
    ("UPDATE sealed_records SET body = replace(body, 'gate', 'elsewhere') WHERE sequence = 2",),
    ("UPDATE sealed_records SET salt = '00' WHERE sequence = 2",),
    ("UPDATE sealed_records SET body = (SELECT body FROM sealed_records WHERE sequence = 3) WHERE sequence = 2",),
    ("DELETE FROM sealed_records WHERE sequence = 1",),
    ("DELETE FROM evidence_chain WHERE sequence = 3",),
    ("UPDATE evidence_chain SET sequence = 99 WHERE sequence = 2",
     "UPDATE evidence_chain SET sequence = 2 WHERE sequence = 3",
     "UPDATE evidence_chain SET sequence = 3 WHERE sequence = 99"),
    ("UPDATE evidence_chain SET version = 1",),
    ("UPDATE evidence_chain SET sighting_id = 's3' WHERE sighting_id = 's0'",),
    (("INSERT INTO evidence_chain (sequence, at_ns, event, sighting_id, kind, sha256, key_id, link, version) SELECT "
     "99, at_ns, 'erased', sighting_id, kind, sha256, key_id, link, version FROM evidence_chain WHERE sequence = 2"),),
    ("DELETE FROM evidence_chain WHERE sequence > 3",),
    (("INSERT INTO sightings (sighting_id, camera_id, track_id, first_seen_ns, last_seen_ns, verdict, decided_at_ns, "
     "reasons) SELECT 'forged', camera_id, 'forged', first_seen_ns, last_seen_ns, 'REVIEW', decided_at_ns, reasons "
     "FROM sightings WHERE sighting_id = 's0'"),),
)  # fmt: skip
"""What somebody who may write to every table could do."""


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    with postgres() as running:
        yield running


@pytest.fixture(params=KINDS)
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    if request.param == "sqlite":
        database = open_embedded(tmp_path / "roadside.db")
    else:
        database = open_database(fresh_postgres(request.getfixturevalue("server")))
        database.migrate()
    keyring = new_keyring("k1")
    folder = tmp_path / "evidence"
    yield World(database, Vault(folder, keyring), HandClock(), folder, keyring)
    database.close()


def filled(world: World) -> World:
    """Four accusations, the second reviewed and decided anew, and somebody has looked."""
    for number, seen in enumerate(PLATES):
        pictures = [replace(CROP, data=b"crop of " + seen.encode()), replace(FRAME, data=b"frame of " + seen.encode())]
        world.store.save(sighting(f"s{number}", VerdictKind.UNPAID, 1000 + number, seen), pictures)
    world.store.save(sighting("paid", VerdictKind.PAID, 2000))
    queue = Reviews(world.database, world.vault)
    queue.record(Correction("s1", 7, "jana", ReviewAction.CONFIRM, "2BC3456", "CZ", "2BC3456"))
    decided = replace(world.store.get("s1").verdict, rule="read-by-person")
    world.store.decide("s1", decided, "jana")
    world.store.picture("s0", PictureKind.CROP, "petr")
    assert world.retention.verify().faults == ()
    return world


def attack(world: World, *statements: str) -> Sequence[str]:
    with world.database.write() as connection:
        for statement in statements:
            connection.execute(text(statement))
    return world.retention.verify().faults


def test_whatever_is_written_into_the_tables_shows(world: World) -> None:
    filled(world)
    unseen: list[tuple[str, ...]] = []
    with world.database.session() as connection:
        for statements in ATTACKS:
            with connection.begin() as transaction:
                for statement in statements:
                    assert connection.execute(text(statement)).rowcount
                walk = walked(connection, world.vault)
                faults = [*walk.faults, *compared(connection, world.vault, walk).faults]
                transaction.rollback()
            assert not any(plate in fault for plate in (*PLATES, "XX99XXX", "2BC3457") for fault in faults)
            if not faults:
                unseen.append(statements)
    assert unseen == []
    assert world.retention.verify().faults == ()


def test_a_verdict_that_was_put_back_to_what_it_was_shows(world: World) -> None:
    world.store.save(sighting("s", VerdictKind.REVIEW, 1000), [CROP])
    with world.database.read() as connection:
        before = dict(
            connection.execute(text("SELECT verdict, reasons, decided_at_ns FROM sightings")).mappings().one()
        )
    world.clock.ns += 1
    world.store.decide("s", replace(world.store.get("s").verdict, kind=VerdictKind.UNPAID), "jana")
    assert world.retention.verify().faults == ()
    with world.database.write() as connection:
        statement = "UPDATE sightings SET verdict = :verdict, reasons = :reasons, decided_at_ns = :decided_at_ns"
        connection.execute(text(statement), before)
    assert world.retention.verify().faults


def test_swapped_pictures_show(world: World) -> None:
    filled(world)
    first, second, *_ = world.pictures()
    one, other = first.read_bytes(), second.read_bytes()
    first.write_bytes(other)
    second.write_bytes(one)
    assert len(world.retention.verify().faults) == 2


def made_anew(world: World) -> None:
    """The attacker changes a plate and makes all seals anew, with the program's own code and a key of their own."""
    keyring = new_keyring("k1")
    with world.database.write() as connection:
        connection.execute(text("UPDATE sightings SET camera_id = 'elsewhere' WHERE sighting_id = 's0'"))
        table, link = METADATA.tables["evidence_chain"], FIRST_LINK
        sealed = METADATA.tables["sealed_records"]
        for row in connection.execute(table.select().order_by(table.c.sequence)).all():
            kept = connection.execute(sealed.select().where(sealed.c.sequence == row.sequence)).one()
            record = json.loads(kept.body)
            if row.sighting_id == "s0":
                record["sighting"]["camera_id"] = "elsewhere"
            body = canonical(record)
            values = (str(row.sequence), str(row.at_ns), row.event, row.sighting_id, "", commitment(kept.salt, body))
            link = keyring.seal("k1", "version 2", link, *values)
            changed = {"sha256": values[-1], "link": link}
            connection.execute(table.update().where(table.c.sequence == row.sequence).values(changed))
            connection.execute(sealed.update().where(sealed.c.sequence == row.sequence).values(body=body))
    attacker = RetentionManager(world.database, Vault(world.folder, keyring), world.clock)
    assert not [f for f in attacker.verify().faults if not f.endswith("the encrypted picture was changed")]


def test_a_chain_that_was_made_anew_shows(world: World) -> None:
    filled(world)
    made_anew(world)
    assert "chain: entry 1 was changed, or what stood before it" in world.retention.verify().faults


def last_three_deleted(world: World) -> None:
    with world.database.write() as connection:
        for table in ("evidence", "sightings"):
            connection.execute(text(f"DELETE FROM {table} WHERE sighting_id IN ('s1', 's2', 's3')"))  # noqa: S608
        for table in ("evidence_chain", "sealed_records"):
            connection.execute(text(f"DELETE FROM {table} WHERE sequence > 2"))  # noqa: S608 - constants


def all_deleted(world: World) -> None:
    with world.database.write() as connection:
        for table in reversed(METADATA.sorted_tables):
            connection.execute(table.delete())


def with_a_checkpoint(world: World) -> ChainReport:
    made = world.retention.checkpoint()
    assert made is not None
    folder = CheckpointFolder(world.folder.with_name("checkpoints"))
    if not folder.all():
        folder.add(made)
    return world.retention.verify(checkpoints=folder.all())


@pytest.mark.parametrize("deed", [last_three_deleted, all_deleted, made_anew])
def test_a_cut_end_shows_by_the_checkpoint(world: World, deed: Callable[[World], None]) -> None:
    for number in range(4):
        world.store.save(sighting(f"s{number}", VerdictKind.UNPAID, 1000), [replace(CROP, data=bytes([number]))])
    report = with_a_checkpoint(world)
    assert (report.faults, report.anchor and report.anchor.sequence, report.entries) == ((), 5, 5)
    deed(world)
    checkpoints = CheckpointFolder(world.folder.with_name("checkpoints")).all()
    assert any("checkpoint of " in fault for fault in world.retention.verify(checkpoints=checkpoints).faults)
    if deed is last_three_deleted:
        assert world.retention.verify().faults == ()  # a shorter chain is a chain: this is what the checkpoint is for


def test_a_checkpoint_says_how_far_it_reaches_and_is_worth_nothing_changed(world: World, tmp_path: Path) -> None:
    filled(world)
    checkpoint = world.retention.checkpoint()
    assert checkpoint is not None
    path = CheckpointFolder(tmp_path / "signed").add(checkpoint)
    assert load_checkpoint(path) == checkpoint
    world.store.save(sighting("later", VerdictKind.UNPAID, 3000))
    report = world.retention.verify(checkpoints=[checkpoint])
    assert report.anchor == checkpoint
    assert report.entries == checkpoint.sequence + 1
    forged = (
        replace(checkpoint, sequence=2),
        replace(checkpoint, at_ns=checkpoint.at_ns + 1),
        replace(checkpoint, link="0" * 64),
        replace(checkpoint, key="k7"),
        replace(checkpoint, public_key="0" * 64),
        replace(checkpoint, signature="0" * 128),
        replace(checkpoint, signature="no number"),
    )
    for each in forged:
        assert len(world.retention.verify(checkpoints=[each]).faults) == 1


@pytest.mark.parametrize("changed", ["", "{}", "[1]", "[" * 9000, '{"format": 2}', "\x00"])
def test_what_is_no_checkpoint_is_told_in_one_line(changed: str) -> None:
    with pytest.raises(InputError, match="not a checkpoint") as caught:
        parse_checkpoint(changed, "a.checkpoint")
    assert "\n" not in str(caught.value)


def test_new_keys_go_on_with_the_chain_and_dropped_ones_still_verify_it(world: World) -> None:
    filled(world)
    checkpoint = world.retention.checkpoint()
    assert checkpoint is not None
    rotated = world.keyring.rotated("k2")
    world.retention.reencrypt(rotated, "admin")
    dropped = rotated.without("k1")
    world.vault = Vault(world.folder, dropped)
    world.store.save(sighting("later", VerdictKind.UNPAID, 3000))
    report = world.retention.verify(checkpoints=[checkpoint])
    assert (report.faults, report.anchor) == ((), checkpoint)
    assert all("1AB2345" not in name for name in dropped.hashes("1AB2345"))
    assert {name.split(":")[0] for name in dropped.hashes("1AB2345")} == {"k2"}
    assert attack(world, "UPDATE sightings SET camera_id = 'x' WHERE sighting_id = 's0'")


def test_what_is_deleted_stays_verifiable_and_tells_nothing_of_the_plate(world: World) -> None:
    filled(world)
    checkpoint = world.retention.checkpoint()
    assert checkpoint is not None
    forgotten = world.retention.forget("1AB2345", "dpo")
    world.clock.ns += 1
    world.retention.purge({VerdictKind.UNPAID: 0.0, VerdictKind.PAID: 0.0}, "cron")
    report = world.retention.verify(checkpoints=[checkpoint])
    assert (report.faults, report.anchor) == ((), checkpoint)
    with world.database.read() as connection:
        left = repr([connection.execute(table.select()).all() for table in METADATA.sorted_tables])
    assert not [plate for plate in PLATES if plate in left]
    assert world.keyring.hash_plate("1AB2345").split(":")[-1] not in left
    noted = next(e for e in world.retention.audit() if e.action == "forgot")
    assert noted.subject == f"receipt {receipt_digest(forgotten.receipt, '1AB2345')}"
    assert forgotten.receipt not in left


def test_a_plate_struck_from_the_readings_of_another_is_gone_from_what_was_sealed_too(world: World) -> None:
    world.store.save(sighting("near", VerdictKind.REVIEW, 1000, "1A82345"), [CROP])
    world.retention.forget("1AB2345", "dpo")
    assert world.retention.verify().faults == ()
    with world.database.read() as connection:
        sealed = METADATA.tables["sealed_records"]
        rows = connection.execute(sealed.select().where(sealed.c.sighting_id == "near")).all()
    assert [("1AB2345" in row.body, "1A82345" in row.body) for row in rows] == [(False, True)]
    assert attack(world, "UPDATE sightings SET camera_id = 'x'")


def test_history_is_added_to_and_never_changed(world: World) -> None:
    filled(world)
    sealed = METADATA.tables["sealed_records"]
    mine = sealed.select().where(sealed.c.sighting_id == "s1").order_by(sealed.c.sequence)
    with world.database.read() as connection:
        bodies = [json.loads(row.body) for row in connection.execute(mine)]
    assert [body["event"] for body in bodies] == ["stored", "answered", "decided"]
    assert [json.loads(body["sighting"]["reasons"])["rule"] for body in bodies] == [
        "a-rule",
        "a-rule",
        "read-by-person",
    ]
    assert bodies[2]["facts"] == {"author": "jana", "before": "UNPAID", "after": "UNPAID", "rule": "read-by-person"}
    assert len(bodies[0]["evidence"]) == 2


@dataclass(frozen=True)
class OldChain:
    """A database as version 0.2.0 left it: the tables of migration 0003, and a chain that seals pictures alone."""

    world: World
    kept: str

    def link(self, sequence: int, before: str, event: str, kind: str, sha256: str) -> str:
        return self.world.keyring.seal("k1", before, str(sequence), "5", event, self.kept, kind, sha256)


def as_it_was(world: World) -> None:
    """Take a filled database of today back to what the older version would have written."""
    store = SqlSightingStore(world.database, world.vault, world.clock)
    store.save(sighting("old", VerdictKind.UNPAID, 1000), [CROP, FRAME])
    old, link = OldChain(world, "old"), FIRST_LINK
    with world.database.write() as connection:
        for table in ("evidence_chain", "sealed_records"):
            connection.execute(text(f"DELETE FROM {table}"))  # noqa: S608 - constants
        evidence = METADATA.tables["evidence"]
        for number, row in enumerate(connection.execute(evidence.select().order_by(evidence.c.kind)).all(), start=1):
            before, link = link, old.link(number, link, "stored", row.kind, row.sha256)
            values = {"at_ns": 5, "event": "stored", "sighting_id": "old", "kind": row.kind, "sha256": row.sha256}
            entry = {"sequence": number, **values, "key_id": "k1", "link": link}
            assert before != link
            connection.execute(METADATA.tables["evidence_chain"].insert().values(entry))
        later = ("accounts", "account_secrets", "known_lists", "known_plates", "unread_rows")
        for table in ("sealed_records", *later, "arrivals", "arrived_evidence", "known_matches"):
            connection.execute(text(f"DROP TABLE {table}"))
        crossed = ("camera_id_direction", "verdict_direction", "country_direction")
        for columns in ("camera_id_verdict", "direction", "camera_id_country", "verdict_country", *crossed):
            connection.execute(text(f"DROP INDEX ix_sightings_{columns}_last_seen_ns_sequence"))
        for plates in ("plates", "plates_of_cameras"):
            connection.execute(text(f"DROP INDEX ix_sightings_{plates}"))
        connection.execute(text("DROP INDEX ix_sightings_last_seen_ns_sequence_speed_lowest_kmh"))
        name = "ix_sightings_plate_key_last_seen_ns"
        connection.execute(text(f"CREATE INDEX {name} ON sightings (plate_key, last_seen_ns)"))
        for table, column in (
            ("evidence_chain", "version"),
            ("sightings", "provenance"),
            ("sightings", "direction"),
            ("sightings", "known"),
            *(("sightings", f"speed_{of}") for of in ("kmh", "lowest_kmh", "highest_kmh")),
            ("registry_imports", "sha256"),
            ("registry_imports", "contents"),
            ("registry_imports", "seal"),
        ):
            connection.execute(text(f"ALTER TABLE {table} DROP COLUMN {column}"))
        connection.execute(text("UPDATE alembic_version SET version_num = '0003'"))


def test_a_database_of_the_older_version_still_verifies_and_says_that_less_is_sealed(world: World) -> None:
    as_it_was(world)
    world.database.migrate()
    report = world.retention.verify()
    assert (report.faults, report.sealed, report.older, report.entries) == ((), 0, 1, 2)
    world.store.save(sighting("new", VerdictKind.UNPAID, 2000), [replace(CROP, data=b"new")])
    report = world.retention.verify()
    assert (report.faults, report.sealed, report.older, report.entries) == ((), 1, 1, 4)
    assert attack(world, "UPDATE evidence SET sha256 = 'ab' WHERE sighting_id = 'old' AND kind = 'crop'")


def test_an_older_sighting_is_sealed_whole_once_it_is_decided(world: World) -> None:
    as_it_was(world)
    world.database.migrate()
    world.store.decide("old", replace(world.store.get("old").verdict, rule="read-by-person"), "jana")
    report = world.retention.verify()
    assert (report.faults, report.sealed, report.older) == ((), 1, 0)
    assert attack(world, "UPDATE sightings SET camera_id = 'elsewhere'")


def test_an_older_chain_loses_nothing_by_purge_and_deletion(world: World) -> None:
    as_it_was(world)
    world.database.migrate()
    world.clock.ns += 400 * DAY_NS
    world.retention.purge({VerdictKind.UNPAID: 90.0}, "cron")
    assert world.retention.verify().faults == ()
    assert world.pictures() == []
    shutil.rmtree(world.folder)
    assert world.retention.verify().faults == ()
