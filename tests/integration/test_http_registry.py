"""A registry over HTTP against a real local server that misbehaves in every way it can."""

from __future__ import annotations

import contextlib
import json
import random
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest

from roadside.adapters.http.options import HttpOptions, load_http_options
from roadside.adapters.http.registry import HttpRegistry
from roadside.core.moments import PassageTime
from roadside.core.vignettes import NEVER_NS, CandidateQuery
from roadside.errors import RegistryUnavailableError, SettingsError
from tests.clocks import HandClock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

ENTRY = {"plate": "1AB 2345", "country": "CZ", "valid_from": "2026-01-01", "valid_to": "2026-12-31", "category": "car"}
JULY_NS = 1_782_900_000 * 10**9


SHORT_S = 1.5
"""For a server that is never in time; also long enough for one that is, on a busy machine."""


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(
        self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler], closed: threading.Event
    ) -> None:
        self.closed = closed
        super().__init__(address, handler)


def office_closed(handler: BaseHTTPRequestHandler) -> threading.Event:
    assert isinstance(handler.server, Server)
    return handler.server.closed


@dataclass
class Office:
    """A server whose next answers a test writes down; the last one repeats."""

    answers: list[Callable[[BaseHTTPRequestHandler], None]] = field(default_factory=list)
    asked: list[tuple[str, str, dict[str, str], bytes]] = field(default_factory=list)
    server: ThreadingHTTPServer | None = None
    closed: threading.Event = field(default_factory=threading.Event)
    """Ends what would otherwise never end."""

    def start(self) -> None:
        office = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                office.asked.append((self.command, self.path, dict(self.headers), self.rfile.read(length)))
                answer = office.answers.pop(0) if len(office.answers) > 1 else office.answers[0]
                answer(self)

            do_POST = do_GET  # noqa: N815 - as above

            def log_message(self, *_: object) -> None:
                pass

        self.server = Server(("127.0.0.1", 0), Handler, self.closed)
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    @property
    def url(self) -> str:
        assert self.server is not None
        return f"http://127.0.0.1:{self.server.server_address[1]}"


def says(payload: object, status: int = 200) -> Callable[[BaseHTTPRequestHandler], None]:
    data = payload if isinstance(payload, bytes) else json.dumps(payload).encode()

    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        handler.send_header("Content-Length", str(len(data)))
        handler.end_headers()
        handler.wfile.write(data)

    return answer


def hangs(handler: BaseHTTPRequestHandler) -> None:
    office_closed(handler).wait()
    handler.close_connection = True


