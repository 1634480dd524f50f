"""The sections of the file of settings: `[section.NAME]`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from roadside.core.frames import CameraId
from roadside.core.speed import Section
from roadside.core.view_table import TableFault, nearest, refuse_unknown_keys

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

USUAL_DISTANCE_ERROR = 0.01
"""Of the distance, where the file does not say."""


class _Section(BaseModel):
    """A section's table; `from` is no name that Python takes."""

    model_config = ConfigDict(extra="forbid")

    start: str = Field(alias="from")
    end: str = Field(alias="to")
    distance_m: float = Field(ge=10.0, le=200_000.0, strict=True)
    distance_error_m: float | None = Field(default=None, ge=0.0, strict=True)
    clock_error_s: float = Field(default=1.0, ge=0.0, le=60.0, strict=True)


KEYS = ("from", "to", "distance_m", "distance_error_m", "clock_error_s")


def parse_sections(tables: Mapping[str, object], cameras: Collection[str]) -> dict[str, Section]:
    """Sections by their names. Raises TableFault, naming the key and the mend."""
    return {name: _section(name, table, cameras) for name, table in tables.items()}


def _section(name: str, table: object, cameras: Collection[str]) -> Section:
    if not isinstance(table, dict):
        raise TableFault((name,), f"is a table: write [section.{name}] and below it from, to and distance_m")
    try:
        refuse_unknown_keys(table, KEYS)
        read = _Section(**table)
    except TableFault as fault:
        raise TableFault((name, *fault.path), fault.reason) from None
    except ValidationError as error:
        fault_of = error.errors()[0]
        raise TableFault((name, str(fault_of["loc"][0])), fault_of["msg"].lower()) from None
    for key, camera in (("from", read.start), ("to", read.end)):
        if cameras and camera not in cameras:
            raise TableFault((name, key), f"there is no [camera.{camera}]; {nearest(camera, tuple(cameras))}")
    if read.start == read.end:
        raise TableFault((name, "to"), "is the camera that it starts at; a section lies between two")
    error_m = read.distance_m * USUAL_DISTANCE_ERROR if read.distance_error_m is None else read.distance_error_m
    if error_m >= read.distance_m:
        raise TableFault((name, "distance_error_m"), "is as large as the distance")
    return Section(name, CameraId(read.start), CameraId(read.end), read.distance_m, error_m, read.clock_error_s)
