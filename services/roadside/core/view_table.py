"""A camera's view as the table that people write, in TOML or JSON, and back."""

from __future__ import annotations

from dataclasses import fields, replace
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from roadside.core.line_speed import SpeedLines
from roadside.core.outline import Line, Polygon
from roadside.core.schedule import DAYS, Schedule, Span
from roadside.core.view import Flip, View

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from roadside.core.outline import Point

VIEW_KEYS = ("rotation", "flip", "zones", "masks", "line", "speed", "least_width", "motion_gate", "schedule")
"""What a table may say of a camera's picture."""
_LINE_KEYS = ("start", "end", "inwards")
_SPEED_NEEDED = ("first", "second", "distance_m", "camera_height_m")
_SPEED_KEYS = (*_SPEED_NEEDED, "distance_error_m", "plate_height_m", "plate_height_error_m", "time_error_s")
USUAL_DISTANCE_ERROR = 0.02
"""Of the distance, where the table does not say."""
_SCHEDULE_KEYS = ("days", "hours")


class TableFault(ValueError):  # noqa: N818 - a fault is what the user's file has
    """What is wrong with a table, and where in it."""

    def __init__(self, path: tuple[str, ...], reason: str) -> None:
        """`path` leads to the fault: keys, one inside the other."""
        super().__init__(f"{'.'.join(path)}: {reason}" if path else reason)
        self.path = path
        self.reason = reason


def parse_view(table: Mapping[str, Any], base: View | None = None) -> View:
    """The view that `table`, of `VIEW_KEYS`, describes; what it leaves out is as in `base`, or as by default.

    Raises TableFault, naming the key and the mend.
    """
    refuse_unknown_keys(table, VIEW_KEYS)
    values: dict[str, Any] = {}
    for key, value in table.items():
        try:
            values["least_width_px" if key == "least_width" else key] = _PARSERS[key](value)
        except TableFault as fault:
            raise TableFault((key, *fault.path), fault.reason) from None
        except ValueError as error:
            raise TableFault((key,), str(error)) from None
    try:
        return replace(base or View(), **values)
    except ValueError as error:
        named, _, reason = str(error).partition(" ")
        raise (TableFault((named,), reason) if named in VIEW_KEYS else TableFault((), str(error))) from None


def view_table(view: View) -> dict[str, Any]:
    """What `parse_view` makes `view` of: lists, numbers and texts, and nothing that is as it is by default."""
    table: dict[str, Any] = {}
    if view.rotation:
        table["rotation"] = view.rotation
    if view.flip is not Flip.NONE:
        table["flip"] = view.flip.value
    for key, polygons in (("zones", view.zones), ("masks", view.masks)):
        if polygons:
            table[key] = [[list(point) for point in polygon.points] for polygon in polygons]
    if view.line is not None:
        table["line"] = {key: list(getattr(view.line, key)) for key in _LINE_KEYS}
    if view.speed is not None:
        table["speed"] = _speed_table(view.speed)
    if view.least_width_px:
        table["least_width"] = view.least_width_px
    if not view.motion_gate:
        table["motion_gate"] = False
    if view.schedule is not None:
        days = [DAYS[day] for day in sorted(view.schedule.days)]
        table["schedule"] = {"days": days, "hours": [str(span) for span in view.schedule.hours]}
    return table


def _speed_table(speed: SpeedLines) -> dict[str, Any]:
    usual = _usual_errors(speed.distance_m)
    said = {key: getattr(speed, key) for key in _SPEED_KEYS}
    said = {key: value for key, value in said.items() if key not in usual or value != usual[key]}
    return {key: [list(point) for point in value] if isinstance(value, tuple) else value for key, value in said.items()}


def _usual_errors(distance_m: float) -> dict[str, float]:
    """What counts where a table of two lines does not say it."""
    usual = {each.name: each.default for each in fields(SpeedLines) if isinstance(each.default, float)}
    return {**usual, "distance_error_m": distance_m * USUAL_DISTANCE_ERROR}


