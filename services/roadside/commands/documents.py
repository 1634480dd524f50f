"""`python -m roadside.commands.documents FOLDER`: the pages of docs/ that are made from the code."""

from __future__ import annotations

import sys
from pathlib import Path

from roadside.assembly.documents import metrics_page
from roadside.assembly.door_table import doors_page

PAGES = {"metrics.md": metrics_page, "doors.md": doors_page}


def main(folder: Path) -> None:
    """Write every page."""
    folder.mkdir(exist_ok=True)
    for name, page in PAGES.items():
        (folder / name).write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
