"""The notify service, put together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from roadside.adapters.notify.opening import open_channels
from roadside.adapters.sql.outbox import SqlOutbox
from roadside.assembly.service_storage import wait_for_database
from roadside.kit.backoff import Backoff
from roadside.kit.host import Loop, Work
from roadside.notify.channels import Channels
from roadside.notify.runner import NotifyParts, NotifyRunner

if TYPE_CHECKING:
    import grpc.aio

    from roadside.assembly.context import ServiceContext
    from roadside.assembly.settings import NotifySettings


def build(context: ServiceContext[NotifySettings]) -> Work:
    """The outbox, the channels and the loop between them; waits for its database. Raises SettingsError."""
    settings = context.settings
    database = wait_for_database(context, settings)
    runner = NotifyRunner(
        NotifyParts(
            SqlOutbox(database),
            Channels(settings.notify, lambda options: open_channels(options, context.clock, settings.notify_secrets)),
            clock=context.clock,
            rng=context.rng,
            meter=context.meter,
            health=context.health,
            backoff=Backoff(context.rng),
            stopping=context.lifecycle.stopping,
        )
    )
    return Work(_nothing, (Loop("notify", runner.run),), closers=(context.bus.close, database.close))


def _nothing(_server: grpc.aio.Server) -> tuple[()]:
    """It answers no questions but those for health."""
    return ()
