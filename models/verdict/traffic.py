"""PassageBuilder of vehicles and what the reader makes of them, sampled from its statistics on held-out plates."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from models.verdict.fleet import SLOTS
from roadside.core.confusions import folding_matrix, from_counts, from_json
from roadside.core.fusion import SLOT_DOUBT
from roadside.core.reads import ALPHABET

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from roadside.core.confusions import Confusions

CONFUSERS = 5
COLUMNS = CONFUSERS + 2
"""The true character, those it is most often taken for, and one other."""
FRAMES = np.array([1, 2, 3, 4, 5, 6])
FRAME_SHARES = np.array([0.08, 0.14, 0.2, 0.22, 0.2, 0.16])
"""Assumed: how many frames of a passage are read."""
PLAIN = 0.6
"""Least product of the characters' probabilities of a plain read."""
_BRAZEN = (0.999, 2e-4)
"""Probability that an overconfident misread gives to what it read, and to the truth."""
WINDOW = 0.05
"""A new look at the same plate is about as good as the first: within this share of the profiles by confidence."""


@dataclass(frozen=True, slots=True)
class Profiles:
    """How well single plates were read, without their characters, best last."""

    confidence: NDArray[np.float64] = field(repr=False)
    """(m,) of the whole plate."""
    top: NDArray[np.float64] = field(repr=False)
    """(m, SLOTS) probability given to the character read."""
    truth: NDArray[np.float64] = field(repr=False)
    """(m, SLOTS) probability given to the true one."""
    length_error: NDArray[np.bool_] = field(repr=False)
    """(m,) a character was missed or invented: the slots are those of a plate read as surely."""


@dataclass(frozen=True, slots=True)
class Looks:
    """What the frames of (n) passages say, all slots of all frames."""

    characters: NDArray[np.uint8] = field(repr=False)
    """(n, SLOTS, COLUMNS) columns of ALPHABET that the probabilities below are of, the true one first."""
    fused: NDArray[np.float32] = field(repr=False)
    """(n, SLOTS, COLUMNS) as `roadside.core.fusion` joins frames."""
    frame_texts: NDArray[np.uint8] = field(repr=False)
    """(n, frames, SLOTS) which column was read."""
    frame_confidence: NDArray[np.float32] = field(repr=False)
    """(n, frames); -1 where the passage had fewer frames."""
    frame_length_error: NDArray[np.bool_] = field(repr=False)
    frames: NDArray[np.int64] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Draw:
    """What the frames of (n) passages are drawn from."""

    frames: NDArray[np.int64]
    """(n,) how many."""
    chosen: NDArray[np.int64]
    """(n, most) profile of each."""
    same: NDArray[np.bool_]
    """(n, most) whether it repeats the first frame, errors included."""

    @property
    def seen(self) -> NDArray[np.bool_]:
        """(n, most) whether there was such a frame."""
        return np.arange(int(FRAMES[-1])) < self.frames[:, None]

    def take(self, rows: NDArray[np.intp]) -> Draw:
        """Of some passages."""
        return Draw(self.frames[rows], self.chosen[rows], self.same[rows])


@dataclass(frozen=True, slots=True)
class _Frame:
    chosen: NDArray[np.int64]
    """(n,) profile."""
    column: NDArray[np.uint8]
    """(n, SLOTS) which column was read."""
    posterior: NDArray[np.float32]
    """(n, SLOTS, COLUMNS)."""
    confidence: NDArray[np.float64]
    """(n,)."""

    def unless(self, same: NDArray[np.bool_], other: _Frame) -> _Frame:
        """This frame where `same`, the `other` elsewhere."""
        return _Frame(
            np.where(same, self.chosen, other.chosen),
            np.where(same[:, None], self.column, other.column),
            np.where(same[:, None, None], self.posterior, other.posterior),
            np.where(same, self.confidence, other.confidence),
        )


