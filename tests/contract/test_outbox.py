"""What every outbox promises: in memory, on SQLite and on a real PostgreSQL."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

import numpy as np
import pytest
from sqlalchemy import delete

from roadside.adapters.encryption import new_keyring
from roadside.adapters.sql import Database, SqlSightingStore, Vault, open_database, open_embedded
from roadside.adapters.sql.outbox import SqlOutbox
from roadside.adapters.sql.schema import OUTBOX, SIGHTINGS
from roadside.adapters.system_clock import SystemClock
from roadside.core.frames import CameraId
from roadside.core.notices import Draft, OutboxCounts
from roadside.core.reads import FusedPlate
from roadside.core.sightings import Sighting, Verdict, VerdictKind
from tests.databases import KINDS, fresh_postgres, postgres
from tests.outboxes import MemoryOutbox
from tests.waiting import PLENTY_S

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from sqlalchemy import Connection

    from roadside.ports.notify import Outbox
    from tests.servers import PostgresServer


class World(Protocol):
    """An outbox and what happens to the sightings that it follows."""

    @property
    def outbox(self) -> Outbox: ...

    def save(self, *names: str) -> None: ...

    def decide(self, name: str, kind: VerdictKind) -> None: ...

    def purge(self, name: str) -> None: ...


@dataclass
class MemoryWorld:
    outbox: MemoryOutbox = field(default_factory=MemoryOutbox)

    def save(self, *names: str) -> None:
        for name in names:
            self.outbox.save(sighting(name))

    def decide(self, name: str, kind: VerdictKind) -> None:
        self.outbox.decide(name, verdict(kind))

    def purge(self, name: str) -> None:
        self.outbox.purge(name)


@dataclass
class SqlWorld:
    database: Database
    store: SqlSightingStore
    outbox: SqlOutbox

    def save(self, *names: str) -> None:
        for name in names:
            self.store.save(sighting(name))

    def decide(self, name: str, kind: VerdictKind) -> None:
        self.store.decide(name, verdict(kind), "a test")

    def purge(self, name: str) -> None:
        with self.database.write() as connection:
            for table in (OUTBOX, SIGHTINGS):
                connection.execute(delete(table).where(table.c.sighting_id == name))


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    with postgres() as running:
        yield running


def sql_world(kind: str, request: pytest.FixtureRequest, folder: Path) -> SqlWorld:
    if kind == "sqlite":
        database = open_embedded(folder / "roadside.db")
    else:
        database = open_database(fresh_postgres(request.getfixturevalue("server")))
        database.migrate()
    store = SqlSightingStore(database, Vault(folder / "evidence", new_keyring("k1")), SystemClock())
    return SqlWorld(database, store, SqlOutbox(database))


@pytest.fixture(params=("memory", *KINDS))
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    if request.param == "memory":
        yield MemoryWorld()
        return
    made = sql_world(request.param, request, tmp_path)
    yield made
    made.database.close()


def verdict(kind: VerdictKind) -> Verdict:
    return Verdict(kind, "a-rule", 0.25, 0.5)


def sighting(name: str) -> Sighting:
    rows = np.full((7, 36), 1 / 36, np.float32)
    plate = FusedPlate("1AB2345", "1AB2345", "CZ", 0.9, rows, (), (), 2)
    return Sighting(name, CameraId("gate"), f"t-{name}", 995, 1000, plate, verdict(VerdictKind.UNKNOWN))


def compose(seen: Sighting) -> Sequence[Draft]:
    return [Draft("hook", f"{seen.sighting_id} {seen.verdict.kind}")]


def bodies(world: World, now_ns: int = 10) -> list[str]:
    return [notice.body for notice in world.outbox.due(now_ns)]


def test_each_sighting_and_each_change_is_looked_at_once(world: World) -> None:
    world.save("s0", "s1", "s2")
    assert world.outbox.collect(compose, 10) == 3
    assert world.outbox.collect(compose, 10) == 0
    world.decide("s1", VerdictKind.UNPAID)
    assert world.outbox.collect(compose, 20) == 1
    assert bodies(world, 20) == ["s0 UNKNOWN", "s1 UNKNOWN", "s2 UNKNOWN", "s1 UNPAID"]
    assert bodies(world, 10) == ["s0 UNKNOWN", "s1 UNKNOWN", "s2 UNKNOWN"]


def test_one_of_several_notifiers_has_a_notice_for_a_time(world: World) -> None:
    world.save("s0")
    world.outbox.collect(compose, 10)
    (first,), (second,) = world.outbox.due(10), world.outbox.due(10)
    assert world.outbox.claim(first, 10, 50)
    assert not world.outbox.claim(second, 10, 50)
    assert not world.outbox.due(49)
    (again,) = world.outbox.due(50)  # whoever had it is dead
    assert world.outbox.claim(again, 50, 90)
    world.outbox.delivered(again)
    assert not world.outbox.claim(again, 1000, 2000)
    assert not world.outbox.due(1000)


def test_what_nobody_wants_to_know_is_looked_at_once_too(world: World) -> None:
    world.save("s0")
    assert world.outbox.collect(lambda _: (), 10) == 0
    assert world.outbox.collect(compose, 10) == 0


def test_the_first_start_passes_over_the_past_and_a_later_one_over_nothing(world: World) -> None:
    world.save("last year")
    world.outbox.start_here()
    world.save("s0")
    world.outbox.start_here()
    assert world.outbox.collect(compose, 10) == 1
    assert bodies(world) == ["s0 UNKNOWN"]


def test_the_past_can_be_told_too_and_nobody_is_told_twice(world: World) -> None:
    world.save("last year")
    world.outbox.start_here()
    world.save("s0")
    world.outbox.collect(compose, 10)
    world.outbox.include_past()
    assert world.outbox.collect(compose, 20) == 1
    assert bodies(world, 20) == ["s0 UNKNOWN", "last year UNKNOWN"]
    for notice in world.outbox.due(20):
        world.outbox.delivered(notice)
    world.outbox.include_past()
    assert world.outbox.collect(compose, 30) == 0
    assert world.outbox.collect(lambda seen: [Draft("new", seen.sighting_id)], 30) == 0, "it was looked at"
    world.outbox.include_past()
    assert world.outbox.collect(lambda seen: [Draft("new", seen.sighting_id)], 30) == 2
    world.decide("s0", VerdictKind.UNPAID)
    assert world.outbox.collect(compose, 40) == 1, "a change is told, whatever was told before"


def test_a_sighting_may_have_a_notice_for_each_channel_or_be_gone(world: World) -> None:
    world.save("s0", "gone")
    world.purge("gone")

    def twice(seen: Sighting) -> Sequence[Draft]:
        return [Draft(channel, seen.sighting_id) for channel in ("hook", "home")]

    assert world.outbox.collect(twice, 10) == 2
    assert [(n.channel, n.body, n.sighting_id) for n in world.outbox.due(10)] == [
        ("hook", "s0", "s0"),
        ("home", "s0", "s0"),
    ]


def test_a_failed_notice_comes_again_later_and_one_given_up_does_not(world: World) -> None:
    world.save("s0", "s1", "s2")
    world.outbox.collect(compose, 10)
    assert world.outbox.counts() == OutboxCounts(waiting=3, given_up=0)
    first, second, third = world.outbox.due(10)
    world.outbox.delivered(first)
    world.outbox.failed(second, "HTTP 500", next_at_ns=50)
    world.outbox.failed(third, "HTTP 503", next_at_ns=None)
    assert world.outbox.due(49) == []
    (again,) = world.outbox.due(50)
    assert (again.notification_id, again.attempts, again.fault) == (second.notification_id, 1, "HTTP 500")
    assert [(n.sighting_id, n.attempts, n.fault) for n in world.outbox.dead()] == [("s2", 1, "HTTP 503")]
    assert world.outbox.counts() == OutboxCounts(waiting=1, given_up=1)


def test_what_was_given_up_is_revived_as_if_never_sent(world: World) -> None:
    world.save("s0", "s1")
    world.outbox.collect(compose, 10)
    for notice in world.outbox.due(10):
        world.outbox.failed(notice, "HTTP 500", next_at_ns=None)
    assert world.outbox.revive(60) == 2
    assert world.outbox.revive(60) == 0
    assert world.outbox.due(59) == []
    assert [(n.body, n.attempts) for n in world.outbox.due(60)] == [("s0 UNKNOWN", 0), ("s1 UNKNOWN", 0)]
    assert world.outbox.dead() == []


def test_the_oldest_come_first_and_no_more_than_asked_for(world: World) -> None:
    world.save("s0", "s1", "s2")
    world.outbox.collect(compose, 10)
    assert [n.sighting_id for n in world.outbox.due(10, limit=2)] == ["s0", "s1"]


def test_a_notice_that_is_gone_meanwhile_is_nobodys_fault(world: World) -> None:
    world.save("s0", "s1")
    world.outbox.collect(compose, 10)
    first, second = world.outbox.due(10)
    world.purge("s0")
    world.purge("s1")
    world.outbox.delivered(first)
    world.outbox.failed(second, "HTTP 500", next_at_ns=None)
    assert world.outbox.counts() == OutboxCounts(waiting=0, given_up=0)


class SlowVault(Vault):
    """Forgets a picture, within the transaction that changes a verdict, when it is told to go on."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, new_keyring("k1"))
        self.reached = threading.Event()
        self.go_on = threading.Event()

    def forget(self, connection: Connection, ids: Sequence[str]) -> list[str]:
        self.reached.set()
        assert self.go_on.wait(PLENTY_S)
        return super().forget(connection, ids)


@pytest.mark.parametrize("kind", ["postgresql"])
def test_a_change_that_is_committed_late_is_not_passed_over(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    """PostgreSQL numbers a change when it is written and shows it when it is committed."""
    world = sql_world(kind, request, tmp_path)
    vault = SlowVault(tmp_path / "slow")
    slow_store = SqlSightingStore(world.database, vault, SystemClock())
    world.save("slow", "fast")
    world.outbox.start_here()
    slow = threading.Thread(target=lambda: slow_store.decide("slow", verdict(VerdictKind.PAID), "a test"))
    fast = threading.Thread(target=lambda: world.decide("fast", VerdictKind.UNPAID))
    slow.start()
    assert vault.reached.wait(PLENTY_S)
    fast.start()
    fast.join(0.5)
    found = world.outbox.collect(compose, 10)
    vault.go_on.set()
    for thread in (slow, fast):
        thread.join(PLENTY_S)
    found += world.outbox.collect(compose, 10)
    world.database.close()
    assert found == 2
