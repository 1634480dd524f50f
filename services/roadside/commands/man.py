"""`roadside man`: the manual's page, made from the commands themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from roadside.commands.help import manual

if TYPE_CHECKING:
    import argparse

    from roadside.commands.flags import SubParsers


def add_to(commands: SubParsers) -> None:
    """Add `roadside man`."""
    parser = commands.add_parser("man", help="print the manual's page: `roadside man | man -l -`")
    parser.set_defaults(execute=show)


def show(parsed: argparse.Namespace) -> int:
    """Print it, in roff."""
    print(manual(parsed.whole()), end="")
    return 0
