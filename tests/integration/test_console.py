"""The console's pages and REST interface over a real database."""

from __future__ import annotations

import html
import io
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from openpyxl import load_workbook
from sqlalchemy import text
from starlette.routing import Route
from starlette.testclient import TestClient

from roadside.console import web
from roadside.console.app import PAGES, make_app
from roadside.console.ports import Role
from roadside.console.rest.operations import router
from roadside.core.sightings import PictureKind, VerdictKind
from tests.consoles import PASSWORD, Console, console

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fastapi import FastAPI
    from httpx2 import Response

LIST = "plate,country,valid_from,valid_to\nAB12CDE,UK,2026-01-01,2026-12-31\nXY34FGH,UK,2026-01-01,2026-12-31\n"
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


def browser(app: FastAPI, name: str | None = None) -> TestClient:
    client = TestClient(app, follow_redirects=False, headers={"accept-language": "en"})
    if name is not None:
        answer = client.post("/sign-in", data={"name": name, "password": PASSWORD})
        assert answer.status_code == 303, answer.text
    return client


def csrf(client: TestClient) -> str:
    found = re.search(r'X-CSRF-Token": "([0-9a-f]+)"', client.get("/tokens").text)
    assert found is not None
    return found[1]


def test_pages_send_strangers_to_sign_in_and_say_nothing(app: FastAPI) -> None:
    client = browser(app)
    for module in PAGES:
        for route in module.ROUTES:
            assert isinstance(route, Route)
            if route.path.startswith(("/sign-in", "/welcome", "/language")):
                continue
            path = route.path.format(sighting_id="x", kind="crop", ending="csv", camera_id="x")
            method = "POST" if "POST" in (route.methods or ()) else "GET"
            answer = client.request(method, path)
            assert answer.status_code == 303, path
            assert answer.headers["location"].startswith("/sign-in"), path


def test_who_may_open_what(app: FastAPI, made: Console) -> None:
    wanted = made.see("AB12CDE", VerdictKind.REVIEW)
    importer = browser(app, "admin")
    take_in(importer, LIST)
    needed = {
        "/": Role.VIEWER,
        "/search": Role.VIEWER,
        f"/sightings/{wanted}": Role.VIEWER,
        f"/sightings/{wanted}/crop": Role.VIEWER,
        "/registry": Role.VIEWER,
        "/cameras": Role.VIEWER,
        "/statistics": Role.VIEWER,
        "/statistics/series": Role.VIEWER,
        "/tokens": Role.VIEWER,
        "/registry/check?plate=AB12CDE": Role.CHECKER,
        "/review": Role.REVIEWER,
        "/search/export.csv": Role.REVIEWER,
        "/system": Role.ADMIN,
    }
    for role in Role:
        client = browser(app, role.value)
        for path, least in needed.items():
            assert client.get(path).status_code == (200 if role.may(least) else 403), (role, path)


def test_every_post_needs_the_form_of_this_session(app: FastAPI, made: Console) -> None:
    wanted = made.see("AB12CDE", VerdictKind.REVIEW)
    client, other = browser(app, "admin"), browser(app, "admin")
    posts = [
        route.path.format(sighting_id=wanted, camera_id="x")
        for module in PAGES
        for route in module.ROUTES
        if isinstance(route, Route) and "POST" in (route.methods or ())
        and not route.path.startswith(("/sign-in", "/welcome"))
    ]  # fmt: skip
    assert len(posts) >= 10
    for path in posts:
        for given in ({}, {"csrf": "0" * 64}, {"csrf": csrf(other)}):
            assert client.post(path, data=given).status_code == 403, path
    assert made.desk.sightings.get(wanted).verdict.kind is VerdictKind.REVIEW


def test_every_answer_carries_the_headers(app: FastAPI) -> None:
    client = browser(app, "viewer")
    for path in ("/", "/static/console.css", "/api/v1/openapi.json", "/nothing", "/api/v1/sightings/none"):
        headers = client.get(path).headers
        assert "default-src 'none'" in headers["content-security-policy"], path
        assert headers["x-content-type-options"] == "nosniff", path
        assert headers["x-frame-options"] == "DENY", path
    cookie = browser(app).post("/sign-in", data={"name": "viewer", "password": PASSWORD}).headers["set-cookie"]
    assert {"HttpOnly", "SameSite=strict"} <= {part.strip() for part in cookie.split(";")}


