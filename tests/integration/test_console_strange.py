"""Requests to the console as no browser sends them, and the same form twice at once."""

from __future__ import annotations

import io
import re
import threading
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest
from starlette.datastructures import UploadFile
from starlette.testclient import TestClient

from roadside.adapters.sql import open_database
from roadside.console.app import make_app
from roadside.console.ports import PassageCount, Role
from roadside.console.uploads import Uploads
from roadside.core.known import Action
from roadside.core.reviews import ReviewAction
from roadside.core.sightings import VerdictKind
from roadside.errors import InputError, NotFoundError
from tests.consoles import PASSWORD, Console, console
from tests.databases import fresh_postgres, postgres

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from tests.servers import PostgresServer

AT_ONCE = 8


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    with postgres() as there:
        yield there


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Console]:
    with console(tmp_path) as there:
        there.account("admin", Role.ADMIN)
        yield there


@pytest.fixture
def shared(tmp_path: Path, server: PostgresServer) -> Iterator[Console]:
    """Over PostgreSQL, where several write at once."""
    with console(tmp_path, database_url=migrated(server)) as there:
        there.account("admin", Role.ADMIN)
        yield there


def migrated(server: PostgresServer) -> str:
    url = fresh_postgres(server)
    with closing(open_database(url)) as database:
        database.migrate()
    return url


def stranger(made: Console) -> TestClient:
    return TestClient(make_app(made.desk), follow_redirects=False, headers={"accept-language": "en"})


def browser(made: Console) -> tuple[TestClient, str]:
    client = stranger(made)
    assert client.post("/sign-in", data={"name": "admin", "password": PASSWORD}).status_code == 303
    found = re.search(r'X-CSRF-Token": "([0-9a-f]+)"', client.get("/tokens").text)
    assert found is not None
    return client, found[1]


