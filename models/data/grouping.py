"""Splits a folder into train and test so that one plate, one place and near-twins stay on one side."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from models.data.fingerprints import TWIN_BITS, alike, clusters, fingerprint
from models.data.photographs import load_picture
from roadside.core.plates import fold
from roadside.vision import LABEL

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from models.data.formats import Annotated

TEST_SHARE = 0.2
PLATE_WORDS = frozenset({LABEL, "licence", "license", "numberplate", "licenceplate", "licenseplate"})
"""Labels, letters alone, that say what the box is and not what stands on the plate."""


@dataclass(frozen=True, slots=True)
class Parts:
    """What is trained on and what is tested on."""

    train: tuple[Annotated, ...]
    test: tuple[Annotated, ...]
    groups: int
    """How many lots were drawn: pictures of one group share one."""


def split(annotated: Sequence[Annotated], folder: Path, share: float = TEST_SHARE) -> Parts:
    """`share` of the pictures for testing, as nearly as the groups allow; the same for the same pictures.

    A group is what one subfolder of `folder`, one plate text or alike looks join. Groups are drawn in the order
    of a hash of their first picture's name, so that pictures added later move few of the others.
    """
    pairs = _same_name(annotated, folder)
    prints = [fingerprint(load_picture(a.picture)) for a in annotated]
    leaders = clusters(len(annotated), pairs + alike(prints, TWIN_BITS))
    groups: dict[int, list[int]] = defaultdict(list)
    for i, leader in enumerate(leaders):
        groups[leader].append(i)
    wanted = share * len(annotated)
    test: set[int] = set()
    for members in sorted(groups.values(), key=lambda g: _lot(annotated[g[0]].picture.name)):
        # A group that overshoots is left to training if that comes nearer to the share.
        if abs(len(test) + len(members) - wanted) <= abs(len(test) - wanted):
            test.update(members)
    return Parts(
        tuple(a for i, a in enumerate(annotated) if i not in test),
        tuple(a for i, a in enumerate(annotated) if i in test),
        len(groups),
    )


def plate_texts(one: Annotated) -> frozenset[str]:
    """The registrations that the labels of a picture spell, folded."""
    return frozenset(fold(b.label) for b in one.annotation.boxes if not is_plate_word(b.label))


def is_plate_word(label: str) -> bool:
    """Whether a label says `a plate` and not which one."""
    return "".join(c for c in label.lower() if c.isalnum()) in PLATE_WORDS


def _same_name(annotated: Sequence[Annotated], folder: Path) -> list[tuple[int, int]]:
    """Pairs of one subfolder or of one plate."""
    first: dict[str, int] = {}
    pairs = []
    for i, one in enumerate(annotated):
        place = one.picture.parent
        names = {f"plate {text}" for text in plate_texts(one)}
        if place.resolve() != folder.resolve():
            names.add(f"place {place}")
        pairs += [(first.setdefault(name, i), i) for name in sorted(names)]
    return pairs


def _lot(name: str) -> str:
    return hashlib.sha1(name.encode(), usedforsecurity=False).hexdigest()
