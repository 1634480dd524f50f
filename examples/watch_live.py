"""Prints sightings as they are stored, with asyncio: python examples/watch_live.py [ADDRESS] [AFTER_SIGHTING_ID]."""

import asyncio
import os
import sys
from datetime import UTC, datetime

from roadside.client import AsyncPlatesClient


async def main() -> None:
    """One line a sighting, until Ctrl-C."""
    address = sys.argv[1] if len(sys.argv) > 1 else "127.0.0.1:50055"
    after = sys.argv[2] if len(sys.argv) > len(("script", "address")) else ""
    async with AsyncPlatesClient(address, token=os.environ.get("ROADSIDE_TOKEN")) as plates:
        async for sighting in plates.watch(after=after):
            at = datetime.fromtimestamp(sighting.last_seen_ns / 1e9, UTC).strftime("%H:%M:%S")
            plate = sighting.plate.text if sighting.plate else "(not kept)"
            verdict = sighting.verdict.kind.value
            print(f"{at}  {sighting.camera_id:12} {plate:12} {verdict:8} {sighting.sighting_id}", flush=True)


if __name__ == "__main__":
    try:
        asyncio.run(main())
    except KeyboardInterrupt:
        sys.exit(130)
