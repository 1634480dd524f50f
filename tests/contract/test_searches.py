"""Every pair of a search's filters finds what it says, whichever way it is looked for, and by an index."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from sqlalchemy import text

from roadside.adapters.encryption import new_keyring
from roadside.adapters.sql import Database, SqlSightingStore, Vault, open_database, open_embedded
from roadside.adapters.sql.finding import asked
from roadside.core.frames import CameraId
from roadside.core.known import Action, KnownMatch
from roadside.core.outline import Direction
from roadside.core.reads import ALPHABET, FusedPlate, Hypothesis
from roadside.core.sightings import Sighting, SightingQuery, Verdict, VerdictKind
from roadside.core.speed import AverageSpeed, is_faster
from tests.clocks import HandClock
from tests.databases import KINDS, fresh_postgres, postgres, sqlite_of_revision

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PLATES = ("1AB2345", "1AB2346", "1XY0001", "9AB2345", "LS15EBC")
CAMERAS = ("gate", "exit")
FILTERS: dict[str, tuple[Any, ...]] = {
    "camera_id": (CameraId("exit"), CameraId("none")),
    "verdict": (VerdictKind.REVIEW, VerdictKind.PAID),
    "country": ("UK", "FR"),
    "direction": (Direction.OUT,),
    "over_kmh": (50.0,),
    "known_list": ("staff", "none"),
    "plate_prefix": ("1", "X"),
    "plate_like": ("1AB2345", "LS15EB"),
    "since_ns": (1020,),
    "until_ns": (1030,),
}


def fused(plate: str, country: str) -> FusedPlate:
    rows = np.full((len(plate), 36), 1e-9, np.float32)
    rows[np.arange(len(plate)), [ALPHABET.index(c) for c in plate]] = 1.0
    return FusedPlate(plate, plate, country, 0.9, rows, (Hypothesis(plate, country, -0.1),), ((country, 0.9),), 3, ())


def seen(number: int) -> Sighting:
    """The `number`th of as many as there are combinations of what is asked for, near enough."""
    kind = (VerdictKind.UNPAID, VerdictKind.REVIEW, VerdictKind.REVIEW, VerdictKind.PAID)[number % 4]
    plate = PLATES[number % 5]
    lists = {0: ("staff",), 1: ("staff", "guests")}.get(number % 3, ())
    return Sighting(
        f"s{number}",
        CameraId(CAMERAS[number // 2 % 2]),
        f"t{number}",
        1000,
        1000 + number // 2,
        fused(plate, "UK" if plate.startswith("L") else "CZ"),
        Verdict(kind, "a-rule", 0.25, 0.5, (), (), ()),
        direction=(None, Direction.IN, Direction.OUT)[number // 3 % 3],
        speed=(None, AverageSpeed(49, 45, 54), AverageSpeed(55, 50, 60), AverageSpeed(60, 50.1, 70))[number // 4 % 4],
        known=tuple(KnownMatch(name, Action.OPEN, "", "", plate, 0.9) for name in lists),
    )


@pytest.fixture(scope="module", params=KINDS)
def store(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SqlSightingStore]:
    folder = tmp_path_factory.mktemp(request.param)
    if request.param == "sqlite":
        with_database = open_embedded(folder / "r.db")
        yield filled(with_database, folder)
        with_database.close()
        return
    with postgres() as server:
        with_database = open_database(fresh_postgres(server))
        with_database.migrate()
        yield filled(with_database, folder)
        with_database.close()


def filled(database: Database, folder: Path) -> SqlSightingStore:
    store = SqlSightingStore(database, Vault(folder / "evidence", new_keyring("k")), HandClock())
    store.save_all([(seen(number), ()) for number in range(60)])
    return store


def queries() -> Iterator[SightingQuery]:
    for together in (1, 2):
        for kinds in itertools.combinations(FILTERS, together):
            for values in itertools.product(*(FILTERS[kind] for kind in kinds)):
                yield replace(SightingQuery(limit=100), **dict(zip(kinds, values, strict=True)))


def meets(sighting: Sighting, query: SightingQuery) -> bool:
    paid = sighting.verdict.kind is VerdictKind.PAID
    plate = "" if paid else (sighting.plate or fused("?", "")).text
    country = None if paid else "UK" if plate.startswith("L") else "CZ"
    lists = {match.list_name for match in sighting.known} if not paid else set()
    like = {"1AB2345": {"1AB2345", "1AB2346", "9AB2345"}, "LS15EB": {"LS15EBC"}, None: {plate}}[query.plate_like]
    return (
        query.camera_id in {None, sighting.camera_id}
        and query.verdict in {None, sighting.verdict.kind}
        and query.country in {None, country}
        and query.direction in {None, sighting.direction}
        and is_faster(sighting.speed, query.over_kmh)
        and (query.known_list is None or query.known_list in lists)
        and plate.startswith(query.plate_prefix or "")
        and plate in like
        and (query.since_ns or 0) <= sighting.last_seen_ns < (query.until_ns or 10_000)
    )


def test_every_pair_of_filters_finds_what_meets_both(store: SqlSightingStore) -> None:
    everything = [seen(number) for number in reversed(range(60))]
    for query in queries():
        wanted = [sighting.sighting_id for sighting in everything if meets(sighting, query)]
        assert [s.sighting_id for s in store.find(query).sightings] == wanted, query


def test_a_beginning_that_many_have_is_looked_for_in_time(store: SqlSightingStore) -> None:
    """The same are found where more match than are sorted, page by page too."""
    for query in queries():
        if not query.plate_prefix:
            continue
        with store._database.read() as connection:  # noqa: SLF001 - how it is looked for is no part of the port
            rows = [row.sighting_id for row in connection.execute(asked(connection, query, 100, most_sorted=-1))]
        page = store.find(replace(query, limit=2))
        found = [*page.sightings]
        while page.next_page_token:
            page = store.find(replace(query, limit=2, page_token=page.next_page_token))
            found += page.sightings
        assert rows == [s.sighting_id for s in found], query


def plan(database: Database, query: SightingQuery, most_sorted: int = 50_000) -> str:
    with database.read() as connection:
        statement = asked(connection, query, 50, most_sorted)
        told = statement.compile(connection, compile_kwargs={"literal_binds": True, "render_postcompile": True})
        return " ".join(
            row.detail for row in connection.execute(text(f"EXPLAIN QUERY PLAN {told}".replace(":", r"\:")))
        )


def test_what_is_rare_is_found_by_the_index_that_holds_it_all(tmp_path: Path) -> None:
    database = open_embedded(tmp_path / "r.db")
    gate = CameraId("gate")
    for query, index in (
        (SightingQuery(known_list="staff", camera_id=gate), "COVERING INDEX ix_known_matches_list_camera_id_last_s"),
        (
            SightingQuery(known_list="staff", verdict=VerdictKind.UNPAID),
            "COVERING INDEX ix_known_matches_list_verdict_last_s",
        ),
        (SightingQuery(plate_prefix="1", camera_id=gate), "COVERING INDEX ix_sightings_plates_of_cameras"),
        (SightingQuery(plate_prefix="1", verdict=VerdictKind.UNPAID), "COVERING INDEX ix_sightings_plates "),
        (SightingQuery(plate_like="1AB2345", camera_id=gate), "COVERING INDEX ix_sightings_plates_of_cameras"),
        (SightingQuery(direction=Direction.IN, camera_id=gate), "INDEX ix_sightings_camera_id_direction_last_seen"),
        (SightingQuery(over_kmh=50.0), "INDEX ix_sightings_last_seen_ns_sequence_speed_lowest_kmh"),
        (SightingQuery(direction=Direction.IN, country="CZ"), "INDEX ix_sightings_country_direction_last_seen"),
    ):
        assert index in plan(database, query), query
    often = plan(database, SightingQuery(plate_prefix="1", camera_id=gate), most_sorted=-1)
    assert "INDEX ix_sightings_camera_id_last_seen_ns_sequence" in often
    assert "B-TREE" not in often, "what is read in order is not sorted"
    database.close()


def test_a_list_follows_a_verdict_that_is_changed(tmp_path: Path) -> None:
    with_database = open_embedded(tmp_path / "r.db")
    store = filled(with_database, tmp_path)
    store.decide("s0", replace(seen(0).verdict, kind=VerdictKind.REVIEW), "jana", fused("LS15EBC", "UK"))
    for verdict, there in ((VerdictKind.UNPAID, False), (VerdictKind.REVIEW, True)):
        found = store.find(SightingQuery(known_list="staff", verdict=verdict, limit=100)).sightings
        assert ("s0" in [s.sighting_id for s in found]) is there
    found = store.find(SightingQuery(known_list="staff", country="UK", limit=100)).sightings
    assert "s0" in [s.sighting_id for s in found]
    with_database.close()


def test_lists_of_an_older_version_are_found_with_cameras(tmp_path: Path) -> None:
    sqlite_of_revision(tmp_path / "r.db", "0016")
    database = open_database(f"sqlite:///{tmp_path / 'r.db'}")
    kept = (
        "INSERT INTO sightings (sighting_id, camera_id, track_id, first_seen_ns, last_seen_ns, verdict, decided_at_ns, "
        "country, direction, reasons) VALUES ('s1', 'gate', 't', 1, 2, 'NONE', 3, 'CZ', 'in', '{}')"
    )
    with database.write() as connection:
        connection.execute(text(kept))
        connection.execute(text("INSERT INTO known_matches VALUES ('s1', 'staff', 2, 1)"))
    database.migrate()
    with database.read() as connection:
        row = connection.execute(text("SELECT * FROM known_matches")).mappings().one()
    assert (row["camera_id"], row["verdict"], row["country"], row["direction"]) == ("gate", "NONE", "CZ", "in")
    database.close()
