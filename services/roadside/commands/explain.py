"""`roadside evidence explain`: a sighting told so that somebody who knows nothing of the program can judge it."""

from __future__ import annotations

import json
import math
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from roadside.assembly.account import account_of
from roadside.assembly.records import open_records, person
from roadside.commands.flags import settings_of
from roadside.commands.spoken import rule_said

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from roadside.adapters.sql.history import ChainEntry
    from roadside.assembly.account import Account, Considered
    from roadside.core.sightings import Statement

LEAST_SHOWN = 1e-6
"""Readings less probable than this are not worth a line."""
LEAST_COUNTRY = 1e-3
ENDLESS_YEAR = 2200
"""A vignette that ends later has no end."""
_EVENTS = {
    "stored": "stored, whole record sealed",
    "decided": "verdict decided anew",
    "answered": "a person answered",
    "struck": "a forgotten plate was struck from its readings",
}


def explain_evidence(parsed: argparse.Namespace) -> int:
    """Print the account of one sighting; that somebody looked is written to the audit."""
    records = open_records(settings_of(parsed))
    try:
        account = account_of(records, parsed.sighting)
        records.retention.note(person(), "explained", parsed.sighting)
    finally:
        records.close()
    if parsed.json:
        print(json.dumps(as_json(account), indent=2))
    else:
        print("\n".join(as_text(account)))
    return 0


def as_json(account: Account) -> dict[str, Any]:
    """The account as JSON can hold it; the posterior stands in it as `slots`."""
    found = asdict(account)
    plate = found["sighting"]["plate"]
    if plate is not None:
        del plate["posterior"]
        for each in plate["alternatives"]:
            each["probability"] = math.exp(each.pop("log_p"))  # no JSON holds the logarithm of 0
    return found


def as_text(account: Account) -> Iterator[str]:
    """The account in plain words, a line each."""
    verdict = account.sighting.verdict
    words = rule_said(verdict.rule)
    yield f"Sighting {account.sighting.sighting_id}: {verdict.kind.value}, {words.brief}"
    yield f"  {words.sentence}"
    yield from _seen(account)
    yield from _when(account)
    yield from _characters(account)
    yield from _registry(account)
    yield from _decision(account)
    yield from _pictures(account)
    yield from _chain(account)
    yield from _people(account)


def _seen(account: Account) -> Iterator[str]:
    plate = account.sighting.plate
    yield "What was seen"
    if plate is None:
        yield "  the plate is not kept, for nothing is owed: only a keyed hash of it"
        return
    sure = f"right in every character with {_share(plate.confidence)}"
    yield f"  {plate.text} (country {plate.country or 'not known'}), {sure}"
    yield f"  before any country's grammar: {plate.raw}"
    yield f"  {plate.looks} {'look' if plate.looks == 1 else 'looks'} read exactly this plate"
    likely = [f"{country} {_share(p)}" for country, p in plate.countries if p >= LEAST_COUNTRY]
    if likely:
        yield f"  by its look of: {', '.join(likely)}"
    if plate.doubts is None:
        yield "  the pictures were not examined for whether the whole plate was seen"
    elif not account.doubts:
        yield "  nothing in the pictures speaks against the whole plate having been seen"
    for doubt in account.doubts:
        yield f"  doubt: {doubt.sentence}"


def _when(account: Account) -> Iterator[str]:
    seen, passage = account.sighting, account.sighting.verdict.passage
    yield "When and where"
    yield f"  first frame {_time(seen.first_seen_ns)}, last frame {_time(seen.last_seen_ns)}"
    yield f"  camera {seen.camera_id}, passage {seen.track_id}"
    if passage is None:
        yield "  clock: its state was not recorded"
        return
    span = f"{_time(passage.first_ns)} to {_time(passage.last_ns)}"
    yield f"  judged for the time from {span}, and the tolerance around it"
    believed = "nothing spoke against these times" if passage.doubt is None else rule_said(passage.doubt).sentence
    yield f"  clock: {believed}"


def _characters(account: Account) -> Iterator[str]:
    if not account.slots:
        return
    yield "How each character was read, all looks together"
    for slot in account.slots:
        second = f"{slot.next_best} {_share(slot.next_probability)}"
        yield f"  {slot.place}. {slot.best} {_share(slot.probability)}, next {second}"