def test_pages_hold_no_script_or_style_of_their_own(app: FastAPI, made: Console) -> None:
    wanted = made.see("AB12CDE", VerdictKind.REVIEW)
    client = browser(app, "admin")
    for path in ("/", "/search", f"/sightings/{wanted}", "/review", "/registry", "/statistics", "/system", "/tokens"):
        text = client.get(path).text
        assert not re.search(r"<script(?![^>]*\bsrc=)|\sstyle=|\son[a-z]+=|javascript:", text), path
        assert "http://" not in re.sub(r"http://testserver", "", text), path


def test_what_people_and_cameras_write_stays_text(app: FastAPI, made: Console) -> None:
    wanted = made.see("AB12CDE", VerdictKind.REVIEW, camera=NASTY)
    client = browser(app, "admin")
    token = csrf(client)
    client.post("/tokens/new", data={"csrf": token, "label": NASTY, "role": "viewer", "days": "1"})
    client.post("/registry/preview", data={"csrf": token}, files={"file": (NASTY, "plate\n")})
    for path in ("/", "/search", f"/sightings/{wanted}", "/review", "/system", "/tokens", "/statistics"):
        assert NASTY not in client.get(path).text, path
    for query in ("plate", "camera", "country", "since", "verdict", "page"):
        assert NASTY not in client.get("/search", params={query: NASTY}).text
    assert NASTY not in client.get("/registry/check", params={"plate": NASTY, "country": NASTY}).text
    assert NASTY not in client.get(f"/language/en?next={NASTY}").headers["location"]


@pytest.mark.parametrize(
    "elsewhere",
    ["https://evil.example/", "//evil.example/", "\\\\evil.example", "javascript:alert(1)", "/\\evil.example"],
)
def test_nobody_is_sent_elsewhere(app: FastAPI, elsewhere: str) -> None:
    client = browser(app)
    answer = client.post("/sign-in", params={"next": elsewhere}, data={"name": "viewer", "password": PASSWORD})
    assert answer.headers["location"] == "/"
    assert client.get("/language/cs", params={"next": elsewhere}).headers["location"] == "/"


def test_a_session_is_new_after_signing_in(app: FastAPI) -> None:
    client = browser(app)
    client.cookies.set("roadside_session", "chosen-by-somebody-else")
    client.post("/sign-in", data={"name": "viewer", "password": PASSWORD})
    assert "chosen-by-somebody-else" not in client.cookies.get(
        "roadside_session", domain="testserver.local", default=""
    )
    assert client.get("/").status_code == 200


def test_signing_out_ends_the_session(app: FastAPI) -> None:
    client = browser(app, "viewer")
    secret = client.cookies["roadside_session"]
    assert client.post("/sign-out", data={"csrf": csrf(client)}).status_code == 303
    client.cookies.set("roadside_session", secret)
    assert client.get("/").status_code == 303


def test_wrong_passwords_are_slowed_down(app: FastAPI) -> None:
    client = browser(app)
    codes = [client.post("/sign-in", data={"name": "viewer", "password": "wrong"}).status_code for _ in range(6)]
    assert codes == [401] * 5 + [429]


def test_search_finds_by_plate_and_is_written_down(app: FastAPI, made: Console) -> None:
    made.see("AB12CDE", VerdictKind.UNPAID)
    made.see("XY34FGH", VerdictKind.REVIEW)
    client = browser(app, "viewer")
    text = client.get("/search", params={"plate": "AB12CDX"}).text
    assert "AB12 CDE" in text
    assert "XY34" not in text
    assert "XY34 FGH" in client.get("/search", params={"plate": "XY3", "how": "starts"}).text
    assert any(look.action == "searched" and "plate k1:" in look.detail for look in made.desk.ledger.audit())
    assert not any("AB12CDX" in look.detail for look in made.desk.ledger.audit())
    refused = client.get("/search", params={"since": "yesterday"})
    assert refused.status_code == 422
    assert "a day such as" in refused.text
    assert client.get("/search", params={"page": "bm9uc2Vuc2U="}).status_code == 422


