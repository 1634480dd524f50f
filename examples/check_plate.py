"""Asks who paid: python examples/check_plate.py PLATE [COUNTRY] [ADDRESS]."""

import os
import sys

from roadside.client import RegistryClient


def main() -> None:
    """The verdict and the vignettes behind it."""
    if len(sys.argv) == 1:
        sys.exit("which plate? python examples/check_plate.py PLATE [COUNTRY] [ADDRESS]")
    plate, country, address = (*sys.argv[1:], "", "")[:3] if len(sys.argv) < 4 else sys.argv[1:4]
    with RegistryClient(address or "127.0.0.1:50054", token=os.environ.get("ROADSIDE_TOKEN")) as registry:
        checked = registry.check(plate, country or None)
    print(checked.verdict.value)
    for vignette in checked.vignettes:
        print(f"  {vignette.country} {vignette.category}")
    for exemption in checked.exemptions:
        print(f"  exempt: {exemption.reason}")


if __name__ == "__main__":
    main()
