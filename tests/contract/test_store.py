"""What every store and registry promises, on SQLite and on a real PostgreSQL."""

from __future__ import annotations

import sqlite3
import threading
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import event, text

from roadside.adapters.encryption import Keyring, new_keyring
from roadside.adapters.sql import (
    Database,
    SqlRegistry,
    SqlSightingStore,
    Vault,
    import_exemptions,
    import_vignettes,
    open_database,
    open_embedded,
)
from roadside.adapters.sql.retention import RetentionManager
from roadside.adapters.sql.reviews import Reviews
from roadside.adapters.sql.schema import METADATA
from roadside.core.confusions import typical
from roadside.core.frames import Box, CameraId
from roadside.core.moments import PassageTime
from roadside.core.reads import ALPHABET, FusedPlate, Hypothesis
from roadside.core.reviews import Correction, ReviewAction
from roadside.core.sightings import (
    Answer,
    Picture,
    PictureKind,
    Reading,
    Sighting,
    SightingQuery,
    Statement,
    Verdict,
    VerdictKind,
)
from roadside.core.verdict import Policy
from roadside.core.vignettes import CandidateQuery, Exemption, Vignette
from roadside.errors import (
    InputError,
    NotFoundError,
    RegistryUnavailableError,
    SettingsError,
    StoreUnavailableError,
)
from roadside.plates.review import Reviewing
from roadside.registry.judge import Judge
from roadside.registry.recheck import recheck
from roadside.registry.vignette_file import BadRow
from tests.clocks import HandClock
from tests.databases import KINDS, fresh_postgres, postgres

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.servers import PostgresServer

DAY_NS = 86_400 * 10**9
GATE = CameraId("gate")
CROP = Picture(PictureKind.CROP, "image/png", b"a crop", Box(1, 2, 30, 12.5))
FRAME = Picture(PictureKind.FRAME, "image/jpeg", b"a frame")


@dataclass
class World:
    database: Database
    vault: Vault
    clock: HandClock
    folder: Path
    keyring: Keyring

    @property
    def store(self) -> SqlSightingStore:
        return SqlSightingStore(self.database, self.vault, self.clock)

    @property
    def retention(self) -> RetentionManager:
        return RetentionManager(self.database, self.vault, self.clock)

    @property
    def registry(self) -> SqlRegistry:
        return SqlRegistry(self.database, grace_s=0.0, max_age_days=0.0)

    def seen(self, plate: str) -> set[str]:
        """The sightings that are known to be of a plate, by its text or by its hash."""
        hashes = self.vault.keyring.hashes(plate)
        rows = METADATA.tables["sightings"]
        with self.database.read() as connection:
            return {
                row.sighting_id
                for row in connection.execute(rows.select())
                if row.plate_key == plate or row.plate_hash in hashes
            }

    def pictures(self) -> list[Path]:
        return sorted(path for path in self.folder.glob("??/*") if path.is_file())


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


def plate(text_: str = "1AB2345", sure: float = 0.999) -> FusedPlate:
    rows = np.full((len(text_), 36), 1e-9, np.float32)
    rows[np.arange(len(text_)), [ALPHABET.index(c) for c in text_]] = 1.0
    rows /= rows.sum(axis=1, keepdims=True)
    return FusedPlate(
        text_,
        text_.lower(),
        "CZ",
        sure,
        rows,
        (Hypothesis(text_, "CZ", -0.1),),
        (("CZ", 0.9),),
        3,
        (),
    )


def sighting(name: str, kind: VerdictKind, at_ns: int, seen: str = "1AB2345", camera: str = "gate") -> Sighting:
    verdict = Verdict(
        kind,
        "a-rule",
        0.25,
        0.5,
        (Reading("1AB2345", 0.9, paid=True, exempt=False), Reading("1A82345", 0.1, paid=False, exempt=True)),
        (Vignette("1AB2345", "CZ", "car", 1, 2),),
        (Exemption("EL*", "CZ", "electric", 3, 4),),
        (Vignette("1AB2345", "CZ", "car", 0, 1),),
    )
    return Sighting(name, CameraId(camera), f"t-{name}", at_ns - 5, at_ns, plate(seen), verdict)


