"""Looks at what a run needs, one thing at a time, and says how to mend what is missing."""

from __future__ import annotations

import os
import platform
import shutil
import socket
import stat
import tempfile
import time
from dataclasses import dataclass
from enum import StrEnum
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

from roadside._version import __version__
from roadside.adapters.clock_sync import is_synchronised
from roadside.adapters.notify.opening import open_channels
from roadside.adapters.system_clock import SystemClock
from roadside.assembly.holdings import held_lists
from roadside.assembly.models import open_models, warm_up
from roadside.assembly.records import open_registry
from roadside.assembly.site import load_site
from roadside.assembly.storage import keys_file, open_sightings, open_vault
from roadside.assembly.watching import base_view, open_camera, open_frames
from roadside.errors import RoadsideError
from roadside.kit.extras import install_command
from roadside.notify.options import load_notify_options

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from roadside.assembly.settings import Settings
    from roadside.assembly.site import SiteCamera
    from roadside.ports.sources import FrameSource

LITTLE_BYTES, FEW_BYTES = 1 << 30, 100 << 20
"""Below the first a disk is soon full; below the second nothing can be kept."""
EXTRAS = {
    "console": ("fastapi", "web pages: --console"),
    "video": ("av", "RTMP, SRT, HLS, pipes, true times, H.264 films"),
    "mqtt": ("paho-mqtt", "MQTT and Home Assistant: --notify"),
    "push": ("apprise", "messages to telephones: --notify"),
    "plot": ("matplotlib", "figures: roadside plot"),
    "onnx": ("onnxruntime", "another interpreter: --runtime onnx"),
}
"""Optional parts: a package that tells whether they are there, and what they are for."""


