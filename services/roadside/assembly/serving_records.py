"""What registry and plates are made of."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from roadside.adapters.encryption import load_or_make_keyring
from roadside.adapters.http.registry import HttpRegistry, load_http_options
from roadside.adapters.sql import SqlRegistry, SqlSightingStore, Vault, import_vignettes, open_database, open_embedded
from roadside.adapters.sql.retention import RetentionManager
from roadside.adapters.sql.reviews import Reviews
from roadside.adapters.system_clock import SystemClock
from roadside.assembly.service_settings import PlatesSettings, RegistrySettings, StoringSettings
from roadside.assembly.serving_bus import backlog_tick, retry_policy, stage_runner
from roadside.assembly.settings import data_folder
from roadside.core.confusions import from_json, typical
from roadside.errors import SettingsError, StoreUnavailableError
from roadside.kit.backoff import Backoff
from roadside.kit.gather_runner import GatherRunner
from roadside.kit.host import Loop, Work
from roadside.kit.logs import fields
from roadside.kit.weights import check_shipped, weights_folder
from roadside.plates.review import Reviewing
from roadside.plates.review_servicer import ReviewServicer
from roadside.plates.servicer import PlatesServicer
from roadside.plates.stage import StoreStage
from roadside.ports.bus import Stream
from roadside.registry.judge import Judge
from roadside.registry.passages import PassageBuilder
from roadside.registry.recheck import recheck
from roadside.registry.servicer import RegistryServicer
from roadside.registry.validity import zone
from roadside.registry.vignette_file import read_vignettes
from roadside.v1 import plates_pb2, plates_pb2_grpc, registry_pb2, registry_pb2_grpc, review_pb2, review_pb2_grpc

if TYPE_CHECKING:
    import random
    import threading
    from collections.abc import Callable
    from pathlib import Path

    import grpc

    from roadside.adapters.bus.redis_streams import RedisStreams
    from roadside.adapters.sql import Database, ImportReport
    from roadside.core.confusions import Confusions
    from roadside.kit.host import ServiceHost
    from roadside.ports.registry import Registry

SIGHTINGS_AT_ONCE = 16
FIRST_KEY = "k1"
STORE = "store"
ACTOR = "the plates service"
STORE_TICKS = 5

_log = logging.getLogger(__name__)


def registry(host: ServiceHost, bus: RedisStreams, rng: random.Random) -> Work:
    """The registry service; waits for its database. Raises SettingsError."""
    settings = host.settings
    assert isinstance(settings, RegistrySettings)  # noqa: S101 - the table in `serve` pairs them
    clock = SystemClock()
    database = _registry_database(settings, host, rng)
    held = SqlRegistry(database, settings.grace_s)
    runner = GatherRunner(
        bus,
        PassageBuilder(_judge(settings, database)),
        meter=host.meter,
        clock=clock,
        health=host.health,
        retry=retry_policy(host, Stream.READS.value, rng),
        stopping=host.lifecycle.stopping,
        silence_s=settings.camera_silence_s,
    )

    def load(path: Path, replace_all: bool) -> ImportReport:  # noqa: FBT001 - as the servicer calls it
        rows = read_vignettes(path, zone(settings.timezone))
        return import_vignettes(database, rows, "gRPC", clock.now_ns(), replace=replace_all)

    def register(server: grpc.Server) -> tuple[str]:
        registry_pb2_grpc.add_RegistryServicer_to_server(RegistryServicer(held, load, clock), server)
        return (registry_pb2.DESCRIPTOR.services_by_name["Registry"].full_name,)

    return Work(
        register,
        (Loop("gather", runner.run),),
        ticks=(backlog_tick(host, bus, Stream.READS), _store_tick(host, held.size)),
        closers=(bus.close, database.close),
    )


def plates(host: ServiceHost, bus: RedisStreams, rng: random.Random) -> Work:
    """The plates service; waits for its database. Raises SettingsError."""
    settings = host.settings
    assert isinstance(settings, PlatesSettings)  # noqa: S101 - the table in `serve` pairs them
    clock = SystemClock()
    database = _database(settings, host, rng)
    keyring = load_or_make_keyring(settings.keys or data_folder() / "keys.json", FIRST_KEY)
    vault = Vault(settings.evidence or data_folder() / "evidence", keyring)
    store = SqlSightingStore(database, vault, clock)
    stage = StoreStage(store, clock, host.meter)
    runner = stage_runner(host, bus, Stream.SIGHTINGS, stage, host.meter, rng, at_once=SIGHTINGS_AT_ONCE)
    stopping = host.lifecycle.stopping
    servicer = PlatesServicer(store, host.meter, stopping, settings.most_watchers)
    registry_database = _registry_database(settings, host, rng) if settings.registry is not None else database
    judge = _judge(settings, registry_database)

    retention = RetentionManager(database, vault, clock)
    reviewing = Reviewing(store, Reviews(database), judge.settle, clock)

    def register(server: grpc.Server) -> tuple[str, str]:
        plates_pb2_grpc.add_PlatesServicer_to_server(servicer, server)
        review_pb2_grpc.add_ReviewServicer_to_server(ReviewServicer(reviewing), server)
        return (
            plates_pb2.DESCRIPTOR.services_by_name["Plates"].full_name,
            review_pb2.DESCRIPTOR.services_by_name["Review"].full_name,
        )

    def letters() -> None:
        host.meter.set("dead_letters_count", len(bus.dead_letters()))

    return Work(
        register,
        (
            Loop("store", runner.run),
            Loop("recheck", lambda: _recheck(store, judge, settings.recheck_every_s, stopping)),
            Loop("purge", lambda: _purge(retention, settings, stopping)),
        ),
        ticks=(backlog_tick(host, bus, Stream.SIGHTINGS), letters, _store_tick(host, store.newest_sequence)),
        closers=(bus.close, database.close),
        extra_threads=settings.most_watchers,
    )


def _recheck(store: SqlSightingStore, judge: Judge, every_s: float, stopping: threading.Event) -> None:
    """Ask again about what the registry could not answer, until it is time to end."""
    while not stopping.wait(every_s):
        try:
            for sighting in recheck(store, judge, ACTOR):
                where = fields(sighting=sighting.sighting_id, verdict=sighting.verdict.kind.value)
                _log.info("decided later", extra=where)
        except StoreUnavailableError as error:
            _log.warning("waiting", extra=fields(loop="recheck", reason=str(error)))


def _purge(retention: RetentionManager, settings: PlatesSettings, stopping: threading.Event) -> None:
    """Delete what is older than its retention, until it is time to end."""
    while not stopping.wait(settings.purge_every_s):
        try:
            purged = retention.purge(settings.retention_days(), ACTOR)
        except StoreUnavailableError as error:
            _log.warning("waiting", extra=fields(loop="purge", reason=str(error)))
        else:
            counts = {f"{kind.lower()}_count": count for kind, count in purged.sightings.items()}
            _log.info("purged", extra=fields(**counts, pictures=purged.pictures, strays=purged.strays))


def _judge(settings: StoringSettings, database: Database) -> Judge:
    clock = SystemClock()
    asked: Registry = SqlRegistry(database, settings.grace_s)
    if settings.registry_http is not None:
        asked = HttpRegistry(load_http_options(settings.registry_http), clock)
    return Judge(asked, _confusions(settings.confusions), settings.policy(), clock, settings.grace_s)


def _confusions(named: Path | None) -> Confusions:
    path = named or weights_folder() / "confusions.json"
    if named is None and not path.is_file():
        return typical()
    check_shipped(path)
    try:
        return from_json(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SettingsError(f"confusions {path}: {error}") from error


def _registry_database(settings: StoringSettings, host: ServiceHost, rng: random.Random) -> Database:
    """The registry's own SQLite file where one is named, otherwise the database of the sightings."""
    return open_embedded(settings.registry) if settings.registry is not None else _database(settings, host, rng)


def _database(settings: StoringSettings, host: ServiceHost, rng: random.Random) -> Database:
    """The database once it answers. Raises SettingsError where it was not migrated."""
    database = open_database(settings.database_url.get_secret_value())
    backoff = Backoff(rng)
    while not host.lifecycle.stopping.is_set():
        try:
            database.check_migrated()
        except StoreUnavailableError as error:
            pause_s = backoff.next_s()
            _log.warning("waiting", extra=fields(loop="start", reason=str(error), seconds=round(pause_s, 2)))
            host.lifecycle.stopping.wait(pause_s)
        else:
            host.health.set(STORE, ready=True)
            break
    return database


def _store_tick(host: ServiceHost, ask: Callable[[], int]) -> Callable[[], None]:
    """Keeps readiness: every few ticks the database is asked something small."""
    ticks = 0

    def tick() -> None:
        nonlocal ticks
        ticks += 1
        if ticks % STORE_TICKS:
            return
        try:
            ask()
        except StoreUnavailableError:
            host.health.set(STORE, ready=False)
            raise
        host.health.set(STORE, ready=True)

    return tick