def test_the_migrations_make_the_tables_that_the_program_knows(world: World) -> None:
    with world.database.read() as connection:
        assert compare_metadata(MigrationContext.configure(connection), METADATA) == []
    world.database.check_migrated()
    world.database.migrate()


def test_a_database_without_tables_is_told_apart(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="migrate"):
        open_database(f"sqlite:///{tmp_path}/empty.db").check_migrated()


def test_a_sighting_comes_back_as_it_was_saved(world: World) -> None:
    given = sighting("s1", VerdictKind.UNPAID, 1000)
    kept = world.store.save(given, [CROP, FRAME])
    again = world.store.get("s1")
    assert again.verdict == given.verdict
    assert again.plate is not None
    assert given.plate is not None
    assert np.array_equal(again.plate.posterior, given.plate.posterior)
    assert replace(again.plate, posterior=given.plate.posterior) == given.plate
    assert [(e.kind, e.size_bytes, e.box) for e in again.evidence] == [
        (PictureKind.CROP, 6, CROP.box),
        (PictureKind.FRAME, 7, None),
    ]
    assert again.sequence == kept.sequence > 0


def test_a_sighting_is_kept_once_however_often_it_is_saved(world: World) -> None:
    first = world.store.save(sighting("s1", VerdictKind.REVIEW, 1000), [CROP])
    second = world.store.save(sighting("s1", VerdictKind.PAID, 2000), [FRAME])
    assert second.sequence == first.sequence
    assert second.verdict.kind is VerdictKind.REVIEW
    assert len(world.store.find(SightingQuery()).sightings) == 1