def test_pages_of_a_search_hold_each_sighting_once(app: FastAPI, made: Console) -> None:
    made_ids = {made.see("AB12CDE", VerdictKind.REVIEW, ago=ago) for ago in range(60)}
    client = browser(app, "viewer")
    first = client.get("/search").text
    following = re.search(r'rel="next" href="([^"]+)"', first)
    assert following is not None
    second = client.get(following[1].replace("&amp;", "&")).text
    seen = [name for text in (first, second) for name in re.findall(r'<td><a href="/sightings/([^"]+)"', text)]
    assert len(seen) == 60
    assert set(seen) == made_ids


def test_exports_open_as_tables_and_hold_no_formula(app: FastAPI, made: Console) -> None:
    made.see("AB12CDE", VerdictKind.REVIEW, camera='=HYPERLINK("http://evil.example")')
    made.see("KV46RNE", VerdictKind.UNPAID)  # nobody has confirmed it: it stays in the house
    client = browser(app, "reviewer")
    text = client.get("/search/export.csv").content.decode("utf-8-sig")
    assert text.startswith("Time,Camera,Plate")
    assert "AB12 CDE" in text
    assert "KV46" not in text
    assert ",=" not in text
    assert '"=' not in text
    sheet = load_workbook(io.BytesIO(client.get("/search/export.xlsx").content)).active
    assert sheet is not None
    rows = list(sheet.iter_rows(values_only=True))
    assert rows[1][2] == "AB12 CDE"
    assert str(rows[1][1]).startswith("'=")
    assert any(look.action == "exported" for look in made.desk.ledger.audit())


@pytest.mark.parametrize("by_script", [True, False], ids=["by the script", "by the browser alone"])
def test_a_review_by_keyboard_forms(app: FastAPI, made: Console, by_script: bool) -> None:  # noqa: FBT001 - a parameter
    first = made.see("AB12CDE", VerdictKind.REVIEW, rule="one-look", ago=2)
    second = made.see("XY34FGH", VerdictKind.REVIEW, rule="one-look", ago=1)
    client = browser(app, "reviewer")
    token = csrf(client)
    page = client.get("/review").text
    assert "2 wait" in page
    assert first in page
    part = {"hx-request": "true"} if by_script else {}

    def send(**form: str) -> Response:
        answer = client.post("/review/answer", data={"csrf": token, **form}, headers=part)
        return client.get(answer.headers["location"]) if answer.status_code == 303 else answer

    page = send(sighting=first, action="skip").text
    assert second in page
    assert ("<html" in page) is not by_script
    page = send(sighting=second, skip=first, action="correct", plate="!!")
    assert page.status_code == 422
    assert second in page.text
    page = send(sighting=second, skip=first, action="correct", plate="XY34FGX")
    assert "put all of them aside" in page.text
    answers = made.desk.ledger.answers(second)
    assert [(a.author, a.text, a.read_text) for a in answers] == [("reviewer", "XY34FGX", "XY34FGH")]


def test_another_language_is_given_on_a_page_that_answers_a_form(app: FastAPI, made: Console) -> None:
    sighting = made.see("AB12CDE", VerdictKind.REVIEW, rule="one-look")
    client = browser(app, "admin")
    form = {"csrf": csrf(client), "content": "vignettes", "mode": "replace", "sighting": sighting}
    for path in ("/review/answer", "/registry/preview", "/system/invite", f"/sightings/{sighting}/answer"):
        page = client.post(path, data={**form, "action": "correct", "plate": "!!"})
        assert page.status_code in {200, 422}, path
        link = re.search(r'href="(/language/cs[^"]*)"', page.text)
        assert link is not None, path
        there = client.get(html.unescape(link[1]))
        assert client.get(there.headers["location"]).status_code == 200, path


