"""Faults of what is drawn on a camera's picture, in the reader's words: fields by their names on the page."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from roadside.console.languages import Wording
    from roadside.core.view_table import TableFault


def _(text: str) -> str:
    """Marks a text for the catalogues."""
    return text


FIELDS: Mapping[str, str] = {
    "zones": _("zone"),
    "masks": _("mask"),
    "line": _("line"),
    "speed": _("Two lines"),
    "first": _("First of the two lines"),
    "second": _("Second of the two lines"),
    "distance_m": _("Metres of road between them"),
    "distance_error_m": _("Error of the distance, metres"),
    "camera_height_m": _("Height of the camera, metres"),
    "plate_height_m": _("Height of plates, metres"),
    "plate_height_error_m": _("Error of that height, metres"),
    "time_error_s": _("Error of times, seconds"),
    "least_width": _("Narrowest plate, in pixels"),
}
NUMBERED = re.compile(r"number (\d+): (.+)", re.DOTALL)
REASONS: Mapping[str, str] = {
    r"is a number": _("give a number"),
    r"is a number (?:of pixels )?from (\S+) to (\S+)": _("give a number from {0} to {1}"),
    r"is needed": _("needed to measure speeds: enter it, or remove the two lines"),
    r"only one": _("one alone measures nothing: draw the other one, too, or remove it"),
    r"is as large as the distance": _("as large as the distance itself: measure again"),
    r"a camera hardly higher .*": _("a camera hardly higher than plates cannot tell how far they went"),
    r"crosses the first line.*": _("it crosses the first: a distance lies between two that do not cross"),
    r"the line has no length.*": _("the line has no length: draw it longer"),
    r"inwards lies on the line.*": _("the point inside lies on the line: move it to the side that vehicles come in to"),
    r"the polygon's sides cross.*": _(
        "its sides cross: move its corners so that they follow one another all the way round"
    ),
    r"the polygon has no area.*": _("it has no area: its corners lie in a line"),
    r"a polygon has .*": _("it has too few corners, or too many: 3 to 64"),
    r"a camera has at most .*": _("a camera has at most 32 zones and as many masks"),
    r"this is no drawing.*": _("this is no drawing: load the page again"),
}
"""What begins so, and how the page says it."""


def view_fault(words: Wording, fault: TableFault) -> str:
    """The fault as one sentence; in English where the page cannot make it."""
    name = words.say(FIELDS[fault.path[-1]]) if fault.path and fault.path[-1] in FIELDS else ".".join(fault.path)
    reason = fault.reason
    if numbered := NUMBERED.fullmatch(reason):
        name, reason = f"{name} {numbered[1]}", numbered[2]
    sentence = _said(words, reason)
    told = f"{name}: {sentence}" if name else sentence
    return told[:1].upper() + told[1:] + "."


def _said(words: Wording, reason: str) -> str:
    for pattern, text in REASONS.items():
        if found := re.fullmatch(pattern, reason, re.DOTALL):
            return words.say(text).format(*(words.number(float(each)) for each in found.groups()))
    return reason
