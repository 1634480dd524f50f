"""What the command lines of models/ have in common: where the data lie, and how a fault is told."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from models.data.photographs import default_folder
from roadside.errors import RoadsideError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

EXIT_FAULT = 1
EXIT_STOPPED = 130
"""What shells give for a program that SIGINT ended."""


def add_data(parser: argparse.ArgumentParser) -> None:
    """The option `--data`: the photographs, by default those of ROADSIDE_DATA."""
    parser.add_argument(
        "--data", type=Path, default=default_folder(), help="folder of photographs; default: ROADSIDE_DATA"
    )


def add_labels(parser: argparse.ArgumentParser) -> None:
    """The option `--labels`: what people read in the crops."""
    parser.add_argument("--labels", type=Path, help="texts read by eye; default: the file that ROADSIDE_LABELS names")


def answer(prog: str, work: Callable[[], int | None], *, stopped: str = "stopped", fault_code: int = EXIT_FAULT) -> int:
    """Does the work of a command; the exit status, with one line on stderr where the work came to no end.

    Args:
        prog: the command, which the line begins with.
        work: what the command does; it returns an exit status if it has one of its own, and raises RoadsideError or
            OSError for what its user can mend.
        stopped: what is told after Ctrl-C.
        fault_code: the exit status of a fault.

    """
    try:
        return work() or 0
    except (RoadsideError, OSError) as fault:
        print(f"{prog}: {fault}", file=sys.stderr)
        return fault_code
    except KeyboardInterrupt:
        print(f"{prog}: {stopped}", file=sys.stderr)
        return EXIT_STOPPED


def tell(text: str, path: Path | None) -> None:
    """Prints figures, and writes them to `path` too if there is one."""
    print(text.rstrip("\n"))
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
