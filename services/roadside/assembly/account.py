"""What a court would need to know of a sighting, gathered in one place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from roadside.adapters.sql.history import History, history_of
from roadside.core.nearness import relation
from roadside.core.plates import fold
from roadside.core.reads import ALPHABET
from roadside.core.rules import Words, words_of
from roadside.errors import InputError

if TYPE_CHECKING:
    from roadside.adapters.checkpoint import Checkpoint
    from roadside.assembly.records import Records
    from roadside.core.reads import FusedPlate
    from roadside.core.sightings import PictureKind, Sighting


@dataclass(frozen=True, slots=True)
class Slot:
    """One place of the plate, as all looks together read it."""

    place: int
    """From 1."""
    best: str
    probability: float
    next_best: str
    next_probability: float


@dataclass(frozen=True, slots=True)
class Considered:
    """A vignette or an exemption that was weighed before the verdict."""

    plate: str
    """Folded; of an exemption, a pattern."""
    country: str
    name: str
    """The kind of vignette, or the reason of the exemption."""
    kind: str
    """vignette, exemption, or lapsed for a vignette that was not valid at the time."""
    valid_from_ns: int
    valid_to_ns: int
    probability: float | None
    """That the plate that was seen is this one; None where that was not weighed."""
    why_not: str
    """How it relates to the plate that was read, in plain words."""


@dataclass(frozen=True, slots=True)
class StoredPicture:
    """A picture of the evidence."""

    kind: PictureKind
    sha256: str
    size_bytes: int
    box: tuple[float, float, float, float] | None
    fault: str | None
    """None where the file is the one that was sealed."""


@dataclass(frozen=True, slots=True)
class Account:
    """A sighting with all that led to its verdict and all that has happened to it since."""

    sighting: Sighting
    rule: Words
    slots: tuple[Slot, ...]
    considered: tuple[Considered, ...]
    doubts: tuple[Words, ...]
    pictures: tuple[StoredPicture, ...]
    history: History
    anchor: Checkpoint | None
    """The oldest checkpoint that covers all entries of the sighting and agrees with the chain."""


def account_of(records: Records, sighting_id: str) -> Account:
    """Everything about a sighting. Raises NotFoundError, StoreUnavailableError."""
    sighting = records.store.get(sighting_id)
    plate = sighting.plate
    history = history_of(records.database, records.vault, sighting_id)
    return Account(
        sighting=sighting,
        rule=words_of(sighting.verdict.rule),
        slots=_slots(plate) if plate is not None else (),
        considered=tuple(_considered(sighting)),
        doubts=tuple(words_of(doubt) for doubt in (plate.doubts or () if plate is not None else ())),
        pictures=tuple(
            StoredPicture(
                e.kind,
                e.sha256,
                e.size_bytes,
                None if e.box is None else (e.box.x1, e.box.y1, e.box.x2, e.box.y2),
                records.vault.fault(e.sha256, None),
            )
            for e in sighting.evidence
        ),
        history=history,
        anchor=_anchor(records, history),
    )


def _slots(plate: FusedPlate) -> tuple[Slot, ...]:
    found = []
    for place, row in enumerate(plate.posterior, start=1):
        second, first = (int(i) for i in np.argsort(row)[-2:])
        found.append(Slot(place, ALPHABET[first], float(row[first]), ALPHABET[second], float(row[second])))
    return tuple(found)


def _considered(sighting: Sighting) -> list[Considered]:
    verdict, read = sighting.verdict, "" if sighting.plate is None else fold(sighting.plate.text)
    weighed = {reading.plate: reading.probability for reading in verdict.readings}
    found = []
    for kind, vignettes in (("vignette", verdict.vignettes), ("lapsed", verdict.lapsed)):
        for v in vignettes:
            how = _how(read, v.plate)
            times = (v.valid_from_ns, v.valid_to_ns)
            found.append(Considered(v.plate, v.country, v.category, kind, *times, weighed.get(v.plate), how))
    for e in verdict.exemptions:
        how, times = _how(read, e.pattern), (e.valid_from_ns, e.valid_to_ns)
        found.append(Considered(e.pattern, e.country, e.reason, "exemption", *times, weighed.get(e.pattern), how))
    return found


def _how(read: str, plate: str) -> str:
    """How a registered plate relates to the folded one that was read."""
    if plate == read:
        return "it is the plate that was read"
    if any(c in plate for c in "?*"):
        return "it is a pattern of plates"
    how = relation(read, plate)
    if how is not None:
        return words_of(how.value).brief
    apart = sum(a != b for a, b in zip(read, plate, strict=False)) + abs(len(read) - len(plate))
    return f"{apart} of its characters is not what was read" if apart == 1 else f"{apart} of its characters differ"


def _anchor(records: Records, history: History) -> Checkpoint | None:
    newest = max((entry.sequence for entry in history.entries), default=0)
    try:
        checkpoints = records.anchoring.folder.all()
    except InputError:
        return None
    covering = [each for each in checkpoints if each.sequence >= newest > 0]
    return next((each for each in covering if records.retention.holds(each)), None)
