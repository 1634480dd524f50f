"""Commands that are told the services' database instead of a file, as inside the containers of a cluster."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import numpy as np
import pytest

from roadside.adapters.bus.redis_streams import RedisOptions, RedisStreams
from roadside.adapters.sql import open_database
from roadside.adapters.system_clock import SystemClock
from roadside.core.events import SightingEvent
from roadside.core.frames import CameraId
from roadside.core.reads import FusedPlate, Hypothesis
from roadside.core.sightings import Sighting, Verdict
from roadside.ports.bus import SIGHTINGS
from roadside.wire.codec import ProtobufCodec
from tests.databases import fresh_postgres, postgres
from tests.e2e.test_records import HEAD, VerdictKind, fill
from tests.servers import RedisServer, redis_binary

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.conftest import Program


@pytest.fixture
def database_url() -> Iterator[str]:
    """A real PostgreSQL, migrated."""
    with postgres() as server:
        url = fresh_postgres(server)
        database = open_database(url)
        database.migrate()
        database.close()
        yield url


def typed(program: Program, text: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """The program with something on its standard input."""
    return subprocess.run(
        program.command(*arguments),
        cwd=program.home,
        env={**program.environment, **environment},
        input=text,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def test_a_registry_comes_in_through_the_standard_input(program: Program, database_url: str) -> None:
    row = "1AB2345,CZ,2026-01-01,2026-12-31,car\nx,CZ,2026-01-01,2026-12-31,car\n"
    imported = typed(program, HEAD + row, "registry", "import", "-", ROADSIDE_DATABASE_URL=database_url)
    assert imported.returncode == 1
    assert "-:3: 'x' is no plate" in imported.stderr
    assert "1 vignette added" in imported.stdout
    text = "pattern,country,reason\nEL*,CZ,electric\n"
    assert typed(program, text, "registry", "exempt", "-", ROADSIDE_DATABASE_URL=database_url).returncode == 0
    unread = program.run("registry", "check", "9ZZ9999", "--at", "2026-07-01", ROADSIDE_DATABASE_URL=database_url)
    assert unread.stdout.startswith("UNKNOWN"), "it may be the row that could not be read"
    whole = HEAD + row.replace("\nx,", "\n3CD6789,")
    assert typed(program, whole, "registry", "import", "-", ROADSIDE_DATABASE_URL=database_url).returncode == 0
    for plate, says in (("1AB2345", "PAID"), ("EL123AB", "EXEMPT"), ("9ZZ9999", "UNPAID")):
        checked = program.run("registry", "check", plate, "--at", "2026-07-01", ROADSIDE_DATABASE_URL=database_url)
        assert checked.stdout.startswith(says), checked
    assert not list(program.home.rglob("*.db"))


def test_recent_and_purge_know_what_the_services_database_names(program: Program, database_url: str) -> None:
    fill(program.home, ("s1", "1AB2345", VerdictKind.UNPAID), url=database_url)
    pictures = {path for path in (program.home / "r.evidence").rglob("*") if path.is_file()}
    assert pictures
    for path in pictures:
        os.utime(path, (0, 0))  # a picture without a record would be a stray by now
    where = {"ROADSIDE_EVIDENCE": str(program.home / "r.evidence"), "ROADSIDE_KEYS": str(program.home / "r.keys.json")}
    recent = program.run("plates", "recent", ROADSIDE_DATABASE_URL=database_url, **where)
    assert "1AB2345" in recent.stdout, recent.stderr
    kept = program.run("purge", ROADSIDE_DATABASE_URL=database_url, **where)
    assert kept.returncode == 0, kept.stderr
    assert pictures <= {path for path in (program.home / "r.evidence").rglob("*") if path.is_file()}
    purged = program.run("purge", "--keep-unpaid-days", "0", ROADSIDE_DATABASE_URL=database_url, **where)
    assert purged.returncode == 0, purged.stderr
    assert "1 UNPAID" in purged.stdout
    assert not pictures & set((program.home / "r.evidence").rglob("*"))


@pytest.mark.parametrize(
    ("url", "flags", "says"),
    [
        ("sqlite:///r.db", ("--db", "other.db"), "not both"),
        ("sqlite:///r.db", (), "roadside database migrate"),
        ("mysql://user:hidden@host/r", (), "not mysql"),
    ],
)
def test_what_cannot_be_is_said_without_the_password(
    program: Program, url: str, flags: tuple[str, ...], says: str
) -> None:
    failed = program.run("purge", *flags, ROADSIDE_DATABASE_URL=url)
    assert failed.returncode == 2
    assert says in failed.stderr
    assert "hidden" not in failed.stderr + failed.stdout


def test_forgetting_reaches_the_dead_letters(program: Program, database_url: str, tmp_path: Path) -> None:
    server = RedisServer(redis_binary(), tmp_path / "redis")
    server.start()
    try:
        bus = RedisStreams(RedisOptions(server.url, "plates", claim_every_s=0), ProtobufCodec(), SystemClock())
        rows = np.full((7, 36), 1 / 36, np.float32)
        for name, text, others in (("a", "1AB2345", ()), ("b", "5CD6789", ("1AB2345",)), ("c", "5CD6789", ())):
            alternatives = tuple(Hypothesis(other, "CZ", -2.0) for other in others)
            plate = FusedPlate(text, text, "CZ", 0.9, rows, alternatives, (), 2)
            verdict = Verdict(VerdictKind.REVIEW, "one-look", 0.0, 0.0)
            bus.publish(SIGHTINGS, SightingEvent(Sighting(name, CameraId("gate"), name, 10, 10, plate, verdict), ()))
        for delivery in bus.receive(SIGHTINGS, max_messages=3, block_s=0):
            bus.reject(delivery, "poison")
        where = {"ROADSIDE_DATABASE_URL": database_url, "ROADSIDE_EVIDENCE": "e", "ROADSIDE_KEYS": "keys.json"}
        silent = program.run("forget", "9ZZ9999", **where)
        assert "dead letters of the services were not searched" in silent.stderr
        done = program.run("forget", "1ab 2345", "--redis-url", server.url, **where)
        assert done.returncode == 0, done.stderr
        assert "2 dead letters forgotten" in done.stdout
        assert [letter.identity for letter in bus.dead_letters()] == ["c"]
        assert b"1AB2345" not in b"".join(path.read_bytes() for path in tmp_path.glob("redis/*") if path.is_file())
    finally:
        server.stop()
