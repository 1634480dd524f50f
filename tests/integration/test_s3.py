"""Evidence in a bucket of a real S3-compatible server: kept, read, verified, forgotten and purged as in a folder."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pytest
from pydantic import SecretStr

from roadside.adapters.encryption import new_keyring, save_keyring
from roadside.adapters.objects.s3 import S3Options, S3Pictures
from roadside.adapters.sql import SqlSightingStore, Vault, open_embedded
from roadside.adapters.sql.retention import RetentionManager
from roadside.assembly.pictures import open_pictures
from roadside.assembly.settings import Settings
from roadside.core.sightings import Picture, PictureKind, VerdictKind
from roadside.errors import NotFoundError, SettingsError, StoreUnavailableError
from tests.clocks import HandClock
from tests.contract.test_store import CROP, DAY_NS, FRAME, sighting
from tests.servers import S3Server

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from roadside.adapters.encryption import Keyring
    from roadside.adapters.sql import Database
    from tests.conftest import Program


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    server = S3Server(tmp_path_factory.mktemp("s3"))
    server.start()
    yield server
    server.stop()


@pytest.fixture
def server(running: S3Server, request: pytest.FixtureRequest) -> S3Server:
    """The server with a bucket of this test's own."""
    mine = replace(running, bucket=f"evidence-{abs(hash(request.node.name)) % 10**8}")
    mine.objects.mkdir()
    return mine


@dataclass
class World:
    database: Database
    pictures: S3Pictures
    keyring: Keyring
    clock: HandClock

    @property
    def vault(self) -> Vault:
        return Vault(self.pictures, self.keyring)

    @property
    def store(self) -> SqlSightingStore:
        return SqlSightingStore(self.database, self.vault, self.clock)

    @property
    def retention(self) -> RetentionManager:
        return RetentionManager(self.database, self.vault, self.clock)


def options(server: S3Server, **changed: str) -> S3Options:
    return replace(S3Options(server.url, server.bucket, server.access_key, server.secret_key, "pictures/"), **changed)


@pytest.fixture
def world(server: S3Server, tmp_path: Path) -> Iterator[World]:
    database = open_embedded(tmp_path / "roadside.db")
    yield World(database, S3Pictures(options(server)), new_keyring("k1"), HandClock())
    database.close()


def objects(server: S3Server) -> list[Path]:
    return sorted(path for path in server.objects.rglob("*") if path.is_file())


def test_pictures_lie_encrypted_in_the_bucket_and_come_back(world: World, server: S3Server) -> None:
    world.store.save(sighting("s1", VerdictKind.UNPAID, 1000), [CROP, FRAME])
    kept = objects(server)
    assert len(kept) == 2
    for path in kept:
        name = path.relative_to(server.objects).as_posix()
        assert name == f"pictures/{path.name[:2]}/{path.name}"
        assert not any(picture.data in path.read_bytes() for picture in (CROP, FRAME))
    assert world.store.picture("s1", PictureKind.CROP, "jana") == CROP.data
    assert world.retention.verify().faults == ()


def test_what_was_changed_or_taken_from_the_bucket_shows(world: World, server: S3Server) -> None:
    world.store.save(sighting("s1", VerdictKind.UNPAID, 1000), [CROP, FRAME])
    first, second = objects(server)
    first.write_bytes(second.read_bytes())
    second.unlink()
    faults = world.retention.verify().faults
    assert sorted(fault.partition(": ")[2] for fault in faults) == [
        "the encrypted picture was changed",
        f"the picture {second.name[:12]} is not in the bucket",
    ]


def test_what_is_forgotten_decided_and_over_is_erased_from_the_bucket(world: World, server: S3Server) -> None:
    for number, seen in enumerate(("1AB2345", "2BC3456", "3CD4567")):
        picture = Picture(PictureKind.CROP, "image/png", b"crop of " + seen.encode())
        world.store.save(sighting(f"s{number}", VerdictKind.UNPAID, 1000, seen), [picture])
    world.vault.write(Picture(PictureKind.CROP, "image/png", b"of a process that was killed"))
    assert len(objects(server)) == 4
    assert world.retention.forget("1AB2345", "dpo").sightings == 1
    assert len(objects(server)) == 3
    world.store.decide("s1", replace(world.store.get("s1").verdict, kind=VerdictKind.PAID), "jana")
    assert len(objects(server)) == 2
    world.clock.ns += 2 * DAY_NS
    purged = world.retention.purge({VerdictKind.UNPAID: 0.0}, "cron")
    assert (purged.pictures, purged.strays, objects(server)) == (1, 1, [])
    assert world.retention.verify().faults == ()


