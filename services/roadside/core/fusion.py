"""From the reads of one vehicle to one plate: aligned slot by slot and added as log probabilities."""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from roadside.core.confusions import slips
from roadside.core.ctc import read_posterior
from roadside.core.extent import doubts_of, joint_doubts
from roadside.core.plates import fold
from roadside.core.poses import SHARED, independent_looks, poses
from roadside.core.reads import ALPHABET, FusedPlate

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from roadside.core.reads import PlacedRead, Read

SLOT_DOUBT = 1e-3
"""The share of each slot's probability that goes to what is taken for it, so that no single frame can exclude one."""
_SLIPS = slips()
GAP_LOG_P = math.log(0.02)
"""Natural logarithm of the probability that one read has a slot which another lacks."""
FULL_WIDTH_PX = 110.0
"""The width of a plate in pixels beyond which it is not read any better."""
LEAST_CHARACTERS = 4
"""What a vehicle's plate has at least: frames from far away give shorter texts, and these agree easily."""
SHARP = 0.3
"""The sharpness, 0 to 1, at which `sharp / (sharp + SHARP)` is one half."""
WIDEST_PX = 2048
"""Columns at which sharpness is measured: no plate has more of 32 rows, and a strip of 2 rows would have millions."""

LEAST_WORTH = 0.05
"""Added to a read's confidence in its worth: among reads that say nothing, the sharper is kept."""


@dataclass(frozen=True, slots=True)
class Fusion:
    """The plate that a track's reads give together, and how many of them support it.

    A read supports the plate if it is the plate, or, where that has at least four characters, differs from it by one
    insertion, deletion or substitution. Both are folded first.
    """

    plate: FusedPlate
    best_index: int
    """The index of the read whose picture is the evidence: the best of those that support the plate."""
    agreeing: int
    """How many frames have a read that supports the plate."""
    agreement: float
    """The share of supporting reads among all reads with a text, 0 to 1, each weighted by its quality and confidence,
    so that a plate is not doubted because it was too far away at first."""
    exactness: float
    """The share of the reads with a text, by quality and confidence, that say this plate and no other, 0 to 1."""
    presence: float
    """The plate's confidence if each frame were a look of its own, 0 to 1: whether a plate was seen, not which one."""


def sharpness(image: NDArray[np.uint8]) -> float:
    """How sharp the picture of a plate, (h, w, 3) uint8 in BGR order, is: 0 to 1, independent of its size and contrast.

    The picture is resized to 32 rows and at most 2048 columns; the result is the root mean square of the differences
    of horizontal neighbours, divided by the standard deviation of all grey values. 0.5 for a picture without pixels.
    """
    if image.size == 0:
        return 0.5
    grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
    height, width = grey.shape
    columns = min(max(8, round(32 * width / height)), WIDEST_PX)
    small = cv2.resize(grey, (columns, 32), interpolation=cv2.INTER_AREA).astype(np.float32)
    spread = float(small.std())
    steps = float(np.sqrt(np.square(np.diff(small, axis=1)).mean()))
    return min(1.0, steps / spread) if spread > 1 else 0.0


def quality(placed: PlacedRead) -> float:
    """The weight of a read beside the others of its track, 0.02 to 1: more for sharp and for large plates.

    The plate's width as a share of FULL_WIDTH_PX (at most 1), times s (1 + SHARP) / (s + SHARP) for a sharpness s.
    """
    sharp = sharpness(placed.crop.image)
    size = min(1.0, placed.crop.detection.box.width / FULL_WIDTH_PX)
    return max(0.02, size * sharp / (sharp + SHARP) * (1 + SHARP))


def worth(weight: float, read: Read) -> float:
    """What a look of `weight` is worth to its track: which of many are kept, which is the evidence.

    Its weight in the fusion (see `quality`) times its confidence; of reads that say nothing the sharper is worth more.
    """
    return weight * (LEAST_WORTH + read.confidence)


def edit_distance(a: str, b: str) -> int:
    """Insertions, deletions and substitutions from `a` to `b` (Levenshtein)."""
    row = list(range(len(b) + 1))
    for i, left in enumerate(a, 1):
        diagonal, row[0] = row[0], i
        for j, right in enumerate(b, 1):
            diagonal, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, diagonal + (left != right))
    return row[-1]


