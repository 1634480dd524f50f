"""The simulation judges as the verdict does, and its statistics hold no plate."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from models.ocr.confusions import compare, summarise
from models.verdict import methods
from models.verdict.bench import simulate, table
from models.verdict.fleet import FORMATS, SLOTS, make_fleet, make_format
from models.verdict.traffic import Looks, Reading, known_confusions
from roadside.core.confusions import from_counts, from_json
from roadside.core.reads import ALPHABET, FusedPlate, Read
from roadside.core.sightings import VerdictKind
from roadside.core.verdict import Circumstances, Policy, ask, decide
from roadside.core.vignettes import RegistryAnswer, Vignette

STATISTICS = json.loads((Path(__file__).parents[2] / "models/shipped/confusions.json").read_text(encoding="utf-8"))
KINDS = {VerdictKind.PAID: methods.PAID, VerdictKind.UNPAID: methods.UNPAID, VerdictKind.REVIEW: methods.REVIEW}


def fused(looks: Looks, row: int) -> FusedPlate:
    """A passage of the simulation as the pipeline would hand it to the verdict."""
    rows = np.zeros((SLOTS, 36), np.float32)
    rows[np.arange(SLOTS)[:, None], looks.characters[row]] = looks.fused[row]
    text = "".join(ALPHABET[c] for c in rows.argmax(axis=1))
    return FusedPlate(text, text, None, 0.9, rows, (), (), int(looks.frames[row]))


def test_the_simulation_judges_as_the_verdict_does() -> None:
    rng = np.random.default_rng(5)
    policy = replace(Policy(), density=0.0)
    confusions = known_confusions(STATISTICS)
    fleet = make_fleet(FORMATS[0], 3000, 3000, rng)
    registered = fleet.form.decode(fleet.numbers[: fleet.registered])
    entries = tuple(Vignette("".join(ALPHABET[c] for c in plate), "CZ", "", 0, 1) for plate in registered)
    vehicles = np.concatenate([rng.integers(0, 3000, 30), rng.integers(3000, 6000, 50)])
    looks = Reading(STATISTICS, persistence=0.5, overconfident=0.1).look(
        fleet.form.decode(fleet.numbers[vehicles]), rng
    )
    belief = methods.believe(looks, fleet, confusions, policy, rng)
    simulated = methods.ours(belief, policy)
    told = [
        row
        for row in range(len(vehicles))
        if simulated[row] != methods.SILENT and not looks.frame_length_error[row].any()
    ]
    assert len(told) > 40
    real = [
        KINDS[
            decide(
                ask(fused(looks, row), confusions, policy), RegistryAnswer(entries, ()), policy, Circumstances()
            ).kind
        ]
        for row in told
    ]
    differ = [row for row, kind in zip(told, real, strict=True) if kind != simulated[row]]
    # Readings two characters away count in the simulation where both are among the likeliest three of their slots.
    assert len(differ) <= len(told) // 20
    assert {methods.PAID, methods.UNPAID} <= set(real)


def test_a_small_year_has_a_row_for_each_method() -> None:
    class Parsed:
        seed, persistence, overconfident, passages, vignettes, paying = 3, 0.5, 0.0, 100_000, 20_000, 0.95

    tallies, paid = simulate(STATISTICS, Parsed())  # type: ignore[arg-type]
    text = table(tallies, paid, Parsed(), 1.0)  # type: ignore[arg-type]
    assert text.count("\n| ") == 16
    ours = tallies[f"ours {Policy().paid_weight:g}"]
    assert sum(ours.counts.values()) == 100_000
    assert ours.false_accusations <= tallies["majority"].false_accusations / 100


def test_plates_and_numbers_are_the_same_thing() -> None:
    form = make_format(FORMATS[1])
    numbers = np.random.default_rng(1).integers(0, form.size, 500)
    assert (form.encode(form.decode(numbers)) == numbers).all()
    broken = form.decode(numbers[:1])
    broken[0, 0] = ALPHABET.index("7")
    assert form.encode(broken)[0] == -1


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