def _registry(account: Account) -> Iterator[str]:
    verdict = account.sighting.verdict
    yield "Who paid"
    asked = [f"  asked: {value}" for name, value in verdict.basis if name.startswith("registry")]
    yield from asked or ["  which list was asked was not recorded"]
    yield f"  that this vehicle paid: {_share(verdict.p_paid)} at most"
    yield f"  that it is exempt: {_share(verdict.p_exempt)} at most"
    for each in account.considered:
        yield f"  {_entry(each)}"
    if not account.considered and account.sighting.plate is not None:
        yield "  no vignette and no exemption of the plate, or of one near it, was found"
    for reading in verdict.readings:
        if reading.probability >= LEAST_SHOWN:
            held = "paid" if reading.paid else "exempt" if reading.exempt else "not registered"
            yield f"  reading {reading.plate}: {_share(reading.probability)}, {held}"


def _entry(each: Considered) -> str:
    name = {"lapsed": "vignette that was not valid then"}.get(each.kind, each.kind)
    until = "without end" if _year(each.valid_to_ns) >= ENDLESS_YEAR else f"to {_time(each.valid_to_ns)}"
    held = f"{name} {each.plate} ({', '.join(part for part in (each.country, each.name) if part)})"
    weight = "" if each.probability is None else f", probability {_share(each.probability)}"
    return f"{held}, from {_time(each.valid_from_ns)} {until}: {each.why_not}{weight}"


def _decision(account: Account) -> Iterator[str]:
    verdict = account.sighting.verdict
    yield "What decided, and with what"
    yield f"  rule {verdict.rule}: {account.rule.brief}"
    yield f"  second reader: {_witness(verdict.witness)}"
    for name, value in (*verdict.basis, *account.sighting.provenance):
        if not name.startswith("registry"):
            yield f"  {name}: {value}"


def _witness(said: Statement | None) -> str:
    if said is None:
        return "none was asked"
    read = f", it read {said.text}" if said.text else ""
    return f"{said.answer.value}{read} ({said.reader}, sha256 {said.sha256 or 'not known'})"


def _pictures(account: Account) -> Iterator[str]:
    yield "Pictures"
    if not account.pictures:
        yield "  none is kept"
    for picture in account.pictures:
        state = "opens and is the one that was sealed" if picture.fault is None else picture.fault
        where = "" if picture.box is None else f", plate at {', '.join(f'{v:.0f}' for v in picture.box)}"
        yield f"  {picture.kind.value}: {picture.size_bytes} bytes{where}; SHA-256 {picture.sha256}; {state}"


def _chain(account: Account) -> Iterator[str]:
    history = account.history
    yield "Chain of evidence"
    if not history.entries:
        yield "  this sighting is not in the chain: an older version stored it"
    for entry in history.entries:
        yield f"  entry {entry.sequence} of {history.length}, {_time(entry.at_ns)}: {_happened(entry)}"
        yield f"    {'seal right' if entry.sound else 'SEAL WRONG'}, key {entry.key}, link {entry.link}"
    for change in history.changed:
        yield f"  CHANGED SINCE: {change}"
    if history.entries and not history.changed and all(entry.sound for entry in history.entries):
        yield "  what is kept is what was sealed; `roadside evidence verify` checks the whole chain"
    if account.anchor is not None:
        yield f"  the checkpoint of {account.anchor.at}, signed by key {account.anchor.key}, covers all of these"
    else:
        yield "  no checkpoint covers these entries yet"


def _happened(entry: ChainEntry) -> str:
    if not entry.software:
        return f"{entry.event}, sealed by an older version"
    by = f" by {entry.by}" if entry.by else ""
    return f"{_EVENTS.get(entry.event, entry.event)}{by}, version {entry.software}"


def _people(account: Account) -> Iterator[str]:
    yield "People"
    for answer in account.history.answers:
        said = f" {answer.text}" if answer.text else ""
        yield f"  {_time(answer.at_ns)}: {answer.author} answered: {answer.action.value}{said}"
    for look in account.history.looks:
        detail = f" at the {look.detail}" if look.detail else ""
        yield f"  {_time(look.at_ns)}: {look.actor} {look.action}{detail}"
    if not account.history.answers and not account.history.looks:
        yield "  nobody has looked at it"


def _share(p: float) -> str:
    """A probability as people read it: never rounded to certainty."""
    if 0 < p < 1e-4:
        return f"{p * 100:.1g} %"
    if p > 1 - 1e-4:
        return "over 99.99 %"
    return f"{p:.2%}".replace("%", " %")


def _time(at_ns: int) -> str:
    if not 0 <= at_ns < 253_402_300_800 * 10**9:
        return "an unknown time"
    return datetime.fromtimestamp(at_ns // 10**9, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def _year(at_ns: int) -> int:
    return 1970 + at_ns // (31_556_952 * 10**9)
