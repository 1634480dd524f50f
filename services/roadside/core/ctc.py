"""From the logits of the reader's net to a read: CTC decoding, slots, grammar, confidence.

CTC is connectionist temporal classification (Graves and others, ICML 2006). A net emits for each of T frames (columns
of the plate's picture) a blank or a character; runs of one character count once, and blanks are left out.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from roadside.core.plates import Ranked, rank_under_grammar
from roadside.core.reads import ALPHABET, Character, Hypothesis, Read

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

BEAM_WIDTH = 8
"""How many prefixes (beginnings of texts) the beam search keeps from one frame to the next."""
SYMBOL_FLOOR = 1e-3
"""A symbol that is less probable than this in a frame is not followed there."""
SYMBOLS_A_FRAME = 6
"""How many symbols are followed in a frame at most, the most probable ones."""
PREFIX_FLOOR = 2e-4
"""A prefix is dropped when its probability is less than this share of the best prefix's."""
HOPELESS_LOG_P = -10.0
"""Natural logarithm of the best path's probability below which the picture counts as unreadable: whatever a wide beam
would find would have a confidence near 0, so that a narrow one serves."""
_SYMBOLS = ("", *ALPHABET)
COLUMN = {character: i for i, character in enumerate(ALPHABET)}
EMPTY = Read("", "", None, 0.0, (), np.zeros((0, len(ALPHABET)), np.float32))


@dataclass(frozen=True, slots=True)
class Decoded:
    """The result of CTC decoding, before any country's grammar is applied."""

    hypotheses: tuple[Hypothesis, ...]
    """The most probable texts, best first, without countries; each probability is summed over the CTC alignments."""
    probabilities: NDArray[np.float32]
    """(T, 37) float32: for each frame the calibrated probabilities of the blank and of each character of ALPHABET."""


def softmax(logits: NDArray[np.float32], temperature: float = 1.0) -> NDArray[np.float32]:
    """The softmax of `logits` / `temperature` over the last axis: float32 of the same shape, summing to 1.

    Temperature scaling calibrates the net's confidence (Guo and others, ICML 2017); models/ocr/calibrate.py fits it.
    """
    scaled = logits * np.float32(1.0 / temperature)
    scaled -= scaled.max(-1, keepdims=True)
    np.exp(scaled, out=scaled)
    scaled /= scaled.sum(-1, keepdims=True)
    return scaled


def decode(logits: NDArray[np.float32], temperature: float = 1.0) -> Decoded:
    """Decodes CTC logits, (T, 37) float32 with the blank first, into the most probable texts."""
    probabilities = softmax(logits, temperature)
    return Decoded(_beam_search(probabilities), probabilities)


def align(probabilities: NDArray[np.float32], text: str) -> NDArray[np.float32]:
    """The posterior of each character of `text`: (len(text), 36) float32, from CTC probabilities (T, 37).

    A slot is the run of frames that emits one character on the most probable path that spells `text`. Its row is the
    mean of these frames without their blanks, each frame weighted by the probability that it is not blank, and sums
    to 1. So a run with two peaks, one B and one 8, tells of both. The product of the frames would be
    sharper than they justify, for they are not independent.
    """
    if not text:
        return np.zeros((0, len(ALPHABET)), np.float32)
    owners = _greedy_owners(probabilities, text)
    if owners is None:
        owners = _viterbi_owners(probabilities, text)
    slots = np.zeros((len(text), len(ALPHABET)), np.float32)
    for frame, owner in enumerate(owners):
        if owner >= 0:
            slots[owner] += probabilities[frame, 1:]
    slots += 1e-9
    slots /= slots.sum(1, keepdims=True)
    return slots


def best_texts(posterior: NDArray[np.float32], count: int = BEAM_WIDTH) -> tuple[Hypothesis, ...]:
    """The `count` most probable texts of a posterior, (slots, 36) float32, best first, taking slots as independent."""
    beam = [("", 0.0)]
    for row in posterior.tolist():
        ranked = sorted(((p, c) for p, c in zip(row, ALPHABET, strict=True) if p > PREFIX_FLOOR), reverse=True)
        symbols = [(math.log(p), c) for p, c in ranked[:SYMBOLS_A_FRAME]] or [(math.log(1 / 36), ALPHABET[0])]
        grown = [(text + c, log_p + q) for text, log_p in beam for q, c in symbols]
        grown.sort(key=lambda entry: (-entry[1], entry[0]))
        beam = grown[:count]
    return tuple(Hypothesis(text, None, log_p) for text, log_p in beam if text)


