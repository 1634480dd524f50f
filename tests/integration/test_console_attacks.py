"""What somebody would try who means ill: injection, stored scripts, forged forms, fixed sessions, odd files."""

from __future__ import annotations

import io
import itertools
import re
import struct
import zipfile
import zlib
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest
from starlette.testclient import TestClient

from roadside.console.app import make_app
from roadside.console.ports import Role
from roadside.core.known import Action
from roadside.core.sightings import VerdictKind
from tests.consoles import PASSWORD, Console, console

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from httpx2 import Response

SCRIPT = "<script>alert(1)</script>"
INJECTIONS = (
    SCRIPT,
    '"><img src=x onerror=alert(1)>',
    "'; DROP TABLE sightings; --",
    "' OR '1'='1",
    "{{ 7*7 }}",
    "${7*7}",
    "%0d%0aSet-Cookie: a=b",
    "\r\nX-Injected: yes",
    "\x00",
    "../../../../etc/passwd",
    "=cmd|' /C calc'!A0",
    "\u202eABC",
    "A" * 5000,
    "\ud7ff\uffff",
)


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Console]:
    with console(tmp_path) as there:
        yield there


def signed_in(made: Console, role: Role = Role.ADMIN) -> tuple[TestClient, str]:
    """Somebody of a role, and what their forms carry. A fault of the program's own is raised, not answered."""
    if made.desk.access.store.account(role.value) is None:
        made.account(role.value, role)
    client = TestClient(make_app(made.desk), follow_redirects=False, headers={"accept-language": "en"})
    assert client.post("/sign-in", data={"name": role.value, "password": PASSWORD}).status_code == 303
    found = re.search(r'X-CSRF-Token": "([0-9a-f]+)"', client.get("/tokens").text)
    assert found is not None
    return client, found[1]


def harmless(answer: Response, said: str) -> None:
    """Nothing of what was `said` runs, sets a header or makes the program fail."""
    assert answer.status_code < 500 or answer.status_code == 503, (answer.status_code, answer.text[:500])
    assert "x-injected" not in answer.headers
    assert "a=b" not in answer.headers.get("set-cookie", "")
    if answer.headers.get("content-type", "").startswith("text/html"):
        for dangerous in ("<script>alert", "<img src=x"):
            assert dangerous not in answer.text, said
        assert "root:x:0" not in answer.text
        assert "Traceback" not in answer.text


FIELDS = {
    "/search": ("plate", "how", "since", "until", "camera", "country", "verdict", "direction", "over", "known", "page"),
    "/lists/one": ("list", "q", "change"),
    "/sign-in/provider/back": ("state", "code", "error", "iss"),
    "/search/export.csv": ("camera", "page"),
    "/": ("camera", "verdict", "direction"),
    "/registry/check": ("plate", "country", "at"),
    "/sign-in": ("next",),
    "/language/cs": ("next",),
    "/review": ("skip",),
    "/statistics": ("days",),
}


def test_whatever_is_typed_into_an_address_stays_text(made: Console) -> None:
    client, _ = signed_in(made)
    said = itertools.cycle(INJECTIONS)
    for path, fields in FIELDS.items():
        for field in fields:
            for _ in range(3):  # over all of them each field meets several, and each of them several fields
                text = next(said)
                harmless(client.get(path, params={"plate": "AB12CDE", field: text}), f"{path} {field} {text!r}")


@pytest.mark.parametrize("said", INJECTIONS[:9:2])
def test_whatever_is_typed_into_a_form_stays_text(made: Console, said: str) -> None:
    wanted = made.see("AB12CDE", VerdictKind.REVIEW)
    made.desk.known.put_list("a", Action.ALERT)
    client, token = signed_in(made)
    for path, form in {
        f"/sightings/{wanted}/answer": {"action": "correct", "plate": said, "country": said},
        "/review/answer": {"sighting": said, "action": "correct", "plate": said, "skip": said},
        "/registry/import": {"ticket": said, "date_order": ""},
        "/lists/new": {"list": said, "action": "open"},
        "/lists/enter": {"list": "a", "plate": said, "country": said, "name": said, "group": said, "was": said},
        "/lists/remove": {"list": "a", "plate": said},
        "/lists/drop": {"list": said},
        "/lists/import": {"list": said, "ticket": said},
        "/system/invite": {"name": said, "role": "viewer"},
        "/system/disable": {"name": said},
        "/tokens/new": {"label": said, "role": "viewer", "days": said},
        "/tokens/end": {"digest": said},
        "/cameras/gate/view/save": {"drawn": said, "rotation": said},
    }.items():
        harmless(client.post(path, data={"csrf": token, **form}), said)
    assert made.desk.sightings.get(wanted).sighting_id == wanted, "nothing was dropped"