def test_no_form_leaves_its_secret_in_an_address() -> None:
    for template in Path(web.__file__).with_name("templates").glob("*.html"):
        for form in re.findall(r"<form\b.*?</form>", template.read_text(encoding="utf-8"), re.DOTALL):
            assert "csrf(" not in form or 'method="post"' in form.partition(">")[0], template.name


def test_a_list_is_looked_at_before_it_is_taken_in(app: FastAPI, made: Console) -> None:
    client = browser(app, "admin")
    token = csrf(client)
    form = {"csrf": token, "content": "vignettes", "mode": "replace"}
    looked = client.post("/registry/preview", data=form, files={"file": ("list.csv", LIST)})
    assert looked.status_code == 200
    assert made.desk.registry.state().vignettes == 0
    ticket = re.search(r'name="ticket" value="([0-9a-f]+)"', looked.text)
    assert ticket is not None
    stranger = browser(app, "admin")  # the same person in another browser may go on
    assert client.post("/registry/import", data={**form, "ticket": ticket[1]}).status_code == 303
    assert made.desk.registry.state().vignettes == 2
    assert (
        stranger.post("/registry/import", data={**form, "csrf": csrf(stranger), "ticket": ticket[1]}).status_code == 404
    )
    checked = client.get("/registry/check", params={"plate": "AB12CDE"})
    assert "PAID" in checked.text
    assert 'class="verdict unpaid"' in client.get("/registry/check", params={"plate": "ZZ99ZZZ"}).text


@pytest.mark.parametrize(
    "bad",
    [
        b"plate,country,valid_from,valid_to\nAB12CDE,UK,2026-01-01,2026-12-31\n",  # forgets somebody
        LIST.encode()[:-20],  # was cut
        b"",
        b"\x00\xff" * 500,
        b"%PDF-1.4 no list",
        b"plate,country,valid_from,valid_to\nAB12CDE,UK,2026-31-01,2026-12-31\nXY34FGH,UK,x,y\n",
    ],
)
def test_a_bad_list_changes_nothing(app: FastAPI, made: Console, bad: bytes) -> None:
    client = browser(app, "admin")
    token = csrf(client)
    form = {"csrf": token, "content": "vignettes", "mode": "replace"}
    take_in(client, LIST)
    looked = client.post("/registry/preview", data=form, files={"file": ("bad.csv", bad)})
    assert looked.status_code == 200
    assert "nothing was changed" in looked.text
    refused = re.search(r'name="ticket" value="([0-9a-f]+)"', looked.text)
    assert refused is not None
    assert client.post("/registry/import", data={**form, "ticket": refused[1]}).status_code == 422
    assert made.desk.registry.state().vignettes == 2


def looked(client: TestClient, listed: str | bytes, **choices: str) -> str:
    form = {"csrf": csrf(client), "content": "vignettes", "mode": "replace", **choices}
    answer = client.post("/registry/preview", data=form, files={"file": ("list.csv", listed)})
    assert answer.status_code == 200, answer.text
    return answer.text


def number(page: str, name: str) -> int:
    found = re.search(rf"<dt>{name}</dt><dd>(\d+)</dd>", page)
    assert found is not None, page
    return int(found[1])


def test_one_bad_row_is_shown_and_not_the_end_of_the_list(app: FastAPI, made: Console) -> None:
    rows = "".join(f"AB{i:02d}CDE,UK,2026-01-01,2026-12-31\n" for i in range(99))
    page = looked(browser(app, "admin"), "plate,country,valid_from,valid_to\n" + rows + "XY34FGH,UK,31.31.2026,soon\n")
    assert (number(page, "good rows"), number(page, "would be added"), number(page, "left out")) == (99, 99, 1)
    assert "<td>101</td>" in page
    assert "Take it in" in page
    assert "1 row with a plate cannot be read" in page
    assert made.desk.registry.state().vignettes == 0