def compose(decoded: Decoded, countries: Sequence[tuple[str, float]] = ()) -> Read:
    """The read that follows from CTC decoding and the countries' grammars.

    `countries` holds pairs of country and probability, from the look of the plate; it may be empty. The confidence of
    the read is the summed probability of all texts that the grammar makes the same. Where nothing can be read, the
    text is empty and the confidence 0.
    """
    if not decoded.hypotheses or not decoded.hypotheses[0].text:
        return EMPTY
    ranked = rank_under_grammar(decoded.hypotheses, countries)
    slots = align(decoded.probabilities, ranked[0].source)
    return to_read(decoded.hypotheses[0].text, slots, ranked, countries)


def read_posterior(
    posterior: NDArray[np.float32], raw: str, certainty: float, countries: Sequence[tuple[str, float]] = ()
) -> Read:
    """The read that follows from a fused posterior, (slots, 36) float32, and the countries' grammars.

    `raw` becomes the read's raw text. `certainty` is the probability, 0 to 1, that the number of slots is right; it
    limits the confidence.
    """
    hypotheses = best_texts(posterior)
    if not hypotheses:
        return EMPTY
    sure = math.log(max(certainty, 1e-9))
    scaled = [Hypothesis(h.text, None, h.log_p + sure) for h in hypotheses]
    return to_read(raw, posterior, rank_under_grammar(scaled, countries), countries)


def to_read(
    raw: str,
    slots: NDArray[np.float32],
    ranked: Sequence[Ranked],
    countries: Sequence[tuple[str, float]],
) -> Read:
    """The read whose text is the best of `ranked` (at least one, best first).

    `slots`, (length, 36) float32, is the posterior of that text's source, which may differ from it in characters that
    look the same (O and 0); their probabilities are added.
    """
    best = ranked[0]
    posterior = slots.copy()
    for row, seen, meant in zip(posterior, best.source, best.text, strict=True):
        if seen != meant:
            row[COLUMN[meant]] += row[COLUMN[seen]]
            row[COLUMN[seen]] = 0.0
    characters = tuple(
        Character(c, min(1.0, float(row[COLUMN[c]]))) for c, row in zip(best.text, posterior, strict=True)
    )
    return Read(
        raw=raw,
        text=best.text,
        country=best.country,
        confidence=min(1.0, math.exp(best.log_p)),
        characters=characters,
        posterior=posterior,
        alternatives=tuple(Hypothesis(r.text, r.country, r.log_p) for r in ranked),
        countries=tuple(countries),
    )


def _beam_search(probabilities: NDArray[np.float32]) -> tuple[Hypothesis, ...]:
    """The most probable texts, best first, of (T, 37) probabilities: a prefix beam search (Graves, Jaitly, ICML 2014).

    It works with plain probabilities that are rescaled at every frame, which is faster than logarithms. Neighbouring
    frames that are surely blank are merged, and improbable prefixes dropped at once, so that a clear plate costs
    little more than reading off its best path. An unreadable one gets a narrow beam.
    """
    hopeless = float(np.log(probabilities.max(1)).sum()) < HOPELESS_LOG_P
    width, most = (3, 3) if hopeless else (BEAM_WIDTH, SYMBOLS_A_FRAME)
    beam: list[tuple[str, float, float]] = [("", 1.0, 0.0)]
    log_scale = 0.0
    for symbols in _frames(probabilities, most):
        blanks: dict[str, float] = {}
        characters: dict[str, float] = {}
        for prefix, ends_blank, ends_character in beam:
            both = ends_blank + ends_character
            last = prefix[-1:]
            for character, p in symbols:
                if not character:
                    blanks[prefix] = both * p
                elif character == last:
                    characters[prefix] = characters.get(prefix, 0.0) + ends_character * p
                    if ends_blank > 0.0:
                        grown = prefix + character
                        characters[grown] = characters.get(grown, 0.0) + ends_blank * p
                else:
                    grown = prefix + character
                    characters[grown] = characters.get(grown, 0.0) + both * p
        ranked = [(blanks.get(k, 0.0) + b, k, blanks.get(k, 0.0), b) for k, b in characters.items()]
        ranked += [(a, k, a, 0.0) for k, a in blanks.items() if k not in characters]
        if len(ranked) > 1:
            ranked.sort(reverse=True)
        best = ranked[0][0]
        log_scale += math.log(best)
        floor = PREFIX_FLOOR * best
        beam = [(k, a / best, b / best) for total, k, a, b in ranked[:width] if total > floor]
    final = sorted(((a + b, k) for k, a, b in beam), key=lambda entry: (-entry[0], entry[1]))
    return tuple(Hypothesis(k, None, min(0.0, math.log(p) + log_scale)) for p, k in final)


