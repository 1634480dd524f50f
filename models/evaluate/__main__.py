"""`python -m models.evaluate`: measure, print, and write docs/accuracy.md."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from models.command import answer
from models.evaluate import clips, countries, detection, end_to_end, harder, machine, peers, reading, report, tracks
from models.evaluate.settings import find_sources

if TYPE_CHECKING:
    from collections.abc import Sequence

PARTS = {
    "detect": detection.evaluate,
    "read": reading.evaluate,
    "end": end_to_end.evaluate,
    "clips": clips.evaluate,
    "tracks": tracks.evaluate,
    "hard": harder.evaluate,
    "country": countries.evaluate,
    "peers": peers.evaluate,
}
"""In the order of the report. `calibration` is told with `read`, from the same reads."""
MODELS = Path(__file__).resolve().parents[1]


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure the parts that are asked for."""
    parser = argparse.ArgumentParser(prog="make evaluate", description=main.__doc__)
    parser.add_argument("--part", default="all", help=f"{', '.join(PARTS)}, calibration, or several with commas")
    parser.add_argument("--models", type=Path, default=MODELS, help="folder of detector/, ocr/ and tesseract/")
    parser.add_argument("--out", type=Path, default=MODELS.parent / "docs" / "accuracy.md")
    chosen = parser.parse_args(arguments)
    # Other readers need an environment of their own: `make bench-peers` makes it and asks for that part.
    wanted = (
        [name for name in PARTS if name != "peers"]
        if chosen.part == "all"
        else chosen.part.replace("calibration", "read").split(",")
    )
    unknown = [name for name in wanted if name not in PARTS]
    if unknown:
        print(f"make evaluate: no part {unknown[0]!r}; there are {', '.join(PARTS)}, calibration", file=sys.stderr)
        return 2

    def work() -> None:
        sources = find_sources(chosen.models, chosen.out)
        measured = f"{time.strftime('%d %B %Y', time.gmtime())}; {machine.describe()}"
        print(measured)
        for name in dict.fromkeys(wanted):
            started = time.perf_counter()
            section = PARTS[name](sources)
            report.write(chosen.out, [section], f"{measured}; {time.perf_counter() - started:.0f} s")
            print("\n" + "\n\n".join([f"## {section.title}", *(t.markdown() for t in section.tables), *section.notes]))

    return answer("make evaluate", work)


if __name__ == "__main__":
    sys.exit(main())