class State(StrEnum):
    """How something is."""

    GOOD = "ok"
    NOTE = "note"
    """Nothing is wrong, but it should be known."""
    BAD = "fault"


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found of one thing."""

    what: str
    state: State
    told: str
    mend: str = ""
    """What to do; empty where nothing needs to be done."""


def examine(settings: Settings) -> Iterator[Finding]:
    """Every finding as it is made; cameras take the longest and come last."""
    yield _versions()
    yield from _guarded("model", lambda: _models(settings))
    yield from _storage(settings)
    yield from _guarded("registry", lambda: _registry(settings))
    yield _clock()
    yield _port(settings)
    yield from _guarded("notify", lambda: _channels(settings))
    yield from _extras()
    yield from _cameras(settings)


def _guarded(what: str, look: Callable[[], Finding | None]) -> Iterator[Finding]:
    """What `look` finds, or the error that it meets, which says how to mend it."""
    try:
        found = look()
    except RoadsideError as error:
        found = Finding(what, State.BAD, str(error))
    if found is not None:
        yield found


def _versions() -> Finding:
    told = f"roadside {__version__}, Python {platform.python_version()}, {platform.system()} {platform.machine()}"
    return Finding("versions", State.GOOD, told)


def _models(settings: Settings) -> Finding:
    started_s = time.perf_counter()
    detector, reader = open_models(settings)
    loaded_s = time.perf_counter()
    warm_up(detector, reader)
    ran_s = time.perf_counter()
    told = f"{settings.detector_folder().name} and {settings.reader_folder().name} load in {loaded_s - started_s:.1f} s"
    return Finding("model", State.GOOD, f"{told}; a first picture takes {ran_s - loaded_s:.2f} s")


def _storage(settings: Settings) -> Iterator[Finding]:
    if settings.database_url is None:
        folder = _there(settings.db.parent)
        if not _takes_files(folder):
            mend = f"chown {os.geteuid()} {folder}, or name another file with --db"
            yield Finding("storage", State.BAD, f"{folder} cannot be written to", mend)
            return
        yield _disk(folder)
        if not settings.db.exists():
            yield Finding("storage", State.GOOD, f"{settings.db} is made by the first run")
            return
    yield from _guarded("storage", lambda: _database(settings))
    keys = keys_file(settings)
    if keys.exists() and stat.S_IMODE(keys.stat().st_mode) & 0o077:
        yield Finding("keys", State.BAD, f"{keys} can be read by others", f"chmod 600 {keys}")


def _database(settings: Settings) -> Finding:
    database = open_sightings(settings)
    try:
        open_vault(settings, database)
    finally:
        database.close()
    where = "the database of database_url" if settings.database_url is not None else str(settings.db)
    return Finding("storage", State.GOOD, f"{where} opens, and so do its keys")


def _disk(folder: Path) -> Finding:
    free = shutil.disk_usage(folder).free
    told = f"{free / (1 << 30):.1f} GiB are free at {folder}"
    mend = "`roadside purge` deletes what is older than its retention; or move --db to another disk"
    if free < FEW_BYTES:
        return Finding("disk", State.BAD, told, mend)
    return Finding("disk", State.NOTE, told, mend) if free < LITTLE_BYTES else Finding("disk", State.GOOD, told)


def _registry(settings: Settings) -> Finding | None:
    mend = "`roadside registry import LIST` takes one in; without a list nobody is told to have paid, or not"
    path = settings.registry or settings.db
    if settings.registry_http is not None:
        return Finding("registry", State.GOOD, f"an office is asked: {settings.registry_http}")
    if settings.database_url is None and not path.exists():
        return Finding("registry", State.NOTE, "there is no list of vignettes yet", mend)
    database = open_registry(settings)
    try:
        held = held_lists(database, settings.registry_max_age_days)
    finally:
        database.close()
    if held.imported_ns is None:
        return Finding("registry", State.NOTE, "there is no list of vignettes yet", mend)
    days = (SystemClock().now_ns() - held.imported_ns) / 86_400e9
    told = f"{held.vignettes} vignettes, {held.exemptions} exemptions; the list is {days:.0f} days old"
    if settings.registry_max_age_days and days > settings.registry_max_age_days:
        return Finding("registry", State.BAD, told, "import a newer one: by this one nobody is UNPAID any more")
    return Finding("registry", State.GOOD, told)


def _clock() -> Finding:
    synchronised = is_synchronised()
    if synchronised:
        return Finding("clock", State.GOOD, "it is synchronised")
    if synchronised is None:
        told = "nothing that keeps the time can be seen here (in a container that is usual)"
        return Finding("clock", State.NOTE, told, "sudo apt install systemd-timesyncd, on the machine itself")
    return Finding("clock", State.BAD, "it is not synchronised: verdicts need the time", "timedatectl set-ntp true")


def _port(settings: Settings) -> Finding:
    host, port = settings.console_host, settings.console_port
    try:
        with socket.create_server((host, port)):
            pass
    except OSError as error:
        told = f"port {port} of {host} cannot be had for the console: {error.strerror}"
        return Finding("port", State.NOTE, told, "another --console-port, or end who has it")
    return Finding("port", State.GOOD, f"{port} is free for the console")


def _channels(settings: Settings) -> Finding | None:
    if settings.notify is None:
        return None
    options = load_notify_options(settings.notify)
    opened = open_channels(options, SystemClock(), settings.notify_secrets, picture_of=lambda _name, _kind: None)
    for channel in opened.values():
        channel.close()
    return Finding("notify", State.GOOD, f"{settings.notify} names {', '.join(sorted(opened)) or 'nobody'}")


def _extras() -> Iterator[Finding]:
    for extra, (package, purpose) in EXTRAS.items():
        try:
            yield Finding(extra, State.GOOD, f"{package} {version(package)} ({purpose})")
        except PackageNotFoundError:
            yield Finding(extra, State.NOTE, f"{package} is not installed ({purpose})", install_command(extra))


def _cameras(settings: Settings) -> Iterator[Finding]:
    if settings.source is not None:
        source = settings.source.get_secret_value()
        yield from _guarded("camera", lambda: _camera("camera", open_frames(source, settings, _nobody, _nobody)))
        return
    try:
        cameras = load_site(base_view(settings)).watched()
    except RoadsideError as error:
        yield Finding("camera", State.BAD, str(error))
        return
    for camera in cameras:
        yield from _of_site(camera, settings)
    if not cameras:
        mend = "`roadside doctor SOURCE` looks at one; `roadside config example` shows how to name some"
        yield Finding("camera", State.NOTE, "none is named", mend)


def _of_site(camera: SiteCamera, settings: Settings) -> Iterator[Finding]:
    what = f"camera {camera.camera_id}"
    yield from _guarded(what, lambda: _camera(what, open_camera(camera, settings, _nobody, _nobody)))


def _camera(what: str, source: FrameSource) -> Finding:
    started_s = time.perf_counter()
    try:
        frame = next(source.frames(), None)
    finally:
        source.close()
    if frame is None:
        return Finding(what, State.BAD, "it gives no picture", "look at its address, and at who else has it")
    height, width = frame.image.shape[:2]
    return Finding(what, State.GOOD, f"{width} x {height}, first picture after {time.perf_counter() - started_s:.1f} s")


def _nobody(_line: str) -> None:
    """Nobody is told: what matters is found."""


def _takes_files(folder: Path) -> bool:
    """Whether a file can be made there: permissions do not tell of a disk that is read-only."""
    try:
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False


def _there(folder: Path) -> Path:
    """The folder, or the nearest one above it that is there."""
    return next((path for path in (folder, *folder.parents) if path.exists()), Path("/"))
