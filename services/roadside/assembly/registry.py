"""The registry service, put together."""

from __future__ import annotations

import logging
import math
from typing import TYPE_CHECKING

from roadside.adapters.second_reader import OcrOptions, OcrWitness
from roadside.adapters.sql.known import SqlKnownPlates
from roadside.assembly.holdings import held_lists, take_in
from roadside.assembly.known import open_known, unreachable
from roadside.assembly.service_storage import STORE, store_tick, wait_for_database
from roadside.assembly.site import load_site
from roadside.assembly.storage import open_asked_registry, open_held_registry, open_judge, own_registry
from roadside.core.witness import NO_SECOND_READER
from roadside.errors import RegistryUnavailableError, SettingsError
from roadside.kit.holding_runner import HoldingRunner
from roadside.kit.host import Loop, Work
from roadside.kit.logs import fields
from roadside.ports.bus import READS, SIGHTINGS
from roadside.registry.lists_servicer import KnownListsServicer
from roadside.registry.passages import PassageBuilder
from roadside.registry.servicer import RegistryServicer
from roadside.registry.stage import GatherStage
from roadside.v1 import lists_pb2, lists_pb2_grpc, registry_pb2, registry_pb2_grpc

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import grpc.aio

    from roadside.adapters.sql import SqlRegistry
    from roadside.assembly.context import ServiceContext
    from roadside.assembly.lists import Taken
    from roadside.assembly.settings import RegistrySettings
    from roadside.ports.registry import ListState
    from roadside.registry.servicer import ListOrder


AGE_TICKS = 10
"""Seconds between two looks at the list's age."""
_log = logging.getLogger(__name__)


def build(context: ServiceContext[RegistrySettings]) -> Work:
    """The gathering of reads, the judge, and answers over gRPC; waits for its database. Raises SettingsError."""
    settings, clock = context.settings, context.clock
    database = own_registry(settings) or wait_for_database(context, settings)
    context.health.set(STORE, ready=True)
    held = open_held_registry(settings, database)
    judge = open_judge(settings, open_asked_registry(settings, database, clock), clock)
    witness = _witness(settings)
    # A registry of its own holds no lists: those lie with the sightings.
    book = open_known(settings, settings, database) if settings.registry is None else None
    if book is not None and (line := unreachable(settings)):
        _log.warning(line)
    find = (lambda *_: ()) if book is None else book.matches
    runner = HoldingRunner(
        READS,
        SIGHTINGS,
        GatherStage(
            PassageBuilder(
                judge, witness=witness, view_of=load_site().view, find_known=find, strips=settings.film_strip
            ),
            context.meter,
        ),
        context.loop_parts(READS.name),
        silence_s=settings.camera_silence_s,
        is_full=context.bus.is_nearly_full,
    )

    def load(path: Path, order: ListOrder) -> Taken:
        return take_in(database, settings, path, order, clock.now_ns())

    def state() -> ListState:
        return held_lists(database, settings.registry_max_age_days)

    def register(server: grpc.aio.Server) -> tuple[str, ...]:
        servicer = RegistryServicer(held, load, state, clock, settings.verdict_time_tolerance_s)
        registry_pb2_grpc.add_RegistryServicer_to_server(servicer, server)
        lists_pb2_grpc.add_KnownListsServicer_to_server(KnownListsServicer(SqlKnownPlates(database)), server)
        return (
            registry_pb2.DESCRIPTOR.services_by_name["Registry"].full_name,
            lists_pb2.DESCRIPTOR.services_by_name["KnownLists"].full_name,
        )

    return Work(
        register,
        (Loop("gather", runner.run),),
        ticks=(
            context.backlog_tick(READS),
            context.memory_tick,
            store_tick(context.health, held.size),
            *(() if settings.registry_http else (_age_tick(context, held),)),
        ),
        closers=(context.bus.close, database.close, *(() if witness is None else (witness.close,))),
    )


def _age_tick(context: ServiceContext[RegistrySettings], held: SqlRegistry) -> Callable[[], None]:
    """Tells how old the list is, and from what age on nobody is UNPAID by it; now and then, for it is a query."""
    context.meter.set("list_longest_seconds", context.settings.registry_max_age_days * 86_400)
    ticks = 0

    def tick() -> None:
        nonlocal ticks
        ticks += 1
        if ticks % AGE_TICKS == 1:
            try:
                age_s = (context.clock.now_ns() - held.imported_ns()) / 1e9
            except RegistryUnavailableError:
                age_s = math.inf
            context.meter.set("list_age_seconds", age_s)

    return tick


def _witness(settings: RegistrySettings) -> OcrWitness | None:
    """The second reader of the ocr service; None where its address is not set."""
    if not settings.ocr_address:
        _log.warning(NO_SECOND_READER, extra=fields(setting="ocr_address"))
        return None
    try:
        return OcrWitness(OcrOptions(settings.ocr_address, settings.bearer_token(), settings.ocr_ca))
    except OSError as error:
        raise SettingsError(f"ocr_ca {settings.ocr_ca}: {error.strerror}") from error
