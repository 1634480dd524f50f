from __future__ import annotations

import itertools
import math
import time
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from roadside.core.ctc import COLUMN, align, best_texts, compose, decode, read_posterior, softmax
from roadside.core.reads import ALPHABET

if TYPE_CHECKING:
    from numpy.typing import NDArray

FRAMES = 44


def logits_of(text: str, sure: float = 9.0, noise: float = 0.5, seed: int = 0) -> NDArray[np.float32]:
    """Logits that spell `text`, two frames a character, blank between."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(0, noise, (FRAMES, 37)).astype(np.float32)
    logits[:, 0] += sure
    for place, character in enumerate(text):
        for frame in (2 + 5 * place, 3 + 5 * place):
            logits[frame, 0] -= sure
            logits[frame, COLUMN[character] + 1] += sure
    return logits


def mass_of(probabilities: NDArray[np.float32], text: str) -> float:
    """The probability of all paths that spell `text`, by trying every path: for a few frames only."""
    symbols = sorted({0, *(COLUMN[c] + 1 for c in text)})
    total = 0.0
    for path in itertools.product(symbols, repeat=len(probabilities)):
        spelt = "".join(ALPHABET[s - 1] for s, _ in itertools.groupby(path) if s)
        if spelt == text:
            total += math.prod(float(p[s]) for p, s in zip(probabilities, path, strict=True))
    return total


@pytest.mark.parametrize("text", ["LS15EBC", "A", "AA11AA", "1A23456", "KAREL001"])
def test_clear_logits_spell_their_text(text: str) -> None:
    decoded = decode(logits_of(text))
    assert decoded.hypotheses[0].text == text
    assert decoded.hypotheses[0].log_p > math.log(0.7)


def test_the_mass_of_a_text_is_that_of_all_its_paths() -> None:
    rng = np.random.default_rng(3)
    logits = np.full((5, 37), -30, np.float32)
    logits[:, [0, 1, 2]] = rng.normal(0, 1, (5, 3))
    decoded = decode(logits)
    for hypothesis in decoded.hypotheses[:3]:
        exact = mass_of(decoded.probabilities, hypothesis.text)
        assert math.exp(hypothesis.log_p) == pytest.approx(exact, rel=0.05)


def test_a_text_that_no_single_path_favours_can_win() -> None:
    """The best path is all blank (0.36), yet A has 0.64 over its three paths."""
    probabilities = np.full((2, 37), 1e-12)
    probabilities[:, 0], probabilities[:, COLUMN["A"] + 1] = 0.6, 0.4
    decoded = decode(np.log(probabilities).astype(np.float32))
    assert decoded.hypotheses[0].text == "A"
    assert math.exp(decoded.hypotheses[0].log_p) == pytest.approx(0.64, abs=1e-3)
    assert align(decoded.probabilities, "A").argmax() == COLUMN["A"]


@settings(deadline=None)
@given(st.integers(0, 10_000), st.floats(0.2, 12), st.floats(0.5, 4), st.text(ALPHABET, max_size=8))
def test_whatever_the_net_says_the_read_is_well_formed(seed: int, sure: float, temperature: float, text: str) -> None:
    read = compose(decode(logits_of(text, sure, 1.0, seed), temperature), (("UK", 0.6), ("XX", 0.4)))
    assert set(read.text) | set(read.raw) <= set(ALPHABET)
    assert 0 <= read.confidence <= 1
    assert read.posterior.shape == (len(read.text), 36)
    assert read.posterior.dtype == np.float32
    assert np.isfinite(read.posterior).all()
    assert read.posterior.sum(1) == pytest.approx(1, abs=1e-4)
    assert "".join(c.text for c in read.characters) == read.text
    assert all(0 <= c.confidence <= 1 for c in read.characters)
    assert sum(math.exp(a.log_p) for a in read.alternatives) <= 1 + 1e-5
    if read.text:
        assert (read.alternatives[0].text, read.alternatives[0].country) == (read.text, read.country)


@given(st.integers(0, 10_000), st.floats(0.2, 8))
def test_more_frames_of_a_wrong_scale_do_not_break_the_sum(seed: int, sure: float) -> None:
    hypotheses = decode(logits_of("AB12CDE", sure, 1.0, seed)).hypotheses
    assert sum(math.exp(h.log_p) for h in hypotheses) <= 1 + 1e-5
    assert len({h.text for h in hypotheses}) == len(hypotheses)


def test_nothing_but_blank_is_an_empty_read_without_confidence() -> None:
    read = compose(decode(logits_of("")))
    assert (read.text, read.raw, read.country, read.confidence, read.characters) == ("", "", None, 0, ())


def test_a_run_with_two_peaks_says_both() -> None:
    logits = logits_of("AB12CDE", 12)
    for frame, (b, eight) in ((7, (0.6, 0.4)), (8, (0.4, 0.6))):
        logits[frame] = -20
        logits[frame, [COLUMN["B"] + 1, COLUMN["8"] + 1]] = math.log(b), math.log(eight)
    read = compose(decode(logits), (("UK", 0.95),))
    assert read.raw == "AB812CDE"
    assert read.text == "AB12CDE"
    assert read.posterior[1, COLUMN["B"]] == pytest.approx(0.5, abs=0.02)
    assert read.posterior[1, COLUMN["8"]] == pytest.approx(0.5, abs=0.02)


def test_doubled_characters_are_two_slots() -> None:
    probabilities = softmax(logits_of("AA11AA"))
    slots = align(probabilities, "AA11AA")
    assert "".join(ALPHABET[i] for i in slots.argmax(1)) == "AA11AA"


@settings(deadline=None)
@given(st.integers(0, 1000), st.text(ALPHABET, min_size=1, max_size=8))
def test_slots_can_be_had_for_any_text(seed: int, text: str) -> None:
    slots = align(softmax(logits_of("AB12CDE", 2.0, 1.0, seed)), text)
    assert slots.shape == (len(text), 36)
    assert slots.sum(1) == pytest.approx(1, abs=1e-4)


def test_a_higher_temperature_doubts_more() -> None:
    logits = logits_of("AB12CDE", 6)
    confidences = [compose(decode(logits, t)).confidence for t in (0.7, 1.0, 1.4)]
    assert confidences == sorted(confidences, reverse=True)
    assert confidences[0] > confidences[-1]


def test_the_raw_text_is_kept_beside_the_corrected_one() -> None:
    read = compose(decode(logits_of("LSI5EBC")), (("UK", 0.95),))
    assert (read.raw, read.text, read.country) == ("LSI5EBC", "LS15EBC", "UK")
    assert read.characters[2].text == "1"
    assert read.characters[2].confidence > 0.95
    assert read.posterior[2, COLUMN["1"]] > 0.95


def test_the_best_texts_of_a_posterior_are_in_the_order_of_their_products() -> None:
    posterior = np.full((2, 36), 1e-9, np.float32)
    posterior[0, [COLUMN["A"], COLUMN["4"]]] = 0.7, 0.3
    posterior[1, [COLUMN["B"], COLUMN["8"]]] = 0.9, 0.1
    texts = best_texts(posterior)
    assert [t.text for t in texts] == ["AB", "4B", "A8", "48"]
    assert [math.exp(t.log_p) for t in texts] == pytest.approx([0.63, 0.27, 0.07, 0.03], abs=1e-3)


def test_doubt_about_the_number_of_slots_is_doubt_about_the_plate() -> None:
    posterior = np.full((7, 36), 0.001 / 35, np.float32)
    for row, character in zip(posterior, "AB12CDE", strict=True):
        row[COLUMN[character]] = 0.999
    sure = read_posterior(posterior, "AB12CDE", 1.0)
    unsure = read_posterior(posterior, "AB12CDE", 0.5)
    assert sure.confidence == pytest.approx(0.999**7, abs=0.01)
    assert unsure.confidence == pytest.approx(sure.confidence / 2, rel=0.05)
    assert read_posterior(posterior[:0], "", 1.0).text == ""


def test_a_clear_crop_is_decoded_in_well_under_the_time_of_the_net() -> None:
    """0.3 ms on a quiet x86 core; the limit leaves room for a machine that trains beside the tests."""
    logits = logits_of("AB12CDE", 12)
    compose(decode(logits), (("UK", 0.9),))
    times = []
    for _ in range(50):
        start = time.process_time()
        compose(decode(logits), (("UK", 0.9),))
        times.append(time.process_time() - start)
    assert sorted(times)[10] < 0.003
