"""`roadside` and its commands, each in a module of `roadside.commands`; errors become one line and an exit code."""

from __future__ import annotations

import argparse
import os
import sys
import traceback
from importlib import import_module
from typing import TYPE_CHECKING, NoReturn

from roadside._version import __version__
from roadside.errors import InputError, RoadsideError
from roadside.kit.addresses import hide_addresses
from roadside.kit.arguments import hide, secrets_among

if TYPE_CHECKING:
    from collections.abc import Sequence

COMMANDS = {
    "run": ("run",),
    "read": ("read",),
    "annotate": ("annotate",),
    "plates": ("plates",),
    "registry": ("registry",),
    "review": ("review",),
    "console": ("console",),
    "evidence": ("evidence",),
    "privacy": ("forget", "purge", "keys", "audit"),
    "notify": ("notify",),
    "serve": ("serve",),
    "config": ("config",),
    "database": ("database",),
    "dead_letters": ("dead-letters",),
    "streams": ("streams",),
    "settings": ("settings",),
}
"""Modules in the order of the help, and their commands; each has `add_to(commands)`, which names what runs it."""

EXIT_INPUT = 2
EXIT_UNAVAILABLE = 3
EXIT_INTERNAL = 70
EXIT_INTERRUPTED = 130


UNKNOWN = "unrecognized arguments:"
"""How argparse begins to tell of what it does not know."""


class OneLineParser(argparse.ArgumentParser):
    """Says what is wrong with a command line in one line."""

    def error(self, message: str) -> NoReturn:
        """Exit with code 2; what was given is not repeated where it may be a password."""
        if message.startswith(UNKNOWN):
            names = [word.partition("=")[0] for word in message.removeprefix(UNKNOWN).split() if word.startswith("-")]
            message = f"{UNKNOWN} {' '.join(names)}" if names else "there are more arguments than it takes"
        self.exit(EXIT_INPUT, f"{self.prog}: {hide_addresses(message)}; see `{self.prog} --help`\n")


def make_parser(only: str | None = None) -> argparse.ArgumentParser:
    """The parser of the whole command line, or of one module's commands.

    One module is imported faster (a second on a Pi), and an image of a service does without the packages of others.
    """
    parser = OneLineParser(
        prog="roadside", description="Reads number plates and tells whether their vignette was paid."
    )
    parser.add_argument("--version", action="version", version=f"roadside {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for module in [only] if only is not None else COMMANDS:
        try:
            import_module(f"roadside.commands.{module}").add_to(commands)
        except ModuleNotFoundError as error:
            if only is not None or (error.name or "").startswith("roadside"):
                raise  # otherwise the help lists what an image has the packages for
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the exit code is 0 where all went well."""
    given = sys.argv[1:] if arguments is None else arguments
    hide(list(secrets_among(given)))
    named = next((module for module, words in COMMANDS.items() if given and given[0] in words), None)
    parsed = make_parser(named).parse_args(given)
    try:
        code: int = parsed.execute(parsed)
        sys.stdout.flush()
    except RoadsideError as error:
        print(f"roadside: {error}", file=sys.stderr)
        return EXIT_INPUT if isinstance(error, InputError) else EXIT_UNAVAILABLE
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has seen enough; Python must not complain of it again at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:  # noqa: BLE001 (the last boundary: a person sees a line, not a traceback)
        if os.environ.get("ROADSIDE_DEBUG"):
            traceback.print_exc()
        name = type(error).__name__
        print(f"roadside: a fault of Roadside itself ({name}); ROADSIDE_DEBUG=1 shows where", file=sys.stderr)
        return EXIT_INTERNAL
    return code


if __name__ == "__main__":
    sys.exit(main())