def test_pictures_come_under_new_keys(world: World, server: S3Server) -> None:
    world.store.save(sighting("s1", VerdictKind.UNPAID, 1000), [CROP])
    before = objects(server)[0].read_bytes()
    retention = world.retention
    assert retention.reencrypt(world.keyring.rotated("k2"), "admin") == 1
    assert objects(server)[0].read_bytes() != before
    assert retention.verify().faults == ()


def test_two_replicas_share_a_bucket_and_hold_nothing(world: World, server: S3Server) -> None:
    world.store.save(sighting("s1", VerdictKind.UNPAID, 1000), [CROP])
    other = SqlSightingStore(world.database, Vault(S3Pictures(options(server)), world.keyring), world.clock)
    assert other.picture("s1", PictureKind.CROP, "jana") == CROP.data
    assert other.save(sighting("s1", VerdictKind.UNPAID, 1000), [CROP]).evidence


def test_a_server_that_is_away_keeps_nothing_and_loses_nothing(tmp_path: Path) -> None:
    server = S3Server(tmp_path / "s3")
    server.start()
    try:
        database = open_embedded(tmp_path / "roadside.db")
        world = World(database, S3Pictures(options(server)), new_keyring("k1"), HandClock())
        server.stop()
        with pytest.raises(StoreUnavailableError, match=str(server.port)) as caught:
            world.store.save(sighting("s1", VerdictKind.UNPAID, 1000), [CROP])
        assert server.secret_key not in str(caught.value)
        with pytest.raises(NotFoundError):
            world.store.get("s1")
        server.start()
        assert world.store.save(sighting("s1", VerdictKind.UNPAID, 1000), [CROP]).evidence
        database.close()
    finally:
        server.stop()


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"secret_key": "another"}, "SignatureDoesNotMatch"),
        ({"access_key": "nobody"}, "InvalidAccessKeyId|AccessDenied|SignatureDoesNotMatch"),
        ({"bucket": "no-such-bucket"}, "NoSuchBucket"),
    ],
)
def test_a_wrong_key_or_bucket_is_told(server: S3Server, changed: dict[str, str], reason: str) -> None:
    with pytest.raises(StoreUnavailableError, match=reason):
        S3Pictures(options(server, **changed)).put("ab" * 32, b"data")
    with pytest.raises(StoreUnavailableError):
        S3Pictures(options(server, **changed)).free_bytes()


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"evidence_s3_url": "http://127.0.0.1:1"}, "EVIDENCE_S3_BUCKET"),
        ({"evidence_s3_url": "http://127.0.0.1:1/path", "evidence_s3_bucket": "b"}, "must be https://host"),
    ],
)
def test_settings_that_do_not_fit_are_told(given: dict[str, str], message: str) -> None:
    keys = {"evidence_s3_access_key": "a", "evidence_s3_secret_key": SecretStr("s")}
    with pytest.raises(SettingsError, match=message):
        open_pictures(Settings(**given, **keys))  # type: ignore[arg-type]


def test_the_commands_read_evidence_through_the_settings(world: World, server: S3Server, program: Program) -> None:
    world.store.save(sighting("s1", VerdictKind.UNPAID, 1000), [CROP, FRAME])
    save_keyring(world.keyring, program.home / "keys.json")
    settings = {
        "ROADSIDE_EVIDENCE_S3_URL": server.url,
        "ROADSIDE_EVIDENCE_S3_BUCKET": server.bucket,
        "ROADSIDE_EVIDENCE_S3_PREFIX": "pictures/",
        "ROADSIDE_EVIDENCE_S3_ACCESS_KEY": server.access_key,
        "ROADSIDE_EVIDENCE_S3_SECRET_KEY": server.secret_key,
        "ROADSIDE_KEYS": str(program.home / "keys.json"),
    }
    arguments = ("evidence", "verify", "--db", program.home / "roadside.db")
    found = program.run(*arguments, **settings)
    assert (found.returncode, found.stderr) == (0, "")
    for path in objects(server):
        path.unlink()
    assert program.run(*arguments, **settings).returncode != 0
