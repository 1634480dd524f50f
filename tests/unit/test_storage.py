"""Opening what is kept, as the settings say."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from roadside.adapters.sql import import_vignettes, open_database, open_embedded
from roadside.assembly.settings import Settings
from roadside.assembly.storage import open_registry_alone, open_vault
from roadside.core.moments import PassageTime
from roadside.core.sightings import Picture, PictureKind
from roadside.core.vignettes import NEVER_NS, CandidateQuery, Vignette
from roadside.errors import SettingsError, StoreUnavailableError
from tests.clocks import A_DAY_IN_2027_NS, HandClock

if TYPE_CHECKING:
    from tests.conftest import Program

STREET = Path(__file__).parents[2] / "examples" / "street.jpg"
DAY_NS = 86_400 * 10**9
QUERY = CandidateQuery(("1AB2345",), (), (), 0.0)


@pytest.mark.parametrize(("days", "stale"), [(0, False), (31, False), (32, True)])
def test_a_registry_without_sightings_grows_old_too(tmp_path: Path, *, days: int, stale: bool) -> None:
    path = tmp_path / "registry.db"
    database = open_embedded(path)
    import_vignettes(database, [Vignette("1AB2345", "CZ", "", 0, NEVER_NS)], "list.csv", A_DAY_IN_2027_NS)
    database.close()
    with open_registry_alone(Settings(registry=path), HandClock()) as registry:
        assert registry.search(QUERY, PassageTime.at(A_DAY_IN_2027_NS + days * DAY_NS)).stale is stale


def test_an_address_with_a_port_that_is_none_is_told_without_its_password() -> None:
    with pytest.raises(SettingsError, match="not an address") as caught:
        open_database("postgresql://bob:secret@host:port/name")
    assert "secret" not in str(caught.value)


def test_a_database_below_a_file_cannot_be_made(program: Program) -> None:
    (program.home / "file").write_text("")
    failed = program.run("database", "migrate", "--database-url", f"sqlite:///{program.home}/file/sub/r.db")
    assert (failed.returncode, failed.stderr.count("\n")) == (3, 1)
    assert "Not a directory" in failed.stderr


def test_the_newest_sightings_come_from_the_database_that_is_named(program: Program) -> None:
    url = f"sqlite:///{program.home}/named.db"
    assert program.run("database", "migrate", "--database-url", url).returncode == 0
    listed = program.run("plates", "recent", ROADSIDE_DATABASE_URL=url)
    assert (listed.returncode, listed.stderr) == (0, "")
    both = program.run("plates", "recent", "--db", "other.db", ROADSIDE_DATABASE_URL=url)
    assert both.returncode == 2
    assert "not both" in both.stderr


def test_a_database_has_the_name_that_is_given(tmp_path: Path) -> None:
    path = tmp_path / "what?#%41.db"
    open_embedded(path).close()
    assert [found.name for found in tmp_path.iterdir()] == [path.name]


def test_evidence_that_cannot_be_written_is_an_absence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    database = open_embedded(tmp_path / "r.db")
    vault = open_vault(Settings(db=tmp_path / "r.db", evidence=tmp_path / "file"), database)
    with pytest.raises(StoreUnavailableError, match="file"):
        vault.write(Picture(PictureKind.CROP, "image/jpeg", b"pixels"))


@pytest.mark.parametrize("command", ["read", "run"])
def test_what_is_read_is_not_overwritten(program: Program, command: str) -> None:
    street = STREET.read_bytes()
    for name in ("a.jpg", "b.jpg"):
        (program.home / name).write_bytes(street)
    calls = [("a.jpg", "--out", "a.jpg")] + [("a.jpg", "b.jpg", "--out", ".")] * (command == "read")
    for arguments in calls:
        failed = program.run(command, *arguments)
        assert failed.returncode == 2
        assert "would be overwritten" in failed.stderr
    assert (program.home / "a.jpg").read_bytes() == street
