"""The console's lists of known plates, over a real database and over the registry's gRPC door."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING

import pytest
from prometheus_client import CollectorRegistry
from starlette.testclient import TestClient

from roadside.adapters.services.connection import Connection, ServiceAddress
from roadside.adapters.services.known import RemoteKnownPlates
from roadside.adapters.sql.known import SqlKnownPlates
from roadside.assembly.known_desk import StoredKnown
from roadside.console.app import make_app
from roadside.console.ports import ListChoices, Role
from roadside.core.known import Action, KnownMatch
from roadside.core.outline import Direction
from roadside.core.sightings import SightingQuery, VerdictKind
from roadside.errors import InputError, NotFoundError
from roadside.kit.grpc_server import GrpcServer, ServerOptions
from roadside.kit.health import Health
from roadside.kit.prometheus import PrometheusMeter
from roadside.registry.lists_servicer import KnownListsServicer
from roadside.registry.metrics import SPECS
from roadside.v1 import lists_pb2_grpc
from tests.consoles import PASSWORD, Console, console

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import grpc
    from fastapi import FastAPI

FAMILY = "family & friends/1"
NASTY = "<script>alert(1)</script>"


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Console]:
    with console(tmp_path) as there:
        for role in Role:
            there.account(role.value, role)
        yield there


@pytest.fixture
def app(made: Console) -> Iterator[FastAPI]:
    app = make_app(made.desk)
    with TestClient(app):
        yield app


class Browser:
    """Somebody who is signed in."""

    def __init__(self, app: FastAPI, name: str) -> None:
        self.client = TestClient(app, follow_redirects=False, headers={"accept-language": "en"})
        assert self.client.post("/sign-in", data={"name": name, "password": PASSWORD}).status_code == 303
        found = re.search(r'X-CSRF-Token": "([0-9a-f]+)"', self.client.get("/tokens").text)
        assert found is not None
        self.csrf = found[1]

    def post(self, path: str, status: int = 303, file: str | bytes | None = None, **fields: str) -> str:
        files = None if file is None else {"file": ("list.csv", file)}
        answer = self.client.post(path, data={"csrf": self.csrf, **fields}, files=files)
        assert answer.status_code == status, answer.text
        return answer.text

    def page(self, status: int = 200, **query: str) -> str:
        answer = self.client.get("/lists/one", params=query)
        assert answer.status_code == status, answer.text
        return answer.text


def match(name: str) -> KnownMatch:
    return KnownMatch(name, Action.ALERT, "Eva", "", "AB12CDE", 0.99)


def test_a_list_is_made_filled_changed_and_removed(app: FastAPI, made: Console) -> None:
    admin = Browser(app, "admin")
    assert "There is no list yet" in admin.client.get("/lists").text
    admin.post("/lists/new", list=FAMILY, action="open")
    assert "/lists/one?list=family%20%26%20friends/1" in admin.client.get("/lists").text
    admin.post("/lists/enter", list=FAMILY, plate="AB12 CDE", country="UK", name="Eva", valid_to="2099-12-31")
    page = admin.page(list=FAMILY)
    assert "<code>AB12 CDE</code>" in page
    assert "opens a gate" in page
    changing = admin.page(list=FAMILY, change="AB12 CDE")
    assert "Change AB12 CDE" in changing, re.findall(r"<h2.*|<input.*", changing)
    assert 'name="valid_to" value="2099-12-31"' in changing, re.findall("valid_to.*", changing)
    admin.post("/lists/enter", list=FAMILY, plate="AB12 CDE", valid_from="2026-01-01T12:30", was="AB12 CDE")
    assert 'type="text" name="valid_from" value="2026-01-01T12:30:00+01:00"' in admin.page(
        list=FAMILY, change="AB12 CDE"
    )
    admin.post("/lists/enter", list=FAMILY, plate="XY34 FGH", name="Jan", was="AB12 CDE")
    (entry,) = made.desk.known.entries(FAMILY)
    assert (entry.plate, entry.name, entry.action) == ("XY34 FGH", "Jan", Action.OPEN)
    admin.post("/lists/new", list=FAMILY, action="ignore")
    assert made.desk.known.lists() == [(FAMILY, Action.IGNORE, 1)]
    admin.post("/lists/remove", list=FAMILY, plate="XY34 FGH")
    assert "This list is empty" in admin.page(list=FAMILY)
    admin.post("/lists/drop", list=FAMILY)
    assert admin.page(404, list=FAMILY)
    noted = [look for look in made.desk.ledger.audit() if look.action == "changed a list"]
    assert len(noted) == 7
    assert not any("AB12" in look.detail or "XY34" in look.detail for look in noted)


def test_what_cannot_be_entered_is_told_and_nothing_changes(app: FastAPI, made: Console) -> None:
    admin = Browser(app, "admin")
    admin.post("/lists/new", list="a", action="alert")
    for row in (
        {"plate": "!!"},
        {"plate": "AB12CDE", "country": "Atlantis"},
        {"plate": "AB12CDE", "valid_from": "tomorrow"},
        {"plate": "AB12CDE", "valid_from": "2026-02-01", "valid_to": "2026-01-01"},
    ):
        assert 'role="alert"' in admin.post("/lists/enter", 422, list="a", **row)
    admin.post("/lists/enter", 404, list="b", plate="AB12CDE")
    admin.post("/lists/new", 422, list="", action="alert")
    admin.post("/lists/new", 422, list="a\nb", action="alert")
    admin.post("/lists/new", 422, list="a", action="launch")
    admin.post("/lists/remove", 422, list="a")
    admin.post("/lists/remove", 404, list="a", plate="AB12CDE")
    admin.post("/lists/import", 404, list="a", ticket="0" * 32)
    assert made.desk.known.lists() == [("a", Action.ALERT, 0)]


def test_a_file_is_looked_at_before_it_is_entered(app: FastAPI, made: Console) -> None:
    admin = Browser(app, "admin")
    admin.post("/lists/new", list="a", action="alert")
    admin.post("/lists/enter", list="a", plate="KL56MNP")
    listed = "Kennzeichen;Halter;valid_to\nAB12CDE;Eva;31.12.2099\n;nobody;\nXY34FGH;Jan;12/31/2099\n"
    looked = admin.post("/lists/preview", 200, listed, list="a", mode="add")
    assert re.findall(r"<dd>(\d+)</dd>", looked) == ["1", "1", "0", "2"]
    assert "<td>3</td>" in looked
    assert "<td>4</td>" in looked
    ticket = re.findall(r'name="ticket" value="([0-9a-f]+)"', looked)[0]
    replacing = admin.post("/lists/preview", 200, list="a", mode="replace", ticket=ticket)
    assert "would be lost" in replacing
    admin.post("/lists/import", 422, list="a", mode="replace", ticket=ticket)
    assert len(made.desk.known.entries("a")) == 1
    admin.post("/lists/import", list="a", mode="add", ticket=ticket)
    assert [entry.plate for entry in made.desk.known.entries("a")] == ["KL56MNP", "AB12CDE"]
    admin.post("/lists/import", 404, list="a", mode="add", ticket=ticket)


@pytest.mark.parametrize(
    "bad",
    [b"", b"\x00\xff" * 500, b"%PDF-1.4", b"plate\n", b"plate\nAB12CDE\nAB 12 CDE\n", b"owner\nEva\n", b"PK\x03\x04"],
)
def test_a_bad_file_enters_nothing(app: FastAPI, made: Console, bad: bytes) -> None:
    admin = Browser(app, "admin")
    admin.post("/lists/new", list="a", action="alert")
    looked = admin.post("/lists/preview", 200, bad, list="a", mode="add")
    assert "nothing was changed" in looked
    ticket = re.findall(r'name="ticket" value="([0-9a-f]+)"', looked)[0]
    admin.post("/lists/import", 422, list="a", mode="add", ticket=ticket)
    assert made.desk.known.entries("a") == []


def test_lists_are_for_reviewers_and_changed_by_administrators(app: FastAPI, made: Console) -> None:
    made.desk.known.put_list("a", Action.ALERT)
    made.desk.known.enter("a", {"plate": "AB12CDE", "name": NASTY, "group": NASTY})
    assert Browser(app, "checker").client.get("/lists").status_code == 403
    reviewer = Browser(app, "reviewer")
    page = reviewer.page(list="a")
    assert "<code>AB12CDE</code>" in page
    assert NASTY not in page
    assert NASTY not in reviewer.page(list="a", q=NASTY, change="AB12CDE")
    assert "/lists/enter" not in page
    for path in ("new", "enter", "remove", "drop", "preview", "import"):
        reviewer.post(f"/lists/{path}", 403, list="a", plate="AB12CDE", action="open")


def test_what_passed_of_a_list_is_found_by_it_and_by_direction(app: FastAPI, made: Console) -> None:
    made.desk.known.put_list("a", Action.ALERT)
    made.desk.known.put_list("b", Action.ALERT)
    one = made.see("AB12CDE", VerdictKind.REVIEW, known=(match("a"), match("a")), direction=Direction.IN)
    two = made.see("AB12CDE", VerdictKind.REVIEW, ago=1, known=(match("a"), match("b")), direction=Direction.OUT)
    made.see("XY34FGH", VerdictKind.REVIEW, direction=Direction.IN)
    paid = made.see("KL56MNP", VerdictKind.PAID, known=(match("a"),))

    def found(**query: object) -> list[str]:
        page = made.desk.sightings.find(SightingQuery(**query))  # type: ignore[arg-type]
        return [sighting.sighting_id for sighting in page.sightings]

    assert found(known_list="a") == [one, two]
    assert found(known_list="b") == [two]
    assert found(known_list="a", direction=Direction.OUT) == [two]
    assert paid not in found(known_list="a")
    first = made.desk.sightings.find(SightingQuery(known_list="a", limit=1))
    assert found(known_list="a", limit=1, page_token=first.next_page_token) == [two]
    viewer = Browser(app, "viewer").client
    text = viewer.get("/search", params={"known": "b"}).text
    assert two in text
    assert one not in text
    assert viewer.get("/search", params={"direction": "out"}).text.count('<td><a href="/sightings/') == 1
    assert viewer.get("/search", params={"direction": "up"}).status_code == 422
    assert viewer.get("/", params={"direction": "in"}).text.count("<article") == 2
    assert one in Browser(app, "reviewer").page(list="a")
    assert found(known_list="a", verdict=VerdictKind.PAID) == []
    assert found(country="UK", verdict=VerdictKind.PAID) == []
    assert found(verdict=VerdictKind.PAID) == [paid]
    made.desk.ledger.forget("AB12CDE", "admin")
    assert found(known_list="a") == []


def test_lists_over_rest(app: FastAPI, made: Console) -> None:
    client = TestClient(app)
    admin, reviewer = ({"authorization": f"Bearer {made.token('admin', role)}"} for role in (Role.ADMIN, Role.REVIEWER))
    put = client.put("/api/v1/lists/a", params={"action": "open"}, headers=admin)
    assert put.json() == {"name": "a", "action": "open", "plates": 0}
    assert client.put("/api/v1/lists/a", params={"action": "open"}, headers=reviewer).status_code == 403
    given = {"plate": "AB12 CDE", "country": "GB", "name": "Eva", "valid_to": "2099-12-31"}
    entered = client.put("/api/v1/lists/a/plates", json=given, headers=admin).json()
    assert client.put("/api/v1/lists/a/plates", json=entered, headers=admin).json() == entered
    made.desk.known.enter("a", {"plate": "X" + " " * 100 + "Y34FGH"})  # as a command may have entered it
    listed = client.get("/api/v1/lists/a/plates", headers=reviewer)
    assert [each["country"] for each in listed.json()] == ["UK", ""]
    gone = client.delete("/api/v1/lists/a/plates", params={"plate": "ab12cde"}, headers=admin)
    assert gone.json() == {"plates": 1}
    assert client.get("/api/v1/lists", headers=reviewer).json() == [{"name": "a", "action": "open", "plates": 1}]
    assert client.get("/api/v1/lists/b/plates", headers=reviewer).status_code == 404


class Served:
    """The lists of a database behind gRPC."""

    def __init__(self, plates: SqlKnownPlates) -> None:
        def register(server: grpc.aio.Server) -> tuple[str]:
            lists_pb2_grpc.add_KnownListsServicer_to_server(KnownListsServicer(plates), server)
            return ("roadside.v1.KnownLists",)

        meter = PrometheusMeter("registry", SPECS, CollectorRegistry())
        self.server = GrpcServer(ServerOptions(host="127.0.0.1", port=0), register, Health((), time.monotonic), meter)
        self.server.start()
        self.connection = Connection(ServiceAddress(f"127.0.0.1:{self.server.port}"))

    def close(self) -> None:
        self.connection.close()
        self.server.stop(1.0)


def test_over_the_registry_service_the_lists_are_the_same(made: Console, tmp_path: Path) -> None:
    served = Served(SqlKnownPlates(made.records.database))
    try:
        there = StoredKnown(RemoteKnownPlates(served.connection), "Europe/Prague")
        here = made.desk.known
        assert there.put_list("a", Action.OPEN)
        assert not there.put_list("a", Action.ALERT)
        there.enter("a", {"plate": "AB12 CDE", "country": "GB", "name": "Eva", "valid_from": "2026-01-01"})
        there.enter("a", {"plate": "0B12 OQI", "valid_to": "2026-01-01"})
        assert there.entries("a") == here.entries("a")
        assert [entry.country for entry in there.entries("a")] == ["UK", ""]
        file = tmp_path / "a.csv"
        file.write_text("plate\nXY34FGH\nKL56MNP\n", encoding="utf-8")
        looked = there.preview(file, "a.csv", "a", ListChoices(replace=True))
        assert (looked.read, looked.added, looked.removed, looked.objection) == (2, 2, 2, "")
        there.load(file, "a.csv", "a", ListChoices(replace=True))
        assert [entry.plate for entry in here.entries("a")] == ["XY34FGH", "KL56MNP"]
        assert there.remove("a", "XY34FGH") == 1
        assert there.remove("a") == 1
        with pytest.raises(NotFoundError):
            there.entries("a")
        with pytest.raises(InputError):
            there.enter("a", {"plate": "AB12CDE", "country": "Atlantis"})
    finally:
        served.close()
