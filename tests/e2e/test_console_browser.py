"""The console in a real browser: from the first start to a reviewed plate, by mouse and keyboard, large and small."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import axe_playwright_python
import pytest

from roadside.assembly.console_server import ConsoleServer, link_for
from roadside.console.ports import Role
from roadside.core.known import Action, KnownMatch
from roadside.core.sightings import VerdictKind
from tests.browsers import CHROMIUM, page_of, set_password, started_chromium
from tests.consoles import Console, console
from tests.waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Page, Route

AXE = Path(axe_playwright_python.__file__).with_name("axe.min.js")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="chromium is missing: `make dev` installs it")

LIST = "plate,country,valid_from,valid_to\nAB12CDF,UK,2020-01-01,2099-12-31\n"


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with started_chromium() as browser:
        yield browser


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Console]:
    with console(tmp_path) as there:
        yield there


@contextmanager
def served(made: Console) -> Iterator[str]:
    server = ConsoleServer(made.desk)
    address = server.listen()
    with server.beside():
        yield address


def enter(page: Page, made: Console, address: str, role: Role = Role.ADMIN) -> None:
    set_password(page, link_for(made.desk.access, address, role.value, role))


def test_from_the_first_link_to_a_reviewed_plate(chromium: Browser, made: Console, tmp_path: Path) -> None:
    bad, good = tmp_path / "bad.csv", tmp_path / "good.csv"
    good.write_text(LIST, encoding="utf-8")
    bad.write_text("plate,country,valid_from,valid_to\nAB12CDF,UK,2020-01-01,20", encoding="utf-8")
    wanted = made.see("AB12CDE", VerdictKind.REVIEW, rule="near-paid-plate")
    with served(made) as address, page_of(chromium) as page:
        enter(page, made, address)
        page.click("nav >> text=Registry")
        for path in (good, bad):
            page.set_input_files("[name=file]", path)
            page.click("text=Look at it")
            if path is good:
                page.click("text=Take it in")
        assert "nothing was changed" in page.text_content("[role=alert]").lower()  # type: ignore[union-attr]
        assert made.desk.registry.state().vignettes == 1
        page.click("nav >> text=Review")
        assert page.is_visible("text=AB12CDF")
        page.click("text=It is right")
        page.wait_for_selector("text=Nothing waits for a person")
        assert [answer.author for answer in made.desk.ledger.answers(wanted)] == ["admin"]
        assert made.desk.sightings.get(wanted).verdict.kind is VerdictKind.UNPAID
        assert made.desk.ledger.training_ready() == 1


def test_a_review_with_the_keyboard_alone(chromium: Browser, made: Console) -> None:
    ids = [made.see(text, VerdictKind.REVIEW, rule="one-look", ago=9 - i) for i, text in enumerate(
        ("AB12CDE", "XY34FGH", "KL56MNP", "TV78WXY"))]  # fmt: skip
    with served(made) as address, page_of(chromium) as page:
        enter(page, made, address, Role.REVIEWER)
        page.goto(f"{address}/review")

        def shows(name: str) -> None:
            page.wait_for_selector(f"[name=sighting][value='{name}']", state="attached")

        shows(ids[0])
        page.keyboard.press("s")
        shows(ids[1])
        page.keyboard.press("u")
        shows(ids[2])
        page.keyboard.type("KL56MNX")
        page.keyboard.press("Enter")
        shows(ids[3])
        page.keyboard.press("Enter")
        page.wait_for_selector("text=put all of them aside")
        page.keyboard.press("k")
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
    said = {name: [(a.action.value, a.text) for a in made.desk.ledger.answers(name)] for name in ids}
    assert said[ids[0]] == []
    assert said[ids[1]] == [("unreadable", "")]
    assert [action for action, _ in said[ids[2]]] == ["correct"]
    assert [action for action, _ in said[ids[3]]] == ["confirm"]


def test_sightings_appear_as_they_happen(chromium: Browser, made: Console) -> None:
    with served(made) as address, page_of(chromium) as page:
        enter(page, made, address, Role.VIEWER)
        page.wait_for_selector("text=Connected")
        made.see("AB12CDE", VerdictKind.UNPAID)
        page.wait_for_selector("article.unpaid")
        page.click("text=Pause")
        made.see("XY34FGH", VerdictKind.REVIEW)
        page.wait_for_selector("text=Paused · 1")
        assert page.locator("article").count() == 1
        page.click("text=Go on")
        page.wait_for_selector("article.review")
        page.select_option("[name=verdict]", "REVIEW")
        page.click("text=Filter")
        assert page.locator("article").count() == 1


def test_what_is_stored_while_a_page_connects_appears_once(chromium: Browser, made: Console) -> None:
    made.see("KL56MNP", VerdictKind.UNPAID, ago=1)

    def late(route: Route) -> None:
        made.see("AB12CDE", VerdictKind.UNPAID)
        known = re.sub(r"after=\d+", "after=0", route.request.url)  # what the page shows already is told again
        route.continue_(url=known)

    with served(made) as address, page_of(chromium) as page:
        page.route("**/live/events*", late)
        enter(page, made, address, Role.VIEWER)
        page.wait_for_selector("article.fresh")
        assert [card.get_attribute("data-sighting") for card in page.query_selector_all("article")] == [
            "ab12cde0gate000000000000",
            "kl56mnp1gate000000000000",
        ]


@pytest.mark.parametrize("language", ["cs", "de"])
def test_nothing_runs_over_on_a_phone_in_any_language(chromium: Browser, made: Console, language: str) -> None:
    wanted = lists_of(made)
    with served(made) as address, page_of(chromium, width=360, language=f"{language}-{language.upper()}") as page:
        enter(page, made, address)
        for path in PAGES(wanted):
            page.goto(f"{address}{path}")
            assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), path
            assert page.get_attribute("html", "lang") == language
        page.goto(f"{address}/review")
        assert {"cs": "Pochybnost", "de": "Der Zweifel"}[language] in page.content()


def lists_of(made: Console) -> str:
    """A list with a plate and what passed of it, an empty one, and a sighting with a film strip: its id."""
    for name, action in (("family", Action.OPEN), ("empty", Action.ALERT)):
        made.desk.known.put_list(name, action)
    made.desk.known.enter("family", {"plate": "AB12 CDE", "name": "Eva", "valid_to": "2020-01-01"})
    match = KnownMatch("family", Action.OPEN, "Eva", "", "AB12 CDE", 0.99)
    reads = ["AB12CDE", "AB12COE", "", *["AB12CDE"] * 9]
    return made.see("AB12CDE", VerdictKind.REVIEW, rule="one-look", reads=reads, known=(match,))


def PAGES(wanted: str) -> list[str]:  # noqa: N802 - a list, of which one depends on the test
    return [
        "/",
        "/search",
        f"/sightings/{wanted}",
        "/review",
        "/registry",
        "/lists",
        "/lists/one?list=family&change=AB12%20CDE",
        "/lists/one?list=empty",
        "/cameras",
        "/statistics",
        "/system",
        "/tokens",
    ]


@pytest.mark.parametrize("dark", [False, True])
def test_everybody_can_use_it(chromium: Browser, made: Console, dark: bool) -> None:  # noqa: FBT001 - a parameter
    wanted = lists_of(made)
    with served(made) as address, page_of(chromium, dark=dark) as page:
        page.goto(f"{address}/sign-in")
        faults = {"/sign-in": violations(page)}
        enter(page, made, address)
        # The dark colours are the same on every page; these show all of them.
        for path in (f"/sightings/{wanted}", "/statistics", "/lists/one?list=family") if dark else PAGES(wanted):
            page.goto(f"{address}{path}")
            faults[path] = violations(page)
    assert not {path: found for path, found in faults.items() if found}


def test_a_list_is_made_and_filled_from_a_file(chromium: Browser, made: Console, tmp_path: Path) -> None:
    listed = tmp_path / "family.csv"
    listed.write_text("Kennzeichen;Halter\nAB12CDE;Eva\n;nobody\nXY34FGH;Jan\n", encoding="utf-8")
    with served(made) as address, page_of(chromium) as page:
        enter(page, made, address)
        page.click("nav >> text=Lists")
        page.fill("form[action='/lists/new'] [name=list]", "family")
        page.select_option("form[action='/lists/new'] [name=action]", "open")
        page.click("text=Make it")
        page.set_input_files("[name=file]", listed)
        page.click("text=Look at it")
        assert violations(page) == []
        assert page.is_visible("text=plate is empty")
        page.click("button >> text=Enter it")
        page.wait_for_selector("td >> text=XY34FGH")
        page.on("dialog", lambda dialog: dialog.accept())
        page.click("[aria-label='Remove AB12CDE']")
        page.wait_for_selector("td >> text=AB12CDE", state="detached")
        made.see("XY34FGH", VerdictKind.REVIEW, known=(KnownMatch("family", Action.OPEN, "Jan", "", "XY34FGH", 0.99),))
        page.goto(f"{address}/lists/one?list=family")
        page.click("article >> nth=0")
        page.wait_for_selector("text=Sealed evidence")
    assert [(e.plate, e.name) for e in made.desk.known.entries("family")] == [("XY34FGH", "Jan")]


def test_a_film_strip_shows_each_read_in_its_own_window(chromium: Browser, made: Console) -> None:
    wanted = lists_of(made)
    with served(made) as address, page_of(chromium) as page:
        enter(page, made, address)
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url) if request.url.endswith("/strip") else None)
        page.goto(f"{address}/sightings/{wanted}")
        page.wait_for_function("[...document.querySelectorAll('.film img')].every(i => i.naturalHeight === 768)")
        places = page.eval_on_selector_all(".film img", "all => all.map(i => getComputedStyle(i).objectPosition)")
        assert places == [f"0px {-64 * i or 0}px" for i in range(12)]
        assert len(asked) == 1  # who looked is written down once


def test_preview_lets_a_person_say_how_a_list_is_read(chromium: Browser, made: Console, tmp_path: Path) -> None:
    listed = tmp_path / "list.csv"
    listed.write_text("Wagen,country,valid_from,valid_to\nAB12CDE,UK,01/02/2026,01/31/2099\n", encoding="utf-8")
    with served(made) as address, page_of(chromium) as page:
        enter(page, made, address)
        page.goto(f"{address}/registry")
        page.set_input_files("[name=file]", listed)
        page.click("text=Look at it")
        assert violations(page) == []
        page.select_option("[name=column_plate]", "Wagen")
        page.click("text=Read it again")
        page.wait_for_selector("text=month first (line 2")
        page.select_option("form[action='/registry/preview'] [name=date_order]", "month-first")
        page.click("text=Read it again")
        page.click("text=Take it in")
        page.wait_for_selector("text=list.csv (admin)")
    assert made.desk.registry.state().vignettes == 1


def violations(page: Page) -> list[str]:
    """What axe-core finds against WCAG 2.2 A and AA."""
    page.evaluate(AXE.read_text(encoding="utf-8"))  # as the debugger would: the page's policy allows no other script
    tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
    found = page.evaluate("tags => axe.run({runOnly: {type: 'tag', values: tags}})", tags)
    return [f"{v['id']}: {v['nodes'][0]['html'][:120]}" for v in found["violations"]]


def test_beside_a_run_the_camera_is_seen(chromium: Browser, tmp_path: Path) -> None:
    clip = tmp_path / "street.mp4"
    subprocess.run([sys.executable, "-m", "models.synth.street", "--out", str(clip)], check=True, capture_output=True)
    log = tmp_path / "log"
    command = [sys.executable, "-m", "roadside.cli", "run", str(clip), "--db", str(tmp_path / "a.db"), "--console",
               "--console-port", "0"]  # fmt: skip
    with log.open("w") as file, subprocess.Popen(command, stderr=file, stdout=subprocess.DEVNULL) as process:
        try:
            wait_for(lambda: "/welcome/" in log.read_text(), "link")
            link = re.findall(r"http\S+/welcome/\S+", log.read_text())
            with page_of(chromium) as page:
                set_password(page, link[0])
                page.goto(page.url + "cameras")
                page.wait_for_function("document.querySelector('img[data-live]')?.naturalWidth > 300")
                page.goto(page.url.replace("cameras", ""))
                page.wait_for_selector("article", timeout=120_000)
        finally:
            wait_for(lambda: "stays until Ctrl-C" in log.read_text(), "end of the clip")
            process.send_signal(signal.SIGINT)
            assert process.wait(30) == 0


def test_pages_are_small(chromium: Browser, made: Console) -> None:
    made.see("AB12CDE", VerdictKind.REVIEW, rule="one-look")
    with served(made) as address, page_of(chromium) as page:
        enter(page, made, address)
        sizes: dict[str, int] = {}
        page.on("response", lambda r: sizes.__setitem__(r.url, len(r.body())) if "/static/" in r.url else None)
        for path in ("/", "/review", "/statistics"):
            sizes.clear()
            page.goto(f"{address}{path}")
            page.wait_for_load_state("networkidle" if path != "/" else "load")
            assert sum(sizes.values()) + len(page.content()) < 150_000, json.dumps(sizes)