def test_a_date_of_another_order_is_shown_and_the_order_can_be_changed(app: FastAPI, made: Console) -> None:
    client = browser(app, "admin")
    listed = "plate,country,valid_from,valid_to\nAB12CDE,UK,01/02/2026,01/31/2027\nXY34FGH,UK,03/04/2026,02/28/2027\n"
    page = looked(client, listed)
    assert "nothing was changed" in page
    assert "month first" in page
    assert "--" not in re.findall(r'role="alert">(.*)</p>', page)[0]
    assert (number(page, "good rows"), number(page, "left out")) == (0, 2)
    ticket = re.findall(r'name="ticket" value="([0-9a-f]+)"', page)[0]
    form = {"csrf": csrf(client), "content": "vignettes", "mode": "replace", "ticket": ticket}
    again = client.post("/registry/preview", data={**form, "date_order": "month-first"}).text
    assert number(again, "would be added") == 2
    assert client.post("/registry/import", data={**form, "date_order": "month-first"}).status_code == 303
    assert made.desk.registry.state().vignettes == 2


def test_a_list_whose_columns_are_not_known_is_read_as_a_person_says(app: FastAPI, made: Console) -> None:
    client = browser(app, "admin")
    listed = "Vozidlo|Zacatek|Konec\nAB12 CDE|2026-01-01|2026-12-31\n"
    page = looked(client, listed)
    assert "must name the columns" in page
    assert "<option>Zacatek</option>" in page
    said = {"column_plate": "Vozidlo", "column_valid_from": "Zacatek", "column_valid_to": "Konec", "country": "UK",
            "separator": "bar"}  # fmt: skip
    again = looked(client, listed, **said)
    assert number(again, "would be added") == 1
    ticket = re.findall(r'name="ticket" value="([0-9a-f]+)"', again)[0]
    form = {"csrf": csrf(client), "content": "vignettes", "mode": "replace", "ticket": ticket, **said}
    assert client.post("/registry/import", data=form).status_code == 303
    _, held = made.desk.registry.check("AB12CDE", "", made.desk.clock.now_ns())
    assert [entry.country for entry in held] == ["UK"]


def test_what_is_chosen_of_a_list_cannot_be_anything(app: FastAPI) -> None:
    client = browser(app, "admin")
    assert "no such encoding" in looked(client, LIST, encoding="../../etc")
    assert "no column" in looked(client, LIST, column_plate="<script>")
    assert "country" in looked(client, LIST, country="Atlantis")
    assert "would be added" in looked(client, LIST, separator="nonsense")


def test_a_row_without_a_plate_is_told_of(app: FastAPI) -> None:
    rows = "".join(f"AB{i:02d}CDE,UK,2026-01-01,2026-12-31\n" for i in range(100))
    page = looked(browser(app, "admin"), "plate,country,valid_from,valid_to\n" + rows + "!,UK,2026-01-01,2026-12-31\n")
    assert "Not even the plate of 1 row can be read" in page


def test_a_vignette_without_end_is_told_so(app: FastAPI, made: Console) -> None:
    client = browser(app, "admin")
    take_in(client, "plate,country,valid_from,valid_to\nAB12CDE,UK,2026-01-01,9999-12-31\n")
    assert "without end" in client.get("/registry/check", params={"plate": "AB12CDE"}).text
    headers = {"authorization": f"Bearer {made.token('admin', Role.CHECKER)}"}
    (held,) = client.get("/api/v1/checks?plate=AB12CDE", headers=headers).json()["entries"]
    assert held["valid_to"] is None


def test_evidence_ids_reach_no_file(app: FastAPI, made: Console) -> None:
    made.see("AB12CDE", VerdictKind.REVIEW)
    client = browser(app, "viewer")
    for wanted in ("..%2f..%2fetc%2fpasswd", "....//", "%00", "a" * 5000, "x' OR '1'='1"):
        assert client.get(f"/sightings/{wanted}/crop").status_code == 404, wanted
        assert client.get(f"/static/{wanted}").status_code == 404, wanted


