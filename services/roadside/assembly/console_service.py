"""The console service, put together: the pages of this process over the other services."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from roadside._version import __version__
from roadside.adapters.services.cameras import RemoteCameras
from roadside.adapters.services.connection import Connection, Replicas, ServiceAddress
from roadside.adapters.services.known import RemoteKnownPlates
from roadside.adapters.services.ledger import RemoteLedger
from roadside.adapters.services.registry import RemoteRegistryDesk
from roadside.adapters.services.sightings import RemoteReviews, RemoteSightings
from roadside.adapters.sql import open_embedded
from roadside.assembly.console import open_access
from roadside.assembly.console_server import FIRST_ADMIN, ConsoleServer
from roadside.assembly.identity import open_provider
from roadside.assembly.known_desk import StoredKnown
from roadside.assembly.service_storage import STORE, store_tick, wait_for_database
from roadside.assembly.training import TrainingExports
from roadside.console.desk import Desk
from roadside.console.feed import Feed
from roadside.errors import SettingsError
from roadside.kit.host import Loop, Work
from roadside.kit.logs import fields
from roadside.registry.validity import zone

if TYPE_CHECKING:
    import grpc.aio

    from roadside.adapters.sql import Database
    from roadside.assembly.context import ServiceContext
    from roadside.assembly.settings import ConsoleSettings

_log = logging.getLogger(__name__)


def build(context: ServiceContext[ConsoleSettings]) -> Work:
    """The web server, its accounts and its connections; waits for its database. Raises SettingsError."""
    settings = context.settings
    database = _accounts(context)
    context.health.set(STORE, ready=True)
    access = open_access(database, settings)
    plates, registry = _connect(settings, settings.plates_address), _connect(settings, settings.registry_address)
    captures = [Replicas(_address(settings, address)) for address in settings.captures()]
    detector = _connect(settings, settings.detector_address) if settings.detector_address else None
    sightings, ledger = RemoteSightings(plates), RemoteLedger(plates)
    cameras = RemoteCameras(captures, detector)
    desk = Desk(
        sightings=sightings,
        reviews=RemoteReviews(plates),
        registry=RemoteRegistryDesk(registry),
        known=StoredKnown(RemoteKnownPlates(registry), settings.timezone),
        ledger=ledger,
        training=TrainingExports(sightings, ledger),
        two_reviewers=settings.review_two,
        cameras=cameras,
        access=access,
        feed=Feed(sightings),
        clock=context.clock,
        zone=zone(settings.timezone),
        settings=settings,
        version=__version__,
        provider=open_provider(settings),
    )
    server = ConsoleServer(desk, lambda status: context.meter.count("answered_total", status=f"{status // 100}xx"))
    address = server.listen()
    context.lifecycle.on_stop(server.stop)
    _log.info("console", extra=fields(address=address))
    if not access.has_admin():
        # No link here: logs are kept and read by others.
        _log.warning(
            "nobody can sign in", extra=fields(mend=f"roadside console invite {FIRST_ADMIN}, in this container")
        )
    connections = [plates.close, registry.close, *(capture.close for capture in captures)]
    if detector is not None:
        connections.append(detector.close)
    return Work(
        _nothing,
        (Loop("console", server.serve),),
        ticks=(
            lambda: context.meter.set("pages_count", desk.feed.pages),
            store_tick(context.health, lambda: len(access.store.accounts())),
        ),
        closers=(cameras.close, *connections, context.bus.close, database.close),
    )


def _accounts(context: ServiceContext[ConsoleSettings]) -> Database:
    """A SQLite file of its own, made where there is none, or the database that is named."""
    if context.settings.database_url is None:
        return open_embedded(context.settings.db)
    return wait_for_database(context, context.settings)


def _connect(settings: ConsoleSettings, address: str) -> Connection:
    try:
        return Connection(_address(settings, address))
    except OSError as error:
        raise SettingsError(f"services_ca {settings.services_ca}: {error.strerror}") from error


def _address(settings: ConsoleSettings, target: str) -> ServiceAddress:
    return ServiceAddress(target, settings.bearer_token(), settings.services_ca)


def _nothing(_server: grpc.aio.Server) -> tuple[()]:
    """It answers no questions over gRPC but those for health."""
    return ()
