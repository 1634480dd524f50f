"""The plates service, put together."""

from __future__ import annotations

import logging
from functools import partial
from typing import TYPE_CHECKING

from roadside.adapters.sql import SqlSightingStore
from roadside.adapters.sql.bell import open_bell
from roadside.adapters.sql.ledger import SqlLedger
from roadside.adapters.sql.retention import RetentionManager
from roadside.adapters.sql.reviews import Reviews
from roadside.assembly.anchoring import EVERY_S, open_anchoring
from roadside.assembly.letters import forget_letters
from roadside.assembly.pictures import room_tick
from roadside.assembly.service_storage import store_tick, wait_for_database
from roadside.assembly.storage import open_asked_registry, open_judge, open_vault, own_registry
from roadside.assembly.training import keep_for_training
from roadside.errors import InputError, PoisonError, StoreUnavailableError, UnavailableError
from roadside.kit.host import Loop, Work
from roadside.kit.logs import fields
from roadside.plates.records_servicer import RecordsServicer
from roadside.plates.review import Reviewing
from roadside.plates.review_servicer import ReviewServicer
from roadside.plates.servicer import PlatesServicer
from roadside.plates.stage import BatchStoreStage
from roadside.plates.watching import WatchHub
from roadside.ports.bus import SIGHTINGS
from roadside.registry.recheck import recheck
from roadside.v1 import plates_pb2, plates_pb2_grpc, records_pb2, records_pb2_grpc, review_pb2, review_pb2_grpc

if TYPE_CHECKING:
    import threading

    import grpc.aio

    from roadside.assembly.anchoring import Anchoring
    from roadside.assembly.context import ServiceContext
    from roadside.assembly.settings import PlatesSettings
    from roadside.registry.judge import Judge

SIGHTINGS_AT_ONCE = 16
ACTOR = "the plates service"
SCRUB_EVERY_S = 86_400.0
DAY_NS = 86_400 * 10**9

_log = logging.getLogger(__name__)


def build(context: ServiceContext[PlatesSettings]) -> Work:
    """The store, its stage, reviews and answers over gRPC; waits for its database. Raises SettingsError."""
    settings, clock, stopping = context.settings, context.clock, context.lifecycle.stopping
    database = wait_for_database(context, settings)
    vault = open_vault(settings, database)
    store = SqlSightingStore(database, vault, clock)
    stage = BatchStoreStage(store, clock, context.meter)
    runner = context.batch_runner(SIGHTINGS, stage, at_once=SIGHTINGS_AT_ONCE)
    hub = WatchHub(store, open_bell(database), context.meter, settings.most_watchers)
    servicer = PlatesServicer(store, hub)
    registry = open_asked_registry(settings, own_registry(settings) or database, clock)
    judge = open_judge(settings, registry, clock)
    retention = RetentionManager(database, vault, clock)
    ledger = SqlLedger(database, retention, vault)
    reviewing = Reviewing(
        store,
        Reviews(database, vault),
        judge.settle,
        clock,
        two=settings.review_two,
        keep=keep_for_training(store, settings.review_training),
    )

    def register(server: grpc.aio.Server) -> tuple[str, ...]:
        plates_pb2_grpc.add_PlatesServicer_to_server(servicer, server)
        review_pb2_grpc.add_ReviewServicer_to_server(ReviewServicer(reviewing), server)
        letters = partial(forget_letters, context.bus, retention)
        records_pb2_grpc.add_RecordsServicer_to_server(RecordsServicer(ledger, letters), server)
        return (
            plates_pb2.DESCRIPTOR.services_by_name["Plates"].full_name,
            review_pb2.DESCRIPTOR.services_by_name["Review"].full_name,
            records_pb2.DESCRIPTOR.services_by_name["Records"].full_name,
        )

    def letters_tick() -> None:
        context.meter.set("dead_letters_count", context.bus.count_dead_letters())

    return Work(
        register,
        (
            Loop("store", runner.run),
            Loop("watch", lambda: hub.run(stopping)),
            Loop("recheck", lambda: _recheck(store, judge, settings.recheck_every_s, stopping)),
            Loop("checkpoint", lambda: _anchor(open_anchoring(settings, retention), stopping)),
            Loop("purge", lambda: _purge(retention, context)),
        ),
        ticks=(
            context.backlog_tick(SIGHTINGS),
            context.memory_tick,
            letters_tick,
            store_tick(context.health, store.newest_sequence),
            store.settle,
            room_tick(context, vault.pictures),
        ),
        closers=(context.bus.close, database.close),
    )


def _recheck(store: SqlSightingStore, judge: Judge, every_s: float, stopping: threading.Event) -> None:
    """Ask again about what the registry could not answer, until it is time to end."""
    while not stopping.wait(every_s):
        try:
            for sighting in recheck(store, judge, ACTOR):
                where = fields(sighting=sighting.sighting_id, verdict=sighting.verdict.kind.value)
                _log.info("decided later", extra=where)
        except (StoreUnavailableError, PoisonError) as error:
            _log.warning("waiting", extra=fields(loop="recheck", reason=str(error)))


def _anchor(anchoring: Anchoring, stopping: threading.Event) -> None:
    """Sign the end of the chain once a day, and once more when it is time to end."""
    ending = False
    while True:
        try:
            if anchoring.write():
                _log.info("checkpoint", extra=fields(folder=str(anchoring.folder.folder)))
        except (UnavailableError, InputError) as error:
            _log.warning("no checkpoint", extra=fields(loop="checkpoint", reason=str(error)))
        if ending:
            return
        ending = stopping.wait(EVERY_S)


def _purge(retention: RetentionManager, context: ServiceContext[PlatesSettings]) -> None:
    """Delete what is older than its retention, dead letters too, until it is time to end."""
    settings = context.settings
    while not context.lifecycle.stopping.wait(settings.purge_every_s):
        try:
            purged = retention.purge(settings.retention_days(), ACTOR, SCRUB_EVERY_S)
            before_ns = context.clock.now_ns() - round(settings.keep_dead_letters_days * DAY_NS)
            letters = context.bus.purge_dead_letters(before_ns)
        except (UnavailableError, PoisonError) as error:
            _log.warning("waiting", extra=fields(loop="purge", reason=str(error)))
        else:
            counts = {f"{kind.lower()}_count": count for kind, count in purged.sightings.items()}
            found = fields(**counts, pictures=purged.pictures, strays=purged.strays, dead_letters=letters)
            _log.info("purged", extra=found)