def drips(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", "1000")
    handler.end_headers()
    while not office_closed(handler).wait(0.1):
        try:
            handler.wfile.write(b" ")
            handler.wfile.flush()
        except OSError:
            return


def drips_headers(handler: BaseHTTPRequestHandler) -> None:
    try:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
        while not office_closed(handler).wait(0.1):
            handler.wfile.write(b"X-More: and another\r\n")
            handler.wfile.flush()
    except OSError:
        handler.close_connection = True


def hangs_up(handler: BaseHTTPRequestHandler) -> None:
    handler.close_connection = True
    handler.connection.close()


def stops_halfway(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", "1000")
    handler.end_headers()
    handler.wfile.write(b'{"vignettes": [')
    handler.close_connection = True


def never_ends(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.end_headers()
    try:
        while True:
            handler.wfile.write(b" " * 65536)
    except OSError:
        return


@pytest.fixture
def office() -> Iterator[Office]:
    made = Office()
    made.start()
    yield made
    made.closed.set()
    assert made.server is not None
    made.server.shutdown()
    made.server.server_close()


def registry(
    office: Office, clock: HandClock | None = None, pauses: list[float] | None = None, **options: object
) -> HttpRegistry:
    given = {"url": office.url + "/check/{plate}?k=1", "timeout_s": 30.0, "backoff_s": 0.01, **options}
    slept = pauses if pauses is not None else []
    return HttpRegistry(HttpOptions.model_validate(given), clock or HandClock(JULY_NS), random.Random(1), slept.append)


def asked_for(*keys: str) -> CandidateQuery:
    return CandidateQuery(keys, (), (), 0.0)


def test_an_answer_becomes_vignettes_valid_at_the_time(office: Office) -> None:
    expired = ENTRY | {"valid_from": "2025-01-01", "valid_to": "2025-12-31"}
    office.answers = [says({"vignettes": [ENTRY, expired, ENTRY | {"plate": "9ZZ9999"}]})]
    answer = registry(office).search(asked_for("1AB2345"), PassageTime.at(JULY_NS))
    assert [(v.plate, v.country, v.category) for v in answer.vignettes] == [("1AB2345", "CZ", "car")]
    assert len(answer.lapsed) == 1
    assert answer.asked == ("1AB2345",)
    assert office.asked[0][:2] == ("GET", "/check/1AB2345?k=1")


def test_names_headers_and_one_question_for_all_plates(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REGISTRY_TOKEN", "s3cret")
    office.answers = [
        says({"data": {"items": [{"car": {"spz": "1AB2345"}, "from": "2026-01-01", "till": "2026-12-31", "free": None},
                                 {"car": {"spz": "EL123AB"}, "free": "electric"}]}}),
    ]  # fmt: skip
    asked = registry(
        office, url=office.url + "/batch", plates_field="spz", body={"version": 2}, entries="data.items",
        plate="car.spz", valid_from="from", valid_to="till", exempt="free",
        headers={"Authorization": "Bearer ${REGISTRY_TOKEN}"},
    )  # fmt: skip
    answer = asked.search(asked_for("1AB2345", "EL123AB", "1A82345"), PassageTime.at(JULY_NS))
    assert [v.plate for v in answer.vignettes] == ["1AB2345"]
    assert [(e.pattern, e.reason) for e in answer.exemptions] == [("EL123AB", "electric")]
    ((method, _, headers, body),) = office.asked
    assert method == "POST"
    assert headers["Authorization"] == "Bearer s3cret"
    assert json.loads(body) == {"version": 2, "spz": ["1AB2345", "EL123AB", "1A82345"]}


def test_not_found_says_that_nobody_paid(office: Office) -> None:
    office.answers = [says({}, 404)]
    assert registry(office).search(asked_for("1AB2345"), PassageTime.at(JULY_NS)).vignettes == ()


FAULTS = (
    hangs,
    hangs_up,
    stops_halfway,
    drips,
    says({}, 500),
    says({}, 429),
    says(b"<html>"),
    says([]),
    says({"vignettes": 3}),
    says({"vignettes": [ENTRY | {"valid_to": "soon"}]}),
)


STRANGE = {
    "200,000 brackets": b"[" * 200_000,
    "200,000 objects": b'{"vignettes":' * 200_000,
    "an entry that is a text": {"vignettes": ["1AB2345"]},
    "an entry that is nothing": {"vignettes": [None]},
    "an object for a list": {"vignettes": {"valid_to": "2026-12-31"}},
    "a list for a date": {"vignettes": [ENTRY | {"valid_to": ["2026-12-31"]}]},
    "seconds for a date": {"vignettes": [ENTRY | {"valid_to": 4_102_444_800}]},
    "yes for a date": {"vignettes": [ENTRY | {"valid_to": True}]},
    "no number for a date": b'{"vignettes": [{"valid_to": NaN}]}',
    "infinity for a date": b'{"vignettes": [{"valid_to": Infinity}]}',
    "a huge number": b'{"vignettes": [{"valid_to": ' + b"9" * 5000 + b"}]}",
    "a month first": {"vignettes": [ENTRY | {"valid_to": "12/31/2026"}]},
    "an end before the beginning of time": {"vignettes": [ENTRY | {"valid_to": "0001-01-01T00:00:00+14:00Z"}]},
    "a plate of no letters": {"vignettes": [ENTRY | {"plate": "\u8eca"}]},
    "an object for a plate": {"vignettes": [ENTRY | {"plate": {}}]},
    "a million entries": {"vignettes": [{}] * 100_000},
    "text in another encoding": '{"vignettes": [{"category": "osobn\u00ed"}]}'.encode("cp1250"),
    "nothing": b"",
    "null": b"null",
    "no number for a plate": b'{"vignettes": [{"plate": NaN}]}',
    "a number": b"7",
    "nulls": b"\0" * 100,
}


@pytest.mark.parametrize("name", STRANGE)
def test_an_answer_that_cannot_be_understood_is_no_answer(office: Office, name: str) -> None:
    office.answers = [says(STRANGE[name])]
    with pytest.raises(RegistryUnavailableError) as caught:
        registry(office, timeout_s=5.0).search(asked_for("1AB2345"), PassageTime.at(JULY_NS))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "entry",
    [
        {"valid_from": "2024-01-01", "valid_to": "9999-12-31"},
        {"valid_from": "2024-01-01", "valid_to": "2999-12-31T23:59:59Z"},
        {"valid_from": "2024-01-01", "valid_to": "9999-12-31T23:59:59.9999999-14:00"},
        {"valid_from": "0001-01-01", "valid_to": ""},
        {"valid_from": None, "valid_to": None},
        {"plate": "1ab 2345", "country": "CZE"},
        {"country": "Atlantis"},
        {"country": None, "category": "\ud800\x00car" + "x" * 100_000},
    ],
)
def test_no_end_is_no_end_and_names_are_those_of_everywhere(office: Office, entry: dict[str, object]) -> None:
    office.answers = [says({"vignettes": [ENTRY | {"valid_to": "2026-12-31"} | entry]})]
    answer = registry(office).search(asked_for("1AB2345"), PassageTime.at(JULY_NS))
    (found,) = answer.vignettes
    assert (found.plate, found.country) in {("1AB2345", "CZ"), ("1AB2345", "")}
    assert found.valid_to_ns <= NEVER_NS
    assert found.category.encode() in {b"car", b"car" + b"x" * 197}


def test_a_plate_is_asked_and_answered_in_any_spelling(office: Office) -> None:
    office.answers = [says({"vignettes": [ENTRY | {"plate": "WUE-AB 123", "country": "D"}]})]
    (found,) = registry(office).search(asked_for("WUAB123"), PassageTime.at(JULY_NS)).vignettes
    assert (found.plate, found.country) == ("WUAB123", "DE")


def test_no_passage_is_too_late_for_what_has_no_end(office: Office) -> None:
    office.answers = [says({"vignettes": [ENTRY | {"valid_to": "9999-12-31"}]})]
    assert len(registry(office).search(asked_for("1AB2345"), PassageTime.at(10**30)).vignettes) == 1


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_tried_again_with_jitter_and_mended(
    office: Office,
    fault: Callable[[BaseHTTPRequestHandler], None],
) -> None:
    office.answers = [fault, says({"vignettes": [ENTRY]})]
    pauses: list[float] = []
    timeout_s = SHORT_S if fault in (hangs, drips) else 30.0
    answer = registry(office, pauses=pauses, backoff_s=1.0, timeout_s=timeout_s).search(
        asked_for("1AB2345"), PassageTime.at(JULY_NS)
    )
    assert len(answer.vignettes) == 1
    assert len(pauses) == 1
    assert 0.5 <= pauses[0] <= 1.0


@pytest.mark.parametrize(
    ("fault", "questions"),
    [(says({}, 500), 3), (says({}, 403), 1), (never_ends, None), (hangs_up, 3)],
)
def test_what_stays_broken_is_unavailable_in_good_time(
    office: Office,
    fault: Callable[[BaseHTTPRequestHandler], None],
    questions: int | None,
) -> None:
    office.answers = [fault]
    with pytest.raises(RegistryUnavailableError):
        registry(office).search(asked_for("1AB2345"), PassageTime.at(JULY_NS))
    assert questions in (None, len(office.asked))


def test_headers_that_drip_are_not_waited_for(office: Office) -> None:
    """Each piece is in time, the whole never is."""
    office.answers = [drips_headers]
    with pytest.raises(RegistryUnavailableError):
        registry(office, retries=0, timeout_s=SHORT_S).search(asked_for("1AB2345"), PassageTime.at(JULY_NS))


def test_a_slow_registry_is_given_up_for_a_vehicle_and_goes_on_where_it_was(office: Office) -> None:
    keys = [f"1AB234{digit}" for digit in range(6)]

    def slowly(handler: BaseHTTPRequestHandler) -> None:
        time.sleep(0.2)  # two of these take longer than a vehicle may
        says({"vignettes": []})(handler)

    office.answers = [slowly]
    asked = registry(office, timeout_s=10, vehicle_s=0.3)
    with pytest.raises(RegistryUnavailableError, match="too slow"):
        asked.search(asked_for(*keys), PassageTime.at(JULY_NS))
    first = len(office.asked)
    assert 1 <= first < len(keys)
    for _ in keys:
        with contextlib.suppress(RegistryUnavailableError):
            assert asked.search(asked_for(*keys), PassageTime.at(JULY_NS)).vignettes == ()
            break
    assert len(office.asked) == len(keys), "no reading was asked about twice"


def test_a_registry_that_keeps_failing_is_left_alone_and_tried_once_after_a_while(office: Office) -> None:
    clock = HandClock(JULY_NS)
    office.answers = [says({}, 500)]
    asked = registry(office, clock, retries=0, open_after=3, open_s=30.0)
    for _ in range(3):
        with pytest.raises(RegistryUnavailableError):
            asked.search(asked_for("1AB2345"), PassageTime.at(JULY_NS))
    with pytest.raises(RegistryUnavailableError, match="left alone"):
        asked.search(asked_for("1AB2345"), PassageTime.at(JULY_NS))
    assert len(office.asked) == 3
    clock.advance(31)
    with pytest.raises(RegistryUnavailableError, match="HTTP 500"):
        asked.search(asked_for("1AB2345"), PassageTime.at(JULY_NS))
    with pytest.raises(RegistryUnavailableError, match="left alone"):
        asked.search(asked_for("1AB2345"), PassageTime.at(JULY_NS))
    assert len(office.asked) == 4
    clock.advance(31)
    office.answers = [says({"vignettes": [ENTRY]})]
    assert asked.search(asked_for("1AB2345"), PassageTime.at(JULY_NS)).vignettes


def test_an_answer_is_remembered_for_a_while_and_not_for_ever(office: Office) -> None:
    clock = HandClock(JULY_NS)
    office.answers = [says({"vignettes": [ENTRY]})]
    asked = registry(office, clock, cache_s=60.0, cache_size=2)
    for _ in range(3):
        asked.search(asked_for("1AB2345"), PassageTime.at(JULY_NS))
    assert len(office.asked) == 1
    clock.advance(61)
    asked.search(asked_for("1AB2345"), PassageTime.at(JULY_NS))
    assert len(office.asked) == 2
    asked.search(asked_for("AAA111", "BBB222"), PassageTime.at(JULY_NS))
    asked.search(asked_for("1AB2345"), PassageTime.at(JULY_NS))
    assert len(office.asked) == 5


def test_nothing_listens_is_unavailable() -> None:
    options = HttpOptions(url="http://127.0.0.1:1/{plate}", retries=0)
    with pytest.raises(RegistryUnavailableError):
        HttpRegistry(options, HandClock(JULY_NS)).search(asked_for("1AB2345"), PassageTime.at(JULY_NS))


@pytest.mark.parametrize(
    "text",
    ["", "url = 3", 'url = "ftp://x/{plate}"', 'url = "http://x/"\nspeed = 3', "url = ", 'url = "http://x"\nkeys = 0'],
)
def test_wrong_options_are_refused_in_one_line(tmp_path: Path, text: str) -> None:
    path = tmp_path / "registry.toml"
    path.write_text(text)
    with pytest.raises(SettingsError) as caught:
        load_http_options(path)
    assert "\n" not in str(caught.value)


def test_a_missing_token_is_told_at_the_start() -> None:
    with pytest.raises(SettingsError, match="NO_SUCH_TOKEN"):
        HttpRegistry(HttpOptions(url="http://x/{plate}", headers={"A": "${NO_SUCH_TOKEN}"}), HandClock(JULY_NS))
