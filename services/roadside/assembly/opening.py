"""How cameras are opened, as the settings say."""

from __future__ import annotations

from typing import TYPE_CHECKING

from roadside.adapters.sources.live import CameraSettings
from roadside.kit.config import data_folder

if TYPE_CHECKING:
    from roadside.capture.config import CameraSection


def camera_settings(settings: CameraSection, first_attempts: int) -> CameraSettings:
    """`first_attempts` to open a camera that never answered, before it is given up; 0: for ever."""
    return CameraSettings(
        width_px=settings.width,
        height_px=settings.height,
        frames_per_s=settings.fps,
        timeout_s=settings.timeout_s,
        first_attempts=first_attempts,
        decoder=settings.decoder,
        transport=settings.rtsp_transport,
        snapshot_s=settings.snapshot_s,
        memory=data_folder() / "watched",
    )
