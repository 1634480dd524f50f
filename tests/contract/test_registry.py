"""What the registry never does, on SQLite and on a real PostgreSQL: forget in silence, or miss what is near."""

from __future__ import annotations

import shutil
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from roadside.adapters.sql import SqlRegistry, import_exemptions, import_vignettes, open_database, open_embedded
from roadside.assembly.lists import ListImporter
from roadside.core.moments import PassageTime
from roadside.core.neighbours import edit_distances
from roadside.core.sightings import VerdictKind
from roadside.core.vignettes import NEVER_NS, CandidateQuery, Exemption, Vignette
from roadside.errors import ImportRefusedError, RegistryFileError
from roadside.registry.config import RegistrySection
from tests.databases import KINDS, fresh_postgres, postgres, sqlite_of_revision

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from roadside.adapters.sql import Database
    from roadside.assembly.lists import Taken
    from tests.servers import PostgresServer

HEAD = "plate,country,valid_from,valid_to,category\n"
JULY_NS = 1_782_900_000 * 10**9
DAY_NS = 86_400 * 10**9
YEAR = "2026-01-01,2026-12-31,car"


@dataclass
class World:
    database: Database
    folder: Path

    @property
    def registry(self) -> SqlRegistry:
        return SqlRegistry(self.database, grace_s=0.0, max_age_days=0.0)

    def load(self, content: str | bytes, *, replace: bool = False, force: bool = False, **limits: object) -> Taken:
        path = self.folder / "list.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        importer = ListImporter(self.database, RegistrySection.model_validate(limits))
        return importer.vignettes(path, "list.csv", JULY_NS, replace=replace, force=force)

    def exempt(self, content: str, *, force: bool = False) -> Taken:
        path = self.folder / "exemptions.csv"
        path.write_text(content, encoding="utf-8")
        return ListImporter(self.database, RegistrySection()).exemptions(path, path.name, JULY_NS, force=force)

    def kind(self, plate: str, at_ns: int = JULY_NS) -> VerdictKind:
        return self.registry.check(plate, None, PassageTime.at(at_ns)).kind

    def paid(self, at_ns: int = JULY_NS) -> set[str]:
        found = self.registry.search(CandidateQuery((*OLD, NEW), (), (), 0.0), PassageTime.at(at_ns)).vignettes
        return {vignette.plate for vignette in found}

    def held(self) -> list[tuple[object, ...]]:
        with self.database.read() as connection:
            return sorted(tuple(row) for row in connection.execute(text("SELECT * FROM vignettes")))

    def imports(self) -> list[tuple[object, ...]]:
        with self.database.read() as connection:
            rows = connection.execute(text("SELECT source, at_ns FROM registry_imports ORDER BY import_id"))
            return [tuple(row) for row in rows]


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    with postgres() as running:
        yield running


@pytest.fixture(params=KINDS)
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    made = opened(request, tmp_path)
    yield made
    made.database.close()


