"""`roadside cameras find`: the network's cameras that speak ONVIF, and the addresses of their streams."""

from __future__ import annotations

import getpass
import json
import os
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING

from roadside.adapters.onvif import FoundCamera, Login, OnvifCamera, device_address, find_cameras, is_local
from roadside.errors import InputError, SourceError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Sequence

    from roadside.adapters.onvif import CameraStream
    from roadside.commands.flags import SubParsers

PASSWORD = "ROADSIDE_CAMERA_PASSWORD"  # noqa: S105 - the name of a variable
EXIT_NOBODY = 1


def add_to(commands: SubParsers) -> None:
    """Add `roadside cameras`."""
    parser = commands.add_parser("cameras", help="find cameras in the network")
    find = parser.add_subparsers(dest="action", required=True).add_parser(
        "find",
        help="ask the network for ONVIF cameras, and them for the addresses of their streams",
        description="Asks the network (WS-Discovery) for cameras that speak ONVIF, and each for its streams. Exit code "
        "0: some told a stream; 1: none did.",
    )
    find.add_argument("--seconds", type=float, default=4.0, help="how long answers are waited for; 4 unless said")
    find.add_argument("--interface", metavar="ADDRESS", help="this computer's address in the cameras' network")
    find.add_argument(
        "--host", action="append", default=[], help="ask this camera, and not the network; may be repeated"
    )
    find.add_argument(
        "--user", help=f"who asks for streams; the password is in {PASSWORD}, or is asked for in a terminal"
    )
    find.add_argument("--json", action="store_true", help="print one JSON object a stream")
    find.set_defaults(execute=look)


def look(parsed: argparse.Namespace) -> int:
    """Print the streams of every camera that answers; on stderr why one tells none."""
    if not 0 < parsed.seconds <= 60:
        raise InputError("--seconds: give 1 to 60")
    if parsed.interface is not None and not is_local(parsed.interface):
        raise InputError(f"--interface {parsed.interface}: give an address of this computer, such as 192.168.1.5")
    login = _login(parsed.user)
    rows = []
    for found in _found(parsed):
        try:
            streams = OnvifCamera(found.address, login, parsed.seconds).streams()
        except SourceError as error:
            print(f"roadside: {error}", file=sys.stderr)
            continue
        for stream in streams:
            if parsed.json:
                print(json.dumps({"camera": asdict(found), **asdict(stream)}), flush=True)
            rows.append((found, stream))
    if not parsed.json and rows:
        _show(rows)
    if not rows:
        print(
            "roadside: no camera told a stream; is ONVIF switched on in it, and is this computer in its network? "
            "--interface and --host say where to look",
            file=sys.stderr,
        )
    return 0 if rows else EXIT_NOBODY


def _found(parsed: argparse.Namespace) -> Iterable[FoundCamera]:
    if parsed.host:
        return [FoundCamera(device_address(host)) for host in parsed.host]
    return find_cameras(parsed.seconds, parsed.interface)


def _login(user: str | None) -> Login | None:
    """Who asks. Raises InputError without a password."""
    if not user:
        return None
    password = os.environ.get(PASSWORD)
    if password is None and sys.stdin.isatty():
        password = getpass.getpass(f"Password of {user}: ")
    if password is None:
        raise InputError(f"--user: set {PASSWORD}, for there is no terminal to ask for the password")
    return Login(user, password)


def _show(rows: Sequence[tuple[FoundCamera, CameraStream]]) -> None:
    """A camera's name and each of its streams below it."""
    before = None
    for found, stream in rows:
        if found != before:
            print(f"{_plain(found.name) or 'camera'}  {_plain(found.address)}")
            before = found
        size = f"{stream.width_px} x {stream.height_px}"
        print(f"  {size:<12} {_plain(stream.encoding):<6} {_plain(stream.profile):<16} {stream.address}")
        if stream.snapshot:
            print(f"  {'':<12} {'JPEG':<6} {'':<16} {stream.snapshot}")
    print("\nIn site.toml or ROADSIDE_SOURCE write user:password@ before the host, where the camera wants them.")


def _plain(text: str) -> str:
    """What a camera says of itself, on one line and without what steers a terminal."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)[:64]
