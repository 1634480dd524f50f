"""`roadside config`: the file of settings and cameras, an example of it, and whether it says what is meant."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from roadside.assembly.known import unreachable
from roadside.assembly.settings import load_settings
from roadside.assembly.site import load_site
from roadside.assembly.watching import base_view
from roadside.commands.flags import add_config
from roadside.commands.json_lines import add_json, print_json
from roadside.core.view import Flip
from roadside.errors import SettingsError
from roadside.kit.addresses import redact
from roadside.kit.config import named_file, settings_file, usual_files

if TYPE_CHECKING:
    import argparse

    from roadside.assembly.site import SiteCamera
    from roadside.commands.flags import SubParsers
    from roadside.core.view import View

EXAMPLE = """\
# Roadside: settings and cameras. Save it as site.toml here, in ~/.config/roadside or in /etc/roadside, and start
# `roadside run`. `roadside config check` tells whether it is right; docs/cameras.md explains it.

# Any setting of `roadside settings`, without its ROADSIDE_ and in small letters:
# db = "/var/lib/roadside/roadside.db"

[camera.gate]
source = "rtsp://user:password@192.168.1.20/stream1"  # or /dev/video0, rpicam, http://..., a clip
# enabled = false        # to leave it out for a while
# rotation = 90          # degrees clockwise: 0, 90, 180, 270
# flip = "horizontal"    # left and right change places; or "vertical"
# least_width = 60       # plates narrower than so many pixels are not read
# motion_gate = false    # look at every frame, though nothing moves

# Points are [across, down] in fractions of the picture as it is after rotation and flip: [0, 0] is its upper left
# corner, [1, 1] its lower right.
# zones = [[[0.1, 0.4], [0.9, 0.4], [0.9, 1.0], [0.1, 1.0]]]   # only plates whose centre is in one of them are read
# masks = [[[0.0, 0.0], [0.3, 0.0], [0.3, 0.2], [0.0, 0.2]]]   # never looked at: blackened before anything else

# opens = ["barrier"]    # relays that open for known plates, docs/known-plates.md

# [camera.gate.line]     # tells vehicles that come in from those that go out
# start = [0.0, 0.7]
# end = [1.0, 0.7]
# inwards = [0.5, 0.95]  # some point on the side where they are once they are in

# [camera.gate.speed]    # average speed between two lines of the picture, docs/cameras.md
# first = [[0.1, 0.4], [0.8, 0.4]]
# second = [[0.0, 0.8], [0.95, 0.8]]
# distance_m = 12.0      # along the road, between the lines
# camera_height_m = 4.5  # above the road

# [camera.gate.schedule] # when it is watched, by this computer's clock
# days = ["mon", "tue", "wed", "thu", "fri"]
# hours = ["06:00-22:00"]

# [relay.barrier]
# kind = "gpio"          # or "http" with url, "mqtt" with host and topic
# pin = 17
# pulse_s = 0.5

# [section.drive]        # average speed between two cameras, docs/cameras.md
# from = "gate"
# to = "yard"
# distance_m = 240.0
# clock_error_s = 0.2    # of either camera's clock

# [camera.yard]
# source = "/dev/video0"
# width = 1280
# height = 720
# fps = 15
"""


def add_to(commands: SubParsers) -> None:
    """Add `roadside config` and what can be done with it."""
    config = commands.add_parser("config", help="the file of settings and cameras").add_subparsers(
        metavar="COMMAND", required=True
    )
    config.add_parser("example", help="print a file to begin with").set_defaults(execute=print_example)
    check = config.add_parser("check", help="tell whether the file is right, and what it says")
    add_json(check, "a camera")
    add_config(check)
    check.set_defaults(execute=check_file)


def print_example(_parsed: argparse.Namespace) -> int:
    """Print `EXAMPLE`."""
    print(EXAMPLE, end="")
    return 0


def check_file(parsed: argparse.Namespace) -> int:
    """Say what the file says. Raises SettingsError, with file, line and mend, where it is wrong."""
    with named_file(parsed.config):
        path = settings_file()
        if path is None:
            places = ", ".join(map(str, usual_files()))
            raise SettingsError(f"there is no file of settings: none of {places}; `roadside config example` prints one")
        settings = load_settings({})
        site = load_site(base_view(settings))
    if line := unreachable(settings):
        print(f"roadside: {path}: {line}", file=sys.stderr)
    if parsed.json:
        for camera in site.cameras.values():
            print_json(_fields(camera))
        return 0
    print(f"{path}: right")
    for camera in site.cameras.values():
        print(f"  {camera.camera_id}: {', '.join(_words(camera))}")
    if not site.cameras:
        print("  no camera: `roadside run` wants a SOURCE; `roadside config example` shows how one is written")
    return 0


def _fields(camera: SiteCamera) -> dict[str, Any]:
    view = camera.view
    source = None if camera.source is None else redact(camera.source.get_secret_value())
    return {
        "camera": camera.camera_id,
        "source": source,
        "enabled": camera.enabled,
        "rotation": view.rotation,
        "flip": view.flip.value,
        "zones": len(view.zones),
        "masks": len(view.masks),
        "line": view.line is not None,
        "speed": view.speed is not None,
        "least_width": view.least_width_px,
        "motion_gate": view.motion_gate,
        "hours": [] if view.schedule is None else list(map(str, view.schedule.hours)),
    }


def _words(camera: SiteCamera) -> list[str]:
    source = "no source" if camera.source is None else redact(camera.source.get_secret_value())
    return [source, *(() if camera.enabled else ("switched off",)), *_view_words(camera.view)]


def _view_words(view: View) -> list[str]:
    words = []
    if view.rotation:
        words.append(f"turned by {view.rotation} degrees")
    if view.flip is not Flip.NONE:
        words.append(f"flipped {view.flip.value}")
    for count, noun in ((len(view.zones), "zone"), (len(view.masks), "mask")):
        if count:
            words.append(f"{count} {noun}{'' if count == 1 else 's'}")
    if view.line is not None:
        words.append("a line")
    if view.speed is not None:
        metres = view.speed.distance_m
        words.append(f"two lines {metres:g} m apart")
    if view.least_width_px:
        words.append(f"plates from {view.least_width_px:g} px")
    if not view.motion_gate:
        words.append("every frame")
    if view.schedule is not None:
        words.append(f"in its hours ({', '.join(map(str, view.schedule.hours))})")
    return words