def fuse(reads: Sequence[PlacedRead], weights: Sequence[float] | None = None) -> Fusion:
    """The plate that `reads` (at least one) tell together; their order does not matter.

    Log probabilities of aligned slots are added, each read with its weight (`quality` unless given). Frames that show
    the plate in one place and size are one look together, the best of them its weight; looks of one passage still
    share light and dirt: see `independent_looks`.

    Raises ValueError where there is no read.
    """
    if not reads:
        raise ValueError("no read to fuse")
    given = list(weights) if weights is not None else [quality(placed) for placed in reads]
    weighed = zip(reads, given, strict=True)
    looks = sorted((_Look(i, placed, weight) for i, (placed, weight) in enumerate(weighed)), key=_key)
    joined = _joined(looks, _poses(looks))
    near = [look for look in looks if _agree(look.read.text, joined.text)]
    exact = [look for look in near if fold(look.read.text) == fold(joined.text)]
    said = math.fsum(look.said for look in looks) or 1.0
    return Fusion(
        plate=_plate(joined, looks, near),
        best_index=max(near or looks, key=lambda look: worth(look.weight, look.read)).index,
        agreeing=_frames(near),
        agreement=math.fsum(look.said for look in near) / said,
        exactness=math.fsum(look.said for look in exact) / said,
        presence=_joined(looks, tuple(range(len(looks))), shared=1.0).confidence,
    )


@dataclass(frozen=True, slots=True)
class _Look:
    """A read of a track, its place among those given and its weight."""

    index: int
    placed: PlacedRead
    weight: float

    @property
    def read(self) -> Read:
        return self.placed.read

    @property
    def said(self) -> float:
        """How much it says of the plate: nothing where nothing was read."""
        return self.weight * self.read.confidence * bool(self.read.text)


def _key(look: _Look) -> tuple[int, int, float, float, str, float]:
    """The order of looks, whatever order they were given in."""
    crop, read = look.placed.crop, look.read
    return (crop.captured_at_ns, crop.sequence, crop.detection.box.x1, look.weight, read.text, read.confidence)


def _joined(looks: Sequence[_Look], numbers: Sequence[int], shared: float = SHARED) -> Read:
    """All reads as one; those of one of the `numbers` of poses are one look together. `shared`: `independent_looks`."""
    reads = [look.read for look in looks]
    reference = _reference(reads, [look.weight for look in looks])
    if len(reads) == 1 or not reference.text:
        return reference
    return _join(reads, _independent(looks, numbers, shared), reference)


def _plate(joined: Read, looks: Sequence[_Look], near: Sequence[_Look]) -> FusedPlate:
    """What `looks` tell together; `near` are those that agree with it."""
    same = [look for look in looks if look.read.text == joined.text]
    saying = {look.placed.crop.sequence: look for look in near if fold(look.read.text) == fold(joined.text)}
    return FusedPlate(
        text=joined.text,
        raw=_vote([look.read for look in same], [look.weight for look in same]) or joined.raw,
        country=joined.country,
        confidence=joined.confidence,
        posterior=joined.posterior,
        alternatives=joined.alternatives,
        countries=joined.countries,
        looks=max(1, len(set(_poses(saying.values())))),
        doubts=joint_doubts([doubts_of(look.placed.crop, len(joined.text)) for look in saying.values() or looks]),
    )


def _frames(looks: Sequence[_Look]) -> int:
    """How many frames they come from: two cuts of one frame are one look."""
    return len({look.placed.crop.sequence for look in looks})


def _agree(text: str, plate: str) -> bool:
    """Whether a read is the plate or one character away from it, both folded."""
    return bool(text) and edit_distance(fold(text), fold(plate)) <= (len(plate) >= LEAST_CHARACTERS)


def _independent(looks: Sequence[_Look], numbers: Sequence[int], shared: float) -> list[float]:
    """How many independent looks at the plate each read counts as: those of one pose share what their best one has."""
    best: dict[int, float] = defaultdict(float)
    whole: dict[int, float] = defaultdict(float)
    for number, look in zip(numbers, looks, strict=True):
        best[number] = max(best[number], look.weight)
        whole[number] += look.weight
    total = math.fsum(best.values())
    independent = total * total / math.fsum(w * w for w in best.values())
    each = float(independent_looks(independent, shared)) / total
    return [each * best[n] * look.weight / whole[n] for n, look in zip(numbers, looks, strict=True)]


