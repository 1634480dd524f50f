"""Makes the demonstration registry of the street clip: everybody in it has paid, save whom the list says has not.

Usage: registry.py PLATES.tsv VIGNETTES.csv EXEMPTIONS.csv
"""

from __future__ import annotations

import csv
import sys
from pathlib import Path

UNPAID = {"unpaid", "0", "no", "false"}
EXEMPT = {"exempt"}
OTHERS = ("AK07TBX", "LM64PZR", "YD19KVC", "4T62180", "2AL9035", "7S43366")
"""Vehicles that are not in the clip: a registry of a handful would be no search."""


def make(plates: Path, vignettes: Path, exemptions: Path) -> None:
    """Write both lists; plates are in the column `plate` or `text`, what was paid in `verdict` or `paid`."""
    with plates.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    seen: dict[str, tuple[str, str]] = {}
    for row in rows:
        plate = row.get("plate") or row["text"]
        seen[plate] = (row.get("country") or row["region"], (row.get("verdict") or row.get("paid") or "paid").lower())
    paid = [(plate, country) for plate, (country, state) in seen.items() if state not in UNPAID | EXEMPT]
    paid += [(plate, "CZ" if plate[0].isdigit() else "UK") for plate in OTHERS]
    with vignettes.open("w", encoding="utf-8", newline="") as file:
        out = csv.writer(file)
        out.writerow(("plate", "country", "valid_from", "valid_to", "category"))
        out.writerows((plate, country, "2020-01-01", "2099-12-31", "car") for plate, country in paid)
    exempt = [(plate, country) for plate, (country, state) in seen.items() if state in EXEMPT]
    with exemptions.open("w", encoding="utf-8", newline="") as file:
        if exempt:
            out = csv.writer(file)
            out.writerow(("pattern", "country", "reason"))
            out.writerows((plate, country, "electric") for plate, country in exempt)


if __name__ == "__main__":
    make(*(Path(name) for name in sys.argv[1:4]))