def refuse_unknown_keys(table: Mapping[str, Any], known: Collection[str]) -> None:
    """Raises TableFault for the first key that is not `known`, with the nearest that is."""
    for key in table:
        if key not in known:
            raise TableFault((key,), f"is no setting here; {nearest(key, known)}")


def nearest(key: str, known: Collection[str]) -> str:
    """A clause that names the known key nearest to `key`, or all of them."""
    close = get_close_matches(key.lower(), list(known), 1, 0.6)
    return f"did you mean {close[0]}?" if close else f"known are {', '.join(known)}"


def _integer(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError("is a whole number")  # noqa: TRY004 - one kind of fault for all values
    return value


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError("is a number")  # noqa: TRY004 - as above
    return float(value)


def _boolean(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError("is true or false")  # noqa: TRY004 - as above
    return value


def _flip(value: object) -> Flip:
    try:
        return Flip(str(value))
    except ValueError:
        raise ValueError(f"is one of {', '.join(Flip)}") from None


def _list(value: object, what: str) -> list[Any]:
    if not isinstance(value, list | tuple):
        raise ValueError(f"is a list of {what}")  # noqa: TRY004 - as above
    return list(value)


def _point(value: object) -> tuple[float, float]:
    numbers = _list(value, "two numbers, x and y")
    if len(numbers) != 2:
        raise ValueError("a point is two numbers, x and y")
    return _number(numbers[0]), _number(numbers[1])


def _polygons(value: object) -> tuple[Polygon, ...]:
    polygons = []
    for place, points in enumerate(_list(value, "polygons, each a list of points [x, y]"), 1):
        try:
            polygons.append(Polygon(tuple(_point(point) for point in _list(points, "points [x, y]"))))
        except ValueError as error:
            raise ValueError(f"number {place}: {error}") from None
    return tuple(polygons)


def _table(value: object, keys: Collection[str]) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise ValueError(f"is a table with {', '.join(keys)}")  # noqa: TRY004 - as above
    refuse_unknown_keys(value, keys)
    return value


def _line(value: object) -> Line:
    table = _table(value, _LINE_KEYS)
    if missing := [key for key in _LINE_KEYS if key not in table]:
        raise ValueError(f"{missing[0]} is missing: a line has {', '.join(_LINE_KEYS)}, each a point [x, y]")
    return Line(*(_point(table[key]) for key in _LINE_KEYS))


def _speed(value: object) -> SpeedLines:
    table = _table(value, _SPEED_KEYS)
    if missing := [key for key in _SPEED_NEEDED if key not in table]:
        raise ValueError(f"{missing[0]} is missing: two lines have {', '.join(_SPEED_NEEDED)}")
    read: dict[str, Any] = {}
    for key, given in table.items():
        try:
            read[key] = _ends(given) if key in ("first", "second") else _number(given)
        except ValueError as error:
            raise TableFault((key,), str(error)) from None
    try:
        return SpeedLines(**{**_usual_errors(read["distance_m"]), **read})
    except ValueError as error:
        name, _, reason = str(error).partition(": ")
        raise TableFault((name,), reason) from None


def _ends(value: object) -> tuple[Point, Point]:
    points = _list(value, "two points [x, y]")
    if len(points) != 2:
        raise ValueError("a line has two points [x, y]")
    return _point(points[0]), _point(points[1])


def _schedule(value: object) -> Schedule:
    table = _table(value, _SCHEDULE_KEYS)
    given: dict[str, Any] = {}
    if "days" in table:
        given["days"] = frozenset(_day(day) for day in _list(table["days"], f"days, of {', '.join(DAYS)}"))
    if "hours" in table:
        given["hours"] = tuple(Span.of(str(span)) for span in _list(table["hours"], "hours such as 06:00-22:00"))
    return Schedule(**given)


def _day(value: object) -> int:
    name = str(value).lower()[:3]
    if name not in DAYS:
        raise ValueError(f"days are {', '.join(DAYS)}")
    return DAYS.index(name)


_PARSERS = {
    "rotation": _integer,
    "flip": _flip,
    "zones": _polygons,
    "masks": _polygons,
    "line": _line,
    "speed": _speed,
    "least_width": _number,
    "motion_gate": _boolean,
    "schedule": _schedule,
}