def _poses(looks: Iterable[_Look]) -> tuple[int, ...]:
    """The pose of each of `looks`, which are in capture order."""
    return poses([look.placed.crop.detection.box for look in looks])


def _reference(reads: Sequence[Read], weights: Sequence[float]) -> Read:
    """The best read of the text with the most confidence behind it: the others are aligned to it.

    A text too short for a plate is none that the others could be aligned to, while there is another.
    """
    behind: dict[str, float] = defaultdict(float)
    for read, weight in zip(reads, weights, strict=True):
        behind[fold(read.text)] += weight * read.confidence * bool(read.text)
    text = max(behind, key=lambda t: (len(t) >= LEAST_CHARACTERS, behind[t], t))
    return max(
        (entry for entry in zip(reads, weights, strict=True) if fold(entry[0].text) == text),
        key=lambda entry: (entry[1] * entry[0].confidence, entry[0].text),
    )[0]


def _join(reads: Sequence[Read], looks: Sequence[float], reference: Read) -> Read:
    total = np.zeros_like(reference.posterior, dtype=np.float64)
    length_log_odds = 0.0
    for read, look in zip(reads, looks, strict=True):
        if not read.text:
            continue
        said = read.posterior.astype(np.float64)
        soft = (1 - SLOT_DOUBT) * said + SLOT_DOUBT * (said @ _SLIPS)
        trust = _length_trust(read)
        for mine, theirs in _align(reference.posterior, read.posterior):
            total[mine] += look * np.log(soft[theirs])
        agrees = len(read.text) == len(reference.text)
        length_log_odds += look * math.log(trust / (1 - trust)) * (1 if agrees else -1)
    total -= total.max(1, keepdims=True)
    posterior = np.exp(total)
    posterior /= posterior.sum(1, keepdims=True)
    certainty = 1 / (1 + math.exp(-max(-30.0, min(30.0, length_log_odds))))
    best = "".join(ALPHABET[c] for c in posterior.argmax(1).tolist())
    return read_posterior(posterior.astype(np.float32), best, certainty, _countries(reads, looks))


def _length_trust(read: Read) -> float:
    """How sure a read is of the number of its characters: what its slots do not explain of its doubt."""
    slots = math.prod(max(1e-6, c.confidence) for c in read.characters)
    return min(0.995, max(0.02, read.confidence / max(slots, 1e-9)))


def _align(mine: NDArray[np.float32], theirs: NDArray[np.float32]) -> list[tuple[int, int]]:
    """Pairs of slots, rising in both, that make two posteriors most alike."""
    match = np.log(mine @ theirs.T + 1e-3).tolist()
    rows, columns = len(mine), len(theirs)
    best = [[j * GAP_LOG_P for j in range(columns + 1)]]
    for i in range(1, rows + 1):
        line = [i * GAP_LOG_P]
        for j in range(1, columns + 1):
            paired = best[i - 1][j - 1] + match[i - 1][j - 1]
            line.append(max(paired, best[i - 1][j] + GAP_LOG_P, line[j - 1] + GAP_LOG_P))
        best.append(line)
    pairs, i, j = [], rows, columns
    while i and j:
        if best[i][j] == best[i - 1][j - 1] + match[i - 1][j - 1]:
            i, j = i - 1, j - 1
            pairs.append((i, j))
        elif best[i][j] == best[i - 1][j] + GAP_LOG_P:
            i -= 1
        else:
            j -= 1
    return pairs[::-1]


def _countries(reads: Sequence[Read], looks: Sequence[float]) -> tuple[tuple[str, float], ...]:
    total: dict[str, float] = defaultdict(float)
    names = sorted({country for read in reads for country, _ in read.countries})
    for read, look in zip(reads, looks, strict=True):
        if read.countries:
            told = dict(read.countries)
            for name in names:
                total[name] += look * math.log(max(told.get(name, 0.0), 1e-3))
    if not total:
        return ()
    top = max(total.values())
    shares = {name: math.exp(value - top) for name, value in total.items()}
    whole = sum(shares.values())
    return tuple(sorted(((n, p / whole) for n, p in shares.items()), key=lambda entry: (-entry[1], entry[0])))


def _vote(reads: Sequence[Read], weights: Sequence[float]) -> str:
    votes: dict[str, float] = defaultdict(float)
    for read, weight in zip(reads, weights, strict=True):
        votes[read.raw] += weight
    return max(votes, key=lambda raw: (votes[raw], raw)) if votes else ""
