"""Known plates: the probability that a vehicle is one of a list, and when that opens a gate."""

from __future__ import annotations

import json
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import TYPE_CHECKING

import gpiozero
import numpy as np
import pytest
from gpiozero.pins.mock import MockFactory
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from roadside.adapters.notify.relays import GpioPin, HttpCall, open_relay
from roadside.adapters.sql import open_embedded
from roadside.adapters.sql.known import SqlKnownPlates
from roadside.assembly.gatekeeper import AGAIN_S, Gatekeeper
from roadside.assembly.gates import Gates
from roadside.assembly.known import FRESH_S, KnownBook
from roadside.assembly.records import open_records
from roadside.assembly.settings import Settings
from roadside.assembly.site import parse_site
from roadside.cli import main
from roadside.commands.lists import sure
from roadside.core.confusions import typical
from roadside.core.frames import Box, CameraId, Crop, Detection
from roadside.core.known import Action, KnownMatch, KnownPlate, KnownPolicy, matches, probabilities
from roadside.core.motion import Motion
from roadside.core.outline import Direction
from roadside.core.plates import fold
from roadside.core.poses import independent_looks
from roadside.core.reads import ALPHABET, FusedPlate, PlacedRead, Read, Track
from roadside.core.sightings import Sighting, Verdict, VerdictKind
from roadside.core.verdict import no_verdict
from roadside.core.vignettes import NEVER_NS
from roadside.errors import InputError, SettingsError, UnavailableError
from roadside.notify.options import NotifyOptions
from roadside.notify.policy import compose
from roadside.notify.relays import RelayOptions
from roadside.registry import known_file
from roadside.wire.convert import sighting_from_proto, sighting_to_proto
from tests.waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

GATE = CameraId("gate")
POLICY = KnownPolicy()
CONFUSIONS = typical()
letters = st.text(alphabet=ALPHABET, min_size=5, max_size=8)


def read_as(text: str, looks: int = 6, doubts: tuple[str, ...] | None = (), **slots: dict[str, float]) -> FusedPlate:
    """A plate read as `text`, for sure but for the slots (`s3={"B": 0.7, "8": 0.3}`)."""
    left = 3e-5 ** independent_looks(looks)  # as fusion sharpens what one look leaves
    rows = np.full((len(text), len(ALPHABET)), left)
    for slot, character in enumerate(text):
        for seen, p in slots.get(f"s{slot}", {character: 1.0}).items():
            rows[slot, ALPHABET.index(seen)] = p
    rows /= rows.sum(axis=1, keepdims=True)
    return FusedPlate(text, text, "CZ", 0.9, rows.astype(np.float32), looks=looks, doubts=doubts)


def of(plate: str, action: Action = Action.OPEN, **more: object) -> KnownPlate:
    return KnownPlate("residents", action, plate, name=f"owner of {plate}", **more)  # type: ignore[arg-type]


def opened(plate: FusedPlate, *known: KnownPlate) -> list[str]:
    return [match.plate for match in matches(plate, known, 1, CONFUSIONS, POLICY) if match.opens]


@given(letters, st.lists(letters, min_size=1, max_size=6), st.integers(1, 20))
def test_probabilities_are_of_one_vehicle(text: str, known: list[str], looks: int) -> None:
    keys = list(dict.fromkeys(map(fold, known)))
    found = probabilities(read_as(text, looks), keys, CONFUSIONS, POLICY)
    assert all(0 <= p <= 1 for p in found)
    assert sum(found) <= 1 + 1e-9


@given(letters, letters, letters)
def test_another_known_plate_only_takes_away(text: str, known: str, other: str) -> None:
    plate, keys = read_as(text), list(dict.fromkeys([fold(known), fold(other)]))
    alone = probabilities(plate, keys[:1], CONFUSIONS, POLICY)[0]
    assert probabilities(plate, keys, CONFUSIONS, POLICY)[0] <= alone + 1e-9


