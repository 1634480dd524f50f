"""What each method would have said of passages: the verdict of `roadside.core.verdict`, and three plain ones.

`ours` computes for many passages at once what `roadside.core.verdict.decide` computes for one, with the same
softening and thresholds; tests/unit/test_verdict_bench.py holds the two against each other.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from models.verdict.fleet import SLOTS
from models.verdict.traffic import COLUMNS
from roadside.core.candidates import length_doubts, soften_rows
from roadside.core.plates import resolve
from roadside.core.reads import ALPHABET

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from models.verdict.fleet import Fleet
    from models.verdict.traffic import Looks
    from roadside.core.confusions import Confusions
    from roadside.core.verdict import Policy

PAID, UNPAID, REVIEW, SILENT = 0, 1, 2, 3
"""SILENT: not told of at all, the plate could not be read."""
EVIDENT = 0.35
"""Least probability of the best plate for a sighting, as `roadside.core.showing.EvidenceRule` has it."""
_CHUNK = 20_000


@dataclass(frozen=True, slots=True)
class Belief:
    """What the verdict is made of, for (n) passages; independent of bound and weight."""

    best: NDArray[np.float64] = field(repr=False)
    """Probability of the best plate."""
    share: NDArray[np.float64] = field(repr=False)
    """Probability of all registered plates together."""
    looks: NDArray[np.int64] = field(repr=False)
    evident: NDArray[np.bool_] = field(repr=False)
    right: NDArray[np.bool_] = field(repr=False)
    """Whether the best plate is the true one."""
    grammatical: NDArray[np.bool_] = field(repr=False)
    """Whether the best plate is one of a known country."""


def believe(looks: Looks, fleet: Fleet, confusions: Confusions, policy: Policy, rng: np.random.Generator) -> Belief:
    """The softened beliefs of `looks` against the whole registry of `fleet`."""
    everything = np.arange(len(looks.frames))
    parts = [
        _believe(looks, everything[start : start + _CHUNK], fleet, confusions, policy, rng)
        for start in range(0, len(everything), _CHUNK)
    ]
    return Belief(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))


def ours(belief: Belief, policy: Policy) -> NDArray[np.int64]:
    """PAID, UNPAID, REVIEW or SILENT under `policy`, as `roadside.core.verdict.decide` decides."""
    weighed = policy.paid_weight * belief.share
    p_paid = weighed / (weighed + 1.0 - np.minimum(belief.share, 1.0))
    sure = (belief.best >= policy.identified_at) & (belief.looks >= policy.least_looks) & belief.grammatical
    verdicts = np.where(p_paid >= policy.paid_at, PAID, np.where((p_paid < policy.bound) & sure, UNPAID, REVIEW))
    verdicts[~belief.evident] = SILENT
    return verdicts


def first_over(looks: Looks, fleet: Fleet, confidence: float) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """The article: the first frame read with a confidence over 73 and more than 6 characters, looked up as it is."""
    taken = (looks.frame_confidence > confidence) & ~looks.frame_length_error
    return _looked_up(looks, fleet, taken.argmax(axis=1), taken.any(axis=1))


def best_over(looks: Looks, fleet: Fleet, confidence: float) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """The surest frame, if it is surer than `confidence`, looked up as it is; a wrong length is looked up too."""
    chosen = looks.frame_confidence.argmax(axis=1)
    return _looked_up(looks, fleet, chosen, looks.frame_confidence.max(axis=1) > confidence)


def majority(looks: Looks, fleet: Fleet) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """The text that most frames read, the surer one of two, looked up as it is."""
    keys = (looks.frame_texts.astype(np.int64) * (COLUMNS ** np.arange(SLOTS))).sum(axis=2)
    keys[looks.frame_length_error] = -1
    seen = looks.frame_confidence >= 0
    votes = ((keys[:, :, None] == keys[:, None, :]) & seen[:, :, None] & seen[:, None, :]).sum(axis=2)
    chosen = (votes + 0.5 * looks.frame_confidence).argmax(axis=1)
    return _looked_up(looks, fleet, chosen, seen.any(axis=1))


def _looked_up(
    looks: Looks, fleet: Fleet, frame: NDArray[np.int64], told: NDArray[np.bool_]
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    rows = np.arange(len(frame))
    columns = looks.frame_texts[rows, frame]
    plates = np.take_along_axis(looks.characters, columns[..., None].astype(np.int64), axis=2)[..., 0]
    wrong_length = looks.frame_length_error[rows, frame]
    registered = fleet.is_registered(fleet.form.encode(plates)) & ~wrong_length
    verdicts = np.where(registered, PAID, UNPAID)
    verdicts[~told] = SILENT
    return verdicts, (columns == 0).all(axis=1) & ~wrong_length


def _believe(  # noqa: PLR0917 - as `believe`
    looks: Looks, part: NDArray[np.intp], fleet: Fleet, confusions: Confusions, policy: Policy, rng: np.random.Generator
) -> tuple[NDArray[np.generic], ...]:
    characters, fused = looks.characters[part], looks.fused[part].astype(np.float64)
    confidence, length_error = np.maximum(looks.frame_confidence[part], 0.0), looks.frame_length_error[part]
    n = len(characters)
    rows = np.zeros((n, SLOTS, len(ALPHABET)))
    rows[np.arange(n)[:, None, None], np.arange(SLOTS)[None, :, None], characters] = fused
    doubts = (policy.floor, policy.persistence)
    soft = soften_rows(rows, looks.frames[part].astype(np.float64), confusions.truth_given_read, doubts)
    missed, invented = length_doubts(confusions, policy.floor)
    top = soft.argmax(axis=2)
    top_p = np.take_along_axis(soft, top[..., None], axis=2)[..., 0]
    best = top_p.prod(axis=1) * (1.0 - missed) ** (SLOTS + 1) * (1.0 - invented) ** SLOTS
    wrong_length = (np.where(length_error, -confidence, confidence).sum(axis=1) < 0) | length_error[:, 0] & (
        looks.frames[part] == 1
    )
    numbers = fleet.form.encode(top.astype(np.uint8))
    share = np.where(fleet.is_registered(numbers), best, 0.0)
    doubtful = np.flatnonzero((share == 0.0) & ~wrong_length)
    share[doubtful] = _registered_share(soft[doubtful], top[doubtful], top_p[doubtful], best[doubtful], fleet)
    # Where a character was missed, the true plate is one of 36 at one gap of what was read.
    true_registered = fleet.is_registered(fleet.form.encode(characters[..., 0]))
    share = np.where(wrong_length, np.where(true_registered, best * missed / len(ALPHABET), 0.0), share)
    evident = (fused.max(axis=2).prod(axis=1) >= EVIDENT) & (confidence.max(axis=1) >= EVIDENT)
    right = (top == characters[..., 0]).all(axis=1) & ~wrong_length
    grammatical = np.ones(n, np.bool_)
    for row in np.flatnonzero(wrong_length):
        lost = int(rng.integers(0, SLOTS))
        text = "".join(ALPHABET[c] for slot, c in enumerate(top[row]) if slot != lost)
        grammatical[row] = any(True for _ in resolve(text))
    return best, share, looks.frames[part], evident, right, grammatical


def _registered_share(
    soft: NDArray[np.float64],
    top: NDArray[np.intp],
    top_p: NDArray[np.float64],
    best: NDArray[np.float64],
    fleet: Fleet,
) -> NDArray[np.float64]:
    """Probability of the registered plates one or two characters from the best one.

    Two characters away, each slot's three likeliest other characters are looked up.
    """
    form = fleet.form
    n = len(top)
    codes = form.code_of[np.arange(SLOTS), top]
    bad = (codes < 0).sum(axis=1)
    base = (np.maximum(codes, 0) * form.strides).sum(axis=1)
    share = np.where((bad == 0) & fleet.is_registered(base), best, 0.0)
    ratios = soft / top_p[..., None]
    np.put_along_axis(ratios, top[..., None], 0.0, axis=2)
    likely = np.argsort(-ratios, axis=2)[..., :3]
    second: list[tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.int64]]] = []
    for slot in range(SLOTS):
        others_bad = bad - (codes[:, slot] < 0)
        without = base - np.maximum(codes[:, slot], 0) * form.strides[slot]
        for code, character in enumerate(form.character_of[slot]):
            numbers = np.where(others_bad == 0, without + code * form.strides[slot], -1)
            registered = fleet.is_registered(numbers)
            share += np.where(registered, best * ratios[:, slot, character], 0.0)
        for rank in range(3):
            character_n = likely[:, slot, rank]
            code_n = form.code_of[slot, character_n]
            ratio = np.where(code_n >= 0, ratios[np.arange(n), slot, character_n], 0.0)
            shift = (np.maximum(code_n, 0) - np.maximum(codes[:, slot], 0)) * form.strides[slot]
            second.append((shift, ratio, np.full(n, slot)))
    for a, (shift_a, ratio_a, slot_a) in enumerate(second):
        for shift_b, ratio_b, slot_b in second[a + 1 :]:
            if slot_a[0] == slot_b[0]:
                continue
            still_bad = bad - (codes[:, slot_a[0]] < 0) - (codes[:, slot_b[0]] < 0)
            registered = fleet.is_registered(np.where(still_bad == 0, base + shift_a + shift_b, -1))
            share += np.where(registered, best * ratio_a * ratio_b, 0.0)
    return share
