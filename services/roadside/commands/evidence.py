"""`roadside evidence verify|show`: whether what is kept was left alone, and a look at it that is written down."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from roadside.assembly.records import open_records, person
from roadside.commands.flags import add_settings, settings_of
from roadside.core.sightings import PictureKind
from roadside.errors import InputError

if TYPE_CHECKING:
    import argparse

    from roadside.commands.flags import SubParsers

EXIT_TAMPERED = 1
_KEEPING = ("db", "evidence", "keys")


def add_to(commands: SubParsers) -> None:
    """Add `roadside evidence`."""
    actions = commands.add_parser("evidence", help="verify or show the pictures that are kept").add_subparsers(
        metavar="ACTION", required=True
    )
    verify = actions.add_parser("verify", help="check pictures, records and their chain; exit code 1 on a fault")
    verify.add_argument("--expect", metavar="LINK", help="the last link as it was printed before: none may be cut off")
    add_settings(verify, *_KEEPING)
    verify.set_defaults(execute=verify_evidence)

    show = actions.add_parser("show", help="write a picture of a sighting to a file; the audit notes it")
    show.add_argument("sighting", help="its id")
    show.add_argument("--kind", choices=[kind.value for kind in PictureKind], default="crop")
    show.add_argument("--out", type=Path, required=True, help="the file to write")
    add_settings(show, *_KEEPING)
    show.set_defaults(execute=show_evidence)


def verify_evidence(parsed: argparse.Namespace) -> int:
    """Print every fault and the last link of the chain."""
    records = open_records(settings_of(parsed))
    report = records.retention.verify(parsed.expect)
    for fault in report.faults:
        print(fault, file=sys.stderr)
    verdict = "intact" if not report.faults else f"{len(report.faults)} faults"
    print(f"{report.entries} chain entries: {verdict}; last link {report.last_link}")
    return EXIT_TAMPERED if report.faults else 0


def show_evidence(parsed: argparse.Namespace) -> int:
    """Write the decrypted picture."""
    records = open_records(settings_of(parsed))
    data = records.store.picture(parsed.sighting, PictureKind(parsed.kind), person())
    try:
        parsed.out.write_bytes(data)
    except OSError as error:
        raise InputError(f"{parsed.out}: {error.strerror}") from error
    print(f"{parsed.out}: {len(data)} bytes")
    return 0
