"""`roadside notify`: tells webhooks and brokers of new sightings and changed verdicts, until it is stopped."""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING

from roadside.adapters.notify.opening import open_channels
from roadside.adapters.sql.outbox import SqlOutbox
from roadside.adapters.system_clock import SystemClock
from roadside.assembly.storage import open_sightings
from roadside.commands.flags import add_settings, settings_of
from roadside.errors import SettingsError
from roadside.notify.channels import Channels
from roadside.notify.notifier import Notifier

if TYPE_CHECKING:
    import argparse

    from roadside.commands.flags import SubParsers
    from roadside.notify.dispatcher import Delivery

_PAUSE_S = 1.0
EXIT_UNDELIVERED = 1


def add_to(commands: SubParsers) -> None:
    """Add `roadside notify`."""
    parser = commands.add_parser("notify", help="tell webhooks and MQTT brokers of verdicts")
    parser.add_argument("--once", action="store_true", help="one round, then end; exit code 1 where notices remain")
    parser.add_argument("--all", action="store_true", help="tell of what was stored before the first start, too")
    parser.add_argument("--dead", action="store_true", help="only list the notices that were given up")
    parser.add_argument("--revive", action="store_true", help="try those again")
    add_settings(parser, "db", "evidence", "keys", "notify", "notify_secrets")
    parser.set_defaults(execute=notify)


def notify(parsed: argparse.Namespace) -> int:
    """Deliver until stopped, or once."""
    settings = settings_of(parsed)
    outbox, clock = SqlOutbox(open_sightings(settings)), SystemClock()
    if parsed.dead:
        return _list_dead(outbox)
    if settings.notify is None:
        raise SettingsError("name a file of channels with --notify")
    channels = Channels(settings.notify, lambda options: open_channels(options, clock, settings.notify_secrets))
    channels.refresh()
    if parsed.revive:
        print(f"{outbox.revive(clock.now_ns())} notices are tried again")
    if not parsed.all:
        outbox.start_here()
    notifier = Notifier(outbox, channels, clock, random.Random())  # noqa: S311 - spreads retries
    while True:
        written, done = notifier.collect(), notifier.dispatcher().deliver()
        _tell(written, done)
        if parsed.once:
            channels.close()
            return EXIT_UNDELIVERED if done.failed or done.given_up else 0
        time.sleep(_PAUSE_S)


def _list_dead(outbox: SqlOutbox) -> int:
    for notice in outbox.dead():
        print(f"{notice.notification_id}  {notice.channel}  {notice.sighting_id}  {notice.fault}")
    return 0


def _tell(written: int, done: Delivery) -> None:
    if written or done.delivered or done.failed or done.given_up:
        print(
            f"{written} new notices; {done.delivered} delivered, {done.failed} to be tried again, "
            f"{done.given_up} given up",
            flush=True,
        )
