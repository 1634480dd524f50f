"""Where evidence lies, as the settings say, and what tells a service that it has no room or is away."""

from __future__ import annotations

from typing import TYPE_CHECKING

from roadside.adapters.objects.folder import FolderPictures
from roadside.assembly.beside import beside
from roadside.errors import SettingsError, StoreUnavailableError
from roadside.kit.config import PREFIX
from roadside.kit.extras import install_command

if TYPE_CHECKING:
    from collections.abc import Callable

    from roadside.assembly.context import ServiceContext
    from roadside.kit.config import ServiceSettingsT
    from roadside.ports.pictures import PictureStore
    from roadside.registry.config import KeepingSection

DISK = "disk"
"""The part of a service's health that tells whether pictures have room."""
LEAST_FREE_BYTES = 32 * 2**20
"""Less than that is full: some sixty vehicles' pictures, and what the database of one Pi writes beside them."""
BUCKET_TICKS = 10
"""A bucket is asked for every so many ticks."""


def open_pictures(settings: KeepingSection) -> PictureStore:
    """The folder of the encrypted pictures, or the bucket that is named, not looked at yet. Raises SettingsError."""
    if settings.evidence_s3_url is None:
        return FolderPictures(settings.evidence or beside(settings, "evidence"))
    secret = settings.evidence_s3_secret_key
    if not settings.evidence_s3_bucket or not settings.evidence_s3_access_key or secret is None:
        names = ", ".join(f"{PREFIX}EVIDENCE_S3_{name}" for name in ("BUCKET", "ACCESS_KEY", "SECRET_KEY"))
        raise SettingsError(f"{PREFIX}EVIDENCE_S3_URL needs {names}")
    if (ca_file := settings.evidence_s3_ca) is not None and not ca_file.is_file():
        raise SettingsError(f"evidence_s3_ca: there is no file {ca_file}")
    try:
        from roadside.adapters.objects.s3 import S3Options, S3Pictures  # noqa: PLC0415 - the extra s3
    except ModuleNotFoundError as error:
        raise SettingsError(f"S3 needs a Python package ({error.name} is missing): {install_command('s3')}") from error
    return S3Pictures(
        S3Options(
            settings.evidence_s3_url,
            settings.evidence_s3_bucket,
            settings.evidence_s3_access_key,
            secret.get_secret_value(),
            settings.evidence_s3_prefix,
            settings.evidence_s3_region,
            ca_file,
        )
    )


def room_tick(context: ServiceContext[ServiceSettingsT], pictures: PictureStore) -> Callable[[], None]:
    """Keeps readiness: nothing else tells that a picture cannot be stored while no vehicle comes."""
    ticks = 0

    def tick() -> None:
        nonlocal ticks
        ticks += 1
        if not isinstance(pictures, FolderPictures) and ticks % BUCKET_TICKS != 1:
            return
        try:
            free = pictures.free_bytes()
        except StoreUnavailableError as error:
            context.health.set(DISK, ready=False, reason=str(error))
            raise
        if free is not None:
            context.meter.set("evidence_free_bytes", free)
        is_full = free is not None and free < LEAST_FREE_BYTES
        reason = f"the disk of the evidence is full: {(free or 0) // 2**20} MiB are left"
        context.health.set(DISK, ready=not is_full, reason=reason)

    return tick
