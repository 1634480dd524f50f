"""`roadside` and its commands, each in a module of `roadside.commands`; errors become one line and an exit code."""

from __future__ import annotations

import argparse
import os
import re
import sys
import traceback
from argparse import SUPPRESS
from difflib import get_close_matches
from importlib import import_module
from typing import TYPE_CHECKING, Any, NoReturn

from roadside._version import __version__
from roadside.commands.examples import FIRST, written
from roadside.commands.help import explain
from roadside.errors import InputError, RoadsideError
from roadside.kit.addresses import hide_addresses
from roadside.kit.arguments import hide, secrets_among

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

COMMANDS = {
    "run": ("run",),
    "read": ("read",),
    "annotate": ("annotate",),
    "plates": ("plates",),
    "speeds": ("speeds",),
    "plot": ("plot",),
    "registry": ("registry",),
    "lists": ("lists",),
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
    "doctor": ("doctor",),
    "cameras": ("cameras",),
    "install_service": ("install-service",),
    "man": ("man",),
}
"""Modules in the order of the help, and their commands; each has `add_to(commands)`, which names what runs it."""

EXIT_INPUT = 2
EXIT_UNAVAILABLE = 3
EXIT_INTERNAL = 70
EXIT_INTERRUPTED = 130


UNKNOWN = "unrecognized arguments:"
"""How argparse begins to tell of what it does not know; ..."""
_CHOICE = re.compile(r"(?P<what>.*invalid choice: )'(?P<given>[\w.-]*)' \(choose from (?P<known>.*)\)")
"""... and how it tells of what is none of a few words."""


def _meant(given: Sequence[str], known: Iterable[str]) -> str:
    """A clause that names the nearest that there is; empty without one."""
    near = [close for word in given for close in get_close_matches(word, list(known), 1, 0.6)]
    return f"; did you mean {near[0]}?" if near else ""


class OneLineParser(argparse.ArgumentParser):
    """Says what is wrong with a command line in one line, and takes no flag for another that it begins."""

    def __init__(self, **options: Any) -> None:  # noqa: ANN401 - argparse's own
        super().__init__(**{"allow_abbrev": False, **options})

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:  # noqa: ANN401 - argparse's own
        """A command refuses what it does not know itself, so that its own help is named."""
        parsed, rest = super().parse_known_args(args, namespace)
        if rest:
            flags = [word.partition("=")[0] for word in rest if word.startswith("-")]
            self.error(" ".join((UNKNOWN, *flags)))
        return parsed, rest

    def error(self, message: str) -> NoReturn:
        """Exit with code 2; what was given is not repeated where it may be a password."""
        if message.startswith(UNKNOWN):
            names = message.removeprefix(UNKNOWN).split()
            known = [flag for action in self._actions for flag in action.option_strings if action.help is not SUPPRESS]
            message = f"{UNKNOWN} {' '.join(names)}" if names else "there are more arguments than it takes"
            message += _meant(names[:1], known)
        elif choice := _CHOICE.match(message):
            near = _meant([choice["given"]], re.findall(r"[\w.-]+", choice["known"]))
            message = f"{choice['what']}{choice['given']!r}{near}" if near else message
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
    parser.set_defaults(whole=make_parser)
    for module in [only] if only is not None else COMMANDS:
        try:
            import_module(f"roadside.commands.{module}").add_to(commands)
        except ModuleNotFoundError as error:
            if only is not None or (error.name or "").startswith("roadside"):
                raise  # otherwise the help lists what an image has the packages for
    explain(parser)
    return parser


def begin() -> int:
    """Say what to do first."""
    print(f"Roadside {__version__} reads number plates and tells whether their vignette was paid.\n")
    print(written(FIRST))
    return 0


def tell_version() -> int:
    """Without the seconds that importing every command takes on a Pi."""
    print(f"roadside {__version__}")
    return 0


def complete(words: Sequence[str]) -> None:
    """Tell a shell what may follow, and end; see docs/commands.md. Imports no more than the command at hand needs."""
    import argcomplete  # noqa: PLC0415 - only where a shell asks

    named = next((module for module, names in COMMANDS.items() if words[1:2] and words[1] in names), None)
    parser = make_parser(named) if named is not None else _names_alone()
    argcomplete.autocomplete(parser, always_complete_options="long")


def _names_alone() -> argparse.ArgumentParser:
    parser = OneLineParser(prog="roadside")
    commands = parser.add_subparsers()
    for names in COMMANDS.values():
        for name in names:
            commands.add_parser(name)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the exit code is 0 where all went well."""
    given = sys.argv[1:] if arguments is None else arguments
    if "_ARGCOMPLETE" in os.environ:
        complete(os.environ.get("COMP_LINE", "").split())
    if not given or list(given) == ["--version"]:
        return begin() if not given else tell_version()
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
