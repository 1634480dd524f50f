"""`roadside evidence verify|explain|checkpoint|show`: was it left alone, and what is it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from roadside.adapters.checkpoint import load_checkpoint
from roadside.assembly.records import open_records, person
from roadside.commands.explain import explain_evidence
from roadside.commands.flags import add_settings, settings_of
from roadside.commands.json_lines import add_json, iso, print_json
from roadside.core.sightings import PictureKind
from roadside.errors import InputError
from roadside.kit.file_faults import writing_fault

if TYPE_CHECKING:
    import argparse
    from typing import Any

    from roadside.adapters.checkpoint import Checkpoint
    from roadside.adapters.sql.retention import ChainReport
    from roadside.assembly.records import Records
    from roadside.commands.flags import SubParsers

EXIT_TAMPERED = 1
_KEEPING = ("db", "evidence", "keys")
_VERIFYING = (*_KEEPING, "checkpoints", "registry")
_EXIT_CODES = "exit code 0: intact; 1: something was changed, removed or cut off; 2, 3: it could not be checked"


def add_to(commands: SubParsers) -> None:
    """Add `roadside evidence`."""
    actions = commands.add_parser("evidence", help="verify or show what is kept").add_subparsers(
        metavar="ACTION", required=True
    )
    verify = actions.add_parser(
        "verify", help=f"check records, pictures and their chain; {_EXIT_CODES}", epilog=_EXIT_CODES
    )
    verify.add_argument("--expect", metavar="LINK", help="the last link as it was printed before: none may be cut off")
    verify.add_argument(
        "--checkpoint",
        type=Path,
        action="append",
        metavar="FILE",
        help="a signed end of the chain, which must still be in it; may be given several times (default: all in the "
        "folder of checkpoints)",
    )
    add_json(verify, "")
    add_settings(verify, *_VERIFYING)
    verify.set_defaults(execute=verify_evidence)

    explain = actions.add_parser("explain", help="tell of one sighting what a court would ask; the audit notes it")
    explain.add_argument("sighting", help="its id")
    add_json(explain, "")
    add_settings(explain, *_KEEPING, "checkpoints")
    explain.set_defaults(execute=explain_evidence)

    checkpoint = actions.add_parser("checkpoint", help="sign the end of the chain now, for a place of your choice")
    checkpoint.add_argument("--out", type=Path, help="write it to this file, too")
    add_json(checkpoint, "")
    add_settings(checkpoint, *_KEEPING, "checkpoints", "checkpoint_webhook")
    checkpoint.set_defaults(execute=make_checkpoint)

    show = actions.add_parser("show", help="write a picture of a sighting to a file; the audit notes it")
    show.add_argument("sighting", help="its id")
    show.add_argument("--kind", choices=[kind.value for kind in PictureKind], default="crop")
    show.add_argument("--out", type=Path, required=True, help="the file to write")
    add_settings(show, *_KEEPING)
    show.set_defaults(execute=show_evidence)


def verify_evidence(parsed: argparse.Namespace) -> int:
    """Print every fault, how far the chain is anchored, and its last link."""
    records = open_records(settings_of(parsed))
    report = verified(records, parsed.checkpoint, parsed.expect)
    for fault in report.faults:
        print(fault, file=sys.stderr)
    if parsed.json:
        print_json(_verified_fields(report))
        return EXIT_TAMPERED if report.faults else 0
    verdict = "intact" if not report.faults else f"{len(report.faults)} faults"
    print(_sealed(report))
    print(_listed(report))
    print(anchored(report))
    print(f"{report.entries} chain entries: {verdict}; last link {report.last_link}")
    return EXIT_TAMPERED if report.faults else 0


def verified(records: Records, files: list[Path] | None, expected: str | None = None) -> ChainReport:
    """The verification against the checkpoints in `files`, or all of the folder. Raises InputError."""
    checkpoints = [load_checkpoint(path) for path in files] if files else records.anchoring.folder.all()
    return records.retention.verify(expected, checkpoints, records.registry_database)


def anchored(report: ChainReport) -> str:
    """How far the end of the chain is known from outside."""
    if report.anchor is None:
        return "no checkpoint covers the chain: if its end was cut off, nothing shows it"
    newer = report.entries - report.anchor.sequence
    covered = f"the checkpoint of {report.anchor.at} covers entries 1 to {report.anchor.sequence}"
    return f"{covered}; {newer} are newer, and could be cut off unseen" if newer else f"{covered}, all of them"


def make_checkpoint(parsed: argparse.Namespace) -> int:
    """Write a signed end of the chain."""
    records = open_records(settings_of(parsed))
    wrote = records.anchoring.write()
    newest = records.anchoring.folder.newest()
    if newest is None:
        raise InputError("the chain has no entry yet: there is nothing to sign")
    if parsed.out is not None:
        try:
            parsed.out.write_text(newest.text() + "\n", encoding="ascii")
        except OSError as error:
            raise InputError(f"{parsed.out}: {writing_fault(error)}") from error
    if parsed.json:
        print_json({**_checkpoint_fields(newest), "signed_now": bool(wrote)})
        return 0
    state = "signed" if wrote else "was signed already"
    print(f"entry {newest.sequence} {state} by key {newest.key}, public key {newest.public_key}")
    return 0


def show_evidence(parsed: argparse.Namespace) -> int:
    """Write the decrypted picture."""
    records = open_records(settings_of(parsed))
    data = records.store.picture(parsed.sighting, PictureKind(parsed.kind), person())
    try:
        parsed.out.write_bytes(data)
    except OSError as error:
        raise InputError(f"{parsed.out}: {writing_fault(error)}") from error
    print(f"{parsed.out}: {len(data)} bytes")
    return 0


def _verified_fields(report: ChainReport) -> dict[str, Any]:
    return {
        "intact": not report.faults,
        "faults": list(report.faults),
        "entries": report.entries,
        "last_link": report.last_link,
        "sealed": report.sealed,
        "sealed_pictures_alone": report.older,
        "checkpoint": None if report.anchor is None else _checkpoint_fields(report.anchor),
        "sealed_import": report.sealed_import or None,
        "imports_not_sealed": report.newer_imports,
    }


def _checkpoint_fields(checkpoint: Checkpoint) -> dict[str, Any]:
    return {
        "entry": checkpoint.sequence,
        "link": checkpoint.link,
        "time": iso(checkpoint.at_ns),
        "key": checkpoint.key,
        "public_key": checkpoint.public_key,
    }


def _sealed(report: ChainReport) -> str:
    whole = f"{report.sealed} sightings sealed with their whole record"
    if not report.older:
        return whole
    return f"{whole}; {report.older} stored by an older version, which sealed their pictures alone"


def _listed(report: ChainReport) -> str:
    if not report.sealed_import:
        return "no import of the registry is sealed yet"
    newer = f"; {report.newer_imports} are newer, and not sealed yet" if report.newer_imports else ""
    return f"the registry's imports are sealed up to number {report.sealed_import}{newer}"
