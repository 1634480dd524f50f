"""`roadside doctor`: what a run needs, looked at one by one, with the command that mends what is missing."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

from roadside.assembly.doctor import State, examine
from roadside.commands.colour import STATES, painted
from roadside.commands.flags import READING, add_config, add_settings, settings_of
from roadside.kit.config import named_file

if TYPE_CHECKING:
    import argparse

    from roadside.commands.flags import SubParsers

EXIT_FAULTS = 1
_KEEPING = ("db", "evidence", "keys", "registry", "registry_http", "registry_max_age_days")
_ASKED = (*_KEEPING, "console_host", "console_port", "timeout_s", "notify", "notify_secrets")


def add_to(commands: SubParsers) -> None:
    """Add `roadside doctor`."""
    parser = commands.add_parser(
        "doctor",
        help="look whether everything that a run needs is there",
        description="Looks at models, storage, disk, registry, clock, port, channels and cameras, and says how to mend "
        "what is wrong. Exit code 0: all is well; 1: something is not.",
    )
    parser.add_argument("source", metavar="SOURCE", nargs="?", help="a camera or clip to try; else those of the file")
    parser.add_argument("--json", action="store_true", help="print one JSON object a line a finding")
    add_config(parser)
    add_settings(parser, *READING, *_ASKED)
    parser.set_defaults(execute=look)


def look(parsed: argparse.Namespace) -> int:
    """Print each finding as it is made; exit code 1 where one is a fault."""
    faults = 0
    with named_file(parsed.config):
        for finding in examine(settings_of(parsed)):
            faults += finding.state is State.BAD
            if parsed.json:
                print(json.dumps(asdict(finding)), flush=True)
                continue
            print(f"{painted(f'{finding.state.value:6}', STATES)} {finding.what:<10} {finding.told}", flush=True)
            if finding.mend:
                print(f"{'':18}-> {finding.mend}", flush=True)
    if not parsed.json:
        print("\nAll is well." if not faults else f"\n{faults} fault{'' if faults == 1 else 's'}: see above.")
    return EXIT_FAULTS if faults else 0
