"""What is changed by hand in the registry's lists and in the record of its imports shows, on both databases."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from roadside.adapters.encryption import new_keyring
from roadside.adapters.sql import SqlSightingStore, Vault, open_embedded
from roadside.adapters.sql.import_seals import import_faults, newest_seal, seal_import
from roadside.adapters.sql.retention import RetentionManager
from roadside.adapters.sql.verification import walked
from roadside.core.moments import PassageTime
from roadside.core.sightings import VerdictKind
from roadside.core.vignettes import CandidateQuery
from tests.clocks import HandClock
from tests.contract.test_registry import JULY_NS, World, listed, server, world
from tests.contract.test_store import sighting

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["server", "world"]  # fixtures

PAID = ("1AB2345", "2BC3456", "3CD4567")
UNREAD = "9ZZ0001,CZ,soon,2026-12-31,car\n"
EXEMPT = "pattern,country,reason\n1P*,CZ,police\n"

ATTACKS = (
    "DELETE FROM vignettes WHERE plate = '1AB2345'",
    "UPDATE vignettes SET valid_to_ns = valid_from_ns + 1 WHERE plate = '1AB2345'",
    "UPDATE vignettes SET head = 'none' WHERE plate = '1AB2345'",
    "UPDATE vignettes SET import_id = 9 WHERE plate = '1AB2345'",
    (
        "INSERT INTO vignettes SELECT '4DE5678', country, category, valid_from_ns, valid_to_ns, head, tail, import_id "
        "FROM vignettes WHERE plate = '1AB2345'"
    ),
    "DELETE FROM exemptions",
    "UPDATE exemptions SET reason = 'army'",
    "DELETE FROM unread_rows",
    "UPDATE unread_rows SET plate = '9ZZ0002'",
    "UPDATE registry_imports SET at_ns = at_ns - 1 WHERE import_id = 1",
    "UPDATE registry_imports SET source = 'other.csv' WHERE import_id = 1",
    "UPDATE registry_imports SET sha256 = NULL WHERE import_id = 2",
    "UPDATE registry_imports SET rejected = 0",
    "UPDATE registry_imports SET contents = NULL",
    "UPDATE registry_imports SET seal = NULL",
    "DELETE FROM registry_imports WHERE import_id = 1",
    "DELETE FROM registry_imports",
    (
        "INSERT INTO registry_imports (at_ns, content, source, added, removed, kept, rejected) "
        "VALUES (5, 'vignettes', 'mine.csv', 1, 0, 3, 0)"
    ),
)
"""What somebody who may write to every table of the registry could do."""


class Kept:
    """A registry with its imports, and the evidence of what was judged by them."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.vault = Vault(world.folder / "evidence", new_keyring("k1"))
        self.retention = RetentionManager(world.database, self.vault, HandClock())

    def take_lists(self) -> None:
        self.world.load(listed(PAID[:2]))
        self.world.exempt(EXEMPT)
        self.world.load(listed(PAID) + UNREAD)

    def judge(self, name: str) -> None:
        """Store a sighting that was judged by the lists as they are."""
        answer = self.world.registry.search(CandidateQuery((), (), (), 0.0), PassageTime.at(JULY_NS))
        seen = sighting(name, VerdictKind.UNPAID, 1000, "7XY1234")
        seen = replace(seen, verdict=replace(seen.verdict, basis=(("registry", answer.version),)))
        SqlSightingStore(self.world.database, self.vault, HandClock()).save(seen, [])

    def faults(self) -> Sequence[str]:
        return self.retention.verify(registry=self.world.database).faults


@pytest.fixture
def kept(world: World) -> Kept:
    made = Kept(world)
    made.take_lists()
    return made


def seal_anew(kept: Kept) -> None:
    """What somebody who knows the program can do without its keys: digests and seals that fit."""
    with kept.world.database.write() as connection:
        numbers = connection.execute(text("SELECT import_id FROM registry_imports ORDER BY import_id")).scalars().all()
        for number in numbers:
            seal_import(connection, number)


def test_lists_that_were_left_alone_are_sound(kept: Kept) -> None:
    assert kept.faults() == ()
    kept.judge("s0")
    kept.retention.seal_lists(kept.world.database)
    assert kept.faults() == ()
    report = kept.retention.verify(registry=kept.world.database)
    assert (report.sealed_import, report.newer_imports) == (3, 0)
    kept.world.load(listed(PAID))
    report = kept.retention.verify(registry=kept.world.database)
    assert (report.faults, report.sealed_import, report.newer_imports) == ((), 3, 1)


def test_whatever_is_written_into_the_registry_shows(kept: Kept) -> None:
    kept.judge("s0")
    unseen = []
    with kept.world.database.session() as connection:
        for attack in ATTACKS:
            transaction = connection.begin()
            connection.execute(text(attack))
            if not tuple(import_faults(connection, walked(connection, kept.vault).imports)):
                unseen.append(attack)
            transaction.rollback()
    assert unseen == []
    assert kept.faults() == ()


@pytest.mark.parametrize("sealed", ["by a sighting", "by the import"])
def test_lists_that_were_changed_and_sealed_anew_show_by_the_chain(kept: Kept, sealed: str) -> None:
    if sealed == "by a sighting":
        kept.judge("s0")
    else:
        kept.retention.seal_lists(kept.world.database)
    with kept.world.database.write() as connection:
        connection.execute(text("DELETE FROM vignettes WHERE plate = '1AB2345'"))
    seal_anew(kept)
    assert any("registry: import 3" in fault for fault in kept.faults())


def test_another_registry_in_the_place_of_the_one_that_was_asked_shows(
    kept: Kept, tmp_path_factory: pytest.TempPathFactory
) -> None:
    kept.judge("s0")
    other = World(open_embedded(tmp_path_factory.mktemp("other") / "r.db"), kept.world.folder)
    other.load(listed(["4DE5678"]))
    faults = kept.retention.verify(registry=other.database).faults
    other.database.close()
    assert [fault for fault in faults if "another registry" in fault]


def test_the_digest_is_the_same_in_either_database(world: World, tmp_path_factory: pytest.TempPathFactory) -> None:
    other = World(open_embedded(tmp_path_factory.mktemp("other") / "r.db"), world.folder)
    seals = []
    for each in (world, other):
        Kept(each).take_lists()
        with each.database.read() as connection:
            seals.append(newest_seal(connection))
    other.database.close()
    assert seals[0] == seals[1]


def test_imports_of_an_older_version_are_no_faults(kept: Kept) -> None:
    with kept.world.database.write() as connection:
        connection.execute(text("UPDATE registry_imports SET seal = NULL, contents = NULL"))
    assert kept.faults() == ()
    kept.world.load(listed([*PAID, "5EF6789"]))
    kept.judge("s0")
    assert kept.faults() == ()
