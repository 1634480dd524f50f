"""Prints the vehicles of a run as they pass, a row each, and counts them."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from roadside.commands.colour import painted
from roadside.commands.json_lines import print_json, sighting_json
from roadside.commands.table import SightingTable, running_head, running_row, without_free_plate
from roadside.core.sightings import VerdictKind

if TYPE_CHECKING:
    from collections.abc import Iterable

    from roadside.core.events import SightingEvent
    from roadside.kit.progress import Progress
    from roadside.ports.bus import Conclusion


class Teller:
    """Says what was concluded, without plates of those who have paid where others may read it."""

    def __init__(
        self,
        progress: Progress,
        *,
        show_plates: bool,
        cameras: bool = False,
        quiet: bool = False,
        as_json: bool = False,
    ) -> None:
        """Plates of vehicles that have paid go to a terminal, and elsewhere where `show_plates`.

        With `cameras` each line names its camera, with `quiet` there is none, with `as_json` it is an object.
        """
        self._as_json = as_json
        self._quiet = quiet
        self.sightings = SightingTable(rows=0)
        self.tells_free = show_plates or sys.stdout.isatty()
        self._progress = progress
        self._cameras = cameras

    def tell(self, conclusions: Iterable[Conclusion[SightingEvent]]) -> None:
        """Print a row a vehicle, and a head over the first."""
        for conclusion in conclusions:
            self._progress.clear()
            for event in conclusion.outputs:
                told = event.sighting if self.tells_free else without_free_plate(event.sighting)
                self.sightings.add(told)
                if self._as_json:
                    print_json(sighting_json(told))
                elif not self._quiet:
                    if len(self.sightings) == 1:
                        judged = told.verdict.kind is not VerdictKind.NONE
                        print(running_head(cameras=self._cameras, judged=judged))
                    print(painted(running_row(told, cameras=self._cameras)), flush=True)

    def warn(self, line: str) -> None:
        """Say `line` on stderr."""
        self._progress.clear()
        say(line)


def say(line: str) -> None:
    """Say `line` on stderr, as everything that is no result."""
    print(f"roadside: {line}", file=sys.stderr, flush=True)