class Reading:
    """Samples looks; errors are drawn from one half of the counts, so that the verdict may know the other."""

    def __init__(self, statistics: Mapping[str, Any], persistence: float, overconfident: float) -> None:
        counts = np.array(statistics["halves"][0], np.float64)
        seen = from_counts(counts.T, 0.0, 0.0).truth_given_read  # transposed: what is read where `row` stands
        np.fill_diagonal(seen, 0.0)
        for folded in "OQI":
            seen[:, ALPHABET.index(folded)] = 0.0
        self._misread = seen / seen.sum(axis=1, keepdims=True)
        order = np.argsort(-self._misread, axis=1)
        self._confusers = order[:, :CONFUSERS].astype(np.uint8)
        likely = np.take_along_axis(self._misread, order[:, :CONFUSERS], axis=1)
        shares = np.concatenate([likely, 1.0 - likely.sum(axis=1, keepdims=True)], axis=1)
        self._shares = np.maximum(shares, 0.0) / np.maximum(shares, 0.0).sum(axis=1, keepdims=True)
        self._cumulated = np.cumsum(self._shares, axis=1)
        self._others = _others(order)
        self._profiles = load_profiles(statistics)
        self._persistence = persistence
        self._overconfident = overconfident

    def draw(self, n: int, rng: np.random.Generator) -> Draw:
        """Which profile each frame of `n` passages has, and whether it repeats the first frame."""
        m, most = len(self._profiles.confidence), int(FRAMES[-1])
        frames = rng.choice(FRAMES, n, p=FRAME_SHARES)
        first = rng.integers(0, m, (n, 1))
        near = first + np.rint(rng.uniform(-WINDOW * m, WINDOW * m, (n, most))).astype(np.int64)
        same = rng.random((n, most)) < self._persistence
        same[:, 0] = True
        return Draw(frames, np.where(same, first, np.clip(near, 0, m - 1)), same)

    def is_plain(self, draw: Draw) -> NDArray[np.bool_]:
        """Passages of which every frame is read rightly and rather surely: they can only be taken for the truth."""
        profiles = self._profiles
        good = (profiles.truth >= profiles.top).all(axis=1) & ~profiles.length_error
        good &= profiles.top.prod(axis=1) >= PLAIN
        plain: NDArray[np.bool_] = (good[draw.chosen] | ~draw.seen).all(axis=1)
        return plain

    def confidence(self, draw: Draw) -> NDArray[np.float64]:
        """(n, frames) of the whole plate, -1 where there was no frame."""
        return np.where(draw.seen, self._profiles.confidence[draw.chosen], -1.0)

    def look(self, plates: NDArray[np.uint8], rng: np.random.Generator, draw: Draw | None = None) -> Looks:
        """Looks at (n, SLOTS) plates, drawn anew or as `draw` has it."""
        n, most = len(plates), int(FRAMES[-1])
        drawn = draw or self.draw(n, rng)
        other = self._others[plates, rng.integers(0, self._others.shape[1], (n, SLOTS))]
        characters = np.concatenate([plates[..., None], self._confusers[plates], other[..., None]], axis=2).astype(
            np.uint8
        )
        total = np.zeros((n, SLOTS, COLUMNS), np.float32)
        texts = np.zeros((n, most, SLOTS), np.uint8)
        confidence = np.full((n, most), -1.0, np.float32)
        length_error = np.zeros((n, most), np.bool_)
        weight = ((1.0 + np.log2(drawn.frames)) / drawn.frames).astype(np.float32)
        base = self._frame(plates, drawn.chosen[:, 0], rng)
        for f in range(most):
            seen = drawn.seen[:, f]
            frame = base if f == 0 else base.unless(drawn.same[:, f], self._frame(plates, drawn.chosen[:, f], rng))
            wrong_length = self._profiles.length_error[frame.chosen]
            total += np.where(seen & ~wrong_length, weight, 0.0)[:, None, None] * np.log(frame.posterior)
            texts[:, f] = frame.column
            confidence[:, f] = np.where(seen, frame.confidence, -1.0)
            length_error[:, f] = wrong_length & seen
        total -= total.max(axis=2, keepdims=True)
        fused = np.exp(total)
        fused /= fused.sum(axis=2, keepdims=True)
        return Looks(characters, fused, texts, confidence, length_error, drawn.frames)

    def _frame(self, plates: NDArray[np.uint8], chosen: NDArray[np.int64], rng: np.random.Generator) -> _Frame:
        """One frame of each passage."""
        n = len(plates)
        slots = np.argsort(rng.random((n, SLOTS)), axis=1)
        top = self._profiles.top[chosen[:, None], slots]
        truth = self._profiles.truth[chosen[:, None], slots]
        wrong = truth < top
        # A few hundred held-out plates show few errors of a sure reader; so some are made surer than was seen.
        brazen = wrong & (rng.random((n, SLOTS)) < self._overconfident)
        top, truth = np.where(brazen, _BRAZEN[0], top), np.where(brazen, _BRAZEN[1], truth)
        drawn = (rng.random((n, SLOTS, 1)) > self._cumulated[plates]).sum(axis=2) + 1
        column = np.where(wrong, np.minimum(drawn, COLUMNS - 1), 0).astype(np.uint8)
        rest = np.maximum(1.0 - top - np.where(wrong, truth, 0.0), 0.0)
        posterior = np.empty((n, SLOTS, COLUMNS))
        posterior[..., 0] = 0.0
        posterior[..., 1:] = rest[..., None] * self._shares[plates]
        posterior[..., 0] = truth
        np.put_along_axis(posterior, column[..., None].astype(np.int64), top[..., None], axis=2)
        posterior = (1.0 - SLOT_DOUBT) * posterior + SLOT_DOUBT / len(ALPHABET)
        confidence = self._profiles.confidence[chosen]
        confidence = np.where(brazen.any(axis=1), np.maximum(confidence, top.prod(axis=1)), confidence)
        return _Frame(chosen, column, posterior.astype(np.float32), confidence)