def test_scripts_in_names_of_cameras_files_accounts_and_tokens_do_not_run(made: Console) -> None:
    wanted = made.see("AB12CDE", VerdictKind.REVIEW, camera=SCRIPT, rule=f"made-up-{SCRIPT}")
    client, token = signed_in(made)
    client.post("/tokens/new", data={"csrf": token, "label": SCRIPT, "role": "viewer", "days": "1"})
    upload = client.post(
        "/registry/preview",
        data={"csrf": token, "content": "vignettes"},
        files={"file": (f"{SCRIPT}.csv", f"plate,country,valid_from,valid_to\n{SCRIPT},UK,2026-01-01,2026-12-31\n")},
    )
    harmless(upload, SCRIPT)
    for path in ("/", "/search", f"/sightings/{wanted}", "/review", "/statistics", "/statistics/series", "/system",
                 "/tokens", "/registry", "/cameras"):  # fmt: skip
        answer = client.get(path)
        assert answer.status_code == 200, path
        assert "<script>alert" not in answer.text, path
    exported = client.get("/search/export.csv").text
    assert not [line for line in exported.splitlines() if re.search(r'(^|,)"?[=+@-][A-Za-z]', line)], exported


def test_formulas_do_not_leave_in_exports(made: Console) -> None:
    made.see("AB12CDE", VerdictKind.REVIEW, camera="=HYPERLINK(1)")
    client, _ = signed_in(made)
    assert not re.search(r'(^|,)"?=', client.get("/search/export.csv").text, re.MULTILINE)


def test_a_session_from_before_signing_in_is_worth_nothing(made: Console) -> None:
    made.account("eva", Role.VIEWER)
    client = TestClient(make_app(made.desk), follow_redirects=False)
    fixed = "of-the-attacker"
    client.cookies.set("roadside_session", fixed)
    answer = client.post("/sign-in", data={"name": "eva", "password": PASSWORD})
    given = re.search(r"roadside_session=([^;]+)", answer.headers["set-cookie"])
    assert given is not None
    assert given[1] != fixed
    stranger = TestClient(make_app(made.desk), follow_redirects=False, cookies={"roadside_session": fixed})
    assert stranger.get("/").status_code == 303
    flags = answer.headers["set-cookie"].lower()
    assert "httponly" in flags
    assert "samesite=strict" in flags


def test_signing_out_ends_the_session_everywhere(made: Console) -> None:
    client, token = signed_in(made)
    stolen = dict(client.cookies)
    client.post("/sign-out", data={"csrf": token})
    thief = TestClient(make_app(made.desk), follow_redirects=False, cookies=stolen)
    assert thief.get("/").status_code == 303


def test_guessing_is_slowed_for_a_name_and_for_an_address(made: Console) -> None:
    made.account("eva", Role.VIEWER)
    client = TestClient(make_app(made.desk), follow_redirects=False)
    said = [client.post("/sign-in", data={"name": "eva", "password": f"guess {i}"}).status_code for i in range(8)]
    assert said[:5] == [401] * 5
    assert 429 in said
    assert client.post("/sign-in", data={"name": "eva", "password": PASSWORD}).status_code == 429
    # Another name from the same address waits too: a list of names helps nobody.
    assert client.post("/sign-in", data={"name": "jan", "password": "guess"}).status_code == 429


def test_other_sites_can_neither_frame_nor_post(made: Console) -> None:
    client, _ = signed_in(made)
    headers = client.get("/").headers
    assert headers["x-frame-options"] == "DENY"
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert "unsafe" not in headers["content-security-policy"]
    forged = client.post("/tokens/new", data={"label": "x", "role": "admin", "days": "1"},
                         headers={"origin": "https://evil.example"})  # fmt: skip
    assert forged.status_code == 403
    posted = client.post("/api/v1/sightings/none/answers", json={"action": "confirm"})
    assert posted.status_code == 403, "a cookie alone answers nothing"


PATHS = (
    "../../keys.json",
    "..%2f..%2fkeys.json",
    "%2e%2e/%2e%2e/keys.json",
    "....//....//keys.json",
    "/etc/passwd",
    "crop%00.png",
    "console.keys.json",
    "\\..\\keys.json",
)


def test_no_path_leads_out(made: Console) -> None:
    wanted = made.see("AB12CDE", VerdictKind.REVIEW)
    client, _ = signed_in(made)
    for path in PATHS:
        for place in (
            f"/static/{path}",
            f"/sightings/{path}/crop",
            f"/sightings/{wanted}/{path}",
            f"/cameras/{path}/picture",
            f"/api/v1/sightings/{path}/pictures/crop",
            f"/welcome/{path}",
        ):
            answer = client.get(place)
            assert answer.status_code in (303, 404, 422), (place, answer.status_code)
            assert '"keys"' not in answer.text
            assert "root:" not in answer.text


