"""`roadside notify`: tells webhooks and brokers of new sightings and changed verdicts, until it is stopped."""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING

from roadside.adapters.notify.webhook import Webhook
from roadside.adapters.sql.outbox import Outbox
from roadside.adapters.system_clock import SystemClock
from roadside.assembly.records import open_records
from roadside.commands.flags import add_settings, settings_of
from roadside.errors import SettingsError
from roadside.notify.notices import Dispatcher, compose, load_notify_options

if TYPE_CHECKING:
    import argparse

    from roadside.commands.flags import SubParsers
    from roadside.notify.notices import Channel, NotifyOptions
    from roadside.ports.system import Clock

_PAUSE_S = 1.0
EXIT_UNDELIVERED = 1


def add_to(commands: SubParsers) -> None:
    """Add `roadside notify`."""
    parser = commands.add_parser("notify", help="tell webhooks and MQTT brokers of verdicts")
    parser.add_argument("--once", action="store_true", help="one round, then end; exit code 1 where notices remain")
    parser.add_argument("--all", action="store_true", help="tell of what was stored before the first start, too")
    parser.add_argument("--dead", action="store_true", help="only list the notices that were given up")
    parser.add_argument("--revive", action="store_true", help="try those again")
    add_settings(parser, "db", "evidence", "keys", "notify")
    parser.set_defaults(execute=notify)


def notify(parsed: argparse.Namespace) -> int:
    """Deliver until stopped, or once."""
    settings = settings_of(parsed)
    records = open_records(settings)
    outbox, clock = Outbox(records.database, records.store), SystemClock()
    if parsed.dead:
        for notice in outbox.dead():
            print(f"{notice.notification_id}  {notice.channel}  {notice.sighting_id}  {notice.fault}")
        return 0
    if settings.notify is None:
        raise SettingsError("name a file of channels with --notify")
    options = load_notify_options(settings.notify)
    postman = Dispatcher(outbox, channels(options, clock), options, clock, random.Random())  # noqa: S311 - spreads retries
    if parsed.revive:
        print(f"{outbox.revive(clock.now_ns())} notices are tried again")
    if not parsed.all:
        outbox.start_here()
    while True:
        written = outbox.collect(lambda sighting: compose(sighting, options), clock.now_ns())
        round_ = postman.deliver()
        if written or round_.delivered or round_.failed or round_.given_up:
            print(
                f"{written} new notices; {round_.delivered} delivered, {round_.failed} to be tried again, "
                f"{round_.given_up} given up",
                flush=True,
            )
        if parsed.once:
            return EXIT_UNDELIVERED if round_.failed or round_.given_up else 0
        time.sleep(_PAUSE_S)


def channels(options: NotifyOptions, clock: Clock) -> dict[str, Channel]:
    """The channels of `options` by name. Raises SettingsError."""
    found: dict[str, Channel] = {each.name: Webhook(each, clock) for each in options.webhook}
    if options.mqtt:
        try:
            from roadside.adapters.notify.mqtt import MqttChannel  # noqa: PLC0415 - only where a broker is to be told
        except ModuleNotFoundError as error:
            raise SettingsError(f"MQTT needs the Python package {error.name}") from error
        found |= {each.name: MqttChannel(each) for each in options.mqtt}
    return found