def load_profiles(statistics: Mapping[str, Any]) -> Profiles:
    """The profiles of the statistics, by confidence, each brought to SLOTS slots."""
    entries = [(p["confidence"], np.array(p["slots"], np.float64), False) for p in statistics["profiles"]]
    by_confidence = sorted(entries, key=lambda entry: entry[0])
    levels = np.array([entry[0] for entry in by_confidence])
    for confidence in statistics["length_errors"]:
        alike = by_confidence[min(int(np.searchsorted(levels, confidence)), len(by_confidence) - 1)]
        entries.append((confidence, alike[1], True))
    entries.sort(key=lambda entry: entry[0])
    slots = np.stack([_resized(entry[1]) for entry in entries])
    return Profiles(
        np.array([entry[0] for entry in entries]),
        slots[..., 0],
        slots[..., 1],
        np.array([entry[2] for entry in entries]),
    )


def known_confusions(statistics: Mapping[str, Any]) -> Confusions:
    """What the verdict knows of the reader: the half of the counts that errors are not drawn from."""
    return from_json(json.dumps({**statistics, "counts": statistics["halves"][1]}))


def _resized(slots: NDArray[np.float64]) -> NDArray[np.float64]:
    """Wrong slots stay; right ones are repeated or left out evenly."""
    order = np.argsort(slots[:, 1] - slots[:, 0], kind="stable")
    picked = np.arange(SLOTS) if len(slots) >= SLOTS else np.resize(np.arange(len(slots))[::-1], SLOTS)
    if len(slots) < SLOTS:
        picked = np.concatenate([np.arange(len(slots)), picked[: SLOTS - len(slots)]])
    return slots[order][picked]


def _others(order: NDArray[np.int64]) -> NDArray[np.uint8]:
    """(36, k): for each character those that are rarely read for it."""
    plain = np.flatnonzero(np.diag(folding_matrix()) > 0)
    rows = [[c for c in order[t, CONFUSERS:] if c in plain and c != t] for t in range(len(ALPHABET))]
    width = min(len(row) for row in rows)
    return np.array([row[:width] for row in rows], np.uint8)
