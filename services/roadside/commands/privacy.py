"""`roadside forget`, `purge`, `keys` and `audit`: the promises of docs/data-protection.md, kept by hand or by cron."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from roadside.adapters.encryption import load_keyring, save_keyring
from roadside.assembly.letters import forget_letters, holds_a_picture_alone
from roadside.assembly.records import open_records, person
from roadside.assembly.storage import keys_file
from roadside.commands.dead_letters import add_reaching, named_bus
from roadside.commands.flags import add_settings, settings_of
from roadside.commands.json_lines import add_json, print_json

if TYPE_CHECKING:
    import argparse

    from roadside.commands.flags import SubParsers

_KEEPING = ("db", "evidence", "keys")
_RETENTION = ("keep_paid_days", "keep_exempt_days", "keep_unpaid_days", "keep_review_days", "keep_unknown_days")


def add_to(commands: SubParsers) -> None:
    """Add `roadside forget`, `purge`, `keys` and `audit`."""
    forget = commands.add_parser("forget", help="delete all that is kept of a plate's passages")
    forget.add_argument("plate")
    add_json(forget, "")
    add_settings(forget, *_KEEPING)
    add_reaching(forget)
    forget.set_defaults(execute=forget_plate)

    purge = commands.add_parser("purge", help="delete sightings and evidence older than their retention")
    add_json(purge, "")
    add_settings(purge, *_KEEPING, *_RETENTION)
    purge.set_defaults(execute=purge_old)

    keys = commands.add_parser("keys", help="the keys of hashes and evidence").add_subparsers(
        metavar="ACTION", required=True
    )
    rotate = keys.add_parser("rotate", help="make a new key and bring the evidence under it")
    rotate.add_argument("--name", help="of the new key (default: k and the time)")
    add_settings(rotate, *_KEEPING)
    rotate.set_defaults(execute=rotate_keys)
    drop = keys.add_parser("drop", help="remove keys that nothing needs any more")
    add_settings(drop, *_KEEPING)
    drop.set_defaults(execute=drop_keys)
    show = keys.add_parser("list", help="names of the keys, and which are in use")
    add_settings(show, *_KEEPING)
    add_json(show, "a key")
    show.set_defaults(execute=list_keys)

    audit = commands.add_parser("audit", help="who looked, changed, purged and forgot")
    audit.add_argument("--limit", type=int, default=50, help="how many entries, newest first (default 50)")
    add_json(audit, "an entry")
    add_settings(audit, *_KEEPING)
    audit.set_defaults(execute=show_audit)


def forget_plate(parsed: argparse.Namespace) -> int:
    """A person's right: every sighting of the plate goes, hashed ones and dead letters too."""
    settings = settings_of(parsed)
    bus = named_bus(parsed)
    letters: int | None = None
    if bus is None and settings.database_url is not None:
        print("the dead letters of the services were not searched: give --redis-url too", file=sys.stderr)
    records = open_records(settings)
    if bus is not None:
        letters = forget_letters(bus, records.retention, parsed.plate)
        if not parsed.json:
            print(f"{letters} dead letters forgotten")
        if unread := sum(map(holds_a_picture_alone, bus.dead_letters())):
            print(
                f"roadside: {unread} dead letters hold pictures that nobody has read, of other times: they are deleted "
                "by their age (keep_dead_letters_days), or by `roadside dead-letters drop`",
                file=sys.stderr,
            )
    forgotten = records.retention.forget(parsed.plate, person())
    _tell_traces(scrubbed=forgotten.scrubbed)
    if parsed.json:
        told = {"sightings": forgotten.sightings, "dead_letters": letters, "receipt": forgotten.receipt}
        print_json({**told, "scrubbed": forgotten.scrubbed})
        return 0
    print(f"{forgotten.sightings} sightings forgotten, with their pictures and corrections")
    print(f"receipt {forgotten.receipt}: for the person who asked; with it and the plate the audit can be checked")
    return 0


def purge_old(parsed: argparse.Namespace) -> int:
    """Delete what is older than its retention."""
    settings = settings_of(parsed)
    purged = open_records(settings).retention.purge(settings.retention_days(), person())
    _tell_traces(scrubbed=purged.scrubbed)
    if parsed.json:
        told = {"sightings": dict(purged.sightings), "pictures": purged.pictures, "strays": purged.strays}
        print_json({**told, "scrubbed": purged.scrubbed})
        return 0
    counts = ", ".join(f"{count} {kind}" for kind, count in purged.sightings.items())
    print(f"deleted: {counts}; {purged.pictures} pictures, {purged.strays} strays")
    return 0


def _tell_traces(*, scrubbed: bool) -> None:
    if not scrubbed:
        print(
            "roadside: another process is at work on the database: traces of what was deleted may be left in it; "
            "run `roadside purge` again when it is not",
            file=sys.stderr,
        )


def rotate_keys(parsed: argparse.Namespace) -> int:
    """Make a new key the active one; old hashes stay findable under theirs until they are purged."""
    settings = settings_of(parsed)
    records = open_records(settings)
    path = keys_file(settings)
    name = parsed.name or f"k{datetime.now(UTC):%Y%m%d%H%M%S}"
    rotated = load_keyring(path).rotated(name)
    save_keyring(rotated, path)  # first: pictures under a key that was lost would be lost too
    changed = records.retention.reencrypt(rotated, person())
    print(f"key {name} is active; {changed} pictures are under it, and the evidence chain goes on under it")
    return 0


def drop_keys(parsed: argparse.Namespace) -> int:
    """Remove the keys that no hash, picture or chain entry needs."""
    settings = settings_of(parsed)
    records = open_records(settings)
    path = keys_file(settings)
    keyring = load_keyring(path)
    unused = sorted(set(keyring.keys) - records.retention.keys_in_use() - {keyring.active})
    for name in unused:
        keyring = keyring.without(name)
        records.retention.note(person(), "dropped key", name)
    save_keyring(keyring, path)
    print(f"dropped: {', '.join(unused) or 'none'}; kept: {', '.join(keyring.keys)}")
    return 0


def list_keys(parsed: argparse.Namespace) -> int:
    """Names, never the keys themselves."""
    settings = settings_of(parsed)
    used = open_records(settings).retention.keys_in_use()
    keyring = load_keyring(keys_file(settings))
    for name in keyring.keys:
        state = "active" if name == keyring.active else "in use" if name in used else "not in use"
        if parsed.json:
            print_json({"key": name, "state": state})
        else:
            print(f"{name:<24} {state}")
    return 0


def show_audit(parsed: argparse.Namespace) -> int:
    """The newest entries of the audit."""
    for entry in open_records(settings_of(parsed)).retention.audit(parsed.limit):
        when = datetime.fromtimestamp(entry.at_ns // 10**9, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        if parsed.json:
            fields = {"time": when, "actor": entry.actor, "action": entry.action}
            print_json({**fields, "subject": entry.subject, "detail": entry.detail})
        else:
            print(f"{when}  {entry.actor:<12} {entry.action:<14} {entry.subject[:40]:<40} {entry.detail}")
    return 0