def odd_files() -> dict[str, bytes]:
    """Files that are no list, of each kind that people send by mistake or on purpose."""
    picture = cv2.imencode(".png", np.zeros((8, 8, 3), np.uint8))[1].tobytes()
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bomb.csv", b"0" * 10_000_000)
    header = struct.pack(">IIBBBBB", 2**31 - 1, 2**31 - 1, 8, 2, 0, 0, 0)
    huge = (
        b"\x89PNG\r\n\x1a\n"
        + struct.pack(">I", 13)
        + b"IHDR"
        + header
        + struct.pack(">I", zlib.crc32(b"IHDR" + header))
    )
    return {
        "empty.csv": b"",
        "nul.csv": b"\0" * 1000,
        "picture.png": picture,
        "huge.png": huge,
        "cut.jpg": b"\xff\xd8\xff\xe0" + b"\x10" * 40,
        "bomb.zip": packed.getvalue(),
        "list.xlsx": packed.getvalue(),
        "page.html": b"<html><script>alert(1)</script></html>",
        "vector.svg": b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>',
        "entities.xml": b'<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>',
        "program.exe": b"MZ" + bytes(range(256)),
        "one-line.csv": b"plate," * 200_000,
        "quote.csv": b'plate,country,valid_from,valid_to\n"' + b"A" * 300_000,
        "utf16.csv": "plate,country\nAB12CDE,UK\n".encode("utf-16"),
        "wrong-bytes.csv": b"plate,country,valid_from,valid_to\n\xff\xfe\xfd,UK,2026-01-01,2026-12-31\n",
        "../../evil.csv": b"plate,country,valid_from,valid_to\n",
        "formula.csv": b"plate,country,valid_from,valid_to\n=1+1,UK,2026-01-01,2026-12-31\n",
        "a\r\nb.csv": b"x",
    }


def test_a_file_that_is_no_list_changes_nothing_and_is_told_in_a_sentence(made: Console) -> None:
    client, token = signed_in(made)
    made.desk.known.put_list("a", Action.ALERT)
    for name, content in odd_files().items():
        for door, form in (("registry", {"content": "vignettes"}), ("lists", {"list": "a", "column_plate": name})):
            answer = client.post(
                f"/{door}/preview",
                data={"csrf": token, "mode": "replace", **form},
                files={"file": (name, content)},
            )
            harmless(answer, name)
            assert answer.status_code in (200, 422, 400), (name, answer.status_code)
            assert "roadside-lists" not in answer.text, f"{name}: a path of the server"
        assert made.desk.registry.state().vignettes == 0, name
        assert made.desk.known.lists() == [("a", Action.ALERT, 0)], name


def test_a_request_of_many_fields_or_files_is_refused(made: Console) -> None:
    client, token = signed_in(made)
    many = {"csrf": token, **{f"f{i}": "x" for i in range(2000)}}
    assert client.post("/tokens/new", data=many).status_code in (400, 413, 422)
    files = [("file", (f"{i}.csv", b"x")) for i in range(20)]
    assert client.post("/registry/preview", data={"csrf": token}, files=files).status_code in (400, 413, 422)


def kilobytes(count: int) -> Iterator[bytes]:
    """A request that does not say how long it is."""
    yield b"["
    for _ in range(count):
        yield b"1," * 512


@pytest.mark.parametrize("announced", [True, False])
def test_more_than_a_form_or_an_answer_holds_is_refused_and_not_kept(made: Console, *, announced: bool) -> None:
    def body(count: int) -> bytes | Iterator[bytes]:
        return b"".join(kilobytes(count)) if announced else kilobytes(count)

    stranger = TestClient(make_app(made.desk), follow_redirects=False)
    json = {"content-type": "application/json"}
    answer = stranger.put("/api/v1/lists/a/plates", content=body(70), headers=json)
    assert (answer.status_code, answer.json()["title"]) == (413, "Too large")
    assert stranger.put("/api/v1/lists/a/plates", content=body(1), headers=json).status_code in (401, 422)
    form = {"content-type": "application/x-www-form-urlencoded"}
    assert stranger.post("/sign-in", content=body(2100), headers=form).status_code == 413
    client, token = signed_in(made)
    upload = {"data": {"csrf": token, "content": "vignettes"}, "files": {"file": ("a.csv", bytes(3 << 20))}}
    assert client.post("/registry/preview", **upload).status_code != 413
    assert client.post("/tokens/new", **upload).status_code == 413


def test_a_field_of_text_has_a_bound_where_files_have_a_larger_one(made: Console) -> None:
    client, token = signed_in(made)
    long = {"csrf": (None, token), "content": (None, "v" * (2 << 20)), "file": ("a.csv", b"plate")}
    assert client.post("/registry/preview", files=long).status_code == 400
