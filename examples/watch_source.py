"""Prints the vehicles of a clip, folder or camera as they pass: python examples/watch_source.py SOURCE [REGISTRY]."""

from __future__ import annotations

import sys
from contextlib import closing

from roadside import ALPR
from roadside.errors import RoadsideError


def main() -> int:
    """One line a vehicle, with its verdict where a registry is named, until the source ends or Ctrl-C."""
    if len(sys.argv) not in {2, 3}:
        print(__doc__, file=sys.stderr)
        return 2
    try:
        alpr = ALPR(registry=sys.argv[2]) if len(sys.argv) == 3 else ALPR()
        with closing(alpr.watch(sys.argv[1])) as sightings:
            for seen in sightings:
                verdict = "" if seen.verdict is None else f"  {seen.verdict.kind.value} ({seen.verdict.rule})"
                at = f"{seen.first_seen:%H:%M:%S}"
                print(f"{at}  {seen.plate} {seen.country or '-'} {seen.confidence:.0%}{verdict}", flush=True)
    except RoadsideError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
