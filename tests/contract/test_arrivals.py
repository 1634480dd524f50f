"""What is stored side by side: one order, each sealed in it, and nothing sealed that came by another way."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING

from sqlalchemy import text

from roadside.adapters.sql import arrivals
from roadside.adapters.sql.bell import open_bell
from roadside.adapters.sql.locks import Lock
from roadside.core.sightings import VerdictKind
from tests.contract.test_store import CROP, FRAME, World, server, sighting, world
from tests.waiting import PLENTY_S, wait_for

if TYPE_CHECKING:
    import pytest

__all__ = ["server", "world"]  # fixtures of another file


def left_behind(world: World, *names: str) -> None:
    """As by one who was killed before its arrivals had their places."""
    store = arrivals.Arrivals(world.database, world.vault, world.clock)
    with world.database.write() as connection:
        store.write_down(connection, [arrivals.Arrival(sighting(name, VerdictKind.UNPAID, 1000)) for name in names])


def names_after(world: World, sequence: int = 0) -> list[str]:
    return [seen.sighting_id for seen in world.store.after(sequence, 1000)]


def test_many_are_stored_at_once_in_their_order_and_once(world: World) -> None:
    known = world.store.save(sighting("s3", VerdictKind.REVIEW, 1000))
    seen = [(sighting(f"s{number}", VerdictKind.UNPAID, 1000 + number), (CROP, FRAME)) for number in range(6)]
    kept = world.store.save_all([*seen, seen[0]])
    assert [each.sighting_id for each in kept] == ["s0", "s1", "s2", "s3", "s4", "s5", "s0"]
    assert kept[3].verdict == known.verdict
    assert names_after(world) == ["s3", "s0", "s1", "s2", "s4", "s5"]
    assert {len(each.evidence) for each in kept} == {0, 2}
    assert (report := world.retention.verify()).faults == ()
    assert report.sealed == 6


def test_what_a_killed_process_left_is_told_by_nothing_until_it_is_sealed(world: World) -> None:
    left_behind(world, "a", "b")
    assert names_after(world) == []
    assert world.retention.verify().sealed == 0
    world.store.settle()
    assert names_after(world) == ["a", "b"]
    assert ((report := world.retention.verify()).faults, report.sealed) == ((), 2)


def test_who_stores_next_brings_along_what_was_left(world: World) -> None:
    left_behind(world, "a")
    world.store.save(sighting("b", VerdictKind.UNPAID, 1000))
    assert names_after(world) == ["a", "b"]


def test_a_plate_is_forgotten_though_it_is_on_its_way(world: World) -> None:
    left_behind(world, "a")
    assert world.retention.forget("1AB2345", "dpo").sightings == 1
    with world.database.read() as connection:
        assert connection.execute(text("SELECT count(*) FROM arrivals")).scalar_one() == 0


def test_what_somebody_without_the_keys_writes_is_not_sealed_and_shows(world: World) -> None:
    left_behind(world, "a", "b", "c")
    with world.database.write() as connection:
        connection.execute(text("UPDATE arrivals SET camera_id = 'elsewhere' WHERE sighting_id = 'a'"))
        connection.execute(text("UPDATE arrivals SET key_id = 'k9' WHERE sighting_id = 'c'"))
    world.store.settle()
    assert names_after(world) == ["b"]
    faults = world.retention.verify().faults
    assert [fault.split(":")[0] for fault in faults] == ["a", "c"]


def test_who_follows_the_order_misses_nothing_while_many_store(world: World) -> None:
    """Sequences of a database become visible in the order of commits; those of sightings in their own."""
    ended, seen = threading.Event(), list[int]()

    def follow() -> None:
        while not ended.is_set() or len(seen) < world.store.newest_sequence():
            position = seen[-1] if seen else 0
            seen.extend(each.sequence for each in world.store.after(position, 1000))

    def store(writer: int) -> None:
        for number in range(5):
            some = [sighting(f"{writer}-{number}-{each}", VerdictKind.UNPAID, 1000) for each in range(3)]
            world.store.save_all([(each, ()) for each in some])

    follower = threading.Thread(target=follow)
    writers = [threading.Thread(target=store, args=(number,)) for number in range(4)]
    for thread in (follower, *writers):
        thread.start()
    for thread in writers:
        thread.join()
    ended.set()
    follower.join(PLENTY_S)
    assert seen == sorted(seen)
    assert len(seen) == 60
    assert ((report := world.retention.verify()).faults, report.sealed) == ((), 60)


def test_storing_waits_for_nobody_and_one_commit_serves_all_who_came(world: World) -> None:
    if world.database.is_sqlite:
        return  # it has one writer
    with world.database.write() as holder:
        holder.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": int(Lock.SAVE)})
        threads = [
            threading.Thread(target=world.store.save, args=(sighting(f"s{each}", VerdictKind.UNPAID, 1000),))
            for each in range(4)
        ]
        for thread in threads:
            thread.start()

        def all_written() -> bool:
            with world.database.read() as connection:
                return bool(connection.execute(text("SELECT count(*) FROM arrivals")).scalar_one() == len(threads))

        wait_for(all_written, "four arrivals while another has the lock")
    for thread in threads:
        thread.join()
    with world.database.read() as connection:
        commits = connection.execute(text("SELECT count(DISTINCT xmin::text) FROM sightings")).scalar_one()
    assert commits == 1


def test_the_bell_rings_for_what_is_stored(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("roadside.adapters.sql.bell.SURE_EVERY_S", 10 * PLENTY_S)
    bell, stopping, rang = open_bell(world.database), threading.Event(), threading.Event()
    assert not bell.wait(stopping)

    def listen() -> None:
        bell.wait(stopping)
        rang.set()

    listener = threading.Thread(target=listen)
    listener.start()
    world.store.save(replace(sighting("s", VerdictKind.UNPAID, 1000)))
    assert rang.wait(PLENTY_S)
    stopping.set()
    listener.join()
    assert bell.wait(stopping)
    bell.close()


def test_the_bell_goes_on_after_its_connection_was_lost(world: World) -> None:
    if world.database.is_sqlite:
        return
    bell, stopping = open_bell(world.database), threading.Event()
    bell.wait(stopping)
    ends = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN%'"
    with world.database.write() as connection:
        connection.execute(text(ends))
    assert not bell.wait(stopping)  # looked into as a file is
    assert not bell.wait(stopping)  # it listens again
    world.store.save(sighting("s", VerdictKind.UNPAID, 1000))
    assert not bell.wait(stopping)
    bell.close()
