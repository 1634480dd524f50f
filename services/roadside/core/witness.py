"""A second witness before anybody is told that a vehicle did not pay: another reader of the plate, or a person."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from roadside.core.plates import fold
from roadside.core.rules import Rule
from roadside.core.sightings import Answer, Statement, VerdictKind

if TYPE_CHECKING:
    from roadside.core.reads import FusedPlate, Read
    from roadside.core.sightings import Verdict

NO_SECOND_READER = "no second reader: nobody outside is told of an UNPAID before a person has confirmed the plate"
_ASKED_ABOUT = (VerdictKind.UNPAID, VerdictKind.UNKNOWN)
"""UNKNOWN can become UNPAID when the registry is asked again, and then there is no picture at hand."""


def needs_witness(verdict: Verdict) -> bool:
    """Whether a second reader is to be asked: of a vehicle that paid, or that a person looks at anyhow, it is not."""
    return verdict.kind in _ASKED_ABOUT


def statement(read: Read, plate: FusedPlate, reader: str, sha256: str) -> Statement:
    """What the second reader's `read` of the evidence says of `plate`; O and 0, I and 1 count as the same."""
    agrees = bool(read.text) and fold(read.text) == fold(plate.text)
    return Statement(Answer.CONFIRMED if agrees else Answer.DISAGREED, reader, sha256, read.text)


def heard(verdict: Verdict, said: Statement | None) -> Verdict:
    """`verdict` with what the second reader said, None where nobody was asked: an UNPAID that it denies is a REVIEW."""
    kept = replace(verdict, witness=said)
    if said is None or said.answer is Answer.CONFIRMED or verdict.kind is not VerdictKind.UNPAID:
        return kept
    return replace(kept, kind=VerdictKind.REVIEW, rule=Rule.SECOND_READER_DISAGREES)


def is_held(verdict: Verdict) -> bool:
    """Whether it is an UNPAID that only one reader has seen: nobody outside is told of it before a person agrees."""
    if verdict.kind is not VerdictKind.UNPAID or verdict.rule == Rule.READ_BY_PERSON:
        return False
    return verdict.witness is None or verdict.witness.answer is not Answer.CONFIRMED
