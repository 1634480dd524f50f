"""Makes the demonstration registry of the street clip: all have paid but the last vehicle, and the first is exempt.

Usage: registry.py PLATES.tsv VIGNETTES.csv EXEMPTIONS.csv [--near]

With --near the last but one has paid for a plate that differs in one character, so that a person must look.
"""

from __future__ import annotations

import csv
import sys
from pathlib import Path

OTHERS = ("AK07TBX", "LM64PZR", "YD19KVC", "4T62180", "2AL9035", "7S43366")
"""Vehicles that are not in the clip: a registry of a handful would be no search."""


def make(plates: Path, vignettes: Path, exemptions: Path, *, near: bool) -> None:
    """Write both lists; the clip's own has a row a vehicle with the columns `plate` and `country`."""
    with plates.open(encoding="utf-8", newline="") as file:
        seen = [(row["plate"], row["country"]) for row in csv.DictReader(file, delimiter="\t")]
    (exempt, *paid, _unpaid) = seen
    if near:
        plate, country = paid[-1]
        paid[-1] = (plate[:-1] + ("E" if plate[-1] != "E" else "F"), country)
    paid += [(plate, "CZ" if plate[0].isdigit() else "UK") for plate in OTHERS]
    with vignettes.open("w", encoding="utf-8", newline="") as file:
        out = csv.writer(file)
        out.writerow(("plate", "country", "valid_from", "valid_to", "category"))
        out.writerows((plate, country, "2020-01-01", "2099-12-31", "car") for plate, country in paid)
    with exemptions.open("w", encoding="utf-8", newline="") as file:
        out = csv.writer(file)
        out.writerow(("pattern", "country", "reason"))
        out.writerow((*exempt, "electric"))


if __name__ == "__main__":
    make(*(Path(name) for name in sys.argv[1:4]), near="--near" in sys.argv[4:])
