"""A registry in a database finds every plate that the one that was read may be a part of or a misreading of."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from roadside.adapters.sql import SqlRegistry, import_exemptions, import_vignettes, open_database, open_embedded
from roadside.core.moments import PassageTime
from roadside.core.nearness import Relation, nearness_query, relation
from roadside.core.plates import fold
from roadside.core.sightings import VerdictKind
from roadside.core.vignettes import Exemption, Vignette
from tests.databases import KINDS, fresh_postgres, postgres

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from roadside.adapters.sql import Database
    from tests.servers import PostgresServer

READ = "1AB2345"
FOLDED = "0123456789ABCDEFGHJKLMNPRSTUVWXYZ"


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    with postgres() as running:
        yield running


@pytest.fixture(params=KINDS)
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    if request.param == "sqlite":
        opened = open_embedded(tmp_path / "registry.db")
    else:
        opened = open_database(fresh_postgres(request.getfixturevalue("server")))
        opened.migrate()
    yield opened
    opened.close()


def neighbours(read: str, rng: np.random.Generator) -> set[str]:
    """Plates near and not so near `read`: cut, lengthened, misread, swapped, in any place."""
    found = set()
    for _ in range(1500):
        characters = list(read)
        for _ in range(int(rng.integers(1, 4))):
            place = int(rng.integers(0, len(characters)))
            match int(rng.integers(0, 4)):
                case 0:
                    characters[place] = FOLDED[int(rng.integers(len(FOLDED)))]
                case 1:
                    characters.insert(int(rng.integers(0, len(characters) + 1)), FOLDED[int(rng.integers(33))])
                case 2 if len(characters) > 3:
                    del characters[place]
                case _ if place:
                    characters[place - 1 : place + 1] = characters[place - 1 : place + 1][::-1]
        found.add("".join(characters))
    return found


@pytest.mark.parametrize("read", [READ, "LS15EBC", "W123", "DEN1SA13"])
def test_every_related_plate_is_found(database: Database, read: str) -> None:
    plates = neighbours(read, np.random.default_rng(len(read)))
    related = {plate for plate in plates if relation(read, plate) is not None}
    assert {relation(read, plate) for plate in related} >= {Relation.PART, Relation.SWAPPED, Relation.TWO_ERRORS}
    import_vignettes(database, (Vignette(p, "CZ", "", 0, 1000) for p in sorted(plates)), "near", 1)
    answer = SqlRegistry(database, grace_s=0.0, max_age_days=0.0).search(nearness_query(read), PassageTime.at(500))
    assert related <= {v.plate for v in answer.vignettes}


@pytest.mark.parametrize("read", [READ, "LS15EBC", "DEN1SA13", "51XYZ5"])
def test_every_plate_that_is_shifted_is_found(database: Database, read: str) -> None:
    """A band and a crest were read as characters, and the other end was cut off: four errors that are of one kind."""
    ends = [a + b for a in "7XQ1" for b in ("", "8", "Y")]
    cores = [core for added in (1, 2) if len(core := read[added:]) >= 4]
    plates = {fold(core + end) for core in cores for end in ends} | {
        fold(end + read[:-added]) for added in (1, 2) if len(read) - added >= 4 for end in ends
    }
    related = {plate for plate in plates if relation(read, plate) is not None}
    assert Relation.SHIFTED in {relation(read, plate) for plate in related}
    import_vignettes(database, (Vignette(p, "CZ", "", 0, 1000) for p in sorted(plates)), "near", 1)
    answer = SqlRegistry(database, grace_s=0.0, max_age_days=0.0).search(nearness_query(read), PassageTime.at(500))
    assert related <= {v.plate for v in answer.vignettes}


def test_what_is_not_valid_is_not_found_and_exemptions_are(database: Database) -> None:
    import_vignettes(database, [Vignette("11AB2345", "CZ", "", 0, 10)], "f", 1)
    import_exemptions(database, [Exemption("1AB23456", "CZ", "electric", 0, 1000)], "f", 1)
    answer = SqlRegistry(database, grace_s=0.0, max_age_days=0.0).search(nearness_query(READ), PassageTime.at(500))
    assert answer.vignettes == ()
    assert [e.pattern for e in answer.exemptions] == ["1AB23456"]


def test_a_family_of_a_country_frees_its_own_plates_whether_the_country_is_named_or_not(database: Database) -> None:
    import_vignettes(database, [Vignette("1AB2345", "CZ", "", 0, 10)], "f", 1)
    import_exemptions(database, [Exemption("*", "DE", "foreign", 0, 1000)], "f", 1)
    registry = SqlRegistry(database, grace_s=0.0, max_age_days=0.0)
    assert registry.check("AB123CD", None, PassageTime.at(500)).kind is VerdictKind.UNPAID
    assert registry.check("MAB1234", None, PassageTime.at(500)).kind is VerdictKind.EXEMPT
    assert registry.check("MAB1234", "DE", PassageTime.at(500)).kind is VerdictKind.EXEMPT