@given(letters, st.integers(0, 7), st.floats(0.01, 0.9))
def test_doubt_of_a_slot_never_helps(text: str, slot: int, doubt: float) -> None:
    slot %= len(text)
    other = "7" if text[slot] != "7" else "K"
    spoilt = read_as(text, **{f"s{slot}": {text[slot]: 1 - doubt, other: doubt}})
    key = [fold(text)]
    (least,), (most,) = (probabilities(p, key, CONFUSIONS, POLICY) for p in (spoilt, read_as(text)))
    assert least <= most + 1e-9


def test_a_known_plate_that_is_read_well_opens_and_a_stranger_does_not() -> None:
    assert opened(read_as("3AB1234"), of("3AB 1234")) == ["3AB 1234"]
    assert opened(read_as("3AB1237"), of("3AB 1234")) == []
    assert matches(read_as("9XY9999"), [of("3AB 1234")], 1, CONFUSIONS, POLICY) == ()


def test_a_doubtful_letter_alerts_and_does_not_open() -> None:
    plate = read_as("3AB1234", s2={"B": 0.7, "8": 0.3})
    (match,) = matches(plate, [of("3AB 1234")], 1, CONFUSIONS, POLICY)
    assert POLICY.alert_at <= match.probability < POLICY.open_at
    assert not match.opens


def test_two_known_plates_one_letter_apart_are_told_apart_or_neither_opens() -> None:
    pair = of("3AB 1234"), of("3AK 1234")
    assert opened(read_as("3AB1234"), *pair) == ["3AB 1234"]
    assert opened(read_as("3AK1234"), *pair) == ["3AK 1234"]
    between = read_as("3AB1234", looks=2, s2={"B": 0.9998, "K": 0.0002})
    assert opened(between, pair[0]) == ["3AB 1234"], "a stranger is far rarer than a known plate"
    assert opened(between, *pair) == [], "now it may be the other known one"


@given(letters, st.integers(0, 7), st.sampled_from(ALPHABET), st.floats(0, 1))
def test_of_two_known_plates_never_both_open(text: str, slot: int, other: str, share: float) -> None:
    slot %= len(text)
    second = text[:slot] + other + text[slot + 1 :]
    if fold(second) == fold(text):
        return
    plate = read_as(text, **{f"s{slot}": {text[slot]: 1 - share, other: share}})
    assert len(opened(plate, of(text), of(second))) <= 1


@pytest.mark.parametrize("doubts", [("plate-cut-by-crop",), ("never-moved",), None])
def test_a_plate_that_may_be_cut_or_was_not_examined_never_opens(doubts: tuple[str, ...] | None) -> None:
    plate = read_as("3AB1234", doubts=doubts)
    assert opened(plate, of("3AB 1234")) == []
    assert matches(plate, [of("3AB 1234")], 1, CONFUSIONS, POLICY), "but it is named"


def test_part_of_a_plate_is_no_known_plate() -> None:
    assert opened(read_as("3AB123"), of("3AB 1234")) == []
    assert opened(read_as("3AB12345"), of("3AB 1234")) == []


def test_one_look_never_opens_unless_it_is_set() -> None:
    once = read_as("3AB1234", looks=1)
    assert opened(once, of("3AB 1234")) == []
    lax = replace(POLICY, least_looks=1)
    assert [m.opens for m in matches(once, [of("3AB 1234")], 1, CONFUSIONS, lax)] == [True]


def test_validity_country_and_action_count() -> None:
    plate = read_as("3AB1234")
    assert opened(plate, of("3AB 1234", valid_from_ns=2)) == []
    assert opened(plate, of("3AB 1234", valid_to_ns=1)) == []
    assert opened(plate, of("3AB 1234", country="CZ")) == ["3AB 1234"]
    assert opened(plate, of("3AB 1234", country="PL")) == []
    (match,) = matches(plate, [of("3AB 1234", Action.ALERT)], 1, CONFUSIONS, POLICY)
    assert (match.action, match.opens) == (Action.ALERT, False)


