"""The settings of cameras and of publishing their frames."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator

from roadside.core.clock_watch import ClockSync
from roadside.core.view import ROTATIONS, Flip
from roadside.kit.config import Section


class CameraSection(Section):
    """How cameras are opened and watched."""

    width: int = Field(1280, ge=160, le=8192, description="pixels asked of USB and Pi cameras")
    height: int = Field(720, ge=120, le=8192, description="pixels asked of USB and Pi cameras")
    fps: int = Field(25, ge=1, le=240, description="frames a second asked of USB and Pi cameras")
    timeout_s: float = Field(10.0, gt=0, le=600, description="silence after which a camera counts as gone")
    rtsp_transport: Literal["auto", "tcp", "udp"] = Field(
        "auto", description="how RTSP cameras send: tcp, udp, or auto: tcp, and udp where a camera cannot"
    )
    decoder: Literal["auto", "pyav", "opencv", "v4l2m2m"] = Field(
        "auto",
        description="what decodes video: opencv, pyav, or v4l2m2m (PyAV with a Raspberry Pi's hardware, without where "
        "that fails); auto: PyAV where it is installed, else OpenCV",
    )
    snapshot_s: float = Field(
        1.0,
        ge=0.05,
        le=3600,
        description="seconds between two questions for a camera's single picture, and two looks into a watched folder",
    )
    recorded_at: str = Field(
        "",
        description="when recordings were taken, such as 2026-06-01T12:00+02:00, instead of what their files say; now: "
        "as they are played",
    )
    clock_sync: ClockSync = Field(
        ClockSync.AUTO,
        description="a live camera's time is believed unless the system says that its clock is not synchronised "
        "(auto), only where it says that it is (required), or always (off)",
    )
    motion_gate: bool = Field(True, description="skip a live camera's frames in which nothing moves")
    rotation: int = Field(0, description="degrees by which pictures are turned clockwise: 0, 90, 180 or 270")
    flip: Flip = Field(
        Flip.NONE,
        description="pictures are mirrored after they were turned: none, horizontal (left and right change places) or "
        "vertical",
    )

    @field_validator("rotation")
    @classmethod
    def _right_angle(cls, rotation: int) -> int:
        if rotation not in ROTATIONS:
            raise ValueError("is one of 0, 90, 180, 270")
        return rotation


class PublishingSection(Section):
    """Which cameras the capture service has, and how it publishes their frames."""

    cameras: str = Field(
        "",
        description="cameras as name=source, separated by semicolons; sources as for `roadside run`",
    )
    frames_limit: int = Field(
        40,
        ge=1,
        le=100_000,
        description="frames of a camera that may wait for detectors before any of it is dropped",
    )
    frames_bytes: int = Field(
        8 * 2**20,
        ge=2**16,
        le=2**34,
        description="bytes of a camera's frames that may wait; where none waits, a frame of any size may",
    )
    frames_age_s: float = Field(
        30.0, gt=0, le=3600, description="a camera's frames wait behind none that has waited for so long"
    )
    publish_fps: float = Field(
        0, ge=0, le=240, description="most frames a second published of a camera; 0: all that it gives"
    )
    encoding: Literal["jpeg", "raw"] = Field("jpeg", description="how frames travel; raw is larger and costs less time")
    jpeg_quality: int = Field(90, ge=30, le=100, description="quality of the JPEG pictures made of frames")
    loops: int = Field(1, ge=0, description="how often a recording is played; 0: for ever")
    pace: bool = Field(True, description="play recordings at their own speed; otherwise as fast as detectors are")
    recording_lossless: bool = Field(
        True, description="a recording waits for slow detectors; otherwise it drops frames as a camera does"
    )

    @field_validator("cameras")
    @classmethod
    def _parsable(cls, text: str) -> str:
        cameras_of(text)
        return text


def cameras_of(text: str) -> tuple[tuple[str, str], ...]:
    """Names and sources of `name=source; name=source`. Raises ValueError for anything else."""
    cameras = []
    for part in filter(None, (piece.strip() for piece in text.split(";"))):
        name, equals, source = part.partition("=")
        if not equals or not name.strip() or not source.strip():
            raise ValueError("a camera is name=source, and semicolons stand between cameras")
        cameras.append((name.strip(), source.strip()))
    if len({name for name, _ in cameras}) != len(cameras):
        raise ValueError("two cameras have the same name")
    return tuple(cameras)