def _frames(probabilities: NDArray[np.float32], most: int) -> list[list[tuple[str, float]]]:
    """The symbols to follow in each frame with their probabilities, at most `most`; '' is the blank.

    Neighbouring frames in which only the blank is followed become one.
    """
    rows, columns = np.nonzero(probabilities > SYMBOL_FLOOR)
    values = probabilities[rows, columns].tolist()
    followed: list[list[tuple[str, float]]] = [[] for _ in probabilities]
    for row, column, p in zip(rows.tolist(), columns.tolist(), values, strict=True):
        followed[row].append((_SYMBOLS[column], p))
    frames: list[list[tuple[str, float]]] = []
    gap = 0.0
    for symbols in followed:
        if len(symbols) == 1 and not symbols[0][0]:
            gap = (gap or 1.0) * symbols[0][1]
            continue
        if gap:
            frames.append([("", gap)])
            gap = 0.0
        if len(symbols) > most:
            symbols.sort(key=lambda entry: -entry[1])
            del symbols[most:]
        frames.append(symbols)
    if gap:
        frames.append([("", gap)])
    return frames


def _greedy_owners(probabilities: NDArray[np.float32], text: str) -> list[int] | None:
    """The index of the slot that each frame belongs to (-1: blank) on the best path; None if it spells another text."""
    owners, slot, previous = [], -1, 0
    for symbol in probabilities.argmax(1).tolist():
        if symbol and symbol != previous:
            slot += 1
            if slot >= len(text) or ALPHABET[symbol - 1] != text[slot]:
                return None
        owners.append(slot if symbol else -1)
        previous = symbol
    return owners if slot == len(text) - 1 else None


def _viterbi_owners(probabilities: NDArray[np.float32], text: str) -> list[int]:
    """The index of the slot that each frame belongs to (-1: blank) on the best path that spells `text`.

    The Viterbi algorithm over the states blank, first character, blank, second character, ... of CTC.
    """
    states = np.zeros(2 * len(text) + 1, np.int64)
    states[1::2] = [COLUMN[c] + 1 for c in text]
    may_skip = np.zeros(len(states), bool)
    may_skip[3::2] = states[3::2] != states[1:-2:2]
    emitted = np.log(np.maximum(probabilities[:, states], 1e-30))
    score = np.full(len(states), -np.inf)
    score[:2] = emitted[0, :2]
    origins = np.zeros(emitted.shape, np.int64)
    index = np.arange(len(states))
    for t in range(1, len(emitted)):
        step = np.concatenate(([-np.inf], score[:-1]))
        skip = np.where(may_skip, np.concatenate(([-np.inf, -np.inf], score[:-2])), -np.inf)
        options = np.stack((score, step, skip))
        origins[t] = index - options.argmax(0)
        score = options.max(0) + emitted[t]
    state = int(len(states) - 1 if score[-1] >= score[-2] else len(states) - 2)
    owners = []
    for t in range(len(emitted) - 1, -1, -1):
        owners.append(state // 2 if state % 2 else -1)
        state = int(origins[t, state])
    return owners[::-1]
