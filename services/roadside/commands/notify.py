"""`roadside notify`: tells webhooks and brokers of new sightings and changed verdicts, until it is stopped."""

from __future__ import annotations

import random
import sys
import time
from collections import Counter
from typing import TYPE_CHECKING

from roadside.adapters.sql.outbox import SqlOutbox
from roadside.adapters.system_clock import SystemClock
from roadside.assembly.notifying import channels_of
from roadside.assembly.storage import open_sightings
from roadside.commands.counts import counted
from roadside.commands.flags import add_settings, settings_of
from roadside.errors import SettingsError
from roadside.notify.dispatcher import Outcome
from roadside.notify.notifier import Notifier

if TYPE_CHECKING:
    import argparse

    from roadside.commands.flags import SubParsers
    from roadside.notify.dispatcher import Attempt

_PAUSE_S = 1.0
EXIT_UNDELIVERED = 1


def add_to(commands: SubParsers) -> None:
    """Add `roadside notify`."""
    parser = commands.add_parser("notify", help="tell webhooks, MQTT brokers and telephones of verdicts")
    parser.add_argument("--once", action="store_true", help="one round, then end; exit code 1 where notices remain")
    parser.add_argument("--all", action="store_true", help="tell of all that is stored and was not told yet, too")
    parser.add_argument("--dead", action="store_true", help="only list the notices that were given up")
    parser.add_argument("--revive", action="store_true", help="try those again")
    add_settings(parser, "db", "evidence", "keys", "notify", "notify_secrets")
    parser.set_defaults(execute=notify)


def notify(parsed: argparse.Namespace) -> int:
    """Deliver until stopped, or once."""
    settings = settings_of(parsed)
    database, clock = open_sightings(settings), SystemClock()
    outbox = SqlOutbox(database)
    if parsed.dead:
        return _list_dead(outbox)
    if settings.notify is None:
        raise SettingsError("name a file of channels with --notify")
    channels = channels_of(settings, database)
    channels.refresh()
    if parsed.revive:
        print(f"{outbox.revive(clock.now_ns())} notices are tried again")
    if parsed.all:
        outbox.include_past()
    else:
        outbox.start_here()
    notifier = Notifier(outbox, channels, clock, random.Random())  # noqa: S311 - spreads retries
    while True:
        written = notifier.collect()
        done = Counter(_told(attempt) for attempt in notifier.dispatcher().attempts())
        _tell(written, done)
        if parsed.once:
            channels.close()
            return EXIT_UNDELIVERED if _tell_waiting(outbox) or done[Outcome.GIVEN_UP] else 0
        time.sleep(_PAUSE_S)


def _tell_waiting(outbox: SqlOutbox) -> int:
    """How many notices remain, which is printed where there are some."""
    waiting = outbox.counts().waiting
    if waiting:
        remain = f"{counted(waiting, 'notice')} did not arrive yet"
        print(f"{remain}, and the next attempt comes after a pause: run this again, or without --once", file=sys.stderr)
    return waiting


def _list_dead(outbox: SqlOutbox) -> int:
    for notice in outbox.dead():
        print(f"{notice.notification_id}  {notice.channel}  {notice.sighting_id}  {notice.fault}")
    return 0


def _told(attempt: Attempt) -> Outcome:
    """What became of one attempt; why it did not arrive is printed."""
    if attempt.fault:
        print(f"roadside: {attempt.fault}", file=sys.stderr, flush=True)
    return attempt.outcome


def _tell(written: int, done: Counter[Outcome]) -> None:
    if written or done:
        print(
            f"{counted(written, 'new notice')}; {done[Outcome.DELIVERED]} delivered, "
            f"{done[Outcome.FAILED]} to be tried again, {done[Outcome.GIVEN_UP]} given up",
            flush=True,
        )