def track(*xs: int, name: str = "t") -> Track:
    read = Read("3AB1234", "3AB1234", "CZ", 0.99, (), read_as("3AB1234").posterior)
    pixels = np.zeros((40, 160, 3), np.uint8)
    boxes = [Box(x, 100, x + 120, 126) for x in xs]
    crops = [
        Crop(GATE, n, n, Detection(box, 0.9), pixels, (int(box.x1) - 20, 90), (1280, 720))
        for n, box in enumerate(boxes)
    ]
    return Track(GATE, name, tuple(PlacedRead(crop, read) for crop in crops), motion=Motion.MOVED)


class Door:
    """A gatekeeper, what it opened, and a clock that is set by hand."""

    def __init__(self) -> None:
        self.opened: list[str] = []
        self.now_s = 0.0
        match = KnownMatch("residents", Action.OPEN, "Jana", "", "3AB 1234", 0.9999, opens=True)
        self.keeper = Gatekeeper(lambda *_: [match], lambda *told: self.opened.append(told[1].name), lambda: self.now_s)

    def look(self, at_s: float, *tracks: Track) -> None:
        self.now_s = at_s
        self.keeper.look(GATE, tracks, ["barrier"])


def test_a_gate_opens_once_a_passage_while_the_vehicle_waits() -> None:
    door = Door()
    door.look(0, track(100, 200))
    assert door.opened == ["Jana"], "before the passage is over"
    for n in range(3, 30):
        door.look(n * 10.0, track(*range(100, 100 + 100 * min(n, 9), 100)))
    assert door.opened == ["Jana"], "however long it waits"
    door.look(300, track(100, 200, name="another piece of the same passage"))
    assert door.opened == ["Jana"]
    door.look(310)
    door.look(310 + AGAIN_S + 15)
    door.look(360, track(100, 200, name="it came again"))
    assert door.opened == ["Jana", "Jana"]


def test_another_camera_has_its_own_gate() -> None:
    door = Door()
    door.look(0, track(100, 200))
    door.keeper.look(CameraId("yard"), [track(100, 200)], [])
    assert door.opened == ["Jana", "Jana"]


RELAY: TypeAdapter[RelayOptions] = TypeAdapter(RelayOptions)


@pytest.fixture
def pins() -> Iterator[MockFactory]:
    before, gpiozero.Device.pin_factory = gpiozero.Device.pin_factory, MockFactory()
    yield gpiozero.Device.pin_factory
    gpiozero.Device.pin_factory.reset()
    gpiozero.Device.pin_factory = before


@pytest.mark.parametrize("active_low", [False, True])
def test_a_pin_is_switched_for_a_moment(pins: MockFactory, active_low: bool) -> None:  # noqa: FBT001 - a parameter
    options = RELAY.validate_python({"kind": "gpio", "pin": 17, "pulse_s": 0.01, "active_low": active_low})
    pin = pins.pin(17)
    relay = open_relay("barrier", options)
    assert isinstance(relay, GpioPin)
    rest = pin.state
    pin.clear_states()
    relay.pulse()
    assert [state.state for state in pin.states][-2:] == [not rest, rest]
    assert rest is active_low
    relay.close()


def test_a_pin_that_is_taken_is_told(pins: MockFactory) -> None:
    options = RELAY.validate_python({"kind": "gpio", "pin": 4})
    relay = open_relay("one", options)
    with pytest.raises(SettingsError, match="relay two: pin 4 cannot be used"):
        open_relay("two", options)
    relay.close()
    assert pins is gpiozero.Device.pin_factory