def at_once(what: Callable[[int], Any], *refused: type[Exception]) -> int:
    """Do it in AT_ONCE threads; how often it was not `refused`."""
    ready, done, faults = threading.Barrier(AT_ONCE), [], []

    def one(number: int) -> None:
        ready.wait()
        try:
            done.append(what(number))
        except refused:
            return
        except Exception as error:  # noqa: BLE001 - told below, in the thread of the test
            faults.append(error)

    threads = [threading.Thread(target=one, args=(number,)) for number in range(AT_ONCE)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert faults == []
    return len(done)


def test_an_address_that_cannot_be_is_no_fault_of_the_program(made: Console) -> None:
    assert stranger(made).get("/sign-in?next=//[").status_code == 200
    assert stranger(made).get("/language/cs?next=//[").headers["location"] == "/"


def test_who_only_asks_for_the_head_guesses_no_password(made: Console) -> None:
    client = stranger(made)
    for _ in range(8):
        assert client.head("/sign-in").status_code == 200
    assert client.post("/sign-in", data={"name": "admin", "password": PASSWORD}).status_code == 303


@pytest.mark.parametrize("charset", ["punycode", "unicode_escape", "utf-7", '"undefined"', "utf-8; charset=punycode"])
def test_a_form_of_another_charset_is_not_read(made: Console, charset: str) -> None:
    """A megabyte of punycode took Python half a minute, in which nobody else was answered."""
    body = b'--X\r\nContent-Disposition: form-data; name="name"\r\n\r\n-a\xff\r\n--X--\r\n'
    kind = {"Content-Type": f"multipart/form-data; boundary=X; charset={charset}"}
    assert stranger(made).post("/sign-in", content=body, headers=kind).status_code == 415
    client, _ = browser(made)
    assert client.post("/lists/new", content=body, headers=kind).status_code == 415


def test_another_site_signs_nobody_in(made: Console) -> None:
    said = {"name": "admin", "password": PASSWORD}
    assert stranger(made).post("/sign-in", data=said, headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
    assert stranger(made).post("/sign-in", data=said, headers={"Sec-Fetch-Site": "same-origin"}).status_code == 303


def test_the_last_administrator_stays_one(made: Console) -> None:
    client, csrf = browser(made)
    answer = client.post("/system/invite", data={"csrf": csrf, "name": "admin", "role": "viewer"})
    assert answer.status_code == 422
    assert "last administrator" in answer.text
    made.account("other", Role.ADMIN)
    assert client.post("/system/invite", data={"csrf": csrf, "name": "other", "role": "viewer"}).status_code == 200


def test_a_link_leads_where_the_settings_say_whatever_the_request_names(tmp_path: Path) -> None:
    with console(tmp_path, console_url="https://gate.example/") as made:
        made.account("admin", Role.ADMIN)
        client, csrf = browser(made)
        said = {"csrf": csrf, "name": "eva", "role": "viewer"}
        answer = client.post("/system/invite", data=said, headers={"Host": "evil.example"})
    assert "https://gate.example/welcome/" in answer.text
    assert "evil.example" not in answer.text


def test_what_was_skipped_makes_no_endless_address(made: Console) -> None:
    client, csrf = browser(made)
    said = {"csrf": csrf, "sighting": "x" * 90_000, "skip": f"{'y' * 90_000} z", "action": "skip"}
    assert len(client.post("/review/answer", data=said).headers["location"]) < 200


class _Counts(list[PassageCount]):
    looks = 0

    def __iter__(self) -> Iterator[PassageCount]:
        self.looks += 1
        return super().__iter__()


def test_a_month_of_many_cameras_is_gone_over_once(made: Console, monkeypatch: pytest.MonkeyPatch) -> None:
    """It was gone over for each hour and verdict, 5,208 times, while nobody else was answered."""
    client, _ = browser(made)
    hour_ns = made.desk.clock.now_ns() // 3_600_000_000_000 * 3_600_000_000_000
    told = _Counts([PassageCount(hour_ns, f"gate{n}", VerdictKind.PAID.value, 2) for n in range(3)])
    monkeypatch.setattr(type(made.desk.ledger), "counts", lambda *_: told)
    series = client.get("/statistics/series?span=month").json()
    assert series["data"][1 + series["names"].index("PAID")][-1] == 6
    assert sum(map(sum, series["data"][1:])) == 6
    assert told.looks <= 2


def test_no_database_holds_a_zero_and_that_is_the_senders_fault(shared: Console) -> None:
    client, csrf = browser(shared)
    for path in ("/search?camera=%00", "/sightings/a%00b", "/review?skip=%00", "/api/v1/sightings?camera=%00"):
        assert client.get(path).status_code == 422, path
    answer = client.post("/sightings/%00/answer", data={"csrf": csrf, "action": "confirm"})
    assert answer.status_code == 422


def test_first_lists_that_are_sent_at_once_are_all_there() -> None:
    uploads = Uploads()
    tickets: list[str] = []
    at_once(lambda _: tickets.append(uploads.keep(UploadFile(io.BytesIO(b"plate\n"), filename="a\x00b.csv"), "eva")))
    found = [uploads.find(ticket, "eva") for ticket in tickets]
    uploads_there = [path.read_bytes() for path, _ in found]
    uploads.close()
    assert uploads_there == [b"plate\n"] * AT_ONCE
    assert {source for _, source in found} == {"ab.csv"}


def test_the_same_form_twice_at_once_is_made_once(shared: Console) -> None:
    desk = shared.desk
    at_once(lambda _: desk.known.put_list("guests", Action.OPEN))
    at_once(lambda number: desk.known.enter("guests", {"plate": "AB12CDE", "name": str(number)}))
    at_once(lambda _: desk.access.invite("zed", Role.VIEWER))
    assert [entry.plate for entry in desk.known.entries("guests")] == ["AB12CDE"]


def test_a_plate_that_several_change_at_once_stays_one(shared: Console) -> None:
    """Else whoever was changed into something else comes in as well."""
    known = shared.desk.known
    known.put_list("guests", Action.OPEN)
    known.enter("guests", {"plate": "AB12CDE"})
    changed = at_once(lambda n: known.enter("guests", {"plate": f"XY3{n}FGH"}, "AB12CDE"), NotFoundError)
    assert changed == 1
    assert len(known.entries("guests")) == 1


@pytest.mark.parametrize("two", [False, True])
def test_an_answer_that_is_sent_twice_is_kept_once(tmp_path: Path, server: PostgresServer, *, two: bool) -> None:
    with console(tmp_path, database_url=migrated(server), review_two=two) as made:
        wanted = made.see("AB12CDE", VerdictKind.REVIEW, rule="one-look")
        at_once(lambda _: made.desk.reviews.answer(wanted, ReviewAction.CONFIRM, "eva"), InputError)
        answers: Sequence[object] = made.desk.ledger.answers(wanted)
        kind = made.desk.sightings.get(wanted).verdict.kind
    assert len(answers) == 1
    assert (kind is VerdictKind.REVIEW) == two, "one person never counts for two"