@pytest.fixture(scope="module", params=KINDS)
def filled(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A registry that no test may change."""
    made = opened(request, tmp_path_factory.mktemp("filled"))
    made.load(WHOLE)
    yield made
    made.database.close()


@pytest.fixture(scope="module")
def twelve(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of a registry that holds OLD, to be copied."""
    path = tmp_path_factory.mktemp("twelve") / "r.db"
    made = World(open_embedded(path), path.parent)
    made.load(listed(OLD))
    made.database.close()
    return path


@contextmanager
def copied(path: Path) -> Iterator[World]:
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(path, folder)
        made = World(open_database(f"sqlite:///{folder}/{path.name}"), Path(folder))
        yield made
        made.database.close()


def opened(request: pytest.FixtureRequest, folder: Path) -> World:
    if request.param == "sqlite":
        return World(open_embedded(folder / "roadside.db"), folder)
    database = open_database(fresh_postgres(request.getfixturevalue("server")))
    database.migrate()
    return World(database, folder)


def plates(count: int) -> list[str]:
    return [f"1AB{number:04d}" for number in range(2000, 2000 + count)]


def listed(names: list[str], rest: str = YEAR) -> str:
    return HEAD + "".join(f"{name},CZ,{rest}\n" for name in names)


WHOLE = listed(plates(300))
BROKEN = {
    "a date that is none": (WHOLE.replace(f"1AB2100,CZ,{YEAR}", "1AB2100,CZ,soon,2026-12-31,car"), "line 102: 'soon'"),
    "a country that is none": (WHOLE.replace("1AB2100,CZ", "1AB2100,XQ"), "line 102: 'XQ'"),
    "a missing field": (WHOLE.replace(f"1AB2100,CZ,{YEAR}", "1AB2100,CZ"), "line 102: 2 fields"),
    "a plate that is damaged": (WHOLE.replace("1AB2100", "1AB§100"), "without a readable plate (line 102"),
    "a piece of a plate": (WHOLE.replace(f"1AB2100,CZ,{YEAR}", "1AB2"), "without a readable plate (line 102"),
    "a separator too many": (WHOLE.replace("1AB2100,CZ", "1AB,2100,CZ"), "without a readable plate (line 102"),
    "a stray quote": (WHOLE.replace("1AB2100,CZ", '1AB2100,"CZ'), "line 102: a quote"),
    "a stray quote at the beginning": (WHOLE.replace("1AB2100,CZ", '"1AB2100,CZ'), "line 102: a quote"),
    "a stray quote at the end": (WHOLE.replace(f"1AB2100,CZ,{YEAR}", f'1AB2100,CZ,{YEAR[:-3]}"car'), "line 102: a quo"),
    "Cyrillic letters": (WHOLE.replace("1AB2100", "1\u0410\u04122100"), "without a readable plate (line 102"),
    "an empty file": (HEAD, "no row that can be read"),
    "a file cut within a row": (WHOLE[: WHOLE.index("1AB2290") + 9], "ends within a row"),
    "a file cut within its last field": (WHOLE[: WHOLE.index("1AB2290") + 34], "its last line has no end"),
    "a file cut within a plate": (WHOLE[: WHOLE.index("1AB2290") + 5], "ends within a row"),
    "a file cut in the middle": (WHOLE[: WHOLE.index("1AB2200")], "100 of 300 entries would be lost (33.33%"),
    "months before days": (WHOLE.replace(YEAR, "01/01/2026,12/31/2026,car"), "month first"),
    "years, days, months": (WHOLE.replace(YEAR, "2026-01-01,2026-31-12,car"), "day before the month"),
    "another year": (listed(plates(300), "2027-01-01,2027-12-31,car"), "300 of 300 entries would be lost"),
    "columns exchanged": (WHOLE.replace("valid_from,valid_to", "valid_to,valid_from"), "cannot be read"),
    "junk": (WHOLE + "?\n" * 4, "4 of its 304 rows cannot be read (1.32%, more than 1.00%)"),
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
def test_a_replacement_that_would_forget_somebody_is_refused_and_changes_nothing(filled: World, name: str) -> None:
    world = filled
    before, imports = world.held(), world.imports()
    content, says = BROKEN[name]
    with pytest.raises(RegistryFileError) as caught:
        world.load(content, replace=True)
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)
    assert "list.csv" in str(caught.value)
    assert (world.held(), world.imports()) == (before, imports)
    assert world.kind("1AB2100") is VerdictKind.PAID


def test_force_replaces_and_says_what_spoke_against_it(world: World) -> None:
    world.load(WHOLE)
    content, _ = BROKEN["a date that is none"]
    taken = world.load(content, replace=True, force=True)
    assert taken.report.removed == 1
    (reason,) = taken.forced
    assert "line 102" in reason
    assert world.kind("1AB2100") is VerdictKind.UNPAID
    assert world.imports()[-1][0] == "list.csv (forced)"
    assert world.load(WHOLE, replace=True, force=True).forced == (), "nothing speaks against this one"


def test_a_replacement_within_the_limits_is_taken(world: World) -> None:
    world.load(WHOLE)
    names = plates(300)
    content = listed([*names[60:], "9ZZ9999"]) + "9ZZ0001,CZ,soon,2026-12-31,car\n,,,,\n"
    taken = world.load(content, replace=True)
    assert (taken.report.removed, taken.report.added, taken.rejected) == (60, 1, 2)
    assert world.kind(names[0]) is VerdictKind.UNPAID


def test_a_last_line_without_an_end_is_taken_where_nothing_is_lost(world: World) -> None:
    world.load(WHOLE)
    assert world.load(WHOLE + f"9ZZ9999,CZ,{YEAR}", replace=True).report.added == 1
    assert world.load(WHOLE.rstrip("\n"), replace=True).report.removed == 1, "its last line was there as it is"
    assert world.load(WHOLE.rstrip("\n"), replace=True).report.removed == 0
    longer = WHOLE.replace("2026-12-31", "2027-12-31").rstrip("\n")
    assert world.load(longer, replace=True).report.removed == 300, "what is valid longer is not lost"


def test_the_limits_are_settings(world: World) -> None:
    world.load(WHOLE)
    content, _ = BROKEN["a file cut in the middle"]
    world.load(content, replace=True, registry_max_removed=0.4)
    with pytest.raises(ImportRefusedError):
        world.load(listed(plates(190)), replace=True, registry_max_removed=0.01)
    junk, _ = BROKEN["junk"]
    world.load(junk, replace=True, registry_max_rejected=0.02)


def test_what_is_added_is_taken_whatever_else_the_file_holds(world: World) -> None:
    content = listed(["1AB2345"]) + "x,CZ,2026-01-01,2026-12-31,car\n1AB2346,CZ,2026"
    taken = world.load(content)
    assert (taken.read, taken.rejected) == (1, 2)
    assert [row.line for row in taken.bad_rows] == [3, 4]
    assert world.kind("1AB2345") is VerdictKind.PAID


def test_a_list_without_a_good_row_is_no_import(world: World) -> None:
    with pytest.raises(ImportRefusedError):
        world.load(HEAD)
    assert world.load(HEAD + "x,CZ,1,2,car\n").rejected == 1
    assert world.imports() == [], "otherwise everybody would be UNPAID"


def test_exemptions_are_held_to_the_same(world: World) -> None:
    head = "pattern,country,reason,valid_from,valid_to\n"
    many = "".join(f"EL{number}*,CZ,electric,,\n" for number in range(10))
    world.load(WHOLE)
    world.exempt(head + many)
    for content, says in (
        (head, "no row that can be read"),
        (head + many.replace("EL3*,CZ", "EL3*,XQ"), "line 5: 'XQ'"),
        (head + many.replace("EL3*", '"EL3*'), "line 5: a quote"),
        (head + many[: many.index("EL6")], "4 of 10 entries would be lost"),
        (head + many[: many.index("EL9") + 5], "ends within a row"),
        (head + many.replace("electric,,", "electric,,31.12.2026"), "10 of 10 entries would be lost"),
    ):
        with pytest.raises(ImportRefusedError) as caught:
            world.exempt(content)
        assert says in str(caught.value)
        assert world.kind("EL345AB") is VerdictKind.EXEMPT
    assert world.exempt(head, force=True).report.removed == 10


def test_an_old_list_tells_who_paid_and_not_who_did_not(world: World) -> None:
    world.load(listed(["1AB2345"]))
    aged = SqlRegistry(world.database, grace_s=0.0, max_age_days=31)
    for days, stale in ((0, False), (31, False), (32, True), (-5, False)):
        at_ns = JULY_NS + days * DAY_NS
        query = CandidateQuery(("1AB2345",), (), (), 0.0)
        assert aged.search(query, PassageTime.at(at_ns)).stale is stale
        assert aged.check("1AB2345", None, PassageTime.at(at_ns)).kind is VerdictKind.PAID
        missing = VerdictKind.UNKNOWN if stale else VerdictKind.UNPAID
        assert aged.check("9ZZ9999", None, PassageTime.at(at_ns)).kind is missing
        assert not world.registry.search(query, PassageTime.at(at_ns)).stale, "0 days are no limit"


def test_what_is_near_is_found_though_nobody_would_read_it_so(world: World) -> None:
    near = ["1BA2345", "1AB2354", "1A2B345", "AB2345", "2345", "11AB23455", "71AB23X455", "1AX2Y45", "148Z345",
            "1XB234"]  # fmt: skip
    far = ["7ZZ9345", "9CD6789", "5432BA1", "1CX3246"]
    rows = [Vignette(plate, "CZ", "", 0, NEVER_NS) for plate in near + far]
    import_vignettes(world.database, [*rows, Vignette("1AB2344", "CZ", "", 0, 10)], "f", 1)
    free = [Exemption("1AB2354", "*", "police", 0, NEVER_NS), Exemption("9CD6789", "*", "army", 0, NEVER_NS),
            Exemption("EL*", "CZ", "electric", 0, NEVER_NS)]  # fmt: skip
    import_exemptions(world.database, free, "e", 1)
    query = CandidateQuery(("1AB2345",), (), (), 0.0, near=("1AB2345",))
    answer = world.registry.search(query, PassageTime.at(JULY_NS))
    assert sorted(v.plate for v in answer.vignettes) == sorted(near)
    assert (edit_distances("1AB2345", near) <= 3).all()
    assert (edit_distances("1AB2345", far) > 3).all()
    assert sorted(e.pattern for e in answer.exemptions) == ["1AB2354", "EL*"]


def test_no_time_is_too_far_away(world: World) -> None:
    world.load(HEAD + "1AB2345,CZ,0001-01-01,9999-12-31,car\n")
    graced = SqlRegistry(world.database, grace_s=31 * 86400.0, max_age_days=31)
    query = CandidateQuery(("1AB2345",), ("71AB",), ("72345",), 0.0, near=("1AB2345",))
    for at_ns in (-(2**63), -1, 2**63 - 1, 253_402_300_799 * 10**9, 10**30):
        assert [v.plate for v in graced.search(query, PassageTime.at(at_ns)).vignettes] == ["1AB2345"]
        assert graced.check("1AB2345", None, PassageTime.at(at_ns)).kind is VerdictKind.PAID


def test_a_plate_is_the_same_however_an_office_writes_it(world: World) -> None:
    head = "Kennzeichen;Land;gültig ab;gültig bis\n"
    world.load(head + "WÜ-AB 123;D;1.1.2026;31.12.2026\n")
    again = world.load(head + "WUE-AB 123;DEU;1.1.2026;31.12.2026\nWUEAB123;DE;1.1.2026;31.12.2026\n")
    assert again.report.added == 0
    for spelling in ("WÜ AB 123", "wue-ab 123", "WUAB123", "WUEAB123"):
        assert world.kind(spelling) is VerdictKind.PAID
        assert world.registry.check(spelling, "DE", PassageTime.at(JULY_NS)).kind is VerdictKind.PAID


def test_countries_that_an_older_version_kept_are_the_projects_codes(tmp_path: Path) -> None:
    sqlite_of_revision(tmp_path / "r.db", "0002")
    database = open_database(f"sqlite:///{tmp_path / 'r.db'}")
    held = "INSERT INTO vignettes VALUES ('WUAB123', :country, '', 0, 10, 'WUA', '123', 1)"
    exempt = "INSERT INTO exemptions VALUES (NULL, :pattern, :country, 'police', 0, 10, :wild)"
    with database.write() as connection:
        for country in ("D", "DE", "XQ"):
            connection.execute(text(held), {"country": country})
        connection.execute(text(exempt), {"pattern": "P01", "country": "SLO", "wild": 0})
        connection.execute(text(exempt), {"pattern": "E*", "country": "*", "wild": 1})
    database.migrate()
    with database.read() as connection:
        assert sorted(connection.execute(text("SELECT country FROM vignettes")).scalars()) == ["DE", "XQ"]
        found = connection.execute(text("SELECT country, head, tail FROM exemptions ORDER BY pattern")).all()
    assert [tuple(row) for row in found] == [("*", None, None), ("SI", "3P", "301")]
    database.close()


OLD = plates(12)
NEW = "9ZZ9999"
DAMAGES = st.sampled_from(("?", "", "\0", '"', "§", "1", "\u0410\u0412"))
NO_LIMIT = {"registry_max_rejected": 1.0, "registry_max_removed": 1.0}


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cut=st.integers(len(HEAD), len(HEAD) + len(OLD) * 37), after=st.sampled_from(("", "\n", '"', "\0\0", "\r\n")))
def test_no_truncation_unpays_a_plate_that_cannot_be_read_now(twelve: Path, cut: int, after: str) -> None:
    """Whatever is left of the row that was cut, its plate stays paid as long as before, or the list is refused."""
    kept = listed(OLD)[:cut]
    with copied(twelve) as world:
        try:
            world.load(kept + after, replace=True, **NO_LIMIT)
        except RegistryFileError:
            assert world.paid() == set(OLD)
            return
        complete = kept.count("\n") - 1
        cut_row = [] if kept.endswith("\n") else OLD[complete : complete + 1]
        for at_ns in (JULY_NS, JULY_NS + 180 * DAY_NS):
            assert world.paid(at_ns) >= {*OLD[:complete], *cut_row}


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(row=st.integers(0, len(OLD) - 1), field=st.integers(0, 4), damage=DAMAGES)
def test_no_damaged_field_unpays_a_plate(twelve: Path, row: int, field: int, damage: str) -> None:
    lines = listed(OLD).splitlines()
    fields = lines[row + 1].split(",")
    fields[field] = damage
    lines[row + 1] = ",".join(fields)
    with copied(twelve) as world:
        said = f"line {row + 2}"
        try:
            world.load("\n".join(lines) + "\n", replace=True, **NO_LIMIT)
        except RegistryFileError as error:
            said = str(error)
        assert f"line {row + 2}" in said
        assert world.paid() == set(OLD)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.lists(
        st.tuples(
            st.sampled_from((*OLD[:2], NEW)), st.sampled_from(("CZ", "D", "")), st.dates(), st.dates() | st.none()
        ),
        max_size=5,
    )
)
def test_adding_a_vignette_never_unpays_anybody(twelve: Path, rows: list[tuple[str, str, date, date | None]]) -> None:
    with copied(twelve) as world:
        paid = set(OLD)
        for plate, country, begins, ends in rows:
            world.load(HEAD + f"{plate},{country},{begins},{ends or ''},car\n")
            assert paid <= world.paid()
            paid = world.paid()
