"""Statistics of a reader's errors hold no plate, and what is no such file is refused."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from models.ocr.confusions import compare, summarise
from roadside.core.confusions import from_counts, from_json
from roadside.core.reads import ALPHABET, Read


def _read(text: str) -> Read:
    rows = np.full((len(text), 36), 0.01 / 35, np.float32)
    rows[np.arange(len(text)), [ALPHABET.index(c) for c in text]] = 0.99
    return Read(text, text, "CZ", 0.9, (), rows)


def test_statistics_count_errors_and_hold_no_plate() -> None:
    looks = [
        compare(_read(read), truth)
        for read, truth in (("1AB2345", "1AB2345"), ("1A82345", "1AB2345"), ("1AB234", "1AB2345"))
    ]
    assert [look.right for look in looks] == [True, False, False]
    found = summarise([[look, looks[0]] for look in looks])
    counts = np.array(found["counts"])
    assert counts[ALPHABET.index("B"), ALPHABET.index("8")] == 1
    assert (found["missed"], found["invented"], found["reads"]) == (1, 0, 3)
    assert len(found["length_errors"]) == 1
    assert len(found["profiles"]) == 2
    assert sum(bin_["reads"] for bin_ in found["calibration"]) == 3
    assert "1AB" not in json.dumps(found)
    assert np.array(found["halves"]).sum() == counts.sum()
    again = from_json(json.dumps(found))
    assert again.truth_given_read[ALPHABET.index("8"), ALPHABET.index("B")] > 0.05


def test_confusions_are_distributions_without_a_zero_and_without_folded_letters() -> None:
    found = from_counts(np.eye(36) * 50, 0.0, 0.0).truth_given_read
    assert np.allclose(found.sum(axis=1), 1.0)
    plain = [c for c in range(36) if ALPHABET[c] not in "OQI"]
    assert (found[np.ix_(plain, plain)] > 0).all()
    assert found[:, ALPHABET.index("O")].max() < 1e-9 or math.isclose(found[ALPHABET.index("0")].sum(), 1.0)


@pytest.mark.parametrize(
    "text", ["", "{}", "[]", '{"counts": [[1]], "characters_read": 1, "missed": 0, "invented": 0}']
)
def test_what_is_no_such_file_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not confusion statistics"):
        from_json(text)
