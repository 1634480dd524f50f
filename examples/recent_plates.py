"""Prints what was seen last: python examples/recent_plates.py [ADDRESS] (ROADSIDE_TOKEN where the server wants one)."""

import os
import sys
from datetime import UTC, datetime
from itertools import islice

from roadside.client import PlatesClient

MOST = 20


def main() -> None:
    """One line a sighting, newest first."""
    address = sys.argv[1] if len(sys.argv) > 1 else "127.0.0.1:50055"
    with PlatesClient(address, token=os.environ.get("ROADSIDE_TOKEN")) as plates:
        for sighting in islice(plates.sightings(page_size=MOST), MOST):
            at = datetime.fromtimestamp(sighting.last_seen_ns / 1e9, UTC).strftime("%Y-%m-%d %H:%M:%S")
            plate = sighting.plate.text if sighting.plate else "(not kept)"
            print(f"{at}  {sighting.camera_id:12} {plate:12} {sighting.verdict.kind.value}")


if __name__ == "__main__":
    main()
