"""`roadside dead-letters list|replay|drop`: the messages that could not be handled."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from roadside.assembly.settings import load_service_settings
from roadside.commands.json_lines import add_json, iso, print_json
from roadside.commands.serve import needs_cluster
from roadside.errors import InputError
from roadside.kit.config import BusSection, load

if TYPE_CHECKING:
    import argparse

    from roadside.adapters.bus.redis_streams import RedisStreams
    from roadside.commands.flags import SubParsers
    from roadside.ports.bus import DeadLetter

REACHING = ("redis_url", "frames_redis_url", "redis_prefix", "redis_ca", "redis_certificate", "redis_key")


def add_to(commands: SubParsers) -> None:
    """Add `roadside dead-letters`."""
    parser = commands.add_parser("dead-letters", help="messages that no service could handle: list, replay, drop")
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)
    listing = actions.add_parser("list", help="one line a message, oldest first")
    add_json(listing, "a message")
    listing.set_defaults(execute=show)
    replay = actions.add_parser("replay", help="put messages back on their streams")
    replay.set_defaults(execute=replay_letters)
    drop = actions.add_parser("drop", help="delete messages for good")
    drop.set_defaults(execute=drop_letters)
    for action in (replay, drop):
        action.add_argument("letters", nargs="*", metavar="ID", help="as `list` shows them")
        action.add_argument("--all", action="store_true", help="every one of them")
    for action in (listing, replay, drop):
        add_reaching(action)


def add_reaching(parser: argparse.ArgumentParser) -> None:
    """Give `parser` the flags that say where Redis is."""
    for name in REACHING:
        explained = BusSection.model_fields[name].description
        parser.add_argument(f"--{name.replace('_', '-')}", metavar="X", default=None, help=explained)


def show(parsed: argparse.Namespace) -> int:
    """Print what died, when, where and why."""
    letters = _bus(parsed).dead_letters()
    for letter in letters:
        if parsed.json:
            print_json(_fields(letter))
            continue
        at = datetime.fromtimestamp(letter.died_at_ns / 1e9, UTC).isoformat(timespec="seconds")
        print(
            f"{letter.letter_id}  {at}  {letter.stream.name:9}  {letter.camera_id} {letter.identity}  "
            f"{letter.size_bytes} bytes  {letter.reason}"
        )
    if not parsed.json:
        print(f"{len(letters)} dead letters" if letters else "no dead letters")
    return 0


def _fields(letter: DeadLetter) -> dict[str, Any]:
    return {
        "id": letter.letter_id,
        "died_at": iso(letter.died_at_ns),
        "stream": letter.stream.name,
        "camera": letter.camera_id,
        "identity": letter.identity,
        "bytes": letter.size_bytes,
        "reason": letter.reason,
    }


def replay_letters(parsed: argparse.Namespace) -> int:
    """Put letters back; exit code 2 where one is not there."""
    bus = _bus(parsed)
    chosen = _chosen(parsed, bus)
    for letter_id in chosen:
        if not bus.replay(letter_id):
            raise InputError(f"there is no dead letter {letter_id}")
    print(f"{len(chosen)} replayed")
    return 0


def drop_letters(parsed: argparse.Namespace) -> int:
    """Delete letters; exit code 2 where one is not there."""
    bus = _bus(parsed)
    chosen = _chosen(parsed, bus)
    for letter_id in chosen:
        if not bus.drop(letter_id):
            raise InputError(f"there is no dead letter {letter_id}")
    print(f"{len(chosen)} dropped")
    return 0


def _chosen(parsed: argparse.Namespace, bus: RedisStreams) -> list[str]:
    if parsed.all == bool(parsed.letters):
        raise InputError("name the dead letters, or give --all")
    return [letter.letter_id for letter in bus.dead_letters()] if parsed.all else list(parsed.letters)


def named_bus(parsed: argparse.Namespace) -> RedisStreams | None:
    """The bus where a flag, a variable or the file of settings says where it is, else None. Raises SettingsError."""
    settings = load(BusSection, {name: getattr(parsed, name) for name in REACHING})
    return _bus(parsed) if "redis_url" in settings.model_fields_set else None


def _bus(parsed: argparse.Namespace) -> RedisStreams:
    return open_reached(parsed, "dead-letters")


def open_reached(parsed: argparse.Namespace, command: str) -> RedisStreams:
    """The bus that the flags of `add_reaching` and the settings name. Raises SettingsError."""
    try:
        from roadside.assembly.context import open_bus  # noqa: PLC0415 - `roadside run` does without redis
    except ModuleNotFoundError as error:
        raise needs_cluster(error) from error
    return open_bus(command, reached_settings(parsed))


def reached_settings(parsed: argparse.Namespace) -> BusSection:
    """What the flags of `add_reaching` and the settings say of the bus. Raises SettingsError."""
    flags = {name: getattr(parsed, name) for name in REACHING}
    return load_service_settings(BusSection, flags, os.environ)
