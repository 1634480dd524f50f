"""How commands explain themselves: help with examples, the manual's page, and what shells complete."""

from __future__ import annotations

import argparse
import re
from typing import TYPE_CHECKING

from roadside._version import __version__
from roadside.commands.examples import EXAMPLES, written

if TYPE_CHECKING:
    from collections.abc import Iterator

EXIT_CODES = (
    (0, "all went well"),
    (1, "it was done, and something of it needs attention: `roadside COMMAND --help`, docs/commands.md"),
    (2, "what was given cannot be used; one line says what and how to mend it"),
    (3, "something outside does not answer now: a database, a broker, a camera"),
    (70, "a fault of Roadside itself; ROADSIDE_DEBUG=1 shows where"),
    (130, "ended by Ctrl-C or SIGTERM, after what was seen was kept"),
)


class Formatter(argparse.HelpFormatter):
    """Wraps texts, but for those with line ends of their own."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        if "\n" not in text:
            return super()._fill_text(text, width, indent)
        return "".join(indent + line for line in text.splitlines(keepends=True))


def explain(parser: argparse.ArgumentParser) -> None:
    """Give every command of `parser` its examples."""
    for words, each, summary in commands_of(parser):
        each.formatter_class = Formatter
        if each.description is None and summary:
            each.description = f"{summary[0].upper()}{summary[1:]}."
        if words in EXAMPLES:
            each.epilog = f"examples:\n{written(EXAMPLES[words])}"
        elif not words:
            codes = "\n".join(f"  {code:<4}{meaning}" for code, meaning in EXIT_CODES)
            each.epilog = f"exit codes:\n{codes}"


def commands_of(
    parser: argparse.ArgumentParser, words: str = "", summary: str = ""
) -> Iterator[tuple[str, argparse.ArgumentParser, str]]:
    """The parser itself and all below it, by their words ("", "run", "registry import"), each with its line of help."""
    yield words, parser, summary
    for action in parser._actions:  # noqa: SLF001 - argparse has no public name for them
        if isinstance(action, argparse._SubParsersAction):  # noqa: SLF001 - as above
            lines = {choice.dest: choice.help or "" for choice in action._choices_actions}  # noqa: SLF001 - as above
            for name, below in action.choices.items():
                yield from commands_of(below, f"{words} {name}".strip(), lines.get(name, ""))


def manual(parser: argparse.ArgumentParser) -> str:
    """The manual's page in roff, with the macros of man(7)."""
    parts = [
        f'.TH ROADSIDE 1 "" "roadside {__version__}" "User Commands"',
        ".SH NAME",
        "roadside \\- reads number plates and tells whether their vignette was paid",
        ".SH SYNOPSIS",
        ".B roadside\n.I COMMAND\n[...]",
        ".SH DESCRIPTION",
        _text(parser.description or ""),
        ".SH COMMANDS",
    ]
    for words, command, _ in commands_of(parser):
        if words:
            parts += _command(words, command)
    parts += [".SH EXIT STATUS", *(f".TP\n.B {code}\n{_text(meaning)}" for code, meaning in EXIT_CODES)]
    parts += [
        ".SH ENVIRONMENT",
        _text("Each setting is also a variable: --modeldir is ROADSIDE_MODELDIR. `roadside settings` lists all."),
    ]
    return "\n".join(parts) + "\n"


def _command(words: str, parser: argparse.ArgumentParser) -> Iterator[str]:
    yield f'.SS "roadside {words}"'
    yield _text(parser.description or "")
    for action in parser._actions:  # noqa: SLF001 - argparse has no public name for them
        if isinstance(action, (argparse._HelpAction, argparse._SubParsersAction)):  # noqa: SLF001 - as above
            continue
        names = ", ".join(action.option_strings) or str(action.metavar or action.dest)
        value = f" {action.metavar or action.dest.upper()}" if action.option_strings and action.nargs != 0 else ""
        help_text = (action.help or "").replace("%%", "%")
        yield f".TP\n.B {_text(names + value)}\n{_text(help_text)}"
    if words in EXAMPLES:
        yield ".PP\nExamples:"
        yield from (f".TP\n.B {_text(line)}\n{_text(meaning)}" for line, meaning in EXAMPLES[words])


def _text(text: str) -> str:
    """Escaped for roff: dashes are dashes, and no line begins with a macro."""
    escaped = text.replace("\\", "\\e").replace("-", "\\-")
    return re.sub(r"(?m)^(?=[.'])", "\\\\&", " ".join(escaped.split()))