class _Answers(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length", 0))
        body = self.rfile.read(length).decode()
        self.server.calls.append((self.path, body, self.headers.get("Authorization")))  # type: ignore[attr-defined]
        moved = self.path == "/moved"
        self.send_response(302 if moved else 204)
        if moved:
            self.send_header("Location", "/open")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Tests need no access log."""


@pytest.fixture
def barrier() -> Iterator[ThreadingHTTPServer]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Answers)
    server.calls = []  # type: ignore[attr-defined]
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def test_an_address_is_called_and_redirects_are_not_followed(
    barrier: ThreadingHTTPServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BARRIER_TOKEN", "hush")
    at = f"http://127.0.0.1:{barrier.server_port}"
    good = RELAY.validate_python({"kind": "http", "url": f"{at}/open", "body": "now", "token_env": "BARRIER_TOKEN"})
    relay = open_relay("barrier", good)
    assert isinstance(relay, HttpCall)
    relay.pulse()
    with pytest.raises(UnavailableError, match="relay barrier: HTTP 302"):
        open_relay("barrier", RELAY.validate_python({"kind": "http", "url": f"{at}/moved"})).pulse()
    calls = barrier.calls  # type: ignore[attr-defined]
    assert calls == [("/open", "now", "Bearer hush"), ("/moved", "", None)]


SITE = """
[relay.barrier]
kind = "http"
url = "http://127.0.0.1:1/open"
[camera.gate]
source = "rtsp://127.0.0.1/x"
opens = ["barrier"]
"""


def test_relays_of_the_file_are_checked(tmp_path: Path) -> None:
    path = tmp_path / "site.toml"
    assert parse_site(SITE, path).cameras[GATE].opens == ("barrier",)
    for changed, said in (
        (("barrier]", "barier]"), "line 7: camera.gate.opens: there is no .relay.barrier.; did you mean barier"),
        (('kind = "http"', 'kind = "door"'), "line 2: relay.barrier"),
        (("url = ", "adress = "), "relay.barrier.url"),
    ):
        with pytest.raises(SettingsError, match=said):
            parse_site(SITE.replace(*changed, 1), path)


class Book:
    """A list that opens for everybody."""

    def opens(self) -> bool:
        return True

    def matches(self, *_: object) -> list[KnownMatch]:
        return [KnownMatch("residents", Action.OPEN, "Jana", "", "3AB 1234", 0.9999, opens=True)]


def test_gates_pulse_their_camera_s_relays_and_say_so(tmp_path: Path) -> None:
    pulsed, said, told = [], [], []

    class Bell:
        def __init__(self, name: str, fails: bool) -> None:  # noqa: FBT001 - a stand-in
            self.name, self.fails = name, fails

        def pulse(self) -> None:
            if self.fails:
                raise UnavailableError(f"relay {self.name}: HTTP 500")
            pulsed.append(self.name)

        def close(self) -> None:
            pulsed.append("closed")

    site = parse_site(SITE, tmp_path / "site.toml")
    for fails in (False, True):
        gates = Gates(site, Book(), said.append, tell=told.append, open_one=lambda n, _: Bell(n, fails))  # type: ignore[arg-type] # noqa: B023
        with gates:
            gates.keeper.look(GATE, [track(100, 200)], ["barrier"])
            wait_for(lambda: "barrier" in pulsed, "it opened")
    assert pulsed == ["barrier", "closed", "closed"]
    assert said == ["a gate was not opened: relay barrier: HTTP 500"]
    assert told == ["gate: Jana (residents), p = 0.9999: opens barrier"] * 2


def test_a_relay_that_breaks_opens_for_the_next_vehicle(tmp_path: Path) -> None:
    said: list[str] = []
    pulsed: list[int] = []

    class Broken:
        def pulse(self) -> None:
            pulsed.append(1)
            if len(pulsed) == 1:
                raise KeyError("not foreseen")

        def close(self) -> None:
            pass

    site = parse_site(SITE, tmp_path / "site.toml")
    with Gates(site, Book(), said.append, tell=lambda _: None, open_one=lambda *_: Broken()) as gates:  # type: ignore[arg-type]
        gates.keeper.look(GATE, [track(100, 200)], ["barrier"])
        wait_for(lambda: bool(said), "the fault")
        gates.keeper.look(CameraId("yard"), [track(100, 200)], ["barrier"])
        wait_for(lambda: len(pulsed) == 2, "the next one")
    assert said == ["a gate was not opened: a fault of Roadside itself (KeyError)"]


def test_a_gate_is_not_opened_for_a_vehicle_that_stood_there_long_ago(tmp_path: Path) -> None:
    said: list[str] = []
    held, released, now_s, pulsed = Event(), Event(), [0.0], []

    class Slow:
        def pulse(self) -> None:
            pulsed.append(now_s[0])
            held.set()
            assert released.wait(30)

        def close(self) -> None:
            pass

    site = parse_site(SITE, tmp_path / "site.toml")
    made = {"tell": lambda _: None, "open_one": lambda *_: Slow(), "now_s": lambda: now_s[0]}
    with Gates(site, Book(), said.append, **made) as gates:  # type: ignore[arg-type]
        gates.keeper.look(GATE, [track(100, 200)], ["barrier"])
        assert held.wait(30)
        gates.keeper.look(CameraId("yard"), [track(100, 200)], ["barrier"])
        now_s[0] = 30.0
        released.set()
        wait_for(lambda: bool(said), "the one that came too late")
        gates.keeper.look(CameraId("lane"), [track(100, 200)], ["barrier"])
        wait_for(lambda: len(pulsed) == 2, "the next one")
    assert said == ["a gate was not opened: its relay was held up for more than 10 s"]
    assert pulsed == [0.0, 30.0]


def test_a_token_that_no_header_can_hold_is_told_without_it(
    barrier: ThreadingHTTPServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BARRIER_TOKEN", "hush\nhush")
    told = {"kind": "http", "url": f"http://127.0.0.1:{barrier.server_port}/open", "token_env": "BARRIER_TOKEN"}
    with pytest.raises(UnavailableError) as fault:
        open_relay("barrier", RELAY.validate_python(told)).pulse()
    assert str(fault.value) == "relay barrier: its address or its token cannot be sent"


def test_lists_count_soon_and_without_one_that_opens_no_gate_looks(tmp_path: Path) -> None:
    plates, now_s = SqlKnownPlates(open_embedded(tmp_path / "r.db")), [0.0]
    book = KnownBook(plates, CONFUSIONS, POLICY, lambda: now_s[0])
    assert not book.opens()
    plates.put_list("stolen", Action.ALERT)
    plates.put("stolen", [of("3AB 1234")])
    now_s[0] += FRESH_S
    assert not book.opens()
    assert [match.opens for match in book.matches(read_as("3AB1234"), 1)] == [False]
    plates.put_list("stolen", Action.OPEN)
    assert not book.opens(), "lists are read now and then, not at every frame"
    now_s[0] += FRESH_S
    assert book.opens()
    assert [match.opens for match in book.matches(read_as("3AB1234"), 1)] == [True]
    plates.database.close()


@pytest.mark.parametrize("read_before", [True, False])
def test_a_database_that_is_away_ends_nothing_and_lists_stay_as_they_were(tmp_path: Path, *, read_before: bool) -> None:
    database, now_s = open_embedded(tmp_path / "r.db"), [0.0]
    plates = SqlKnownPlates(database)
    plates.put_list("residents", Action.OPEN)
    plates.put("residents", [of("3AB 1234")])
    book = KnownBook(plates, CONFUSIONS, POLICY, lambda: now_s[0])
    if read_before:
        assert book.opens()
    with database.write() as connection:
        connection.exec_driver_sql("ALTER TABLE known_plates RENAME TO away")
    now_s[0] += FRESH_S
    assert book.opens() is read_before
    assert len(book.matches(read_as("3AB1234"), 1)) == int(read_before)
    with database.write() as connection:
        connection.exec_driver_sql("ALTER TABLE away RENAME TO known_plates")
    now_s[0] += FRESH_S
    assert book.opens()
    database.close()


def test_channels_are_told_of_alerts_and_of_names_only_where_plates_are_told() -> None:
    known = KnownMatch("stolen", Action.ALERT, "case 12", "", "3AB 1234", 0.97)
    paid = Verdict(VerdictKind.UNKNOWN, "registry-stale", 0.5, 0.0)
    seen = Sighting("a", GATE, "a", 1, 1, read_as("3AB1234"), paid, direction=Direction.OUT, known=(known,))
    options = NotifyOptions.model_validate(
        {
            "webhook": [
                {"name": "some", "url": "http://x.test/", "secret_env": "X", "verdicts": ["UNPAID"]},
                {"name": "all", "url": "http://x.test/", "secret_env": "X", "with_plate": True},
            ]
        }
    )
    some, whole = (json.loads(draft.body) for draft in compose(seen, options))
    assert some["known"] == [{"list": "stolen", "action": "alert", "p": 0.97}]
    assert some["direction"] == "out"
    assert whole["known"][0]["name"] == "case 12"
    assert compose(replace(seen, known=()), options) == []
    assert [draft.channel for draft in compose(replace(seen, known=(), verdict=no_verdict()), options)] == ["all"]


def lists(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str]]:
    def run(*arguments: object) -> tuple[int, str]:
        code = main(["lists", *map(str, arguments), "--db", str(tmp_path / "r.db")])
        told = capsys.readouterr()
        return code, told.out + told.err

    return run


def test_lists_are_entered_shown_exported_and_removed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = lists(tmp_path, capsys)
    assert run("add", "residents", "3AB 1234", "--name", "Jana", "--action", "open", "--valid-to", "2099-12-31")[0] == 0
    assert run("add", "residents", "3ab-1234", "--name", "Jana N")[1] == "residents (open): 3ab-1234 entered anew\n"
    (tmp_path / "l.csv").write_text("sep=;\nRZ;Jméno;platí do\n5CD 6789;Petr;30.6.2031\n;nobody;\n", encoding="cp1250")
    code, told = run("import", "residents", tmp_path / "l.csv")
    assert (code, "line 4" in told, "1 plate entered" in told and "1 row refused" in told) == (1, True, True)
    code, _ = run("import", "residents", tmp_path / "l.csv", "--replace")
    assert code != 0, "a file with faults replaces nothing"
    assert "residents                open     2 plates" in run("show")[1]
    heading, first_row, second_row = run("show", "residents")[1].splitlines()
    assert heading.split() == ["plate", "name", "valid_to"], "what no plate has is no column"
    assert first_row.index("Jana") == second_row.index("Petr") == heading.index("name")
    assert run("export", "residents", tmp_path / "out.csv")[0] == 0
    first = (tmp_path / "out.csv").read_text()
    assert run("import", "again", tmp_path / "out.csv", "--action", "open")[0] == 0
    assert run("export", "again")[1].splitlines() == first.splitlines()
    assert "residents: Jana N: opens" in run("check", "3AB1234")[1]
    assert run("check", "9ZZ9999") == (1, "no list holds it now\n")
    assert run("remove", "again")[0] == 0
    assert run("remove", "residents", "5cd6789")[0] == 0
    assert run("remove", "residents", "5cd6789") == (2, "roadside: list residents: holds no such plate\n")
    assert "there is no list 'gone'" in run("show", "gone")[1]
    assert run("add", "residents", "???")[0] == 2


def test_plates_that_cannot_be_told_apart_are_named_before_they_stand_at_the_gate(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = lists(tmp_path, capsys)
    run("add", "residents", "3AB 1234", "--action", "open")
    run("add", "residents", "3AK 1234")
    assert run("check") == (0, "every plate of a list that opens would open\n")
    with pytest.raises(InputError, match="stands twice"):
        SqlKnownPlates(open_embedded(tmp_path / "r.db")).put("residents", [of("3AO 1234"), of("3A0 1234")])
    assert sure("3AO1234").text == "3A01234"


def test_the_direction_is_kept_told_and_searched_for(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    records = open_records(Settings(db=tmp_path / "r.db"))
    for name, way in (("a", Direction.IN), ("b", Direction.OUT), ("c", None)):
        seen = Sighting(name, GATE, name, 1, 1, read_as("3AB1234"), no_verdict(), direction=way)
        records.store.save(seen)
        assert records.store.get(name).direction is way
        assert sighting_from_proto(sighting_to_proto(seen)).direction is way
    records.close()
    for way, count in (("in", 1), ("out", 1)):
        assert main(["plates", "recent", "--db", str(tmp_path / "r.db"), "--direction", way, "--json"]) == 0
        assert [json.loads(line)["direction"] for line in capsys.readouterr().out.splitlines()] == [way] * count
    assert main(["plates", "recent", "--db", str(tmp_path / "r.db")]) == 0
    head = next(line for line in capsys.readouterr().out.splitlines() if line.startswith("time"))
    assert head.split() == ["time", "plate", "country", "sure", "looks", "way"], "columns that say nothing are left out"


def test_known_plates_travel_between_services() -> None:
    known = KnownMatch("residents", Action.OPEN, "Jana", "flat 3", "3AB 1234", 0.9999, opens=True)
    seen = Sighting("a", GATE, "a", 1, 1, read_as("3AB1234"), no_verdict(), known=(known,))
    assert sighting_from_proto(sighting_to_proto(seen)).known == (known,)


def test_the_run_names_who_passes_and_keeps_it_but_not_of_those_who_paid(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    db, run = tmp_path / "r.db", lists(tmp_path, capsys)
    run("add", "watched", "HK47 TVN", "--name", "the blue one")

    def recent() -> dict[str, object]:
        assert main(["run", "examples/street.jpg", "--db", str(db), "--recorded-at", "now"]) == 0
        out = capsys.readouterr().out
        assert ("the blue one (watched, alert" in out) == ("PAID" not in out), "of those who paid it is not told"
        assert main(["plates", "recent", "--db", str(db), "--direction", "in"]) == 0
        assert "HK47TVN" not in capsys.readouterr().out
        main(["plates", "recent", "--json", "--db", str(db), "--limit", "2"])
        found = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
        return next(each for each in found if each["plate"] == "HK47TVN" or each["plate_hash"])

    assert [match["name"] for match in recent()["known"]] == ["the blue one"]  # type: ignore[union-attr]
    vignettes = "plate,country,valid_from,valid_to,category\nHK47 TVN,UK,2020-01-01,2099-12-31,annual\n"
    (tmp_path / "v.csv").write_text(vignettes)
    main(["registry", "import", str(tmp_path / "v.csv"), "--db", str(db)])
    paid = recent()
    assert (paid["verdict"], paid["known"]) == ("PAID", [])
    assert of("3AB1234").valid_to_ns == NEVER_NS


@pytest.mark.parametrize("row", ["AB12CD{}", "?{}"])
def test_a_list_of_more_plates_than_are_compared_is_refused_before_it_is_held(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], row: str
) -> None:
    monkeypatch.setattr(known_file, "MOST_ROWS", 3)
    file = tmp_path / "a.csv"
    arguments = ["lists", "import", "residents", str(file), "--db", str(tmp_path / "r.db")]
    for count, code in ((3, {0, 2}), (4, {2})):
        file.write_text("plate\n" + "".join(row.format(number) + "\n" for number in range(count)), encoding="utf-8")
        assert main(arguments) in code
        assert ("more than 3 rows" in capsys.readouterr().err) == (count == 4)