def test_an_administrator_lets_others_in(app: FastAPI, made: Console) -> None:
    client = browser(app, "admin")
    page = client.post("/system/invite", data={"csrf": csrf(client), "name": "Eva", "role": "checker"}).text
    link = re.search(r"/welcome/[\w-]+", page)
    assert link is not None
    guest = browser(app)
    assert "Welcome, eva" in guest.get(link[0]).text
    assert guest.post(link[0], data={"password": PASSWORD, "again": "other"}).status_code == 422
    assert guest.post(link[0], data={"password": PASSWORD, "again": PASSWORD}).status_code == 303
    assert guest.get("/").status_code == 200
    client.post("/system/disable", data={"csrf": csrf(client), "name": "eva"})
    assert guest.get("/").status_code == 303
    assert {"invited", "disabled", "set a password"} <= {look.action for look in made.desk.ledger.audit()}


def test_a_sighting_shows_every_read_of_its_passage(app: FastAPI, made: Console) -> None:
    reads = ["AB12CDE", "AB12COE", ""]
    wanted = made.see("AB12CDE", VerdictKind.REVIEW, reads=reads)
    client = browser(app, "viewer")
    page = client.get(f"/sightings/{wanted}").text
    assert len(re.findall(r'<img class="cell\d"', page)) == len(reads)
    assert "<code>AB12COE</code>" in page
    assert "nothing read" in page
    assert client.get(f"/sightings/{wanted}/strip").headers["content-type"] == "image/jpeg"
    headers = {"authorization": f"Bearer {made.token('admin', Role.VIEWER)}"}
    told = client.get(f"/api/v1/sightings/{wanted}", headers=headers).json()
    assert [read["text"] for read in told["reads"]] == reads
    assert client.get(f"/api/v1/sightings/{wanted}/pictures/strip", headers=headers).status_code == 200


def test_a_film_strip_goes_with_its_plate(app: FastAPI, made: Console) -> None:
    gone = made.see("AB12CDE", VerdictKind.REVIEW, reads=["AB12CDE", "AB12CDE"])
    other = made.see("AB12COE", VerdictKind.REVIEW, reads=["AB12CDE", "AB12COE"])
    paid = made.see("XY34FGH", VerdictKind.PAID, reads=["XY34FGH", "XY34FGH"])
    assert made.desk.sightings.get(paid).evidence == ()
    (strip,) = [e for e in made.desk.sightings.get(gone).evidence if e.kind is PictureKind.STRIP]
    client = browser(app, "admin")
    client.post(f"/sightings/{gone}/forget", data={"csrf": csrf(client)})
    assert client.get(f"/sightings/{gone}/strip").status_code == 404
    assert made.records.vault.fault(strip.sha256, None) is not None
    page = client.get(f"/sightings/{other}").text
    assert "<code>AB12COE</code>" in page
    assert "AB12CDE" not in page
    assert "are as entry" in page


def test_a_sighting_tells_whether_it_is_what_was_sealed(app: FastAPI, made: Console) -> None:
    whole, changed = made.see("AB12CDE", VerdictKind.REVIEW), made.see("XY34FGH", VerdictKind.REVIEW)
    with made.records.database.write() as connection:
        connection.execute(text("UPDATE sightings SET camera_id = 'other' WHERE sighting_id = :id"), {"id": changed})
    client = browser(app, "viewer")
    assert "are as entry" in client.get(f"/sightings/{whole}").text
    page = client.get(f"/sightings/{changed}").text
    assert "This is not what was sealed" in page
    assert "camera_id was changed" in page
    (crop,) = [e for e in made.desk.sightings.get(whole).evidence if e.kind is PictureKind.CROP]
    made.records.vault.remove(crop.sha256)
    assert "This is not what was sealed" in client.get(f"/sightings/{whole}").text


def test_forgetting_a_plate_is_for_administrators(app: FastAPI, made: Console) -> None:
    wanted = made.see("AB12CDE", VerdictKind.UNPAID)
    reviewer, admin = browser(app, "reviewer"), browser(app, "admin")
    assert reviewer.post(f"/sightings/{wanted}/forget", data={"csrf": csrf(reviewer)}).status_code == 403
    assert "1 sighting of this plate" in admin.post(f"/sightings/{wanted}/forget", data={"csrf": csrf(admin)}).text
    assert admin.get(f"/sightings/{wanted}").status_code == 404