def test_many_threads_saving_one_sighting_keep_one(world: World) -> None:
    faults: list[Exception] = []

    def save(number: int) -> None:
        try:
            for name in ("same", f"own-{number}"):
                world.store.save(sighting(name, VerdictKind.UNPAID, 1000), [CROP])
        except Exception as error:  # noqa: BLE001 - whatever it is, the test must see it
            faults.append(error)

    threads = [threading.Thread(target=save, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    names = [s.sighting_id for s in world.store.after(0, 100)]
    assert sorted(names) == ["own-0", "own-1", "own-2", "own-3", "same"]
    assert world.retention.verify().faults == ()


@pytest.mark.parametrize("kind", [VerdictKind.PAID, VerdictKind.EXEMPT])
def test_of_paid_and_exempt_only_a_keyed_hash_is_kept(world: World, kind: VerdictKind) -> None:
    kept = world.store.save(sighting("s1", kind, 1000), [CROP, FRAME])
    assert kept.plate is None
    assert kept.evidence == ()
    assert kept.plate_hash == world.keyring.hash_plate("1AB2345")
    assert world.pictures() == []
    with world.database.read() as connection:
        row = connection.execute(text("SELECT * FROM sightings")).one()
    assert "1AB2345" not in repr(row).upper()
    assert "1A82345" not in repr(row).upper()


def test_pictures_lie_encrypted_and_a_look_is_written_down(world: World) -> None:
    world.store.save(sighting("s1", VerdictKind.REVIEW, 1000), [CROP])
    (path,) = world.pictures()
    assert CROP.data not in path.read_bytes()
    assert world.store.picture("s1", PictureKind.CROP, "jana") == CROP.data
    entry = world.retention.audit()[0]
    assert (entry.actor, entry.action, entry.subject) == ("jana", "looked", "s1")
    with pytest.raises(NotFoundError):
        world.store.picture("s1", PictureKind.FRAME, "jana")
    with pytest.raises(NotFoundError):
        world.store.get("s2")


def test_pages_hold_every_sighting_once_newest_first(world: World) -> None:
    for number in range(7):
        world.store.save(sighting(f"s{number}", VerdictKind.UNPAID, 1000 + number // 2))
    names: list[str] = []
    query = SightingQuery(limit=3)
    while True:
        page = world.store.find(query)
        names += [s.sighting_id for s in page.sightings]
        world.store.save(sighting(f"late-{len(names)}", VerdictKind.UNPAID, 5000))
        if not page.next_page_token:
            break
        query = replace(query, page_token=page.next_page_token)
    assert names == ["s6", "s5", "s4", "s3", "s2", "s1", "s0"]
    with pytest.raises(InputError):
        world.store.find(SightingQuery(page_token="nonsense"))  # noqa: S106 - no password


def test_sightings_are_found_by_what_is_known_of_them(world: World) -> None:
    world.store.save(sighting("a", VerdictKind.UNPAID, 1000, "1AB2345"))
    world.store.save(sighting("b", VerdictKind.REVIEW, 2000, "1AB2346", camera="exit"))
    world.store.save(sighting("c", VerdictKind.UNKNOWN, 3000, "LS15EBC"))

    def found(query: SightingQuery) -> list[str]:
        return [s.sighting_id for s in world.store.find(query).sightings]

    assert found(SightingQuery(verdict=VerdictKind.REVIEW)) == ["b"]
    assert found(SightingQuery(camera_id=CameraId("exit"))) == ["b"]
    assert found(SightingQuery(since_ns=2000, until_ns=3000)) == ["b"]
    assert found(SightingQuery(plate_prefix="1ab")) == ["b", "a"]
    assert found(SightingQuery(plate_like="1A82345")) == ["a"]
    assert found(SightingQuery(plate_like="LSI5EB")) == ["c"]
    assert found(SightingQuery(country="CZ")) == ["c", "b", "a"]
    assert found(SightingQuery(country="UK")) == []


def test_a_watch_resumes_after_a_sequence(world: World) -> None:
    saved = [world.store.save(sighting(f"s{n}", VerdictKind.UNPAID, 9000 - n)) for n in range(4)]
    assert [s.sighting_id for s in world.store.after(saved[1].sequence, 10)] == ["s2", "s3"]


def test_a_watch_goes_on_after_a_sighting_that_was_deleted_since(world: World) -> None:
    for name, kind in (("s1", VerdictKind.UNPAID), ("s2", VerdictKind.PAID), ("s3", VerdictKind.UNPAID)):
        world.store.save(sighting(name, kind, 1000))
    world.store.save(sighting("s4", VerdictKind.PAID, 1000))
    world.clock.advance(10 * 86_400)
    world.retention.purge({VerdictKind.PAID: 1}, "a test")
    assert [s.sighting_id for s in world.store.after(0, 10)] == ["s1", "s3"]
    for name, following in (("s1", ["s3"]), ("s2", ["s3"]), ("s3", []), ("s4", [])):
        after = world.store.resume_after(name)
        assert [s.sighting_id for s in world.store.after(after, 10)] == following, name
    world.store.save(sighting("s5", VerdictKind.UNPAID, 1000))
    assert [s.sighting_id for s in world.store.after(world.store.resume_after("s4"), 10)] == ["s5"]
    with pytest.raises(NotFoundError):
        world.store.resume_after("never there")


def test_a_plate_is_known_by_hash_or_by_text(world: World) -> None:
    world.store.save(sighting("paid", VerdictKind.PAID, 1000))
    world.store.save(sighting("unpaid", VerdictKind.UNPAID, 2000))
    world.store.save(sighting("other", VerdictKind.UNPAID, 3000, "9ZZ9999"))
    assert world.seen("1AB2345") == {"unpaid", "paid"}


def vignettes(*plates: str, start: int = 0, end: int = 10_000) -> list[Vignette | BadRow]:
    return [Vignette(p, "CZ", "car", start, end) for p in plates]


def test_a_list_tells_from_when_on_it_knows_anything(world: World) -> None:
    query = CandidateQuery(("1AB2345",), (), (), 0.0)
    for begins in (700, 300):
        import_vignettes(world.database, [Vignette("2CD3456", "CZ", "", begins, 900)], "f", begins)
        assert world.registry.search(query, PassageTime.at(5)).begins_ns == begins


def test_a_passage_is_paid_if_any_moment_of_it_is(world: World) -> None:
    import_vignettes(world.database, [Vignette("1AB2345", "CZ", "", 100, 200)], "f", 1)
    import_exemptions(world.database, [Exemption("2CD3456", "CZ", "police", 100, 200)], "e", 1)
    graced = SqlRegistry(world.database, grace_s=50e-9, max_age_days=0.0)
    for first, last, counts, graced_counts in (
        (99, 99, False, True),
        (0, 49, False, False),
        (0, 50, False, True),
        (0, 100, True, True),
        (199, 300, True, True),
        (200, 300, False, False),
        (0, 900, True, True),
    ):
        passage = PassageTime(first, last)
        for registry, wanted in ((world.registry, counts), (graced, graced_counts)):
            answer = registry.search(CandidateQuery(("1AB2345",), (), (), 0.0, near=("1AB2355",)), passage)
            assert bool(answer.vignettes) is wanted, (first, last)
            assert bool(answer.lapsed) is not wanted
            assert (registry.check("1AB2345", "CZ", passage).kind is VerdictKind.PAID) is wanted
        exempt = world.registry.check("2CD3456", "CZ", passage).kind is VerdictKind.EXEMPT
        assert exempt is counts


def asked(world: World, *keys: str, at_ns: int = 500) -> list[str]:
    return sorted(
        v.plate for v in world.registry.search(CandidateQuery(keys, (), (), 0.0), PassageTime.at(at_ns)).vignettes
    )


def test_a_registry_that_was_never_filled_cannot_answer(world: World) -> None:
    with pytest.raises(RegistryUnavailableError):
        asked(world, "1AB2345")
    import_vignettes(world.database, [], "empty.csv", 1)
    assert asked(world, "1AB2345") == []


def test_an_import_adds_what_is_new_and_a_replacement_removes_the_rest(world: World) -> None:
    first = import_vignettes(world.database, [*vignettes("AAA111", "BBB222"), BadRow(4, "no plate")], "f", 1)
    assert (first.read, first.added, first.rejected) == (2, 2, 1)
    assert first.bad_rows == (BadRow(4, "no plate"),)
    second = import_vignettes(world.database, vignettes("BBB222", "CCC333", "CCC333"), "f", 2)
    assert (second.read, second.added, second.removed) == (3, 1, 0)
    third = import_vignettes(world.database, vignettes("CCC333", "DDD444"), "f", 3, replace=True)
    assert (third.added, third.removed) == (1, 2)
    assert asked(world, "AAA111", "BBB222", "CCC333", "DDD444") == ["CCC333", "DDD444"]


def test_an_import_that_fails_changes_nothing(world: World) -> None:
    import_vignettes(world.database, vignettes("AAA111"), "f", 1)

    def broken() -> Iterator[Vignette | BadRow]:
        yield from vignettes("BBB222")
        raise InputError("the rest is missing")

    with pytest.raises(InputError):
        import_vignettes(world.database, broken(), "f", 2, replace=True)
    assert asked(world, "AAA111", "BBB222") == ["AAA111"]
    assert import_vignettes(world.database, vignettes("BBB222"), "f", 3).added == 1


def test_the_registry_answers_by_halves_and_by_time(world: World) -> None:
    import_vignettes(world.database, vignettes("1AB2345", "1AB9999", "7ZZ2345", "8XY0000", start=100, end=200), "f", 1)
    found = world.registry.search(CandidateQuery((), ("71AB",), ("72345",), 0.0), PassageTime.at(150))
    assert sorted(v.plate for v in found.vignettes) == ["1AB2345", "1AB9999", "7ZZ2345"]
    for at_ns, count in ((99, 0), (100, 1), (199, 1), (200, 0)):
        answer = world.registry.search(CandidateQuery(("1AB2345",), (), (), 0.0), PassageTime.at(at_ns))
        assert len(answer.vignettes) == count, at_ns
        assert len(answer.lapsed) == 1 - count
    graced = SqlRegistry(world.database, grace_s=50e-9, max_age_days=0.0)
    assert [
        len(graced.search(CandidateQuery(("1AB2345",), (), (), 0.0), PassageTime.at(at)).vignettes)
        for at in (49, 50, 99)
    ] == [
        0,
        1,
        1,
    ]


def test_exemptions_are_replaced_as_a_whole(world: World) -> None:
    import_vignettes(world.database, [], "f", 1)
    import_exemptions(world.database, [Exemption("EL*", "CZ", "electric", 0, 10), BadRow(3, "x")], "e", 1)
    import_exemptions(
        world.database,
        [Exemption("P01", "*", "police", 0, 10), Exemption("?A*", "*", "old", 0, 5)],
        "e",
        2,
    )
    found = world.registry.search(CandidateQuery(("P01",), (), (), 0.0), PassageTime.at(7)).exemptions
    assert [e.reason for e in found] == ["police"]
    assert world.registry.check("p 01", None, PassageTime.at(7)).kind is VerdictKind.EXEMPT
    assert world.registry.check("1A1", None, PassageTime.at(3)).kind is VerdictKind.EXEMPT
    assert world.registry.check("1B1", None, PassageTime.at(3)).kind is VerdictKind.UNPAID


def test_a_thousand_plates_are_one_question_with_the_same_answers(world: World) -> None:
    held = vignettes(*(f"1AB{number:04d}" for number in range(0, 1000, 3)))
    import_vignettes(world.database, held, "list", 1)
    free = [Exemption("1AB00*", "CZ", "police", 0, 10_000), Exemption("1AB0100", "CZ", "fire", 0, 10_000)]
    import_exemptions(world.database, free, "list", 2)
    asked = [(f"1AB {number:04d}", "CZ" if number % 2 else None, PassageTime.at(500)) for number in range(1000)]
    asked.append(("1AB0003", "CZ", PassageTime.at(20_000)))
    statements: list[str] = []

    def count(*told: Any) -> None:  # noqa: ANN401 - of SQLAlchemy
        statements.append(told[2])

    engine = world.database._engine  # noqa: SLF001 - to see what the database is asked
    event.listen(engine, "before_cursor_execute", count)
    answers = world.registry.check_all(asked)
    event.remove(engine, "before_cursor_execute", count)
    # The list's age, its vignettes, its exemptions, and its rows that could not be read.
    assert len([statement for statement in statements if "SELECT" in statement]) == 4, statements
    assert answers == [world.registry.check(*one) for one in asked]
    kinds = {kind: sum(answer.kind is kind for answer in answers) for kind in VerdictKind}
    assert kinds[VerdictKind.EXEMPT] == 101
    assert kinds[VerdictKind.PAID] == 334 - 34
    assert answers[-1].lapsed
    assert world.registry.check_all(asked[:1]) == answers[:1]


def test_unknown_is_asked_again_and_nothing_is_lost(world: World) -> None:
    clock = world.clock
    judge = Judge(world.registry, typical(), Policy(), clock)
    for name, seen in (("a", "1AB2345"), ("b", "5CD6789")):
        passing = sighting(name, VerdictKind.PAID, clock.ns, seen)
        verdict = judge.judge(plate(seen), PassageTime.at(clock.ns))
        assert verdict.kind is VerdictKind.UNKNOWN
        world.store.save(replace(passing, verdict=verdict), [CROP])
    assert list(recheck(world.store, judge, "night")) == []
    import_vignettes(world.database, vignettes("1AB2345", end=2**62), "f", 1)
    decided = {s.sighting_id: s for s in recheck(world.store, judge, "night")}
    assert decided["a"].verdict.kind is VerdictKind.PAID
    assert decided["a"].plate is None
    assert decided["b"].verdict.kind is VerdictKind.UNPAID
    assert decided["b"].evidence
    assert world.store.find(SightingQuery(verdict=VerdictKind.UNKNOWN)).sightings == ()
    assert len(world.pictures()) == 1
    assert world.retention.verify().faults == ()


def test_of_many_who_ask_again_one_decides_and_a_person_is_not_overruled(world: World) -> None:
    import_vignettes(world.database, vignettes("9ZZ9999", end=2**62), "f", 1)
    judge = Judge(world.registry, typical(), Policy(), world.clock)
    names = [f"s{number}" for number in range(6)]
    for name in names:
        world.store.save(sighting(name, VerdictKind.UNKNOWN, world.clock.ns, "5CD6789"))
    told: list[str] = []

    def night() -> None:
        told.extend(s.sighting_id for s in recheck(world.store, judge, "night"))

    asking = [threading.Thread(target=night) for _ in range(4)]
    for thread in asking:
        thread.start()
    for thread in asking:
        thread.join()
    assert sorted(told) == names
    with world.database.read() as connection:
        changes = connection.execute(text("SELECT sighting_id, after FROM verdict_changes")).all()
    assert sorted(changes) == [(name, "UNPAID") for name in names]

    world.store.save(sighting("slow", VerdictKind.UNKNOWN, world.clock.ns, "5CD6789"))
    late = judge.judge(plate("5CD6789"), PassageTime.at(world.clock.ns))
    by_person = replace(late, kind=VerdictKind.REVIEW, rule="read-by-person")
    world.store.decide("slow", by_person, "jana")
    assert world.store.decide_unknown("slow", late, "night") is None
    assert world.store.get("slow").verdict.rule == "read-by-person"
    assert world.store.decide_unknown("purged meanwhile", late, "night") is None


def test_a_purge_deletes_by_verdict_and_age_and_what_belongs_to_it(world: World) -> None:
    now = world.clock.ns
    for kind in VerdictKind:
        world.clock.ns = now - 40 * DAY_NS
        world.store.save(sighting(f"old-{kind}", kind, world.clock.ns), [replace(CROP, data=kind.encode())])
        world.clock.ns = now - 2 * DAY_NS
        world.store.save(sighting(f"new-{kind}", kind, world.clock.ns), [FRAME])
    world.clock.ns = now
    keep = dict.fromkeys(VerdictKind, 30.0) | {VerdictKind.PAID: 1.0, VerdictKind.UNPAID: 90.0}
    purged = world.retention.purge(keep, "cron")
    assert purged.sightings == {"PAID": 2, "EXEMPT": 1, "UNPAID": 0, "REVIEW": 1, "UNKNOWN": 1, "NONE": 1}
    left = {s.sighting_id for s in world.store.after(0, 100)}
    judged = {"old-UNPAID", "new-UNPAID", "new-REVIEW", "new-UNKNOWN", "new-EXEMPT"}
    assert left == judged | {"new-NONE"}
    assert len(world.pictures()) == 2  # one crop of the old UNPAID, and one frame that four sightings share
    world.clock.ns += 31 * DAY_NS
    assert world.retention.purge({VerdictKind.NONE: 30.0}, "cron").sightings == {"NONE": 1}
    assert {s.sighting_id for s in world.store.after(0, 100)} == judged
    assert world.retention.verify().faults == ()
    assert {e.action for e in world.retention.audit()} == {"purged"}


def test_recordings_and_wrong_clocks_are_kept_as_long_as_others(world: World) -> None:
    """A sighting of an old film was gone at the next purge, one of a clock that stood in the future never."""
    now = world.clock.ns
    kinds = (VerdictKind.REVIEW, VerdictKind.NONE)
    for name, at_ns in (("an old film", now - 400 * DAY_NS), ("the future", now + 400 * DAY_NS), ("now", now)):
        for kind in kinds:
            world.store.save(sighting(f"{name}, {kind}", kind, at_ns), [])
    keep = dict.fromkeys(kinds, 30.0)
    world.clock.ns = now + 29 * DAY_NS
    assert world.retention.purge(keep, "cron").sightings == {"REVIEW": 0, "NONE": 0}
    world.clock.ns = now + 31 * DAY_NS
    assert world.retention.purge(keep, "cron").sightings == {"REVIEW": 3, "NONE": 3}
    assert world.retention.verify().faults == ()


def test_forgetting_a_plate_leaves_no_trace_of_it(world: World) -> None:
    world.store.save(sighting("paid", VerdictKind.PAID, 1000))
    world.store.save(sighting("mine", VerdictKind.UNPAID, 1000), [CROP])
    near = sighting("near", VerdictKind.REVIEW, 1000, "1A82345")
    said = Statement(Answer.DISAGREED, "other", "0" * 64, "1AB2345")
    world.store.save(replace(near, verdict=replace(near.verdict, witness=said)), [FRAME])
    Reviews(world.database, world.vault).record(
        Correction("near", 1, "jana", ReviewAction.CORRECT, "1A82345", "CZ", "1A82345")
    )
    assert world.retention.forget("1ab-2345", "dpo").sightings == 2
    assert [s.sighting_id for s in world.store.after(0, 9)] == ["near"]
    with world.database.read() as connection:
        rows = [
            repr(connection.execute(text(f"SELECT * FROM {table}")).all())  # noqa: S608
            for table in METADATA.tables
        ]
    assert not any("1AB2345" in row for row in rows)
    assert world.seen("1AB2345") == set()
    assert len(world.pictures()) == 1
    assert world.retention.audit()[0].action == "forgot"
    assert world.retention.verify().faults == ()


def _tampered(world: World, statement: str) -> int:
    with world.database.write() as connection:
        connection.execute(text(statement))
    return len(world.retention.verify().faults)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE evidence SET sha256 = 'ab' WHERE sighting_id = 's1'",
        "DELETE FROM evidence WHERE sighting_id = 's2'",
        "UPDATE evidence_chain SET at_ns = at_ns + 1 WHERE sequence = 2",
        "DELETE FROM evidence_chain WHERE sequence = 2",
        "UPDATE evidence_chain SET event = 'erased' WHERE sequence = 1",
    ],
)
def test_tampering_with_records_shows(world: World, statement: str) -> None:
    for name in ("s1", "s2", "s3"):
        world.store.save(sighting(name, VerdictKind.UNPAID, 1000), [replace(CROP, data=name.encode())])
    assert world.retention.verify().faults == ()
    assert _tampered(world, statement) > 0


def test_tampering_with_pictures_or_the_end_of_the_chain_shows(world: World) -> None:
    for name in ("s1", "s2"):
        world.store.save(sighting(name, VerdictKind.UNPAID, 1000), [replace(CROP, data=name.encode())])
    noted = world.retention.verify().last_link
    first, second = world.pictures()
    original = first.read_bytes()
    first.write_bytes(original[:-1] + bytes([original[-1] ^ 1]))
    assert len(world.retention.verify().faults) == 1
    first.write_bytes(second.read_bytes())
    assert len(world.retention.verify().faults) == 1
    first.unlink()
    assert len(world.retention.verify().faults) == 1
    first.write_bytes(original)
    assert world.retention.verify(noted).faults == ()
    with world.database.write() as connection:
        for table in ("evidence_chain", "sealed_records"):
            connection.execute(text(f"DELETE FROM {table} WHERE sequence = 3"))  # noqa: S608 - constants
        for table in ("evidence", "sightings"):
            connection.execute(text(f"DELETE FROM {table} WHERE sighting_id = 's2'"))  # noqa: S608 - constants
    assert world.retention.verify().faults == ()
    assert world.retention.verify(noted).faults != ()


def test_new_keys_take_over_pictures_and_chain_and_old_hashes_stay_findable(world: World) -> None:
    world.store.save(sighting("paid", VerdictKind.PAID, 1000))
    world.store.save(sighting("unpaid", VerdictKind.UNPAID, 1000), [CROP])
    rotated = world.keyring.rotated("k2")
    assert world.retention.reencrypt(rotated, "admin") == 1
    world.vault = Vault(world.folder, rotated)
    assert world.retention.reencrypt(rotated, "admin") == 0
    assert world.retention.verify().faults == ()
    assert world.store.picture("unpaid", PictureKind.CROP, "jana") == CROP.data
    assert world.seen("1AB2345") == {"unpaid", "paid"}
    assert world.retention.keys_in_use() == {"k1", "k2"}
    world.clock.ns += 1
    world.retention.purge(dict.fromkeys([VerdictKind.PAID], 0.0), "cron")
    assert world.retention.keys_in_use() == {"k2"}
    without = Vault(world.folder, rotated.without("k1"))
    assert RetentionManager(world.database, without, world.clock).verify().faults == ()


def test_rotation_refuses_to_seal_over_a_fault(world: World) -> None:
    world.store.save(sighting("s1", VerdictKind.UNPAID, 1000), [CROP])
    world.pictures()[0].unlink()
    with pytest.raises(InputError, match="faults"):
        world.retention.reencrypt(world.keyring.rotated("k2"), "admin")


def test_a_review_is_answered_once_and_settles_the_verdict(world: World) -> None:
    import_vignettes(world.database, vignettes("1A82345", end=2**62), "f", 1)
    queue = Reviews(world.database, world.vault)
    judge = Judge(world.registry, typical(), Policy(), world.clock)
    reviewing = Reviewing(world.store, queue, judge.settle, world.clock)
    for name, at_ns in (("later", 2000), ("first", 1000), ("blurred", 3000)):
        world.store.save(sighting(name, VerdictKind.REVIEW, at_ns), [CROP])
    oldest, waiting = reviewing.next()
    assert oldest is not None
    assert (oldest.sighting_id, waiting) == ("first", 3)
    after = reviewing.next(skip=["first"])[0]
    assert after is not None
    assert after.sighting_id == "later"
    settled = reviewing.answer("first", ReviewAction.CORRECT, "jana", text="1a8 2345", country="cz")
    assert settled.verdict.kind is VerdictKind.PAID
    assert settled.plate_hash == world.keyring.hash_plate("1A82345")
    assert settled.evidence == ()
    other = reviewing.answer("later", ReviewAction.CONFIRM, "jana")
    assert (other.verdict.kind, other.verdict.rule) == (VerdictKind.UNPAID, "read-by-person")
    assert reviewing.answer("blurred", ReviewAction.UNREADABLE, "petr").verdict.kind is VerdictKind.REVIEW
    assert reviewing.next() == (None, 0)
    with pytest.raises(InputError, match="not kept"):
        reviewing.answer("first", ReviewAction.CONFIRM, "jana")
    with pytest.raises(InputError, match="no plate"):
        reviewing.answer("later", ReviewAction.CORRECT, "jana", text="-")
    answers = queue.answers()
    assert [(a.author, a.at_ns, a.action.value) for a in answers] == [
        ("jana", world.clock.ns, "correct"),
        ("jana", world.clock.ns, "confirm"),
        ("petr", world.clock.ns, "unreadable"),
    ]
    assert (answers[0].text, answers[0].read_text) == ("", ""), "of a paid vehicle no plate is kept"
    assert answers[1].text == "1AB2345"


def test_only_a_country_that_a_person_states_sets_a_vignette_aside(world: World) -> None:
    """1AB2345 looks Czech and may be another country's: the machine's guess must not accuse who paid there."""
    paid = Vignette("1AB2345", "LT", "", 0, 2**62)
    import_vignettes(world.database, [paid], "f", 1)
    judge = Judge(world.registry, typical(), Policy(), world.clock)
    reviewing = Reviewing(world.store, Reviews(world.database, world.vault), judge.settle, world.clock)
    for name in ("confirmed", "corrected", "stated", "stated rightly"):
        world.store.save(sighting(name, VerdictKind.REVIEW, 1000))
    kinds = {
        "confirmed": reviewing.answer("confirmed", ReviewAction.CONFIRM, "jana"),
        "corrected": reviewing.answer("corrected", ReviewAction.CORRECT, "jana", text="1AB2345"),
        "stated": reviewing.answer("stated", ReviewAction.CORRECT, "jana", text="1AB2345", country="CZ"),
        "stated rightly": reviewing.answer(
            "stated rightly", ReviewAction.CORRECT, "jana", text="1AB2345", country="lt"
        ),
    }
    assert {name: settled.verdict.kind.value for name, settled in kinds.items()} == {
        "confirmed": "PAID",
        "corrected": "PAID",
        "stated": "UNPAID",
        "stated rightly": "PAID",
    }


def test_an_unreachable_database_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailableError):
        open_database("postgresql://nobody@127.0.0.1:1/none").migrate()
    (tmp_path / "not.db").write_bytes(b"this is no database, but long enough to look at" * 40)
    with pytest.raises(StoreUnavailableError):
        open_embedded(tmp_path / "not.db")
    for address in ("nonsense", "mysql://x/y", "oracle+nothing://x"):
        with pytest.raises(SettingsError):
            open_database(address)


def test_a_full_disk_is_one_clear_error(tmp_path: Path) -> None:
    database = open_embedded(tmp_path / "r.db")
    store = SqlSightingStore(database, Vault(tmp_path / "e", new_keyring("k1")), HandClock())
    with database.session() as connection:
        connection.exec_driver_sql("PRAGMA max_page_count = 1")
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
    assert pages > 1

    def fill() -> None:
        for number in range(200):
            store.save(sighting(f"s{number}", VerdictKind.UNPAID, 1000))

    with pytest.raises(StoreUnavailableError, match="full"):
        fill()
    database.close()
    assert sqlite3.connect(tmp_path / "r.db").execute("PRAGMA integrity_check").fetchone() == ("ok",)
