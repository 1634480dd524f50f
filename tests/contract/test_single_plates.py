"""A registry that can only be asked for single plates says what one with an index says, or sends it to a person."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from roadside.adapters.http.options import HttpOptions
from roadside.adapters.http.registry import FIRST, HttpRegistry
from roadside.adapters.sql import SqlRegistry, import_vignettes, open_embedded
from roadside.core.confusions import typical
from roadside.core.moments import PassageTime
from roadside.core.plates import fold
from roadside.core.reads import ALPHABET, FusedPlate
from roadside.core.sightings import VerdictKind
from roadside.core.single_keys import MOST_WHOLES, covered, single_keys, wholes
from roadside.core.verdict import Policy
from roadside.core.vignettes import CandidateQuery, RegistryAnswer, Vignette
from roadside.errors import RegistryUnavailableError
from roadside.registry.judge import Judge
from tests.clocks import HandClock

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from roadside.ports.registry import Registry

NOW_NS = 1_782_900_000 * 10**9
HELD = ("2SX7130", "BL731XK", "WX72913", "KV46RNE", "FR731XL")


@dataclass
class Office:
    """A real server that holds vignettes, and notes which plates it was asked about."""

    plates: frozenset[str] = frozenset()
    asked: list[list[str]] = field(default_factory=list)
    answer: bytes | None = None
    """What it says whatever it is asked; None: the truth."""

    def say(self, body: bytes) -> bytes:
        self.asked.append(json.loads(body)["plates"])
        if self.answer is not None:
            return self.answer
        found = [{"plate": plate, "country": "CZ"} for plate in self.asked[-1] if plate in self.plates]
        return json.dumps({"vignettes": found}).encode()


@pytest.fixture
def office() -> Iterator[tuple[Office, str]]:
    made = Office(frozenset(HELD))

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            data = made.say(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    yield made, f"http://127.0.0.1:{server.server_address[1]}/"
    server.shutdown()
    server.server_close()


def over_http(url: str, **options: Any) -> HttpRegistry:  # noqa: ANN401 - options of every kind
    made = HttpOptions(url=url, timeout_s=10.0, vehicle_s=60.0, retries=0, open_after=10_000, **options)
    return HttpRegistry(made, HandClock(NOW_NS))


def indexed(folder: Path, plates: tuple[str, ...]) -> SqlRegistry:
    database = open_embedded(folder / "registry.db")
    import_vignettes(database, (Vignette(fold(p), "CZ", "", 0, 2**62) for p in plates), "a test", NOW_NS)
    return SqlRegistry(database, grace_s=0.0, max_age_days=0.0)


def seen(text: str, country: str | None, doubts: tuple[str, ...] | None = ()) -> FusedPlate:
    """A plate that three looks read for certain."""
    rows = np.full((len(text), len(ALPHABET)), 1e-9)
    rows[np.arange(len(text)), [ALPHABET.index(c) for c in text]] = 1 - 35e-9
    return FusedPlate(text, text, country, 0.995, rows.astype(np.float32), (), (), 3, doubts)


def judged(registry: Registry, plate: FusedPlate) -> tuple[VerdictKind, str]:
    verdict = Judge(registry, typical(), Policy(), HandClock(NOW_NS)).judge(plate, PassageTime.at(NOW_NS))
    return verdict.kind, verdict.rule


@pytest.mark.parametrize(
    ("text", "country", "rule"),
    [
        ("2SX7130", "CZ", "paid"),
        ("4TE9586", "CZ", "no-paid-reading"),
        ("BL731XK", "SK", "paid"),
        ("NR482VT", "SK", "no-paid-reading"),
        ("RZ90442", "PL", "no-paid-reading"),
        ("MT72WUJ", "UK", "no-paid-reading"),
        ("GL418TW", "FR", "no-paid-reading"),
        ("2SX7131", "CZ", "paid-reading-possible"),
        ("2SX7310", "CZ", "paid-if-swapped"),
        ("KV46RN", "UK", "no-known-plate"),
        ("X72913", "PL", "no-known-plate"),
    ],
)
def test_both_kinds_of_registry_say_the_same(
    office: tuple[Office, str], tmp_path: Path, text: str, country: str, rule: str
) -> None:
    single, sql = (
        judged(over_http(office[1]), seen(text, country)),
        judged(indexed(tmp_path, HELD), seen(text, country)),
    )
    assert single == sql
    assert single[1].startswith(rule) or rule == "no-known-plate"


def test_who_may_be_part_of_too_many_plates_to_ask_for_goes_to_a_person(office: tuple[Office, str]) -> None:
    """Three letters and three digits are the end of thousands of plates of seven and eight characters."""
    assert wholes("TRX482") is None
    assert judged(over_http(office[1]), seen("TRX482", "HU")) == (VerdictKind.REVIEW, "parts-not-searched")


def test_a_registry_that_may_be_asked_little_accuses_nobody(office: tuple[Office, str]) -> None:
    kind, _ = judged(over_http(office[1], keys=100), seen("4TE9586", "CZ"))
    assert kind is VerdictKind.REVIEW
    assert max(map(len, office[0].asked)) <= 100


@pytest.mark.parametrize("lost", [1, 2])
@pytest.mark.parametrize("end", ["first", "last"])
def test_what_is_left_of_a_plate_that_paid_accuses_nobody(office: tuple[Office, str], lost: int, end: str) -> None:
    for plate in HELD:
        left = plate[lost:] if end == "first" else plate[:-lost]
        for country in ("CZ", "SK", "HU", None):
            assert judged(over_http(office[1]), seen(left, country))[0] is not VerdictKind.UNPAID


def test_who_has_paid_costs_one_short_question(office: tuple[Office, str]) -> None:
    judged(over_http(office[1]), seen("2SX7130", "CZ"))
    assert [len(keys) for keys in office[0].asked] == [FIRST]


def test_questions_are_asked_in_pieces_and_no_plate_twice(office: tuple[Office, str]) -> None:
    judged(over_http(office[1], batch=50), seen("4TE9586", "CZ"))
    assert max(map(len, office[0].asked)) == 50
    every = [plate for keys in office[0].asked for plate in keys]
    assert len(every) == len(set(every))
    assert len(every) < 2000


def test_a_plate_that_is_certain_is_one_question(office: tuple[Office, str]) -> None:
    judge = Judge(over_http(office[1]), typical(), Policy(), HandClock(NOW_NS))
    assert judge.settle("4TE9586", "CZ", PassageTime.at(NOW_NS), stated=True).kind is VerdictKind.UNPAID
    assert office[0].asked == [["4TE9586"]]


@given(st.from_regex(r"[1-9][ABCEHJKLMPSTUZ][A-FHJ-NPR-VX-Z0-9][0-9]{4}", fullmatch=True), st.integers(1, 2))
@settings(max_examples=30, deadline=None)
def test_the_whole_of_a_czech_plate_is_among_those_that_are_asked_for(plate: str, lost: int) -> None:
    for part in (fold(plate)[lost:], fold(plate)[:-lost]):
        found = wholes(part)
        assert found is None or fold(plate) in found
        assert found is None or len(found) <= MOST_WHOLES
        assert not covered(part, []) or not found


def test_the_most_important_plates_are_asked_for_first() -> None:
    query = CandidateQuery(("AB12CDE", "A812CDE"), ("7AB1",), (), 0.0)
    keys = single_keys(query)
    assert keys[:2] == query.keys
    assert {"A12CDE", "AB12CDEF"} <= set(keys)
    assert single_keys(CandidateQuery(("AB12CDE",), (), (), 0.0)) == ("AB12CDE",)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["vignettes", "plate", "country", "valid_from", "valid_to", "exempt", "category"]), inner
        )
    ),
    max_leaves=12,
)


@given(json_values | st.builds(lambda v: {"vignettes": [v]}, json_values))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_an_office_answers_ends_nothing(office: tuple[Office, str], answer: object) -> None:
    office[0].answer = json.dumps(answer).encode()
    try:
        said = over_http(office[1]).search(CandidateQuery(("2SX7130",), (), (), 0.0), PassageTime.at(NOW_NS))
    except RegistryUnavailableError:
        return
    assert isinstance(said, RegistryAnswer)