def test_czech_and_english_and_what_the_browser_wants(app: FastAPI) -> None:
    client = browser(app, "admin")
    assert 'lang="en"' in client.get("/").text
    czech = client.get("/", headers={"accept-language": "de;q=0.5, cs-CZ;q=0.9, en;q=0.1"}).text
    assert 'lang="cs"' in czech
    assert "Živě" in czech
    german = client.get("/registry", headers={"accept-language": "de-DE"}).text
    assert 'lang="de"' in german
    assert "Eine Liste einlesen" in german
    client.get("/language/cs")
    assert "Evidence" in client.get("/registry").text


def test_the_rest_interface(app: FastAPI, made: Console) -> None:
    wanted = made.see("AB12CDE", VerdictKind.REVIEW, rule="one-look")
    client = browser(app)
    assert problem(client.get("/api/v1/sightings"), 401)["detail"].startswith("send an API token")

    def ask(role: Role, path: str, **more: object) -> Response:
        headers = {"authorization": f"Bearer {made.token('admin', role)}"}
        return client.request(str(more.pop("method", "GET")), path, headers=headers, **more)  # type: ignore[arg-type]

    page = ask(Role.VIEWER, "/api/v1/sightings").json()
    assert [s["plate"]["text"] for s in page["sightings"]] == ["AB12CDE"]
    assert page["next_page"] is None
    one = ask(Role.VIEWER, f"/api/v1/sightings/{wanted}")
    assert one.json()["verdict"]["rule"] == "one-look"
    token = made.token("admin", Role.VIEWER)
    again = {"authorization": f"Bearer {token}", "if-none-match": one.headers["etag"]}
    assert client.get(f"/api/v1/sightings/{wanted}", headers=again).status_code == 304
    picture = ask(Role.VIEWER, one.json()["pictures"][0]["href"])
    assert picture.headers["content-type"] == "image/png"
    problem(ask(Role.VIEWER, "/api/v1/sightings/none"), 404)
    problem(ask(Role.VIEWER, "/api/v1/checks?plate=AB12CDE"), 403)
    problem(ask(Role.VIEWER, "/api/v1/sightings?size=100000"), 422)
    problem(ask(Role.VIEWER, "/api/v1/sightings?page=nonsense"), 422)
    assert ask(Role.CHECKER, "/api/v1/checks?plate=AB12CDE").status_code == 503  # no list was imported
    problem(ask(Role.VIEWER, f"/api/v1/sightings/{wanted}/answers", method="POST", json={"action": "confirm"}), 403)
    assert ask(Role.REVIEWER, "/api/v1/reviews/next").json()["waiting"] == 1
    told = ask(Role.REVIEWER, f"/api/v1/sightings/{wanted}/answers", method="POST", json={"action": "unreadable"})
    assert told.json()["id"] == wanted
    assert ask(Role.REVIEWER, "/api/v1/reviews/next").json() == {"sighting": None, "waiting": 0}


def test_every_operation_is_described_and_needs_somebody(app: FastAPI) -> None:
    client = browser(app)
    described = client.get("/api/v1/openapi.json").json()
    operations = [(path, method) for path, item in described["paths"].items() for method in item]
    assert len(operations) == len(router.routes)
    for path, method in operations:
        made_up = re.sub(r"\{\w+\}", "crop", path)
        problem(client.request(method.upper(), made_up), 401)


def take_in(client: TestClient, listed: str) -> None:
    form = {"csrf": csrf(client), "content": "vignettes", "mode": "replace"}
    looked = client.post("/registry/preview", data=form, files={"file": ("good.csv", listed)}).text
    ticket = re.search(r'name="ticket" value="([0-9a-f]+)"', looked)
    assert ticket is not None
    assert client.post("/registry/import", data={**form, "ticket": ticket[1]}).status_code == 303


def problem(answer: Response, status: int) -> dict[str, str]:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    said: dict[str, str] = json.loads(answer.text)
    assert said["status"] == status  # type: ignore[comparison-overlap]
    return said
